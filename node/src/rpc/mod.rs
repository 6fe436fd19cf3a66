//! JSON-RPC: the SDK's `system_*` methods and `wattseal_*` (README.md of this crate lists them).

pub mod errors;
pub mod feed;
pub mod ingest;
mod read;
mod requests;
mod sealed;
pub mod types;

use crate::{
    approval::Approvals,
    chain::Chain,
    keys::SecretSource,
    metrics::{Metrics, ACCESS_LOG, READ},
    offchain::OffchainStore,
    service::{FullClient, Pool},
};
use errors::RpcError;
use feed::{FeedStatus, RefusedList, WaitingList};
use ingest::{IngestState, Intake, OfferedBatch};
use jsonrpsee::{core::RpcResult, proc_macros::rpc, Extensions, RpcModule};
use sc_rpc_api::check_if_safe;
use sp_keystore::KeystorePtr;
use std::sync::Arc;
use types::{
    Account, DelivererParam, DeliveryRequest, Hex, HexBytes, Meter, MeterKeyRequest, MeterPlan, Organisation,
    PlannedMeter, QueueState, ReadAnswer, ReadOptions, RelayRequest, SealedDelivery, SignedText, VaultInfo,
};
use wattseal_vault::Vault;

/// The `wattseal_*` methods. Those marked unsafe answer on this machine only (`--rpc-methods`).
#[rpc(server, namespace = "wattseal")]
pub trait WattsealApi {
    /// Who this vault is and what it holds.
    #[method(name = "vault", blocking)]
    fn vault(&self) -> RpcResult<VaultInfo>;

    /// Readings with their proof and a receipt, for a signed read request.
    #[method(name = "read", blocking)]
    fn read(&self, statement: String, signature: Hex<64>, options: Option<ReadOptions>) -> RpcResult<ReadAnswer>;

    /// The receipts about the customer's own meter from number `from` on, for a signed read request; at most 1,000.
    #[method(name = "accessLog", blocking)]
    fn access_log(&self, statement: String, signature: Hex<64>, from: Option<u64>) -> RpcResult<Vec<SignedText>>;

    /// Asks the utility's node to deliver a consent's keys to its vendor. Gives the queue's id.
    #[method(name = "requestDelivery", blocking)]
    fn request_delivery(&self, request: DeliveryRequest) -> RpcResult<Hex<32>>;

    /// Asks the utility's node to deliver the meter's key to the customer. Gives the queue's id.
    #[method(name = "requestMeterKey", blocking)]
    fn request_meter_key(&self, request: MeterKeyRequest) -> RpcResult<Hex<32>>;

    /// Asks the node to carry a signed statement to the chain. Gives the queue's id.
    #[method(name = "relay", blocking)]
    fn relay(&self, request: RelayRequest) -> RpcResult<Hex<32>>;

    /// What became of a queued request.
    #[method(name = "queue", blocking)]
    fn queue(&self, id: Hex<32>) -> RpcResult<QueueState>;

    /// The sealed keys of a consent and epoch, from the block that carries them.
    #[method(name = "sealed", blocking)]
    fn sealed(&self, consent: Hex<32>, epoch: u32, deliverer: DelivererParam) -> RpcResult<SealedDelivery>;

    /// The sealed key of a meter, from the block that carries it.
    #[method(name = "sealedMeterKey", blocking)]
    fn sealed_meter_key(&self, utility: Organisation, meter: Meter) -> RpcResult<SealedDelivery>;

    /// Unsafe: MeterIds and tickets of this utility's meters.
    #[method(name = "planMeters", blocking, with_extensions)]
    fn plan_meters(&self, meters: Vec<MeterPlan>) -> RpcResult<Vec<PlannedMeter>>;

    /// Unsafe: files, batches on their way, the last error.
    #[method(name = "feedStatus", blocking, with_extensions)]
    fn feed_status(&self) -> RpcResult<FeedStatus>;

    /// Unsafe: rows that cannot be used.
    #[method(name = "feedRefused", blocking, with_extensions)]
    fn feed_refused(&self) -> RpcResult<RefusedList>;

    /// Unsafe: days that wait for their meter, and days held for the operator.
    #[method(name = "feedWaiting", blocking, with_extensions)]
    fn feed_waiting(&self) -> RpcResult<WaitingList>;

