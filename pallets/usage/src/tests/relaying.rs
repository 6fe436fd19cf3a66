//! Statements that the node carries to the chain.

use super::support::*;
use crate::worker::{chain::Action, queue::Relayed, store::evidence_key, store::Store};
use sealed_register::{
    delivery::{ConsentTerms, Purpose},
    statement::{self, Statement},
    Channels, DayRange, Level, MeterId, OperatingDay,
};
use sp_core::{sr25519, Pair};
use wattseal_primitives::{
    consent::{Consent, ConsentEnd},
    meters::Claim,
    offchain::{Outcome, QueuedRequest},
};

fn customer() -> sr25519::Pair {
    sr25519::Pair::from_seed(&[31; 32])
}

fn relay(pair: &sr25519::Pair, statement: &impl Statement) -> QueuedRequest {
    let (statement, signature) = signed_by(pair, statement);
    QueuedRequest::Relay { statement, signature }
}

fn claim(meter: MeterId) -> statement::Claim {
    statement::Claim {
        genesis: GENESIS,
        utility: utility(),
        meter,
        issue: 0,
        customer: customer().public().0,
        kem_key: [4; 32],
        last_valid_block: 200,
    }
}

fn consent(meter: MeterId) -> statement::Consent {
    let days = DayRange { first: OperatingDay(8_400), last: OperatingDay(8_500) };
    let terms = ConsentTerms {
        utility: utility(),
        meter,
        grantee: [5; 32],
        channels: Channels::Both,
        level: Level::Hour,
        data: days,
        access: days,
        purpose: Purpose::Storage,
        text_hash: [6; 32],
    };
    statement::Consent { genesis: GENESIS, terms, customer: customer().public().0, last_valid_block: 200 }
}

fn world() -> (World, MeterId) {
    let mut world = World::new();
    let meter = meter_of(1, 0);
    world.chain.register(meter, Channels::Both, OperatingDay(8_000));
    (world, meter)
}

fn put_on_chain(world: &mut World, consent: &statement::Consent) {
    let terms = consent.terms;
    let on_chain = Consent {
        utility: terms.utility,
        meter: terms.meter,
        customer: consent.customer.into(),
        grantee: terms.grantee,
        channels: terms.channels,
        level: terms.level,
        data: terms.data,
        access: terms.access,
        purpose: terms.purpose,
        text_hash: terms.text_hash,
        given_at: 100,
        ended: None,
    };
    world.chain.consents.insert(consent.id(), on_chain);
}

#[test]
fn all_four_kinds_are_carried_unchanged() {
    let (mut world, meter) = world();
    let (claim, consent, other) = (claim(meter), consent(meter), consent(meter_of(2, 0)));
    put_on_chain(&mut world, &other);
    let revoke = statement::Revoke { genesis: GENESIS, consent: other.id(), last_valid_block: 200 };
    let narrow = statement::Narrow {
        genesis: GENESIS,
        consent: other.id(),
        channels: Channels::Generation,
        level: Level::Day,
        data: other.terms.data,
        access: other.terms.access,
        last_valid_block: 200,
    };
    let requests = [
        relay(&ticket_of(&meter, 0), &claim),
        relay(&customer(), &consent),
        relay(&customer(), &revoke),
        relay(&customer(), &narrow),
    ];
    let signatures = requests.clone().map(|request| match request {
        QueuedRequest::Relay { signature, .. } => signature,
        _ => panic!(),
    });
    let expected = [
        Relayed::Claim(claim, signatures[0]),
        Relayed::Consent(consent, signatures[1]),
        Relayed::Revoke(revoke, signatures[2]),
        Relayed::Narrow(narrow, signatures[3]),
    ];
    let sent: Vec<Action> = work(&mut world, &requests).into_iter().map(|(action, _)| action).collect();
    assert_eq!(sent, expected.map(Action::Relay));
    assert!(requests.iter().all(|request| outcome(&world, request) == Some(Outcome::Sent)));
    // The claim that was carried counts as seen.
    assert!(world.store.get(&evidence_key(&meter)).is_some());
}

