//! Arguments that several commands have.

use super::output::Output;
use crate::{
    account::Account,
    chain::Chain,
    error::FileProblem,
    files::text_argument,
    links::{parse_hash, Statement},
    profile::Profile,
    roots::Access,
    ClientError, Result,
};
use clap::Args;
use sealed_register::{
    delivery::Purpose, plain_words::Language, statement::Word, Channels, DayRange, Hash, Level, OperatingDay,
    OrganisationId,
};
use std::{path::PathBuf, time::Duration};

/// The node that is spoken to.
#[derive(Clone, Debug, Args)]
pub(super) struct Node {
    /// Node to speak to; unencrypted (ws://) only to this machine.
    #[arg(long, value_name = "URL", default_value = "ws://127.0.0.1:9944")]
    node: String,
}

impl Node {
    pub(super) async fn chain(&self) -> Result<Chain> {
        Chain::connect(&self.node).await
    }
}

/// The vault that serves, and who states roots.
#[derive(Clone, Debug, Args)]
pub(super) struct Vault {
    /// Own node: its vault serves, and its finalised state is believed.
    #[arg(long, value_name = "URL", default_value = "ws://127.0.0.1:9944")]
    node: String,
    /// Another node's vault serves; the own node (--node) states the roots.
    #[arg(long, value_name = "URL", conflicts_with = "quorum")]
    vault: Option<String>,
    /// No own node: a light client of the chain of this specification states the roots; --node's vault serves.
    #[cfg(feature = "light-client")]
    #[arg(long, value_name = "SPEC.json", conflicts_with_all = ["vault", "quorum"])]
    light_client: Option<PathBuf>,
    /// No own node: members' nodes state the roots, at least three other than --serving, as NAME=URL,NAME=URL,...
    #[arg(long, value_name = "NAME=URL", value_delimiter = ',', value_parser = member, requires = "serving")]
    quorum: Vec<(OrganisationId, String)>,
    /// With --quorum: short name of the member whose vault serves at --node.
    #[arg(long, value_name = "NAME", requires = "quorum")]
    serving: Option<OrganisationId>,
}

impl Vault {
    pub(super) async fn access(&self) -> Result<Access> {
        #[cfg(feature = "light-client")]
        if let Some(path) = &self.light_client {
            let specification = std::fs::read_to_string(path).map_err(|error| FileProblem::new(path, error))?;
            return Access::light_client(&self.node, &specification).await;
        }
        match (&self.vault, self.serving) {
            (None, None) => Access::own_node(&self.node).await,
            (Some(vault), _) => Access::other_vault(vault, &self.node).await,
            (None, Some(serving)) => Access::quorum(&self.node, serving, &self.quorum).await,
        }
    }
}

fn member(text: &str) -> Result<(OrganisationId, String), String> {
    let (name, url) =
        text.split_once('=').ok_or("write NAME=URL: the member's short name, and where its node answers")?;
    Ok((name.parse().map_err(|error| format!("{error}"))?, url.to_owned()))
}

/// Whose keys are used.
#[derive(Clone, Debug, Args)]
pub(super) struct Keys {
    /// Folder with phrase, consents and keys [default: ~/.config/wattseal/<role>].
    #[arg(long, value_name = "FOLDER")]
    profile: Option<PathBuf>,
    /// File with a recovery phrase or secret URI, instead of the profile's.
    #[arg(long, value_name = "FILE", conflicts_with = "suri")]
    phrase_file: Option<PathBuf>,
    /// Secret URI, for development: //Utility, //Vendor, ... Other users of this machine can see command lines.
    #[arg(long, value_name = "URI")]
    suri: Option<String>,
}

impl Keys {
    pub(super) fn profile(&self, role: &str) -> Result<Profile> {
        match &self.profile {
            Some(folder) => Profile::open(folder),
            None => Profile::open(Profile::usual(role)?),
        }
    }

    pub(super) fn account(&self, role: &str) -> Result<Account> {
        match (&self.suri, &self.phrase_file) {
            (Some(suri), _) => Account::from_suri(suri),
            (None, Some(file)) => Account::from_file(file),
            (None, None) => self.profile(role)?.account(),
        }
    }
}

/// How long something may take.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Patience {
    /// Seconds to wait for the chain or the utility's node.
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    wait: u64,
}

impl Patience {
    pub(super) fn duration(self) -> Duration {
        Duration::from_secs(self.wait)
    }
}

