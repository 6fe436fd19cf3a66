//! The utility's side: its meters, its secrets on development chains, what its node says about the feed, and what its
//! vault holds, opened.

use crate::harness::Node;
use ed25519_dalek::{Signer, SigningKey};
use sealed_register::{
    reopen,
    secrets::{secret_from_signature, secret_message},
    Channel, Channels, DayReadings, Hash, MeterId, OperatingDay, OrganisationId, Quality, Reading, SealedCell, Secret,
    SecretPurpose, UtilitySecrets,
};
use serde_json::Value;
use smart_meter_texas::{EsiId, MeterDay};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use wattseal_client::{
    chain::types::MeterClass,
    utility::{sync_meters, MeterRow},
    Account, Chain, NodeRpc,
};
use wattseal_vault::{BatchName, Vault, VaultError};

/// Seed of the phrase that every Substrate development account derives from.
const DEVELOPMENT_SEED: &str = "fac7959dbfe72f052e5a0c3c8d6530f202b02fd8f9f5ca3580ec8deb7797479e";

/// The utility of development chains.
pub fn name() -> OrganisationId {
    OrganisationId::new("utility").unwrap()
}

/// A hard junction of an ed25519 key, as Substrate derives it.
fn junction(seed: [u8; 32], name: &str) -> [u8; 32] {
    let length = |text: &str| u8::try_from(text.len() << 2).unwrap();
    let mut code = [0; 32];
    code[0] = length(name);
    code[1..=name.len()].copy_from_slice(name.as_bytes());
    let tag = "Ed25519HDKD";
    sp_crypto_hashing::blake2_256(&[&[length(tag)], tag.as_bytes(), &seed, &code].concat())
}

/// The secrets that follow from the sealing key `//Utility//sealing` of development chains.
pub fn secrets(genesis: &Hash) -> UtilitySecrets {
    let seed: [u8; 32] = hex::decode(DEVELOPMENT_SEED).unwrap().try_into().unwrap();
    let key = SigningKey::from_bytes(&junction(junction(seed, "Utility"), "sealing"));
    let derive = |purpose| -> Secret {
        secret_from_signature(purpose, &key.sign(&secret_message(genesis, &name(), purpose)).to_bytes())
    };
    UtilitySecrets {
        id: derive(SecretPurpose::Id),
        seal: derive(SecretPurpose::Seal { generation: 0 }),
        siv: derive(SecretPurpose::Siv),
        ticket: derive(SecretPurpose::Ticket),
        generation: 0,
    }
}

/// Registers meters of both channels with a tenancy from 2020 on.
pub async fn register(chain: &Chain, meters: &BTreeSet<EsiId>) {
    let row = |esi_id: &EsiId| MeterRow {
        line: 1,
        esi_id: esi_id.as_str().into(),
        class: MeterClass::Residential,
        channels: Channels::Both,
        tenancy_start: "2020-01-01".parse().unwrap(),
        tenancy: 0,
        ticket_issue: None,
    };
    let rows: Vec<MeterRow> = meters.iter().map(row).collect();
    let account = Account::from_suri("//Utility").unwrap();
    let synced = sync_meters(chain, &account, name(), &rows, &mut |_| {}).await.unwrap();
    assert_eq!(usize::try_from(synced.added).unwrap(), rows.len());
    let secrets = secrets(&chain.genesis());
    for (row, ticket) in rows.iter().zip(&synced.tickets) {
        assert_eq!(ticket.link.meter, secrets.meter_id(&row.esi_id, 0), "this test's secrets are not the node's");
    }
}

/// What a node answers, if it answers soon.
pub async fn ask(url: &str, method: &'static str) -> Option<Value> {
    let asking = async { NodeRpc::connect(url).await.ok()?.call(method, &[]).await.ok() };
    tokio::time::timeout(Duration::from_secs(3), asking).await.ok().flatten()
}

/// The state of a file in `wattseal_feedStatus`, or nothing.
pub fn state<'a>(status: &'a Value, file: &str) -> &'a str {
    let files = status["files"].as_array().map(Vec::as_slice).unwrap_or_default();
    files.iter().find(|known| known["name"] == file).and_then(|known| known["state"].as_str()).unwrap_or_default()
}

/// Whether nothing is on its way: what is sealed is on chain, in the vault and in the worker's index.
pub fn is_settled(status: &Value) -> bool {
    let in_step = |shard: &Value| shard["onChain"] == shard["inVault"] && shard["inVault"] == shard["inIndex"];
    let list = |name: &str| status[name].as_array().cloned().unwrap_or_default();
    status["outbox"].is_array() && list("outbox").is_empty() && list("shards").iter().all(in_step)
}

