//! `wattseal customer`.

mod own;

use super::{
    args::{channels, consent, days, level, Keys, Node, Patience, Vault},
    output::Output,
};
use crate::{
    account::{Account, Phrase},
    chain::ss58,
    customer::{check_request, CheckedRequest, Customer as Person, Narrower},
    files::{text_argument, write_atomically, Access},
    links::{parse_request, Statement, TicketLink},
    profile::Profile,
    records::{kinds, name_of, GivenRecord, MeterRecord},
    ClientError, Result,
};
use clap::{Args, Subcommand};
use sealed_register::{statement::Word, types::hex, Channels, DayRange, Hash, Level, MeterId, OrganisationId};
use serde_json::json;
use std::path::PathBuf;

const ROLE: &str = "customer";

#[derive(Debug, Subcommand)]
pub(super) enum Customer {
    /// Your recovery phrase and account.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Claim a meter with the ticket from the utility's letter.
    Claim(Claim),
    /// Receive the meter's own key, with which you read everything of it.
    Receive(Receive),
    /// Read in plain words what a vendor's link would allow.
    ReadLink(ReadLink),
    /// Sign a vendor's request. Prints the link that the vendor, or anybody, carries to the chain.
    Sign(Sign),
    /// End a consent.
    Revoke(Revoke),
    /// Make a consent allow less.
    Narrow(Narrow),
    /// Deliver a consent's keys to the vendor yourself, where the utility does not.
    Deliver(Deliver),
    /// The consents that you signed.
    Consents(own::Consents),
    /// Read your own days.
    Readings(own::Readings),
    /// Who has read your meter at this node's vault: its signed receipts.
    AccessLog(own::AccessLog),
}

#[derive(Debug, Subcommand)]
pub(super) enum KeysCommand {
    /// Make a recovery phrase. It is printed once: write it down.
    New(Keys),
    /// Show the account.
    Show(Keys),
}

#[derive(Debug, Args)]
pub(super) struct Claim {
    /// The ticket: its link, or the characters of the letter with --utility and --meter.
    ticket: String,
    /// Short name of the utility.
    #[arg(long, requires = "meter")]
    utility: Option<OrganisationId>,
    /// The meter, 0x and 32 digits.
    #[arg(long, requires = "utility")]
    meter: Option<MeterId>,
    /// Do not have the node carry it: write the signed claim here, to be carried by somebody else.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    node: Node,
    #[command(flatten)]
    keys: Keys,
    #[command(flatten)]
    patience: Patience,
}

#[derive(Debug, Args)]
pub(super) struct Receive {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    node: Node,
    #[command(flatten)]
    keys: Keys,
    #[command(flatten)]
    patience: Patience,
}

/// One of the meters that were claimed.
#[derive(Clone, Debug, Args)]
pub(super) struct Which {
    /// The meter [default: the only one claimed].
    #[arg(long)]
    meter: Option<MeterId>,
}

#[derive(Debug, Args)]
pub(super) struct ReadLink {
    /// The vendor's link, or a file with it.
    link: String,
    #[command(flatten)]
    node: Node,
}

#[derive(Debug, Args)]
pub(super) struct Sign {
    /// The vendor's link, or a file with it.
    link: String,
    #[command(flatten)]
    which: Which,
    /// Do not ask after showing the words.
    #[arg(long)]
    yes: bool,
    /// Write the signed consent's link here instead of printing it.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    node: Node,
    #[command(flatten)]
    keys: Keys,
}

#[derive(Debug, Args)]
pub(super) struct Revoke {
    /// The consent, 0x and 64 digits.
    #[arg(value_parser = consent)]
    consent: Hash,
    /// Only sign: print the link, to be carried by somebody else.
    #[arg(long)]
    statement_only: bool,
    #[command(flatten)]
    node: Node,
    #[command(flatten)]
    keys: Keys,
}

#[derive(Debug, Args)]
pub(super) struct Narrow {
    /// The consent, 0x and 64 digits.
    #[arg(value_parser = consent)]
    consent: Hash,
    /// Only these channels from now on.
    #[arg(long, value_parser = channels)]
    channels: Option<Channels>,
    /// At most this resolution from now on: day, hour, 15min.
    #[arg(long, value_parser = level)]
    level: Option<Level>,
    /// Only these operating days: FIRST..LAST.
    #[arg(long, value_parser = days)]
    data: Option<DayRange>,
    /// To be fetched only on these days: FIRST..LAST.
    #[arg(long, value_parser = days)]
    access: Option<DayRange>,
    /// Only sign: print the link, to be carried by somebody else.
    #[arg(long)]
    statement_only: bool,
    #[command(flatten)]
    node: Node,
    #[command(flatten)]
    keys: Keys,
}

#[derive(Debug, Args)]
pub(super) struct Deliver {
    /// The consent, one that you signed here.
    #[arg(value_parser = consent)]
    consent: Hash,
    #[command(flatten)]
    vault: Vault,
    #[command(flatten)]
    keys: Keys,
}

