//! The utility's feed: a folder, served over HTTP on this machine, and what the node's worker says about it.

use crate::error::{expect, Result, StoryError};
use serde::Deserialize;
use std::{
    fs, io,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use tokio::{sync::oneshot, time::sleep};
use wattseal_client::{utility::FeedServer, Chain};

/// Time between two words about how far the worker is.
const TELL: Duration = Duration::from_secs(5);

/// How long the worker may make no progress at all.
const STALLED: Duration = Duration::from_secs(180);

/// The folder, served for as long as this lives.
pub struct Feed {
    folder: PathBuf,
    url: String,
    _stop: oneshot::Sender<()>,
}

impl Feed {
    /// Makes the folder and serves it.
    ///
    /// # Errors
    /// [`StoryError::File`], [`StoryError::Client`] (the port is taken).
    pub async fn open(folder: PathBuf, port: u16) -> Result<Self> {
        fs::create_dir_all(&folder).map_err(|error| StoryError::file(&folder, error))?;
        let server = FeedServer::bind(&folder, (Ipv4Addr::LOCALHOST, port).into()).await?;
        let url = server.url();
        let (stop, stopped) = oneshot::channel();
        tokio::spawn(async move {
            let ended = server.run(async {
                let _ = stopped.await;
            });
            if let Err(error) = ended.await {
                eprintln!("wattseal-story: the feed ended: {error}");
            }
        });
        Ok(Self { folder, url, _stop: stop })
    }

    /// The address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Whether a file of this name is there.
    pub fn has(&self, name: &str) -> bool {
        self.folder.join(name).is_file()
    }

    /// Puts a file into the folder, whole or not at all; `write` writes it under a hidden name first.
    ///
    /// # Errors
    /// [`StoryError::File`].
    pub fn put(&self, name: &str, write: impl FnOnce(&Path) -> io::Result<()>) -> Result<()> {
        let hidden = self.folder.join(format!(".{name}.part"));
        let path = self.folder.join(name);
        let written = write(&hidden).and_then(|()| fs::rename(&hidden, &path));
        written.map_err(|error| StoryError::file(path, error))
    }

    /// All files, in the order in which they came.
    ///
    /// # Errors
    /// [`StoryError::File`].
    pub fn files(&self) -> Result<Vec<PathBuf>> {
        let problem = |error| StoryError::file(&self.folder, error);
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(problem)? {
            let entry = entry.map_err(problem)?;
            let hidden = entry.file_name().to_string_lossy().starts_with('.');
            if hidden || entry.path().extension().is_none_or(|ending| !ending.eq_ignore_ascii_case("csv")) {
                continue;
            }
            let modified = entry.metadata().and_then(|metadata| metadata.modified()).map_err(problem)?;
            files.push((modified, entry.path()));
        }
        files.sort();
        Ok(files.into_iter().map(|(_, path)| path).collect())
    }
}

/// What `wattseal_feedStatus` says, as far as the story asks.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct FeedStatus {
    configured: bool,
    files: Vec<FileInfo>,
    outbox: Vec<OutboxInfo>,
    shards: Vec<ShardProgress>,
    held: u64,
    last_error: Option<(u32, String)>,
}

#[derive(Clone, Debug, Deserialize)]
struct FileInfo {
    name: String,
    state: String,
    rows: u64,
    cells: u32,
}