#[test]
fn what_is_on_chain_is_not_carried_again() {
    let (mut world, meter) = world();
    let (claim, consent) = (claim(meter), consent(meter));
    world.chain.meters.get_mut(&meter).unwrap().claim =
        Some(Claim { customer: claim.customer.into(), kem_hash: claim.kem_key, ticket_issue: 0, claimed_at: 99 });
    put_on_chain(&mut world, &consent);
    world.chain.consents.get_mut(&consent.id()).unwrap().ended = Some((ConsentEnd::Revoked, 99));
    let revoke = statement::Revoke { genesis: GENESIS, consent: consent.id(), last_valid_block: 200 };
    let requests = [relay(&ticket_of(&meter, 0), &claim), relay(&customer(), &consent), relay(&customer(), &revoke)];
    assert_eq!(work(&mut world, &requests), []);
    assert!(requests.iter().all(|request| outcome(&world, request) == Some(Outcome::AlreadyThere)));
}

#[test]
fn what_the_chain_would_refuse_is_refused_here() {
    let (mut world, meter) = world();
    let (good_claim, good) = (claim(meter), consent(meter));
    let ticket = ticket_of(&meter, 0);
    let other = consent(meter_of(3, 0));
    put_on_chain(&mut world, &other);
    let narrow = statement::Narrow {
        genesis: GENESIS,
        consent: other.id(),
        channels: Channels::Both,
        level: Level::Quarter,
        data: other.terms.data,
        access: other.terms.access,
        last_valid_block: 200,
    };
    let stranger = sr25519::Pair::from_seed(&[32; 32]);
    let revoke = statement::Revoke { genesis: GENESIS, consent: other.id(), last_valid_block: 200 };
    let late_revoke = statement::Revoke { last_valid_block: 99, ..revoke };
    let cases = [
        (relay(&stranger, &good_claim), "ticket"),
        (relay(&ticket, &statement::Claim { issue: 1, ..good_claim }), "ticket"),
        (relay(&ticket_of(&meter, 1), &statement::Claim { issue: 1, ..good_claim }), "newer ticket"),
        (relay(&ticket, &statement::Claim { last_valid_block: 100, ..good_claim }), "last valid block"),
        (relay(&ticket, &statement::Claim { genesis: [1; 32], ..good_claim }), "another chain"),
        (relay(&ticket, &statement::Claim { utility: "tnmp".parse().unwrap(), ..good_claim }), "another utility"),
        (relay(&ticket_of(&meter_of(9, 0), 0), &claim(meter_of(9, 0))), "registered"),
        (relay(&stranger, &good), "not the customer's"),
        (relay(&customer(), &statement::Consent { last_valid_block: 100, ..good }), "last valid block"),
        (relay(&stranger, &revoke), "not the customer's"),
        (relay(&customer(), &late_revoke), "last valid block"),
        (relay(&customer(), &narrow), "wider"),
        (
            relay(
                &customer(),
                &statement::Disclose {
                    genesis: GENESIS,
                    consent: other.id(),
                    vendor: utility(),
                    secret: sealed_register::grantee::GranteeSecret([2; 32]),
                    last_valid_block: 200,
                },
            ),
            "only claims",
        ),
        (QueuedRequest::Relay { statement: "wattseal/claim/1\n".into(), signature: [0; 64] }, "genesis"),
        (QueuedRequest::Relay { statement: String::new(), signature: [0; 64] }, "only claims"),
    ];
    for (request, words) in cases {
        assert_eq!(work(&mut world, std::slice::from_ref(&request)), [], "{words}");
        assert_refused(&world, &request, words);
    }
}

#[test]
fn a_revocation_waits_for_its_consent() {
    let (mut world, meter) = world();
    let consent = consent(meter);
    let revoke = statement::Revoke { genesis: GENESIS, consent: consent.id(), last_valid_block: 200 };
    let request = relay(&customer(), &revoke);
    assert_eq!(work(&mut world, std::slice::from_ref(&request)), []);
    assert_eq!(outcome(&world, &request), None);
    put_on_chain(&mut world, &consent);
    assert_eq!(work(&mut world, std::slice::from_ref(&request)).len(), 1);
    let (mut world, _) = self::world();
    world.chain.block = 201;
    assert_eq!(work(&mut world, std::slice::from_ref(&request)), []);
    assert_refused(&world, &request, "no such consent");
}
