//! The interval CSV: any bytes, cut into chunks anyhow, give the same days and the same report; every row is counted
//! once; what was read can be written and read again.

use crate::edit::{below, byte, choose, rest};
use arbitrary::Unstructured;
use smart_meter_texas::{
    csv::{FileError, Limits, Reader, Report, Writer, HEADER},
    Calendar, EsiId, MeterDay, OperatingDay, Quality,
};
use std::sync::OnceLock;

/// Longest file that is also read byte by byte.
const BYTE_BY_BYTE: usize = 4_096;

/// Longest file that is put together from rows.
const LONGEST: usize = 64 << 10;

type Outcome = Result<(Vec<MeterDay>, Report), FileError>;

fn calendar() -> &'static Calendar {
    static CALENDAR: OnceLock<Calendar> = OnceLock::new();
    CALENDAR.get_or_init(|| Calendar::us_rule(2010, 2040).unwrap())
}

/// First byte: which limits, and whether the rest is a file or tells how to make one. Then four lengths of chunks.
pub fn run(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let mode = byte(&mut input);
    let cuts = [(); 4].map(|()| usize::from(byte(&mut input)) + 1);
    let limits = match mode & 1 {
        0 => Limits::default(),
        // So little memory that its paths are walked too.
        _ => Limits { max_open_bytes: 6_000, max_refused: 20, max_interval_wh: 50_000 },
    };
    let file = if mode & 2 == 0 { rest(&mut input) } else { rows(&mut input) };
    let whole = read(&file, &[usize::MAX], limits, |_| true);
    assert_eq!(read(&file, &cuts, limits, |_| true), whole, "chunks of {cuts:?} bytes");
    if file.len() <= BYTE_BY_BYTE {
        assert_eq!(read(&file, &[1], limits, |_| true), whole, "chunks of 1 byte");
    }
    let Ok((days, report)) = whole else { return };
    check(&days, &report);
    if mode & 1 == 0 {
        passes(&file, &days);
        again(days);
    }
}

/// Reads in chunks of these lengths, over and over.
fn read(file: &[u8], cuts: &[usize], limits: Limits, filter: impl FnMut(&EsiId) -> bool) -> Outcome {
    let mut days = Vec::new();
    let mut reader = Reader::with_filter(calendar().clone(), limits, filter);
    let mut rest = file;
    for cut in cuts.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (chunk, behind) = rest.split_at((*cut).min(rest.len()));
        reader.push(chunk, |day| days.push(day))?;
        rest = behind;
    }
    let report = reader.finish(|day| days.push(day))?;
    Ok((days, report))
}

fn check(days: &[MeterDay], report: &Report) {
    let accepted = report.used_rows + report.duplicate_rows + report.skipped_hour_rows + report.filtered_rows;
    assert_eq!(report.rows, accepted + report.refused_rows);
    assert!(report.lines >= report.rows);
    assert!(report.refused.len() as u64 <= report.refused_rows);
    assert_eq!(days.len() as u64, report.complete_days + report.partial_days);
    assert_eq!(days.iter().map(|day| u64::from(day.rows)).sum::<u64>(), report.used_rows);
    for day in days {
        assert_eq!(day.intervals.len(), usize::from(calendar().intervals(day.day)));
        assert_eq!(day.complete, usize::from(day.rows) == day.intervals.len());
        assert!(day.intervals.iter().all(|interval| interval.quality != Quality::Missing || interval.wh == 0));
    }
}

fn sorted(mut days: Vec<MeterDay>) -> Vec<MeterDay> {
    days.sort_by_key(|day| (day.esi_id, day.channel, day.day, day.revision_date));
    days
}

/// A file that is read in two passes, each half of the meters, gives the same days.
fn passes(file: &[u8], days: &[MeterDay]) {
    let mut found = Vec::new();
    for bucket in 0..2 {
        let (days, report) =
            read(file, &[usize::MAX], Limits::default(), |id| id.bucket(2) == bucket).expect("the whole was readable");
        check(&days, &report);
        found.extend(days);
    }
    assert_eq!(sorted(found), sorted(days.to_vec()), "in two passes");
}

/// Whole days are written, and read from that as they were.
fn again(days: Vec<MeterDay>) {
    let whole = sorted(days.into_iter().filter(|day| day.complete).collect());
    let mut file = Vec::new();
    let writer = Writer::new(calendar());
    writer.header(&mut file);
    whole.iter().for_each(|day| writer.day(day, &mut file).expect("as many intervals as the calendar has"));
    let (days, report) = read(&file, &[usize::MAX], Limits::default(), |_| true).expect("the writer's own file");
    assert_eq!((report.refused_rows, sorted(days)), (0, whole), "written and read again");
}

const METERS: [&str; 4] = ["'10443729900000001", "10443729900000001", "1008901012126195372100", "'10176990000000002"];
const DATES: [(i32, u32, u32); 6] =
    [(2022, 3, 13), (2022, 11, 6), (2022, 3, 1), (2022, 3, 2), (2024, 2, 29), (2045, 11, 5)];
