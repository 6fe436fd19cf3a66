//! Sealing to keys, deliveries of consents' keys, deliveries of meter keys.

use crate::{statements::terms, vector_file};
use proptest::{prelude::*, sample::select};
use sealed_register::{
    cell::SUITE,
    delivery::{
        delivery_hash, find_delivery, open_delivery, open_meter_key, plan_segments, seal_delivery, seal_meter_key,
        ConsentTerms, Deliverer, Delivery, DeliveryContext, DeliveryError, Envelope, MeterKeyContext, Purpose, Segment,
        MAX_DELIVERY_BYTES, METER_KEY_BYTES,
    },
    kem::{open_with, seal_to, KemError, KemPublic, KemSecret, OVERHEAD_BYTES, PUBLIC_KEY_BYTES},
    Channel, Channels, DayRange, Header, Intervals, Keyring, Kind, Level, MeterId, MeterKey, OperatingDay,
    OrganisationId, Secret, Status,
};
use serde_json::json;

fn secret(byte: u8) -> Secret {
    Secret::from_bytes([byte; 32])
}

fn reader() -> KemSecret {
    KemSecret::from_seed(secret(0xd1))
}

fn meter_key() -> MeterKey {
    MeterKey::new(secret(0xd2), 3)
}

fn range(first: u16, last: u16) -> DayRange {
    DayRange::new(OperatingDay(first), OperatingDay(last)).unwrap()
}

fn segment(epoch: u32, first: u16, last: u16) -> Segment {
    Segment { epoch, days: range(first, last) }
}

fn context() -> DeliveryContext {
    let terms = ConsentTerms { data: range(8095, 8459), ..terms() };
    DeliveryContext {
        genesis: [0x11; 32],
        deliverer: Deliverer::Utility,
        account: [0xd3; 32],
        consent: [0xd4; 32],
        terms,
    }
}

fn segments() -> Vec<Segment> {
    vec![segment(2, 8095, 8200), segment(5, 8201, 8202), segment(6, 8095, 8459)]
}

fn seal(context: &DeliveryContext, segments: &[Segment]) -> Vec<u8> {
    let key = meter_key();
    seal_delivery(context, segments, |epoch| Some(key.epoch_key(epoch)), &reader().public(), &secret(0xd5)).unwrap()
}

fn not_opened<T: std::fmt::Debug>(result: Result<T, DeliveryError>) {
    assert!(matches!(result, Err(DeliveryError::Kem(KemError::NotOpened))), "{result:?}");
}

fn header(channel: Channel, epoch: u32, day: u16) -> Header {
    Header {
        suite: SUITE,
        kind: Kind::Day,
        status: Status::Reading,
        channel,
        intervals: Intervals::Normal,
        day: OperatingDay(day),
        day_high: OperatingDay(0),
        revision: 0,
        generation: 0,
        epoch,
        meter: MeterId([0x44; 16]),
        nonce: [0; 16],
        sequence: 0,
        previous: [0; 32],
    }
}

#[test]
fn sealing_needs_the_right_key_and_context() {
    let (reader, to) = (reader(), reader().public());
    let sealed = seal_to(&to, b"info", b"aad", b"keys", &secret(1)).unwrap();
    assert_eq!(sealed.len(), 4 + OVERHEAD_BYTES);
    assert_eq!(open_with(&reader, b"info", b"aad", &sealed).unwrap(), b"keys");
    assert_eq!(open_with(&reader, b"infos", b"aad", &sealed), Err(KemError::NotOpened));
    assert_eq!(open_with(&reader, b"info", b"aae", &sealed), Err(KemError::NotOpened));
    assert_eq!(open_with(&KemSecret::from_seed(secret(2)), b"info", b"aad", &sealed), Err(KemError::NotOpened));
    for bytes in [0, 1, OVERHEAD_BYTES - 1] {
        assert_eq!(open_with(&reader, b"info", b"aad", &sealed[..bytes]), Err(KemError::TooShort { bytes }));
    }
    assert_eq!(open_with(&reader, b"info", b"aad", &sealed[..OVERHEAD_BYTES]), Err(KemError::NotOpened));
    // An empty message is a message.
    let empty = seal_to(&to, b"", b"", b"", &secret(1)).unwrap();
    assert_eq!(open_with(&reader, b"", b"", &empty).unwrap(), b"");
}

