//! A random walk over all calls, against a model of who holds what.

use crate::mock::*;
use proptest::prelude::*;
use sealed_register::OperatingDay;
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
enum Step {
    Sync { meter: u8, issue: u32 },
    Claim { meter: u8, issue: u32, customer: u8 },
    Close { meter: u8, day: u16 },
    NextBlock,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0u8..3, 1u32..5).prop_map(|(meter, issue)| Step::Sync { meter, issue }),
        (0u8..3, 1u32..5, 0u8..3).prop_map(|(meter, issue, customer)| Step::Claim { meter, issue, customer }),
        (0u8..3, 8_395u16..8_403).prop_map(|(meter, day)| Step::Close { meter, day }),
        Just(Step::NextBlock),
    ]
}

/// What the model knows of a meter: newest ticket, holder and the ticket that made her so, whether closed.
#[derive(Default)]
struct Known {
    issue: u32,
    holder: Option<(u8, u32)>,
    closed: bool,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_order_of_calls_keeps_the_books(steps in proptest::collection::vec(step(), 1..40)) {
        build_and_execute(|| {
            let mut model: BTreeMap<u8, Known> = BTreeMap::new();
            for step in steps {
                match step {
                    Step::Sync { meter, issue } => {
                        let known = model.entry(meter).or_default();
                        known.issue = known.issue.max(issue);
                        assert_eq!(sync(vec![entry(meter_id(meter), issue)]), Ok(()));
                    }
                    Step::Claim { meter, issue, customer } => {
                        let epoch = Meters::meter(&oncor(), &meter_id(meter)).map(|meter| meter.epoch);
                        let known = model.get_mut(&meter);
                        let allowed = known.as_ref().is_some_and(|known| {
                            known.issue == issue && known.holder.is_none_or(|(_, used)| used < issue)
                        });
                        let outcome = claim(meter_id(meter), issue, &account(&format!("customer/{customer}")));
                        assert_eq!(outcome.is_ok(), allowed);
                        if let Some(known) = known.filter(|_| allowed) {
                            let replaced = known.holder.replace((customer, issue)).is_some();
                            let now = Meters::meter(&oncor(), &meter_id(meter)).unwrap();
                            // Risen in this call or earlier in this block.
                            assert!(!replaced || now.epoch_since == System::block_number());
                            assert!(replaced || Some(now.epoch) == epoch);
                        }
                    }
                    Step::Close { meter, day } => {
                        let known = model.get_mut(&meter);
                        let allowed = day <= Day::get() && known.as_ref().is_some_and(|known| !known.closed);
                        let outcome = close(from(oncor_feed()), meter_id(meter), OperatingDay(day));
                        assert_eq!(outcome.is_ok(), allowed);
                        if let Some(known) = known.filter(|_| allowed) {
                            known.closed = true;
                        }
                    }
                    Step::NextBlock => System::set_block_number(System::block_number() + 1),
                }
                Meters::do_try_state().unwrap();
            }
            for (meter, known) in &model {
                let meter = Meters::meter(&oncor(), &meter_id(*meter)).unwrap();
                assert_eq!(meter.ticket_issue, known.issue);
                assert_eq!(meter.tenancy_end.is_some(), known.closed);
                let holder = known.holder.map(|(customer, _)| account(&format!("customer/{customer}")));
                assert_eq!(meter.claim.map(|claim| claim.customer), holder);
            }
            for customer in 0u8..3 {
                let held = model.values().filter(|known| known.holder.is_some_and(|(who, _)| who == customer)).count();
                assert_eq!(Meters::holds_a_meter(&account(&format!("customer/{customer}"))), held > 0);
            }
        });
    }
}
