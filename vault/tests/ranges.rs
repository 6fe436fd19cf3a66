//! What a vault answers verifies under the chain's root, and opens to what was sealed.

use crate::common::{days, open, utility, Utility, FIRST_DAY, GENESIS};
use proptest::prelude::*;
use sealed_register::{
    delivery::Segment,
    finalized::{BlockRef, RootStatement},
    open as open_cell,
    proof::{Form, RangeProof, RangeRequest},
    verified::VerifiedDay,
    verify::{verify_absence, verify_range},
    Channel, Channels, DayRange, FinalizedRoot, Intervals, Keyring, Level, Opened, OperatingDay, Quality, ShardId,
    StreamId,
};
use wattseal_vault::{RangeAnswer, ShardHeads, VaultError};

fn root(heads: &ShardHeads) -> FinalizedRoot {
    FinalizedRoot::from_own_node(RootStatement {
        shard: *heads.tree.shard(),
        batch_sequence: heads.tree.batch_sequence(),
        root: heads.tree.root(),
        block: BlockRef { number: 9, hash: [9; 32] },
    })
}

fn request(made: &Utility, meter: u32, first: u16, last: u16, level: Level) -> RangeRequest {
    let range = DayRange { first: OperatingDay(FIRST_DAY + first), last: OperatingDay(FIRST_DAY + last) };
    let all = DayRange { first: OperatingDay(0), last: OperatingDay(32_767) };
    let stream =
        StreamId { genesis: GENESIS, utility: utility(), meter: made.meter(meter), channel: Channel::Consumption };
    RangeRequest { stream, range, level, segments: vec![Segment { epoch: 0, days: all }], form: Form::Compact }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn answers_verify_and_open_to_the_newest_revision(
        first in 0..12_u16, length in 0..6_u16, level in 0..3_usize, split in 1..11_u16, amended in 0..10_u16,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let vault = open(&folder);
        let mut made = Utility::new();
        let mut all = days(1, 0, split);
        all.push((2, Channel::Consumption, 0, 0));
        let amendment = [(1, Channel::Consumption, amended, 1)];
        let batches = [made.batch(&all), made.batch(&days(1, split, 12)), made.batch(&amendment)];
        for batch in &batches {
            made.take(&vault, batch).unwrap();
        }
        let level = Level::ALL[level];
        let request = request(&made, 1, first, first + length, level);
        let (answer, heads) = vault.range(ShardId(0), &request).unwrap();
        prop_assert_eq!(heads.tree.root(), batches[2].summary.root);
        let RangeAnswer::Cells(proof) = answer else { panic!("the stream has cells") };
        let proof = RangeProof::decode(&proof.encode()).unwrap();
        let keys = Keyring::from_meter_key(made.secrets.meter_key(&utility(), &made.meter(1)));
        let verified = verify_range(&request, &proof, &root(&heads), &root(&heads), &keys).unwrap();
        for (day, known) in verified.days() {
            let number = day.0 - FIRST_DAY;
            let VerifiedDay::Committed(cell) = known else {
                prop_assert!(number >= 12);
                continue;
            };
            let revision = u16::from(number == amended);
            let sealed = Utility::readings(Channel::Consumption, number, revision);
            let total: u64 = sealed.intervals.iter().map(|reading| u64::from(reading.wh)).sum();
            let opened: Opened = open_cell(cell, &keys, Intervals::Normal).unwrap();
            prop_assert_eq!(opened.level(), level);
            prop_assert_eq!(opened.total().wh, total);
            prop_assert!(sealed.intervals.iter().all(|reading| reading.quality == Quality::Actual));
        }
    }
}

#[test]
fn an_unpublished_stream_is_proved_absent() {
    let folder = tempfile::tempdir().unwrap();
    let vault = open(&folder);
    let mut made = Utility::new();
    let asked = request(&made, 3, 0, 5, Level::Day);
    assert!(matches!(vault.range(ShardId(0), &asked), Err(VaultError::EmptyShard { .. })));
    let batch = made.batch(&[days(1, 0, 2), days(2, 0, 1)].concat());
    made.take(&vault, &batch).unwrap();
    let (answer, heads) = vault.range(ShardId(0), &asked).unwrap();
    let RangeAnswer::Absent(proof) = answer else { panic!("meter 3 has no cell") };
    verify_absence(&asked.stream, Channels::Consumption, &proof, &root(&heads), &root(&heads)).unwrap().unwrap();
    let published = request(&made, 1, 0, 0, Level::Day).stream;
    assert!(verify_absence(&published, Channels::Consumption, &proof, &root(&heads), &root(&heads)).unwrap().is_err());
}

#[test]
fn other_shards_chains_and_utilities_get_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let vault = open(&folder);
    let mut made = Utility::new();
    let batch = made.batch(&days(1, 0, 2));
    made.take(&vault, &batch).unwrap();
    let mut asked = request(&made, 1, 0, 1, Level::Day);
    assert!(matches!(vault.range(ShardId(4), &asked), Err(VaultError::EmptyShard { .. })));
    asked.stream.genesis = [8; 32];
    assert!(vault.range(ShardId(0), &asked).is_err());
}

#[test]
fn what_was_imported_is_served_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let vault = open(&folder);
    let mut made = Utility::new();
    for sequence in 0..5_u16 {
        let batch = made.batch(&days(1, sequence, sequence + 1));
        made.take(&vault, &batch).unwrap();
        let (answer, heads) = vault.range(ShardId(0), &request(&made, 1, 0, 9, Level::Hour)).unwrap();
        assert_eq!(heads.tree.batch_sequence(), u32::from(sequence));
        let RangeAnswer::Cells(proof) = answer else { panic!("the stream has cells") };
        assert_eq!(proof.elements.len(), usize::from(sequence) + 1);
    }
}
