//! Organisations of the consortium and vendors.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::ConstU32;
use sp_runtime::BoundedVec;

/// Text of at most `N` bytes of UTF-8.
pub type Text<const N: u32> = BoundedVec<u8, ConstU32<N>>;

/// Bytes of an X-Wing public key (draft-connolly-cfrg-xwing-kem).
pub const KEM_PUBLIC_BYTES: u32 = 1_216;

/// What an organisation is in the market, and so what it may do here.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    serde::Serialize,
    serde::Deserialize,
)]
pub enum Role {
    /// ERCOT: admits vendors.
    #[codec(index = 0)]
    GridOperator,
    /// A TDSP: registers meters, seals and commits readings, delivers keys.
    #[codec(index = 1)]
    Utility,
    /// A REP of record: relays its customers' statements.
    #[codec(index = 2)]
    Retailer,
    /// A service that customers let in: relays consents, reads.
    #[codec(index = 3)]
    Vendor,
    /// The PUC.
    #[codec(index = 4)]
    Regulator,
    /// The consumer counsel.
    #[codec(index = 5)]
    ConsumerCounsel,
}

/// Whether an organisation may act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub enum Standing {
    /// Yes.
    #[codec(index = 0)]
    Admitted,
    /// Not until reinstated.
    #[codec(index = 1)]
    Suspended,
}

/// One organisation as it stands on chain.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Organisation<AccountId, BlockNumber> {
    /// What it is.
    pub role: Role,
    /// Its name for people.
    pub name: Text<64>,
    /// The account that speaks for it.
    pub account: AccountId,
    /// Where its node answers, for example `wss://node.example.org`; empty if it runs none.
    pub endpoint: Text<128>,
    /// Whether it may act.
    pub standing: Standing,
    /// Block of its admission.
    pub admitted_at: BlockNumber,
}

/// An organisation's X-Wing public key, to which deliveries are sealed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct KemKey {
    /// The key, 1,216 bytes.
    pub key: BoundedVec<u8, ConstU32<KEM_PUBLIC_BYTES>>,
    /// Last day (Central Standard Time) on which anything may be sealed to it: 31 days after it was set (protocol section 8).
    pub last_day: sealed_register::OperatingDay,
}

/// What an operational account of a utility signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub enum Duty {
    /// Meters and batches.
    #[codec(index = 0)]
    Feed,
    /// Deliveries and relays.
    #[codec(index = 1)]
    Delivery,
}
