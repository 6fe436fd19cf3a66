//! The node as a child process. It never outlives the story: it is stopped on every way out, and the kernel kills it
//! should the story itself be killed.

use crate::{
    environment::{end_with_parent, Places},
    error::{Result, StoryError},
};
use std::{
    fs::{File, OpenOptions},
    io::{Read, Seek, SeekFrom},
    path::PathBuf,
    process::{ExitCode, ExitStatus, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};
use tokio::{
    process::{Child, Command},
    sync::Mutex,
    time::{sleep, timeout},
};
use wattseal_client::Chain;

/// How long the node may take until it answers.
const START: Duration = Duration::from_secs(120);
/// How long the first new finalised block may take after that.
const FINALITY: Duration = Duration::from_secs(90);
/// How long the node may take to end in order.
const STOP: Duration = Duration::from_secs(15);
/// Lines of the log that are shown when the node fails.
const TAIL_LINES: usize = 6;
/// Bytes at the end of the log in which they are looked for.
const TAIL_BYTES: u64 = 16 << 10;

/// How the node is run.
#[derive(Clone, Debug)]
pub struct NodeSettings {
    /// The program.
    pub program: PathBuf,
    /// Where its data is.
    pub places: Places,
    /// Port of JSON-RPC.
    pub rpc_port: u16,
    /// Port of the network.
    pub port: u16,
    /// Port of the metrics.
    pub prometheus_port: u16,
    /// Address of the feed.
    pub feed_url: String,
    /// The utility that it seals for.
    pub utility: String,
    /// Its log filter.
    pub log: Option<String>,
}

/// The node.
pub struct Node {
    settings: NodeSettings,
    child: Mutex<Option<Child>>,
    closing: AtomicBool,
}

impl Node {
    /// A node that does not run yet.
    pub fn new(settings: NodeSettings) -> Self {
        Self { settings, child: Mutex::new(None), closing: AtomicBool::new(false) }
    }

    /// How it is run.
    pub fn settings(&self) -> &NodeSettings {
        &self.settings
    }

    /// Address of its JSON-RPC.
    pub fn url(&self) -> String {
        format!("ws://127.0.0.1:{}", self.settings.rpc_port)
    }

    /// Starts it, unless the story is ending.
    ///
    /// # Errors
    /// [`StoryError::Node`], [`StoryError::File`].
    pub async fn start(&self) -> Result<()> {
        let mut child = self.child.lock().await;
        if self.closing.load(Ordering::SeqCst) {
            return Err(StoryError::Node("the story is ending".into()));
        }
        *child = Some(self.command()?.spawn().map_err(|error| {
            StoryError::Node(format!("{} cannot be started: {error}", self.settings.program.display()))
        })?);
        Ok(())
    }

    fn command(&self) -> Result<Command> {
        let NodeSettings { program, places, rpc_port, port, prometheus_port, feed_url, utility, log } = &self.settings;
        let mut command = match end_with_parent() {
            Some([first, rest @ ..]) => {
                let mut command = Command::new(first);
                command.args(rest).arg(program);
                command
            }
            None => Command::new(program),
        };
        let path = places.log();
        let open = || OpenOptions::new().create(true).append(true).open(&path);
        let file = open().map_err(|error| StoryError::file(&path, error))?;
        let again = file.try_clone().map_err(|error| StoryError::file(&path, error))?;
        command
            .arg("--dev")
            .arg("--base-path")
            .arg(places.node())
            .args(["--rpc-port", &rpc_port.to_string()])
            .args(["--listen-addr", &format!("/ip4/127.0.0.1/tcp/{port}")])
            .args(["--prometheus-port", &prometheus_port.to_string()])
            .args(["--no-mdns", "--no-telemetry", "--utility", utility, "--feed-url", feed_url])
            .args(log.iter().flat_map(|filter| ["--log", filter]))
            .stdin(Stdio::null())
            .stdout(file)
            .stderr(again)
            // Ctrl-C goes to the story alone, which then ends the node in order.
            .process_group(0)
            .kill_on_drop(true);
        Ok(command)
    }

    /// Waits until the node answers and finalises blocks again, and connects to it.
    ///
    /// # Errors
    /// [`StoryError::Node`] with the end of the log.
    pub async fn ready(&self) -> Result<Chain> {
        let began = Instant::now();
        let chain = loop {
            match Chain::connect(&self.url()).await {
                Ok(chain) => break chain,
                Err(_) if began.elapsed() < START => {
                    self.check_alive().await?;
                    sleep(Duration::from_millis(250)).await;
                }
                Err(error) => return Err(self.failed(&format!("the node does not answer: {error}"))),
            }
        };
        let before = chain.finalized().await?.block().number;
        match chain.wait_for_block(before.saturating_add(1), FINALITY).await {
            Ok(_) => Ok(chain),
            Err(error) => {
                self.check_alive().await?;
                Err(self.failed(&format!("the chain does not go on: {error}")))
            }
        }
    }

    async fn check_alive(&self) -> Result<()> {
        let mut child = self.child.lock().await;
        match child.as_mut().map(Child::try_wait) {
            Some(Ok(Some(status))) => Err(self.failed(&ended(status))),
            None => Err(self.failed("the node does not run")),
            Some(_) => Ok(()),
        }
    }

    /// Ready when the node has ended although nobody stopped it.
    ///
    /// # Errors
    /// [`StoryError::Node`] always, with the end of the log.
    pub async fn died(&self) -> Result<ExitCode> {
        loop {
            if !self.closing.load(Ordering::SeqCst) {
                self.check_alive().await?;
            }
            sleep(Duration::from_secs(1)).await;
        }
    }

    /// Kills it as a power failure would.
    ///
    /// # Errors
    /// [`StoryError::Node`].
    pub async fn kill(&self) -> Result<()> {
        let Some(mut child) = self.child.lock().await.take() else { return Ok(()) };
        child.kill().await.map_err(|error| StoryError::Node(format!("the node cannot be killed: {error}")))
    }

    /// Ends it in order, or after 15 seconds by force. It cannot be started again.
    pub async fn stop(&self) {
        self.closing.store(true, Ordering::SeqCst);
        let mut child = self.child.lock().await;
        let Some(running) = child.as_mut() else { return };
        if let Some(id) = running.id() {
            // The standard library sends no signal but SIGKILL; every POSIX shell has `kill` built in.
            let told = Command::new("sh").args(["-c", "kill -s INT \"$0\"", &id.to_string()]).status().await;
            if told.is_ok_and(|status| status.success()) && timeout(STOP, running.wait()).await.is_ok() {
                *child = None;
                return;
            }
        }
        // An error means that it has ended by itself.
        let _ = running.kill().await;
        *child = None;
    }

    /// Kills it; it cannot be started again.
    pub async fn kill_for_good(&self) {
        self.closing.store(true, Ordering::SeqCst);
        if let Ok(mut child) = self.child.try_lock() {
            if let Some(running) = child.as_mut() {
                let _ = running.kill().await;
            }
            *child = None;
        }
    }

    fn failed(&self, what: &str) -> StoryError {
        let path = self.settings.places.log();
        let tail = tail(&path).unwrap_or_default();
        StoryError::Node(format!("{what}; the end of its log, {}:\n{tail}", path.display()))
    }
}

fn ended(status: ExitStatus) -> String {
    format!("the node has ended ({status})")
}

/// The last lines of a file.
fn tail(path: &std::path::Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
    let mut bytes = Vec::new();
    file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let from = lines.len().saturating_sub(TAIL_LINES);
    Ok(lines.get(from..).unwrap_or_default().iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failed unwrap is a failed test
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    /// A program in the node's place, that says something and then does what the script says.
    fn node(folder: &std::path::Path, script: &str) -> Node {
        let program = folder.join("node.sh");
        std::fs::write(&program, format!("#!/bin/sh\necho something is wrong\n{script}\n")).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
        Node::new(NodeSettings {
            program,
            places: Places { base: folder.into() },
            rpc_port: 1,
            port: 1,
            prometheus_port: 1,
            feed_url: "http://127.0.0.1:1/".into(),
            utility: "utility".into(),
            log: None,
        })
    }

    #[tokio::test]
    async fn a_node_that_ends_at_once_is_shown_with_its_log() {
        let folder = tempfile::tempdir().unwrap();
        let node = node(folder.path(), "exit 3");
        node.start().await.unwrap();
        let error = node.ready().await.err().unwrap().to_string();
        assert!(error.contains("exit status: 3") && error.contains("something is wrong"), "{error}");
    }

    #[tokio::test]
    async fn a_node_is_told_to_end_and_stays_ended() {
        let folder = tempfile::tempdir().unwrap();
        let gone = folder.path().join("gone");
        let script =
            format!("trap 'touch {}; exit 0' INT\necho it listens now\nwhile :; do sleep 0.05; done", gone.display());
        let node = node(folder.path(), &script);
        node.start().await.unwrap();
        while !std::fs::read_to_string(folder.path().join("node.log")).is_ok_and(|log| log.contains("listens")) {
            sleep(Duration::from_millis(10)).await;
        }
        node.stop().await;
        assert!(gone.exists(), "the node had the chance to end in order");
        assert!(node.start().await.is_err());
    }
}
