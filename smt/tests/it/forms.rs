//! The forms in which files are seen.

use crate::{calendar, day, file, read, sorted};
use smart_meter_texas::{csv, generate, Channel, Interval, MeterDay, OperatingDay, Quality, RevisionDate, Tdsp};

const SPRING: (i32, u32, u32) = (2022, 3, 13);
const AUTUMN: (i32, u32, u32) = (2022, 11, 6);

/// A file of homes with both channels, over both changes of clocks, as the portal writes it.
fn sample() -> (String, Vec<MeterDay>) {
    let homes: Vec<_> = (0..40).map(|index| generate::Home::new(3, index)).collect();
    let with = |solar: bool| homes.iter().filter(move |home| home.has_generation() == solar).take(2);
    let homes: Vec<_> = with(true).chain(with(false)).cloned().collect();
    let mut bytes = Vec::new();
    let mut days = Vec::new();
    for ((y, m, d), count) in [(SPRING, 1), (AUTUMN, 1), ((2025, 10, 26), 14)] {
        let first = day(y, m, d);
        let range = first..=OperatingDay(first.0 + count - 1);
        generate::write_csv(homes.iter().cloned(), &calendar(), range.clone(), &mut bytes).unwrap();
        days.extend(homes.iter().flat_map(|home| home.days(&calendar(), range.clone()).collect::<Vec<_>>()));
    }
    let text = String::from_utf8(bytes).unwrap();
    assert!(days.iter().any(|day| day.channel == Channel::Generation));
    assert!(days.iter().any(|day| day.intervals.len() == 100) && days.iter().any(|day| day.intervals.len() == 92));
    (text, sorted(days))
}

fn rewritten(text: &str, change: impl Fn(Vec<String>) -> String) -> String {
    text.lines().map(|line| change(line.split(',').map(String::from).collect())).collect()
}

fn unpadded(text: &str) -> String {
    let short = |part: &str| part.strip_prefix('0').filter(|rest| !rest.is_empty()).unwrap_or(part).to_string();
    text.split('/').map(short).collect::<Vec<_>>().join("/")
}

/// A file as a spreadsheet saves it again.
fn spreadsheet(text: &str) -> String {
    rewritten(text, |mut fields| {
        if fields[0] != "ESIID" {
            fields[1] = unpadded(&fields[1]);
            let (date, time) = fields[2].split_once(' ').unwrap();
            fields[2] = format!("{} {}", unpadded(date), unpadded(&time[..5]));
            fields[3] = unpadded(&fields[3]);
            fields[4] = unpadded(&fields[4]);
            if fields[5].starts_with('.') {
                fields[5].insert(0, '0');
            }
        }
        fields.join(",") + "\r\n"
    })
}

