//! Consents, deliveries, and the question whether somebody may read.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sealed_register::{
    delivery::{Deliverer, Purpose},
    Channel, Channels, DayRange, Hash, Level, MeterId, OrganisationId,
};

/// Name of a consent: the hash of the customer's statement.
pub type ConsentId = Hash;

/// Why a consent no longer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
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

/// A consent as it stands on chain. Which vendor it lets in is known only to whoever holds the request's secret.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Consent<AccountId, BlockNumber> {
    /// The utility that measures.
    pub utility: OrganisationId,
    /// The meter.
    pub meter: MeterId,
    /// The customer who signed.
    pub customer: AccountId,
    /// Hash of the vendor's short name and the request's secret.
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
    pub given_at: BlockNumber,
    /// Why and in which block it ended, once it has.
    pub ended: Option<(ConsentEnd, BlockNumber)>,
}

/// Where a sealed delivery lies: the window of `length` bytes with this hash in that extrinsic (protocol section 8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct DeliverySlot<BlockNumber> {
    /// Block that carries it.
    pub block: BlockNumber,
    /// Index of the extrinsic in that block.
    pub extrinsic: u32,
    /// Length of the sealed bytes.
    pub length: u32,
    /// `sealed_register::delivery::delivery_hash` of the sealed bytes.
    pub hash: Hash,
    /// Who delivered.
    pub deliverer: Deliverer,
}

/// What a vault asks the runtime before it serves (runtime API `may_read`).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct ReadQuery<AccountId> {
    /// Who asks.
    pub account: AccountId,
    /// The request's secret; zero when the customer reads her own meter.
    pub secret: [u8; 32],
    /// The consent; `None` when the customer reads her own meter.
    pub consent: Option<ConsentId>,
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

/// Why nobody may read: one code each, the same in the runtime, JSON-RPC and the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
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
    /// The secret is all zero, which hides no vendor: only the customer reads so, and names no consent.
    #[codec(index = 14)]
    NoSecret,
}
