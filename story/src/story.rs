//! Everything that the acts play with, and how it is set up.

use crate::{
    args::{Args, KillPoint},
    book::Book,
    environment::{check_ports, node_program, Places},
    error::{Result, StoryError},
    feed::Feed,
    node::{Node, NodeSettings},
    numbers::Numbers,
    outcome::Outcome,
    printer::{count, number, size, Printer},
    source::{calendar, Source},
};
use sealed_register::{Channel, Channels, DayRange, OperatingDay, OrganisationId};
use serde::{Deserialize, Serialize};
use std::{fs, path::Path, sync::Arc};
use wattseal_client::{
    files::{write_atomically, Access as FileAccess},
    Access, Account, Chain, Profile, Vendor,
};

/// Short name of the utility of the development chain.
const UTILITY: &str = "utility";

/// The stage.
pub struct Story {
    /// Where everything lies.
    pub places: Places,
    /// The node.
    pub node: Arc<Node>,
    /// The feed.
    pub feed: Feed,
    /// Vault and roots: both the own node's.
    pub access: Access,
    /// Whose readings.
    pub source: Source,
    /// What the feed says about the first meter.
    pub book: Book,
    /// The utility.
    pub utility: OrganisationId,
    /// The utility's account.
    pub utility_account: Account,
    /// The vendor.
    pub vendor: Vendor,
    /// What steps leave for later ones.
    pub outcome: Outcome,
    /// What was measured.
    pub numbers: Numbers,
    /// When the node is killed.
    pub kills: Vec<KillPoint>,
    /// Lines for people.
    pub printer: Arc<Printer>,
}

/// What an earlier run left.
#[derive(Debug, Serialize, Deserialize)]
struct State {
    genesis: String,
    runs: u32,
}

impl State {
    fn read(path: &Path) -> Result<Option<Self>> {
        match fs::read(path) {
            Ok(text) => serde_json::from_slice(&text).map(Some).map_err(|error| StoryError::file(path, error)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StoryError::file(path, error)),
        }
    }

    fn write(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_vec_pretty(self).map_err(|error| StoryError::file(path, error))?;
        Ok(write_atomically(path, &text, FileAccess::Private)?)
    }
}

/// Checks the machine, starts feed and node.
///
/// # Errors
/// [`StoryError`] says in one line what is missing or taken.
pub async fn prepare(args: &Args, places: Places, printer: Arc<Printer>) -> Result<Story> {
    let program = node_program()?;
    check_ports(args)?;
    let length = match &args.csv {
        Some(path) => fs::metadata(path).map_err(|error| StoryError::file(path, error))?.len(),
        None => 0,
    };
    places.check_disk(length)?;
    let source = match &args.csv {
        Some(path) => Source::csv(path)?,
        None => Source::homes(&places.base)?,
    };
    let utility_folder = places.utility();
    fs::create_dir_all(&utility_folder).map_err(|error| StoryError::file(&utility_folder, error))?;
    let feed = Feed::open(places.feed(), args.feed_port).await?;
    let node = Arc::new(Node::new(NodeSettings {
        program,
        places: places.clone(),
        rpc_port: args.rpc_port,
        port: args.port,
        prometheus_port: args.prometheus_port,
        feed_url: feed.url().to_owned(),
        utility: UTILITY.into(),
        log: args.node_log.clone(),
    }));
    node.start().await?;
    let started = async {
        let chain = node.ready().await?;
        let first_block = announce(&chain, &places, &source, &printer).await?;
        let access = Access::own_node(&node.url()).await?;
        Ok::<_, StoryError>((first_block, access))
    };
    let (first_block, access) = match started.await {
        Ok(started) => started,
        Err(error) => {
            node.stop().await;
            return Err(error);
        }
    };
    let vendor = Vendor::new(Account::from_suri("//Vendor")?, Profile::open(places.vendor())?);
    Ok(Story {
        places,
        node,
        feed,
        access,
        source,
        book: Book::default(),
        utility: UTILITY.parse().map_err(|error| StoryError::Environment(format!("{error}")))?,
        utility_account: Account::from_suri("//Utility")?,
        vendor,
        outcome: Outcome { first_block, ..Outcome::default() },
        numbers: Numbers::default(),
        kills: args.kill_node_at.clone(),
        printer,
    })
}

/// Says that the chain is up, and what is there from earlier runs; gives the finalised block.
async fn announce(chain: &Chain, places: &Places, source: &Source, printer: &Printer) -> Result<u32> {
    let path = places.base.join("state.json");
    let genesis = sealed_register::hex(&chain.genesis());
    let block = chain.finalized().await?.block().number;
    printer.say(&format!(
        "A development chain is up: {} (block {block} is final; the node's log is {}).",
        chain.url(),
        places.log().display()
    ));
    let before = State::read(&path)?;
    if let Some(before) = &before {
        if before.genesis != genesis {
            return Err(StoryError::Environment(format!(
                "{} was begun on another chain: begin anew with --wipe",
                places.base.display()
            )));
        }
        let vault = chain.rpc().vault().await?;
        printer.more(&format!(
            "Already there from {}: {} with {} ({}). The story goes on with them; --wipe begins anew.",
            count(before.runs.into(), "earlier run", "earlier runs"),
            count(vault.batches, "batch", "batches"),
            count(vault.cells, "sealed cell", "sealed cells"),
            size(vault.bytes)
        ));
    }
    let survey = &source.survey;
    let whose = if source.is_users() { "Your file" } else { "Invented homes" };
    printer.more(&format!(
        "{whose}: {}, {} to {}, {} quarter hours.",
        count(survey.meters.len() as u64, "meter", "meters"),
        OperatingDay(survey.first_day.0),
        OperatingDay(survey.last_day.0),
        number(survey.used_rows)
    ));
    State { genesis, runs: before.map_or(0, |before| before.runs).saturating_add(1) }.write(&path)?;
    Ok(block)
}

impl Story {
    /// The chain.
    pub fn chain(&self) -> &Chain {
        &self.access.vault
    }

    /// Connects anew, after the node was started again.
    ///
    /// # Errors
    /// [`StoryError::Node`].
    pub async fn reconnect(&mut self) -> Result<()> {
        self.node.ready().await?;
        self.access = Access::own_node(&self.node.url()).await?;
        Ok(())
    }

    /// Reads anew what the feed says about the first meter.
    ///
    /// # Errors
    /// [`StoryError::File`].
    pub fn reread(&mut self) -> Result<()> {
        self.book = Book::of(&self.feed.files()?, &self.source.survey.first, &calendar()?)?;
        Ok(())
    }

    /// The days of the first meter in the source's file.
    pub fn days(&self) -> DayRange {
        let survey = &self.source.survey;
        let facts = survey.meters.get(&survey.first);
        let (first, last) =
            facts.map_or((survey.first_day, survey.last_day), |facts| (facts.first_day, facts.last_day));
        DayRange { first: OperatingDay(first.0), last: OperatingDay(last.0) }
    }

    /// The channels of the first meter.
    pub fn channels(&self) -> Channels {
        let facts = self.source.survey.meters.get(&self.source.survey.first);
        match facts.map(|facts| (facts.consumption, facts.generation)) {
            Some((true, true)) => Channels::Both,
            Some((false, true)) => Channels::Generation,
            _ => Channels::Consumption,
        }
    }

    /// The channel on which single days are shown.
    pub fn main_channel(&self) -> Channel {
        match self.channels() {
            Channels::Generation => Channel::Generation,
            Channels::Consumption | Channels::Both => Channel::Consumption,
        }
    }
}
