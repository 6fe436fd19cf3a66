//! Deliveries: the keys of a consent, sealed to its reader (protocol section 8).

use crate::types::{Channels, DayRange, Hash, Level, MeterId, OrganisationId};

/// Days whose cells were, or will be, sealed under one key epoch of a meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "scale",
    derive(codec::Encode, codec::Decode, codec::DecodeWithMemTracking, codec::MaxEncodedLen, scale_info::TypeInfo)
)]
pub struct Segment {
    /// Key epoch of the meter.
    pub epoch: u32,
    /// Operating days, last one included.
    pub days: DayRange,
}

/// Who sealed a delivery. Either has all it takes: the utility issues the meter key, the customer receives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "scale",
    derive(codec::Encode, codec::Decode, codec::DecodeWithMemTracking, codec::MaxEncodedLen, scale_info::TypeInfo)
)]
#[repr(u8)]
pub enum Deliverer {
    /// The utility that measures.
    #[cfg_attr(feature = "scale", codec(index = 0))]
    Utility = 0,
    /// The customer who holds the meter.
    #[cfg_attr(feature = "scale", codec(index = 1))]
    Customer = 1,
}

/// What a reader wants the readings for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "scale",
    derive(codec::Encode, codec::Decode, codec::DecodeWithMemTracking, codec::MaxEncodedLen, scale_info::TypeInfo)
)]
#[repr(u8)]
pub enum Purpose {
    /// Advice on how to use less energy.
    #[cfg_attr(feature = "scale", codec(index = 0))]
    EnergyAdvice = 0,
    /// Choosing the size of a solar installation.
    #[cfg_attr(feature = "scale", codec(index = 1))]
    SolarSizing = 1,
    /// Taking part in demand response, and settling it.
    #[cfg_attr(feature = "scale", codec(index = 2))]
    DemandResponse = 2,
    /// Comparing electricity plans.
    #[cfg_attr(feature = "scale", codec(index = 3))]
    RateComparison = 3,
    /// Choosing or running a battery.
    #[cfg_attr(feature = "scale", codec(index = 4))]
    Storage = 4,
    /// Charging an electric vehicle.
    #[cfg_attr(feature = "scale", codec(index = 5))]
    ElectricVehicle = 5,
    /// Research.
    #[cfg_attr(feature = "scale", codec(index = 6))]
    Research = 6,
    /// Anything else; the text shown to the customer says what.
    #[cfg_attr(feature = "scale", codec(index = 7))]
    Other = 7,
}

/// What a customer allows (protocol section 7). It stands on chain; the vendor's name does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "scale",
    derive(codec::Encode, codec::Decode, codec::DecodeWithMemTracking, codec::MaxEncodedLen, scale_info::TypeInfo)
)]
pub struct ConsentTerms {
    /// The utility that measures.
    pub utility: OrganisationId,
    /// The meter, as held by this customer.
    pub meter: MeterId,
    /// Hash of the vendor's account and its secret ([`crate::grantee::grantee_hash`]).
    pub grantee: Hash,
    /// What may be read.
    pub channels: Channels,
    /// The finest resolution that may be read.
    pub level: Level,
    /// Operating days whose readings may be read.
    pub data: DayRange,
    /// Local days on which they may be fetched.
    pub access: DayRange,
    /// What for.
    pub purpose: Purpose,
    /// Hash of the language and text that the customer was shown ([`crate::plain_words::text_hash`]).
    pub text_hash: Hash,
}
