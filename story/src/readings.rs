//! Comparing what somebody opened with what the feed says, and reading with every part of an answer in hand.

use crate::{
    book::{Book, Sums},
    error::{expect, Result, StoryError},
};
use sealed_register::{
    delivery::Segment, proof::Form, Channel, DayRange, Keyring, Level, Opened, OperatingDay, RangeRequest,
    VerifiedRange,
};
use wattseal_client::{
    node_rpc::{ReadAnswer, ReadOptions},
    reading::{check_receipt, verify_answer, DayState, Fetched, Known, Reader},
    roots::KnownRoot,
};

/// How long anything that the chain or the worker has to do may take.
pub const PATIENCE: std::time::Duration = std::time::Duration::from_secs(120);

/// Whether everything that was fetched is what the feed says, day by day and, at that level, quarter hour by quarter hour;
/// gives the sums of one channel.
///
/// # Errors
/// [`StoryError::Wrong`] names the first day that differs.
pub fn same_as_feed(fetched: &Fetched, book: &Book, channel: Channel) -> Result<Sums> {
    expect(fetched.is_current(), || "the vault answered from an old root".into())?;
    let mut sums = Sums::default();
    let Some(stream) = fetched.stream(channel) else {
        return Err(StoryError::Wrong(format!("nothing came about {}", word(channel))));
    };
    expect(stream.days.len() as u64 == u64::from(fetched.wanted.range.len()), || {
        format!("{} of {} days came", stream.days.len(), fetched.wanted.range.len())
    })?;
    for day in &stream.days {
        let said = book.day(channel, day.day);
        let differs = |what: &str| StoryError::Wrong(format!("{} of {}: {what}", word(channel), day.day));
        let (opened, said) = match (&day.state, said) {
            (DayState::NotCommitted, None) => continue,
            (DayState::Opened(opened), Some(said)) => (opened, said),
            (DayState::Closed(error), _) => return Err(differs(&error.to_string())),
            (state, _) => return Err(differs(&format!("the feed and the vault differ: {state:?}"))),
        };
        let mut of_day = Sums::default();
        of_day.add(&said.intervals);
        let total = opened.total();
        let same = (total.wh, u64::from(total.estimated), u64::from(total.missing))
            == (of_day.wh, of_day.estimated, of_day.missing);
        if !same {
            return Err(differs(&format!("{total:?} was opened, the feed says {of_day:?}")));
        }
        if fetched.wanted.level == Level::Quarter {
            let Opened::Quarters(readings) = opened else {
                return Err(differs("quarter hours were asked for and did not come"));
            };
            let same = readings.intervals == said.intervals && readings.revision_date == said.revision_date;
            expect(same, || format!("{} of {}: a quarter hour differs from the feed's", word(channel), day.day))?;
            sums.add(&readings.intervals);
        } else {
            sums.days += 1;
            sums.readings += of_day.readings;
            sums.estimated += u64::from(total.estimated);
            sums.missing += u64::from(total.missing);
            sums.wh = sums.wh.saturating_add(total.wh);
        }
    }
    expect(sums == book.sums(channel, fetched.wanted.range), || {
        format!("{} in all differs from the feed's own total", word(channel))
    })?;
    Ok(sums)
}

/// The channel in words.
pub fn word(channel: Channel) -> &'static str {
    match channel {
        Channel::Consumption => "consumption",
        Channel::Generation => "surplus generation",
    }
}

/// A question with its answer, before anything of it is believed.
pub struct Exchange {
    /// The question.
    pub asked: RangeRequest,
    /// The answer; its receipt is checked.
    pub answer: ReadAnswer,
}

/// Asks a vault for days of one channel; `epochs` are those that the reader holds keys for, over the whole range.
///
/// # Errors
/// [`StoryError::Client`].
pub async fn ask(
    reader: &Reader<'_>,
    channel: Channel,
    range: DayRange,
    (level, form): (Level, Form),
    epochs: impl Iterator<Item = u32>,
) -> Result<Exchange> {
    let rpc = reader.access.vault.rpc();
    let request = reader.request(rpc.vault().await?.account, channel, range, level).await?;
    let segments: Vec<Segment> = epochs.map(|epoch| Segment { epoch, days: range }).collect();
    let signature = reader.account.sign(&sealed_register::statement::Statement::message(&request));
    let options = ReadOptions { segments: segments.clone(), form };
    let text = sealed_register::statement::Statement::text(&request);
    let answer = rpc.read(&text, &signature, &options).await?;
    check_receipt(&answer, &request)?;
    Ok(Exchange { asked: RangeRequest { stream: request.stream(), range, level, segments, form }, answer })
}

/// Believes an answer only under a root that the own node states.
///
/// # Errors
/// [`StoryError::Client`] says what does not verify.
pub fn verified(exchange: &Exchange, root: &KnownRoot, keyring: &Keyring) -> Result<VerifiedRange> {
    match verify_answer(&exchange.answer, &exchange.asked, root, keyring)? {
        Known::Cells(range) => Ok(*range),
        Known::Absent { .. } => Err(StoryError::Wrong("the vault proves that nothing was published".into())),
    }
}

/// One day as a range.
pub fn only(day: OperatingDay) -> DayRange {
    DayRange { first: day, last: day }
}
