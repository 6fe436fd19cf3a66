//! Rows and files that cannot be read.

use crate::{calendar, file, read};
use smart_meter_texas::csv::{self, Field, FileError, Limits, Reason, Refused};
use smart_meter_texas::{DateError, EsiId, EsiIdError};

const GOOD: &str = "'10443729900000001,03/01/2022,03/02/2022 06:18:33,00:00,00:15,.145,A,Consumption";

#[test]
fn each_field_says_what_is_wrong_with_it() {
    let with = |index: usize, text: &str| {
        let mut fields: Vec<&str> = GOOD.split(',').collect();
        fields[index] = text;
        fields.join(",")
    };
    let cases = [
        (with(0, "1.0089E+21"), Field::EsiId, Reason::EsiId(EsiIdError::SpreadsheetNumber)),
        (with(0, "'10999999900000001"), Field::EsiId, Reason::EsiId(EsiIdError::UnknownPrefix(*b"1099999"))),
        (with(1, "2022-03-01"), Field::UsageDate, Reason::Date(DateError::NotADate)),
        (with(1, "03/01/1999"), Field::UsageDate, Reason::Date(DateError::OutOfRange)),
        (with(2, "soon"), Field::RevisionDate, Reason::Date(DateError::NotATime)),
        (with(3, "00:0"), Field::StartTime, Reason::NotATime),
        (with(3, "00:01"), Field::StartTime, Reason::NotAQuarter),
        (with(4, "x"), Field::EndTime, Reason::NotATime),
        (with(4, "00:30"), Field::EndTime, Reason::EndDoesNotFit),
        (with(5, "-.145"), Field::Usage, Reason::Negative),
        (with(5, ".1455"), Field::Usage, Reason::TooPrecise),
        (with(5, "1.5E-02"), Field::Usage, Reason::Exponent),
        (with(5, "1073741.824"), Field::Usage, Reason::TooLarge),
        (with(5, "1 000"), Field::Usage, Reason::NotANumber),
        (with(6, ""), Field::Quality, Reason::NoQuality),
        (with(6, "X"), Field::Quality, Reason::NoQuality),
        (with(7, "Net"), Field::Channel, Reason::NotAChannel),
        (with(7, "Consumption,x"), Field::Row, Reason::TooManyFields),
        ("'10443729900000001,03/01/2022".to_string(), Field::Row, Reason::TooFewFields),
        (with(7, "\"Consumption"), Field::Row, Reason::TooFewFields),
        (with(5, "\u{fffd}"), Field::Usage, Reason::NotANumber),
        ("x".repeat(csv::MAX_LINE_BYTES + 1), Field::Row, Reason::LineTooLong),
        ("ESIID,USAGE_DATE".to_string(), Field::Row, Reason::Header),
        (with(5, ".146"), Field::Usage, Reason::Conflict),
    ];
    let mut rows = vec![GOOD];
    rows.extend(cases.iter().map(|(row, _, _)| row.as_str()));
    rows.push(GOOD);
    let (days, report) = read(file(&rows));
    let expected: Vec<_> =
        (3..).zip(&cases).map(|(line, (_, field, reason))| Refused { line, field: *field, reason: *reason }).collect();
    assert_eq!(report.refused, expected);
    assert_eq!((report.rows, report.used_rows, report.duplicate_rows), (cases.len() as u64 + 2, 1, 1));
    assert_eq!((days.len(), days[0].total_wh(), days[0].rows), (1, 145, 1));
    // Messages help, and never repeat the row.
    let message = expected[0].to_string();
    assert!(message.starts_with("line 3, ESIID: a spreadsheet turned the ESI ID"), "{message}");
    assert!(report.refused.iter().all(|refused| !refused.to_string().contains("9900000001")));
}

#[test]
fn a_refused_row_leaves_nothing_behind() {
    // The wrong row shares two of the three key fields with its neighbours.
    let bad = GOOD.replace("03/02/2022 06:18:33", "soon").replace("00:00,00:15", "00:15,00:30");
    let next = GOOD.replace("00:00,00:15", "00:15,00:30");
    let (days, report) = read(file(&[GOOD, GOOD, &bad, &bad, &next, &next]));
    assert_eq!((days.len(), days[0].rows, report.duplicate_rows, report.refused_rows), (1, 2, 2, 2));
}

#[test]
fn the_list_is_capped_and_the_rest_counted() {
    let rows = vec!["'10443729900000001,x"; 50];
    let limits = Limits { max_refused: 7, ..Limits::default() };
    let (_, report) = csv::read(file(&rows).as_bytes(), &calendar(), limits).unwrap();
    assert_eq!((report.refused.len(), report.refused_rows, report.rows), (7, 50, 50));
    assert_eq!(report.refused[6].line, 8);
}

