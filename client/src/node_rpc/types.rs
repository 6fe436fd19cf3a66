//! What a node's methods take and give.

use crate::{chain::AccountId, ClientError, Result};
use sealed_register::{delivery::Segment, proof::Form, shard::Shard, Hash, MeterId, OrganisationId};
use serde::{Deserialize, Serialize};
use serde_json::{json, Value};

/// Bytes as `0x` and digits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hex(pub Vec<u8>);

impl Serialize for Hex {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("0x{}", hex::encode(&self.0)))
    }
}

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text.strip_prefix("0x").unwrap_or(&text);
        hex::decode(digits).map(Self).map_err(serde::de::Error::custom)
    }
}

impl Hex {
    pub(super) fn array<const N: usize>(&self, method: &'static str, field: &str) -> Result<[u8; N]> {
        <[u8; N]>::try_from(self.0.as_slice()).map_err(|_| ClientError::Answer {
            method,
            problem: format!("{field} has {} bytes, not {N}", self.0.len()),
        })
    }
}

/// A node's vault and its finalised head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultInfo {
    /// The account that signs the vault's receipts.
    pub account: AccountId,
    /// Genesis hash of the chain.
    pub genesis: Hash,
    /// Number of the finalised head.
    pub finalized: u32,
    /// Batches held.
    pub batches: u64,
    /// Cells held.
    pub cells: u64,
    /// Size on disk, bytes.
    pub bytes: u64,
    /// Receipts written.
    pub receipts: u64,
    /// The utility that the node seals and delivers for, if any.
    pub utility: Option<OrganisationId>,
}

#[derive(Deserialize)]
pub(super) struct RawVault {
    pub(super) account: String,
    pub(super) genesis: Hex,
    pub(super) finalised: RawBlock,
    pub(super) batches: u64,
    pub(super) cells: u64,
    pub(super) bytes: u64,
    pub(super) receipts: u64,
    pub(super) utility: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct RawBlock {
    pub(super) number: u32,
}

/// What a vault answers to a read request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadAnswer {
    /// The encoded proof.
    pub proof: Vec<u8>,
    /// Whether it is a proof that nothing was published about the meter and channel.
    pub absent: bool,
    /// The shard that the vault answers from.
    pub shard: Shard,
    /// Number of the batch whose root the proof leads to.
    pub batch_sequence: u32,
    /// That root, as the vault knows it; the verifier takes its own.
    pub root: Hash,
    /// The receipt's text.
    pub receipt: String,
    /// The vault's signature over it.
    pub receipt_signature: [u8; 64],
}

#[derive(Deserialize)]
pub(super) struct RawAnswer {
    pub(super) kind: ProofKind,
    pub(super) proof: Hex,
    pub(super) root: RawRoot,
    pub(super) receipt: SignedText,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(super) enum ProofKind {
    Range,
    Absence,
}

#[derive(Deserialize)]
pub(super) struct RawRoot {
    pub(super) utility: String,
    pub(super) shard: u16,
    pub(super) shard_bits: u8,
    pub(super) batch_sequence: u32,
    pub(super) root: Hex,
}

#[derive(Deserialize)]
pub(super) struct SignedText {
    pub(super) text: String,
    pub(super) signature: Hex,
}

/// A receipt as a vault hands it out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredReceipt {
    /// Its text.
    pub text: String,
    /// The vault's signature.
    pub signature: [u8; 64],
}

/// A meter that the utility's node has planned: its identifier and its claim ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedMeter {
    /// The meter.
    pub meter: MeterId,
    /// The ticket as it is printed.
    pub ticket: String,
    /// The ticket's sr25519 public key.
    pub ticket_key: Hash,
    /// Number of the ticket.
    pub issue: u32,
}

/// A tenancy whose identifier and ticket are asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MeterPlan {
    /// The ESI ID, digits only.
    pub esi_id: String,
    /// Number of the tenancy, from 0.
    pub tenancy: u32,
    /// Number of the ticket; none for the newest on chain, or the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issue: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RawPlanned {
    pub(super) meter_id: Hex,
    pub(super) ticket: String,
    pub(super) ticket_key: Hex,
    pub(super) issue: u32,
}

/// What the node knows of a queued request.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "state", rename_all = "camelCase")]
pub enum QueueState {
    /// It waits for the worker, or for finality.
    Waiting,
    /// Its transaction is in the pool.
    Sent {
        /// Block at which it was sent.
        block: u32,
    },
    /// The finalised chain shows its effect.
    Done,
    /// It was refused; looked at again for some minutes, since some reasons pass.
    Refused {
        /// Why, for people.
        reason: String,
    },
}

/// A sealed delivery as found in a block's body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Block that carries it.
    pub block: u32,
    /// Index of the extrinsic.
    pub extrinsic: u32,
    /// The sealed bytes.
    pub bytes: Vec<u8>,
}

#[derive(Deserialize)]
pub(super) struct RawSealed {
    pub(super) block: u32,
    pub(super) extrinsic: u32,
    pub(super) sealed: Hex,
}

/// What a reader tells a vault beside the signed request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadOptions {
    /// Epochs and days that the reader holds keys for.
    pub segments: Vec<Segment>,
    /// How much the proof repeats.
    pub form: Form,
}

impl ReadOptions {
    pub(super) fn to_json(&self) -> Value {
        let segment = |segment: &Segment| {
            json!({
                "epoch": segment.epoch,
                "first": segment.days.first.to_string(),
                "last": segment.days.last.to_string(),
            })
        };
        let form = match self.form {
            Form::Compact => "compact",
            Form::Explained => "explained",
        };
        json!({ "segments": self.segments.iter().map(segment).collect::<Vec<_>>(), "form": form })
    }
}
