//! The feed node is killed at any moment of an ingest, loses its off-chain database, and gets one back that is a day old:
//! what it seals is, byte for byte, what a node seals to which nothing happens.

use crate::{
    feed_server::FeedServer,
    harness::{program, Node},
    random::Random,
    utility::{self, Sealed, Versions},
};
use serde_json::Value;
use smart_meter_texas::{
    csv::Writer,
    generate::{homes, Home},
    Calendar, Channel, EsiId, Interval, MeterDay, OperatingDay, RevisionDate,
};
use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

/// Milliseconds within which the node is killed: after it answers, and now and then after its process has started.
const WINDOW: u64 = 14_000;
/// One of so many kills falls upon a node that has just been started.
const AT_START: u64 = 4;
/// Files that are sealed when the kills are over: before and after the off-chain database is exchanged.
const LAST: usize = 4;
/// How long one file may take.
const FILE: Duration = Duration::from_secs(240);

/// How much is done.
struct Form {
    meters: u32,
    days: u16,
    kills: usize,
}

impl Form {
    fn of_environment() -> Self {
        match std::env::var_os("WATTSEAL_FULL") {
            Some(_) => Self { meters: 100, days: 60, kills: 20 },
            None => Self { meters: 20, days: 25, kills: 5 },
        }
    }
}

/// The files of a feed in the order in which they appear, and the days in them.
struct Feed {
    files: Vec<(String, Vec<u8>)>,
    days: Vec<MeterDay>,
    meters: BTreeSet<EsiId>,
}

impl Feed {
    /// One file of the past, then one a morning, with corrections of earlier days; over the change of clocks in spring.
    fn new(form: &Form) -> Self {
        let calendar = Calendar::us_rule(2007, 2089).unwrap();
        let first = OperatingDay::from_ymd(2026, 2, 14).unwrap();
        let daily = form.kills + LAST;
        let past = i32::from(form.days) - i32::try_from(daily).unwrap();
        let all: Vec<Home> = homes(7, form.meters).collect();
        let mut feed = Self { files: Vec::new(), days: Vec::new(), meters: BTreeSet::new() };
        let mut add = |mornings: std::ops::Range<i32>, extra: Vec<MeterDay>| {
            let published = |home: &Home| -> Vec<MeterDay> {
                let mornings = mornings.clone().map(|morning| first.checked_add(morning).unwrap());
                mornings.flat_map(|morning| home.published(&calendar, morning)).collect()
            };
            let mut days: Vec<MeterDay> = all.iter().flat_map(published).collect();
            days.extend(extra);
            let (writer, mut file) = (Writer::new(&calendar), Vec::new());
            writer.header(&mut file);
            days.iter().for_each(|day| writer.day(day, &mut file).unwrap());
            feed.meters.extend(days.iter().map(|day| day.esi_id));
            let name = format!("usage-{}.csv", first.checked_add(mornings.end).unwrap());
            feed.files.push((name, file));
            feed.days.extend(days);
        };
        add(1..past + 1, Vec::new());
        for file in 0..daily {
            let morning = past + 1 + i32::try_from(file).unwrap();
            // A day that comes in three parts of one REVISION_DATE: before the off-chain database is exchanged, while an
            // older one is there, and after it is gone.
            let part = (daily - LAST..daily).position(|last| last == file).filter(|part| *part != 1);
            let extra = part.map(|part| a_part(first, [0..30, 0..0, 30..60, 60..96][part].clone()));
            add(morning..morning + 1, extra.into_iter().collect());
        }
        feed
    }

    /// What must be sealed of it: of each day every version with other values than the one before.
    fn versions(&self, genesis: &sealed_register::Hash) -> Versions {
        let secrets = utility::secrets(genesis);
        let mut versions = Versions::new();
        for day in &self.days {
            let readings = utility::readings(day);
            let key = (secrets.meter_id(day.esi_id.as_str(), 0), readings.channel, readings.day);
            let of_day = versions.entry(key).or_default();
            let completed = of_day.last().filter(|_| !day.complete).map(|last| merged(last, &readings));
            let readings = completed.unwrap_or(readings);
            if of_day.last().is_none_or(|last| last.intervals != readings.intervals) {
                of_day.push(readings);
            }
        }
        versions
    }
}

