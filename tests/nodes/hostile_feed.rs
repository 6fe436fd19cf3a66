//! A feed in which everything goes wrong that can: whatever its server and its files do, and in whatever order, good rows
//! are sealed, the rest is listed with file, line, field and reason, and the node stays up in bounded memory.

use crate::{
    feed_server::{Answer, FeedServer},
    harness::{program, Node},
    random::Random,
    utility::{self, Sealed, Versions},
};
use sealed_register::DayReadings;
use serde_json::Value;
use smart_meter_texas::{
    csv::Writer, generate::Home, Calendar, Channel, EsiId, Interval, MeterDay, OperatingDay, RevisionDate,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    process::Command,
    time::Duration,
};

/// Most memory that the node may ever have had, bytes: a bound on leaks and on reading without end, not a measurement.
const MEMORY: u64 = 1 << 30;
/// Most that the server may get rid of by an answer without end, bytes: buffers on the way included.
const ENDLESS: u64 = 64 << 20;
/// How long a group of files may take; a file whose server failed is left alone for 16 blocks.
const PATIENCE: Duration = Duration::from_secs(180);

/// Meter number `index`.
fn meter(index: u32) -> EsiId {
    Home::new(11, index).esi_id()
}

fn date(year: i32, month: u32, day: u32) -> OperatingDay {
    OperatingDay::from_ymd(year, month, day).unwrap()
}

/// A day whose values follow from `salt`.
fn day(index: u32, channel: Channel, day: OperatingDay, revision_date: RevisionDate, salt: u32) -> MeterDay {
    let intervals = Calendar::us_rule(2007, 2089).unwrap().intervals(day);
    let value = |at: u32| Interval::actual((at * 37 + salt * 101 + index * 7) % 900 + 1);
    let intervals: Vec<Interval> = (0..u32::from(intervals)).map(value).collect();
    let rows = u8::try_from(intervals.len()).unwrap();
    MeterDay { esi_id: meter(index), channel, day, revision_date, intervals, complete: true, rows }
}

/// The morning after a day, plus days.
fn revised(day: OperatingDay, later: i32) -> RevisionDate {
    RevisionDate::at(day.checked_add(1 + later).unwrap(), 390).unwrap()
}

fn csv(days: &[MeterDay]) -> Vec<u8> {
    let calendar = Calendar::us_rule(2007, 2089).unwrap();
    let (writer, mut file) = (Writer::new(&calendar), Vec::new());
    writer.header(&mut file);
    days.iter().for_each(|day| writer.day(day, &mut file).unwrap());
    file
}