impl Customer {
    pub(super) async fn run(self, output: &Output) -> Result<()> {
        match self {
            Self::Keys(KeysCommand::New(keys)) => new_keys(output, &keys.profile(ROLE)?),
            Self::Keys(KeysCommand::Show(keys)) => show_keys(output, &keys.account(ROLE)?),
            Self::Claim(command) => command.run(output).await,
            Self::Receive(command) => command.run(output).await,
            Self::ReadLink(command) => {
                let at = command.node.chain().await?.finalized().await?;
                let checked = check_request(&at, &parse_request(&text_argument(&command.link)?)?).await?;
                show_request(output, &checked);
                Ok(())
            }
            Self::Sign(command) => command.run(output).await,
            Self::Revoke(command) => command.run(output).await,
            Self::Narrow(command) => command.run(output).await,
            Self::Deliver(command) => command.run(output).await,
            Self::Consents(command) => command.run(output).await,
            Self::Readings(command) => command.run(output).await,
            Self::AccessLog(command) => command.run(output).await,
        }
    }
}

/// Makes and keeps a phrase, and prints it: it cannot be had again.
pub(super) fn new_keys(output: &Output, profile: &Profile) -> Result<()> {
    let phrase = Phrase::generate()?;
    profile.keep_phrase(&phrase)?;
    let account = Account::from_phrase(&phrase)?;
    let value = json!({
        "phrase": phrase.words(), "account": ss58(&account.id()), "profile": profile.folder(),
    });
    output.result(&value, || {
        format!(
            "Write these words down and keep them where nobody else finds them:\n\n  {}\n\nWhoever has them is you. \
             account {}\nkept in {}",
            phrase.words(),
            ss58(&account.id()),
            profile.folder().display()
        )
    });
    Ok(())
}

/// Shows an account.
pub(super) fn show_keys(output: &Output, account: &Account) -> Result<()> {
    let value = json!({ "account": ss58(&account.id()), "public_key": hex(&account.id()) });
    output.result(&value, || Output::fields(&value));
    Ok(())
}

/// The record of the meter that is meant.
fn meter_of(profile: &Profile, which: &Which) -> Result<(OrganisationId, MeterId, MeterRecord)> {
    let names = profile.names(kinds::METERS)?;
    let name = match (which.meter, names.as_slice()) {
        (Some(meter), _) => meter.to_string(),
        (None, [only]) => only.clone(),
        (None, []) => {
            return Err(ClientError::NotFound(
                "no meter is claimed in this profile: claim one ('customer claim')".into(),
            ))
        }
        (None, several) => {
            let several = several.join(", ");
            return Err(ClientError::Usage(format!("several meters are claimed: give --meter, one of {several}")));
        }
    };
    let record: Option<MeterRecord> = profile.read(kinds::METERS, &name)?;
    let record = record.ok_or_else(|| ClientError::NotFound(format!("meter {name} is not claimed in this profile")))?;
    let (utility, meter) = record.meter()?;
    Ok((utility, meter, record))
}

impl Claim {
    async fn run(self, output: &Output) -> Result<()> {
        let (profile, person) = (self.keys.profile(ROLE)?, Person::from_account(self.keys.account(ROLE)?));
        let chain = self.node.chain().await?;
        let text = text_argument(&self.ticket)?;
        let ticket = match (self.utility, self.meter) {
            (Some(utility), Some(meter)) => {
                let issue = chain.finalized().await?.known_meter(utility, meter).await?.ticket_issue;
                TicketLink { utility, meter, issue, ticket: text.trim().parse()? }
            }
            _ => TicketLink::parse(&text)?,
        };
        let meter = ticket.meter;
        let keep = |claim: &str| {
            let record = MeterRecord { utility: ticket.utility.to_string(), claim: claim.into(), keys: Vec::new() };
            profile.write(kinds::METERS, &meter.to_string(), &record)
        };
        if let Some(path) = self.out {
            let claim = person.claim_statement(&chain, &ticket).await?;
            keep(&claim.text())?;
            let link = Statement::Claim(claim).link();
            write_atomically(&path, format!("{link}\n").as_bytes(), Access::Private)?;
            let value = json!({ "meter": meter.to_string(), "signed": link });
            output.result(&value, || {
                format!("signed claim in {}: anybody in the consortium can carry it", path.display())
            });
            return Ok(());
        }
        let (claim, block) = person.claim(&chain, &ticket, self.patience.duration()).await?;
        keep(&claim.text())?;
        let value = json!({ "meter": meter.to_string(), "block": block.number });
        output.result(&value, || format!("meter {meter} is yours, finalised by block {}", block.number));
        Ok(())
    }
}

impl Receive {
    async fn run(self, output: &Output) -> Result<()> {
        let (profile, person) = (self.keys.profile(ROLE)?, Person::from_account(self.keys.account(ROLE)?));
        let (_, meter, mut record) = meter_of(&profile, &self.which)?;
        let chain = self.node.chain().await?;
        let key = person.receive_key(&chain, &record.claim()?, self.patience.duration()).await?;
        record.add(&key);
        profile.write(kinds::METERS, &meter.to_string(), &record)?;
        let value = json!({ "meter": meter.to_string(), "generation": key.generation() });
        output.result(&value, || format!("the key of meter {meter} is received and kept"));
        Ok(())
    }
}

