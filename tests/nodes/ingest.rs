//! `wattseal utility ingest`: what it seals of bulk history is, byte for byte, what the node's worker seals of the same
//! files; killed, it is repeated; beside a feed at work, both come through.

use crate::{
    feed_server::FeedServer,
    harness::{program, Node, Process},
    random::Random,
    utility::{self, Sealed},
};
use serde_json::Value;
use smart_meter_texas::{
    csv::Writer,
    generate::{homes, Home},
    Calendar, EsiId, MeterDay, OperatingDay, RevisionDate,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

/// Homes of the history; the last one is not registered.
const HOMES: u32 = 33;
/// Its days: over both changes of clocks, and more than one batch.
const DAYS: u16 = 240;
/// How long one run may take.
const PATIENCE: Duration = Duration::from_secs(420);
/// Times that a run is killed.
const KILLS: usize = 4;
/// Milliseconds within which a run is killed.
const WINDOW: u64 = 9_000;

fn calendar() -> Calendar {
    Calendar::us_rule(2007, 2089).unwrap()
}

fn csv(days: &[MeterDay]) -> Vec<u8> {
    let calendar = calendar();
    let (writer, mut file) = (Writer::new(&calendar), Vec::new());
    writer.header(&mut file);
    days.iter().for_each(|day| writer.day(day, &mut file).unwrap());
    file
}

/// Bulk history in two files: of each home every version of every day; then corrections, the rest of days that were cut
/// short, days that are there already, rows that are no rows, and a home that is not registered.
struct History {
    files: [(&'static str, Vec<u8>); 2],
    registered: BTreeSet<EsiId>,
    waiting: u64,
}

impl History {
    fn new() -> Self {
        let (calendar, first) = (calendar(), OperatingDay::from_ymd(2025, 3, 1).unwrap());
        let last = first.checked_add(i32::from(DAYS) - 1).unwrap();
        let all: Vec<Home> = homes(11, HOMES).collect();
        let (unknown, known) = all.split_last().unwrap();
        let mut days: Vec<MeterDay> = known.iter().flat_map(|home| home.days(&calendar, first..=last)).collect();
        let mut later: Vec<MeterDay> = Vec::new();
        let mut versions: BTreeMap<_, u32> = BTreeMap::new();
        days.iter().for_each(|day| *versions.entry((day.esi_id, day.channel, day.day)).or_default() += 1);
        for (at, day) in days.iter_mut().enumerate().filter(|(at, _)| at % 97 == 0) {
            let whole = day.clone();
            let is_only = versions[&(day.esi_id, day.channel, day.day)] == 1;
            if !is_only || whole.count(smart_meter_texas::Quality::Missing) > 0 {
                continue;
            }
            match at % 3 {
                0 => {
                    later.push(MeterDay { revision_date: RevisionDate(day.revision_date.0 + 4_000), ..raised(&whole) })
                }
                // Its evening is blank in the first file.
                1 => {
                    day.intervals[60..].fill(smart_meter_texas::Interval::MISSING);
                    later.push(whole);
                }
                _ => later.push(whole),
            }
        }
        let waiting: Vec<MeterDay> = unknown.days(&calendar, first..=first.checked_add(9).unwrap()).collect();
        later.extend(waiting.iter().cloned());
        let mut second = csv(&later);
        second
            .extend_from_slice(b"'10443720000000001,03/01/2025,03/02/2025 06:18:33,00:00,00:15,-3.145,A,Consumption\n");
        let registered = known.iter().map(Home::esi_id).collect();
        let files = [("history-1.csv", csv(&days)), ("history-2.csv", second)];
        Self { files, registered, waiting: waiting.len() as u64 }
    }

    fn write(&self, folder: &Path) -> Vec<PathBuf> {
        let write = |(name, content): &(&str, Vec<u8>)| {
            let path = folder.join(name);
            fs::write(&path, content).unwrap();
            path
        };
        self.files.iter().map(write).collect()
    }
}

/// Other values.
fn raised(day: &MeterDay) -> MeterDay {
    let mut raised = day.clone();
    raised.intervals.iter_mut().filter(|interval| interval.wh > 0).for_each(|interval| interval.wh += 1);
    raised
}

/// What a node's worker makes of the history.
fn by_the_worker(base: &Path, history: &History) -> Sealed {
    let server = FeedServer::start();
    server.put_all(history.files.iter().map(|(name, content)| (*name, content.clone())).collect());
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let mut node = Node::start(base);
        let chain = node.chain().await;
        utility::register(&chain, &history.registered).await;
        chain.rpc().call::<()>("wattseal_setFeed", &[server.url.clone().into()]).await.unwrap();
        let done = |status: &Value| {
            let states = history.files.iter().map(|(name, _)| utility::state(status, name));
            states.eq(["done", "waiting"]) && utility::is_settled(status)
        };
        utility::wait(&mut node, "the history", PATIENCE, done).await;
        node.stop();
    });
    Sealed::of(base)
}

fn command(node: &Node, files: &[PathBuf]) -> Command {
    let mut command = Command::new(program("wattseal"));
    command.args(["utility", "ingest", "--json", "--suri", "//Utility//sealing", "--node", &node.url]).args(files);
    command
}

/// Runs it to its end.
fn ingest(node: &Node, files: &[PathBuf]) -> Value {
    let output = command(node, files).output().unwrap();
    assert!(output.status.success(), "{output:?}\n{}", node.text());
    serde_json::from_slice(&output.stdout).unwrap()
}

async fn registered(base: &Path, meters: &BTreeSet<EsiId>) -> Node {
    let node = Node::start(base);
    utility::register(&node.chain().await, meters).await;
    node
}

#[test]
fn faults_ingest_seals_what_the_worker_seals() {
    let history = History::new();
    let folder = tempfile::tempdir().unwrap();
    let [one, other] = ["worker", "ingest"].map(|name| folder.path().join(name));
    let files = history.write(folder.path());
    let expected = by_the_worker(&one, &history);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let node = runtime.block_on(registered(&other, &history.registered));
    let said = ingest(&node, &files);
    let again = ingest(&node, &files);
    // Another key, and files that are none.
    let bad = folder.path().join("bad.csv");
    fs::write(&bad, b"\x1f\x8b\x08 gzip").unwrap();
    let refused = command(&node, &[bad]).output().unwrap();
    assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("gzip"), "{refused:?}");
    let mut wrong = Command::new(program("wattseal"));
    wrong.args(["utility", "ingest", "--suri", "//Other//sealing", "--node", &node.url]).args(&files);
    let refused = wrong.stdout(Stdio::null()).output().unwrap();
    assert!(!refused.status.success(), "{refused:?}");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("not the sealing key"), "{refused:?}");
    node.stop();
    let sealed = Sealed::of(&other);

    assert!(expected.batches.len() > 1, "{}", expected.batches.len());
    for (batch, by_worker) in sealed.batches.iter().zip(&expected.batches) {
        assert!(batch == by_worker, "batch {} has another root or body", batch.1);
    }
    assert_eq!(sealed.batches.len(), expected.batches.len());
    assert!(sealed == expected);
    let cells: u64 = sealed.cells.values().map(|cells| cells.len() as u64).sum();
    assert_eq!((&said["days_sealed"], &said["batches"]), (&cells.into(), &sealed.batches.len().into()));
    assert_eq!((&said["waiting"], &said["refused"]), (&history.waiting.into(), &1.into()), "{said}");
    let refused = &said["refused_rows"][0];
    let line = history.files[1].1.iter().filter(|byte| **byte == b'\n').count();
    assert_eq!((&refused["file"], &refused["line"]), (&"history-2.csv".into(), &line.into()), "{refused}");
    assert_eq!(refused["field"], "USAGE_KWH");
    let refused = refused.to_string();
    assert!(!refused.contains("3.145") && !refused.contains("1044372"), "{refused}");
    assert_eq!((&again["days_sealed"], &again["batches"]), (&0.into(), &0.into()), "{again}");
    eprintln!(
        "{} batches, {cells} cells, the same as the worker's; {} s",
        sealed.batches.len(),
        said["seconds"].as_f64().unwrap()
    );
}

