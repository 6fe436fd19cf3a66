//! Reading comma-separated values as spreadsheets write them: fields in double quotes where needed, either line end.

/// The fields of one line; none if a quote is not closed or something follows a closed one.
pub(super) fn fields(line: &str) -> Option<Vec<String>> {
    let mut fields = Vec::new();
    let mut rest = line;
    loop {
        let (field, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_field(quoted)?,
            None => match rest.split_once(',') {
                Some((field, after)) => (field.trim().to_owned(), Some(after)),
                None => (rest.trim().to_owned(), None),
            },
        };
        fields.push(field);
        match after {
            Some(after) => rest = after,
            None => return Some(fields),
        }
    }
}

/// A field after its opening quote, and what follows the comma after it.
fn quoted_field(mut rest: &str) -> Option<(String, Option<&str>)> {
    let mut field = String::new();
    loop {
        let (part, after) = rest.split_once('"')?;
        field.push_str(part);
        match after.chars().next() {
            None => return Some((field, None)),
            Some(',') => return Some((field, after.get(1..))),
            Some('"') => {
                field.push('"');
                rest = after.get(1..)?;
            }
            Some(_) => return None,
        }
    }
}

/// A field as it is written, in quotes where needed. A leading `=`, `+`, `-` or `@` gets an apostrophe, so that no
/// spreadsheet takes it for a formula.
pub(super) fn field(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failed unwrap is a failed test
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn quotes_and_blanks() {
        assert_eq!(fields("a, b ,\"c,d\",\"e\"\"f\"").unwrap(), ["a", "b", "c,d", "e\"f"]);
        assert_eq!(fields("").unwrap(), [""]);
        assert_eq!(fields("a,").unwrap(), ["a", ""]);
        assert_eq!(fields("\"open"), None);
        assert_eq!(fields("\"closed\"x,y"), None);
        assert_eq!(field("=1+1"), "'=1+1");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(texts in proptest::collection::vec("[a-z\",]{0,9}", 1..6)) {
            let line = texts.iter().map(|text| field(text)).collect::<Vec<_>>().join(",");
            prop_assert_eq!(fields(&line).unwrap(), texts);
        }

        #[test]
        fn any_line_is_read_or_refused(line in "\\PC{0,80}") {
            let _ = fields(&line);
        }
    }
}
