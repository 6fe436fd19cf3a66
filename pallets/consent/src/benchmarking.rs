//! What each call costs on its longest way, and what the chain does by itself. `scripts/weights` runs these.
//!
//! A meter has as many standing consents as it may have, and its epoch rises.
#![allow(clippy::expect_used, reason = "a benchmark that cannot be set up should stop")]

use crate::*;
use alloc::{vec, vec::Vec};
use frame_benchmarking::v2::*;
use frame_system::RawOrigin;
use pallet_meters::{
    benchmarking::{claimed, go_to, meter_id, new_key, sign, utility, Utility, BLOCK, TENANCY_START, TODAY},
    TenancyEnded, LONGEST_STATEMENT,
};
use pallet_participants::Today;
use sealed_register::{
    delivery::{ConsentTerms, Deliverer, Purpose, Segment},
    grantee::grantee_hash,
    kem::OVERHEAD_BYTES,
    statement,
    tree::{Cover, LAST_DAY},
    Channels, DayRange, Level, MeterId, OperatingDay,
};
use sp_core::sr25519;
use wattseal_primitives::consent::ConsentId;

/// Secret of the requests.
const SECRET: [u8; 32] = [5; 32];
/// Last valid block of the statements.
const LAST_BLOCK: u32 = BLOCK + LONGEST_STATEMENT;
/// Fewest bytes of a delivery of as many segments as there may be, one key for each.
const FEWEST_BYTES: u32 = 7_000;

fn days(first: u16, last: u16) -> DayRange {
    DayRange { first: OperatingDay(first), last: OperatingDay(last) }
}

/// Everything of this meter from its first day on, to be read for a year. Consents of one meter differ in their text.
fn terms(utility: &Utility, meter: MeterId, text: u8) -> ConsentTerms {
    ConsentTerms {
        utility: utility.id,
        meter,
        grantee: grantee_hash(&utility.id, &SECRET),
        channels: Channels::Both,
        level: Level::Quarter,
        data: days(TENANCY_START.0, TODAY.0 + 365),
        access: days(TODAY.0, TODAY.0 + 365),
        purpose: Purpose::SolarSizing,
        text_hash: [text; 32],
    }
}

fn statement<T: Config>(terms: ConsentTerms, customer: &sr25519::Public) -> statement::Consent {
    statement::Consent {
        genesis: pallet_meters::Pallet::<T>::genesis(),
        terms,
        customer: customer.0,
        last_valid_block: LAST_BLOCK,
    }
}

/// Enters a consent.
fn give<T: Config>(terms: ConsentTerms, customer: &sr25519::Public) -> ConsentId {
    let statement = statement::<T>(terms, customer);
    Pallet::<T>::do_consent(&statement, &sign(customer, &statement)).expect("the customer holds the meter");
    statement.id()
}

/// A claimed meter with this many standing consents, and the newest of them.
fn standing<T: Config>(utility: &Utility, customer: &sr25519::Public, count: u32) -> Vec<ConsentId> {
    let meter = meter_id(0);
    claimed::<T>(utility, meter, customer);
    (0..count).map(|text| give::<T>(terms(utility, meter, text as u8), customer)).collect()
}

fn has_ended<T: Config>(consent: &ConsentId) -> bool {
    Consents::<T>::get(consent).is_some_and(|consent| consent.ended.is_some())
}

/// A plan with as many segments as there may be whose delivery has about this many bytes, for a consent to days of one
/// channel. The last segment is all of `data`.
fn segments(data: DayRange, bytes: u32) -> Vec<Segment> {
    // Days 1 to 2^n - 1 take n keys, as do 2^13, 2^13 + 2^12, ... days from 2^14 on.
    let range = |keys: u32| {
        let (low, high) = (keys.min(14), keys.saturating_sub(14).min(14));
        days(1, ((1 << low) - 1 + (1 << 14) - (1 << (14 - high))) as u16)
    };
    let head = 6 + MAX_SEGMENTS as usize * 8 + OVERHEAD_BYTES;
    let of_data = Cover::node_count(data).expect("the data lies in the trees");
    let others = MAX_SEGMENTS as usize - 1;
    let keys = ((bytes as usize).saturating_sub(head) / 32).saturating_sub(of_data);
    let (each, more) = (keys / others, keys % others);
    let older = (0..others).map(|index| range((each + usize::from(index < more)).max(1) as u32));
    let days = older.chain([data]);
    (0..).zip(days).map(|(epoch, days)| Segment { epoch, days }).collect()
}