    /// Unsafe: reads files from another folder; the empty address ends that.
    #[method(name = "setFeed", blocking, with_extensions)]
    fn set_feed(&self, url: String) -> RpcResult<()>;

    /// Unsafe: whether a pass of bulk ingest may begin, and for which sealing key.
    #[method(name = "ingestState", blocking, with_extensions)]
    fn ingest_state(&self) -> RpcResult<IngestState>;

    /// Unsafe: offers the next batch of a shard; its body follows in chunks.
    #[method(name = "ingestOffer", blocking, with_extensions)]
    fn ingest_offer(&self, batch: OfferedBatch) -> RpcResult<()>;

    /// Unsafe: hands in the next chunk of the offered body, at most 1 MiB.
    #[method(name = "ingestChunk", blocking, with_extensions)]
    fn ingest_chunk(&self, body_hash: Hex<32>, number: u32, bytes: HexBytes) -> RpcResult<()>;

    /// Unsafe: stages the body, and has the worker commit the batch.
    #[method(name = "ingestCommit", blocking, with_extensions)]
    fn ingest_commit(&self, body_hash: Hex<32>) -> RpcResult<()>;

    /// Unsafe: lets a runtime use the sealing key on this machine.
    #[method(name = "approveRuntime", blocking, with_extensions)]
    fn approve_runtime(&self, hash: String) -> RpcResult<()>;
}

/// What the methods work on.
#[derive(Clone)]
pub struct RpcDeps {
    /// The chain.
    pub chain: Arc<dyn Chain>,
    /// The vault.
    pub vault: Arc<Vault>,
    /// The key that signs receipts.
    pub vault_key: sp_core::sr25519::Public,
    /// Where that key is.
    pub keystore: KeystorePtr,
    /// The off-chain database.
    pub offchain: OffchainStore,
    /// Approved runtimes.
    pub approvals: Approvals,
    /// The utility that this node seals for.
    pub utility: Option<SecretSource>,
    /// Where reads and requests are counted.
    pub metrics: Metrics,
    /// Bodies that are handed in.
    pub intake: Arc<Intake>,
}

impl RpcDeps {
    /// The utility of this node.
    fn source(&self) -> Result<&SecretSource, RpcError> {
        let nobody = || RpcError::NotHere("this node seals for no utility; ask the utility's node".into());
        self.utility.as_ref().ok_or_else(nobody)
    }

    /// The utility of this node, if it is this one.
    fn source_of(&self, utility: &sealed_register::OrganisationId) -> Result<&SecretSource, RpcError> {
        let source = self.source()?;
        if source.utility == *utility {
            Ok(source)
        } else {
            let text = format!("this node seals for {}; ask the node of {utility}", source.utility);
            Err(RpcError::NotHere(text))
        }
    }

    fn check_genesis(&self, genesis: &sealed_register::Hash) -> Result<(), RpcError> {
        let expected = self.chain.genesis();
        if *genesis == expected {
            Ok(())
        } else {
            let hex = |hash: &[u8]| sealed_register::hex(hash);
            Err(RpcError::OtherChain { expected: hex(&expected), found: hex(genesis) })
        }
    }

    fn vault_info(&self) -> Result<VaultInfo, RpcError> {
        let sizes = self.vault.sizes()?;
        let account = Account(self.vault_key.0);
        Ok(VaultInfo {
            account,
            address: account.address(),
            genesis: Hex(self.chain.genesis()),
            finalised: self.chain.finalised().into(),
            batches: sizes.batches,
            cells: sizes.cells,
            bytes: sizes.bytes,
            receipts: sizes.receipts,
            utility: self.utility.as_ref().map(|source| types::AsText(source.utility)),
        })
    }
}

/// The account's signature over a statement must be good.
fn check_signature(account: &[u8; 32], message: &[u8], signature: &Hex<64>) -> Result<(), RpcError> {
    if crate::keys::verify_sr25519(&signature.0, message, account) {
        Ok(())
    } else {
        Err(RpcError::Signature { account: sealed_register::hex(account) })
    }
}

impl WattsealApiServer for RpcDeps {
    fn vault(&self) -> RpcResult<VaultInfo> {
        Ok(self.vault_info()?)
    }

