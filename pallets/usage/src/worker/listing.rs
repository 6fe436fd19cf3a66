//! The feed's listing, and what the worker knows about each file.
//!
//! A file is known by name, size and time. It is read once two listings agree about it, and again, as a new file, when
//! size or time change. What a file is worth is decided by its days alone, so a file that comes twice does no harm.

use super::feed::FeedError;
use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use serde::Deserialize;
use wattseal_primitives::offchain::{FileRecord, FileState};

/// Most files that are kept track of: 16,384 records have about 3 MB.
pub const MAX_FILES: usize = 16_384;
/// Longest file name, bytes.
pub const MAX_NAME_BYTES: usize = 255;

/// An entry as nginx's `autoindex_format json` writes it.
#[derive(Deserialize)]
struct Entry {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    mtime: String,
    #[serde(default)]
    size: u64,
}

/// A file in a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Its size, bytes.
    pub size: u64,
    /// When it was last changed, as the listing writes it.
    pub modified: String,
}

/// The CSV files of a listing by name, each once. Folders, hidden and unfinished (`.tmp`) files and other kinds are left out.
///
/// # Errors
/// [`FeedError::BadListing`], [`FeedError::TooManyFiles`].
pub fn parse(listing: &[u8]) -> Result<Vec<Listed>, FeedError> {
    let entries: Vec<Entry> = serde_json::from_slice(listing).map_err(|_| FeedError::BadListing)?;
    let mut files: Vec<Listed> = entries
        .into_iter()
        .filter(|entry| entry.kind == "file" && is_feed_file(&entry.name))
        .map(|Entry { name, size, mtime, .. }| Listed { name, size, modified: shortened(mtime) })
        .collect();
    files.sort_by(|one, other| one.name.cmp(&other.name));
    files.dedup_by(|one, other| one.name == other.name);
    if files.len() > MAX_FILES {
        return Err(FeedError::TooManyFiles(MAX_FILES));
    }
    Ok(files)
}

fn is_feed_file(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with(".csv")
        && name.len() <= MAX_NAME_BYTES
        && !name.starts_with('.')
        && !name.chars().any(|letter| letter == '/' || letter == '\\' || letter.is_control())
}

/// A listing's time is compared, never read; nothing longer than 64 bytes is one.
fn shortened(mut time: String) -> String {
    let end = (0..=64.min(time.len())).rev().find(|end| time.is_char_boundary(*end)).unwrap_or(0);
    time.truncate(end);
    time
}

/// Brings the records up to a listing: what is new or changed is `Seen`, what was `Seen` and stands still may be read
/// (`Sealing`), what is no longer listed is forgotten. Both lists by name.
pub fn merge(known: &[FileRecord], listed: &[Listed]) -> Vec<FileRecord> {
    listed.iter().map(|file| merged(find(known, &file.name), file)).collect()
}

fn merged(known: Option<&FileRecord>, file: &Listed) -> FileRecord {
    match known {
        Some(record) if record.size == file.size && record.modified == file.modified => {
            let state = match &record.state {
                FileState::Seen => FileState::Sealing,
                state => state.clone(),
            };
            FileRecord { state, ..record.clone() }
        }
        _ => FileRecord {
            name: file.name.to_string(),
            size: file.size,
            modified: file.modified.clone(),
            state: FileState::Seen,
            rows: 0,
            cells: 0,
        },
    }
}

/// The record of a file, in a list by name.
pub fn find<'a>(records: &'a [FileRecord], name: &str) -> Option<&'a FileRecord> {
    let at = records.binary_search_by(|record| record.name.as_str().cmp(name)).ok()?;
    records.get(at)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failed unwrap is a failed test
    use super::*;
    use proptest::prelude::*;

    const LISTING: &[u8] = br#"[
{ "name":"old", "type":"directory", "mtime":"Tue, 01 Mar 2022 10:00:00 GMT" },
{ "name":"b.csv", "type":"file", "mtime":"Tue, 01 Mar 2022 11:00:00 GMT", "size":20 },
{ "name":"A.CSV", "type":"file", "mtime":"Tue, 01 Mar 2022 12:00:00 GMT", "size":10 },
{ "name":"c.csv.tmp", "type":"file", "mtime":"Tue, 01 Mar 2022 12:00:00 GMT", "size":1 },
{ "name":".d.csv", "type":"file", "mtime":"Tue, 01 Mar 2022 12:00:00 GMT", "size":1 },
{ "name":"x/../e.csv", "type":"file", "mtime":"Tue, 01 Mar 2022 12:00:00 GMT", "size":1 },
{ "name":"readme.txt", "type":"file", "mtime":"Tue, 01 Mar 2022 12:00:00 GMT", "size":1 }
]"#;

    #[test]
    fn only_csv_files_of_the_folder_count() {
        let names: Vec<String> = parse(LISTING).unwrap().into_iter().map(|file| file.name).collect();
        assert_eq!(names, ["A.CSV", "b.csv"]);
        assert_eq!(parse(b"[]").unwrap(), []);
        for bad in [b"".as_slice(), b"<html>", b"{}", br#"[{"name":"a.csv"}]"#, br#"[{"name":1,"type":"file"}]"#] {
            assert_eq!(parse(bad), Err(FeedError::BadListing));
        }
    }

    #[test]
    fn a_file_is_read_once_two_listings_agree_and_again_when_it_changes() {
        let listed = parse(LISTING).unwrap();
        let first = merge(&[], &listed);
        assert!(first.iter().all(|record| record.state == FileState::Seen));
        let mut second = merge(&first, &listed);
        assert!(second.iter().all(|record| record.state == FileState::Sealing));
        second[0].state = FileState::Done;
        assert_eq!(merge(&second, &listed)[0].state, FileState::Done);
        let mut grown = listed.clone();
        grown[0].size += 1;
        assert_eq!(merge(&second, &grown)[0].state, FileState::Seen);
        let mut touched = listed.clone();
        touched[0].modified.push('!');
        assert_eq!(merge(&second, &touched)[0].state, FileState::Seen);
        assert_eq!(merge(&second, &listed[1..]).len(), 1);
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_listing_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse(&bytes);
        }
    }
}
