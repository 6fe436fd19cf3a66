//! The calls that this client makes.

use super::types::MeterEntry;
use sealed_register::{
    delivery::Segment,
    grantee::GranteeSecret,
    kem::KemPublic,
    statement::{self, Signed},
    Hash, MeterId, OperatingDay,
};

/// A call. Statements carry their signers' signatures, so anybody in the consortium can send them.
#[derive(Clone, Debug, PartialEq)]
pub enum Call {
    /// Registers meters or brings them up to date, at most 256; by the utility's or its feed account.
    SyncMeters(Vec<MeterEntry>),
    /// Ends a tenancy; by the utility's or its feed account.
    CloseMeter {
        /// The meter.
        meter: MeterId,
        /// Its last day.
        last_day: OperatingDay,
    },
    /// Carries a claim.
    Claim(Signed<statement::Claim>),
    /// Carries a consent.
    Consent(Signed<statement::Consent>),
    /// Carries a revocation.
    Revoke(Signed<statement::Revoke>),
    /// Carries a narrowing.
    Narrow(Signed<statement::Narrow>),
    /// Delivers the keys of a consent; by its customer or the utility's delivery account.
    Deliver {
        /// The consent.
        consent: Hash,
        /// The meter's present key epoch.
        epoch: u32,
        /// The segments.
        segments: Vec<Segment>,
        /// The sealed bytes.
        sealed: Vec<u8>,
    },
    /// Gives a consent back; by the vendor's own account.
    GiveBack {
        /// The consent.
        consent: Hash,
        /// The request's secret.
        secret: GranteeSecret,
    },
    /// Ends a consent whose last access day has passed.
    Expire(Hash),
    /// Sets the X-Wing key of the sender's organisation.
    SetKemKey(KemPublic),
}

impl Call {
    /// Most meters of one [`Call::SyncMeters`].
    pub const MAX_METERS: usize = 256;

    /// The call's name as the chain has it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::SyncMeters(_) => "meters.sync",
            Self::CloseMeter { .. } => "meters.close",
            Self::Claim(_) => "meters.claim",
            Self::Consent(_) => "consents.consent",
            Self::Revoke(_) => "consents.revoke",
            Self::Narrow(_) => "consents.narrow",
            Self::Deliver { .. } => "consents.deliver",
            Self::GiveBack { .. } => "consents.give_back",
            Self::Expire(_) => "consents.expire",
            Self::SetKemKey(_) => "participants.set_kem_key",
        }
    }
}
