//! One participant floods a chain that takes no fees: with calls that fill blocks, as many as budgets and the pool let
//! pass, and with everything that the pool must refuse. What others send stands in a block within two.

use crate::harness::Node;
use codec::{Compact, Decode};
use serde_json::{json, Value as Json};
use sp_crypto_hashing::twox_128;
use std::{
    collections::BTreeMap,
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc,
    },
    time::{Duration, Instant},
};
use subxt::{
    backend::LegacyBackend,
    client::OnlineClientAtBlock,
    config::{DefaultExtrinsicParamsBuilder, SubstrateConfig},
    dynamic::{tx, Value},
    OnlineClient,
};
use subxt_signer::{sr25519::Keypair, SecretUri};
use wattseal_client::{ClientError, NodeRpc};

/// Blocks for which the flood goes on.
const BLOCKS: u32 = 40;
/// Blocks within which others' calls must stand.
const WITHIN: u32 = 2;
/// Longest time of the whole flood, on a machine that misses slots.
const PATIENCE: Duration = Duration::from_secs(400);
/// Blocks for which what is signed here is valid; the flood is shorter.
const ERA: u64 = 256;
/// Most transactions that an account may have in flight.
const IN_FLIGHT: u64 = 16;
/// Time that ordinary calls may have in one block, picoseconds: three quarters of half a second.
const NORMAL_BLOCK: u64 = 375_000_000_000;
/// All time of a block, picoseconds.
const WHOLE_BLOCK: u64 = 500_000_000_000;

/// A call without its signer.
struct Call {
    pallet: &'static str,
    name: &'static str,
    fields: Vec<(&'static str, Value)>,
}

/// Signs, and speaks to the node.
#[derive(Clone)]
struct Wire {
    at: OnlineClientAtBlock<SubstrateConfig>,
    rpc: NodeRpc,
}

impl Wire {
    async fn new(url: &str) -> Self {
        let rpc = NodeRpc::connect(url).await.unwrap();
        let backend: LegacyBackend<SubstrateConfig> = LegacyBackend::builder().build(rpc.client().clone());
        let online = OnlineClient::from_backend(Arc::new(backend)).await.unwrap();
        Self { at: online.at_current_block().await.unwrap(), rpc }
    }

    /// The same, on a connection of its own.
    async fn another(&self) -> Self {
        Self { at: self.at.clone(), rpc: NodeRpc::connect(self.rpc.url()).await.unwrap() }
    }

    fn sign(&self, who: &Keypair, nonce: u64, call: &Call) -> Vec<u8> {
        let (number, hash) = (self.at.block_number(), self.at.block_hash());
        self.sign_with(who, call, |params| params.nonce(nonce).mortal_from_unchecked(ERA, number, hash))
    }

    fn sign_with(
        &self,
        who: &Keypair,
        call: &Call,
        with: impl FnOnce(DefaultExtrinsicParamsBuilder<SubstrateConfig>) -> DefaultExtrinsicParamsBuilder<SubstrateConfig>,
    ) -> Vec<u8> {
        let payload = tx(call.pallet, call.name, Value::named_composite(call.fields.clone()));
        let params = with(DefaultExtrinsicParamsBuilder::new()).build();
        let signable = self.at.transactions().create_signable_offline(&payload, params);
        signable.unwrap().sign(who).unwrap().into_encoded()
    }

    /// Hands an extrinsic to the node; what it says if it refuses.
    async fn submit(&self, extrinsic: &[u8]) -> Result<(), String> {
        let parameter = json!(format!("0x{}", hex::encode(extrinsic)));
        match self.rpc.call::<String>("author_submitExtrinsic", &[parameter]).await {
            Ok(_) => Ok(()),
            Err(ClientError::Rpc { message, .. }) => Err(message),
            Err(error) => panic!("the node does not answer: {error}"),
        }
    }

    async fn next_nonce(&self, who: &Keypair) -> u64 {
        self.rpc.next_nonce(&who.public_key().0).await.unwrap()
    }

    async fn best(&self) -> u32 {
        let header: Json = self.rpc.call("chain_getHeader", &[]).await.unwrap();
        u32::from_str_radix(header["number"].as_str().unwrap().trim_start_matches("0x"), 16).unwrap()
    }

    async fn hash(&self, number: u32) -> Json {
        self.rpc.call("chain_getBlockHash", &[json!(number)]).await.unwrap()
    }

    async fn extrinsics(&self, number: u32) -> Vec<String> {
        let block: Json = self.rpc.call("chain_getBlock", &[self.hash(number).await]).await.unwrap();
        let all = block["block"]["extrinsics"].as_array().unwrap().iter();
        all.map(|extrinsic| extrinsic.as_str().unwrap().trim_start_matches("0x").to_owned()).collect()
    }

