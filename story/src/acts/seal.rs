//! The feed's file appears; the utility's node reads it, seals it and commits it.

use crate::{
    error::{expect, Result},
    feed::wait_telling,
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
    let printer = story.printer.clone();
    let tell = |days, batches: u32| {
        let (days, batches) = (count(days, "day", "days"), count(batches.into(), "batch", "batches"));
        printer.more(&format!("{days} are sealed so far, {batches} are final."));
    };
    let ingested = wait_telling(story.chain(), std::slice::from_ref(&name), &tell).await?;
    story.reread()?;
    if !known {
        story.numbers.ingest_seconds = Numbers::seconds(ingested.finished.saturating_duration_since(began));
    }
    let at = story.chain().finalized().await?;
    let vault = story.chain().rpc().vault().await?;
    let shards: Vec<_> = at.shards().await?.into_iter().filter(|(utility, ..)| *utility == story.utility).collect();
    let on_chain: u64 = shards.iter().map(|(.., state)| u64::from(state.next_sequence)).sum();
    expect(on_chain == vault.batches, || format!("{on_chain} batches on chain, {} in the vault", vault.batches))?;
    let roots: Vec<String> = shards.iter().map(|(.., state)| hex(&state.root)).collect();
    let survey = &story.source.survey;
    let (cells, batches) = (count(vault.cells, "cell", "cells"), count(vault.batches, "batch", "batches"));
    story.printer.say(&match known {
        false => format!(
            "The feed's file is sealed after {:.1} s: {} readings of {}; the vault has {cells} in {batches}.",
            story.numbers.ingest_seconds,
            number(survey.used_rows),
            count(survey.meters.len() as u64, "meter", "meters"),
        ),
        true => format!("The feed's file was sealed before; the vault has {cells} in {batches}."),
    });
    if ingested.held > 0 {
        story.printer.more(&format!(
            "Held for the operator: {} with other values under the same REVISION_DATE. What was sealed first stays.",
            count(ingested.held, "day", "days")
        ));
    }
    let block = at.block().number;
    story.printer.more(&format!("All of it stands under {} on chain, final in block {block}.", roots.join(", ")));
    Ok(())
}
