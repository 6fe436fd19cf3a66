//! The vendor's command line with a light client as its only source of truth: readings, what is new since a cursor, the
//! table of `examples/vendor.py`, and a vault whose node made up its own chain.

use crate::{
    clients::{days, home, specification, Parties, PATIENCE},
    feed_server::FeedServer,
    harness::{program, workspace, Node},
    utility,
};
use sealed_register::{hex, Level};
use serde_json::Value;
use smart_meter_texas::{csv::Writer, generate, Calendar, Channel, Interval, MeterDay, OperatingDay, RevisionDate};
use std::{
    collections::BTreeSet,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

/// Exit code of the command where something does not stand under a finalised root.
const UNVERIFIED: i32 = 4;

fn day(of_march: u32) -> OperatingDay {
    OperatingDay::from_ymd(2026, 3, of_march).unwrap()
}

/// A file with days of the home's consumption, published 30 days later, whose values follow from `salt`.
fn file(of_march: &[u32], salt: u32) -> Vec<u8> {
    let calendar = Calendar::us_rule(2007, 2089).unwrap();
    let (writer, mut file) = (Writer::new(&calendar), Vec::new());
    writer.header(&mut file);
    for day in of_march.iter().map(|number| day(*number)) {
        let value = |at: u32| Interval::actual((at * 31 + salt * 101) % 900 + 1);
        let intervals: Vec<_> = (0..u32::from(calendar.intervals(day))).map(value).collect();
        let day = MeterDay {
            esi_id: home().esi_id(),
            channel: Channel::Consumption,
            day,
            revision_date: RevisionDate::at(day.checked_add(30).unwrap(), 390).unwrap(),
            rows: u8::try_from(intervals.len()).unwrap(),
            intervals,
            complete: true,
        };
        writer.day(&day, &mut file).unwrap();
    }
    file
}

/// The vendor's command line.
struct Fetch {
    consent: String,
    profile: PathBuf,
    specification: PathBuf,
}

impl Fetch {
    fn run(&self, vault: &Node, since: Option<&str>) -> Output {
        let mut command = Command::new(program("wattseal"));
        command
            .args(["vendor", "fetch", &self.consent, "--suri", "//Vendor", "--jsonl", "--out", "-", "--profile"])
            .arg(&self.profile)
            .args(["--node", &vault.url, "--light-client"])
            .arg(&self.specification);
        if let Some(cursor) = since {
            command.args(["--since", cursor]);
        }
        command.output().unwrap()
    }

    /// The export, its days by number in March, and its summary.
    fn fetched(&self, vault: &Node, since: Option<&str>) -> (Vec<u8>, BTreeSet<String>, Value) {
        let output = self.run(vault, since);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let lines = output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let mut lines: Vec<Value> = lines.map(|line| serde_json::from_slice(line).unwrap()).collect();
        let summary = lines.pop().unwrap()["summary"].take();
        let published = lines.iter().filter(|row| row["wh"].is_number());
        let days = published.map(|row| row["date"].as_str().unwrap().to_owned()).collect();
        (output.stdout, days, summary)
    }

    /// Expects a refusal by this exit code; gives the words.
    fn refused(&self, vault: &Node) -> String {
        let output = self.run(vault, None);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(UNVERIFIED), "{said}");
        assert_eq!(output.stdout, b"", "something was written before it was verified");
        said
    }
}

/// `examples/vendor.py`: takes an export if there is one.
fn vendor_py(table: &Path, arguments: &[&str], export: &[u8]) -> String {
    let mut command = Command::new("python3");
    command.arg(workspace().join("examples/vendor.py")).arg(table).args(arguments);
    let mut running = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    running.stdin.take().unwrap().write_all(export).unwrap();
    let output = running.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    said
}

async fn until_sealed(node: &mut Node, file: &str) {
    let done = |status: &Value| utility::state(status, file) == "done" && utility::is_settled(status);
    utility::wait(node, file, PATIENCE, done).await;
}

