use crate::{mock::*, Consents as Given, Error, Event, ExpiringOn, StandingOf, DEFAULT_LONGEST_TERM, MAX_STANDING};
use frame_support::{assert_noop, assert_ok};
use pallet_meters::LONGEST_STATEMENT;
use sealed_register::{
    delivery::{ConsentTerms, Purpose},
    statement::Statement,
    tree, Channels, DayRange, Level, MeterId, OperatingDay,
};
use sp_core::Pair;
use sp_runtime::DispatchError;

#[test]
fn a_signed_consent_stands() {
    build_and_execute(|| {
        let terms = terms();
        let id = give(terms);
        let consent = Given::<Test>::get(id).unwrap();
        assert_eq!(crate::statements::terms_of(&consent), terms);
        assert_eq!((consent.customer, consent.given_at, consent.ended), (maria(), 2, None));
        assert_eq!(StandingOf::<Test>::get(oncor(), HOME).into_inner(), [id]);
        assert!(ExpiringOn::<Test>::contains_key(OperatingDay(TODAY + 300), id));
        System::assert_last_event(
            Event::ConsentGiven {
                consent: id,
                utility: oncor(),
                meter: HOME,
                customer: maria(),
                channels: Channels::Consumption,
                level: Level::Hour,
                data: terms.data,
                access: terms.access,
                purpose: Purpose::SolarSizing,
            }
            .into(),
        );
        // Nobody lost access.
        assert_eq!(epoch(HOME), 0);
    });
}

#[test]
fn the_name_of_a_consent_is_the_hash_of_its_text() {
    build_and_execute(|| {
        let statement = consent_of(terms());
        assert_eq!(give(terms()), statement.hash());
    });
}

#[test]
fn participants_and_the_customer_herself_relay_and_nobody_else() {
    build_and_execute(|| {
        let statement = consent_of(terms());
        let signature = sign("maria", &statement);
        let send = |origin| Consents::consent(origin, statement.terms, maria(), LAST_BLOCK, signature);
        assert_noop!(send(from(account("nobody"))), Error::<Test>::NotAuthorized);
        VendorAdmitted::set(false);
        assert_noop!(send(from(vendor())), Error::<Test>::NotAuthorized);
        assert_noop!(send(RuntimeOrigin::none()), DispatchError::BadOrigin);
        assert_noop!(send(RuntimeOrigin::root()), DispatchError::BadOrigin);
        assert_ok!(send(from(maria())));
        for (purpose, relayer) in [
            (Purpose::Storage, retailer()),
            (Purpose::Research, oncor_delivery()),
            (Purpose::Other, centerpoint_account()),
        ] {
            let statement = consent_of(ConsentTerms { purpose, ..terms() });
            let signature = sign("maria", &statement);
            assert_ok!(Consents::consent(from(relayer), statement.terms, maria(), LAST_BLOCK, signature));
        }
    });
}

/// Each field of the terms changed after signing, in a way that is itself allowed.
fn altered() -> Vec<ConsentTerms> {
    let terms = terms();
    vec![
        ConsentTerms { grantee: [1; 32], ..terms },
        ConsentTerms { channels: Channels::Both, ..terms },
        ConsentTerms { channels: Channels::Generation, ..terms },
        ConsentTerms { level: Level::Quarter, ..terms },
        ConsentTerms { level: Level::Day, ..terms },
        ConsentTerms { data: days(terms.data.first.0 - 1, terms.data.last.0), ..terms },
        ConsentTerms { data: days(terms.data.first.0, terms.data.last.0 + 1), ..terms },
        ConsentTerms { access: days(terms.access.first.0 - 1, terms.access.last.0), ..terms },
        ConsentTerms { access: days(terms.access.first.0, terms.access.last.0 + 1), ..terms },
        ConsentTerms { purpose: Purpose::Other, ..terms },
        ConsentTerms { text_hash: [5; 32], ..terms },
        ConsentTerms { meter: FACTORY, ..terms },
    ]
}

#[test]
fn every_field_is_signed() {
    build_and_execute(|| {
        let good = consent_of(terms());
        let signature = sign("maria", &good);
        for terms in altered() {
            assert_noop!(relay(&consent_of(terms), signature), Error::<Test>::InvalidSignature);
        }
        let mut other = good;
        other.last_valid_block -= 1;
        assert_noop!(relay(&other, signature), Error::<Test>::InvalidSignature);
        // For another chain, by another key, not as wallets sign, flipped.
        let mut elsewhere = good;
        elsewhere.genesis = [1; 32];
        assert_noop!(relay(&good, sign("maria", &elsewhere)), Error::<Test>::InvalidSignature);
        assert_noop!(relay(&good, sign("eve", &good)), Error::<Test>::InvalidSignature);
        let bare = pair("maria").sign(good.text().as_bytes()).0;
        assert_noop!(relay(&good, bare), Error::<Test>::InvalidSignature);
        let mut flipped = signature;
        flipped[63] ^= 1;
        assert_noop!(relay(&good, flipped), Error::<Test>::InvalidSignature);
        assert_ok!(relay(&good, signature));
        // Every altered text is another consent, and good when it is signed.
        for terms in altered() {
            give(terms);
        }
    });
}

