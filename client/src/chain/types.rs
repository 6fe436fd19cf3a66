//! What stands on chain, as this client decodes it. The fields are those of the chain's own types, in their order.

use codec::{Decode, Encode};
use sealed_register::{
    delivery::{ConsentTerms, Deliverer, Purpose},
    Channel, Channels, DayRange, Hash, Level, MeterId, OperatingDay, OrganisationId,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Public key of an account.
pub type AccountId = [u8; 32];

/// Text of UTF-8, as the chain stores names and addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Text(pub Vec<u8>);

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.0))
    }
}

/// Kind of customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MeterClass {
    /// A home.
    #[codec(index = 0)]
    Residential,
    /// Below 15,000 kWh in each month.
    #[codec(index = 1)]
    SmallCommercial,
    /// Everything larger.
    #[codec(index = 2)]
    LargeCommercial,
}

impl MeterClass {
    /// All classes with the words for files and tables.
    pub const WORDS: [(Self, &'static str); 3] = [
        (Self::Residential, "residential"),
        (Self::SmallCommercial, "small_commercial"),
        (Self::LargeCommercial, "large_commercial"),
    ];

    /// The class of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        let same = |known: &str| known.eq_ignore_ascii_case(word) || known.replace('_', "").eq_ignore_ascii_case(word);
        Self::WORDS.into_iter().find(|(_, known)| same(known)).map(|(class, _)| class)
    }
}

impl fmt::Display for MeterClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = Self::WORDS.iter().find(|(class, _)| class == self).map_or("", |(_, word)| word);
        f.write_str(word)
    }
}

/// One entry of a utility's bulk registration.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct MeterEntry {
    /// The meter.
    pub meter: MeterId,
    /// Kind of customer.
    pub class: MeterClass,
    /// Channels that the meter records.
    pub channels: Channels,
    /// First day of this tenancy.
    pub tenancy_start: OperatingDay,
    /// Number of the claim ticket.
    pub ticket_issue: u32,
    /// sr25519 public key of the claim ticket.
    pub ticket_key: Hash,
}

/// Who holds a meter.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Claim {
    /// The customer's account.
    pub customer: AccountId,
    /// Hash of the customer's X-Wing key.
    pub kem_hash: Hash,
    /// Issue of the ticket that proved it.
    pub ticket_issue: u32,
    /// Block of the claim.
    pub claimed_at: u32,
}

/// A meter.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Meter {
    /// Kind of customer.
    pub class: MeterClass,
    /// Channels that the meter records.
    pub channels: Channels,
    /// First day of this tenancy.
    pub tenancy_start: OperatingDay,
    /// Last day of this tenancy, once it has ended.
    pub tenancy_end: Option<OperatingDay>,
    /// Number of the newest claim ticket.
    pub ticket_issue: u32,
    /// sr25519 public key of that ticket.
    pub ticket_key: Hash,
    /// Who holds the meter, once claimed.
    pub claim: Option<Claim>,
    /// Number of the present key epoch, from 0.
    pub epoch: u32,
    /// Block in which it began.
    pub epoch_since: u32,
}

/// What an organisation is in the market.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// ERCOT.
    #[codec(index = 0)]
    GridOperator,
    /// A TDSP.
    #[codec(index = 1)]
    Utility,
    /// A REP of record.
    #[codec(index = 2)]
    Retailer,
    /// A service that customers let in.
    #[codec(index = 3)]
    Vendor,
    /// The PUC.
    #[codec(index = 4)]
    Regulator,
    /// The consumer counsel.
    #[codec(index = 5)]
    ConsumerCounsel,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::GridOperator => "grid operator",
            Self::Utility => "utility (TDSP)",
            Self::Retailer => "REP of record",
            Self::Vendor => "vendor",
            Self::Regulator => "regulator",
            Self::ConsumerCounsel => "consumer counsel",
        })
    }
}

/// Whether an organisation may act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Yes.
    #[codec(index = 0)]
    Admitted,
    /// Not until reinstated.
    #[codec(index = 1)]
    Suspended,
}

/// One organisation.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Organisation {
    /// What it is.
    pub role: Role,
    /// Its name for people.
    pub name: Text,
    /// The account that speaks for it.
    pub account: AccountId,
    /// Where its node answers; empty if it runs none.
    pub endpoint: Text,
    /// Whether it may act.
    pub standing: Standing,
    /// Block of its admission.
    pub admitted_at: u32,
}

/// An organisation's X-Wing public key.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct KemKey {
    /// The key, 1,216 bytes.
    pub key: Vec<u8>,
    /// Last day (Central Standard Time) on which anything may be sealed to it.
    pub last_day: OperatingDay,
}

/// What an operational account of a utility signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Duty {
    /// Meters and batches.
    #[codec(index = 0)]
    Feed,
    /// Deliveries and relays.
    #[codec(index = 1)]
    Delivery,
}

/// Why a consent no longer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentEnd {
    /// The customer revoked it.
    #[codec(index = 0)]
    Revoked,
    /// Its last access day passed.
    #[codec(index = 1)]
    Expired,
    /// The vendor gave it back.
    #[codec(index = 2)]
    GivenBack,
    /// The tenancy ended.
    #[codec(index = 3)]
    TenancyEnded,
}

impl fmt::Display for ConsentEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Revoked => "revoked",
            Self::Expired => "expired",
            Self::GivenBack => "given back",
            Self::TenancyEnded => "tenancy ended",
        })
    }
}

