//! Listing, choosing and reading files, and what becomes of them.

use super::{
    chain::{Chain, ForSealing},
    feed::{Feed, FeedError, Fetched, MAX_FILE_BYTES},
    listing,
    lock::Lock,
    pass::{Basis, Pass, Tally},
    report::Reporter,
    store::{Store, PROGRESS},
};
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use codec::{Decode, Encode};
use sealed_register::MeterId;
use smart_meter_texas::{
    csv::{self, FileError},
    Calendar, EsiId,
};
use wattseal_primitives::{
    offchain::{FileRecord, FileState, FILES},
    BlockNumber,
};

/// Blocks after which waiting files are tried again, even if no listed meter was registered.
const RETRY_WAITING_BLOCKS: BlockNumber = 150;
/// Blocks for which a file that failed is left alone, so that the others get their turn.
const REST_BLOCKS: BlockNumber = 16;
/// Meters that wait and are looked up in one run.
const LOOK_UPS: usize = 64;
/// Milliseconds after which no further file is begun in a run.
const BEGIN_MILLISECONDS: u64 = 20_000;
/// Most parts into which the meters of a file are spread when its days do not fit into memory at once.
const MAX_PARTS: u32 = 4_096;

/// How far the worker is, besides the files' own states.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Progress {
    /// Files that are gone over in parts, each with part and number of parts.
    pub parts: Vec<(String, u32, u32)>,
    /// Files that rest, each until a block.
    pub resting: Vec<(String, BlockNumber)>,
    /// Block at which waiting files were last tried.
    pub waiting_tried: BlockNumber,
}

/// The run has lost its lock and must not write another byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockLost;

/// What a run works with.
pub struct Env<'a, S, C, F> {
    /// The node's off-chain storage.
    pub store: &'a mut S,
    /// The chain.
    pub chain: &'a C,
    /// The feed.
    pub feed: &'a mut F,
    /// Milliseconds since 1970.
    pub now: &'a dyn Fn() -> u64,
    /// This run's lock.
    pub lock: &'a mut Lock,
    /// What a reader of a file may use.
    pub limits: csv::Limits,
}

/// How reading a file, or a part of its meters, ended.
enum End {
    /// At the end of the file.
    Whole(csv::Report),
    /// The pass takes no more.
    Full,
    /// The days do not fit into memory at once.
    Overflow,
    /// The file is no interval file.
    NoFeedFile(FileError),
    /// The feed failed.
    Failed(FeedError),
}

/// Lists the feed, and reads files into one pass until something is sealed and no more fits, or time is over. Call it
/// with an empty outbox only.
///
/// # Errors
/// [`LockLost`]; what the pass had not closed is then as if it had not been.
pub fn run<S: Store, C: Chain, F: Feed>(
    env: &mut Env<'_, S, C, F>,
    basis: Basis<'_>,
    calendar: &Calendar,
) -> Result<(), LockLost> {
    let begun = (env.now)();
    let block = env.chain.block();
    let mut reporter = Reporter::load(env.store);
    let mut files: Vec<FileRecord> = env.store.read(FILES).unwrap_or_default();
    let stored = files.clone();
    let mut progress: Progress = env.store.read(PROGRESS).unwrap_or_default();
    let listed = env.feed.list().and_then(|listing| listing::parse(&listing));
    if !env.lock.extend(env.store, (env.now)()) {
        return Err(LockLost);
    }
    match listed {
        Ok(listed) => files = listing::merge(&files, &listed),
        Err(error) => {
            reporter.failed(block, None, &error.to_string());
            reporter.save(env.store);
            return Ok(());
        }
    }
    reporter.listed(block, (env.now)(), &files);
    retry_waiting(env.chain, &mut files, &reporter, &mut progress);
    // A file that has changed begins anew.
    let goes_on = |name: &str| listing::find(&files, name).is_some_and(|file| file.state == FileState::Sealing);
    progress.resting.retain(|(name, until)| *until > block && goes_on(name));
    progress.parts.retain(|(name, ..)| goes_on(name));

    let chain = ForSealing(env.chain);
    let mut pass = Pass::new(basis, &chain);
    let rests = |progress: &Progress, name: &str| progress.resting.iter().any(|(resting, _)| resting == name);
    for at in 0..files.len() {
        let late = (env.now)().saturating_sub(begun) > BEGIN_MILLISECONDS;
        if pass.is_full() || late {
            break;
        }
        let Some(file) = files.get_mut(at) else { break };
        if file.state == FileState::Sealing && !rests(&progress, &file.name) {
            read(env, &mut pass, file, calendar, &mut reporter, &mut progress)?;
        }
    }
    if !env.lock.extend(env.store, (env.now)()) {
        return Err(LockLost);
    }
    let cells = pass.cells();
    pass.finish(env.store);
    if cells > 0 {
        log::info!(target: "wattseal::feed", "{cells} days sealed");
    }
    // The report first: a file that is done is not read again, so what was found in it must be there by then.
    reporter.save(env.store);
    if files != stored {
        env.store.write(FILES, &files);
    }
    if env.store.read::<Progress>(PROGRESS).unwrap_or_default() != progress {
        env.store.write(PROGRESS, &progress);
    }
    Ok(())
}

