//! A utility's list of meters: any text is rows or problems, and no problem repeats an ESI ID.

use crate::edit::any_or_edited;
use arbitrary::Unstructured;
use std::{collections::BTreeSet, sync::OnceLock};
use wattseal_client::utility::parse_meters;

/// Digits in a row that are no ESI ID's yet.
const SHORT: usize = 16;

/// First byte: a list to edit, or any text.
pub fn run(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let bytes = any_or_edited(&mut input, lists());
    let text = String::from_utf8_lossy(&bytes);
    match parse_meters(&text) {
        Ok(rows) => {
            let tenancies: BTreeSet<_> = rows.iter().map(|row| (&row.esi_id, row.tenancy)).collect();
            assert_eq!(tenancies.len(), rows.len(), "each tenancy once");
            assert!(rows.windows(2).all(|pair| pair[0].line < pair[1].line));
            assert!(rows.iter().all(|row| row.line <= 1 + text.lines().count() as u64));
        }
        Err(problems) => {
            assert!((1..=20).contains(&problems.len()));
            let shown = format!("{problems:?}");
            let digits = shown.split(|character: char| !character.is_ascii_digit()).map(str::len).max();
            assert!(digits <= Some(SHORT), "an ESI ID is shown: {shown}");
        }
    }
}

fn lists() -> &'static [Vec<u8>] {
    static LISTS: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    LISTS.get_or_init(|| {
        let full = "esi_id,class,channels,tenancy_start,tenancy,ticket_issue\n\
                    10443720001234567,residential,both,2021-06-01,0,\n\
                    \"1008901012126195372100\",small_commercial,consumption,2021-06-01,1,3\r\n";
        let short =
            "\u{feff}Channels,ESI_ID,tenancy_start,class\n\ngeneration,10176990000000002,2020-02-29,residential";
        [full, short].map(|list| list.as_bytes().to_vec()).to_vec()
    })
}
