//! What the story needs of this machine: a folder of its own, free ports, disk, the node's program.

use crate::{
    args::Args,
    error::{Result, StoryError},
};
use std::{
    env,
    ffi::OsString,
    fs::{self, File, TryLockError},
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Free disk that a run needs beside copies of the user's file, bytes.
const DISK: u64 = 1 << 30;

/// Name of the file that shows that a folder is the story's, and that keeps a second story out.
const LOCK: &str = "story.lock";

/// Where everything lies.
#[derive(Clone, Debug)]
pub struct Places {
    /// The folder of everything.
    pub base: PathBuf,
}

impl Places {
    /// The places of a command line.
    ///
    /// # Errors
    /// [`StoryError::Environment`] if there is no home folder and none was given.
    pub fn of(args: &Args) -> Result<Self> {
        if let Some(base) = &args.base {
            return Ok(Self { base: std::path::absolute(base).map_err(|error| StoryError::file(base, error))? });
        }
        let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let data = set("XDG_DATA_HOME").or_else(|| set("HOME").map(|home| home.join(".local/share")));
        let data = data.ok_or_else(|| StoryError::Environment("no home folder is known: give --base FOLDER".into()))?;
        Ok(Self { base: data.join("wattseal/story") })
    }

    /// The node's `--base-path`.
    pub fn node(&self) -> PathBuf {
        self.base.join("node")
    }

    /// The node's log.
    pub fn log(&self) -> PathBuf {
        self.base.join("node.log")
    }

    /// The vault of a development chain under a `--base-path`.
    pub fn vault_under(base_path: &Path) -> PathBuf {
        base_path.join("chains/wattseal_dev/vault.redb")
    }

    /// The folder of Smart Meter Texas files: the utility's own.
    pub fn feed(&self) -> PathBuf {
        self.base.join("feed")
    }

    /// The utility's lists of meters, customers and tickets.
    pub fn utility(&self) -> PathBuf {
        self.base.join("utility")
    }

    /// The vendor's profile.
    pub fn vendor(&self) -> PathBuf {
        self.base.join("vendor")
    }

    /// The profile of the customer who holds a meter.
    pub fn customer(&self, meter: &str) -> PathBuf {
        self.base.join("customers").join(meter)
    }

    /// A copy of the vault that is damaged on purpose.
    pub fn damaged(&self) -> PathBuf {
        self.base.join("damaged")
    }

    /// Makes the folder and keeps every other story out of it for as long as the file is open.
    ///
    /// # Errors
    /// [`StoryError::Environment`] if another story is there, or the folder belongs to something else.
    pub fn lock(&self) -> Result<File> {
        let problem = |error: io::Error| StoryError::file(&self.base, error);
        fs::create_dir_all(&self.base).map_err(problem)?;
        let path = self.base.join(LOCK);
        if !path.exists() && fs::read_dir(&self.base).map_err(problem)?.next().is_some() {
            let base = self.base.display();
            return Err(StoryError::Environment(format!(
                "{base} holds something else than a story: give another folder with --base"
            )));
        }
        let file = File::options().create(true).append(true).open(&path).map_err(problem)?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(StoryError::Environment(format!(
                "another story runs in {}: end it, or give another folder with --base",
                self.base.display()
            ))),
            Err(TryLockError::Error(error)) => Err(StoryError::file(path, error)),
        }
    }

    /// Removes everything; only called under the lock, which shows that the folder is the story's.
    ///
    /// # Errors
    /// [`StoryError::File`].
    pub fn wipe(&self) -> Result<String> {
        let problem = |error| StoryError::file(&self.base, error);
        let something = fs::read_dir(&self.base).map_err(problem)?.count() > 1;
        fs::remove_dir_all(&self.base).map_err(problem)?;
        Ok(match something {
            true => format!("Removed {}: chain, vault, feed and keys of earlier runs.", self.base.display()),
            false => format!("Nothing was there in {}.", self.base.display()),
        })
    }

    /// Refuses to begin with too little disk for the node and copies of a file of `file` bytes.
    ///
    /// # Errors
    /// [`StoryError::Environment`].
    pub fn check_disk(&self, file: u64) -> Result<()> {
        let needed = DISK.saturating_add(file.saturating_mul(4));
        match free_bytes(&self.base) {
            Some(free) if free < needed => Err(StoryError::Environment(format!(
                "{} has {} MB free, the story needs {} MB: make room, or give another folder with --base",
                self.base.display(),
                free >> 20,
                needed >> 20
            ))),
            _ => Ok(()),
        }
    }
}

