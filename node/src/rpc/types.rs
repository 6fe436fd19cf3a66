//! What goes over the wire: bytes as `0x` and hexadecimal digits, days as `2022-03-01`, names as text.

use sealed_register::{
    delivery::{Deliverer, Segment},
    proof::Form,
    DayRange, Hash, MeterId, OperatingDay,
};
use serde::{de::Error as _, Deserialize, Deserializer, Serialize, Serializer};
use sp_core::crypto::{AccountId32, Ss58Codec};
use std::str::FromStr;

/// A fixed number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hex<const N: usize>(pub [u8; N]);

impl<const N: usize> Serialize for Hex<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&sealed_register::hex(&self.0))
    }
}

impl<'de, const N: usize> Deserialize<'de> for Hex<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut bytes = [0; N];
        let digits = text.strip_prefix("0x").unwrap_or(&text);
        hex::decode_to_slice(digits, &mut bytes)
            .map_err(|_| D::Error::custom(format!("0x and {} hexadecimal digits are expected", 2 * N)))?;
        Ok(Self(bytes))
    }
}

/// Any number of bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HexBytes(pub Vec<u8>);

impl Serialize for HexBytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&sealed_register::hex(&self.0))
    }
}

impl<'de> Deserialize<'de> for HexBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text.strip_prefix("0x").unwrap_or(&text);
        hex::decode(digits).map(Self).map_err(|_| D::Error::custom("0x and hexadecimal digits are expected"))
    }
}

/// An account: read as `0x` and 64 digits or as an address, written as digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account(pub [u8; 32]);

impl Account {
    /// The address, as wallets show it.
    pub fn address(&self) -> String {
        AccountId32::new(self.0).to_ss58check_with_version(crate::chain_spec::SS58_PREFIX.into())
    }
}

impl Serialize for Account {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Hex(self.0).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Account {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut bytes = [0; 32];
        if hex::decode_to_slice(text.strip_prefix("0x").unwrap_or(&text), &mut bytes).is_ok() {
            return Ok(Self(bytes));
        }
        let account = AccountId32::from_ss58check(&text);
        account
            .map(|account| Self(account.into()))
            .map_err(|_| D::Error::custom("an account is 0x and 64 hexadecimal digits, or an address"))
    }
}

/// Anything that has one way of being written as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AsText<T>(pub T);

impl<T: ToString> Serialize for AsText<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_string())
    }
}

impl<'de, T: FromStr<Err: std::fmt::Display>> Deserialize<'de> for AsText<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map(Self).map_err(D::Error::custom)
    }
}

/// An operating day.
pub type Day = AsText<OperatingDay>;
/// A MeterId.
pub type Meter = AsText<MeterId>;
/// An organisation's short name.
pub type Organisation = AsText<sealed_register::OrganisationId>;

/// A block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockInfo {
    /// Its number.
    pub number: u32,
    /// Its hash.
    pub hash: Hex<32>,
}

impl From<sealed_register::finalized::BlockRef> for BlockInfo {
    fn from(block: sealed_register::finalized::BlockRef) -> Self {
        Self { number: block.number, hash: Hex(block.hash) }
    }
}

/// `wattseal_vault`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VaultInfo {
    /// The account that signs receipts, which read requests name.
    pub account: Account,
    /// The same as an address.
    pub address: String,
    /// Genesis hash of the chain.
    pub genesis: Hex<32>,
    /// The newest finalised block.
    pub finalised: BlockInfo,
    /// Batches in the vault.
    pub batches: u64,
    /// Cells in the vault.
    pub cells: u64,
    /// Size of the vault's file, bytes.
    pub bytes: u64,
    /// Receipts written.
    pub receipts: u64,
    /// The utility that this node seals and delivers for, if any.
    pub utility: Option<Organisation>,
}

/// Epoch and days for which a reader holds keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentParam {
    /// Key epoch.
    pub epoch: u32,
    /// First day.
    pub first: Day,
    /// Last day, included.
    pub last: Day,
}

/// How much a proof repeats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FormParam {
    /// As small as can be.
    #[default]
    Compact,
    /// With every hash, so that what does not fit can be named.
    Explained,
}

impl From<FormParam> for Form {
    fn from(form: FormParam) -> Self {
        match form {
            FormParam::Compact => Self::Compact,
            FormParam::Explained => Self::Explained,
        }
    }
}

/// Options of `wattseal_read`, which are not signed: they change how much is sent, not what may be read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadOptions {
    /// Epochs and days that the reader holds keys for; cells of others come without words. At most 64.
    #[serde(default)]
    pub segments: Vec<SegmentParam>,
    /// Form of the proof.
    #[serde(default)]
    pub form: FormParam,
}

/// Most segments of a request.
pub const MAX_SEGMENTS: usize = 64;

impl ReadOptions {
    /// The segments.
    ///
    /// # Errors
    /// The reason, for people.
    pub fn segments(&self) -> Result<Vec<Segment>, String> {
        if self.segments.len() > MAX_SEGMENTS {
            return Err(format!("at most {MAX_SEGMENTS} segments may be named"));
        }
        let segment = |SegmentParam { epoch, first, last }: &SegmentParam| {
            let days = DayRange::new(first.0, last.0).ok_or("a segment's last day is before its first")?;
            Ok(Segment { epoch: *epoch, days })
        };
        self.segments.iter().map(segment).collect()
    }
}

