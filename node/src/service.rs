//! The full node: the SDK's parts, the vault beside the database, and the tasks between worker, chain and vault.

#![allow(clippy::result_large_err)] // the SDK's error type, returned a few times per process

use crate::{
    approval::Approvals,
    chain::{Chain, NodeChain},
    cli::WattsealParams,
    keys::{self, SecretSource},
    metrics::Metrics,
    offchain::OffchainStore,
    rpc::{self, RpcDeps},
    tasks, Block,
};
use futures::{future::BoxFuture, FutureExt};
use sc_client_api::{Backend, BlockBackend};
use sc_consensus_aura::{ImportQueueParams, SlotProportion, StartAuraParams};
use sc_consensus_grandpa::{GrandpaBlockImport, LinkHalf, SharedVoterState};
use sc_network::{service::traits::NetworkService, NetworkBackend};
use sc_service::{
    error::Error as ServiceError, BuildNetworkParams, ChainType, Configuration, KeystoreContainer,
    SpawnEssentialTaskHandle, SpawnTasksParams, TFullBackend, TFullClient, TaskManager, WarpSyncConfig,
};
use sc_telemetry::{Telemetry, TelemetryWorker};
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use sp_consensus_aura::sr25519::{AuthorityId as AuraId, AuthorityPair as AuraPair};
use sp_core::traits::SpawnEssentialNamed;
use sp_keystore::KeystorePtr;
use std::{path::PathBuf, sync::Arc, time::Duration};
use wattseal_runtime::RuntimeApi;
use wattseal_vault::Vault;

/// Runs the runtime's wasm, with the SDK's host functions and no others.
pub type Executor = sc_executor::WasmExecutor<sp_io::SubstrateHostFunctions>;
/// The client.
pub type FullClient = TFullClient<Block, RuntimeApi, Executor>;
/// The database.
pub type FullBackend = TFullBackend<Block>;
/// Chooses the longest chain.
pub type SelectChain = sc_consensus::LongestChain<FullBackend, Block>;
/// The transaction pool.
pub type Pool = sc_transaction_pool::TransactionPoolHandle<Block, FullClient>;
type BlockImport = GrandpaBlockImport<FullBackend, Block, FullClient, SelectChain>;

/// Blocks between two justifications that are kept for light clients.
const JUSTIFICATION_PERIOD: u32 = 512;

/// How long a GRANDPA message may travel.
const GOSSIP: Duration = Duration::from_millis(333);

/// What every command needs of a node.
pub struct PartialComponents {
    /// The client.
    pub client: Arc<FullClient>,
    /// The database.
    pub backend: Arc<FullBackend>,
    /// Spawns tasks.
    pub task_manager: TaskManager,
    /// Keys.
    pub keystore: KeystoreContainer,
    /// Takes blocks.
    pub import_queue: sc_consensus::DefaultImportQueue<Block>,
    /// Transactions that wait.
    pub transaction_pool: Arc<Pool>,
    select_chain: SelectChain,
    block_import: BlockImport,
    grandpa_link: LinkHalf<Block, FullClient, SelectChain>,
    telemetry: Option<Telemetry>,
}

/// Where the vault's file is: beside the database, and kept when the chain is purged.
pub fn vault_path(config: &Configuration) -> PathBuf {
    config.data_path.join("vault.redb")
}

