//! Keys for vendors and customers: what is checked, and that what is delivered opens what was sealed.

use super::support::*;
use crate::worker::{chain::Action, store::evidence_key, store::Store};
use sealed_register::{
    delivery::{
        open_delivery, open_meter_key, ConsentTerms, Deliverer, DeliveryContext, MeterKeyContext, Purpose, Segment,
    },
    grantee::grantee_hash,
    statement::{self, Statement},
    Channel, Channels, DayRange, Level, MeterId, OperatingDay, OrganisationId, SealedCell,
};
use smart_meter_texas::Channel as FeedChannel;
use sp_core::{sr25519, Pair};
use sp_runtime::BoundedVec;
use std::slice;
use wattseal_primitives::{
    consent::{Consent, ConsentEnd},
    meters::Claim,
    offchain::{shard_index_key, Outcome, QueuedRequest, ShardIndex},
    organisations::KemKey,
    AccountId,
};

const DAY: u16 = 8_300;
const DATE: u32 = 12_000_000;
const SECRET: [u8; 32] = [22; 32];

fn customer() -> sr25519::Pair {
    sr25519::Pair::from_seed(&[31; 32])
}

fn data() -> DayRange {
    DayRange { first: OperatingDay(DAY), last: OperatingDay(DAY + 30) }
}

fn claim_statement(meter: MeterId) -> statement::Claim {
    statement::Claim {
        genesis: GENESIS,
        utility: utility(),
        meter,
        issue: 0,
        customer: customer().public().0,
        kem_key: kem(41).public().hash(),
        last_valid_block: 500,
    }
}

fn vendor() -> OrganisationId {
    "sunny".parse().unwrap()
}

fn consent_statement(meter: MeterId) -> statement::Consent {
    let terms = ConsentTerms {
        utility: utility(),
        meter,
        grantee: grantee_hash(&vendor(), &SECRET),
        channels: Channels::Consumption,
        level: Level::Hour,
        data: data(),
        access: DayRange { first: OperatingDay(8_400), last: OperatingDay(8_500) },
        purpose: Purpose::EnergyAdvice,
        text_hash: [6; 32],
    };
    statement::Consent { genesis: GENESIS, terms, customer: customer().public().0, last_valid_block: 500 }
}

fn key_request(meter: MeterId) -> QueuedRequest {
    let (statement, signature) = signed_by(&ticket_of(&meter, 0), &claim_statement(meter));
    QueuedRequest::MeterKey { statement, signature, kem_public: kem(41).public().as_bytes().to_vec() }
}

fn consent_request(statement: &statement::Consent) -> QueuedRequest {
    let (statement, signature) = signed_by(&customer(), statement);
    QueuedRequest::Consent { statement, signature, vendor: vendor(), secret: SECRET }
}

/// What the chain keeps of a consent.
fn on_chain(statement: &statement::Consent, given_at: u32) -> Consent<AccountId, u32> {
    let terms = statement.terms;
    Consent {
        utility: terms.utility,
        meter: terms.meter,
        customer: statement.customer.into(),
        grantee: terms.grantee,
        channels: terms.channels,
        level: terms.level,
        data: terms.data,
        access: terms.access,
        purpose: terms.purpose,
        text_hash: terms.text_hash,
        given_at,
        ended: None,
    }
}

/// A world with a claimed meter with readings under epochs 0 and 1, a consent, and a vendor with a key.
fn world() -> (World, MeterId, statement::Consent) {
    let mut world = World::new();
    let meter = meter_of(1, 0);
    world.chain.register(meter, Channels::Both, OperatingDay(8_000));
    world.chain.meters.get_mut(&meter).unwrap().claim = Some(Claim {
        customer: customer().public().0.into(),
        kem_hash: kem(41).public().hash(),
        ticket_issue: 0,
        claimed_at: 100,
    });
    let day = |day| meter_day(1, FeedChannel::Consumption, DAY + day, DATE);
    world.feed.put("a.csv", csv_of(&[day(0), day(1)]));
    world.settle();
    world.chain.block += 1;
    world.chain.raise_epoch(&meter);
    world.feed.put("b.csv", csv_of(&[day(2)]));
    world.settle();
    let consent = consent_statement(meter);
    world.chain.consents.insert(consent.id(), on_chain(&consent, world.chain.block));
    let key = KemKey {
        key: BoundedVec::try_from(kem(51).public().as_bytes().to_vec()).unwrap(),
        last_day: OperatingDay(8_420),
    };
    world.chain.vendors.insert(vendor(), Some(key));
    world.finalised = world.chain.finalised();
    (world, meter, consent)
}

