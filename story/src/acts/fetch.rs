//! The vendor fetches, verifies and opens daily totals.

use crate::{
    book::Sums,
    error::{Result, StoryError},
    numbers::Numbers,
    outcome::Grant,
    printer::{kwh, number, seconds, size},
    readings::{same_as_feed, word, PATIENCE},
    story::Story,
};
use sealed_register::Channel;
use std::collections::BTreeMap;
use wattseal_client::reading::Fetched;

pub(super) async fn play(story: &mut Story) -> Result<()> {
    let grant = story.outcome.daily()?;
    let signed_at = grant.signed.as_ref().map(|(_, _, at)| *at).ok_or(StoryError::Needs("grant", "a consent"))?;
    let (fetched, sums) = by_vendor(story, grant).await?;
    let readable = signed_at.elapsed();
    story.numbers.grant_to_readable_seconds = Numbers::seconds(readable);
    story.numbers.proof_bytes_day_level = fetched.proof_bytes;
    let provenance = fetched.provenance().map_or_else(String::new, |provenance| provenance.to_string());
    story.printer.say(&format!(
        "The vendor fetched, verified and opened {}: equal to the feed's own totals. Proofs: {}, under roots from {}. From \
         her signature until here: {:.1} s.",
        told(&sums),
        size(fetched.proof_bytes),
        provenance,
        seconds(readable)
    ));
    remember(story, &fetched);
    Ok(())
}

/// Fetches what a grant is about and compares it with the feed.
pub(super) async fn by_vendor(story: &Story, grant: &Grant) -> Result<(Fetched, BTreeMap<Channel, Sums>)> {
    let id = grant.consent()?;
    let fetched = story.vendor.fetch(&story.access, &id, &grant.wanted, None, PATIENCE, &|_| {}).await?;
    let mut sums = BTreeMap::new();
    for channel in grant.wanted.channels.iter() {
        sums.insert(channel, same_as_feed(&fetched, &story.book, channel)?);
    }
    Ok((fetched, sums))
}

/// Keeps which reads the vault has answered, for the access log.
pub(super) fn remember(story: &mut Story, fetched: &Fetched) {
    story.outcome.vendor_reads.extend(fetched.receipts.iter().map(|receipt| receipt.request));
}

/// Sums in words.
pub(super) fn told(sums: &BTreeMap<Channel, Sums>) -> String {
    let one = |(channel, sums): (&Channel, &Sums)| {
        let mut text = format!("{} days of {}, {}", number(sums.days), word(*channel), kwh(sums.wh));
        if sums.estimated > 0 {
            text.push_str(&format!(", {} quarter hours estimated", number(sums.estimated)));
        }
        if sums.missing > 0 {
            text.push_str(&format!(", {} missing", number(sums.missing)));
        }
        text
    };
    sums.iter().map(one).collect::<Vec<_>>().join("; ")
}