#[derive(Clone, Debug, Deserialize)]
struct OutboxInfo {
    sequence: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ShardProgress {
    shard: u16,
    on_chain: u32,
    in_vault: u32,
    in_index: u32,
}

/// What ingesting files came to.
#[derive(Clone, Copy, Debug)]
pub struct Ingested {
    /// When the last batch was in the vault under a finalised root.
    pub finished: Instant,
    /// Days held for the operator since the chain began.
    pub held: u64,
}

/// Waits until the worker is done with files and everything is in the vault under finalised roots.
///
/// # Errors
/// [`StoryError::Wrong`] (a file was refused, or nothing happens any more), [`StoryError::Client`].
pub async fn wait_ingested(chain: &Chain, names: &[String]) -> Result<Ingested> {
    wait_telling(chain, names, &|_, _| {}).await
}

/// As [`wait_ingested`]; where it takes long, `tell` is told how many days of the files are sealed and how many batches
/// are final.
///
/// # Errors
/// As [`wait_ingested`].
pub async fn wait_telling(chain: &Chain, names: &[String], tell: &dyn Fn(u64, u32)) -> Result<Ingested> {
    let began = Instant::now();
    let (mut told, mut told_at) = ((0, 0), began);
    let (mut last, mut changed, mut in_vault, mut vaulted) = (String::new(), began, 0, began);
    loop {
        let status: FeedStatus = chain.rpc().call("wattseal_feedStatus", &[]).await?;
        let now = Instant::now();
        let batches: u32 = status.shards.iter().map(|shard| shard.in_vault).sum();
        if batches != in_vault {
            (in_vault, vaulted) = (batches, now);
        }
        if done(&status, names)? {
            return Ok(Ingested { finished: vaulted, held: status.held });
        }
        let of_names = |file: &&FileInfo| names.contains(&file.name);
        let days: u64 = status.files.iter().filter(of_names).map(|file| u64::from(file.cells)).sum();
        if told != (days, batches) && now.duration_since(told_at) > TELL {
            (told, told_at) = ((days, batches), now);
            tell(days, batches);
        }
        let seen = fingerprint(&status);
        if seen != last {
            (last, changed) = (seen, now);
        }
        if now.duration_since(changed) > STALLED {
            let error = status.last_error.map_or_else(String::new, |(block, text)| format!("; block {block}: {text}"));
            let configured = if status.configured { "" } else { "; the worker has no configuration" };
            return Err(StoryError::Wrong(format!(
                "the node's worker has made no progress for {} s{configured}{error}; if the node was built anew since \
                 this chain began, begin anew with --wipe",
                STALLED.as_secs()
            )));
        }
        sleep(Duration::from_millis(300)).await;
    }
}

/// Whether all files are done and nothing is on its way.
fn done(status: &FeedStatus, names: &[String]) -> Result<bool> {
    let mut all = true;
    for name in names {
        let file = status.files.iter().find(|file| file.name == *name);
        let state = file.map_or("not seen", |file| file.state.as_str());
        expect(!state.starts_with("refused"), || format!("the worker does not take {name}: {state}"))?;
        expect(state != "waiting", || format!("{name} waits for the registration of a meter"))?;
        all &= state == "done";
    }
    let in_step = |shard: &ShardProgress| shard.on_chain == shard.in_vault && shard.in_vault == shard.in_index;
    Ok(all && status.outbox.is_empty() && status.shards.iter().all(in_step))
}

/// Changes with every step of progress.
fn fingerprint(status: &FeedStatus) -> String {
    let files: Vec<_> = status.files.iter().map(|file| (&file.state, file.rows, file.cells)).collect();
    let outbox: Vec<_> = status.outbox.iter().map(|entry| entry.sequence).collect();
    format!("{files:?} {outbox:?} {:?}", status.shards)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failed unwrap is a failed test
    use super::*;
    use serde_json::json;

    fn status(state: &str, in_vault: u32) -> FeedStatus {
        serde_json::from_value(json!({
            "utility": "utility", "configured": true, "feedUrl": "http://127.0.0.1:1/", "queue": 0,
            "files": [{ "name": "a.csv", "size": 7, "state": state, "rows": 96, "cells": 1 }],
            "outbox": [], "refused": 0, "waiting": 0, "held": 0, "older": 0, "lastListing": 3, "lastError": null,
            "shards": [{ "shard": 0, "onChain": 1, "inVault": in_vault, "inIndex": in_vault }],
        }))
        .unwrap()
    }

    #[test]
    fn files_are_done_when_everything_is_in_the_vault() {
        let names = ["a.csv".to_owned()];
        assert!(done(&status("done", 1), &names).unwrap());
        assert!(!done(&status("done", 0), &names).unwrap());
        assert!(!done(&status("sealing", 1), &names).unwrap());
        assert!(!done(&status("done", 1), &["b.csv".to_owned()]).unwrap());
        assert!(done(&status("refused: the file is empty", 1), &names).unwrap_err().to_string().contains("empty"));
        assert!(done(&status("waiting", 1), &names).is_err());
        assert_ne!(fingerprint(&status("done", 1)), fingerprint(&status("done", 0)));
    }

    #[tokio::test]
    async fn files_appear_whole_and_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let feed = Feed::open(folder.path().join("feed"), 0).await.unwrap();
        assert!(feed.url().starts_with("http://127.0.0.1:"));
        let write = |name: &str| feed.put(name, |path| fs::write(path, "rows\n")).unwrap();
        write("b.csv");
        sleep(Duration::from_millis(20)).await;
        write("a.csv");
        let names: Vec<_> = feed.files().unwrap().iter().map(|path| path.file_name().unwrap().to_owned()).collect();
        assert_eq!(names, ["b.csv", "a.csv"]);
        assert!(feed.has("a.csv") && !feed.has("c.csv"));
    }
}
