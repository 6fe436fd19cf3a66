//! Everything that needs running nodes is in `nodes/`. Here is only what it searches with.

/// Length of the beginning by which patterns are found.
const KEY: usize = 8;

/// Many byte patterns, each of at least eight bytes, looked for in one pass.
pub struct Search {
    /// Whether any pattern begins with these two bytes.
    begins: Vec<bool>,
    /// Patterns by their first eight bytes.
    patterns: std::collections::HashMap<[u8; KEY], Vec<(String, Vec<u8>)>>,
}

impl Default for Search {
    fn default() -> Self {
        Self { begins: vec![false; 1 << 16], patterns: std::collections::HashMap::new() }
    }
}

impl Search {
    /// Adds a pattern under a name that says what was found; `false` if it is too short to be looked for.
    pub fn add(&mut self, name: impl Into<String>, pattern: &[u8]) -> bool {
        let Some((key, _)) = pattern.split_first_chunk::<KEY>() else { return false };
        let [first, second, ..] = *key;
        if let Some(place) = self.begins.get_mut(usize::from(u16::from_be_bytes([first, second]))) {
            *place = true;
        }
        self.patterns.entry(*key).or_default().push((name.into(), pattern.to_vec()));
        true
    }

    /// How many patterns there are.
    pub fn len(&self) -> usize {
        self.patterns.values().map(Vec::len).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Names and places of the patterns that stand in the bytes, at most 20.
    pub fn found(&self, bytes: &[u8]) -> Vec<(String, usize)> {
        let mut found = Vec::new();
        for (place, window) in bytes.windows(KEY).enumerate() {
            let [first, second, ..] = *window else { continue };
            let begins = self.begins.get(usize::from(u16::from_be_bytes([first, second])));
            if begins != Some(&true) {
                continue;
            }
            let known = <[u8; KEY]>::try_from(window).ok().and_then(|key| self.patterns.get(&key));
            let rest = bytes.get(place..).unwrap_or_default();
            for (name, _) in known.into_iter().flatten().filter(|(_, pattern)| rest.starts_with(pattern)) {
                found.push((name.clone(), place));
                if found.len() == 20 {
                    return found;
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_found_wherever_they_stand() {
        let mut search = Search::default();
        assert!(search.is_empty() && !search.add("short", b"1234567"));
        assert!(search.add("one", b"10443729900000001") && search.add("two", b"10443729900000002"));
        assert_eq!(search.len(), 2);
        assert!(search.found(b"10443729900000003 and 1044372990000000").is_empty());
        let found = search.found(b"x10443729900000002yz10443729900000001");
        assert_eq!(found, [("two".to_owned(), 1), ("one".to_owned(), 20)]);
    }
}
