//! Years of many meters: through the story, and through bulk ingest, within bounds of memory.

use crate::{
    feed,
    harness::{self, processes_of, program, Node, Process},
    utility,
};
use serde_json::Value;
use smart_meter_texas::{
    generate::{homes, write_csv, Home},
    Calendar, EsiId, OperatingDay,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::BufWriter,
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

/// Most memory of a node, bytes.
const NODE: u64 = 1_500_000_000;
/// Most memory of a client, bytes.
const CLIENT: u64 = 300_000_000;

/// How much is done.
struct Form {
    meters: u32,
    days: u16,
    patience: Duration,
}

impl Form {
    fn of_environment() -> Self {
        match std::env::var_os("WATTSEAL_FULL") {
            Some(_) => Self { meters: 100, days: 1_096, patience: Duration::from_secs(5_400) },
            None => Self { meters: 10, days: 365, patience: Duration::from_secs(900) },
        }
    }

    fn homes(&self) -> impl Iterator<Item = Home> {
        homes(3, self.meters)
    }

    /// Writes the file.
    fn write(&self, path: &Path) {
        let first = OperatingDay::from_ymd(2023, 1, 1).unwrap();
        let last = first.checked_add(i32::from(self.days) - 1).unwrap();
        let mut out = BufWriter::new(File::create(path).unwrap());
        write_csv(self.homes(), &Calendar::us_rule(2007, 2089).unwrap(), first..=last, &mut out).unwrap();
    }
}

/// Greatest resident memory of a process so far, bytes; nothing once it has ended.
fn peak(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes * 1_024)
}

/// Waits for the end of a process, and notes the greatest memory of it and of every process that names a folder.
fn watch(process: &mut Process, folder: &Path, patience: Duration) -> BTreeMap<String, u64> {
    let (began, mut peaks) = (Instant::now(), BTreeMap::new());
    while process.is_running() {
        assert!(began.elapsed() < patience, "it does not end:\n{}", process.lines().join("\n"));
        let mut note = |name: &str, id: u32| {
            if let Some(peak) = peak(id) {
                let known: &mut u64 = peaks.entry(name.to_owned()).or_default();
                *known = peak.max(*known);
            }
        };
        note("client", process.id());
        for line in processes_of(folder) {
            let (id, command) = line.split_once(": ").unwrap();
            if command.contains("wattseal-node") {
                note("node", id.parse().unwrap());
            }
        }
        thread::sleep(Duration::from_millis(100));
    }
    peaks
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// The whole story on such a file.
fn through_the_story(form: &Form, path: &Path, folder: &Path) {
    let base = folder.join("story");
    let began = Instant::now();
    let mut process =
        Process::start(harness::story(&base, &["--once", "--json"]).args(["--csv", path.to_str().unwrap()]));
    let peaks = watch(&mut process, &base, form.patience);
    let status = process.wait(Duration::from_secs(5));
    let lines = process.lines();
    assert!(status.success(), "{status}\n{}\n{}", lines.join("\n"), harness::log_tail(&base));
    let numbers: Value = serde_json::from_str(lines.iter().rfind(|line| line.starts_with('{')).unwrap()).unwrap();
    assert_eq!(numbers["steps_failed"], 0, "{numbers}");
    assert_eq!(numbers["total_wh"], feed::sums(path).total_wh);
    let is_told = lines.iter().any(|line| line.contains("are sealed so far"));
    assert!(is_told || numbers["ingest_seconds"].as_f64().unwrap() < 30.0, "no progress:\n{}", lines.join("\n"));
    let (node, client) = (peaks["node"], peaks["client"]);
    eprintln!(
        "story: {:.0} s in all, ingest {} s, {} cells in {} batches; node {:.0} MB, client {:.0} MB",
        began.elapsed().as_secs_f64(),
        numbers["ingest_seconds"],
        numbers["cells"],
        numbers["batches"],
        megabytes(node),
        megabytes(client)
    );
    assert!(node < NODE && client < CLIENT, "{peaks:?}");
}

/// Bulk ingest of such a file.
fn through_ingest(form: &Form, path: &Path, folder: &Path) {
    let base = folder.join("ingest");
    let meters: BTreeSet<EsiId> = form.homes().map(|home| home.esi_id()).collect();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut node = Node::start(&base);
    runtime.block_on(async {
        for some in meters.iter().copied().collect::<Vec<_>>().chunks(256) {
            utility::register(&node.chain().await, &some.iter().copied().collect()).await;
        }
    });
    let mut command = Command::new(program("wattseal"));
    command.args(["utility", "ingest", "--json", "--suri", "//Utility//sealing", "--node", &node.url]).arg(path);
    let mut process = Process::start(&mut command);
    let peaks = watch(&mut process, &base, form.patience);
    let status = process.wait(Duration::from_secs(5));
    let lines = process.lines();
    assert!(status.success(), "{}\n{}", lines.join("\n"), node.text());
    let said: Value = serde_json::from_str(lines.last().unwrap()).unwrap();
    node.assert_up();
    let (of_node, client) = (peaks["node"], peaks["client"]);
    let seconds = said["seconds"].as_f64().unwrap();
    eprintln!(
        "ingest: {seconds:.1} s, {} rows, {} cells in {} batches; node {:.0} MB, client {:.0} MB",
        said["rows"],
        said["days_sealed"],
        said["batches"],
        megabytes(of_node),
        megabytes(client)
    );
    assert!(said["days_sealed"].as_u64().unwrap() >= u64::from(form.meters) * u64::from(form.days), "{said}");
    assert!(of_node < NODE && client < CLIENT, "{peaks:?}");
    node.stop();
}

#[test]
fn volume() {
    let form = Form::of_environment();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("years.csv");
    form.write(&path);
    let bytes = fs::metadata(&path).unwrap().len();
    eprintln!("{} meters x {} days: {:.0} MB", form.meters, form.days, megabytes(bytes));
    through_ingest(&form, &path, folder.path());
    through_the_story(&form, &path, folder.path());
}
