//! After a story nothing on chain, in the node's databases, in its log or with vendor and customer names a person or a
//! reading.
//!
//! What is searched: every file under the story's folder but the utility's own (its feed and lists) and the keystore; then,
//! through JSON-RPC, every block body and event, the whole state, and every off-chain value whose key is known. The second
//! half is not a repetition: ParityDB compresses blocks and state (LZ4), so the files alone would prove little about
//! them; the off-chain column is not compressed.

use crate::{
    feed,
    harness::{Node, Played},
    patterns,
};
use sealed_register::{hex, Channel, MeterId};
use serde_json::{json, Value};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};
use wattseal_client::{chain::types::MeterClass, node_rpc::NodeRpc, utility::MeterRow, Chain};
use wattseal_tests::Search;

/// Blocks whose state a node keeps.
const KEPT: u32 = 250;

#[test]
fn story_leaves_no_personal_data() {
    // The worker's debug lines too.
    let played = Played::once(&["--node-log", "wattseal=debug"]);
    let search = patterns::of(&played.base);
    assert!(search.len() > 2_000, "{} patterns", search.len());
    // The search does find what it looks for.
    let feed = feed::sources(&played.base);
    assert!(!search.found(&fs::read(&feed[0]).unwrap()).is_empty());

    let mut files = Vec::new();
    list(&played.base, &mut files);
    let own = |path: &Path| {
        let inside = path.strip_prefix(&played.base).unwrap();
        let keystore = inside.components().any(|part| part.as_os_str() == "keystore");
        inside.starts_with("feed") || inside.starts_with("utility") || keystore
    };
    files.retain(|path| !own(path));
    for wanted in ["node.log", "vault.redb", "metadata", "state.json"] {
        let there = files.iter().any(|path| path.file_name().unwrap() == wanted);
        assert!(there, "{wanted} is not among the files searched: {files:?}");
    }
    for path in &files {
        let found = search.found(&fs::read(path).unwrap());
        assert!(found.is_empty(), "{}: {found:?}", path.display());
    }

    let runtime = tokio::runtime::Runtime::new().unwrap();
    let node = Node::start(&played.base.join("node"));
    let searched = runtime.block_on(async {
        let chain = node.chain().await;
        let mut searched = blocks(&chain, &search).await;
        searched.extend(state(&chain, &search).await);
        searched.extend(offchain(&chain, &search, &feed[0]).await);
        searched
    });
    eprintln!("{} files and {searched:?}", files.len());
    for (what, bytes) in &searched {
        assert!(*bytes > 0, "nothing of {what} was searched");
    }
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => list(&path, files),
            false => files.push(path),
        }
    }
}

fn bytes_of(text: &str) -> Vec<u8> {
    hex::decode(text.strip_prefix("0x").unwrap()).unwrap()
}

fn check(search: &Search, what: &str, bytes: &[u8]) -> usize {
    let found = search.found(bytes);
    assert!(found.is_empty(), "{what}: {found:?}");
    bytes.len()
}

/// Every body, and the events while the state is there.
async fn blocks(chain: &Chain, search: &Search) -> BTreeMap<&'static str, usize> {
    let rpc = chain.rpc();
    let events_key = [sp_crypto_hashing::twox_128(b"System"), sp_crypto_hashing::twox_128(b"Events")].concat();
    let last = chain.finalized().await.unwrap().block().number;
    let (mut bodies, mut events) = (0, 0);
    for number in 0..=last {
        let hash = hex(&chain.canonical(number).await.unwrap().hash);
        let block: Value = rpc.call("chain_getBlock", &[json!(hash)]).await.unwrap();
        for extrinsic in block["block"]["extrinsics"].as_array().unwrap() {
            bodies += check(search, &format!("block {number}"), &bytes_of(extrinsic.as_str().unwrap()));
        }
        let stored: Result<Option<String>, _> =
            rpc.call("state_getStorage", &[json!(hex(&events_key)), json!(hash)]).await;
        match stored {
            Ok(Some(stored)) => events += check(search, &format!("events of block {number}"), &bytes_of(&stored)),
            Ok(None) => assert_eq!(number, 0, "block {number} has no events"),
            Err(error) => assert!(number + KEPT < last, "block {number}: {error}"),
        }
    }
    BTreeMap::from([("block bodies", bodies), ("events", events)])
}