#[test]
fn every_form_gives_the_same_days() {
    let (text, days) = sample();
    let joined = |fields: Vec<String>, separator: &str| fields.join(separator) + "\n";
    let is_row = |fields: &[String]| !fields[0].ends_with("ID");
    let forms = [
        ("portal", text.clone()),
        ("no line feed at the end", text.trim_end().to_string()),
        ("byte order mark and CRLF", format!("\u{feff}{}", text.replace('\n', "\r\n"))),
        (
            "e-mailed: spaces before times",
            rewritten(&text, |mut fields| {
                if is_row(&fields) {
                    fields[3].insert(0, ' ');
                    fields[4].insert(0, ' ');
                }
                joined(fields, ",")
            }),
        ),
        ("spreadsheet", spreadsheet(&text)),
        ("spreadsheet, guard lost", spreadsheet(&text).replace('\'', "")),
        ("quoted", rewritten(&text, |fields| format!("\"{}\"\n", fields.join("\",\"")))),
        (
            "columns in another order, one more and no end time",
            rewritten(&text, |fields| {
                // Without end times nothing tells that the mislabelled row of autumn belongs to the second pass.
                if ["11/06/2022", "11/02/2025"].contains(&fields[1].as_str()) {
                    return String::new();
                }
                let pick = [7, 5, 3, 1, 0, 6, 2].map(|index| fields[index].clone());
                format!("{},note\n", pick.join(", "))
            }),
        ),
        ("no header", text.replace(&format!("{}\n", csv::HEADER), "")),
        ("one word", text.replace("Surplus Generation", "SurplusGeneration")),
        ("blank lines and lines of commas", format!("\n,,,,,,,\n{}\n   \n", text.replace('\n', "\n\n,,,,,,,\n"))),
        ("trailing comma", text.replace('\n', ",\n")),
        ("the file twice", format!("{text}\u{feff}{text}")),
    ];
    let rows = text.lines().filter(|line| *line != csv::HEADER).count() as u64;
    for (name, form) in forms {
        let (read, report) = read(&form);
        assert_eq!(report.refused, [], "{name}");
        if name.contains("no end time") {
            let keep = |days: Vec<MeterDay>| sorted(days).into_iter().filter(|day| day.intervals.len() < 100).collect();
            let (read, days): (Vec<_>, Vec<_>) = (keep(read), keep(days.clone()));
            assert_eq!(read, days, "{name}");
            continue;
        }
        assert!(sorted(read) == days, "{name}");
        let times = if name == "the file twice" { 2 } else { 1 };
        assert_eq!(
            (report.rows, report.duplicate_rows),
            (rows * times, (report.rows - report.skipped_hour_rows) / times * (times - 1)),
            "{name}"
        );
        assert_eq!((report.complete_days, report.partial_days), (days.len() as u64, 0), "{name}");
    }
}

#[test]
fn formula_guard() {
    let row = "=\"10443729900000001\",03/01/2022,03/02/2022 06:18:33,00:00,00:15,.145,A,Consumption";
    let (days, report) = read(file(&[row]));
    assert_eq!((days[0].esi_id.as_str(), days[0].total_wh(), report.refused_rows), ("10443729900000001", 145, 0));
}

#[test]
fn channels_interleaved_by_interval_or_one_after_the_other() {
    let (text, days) = sample();
    let mut rows: Vec<&str> = text.lines().filter(|line| *line != csv::HEADER).collect();
    // Stable sorts: the order of rows within a channel stays, as the repeated hour needs.
    rows.sort_by_key(|row| row.ends_with("Generation"));
    assert!(sorted(read(file(&rows)).0) == days);
    let start = |row: &str| row.split(',').take(4).map(String::from).collect::<Vec<_>>();
    rows.sort_by_key(|row| start(row));
    assert!(sorted(read(file(&rows)).0) == days);
}

#[test]
fn several_meters_by_time() {
    let (text, days) = sample();
    let mut rows: Vec<&str> = text.lines().filter(|line| *line != csv::HEADER).collect();
    rows.sort_by_key(|row| row.split(',').skip(3).take(1).collect::<String>());
    let (read, report) = read(file(&rows));
    assert!(sorted(read) == days);
    assert_eq!(report.partial_days, 0);
}

/// The rows of a day from the hour before the change on, then what is read.
fn change_day(date: (i32, u32, u32), text: &str) -> (MeterDay, csv::Report) {
    let date = format!("{:02}/{:02}/{}", date.1, date.2, date.0);
    let rows: Vec<String> = text
        .split_whitespace()
        .map(|row| format!("'10443729900000001,{date},11/07/2022 08:37:54,{},Consumption", row.replace('|', ",")))
        .collect();
    let (days, report) = read(file(&rows.iter().map(String::as_str).collect::<Vec<_>>()));
    assert_eq!(days.len(), 1);
    (days[0].clone(), report)
}

fn values(day: &MeterDay, range: core::ops::Range<usize>) -> Vec<u32> {
    day.intervals[range].iter().map(|interval| interval.wh).collect()
}