#[test]
fn the_limit_of_energy_is_the_callers() {
    let limits = Limits { max_interval_wh: 144, ..Limits::default() };
    let (days, report) = csv::read(file(&[GOOD]).as_bytes(), &calendar(), limits).unwrap();
    assert_eq!((days.len(), report.refused[0].reason), (0, Reason::TooLarge));
}

#[test]
fn a_file_of_headers_only_is_no_error() {
    let (days, report) = read(file(&[csv::HEADER]));
    assert_eq!((days.len(), report.rows, report.lines), (0, 0, 2));
}

#[test]
fn files_that_are_something_else() {
    let long = "x".repeat(2_000);
    let cases: [(&[u8], FileError); 12] = [
        (b"", FileError::Empty),
        (b"\n\r\n  \n", FileError::Empty),
        (b"\x1f\x8b\x08\x00\x00\n", FileError::Gzip),
        (b"PK\x03\x04\x14\x00", FileError::Zip),
        (b"\xff\xfeE\0S\0", FileError::Utf16),
        (b"\x00\x01\x02", FileError::NotText),
        (b"-----BEGIN PGP MESSAGE-----\n", FileError::Encrypted),
        (b"<?xml version=\"1.0\"?>\n", FileError::Markup),
        (b"a,b\n", FileError::NoHeader { line: 1 }),
        (b"\n\nhello\n", FileError::NoHeader { line: 3 }),
        (b"ESIID,USAGE_DATE\n", FileError::MissingColumn { column: Field::StartTime }),
        (long.as_bytes(), FileError::NoHeader { line: 1 }),
    ];
    for (bytes, error) in cases {
        assert_eq!(csv::read(bytes, &calendar(), Limits::default()).unwrap_err(), error);
        // The error is the same however the file is cut, and stays.
        let mut reader = csv::Reader::new(calendar(), Limits::default());
        let pushed = bytes.chunks(1).try_for_each(|byte| reader.push(byte, |_| {}));
        if pushed.is_err() {
            assert_eq!((pushed, reader.push(GOOD.as_bytes(), |_| {})), (Err(error), Err(error)));
        }
        assert_eq!(reader.finish(|_| {}).unwrap_err(), error);
    }
}

#[test]
fn too_many_days_at_once_are_read_in_passes() {
    // Time by time: no day is complete before the last rows.
    let meters = 60;
    let mut text = String::from(csv::HEADER);
    for quarter in 0..96u32 {
        for meter in 0..meters {
            let clock = |quarter: u32| format!("{:02}:{:02}", quarter / 4 % 24, quarter % 4 * 15);
            let (start, end) = (clock(quarter), clock(quarter + 1));
            text += &format!("\n'10443729900{meter:06},03/01/2022,,{start},{end},.{meter:03},A,Consumption");
        }
    }
    text.push('\n');
    let limits = Limits { max_open_bytes: 20_000, ..Limits::default() };
    let error = csv::read(text.as_bytes(), &calendar(), limits).unwrap_err();
    let FileError::Overflow { line, days, limit } = error else { panic!("{error}") };
    assert!(days > 10 && days < 60 && limit == 20_000 && line == days as u64 + 2, "{error:?}");
    let mut all = Vec::new();
    let passes = 8;
    let mut rows = (0, 0);
    for pass in 0..passes {
        let wanted = move |esi_id: &EsiId| esi_id.bucket(passes) == pass;
        let mut reader = csv::Reader::with_filter(calendar(), limits, wanted);
        reader.push(text.as_bytes(), |day| all.push(day)).unwrap();
        let report = reader.finish(|_| panic!("a day is not complete")).unwrap();
        rows = (rows.0 + report.used_rows, rows.1 + report.filtered_rows);
    }
    assert_eq!(rows, (96 * meters, 96 * meters * 7));
    let sums: Vec<_> = crate::sorted(all).iter().map(|day| day.total_wh()).collect();
    assert_eq!(sums, (0..meters).map(|meter| meter * 96).collect::<Vec<_>>());
}

#[test]
fn rows_long_after_their_day_are_refused_and_not_a_day_of_their_own() {
    let calendar = calendar();
    let home = smart_meter_texas::generate::Home::new(1, 0);
    let mut bytes = Vec::new();
    let first = crate::day(2024, 1, 1);
    let range = first..=first.checked_add(99).unwrap();
    smart_meter_texas::generate::write_csv([home], &calendar, range, &mut bytes).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let again = text.lines().nth(1).unwrap();
    let limits = Limits { max_open_bytes: 40_000, ..Limits::default() };
    let (days, report) = csv::read(format!("{text}{again}\n").as_bytes(), &calendar, limits).unwrap();
    assert_eq!((report.partial_days, report.complete_days), (0, days.len() as u64));
    assert_eq!((report.refused.len(), report.refused[0].reason), (1, Reason::AfterComplete));
    let (_, report) = read(format!("{text}{again}\n"));
    assert_eq!((report.refused_rows, report.duplicate_rows), (0, 1));
}