/// Client, database, pool and import queue.
///
/// # Errors
/// [`ServiceError`].
pub fn new_partial(config: &Configuration) -> Result<PartialComponents, ServiceError> {
    let telemetry = config
        .telemetry_endpoints
        .clone()
        .filter(|endpoints| !endpoints.is_empty())
        .map(|endpoints| -> Result<_, sc_telemetry::Error> {
            let worker = TelemetryWorker::new(16)?;
            let telemetry = worker.handle().new_telemetry(endpoints);
            Ok((worker, telemetry))
        })
        .transpose()?;
    let executor = sc_service::new_wasm_executor(&config.executor);
    let (client, backend, keystore, task_manager) = sc_service::new_full_parts::<Block, RuntimeApi, _>(
        config,
        telemetry.as_ref().map(|(_, telemetry)| telemetry.handle()),
        executor,
        // Deliveries lie in block bodies, so nothing is pruned (see `run_node`), and no filter has anything to keep.
        Vec::new(),
    )?;
    let client = Arc::new(client);
    let telemetry = telemetry.map(|(worker, telemetry)| {
        task_manager.spawn_handle().spawn("telemetry", None, worker.run());
        telemetry
    });
    let select_chain = sc_consensus::LongestChain::new(backend.clone());
    let transaction_pool = Arc::from(
        sc_transaction_pool::Builder::new(
            PoolTasks(task_manager.spawn_essential_handle()),
            client.clone(),
            config.role.is_authority().into(),
        )
        .with_options(config.transaction_pool.clone())
        .with_prometheus(config.prometheus_registry())
        .build(),
    );
    let (block_import, grandpa_link) = sc_consensus_grandpa::block_import(
        client.clone(),
        JUSTIFICATION_PERIOD,
        &client,
        select_chain.clone(),
        telemetry.as_ref().map(Telemetry::handle),
    )?;
    let for_import = client.clone();
    let import_queue = sc_consensus_aura::import_queue::<AuraPair, _, _, _, _, _>(ImportQueueParams {
        block_import: block_import.clone(),
        justification_import: Some(Box::new(block_import.clone())),
        client: client.clone(),
        create_inherent_data_providers: move |parent, ()| {
            let client = for_import.clone();
            async move { inherents(&client, parent) }
        },
        spawner: &task_manager.spawn_essential_handle(),
        registry: config.prometheus_registry(),
        check_for_equivocation: Default::default(),
        telemetry: telemetry.as_ref().map(Telemetry::handle),
        compatibility_mode: Default::default(),
    })?;
    Ok(PartialComponents {
        client,
        backend,
        task_manager,
        keystore,
        import_queue,
        transaction_pool,
        select_chain,
        block_import,
        grandpa_link,
        telemetry,
    })
}

/// Spawns the pool's tasks. One of them sits in a blocking loop and ends when the pool is gone, without having seen that
/// the node ends, and the log would blame it for that at every orderly end. So each looks once more before its end counts
/// as a failure.
#[derive(Clone)]
struct PoolTasks(SpawnEssentialTaskHandle);

async fn look_once_more(task: BoxFuture<'static, ()>) {
    task.await;
    tokio::task::yield_now().await;
}

impl SpawnEssentialNamed for PoolTasks {
    fn spawn_essential_blocking(
        &self,
        name: &'static str,
        group: Option<&'static str>,
        future: BoxFuture<'static, ()>,
    ) {
        self.0.spawn_blocking(name, group, look_once_more(future));
    }

    fn spawn_essential(&self, name: &'static str, group: Option<&'static str>, future: BoxFuture<'static, ()>) {
        self.0.spawn(name, group, look_once_more(future));
    }
}

type Inherents = (sp_consensus_aura::inherents::InherentDataProvider, sp_timestamp::InherentDataProvider);

/// Slot and time for a block on this parent; the slot's length is read in the parent's state.
fn inherents(
    client: &FullClient,
    parent: sp_core::H256,
) -> Result<Inherents, Box<dyn std::error::Error + Send + Sync>> {
    let timestamp = sp_timestamp::InherentDataProvider::from_system_time();
    let slot_duration = sc_consensus_aura::standalone::slot_duration_at::<AuraId, Block, _>(client, parent)?;
    let slot =
        sp_consensus_aura::inherents::InherentDataProvider::from_timestamp_and_slot_duration(*timestamp, slot_duration);
    Ok((slot, timestamp))
}

fn other(error: impl std::fmt::Display) -> ServiceError {
    ServiceError::Other(error.to_string())
}

/// The utility that this node seals for, with its keys.
struct UtilityRole {
    source: SecretSource,
    feed_url: Option<String>,
}

/// Opens what is Wattseal's own: keys, vault, approvals.
fn open_vault(
    config: &Configuration,
    chain: &dyn Chain,
    keystore: &KeystorePtr,
) -> Result<(Arc<Vault>, sp_core::sr25519::Public), ServiceError> {
    let path = vault_path(config);
    let vault = Vault::open(&path, &chain.genesis()).map_err(|error| other(format!("{}: {error}", path.display())))?;
    let key = keys::vault_key(&**keystore).map_err(other)?;
    vault.bind_account(&key.0).map_err(other)?;
    Ok((Arc::new(vault), key))
}

