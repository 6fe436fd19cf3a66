//! Her access log: every read of her meter, signed by the vault.

use crate::{
    error::{expect, Result},
    printer::{self, number},
    story::Story,
};
use sealed_register::{statement::Receipt, Level};
use std::collections::{BTreeMap, BTreeSet};

pub(super) async fn play(story: &mut Story) -> Result<()> {
    let (home, holder) = (story.outcome.home()?, story.outcome.holder()?);
    let log = holder.customer.access_log(story.chain(), (story.utility, home.meter)).await?;
    let requests: BTreeSet<_> = log.iter().map(|receipt| receipt.request).collect();
    let missing = story.outcome.vendor_reads.iter().filter(|read| !requests.contains(*read)).count();
    expect(missing == 0, || format!("{missing} reads of the vendor are not in her access log"))?;
    let ascending = log.windows(2).all(|pair| matches!(pair, [one, two] if one.number < two.number));
    expect(ascending, || "the receipts are not in order".into())?;

    let known: BTreeSet<_> = story.outcome.vendor_reads.iter().collect();
    let vendors: Vec<&Receipt> = log.iter().filter(|receipt| known.contains(&receipt.request)).collect();
    story.printer.say(&format!(
        "Her access log has {} receipts, each signed by the vault and chained to the one before. {} of them answered the \
         vendor's fetches in this run:",
        number(log.len() as u64),
        vendors.len()
    ));
    let mut lines: BTreeMap<(String, &str), (u64, u32, u32)> = BTreeMap::new();
    for receipt in vendors {
        let what = (receipt.range.to_string(), level(receipt.level));
        let entry = lines.entry(what).or_insert((0, receipt.block, receipt.block));
        entry.0 += 1;
        entry.1 = entry.1.min(receipt.block);
        entry.2 = entry.2.max(receipt.block);
    }
    for ((range, level), (count, first, last)) in lines {
        story
            .printer
            .more(&format!("- {range} {level}: {}, blocks {first} to {last}", printer::count(count, "read", "reads")));
    }
    Ok(())
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Day => "by day",
        Level::Hour => "by hour",
        Level::Quarter => "by 15 minutes",
    }
}