/// A world in which the claim has been shown to this node.
fn world_with_evidence() -> (World, MeterId, statement::Consent) {
    let (mut world, meter, consent) = world();
    let request = key_request(meter);
    assert_eq!(work(&mut world, &[request]).len(), 1);
    included(&mut world, 1);
    world.chain.meter_keys.insert(meter, world.chain.block);
    (world, meter, consent)
}

/// A block takes what the delivery account has sent.
fn included(world: &mut World, count: u32) {
    world.chain.block += 1;
    *world.chain.nonces.entry(config().delivery_key).or_default() += count;
    world.finalised = world.chain.finalised();
}

fn cell(world: &World, meter: MeterId, at: usize) -> SealedCell {
    world.vault.cells[&(meter, Channel::Consumption)][at].clone()
}

#[test]
fn a_delivery_opens_what_the_consent_says_and_later_amendments() {
    let (mut world, meter, consent) = world_with_evidence();
    let request = consent_request(&consent);
    let mut sent = work(&mut world, slice::from_ref(&request));
    let (Action::Deliver { consent: id, epoch, segments, sealed }, nonce) = sent.remove(0) else { panic!() };
    assert_eq!((id, epoch, nonce), (consent.id(), 1, 1));
    let first = DayRange { first: OperatingDay(DAY), last: OperatingDay(DAY + 1) };
    assert_eq!(segments, [Segment { epoch: 0, days: first }, Segment { epoch: 1, days: data() }]);
    let context = DeliveryContext {
        genesis: GENESIS,
        deliverer: Deliverer::Utility,
        account: config().delivery_key,
        consent: id,
        terms: consent.terms,
    };
    let delivery = open_delivery(&context, epoch, &kem(51), &sealed).unwrap();
    let keyring = delivery.keyring();
    for at in 0..3 {
        let cell = cell(&world, meter, at);
        assert_eq!(keyring.level(&cell.header), Some(Level::Hour), "day {at}");
    }
    assert_eq!(outcome(&world, &request), Some(Outcome::Sent));
    // In flight it is not sent again; once on chain there is nothing to do; after the epoch rises there is.
    assert_eq!(work(&mut world, slice::from_ref(&request)), []);
    world.chain.deliveries.insert((id, 1), world.chain.block + 1);
    included(&mut world, 1);
    assert_eq!(work(&mut world, slice::from_ref(&request)), []);
    assert_eq!(outcome(&world, &request), Some(Outcome::AlreadyThere));
    world.chain.raise_epoch(&meter);
    assert_eq!(work(&mut world, slice::from_ref(&request)).len(), 1);
}

#[test]
fn a_meter_key_goes_to_the_key_of_the_claim_alone() {
    let (mut world, meter, _) = world();
    let request = key_request(meter);
    let mut sent = work(&mut world, slice::from_ref(&request));
    let (Action::DeliverMeterKey { meter: of, issue, sealed }, 0) = sent.remove(0) else { panic!() };
    assert_eq!((of, issue), (meter, 0));
    let context = MeterKeyContext {
        genesis: GENESIS,
        account: config().delivery_key,
        utility: utility(),
        meter,
        customer: customer().public().0,
        issue: 0,
    };
    let key = open_meter_key(&context, &kem(41), &sealed).unwrap();
    assert_eq!(key, secrets().meter_key(&utility(), &meter));
    assert!(open_meter_key(&context, &kem(42), &sealed).is_err());

    let other_key = QueuedRequest::MeterKey {
        statement: claim_statement(meter).text(),
        signature: signed_by(&ticket_of(&meter, 0), &claim_statement(meter)).1,
        kem_public: kem(42).public().as_bytes().to_vec(),
    };
    included(&mut world, 1);
    assert_eq!(work(&mut world, slice::from_ref(&other_key)), []);
    assert_refused(&world, &other_key, "not the one that the claim names");
}