/// What an answer's proof leads to, and where it stands on chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootInfo {
    /// The utility.
    pub utility: Organisation,
    /// The shard.
    pub shard: u16,
    /// Leading bits of a MeterId that number the utility's shards.
    pub shard_bits: u8,
    /// Number of the shard's newest batch.
    pub batch_sequence: u32,
    /// Its root.
    pub root: Hex<32>,
    /// Number of a finalised block in whose state it is the newest.
    pub block: u32,
    /// Hash of that block.
    pub block_hash: Hex<32>,
}

/// A statement with its signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedText {
    /// The text, without `<Bytes>`.
    pub text: String,
    /// sr25519 signature over `<Bytes>` text `</Bytes>`.
    pub signature: Hex<64>,
}

/// What kind of proof an answer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProofKind {
    /// A range proof.
    Range,
    /// A proof that nothing was published about the meter and channel.
    Absence,
}

/// `wattseal_read`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadAnswer {
    /// What the proof is.
    pub kind: ProofKind,
    /// The proof, encoded.
    pub proof: HexBytes,
    /// What it leads to. A reader takes this from another source (protocol section 6) and compares.
    pub root: RootInfo,
    /// The receipt; a client refuses answers without one.
    pub receipt: SignedText,
}

/// `wattseal_requestDelivery`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryRequest {
    /// Text of the consent statement.
    pub statement: String,
    /// The customer's signature.
    pub signature: Hex<64>,
    /// The vendor's short name.
    pub vendor: Organisation,
    /// The secret of the vendor's request.
    pub secret: Hex<32>,
}

/// `wattseal_requestMeterKey`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeterKeyRequest {
    /// Text of the claim statement.
    pub statement: String,
    /// The ticket key's signature.
    pub signature: Hex<64>,
    /// The customer's X-Wing public key.
    #[serde(rename = "kemPublic")]
    pub kem_public: HexBytes,
}

/// `wattseal_relay`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelayRequest {
    /// Text of a claim, consent, revoke or narrow statement.
    pub statement: String,
    /// Its signature.
    pub signature: Hex<64>,
}

/// State of a queued request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

/// Who delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DelivererParam {
    /// The utility.
    Utility,
    /// The customer.
    Customer,
}

impl From<DelivererParam> for Deliverer {
    fn from(deliverer: DelivererParam) -> Self {
        match deliverer {
            DelivererParam::Utility => Self::Utility,
            DelivererParam::Customer => Self::Customer,
        }
    }
}

/// `wattseal_sealed`, `wattseal_sealedMeterKey`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedDelivery {
    /// Number of the block that carries it.
    pub block: u32,
    /// Its hash.
    pub block_hash: Hex<32>,
    /// Index of the extrinsic.
    pub extrinsic: u32,
    /// The sealed bytes.
    pub sealed: HexBytes,
}

/// One entry of `wattseal_planMeters`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MeterPlan {
    /// The meter's ESI ID.
    pub esi_id: String,
    /// Number of the tenancy, from 0.
    pub tenancy: u32,
    /// Number of the ticket; without it the newest on chain, or 1 for a meter that is not registered.
    #[serde(default)]
    pub issue: Option<u32>,
}

/// What a utility needs to register a meter and to send its customer the ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedMeter {
    /// The MeterId.
    pub meter_id: Meter,
    /// The ticket, for the customer alone.
    pub ticket: String,
    /// The ticket's public key, for the chain.
    pub ticket_key: Hex<32>,
    /// Number of the ticket.
    pub issue: u32,
    /// Whether the meter is on chain.
    pub registered: bool,
}

/// Hash as [`Hex`].
impl From<Hash> for Hex<32> {
    fn from(hash: Hash) -> Self {
        Self(hash)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failed unwrap is a failed test
    use super::*;
    use serde_json::{from_value, json, to_value};

    #[test]
    fn values_have_one_written_form() {
        let segment: SegmentParam =
            from_value(json!({"epoch": 2, "first": "2022-03-01", "last": "2022-03-31"})).unwrap();
        assert_eq!(segment.last.0 .0 - segment.first.0 .0, 30);
        assert_eq!(to_value(&segment).unwrap()["first"], "2022-03-01");
        let meter: Meter = from_value(json!("0x000102030405060708090a0b0c0d0e0f")).unwrap();
        assert_eq!(to_value(meter).unwrap(), json!("0x000102030405060708090a0b0c0d0e0f"));
        assert!(from_value::<Meter>(json!("0x00")).is_err());
        assert!(from_value::<Day>(json!("2022-02-30")).is_err());
        assert!(from_value::<Hex<2>>(json!("0x0a0b0c")).is_err());
        assert_eq!(from_value::<Hex<2>>(json!("0x0A0b")).unwrap(), Hex([10, 11]));
        let options: ReadOptions = from_value(json!({})).unwrap();
        assert_eq!(options, ReadOptions::default());
        let reversed = json!({"segments": [{"epoch": 0, "first": "2022-03-02", "last": "2022-03-01"}]});
        assert!(from_value::<ReadOptions>(reversed).unwrap().segments().is_err());
    }

    #[test]
    fn accounts_are_read_as_digits_and_as_addresses() {
        let account = Account([7; 32]);
        assert_eq!(from_value::<Account>(json!(account.address())).unwrap(), account);
        assert_eq!(from_value::<Account>(to_value(account).unwrap()).unwrap(), account);
        assert!(from_value::<Account>(json!("somebody")).is_err());
    }

    #[test]
    fn queue_states_name_themselves() {
        assert_eq!(to_value(QueueState::Waiting).unwrap(), json!({"state": "waiting"}));
        let refused = QueueState::Refused { reason: "why".into() };
        assert_eq!(to_value(refused).unwrap(), json!({"state": "refused", "reason": "why"}));
    }
}
