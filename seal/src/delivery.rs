//! Deliveries: the keys of a consent, sealed to its reader, and a meter's key, sealed to its customer (protocol section 8).

mod meter_key;
mod sealed;

pub use meter_key::{open_meter_key, seal_meter_key, MeterKeyContext, METER_KEY_BYTES};
pub use sealed::{
    delivery_hash, find_delivery, open_delivery, seal_delivery, Delivery, DeliveryContext, DeliveryError, Envelope,
    GrantedTree, MAX_DELIVERY_BYTES, MAX_SEGMENTS,
};

use crate::{
    tree::{Cover, DayBeyondTree, LAST_DAY},
    types::{Channels, DayRange, Hash, Level, MeterId, OperatingDay, OrganisationId},
    verified::VerifiedRange,
};
use alloc::{collections::BTreeMap, vec::Vec};

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
    /// Hash of the vendor's short name and its secret ([`crate::grantee::grantee_hash`]).
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
    /// Keyed hash of the language and text that the customer was shown ([`crate::plain_words::text_hash`]).
    pub text_hash: Hash,
}

/// Why terms can never be served. Decoded terms must be checked: a decoder does not look at the order of days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTerms {
    /// The data range ends before it begins.
    #[error("the data range ends on {last}, before it begins on {first}: exchange the two days")]
    Data {
        /// Its first day.
        first: OperatingDay,
        /// Its last day.
        last: OperatingDay,
    },
    /// The access window ends before it begins.
    #[error("the access window ends on {last}, before it begins on {first}: exchange the two days")]
    Access {
        /// Its first day.
        first: OperatingDay,
        /// Its last day.
        last: OperatingDay,
    },
    /// The data range reaches beyond the key trees.
    #[error(transparent)]
    Beyond(#[from] DayBeyondTree),
}

/// Checks a data range and an access window: each begins before it ends, and keys exist for the data.
///
/// # Errors
/// [`InvalidTerms`].
pub fn check_ranges(data: DayRange, access: DayRange) -> Result<(), InvalidTerms> {
    if !data.is_valid() {
        return Err(InvalidTerms::Data { first: data.first, last: data.last });
    }
    if !access.is_valid() {
        return Err(InvalidTerms::Access { first: access.first, last: access.last });
    }
    if data.last > LAST_DAY {
        return Err(DayBeyondTree(data.last).into());
    }
    Ok(())
}

/// What a narrowing would widen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Widening {
    /// Channels.
    #[error("it adds a channel")]
    Channels,
    /// Resolution.
    #[error("its resolution is finer")]
    Level,
    /// Operating days.
    #[error("its data range has more days")]
    Data,
    /// Days of fetching.
    #[error("its access window has more days")]
    Access,
    /// A range that ends before it begins.
    #[error("a range of it ends before it begins")]
    Invalid,
}

impl ConsentTerms {
    /// Checks the two ranges, see [`check_ranges`].
    ///
    /// # Errors
    /// [`InvalidTerms`].
    pub fn check(&self) -> Result<(), InvalidTerms> {
        check_ranges(self.data, self.access)
    }

    /// The terms with less allowed. Equal is not wider: the result may be these same terms.
    ///
    /// # Errors
    /// [`Widening`] with the first thing that would become wider.
    pub fn narrowed(
        &self,
        channels: Channels,
        level: Level,
        data: DayRange,
        access: DayRange,
    ) -> Result<Self, Widening> {
        if !data.is_valid() || !access.is_valid() {
            return Err(Widening::Invalid);
        }
        if !self.channels.includes(channels) {
            return Err(Widening::Channels);
        }
        if level > self.level {
            return Err(Widening::Level);
        }
        if !self.data.includes(&data) {
            return Err(Widening::Data);
        }
        if !self.access.includes(&access) {
            return Err(Widening::Access);
        }
        Ok(Self { channels, level, data, access, ..*self })
    }

    /// The fields in fixed width, as they enter what a delivery is bound to: utility (16 bytes, zero-padded), meter
    /// (16), grantee (32), channels, level, first and last day of the data and of the access window (2 each), purpose,
    /// text hash (32).
    fn write_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.utility.padded());
        out.extend_from_slice(&self.meter.0);
        out.extend_from_slice(&self.grantee);
        out.extend_from_slice(&[self.channels as u8, self.level as u8]);
        for day in [self.data.first, self.data.last, self.access.first, self.access.last] {
            out.extend_from_slice(&day.0.to_le_bytes());
        }
        out.push(self.purpose as u8);
        out.extend_from_slice(&self.text_hash);
    }
}

/// The segments that a reader of `data` needs: for each older epoch under which a day of it was sealed, that epoch's part
/// of it; for the present epoch the whole of it, so that later amendments of old days open too. Epochs ascending.
///
/// `history` says which days were sealed under which epoch, in any order; several entries of an epoch are taken together
/// from the first day to the last. Entries of the present epoch add nothing, and later ones cannot exist.
pub fn plan_segments(history: &[(u32, DayRange)], present_epoch: u32, data: DayRange) -> Vec<Segment> {
    let mut older: BTreeMap<u32, DayRange> = BTreeMap::new();
    for (epoch, sealed) in history.iter().filter(|(epoch, _)| *epoch < present_epoch) {
        // Cut first: what lies between two parts outside the data must not bring days of another part in.
        if let Some(part) = sealed.intersection(&data) {
            let whole = older.entry(*epoch).or_insert(part);
            *whole = DayRange { first: whole.first.min(part.first), last: whole.last.max(part.last) };
        }
    }
    let present = Segment { epoch: present_epoch, days: data };
    older.into_iter().map(|(epoch, days)| Segment { epoch, days }).chain([present]).collect()
}

/// Where a delivery's keys are to be tested before they are trusted: for each node of each segment's cover the first day
/// below it on which `cells` has readings of that epoch, as a segment of this one day.
///
/// Reading exactly these segments with the delivered keys tests every node of every tree of the channel that can be
/// tested; a node without a day here has no cell yet. `cells` needs no words: a range read without segments will do.
///
/// # Errors
/// [`DayBeyondTree`] if a segment ends after [`LAST_DAY`].
pub fn sample_days(segments: &[Segment], cells: &VerifiedRange) -> Result<Vec<Segment>, DayBeyondTree> {
    let mut samples = Vec::new();
    for Segment { epoch, days } in segments {
        let sealed = |day: &OperatingDay| {
            let revisions = cells.revisions(*day);
            revisions.iter().map(|cell| cell.header()).any(|header| header.epoch == *epoch && header.has_words())
        };
        for node in Cover::node_ranges(*days)? {
            let day = node.iter().find(sealed);
            samples.extend(day.map(|day| Segment { epoch: *epoch, days: DayRange { first: day, last: day } }));
        }
    }
    Ok(samples)
}
