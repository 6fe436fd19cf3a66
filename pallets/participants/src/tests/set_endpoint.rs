use crate::{mock::*, Error, Event, Organisations};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;

#[test]
fn an_organisation_moves_its_node_and_takes_it_away() {
    build_and_execute(|| {
        for endpoint in ["wss://vendor.example:443/rpc", "http://127.0.0.1:9944", "ws://[::1]:9944", "https://v", ""] {
            assert_ok!(Participants::set_endpoint(signed(VENDOR), text(endpoint)));
            let stored = Organisations::<Test>::get(id("solar-helper")).unwrap().endpoint;
            assert_eq!(stored, text::<128>(endpoint));
            let event = Event::EndpointSet { id: id("solar-helper"), endpoint: text(endpoint) };
            System::assert_last_event(event.into());
        }
    });
}

#[test]
fn what_is_no_address_is_refused() {
    build_and_execute(|| {
        for wrong in
            ["vendor.example", "wss://", "ftp://v.example", "wss://v.example/a b", "wss://v\u{e9}.example", " "]
        {
            assert_noop!(Participants::set_endpoint(signed(VENDOR), text(wrong)), Error::<Test>::InvalidEndpoint);
        }
    });
}

#[test]
fn only_an_admitted_organisations_own_account_sets_it() {
    build_and_execute(|| {
        for who in [ONCOR_FEED, CUSTOMER, STRANGER, COUNCIL] {
            assert_noop!(Participants::set_endpoint(signed(who), text("")), Error::<Test>::NotAuthorized);
        }
        assert_ok!(Participants::suspend(council(), id("oncor")));
        assert_noop!(Participants::set_endpoint(signed(ONCOR), text("")), Error::<Test>::NotAuthorized);
        assert_noop!(Participants::set_endpoint(RuntimeOrigin::none(), text("")), DispatchError::BadOrigin);
    });
}