/// Every key and value of the newest finalised state.
async fn state(chain: &Chain, search: &Search) -> BTreeMap<&'static str, usize> {
    const PAGE: usize = 500;
    let rpc = chain.rpc();
    let hash = hex(&chain.finalized().await.unwrap().block().hash);
    let (mut length, mut start) = (0, Value::Null);
    loop {
        let keys: Vec<String> =
            rpc.call("state_getKeysPaged", &[json!("0x"), json!(PAGE), start, json!(hash)]).await.unwrap();
        let values: Value = rpc.call("state_queryStorageAt", &[json!(keys), json!(hash)]).await.unwrap();
        for change in values[0]["changes"].as_array().unwrap() {
            let key = change[0].as_str().unwrap();
            length += check(search, &format!("state key {key}"), &bytes_of(key));
            if let Some(value) = change[1].as_str() {
                length += check(search, &format!("state {key}"), &bytes_of(value));
            }
        }
        if keys.len() < PAGE {
            return BTreeMap::from([("state", length)]);
        }
        start = json!(keys.last());
    }
}

/// Every off-chain value whose key can be known: the worker's lists, and the index of every meter.
async fn offchain(chain: &Chain, search: &Search, feed: &Path) -> BTreeMap<&'static str, usize> {
    let utility = "utility".parse().unwrap();
    let names = ["config", "finalised", "outbox", "queue", "report", "files", "outcomes", "check-value", "lock"];
    let mut keys: Vec<Vec<u8>> = names.iter().map(|name| format!("wattseal/{name}").into_bytes()).collect();
    keys.push(b"wattseal/queue/done".to_vec());
    for (_, _, shard, state) in chain.finalized().await.unwrap().shards().await.unwrap() {
        let shard = shard.to_le_bytes();
        keys.push([b"wattseal/index/shard".as_slice(), &shard].concat());
        for number in 0..4_u32 {
            keys.push([b"wattseal/index/heads".as_slice(), &shard, &number.to_le_bytes()].concat());
        }
        for sequence in 0..=state.next_sequence {
            let sequence = sequence.to_le_bytes();
            keys.push([b"wattseal/outbox/staged".as_slice(), &shard, &sequence].concat());
            for chunk in 0..8_u32 {
                keys.push([b"wattseal/outbox/chunk".as_slice(), &shard, &sequence, &chunk.to_le_bytes()].concat());
            }
        }
    }
    let mut streams = 0;
    for meter in meters(chain, utility, feed).await {
        for channel in Channel::ALL {
            let key = [b"wattseal/index/stream".as_slice(), &meter.0, &[channel as u8]].concat();
            let length = look(chain.rpc(), search, &key).await;
            streams += length;
        }
    }
    let mut rest = 0;
    for key in &keys {
        rest += look(chain.rpc(), search, key).await;
    }
    BTreeMap::from([("off-chain index of streams", streams), ("off-chain lists", rest)])
}

async fn look(rpc: &NodeRpc, search: &Search, key: &[u8]) -> usize {
    let value: Option<String> =
        rpc.call("offchain_localStorageGet", &[json!("PERSISTENT"), json!(hex(key))]).await.unwrap();
    let Some(value) = value else { return 0 };
    check(search, &format!("off-chain {}", String::from_utf8_lossy(key)), &bytes_of(&value))
}

/// The MeterIds of a file's meters, which the utility's node alone can compute.
async fn meters(chain: &Chain, utility: sealed_register::OrganisationId, feed: &Path) -> Vec<MeterId> {
    let ids: std::collections::BTreeSet<_> = feed::days(feed).iter().map(|day| day.esi_id).collect();
    let row = |esi_id: &smart_meter_texas::EsiId| MeterRow {
        line: 1,
        esi_id: esi_id.as_str().into(),
        class: MeterClass::Residential,
        channels: sealed_register::Channels::Both,
        tenancy_start: sealed_register::OperatingDay(0),
        tenancy: 0,
        ticket_issue: None,
    };
    let rows: Vec<MeterRow> = ids.iter().map(row).collect();
    let planned = wattseal_client::utility::plan(chain, utility, &rows).await.unwrap();
    planned.into_iter().map(|ticket| ticket.link.meter).collect()
}