#[test]
fn autumn_as_the_portal_writes_it() {
    // Rows 4 to 12 of a real file: the first row of the second pass says 02:00 to 01:15.
    let (day, report) = change_day(
        AUTUMN,
        "01:00|01:15|.041|A 01:15|01:30|.034|A 01:30|01:45|.044|A 01:45|02:00|.044|A 02:00|01:15|.034|A \
         01:15|01:30|.042|A 01:30|01:45|.044|A 01:45|02:00|.041|A 02:00|02:15|.035|A",
    );
    assert_eq!(report.refused, []);
    assert_eq!((day.intervals.len(), day.rows, day.complete), (100, 9, false));
    assert_eq!(values(&day, 4..13), [41, 34, 44, 44, 34, 42, 44, 41, 35]);
    assert!(day.intervals[13..].iter().all(|interval| *interval == Interval::MISSING));
}

#[test]
fn autumn_with_a_plain_repeated_hour() {
    let (day, report) = change_day(
        AUTUMN,
        "1:00|1:15|.041|A 1:15|1:30|.034|A 1:30|1:45|.044|A 1:45|1:00|.044|A 1:00|1:15|.034|A \
         1:15|1:30|.042|A 1:30|1:45|.044|A 1:45|2:00|.041|A 2:00|2:15|.035|A 2:00|2:15|.035|A 1:15|1:30|.034|A",
    );
    assert_eq!((report.refused_rows, report.duplicate_rows), (0, 2));
    assert_eq!(values(&day, 4..13), [41, 34, 44, 44, 34, 42, 44, 41, 35]);
}

#[test]
fn spring_with_and_without_its_blank_hour() {
    let with = "01:45|02:00|.128|A 02:00|02:15|| 02:15|02:30|| 02:30|02:45|| 02:45|03:00|| 03:00|03:15|.149|A";
    let (day, report) = change_day(SPRING, with);
    assert_eq!((report.skipped_hour_rows, report.refused_rows, report.used_rows), (4, 0, 2));
    assert_eq!((day.intervals.len(), values(&day, 7..9), day.rows), (92, vec![128, 149], 2));
    for without in ["01:45|02:00|.128|A 03:00|03:15|.149|A", "01:45|03:00|.128|A 03:00|03:15|.149|A"] {
        let (other, report) = change_day(SPRING, without);
        assert_eq!((other, report.refused_rows), (day.clone(), 0), "{without}");
    }
}

#[test]
fn a_value_in_the_hour_that_spring_skips_is_refused() {
    let (day, report) = change_day(SPRING, "01:45|02:00|.128|A 02:00|02:15|0|A");
    assert_eq!(day.rows, 1);
    let reason = csv::Reason::NoSuchHour;
    assert_eq!(report.refused, [csv::Refused { line: 3, field: csv::Field::StartTime, reason }]);
}

#[test]
fn blank_is_missing_and_zero_is_zero() {
    let (day, report) = change_day((2022, 7, 1), "00:00|00:15|| 00:15|00:30|0|A 00:30|00:45|.5|E 00:45|01:00||A");
    assert_eq!(report.refused, []);
    let expected = [Interval::MISSING, Interval::actual(0), Interval::estimated(500), Interval::MISSING];
    assert_eq!((day.intervals[..4].to_vec(), day.rows, day.complete), (expected.to_vec(), 4, false));
    assert_eq!((day.count(Quality::Missing), day.total_wh()), (94, 500));
}

#[test]
fn revisions_are_days_of_their_own() {
    let row =
        |revision: &str, kwh: &str| format!("10443729900000001,7/1/2022,{revision},0:00,0:15,{kwh},A,Consumption");
    let rows = [row("7/2/2022 6:00", "1"), row("7/9/2022 6:00", "2"), row("", "3"), row("7/2/2022 6:00", "1")];
    let (days, report) = read(file(&rows.each_ref().map(String::as_str)));
    let found: Vec<_> = days.iter().map(|day| (day.revision_date.to_string(), day.total_wh())).collect();
    let expected = [("none", 3000), ("2022-07-02 06:00", 1000), ("2022-07-09 06:00", 2000)];
    assert_eq!(found, expected.map(|(revision, wh)| (revision.to_string(), wh)));
    assert_eq!((days[0].revision_date, report.duplicate_rows), (RevisionDate::NONE, 1));
}