    fn read(&self, statement: String, signature: Hex<64>, options: Option<ReadOptions>) -> RpcResult<ReadAnswer> {
        let answer = read::answer(self, &statement, &signature, &options.unwrap_or_default());
        self.metrics.read(READ, &answer);
        Ok(answer.inspect(|answer| self.metrics.read_bytes(answer.proof.0.len()))?)
    }

    fn access_log(&self, statement: String, signature: Hex<64>, from: Option<u64>) -> RpcResult<Vec<SignedText>> {
        let log = read::access_log(self, &statement, &signature, from.unwrap_or(0));
        self.metrics.read(ACCESS_LOG, &log);
        Ok(log?)
    }

    fn request_delivery(&self, request: DeliveryRequest) -> RpcResult<Hex<32>> {
        Ok(requests::delivery(self, request)?)
    }

    fn request_meter_key(&self, request: MeterKeyRequest) -> RpcResult<Hex<32>> {
        Ok(requests::meter_key(self, request)?)
    }

    fn relay(&self, request: RelayRequest) -> RpcResult<Hex<32>> {
        Ok(requests::relay(self, request)?)
    }

    fn queue(&self, id: Hex<32>) -> RpcResult<QueueState> {
        Ok(requests::state(self, &id.0)?)
    }

    fn sealed(&self, consent: Hex<32>, epoch: u32, deliverer: DelivererParam) -> RpcResult<SealedDelivery> {
        Ok(sealed::delivery(&*self.chain, consent.0, epoch, deliverer.into())?)
    }

    fn sealed_meter_key(&self, utility: Organisation, meter: Meter) -> RpcResult<SealedDelivery> {
        Ok(sealed::meter_key(&*self.chain, utility.0, meter.0)?)
    }

    fn plan_meters(&self, extensions: &Extensions, meters: Vec<MeterPlan>) -> RpcResult<Vec<PlannedMeter>> {
        check_if_safe(extensions)?;
        Ok(feed::plan_meters(self, &meters)?)
    }

    fn feed_status(&self, extensions: &Extensions) -> RpcResult<FeedStatus> {
        check_if_safe(extensions)?;
        Ok(feed::status(self)?)
    }

    fn feed_refused(&self, extensions: &Extensions) -> RpcResult<RefusedList> {
        check_if_safe(extensions)?;
        Ok(feed::refused(self))
    }

    fn feed_waiting(&self, extensions: &Extensions) -> RpcResult<WaitingList> {
        check_if_safe(extensions)?;
        Ok(feed::waiting(self))
    }

    fn set_feed(&self, extensions: &Extensions, url: String) -> RpcResult<()> {
        check_if_safe(extensions)?;
        Ok(feed::set_feed(self, &url)?)
    }

    fn ingest_state(&self, extensions: &Extensions) -> RpcResult<IngestState> {
        check_if_safe(extensions)?;
        Ok(ingest::state(self)?)
    }

    fn ingest_offer(&self, extensions: &Extensions, batch: OfferedBatch) -> RpcResult<()> {
        check_if_safe(extensions)?;
        Ok(ingest::offer(self, &batch)?)
    }

    fn ingest_chunk(&self, extensions: &Extensions, body_hash: Hex<32>, number: u32, bytes: HexBytes) -> RpcResult<()> {
        check_if_safe(extensions)?;
        Ok(ingest::chunk(self, &body_hash.0, number, bytes)?)
    }

    fn ingest_commit(&self, extensions: &Extensions, body_hash: Hex<32>) -> RpcResult<()> {
        check_if_safe(extensions)?;
        Ok(ingest::commit(self, &body_hash.0)?)
    }

    fn approve_runtime(&self, extensions: &Extensions, hash: String) -> RpcResult<()> {
        check_if_safe(extensions)?;
        Ok(feed::approve_runtime(self, &hash)?)
    }
}

/// All methods of this node.
///
/// # Errors
/// If two methods had one name.
pub fn full(
    client: Arc<FullClient>,
    pool: Arc<Pool>,
    deps: RpcDeps,
) -> Result<RpcModule<()>, jsonrpsee::core::RegisterMethodError> {
    use substrate_frame_rpc_system::{System, SystemApiServer};
    let mut module = RpcModule::new(());
    module.merge(System::new(client, pool).into_rpc())?;
    module.merge(deps.into_rpc())?;
    Ok(module)
}

#[cfg(test)]
mod tests;