/// Reads a file, part by part while nothing of it is sealed, and decides what becomes of it.
fn read<S: Store, C: Chain, F: Feed>(
    env: &mut Env<'_, S, C, F>,
    pass: &mut Pass<'_, ForSealing<'_, C>>,
    file: &mut FileRecord,
    calendar: &Calendar,
    reporter: &mut Reporter,
    progress: &mut Progress,
) -> Result<(), LockLost> {
    let block = env.chain.block();
    if file.size > MAX_FILE_BYTES {
        file.state = FileState::Refused(format!("the file has more than {MAX_FILE_BYTES} bytes: split it"));
        return Ok(());
    }
    let kept = progress.parts.iter().position(|(name, ..)| *name == file.name);
    let (mut part, mut parts) = match kept.map(|at| progress.parts.swap_remove(at)) {
        Some((_, part, parts)) => (part, parts),
        None => (0, 1),
    };
    loop {
        pass.begin(&file.name);
        let end = read_part(env, pass, file, calendar, part, parts)?;
        let tally = pass.end();
        file.cells = file.cells.saturating_add(tally.cells);
        let rows = match &end {
            End::Whole(rows) => Some(rows),
            _ => None,
        };
        reporter.found(&file.name, part, &tally, rows);
        if let Some(error) = &tally.error {
            reporter.failed(block, Some(&file.name), error);
            rest(progress, &file.name, block);
        }
        match end {
            End::Whole(rows) => file.rows = rows.rows,
            End::Full => break,
            End::Overflow if parts < MAX_PARTS => {
                // What was given out is right and sealed; the whole file is gone over again in smaller parts.
                (part, parts) = (0, parts.saturating_mul(2));
                if tally.cells > 0 {
                    break;
                }
                continue;
            }
            End::Overflow => {
                file.state = FileState::Refused("the file has too many days to be read: split it".into());
                return Ok(());
            }
            End::NoFeedFile(error) => {
                file.state = FileState::Refused(error.to_string());
                return Ok(());
            }
            End::Failed(error) => {
                reporter.failed(block, Some(&file.name), &error.to_string());
                rest(progress, &file.name, block);
                break;
            }
        }
        if is_unfinished(&tally, progress, &file.name, block) {
            break;
        }
        part = part.saturating_add(1);
        if part >= parts {
            let waits = reporter.waits(&file.name);
            file.state = if waits { FileState::Waiting } else { FileState::Done };
            return Ok(());
        }
    }
    if parts > 1 {
        progress.parts.push((file.name.clone(), part, parts));
    }
    Ok(())
}

/// Whether the part must be read again later. If that is not because cells of it are on their way, but because the index
/// or the finalised state is behind, the file rests a little.
fn is_unfinished(tally: &Tally, progress: &mut Progress, name: &str, block: BlockNumber) -> bool {
    if tally.unfinished && tally.cells == 0 {
        // One or two blocks: finality is that far behind.
        progress.resting.push((name.into(), block.saturating_add(2)));
    }
    tally.unfinished
}

fn rest(progress: &mut Progress, name: &str, block: BlockNumber) {
    progress.resting.push((name.into(), block.saturating_add(REST_BLOCKS)));
}

fn read_part<S: Store, C: Chain, F: Feed>(
    env: &mut Env<'_, S, C, F>,
    pass: &mut Pass<'_, ForSealing<'_, C>>,
    file: &FileRecord,
    calendar: &Calendar,
    part: u32,
    parts: u32,
) -> Result<End, LockLost> {
    let filter = move |esi_id: &EsiId| parts <= 1 || esi_id.bucket(parts) == part;
    let mut reader = csv::Reader::with_filter(calendar.clone(), env.limits, filter);
    let mut error = None;
    let mut lost = false;
    let Env { store, feed, now, lock, .. } = env;
    let fetched = feed.fetch(&file.name, file.size, &mut |piece| {
        if !lock.extend(*store, now()) {
            lost = true;
            return false;
        }
        error = reader.push(piece, |day| pass.take(*store, &day)).err();
        error.is_none() && !pass.is_full()
    });
    // The lock first: after a long wait of the feed nothing more may be written.
    if lost || !lock.extend(*store, now()) {
        return Err(LockLost);
    }
    let of_file_error = |error| match error {
        FileError::Overflow { .. } => End::Overflow,
        other => End::NoFeedFile(other),
    };
    Ok(match (fetched, error) {
        (_, Some(error)) => of_file_error(error),
        (Err(error), None) => End::Failed(error),
        (Ok(Fetched::Stopped), None) => End::Full,
        // The rest of unfinished days is taken for missing only at what is surely the file's end.
        (Ok(Fetched::Whole), None) => match reader.finish(|day| pass.take(*store, &day)) {
            Ok(report) => End::Whole(report),
            Err(error) => of_file_error(error),
        },
    })
}

/// Lets waiting files be read again when a meter that they wait for is registered, and all of them now and then.
fn retry_waiting(chain: &impl Chain, files: &mut [FileRecord], reporter: &Reporter, progress: &mut Progress) {
    let block = chain.block();
    let all = block >= progress.waiting_tried.saturating_add(RETRY_WAITING_BLOCKS);
    if all {
        progress.waiting_tried = block;
    }
    let mut waiting: Vec<(&MeterId, &str)> =
        reporter.report().waiting.iter().map(|day| (&day.meter, day.file.as_str())).collect();
    waiting.sort_unstable();
    waiting.dedup();
    // A window that moves with the blocks over all that wait.
    let windows = waiting.len().div_ceil(LOOK_UPS).max(1);
    let window = usize::try_from(block).unwrap_or_default() % windows;
    let registered: Vec<&str> = waiting
        .iter()
        .skip(window.saturating_mul(LOOK_UPS))
        .take(LOOK_UPS)
        .filter(|(meter, _)| chain.meter(meter).is_some())
        .map(|(_, file)| *file)
        .collect();
    for file in files.iter_mut().filter(|file| file.state == FileState::Waiting) {
        if all || registered.contains(&file.name.as_str()) {
            file.state = FileState::Sealing;
        }
    }
}
