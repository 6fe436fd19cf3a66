//! Meters as held by one customer.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sealed_register::{Channels, Hash, MeterId, OperatingDay};
use wattseal_ingest::chain::{LARGE_COMMERCIAL_WH, RESIDENTIAL_WH, SMALL_COMMERCIAL_WH};

/// Kind of customer, which bounds one interval's energy and the length of consents (PUCT docket 47472).
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    serde::Serialize,
    serde::Deserialize,
)]
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
    /// Greatest energy of one 15-minute interval, Wh; more is an input error (protocol section 3).
    pub fn max_wh_per_interval(self) -> u32 {
        match self {
            Self::Residential => RESIDENTIAL_WH,
            Self::SmallCommercial => SMALL_COMMERCIAL_WH,
            Self::LargeCommercial => LARGE_COMMERCIAL_WH,
        }
    }

    /// Whether a consent may last at most the council's longest term (12 months by rule).
    pub fn has_longest_consent(self) -> bool {
        !matches!(self, Self::LargeCommercial)
    }
}

/// One entry of a utility's bulk registration.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct MeterEntry {
    /// The meter.
    pub meter: MeterId,
    /// Kind of customer.
    pub class: MeterClass,
    /// Channels that the meter records.
    pub channels: Channels,
    /// First day of this tenancy.
    pub tenancy_start: OperatingDay,
    /// Number of the claim ticket; a ticket with a higher number replaces the one before.
    pub ticket_issue: u32,
    /// sr25519 public key of the claim ticket.
    pub ticket_key: Hash,
}

/// Who holds the meter.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Claim<AccountId, BlockNumber> {
    /// The customer's account (a pseudonym).
    pub customer: AccountId,
    /// Hash of the customer's X-Wing key (protocol section 7).
    pub kem_hash: Hash,
    /// Issue of the ticket that proved it.
    pub ticket_issue: u32,
    /// Block of the claim.
    pub claimed_at: BlockNumber,
}

/// A meter as it stands on chain.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Meter<AccountId, BlockNumber> {
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
    pub claim: Option<Claim<AccountId, BlockNumber>>,
    /// Number of the present key epoch, from 0.
    pub epoch: u32,
    /// Block in which it began.
    pub epoch_since: BlockNumber,
}

impl<AccountId, BlockNumber> Meter<AccountId, BlockNumber> {
    /// Whether readings of the day belong to this tenancy.
    pub fn covers(&self, day: OperatingDay) -> bool {
        self.tenancy_start <= day && self.tenancy_end.is_none_or(|end| day <= end)
    }
}