    /// What a block's calls weigh, picoseconds: ordinary ones, and all.
    async fn weight(&self, number: u32) -> (u64, u64) {
        let key = format!("0x{}", hex::encode([twox_128(b"System"), twox_128(b"BlockWeight")].concat()));
        let stored: String = self.rpc.call("state_getStorage", &[json!(key), self.hash(number).await]).await.unwrap();
        let bytes = hex::decode(stored.trim_start_matches("0x")).unwrap();
        let classes = <[(Compact<u64>, Compact<u64>); 3]>::decode(&mut &bytes[..]).unwrap();
        let [normal, operational, mandatory] = classes.map(|(time, _)| time.0);
        (normal, normal + operational + mandatory)
    }
}

fn key(uri: &str) -> Keypair {
    Keypair::from_uri(&uri.parse::<SecretUri>().unwrap()).unwrap()
}

fn bytes(bytes: &[u8]) -> Value {
    Value::from_bytes(bytes)
}

fn number(number: u32) -> Value {
    Value::u128(number.into())
}

fn variant(name: &str) -> Value {
    Value::unnamed_variant(name, [])
}

/// The meter of this number.
fn meter(number: u64) -> Value {
    bytes(&[&[0x5a; 8][..], &number.to_be_bytes()[..]].concat())
}

/// Registers the next 256 meters: the longest call that is not the council's.
fn sync(round: u64) -> Call {
    let entry = |index: u64| {
        Value::named_composite([
            ("meter", meter(round * 256 + index)),
            ("class", variant("Residential")),
            ("channels", variant("Both")),
            ("tenancy_start", number(8_000)),
            ("ticket_issue", number(1)),
            ("ticket_key", bytes(&[1; 32])),
        ])
    };
    Call { pallet: "Meters", name: "sync", fields: vec![("meters", Value::unnamed_composite((0..256).map(entry)))] }
}

/// Wants to close a motion that does not exist, and has a sixteenth of a whole block kept for it: the most urgent class.
fn close_motion(round: u64) -> Call {
    let bound =
        Value::named_composite([("ref_time", Value::u128(u128::from(WHOLE_BLOCK / 16))), ("proof_size", number(0))]);
    let fields = vec![
        ("proposal_hash", bytes(&[&[7; 24][..], &round.to_be_bytes()[..]].concat())),
        ("index", number(0)),
        ("proposal_weight_bound", bound),
        ("length_bound", number(0)),
    ];
    Call { pallet: "Council", name: "close", fields }
}

/// A revocation of a consent that does not exist: urgent, and fails.
fn revoke(round: u64) -> Call {
    let consent = bytes(&[&[9; 24][..], &round.to_be_bytes()[..]].concat());
    let fields = vec![("consent", consent), ("last_block", number(4_000)), ("signature", bytes(&[3; 64]))];
    Call { pallet: "Consents", name: "revoke", fields }
}

fn remark() -> Call {
    Call { pallet: "System", name: "remark", fields: vec![("remark", bytes(&[0; 100]))] }
}

/// The least urgent class: what others send.
fn set_endpoint(round: u64) -> Call {
    let endpoint = bytes(format!("wss://node-{round}.example.org").as_bytes());
    Call { pallet: "Participants", name: "set_endpoint", fields: vec![("endpoint", endpoint)] }
}

/// Keeps as many valid transactions of an account in flight as the chain takes, until the flood is over or the budget is
/// used up. Gives how many the pool took.
async fn flood(wire: Wire, who: Keypair, over: Arc<AtomicBool>, call: fn(u64) -> Call) -> u64 {
    let (mut nonce, mut taken) = (wire.next_nonce(&who).await, 0);
    for round in 0.. {
        if over.load(Ordering::Relaxed) {
            break;
        }
        if wire.submit(&wire.sign(&who, nonce, &call(round))).await.is_ok() {
            (nonce, taken) = (nonce + 1, taken + 1);
        } else {
            // The window or the budget is full, or the pool has dropped what came before.
            tokio::time::sleep(Duration::from_millis(20)).await;
            nonce = wire.next_nonce(&who).await;
        }
    }
    taken
}

/// Sends what the pool must refuse, one after the other, and counts it by kind.
async fn spam(wire: Wire, who: Keypair, over: Arc<AtomicBool>, task: u64) -> BTreeMap<&'static str, u64> {
    let mut counts = BTreeMap::new();
    let mut round = task << 32;
    while !over.load(Ordering::Relaxed) {
        round += 1;
        let nonce = wire.next_nonce(&who).await;
        let mut forged = wire.sign(&who, nonce, &set_endpoint(round));
        // Compact length (2 bytes), version, address with its kind (33), kind of signature; then the signature.
        forged[2 + 1 + 33 + 1 + 5] ^= 1;
        let (number, hash) = (wire.at.block_number(), wire.at.block_hash());
        let too_long =
            |params: DefaultExtrinsicParamsBuilder<_>| params.nonce(nonce).mortal_from_unchecked(65_536, number, hash);
        let kinds: [(&str, Vec<u8>); 9] = [
            ("nonsense", blake3::hash(&round.to_le_bytes()).as_bytes().repeat(10)),
            ("a megabyte of nonsense", vec![u8::try_from(round % 251).unwrap(); 1 << 20]),
            ("forged", forged),
            ("of nobody", wire.sign(&key(&format!("//Nobody//{round}")), 0, &set_endpoint(round))),
            ("not listed", wire.sign(&who, nonce, &remark())),
            ("immortal", wire.sign_with(&who, &set_endpoint(round), |params| params.nonce(nonce).immortal())),
            ("too long an era", wire.sign_with(&who, &set_endpoint(round), too_long)),
            ("too far ahead", wire.sign(&who, nonce + 10 * IN_FLIGHT, &set_endpoint(round))),
            ("long since used", wire.sign(&who, 0, &set_endpoint(round))),
        ];
        for (kind, extrinsic) in kinds {
            // Its own first transaction is not yet in a block as long as the nonce is 0.
            if nonce <= IN_FLIGHT && kind == "long since used" {
                continue;
            }
            let refused = wire.submit(&extrinsic).await;
            assert!(refused.is_err(), "the pool took a transaction that is {kind}");
            *counts.entry(kind).or_default() += 1;
        }
    }
    counts
}

