//! Reading files in a thread of its own, a little ahead of those who seal.

use smart_meter_texas::{
    csv::{self, FileError},
    Calendar, EsiId, MeterDay,
};
use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    sync::mpsc::SyncSender,
};

/// Bytes read at a time.
const PIECE: usize = 256 << 10;
/// Days handed over at a time, about 1 kB each.
const DAYS_AT_ONCE: usize = 512;
/// Most parts into which the meters of a file are spread when its days do not fit into memory at once.
const MAX_PARTS: u32 = 4_096;

/// What comes out of the files, in their order.
pub(super) enum Event {
    /// A file begins, or its meters are gone over anew in more parts: what was found in it counts no more.
    Begin(usize),
    /// Days.
    Days(Vec<MeterDay>),
    /// So many bytes were read, and so many rows.
    Read(u64, u64),
    /// The end of a file, or of one part of its meters.
    End(csv::Report),
    /// The file cannot be used at all.
    Unusable(String),
}

/// Nobody wants the rest.
struct Gone;

/// Reads all files one after the other; ends early when nobody takes the events.
pub(super) fn read_all(files: &[PathBuf], calendar: &Calendar, events: &SyncSender<Event>) {
    for (at, path) in files.iter().enumerate() {
        if read_file(at, path, calendar, events).is_err() {
            return;
        }
    }
}

fn read_file(at: usize, path: &Path, calendar: &Calendar, events: &SyncSender<Event>) -> Result<(), Gone> {
    let send = |event| events.send(event).map_err(|_| Gone);
    let (mut part, mut parts) = (0, 1);
    send(Event::Begin(at))?;
    while part < parts {
        match read_part(path, calendar, (part, parts), events)? {
            Ok(report) => {
                send(Event::End(report))?;
                part += 1;
            }
            // What was given out is right; the whole file is gone over again in smaller parts.
            Err(Unusable::File(FileError::Overflow { .. })) if parts < MAX_PARTS => {
                (part, parts) = (0, parts * 2);
                send(Event::Begin(at))?;
            }
            Err(Unusable::File(error)) => return send(Event::Unusable(error.to_string())),
            Err(Unusable::Io(error)) => return send(Event::Unusable(error.to_string())),
        }
    }
    Ok(())
}

enum Unusable {
    File(FileError),
    Io(std::io::Error),
}

fn read_part(
    path: &Path,
    calendar: &Calendar,
    (part, parts): (u32, u32),
    events: &SyncSender<Event>,
) -> Result<Result<csv::Report, Unusable>, Gone> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) => return Ok(Err(Unusable::Io(error))),
    };
    let filter = move |esi_id: &EsiId| parts <= 1 || esi_id.bucket(parts) == part;
    // The worker's limits, so that days come in the same order.
    let mut reader = csv::Reader::with_filter(calendar.clone(), csv::Limits::default(), filter);
    let mut piece = vec![0; PIECE];
    let mut days = Vec::new();
    let hand_over = |days: &mut Vec<MeterDay>, least: usize| {
        let enough = days.len() >= least.max(1);
        if enough {
            events.send(Event::Days(std::mem::take(days))).map_err(|_| Gone)
        } else {
            Ok(())
        }
    };
    loop {
        let read = match file.read(&mut piece) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) => return Ok(Err(Unusable::Io(error))),
        };
        let before = reader.report().rows;
        let pushed = reader.push(piece.get(..read).unwrap_or_default(), |day| days.push(day));
        let rows = reader.report().rows.saturating_sub(before);
        events.send(Event::Read(read as u64, rows)).map_err(|_| Gone)?;
        hand_over(&mut days, DAYS_AT_ONCE)?;
        if let Err(error) = pushed {
            hand_over(&mut days, 0)?;
            return Ok(Err(Unusable::File(error)));
        }
    }
    let ended = reader.finish(|day| days.push(day));
    hand_over(&mut days, 0)?;
    Ok(ended.map_err(Unusable::File))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)] // a failed unwrap is a failed test
    use super::*;
    use std::sync::mpsc::sync_channel;

    #[test]
    fn files_come_one_after_the_other_and_bad_ones_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let rows: String = (0..96)
            .map(|at| format!("10443729900000001,03/01/2022,,{}:{:02},,.1,A,Consumption\n", at / 4, at % 4 * 15))
            .collect();
        let header = csv::HEADER;
        let write = |name: &str, content: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, content).unwrap();
            path
        };
        let good = write("a.csv", format!("{header}\n{rows}10443729900000001,nonsense\n").as_bytes());
        let gzip = write("b.csv", b"\x1f\x8b\x08gzip");
        let files = [good.clone(), gzip, folder.path().join("none.csv"), good];
        let (events, received) = sync_channel(1_000);
        read_all(&files, &Calendar::us_rule(2010, 2040).unwrap(), &events);
        drop(events);
        let mut story = String::new();
        for event in received {
            match event {
                Event::Begin(at) => story += &format!("begin {at}, "),
                Event::Days(days) => story += &format!("{} days, ", days.len()),
                Event::Read(bytes, rows) => assert!(bytes > 0 && rows <= 97),
                Event::End(report) => story += &format!("end {} {}, ", report.rows, report.refused_rows),
                Event::Unusable(why) => story += if why.contains("gzip") { "gzip, " } else { "none, " },
            }
        }
        let once = |at| format!("begin {at}, 1 days, end 97 1, ");
        assert_eq!(story, format!("{}begin 1, gzip, begin 2, none, {}", once(0), once(3)));
    }
}
