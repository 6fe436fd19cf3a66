//! The node is killed at random points of the story; everything goes on, and nothing is lost or doubled.

use crate::{feed, harness::Played, story::told};

/// Steps in which something is on its way, with the milliseconds within which the kill falls.
const STEPS: [(&str, u64); 8] = [
    ("register", 6_000),
    ("seal", 12_000),
    ("claim", 9_000),
    ("grant", 9_000),
    ("whole", 9_000),
    ("correct", 9_000),
    ("revoke", 6_000),
    ("after", 9_000),
];
/// Kills of one story.
const KILLS: usize = 4;

#[test]
fn story_survives_restart() {
    let mut seed = [0; 8];
    getrandom::fill(&mut seed).unwrap();
    let mut state = u64::from_le_bytes(seed);
    let mut random = |below: u64| {
        // splitmix64
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = state;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (value ^ (value >> 31)) % below
    };
    // While the file is sealed, always; three more wherever it falls.
    let mut points = vec![format!("seal+{}", random(STEPS[1].1))];
    while points.len() < KILLS {
        let (step, within) = STEPS[usize::try_from(random(STEPS.len() as u64)).unwrap()];
        points.push(if random(4) == 0 { step.to_owned() } else { format!("{step}+{}", random(within)) });
    }
    let points = points.join(",");
    eprintln!("kills: {points}");
    let played = Played::once(&["--kill-node-at", &points]);
    let killed = played.text.lines().filter(|line| line.contains("The node was killed")).count();
    assert!(killed >= 1, "{}", played.text);
    assert_eq!(told(&played), feed::sums(&feed::sources(&played.base)[0]), "kills: {points}\n{}", played.text);
}
