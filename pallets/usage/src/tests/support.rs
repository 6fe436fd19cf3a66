//! A small world around the worker's core: a store that can die at any write, a chain, a feed, a vault with its index.

mod chain;
mod vault;

pub use chain::{hash_of, FakeChain, Pool};
pub use vault::Vault;

use crate::worker::{
    chain::{Action, Chain},
    commit,
    feed::{Feed, FeedError, Fetched},
    ingest,
    lock::Lock,
    pass::{Basis, BatchLimits},
    queue::Desk,
    store::Store,
};
use codec::Encode;
use sealed_register::{
    kem::KemSecret, statement::Statement, ticket::TicketSecret, Hash, MeterId, OperatingDay, OrganisationId, Secret,
    UtilitySecrets,
};
use smart_meter_texas::{csv, Calendar, EsiId, Interval, MeterDay, RevisionDate};
use sp_core::{sr25519, Pair};
use std::collections::BTreeMap;
use wattseal_primitives::{
    keys::DELIVERY,
    offchain::{
        FeedReport, FileRecord, FileState, Finalised, OutboxEntry, Outcome, QueueOutcome, QueuedRequest, WorkerConfig,
        FILES, OUTBOX, OUTCOMES, QUEUE, REPORT,
    },
};

pub const GENESIS: Hash = [0x67; 32];
pub const BOOT: [u8; 16] = [1; 16];

pub fn utility() -> OrganisationId {
    OrganisationId::new("oncor").unwrap()
}

pub fn secrets() -> UtilitySecrets {
    let secret = |byte| Secret::from_bytes([byte; 32]);
    UtilitySecrets { id: secret(1), seal: secret(2), siv: secret(3), ticket: secret(4), generation: 0 }
}

pub fn calendar() -> Calendar {
    Calendar::us_rule(2007, 2089).unwrap()
}

/// A store in memory. `writes_left` makes it die: from then on nothing is written, and the lock is lost.
#[derive(Clone, Default)]
pub struct MemStore {
    pub values: BTreeMap<Vec<u8>, Vec<u8>>,
    pub writes_left: Option<u32>,
    /// After so many extensions somebody else has the lock.
    pub extensions_left: Option<u32>,
    /// Writes by a run that had lost its lock.
    pub stray_writes: u32,
}

impl MemStore {
    fn may_write(&mut self) -> bool {
        self.stray_writes += u32::from(self.extensions_left == Some(0));
        match &mut self.writes_left {
            None => true,
            Some(0) => false,
            Some(left) => {
                *left -= 1;
                true
            }
        }
    }

    /// Whether any key has this part.
    pub fn has_key(&self, part: &[u8]) -> bool {
        self.values.keys().any(|key| key.windows(part.len()).any(|window| window == part))
    }

    pub fn files(&self) -> Vec<FileRecord> {
        self.read(FILES).unwrap_or_default()
    }

    pub fn state(&self, name: &str) -> FileState {
        self.files().into_iter().find(|file| file.name == name).unwrap().state
    }

    pub fn report(&self) -> FeedReport {
        self.read(REPORT).unwrap_or_default()
    }

    pub fn outbox(&self) -> Vec<OutboxEntry> {
        self.read(OUTBOX).unwrap_or_default()
    }
}

impl Store for MemStore {
    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.values.get(key).cloned()
    }

    fn set(&mut self, key: &[u8], value: &[u8]) {
        assert!(value.len() <= 1 << 20, "a value is larger than 1 MiB");
        if self.may_write() {
            self.values.insert(key.to_vec(), value.to_vec());
        }
    }

    fn clear(&mut self, key: &[u8]) {
        if self.may_write() {
            self.values.remove(key);
        }
    }

    fn compare_and_set(&mut self, key: &[u8], old: Option<Vec<u8>>, new: &[u8]) -> bool {
        if self.writes_left == Some(0) || self.extensions_left == Some(0) || self.get(key) != old {
            return false;
        }
        self.extensions_left = self.extensions_left.map(|left| left - 1);
        // The lock is no work: extending it does not bring death nearer.
        self.values.insert(key.to_vec(), new.to_vec());
        true
    }
}

/// How a feed's server fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// At each listing.
    Listing(FeedError),
    /// Listings say something else.
    OtherListing(Vec<u8>),
    /// At each file, after so many bytes.
    File { error: FeedError, after: usize },
}

/// A folder of files, handed over in pieces of `piece` bytes.
#[derive(Clone)]
pub struct FakeFeed {
    pub files: BTreeMap<String, (Vec<u8>, u32)>,
    pub piece: usize,
    pub fault: Option<Fault>,
}