/// Part of a day of a meter of its own.
fn a_part(first: OperatingDay, has_row: std::ops::Range<usize>) -> MeterDay {
    let interval = |at: usize| match has_row.contains(&at) {
        true => Interval::actual(100 + u32::try_from(at).unwrap()),
        false => Interval::MISSING,
    };
    MeterDay {
        esi_id: Home::new(7, 9_999).esi_id(),
        channel: Channel::Consumption,
        day: first,
        revision_date: RevisionDate::at(first.checked_add(1).unwrap(), 400).unwrap(),
        intervals: (0..96).map(interval).collect(),
        complete: false,
        rows: u8::try_from(has_row.len()).unwrap(),
    }
}

fn merged(before: &sealed_register::DayReadings, after: &sealed_register::DayReadings) -> sealed_register::DayReadings {
    use sealed_register::{Quality, Reading};
    let either = |(one, other): (&Reading, &Reading)| if one.quality == Quality::Missing { *other } else { *one };
    let intervals = before.intervals.iter().zip(&after.intervals).map(either).collect();
    sealed_register::DayReadings { intervals, ..before.clone() }
}

/// Whether the worker is done with a file and all of it is under finalised roots.
fn is_done(status: &Value, file: &str) -> bool {
    utility::state(status, file) == "done" && utility::is_settled(status)
}

async fn wait_done(node: &mut Node, file: &str) {
    utility::wait(node, file, FILE, |status| is_done(status, file)).await;
}

/// The same feed, and nothing happens.
fn undisturbed(base: &Path, feed: &Feed) -> Sealed {
    let server = FeedServer::start();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let mut node = Node::start_with(base, &["--dev", "--utility", "utility", "--feed-url", &server.url]);
        utility::register(&node.chain().await, &feed.meters).await;
        for (name, content) in &feed.files {
            server.put(name, content.clone());
            wait_done(&mut node, name).await;
        }
        node.stop();
    });
    Sealed::of(base)
}

/// The feed node of a chain that another node makes.
struct FeedNode<'a> {
    base: &'a Path,
    server: FeedServer,
    validator: String,
}

impl FeedNode<'_> {
    fn start(&self) -> Node {
        let url = self.server.url.as_str();
        let role = ["--chain", "dev", "--utility", "utility", "--feed-url", url];
        Node::start_with(self.base, &[&role[..], &["--reserved-nodes", &self.validator]].concat())
    }

    /// Lets it live so long, while files appear as soon as the one before is done. Gives what it said last.
    async fn live(&self, life: Duration, from_start: bool, feed: &Feed, next: &mut usize) -> Value {
        let mut node = self.start();
        let (mut began, mut last) = (Instant::now(), Value::Null);
        if !from_start {
            last = utility::wait(&mut node, "an answer", FILE, |status| !status.is_null()).await;
            began = Instant::now();
        }
        while began.elapsed() < life {
            node.assert_up();
            if let Some(status) = utility::ask(&node.url, "wattseal_feedStatus").await {
                let (before, _) = &feed.files[*next - 1];
                if is_done(&status, before) {
                    let (name, content) = &feed.files[*next];
                    self.server.put(name, content.clone());
                    *next += 1;
                }
                last = status;
            }
            tokio::time::sleep(Duration::from_millis(100).min(life.saturating_sub(began.elapsed()))).await;
        }
        // Dropped, it is killed.
        last
    }

    /// Lets it seal one more file, and ends it in order.
    async fn seal(&self, (name, content): &(String, Vec<u8>)) {
        let mut node = self.start();
        self.server.put(name, content.clone());
        wait_done(&mut node, name).await;
        node.stop();
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to.join(entry.file_name())),
            false => fs::copy(entry.path(), to.join(entry.file_name())).map(|_| ()).unwrap(),
        }
    }
}