/// Which days, how fine, and where to.
#[derive(Clone, Debug, Args)]
pub(super) struct Export {
    /// First day [default: the first that may be read].
    #[arg(long, value_name = "DAY")]
    pub(super) from: Option<OperatingDay>,
    /// Last day [default: the last that may be read].
    #[arg(long, value_name = "DAY")]
    pub(super) to: Option<OperatingDay>,
    /// Resolution: day, hour, 15min [default: the finest allowed].
    #[arg(long, value_parser = level)]
    pub(super) level: Option<Level>,
    /// Channel: consumption, generation, both [default: all allowed].
    #[arg(long, value_parser = channels)]
    pub(super) channel: Option<Channels>,
    /// File to write, - for standard output; without it only totals are shown.
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    /// Write comma-separated values (the default).
    #[arg(long, conflicts_with = "jsonl")]
    csv: bool,
    /// Write JSON Lines.
    #[arg(long)]
    jsonl: bool,
}

impl Export {
    pub(super) fn format(&self) -> crate::export::Format {
        match self.jsonl {
            true => crate::export::Format::JsonLines,
            false => crate::export::Format::Csv,
        }
    }

    /// What is asked for, within what is allowed where nothing is said.
    pub(super) fn wanted(&self, allowed: &crate::reading::Wanted) -> Result<crate::reading::Wanted> {
        let (first, last) = (self.from.unwrap_or(allowed.range.first), self.to.unwrap_or(allowed.range.last));
        let range = DayRange::new(first, last)
            .ok_or_else(|| ClientError::Usage(format!("the last day {last} is before the first day {first}")))?;
        Ok(crate::reading::Wanted {
            channels: self.channel.unwrap_or(allowed.channels),
            range,
            level: self.level.unwrap_or(allowed.level),
        })
    }
}

/// Carries a statement.
#[derive(Debug, Args)]
pub(super) struct Relay {
    /// A signed statement: link, text, file, or - for standard input.
    signed: String,
    #[command(flatten)]
    node: Node,
    #[command(flatten)]
    keys: Keys,
}

impl Relay {
    pub(super) async fn run(self, output: &Output) -> Result<()> {
        let statement = Statement::parse(&text_argument(&self.signed)?)?;
        let account = self.keys.account("relay")?;
        let included = self.node.chain().await?.submit(&account, &statement.call()).await?;
        output.included("carried to the chain", &included);
        Ok(())
    }
}

/// A resolution by any of its names.
pub(super) fn level(text: &str) -> Result<Level, String> {
    match text.to_ascii_lowercase().as_str() {
        "day" | "daily" => Ok(Level::Day),
        "hour" | "hourly" => Ok(Level::Hour),
        "15min" | "quarter" | "quarter-hour" | "15-minutes" | "15 minutes" => Ok(Level::Quarter),
        _ => Err("a resolution is day, hour or 15min".into()),
    }
}

/// Channels by name.
pub(super) fn channels(text: &str) -> Result<Channels, String> {
    match text.to_ascii_lowercase().as_str() {
        "both" => Ok(Channels::Both),
        word => Channels::from_word(word).ok_or_else(|| "channels are consumption, generation or both".into()),
    }
}

/// A purpose by its words, with hyphens for blanks.
pub(super) fn purpose(text: &str) -> Result<Purpose, String> {
    let words = text.to_ascii_lowercase().replace('-', " ");
    Purpose::from_word(&words).ok_or_else(|| Purpose::FORM.replace(' ', "-").replace(",-", ", ").replace(":-", ": "))
}

/// A language by its code.
pub(super) fn language(text: &str) -> Result<Language, String> {
    Language::from_word(text).ok_or_else(|| Language::FORM.into())
}

/// Days from and to: `2022-03-01..2023-02-28`.
pub(super) fn days(text: &str) -> Result<DayRange, String> {
    let form = "days are written 2022-03-01..2023-02-28, the first not after the last";
    let (first, last) = text.split_once("..").ok_or(form)?;
    let day = |text: &str| text.parse::<OperatingDay>().map_err(|error| error.to_string());
    DayRange::new(day(first)?, day(last)?).ok_or_else(|| form.into())
}

/// A consent's identifier.
pub(super) fn consent(text: &str) -> Result<Hash, String> {
    parse_hash(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failed unwrap is a failed test
    use super::*;

    #[test]
    fn words_of_the_command_line() {
        assert_eq!(level("15min").unwrap(), Level::Quarter);
        assert_eq!(channels("Both").unwrap(), Channels::Both);
        assert_eq!(purpose("solar-sizing").unwrap(), Purpose::SolarSizing);
        assert!(purpose("spying").unwrap_err().contains("solar-sizing, "));
        assert_eq!(days("2022-03-01..2022-03-31").unwrap().len(), 31);
        assert!(days("2022-03-31..2022-03-01").is_err());
        assert!(member("puc=wss://a.example").is_ok());
        assert!(member("wss://a.example").is_err());
    }
}
