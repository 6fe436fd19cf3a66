//! Files on this machine: written so that a crash leaves the old or the new content, never half of it, and private
//! where they hold secrets.

use crate::{error::FileProblem, Result};
use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// Who may read a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Its owner alone (0600).
    Private,
    /// Whoever the system's defaults allow.
    Shared,
}

/// Writes a file: into a temporary one beside it, onto the disk, then in its place.
///
/// # Errors
/// [`FileProblem`].
pub fn write_atomically(path: &Path, content: &[u8], access: Access) -> Result<()> {
    let problem = |error| FileProblem::new(path, error);
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let temporary = temporary(path)?;
    let written = (|| {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        if access == Access::Private {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        let mut file = options.open(&temporary)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        // The rename itself is on the disk only once the folder is.
        fs::File::open(folder)?.sync_all()
    })();
    written.map_err(|error| {
        // Whatever was left must not stay; that it cannot be removed changes nothing about the first error.
        let _ = fs::remove_file(&temporary);
        problem(error).into()
    })
}

/// A name beside the file that no other process uses.
fn temporary(path: &Path) -> Result<PathBuf> {
    let name = path.file_name().ok_or_else(|| FileProblem::new(path, "this is no file name"))?;
    let mut temporary = std::ffi::OsString::from(".");
    temporary.push(name);
    temporary.push(format!(".{}.tmp", hex::encode(crate::account::random::<8>()?)));
    Ok(path.with_file_name(temporary))
}

/// Makes a folder and those above it; the folder itself for its owner alone where `Private`.
///
/// # Errors
/// [`FileProblem`].
pub fn make_folder(path: &Path, access: Access) -> Result<()> {
    fs::create_dir_all(path).map_err(|error| FileProblem::new(path, error))?;
    #[cfg(unix)]
    if access == Access::Private {
        use std::os::unix::fs::PermissionsExt;
        let only_owner = fs::Permissions::from_mode(0o700);
        fs::set_permissions(path, only_owner).map_err(|error| FileProblem::new(path, error))?;
    }
    Ok(())
}

/// Reads a text file, which is wiped from memory after use; nothing if it is not there.
///
/// # Errors
/// [`FileProblem`].
pub fn read_text(path: &Path) -> Result<Option<Zeroizing<String>>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(Zeroizing::new(text))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(FileProblem::new(path, error).into()),
    }
}

/// Reads a text that is given on the command line itself, or in a file, or on standard input (`-`).
///
/// # Errors
/// [`FileProblem`].
pub fn text_argument(argument: &str) -> Result<String> {
    if argument == "-" {
        return std::io::read_to_string(std::io::stdin()).map_err(|error| FileProblem::new("-", error).into());
    }
    let path = Path::new(argument);
    // A statement or link is never the name of a file that happens to exist: it has a colon or a line end.
    if argument.len() < 1024 && path.is_file() {
        return fs::read_to_string(path).map_err(|error| FileProblem::new(path, error).into());
    }
    Ok(argument.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failed unwrap is a failed test
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.json");
        write_atomically(&path, b"first", Access::Private).unwrap();
        write_atomically(&path, b"second", Access::Private).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_failed_write_leaves_the_old_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("taken");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("inside"), b"kept").unwrap();
        let error = write_atomically(&path, b"new", Access::Shared).unwrap_err();
        assert!(error.to_string().contains("taken"), "{error}");
        assert_eq!(fs::read(path.join("inside")).unwrap(), b"kept");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn concurrent_writers_leave_one_whole_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.json");
        let contents: Vec<Vec<u8>> = (0..8_u8).map(|byte| vec![byte; 100_000]).collect();
        std::thread::scope(|scope| {
            for content in &contents {
                scope.spawn(|| write_atomically(&path, content, Access::Shared).unwrap());
            }
        });
        assert!(contents.contains(&fs::read(&path).unwrap()));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn arguments_are_texts_or_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("link.txt");
        fs::write(&path, "wattseal:request/abc").unwrap();
        assert_eq!(text_argument(path.to_str().unwrap()).unwrap(), "wattseal:request/abc");
        assert_eq!(text_argument("wattseal:request/def").unwrap(), "wattseal:request/def");
        assert!(read_text(&folder.path().join("none")).unwrap().is_none());
    }
}