#[test]
fn a_statement_is_used_once_even_after_its_end() {
    build_and_execute(|| {
        let id = give(terms());
        assert_noop!(try_give(terms()), Error::<Test>::AlreadyExists);
        assert_ok!(revoke(id));
        assert_noop!(try_give(terms()), Error::<Test>::AlreadyExists);
    });
}

#[test]
fn a_statement_is_good_up_to_its_last_block() {
    build_and_execute(|| {
        let mut statement = consent_of(terms());
        statement.last_valid_block = System::block_number();
        let signature = sign("maria", &statement);
        next_block();
        assert_noop!(relay(&statement, signature), Error::<Test>::StatementExpired);
        System::set_block_number(statement.last_valid_block);
        assert_ok!(relay(&statement, signature));
    });
}

#[test]
fn a_statement_is_good_for_a_bounded_time() {
    build_and_execute(|| {
        let mut statement = consent_of(terms());
        for far in [2 + LONGEST_STATEMENT + 1, u32::MAX] {
            statement.last_valid_block = far;
            assert_noop!(relay(&statement, sign("maria", &statement)), Error::<Test>::StatementTooLong);
        }
        statement.last_valid_block = 2 + LONGEST_STATEMENT;
        assert_ok!(relay(&statement, sign("maria", &statement)));
    });
}

#[test]
fn only_the_holder_of_a_running_tenancy_consents() {
    build_and_execute(|| {
        let elsewhere = ConsentTerms { utility: centerpoint(), ..terms() };
        assert_noop!(try_give(elsewhere), Error::<Test>::UnknownMeter);
        let unknown = ConsentTerms { meter: MeterId([9; 16]), ..terms() };
        assert_noop!(try_give(unknown), Error::<Test>::UnknownMeter);
        let unclaimed = ConsentTerms { meter: UNCLAIMED, ..terms() };
        assert_noop!(try_give(unclaimed), Error::<Test>::NotTheHolder);
        let mut eves = consent_of(terms());
        eves.customer = account("eve").into();
        assert_noop!(relay(&eves, sign("eve", &eves)), Error::<Test>::NotTheHolder);
        assert_ok!(Meters::close(from(oncor_feed()), HOME, OperatingDay(TODAY)));
        assert_noop!(try_give(terms()), Error::<Test>::TenancyOver);
    });
}

#[test]
fn only_recorded_channels_can_be_read() {
    build_and_execute(|| {
        for channels in [Channels::Generation, Channels::Both] {
            let terms = ConsentTerms { meter: FACTORY, channels, ..terms() };
            assert_noop!(try_give(terms), Error::<Test>::InvalidChannels);
        }
        give(ConsentTerms { meter: FACTORY, ..terms() });
    });
}

#[test]
fn ranges_make_sense() {
    build_and_execute(|| {
        let backwards = |first: u16, last: u16| DayRange { first: OperatingDay(first), last: OperatingDay(last) };
        let data = |data| try_give(ConsentTerms { data, ..terms() });
        assert_noop!(data(backwards(8_000, 7_999)), Error::<Test>::InvalidData);
        assert_noop!(data(days(7_000, 7_304)), Error::<Test>::InvalidData);
        assert_noop!(data(days(8_000, tree::LAST_DAY.0 + 1)), Error::<Test>::InvalidData);
        assert_ok!(data(days(7_000, 7_305)));
        assert_ok!(data(days(8_000, tree::LAST_DAY.0)));
        let access = |access| try_give(ConsentTerms { access, ..terms() });
        assert_noop!(access(backwards(TODAY + 1, TODAY)), Error::<Test>::InvalidAccess);
        assert_noop!(access(days(TODAY - 9, TODAY - 1)), Error::<Test>::InvalidAccess);
        assert_ok!(access(days(TODAY - 9, TODAY)));
    });
}

#[test]
fn homes_consent_for_at_most_the_longest_term() {
    build_and_execute(|| {
        let until = |meter, last| try_give(ConsentTerms { meter, access: days(TODAY, last), ..terms() });
        assert_noop!(until(HOME, TODAY + DEFAULT_LONGEST_TERM + 1), Error::<Test>::LimitOfTerm);
        // A later beginning makes no later end.
        let later = ConsentTerms { access: days(TODAY + 365, TODAY + 367), ..terms() };
        assert_noop!(try_give(later), Error::<Test>::LimitOfTerm);
        assert_ok!(until(HOME, TODAY + DEFAULT_LONGEST_TERM));
        assert_ok!(until(FACTORY, TODAY + 5_000));
    });
}

#[test]
fn a_meter_has_a_bounded_number_of_standing_consents() {
    build_and_execute(|| {
        let nth = |number: u32| ConsentTerms { text_hash: [number as u8; 32], ..terms() };
        let ids: Vec<_> = (0..MAX_STANDING).map(|number| give(nth(number))).collect();
        assert_noop!(try_give(nth(MAX_STANDING)), Error::<Test>::LimitOfConsents);
        // Another meter has its own; an ended one makes room.
        give(ConsentTerms { meter: FACTORY, ..terms() });
        assert_ok!(revoke(ids[7]));
        give(nth(MAX_STANDING));
    });
}