#[test]
fn storage_alone_gets_no_key() {
    // Two thirds of the council could write a claim of theirs into the chain's storage. They have no ticket.
    let (mut world, meter, _) = world();
    let thief = sr25519::Pair::from_seed(&[66; 32]);
    let claim =
        statement::Claim { customer: thief.public().0, kem_key: kem(67).public().hash(), ..claim_statement(meter) };
    let on_chain_meter = world.chain.meters.get_mut(&meter).unwrap();
    on_chain_meter.ticket_key = thief.public().0;
    on_chain_meter.claim =
        Some(Claim { customer: thief.public().0.into(), kem_hash: claim.kem_key, ticket_issue: 0, claimed_at: 100 });
    let (statement, signature) = signed_by(&thief, &claim);
    let key = QueuedRequest::MeterKey { statement, signature, kem_public: kem(67).public().as_bytes().to_vec() };
    let forged = statement::Consent { customer: thief.public().0, ..consent_statement(meter) };
    world.chain.consents.insert(forged.id(), on_chain(&forged, 101));
    let (statement, signature) = signed_by(&thief, &forged);
    let consent = QueuedRequest::Consent { statement, signature, vendor: vendor(), secret: SECRET };
    assert_eq!(work(&mut world, &[key.clone(), consent.clone()]), []);
    assert_refused(&world, &key, "not signed with the ticket");
    assert_refused(&world, &consent, "not yet seen the claim");
    assert_eq!(world.store.get(&evidence_key(&meter)), None);
}

#[test]
fn every_flaw_of_a_consent_is_refused() {
    let (world, _, good) = world_with_evidence();
    let check = |change: &dyn Fn(&mut World, &mut statement::Consent, &mut QueuedRequest), words: &str| {
        let (mut world, mut consent) = (world.clone(), good);
        let mut request = consent_request(&good);
        change(&mut world, &mut consent, &mut request);
        assert_eq!(work(&mut world, slice::from_ref(&request)), [], "{words}");
        assert_refused(&world, &request, words);
    };
    let id = good.id();
    check(&|_, _, request| set_statement(request, "nonsense".into()), "first line");
    check(
        &|_, consent, request| {
            consent.genesis = [1; 32];
            *request = consent_request(consent);
        },
        "another chain",
    );
    check(
        &|_, consent, request| {
            consent.terms.utility = "tnmp".parse().unwrap();
            *request = consent_request(consent);
        },
        "another utility",
    );
    check(
        &|_, _, request| match request {
            QueuedRequest::Consent { secret, .. } => secret[0] ^= 1,
            _ => panic!(),
        },
        "vendor and secret",
    );
    check(
        &|_, _, request| match request {
            QueuedRequest::Consent { vendor, .. } => *vendor = utility(),
            _ => panic!(),
        },
        "vendor and secret",
    );
    check(
        &|_, _, request| match request {
            QueuedRequest::Consent { signature, .. } => signature[9] ^= 1,
            _ => panic!(),
        },
        "signature is not the customer's",
    );
    check(
        &|world, _, _| world.chain.consents.get_mut(&id).unwrap().ended = Some((ConsentEnd::Revoked, 3)),
        "has ended",
    );
    check(&|world, _, _| world.chain.consents.get_mut(&id).unwrap().level = Level::Quarter, "wider terms");
    check(&|world, _, _| world.chain.consents.get_mut(&id).unwrap().data.last = OperatingDay(DAY + 31), "wider terms");
    check(&|world, _, _| world.chain.consents.get_mut(&id).unwrap().grantee = [1; 32], "other terms");
    check(&|world, _, _| world.chain.today = OperatingDay(8_501), "last access day");
    check(&|world, _, _| world.chain.today = OperatingDay(8_399), "not begun");
    check(&|world, _, _| world.chain.vendors.clear(), "admitted vendor");
    check(&|world, _, _| drop(world.chain.vendors.insert(vendor(), None)), "no X-Wing key");
    check(&|world, _, _| world.chain.today = OperatingDay(8_421), "too old");
    check(
        &|world, consent, _| {
            world.chain.consents.clear();
            world.chain.block = consent.last_valid_block + 1;
        },
        "never came on chain",
    );
    check(
        &|world, consent, _| {
            let meter = world.chain.meters.get_mut(&consent.terms.meter).unwrap();
            meter.claim.as_mut().unwrap().customer = [77; 32].into();
        },
        "does not hold the meter",
    );
    check(&|world, consent, _| world.store.clear(&evidence_key(&consent.terms.meter)), "not yet seen the claim");
}

fn set_statement(request: &mut QueuedRequest, text: String) {
    match request {
        QueuedRequest::Consent { statement, .. }
        | QueuedRequest::MeterKey { statement, .. }
        | QueuedRequest::Relay { statement, .. } => *statement = text,
    }
}