impl Default for FakeFeed {
    fn default() -> Self {
        Self { files: BTreeMap::new(), piece: 4_096, fault: None }
    }
}

impl FakeFeed {
    /// Puts a file into the folder, or a new one into its place.
    pub fn put(&mut self, name: &str, content: Vec<u8>) {
        let version = self.files.get(name).map_or(0, |(_, version)| version + 1);
        self.files.insert(name.into(), (content, version));
    }
}

impl Feed for FakeFeed {
    fn list(&mut self) -> Result<Vec<u8>, FeedError> {
        match &self.fault {
            Some(Fault::Listing(error)) => return Err(error.clone()),
            Some(Fault::OtherListing(listing)) => return Ok(listing.clone()),
            Some(Fault::File { .. }) | None => {}
        }
        let entries: Vec<String> = self
            .files
            .iter()
            .map(|(name, (content, version))| {
                format!(r#"{{"name":"{name}","type":"file","mtime":"v{version}","size":{}}}"#, content.len())
            })
            .collect();
        Ok(format!("[{}]", entries.join(",")).into_bytes())
    }

    fn fetch(&mut self, name: &str, size: u64, take: &mut dyn FnMut(&[u8]) -> bool) -> Result<Fetched, FeedError> {
        let (content, _) = self.files.get(name).ok_or(FeedError::Status(404))?;
        let end = match &self.fault {
            Some(Fault::File { after, .. }) => content.len().min(*after),
            _ => content.len(),
        };
        for piece in content[..end].chunks(self.piece) {
            if !take(piece) {
                return Ok(Fetched::Stopped);
            }
        }
        if let Some(Fault::File { error, .. }) = &self.fault {
            return Err(error.clone());
        }
        assert_eq!(size, content.len() as u64);
        Ok(Fetched::Whole)
    }
}

pub fn config() -> WorkerConfig {
    WorkerConfig {
        utility: utility(),
        feed_url: "http://localhost/".into(),
        boot: BOOT,
        sealing_key: [11; 32],
        feed_key: [12; 32],
        delivery_key: [13; 32],
        check_value: None,
        generation: 0,
    }
}

/// Everything together.
#[derive(Clone)]
pub struct World {
    pub store: MemStore,
    pub chain: FakeChain,
    pub feed: FakeFeed,
    pub vault: Vault,
    pub limits: BatchLimits,
    pub reader: csv::Limits,
    /// What the native task says to be final.
    pub finalised: Finalised,
}

impl World {
    pub fn new() -> Self {
        let chain = FakeChain { block: 100, today: OperatingDay(8_401), ..FakeChain::default() };
        let finalised = chain.finalised();
        let (store, feed, vault) = (MemStore::default(), FakeFeed::default(), Vault::default());
        let (limits, reader) = (BatchLimits::default(), csv::Limits::default());
        Self { store, chain, feed, vault, limits, reader, finalised }
    }

    /// One sealing run of the worker as of the newest block. False if it lost its lock.
    pub fn seal(&mut self) -> bool {
        let Some(mut lock) = Lock::acquire(&mut self.store, BOOT, 0) else { return false };
        let secrets = secrets();
        let Finalised { number, hash } = self.chain.finalised();
        let basis = Basis {
            genesis: GENESIS,
            utility: utility(),
            secrets: &secrets,
            shard_bits: self.chain.bits,
            as_of: number,
            as_of_hash: hash,
            limits: self.limits,
        };
        let (store, chain, feed) = (&mut self.store, &self.chain, &mut self.feed);
        let mut env = ingest::Env { store, chain, feed, now: &|| 0, lock: &mut lock, limits: self.reader };
        let kept_lock = ingest::run(&mut env, basis, &calendar()).is_ok();
        if kept_lock {
            lock.release(&mut self.store);
        }
        kept_lock
    }

    /// One signing run; what it sends is included. Returns how many batches came on chain.
    pub fn commit(&mut self) -> usize {
        let mut outbox = commit::tidy(&mut self.store, &self.chain);
        let mut pool = Pool::default();
        commit::sign(&mut self.store, &self.chain, &mut pool, &config(), &mut outbox);
        let mut included = 0;
        for (action, account, _, nonce) in pool.sent {
            let Action::Commit(entry) = action else { panic!("not a commitment") };
            assert_eq!(self.chain.nonce(&account), nonce);
            *self.chain.nonces.entry(account).or_default() += 1;
            included += usize::from(self.chain.commit(&entry));
        }
        included
    }

