//! The command line.

use sc_cli::{CliConfiguration, SharedParams};
use wattseal_primitives::OrganisationId;

/// Address of a node's JSON-RPC on the same machine.
pub const DEFAULT_RPC_URL: &str = "http://127.0.0.1:9944";

/// The whole command line.
#[derive(Debug, clap::Parser)]
pub struct Cli {
    /// What to do instead of running a node.
    #[command(subcommand)]
    pub subcommand: Option<Subcommand>,

    /// How to run a node.
    #[clap(flatten)]
    pub run: RunCmd,
}

/// Options of a running node.
#[derive(Debug, Clone, clap::Parser)]
pub struct RunCmd {
    /// The SDK's options.
    #[clap(flatten)]
    pub base: sc_cli::RunCmd,

    /// Options of this node.
    #[clap(flatten)]
    pub wattseal: WattsealParams,
}

/// Options that only this node has.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct WattsealParams {
    /// Folder of Smart Meter Texas files that the worker reads, served as a JSON listing (nginx: autoindex_format
    /// json).
    ///
    /// `http://` is accepted for this machine only. Implies `--offchain-worker always`. Without it the address set last
    /// (`feed set-url`) is used.
    #[arg(long, value_name = "URL", requires = "utility")]
    pub feed_url: Option<String>,

    /// Short name of the utility whose readings and deliveries this node seals, for example `oncor`.
    ///
    /// Needs the keys `wsms`, `wsfd` and `wsdl` in the keystore. Implies `--offchain-worker always`. With `--dev`:
    /// `utility`, and the keys are those of `//Utility`.
    #[arg(long, value_name = "ID")]
    pub utility: Option<OrganisationId>,

    /// Generation of the utility's sealing secret; rises when the old one is under suspicion.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub seal_generation: u16,

    /// Seed of session keys, for development and local chains only: `//GridOperator`, `//Utility`, ...
    #[arg(long, value_name = "SEED")]
    pub dev_seed: Option<String>,
}

/// What to do instead of running a node.
#[derive(Debug, clap::Subcommand)]
#[allow(clippy::large_enum_variant)] // parsed once per process
pub enum Subcommand {
    /// Key management.
    #[command(subcommand)]
    Key(sc_cli::KeySubcommand),

    /// Write a chain specification.
    ExportChainSpec(sc_cli::ExportChainSpecCmd),

    /// Write a chain specification (older name of export-chain-spec, with a boot node).
    BuildSpec(sc_cli::BuildSpecCmd),

    /// Check one block again.
    CheckBlock(sc_cli::CheckBlockCmd),

    /// Write blocks to a file.
    ExportBlocks(sc_cli::ExportBlocksCmd),

    /// Read blocks from a file.
    ImportBlocks(sc_cli::ImportBlocksCmd),

    /// Delete the chain's database. The vault stays: it holds what cannot be downloaded again.
    PurgeChain(sc_cli::PurgeChainCmd),

    /// Go back by blocks that are not final.
    Revert(sc_cli::RevertCmd),

    /// Show heads and genesis of the database.
    ChainInfo(sc_cli::ChainInfoCmd),

    /// See and steer the feed of a running node on this machine.
    Feed(FeedCmd),

    /// Look after the store of sealed readings, with the node stopped.
    #[command(subcommand)]
    Vault(VaultCmd),
}

/// Commands about the feed.
#[derive(Debug, clap::Args)]
pub struct FeedCmd {
    /// JSON-RPC of the node, on this machine.
    #[arg(long, global = true, value_name = "URL", default_value = DEFAULT_RPC_URL)]
    pub rpc_url: String,

    /// What to do.
    #[command(subcommand)]
    pub action: FeedAction,
}

/// What to do about the feed.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum FeedAction {
    /// Read files from another folder from now on.
    SetUrl {
        /// Address of the folder; empty to read nothing.
        url: String,
    },
    /// Let a runtime use the sealing key on this machine. Read its code first: it sees every reading.
    ApproveRuntime {
        /// BLAKE2-256 of the runtime's code (`:code`), 0x and 64 digits.
        hash: String,
    },
    /// Rows that cannot be used: file, line, field, reason.
    Refused,
    /// Days that wait for their meter's registration, and days held for you.
    Waiting,
    /// Files, batches on their way, the last error.
    Status,
}

/// Commands about the vault.
#[derive(Debug, clap::Subcommand)]
pub enum VaultCmd {
    /// Check every stored cell, chain and root; names the first one that is wrong.
    Verify(VaultVerifyCmd),
}

/// Options of `vault verify`.
#[derive(Debug, Clone, clap::Parser)]
pub struct VaultVerifyCmd {
    /// Where the node's data is.
    #[clap(flatten)]
    pub shared_params: SharedParams,
}

impl CliConfiguration for VaultVerifyCmd {
    fn shared_params(&self) -> &SharedParams {
        &self.shared_params
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failed unwrap is a failed test
    use super::*;
    use clap::{CommandFactory, Parser};

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_feed_needs_its_utility() {
        assert!(Cli::try_parse_from(["node", "--feed-url", "http://127.0.0.1/"]).is_err());
        let cli = Cli::try_parse_from(["node", "--utility", "oncor", "--feed-url", "http://127.0.0.1/"]).unwrap();
        assert_eq!(cli.run.wattseal.utility.unwrap().as_str(), "oncor");
        assert!(Cli::try_parse_from(["node", "--utility", "Not A Name"]).is_err());
    }

    #[test]
    fn feed_commands_take_the_address_anywhere() {
        let cli = Cli::try_parse_from(["node", "feed", "status", "--rpc-url", "http://127.0.0.1:1"]).unwrap();
        let Some(Subcommand::Feed(feed)) = cli.subcommand else { unreachable!("parsed as feed") };
        assert_eq!(feed.rpc_url, "http://127.0.0.1:1");
    }
}
