//! A node's own JSON-RPC methods, `wattseal_*`, with types.

mod types;

use crate::{chain::AccountId, ClientError, Result};
use sealed_register::{
    delivery::Deliverer,
    shard::{Shard, ShardId},
    Hash, MeterId, OrganisationId,
};
use serde::de::DeserializeOwned;
use serde_json::{json, Value};
use subxt_rpcs::{client::RpcParams, RpcClient};
use types::{ProofKind, RawAnswer, RawPlanned, RawSealed, RawVault, SignedText};

pub use types::{Hex, MeterPlan, PlannedMeter, QueueState, ReadAnswer, ReadOptions, Sealed, StoredReceipt, VaultInfo};

/// A node's methods. Cheap to clone.
#[derive(Clone, Debug)]
pub struct NodeRpc {
    client: RpcClient,
    url: String,
}

/// Version of the metadata from which this client is generated.
const METADATA_VERSION: u32 = 15;

/// How many meters are planned with one request.
pub const PLAN_AT_ONCE: usize = 256;

/// Most receipts that a node gives at once.
pub const LOG_AT_ONCE: usize = 1_000;

/// Most segments that a read request may name.
pub const MAX_SEGMENTS: usize = 64;

/// JSON-RPC code of "not found, or not there yet".
pub const NOT_FOUND: i32 = 7_010;

/// First of the codes with which the runtime does not let an account read: 7100 + number of the reason
/// ([`crate::chain::types::ReadRefusal`]).
pub const READ_REFUSAL: i32 = 7_100;

impl NodeRpc {
    /// Connects. Unencrypted (`ws://`) only to this machine.
    ///
    /// # Errors
    /// [`ClientError::Connection`].
    pub async fn connect(url: &str) -> Result<Self> {
        let connected = RpcClient::from_url(url).await;
        let connection = |error: subxt_rpcs::Error| {
            let problem = match error {
                subxt_rpcs::Error::InsecureUrl(_) => "only wss:// is used to other machines".into(),
                error => error.to_string(),
            };
            ClientError::Connection { url: url.into(), problem }
        };
        Ok(Self { client: connected.map_err(connection)?, url: url.into() })
    }

    /// The methods that a light client in this process has itself; those of a node's own it has not.
    #[cfg(feature = "light-client")]
    pub(crate) fn over(client: RpcClient, name: &str) -> Self {
        Self { client, url: name.into() }
    }

    /// The node's address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The connection, for methods without a wrapper here.
    pub fn client(&self) -> &RpcClient {
        &self.client
    }

    /// Calls a method with positional parameters.
    ///
    /// # Errors
    /// [`ClientError::Rpc`] (refused), [`ClientError::Answer`], [`ClientError::Connection`].
    pub async fn call<R: DeserializeOwned>(&self, method: &'static str, parameters: &[Value]) -> Result<R> {
        let mut params = RpcParams::new();
        for parameter in parameters {
            params.push(parameter).map_err(|error| ClientError::Answer { method, problem: error.to_string() })?;
        }
        self.client.request(method, params).await.map_err(|error| match error {
            subxt_rpcs::Error::User(refused) => {
                let data = refused.data.as_ref().map(|data| data.get().trim_matches('"').to_owned());
                let message = match data {
                    Some(data) if !data.is_empty() => format!("{}: {data}", refused.message),
                    _ => refused.message,
                };
                ClientError::Rpc { method, code: refused.code, message }
            }
            subxt_rpcs::Error::Deserialization(error) => ClientError::Answer { method, problem: error.to_string() },
            error => ClientError::Connection { url: self.url.clone(), problem: error.to_string() },
        })
    }

    /// Number of the account's next transaction, those in the node's pool included.
    ///
    /// # Errors
    /// As [`NodeRpc::call`].
    pub async fn next_nonce(&self, account: &AccountId) -> Result<u64> {
        self.call("system_accountNextIndex", &[json!(crate::chain::ss58(account))]).await
    }

    /// Hash of the block of a number on the node's best chain.
    ///
    /// # Errors
    /// As [`NodeRpc::call`].
    pub async fn block_hash(&self, number: u32) -> Result<Option<Hash>> {
        const METHOD: &str = "chain_getBlockHash";
        let hash: Option<Hex> = self.call(METHOD, &[json!(number)]).await?;
        hash.map(|hash| hash.array(METHOD, "the hash")).transpose()
    }

    /// The metadata (version 15) of the runtime of the node's best block, as `client/metadata.scale` holds it.
    ///
    /// # Errors
    /// As [`NodeRpc::call`]; [`ClientError::Answer`] if the runtime gives no metadata of this version.
    pub async fn metadata(&self) -> Result<Vec<u8>> {
        const METHOD: &str = "state_call";
        let version = digits(&METADATA_VERSION.to_le_bytes());
        let Hex(bytes) = self.call(METHOD, &[json!("Metadata_metadata_at_version"), version]).await?;
        let metadata: Option<Vec<u8>> = codec::Decode::decode(&mut bytes.as_slice())
            .map_err(|error| ClientError::Answer { method: METHOD, problem: error.to_string() })?;
        metadata.ok_or_else(|| ClientError::Answer {
            method: METHOD,
            problem: format!("the runtime has no metadata of version {METADATA_VERSION}"),
        })
    }