fn node(folder: &Path, feed: &FeedServer) -> Node {
    Node::start_with(folder, &["--dev", "--utility=utility", "--feed-url", &feed.url])
}

#[test]
fn clients_vendor_with_a_light_client() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(with_a_light_client());
}

async fn with_a_light_client() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let feed = FeedServer::start();
    let calendar = Calendar::us_rule(2007, 2089).unwrap();
    let mut first = Vec::new();
    generate::write_csv([home()], &calendar, day(2)..=day(11), &mut first).unwrap();
    feed.put("first.csv", first);
    let mut honest = node(&folder.join("honest"), &feed);
    let parties = Parties::new(honest.chain().await, folder).await;
    parties.vendor.register_key(&parties.chain).await.unwrap();
    let consent = parties.consent(days("2026-03-02", "2026-03-20"), Level::Hour).await;
    parties.vendor.relay(&parties.chain, &consent).await.unwrap();
    until_sealed(&mut honest, "first.csv").await;

    // Everything, then nothing, then what a correction and a new day bring.
    let mut fetch = Fetch {
        consent: hex(&consent.statement.id()),
        profile: folder.join("vendor"),
        specification: specification(&honest, folder).await,
    };
    let table = folder.join("usage.sqlite");
    let (export, fetched, summary) = fetch.fetched(&honest, None);
    assert_eq!(fetched.len(), 10, "{summary:#}");
    assert!(summary["provenance"].as_str().unwrap().starts_with("light client"), "{summary:#}");
    assert!(vendor_py(&table, &[], &export).contains("consumption: 10 days"));
    let cursor = vendor_py(&table, &["--cursor", &fetch.consent], &[]);
    assert_eq!(cursor.trim(), summary["cursor"].as_str().unwrap());
    let (_, nothing, _) = fetch.fetched(&honest, Some(&cursor));
    assert_eq!(nothing, BTreeSet::new());

    feed.put("later.csv", file(&[5, 12], 1));
    until_sealed(&mut honest, "later.csv").await;
    let (export, fetched, later) = fetch.fetched(&honest, Some(&cursor));
    assert_eq!(fetched, ["2026-03-05", "2026-03-12"].map(String::from).into(), "{later:#}");
    assert_eq!((&later["incremental"], &later["provenance"]), (&Value::Bool(true), &summary["provenance"]));
    assert!(later["proof_bytes"].as_u64() < summary["proof_bytes"].as_u64(), "{later:#}\n{summary:#}");
    let merged = vendor_py(&table, &[], &export);
    let (export, fetched, _) = fetch.fetched(&honest, None);
    assert_eq!(fetched.len(), 11);
    let whole = vendor_py(&folder.join("whole.sqlite"), &[], &export);
    assert_eq!(merged.lines().last(), whole.lines().last());
    let (_, nothing, _) = fetch.fetched(&honest, later["cursor"].as_str());
    assert_eq!(nothing, BTreeSet::new());

    // The same chain up to here, and then one that this node finalises alone: its vault serves what never was.
    honest.stop();
    let copied = Command::new("cp").arg("-a").arg(folder.join("honest")).arg(folder.join("lying")).status();
    assert!(copied.unwrap().success());
    let made_up = FeedServer::start();
    made_up.put("made-up.csv", file(&[13], 2));
    let mut lying = node(&folder.join("lying"), &made_up);
    until_sealed(&mut lying, "made-up.csv").await;
    let mut honest = node(&folder.join("honest"), &feed);
    fetch.specification = specification(&honest, folder).await;
    let said = fetch.refused(&lying);
    assert!(said.contains("which no node that states roots knows as finalised"), "{said}");
    // With a batch of the same number on the real chain there are two roots, and this is not its.
    feed.put("true.csv", file(&[13], 3));
    until_sealed(&mut honest, "true.csv").await;
    let said = fetch.refused(&lying);
    assert!(said.contains("root"), "{said}");
    let (_, fetched, _) = fetch.fetched(&honest, later["cursor"].as_str());
    assert_eq!(fetched, BTreeSet::from(["2026-03-13".to_owned()]));
}
