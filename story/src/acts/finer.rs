//! Quarter hours are out of the vendor's reach: the vault refuses them, and with the sealed cells in hand its keys do not
//! open them.

use crate::{
    error::{expect, Result, StoryError},
    readings::{ask, only, verified},
    story::Story,
};
use sealed_register::{open, proof::Form, Intervals, Keyring, Level, OpenError};
use wattseal_client::{
    node_rpc::READ_REFUSAL,
    reading::{Reader, Wanted},
    ClientError,
};

/// JSON-RPC code of "the consent's resolution is coarser".
const LEVEL_NOT_GRANTED: i32 = READ_REFUSAL + 11;

pub(super) async fn play(story: &mut Story) -> Result<()> {
    let grant = story.outcome.daily()?;
    let consent = grant.consent()?;
    let (home, holder, channel) = (story.outcome.home()?, story.outcome.holder()?, story.main_channel());
    let record = story.vendor.record(&consent)?;
    let (keyring, segments) = record.keys()?;
    let secret = record.request()?.statement.secret;
    let wanted = Wanted { level: Level::Quarter, ..grant.wanted };
    let reader = Reader {
        access: &story.access,
        account: story.vendor.account(),
        utility: story.utility,
        meter: home.meter,
        consent: Some((consent, secret)),
    };
    let refusal = match reader.fetch(&wanted, None, &segments, &keyring, &|_| {}).await {
        Err(ClientError::Rpc { code: LEVEL_NOT_GRANTED, message, .. }) => format!("{LEVEL_NOT_GRANTED}: {message}"),
        Err(error) => return Err(error.into()),
        Ok(_) => {
            return Err(StoryError::Wrong("the vault served quarter hours under a consent to daily totals".into()))
        }
    };

    // Were the vault to leak them: the sealed quarter hours of one day, proved genuine by the customer.
    let at = (story.utility, home.meter);
    let day = story.book.days(channel).map(|readings| readings.day).find(|day| story.days().contains(*day));
    let day = day.ok_or_else(|| StoryError::Wrong("the first meter has no day".into()))?;
    let own = holder.customer.reader(&story.access, at);
    let epochs = 0..=story.chain().finalized().await?.known_meter(at.0, at.1).await?.epoch;
    let exchange = ask(&own, channel, only(day), (Level::Quarter, Form::Compact), epochs).await?;
    let root = story.access.root(at.0, &at.1, exchange.answer.batch_sequence).await?;
    let range = verified(&exchange, &root, &holder.keyring)?;
    let cell = range.revisions(day).last().ok_or_else(|| StoryError::Wrong(format!("{day} has no cell")))?;
    let intervals: Intervals = cell.header().intervals;
    expect(open(cell, &holder.keyring, intervals).is_ok(), || format!("{day} does not open with the customer's key"))?;
    let error = match open(cell, &keyring, intervals) {
        Err(error @ OpenError::LevelNotGranted { granted: Level::Day, .. }) => error,
        other => return Err(StoryError::Wrong(format!("the vendor's keys on sealed quarter hours: {other:?}"))),
    };
    for level in [Level::Hour, Level::Quarter] {
        expect(no_key(&keyring, cell.header(), level), || format!("the vendor holds a key of level {level:?}"))?;
    }
    story.printer.say(&format!(
        "It asks for quarter hours: the vault refuses ({refusal}). Handed the sealed quarter hours of {day} all the same, its \
         keys do not open them ({error})."
    ));
    Ok(())
}

fn no_key(keyring: &Keyring, header: &sealed_register::Header, level: Level) -> bool {
    keyring.leaf(header, level).is_none()
}