#[test]
fn sealing_follows_from_its_randomness_and_never_shares_a_key() {
    let to = reader().public();
    let sealed = |aad: &[u8], text: &[u8], random| seal_to(&to, b"info", aad, text, &secret(random)).unwrap();
    assert_eq!(sealed(b"aad", b"keys", 1), sealed(b"aad", b"keys", 1));
    let first = sealed(b"aad", b"keys", 1);
    // Even bytes used twice by mistake give another encapsulation as soon as anything differs.
    for other in [sealed(b"aad", b"keys", 2), sealed(b"aae", b"keys", 1), sealed(b"aad", b"keyt", 1)] {
        assert_ne!(first[..32], other[..32]);
    }
}

#[test]
fn public_keys_are_checked_before_use() {
    let good = reader().public();
    assert_eq!(KemPublic::from_bytes(good.as_bytes()), Ok(good.clone()));
    let short = KemPublic::from_bytes(&good.as_bytes()[1..]);
    assert_eq!(short, Err(KemError::InvalidPublicKey { bytes: PUBLIC_KEY_BYTES - 1 }));
    // A coefficient of 4095 is beyond ML-KEM's modulus 3329.
    let mut beyond = *good.as_bytes();
    beyond[..3].fill(0xff);
    assert_eq!(KemPublic::from_bytes(&beyond), Err(KemError::InvalidPublicKey { bytes: PUBLIC_KEY_BYTES }));
    assert_ne!(good.hash(), KemSecret::from_seed(secret(2)).public().hash());
    assert!(!format!("{:?}", reader()).contains("209"), "a secret was printed");
}

#[test]
fn a_delivery_gives_exactly_the_trees_of_its_terms() {
    let key = meter_key();
    for (channels, level) in [Channels::Consumption, Channels::Generation, Channels::Both]
        .into_iter()
        .flat_map(|channels| Level::ALL.into_iter().map(move |level| (channels, level)))
    {
        let mut context = context();
        context.terms.channels = channels;
        context.terms.level = level;
        let bytes = seal(&context, &segments());
        let delivery = open_delivery(&context, 6, &reader(), &bytes).unwrap();
        assert_eq!(delivery.segments, segments());
        assert_eq!(delivery.trees.len(), 3 * channels.iter().count() * level as usize);
        for tree in &delivery.trees {
            assert!(channels.contains(tree.channel) && tree.level <= level);
            let root = key.epoch_key(tree.segment.epoch).tree_root(tree.channel, tree.level);
            assert_eq!(Ok(&tree.cover), root.cover(tree.segment.days).as_ref());
        }
    }
}

#[test]
fn a_delivery_opens_only_in_its_context() {
    let right = context();
    let bytes = seal(&right, &segments());
    assert!(open_delivery(&right, 6, &reader(), &bytes).is_ok());
    let terms = right.terms;
    let with = |terms| DeliveryContext { terms, ..right };
    let data = terms.data;
    let contexts = [
        DeliveryContext { genesis: [0; 32], ..right },
        DeliveryContext { deliverer: Deliverer::Customer, ..right },
        DeliveryContext { account: [0; 32], ..right },
        DeliveryContext { consent: [0; 32], ..right },
        with(ConsentTerms { utility: OrganisationId::new("tnmp").unwrap(), ..terms }),
        with(ConsentTerms { meter: MeterId([0; 16]), ..terms }),
        with(ConsentTerms { grantee: [0; 32], ..terms }),
        with(ConsentTerms { access: data, ..terms }),
        with(ConsentTerms { purpose: Purpose::Research, ..terms }),
        with(ConsentTerms { text_hash: [0; 32], ..terms }),
    ];
    for other in contexts {
        not_opened(open_delivery(&other, 6, &reader(), &bytes));
    }
    not_opened(open_delivery(&right, 6, &KemSecret::from_seed(secret(9)), &bytes));
    // One channel for the other has the same length, so only the seal can tell.
    let one = |channels| with(ConsentTerms { channels, ..terms });
    let consumption = seal(&one(Channels::Consumption), &segments());
    not_opened(open_delivery(&one(Channels::Generation), 6, &reader(), &consumption));
    // Other levels and channels have other lengths, other data another last segment.
    for other in [
        with(ConsentTerms { level: Level::Hour, ..terms }),
        with(ConsentTerms { channels: Channels::Consumption, ..terms }),
    ] {
        let result = open_delivery(&other, 6, &reader(), &bytes);
        assert!(matches!(result, Err(DeliveryError::WrongLength { .. })), "{result:?}");
    }
    let shorter = with(ConsentTerms { data: range(8095, 8458), ..terms });
    assert!(matches!(open_delivery(&shorter, 6, &reader(), &bytes), Err(DeliveryError::Segments { .. })));
    let late = open_delivery(&right, 7, &reader(), &bytes);
    assert_eq!(late, Err(DeliveryError::OtherEpoch { expected: 7, found: 6 }));
}