fn show_request(output: &Output, checked: &CheckedRequest) {
    let asked = &checked.request.statement;
    let value = json!({
        "vendor": checked.vendor.to_string(),
        "admitted_as": checked.admitted_as,
        "name": asked.name.as_str(),
        "reference": asked.reference.as_str(),
        "channels": asked.channels.word(),
        "level": asked.level.word(),
        "data": { "first": asked.data.first.to_string(), "last": asked.data.last.to_string() },
        "access": { "first": asked.access.first.to_string(), "last": asked.access.last.to_string() },
        "purpose": asked.purpose.word(),
        "expires": asked.expires.to_string(),
        "words": checked.words,
    });
    output.result(&value, || {
        format!(
            "{}\n\nOn the register this vendor is {} ('{}'); its reference is {}. It can be answered until {}.",
            checked.words, checked.vendor, checked.admitted_as, asked.reference, asked.expires
        )
    });
}

impl Sign {
    async fn run(self, output: &Output) -> Result<()> {
        let (profile, person) = (self.keys.profile(ROLE)?, Person::from_account(self.keys.account(ROLE)?));
        let (utility, meter, _) = meter_of(&profile, &self.which)?;
        let chain = self.node.chain().await?;
        let request = parse_request(&text_argument(&self.link)?)?;
        let checked = check_request(&chain.finalized().await?, &request).await?;
        if !self.yes {
            output.note(&format!(
                "{}\n\nOn the register: {} ('{}').\n",
                checked.words, checked.vendor, checked.admitted_as
            ));
            if !output.confirmed(&format!("Sign this for meter {meter}?"))? {
                return Err(ClientError::Usage("nothing was signed".into()));
            }
        }
        let signed = person.sign_request(&chain, &request.statement, utility, meter).await?;
        let id = signed.statement.id();
        let record = GivenRecord { consent: signed.text(), request: request.text() };
        profile.write(kinds::GIVEN, &name_of(&id), &record)?;
        let link = Statement::Consent(signed).link();
        let value = json!({ "consent": hex(&id), "signed": link });
        if let Some(path) = &self.out {
            write_atomically(path, format!("{link}\n").as_bytes(), Access::Private)?;
        }
        output.result(&value, || match &self.out {
            Some(path) => format!("consent {}\nsigned, in {}", hex(&id), path.display()),
            None => format!("consent {}\n{link}", hex(&id)),
        });
        Ok(())
    }
}

fn show_statement(output: &Output, statement: &Statement) {
    let link = statement.link();
    output.result(&json!({ "signed": link }), || link.clone());
}

impl Revoke {
    async fn run(self, output: &Output) -> Result<()> {
        let person = Person::from_account(self.keys.account(ROLE)?);
        let chain = self.node.chain().await?;
        if self.statement_only {
            show_statement(output, &Statement::Revoke(person.revoke_statement(&chain, self.consent).await?));
            return Ok(());
        }
        let included = person.revoke(&chain, self.consent).await?;
        output.included("revoked: vaults refuse it from now on", &included);
        Ok(())
    }
}

impl Narrow {
    async fn run(self, output: &Output) -> Result<()> {
        let person = Person::from_account(self.keys.account(ROLE)?);
        let Self { channels, level, data, access, .. } = self;
        let narrower = Narrower { channels, level, data, access };
        if narrower == Narrower::default() {
            return Err(ClientError::Usage("say what becomes less: --channels, --level, --data or --access".into()));
        }
        let chain = self.node.chain().await?;
        if self.statement_only {
            let signed = person.narrow_statement(&chain, self.consent, &narrower).await?;
            show_statement(output, &Statement::Narrow(signed));
            return Ok(());
        }
        output.included("narrowed", &person.narrow(&chain, self.consent, &narrower).await?);
        Ok(())
    }
}

impl Deliver {
    async fn run(self, output: &Output) -> Result<()> {
        let (profile, person) = (self.keys.profile(ROLE)?, Person::from_account(self.keys.account(ROLE)?));
        let given: Option<GivenRecord> = profile.read(kinds::GIVEN, &name_of(&self.consent))?;
        let missing = || ClientError::NotFound("this consent was not signed in this profile".into());
        let given = given.ok_or_else(missing)?;
        let meter = given.consent()?.statement.terms.meter;
        let (_, _, record) = meter_of(&profile, &Which { meter: Some(meter) })?;
        let newest = record.keys.iter().max_by_key(|key| key.generation);
        let key =
            newest.ok_or_else(|| ClientError::NotFound("the meter's key is not here: 'customer receive'".into()))?;
        let access = self.vault.access().await?;
        let request = given.request()?.statement;
        let included = person.deliver(&access, self.consent, &request, &key.meter_key()).await?;
        output.included("keys delivered", &included);
        Ok(())
    }
}