/// The bytes of a delivery of this plan, with something in place of the keys.
fn envelope(segments: &[Segment]) -> Vec<u8> {
    let mut bytes = b"wsd1".to_vec();
    bytes.extend_from_slice(&(segments.len() as u16).to_le_bytes());
    for segment in segments {
        bytes.extend_from_slice(&segment.epoch.to_le_bytes());
        bytes.extend_from_slice(&segment.days.first.0.to_le_bytes());
        bytes.extend_from_slice(&segment.days.last.0.to_le_bytes());
    }
    let keys: usize =
        segments.iter().map(|segment| Cover::node_count(segment.days).expect("the days lie in the trees")).sum();
    bytes.resize(bytes.len() + OVERHEAD_BYTES + 32 * keys, 0xa5);
    bytes
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn consent() {
        let (utility, customer) = (utility::<T>(), new_key());
        standing::<T>(&utility, &customer, MAX_STANDING - 1);
        let statement = statement::<T>(terms(&utility, meter_id(0), 255), &customer);
        let signature = sign(&customer, &statement);

        #[extrinsic_call]
        _(RawOrigin::Signed(utility.delivery), statement.terms, customer.into(), LAST_BLOCK, signature);

        assert!(Consents::<T>::contains_key(statement.id()));
    }

    #[benchmark]
    fn revoke() {
        let (utility, customer) = (utility::<T>(), new_key());
        let consents = standing::<T>(&utility, &customer, MAX_STANDING);
        let id = consents[0];
        let genesis = pallet_meters::Pallet::<T>::genesis();
        let signature = sign(&customer, &statement::Revoke { genesis, consent: id, last_valid_block: LAST_BLOCK });

        #[extrinsic_call]
        _(RawOrigin::Signed(utility.delivery), id, LAST_BLOCK, signature);

        assert!(has_ended::<T>(&id));
    }

    #[benchmark]
    fn narrow() {
        let (utility, customer) = (utility::<T>(), new_key());
        let id = standing::<T>(&utility, &customer, MAX_STANDING)[0];
        let (data, access) = (days(TENANCY_START.0 + 1, TODAY.0 + 300), days(TODAY.0 + 1, TODAY.0 + 300));
        let (channels, level) = (Channels::Consumption, Level::Quarter);
        let genesis = pallet_meters::Pallet::<T>::genesis();
        let last_valid_block = LAST_BLOCK;
        let statement = statement::Narrow { genesis, consent: id, channels, level, data, access, last_valid_block };
        let signature = sign(&customer, &statement);

        #[extrinsic_call]
        _(RawOrigin::Signed(utility.delivery), id, channels, level, data, access, LAST_BLOCK, signature);

        assert_eq!(Consents::<T>::get(id).map(|narrowed| narrowed.data), Some(data));
    }

    /// As many segments as there may be, whatever the length.
    #[benchmark]
    fn deliver(b: Linear<FEWEST_BYTES, MAX_DELIVERY_BYTES>) {
        let (utility, customer) = (utility::<T>(), new_key());
        claimed::<T>(&utility, meter_id(0), &customer);
        let data = DayRange { first: OperatingDay(1), last: LAST_DAY };
        let daily = ConsentTerms {
            channels: Channels::Consumption,
            level: Level::Day,
            data,
            ..terms(&utility, meter_id(0), 0)
        };
        let id = give::<T>(daily, &customer);
        let segments = segments(data, b);
        let sealed = envelope(&segments);
        assert!(sealed.len() <= b as usize && sealed.len() + 64 > b as usize);
        let epoch = MAX_SEGMENTS - 1;
        for _ in 0..epoch {
            go_to::<T>(pallet_meters::Pallet::<T>::now() + 1);
            pallet_meters::Pallet::<T>::raise_epoch(&utility.id, &meter_id(0));
        }
        go_to::<T>(pallet_meters::Pallet::<T>::now() + 1);
        frame_system::Pallet::<T>::set_extrinsic_index(1);
        let segments = segments.try_into().expect("at most MAX_SEGMENTS");
        let sealed = sealed.try_into().expect("at most MAX_DELIVERY_BYTES");

        #[extrinsic_call]
        _(RawOrigin::Signed(utility.delivery), id, epoch, segments, sealed);

        assert!(Deliveries::<T>::contains_key((id, epoch, Deliverer::Utility)));
    }

    #[benchmark]
    fn deliver_meter_key() {
        let (utility, customer) = (utility::<T>(), new_key());
        claimed::<T>(&utility, meter_id(0), &customer);
        frame_system::Pallet::<T>::set_extrinsic_index(1);
        let sealed = vec![0xa5; METER_KEY_BYTES as usize].try_into().expect("it has exactly this length");

        #[extrinsic_call]
        _(RawOrigin::Signed(utility.delivery), meter_id(0), 1_000_000_000, sealed);

        assert!(MeterKeyDeliveries::<T>::contains_key(utility.id, meter_id(0)));
    }

    #[benchmark]
    fn give_back() {
        let (utility, customer) = (utility::<T>(), new_key());
        let id = standing::<T>(&utility, &customer, MAX_STANDING)[0];

        #[extrinsic_call]
        _(RawOrigin::Signed(utility.own), id, SECRET);

        assert!(has_ended::<T>(&id));
    }

    #[benchmark]
    fn expire() {
        let (utility, customer) = (utility::<T>(), new_key());
        let id = standing::<T>(&utility, &customer, MAX_STANDING)[0];
        T::Clock::set_today(OperatingDay(TODAY.0 + 366));

        #[extrinsic_call]
        _(RawOrigin::Signed(utility.delivery), id);

        assert!(has_ended::<T>(&id));
    }

    #[benchmark]
    fn set_longest_term() {
        #[extrinsic_call]
        _(RawOrigin::Root, 730);

        assert_eq!(LongestTerm::<T>::get(), 730);
    }

    /// What `claim` and `close` of pallet-meters bring about: `n` consents of the meter end, and its delivered key counts
    /// no more.
    #[benchmark]
    fn end_standing(n: Linear<0, MAX_STANDING>) {
        let (utility, customer) = (utility::<T>(), new_key());
        let consents = standing::<T>(&utility, &customer, n);
        frame_system::Pallet::<T>::set_extrinsic_index(1);
        Pallet::<T>::do_deliver_meter_key(
            &utility.delivery,
            meter_id(0),
            1_000_000_000,
            &[0xa5; METER_KEY_BYTES as usize],
        )
        .expect("the customer holds the meter");
        let other = new_key().into();

        #[block]
        {
            <Pallet<T> as TenancyEnded>::claim_replaced(&utility.id, &meter_id(0), &other);
        }

        assert!(consents.iter().all(has_ended::<T>));
        assert!(!MeterKeyDeliveries::<T>::contains_key(utility.id, meter_id(0)));
    }

    /// A block's look for consents whose time is over: it goes through `d` days and ends `n` consents, each of another
    /// meter.
    #[benchmark]
    fn end_expired(d: Linear<1, DAYS_PER_BLOCK>, n: Linear<0, EXPIRATIONS_PER_BLOCK>) {
        let (utility, customers) = (utility::<T>(), [new_key(), new_key()]);
        let mut consents = Vec::new();
        for number in 0..n {
            // One account holds 16 meters at most.
            let customer = &customers[(number / pallet_meters::MAX_CLAIMS) as usize];
            claimed::<T>(&utility, meter_id(number), customer);
            let access = days(TODAY.0, TODAY.0);
            consents.push(give::<T>(ConsentTerms { access, ..terms(&utility, meter_id(number), 0) }, customer));
        }
        ExpiredThrough::<T>::put(OperatingDay(TODAY.0 - 1));
        T::Clock::set_today(OperatingDay(TODAY.0 + d as u16));

        #[block]
        {
            Pallet::<T>::end_expired();
        }

        assert!(consents.iter().all(has_ended::<T>));
        assert_eq!(ExpiredThrough::<T>::get(), Some(OperatingDay(TODAY.0 + d as u16 - 1)));
    }
}