#[test]
fn a_changed_delivery_is_refused() {
    let context = context();
    let bytes = seal(&context, &[segment(6, 8095, 8459)]);
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        assert!(open_delivery(&context, 6, &reader(), &changed).is_err(), "byte {at}");
    }
    for cut in 0..bytes.len() {
        assert!(open_delivery(&context, 6, &reader(), &bytes[..cut]).is_err(), "cut at {cut}");
    }
    let longer = [bytes.as_slice(), &[0]].concat();
    assert!(matches!(open_delivery(&context, 6, &reader(), &longer), Err(DeliveryError::WrongLength { .. })));
    let too_long = vec![0; MAX_DELIVERY_BYTES + 1];
    assert!(matches!(open_delivery(&context, 6, &reader(), &too_long), Err(DeliveryError::Decode(_))));
}

#[test]
fn only_plans_are_delivered() {
    let context = context();
    let key = meter_key();
    let to = reader().public();
    let make = |segments: &[Segment]| {
        seal_delivery(&context, segments, |epoch| Some(key.epoch_key(epoch)), &to, &secret(1)).unwrap_err()
    };
    let whole = segment(6, 8095, 8459);
    let turned = Segment { epoch: 1, days: DayRange { first: OperatingDay(8101), last: OperatingDay(8100) } };
    for wrong in [
        vec![],
        vec![segment(6, 8095, 8458)],
        vec![segment(6, 8095, 8100), whole],
        vec![segment(7, 8095, 8100), whole],
        vec![segment(1, 8094, 8100), whole],
        vec![turned, whole],
        (0..129).map(|epoch| segment(epoch, 8095, 8459)).collect(),
    ] {
        assert!(matches!(make(&wrong), DeliveryError::Segments { .. }), "{wrong:?}");
    }
    let many: Vec<_> = (0..128).map(|epoch| segment(epoch, 8095, 8459)).collect();
    assert!(matches!(make(&many), DeliveryError::TooLarge { .. }));
    let without =
        seal_delivery(&context, &segments(), |epoch| (epoch != 5).then(|| key.epoch_key(epoch)), &to, &secret(1));
    assert_eq!(without, Err(DeliveryError::NoEpochKey { epoch: 5 }));
    let beyond = DeliveryContext { terms: ConsentTerms { data: range(8095, 32_768), ..context.terms }, ..context };
    let result =
        seal_delivery(&beyond, &[segment(6, 8095, 32_768)], |epoch| Some(key.epoch_key(epoch)), &to, &secret(1));
    assert!(matches!(result, Err(DeliveryError::Terms(_))));
}

#[test]
fn plans_follow_the_history() {
    let data = range(100, 200);
    assert_eq!(plan_segments(&[], 0, data), [segment(0, 100, 200)]);
    let history = [
        (4, range(190, 230)),
        (0, range(1, 99)),
        (2, range(120, 130)),
        (1, range(90, 119)),
        (2, range(150, 160)),
        (3, range(201, 300)),
        (5, range(100, 150)),
        (9, range(100, 150)),
    ];
    let expected = [segment(1, 100, 119), segment(2, 120, 160), segment(4, 190, 200), segment(5, 100, 200)];
    assert_eq!(plan_segments(&history, 5, data), expected);
    // Days of an epoch before the data and after it do not bring in what lies between.
    assert_eq!(plan_segments(&[(1, range(1, 2)), (1, range(300, 301))], 2, data), [segment(2, 100, 200)]);
}

#[test]
fn a_delivery_is_found_in_an_extrinsic() {
    let bytes = seal(&context(), &segments());
    let hash = delivery_hash(&bytes);
    let extrinsic = [&[1, 2, 3][..], b"wsd1wsd1", &bytes, b"wsd1", &[9; 70]].concat();
    assert_eq!(find_delivery(&extrinsic, bytes.len(), &hash), Some(bytes.as_slice()));
    assert_eq!(find_delivery(&extrinsic, bytes.len() - 1, &hash), None);
    assert_eq!(find_delivery(&extrinsic, extrinsic.len() + 1, &hash), None);
    assert_eq!(find_delivery(&extrinsic, 0, &hash), None);
    assert_eq!(find_delivery(&extrinsic, bytes.len(), &[0; 32]), None);
    let junk = [b"wsd1".repeat(1000), bytes.clone()].concat();
    assert_eq!(find_delivery(&junk, bytes.len(), &hash), None);
}

