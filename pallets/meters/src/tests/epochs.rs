use crate::{mock::*, EpochStarts, Event};
use frame_support::assert_ok;
use proptest::prelude::*;

#[test]
fn an_epoch_rises_once_per_block() {
    build_and_execute(|| {
        assert_ok!(sync(vec![entry(meter_id(1), 1)]));
        // Epoch 0 began in this block.
        Meters::raise_epoch(&oncor(), &meter_id(1));
        assert_eq!(Meters::meter(&oncor(), &meter_id(1)).unwrap().epoch, 0);
        System::set_block_number(2);
        System::reset_events();
        Meters::raise_epoch(&oncor(), &meter_id(1));
        Meters::raise_epoch(&oncor(), &meter_id(1));
        assert_eq!(Meters::meter(&oncor(), &meter_id(1)).unwrap().epoch, 1);
        assert_eq!(EpochStarts::<Test>::get((oncor(), meter_id(1), 1u32)), Some(2));
        assert_eq!(System::events().len(), 1);
        System::assert_last_event(Event::EpochRaised { utility: oncor(), meter: meter_id(1), epoch: 1 }.into());
    });
}

#[test]
fn an_unknown_meter_has_no_epoch() {
    build_and_execute(|| {
        Meters::raise_epoch(&oncor(), &meter_id(1));
        assert_eq!(Meters::epoch_at(&oncor(), &meter_id(1), 1), None);
        assert!(System::events().is_empty());
        assert_eq!(EpochStarts::<Test>::iter().count(), 0);
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The answer for every block equals what the meter showed at that block's end.
    #[test]
    fn the_epoch_of_every_past_block_is_known(
        registered_at in 1u32..6,
        rises in proptest::collection::vec(any::<bool>(), 1..60),
    ) {
        build_and_execute(|| {
            System::set_block_number(registered_at);
            assert_ok!(sync(vec![entry(meter_id(1), 1)]));
            let mut shown = vec![None; registered_at as usize];
            shown.push(Some(0));
            for rise in rises {
                System::set_block_number(System::block_number() + 1);
                if rise {
                    Meters::raise_epoch(&oncor(), &meter_id(1));
                }
                shown.push(Meters::meter(&oncor(), &meter_id(1)).map(|meter| meter.epoch));
            }
            for (block, epoch) in (0u32..).zip(&shown) {
                assert_eq!(Meters::epoch_at(&oncor(), &meter_id(1), block), *epoch, "block {block}");
            }
            let present = shown.last().copied().flatten();
            assert_eq!(Meters::epoch_at(&oncor(), &meter_id(1), u32::MAX), present);
        });
    }
}
