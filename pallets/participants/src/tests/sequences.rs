//! Whatever calls come in whatever order: the storage stays sound, references only ever come, a refused call writes
//! nothing, and no change of accounts makes a budget larger.

use crate::mock::*;
use proptest::prelude::*;
use sp_runtime::StateVersion;
use wattseal_primitives::organisations::{Duty, Role};

#[derive(Clone, Debug)]
enum Step {
    Admit { by_council: bool, name: u8, role: u8, account: AccountId },
    SetKemKey { who: AccountId },
    SetEndpoint { who: AccountId },
    Rotate { who: AccountId, to: AccountId },
    Replace { name: u8, to: AccountId },
    SetDuty { who: AccountId, feed: bool, to: AccountId },
    Suspend { name: u8 },
    Reinstate { name: u8 },
    Charge { who: AccountId },
    NextBlock,
}

const NAMES: [&str; 5] = ["ercot", "oncor", "solar-helper", "new-one", "new-two"];
const ROLES: [Role; 4] = [Role::Utility, Role::Vendor, Role::Retailer, Role::GridOperator];
const ACCOUNTS: std::ops::Range<AccountId> = 1..30;

fn step() -> impl Strategy<Value = Step> {
    let name = || 0..NAMES.len() as u8;
    prop_oneof![
        (any::<bool>(), name(), 0..ROLES.len() as u8, ACCOUNTS)
            .prop_map(|(by_council, name, role, account)| Step::Admit { by_council, name, role, account }),
        ACCOUNTS.prop_map(|who| Step::SetKemKey { who }),
        ACCOUNTS.prop_map(|who| Step::SetEndpoint { who }),
        (ACCOUNTS, ACCOUNTS).prop_map(|(who, to)| Step::Rotate { who, to }),
        (name(), ACCOUNTS).prop_map(|(name, to)| Step::Replace { name, to }),
        (ACCOUNTS, any::<bool>(), ACCOUNTS).prop_map(|(who, feed, to)| Step::SetDuty { who, feed, to }),
        name().prop_map(|name| Step::Suspend { name }),
        name().prop_map(|name| Step::Reinstate { name }),
        ACCOUNTS.prop_map(|who| Step::Charge { who }),
        Just(Step::NextBlock),
    ]
}

fn named(name: u8) -> sealed_register::OrganisationId {
    id(NAMES[usize::from(name)])
}

/// Carries the step out; false: it was refused.
fn take(step: Step) -> bool {
    match step {
        Step::Admit { by_council, name, role, account } => {
            let origin = if by_council { council() } else { signed(ERCOT) };
            let role = ROLES[usize::from(role)];
            Participants::admit(origin, named(name), role, text("A company"), account, text("")).is_ok()
        }
        Step::SetKemKey { who } => Participants::set_kem_key(signed(who), vec![1; 1_216].try_into().unwrap()).is_ok(),
        Step::SetEndpoint { who } => Participants::set_endpoint(signed(who), text("wss://a.example")).is_ok(),
        Step::Rotate { who, to } => Participants::rotate_account(signed(who), to).is_ok(),
        Step::Replace { name, to } => Participants::replace_account(council(), named(name), to).is_ok(),
        Step::SetDuty { who, feed, to } => {
            let duty = if feed { Duty::Feed } else { Duty::Delivery };
            Participants::set_duty_account(signed(who), duty, to).is_ok()
        }
        Step::Suspend { name } => Participants::suspend(council(), named(name)).is_ok(),
        Step::Reinstate { name } => Participants::reinstate(council(), named(name)).is_ok(),
        Step::Charge { who } => {
            Participants::charge(&who, 100, 1_000);
            true
        }
        Step::NextBlock => {
            System::set_block_number(System::block_number() + 1);
            true
        }
    }
}

/// All calls and all time counted in this period, whoever's they are.
fn counted() -> (u32, u64) {
    ACCOUNTS
        .map(|who| Participants::budget_of(&who))
        .fold((0, 0), |(calls, ref_time), budget| (calls + budget.calls, ref_time + budget.ref_time))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn the_storage_stays_sound(steps in prop::collection::vec(step(), 1..60)) {
        externalities(genesis()).execute_with(|| {
            for step in steps {
                let before: Vec<_> = ACCOUNTS.map(|who| System::providers(&who)).collect();
                let used = counted();
                let period = Participants::budget_period();
                let charged = matches!(step, Step::Charge { .. });
                let root = sp_io::storage::root(StateVersion::V1);
                if !take(step.clone()) {
                    assert_eq!(sp_io::storage::root(StateVersion::V1), root, "{step:?} was refused and wrote something");
                }
                let seats: std::collections::BTreeSet<_> = Seats::get().into_iter().collect();
                assert_eq!(seats.len(), 3, "after {step:?} the council has {seats:?}");
                Participants::do_try_state().unwrap_or_else(|error| panic!("after {step:?}: {error:?}"));
                for (who, before) in ACCOUNTS.zip(before) {
                    let now = System::providers(&who);
                    assert!(now >= before && now <= 1, "after {step:?}");
                }
                if Participants::budget_period() == period {
                    let more = (u32::from(charged), 1_000 * u64::from(charged));
                    assert_eq!(counted(), (used.0 + more.0, used.1 + more.1), "after {step:?}");
                }
            }
        });
    }
}
