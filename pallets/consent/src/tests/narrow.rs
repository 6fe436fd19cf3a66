use crate::{mock::*, Consents as Given, Error, Event, ExpiringOn};
use frame_support::{assert_noop, assert_ok};
use pallet_meters::LONGEST_STATEMENT;
use sealed_register::{delivery::ConsentTerms, statement, Channels, DayRange, Level, OperatingDay};
use wattseal_primitives::consent::ConsentId;

/// A consent to everything of the home, in an earlier block.
fn wide(test: impl FnOnce(ConsentId, ConsentTerms)) {
    build_and_execute(|| {
        let terms = ConsentTerms { channels: Channels::Both, level: Level::Quarter, ..terms() };
        let id = give(terms);
        next_block();
        test(id, terms);
    });
}

#[test]
fn each_field_alone_can_become_narrower() {
    wide(|id, terms| {
        let mut now = narrow_of(id, &terms);
        let mut steps = 0;
        let mut step = |changed: statement::Narrow| {
            next_block();
            assert_ok!(narrow(&changed));
            steps += 1;
            assert_eq!(epoch(HOME), steps);
            changed
        };
        now = step(statement::Narrow { channels: Channels::Generation, ..now });
        now = step(statement::Narrow { level: Level::Day, ..now });
        now = step(statement::Narrow { data: days(8_100, terms.data.last.0), ..now });
        now = step(statement::Narrow { data: days(8_100, 8_200), ..now });
        now = step(statement::Narrow { access: days(TODAY + 1, terms.access.last.0), ..now });
        now = step(statement::Narrow { access: days(TODAY + 1, TODAY + 2), ..now });
        let consent = Given::<Test>::get(id).unwrap();
        assert_eq!((consent.channels, consent.level), (Channels::Generation, Level::Day));
        assert_eq!((consent.data, consent.access), (days(8_100, 8_200), days(TODAY + 1, TODAY + 2)));
        assert!(ExpiringOn::<Test>::contains_key(OperatingDay(TODAY + 2), id));
        assert!(!ExpiringOn::<Test>::contains_key(terms.access.last, id));
        System::assert_has_event(
            Event::ConsentNarrowed {
                consent: id,
                channels: now.channels,
                level: now.level,
                data: now.data,
                access: now.access,
            }
            .into(),
        );
    });
}

#[test]
fn nothing_becomes_wider() {
    build_and_execute(|| {
        let terms = terms();
        let id = give(terms);
        let now = narrow_of(id, &terms);
        let narrower = Level::Day;
        let wider = [
            statement::Narrow { channels: Channels::Both, level: narrower, ..now },
            statement::Narrow { channels: Channels::Generation, level: narrower, ..now },
            statement::Narrow { level: Level::Quarter, data: days(8_100, 8_200), ..now },
            statement::Narrow { data: days(terms.data.first.0 - 1, 8_200), level: narrower, ..now },
            statement::Narrow { data: days(8_200, terms.data.last.0 + 1), level: narrower, ..now },
            statement::Narrow { access: days(TODAY - 1, TODAY + 5), level: narrower, ..now },
            statement::Narrow { access: days(TODAY, terms.access.last.0 + 1), level: narrower, ..now },
        ];
        for statement in wider {
            assert_noop!(narrow(&statement), Error::<Test>::NotNarrower);
        }
        assert_noop!(narrow(&now), Error::<Test>::NotNarrower);
    });
}

#[test]
fn a_replay_is_refused() {
    wide(|id, terms| {
        let first = statement::Narrow { level: Level::Hour, ..narrow_of(id, &terms) };
        let second = statement::Narrow { channels: Channels::Consumption, ..first };
        assert_ok!(narrow(&first));
        assert_noop!(narrow(&first), Error::<Test>::NotNarrower);
        assert_ok!(narrow(&second));
        assert_noop!(narrow(&first), Error::<Test>::NotNarrower);
        assert_noop!(narrow(&second), Error::<Test>::NotNarrower);
        assert_noop!(try_give(terms), Error::<Test>::AlreadyExists);
    });
}

#[test]
fn every_field_is_signed() {
    wide(|id, terms| {
        let good = statement::Narrow { level: Level::Hour, ..narrow_of(id, &terms) };
        let signature = sign("maria", &good);
        let altered = [
            statement::Narrow { channels: Channels::Consumption, ..good },
            statement::Narrow { level: Level::Day, ..good },
            statement::Narrow { data: days(8_100, 8_200), ..good },
            statement::Narrow { access: days(TODAY, TODAY), ..good },
            statement::Narrow { last_valid_block: 99, ..good },
        ];
        for statement in altered {
            assert_noop!(relay_narrow(&statement, signature), Error::<Test>::InvalidSignature);
        }
        let elsewhere = statement::Narrow { genesis: [1; 32], ..good };
        assert_noop!(relay_narrow(&good, sign("maria", &elsewhere)), Error::<Test>::InvalidSignature);
        assert_noop!(relay_narrow(&good, sign("eve", &good)), Error::<Test>::InvalidSignature);
        assert_ok!(relay_narrow(&good, signature));
    });
}

#[test]
fn ranges_make_sense_and_the_window_has_not_passed() {
    build_and_execute(|| {
        let terms = ConsentTerms { access: days(TODAY - 9, TODAY + 9), ..terms() };
        let id = give(terms);
        let backwards = |first: u16, last: u16| DayRange { first: OperatingDay(first), last: OperatingDay(last) };
        let now = narrow_of(id, &terms);
        let data = statement::Narrow { data: backwards(8_200, 8_199), ..now };
        assert_noop!(narrow(&data), Error::<Test>::InvalidData);
        let access = statement::Narrow { access: backwards(TODAY + 1, TODAY), ..now };
        assert_noop!(narrow(&access), Error::<Test>::InvalidAccess);
        let passed = statement::Narrow { access: days(TODAY - 9, TODAY - 1), ..now };
        assert_noop!(narrow(&passed), Error::<Test>::InvalidAccess);
        assert_ok!(narrow(&statement::Narrow { access: days(TODAY, TODAY), ..now }));
    });
}

#[test]
fn only_what_stands_can_become_narrower() {
    build_and_execute(|| {
        let terms = terms();
        let id = give(terms);
        let day = statement::Narrow { level: Level::Day, ..narrow_of(id, &terms) };
        let late = statement::Narrow { last_valid_block: 1, ..day };
        assert_noop!(narrow(&late), Error::<Test>::StatementExpired);
        let long = statement::Narrow { last_valid_block: 2 + LONGEST_STATEMENT + 1, ..day };
        assert_noop!(narrow(&long), Error::<Test>::StatementTooLong);
        assert_noop!(narrow(&statement::Narrow { consent: [7; 32], ..day }), Error::<Test>::NotFound);
        let statement::Narrow { channels, level, data, access, .. } = day;
        let stranger =
            Consents::narrow(from(account("eve")), id, channels, level, data, access, LAST_BLOCK, sign("maria", &day));
        assert_noop!(stranger, Error::<Test>::NotAuthorized);
        Day::set(TODAY + 301);
        assert_noop!(narrow(&day), Error::<Test>::Expired);
        Day::set(TODAY);
        assert_ok!(revoke(id));
        assert_noop!(narrow(&day), Error::<Test>::AlreadyEnded);
    });
}