    /// One extrinsic of a block as the node gives it (with its length before it); none if the node has no such block
    /// body.
    ///
    /// # Errors
    /// As [`NodeRpc::call`].
    pub async fn extrinsic(&self, block: &Hash, index: u32) -> Result<Option<Vec<u8>>> {
        #[derive(serde::Deserialize)]
        struct Signed {
            block: Body,
        }
        #[derive(serde::Deserialize)]
        struct Body {
            extrinsics: Vec<Hex>,
        }
        let signed: Option<Signed> = self.call("chain_getBlock", &[digits(block)]).await?;
        let extrinsic = |signed: Signed| signed.block.extrinsics.into_iter().nth(index as usize);
        Ok(signed.and_then(extrinsic).map(|Hex(bytes)| bytes))
    }

    /// The node's vault.
    ///
    /// # Errors
    /// As [`NodeRpc::call`].
    pub async fn vault(&self) -> Result<VaultInfo> {
        const METHOD: &str = "wattseal_vault";
        let raw: RawVault = self.call(METHOD, &[]).await?;
        let account = crate::chain::parse_account(&raw.account);
        Ok(VaultInfo {
            account: account.map_err(|error| ClientError::Answer { method: METHOD, problem: error.to_string() })?,
            genesis: raw.genesis.array(METHOD, "genesis")?,
            finalized: raw.finalised.number,
            batches: raw.batches,
            cells: raw.cells,
            bytes: raw.bytes,
            receipts: raw.receipts,
            utility: raw.utility.and_then(|utility| utility.parse().ok()),
        })
    }

    /// Reads.
    ///
    /// # Errors
    /// As [`NodeRpc::call`]; codes from 7000 on are the vault's refusals, 7100 + n those of the runtime.
    pub async fn read(&self, statement: &str, signature: &[u8; 64], options: &ReadOptions) -> Result<ReadAnswer> {
        const METHOD: &str = "wattseal_read";
        let raw: RawAnswer = self.call(METHOD, &[json!(statement), digits(signature), options.to_json()]).await?;
        let utility = OrganisationId::new(&raw.root.utility)
            .map_err(|error| ClientError::Answer { method: METHOD, problem: error.to_string() })?;
        Ok(ReadAnswer {
            proof: raw.proof.0,
            absent: raw.kind == ProofKind::Absence,
            // The genesis of the answer is whatever the verifier's own chain has.
            shard: Shard { genesis: [0; 32], utility, id: ShardId(raw.root.shard), bits: raw.root.shard_bits },
            batch_sequence: raw.root.batch_sequence,
            root: raw.root.root.array(METHOD, "root")?,
            receipt: raw.receipt.text,
            receipt_signature: raw.receipt.signature.array(METHOD, "receipt signature")?,
        })
    }

    /// The receipts about a meter from number `from` on, oldest first, for the customer who signed the read request; at
    /// most [`LOG_AT_ONCE`].
    ///
    /// # Errors
    /// As [`NodeRpc::call`].
    pub async fn access_log(&self, statement: &str, signature: &[u8; 64], from: u64) -> Result<Vec<StoredReceipt>> {
        const METHOD: &str = "wattseal_accessLog";
        let raw: Vec<SignedText> = self.call(METHOD, &[json!(statement), digits(signature), json!(from)]).await?;
        let receipt = |SignedText { text, signature }: SignedText| {
            Ok(StoredReceipt { text, signature: signature.array(METHOD, "receipt signature")? })
        };
        raw.into_iter().map(receipt).collect()
    }

    /// Asks the utility's node to deliver the keys of a consent; gives the number under which it is queued.
    ///
    /// # Errors
    /// As [`NodeRpc::call`].
    pub async fn request_delivery(
        &self,
        statement: &str,
        signature: &[u8; 64],
        vendor: OrganisationId,
        secret: &[u8; 32],
    ) -> Result<String> {
        let request = json!({
            "statement": statement,
            "signature": digits(signature),
            "vendor": vendor.to_string(),
            "secret": digits(secret),
        });
        self.call("wattseal_requestDelivery", &[request]).await
    }

    /// Asks the utility's node to deliver a meter's key to the customer who claimed it.
    ///
    /// # Errors
    /// As [`NodeRpc::call`].
    pub async fn request_meter_key(&self, statement: &str, signature: &[u8; 64], kem: &[u8]) -> Result<String> {
        let request = json!({ "statement": statement, "signature": digits(signature), "kemPublic": digits(kem) });
        self.call("wattseal_requestMeterKey", &[request]).await
    }

    /// Asks a utility's node to carry a signed statement to the chain.
    ///
    /// # Errors
    /// As [`NodeRpc::call`].
    pub async fn relay(&self, statement: &str, signature: &[u8; 64]) -> Result<String> {
        let request = json!({ "statement": statement, "signature": digits(signature) });
        self.call("wattseal_relay", &[request]).await
    }

