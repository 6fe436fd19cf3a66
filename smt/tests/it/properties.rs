//! Properties that hold for all files.

use crate::{calendar, day, sorted};
use proptest::collection::vec;
use proptest::prelude::*;
use smart_meter_texas::csv::{self, FileError, Limits, Report};
use smart_meter_texas::{generate, Channel, EsiId, Interval, MeterDay, OperatingDay, Quality, RevisionDate};

type Outcome = Result<(Vec<MeterDay>, Report), FileError>;

fn in_chunks(file: &[u8], cuts: &[usize], limits: Limits) -> Outcome {
    let mut days = Vec::new();
    let mut reader = csv::Reader::new(calendar(), limits);
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

/// Small memory, so that its paths are walked too.
fn tight() -> Limits {
    Limits { max_open_bytes: 6_000, max_refused: 20, ..Limits::default() }
}

fn check_sums(outcome: &Outcome) {
    if let Ok((days, report)) = outcome {
        let sum = report.used_rows + report.duplicate_rows + report.skipped_hour_rows + report.filtered_rows;
        assert_eq!(report.rows, sum + report.refused_rows);
        assert!(report.lines >= report.rows);
        assert_eq!(days.len() as u64, report.complete_days + report.partial_days);
        assert_eq!(days.iter().map(|day| u64::from(day.rows)).sum::<u64>(), report.used_rows);
        for day in days {
            assert_eq!(day.intervals.len(), usize::from(calendar().intervals(day.day)));
            assert_eq!(day.complete, usize::from(day.rows) == day.intervals.len());
            assert!(day.intervals.iter().all(|interval| interval.quality != Quality::Missing || interval.wh == 0));
        }
    }
}

fn interval() -> impl Strategy<Value = Interval> {
    prop_oneof![
        6 => (0..=smart_meter_texas::MAX_INTERVAL_WH).prop_map(Interval::actual),
        3 => (0..3_000u32).prop_map(Interval::actual),
        1 => (0..3_000u32).prop_map(Interval::estimated),
        1 => Just(Interval::MISSING),
    ]
}

fn meter_day() -> impl Strategy<Value = MeterDay> {
    let date = prop_oneof![
        Just(day(2022, 3, 13)),
        Just(day(2022, 11, 6)),
        any::<u16>().prop_map(OperatingDay),
        (8_000..8_005u16).prop_map(OperatingDay)
    ];
    let revision = prop_oneof![Just(0u32), 1..94_000_000u32, 11_600_000..11_600_003u32];
    let home = (0..5u32).prop_map(|index| generate::Home::new(9, index).esi_id());
    (home, any::<bool>(), date, revision, vec(interval(), 100), any::<bool>()).prop_map(
        |(esi_id, generation, day, revision, mut intervals, complete)| {
            intervals.truncate(usize::from(calendar().intervals(day)));
            let missing = intervals.iter().filter(|interval| interval.quality == Quality::Missing).count();
            // In autumn a row that is not there would make the next one ambiguous: the writer then writes blanks.
            let complete = complete || missing == 0 || intervals.len() == 100;
            MeterDay {
                esi_id,
                channel: if generation { Channel::Generation } else { Channel::Consumption },
                day,
                revision_date: RevisionDate(revision),
                rows: (intervals.len() - if complete { 0 } else { missing }) as u8,
                intervals,
                complete,
            }
        },
    )
}

fn distinct(days: Vec<MeterDay>) -> Vec<MeterDay> {
    let mut days = sorted(days);
    days.dedup_by_key(|day| (day.esi_id, day.channel, day.day, day.revision_date));
    days
}

fn written(days: &[MeterDay]) -> Vec<u8> {
    let calendar = calendar();
    let writer = csv::Writer::new(&calendar);
    let mut out = Vec::new();
    writer.header(&mut out);
    for day in days {
        writer.day(day, &mut out).unwrap();
    }
    out
}

/// Rows of which the clock leaves the interval open: their order must stay.
fn ambiguous(row: &str) -> bool {
    let mut fields = row.split(',');
    let date = fields.nth(1).unwrap();
    let (start, end) = (fields.nth(1).unwrap(), fields.next().unwrap());
    let mut parts = date.split('/').map(|part| part.parse::<u32>().unwrap());
    let (month, dom, year) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
    calendar().intervals(day(year as i32, month, dom)) == 100 && start.starts_with("01:") && end > "01"
}

fn rows_of(file: &[u8]) -> Vec<String> {
    String::from_utf8(file.to_vec()).unwrap().lines().skip(1).map(String::from).collect()
}

fn shuffled(rows: Vec<String>, keys: &[u32]) -> Vec<String> {
    let mut keyed: Vec<(u32, String)> =
        rows.into_iter().zip(keys.iter().copied().cycle()).map(|(r, k)| (k, r)).collect();
    // The ambiguous rows share out the places of their keys in their own order.
    let places: Vec<usize> = (0..keyed.len()).filter(|&at| ambiguous(&keyed[at].1)).collect();
    let mut order: Vec<u32> = places.iter().map(|&at| keyed[at].0).collect();
    order.sort_unstable();
    for (place, key) in places.into_iter().zip(order) {
        keyed[place].0 = key;
    }
    keyed.sort_by_key(|(key, _)| *key);
    keyed.into_iter().map(|(_, row)| row).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read(days in vec(meter_day(), 1..6)) {
        let days = distinct(days);
        let outcome = csv::read(&written(&days), &calendar(), Limits::default());
        check_sums(&outcome);
        let (read, report) = outcome.unwrap();
        prop_assert_eq!(report.refused, vec![]);
        prop_assert_eq!(sorted(read), days.into_iter().filter(|day| day.rows > 0).collect::<Vec<_>>());
    }

    #[test]
    fn order_of_rows_does_not_matter(days in vec(meter_day(), 1..5), keys in vec(any::<u32>(), 601)) {
        let days = distinct(days);
        let rows = shuffled(rows_of(&written(&days)), &keys).join("\n");
        let file = format!("{}\n{rows}", csv::HEADER);
        let (read, report) = csv::read(file.as_bytes(), &calendar(), Limits::default()).unwrap();
        prop_assert_eq!(report.refused, vec![]);
        prop_assert_eq!(sorted(read), days.into_iter().filter(|day| day.rows > 0).collect::<Vec<_>>());
    }

    #[test]
    fn chunks_do_not_matter(
        days in vec(meter_day(), 1..4),
        damage in vec((any::<prop::sample::Index>(), any::<u8>(), 0..700usize), 0..12),
        cuts in vec(1..300usize, 1..20),
    ) {
        let mut file = written(&distinct(days));
        for (at, byte, length) in damage {
            let at = at.index(file.len());
            if length < 400 {
                file[at] = byte;
            } else {
                file.splice(at..at, core::iter::repeat_n(byte, length));
            }
        }
        for limits in [Limits::default(), tight()] {
            let whole = in_chunks(&file, &[file.len()], limits);
            check_sums(&whole);
            prop_assert_eq!(&in_chunks(&file, &cuts, limits), &whole);
            prop_assert_eq!(&in_chunks(&file, &[1], limits), &whole);
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(
        bytes in vec(any::<u8>(), 0..3_000),
        cuts in vec(1..300usize, 1..9),
        header: bool,
    ) {
        let file = if header { [csv::HEADER.as_bytes(), b"\n", &bytes].concat() } else { bytes };
        let whole = in_chunks(&file, &[file.len().max(1)], tight());
        check_sums(&whole);
        prop_assert_eq!(&in_chunks(&file, &cuts, tight()), &whole);
    }

    #[test]
    fn any_fields_are_read_or_refused(
        rows in vec(vec(prop_oneof![
            Just("'10443729900000001".to_string()), Just("1008901012126195372100".to_string()),
            Just("11/06/2022".to_string()), Just("3/13/2022".to_string()), Just("11/7/2022 06:18:33".to_string()),
            Just("01:00".to_string()), Just("02:00".to_string()), Just("1:15".to_string()),
            Just("\"2:15\"".to_string()),
            Just(".145".to_string()), Just("A".to_string()), Just("E".to_string()), Just(String::new()),
            Just("Consumption".to_string()), Just("Surplus Generation".to_string()), Just("ESIID".to_string()),
            "[ -~]{0,12}",
        ], 6..10), 0..30),
    ) {
        let rows: Vec<String> = rows.iter().map(|fields| fields.join(",")).collect();
        let file = format!("{}\n{}", csv::HEADER, rows.join("\n"));
        check_sums(&in_chunks(file.as_bytes(), &[7, 64], tight()));
    }

    #[test]
    fn esi_ids_survive(text in "[0-9]{17}|[0-9]{22}|10[0-9]{15}|1044372[0-9]{10}|1008901[0-9]{15}|[ -~]{0,30}") {
        if let Ok(id) = EsiId::parse(text.as_bytes()) {
            prop_assert_eq!(EsiId::parse(id.as_str().as_bytes()), Ok(id));
            prop_assert!(id.as_str().starts_with(id.tdsp().prefix()) || id.as_str().starts_with("1017699"));
            prop_assert_eq!(id.as_str().len(), id.tdsp().digits());
            let shown = format!("{id:?}");
            prop_assert!(!shown.contains(&id.as_str()[..9]));
        }
    }
}