/// A full node.
///
/// # Errors
/// [`ServiceError`].
pub fn new_full<N: NetworkBackend<Block, sp_core::H256>>(
    config: Configuration,
    wattseal: WattsealParams,
) -> Result<TaskManager, ServiceError> {
    // Values are dropped in reverse order. If something below fails, the tasks must end before the pool that feeds some
    // of them goes, or the log blames an "essential task" for it: so the task manager comes last.
    let PartialComponents {
        client,
        backend,
        keystore,
        import_queue,
        transaction_pool,
        select_chain,
        block_import,
        grandpa_link,
        mut telemetry,
        mut task_manager,
    } = new_partial(&config)?;
    let keystore = keystore.keystore();
    let chain: Arc<dyn Chain> = Arc::new(NodeChain(client.clone()));
    let is_development = config.chain_spec.chain_type() == ChainType::Development;
    if is_development && wattseal.utility.is_some() {
        keys::insert_development_keys(&*keystore).map_err(other)?;
    }
    let approvals = Approvals::load(&config.data_path, wattseal_runtime::WASM_BINARY).map_err(other)?;
    let (vault, vault_key) = open_vault(&config, &*chain, &keystore)?;
    let offchain = OffchainStore::new(backend.offchain_storage().ok_or("the database has no off-chain storage")?);
    let our_metrics = Metrics::new(config.prometheus_registry())?;
    let utility = wattseal.utility.map(|utility| UtilityRole {
        source: SecretSource {
            keystore: keystore.clone(),
            genesis: chain.genesis(),
            utility,
            generation: wattseal.seal_generation,
        },
        feed_url: wattseal.feed_url.clone(),
    });

    let genesis_hash = client.block_hash(0)?.ok_or("the database has no genesis block")?;
    let metrics = N::register_notification_metrics(config.prometheus_registry());
    let mut net_config = sc_network::config::FullNetworkConfiguration::<_, _, N>::new(
        &config.network,
        config.prometheus_registry().cloned(),
    );
    let grandpa_protocol = sc_consensus_grandpa::protocol_standard_name(&genesis_hash, &config.chain_spec);
    let (grandpa_config, grandpa_notifications) = sc_consensus_grandpa::grandpa_peers_set_config::<_, N>(
        grandpa_protocol.clone(),
        metrics.clone(),
        net_config.peer_store_handle(),
    );
    net_config.add_notification_protocol(grandpa_config);
    let warp_sync = Arc::new(sc_consensus_grandpa::warp_proof::NetworkProvider::new(
        backend.clone(),
        grandpa_link.shared_authority_set().clone(),
        Vec::new(),
    ));
    let (network, system_rpc_tx, tx_handler_controller, sync_service, _bitswap) =
        sc_service::build_network(BuildNetworkParams {
            config: &config,
            net_config,
            client: client.clone(),
            transaction_pool: transaction_pool.clone(),
            spawn_handle: task_manager.spawn_handle(),
            spawn_essential_handle: task_manager.spawn_essential_handle(),
            import_queue,
            block_announce_validator_builder: None,
            warp_sync_config: Some(WarpSyncConfig::WithProvider(warp_sync)),
            block_relay: None,
            metrics,
            gap_sync_body_policy: None,
        })?;

    if config.offchain_worker.enabled {
        spawn_worker(&config, &task_manager, &client, &backend, &keystore, &transaction_pool, &network, &approvals)?;
    }
    tasks::spawn(
        &task_manager.spawn_handle(),
        &client,
        tasks::Tasks {
            chain: chain.clone(),
            vault: vault.clone(),
            offchain: offchain.clone(),
            utility: utility.as_ref().map(|role| (role.source.clone(), role.feed_url.clone())),
            approvals: approvals.clone(),
            metrics: our_metrics.clone(),
        },
    );

    let role = config.role;
    let force_authoring = config.force_authoring;
    let name = config.network.node_name.clone();
    let enable_grandpa = !config.disable_grandpa;
    let prometheus_registry = config.prometheus_registry().cloned();
    let rpc_builder = {
        let (client, pool) = (client.clone(), transaction_pool.clone());
        let deps = RpcDeps {
            chain,
            vault,
            vault_key,
            keystore: keystore.clone(),
            offchain,
            approvals,
            utility: utility.map(|role| role.source),
            metrics: our_metrics,
            intake: Arc::default(),
        };
        Box::new(move |_| rpc::full(client.clone(), pool.clone(), deps.clone()).map_err(other))
    };
    let _rpc_handlers = sc_service::spawn_tasks(SpawnTasksParams {
        network: network.clone(),
        client: client.clone(),
        keystore: keystore.clone(),
        task_manager: &mut task_manager,
        transaction_pool: transaction_pool.clone(),
        rpc_builder,
        backend,
        system_rpc_tx,
        tx_handler_controller,
        sync_service: sync_service.clone(),
        config,
        telemetry: telemetry.as_mut(),
        tracing_execute_block: None,
    })?;

    if role.is_authority() {
        let proposer_factory = sc_basic_authorship::ProposerFactory::new(
            task_manager.spawn_handle(),
            client.clone(),
            transaction_pool.clone(),
            prometheus_registry.as_ref(),
            telemetry.as_ref().map(Telemetry::handle),
        );
        let slot_duration = sc_consensus_aura::slot_duration::<AuraId, Block, _>(&*client)?;
        let for_authoring = client.clone();
        let aura = sc_consensus_aura::start_aura::<AuraPair, _, _, _, _, _, _, _, _, _, _>(StartAuraParams {
            slot_duration,
            client: client.clone(),
            select_chain,
            block_import,
            proposer_factory,
            create_inherent_data_providers: move |parent, ()| {
                let client = for_authoring.clone();
                async move { inherents(&client, parent) }
            },
            force_authoring,
            backoff_authoring_blocks: None::<()>,
            keystore: keystore.clone(),
            sync_oracle: sync_service.clone(),
            justification_sync_link: sync_service.clone(),
            block_proposal_slot_portion: SlotProportion::new(2.0 / 3.0),
            max_block_proposal_slot_portion: None,
            telemetry: telemetry.as_ref().map(Telemetry::handle),
            compatibility_mode: Default::default(),
        })?;
        task_manager.spawn_essential_handle().spawn_blocking("aura", Some("block-authoring"), aura);
    }
    if enable_grandpa {
        let config = sc_consensus_grandpa::Config {
            gossip_duration: GOSSIP,
            justification_generation_period: JUSTIFICATION_PERIOD,
            name: Some(name),
            observer_enabled: false,
            // A node that is no validator follows the votes without a key.
            keystore: role.is_authority().then_some(keystore),
            local_role: role,
            telemetry: telemetry.as_ref().map(Telemetry::handle),
            protocol_name: grandpa_protocol,
        };
        let voter = sc_consensus_grandpa::run_grandpa_voter(sc_consensus_grandpa::GrandpaParams {
            config,
            link: grandpa_link,
            network,
            sync: sync_service,
            notification_service: grandpa_notifications,
            voting_rule: sc_consensus_grandpa::VotingRulesBuilder::default().build(),
            prometheus_registry,
            shared_voter_state: SharedVoterState::empty(),
            telemetry: telemetry.as_ref().map(Telemetry::handle),
            offchain_tx_pool_factory: OffchainTransactionPoolFactory::new(transaction_pool),
        })?;
        task_manager.spawn_essential_handle().spawn_blocking("grandpa-voter", None, voter);
    }
    Ok(task_manager)
}