/// Something that happens.
#[derive(Clone, Debug)]
enum Event {
    /// A file appears, or has new content: its days in the order in which they are read.
    File(&'static str, Vec<u8>, Vec<MeterDay>),
    /// A file grows while it is read: what it has at first, and what it has in the end.
    Growing(&'static str, Vec<MeterDay>),
    /// A file that is no interval file, and why.
    Junk(&'static str, Vec<u8>, &'static str),
    /// A file that is not for the node at all.
    NotListed(&'static str),
    /// The server fails in this way at one file.
    Failing(&'static str, Answer, Vec<MeterDay>),
    /// The server fails in this way at listings, with these words for people.
    Listing(Answer, Option<&'static [u8]>, &'static str),
    /// The utility registers the meter whose rows were there before, or will be.
    Register(u32),
}

/// The live days: 2026-03-07 and after, over the change of clocks.
fn live() -> Vec<MeterDay> {
    let mut days = Vec::new();
    for index in [0, 1] {
        for at in 0..3 {
            let of = date(2026, 3, 7 + at);
            for channel in Channel::ALL {
                days.push(day(index, channel, of, revised(of, 2), at));
            }
        }
    }
    days
}

fn file(name: &'static str, days: Vec<MeterDay>) -> Event {
    Event::File(name, csv(&days), days)
}

/// Everything that happens, in no order.
fn events(elsewhere: &str, here: &str) -> Vec<Event> {
    let (consumption, generation) = (Channel::Consumption, Channel::Generation);
    let of = date(2026, 3, 8);
    let backfill = |at: u32| date(2024, 11, 2 + at);
    let backfilled = (0..3).map(|at| day(0, consumption, backfill(at), revised(backfill(at), 0), at)).collect();
    let (bad, good, _) = bad_rows();
    let other = |index: u32| vec![day(index, consumption, of, revised(of, 0), index)];
    let page = b"<!DOCTYPE html><html><body>maintenance</body></html>".to_vec();
    vec![
        file("live.csv", live()),
        // The same again under a name that sorts earlier, and under one that sorts later.
        file("a copy.csv", live()),
        file("zz-copy.csv", live()),
        file("2024.csv", backfilled),
        // One channel is revised; an older revision comes after it, or before it.
        file("revised.csv", vec![day(0, consumption, of, revised(of, 5), 50)]),
        file("older.csv", vec![day(0, consumption, of, revised(of, 0), 51)]),
        // Other values of one date, and of none.
        file("equal.csv", vec![day(1, consumption, of, revised(of, 2), 52)]),
        file("undated.csv", vec![day(1, generation, of, RevisionDate::NONE, 53)]),
        // One name with three contents, of which one is that of a file already there.
        file("again.csv", vec![day(2, consumption, date(2026, 1, 1), revised(of, 0), 1)]),
        file("again.csv", vec![day(2, consumption, date(2026, 1, 2), revised(of, 0), 2)]),
        file("again.csv", live()),
        Event::File("bad-rows.csv", bad, good),
        file("stranger.csv", other(5)),
        Event::Register(5),
        Event::Growing("growing.csv", (0..3).map(|at| day(4, generation, backfill(at), revised(of, 0), at)).collect()),
        Event::Junk("empty.csv", Vec::new(), "empty"),
        Event::Junk("blank.csv", b"\n\r\n   \n,,,\n".to_vec(), "empty"),
        Event::Junk("binary.csv", (0..=255).cycle().take(70_000).collect(), "not text"),
        Event::Junk("packed.csv", [&[0x1f, 0x8b, 8, 0][..], &[7; 600]].concat(), "gzip"),
        Event::Junk("page.csv", page, "HTML"),
        Event::Junk("columns.csv", b"ESIID,USAGE_DATE,USAGE_KWH\n1,2,3\n".to_vec(), "USAGE_START_TIME"),
        Event::NotListed("unfinished.csv.tmp"),
        Event::NotListed(".hidden.csv"),
        Event::NotListed("readme.txt"),
        Event::Failing("failing-500.csv", Answer::Status(500), other(6)),
        Event::Failing("failing-404.csv", Answer::Status(404), other(7)),
        Event::Failing("failing-silence.csv", Answer::Silence, other(8)),
        Event::Failing("failing-half.csv", Answer::Half, other(9)),
        Event::Failing("failing-drip.csv", Answer::Drip, other(10)),
        Event::Failing("failing-endless.csv", Answer::Endless, other(11)),
        Event::Failing("failing-elsewhere.csv", Answer::Redirect(elsewhere.into()), other(12)),
        Event::Failing("failing-loop.csv", Answer::Redirect(format!("{here}failing-loop.csv")), other(13)),
        Event::Listing(Answer::Status(500), None, "status 500"),
        Event::Listing(Answer::Silence, None, "within the deadline"),
        Event::Listing(Answer::Half, None, "the connection broke"),
        Event::Listing(Answer::Redirect(here.into()), None, "status 302"),
        Event::Listing(Answer::Redirect(elsewhere.into()), None, "status 302"),
        Event::Listing(Answer::Endless, None, "sent more than 1048576 bytes"),
        Event::Listing(
            Answer::Whole,
            Some(b"[{\"name\":\"a.csv\",\"type\":\"file\",\"size\":-1}]"),
            "not a JSON array",
        ),
        Event::Listing(Answer::Whole, Some(b"<html>"), "not a JSON array"),
        Event::Listing(Answer::Whole, Some(b"[[[[[[[["), "not a JSON array"),
    ]
}

/// A refused row: line, field, part of the reason.
type Refused = (u64, &'static str, &'static str);

/// A file with every kind of bad row between the good ones, its good days, and what must be refused of it.
fn bad_rows() -> (Vec<u8>, Vec<MeterDay>, Vec<Refused>) {
    let (first, second, third) = (date(2026, 2, 1), date(2026, 2, 2), date(2026, 2, 3));
    let whole = day(3, Channel::Consumption, first, revised(first, 0), 60);
    let mut short = day(3, Channel::Generation, second, revised(second, 0), 61);
    // A day with an interval that no meter of its class can have: refused as a whole.
    let mut too_much = day(3, Channel::Consumption, third, revised(third, 0), 62);
    too_much.intervals[50] = Interval::actual(900_000_000);
    let text = String::from_utf8(csv(&[whole.clone(), short.clone(), too_much])).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    // A good row spoiled: its interval is missing then.
    let spoiled = 1 + 96 + 10;
    let fields: Vec<&str> = lines[spoiled].split(',').collect();
    let mut unreadable: Vec<String> = fields.iter().map(|field| (*field).to_owned()).collect();
    unreadable[5] = "abc".into();
    lines[spoiled] = unreadable.join(",");
    short.intervals[10] = Interval::MISSING;
    short.complete = false;
    let model: Vec<String> = lines[1].split(',').map(str::to_owned).collect();
    let with = |place: usize, text: &str| {
        let mut fields = model.clone();
        fields[place] = text.into();
        fields.join(",")
    };
    let conflict = with(5, "77.7");
    let bad: [(String, &str, &str); 19] = [
        ("nothing of a row".into(), "row", "fewer fields"),
        (format!("{},more,and more", lines[1]), "row", "more fields"),
        (format!("{}\"", lines[1].replace(",A,", ",\"A,")), "row", "fewer fields"),
        ("x".repeat(5_000), "row", "longer than 512 bytes"),
        ("\0\u{1}\u{2},\u{fffd}".into(), "row", "fewer fields"),
        (with(0, "'1234"), "ESIID", ""),
        (with(0, "'10443720000000001OR1=1"), "ESIID", ""),
        (with(1, "2026-02-01"), "USAGE_DATE", "month/day/year"),
        (with(1, "02/31/2026"), "USAGE_DATE", "month/day/year"),
        (with(1, "02/01/1999"), "USAGE_DATE", "outside the years"),
        (with(2, "yesterday"), "REVISION_DATE", "month/day/year"),
        (with(3, "00:07"), "USAGE_START_TIME", "quarter hour"),
        (with(4, "23:30"), "USAGE_END_TIME", "15 minutes"),
        (with(5, "-1.5"), "USAGE_KWH", "negative"),
        (with(5, "1.5E-05"), "USAGE_KWH", "exponent"),
        (with(5, ".0005"), "USAGE_KWH", "three decimals"),
        (with(5, "99999999999999999999"), "USAGE_KWH", "greatest energy"),
        (with(6, "X"), "ESTIMATED_ACTUAL", ""),
        (with(7, "Net"), "CONSUMPTION_SURPLUSGENERATION", "neither"),
    ];
    let mut refused = Vec::new();
    for (at, (row, field, reason)) in bad.into_iter().enumerate() {
        // Two lines apart, from the second row on.
        let place = 2 + 2 * at;
        lines.insert(place, row);
        refused.push((u64::try_from(place).unwrap() + 1, field, reason));
    }
    let spoiled = u64::try_from(spoiled + refused.len()).unwrap() + 1;
    refused.push((spoiled, "USAGE_KWH", "not a decimal number"));
    lines.push(conflict);
    refused.push((u64::try_from(lines.len()).unwrap(), "USAGE_KWH", "another value"));
    // Line 0 stands for the rows of a day.
    refused.push((0, "USAGE_KWH", "above the bound"));
    refused.sort_unstable();
    (lines.join("\n").into_bytes(), vec![whole, short], refused)
}

/// What must come of it, by the rules of this file alone.
#[derive(Default)]
struct Expected {
    versions: Versions,
    /// File, channel and day of what is held for the operator.
    held: BTreeSet<(String, String, String)>,
}

impl Expected {
    fn take(&mut self, secrets: &sealed_register::UtilitySecrets, file: &str, days: &[MeterDay]) {
        // Of a file with new content only that counts.
        self.held.retain(|(of, ..)| of != file);
        for day in days {
            let readings = utility::readings(day);
            let key = (secrets.meter_id(day.esi_id.as_str(), 0), readings.channel, readings.day);
            let of_day: &mut Vec<DayReadings> = self.versions.entry(key).or_default();
            match of_day.last() {
                Some(last) if last.intervals == readings.intervals => {}
                Some(last) if readings.revision_date != 0 && readings.revision_date < last.revision_date => {}
                Some(last) if readings.revision_date == 0 || readings.revision_date == last.revision_date => {
                    self.held.insert((file.into(), day.channel.to_string(), readings.day.to_string()));
                }
                _ => of_day.push(readings),
            }
        }
    }
}

/// The run: the node, its feed, and what must be so.
struct Run {
    node: Node,
    server: FeedServer,
    secrets: sealed_register::UtilitySecrets,
    expected: Expected,
    registered: bool,
    stranger: Option<Vec<MeterDay>>,
}

impl Run {
    /// Lets a group of events happen at once, and waits for what comes of them.
    async fn happen(&mut self, group: &[Event]) {
        let mut files: BTreeMap<&str, (&[u8], &[MeterDay])> = BTreeMap::new();
        let mut states: BTreeMap<&str, &str> = BTreeMap::new();
        let mut listing = None;
        for event in group {
            match event {
                // One name twice in a group: only the later content is ever seen.
                Event::File(name, content, days) => {
                    files.insert(name, (content, days));
                    states.insert(name, "done");
                }
                Event::Junk(name, content, why) => {
                    files.insert(name, (content, &[]));
                    states.insert(name, why);
                }
                Event::NotListed(name) => self.server.put(name, csv(&live())),
                Event::Growing(name, days) => {
                    self.server.put(name, csv(&days[..1]));
                    let grown = |part: &[MeterDay]| csv(part).split_off(csv(&[]).len());
                    self.server.grow(name, days[1..].chunks(1).map(grown).collect());
                    self.expected.take(&self.secrets, name, days);
                    states.insert(name, "done");
                }
                Event::Failing(name, answer, days) => {
                    self.server.put_with(name, csv(days), answer.clone());
                    self.expected.take(&self.secrets, name, days);
                    states.insert(name, "sealing");
                }
                Event::Listing(answer, content, words) => listing = Some((answer, content, words)),
                Event::Register(index) => {
                    let chain = self.node.chain().await;
                    utility::register(&chain, &BTreeSet::from([meter(*index)])).await;
                    self.registered = true;
                }
            }
        }
        if let Some((answer, content, words)) = listing {
            self.server.listing(answer.clone(), *content);
            let (server, asked) = (self.server.clone(), self.server.asked(""));
            let failed = |status: &Value| status["lastError"][1].as_str().is_some_and(|error| error.contains(words));
            let is = |status: &Value| server.asked("") > asked && failed(status);
            utility::wait(&mut self.node, words, PATIENCE, is).await;
        }
        self.server.put_all(files.iter().map(|(name, (content, _))| (*name, content.to_vec())).collect());
        self.server.listing(Answer::Whole, None);
        for (name, (_, days)) in &files {
            match *name {
                "stranger.csv" => self.stranger = Some(days.to_vec()),
                _ => self.expected.take(&self.secrets, name, days),
            }
        }
        if let Some(days) = self.stranger.take_if(|_| self.registered) {
            self.expected.take(&self.secrets, "stranger.csv", &days);
            states.insert("stranger.csv", "done");
        } else if self.stranger.is_some() {
            states.insert("stranger.csv", "waiting");
        }
        let server = self.server.clone();
        utility::wait(&mut self.node, &format!("{states:?}"), PATIENCE, |status| {
            let is_so = |(name, wanted): (&&str, &&str)| match *wanted {
                // Asked for, and given up.
                "sealing" => server.asked(name) > 0 && utility::state(status, name) == "sealing",
                wanted => utility::state(status, name).contains(wanted),
            };
            states.iter().all(is_so) && utility::is_settled(status)
        })
        .await;
    }
}

/// Most memory that a process ever had, bytes.
fn peak_memory(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_ascii_whitespace().nth(1).unwrap().parse::<u64>().unwrap() << 10
}

/// The events in an order of chance, three to five at a time.
fn shuffled(random: &mut Random, mut events: Vec<Event>) -> Vec<Vec<Event>> {
    for at in (1..events.len()).rev() {
        events.swap(at, usize::try_from(random.below(at as u64 + 1)).unwrap());
    }
    let mut groups = Vec::new();
    while !events.is_empty() {
        let size = 3 + usize::try_from(random.below(3)).unwrap();
        groups.push(events.split_off(events.len().saturating_sub(size)));
    }
    groups
}

#[test]
fn faults_hostile_feed() {
    let mut random = Random::new("order of the events");
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path().join("node");
    let (server, elsewhere) = (FeedServer::start(), FeedServer::start());
    let groups = shuffled(&mut random, events(&elsewhere.url, &server.url));
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let node = Node::start_with(&base, &["--dev", "--utility", "utility", "--feed-url", &server.url]);
        let chain = node.chain().await;
        utility::register(&chain, &(0..14).filter(|index| *index != 5).map(meter).collect()).await;
        let secrets = utility::secrets(&chain.genesis());
        let (expected, stranger) = (Expected::default(), None);
        let mut run = Run { node, server, secrets, expected, registered: false, stranger };
        for group in &groups {
            eprintln!("{:?}", group.iter().map(name_of).collect::<Vec<_>>());
            run.happen(group).await;
        }
        finish(run, &elsewhere).await
    });
}

fn name_of(event: &Event) -> String {
    match event {
        Event::File(name, ..) | Event::Growing(name, _) | Event::Junk(name, ..) => (*name).into(),
        Event::NotListed(name) | Event::Failing(name, ..) => (*name).into(),
        Event::Listing(answer, content, _) => format!("listing: {answer:?} {}", content.is_some()),
        Event::Register(index) => format!("register {index}"),
    }
}

/// The server mends itself; then everything must be there that can be, and the rest listed.
async fn finish(run: Run, elsewhere: &FeedServer) {
    let Run { mut node, server, expected, .. } = run;
    let failing = ["500", "404", "silence", "half", "drip", "endless", "elsewhere", "loop"];
    let failing = failing.map(|name| format!("failing-{name}.csv"));
    failing.iter().for_each(|name| server.answer(name, Answer::Whole));
    utility::wait(&mut node, "the server mends itself", PATIENCE, |status| {
        failing.iter().all(|name| utility::state(status, name) == "done") && utility::is_settled(status)
    })
    .await;

    let refused = utility::ask(&node.url, "wattseal_feedRefused").await.unwrap();
    let rows = refused["rows"].as_array().unwrap();
    let (_, _, wanted) = bad_rows();
    let mut listed: Vec<(u64, &str, &str)> = rows
        .iter()
        .inspect(|row| assert_eq!(row["file"], "bad-rows.csv", "{row}"))
        .map(|row| (row["line"].as_u64().unwrap(), row["field"].as_str().unwrap(), row["reason"].as_str().unwrap()))
        .collect();
    listed.sort_unstable();
    let is = |(listed, wanted): (&(u64, &str, &str), &Refused)| (listed.0, listed.1) == (wanted.0, wanted.1);
    let same = listed.len() == wanted.len() && listed.iter().zip(&wanted).all(is);
    assert!(same, "listed {listed:#?}\nwanted {wanted:#?}");
    assert!(listed.iter().zip(&wanted).all(|(listed, wanted)| listed.2.contains(wanted.2)), "{listed:#?}");
    assert_eq!(refused["total"], wanted.len());
    // What was refused says nothing of what stood there.
    assert!(!refused.to_string().contains(meter(3).as_str()) && !refused.to_string().contains("77.7"));

    let waiting = utility::ask(&node.url, "wattseal_feedWaiting").await.unwrap();
    assert_eq!(waiting["waiting_total"], 0, "{waiting:#}");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let day = |day: &Value| (text(&day["file"]), text(&day["channel"]), text(&day["day"]));
    let held: BTreeSet<_> = waiting["held"].as_array().unwrap().iter().map(day).collect();
    assert_eq!(held, expected.held);

    // The same for people.
    let url = node.url.replace("ws://", "http://");
    let mut command = Command::new(program("wattseal-node"));
    let said = command.args(["feed", "refused", "--rpc-url", &url]).output().unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    for (line, field, reason) in &wanted {
        let row = said.lines().find(|row| row.starts_with(&format!("bad-rows.csv:{line}: {field}: ")));
        assert!(row.is_some_and(|row| row.contains(reason)), "{line} {field} {reason}: {said}");
    }

    assert_eq!(elsewhere.asked_at_all(), 0, "the node followed a redirection to another host");
    for name in ["unfinished.csv.tmp", ".hidden.csv", "readme.txt"] {
        assert_eq!(server.asked(name), 0, "{name} was asked for");
    }
    for path in ["", "failing-endless.csv"] {
        assert!(server.sent(path) < ENDLESS, "'{path}': {} bytes were taken", server.sent(path));
    }
    let peak = peak_memory(node.id());
    eprintln!("the node's peak memory: {} MiB", peak >> 20);
    assert!(peak < MEMORY, "{} MiB", peak >> 20);
    let base = node.base().to_owned();
    node.stop();
    let sealed = Sealed::of(&base);
    for (key, versions) in &expected.versions {
        assert_eq!(sealed.versions.get(key), Some(versions), "{key:?}");
    }
    assert_eq!(sealed.versions.len(), expected.versions.len());
}