fn meter_key_context() -> MeterKeyContext {
    let ConsentTerms { utility, meter, .. } = terms();
    MeterKeyContext { genesis: [0x11; 32], account: [0xd3; 32], utility, meter, customer: [0x55; 32], issue: 2 }
}

#[test]
fn a_meter_key_reaches_its_customer_alone() {
    let right = meter_key_context();
    let bytes = seal_meter_key(&right, &meter_key(), &reader().public(), &secret(0xd6)).unwrap();
    assert_eq!(bytes.len(), METER_KEY_BYTES);
    assert_eq!(open_meter_key(&right, &reader(), &bytes), Ok(meter_key()));
    let extrinsic = [&[7; 9][..], b"wsk1", &bytes, &[9; 70]].concat();
    assert_eq!(find_delivery(&extrinsic, bytes.len(), &delivery_hash(&bytes)), Some(bytes.as_slice()));
    let contexts = [
        MeterKeyContext { genesis: [0; 32], ..right },
        MeterKeyContext { account: [0; 32], ..right },
        MeterKeyContext { utility: OrganisationId::new("tnmp").unwrap(), ..right },
        MeterKeyContext { meter: MeterId([0; 16]), ..right },
        MeterKeyContext { customer: [0; 32], ..right },
        MeterKeyContext { issue: 3, ..right },
    ];
    for other in contexts {
        not_opened(open_meter_key(&other, &reader(), &bytes));
    }
    not_opened(open_meter_key(&right, &KemSecret::from_seed(secret(9)), &bytes));
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 0x10;
        assert!(open_meter_key(&right, &reader(), &changed).is_err(), "byte {at}");
    }
    for cut in [0, 1, 6, METER_KEY_BYTES - 1] {
        let result = open_meter_key(&right, &reader(), &bytes[..cut]);
        assert_eq!(result, Err(DeliveryError::WrongLength { expected: METER_KEY_BYTES, found: cut }));
    }
}

proptest! {
    /// Property 1 of the protocol: the union of any deliveries opens exactly the union of their (epoch, range, level).
    #[test]
    fn deliveries_open_their_union_and_nothing_else(
        grants in prop::collection::vec(
            (
                select(vec![Channels::Consumption, Channels::Generation, Channels::Both]),
                select(Level::ALL.to_vec()),
                (40_u16..72, 0_u16..20),
                prop::collection::vec((0_u32..3, (40_u16..80, 0_u16..8)), 0..4),
            ),
            1..4,
        ),
    ) {
        let key = meter_key();
        let everything = Keyring::from_meter_key(MeterKey::new(key.secret().clone(), 0));
        let mut keyring = Keyring::new();
        let mut granted = Vec::new();
        for (channels, level, (first, more), history) in grants {
            let mut context = context();
            context.terms = ConsentTerms { channels, level, data: range(first, first + more), ..context.terms };
            let history: Vec<_> =
                history.into_iter().map(|(epoch, (first, more))| (epoch, range(first, first + more))).collect();
            let segments = plan_segments(&history, 3, context.terms.data);
            let bytes = seal(&context, &segments);
            open_delivery(&context, 3, &reader(), &bytes).unwrap().add_to(&mut keyring);
            granted.push((channels, level, segments));
        }
        for channel in Channel::ALL {
            for level in Level::ALL {
                for epoch in 0..5 {
                    for day in 36..104 {
                        let header = header(channel, epoch, day);
                        let is_granted = granted.iter().any(|(channels, finest, segments)| {
                            let has = |s: &Segment| s.epoch == epoch && s.days.contains(OperatingDay(day));
                            channels.contains(channel) && level <= *finest && segments.iter().any(has)
                        });
                        let expected = is_granted.then(|| everything.leaf(&header, level)).flatten();
                        prop_assert_eq!(keyring.leaf(&header, level), expected);
                    }
                }
            }
        }
    }

    #[test]
    fn plans_cover_what_was_sealed_and_stay_inside_the_data(
        history in prop::collection::vec((0_u32..6, (0_u16..400, 0_u16..100)), 0..12),
        present in 0_u32..6,
        (first, more) in (0_u16..300, 0_u16..200),
    ) {
        let data = range(first, first + more);
        let history: Vec<_> =
            history.into_iter().map(|(epoch, (first, more))| (epoch, range(first, first + more))).collect();
        let plan = plan_segments(&history, present, data);
        prop_assert!(plan.windows(2).all(|pair| pair[0].epoch < pair[1].epoch));
        prop_assert_eq!(plan.last(), Some(&Segment { epoch: present, days: data }));
        prop_assert!(plan.iter().all(|segment| data.includes(&segment.days)));
        for (epoch, days) in history.iter().filter(|(epoch, _)| *epoch <= present) {
            for day in days.iter().filter(|day| data.contains(*day)) {
                prop_assert!(plan.iter().any(|segment| segment.epoch == *epoch && segment.days.contains(day)));
            }
        }
        // Nothing of an older epoch under which no day of the data was sealed.
        for older in plan.iter().filter(|segment| segment.epoch < present) {
            let sealed = |(epoch, days): &(u32, DayRange)| *epoch == older.epoch && days.intersection(&data).is_some();
            prop_assert!(history.iter().any(sealed));
        }
    }

    #[test]
    fn any_bytes_are_a_delivery_or_an_error(
        bytes in prop::collection::vec(any::<u8>(), 0..1500),
        magic in any::<bool>(),
        count in any::<u16>(),
    ) {
        let head = if magic { [b"wsd1".as_slice(), &count.to_le_bytes()].concat() } else { Vec::new() };
        let bytes = [head, bytes].concat();
        if let Ok(envelope) = Envelope::decode(&bytes) {
            prop_assert_eq!(bytes.len(), 6 + 8 * envelope.segments.len() + envelope.sealed.len());
            prop_assert!(envelope.segments.iter().all(|segment| segment.days.is_valid()));
        }
        prop_assert!(open_delivery(&context(), 6, &reader(), &bytes).is_err());
        prop_assert!(open_meter_key(&meter_key_context(), &reader(), &bytes).is_err());
    }
}

