//! The node is killed at random points of the story; everything goes on, and nothing is lost or doubled.

use crate::{feed, harness::Played, random::Random, story::told};

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
    let mut random = Random::new("kills");
    // While the file is sealed, always; three more wherever it falls.
    let mut points = vec![format!("seal+{}", random.below(STEPS[1].1))];
    while points.len() < KILLS {
        let (step, within) = STEPS[usize::try_from(random.below(STEPS.len() as u64)).unwrap()];
        points.push(if random.below(4) == 0 { step.to_owned() } else { format!("{step}+{}", random.below(within)) });
    }
    let points = points.join(",");
    eprintln!("kills: {points}");
    let played = Played::once(&["--kill-node-at", &points]);
    let killed = played.text.lines().filter(|line| line.contains("The node was killed")).count();
    assert!(killed >= 1, "{}", played.text);
    assert_eq!(told(&played), feed::sums(&feed::sources(&played.base)[0]), "kills: {points}\n{}", played.text);
}
