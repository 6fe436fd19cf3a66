//! `wattseal-node feed ...`: asks a node on this machine by JSON-RPC.

use crate::{
    cli::{FeedAction, FeedCmd},
    rpc::feed::{FeedStatus, FileInfo, OutboxInfo, RefusedList, ShardProgress, WaitingList},
};
use serde::de::DeserializeOwned;
use serde_json::{json, Value};
use std::{
    fmt::Write as _,
    io::{Read, Write},
    net::{IpAddr, TcpStream, ToSocketAddrs},
    time::Duration,
};

/// Longest wait for the node.
const DEADLINE: Duration = Duration::from_secs(30);

/// Longest answer, bytes.
const MAX_ANSWER: u64 = 16 << 20;

/// Why the command failed.
#[derive(Debug, thiserror::Error)]
pub enum FeedClientError {
    /// The address.
    #[error("'{0}' is no address of a node on this machine; it is like http://127.0.0.1:9944")]
    Address(String),
    /// No node.
    #[error("no node answers at {address}: {error}; is it running, and is this its --rpc-port?")]
    Connection {
        /// The address.
        address: String,
        /// What the system said.
        error: std::io::Error,
    },
    /// Not JSON-RPC.
    #[error("what answers at {0} is no node of this kind: {1}")]
    Answer(String, String),
    /// The node refused.
    #[error("the node refused ({code}): {message}")]
    Refused {
        /// Its code.
        code: i64,
        /// Its words.
        message: String,
    },
}

/// Does what the command says and prints for people.
///
/// # Errors
/// [`FeedClientError`].
pub fn run(command: &FeedCmd) -> Result<(), FeedClientError> {
    let text = answer(command)?;
    // A reader that has seen enough (`| head`) is no error.
    let _ = std::io::stdout().write_all(text.as_bytes());
    Ok(())
}

/// Asks the node and puts its answer into words.
fn answer(command: &FeedCmd) -> Result<String, FeedClientError> {
    let node = Node::new(&command.rpc_url)?;
    Ok(match &command.action {
        FeedAction::SetUrl { url } => {
            node.call::<()>("wattseal_setFeed", json!([url]))?;
            let none = "No feed is read from now on.\n";
            if url.is_empty() { none } else { "The feed is read from there now.\n" }.into()
        }
        FeedAction::ApproveRuntime { hash } => {
            node.call::<()>("wattseal_approveRuntime", json!([hash]))?;
            "The worker may use the sealing key with that runtime now.\n".into()
        }
        FeedAction::Refused => refused(&node.call("wattseal_feedRefused", json!([]))?),
        FeedAction::Waiting => waiting(&node.call("wattseal_feedWaiting", json!([]))?),
        FeedAction::Status => status(&node.call("wattseal_feedStatus", json!([]))?),
    })
}

/// A line of text. Writing to a String never fails.
macro_rules! line {
    ($text:expr, $($part:tt)*) => {
        let _ = writeln!($text, $($part)*);
    };
}

fn refused(list: &RefusedList) -> String {
    let mut text = String::new();
    for row in &list.rows {
        line!(text, "{}:{}: {}: {}", row.file, row.line, row.field, row.reason);
    }
    line!(text, "{} rows refused in all, {} shown.", list.total, list.rows.len());
    text
}

fn waiting(list: &WaitingList) -> String {
    let mut text = String::new();
    let days = [("waits for its registration", &list.waiting), ("is held for you", &list.held)];
    for (what, days) in days {
        for day in days {
            line!(text, "{}: {} {} of meter {} {what}", day.file, day.day, day.channel, day.meter.0);
        }
    }
    line!(text, "{} days wait, {} are held.", list.waiting_total, list.held.len());
    text
}

fn status(status: &FeedStatus) -> String {
    let mut text = String::new();
    let keys = if status.configured { "" } else { " (keys missing, see the node's log)" };
    line!(text, "utility  {}{keys}", status.utility);
    let feed = if status.feed_url.is_empty() { "none" } else { &status.feed_url };
    line!(text, "feed     {feed}, last listed at block {}", status.last_listing);
    if let Some((block, error)) = &status.last_error {
        line!(text, "error    at block {block}: {error}");
    }
    for file in &status.files {
        let FileInfo { name, size, state, rows, cells } = file;
        line!(text, "file     {name} ({size} bytes): {state}, {rows} rows, {cells} cells");
    }
    for batch in &status.outbox {
        let OutboxInfo { shard, sequence, cells, bytes, signed_at } = batch;
        let signed = if *signed_at == 0 { "not signed".into() } else { format!("signed at block {signed_at}") };
        line!(text, "outbox   batch {sequence} of shard {shard}: {cells} cells, {bytes} bytes, {signed}");
    }
    for shard in &status.shards {
        let ShardProgress { shard, on_chain, in_vault, in_index } = shard;
        line!(text, "shard    {shard}: {on_chain} batches on chain, {in_vault} in the vault, {in_index} in the index");
    }
    let FeedStatus { waiting, held, older, refused, queue, .. } = status;
    line!(
        text,
        "days     {waiting} wait, {held} are held, {older} amendments ignored as older; {refused} rows refused; \
         {queue} requests queued"
    );
    text
}