#[test]
fn fixed_vectors_of_deliveries() {
    let context = context();
    let key = meter_key();
    let bytes = seal(&context, &segments());
    let made = Delivery::make(&context.terms, &segments(), |epoch| Some(key.epoch_key(epoch))).unwrap();
    let trees: Vec<_> = made
        .trees
        .iter()
        .map(|tree| {
            json!({
                "epoch": tree.segment.epoch, "days": tree.segment.days.to_string(), "channel": tree.channel as u8,
                "level": tree.level as u8,
                "nodes": tree.cover.nodes().iter().map(|node| hex::encode(node.expose())).collect::<Vec<_>>(),
            })
        })
        .collect();
    let public = reader().public();
    let sealed = seal_to(&public, b"info", b"aad", b"plaintext", &secret(0xd5)).unwrap();
    let meter = seal_meter_key(&meter_key_context(), &key, &public, &secret(0xd6)).unwrap();
    let terms = context.terms;
    let made = json!({
        "kem": {
            "seed": hex::encode(reader().seed().expose()), "public": hex::encode(public.as_bytes()),
            "public_hash": hex::encode(public.hash()), "info": "info", "aad": "aad", "plaintext": "plaintext",
            "randomness": hex::encode([0xd5; 32]), "sealed": hex::encode(sealed),
        },
        "terms": {
            "utility": terms.utility.as_str(), "meter": terms.meter.to_string(), "grantee": hex::encode(terms.grantee),
            "channels": terms.channels as u8, "level": terms.level as u8, "data": terms.data.to_string(),
            "access": terms.access.to_string(), "purpose": terms.purpose as u8,
            "text_hash": hex::encode(terms.text_hash),
        },
        "delivery": {
            "genesis": hex::encode(context.genesis), "deliverer": context.deliverer as u8,
            "account": hex::encode(context.account), "consent": hex::encode(context.consent),
            "meter_key": hex::encode(key.secret().expose()), "randomness": hex::encode([0xd5; 32]),
            "trees": trees, "bytes": hex::encode(&bytes), "hash": hex::encode(delivery_hash(&bytes)),
        },
        "meter_key": {
            "account": hex::encode(meter_key_context().account), "customer": hex::encode(meter_key_context().customer),
            "issue": meter_key_context().issue, "generation": key.generation(),
            "key": hex::encode(key.secret().expose()), "randomness": hex::encode([0xd6; 32]),
            "bytes": hex::encode(meter),
        },
    });
    vector_file::compare("deliveries.json", &made);
}