/// A consent.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Consent {
    /// The utility that measures.
    pub utility: OrganisationId,
    /// The meter.
    pub meter: MeterId,
    /// The customer who signed.
    pub customer: AccountId,
    /// Hash of the vendor's account and the request's secret.
    pub grantee: Hash,
    /// Channels that may be read.
    pub channels: Channels,
    /// Finest resolution that may be read.
    pub level: Level,
    /// Operating days that may be read.
    pub data: DayRange,
    /// Days (Central Standard Time) on which they may be read.
    pub access: DayRange,
    /// What for.
    pub purpose: Purpose,
    /// Hash of the text that the customer was shown.
    pub text_hash: Hash,
    /// Block in which it was given.
    pub given_at: u32,
    /// Why and in which block it ended, once it has.
    pub ended: Option<(ConsentEnd, u32)>,
}

impl Consent {
    /// The terms as they stand now.
    pub fn terms(&self) -> ConsentTerms {
        ConsentTerms {
            utility: self.utility,
            meter: self.meter,
            grantee: self.grantee,
            channels: self.channels,
            level: self.level,
            data: self.data,
            access: self.access,
            purpose: self.purpose,
            text_hash: self.text_hash,
        }
    }
}

/// Where a sealed delivery lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct DeliverySlot {
    /// Block that carries it.
    pub block: u32,
    /// Index of the extrinsic in that block.
    pub extrinsic: u32,
    /// Length of the sealed bytes.
    pub length: u32,
    /// Hash of the sealed bytes ([`sealed_register::delivery::delivery_hash`]).
    pub hash: Hash,
    /// Who delivered.
    pub deliverer: Deliverer,
}

/// A committed batch.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Batch {
    /// Merkle root over the heads of all streams of the shard after this batch.
    pub root: Hash,
    /// Hash over the hashes of the body's chunks.
    pub body_hash: Hash,
    /// Length of the body, bytes.
    pub body_bytes: u32,
    /// Number of new cells.
    pub cells: u32,
    /// Days that the new cells lie in.
    pub days: DayRange,
    /// Block in whose state the cells' epochs were read.
    pub as_of: u32,
    /// Block that carries the commitment.
    pub committed_at: u32,
}

/// A shard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct ShardState {
    /// Number of batches so far.
    pub next_sequence: u32,
    /// Root after the newest batch; zero before the first.
    pub root: Hash,
}

/// What a vault asks the runtime before it serves.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ReadQuery {
    /// Who asks.
    pub account: AccountId,
    /// The request's secret; zero when the customer reads her own meter.
    pub secret: [u8; 32],
    /// The consent; `None` when the customer reads her own meter.
    pub consent: Option<Hash>,
    /// The utility that measures.
    pub utility: OrganisationId,
    /// The meter.
    pub meter: MeterId,
    /// Channel.
    pub channel: Channel,
    /// Operating days.
    pub range: DayRange,
    /// Resolution.
    pub level: Level,
}

/// Why nobody may read, with the number that is the same in the runtime, in JSON-RPC (7100 + number) and here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum ReadRefusal {
    /// No such meter.
    #[codec(index = 0)]
    UnknownMeter,
    /// No such consent.
    #[codec(index = 1)]
    UnknownConsent,
    /// The consent is for another meter.
    #[codec(index = 2)]
    OtherMeter,
    /// The organisation for which the account speaks and the secret do not give the consent's grantee.
    #[codec(index = 3)]
    NotTheGrantee,
    /// The account speaks for no admitted vendor.
    #[codec(index = 4)]
    NotAdmitted,
    /// The consent was revoked.
    #[codec(index = 5)]
    Revoked,
    /// The consent has expired.
    #[codec(index = 6)]
    Expired,
    /// The vendor gave the consent back.
    #[codec(index = 7)]
    GivenBack,
    /// The tenancy has ended.
    #[codec(index = 8)]
    TenancyEnded,
    /// The access window has not begun.
    #[codec(index = 9)]
    NotYet,
    /// A day lies outside the consent.
    #[codec(index = 10)]
    OutsideDays,
    /// The consent's resolution is coarser.
    #[codec(index = 11)]
    LevelNotGranted,
    /// The channel is not in the consent.
    #[codec(index = 12)]
    ChannelNotGranted,
    /// The account is not the customer who holds the meter.
    #[codec(index = 13)]
    NotTheCustomer,
    /// The secret is all zero.
    #[codec(index = 14)]
    NoSecret,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failed unwrap is a failed test
    use super::*;

    #[test]
    fn classes_read_back_in_either_spelling() {
        for (class, word) in MeterClass::WORDS {
            assert_eq!(MeterClass::from_word(word), Some(class));
            assert_eq!(class.to_string(), word);
        }
        assert_eq!(MeterClass::from_word("SmallCommercial"), Some(MeterClass::SmallCommercial));
        assert_eq!(MeterClass::from_word("industrial"), None);
    }

    #[test]
    fn an_organisation_is_decoded_field_by_field() {
        let organisation = Organisation {
            role: Role::Utility,
            name: Text(b"Utility (TDSP)".to_vec()),
            account: [7; 32],
            endpoint: Text::default(),
            standing: Standing::Admitted,
            admitted_at: 3,
        };
        let bytes = organisation.encode();
        assert_eq!(bytes.first(), Some(&1));
        assert_eq!(Organisation::decode(&mut bytes.as_slice()).unwrap(), organisation);
    }
}
