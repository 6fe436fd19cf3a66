//! A random walk over everything that begins, changes and ends access, checked against the promises of protocol sections
//! 2, 7 and 8: access that ends makes a new epoch in its block, no key of an epoch goes out after an end in it, nothing
//! becomes wider, nothing that has ended comes back.

use crate::{mock::*, Consents as Given, Deliveries};
use frame_support::assert_ok;
use proptest::prelude::*;
use sealed_register::{delivery::ConsentTerms, statement, Channel, Channels, Level, OperatingDay};
use std::collections::BTreeMap;
use wattseal_primitives::{
    consent::{ConsentId, ReadQuery},
    AccountId,
};

#[derive(Clone, Debug)]
enum Step {
    Give { number: u8, level: u8, last: u16 },
    Revoke(u8),
    Narrow { number: u8, level: u8, last: u16 },
    GiveBack(u8),
    Expire(u8),
    Deliver(u8),
    Replay(u8),
    NewClaim(bool),
    NextBlock { days: u16 },
}

fn step() -> impl Strategy<Value = Step> {
    let number = 0u8..6;
    prop_oneof![
        4 => (number.clone(), 0u8..3, 0u16..12).prop_map(|(number, level, last)| Step::Give { number, level, last }),
        1 => number.clone().prop_map(Step::Revoke),
        2 => (number.clone(), 0u8..3, 0u16..12).prop_map(|(number, level, last)| Step::Narrow { number, level, last }),
        1 => number.clone().prop_map(Step::GiveBack),
        1 => number.clone().prop_map(Step::Expire),
        4 => number.clone().prop_map(Step::Deliver),
        1 => number.prop_map(Step::Replay),
        1 => any::<bool>().prop_map(Step::NewClaim),
        4 => (0u16..3).prop_map(|days| Step::NextBlock { days }),
    ]
}

fn level(index: u8) -> Level {
    Level::ALL[usize::from(index)]
}

/// Everything that the vendor may read by this consent now: levels of either channel on a day.
fn readable(id: ConsentId) -> Vec<(Channel, Level)> {
    let ask = |channel, level| ReadQuery::<AccountId> {
        account: vendor(),
        secret: SECRET,
        consent: Some(id),
        utility: oncor(),
        meter: HOME,
        channel,
        range: days(8_100, 8_106),
        level,
    };
    let all = Channel::ALL.into_iter().flat_map(|channel| Level::ALL.map(|level| (channel, level)));
    all.filter(|(channel, level)| Consents::may_read(&ask(*channel, *level)).is_ok()).collect()
}

#[derive(Default)]
struct Walk {
    /// Consents by the number of their step, with the terms as given.
    ids: BTreeMap<u8, (ConsentId, ConsentTerms)>,
    /// Newest ticket.
    issue: u32,
    /// Who holds the home.
    holder: &'static str,
}

impl Walk {
    fn take(&mut self, step: Step) {
        match step {
            Step::Give { number, level: index, last } => self.give(number, level(index), last),
            Step::Revoke(number) => self.with(number, |walk, id, _| {
                let statement =
                    statement::Revoke { genesis: Meters::genesis(), consent: id, last_valid_block: LAST_BLOCK };
                let signature = sign(walk.holder, &statement);
                let _ = Consents::revoke(from(retailer()), id, LAST_BLOCK, signature);
            }),
            Step::Narrow { number, level: index, last } => self.with(number, |walk, id, terms| {
                let access = days(terms.access.first.0, (TODAY + last).max(terms.access.first.0));
                let statement = statement::Narrow { level: level(index), access, ..narrow_of(id, &terms) };
                let _ = relay_narrow(&statement, sign(walk.holder, &statement));
            }),
            Step::GiveBack(number) => self.with(number, |_, id, _| {
                let _ = Consents::give_back(from(vendor()), id, SECRET);
            }),
            Step::Expire(number) => self.with(number, |_, id, _| {
                let _ = Consents::expire(from(retailer()), id);
            }),
            Step::Deliver(number) => self.with(number, |_, id, _| deliver_what_stands(id)),
            Step::Replay(number) => self.with(number, |walk, id, terms| {
                // Whatever has happened since, the same statement is never taken again.
                let statement = statement::Consent { customer: account(walk.holder).into(), ..consent_of(terms) };
                assert!(statement.id() != id || relay(&statement, sign(walk.holder, &statement)).is_err());
            }),
            Step::NewClaim(other) => {
                self.issue += 1;
                self.holder = if other { "ana" } else { "maria" };
                sync(vec![entry(HOME, self.issue)]);
                claim(HOME, self.issue, self.holder);
            }
            Step::NextBlock { days } => {
                Day::set(Day::get() + days);
                next_block();
            }
        }
    }

    fn give(&mut self, number: u8, level: Level, last: u16) {
        if TODAY + last < Day::get() {
            return;
        }
        let unique = u32::try_from(self.ids.len()).unwrap() * 1_000 + System::block_number();
        let mut text_hash = [number; 32];
        text_hash[..4].copy_from_slice(&unique.to_le_bytes());
        let access = days(TODAY, TODAY + last);
        let terms = ConsentTerms { channels: Channels::Both, level, access, text_hash, ..terms() };
        let statement = statement::Consent { customer: account(self.holder).into(), ..consent_of(terms) };
        if Given::<Test>::contains_key(statement.id()) {
            return;
        }
        assert_ok!(relay(&statement, sign(self.holder, &statement)));
        self.ids.insert(number, (statement.id(), terms));
    }

    fn with(&self, number: u8, act: impl FnOnce(&Self, ConsentId, ConsentTerms)) {
        if let Some((id, terms)) = self.ids.get(&number) {
            act(self, *id, *terms);
        }
    }
}

/// A delivery of what the chain shows: taken exactly if the consent stands and the epoch began in an earlier block.
fn deliver_what_stands(id: ConsentId) {
    let consent = Given::<Test>::get(id).unwrap();
    let meter = Meters::meter(&oncor(), &HOME).unwrap();
    let outcome = deliver_for(id, crate::statements::terms_of(&consent), meter.epoch);
    let stands = consent.ended.is_none() && OperatingDay(Day::get()) <= consent.access.last;
    assert_eq!(outcome.is_ok(), stands && meter.epoch_since < System::block_number(), "{outcome:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn access_ends_when_it_ends(steps in proptest::collection::vec(step(), 1..50)) {
        build_and_execute(|| {
            let mut walk = Walk { issue: 1, holder: "maria", ..Walk::default() };
            for step in steps {
                let before: Vec<_> = walk.ids.values().map(|(id, _)| (*id, readable(*id), ended(id))).collect();
                walk.take(step);
                let meter = Meters::meter(&oncor(), &HOME).unwrap();
                for (id, could, was) in before {
                    let can = readable(id);
                    // Nothing becomes wider and nothing comes back.
                    assert!(can.iter().all(|right| could.contains(right)));
                    assert!(was.is_none() || ended(&id) == was);
                    if was.is_none() && ended(&id).is_some() {
                        assert_eq!(meter.epoch_since, System::block_number());
                    }
                }
                // No key went out for an epoch in whose course the consent ended.
                for ((id, epoch, _), _) in Deliveries::<Test>::iter() {
                    if let Some((_, block)) = ended(&id) {
                        assert!(Meters::epoch_at(&oncor(), &HOME, block).unwrap() > epoch);
                    }
                }
                Meters::do_try_state().unwrap();
                Consents::do_try_state().unwrap();
            }
        });
    }
}