/// The same feed; the node is killed, and its off-chain database exchanged.
async fn disturbed(bases: [&Path; 2], feed: &Feed, form: &Form, random: &mut Random) {
    let validator = Node::start_with(bases[0], &["--dev"]);
    utility::register(&validator.chain().await, &feed.meters).await;
    let (server, validator_address) = (FeedServer::start(), validator.peer().await);
    let node = FeedNode { base: bases[1], server, validator: validator_address };
    let first = &feed.files[0];
    node.server.put(&first.0, first.1.clone());
    let mut next = 1;
    for kill in 1..=form.kills {
        let (moment, from_start) = (random.below(WINDOW), random.below(AT_START) == 0);
        let status = node.live(Duration::from_millis(moment), from_start, feed, &mut next).await;
        let file = &feed.files[next - 1].0;
        let (state, outbox) = (utility::state(&status, file), status["outbox"].as_array().map_or(0, Vec::len));
        let after = if from_start { "its start" } else { "it answered" };
        eprintln!(
            "kill {kill}, {moment} ms after {after}: file {next} '{state}', outbox {outbox}, {}",
            status["shards"]
        );
        assert!(next <= feed.files.len() - LAST, "the ingest was over before the kills were");
    }
    let last = feed.files.len() - LAST;
    let mut left = feed.files[next - 1..=last].iter();
    left.next();
    let mut up = node.start();
    wait_done(&mut up, &feed.files[next - 1].0).await;
    for (name, content) in left {
        node.server.put(name, content.clone());
        wait_done(&mut up, name).await;
    }
    up.stop();

    eprintln!("the database of a day ago comes back");
    let (database, of_yesterday) = (utility::data(bases[1]).join("paritydb"), bases[1].join("of-yesterday"));
    copy(&database, &of_yesterday);
    node.seal(&feed.files[last + 1]).await;
    fs::remove_dir_all(&database).unwrap();
    fs::rename(&of_yesterday, &database).unwrap();
    node.seal(&feed.files[last + 2]).await;

    eprintln!("the database is deleted");
    let mut purge = Command::new(program("wattseal-node"));
    let purged = purge.args(["purge-chain", "-y", "--chain", "dev", "--base-path"]).arg(bases[1]).output().unwrap();
    assert!(purged.status.success() && !database.exists(), "{purged:?}");
    node.seal(&feed.files[last + 3]).await;
}

#[test]
fn faults_killed_at_any_moment() {
    let form = Form::of_environment();
    let mut random = Random::new("moments of the kills");
    let feed = Feed::new(&form);
    let folder = tempfile::tempdir().unwrap();
    let [one, validator, other] = ["undisturbed", "validator", "feed"].map(|name| folder.path().join(name));
    let expected = thread::scope(|scope| {
        let expected = scope.spawn(|| undisturbed(&one, &feed));
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(disturbed([&validator, &other], &feed, &form, &mut random));
        expected.join().unwrap()
    });
    let sealed = Sealed::of(&other);

    // Each file is one batch of the one shard: nothing is lost, doubled or out of its turn.
    let numbers: Vec<u32> = sealed.batches.iter().map(|(_, sequence, ..)| *sequence).collect();
    assert_eq!(numbers, (0..u32::try_from(feed.files.len()).unwrap()).collect::<Vec<_>>());
    for (batch, undisturbed) in sealed.batches.iter().zip(&expected.batches) {
        assert!(batch == undisturbed, "batch {} has another root or body", batch.1);
    }
    assert!(sealed.cells == expected.cells && sealed.batches.len() == expected.batches.len());
    // And that is what the files say, read by this test.
    let genesis = *wattseal_vault::Vault::open_existing(&utility::data(&other).join("vault.redb")).unwrap().genesis();
    let versions = feed.versions(&genesis);
    assert!(sealed.versions == versions, "what was sealed is not what the files say");
    let (readings, wh) = sealed.sums();
    assert_eq!((readings, wh), utility::sums(&versions));
    let cells: usize = sealed.cells.values().map(Vec::len).sum();
    eprintln!(
        "{} kills, {} batches, {cells} cells, {readings} readings, {}.{:03} kWh: as in the run without a kill",
        form.kills,
        sealed.batches.len(),
        wh / 1000,
        wh % 1000
    );
}
