//! Deliveries of keys: a delivery that was altered opens nothing; what is sealed for any terms opens to the same keys; and
//! inside an extrinsic only the bytes that the chain names are found.

use crate::{
    edit::{any_or_edited, below, byte, choose, rest},
    statement::terms,
};
use arbitrary::Unstructured;
use sealed_register::{
    delivery::{
        delivery_hash, find_delivery, open_delivery, open_meter_key, plan_segments, seal_delivery, seal_meter_key,
        ConsentTerms, Deliverer, Delivery, DeliveryContext, DeliveryError, Envelope, MeterKeyContext, Segment,
        MAX_DELIVERY_BYTES, MAX_SEGMENTS,
    },
    kem::{KemPublic, KemSecret},
    Channels, DayRange, Level, MeterKey, OperatingDay, Secret,
};
use std::sync::OnceLock;

struct Sealed {
    secret: KemSecret,
    public: KemPublic,
    key: MeterKey,
    context: DeliveryContext,
    meter_key_context: MeterKeyContext,
    /// A delivery for `context`, one for finer terms, a meter's key.
    honest: Vec<Vec<u8>>,
}

/// Key epoch of the honest deliveries.
const EPOCH: u32 = 6;

/// First byte: an altered delivery, any plan, or any extrinsic.
pub fn run(data: &[u8]) {
    let mut input = Unstructured::new(data);
    match byte(&mut input) % 8 {
        0 => planned(&mut input),
        1 | 2 => found(&mut input),
        _ => altered(&any_or_edited(&mut input, &sealed().honest)),
    }
}

/// Reads the bytes as what they may be.
fn altered(bytes: &[u8]) {
    let Sealed { secret, context, meter_key_context, honest, .. } = sealed();
    if let Ok(Envelope { segments, sealed }) = Envelope::decode(bytes) {
        assert!(segments.len() <= MAX_SEGMENTS && bytes.len() <= MAX_DELIVERY_BYTES);
        assert_eq!(6 + 8 * segments.len() + sealed.len(), bytes.len());
        assert!(segments.iter().all(|segment| segment.days.is_valid()));
    }
    let opened = open_delivery(context, EPOCH, secret, bytes);
    assert_eq!(opened.is_ok(), bytes == honest[0], "{opened:?}");
    let opened = open_meter_key(meter_key_context, secret, bytes);
    assert_eq!(opened.is_ok(), bytes == honest[2]);
}

/// Terms and a history of any kind: what is planned is sealed, and opens to the keys of exactly that.
fn planned(input: &mut Unstructured<'_>) {
    let Sealed { secret, public, key, context, .. } = sealed();
    let context = DeliveryContext {
        deliverer: *choose(input, &[Deliverer::Utility, Deliverer::Customer]),
        terms: ConsentTerms {
            channels: *choose(input, &[Channels::Consumption, Channels::Generation, Channels::Both]),
            level: *choose(input, &Level::ALL),
            data: any_range(input),
            ..context.terms
        },
        ..*context
    };
    let terms = &context.terms;
    let present = u32::from(byte(input));
    let history: Vec<(u32, DayRange)> = (0..byte(input)).map(|_| (u32::from(byte(input)), any_range(input))).collect();
    let segments = plan_segments(&history, present, terms.data);
    let by_epoch = |epoch| Some(key.epoch_key(epoch));
    match seal_delivery(&context, &segments, by_epoch, public, &Secret::from_bytes([0xd5; 32])) {
        Ok(bytes) => {
            assert_eq!(Envelope::decode(&bytes).unwrap().check(terms, present), Ok(()));
            let opened = open_delivery(&context, present, secret, &bytes).unwrap();
            assert_eq!(opened, Delivery::make(terms, &segments, by_epoch).unwrap());
        }
        Err(DeliveryError::TooLarge { bytes }) => assert!(bytes > MAX_DELIVERY_BYTES),
        Err(DeliveryError::Terms(_)) => assert!(terms.check().is_err()),
        Err(DeliveryError::Segments { .. }) => assert!(segments.len() > MAX_SEGMENTS),
        Err(other) => panic!("{other}"),
    }
}

fn any_range(input: &mut Unstructured<'_>) -> DayRange {
    let (first, length) = (below(input, 1 << 16), below(input, 1 << 16) >> (byte(input) % 16));
    let last = u16::try_from((first + length).min(0xffff)).unwrap();
    DayRange { first: OperatingDay(u16::try_from(first).unwrap()), last: OperatingDay(last) }
}

/// An extrinsic of any bytes, with the delivery somewhere or nowhere.
fn found(input: &mut Unstructured<'_>) {
    let honest = &sealed().honest;
    let delivery = &honest[below(input, honest.len())];
    let hash = delivery_hash(delivery);
    let claimed = if byte(input) < 200 { delivery.len() } else { below(input, 1 << 16) };
    let extrinsic = any_or_edited(input, honest);
    if let Some(window) = find_delivery(&extrinsic, claimed, &hash) {
        assert_eq!((window, claimed), (delivery.as_slice(), delivery.len()));
    }
    // What begins as a delivery and is no part of another is found.
    let tail = rest(input);
    let extrinsic = [&[0; 8], delivery.as_slice(), &tail].concat();
    assert_eq!(find_delivery(&extrinsic, delivery.len(), &hash), Some(delivery.as_slice()));
}

fn sealed() -> &'static Sealed {
    static SEALED: OnceLock<Sealed> = OnceLock::new();
    SEALED.get_or_init(|| {
        let secret = KemSecret::from_seed(Secret::from_bytes([0xd1; 32]));
        let (public, key) = (secret.public(), MeterKey::new(Secret::from_bytes([0xd2; 32]), 3));
        let day = |number| OperatingDay(number);
        let data = DayRange { first: day(8_095), last: day(8_459) };
        let fine = DeliveryContext {
            genesis: [0x11; 32],
            deliverer: Deliverer::Utility,
            account: [0xd3; 32],
            consent: [0xd4; 32],
            terms: ConsentTerms { data, ..terms() },
        };
        let coarse = ConsentTerms { level: Level::Day, channels: Channels::Consumption, ..fine.terms };
        let context = DeliveryContext { terms: coarse, ..fine };
        let segments =
            [Segment { epoch: 2, days: DayRange { last: day(8_200), ..data } }, Segment { epoch: EPOCH, days: data }];
        let random = Secret::from_bytes([0xd5; 32]);
        let seal = |context: &DeliveryContext| {
            seal_delivery(context, &segments, |epoch| Some(key.epoch_key(epoch)), &public, &random).unwrap()
        };
        let terms = context.terms;
        let meter_key_context = MeterKeyContext {
            genesis: [0x11; 32],
            account: [0xd3; 32],
            utility: terms.utility,
            meter: terms.meter,
            customer: [0x55; 32],
            issue: 2,
        };
        let sealed_key = seal_meter_key(&meter_key_context, &key, &public, &random).unwrap();
        let honest = vec![seal(&context), seal(&fine), sealed_key];
        Sealed { secret, public, key, context, meter_key_context, honest }
    })
}
