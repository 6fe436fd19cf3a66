use crate::{mock::*, Directory, Part};
use wattseal_primitives::organisations::{Duty, Role, Standing};

#[test]
fn organisations_are_found_by_their_accounts() {
    build_and_execute(|| {
        assert_eq!(Participants::organisation_of(&ERCOT), Some((id("ercot"), Role::GridOperator)));
        assert_eq!(Participants::organisation_of(&VENDOR), Some((id("solar-helper"), Role::Vendor)));
        for other in [ONCOR_FEED, CUSTOMER, STRANGER] {
            assert_eq!(Participants::organisation_of(&other), None);
        }
        assert_eq!(Participants::role_of(&id("solar-helper")), Some(Role::Vendor));
        assert_eq!(Participants::role_of(&id("nobody")), None);
    });
}

#[test]
fn duties_are_found_by_their_accounts() {
    build_and_execute(|| {
        assert_eq!(Participants::duty(&ONCOR_FEED), Some((id("oncor"), Duty::Feed)));
        assert_eq!(Participants::duty(&ONCOR_DELIVERY), Some((id("oncor"), Duty::Delivery)));
        assert_eq!(Participants::utility_of_feed(&ONCOR_FEED), Some(id("oncor")));
        for other in [ONCOR, ONCOR_DELIVERY, VENDOR, CUSTOMER] {
            assert_eq!(Participants::utility_of_feed(&other), None);
        }
    });
}

#[test]
fn vendors_and_relays_are_told_apart() {
    build_and_execute(|| {
        let vendors: Vec<_> = (0..200u64).filter(Participants::is_admitted_vendor).collect();
        assert_eq!(vendors, [VENDOR]);
        let relays: Vec<_> = (0..200u64).filter(Participants::relayer_is_admitted).collect();
        assert_eq!(relays, [ERCOT, ONCOR, VENDOR, REGULATOR, CENTERPOINT, ONCOR_FEED, ONCOR_DELIVERY]);
    });
}

#[test]
fn keys_are_unknown_until_set() {
    build_and_execute(|| {
        assert_eq!(Participants::kem_key(&id("solar-helper")), None);
        assert_eq!(Participants::kem_key(&id("nobody")), None);
    });
}

#[test]
fn a_participants_part_comes_before_its_meters() {
    build_and_execute(|| {
        assert_eq!(Participants::part_of(&CUSTOMER), Some(Part::Customer));
        CustomerAccounts::set(vec![CUSTOMER, VENDOR]);
        let part = Part::Organisation { id: id("solar-helper"), role: Role::Vendor, standing: Standing::Admitted };
        assert_eq!(Participants::part_of(&VENDOR), Some(part));
        assert_eq!(Participants::part_of(&STRANGER), None);
    });
}
