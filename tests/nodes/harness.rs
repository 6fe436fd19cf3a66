//! Programs, ports, and processes that never outlive a test.

use serde_json::Value;
use std::{
    collections::BTreeSet,
    env, fs,
    io::{BufRead, BufReader},
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// Longest time of one story on a slow machine.
pub const STORY: Duration = Duration::from_secs(900);

/// A program of this workspace: where `CARGO_TARGET_DIR` says, or where this test itself was built. `WATTSEAL_NODE` names
/// another node.
pub fn program(name: &str) -> PathBuf {
    if let Some(path) = env::var_os("WATTSEAL_NODE").filter(|_| name == "wattseal-node") {
        return path.into();
    }
    let target = env::var_os("CARGO_TARGET_DIR").map(|folder| PathBuf::from(folder).join("release").join(name));
    if let Some(path) = target.filter(|path| path.is_file()) {
        return path;
    }
    let folder = env::current_exe().unwrap().parent().unwrap().parent().unwrap().to_owned();
    let path = folder.join(name);
    assert!(path.is_file(), "{} is not there: build the workspace first", path.display());
    path
}

/// The root of the workspace.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Ports that were free a moment ago.
pub fn free_ports<const N: usize>() -> [u16; N] {
    let listeners: Vec<_> = (0..N).map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap()).collect();
    let ports: Vec<u16> = listeners.iter().map(|listener| listener.local_addr().unwrap().port()).collect();
    assert_eq!(ports.iter().collect::<BTreeSet<_>>().len(), N);
    ports.try_into().unwrap()
}

/// A process that is killed when the test ends, however it ends.
pub struct Process {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
    name: String,
}

