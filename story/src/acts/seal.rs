//! The feed's file appears; the utility's node reads it, seals it and commits it.

use crate::{
    error::{expect, Result},
    feed::wait_ingested,
    numbers::Numbers,
    printer::{count, number},
    story::Story,
};
use sealed_register::hex;
use std::time::Instant;

pub(super) async fn play(story: &mut Story) -> Result<()> {
    let name = story.source.name.clone();
    // From an earlier run, not from this step played again after a kill.
    let known = story.feed.has(&name) && story.outcome.published_at.is_none();
    story.source.publish(&story.feed)?;
    let began = *story.outcome.published_at.get_or_insert_with(Instant::now);
    let ingested = wait_ingested(story.chain(), std::slice::from_ref(&name)).await?;
    story.reread()?;
    if !known {
        story.numbers.ingest_seconds = Numbers::seconds(ingested.finished.saturating_duration_since(began));
    }
    expect(ingested.held == 0, || {
        format!("{} day(s) are held for the operator: other values with the same REVISION_DATE", ingested.held)
    })?;

    let at = story.chain().finalized().await?;
    let vault = story.chain().rpc().vault().await?;
    let shards: Vec<_> = at.shards().await?.into_iter().filter(|(utility, ..)| *utility == story.utility).collect();
    let on_chain: u64 = shards.iter().map(|(.., state)| u64::from(state.next_sequence)).sum();
    expect(on_chain == vault.batches, || format!("{on_chain} batches on chain, {} in the vault", vault.batches))?;
    let roots: Vec<String> = shards.iter().map(|(.., state)| hex(&state.root)).collect();
    let survey = &story.source.survey;
    story.printer.say(&match known {
        false => format!(
            "The feed's file is sealed after {} s: {} readings of {} meter(s), {} cells in {} batch(es).",
            story.numbers.ingest_seconds,
            number(survey.used_rows),
            survey.meters.len(),
            number(vault.cells),
            vault.batches
        ),
        true => {
            format!("The feed's file was sealed before: {} cells in {} batches.", number(vault.cells), vault.batches)
        }
    });
    let block = at.block().number;
    story.printer.more(&format!("All of it stands under {} on chain, final in block {block}.", roots.join(", ")));
    Ok(())
}