/// Runs the runtime's worker at each new best block, with the secrets only where its code is approved.
#[allow(clippy::too_many_arguments)] // each is a part of the node, used once
fn spawn_worker(
    config: &Configuration,
    task_manager: &TaskManager,
    client: &Arc<FullClient>,
    backend: &Arc<FullBackend>,
    keystore: &KeystorePtr,
    transaction_pool: &Arc<Pool>,
    network: &Arc<dyn NetworkService>,
    approvals: &Approvals,
) -> Result<(), ServiceError> {
    let (for_extensions, keystore, approvals) = (client.clone(), keystore.clone(), approvals.clone());
    let workers = sc_offchain::OffchainWorkers::new(sc_offchain::OffchainWorkerOptions {
        runtime_api_provider: client.clone(),
        is_validator: config.role.is_authority(),
        // The keystore comes with the extensions below, block by block.
        keystore: None,
        offchain_db: backend.offchain_storage(),
        transaction_pool: Some(OffchainTransactionPoolFactory::new(transaction_pool.clone())),
        network_provider: Arc::new(network.clone()),
        enable_http_requests: true,
        custom_extensions: move |block| {
            approvals.worker_extensions::<Block, _, FullBackend>(&*for_extensions, &keystore, block)
        },
    })?;
    let run = workers.run(client.clone(), task_manager.spawn_handle()).boxed();
    task_manager.spawn_handle().spawn("offchain-workers-runner", "offchain-worker", run);
    Ok(())
}
