use crate::{mock::*, Directory, GenesisConfig, GenesisOrganisation};
use frame_support::__private::serde_json;
use std::panic::catch_unwind;
use wattseal_primitives::organisations::{Duty, Role};

#[test]
fn the_chain_begins_with_its_organisations() {
    build_and_execute(|| {
        assert_eq!(Participants::organisation_of(&ONCOR), Some((id("oncor"), Role::Utility)));
        assert_eq!(Participants::duty(&ONCOR_DELIVERY), Some((id("oncor"), Duty::Delivery)));
        let oncor = crate::Organisations::<Test>::get(id("oncor")).unwrap();
        assert_eq!(oncor.endpoint, text::<128>("wss://oncor.example"));
        assert_eq!(oncor.admitted_at, 0);
        for account in [ERCOT, ONCOR, ONCOR_FEED, ONCOR_DELIVERY, VENDOR, REGULATOR] {
            assert_eq!(System::providers(&account), 1);
        }
    });
}

#[test]
fn an_empty_genesis_is_sound() {
    externalities(Vec::new()).execute_with(|| {
        Participants::do_try_state().unwrap();
        assert_eq!(Participants::part_of(&ERCOT), None);
    });
}

#[test]
fn a_wrong_genesis_does_not_start() {
    let wrong = [
        organisation("Oncor", Role::Utility, ONCOR),
        organisation("", Role::Utility, ONCOR),
        GenesisOrganisation { name: String::new(), ..organisation("oncor", Role::Utility, ONCOR) },
        GenesisOrganisation { name: "a".repeat(65), ..organisation("oncor", Role::Utility, ONCOR) },
        GenesisOrganisation { endpoint: "oncor".into(), ..organisation("oncor", Role::Utility, ONCOR) },
        GenesisOrganisation { feed: Some(ONCOR_FEED), ..organisation("a-vendor", Role::Vendor, VENDOR) },
        GenesisOrganisation { feed: Some(ONCOR), ..organisation("oncor", Role::Utility, ONCOR) },
    ];
    for organisation in wrong {
        assert!(catch_unwind(|| externalities(vec![organisation.clone()])).is_err(), "{organisation:?}");
    }
    let twice = || vec![organisation("oncor", Role::Utility, ONCOR), organisation("oncor", Role::Utility, STRANGER)];
    assert!(catch_unwind(|| externalities(twice())).is_err());
}

#[test]
fn the_genesis_is_readable_json() {
    let json = r#"{"organisations":[
        {"id":"oncor","role":"Utility","name":"Oncor Electric Delivery","account":2,"feed":21,"delivery":22},
        {"id":"puct","role":"Regulator","name":"Public Utility Commission","account":4,"endpoint":"wss://puc.example"}
    ]}"#;
    let config: GenesisConfig<Test> = serde_json::from_str(json).unwrap();
    assert_eq!(config.organisations.len(), 2);
    externalities(config.organisations.clone()).execute_with(|| {
        assert_eq!(Participants::utility_of_feed(&ONCOR_FEED), Some(id("oncor")));
        Participants::do_try_state().unwrap();
    });
    let again: GenesisConfig<Test> = serde_json::from_str(&serde_json::to_string(&config).unwrap()).unwrap();
    assert_eq!(again.organisations, config.organisations);
    let misspelt = r#"{"organisations":[{"id":"a","role":"Vendor","name":"A","account":1,"feeed":2}]}"#;
    assert!(serde_json::from_str::<GenesisConfig<Test>>(misspelt).is_err());
}