    /// A block of the whole way: sign, stage, finalise, import, and seal when the outbox is empty.
    pub fn turn(&mut self) {
        self.chain.block += 1;
        self.vault.stage(&mut self.store);
        self.commit();
        self.vault.import(&mut self.store, &self.chain);
        if commit::tidy(&mut self.store, &self.chain).is_empty() {
            self.seal();
        }
    }

    /// Turns until every file is at rest.
    pub fn settle(&mut self) {
        for _ in 0..400 {
            self.turn();
            let moving = |file: &FileRecord| matches!(file.state, FileState::Seen | FileState::Sealing);
            if self.store.outbox().is_empty()
                && !self.store.files().is_empty()
                && !self.store.files().iter().any(moving)
            {
                return;
            }
        }
        panic!("the feed does not come to rest: {:?} {:?}", self.store.files(), self.store.report());
    }
}

pub fn esi_id(number: u8) -> EsiId {
    format!("104437200000{number:05}").parse().unwrap()
}

pub fn meter_of(number: u8, tenancy: u32) -> MeterId {
    secrets().meter_id(esi_id(number).as_str(), tenancy)
}

/// A day whose values depend on everything that names it.
pub fn meter_day(number: u8, channel: smart_meter_texas::Channel, day: u16, revision_date: u32) -> MeterDay {
    let day = smart_meter_texas::OperatingDay(day);
    let count = u32::from(calendar().intervals(day));
    let seed = u32::from(number) * 7 + u32::from(day.0) * 13 + revision_date * 17 + channel as u32 * 19;
    let intervals = (0..count).map(|j| Interval::actual((seed + j * j) % 1_000)).collect();
    MeterDay {
        esi_id: esi_id(number),
        channel,
        day,
        revision_date: RevisionDate(revision_date),
        intervals,
        complete: true,
        rows: count as u8,
    }
}

/// A file as the portal writes it.
pub fn csv_of<'a>(days: impl IntoIterator<Item = &'a MeterDay>) -> Vec<u8> {
    let calendar = calendar();
    let writer = csv::Writer::new(&calendar);
    let mut file = Vec::new();
    writer.header(&mut file);
    days.into_iter().for_each(|day| writer.day(day, &mut file).unwrap());
    file
}

/// BLAKE2-256 of a request, by which outcomes name it.
pub fn name_of(request: &QueuedRequest) -> Hash {
    sp_io::hashing::blake2_256(&request.encode())
}

/// The ticket of a meter, as the utility prints it.
pub fn ticket_of(meter: &MeterId, issue: u32) -> sr25519::Pair {
    let bits = secrets().ticket_bits(&utility(), meter, issue);
    sr25519::Pair::from_seed_slice(TicketSecret::from_bits(bits).seed(&GENESIS, &utility()).expose()).unwrap()
}

/// The X-Wing key of somebody.
pub fn kem(seed: u8) -> KemSecret {
    KemSecret::from_seed(Secret::from_bytes([seed; 32]))
}

/// A request with its statement's fields, for the queue.
pub fn signed_by(pair: &sr25519::Pair, statement: &impl Statement) -> (String, [u8; 64]) {
    (statement.text(), pair.sign(&statement.message()).0)
}

/// What the desk does with the queue at this block: what it sends.
pub fn work(world: &mut World, requests: &[QueuedRequest]) -> Vec<(Action, u32)> {
    world.store.write(QUEUE, &requests.to_vec());
    let (config, secrets) = (config(), secrets());
    let counter = std::cell::Cell::new(0_u8);
    let random = || {
        counter.set(counter.get() + 1);
        [counter.get(); 32]
    };
    let finalised = world.finalised;
    let desk = Desk { chain: &world.chain, config: &config, secrets: &secrets, finalised, random: &random };
    let mut pool = Pool::default();
    let sent = desk.work(&mut world.store, &mut pool);
    assert_eq!(sent, pool.sent.len());
    pool.sent
        .into_iter()
        .map(|(action, account, key_type, nonce)| {
            assert_eq!((account, key_type), (config.delivery_key, DELIVERY));
            (action, nonce)
        })
        .collect()
}

/// What became of a request.
pub fn outcome(world: &World, request: &QueuedRequest) -> Option<Outcome> {
    let outcomes: Vec<QueueOutcome> = world.store.read(OUTCOMES).unwrap_or_default();
    outcomes.into_iter().find(|outcome| outcome.request == name_of(request)).map(|outcome| outcome.outcome)
}

/// Asserts that a request was refused with a reason that has these words.
pub fn assert_refused(world: &World, request: &QueuedRequest, words: &str) {
    match outcome(world, request) {
        Some(Outcome::Refused(reason)) => assert!(reason.contains(words), "{reason}"),
        other => panic!("not refused but {other:?}"),
    }
}