const REVISIONS: [&str; 6] =
    ["", "03/02/2022 06:18:33", " 3/2/2022 6:18", "\"11/07/2022 06:18:33\"", "01/01/1999", "03/03/2022 00:00:00"];
const CHANNELS: [&str; 4] = ["Consumption", "Surplus Generation", "\"Consumption\"", "consumption "];
const VALUES: [&str; 8] = [".145", "0", "", "0.0005", "-1", "1.2E-05", "1073741.823", "50.001"];
const HEADERS: [&str; 4] = [
    HEADER,
    "Usage_kWh,note,Start Time,ESI ID,Usage Date,Estimated_Actual,Consumption_SurplusGeneration,x",
    "\u{feff}ESIID,USAGE_DATE,REVISION_DATE,USAGE_START_TIME,USAGE_END_TIME,USAGE_KWH,ESTIMATED_ACTUAL,\
     CONSUMPTION_SURPLUSGENERATION\r",
    "ESIID,USAGE_DATE",
];
/// What stands in odd rows.
const PARTS: [&str; 20] = [
    ",",
    ",,",
    "\"",
    "\"\"",
    "=\"",
    "\n",
    "\r\n",
    " ",
    "\t",
    "\u{feff}",
    "'10443729900000001",
    "11/06/2022",
    "02:00",
    "01:15",
    "24:00",
    "A",
    "E",
    ".145",
    "Consumption",
    "ESIID",
];

/// What the next row says.
struct Row {
    meter: usize,
    date: usize,
    revision: usize,
    channel: usize,
    slot: u8,
}

impl Row {
    /// The row of the present interval, in the portal's order, and on to the next interval.
    fn put(&mut self, value: &str, quality: &str, file: &mut Vec<u8>) {
        let (year, month, dom) = DATES[self.date % DATES.len()];
        let minutes = u16::from(self.slot) * 15 % 1_440;
        let (start, end) = match calendar().clock(self.day(), self.slot) {
            Some(clock) => (clock.start, clock.end % 1_440),
            None => (minutes, (minutes + 15) % 1_440),
        };
        let row = format!(
            "{},{month}/{dom}/{year},{},{}:{:02},{:02}:{:02},{value},{quality},{}\n",
            METERS[self.meter % METERS.len()],
            REVISIONS[self.revision % REVISIONS.len()],
            start / 60,
            start % 60,
            end / 60,
            end % 60,
            CHANNELS[self.channel % CHANNELS.len()],
        );
        file.extend_from_slice(row.as_bytes());
        self.slot = (self.slot + 1) % 104;
    }

    /// Every row of the day.
    fn put_day(&mut self, file: &mut Vec<u8>) {
        self.slot = 0;
        for _ in 0..calendar().intervals(self.day()) {
            self.put("0.25", "A", file);
        }
    }

    fn day(&self) -> OperatingDay {
        let (year, month, dom) = DATES[self.date % DATES.len()];
        OperatingDay::from_ymd(year, month, dom).unwrap()
    }
}

/// A file of rows, one or many for each step: mostly right ones, now and then something else.
fn rows(input: &mut Unstructured<'_>) -> Vec<u8> {
    let mut file = Vec::new();
    let mut row = Row { meter: 0, date: 0, revision: 0, channel: 0, slot: 0 };
    if !byte(input).is_multiple_of(8) {
        file.extend_from_slice(HEADER.as_bytes());
        file.push(b'\n');
    }
    while !input.is_empty() && file.len() < LONGEST {
        let step = byte(input);
        let amount = usize::from(step / 16);
        match step % 16 {
            0..=3 => row.put(&format!(".{:03}", step), "A", &mut file),
            4 => {
                let value = *choose(input, &VALUES);
                row.put(value, if amount % 2 == 0 { "A" } else { "E" }, &mut file);
            }
            // The rest of the day, or a part of it.
            5 | 6 => (0..4 * (amount + 1)).for_each(|_| row.put("1.5", "A", &mut file)),
            7 => row.put_day(&mut file),
            8 => row.slot = byte(input) % 104,
            9 => row.meter = amount,
            10 => (row.date, row.slot) = (amount, 0),
            11 => row.revision = amount,
            12 => row.channel = amount,
            13 => {
                file.extend_from_slice(choose(input, &HEADERS).as_bytes());
                file.push(b'\n');
            }
            14 => (0..=amount).for_each(|_| file.extend_from_slice(choose(input, &PARTS).as_bytes())),
            // A row again from somewhere before, whole or in part.
            _ => {
                let from = below(input, file.len());
                let part = file[from..(from + 16 * (amount + 1)).min(file.len())].to_vec();
                file.extend_from_slice(&part);
            }
        }
    }
    file
}