/// Free space where a folder lies, by `df`; nothing where it cannot be told.
fn free_bytes(folder: &Path) -> Option<u64> {
    let output = Command::new("df").arg("-Pk").arg(folder).env("LC_ALL", "C").stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let blocks: u64 = text.lines().nth(1)?.split_whitespace().nth(3)?.parse().ok()?;
    blocks.checked_mul(1024)
}

/// Refuses to begin when a port is taken.
///
/// # Errors
/// [`StoryError::Environment`] names the port, what it is for and the option that changes it.
pub fn check_ports(args: &Args) -> Result<()> {
    let ports = [
        (args.rpc_port, "the node's JSON-RPC", "--rpc-port"),
        (args.port, "the node's peer-to-peer network", "--port"),
        (args.prometheus_port, "the node's metrics", "--prometheus-port"),
        (args.feed_port, "the feed", "--feed-port"),
    ];
    for (port, what, option) in ports.into_iter().filter(|(port, ..)| *port != 0) {
        if let Err(error) = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))) {
            return Err(StoryError::Environment(format!(
                "port {port} for {what} cannot be used ({error}): stop what uses it, or give another with {option}"
            )));
        }
    }
    Ok(())
}

/// The program of a variable, or beside this one.
fn program(variable: &str, name: &str) -> Option<PathBuf> {
    let set = env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
    let beside = || Some(env::current_exe().ok()?.parent()?.join(name));
    set.or_else(beside)
}

/// The node's program.
///
/// # Errors
/// [`StoryError::Environment`] says where it was looked for.
pub fn node_program() -> Result<PathBuf> {
    let path = program("WATTSEAL_NODE", "wattseal-node").unwrap_or_else(|| "wattseal-node".into());
    if path.is_file() {
        return Ok(path);
    }
    Err(StoryError::Environment(format!(
        "the node's program {} is not there: build it (./scripts/run does), or set WATTSEAL_NODE",
        path.display()
    )))
}

/// The client's program as a user types it.
pub fn client_program() -> String {
    let path = program("WATTSEAL", "wattseal").filter(|path| path.is_file());
    path.map_or_else(|| "wattseal".into(), |path| path.display().to_string())
}

/// What has to stand before the node's program so that the kernel ends the node when the story dies without a word.
/// util-linux has it on every Debian; without it only a SIGKILL of the story itself would leave the node behind.
pub fn end_with_parent() -> Option<[OsString; 3]> {
    let known = Command::new("setpriv").args(["--pdeathsig", "KILL", "true"]).stderr(Stdio::null()).status();
    let known = known.is_ok_and(|status| status.success());
    known.then(|| ["setpriv", "--pdeathsig", "KILL"].map(OsString::from))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failed unwrap is a failed test
    use super::*;

    #[test]
    fn a_folder_of_somebody_else_is_never_taken_or_wiped() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("thesis.txt"), "years of work").unwrap();
        let error = Places { base: folder.path().into() }.lock().unwrap_err().to_string();
        assert!(error.contains("something else"), "{error}");
    }

    #[test]
    fn two_stories_do_not_share_a_folder_and_wiping_removes_it() {
        let folder = tempfile::tempdir().unwrap();
        let places = Places { base: folder.path().join("story") };
        let lock = places.lock().unwrap();
        assert!(places.lock().unwrap_err().to_string().contains("another story runs"));
        drop(lock);
        let _lock = places.lock().unwrap();
        assert!(places.wipe().unwrap().contains("Nothing was there"));
        assert!(!places.base.exists());
    }

    #[test]
    fn a_taken_port_is_named_with_its_option() {
        use clap::Parser;
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port().to_string();
        let args =
            |rest: &[&str]| Args::try_parse_from(["story", "--port=0", "--prometheus-port=0"].iter().chain(rest));
        let error = check_ports(&args(&["--rpc-port", &port]).unwrap()).unwrap_err().to_string();
        assert!(error.contains(&port) && error.contains("--rpc-port"), "{error}");
        assert!(check_ports(&args(&["--rpc-port", "0"]).unwrap()).is_ok());
    }

    #[test]
    fn free_disk_is_told() {
        assert!(free_bytes(&env::temp_dir()).unwrap() > 0);
        let places = Places { base: env::temp_dir() };
        assert!(places.check_disk(u64::MAX / 8).unwrap_err().to_string().contains("--base"));
    }
}