#[test]
fn the_writer_writes_the_portals_form() {
    let interval = Interval::actual(145);
    let mut days = Vec::new();
    for (date, count) in [(SPRING, 92), (AUTUMN, 100), ((2022, 3, 1), 96)] {
        days.push(MeterDay {
            esi_id: "10443729900000001".parse().unwrap(),
            channel: Channel::Consumption,
            day: day(date.0, date.1, date.2),
            revision_date: RevisionDate::parse(b"03/02/2022 06:18").unwrap(),
            intervals: vec![interval; count],
            complete: true,
            rows: count as u8,
        });
    }
    let calendar = calendar();
    let writer = csv::Writer::new(&calendar);
    let rows = |day: &MeterDay| {
        let mut out = Vec::new();
        writer.day(day, &mut out).unwrap();
        String::from_utf8(out).unwrap().lines().map(String::from).collect::<Vec<_>>()
    };
    let spring = rows(&days[0]);
    assert_eq!(spring.len(), 96);
    assert_eq!(spring[8], "'10443729900000001,03/13/2022,03/02/2022 06:18:00,02:00,02:15,,,Consumption");
    assert_eq!(spring[12], "'10443729900000001,03/13/2022,03/02/2022 06:18:00,03:00,03:15,.145,A,Consumption");
    let autumn = rows(&days[1]);
    assert_eq!(autumn.len(), 100);
    assert_eq!(autumn[8], "'10443729900000001,11/06/2022,03/02/2022 06:18:00,02:00,01:15,.145,A,Consumption");
    assert_eq!(autumn[9], "'10443729900000001,11/06/2022,03/02/2022 06:18:00,01:15,01:30,.145,A,Consumption");
    assert_eq!(autumn[99], "'10443729900000001,11/06/2022,03/02/2022 06:18:00,23:45,00:00,.145,A,Consumption");
    days[2].channel = Channel::Generation;
    days[2].intervals[0] = Interval::estimated(1070);
    days[2].revision_date = RevisionDate::NONE;
    assert_eq!(rows(&days[2])[0], "'10443729900000001,03/01/2022,,00:00,00:15,1.07,E,Surplus Generation");
    days[2].intervals.pop();
    let mut out = Vec::new();
    let error = csv::WriteError::Intervals { day: days[2].day, found: 95, expected: 96 };
    assert_eq!((writer.day(&days[2], &mut out), out.len()), (Err(error), 0));
}

/// A real file of one Oncor meter, its ESI ID masked: March 2022 to January 2023.
#[test]
fn a_real_file() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/smt/IntervalData_2022-03_2023-01.csv");
    let Ok(file) = std::fs::read(path) else {
        eprintln!("SKIPPED: {path} is not there, so the reader was not tried on a real file");
        return;
    };
    let (days, report) = read(&file);
    let readings: usize = days.iter().map(|day| day.intervals.len()).sum();
    let total: u64 = days.iter().map(MeterDay::total_wh).sum();
    let count = |quality| days.iter().map(|day| day.count(quality)).sum::<usize>();
    assert_eq!((readings, days.len(), total), (30_720, 320, 6_825_137));
    assert_eq!((count(Quality::Estimated), count(Quality::Missing)), (0, 0));
    assert_eq!((report.complete_days, report.refused_rows, report.skipped_hour_rows), (320, 0, 4));
    assert!(days.iter().all(|day| day.esi_id.tdsp() == Tdsp::Oncor));
    // Written again it is the same file but for the seconds of the revision dates.
    let mut written = Vec::new();
    let calendar = calendar();
    let writer = csv::Writer::new(&calendar);
    writer.header(&mut written);
    for day in &days {
        writer.day(day, &mut written).unwrap();
    }
    let without_seconds = |bytes: &[u8]| {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        rewritten(&text, |mut fields| {
            fields[2].truncate("03/02/2022 06:18".len());
            fields.join(",") + "\n"
        })
    };
    assert!(without_seconds(&written) == without_seconds(&file));
}