    /// What has become of a queued request; none if the node does not know it (any more).
    ///
    /// # Errors
    /// As [`NodeRpc::call`].
    pub async fn queue(&self, id: &str) -> Result<Option<QueueState>> {
        found(self.call("wattseal_queue", &[json!(id)]).await)
    }

    /// The sealed delivery of a consent's keys; none if the chain has none of that epoch and deliverer.
    ///
    /// # Errors
    /// As [`NodeRpc::call`].
    pub async fn sealed(&self, consent: &Hash, epoch: u32, deliverer: Deliverer) -> Result<Option<Sealed>> {
        let deliverer = match deliverer {
            Deliverer::Utility => "utility",
            Deliverer::Customer => "customer",
        };
        let parameters = [digits(consent), json!(epoch), json!(deliverer)];
        Ok(found(self.call("wattseal_sealed", &parameters).await)?.map(sealed))
    }

    /// The sealed key of a meter; none if the chain has none.
    ///
    /// # Errors
    /// As [`NodeRpc::call`].
    pub async fn sealed_meter_key(&self, utility: OrganisationId, meter: MeterId) -> Result<Option<Sealed>> {
        let parameters = [json!(utility.to_string()), json!(meter.to_string())];
        Ok(found(self.call("wattseal_sealedMeterKey", &parameters).await)?.map(sealed))
    }

    /// Identifiers and tickets of meters, in order; only a utility's own node with unsafe methods answers. At most
    /// [`PLAN_AT_ONCE`].
    ///
    /// # Errors
    /// As [`NodeRpc::call`].
    pub async fn plan_meters(&self, meters: &[MeterPlan]) -> Result<Vec<PlannedMeter>> {
        const METHOD: &str = "wattseal_planMeters";
        let raw: Vec<RawPlanned> = self.call(METHOD, &[json!(meters)]).await?;
        if raw.len() != meters.len() {
            let problem = format!("{} meters asked for, {} planned", meters.len(), raw.len());
            return Err(ClientError::Answer { method: METHOD, problem });
        }
        let planned = |raw: RawPlanned| {
            Ok(PlannedMeter {
                meter: MeterId(raw.meter_id.array(METHOD, "meterId")?),
                ticket: raw.ticket,
                ticket_key: raw.ticket_key.array(METHOD, "ticketKey")?,
                issue: raw.issue,
            })
        };
        raw.into_iter().map(planned).collect()
    }
}

fn digits(bytes: &[u8]) -> Value {
    Value::String(format!("0x{}", hex::encode(bytes)))
}

fn sealed(raw: RawSealed) -> Sealed {
    Sealed { block: raw.block, extrinsic: raw.extrinsic, bytes: raw.sealed.0 }
}

/// A node's "not there (yet)" as nothing.
fn found<T>(answer: Result<T>) -> Result<Option<T>> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(ClientError::Rpc { code: NOT_FOUND, .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failed unwrap is a failed test
    use super::*;
    use sealed_register::{delivery::Segment, proof::Form, DayRange};

    #[test]
    fn bytes_are_digits_both_ways() {
        let bytes: Hex = serde_json::from_value(json!("0x00ff")).unwrap();
        assert_eq!(bytes.0, [0, 255]);
        assert_eq!(serde_json::to_value(&bytes).unwrap(), json!("0x00ff"));
        assert!(serde_json::from_value::<Hex>(json!("0x0")).is_err());
        assert!(bytes.array::<2>("m", "f").is_ok());
        assert!(bytes.array::<3>("m", "f").is_err());
    }

    #[test]
    fn answers_of_a_node_are_read() {
        let state = |value: Value| serde_json::from_value::<QueueState>(value);
        assert_eq!(state(json!({ "state": "waiting" })).unwrap(), QueueState::Waiting);
        assert_eq!(state(json!({ "state": "sent", "block": 4 })).unwrap(), QueueState::Sent { block: 4 });
        let refused = QueueState::Refused { reason: "no such meter".into() };
        assert_eq!(state(json!({ "state": "refused", "reason": "no such meter" })).unwrap(), refused);
        assert!(state(json!({ "state": "flying" })).is_err());
        let plan = MeterPlan { esi_id: "1".into(), tenancy: 0, issue: None };
        assert_eq!(json!(plan), json!({ "esiId": "1", "tenancy": 0 }));
        let not_there = ClientError::Rpc { method: "m", code: NOT_FOUND, message: String::new() };
        assert_eq!(found::<()>(Err(not_there)).unwrap(), None);
        let refused = ClientError::Rpc { method: "m", code: 7_004, message: String::new() };
        assert!(found::<()>(Err(refused)).is_err());
    }

    #[test]
    fn options_name_days_as_people_do() {
        let days = DayRange::new("2022-03-01".parse().unwrap(), "2022-03-31".parse().unwrap()).unwrap();
        let options = ReadOptions { segments: vec![Segment { epoch: 2, days }], form: Form::Explained };
        let expected = json!({
            "segments": [{ "epoch": 2, "first": "2022-03-01", "last": "2022-03-31" }],
            "form": "explained",
        });
        assert_eq!(options.to_json(), expected);
    }
}