#[test]
fn narrowed_terms_are_delivered_as_they_stand() {
    let (mut world, _, consent) = world_with_evidence();
    let on_chain = world.chain.consents.get_mut(&consent.id()).unwrap();
    on_chain.level = Level::Day;
    on_chain.data.last = OperatingDay(DAY);
    let mut sent = work(&mut world, &[consent_request(&consent)]);
    let (Action::Deliver { consent: id, epoch, segments, sealed }, _) = sent.remove(0) else { panic!() };
    let data = DayRange { first: OperatingDay(DAY), last: OperatingDay(DAY) };
    assert_eq!(segments, [Segment { epoch: 0, days: data }, Segment { epoch: 1, days: data }]);
    let terms = ConsentTerms { level: Level::Day, data, ..consent.terms };
    let account = config().delivery_key;
    let context = DeliveryContext { genesis: GENESIS, deliverer: Deliverer::Utility, account, consent: id, terms };
    assert!(open_delivery(&context, epoch, &kem(51), &sealed).is_ok());
}

#[test]
fn nothing_is_delivered_before_it_is_final_and_settled() {
    let waits = |world: &mut World, request: &QueuedRequest| {
        let sent = work(world, slice::from_ref(request));
        sent.is_empty() && outcome(world, request).is_none()
    };
    let (world, meter, consent) = world_with_evidence();
    let request = consent_request(&consent);
    let mut later = world.clone();
    later.chain.consents.get_mut(&consent.id()).unwrap().given_at = world.finalised.number + 1;
    assert!(waits(&mut later, &request));
    let mut later = world.clone();
    later.chain.block += 1;
    later.chain.raise_epoch(&meter);
    assert!(waits(&mut later, &request));
    // A batch sealed under the old epoch is on its way: its days are not yet in the index.
    later.finalised = later.chain.finalised();
    let index: ShardIndex = later.store.read(&shard_index_key(0)).unwrap();
    let mut behind = later.clone();
    behind.store.write(&shard_index_key(0), &ShardIndex { next_sequence: index.next_sequence - 1, ..index });
    assert!(waits(&mut behind, &request));
    assert!(!waits(&mut later, &request));
    // Not yet on chain, and still able to come.
    let mut early = world.clone();
    early.chain.consents.clear();
    assert!(waits(&mut early, &request));
    let mut early = world;
    early.chain.meters.get_mut(&meter).unwrap().claim = None;
    early.chain.meter_keys.clear();
    assert!(waits(&mut early, &key_request(meter)));
}

#[test]
fn refusals_are_not_for_ever_and_nonces_stay_in_a_row() {
    let (mut world, meter, consent) = world();
    let (wanted, key) = (consent_request(&consent), key_request(meter));
    // The consent comes first and is refused for want of evidence, which the key request then brings.
    assert_eq!(work(&mut world, &[wanted.clone(), key.clone()]).len(), 1);
    assert_refused(&world, &wanted, "not yet seen the claim");
    // While the key is in flight the account sends nothing else.
    world.chain.block += 1;
    assert_eq!(work(&mut world, slice::from_ref(&wanted)), []);
    included(&mut world, 1);
    world.chain.meter_keys.insert(meter, world.chain.block);
    assert_eq!(work(&mut world, slice::from_ref(&wanted)), []);
    world.chain.block += 30;
    let sent = work(&mut world, &[wanted.clone(), key]);
    assert!(matches!(sent.as_slice(), [(Action::Deliver { .. }, 1)]));
}

#[test]
fn the_queue_is_worked_off_eight_at_a_time() {
    let (mut world, ..) = world();
    let meters: Vec<MeterId> = (10..22).map(|number| meter_of(number, 0)).collect();
    for meter in &meters {
        world.chain.register(*meter, Channels::Both, OperatingDay(8_000));
        world.chain.meters.get_mut(meter).unwrap().claim = Some(Claim {
            customer: customer().public().0.into(),
            kem_hash: kem(41).public().hash(),
            ticket_issue: 0,
            claimed_at: 100,
        });
    }
    let requests: Vec<QueuedRequest> = meters.iter().map(|meter| key_request(*meter)).collect();
    let sent = work(&mut world, &requests);
    assert_eq!(sent.iter().map(|(_, nonce)| *nonce).collect::<Vec<_>>(), (0..8).collect::<Vec<_>>());
    // Two of them are refused by the chain: they are tried again, after the others.
    included(&mut world, 8);
    world.chain.meter_keys.extend(meters[..6].iter().map(|meter| (*meter, world.chain.block)));
    let sent = work(&mut world, &requests);
    assert_eq!(sent.iter().map(|(_, nonce)| *nonce).collect::<Vec<_>>(), (8..12).collect::<Vec<_>>());
    included(&mut world, 4);
    world.chain.meter_keys.extend(meters[8..].iter().map(|meter| (*meter, world.chain.block)));
    world.chain.block += 16;
    assert_eq!(work(&mut world, &requests).len(), 2);
}