/// A node's JSON-RPC over plain HTTP on this machine.
struct Node {
    /// `host:port`.
    address: String,
}

impl Node {
    fn new(url: &str) -> Result<Self, FeedClientError> {
        let bad = || FeedClientError::Address(url.into());
        let rest = url.strip_prefix("http://").or(url.strip_prefix("ws://")).ok_or_else(bad)?;
        let address = rest.trim_end_matches('/');
        let mut found = address.to_socket_addrs().map_err(|_| bad())?;
        let local = |ip: IpAddr| ip.is_loopback();
        if address.contains('/') || !found.all(|socket| local(socket.ip())) {
            return Err(bad());
        }
        Ok(Self { address: address.into() })
    }

    fn call<R: DeserializeOwned>(&self, method: &str, params: Value) -> Result<R, FeedClientError> {
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
        let answer = self
            .post(&request)
            .map_err(|error| FeedClientError::Connection { address: self.address.clone(), error })?;
        let strange = |problem: String| FeedClientError::Answer(self.address.clone(), problem);
        let answer: Value = serde_json::from_slice(&answer).map_err(|error| strange(error.to_string()))?;
        if let Some(error) = answer.get("error") {
            let code = error.get("code").and_then(Value::as_i64).unwrap_or_default();
            let message = error.get("message").and_then(Value::as_str).unwrap_or_default().into();
            return Err(FeedClientError::Refused { code, message });
        }
        let result = answer.get("result").cloned().unwrap_or(Value::Null);
        serde_json::from_value(result).map_err(|error| strange(error.to_string()))
    }

    /// One HTTP/1.0 request: the server closes the connection after its answer, which is not chunked.
    fn post(&self, body: &str) -> std::io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(DEADLINE))?;
        stream.set_write_timeout(Some(DEADLINE))?;
        write!(
            stream,
            "POST / HTTP/1.0\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{body}",
            self.address,
            body.len()
        )?;
        let mut answer = Vec::new();
        stream.take(MAX_ANSWER).read_to_end(&mut answer)?;
        let invalid = |problem: &str| std::io::Error::new(std::io::ErrorKind::InvalidData, problem.to_string());
        let end =
            answer.windows(4).position(|window| window == b"\r\n\r\n").ok_or_else(|| invalid("no HTTP answer"))?;
        let body = answer.split_off(end.saturating_add(4));
        let status = answer.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
        if status != b"200" {
            return Err(invalid(&format!("HTTP status {}", String::from_utf8_lossy(status))));
        }
        Ok(body)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failed unwrap is a failed test
    use super::*;
    use std::net::{TcpListener, TcpStream};

    /// One request with its body: a single `read` may give any part of it.
    fn whole_request(stream: &mut TcpStream) -> String {
        let mut asked = Vec::new();
        let mut part = [0; 1024];
        loop {
            let text = String::from_utf8_lossy(&asked).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let head = head.to_ascii_lowercase();
                let length = head.lines().find_map(|line| line.strip_prefix("content-length:")).unwrap();
                if body.len() >= length.trim().parse().unwrap() {
                    return text;
                }
            }
            let length = stream.read(&mut part).unwrap();
            assert!(length > 0, "the request ended before its body did: {text}");
            asked.extend_from_slice(&part[..length]);
        }
    }

    #[test]
    fn only_this_machine_is_asked() {
        assert!(Node::new("http://127.0.0.1:9944").is_ok());
        assert!(Node::new("ws://127.0.0.1:9944/").is_ok());
        for url in ["http://192.0.2.1:9944", "https://127.0.0.1:9944", "127.0.0.1:9944", "http://127.0.0.1:9944/x"] {
            assert!(matches!(Node::new(url), Err(FeedClientError::Address(_))), "{url}");
        }
    }

    #[test]
    fn lists_are_lines_with_a_total() {
        let row = crate::rpc::feed::RefusedInfo {
            file: "a.csv".into(),
            line: 7,
            field: "USAGE_KWH".into(),
            reason: "negative".into(),
        };
        let text = refused(&RefusedList { total: 9, rows: vec![row] });
        assert_eq!(text, "a.csv:7: USAGE_KWH: negative\n9 rows refused in all, 1 shown.\n");
    }

    #[test]
    fn answers_and_refusals_are_told_apart() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let answers = [
            "HTTP/1.0 200 OK\r\n\r\n{\"result\":null}",
            "HTTP/1.0 200 OK\r\n\r\n{\"error\":{\"code\":7009,\"message\":\"bad\"}}",
            "HTTP/1.0 403 No\r\n\r\n",
        ];
        let server = std::thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                assert!(whole_request(&mut stream).contains("wattseal_setFeed"));
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        let node = Node::new(&url).unwrap();
        let ask = || node.call::<()>("wattseal_setFeed", json!([""]));
        ask().unwrap();
        assert!(matches!(ask(), Err(FeedClientError::Refused { code: 7009, .. })));
        assert!(matches!(ask(), Err(FeedClientError::Connection { .. })));
        server.join().unwrap();
    }
}
