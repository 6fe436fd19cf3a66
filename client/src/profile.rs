//! The profile: a folder for its owner alone, with the recovery phrase and everything that hangs on consents and
//! meters.
//!
//! ```text
//! phrase                the recovery phrase, 0600
//! <kind>/<name>.json    one small JSON file per consent, request, meter; written whole or not at all, 0600
//! ```

use crate::{
    account::{Account, Phrase},
    error::FileProblem,
    files::{make_folder, read_text, write_atomically, Access},
    ClientError, Result,
};
use serde::{de::DeserializeOwned, Serialize};
use std::path::{Path, PathBuf};

/// Name of the file with the phrase.
const PHRASE: &str = "phrase";

/// A folder on this machine.
#[derive(Clone, Debug)]
pub struct Profile {
    folder: PathBuf,
}

impl Profile {
    /// Opens a profile, or begins one.
    ///
    /// # Errors
    /// [`FileProblem`].
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self> {
        let folder = folder.into();
        make_folder(&folder, Access::Private)?;
        Ok(Self { folder })
    }

    /// The usual folder of a role: `$XDG_CONFIG_HOME/wattseal/<role>` or `~/.config/wattseal/<role>`.
    ///
    /// # Errors
    /// [`ClientError::Usage`] where neither variable is set.
    pub fn usual(role: &str) -> Result<PathBuf> {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let config = set("XDG_CONFIG_HOME").or_else(|| set("HOME").map(|home| home.join(".config")));
        let config =
            config.ok_or_else(|| ClientError::Usage("no home folder is known: give --profile FOLDER".into()))?;
        Ok(config.join("wattseal").join(role))
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Keeps a recovery phrase. One that is there is never replaced.
    ///
    /// # Errors
    /// [`ClientError::Secret`] if there is one, [`FileProblem`].
    pub fn keep_phrase(&self, phrase: &Phrase) -> Result<()> {
        let path = self.folder.join(PHRASE);
        if path.exists() {
            return Err(ClientError::Secret(format!(
                "{} holds a phrase already; use another --profile, or remove it if nothing hangs on it",
                path.display()
            )));
        }
        write_atomically(&path, format!("{}\n", phrase.words()).as_bytes(), Access::Private)
    }

    /// The account of the phrase that is kept here.
    ///
    /// # Errors
    /// [`ClientError::NotFound`] if none is, [`ClientError::Secret`], [`FileProblem`].
    pub fn account(&self) -> Result<Account> {
        let path = self.folder.join(PHRASE);
        match read_text(&path)? {
            Some(text) => Account::from_suri(&text),
            None => Err(ClientError::NotFound(format!(
                "{} does not exist: make keys with 'keys new', or give --phrase-file or --suri",
                path.display()
            ))),
        }
    }

    /// Reads a record; nothing if there is none.
    ///
    /// # Errors
    /// [`FileProblem`].
    pub fn read<T: DeserializeOwned>(&self, kind: &str, name: &str) -> Result<Option<T>> {
        let path = self.path(kind, name)?;
        let Some(text) = read_text(&path)? else { return Ok(None) };
        serde_json::from_str(&text).map(Some).map_err(|error| FileProblem::new(path, error).into())
    }

    /// Writes a record.
    ///
    /// # Errors
    /// [`FileProblem`].
    pub fn write<T: Serialize>(&self, kind: &str, name: &str, record: &T) -> Result<()> {
        let path = self.path(kind, name)?;
        make_folder(&self.folder.join(kind), Access::Private)?;
        let text = serde_json::to_vec_pretty(record).map_err(|error| FileProblem::new(&path, error))?;
        write_atomically(&path, &zeroize::Zeroizing::new(text), Access::Private)
    }

    /// Names of the records of a kind, in order.
    ///
    /// # Errors
    /// [`FileProblem`].
    pub fn names(&self, kind: &str) -> Result<Vec<String>> {
        let folder = self.folder.join(kind);
        if !folder.is_dir() {
            return Ok(Vec::new());
        }
        let problem = |error| FileProblem::new(&folder, error);
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&folder).map_err(problem)? {
            let name = entry.map_err(problem)?.file_name();
            let name = name.to_str().filter(|name| !name.starts_with('.')).and_then(|name| name.strip_suffix(".json"));
            names.extend(name.map(str::to_owned));
        }
        names.sort();
        Ok(names)
    }

    /// Kinds and names are this program's own, but they go into paths, so they are held to letters and digits.
    fn path(&self, kind: &str, name: &str) -> Result<PathBuf> {
        let plain = |text: &str| {
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        };
        if !plain(kind) || !plain(name) {
            return Err(ClientError::Usage(format!("'{kind}/{name}' is no name of a record")));
        }
        Ok(self.folder.join(kind).join(format!("{name}.json")))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failed unwrap is a failed test
    use super::*;
    use serde_json::{json, Value};

    #[test]
    fn a_phrase_is_kept_once_and_privately() {
        let folder = tempfile::tempdir().unwrap();
        let profile = Profile::open(folder.path().join("customer")).unwrap();
        assert!(matches!(profile.account(), Err(ClientError::NotFound(_))));
        let phrase = Phrase::generate().unwrap();
        profile.keep_phrase(&phrase).unwrap();
        assert_eq!(profile.account().unwrap().id(), Account::from_phrase(&phrase).unwrap().id());
        assert!(matches!(profile.keep_phrase(&Phrase::generate().unwrap()), Err(ClientError::Secret(_))));
        assert_eq!(profile.account().unwrap().id(), Account::from_phrase(&phrase).unwrap().id());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(&profile.folder().join("phrase")), 0o600);
            assert_eq!(mode(profile.folder()), 0o700);
        }
    }

    #[test]
    fn records_are_written_whole_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let profile = Profile::open(folder.path()).unwrap();
        assert_eq!(profile.read::<Value>("consents", "0xab").unwrap(), None);
        assert!(profile.names("consents").unwrap().is_empty());
        for number in 0..3 {
            profile.write("consents", "0xab", &json!({ "number": number })).unwrap();
        }
        assert_eq!(profile.read::<Value>("consents", "0xab").unwrap(), Some(json!({ "number": 2 })));
        // What a killed writer leaves behind is no record.
        std::fs::write(folder.path().join("consents/.0xcd.json.00.tmp"), "{").unwrap();
        assert_eq!(profile.names("consents").unwrap(), ["0xab"]);
        std::fs::write(folder.path().join("consents/0xcd.json"), "{").unwrap();
        let error = profile.read::<Value>("consents", "0xcd").unwrap_err().to_string();
        assert!(error.contains("0xcd.json"), "{error}");
    }

    #[test]
    fn names_stay_inside_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let profile = Profile::open(folder.path()).unwrap();
        for name in ["../phrase", "", "a/b", "a.b"] {
            assert!(matches!(profile.write("consents", name, &1), Err(ClientError::Usage(_))), "{name}");
        }
    }
}