impl Process {
    /// Starts it and keeps every line that it prints.
    pub fn start(command: &mut Command) -> Self {
        let name = format!("{command:?}");
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect(&name);
        let lines = Arc::new(Mutex::new(Vec::new()));
        let streams: [Box<dyn std::io::Read + Send>; 2] =
            [Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap())];
        for stream in streams {
            let lines = lines.clone();
            thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
                }
            });
        }
        Self { child, lines, name }
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it printed so far.
    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits for a line.
    pub fn wait_for(&mut self, part: &str, patience: Duration) {
        let began = Instant::now();
        while !self.lines().iter().any(|line| line.contains(part)) {
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("{} ended ({status}) before it said '{part}':\n{}", self.name, self.lines().join("\n"));
            }
            assert!(began.elapsed() < patience, "no '{part}' in time:\n{}", self.lines().join("\n"));
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Whether it has not ended yet.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for its end.
    pub fn wait(&mut self, patience: Duration) -> ExitStatus {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                // The readers see the end of the pipes a moment later.
                thread::sleep(Duration::from_millis(200));
                return status;
            }
            assert!(began.elapsed() < patience, "{} does not end:\n{}", self.name, self.lines().join("\n"));
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Sends a signal by name.
    pub fn signal(&self, name: &str) {
        let status = Command::new("sh").args(["-c", "kill -s \"$0\" \"$1\"", name, &self.id().to_string()]).status();
        assert!(status.unwrap().success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Processes whose command line names a folder.
pub fn processes_of(folder: &Path) -> Vec<String> {
    let name = folder.to_str().unwrap().as_bytes().to_owned();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        // Processes come and go while the list is read.
        let Ok(line) = fs::read(entry.path().join("cmdline")) else { continue };
        if line.windows(name.len()).any(|window| window == name) {
            let text = String::from_utf8_lossy(&line).replace('\0', " ");
            found.push(format!("{}: {text}", entry.file_name().to_string_lossy()));
        }
    }
    found
}

/// A story's command line on free ports.
pub fn story(base: &Path, arguments: &[&str]) -> Command {
    let [rpc, network, metrics] = free_ports();
    let mut command = Command::new(program("wattseal-story"));
    command
        .env("WATTSEAL_NODE", program("wattseal-node"))
        .arg("--base")
        .arg(base)
        .args(["--rpc-port", &rpc.to_string(), "--port", &network.to_string()])
        .args(["--prometheus-port", &metrics.to_string()])
        .args(arguments);
    command
}

/// A story that was played to its end.
pub struct Played {
    /// Its folder.
    pub base: PathBuf,
    /// The JSON of its last line.
    pub numbers: Value,
    /// Everything that it printed.
    pub text: String,
    _folder: Option<TempDir>,
}

impl Played {
    /// Plays the story once, in a folder of its own, and wants it to succeed.
    pub fn once(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().join("story");
        let mut played = Self::at(&base, arguments);
        played._folder = Some(folder);
        played
    }

    /// Plays the story once in this folder, and wants it to succeed.
    pub fn at(base: &Path, arguments: &[&str]) -> Self {
        let mut process = Process::start(story(base, &["--once", "--json"]).args(arguments));
        let status = process.wait(STORY);
        let lines = process.lines();
        let text = lines.join("\n");
        assert!(status.success(), "{status}\n{text}\n\n{}", log_tail(base));
        let last = lines.iter().rfind(|line| line.starts_with('{')).expect(&text);
        let numbers: Value = serde_json::from_str(last).expect(last);
        assert_eq!(numbers["steps_failed"], 0, "{text}");
        assert_eq!(processes_of(base), Vec::<String>::new(), "the story left processes behind");
        Self { base: base.to_owned(), numbers, text, _folder: None }
    }

    /// A number of the JSON.
    pub fn number(&self, name: &str) -> u64 {
        self.numbers[name].as_u64().unwrap_or_else(|| panic!("{name} is missing in {}", self.numbers))
    }
}

/// The end of a story's node log.
pub fn log_tail(base: &Path) -> String {
    let text = fs::read_to_string(base.join("node.log")).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}

/// A node of its own, on a folder that a story left or a new one.
pub struct Node {
    process: Process,
    /// Address of its JSON-RPC.
    pub url: String,
    /// Address of its Prometheus endpoint.
    pub metrics: String,
    /// Where other nodes reach it, without its key.
    address: String,
    base: PathBuf,
}

impl Node {
    /// Starts a development chain's only validator, which is the utility's node too.
    pub fn start(base_path: &Path) -> Self {
        Self::start_with(base_path, &["--dev", "--utility", "utility"])
    }

    /// Starts it with these arguments besides folder and ports.
    pub fn start_with(base_path: &Path, arguments: &[&str]) -> Self {
        let [rpc, network, metrics] = free_ports();
        let mut command = Command::new(program("wattseal-node"));
        command
            .args(["--no-mdns", "--no-telemetry", "--base-path"])
            .arg(base_path)
            .args(["--rpc-port", &rpc.to_string(), "--prometheus-port", &metrics.to_string()])
            .args(["--listen-addr", &format!("/ip4/127.0.0.1/tcp/{network}")])
            .args(arguments);
        let address = format!("/ip4/127.0.0.1/tcp/{network}");
        Self {
            process: Process::start(&mut command),
            url: format!("ws://127.0.0.1:{rpc}"),
            metrics: format!("127.0.0.1:{metrics}"),
            address,
            base: base_path.into(),
        }
    }

    /// Its number among the machine's processes.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Its folder.
    pub fn base(&self) -> &Path {
        &self.base
    }

    /// Its address in the network, for other nodes; once it answers.
    pub async fn peer(&self) -> String {
        let chain = self.chain().await;
        let id: String = chain.rpc().call("system_localPeerId", &[]).await.unwrap();
        format!("{}/p2p/{id}", self.address)
    }

    /// Ends it in order. Gives what it printed.
    pub fn stop(mut self) -> String {
        self.process.signal("INT");
        let status = self.process.wait(Duration::from_secs(60));
        assert!(status.success(), "{status}\n{}", self.text());
        self.text()
    }

    /// Fails with what it printed if it has ended.
    pub fn assert_up(&mut self) {
        let ended = self.process.child.try_wait().unwrap();
        assert!(ended.is_none(), "the node has ended ({ended:?}):\n{}", self.text());
    }

    /// Connects, once it answers and finalises.
    pub async fn chain(&self) -> wattseal_client::Chain {
        let began = Instant::now();
        let chain = loop {
            match wattseal_client::Chain::connect(&self.url).await {
                Ok(chain) => break chain,
                Err(error) => {
                    assert!(began.elapsed() < Duration::from_secs(120), "{error}\n{}", self.text());
                    tokio::time::sleep(Duration::from_millis(250)).await;
                }
            }
        };
        let next = chain.finalized().await.unwrap().block().number + 1;
        chain.wait_for_block(next, Duration::from_secs(90)).await.unwrap();
        chain
    }

    /// What it printed so far.
    pub fn text(&self) -> String {
        self.process.lines().join("\n")
    }
}