#[test]
fn faults_ingest_killed_beside_a_feed() {
    let mut random = Random::new("moments of the kills");
    let history = History::new();
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path().join("node");
    let files = history.write(folder.path());
    // The feed has other homes of the same shard, so that each side's batches move the other's heads.
    let (calendar, first) = (calendar(), OperatingDay::from_ymd(2026, 1, 1).unwrap());
    let others: Vec<Home> = homes(12, HOMES + 5).skip(HOMES as usize).collect();
    let morning = |day: i32| -> Vec<MeterDay> {
        let day = first.checked_add(day).unwrap();
        others.iter().flat_map(|home| home.days(&calendar, day..=day)).collect()
    };
    let meters: BTreeSet<EsiId> = history.registered.iter().copied().chain(others.iter().map(Home::esi_id)).collect();
    let server = FeedServer::start();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut node = runtime.block_on(registered(&base, &meters));
    runtime.block_on(async {
        let chain = node.chain().await;
        chain.rpc().call::<()>("wattseal_setFeed", &[server.url.clone().into()]).await.unwrap();
    });
    let mut fed: Vec<MeterDay> = Vec::new();
    for kill in 0..KILLS {
        let days = morning(i32::try_from(kill).unwrap());
        server.put(&format!("morning-{kill}.csv"), csv(&days));
        fed.extend(days);
        let run = Process::start(&mut command(&node, &files));
        let moment = random.below(WINDOW);
        std::thread::sleep(Duration::from_millis(moment));
        // Dropped, it is killed.
        drop(run);
        eprintln!("kill {kill} after {moment} ms");
    }
    let said = ingest(&node, &files);
    let last = format!("morning-{}.csv", KILLS - 1);
    let done = |status: &Value| utility::state(status, &last) == "done" && utility::is_settled(status);
    runtime.block_on(utility::wait(&mut node, &last, PATIENCE, done));
    let genesis = runtime.block_on(node.chain()).genesis();
    assert_eq!(ingest(&node, &files)["days_sealed"], 0, "{said}");
    node.stop();

    let sealed = Sealed::of(&base);
    let numbers: Vec<u32> = sealed.batches.iter().map(|(_, sequence, ..)| *sequence).collect();
    assert_eq!(numbers, (0..u32::try_from(numbers.len()).unwrap()).collect::<Vec<_>>());
    // The newest version of every day is what the files say.
    let secrets = utility::secrets(&genesis);
    let mut newest = BTreeMap::new();
    let limits = smart_meter_texas::csv::Limits::default();
    let mut days = fed;
    for (_, content) in &history.files {
        days.extend(smart_meter_texas::csv::read(content, &calendar, limits).unwrap().0);
    }
    for day in days.iter().filter(|day| meters.contains(&day.esi_id)) {
        let readings = utility::readings(day);
        let key = (secrets.meter_id(day.esi_id.as_str(), 0), readings.channel, readings.day);
        let known: Option<&sealed_register::DayReadings> = newest.get(&key);
        // The rest of a cut day has its REVISION_DATE.
        if known.is_none_or(|known| known.revision_date <= readings.revision_date) {
            newest.insert(key, readings);
        }
    }
    assert_eq!(sealed.versions.len(), newest.len());
    for (key, readings) in &newest {
        let sealed = sealed.versions[key].last().unwrap();
        assert!(sealed.intervals == readings.intervals, "{key:?}");
    }
    eprintln!("{} batches, {} days, each as its newest version", sealed.batches.len(), newest.len());
}
