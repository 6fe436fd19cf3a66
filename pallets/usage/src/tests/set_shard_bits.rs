//! `set_shard_bits`.

use crate::{mock::*, Error, Event};
use frame_support::{assert_noop, assert_ok};
use sealed_register::{DayRange, OperatingDay};

#[test]
fn a_utility_chooses_before_its_first_batch() {
    build_and_execute(|| {
        assert_eq!(Usage::shard_bits(&oncor()), None);
        assert_ok!(Usage::set_shard_bits(from("oncor"), 3));
        System::assert_last_event(Event::ShardBitsSet { utility: oncor(), bits: 3 }.into());
        assert_ok!(Usage::set_shard_bits(from("oncor"), 1));
        assert_eq!(Usage::shard_bits(&oncor()), Some(1));
        let day = OperatingDay(8_400);
        let days = DayRange { first: day, last: day };
        assert_ok!(Usage::commit_batch(from("oncor/feed"), 1, 0, [1; 32], [2; 32], 5, 1, days, 9, hash_of(9)));
        assert_noop!(Usage::set_shard_bits(from("oncor"), 1), Error::<Test>::BatchAlreadyExists);
        assert_ok!(Usage::set_shard_bits(from("tnmp"), 10));
    });
}

#[test]
fn nobody_else_chooses_and_not_anything() {
    build_and_execute(|| {
        for who in ["oncor/feed", "reliant", "sunny", "nobody"] {
            assert_noop!(Usage::set_shard_bits(from(who), 1), Error::<Test>::NotAuthorized);
        }
        assert_noop!(Usage::set_shard_bits(from("oncor"), 11), Error::<Test>::InvalidShardBits);
        assert_noop!(Usage::set_shard_bits(RuntimeOrigin::root(), 1), sp_runtime::DispatchError::BadOrigin);
    });
}