/// Waits until `wattseal_feedStatus` is as wished.
pub async fn wait(node: &mut Node, what: &str, patience: Duration, mut is: impl FnMut(&Value) -> bool) -> Value {
    let began = Instant::now();
    loop {
        node.assert_up();
        let status = ask(&node.url, "wattseal_feedStatus").await.unwrap_or_default();
        if is(&status) {
            return status;
        }
        assert!(began.elapsed() < patience, "not in time: {what}\n{status:#}\n{}", node.text());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// The versions of days, oldest first.
pub type Versions = BTreeMap<(MeterId, Channel, OperatingDay), Vec<DayReadings>>;

/// What becomes of a meter-day of a file.
pub fn readings(day: &MeterDay) -> DayReadings {
    use smart_meter_texas as smt;
    let channel = match day.channel {
        smt::Channel::Consumption => Channel::Consumption,
        smt::Channel::Generation => Channel::Generation,
    };
    let reading = |interval: &smt::Interval| Reading {
        wh: interval.wh,
        quality: match interval.quality {
            smt::Quality::Actual => Quality::Actual,
            smt::Quality::Estimated => Quality::Estimated,
            smt::Quality::Missing => Quality::Missing,
        },
    };
    let intervals = day.intervals.iter().map(reading).collect();
    DayReadings { channel, day: OperatingDay(day.day.0), revision_date: day.revision_date.0, intervals }
}

/// Where a node keeps a development chain's data.
pub fn data(base: &Path) -> PathBuf {
    let chains = std::fs::read_dir(base.join("chains")).unwrap().flatten().map(|entry| entry.path());
    let found: Vec<PathBuf> = chains.filter(|path| path.join("vault.redb").is_file()).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].clone()
}

/// One batch: shard, number, root, hash of the body, the body.
pub type Batch = (u16, u32, Hash, Hash, Vec<Vec<u8>>);

/// What the vault of a stopped node holds.
#[derive(Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Every batch, in order.
    pub batches: Vec<Batch>,
    /// Every cell, stream by stream.
    pub cells: BTreeMap<(MeterId, Channel), Vec<SealedCell>>,
    /// What they say.
    pub versions: Versions,
}

impl Sealed {
    /// Reads and opens all of it.
    pub fn of(base: &Path) -> Self {
        let vault = Vault::open_existing(&data(base).join("vault.redb")).unwrap();
        vault.verify_all().unwrap();
        let secrets = secrets(vault.genesis());
        let (mut batches, mut cells, mut versions) = (Vec::new(), BTreeMap::new(), Versions::new());
        for shard in vault.shards().unwrap() {
            assert_eq!(shard.utility, name());
            for sequence in 0..shard.next_sequence {
                let batch = BatchName { utility: name(), shard: shard.shard, sequence };
                let said = vault.batch(&batch).unwrap().unwrap_or_else(|| panic!("{batch} is missing"));
                batches.push((shard.shard.0, sequence, said.root, said.body_hash, vault.body(&batch).unwrap()));
            }
            let each = |cell: SealedCell| -> Result<(), VaultError> {
                let header = &cell.header;
                let key = secrets.meter_key(&name(), &header.meter);
                let of_day: &mut Vec<_> = versions.entry((header.meter, header.channel, header.day)).or_default();
                assert_eq!(usize::from(header.revision), of_day.len(), "a revision is missing or doubled: {header:?}");
                of_day.push(reopen(&key, &cell).unwrap());
                let stream: &mut Vec<_> = cells.entry((header.meter, header.channel)).or_default();
                assert_eq!(usize::try_from(header.sequence).unwrap(), stream.len(), "{header:?}");
                stream.push(cell);
                Ok(())
            };
            vault.for_each_cell(&name(), shard.shard, shard.bits, each).unwrap();
        }
        Self { batches, cells, versions }
    }

    /// Readings and Wh of the newest version of every day.
    pub fn sums(&self) -> (u64, u64) {
        sums(&self.versions)
    }
}

/// Readings and Wh of the newest version of every day.
pub fn sums(versions: &Versions) -> (u64, u64) {
    let newest = versions.values().flat_map(|days| days.last()).flat_map(|day| &day.intervals);
    let there = newest.filter(|reading| reading.quality != Quality::Missing);
    there.fold((0, 0), |(readings, wh), reading| (readings + 1, wh + u64::from(reading.wh)))
}