/// Sends calls one after the other and tells how many blocks each took from before its submission to its block.
async fn others(wire: Wire, who: Keypair, over: Arc<AtomicBool>) -> Vec<u32> {
    let mut delays = Vec::new();
    for round in 0_u64.. {
        if over.load(Ordering::Relaxed) {
            break;
        }
        let nonce = wire.next_nonce(&who).await;
        let extrinsic = wire.sign(&who, nonce, &set_endpoint(round));
        let (name, sent_at, began) = (hex::encode(&extrinsic), wire.best().await, Instant::now());
        wire.submit(&extrinsic).await.unwrap();
        let mut next = sent_at + 1;
        'wait: loop {
            while next <= wire.best().await {
                if wire.extrinsics(next).await.contains(&name) {
                    break 'wait;
                }
                next += 1;
            }
            assert!(began.elapsed() < PATIENCE, "a call sent at block {sent_at} is in no block up to {next}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        delays.push(next - sent_at);
    }
    delays
}

#[test]
fn faults_flood_by_one_participant_leaves_the_others_calls_within_two_blocks() {
    let folder = tempfile::tempdir().unwrap();
    let mut node = Node::start(&folder.path().join("node"));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        node.chain().await;
        let wire = Wire::new(&node.url).await;
        let over = Arc::new(AtomicBool::new(false));
        let began = Instant::now();
        let first = wire.best().await + 1;
        // The utility: its own account has a seat on the council, its two others a budget each.
        type Make = fn(u64) -> Call;
        let calls: [(&str, Make); 3] =
            [("//Utility", close_motion), ("//Utility//feed", sync), ("//Utility//delivery", revoke)];
        let mut floods = Vec::new();
        for (uri, call) in calls {
            floods.push(tokio::spawn(flood(wire.another().await, key(uri), over.clone(), call)));
        }
        let mut spams = Vec::new();
        for task in 0..3 {
            spams.push(tokio::spawn(spam(wire.another().await, key("//Utility//feed"), over.clone(), task)));
        }
        // The flood is on before the others begin.
        tokio::time::sleep(Duration::from_secs(4)).await;
        let mut waiting = Vec::new();
        for uri in ["//Vendor", "//Retailer", "//Regulator"] {
            waiting.push((uri, tokio::spawn(others(wire.another().await, key(uri), over.clone()))));
        }
        while wire.best().await < first + BLOCKS && began.elapsed() < PATIENCE {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        over.store(true, Ordering::Relaxed);

        let (mut full, mut crowded) = (0, 0);
        let end = wire.best().await;
        for block in first..=end {
            let (normal, all) = wire.weight(block).await;
            full += u32::from(normal > NORMAL_BLOCK * 8 / 10 || all > WHOLE_BLOCK * 8 / 10);
            crowded += u32::from(wire.extrinsics(block).await.len() > 10);
        }
        let mut taken = Vec::new();
        for flood in floods {
            taken.push(flood.await.unwrap());
        }
        let mut refused = BTreeMap::new();
        for spam in spams {
            for (kind, count) in spam.await.unwrap() {
                *refused.entry(kind).or_insert(0) += count;
            }
        }
        eprintln!(
            "flood: {} blocks in {:?}, {full} full, {crowded} with more than 10 extrinsics",
            end - first,
            began.elapsed()
        );
        eprintln!("flood: taken {taken:?}, refused {refused:?}");
        let mut all = Vec::new();
        for (uri, delays) in waiting {
            let delays = delays.await.unwrap();
            eprintln!("flood: {uri}: {} calls, blocks from submission to inclusion {delays:?}", delays.len());
            all.extend(delays);
        }
        node.assert_up();
        // It was a flood.
        assert!(taken.iter().all(|count| *count >= 2 * IN_FLIGHT), "{taken:?}");
        assert!(full >= 10, "only {full} blocks were full");
        assert!(refused.len() == 9 && refused.values().all(|count| *count >= 10), "{refused:?}");
        // And it did not matter to the others.
        assert!(all.len() >= 20, "only {} calls of others", all.len());
        assert!(all.iter().all(|delay| *delay <= WITHIN), "{all:?}");
    });
}
