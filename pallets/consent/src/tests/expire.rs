use crate::{mock::*, Error, ExpiredThrough, ExpiringOn, DAYS_PER_BLOCK, EXPIRATIONS_PER_BLOCK};
use frame_support::{assert_noop, assert_ok, traits::Hooks};
use sealed_register::{delivery::ConsentTerms, MeterId, OperatingDay};
use std::collections::BTreeSet;
use wattseal_primitives::consent::{ConsentEnd, ConsentId};

/// A consent of the home whose last access day is this.
fn until(last: u16, number: u8) -> ConsentId {
    until_of(HOME, last, number)
}

fn until_of(meter: MeterId, last: u16, number: u8) -> ConsentId {
    give(ConsentTerms { meter, access: days(TODAY, last), text_hash: [number; 32], ..terms() })
}

#[test]
fn a_participant_ends_what_has_expired() {
    build_and_execute(|| {
        let id = until(TODAY + 3, 1);
        Day::set(TODAY + 3);
        assert_noop!(Consents::expire(from(retailer()), id), Error::<Test>::NotExpired);
        Day::set(TODAY + 4);
        assert_noop!(Consents::expire(from(account("eve")), id), Error::<Test>::NotAuthorized);
        assert_noop!(Consents::expire(from(retailer()), [7; 32]), Error::<Test>::NotFound);
        assert_ok!(Consents::expire(from(retailer()), id));
        assert_eq!(ended(&id), Some((ConsentEnd::Expired, 2)));
        assert_eq!(epoch(HOME), 1);
        assert_noop!(Consents::expire(from(retailer()), id), Error::<Test>::AlreadyEnded);
    });
}

#[test]
fn the_chain_ends_it_by_itself_on_the_day_after() {
    build_and_execute(|| {
        let (early, late) = (until(TODAY + 3, 1), until(TODAY + 4, 2));
        Day::set(TODAY + 3);
        next_block();
        assert_eq!(ended(&early), None);
        Day::set(TODAY + 4);
        next_block();
        assert_eq!(ended(&early), Some((ConsentEnd::Expired, System::block_number())));
        assert_eq!(ended(&late), None);
        assert_eq!(ExpiredThrough::<Test>::get(), Some(OperatingDay(TODAY + 3)));
        assert_eq!(epoch(HOME), 1);
        Day::set(TODAY + 5);
        next_block();
        assert!(ended(&late).is_some());
        assert_eq!(ExpiringOn::<Test>::iter().count(), 0);
    });
}

#[test]
fn a_block_ends_a_bounded_number() {
    build_and_execute(|| {
        // More than one meter may have.
        claim(UNCLAIMED, 1, "maria");
        let meters = [HOME, FACTORY, UNCLAIMED];
        let many = EXPIRATIONS_PER_BLOCK as u8 * 2 + 3;
        let ids: Vec<_> =
            (0..many).map(|number| until_of(meters[usize::from(number / 25)], TODAY + 1, number)).collect();
        let next = until(TODAY + 2, 99);
        Day::set(TODAY + 3);
        let open = || ids.iter().filter(|id| ended(id).is_none()).count();
        next_block();
        assert_eq!((open(), ended(&next)), (EXPIRATIONS_PER_BLOCK as usize + 3, None));
        assert_eq!(ExpiredThrough::<Test>::get(), Some(OperatingDay(TODAY)));
        next_block();
        assert_eq!((open(), ended(&next)), (3, None));
        next_block();
        assert_eq!(open(), 0);
        assert!(ended(&next).is_some());
        assert_eq!(ExpiredThrough::<Test>::get(), Some(OperatingDay(TODAY + 2)));
        // Several ends in one block make one epoch.
        for (number, meter) in meters.into_iter().enumerate() {
            let own = ids.iter().skip(25 * number).take(25).chain((meter == HOME).then_some(&next));
            let blocks: BTreeSet<_> = own.map(|id| ended(id).unwrap().1).collect();
            assert_eq!(epoch(meter) as usize, blocks.len());
        }
    });
}

#[test]
fn exactly_as_many_as_a_block_ends_leave_nothing() {
    build_and_execute(|| {
        let ids: Vec<_> = (0..EXPIRATIONS_PER_BLOCK as u8).map(|number| until(TODAY, number)).collect();
        Day::set(TODAY + 1);
        next_block();
        assert!(ids.iter().all(|id| ended(id).is_some()));
        assert_eq!(ExpiredThrough::<Test>::get(), Some(OperatingDay(TODAY)));
    });
}

#[test]
fn after_a_long_halt_the_chain_catches_up() {
    build_and_execute(|| {
        let last = TODAY + DAYS_PER_BLOCK as u16 + 5;
        let id = until(last, 1);
        Day::set(last + 20);
        next_block();
        assert_eq!(ExpiredThrough::<Test>::get(), Some(OperatingDay(TODAY - 1 + DAYS_PER_BLOCK as u16)));
        assert_eq!(ended(&id), None);
        let mut blocks = 0;
        while ended(&id).is_none() {
            next_block();
            blocks += 1;
            assert!(blocks < 5);
        }
        while ExpiredThrough::<Test>::get() != Some(OperatingDay(last + 19)) {
            next_block();
            blocks += 1;
            assert!(blocks < 9);
        }
    });
}

#[test]
fn what_was_ended_otherwise_is_left_alone() {
    build_and_execute(|| {
        let id = until(TODAY + 1, 1);
        assert_ok!(revoke(id));
        Day::set(TODAY + 2);
        next_block();
        assert_eq!(ended(&id), Some((ConsentEnd::Revoked, 2)));
        assert_eq!(epoch(HOME), 1);
    });
}

#[test]
fn without_a_clock_nothing_happens() {
    build_and_execute(|| {
        ExpiredThrough::<Test>::kill();
        Day::set(0);
        Consents::on_initialize(3);
        assert_eq!(ExpiredThrough::<Test>::get(), None);
        Day::set(TODAY);
        Consents::on_initialize(4);
        assert_eq!(ExpiredThrough::<Test>::get(), Some(OperatingDay(TODAY - 1)));
    });
}
