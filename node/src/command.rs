//! What each command does.

#![allow(clippy::result_large_err)] // the SDK's error type, returned a few times per process

use crate::{
    chain_spec,
    cli::{Cli, Subcommand, VaultCmd},
    feed_client,
    service::{self, PartialComponents},
    Block,
};
use sc_cli::SubstrateCli;
use sc_network::config::NetworkBackendType;
use sc_service::{BlocksPruning, ChainType, Configuration};
use wattseal_primitives::OrganisationId;
use wattseal_vault::Vault;

impl SubstrateCli for Cli {
    fn impl_name() -> String {
        "Wattseal Node".into()
    }

    fn impl_version() -> String {
        env!("SUBSTRATE_CLI_IMPL_VERSION").into()
    }

    fn description() -> String {
        "A node of the consortium's record of who may read whose electricity usage".into()
    }

    fn author() -> String {
        "The Wattseal contributors".into()
    }

    fn support_url() -> String {
        concat!(env!("CARGO_PKG_REPOSITORY"), "/issues").into()
    }

    fn copyright_start_year() -> i32 {
        2026
    }

    fn load_spec(&self, id: &str) -> Result<Box<dyn sc_service::ChainSpec>, String> {
        chain_spec::load(id)
    }
}

/// Parses the command line and does what it says.
///
/// # Errors
/// With a message for the operator.
pub fn run() -> sc_cli::Result<()> {
    let cli = Cli::from_args();
    match &cli.subcommand {
        None => run_node(&cli),
        Some(Subcommand::Key(command)) => command.run(&cli),
        Some(Subcommand::ExportChainSpec(command)) => command.run(cli.load_spec(&command.chain)?),
        Some(Subcommand::BuildSpec(command)) => {
            let runner = cli.create_runner(command)?;
            runner.sync_run(|config| command.run(config.chain_spec, config.network))
        }
        Some(Subcommand::CheckBlock(command)) => {
            let runner = cli.create_runner(command)?;
            runner.async_run(|config| {
                let PartialComponents { client, task_manager, import_queue, .. } = service::new_partial(&config)?;
                Ok((command.run(client, import_queue), task_manager))
            })
        }
        Some(Subcommand::ExportBlocks(command)) => {
            let runner = cli.create_runner(command)?;
            runner.async_run(|config| {
                let PartialComponents { client, task_manager, .. } = service::new_partial(&config)?;
                Ok((command.run(client, config.database), task_manager))
            })
        }
        Some(Subcommand::ImportBlocks(command)) => {
            let runner = cli.create_runner(command)?;
            runner.async_run(|config| {
                let PartialComponents { client, task_manager, import_queue, .. } = service::new_partial(&config)?;
                Ok((command.run(client, import_queue), task_manager))
            })
        }
        Some(Subcommand::PurgeChain(command)) => {
            let runner = cli.create_runner(command)?;
            runner.sync_run(|config| {
                let vault = service::vault_path(&config);
                command.run(config.database)?;
                if vault.exists() {
                    println!("{vault:?} stays: it holds sealed readings and receipts.");
                }
                Ok(())
            })
        }
        Some(Subcommand::Revert(command)) => {
            let runner = cli.create_runner(command)?;
            runner.async_run(|config| {
                let PartialComponents { client, task_manager, backend, .. } = service::new_partial(&config)?;
                let revert = Box::new(|client, _, blocks| {
                    sc_consensus_grandpa::revert(client, blocks)?;
                    Ok(())
                });
                Ok((command.run(client, backend, Some(revert)), task_manager))
            })
        }
        Some(Subcommand::ChainInfo(command)) => {
            let runner = cli.create_runner(command)?;
            runner.sync_run(|config| command.run::<Block>(&config))
        }
        Some(Subcommand::Feed(command)) => feed_client::run(command).map_err(|error| error.to_string().into()),
        Some(Subcommand::Vault(VaultCmd::Verify(command))) => {
            let runner = cli.create_runner(command)?;
            runner.sync_run(|config| verify_vault(&config))
        }
    }
}

fn verify_vault(config: &Configuration) -> sc_cli::Result<()> {
    let path = service::vault_path(config);
    let verify = || Vault::open_existing(&path)?.verify_all();
    let report = verify().map_err(|error| sc_cli::Error::Application(error.into()))?;
    println!(
        "{}: {} cells in {} batches of {} shards and {} receipts are sound.",
        path.display(),
        report.cells,
        report.batches,
        report.shards,
        report.receipts
    );
    Ok(())
}

fn run_node(cli: &Cli) -> sc_cli::Result<()> {
    let runner = cli.create_runner(&cli.run.base)?;
    let mut wattseal = cli.run.wattseal.clone();
    runner.run_node_until_exit(|mut config| async move {
        if let BlocksPruning::Some(_) = config.blocks_pruning {
            return Err(sc_cli::Error::Input(
                "--blocks-pruning NUMBER would delete the deliveries of keys, which lie in block bodies; use \
                 archive-canonical (the default) or archive"
                    .into(),
            ));
        }
        let chain_type = config.chain_spec.chain_type();
        if chain_type == ChainType::Development {
            // The genesis of this chain is public, and so are its keys: nothing has to be set up by hand.
            if wattseal.utility.is_none() {
                wattseal.utility = OrganisationId::new("utility").ok();
            }
            config.dev_key_seed = config.dev_key_seed.map(|_| "//GridOperator".into());
        }
        if let Some(seed) = &wattseal.dev_seed {
            if !matches!(chain_type, ChainType::Development | ChainType::Local) {
                return Err(sc_cli::Error::Input(
                    "--dev-seed makes keys that everybody knows; it works on development and local chains only".into(),
                ));
            }
            config.dev_key_seed = Some(seed.clone());
        }
        if wattseal.utility.is_some() {
            config.offchain_worker.enabled = true;
        }
        match config.network.network_backend {
            NetworkBackendType::Libp2p => Err(sc_cli::Error::Input(
                "this node speaks to its peers by litep2p only: leave out --network-backend libp2p".into(),
            )),
            NetworkBackendType::Litep2p => {
                service::new_full::<sc_network::Litep2pNetworkBackend>(config, wattseal).map_err(sc_cli::Error::Service)
            }
        }
    })
}
