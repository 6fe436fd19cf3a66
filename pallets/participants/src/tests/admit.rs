use crate::{mock::*, Directory, Error, Event, OrganisationOf, Organisations};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;
use wattseal_primitives::organisations::{Role, Standing};

fn admit(origin: RuntimeOrigin, name: &str, role: Role, account: AccountId) -> Result<(), DispatchError> {
    Participants::admit(origin, id(name), role, text("A company"), account, text("wss://a.example"))
}

#[test]
fn the_council_admits_any_role() {
    build_and_execute(|| {
        let roles =
            [Role::GridOperator, Role::Utility, Role::Retailer, Role::Vendor, Role::Regulator, Role::ConsumerCounsel];
        for (number, role) in roles.into_iter().enumerate() {
            let account = 200 + number as AccountId;
            let name = format!("new-{number}");
            assert_ok!(admit(council(), &name, role, account));
            let organisation = Organisations::<Test>::get(id(&name)).unwrap();
            assert_eq!(organisation.role, role);
            assert_eq!(organisation.account, account);
            assert_eq!(organisation.standing, Standing::Admitted);
            assert_eq!(organisation.admitted_at, 1);
            assert_eq!(OrganisationOf::<Test>::get(account), Some(id(&name)));
            assert_eq!(System::providers(&account), 1);
        }
    });
}

#[test]
fn admission_is_told_in_readable_words() {
    build_and_execute(|| {
        assert_ok!(admit(council(), "newcomer", Role::Vendor, NEWCOMER));
        let (id, name) = (id("newcomer"), text("A company"));
        System::assert_last_event(
            Event::OrganisationAdmitted { id, role: Role::Vendor, name, account: NEWCOMER }.into(),
        );
    });
}

#[test]
fn the_grid_operator_admits_vendors_and_nobody_else() {
    build_and_execute(|| {
        assert_ok!(admit(signed(ERCOT), "newcomer", Role::Vendor, NEWCOMER));
        assert_noop!(admit(signed(ERCOT), "tnmp", Role::Utility, STRANGER), Error::<Test>::NotAuthorized);
    });
}

#[test]
fn nobody_else_admits() {
    build_and_execute(|| {
        for who in [ONCOR, ONCOR_FEED, VENDOR, REGULATOR, CUSTOMER, STRANGER] {
            assert_noop!(admit(signed(who), "newcomer", Role::Vendor, NEWCOMER), Error::<Test>::NotAuthorized);
        }
        assert_noop!(admit(RuntimeOrigin::none(), "newcomer", Role::Vendor, NEWCOMER), DispatchError::BadOrigin);
    });
}

#[test]
fn a_suspended_grid_operator_admits_nobody() {
    build_and_execute(|| {
        assert_ok!(Participants::suspend(council(), id("ercot")));
        assert_noop!(admit(signed(ERCOT), "newcomer", Role::Vendor, NEWCOMER), Error::<Test>::NotAuthorized);
    });
}

#[test]
fn short_names_and_accounts_are_used_once() {
    build_and_execute(|| {
        assert_noop!(admit(council(), "oncor", Role::Utility, NEWCOMER), Error::<Test>::AlreadyExists);
        for taken in [ERCOT, VENDOR, ONCOR_FEED, ONCOR_DELIVERY] {
            assert_noop!(admit(council(), "newcomer", Role::Vendor, taken), Error::<Test>::AccountAlreadyExists);
        }
    });
}

/// Whoever has a ticket can claim for any account; that must not keep an organisation out.
#[test]
fn a_claimed_meter_is_no_obstacle() {
    build_and_execute(|| {
        assert_ok!(admit(council(), "newcomer", Role::Vendor, CUSTOMER));
        assert!(Participants::is_admitted_vendor(&CUSTOMER));
        assert_eq!(System::providers(&CUSTOMER), 1);
    });
}

#[test]
fn names_are_for_people() {
    build_and_execute(|| {
        for wrong in ["", " Oncor", "Oncor ", "On\ncor", "On\u{7f}cor"] {
            assert_noop!(
                Participants::admit(council(), id("new"), Role::Vendor, text(wrong), NEWCOMER, text("")),
                Error::<Test>::InvalidName
            );
        }
        let bytes = vec![0xff, 0xfe].try_into().unwrap();
        assert_noop!(
            Participants::admit(council(), id("new"), Role::Vendor, bytes, NEWCOMER, text("")),
            Error::<Test>::InvalidName
        );
        assert_ok!(Participants::admit(
            council(),
            id("new"),
            Role::Vendor,
            text("Energía & Söhne, L.P."),
            NEWCOMER,
            text("")
        ));
    });
}

#[test]
fn an_account_that_has_a_reference_gets_no_second_one() {
    build_and_execute(|| {
        System::inc_providers(&NEWCOMER);
        assert_ok!(admit(council(), "newcomer", Role::Vendor, NEWCOMER));
        assert_eq!(System::providers(&NEWCOMER), 1);
    });
}
