//! From the worker's outbox over the chain into the vault and back into the worker's index.
#![allow(clippy::unwrap_used, clippy::panic)] // a failed unwrap is a failed test

use super::{finality::Finality, importer::Importer, index::Indexer, outbox::Outbox, queue::Queue};
use crate::{
    chain::{ChainConsent, Slot},
    keys::SecretSource,
    metrics::Metrics,
    offchain::OffchainStore,
    testing::{meter, slot, source, store, utility, MockChain, Sealer, FIRST_DAY, GENESIS, SHORT_DAY},
};
use codec::Encode;
use sealed_register::{
    delivery::{ConsentTerms, Purpose},
    statement::{Consent, Revoke, Statement},
    Channel, Channels, DayRange, Hash, Level, OperatingDay, ShardId,
};
use std::sync::Arc;
use wattseal_primitives::{
    bridge::clear_digest,
    consent::ConsentEnd,
    offchain::{
        heads_key, partial_key, shard_index_key, staged_key, stream_index_key, Finalised, HeadEntry, Outcome,
        QueueOutcome, QueuedRequest, ShardIndex, StreamIndex, WorkerConfig, CONFIG, FINALISED, OUTCOMES,
    },
    AccountId,
};
use wattseal_vault::Vault;

struct Node {
    _folder: tempfile::TempDir,
    chain: Arc<MockChain>,
    vault: Arc<Vault>,
    offchain: OffchainStore,
    source: SecretSource,
}

fn node() -> Node {
    let folder = tempfile::tempdir().unwrap();
    let vault = Arc::new(Vault::open(&folder.path().join("vault.redb"), &GENESIS).unwrap());
    Node { _folder: folder, chain: MockChain::new(), vault, offchain: store(), source: source() }
}

impl Node {
    fn finality(&self, feed_url: Option<&str>) -> Finality {
        let utility = Some((self.source.clone(), feed_url.map(Into::into)));
        Finality::new(self.chain.clone(), self.vault.clone(), self.offchain.clone(), utility)
    }

    fn outbox(&self) -> Outbox {
        Outbox::new(self.vault.clone(), self.offchain.clone())
    }

    fn importer(&self) -> Importer {
        Importer::new(self.chain.clone(), self.vault.clone())
    }

    fn indexer(&self) -> Indexer {
        Indexer::new(self.source.clone(), self.vault.clone(), self.offchain.clone())
    }

    fn shard_index(&self) -> ShardIndex {
        self.offchain.get(&shard_index_key(0)).unwrap_or_default()
    }

    fn stream(&self, meter: &sealed_register::MeterId) -> StreamIndex {
        self.offchain.get(&stream_index_key(meter, Channel::Consumption)).unwrap_or_default()
    }
}

#[test]
fn the_worker_is_configured_once_its_keys_are_known_to_be_right() {
    let node = node();
    node.offchain.set(CONFIG, &1_u8);
    let mut task = node.finality(Some("http://127.0.0.1:8000/smt/"));
    assert_eq!(node.offchain.raw(CONFIG), None);
    task.step();
    let config = node.offchain.get::<WorkerConfig>(CONFIG).unwrap();
    assert_eq!((config.utility, config.feed_url.as_str()), (utility(), "http://127.0.0.1:8000/smt/"));
    assert_eq!(node.offchain.get::<Finalised>(FINALISED).unwrap().number, 100);
    // The address stays when the next start does not name one; the lock's name does not.
    node.finality(None).step();
    let again = node.offchain.get::<WorkerConfig>(CONFIG).unwrap();
    assert_eq!(again.feed_url, config.feed_url);
    assert_ne!(again.boot, config.boot);
    assert_eq!(again.check_value, config.check_value);
    node.chain.state().finalised = 101;
    task.step();
    assert_eq!(node.offchain.get::<Finalised>(FINALISED).unwrap().number, 101);
}

#[test]
fn no_configuration_without_keys_or_with_others_or_a_bad_address() {
    let node = node();
    node.finality(None).step();
    // Another sealing key than the one that sealed before.
    let other = Arc::new(sc_keystore::LocalKeystore::in_memory());
    use sp_keystore::Keystore;
    let mut changed = node.source.clone();
    changed.keystore = other.clone();
    let start = |source: &SecretSource, url: Option<&str>| {
        let utility = Some((source.clone(), url.map(Into::into)));
        Finality::new(node.chain.clone(), node.vault.clone(), node.offchain.clone(), utility).step();
        node.offchain.get::<WorkerConfig>(CONFIG)
    };
    assert_eq!(start(&changed, None), None);
    other.ed25519_generate_new(wattseal_primitives::keys::SEALING, Some("//Other")).unwrap();
    other.sr25519_generate_new(wattseal_primitives::keys::FEED, Some("//Other")).unwrap();
    other.sr25519_generate_new(wattseal_primitives::keys::DELIVERY, Some("//Other")).unwrap();
    assert_eq!(start(&changed, None), None);
    assert_eq!(start(&node.source, Some("http://feed.example/")), None);
    assert!(start(&node.source, None).is_some());
}

#[test]
fn sealed_batches_come_back_as_the_index() {
    let node = node();
    node.finality(None).step();
    let mut sealer = Sealer::new(&node.source);
    let (mut outbox, mut importer, mut indexer) = (node.outbox(), node.importer(), node.indexer());
    let batches = [sealer.batch(&[(1, 0, 0), (1, 1, 0), (2, 0, 0)]), sealer.batch(&[(1, 0, 1), (3, 5, 0)])];
    for (sequence, made) in (0_u32..).zip(&batches) {
        made.put(&node.offchain);
        outbox.step();
        assert_eq!(node.offchain.get::<Hash>(&staged_key(0, sequence)), Some(made.summary.body_hash));
        // Not on chain, not in the vault.
        importer.step();
        assert_eq!(node.vault.next_sequence(&utility(), ShardId(0)).unwrap(), sequence);
        node.chain.state().batches.push((made.summary, 1));
        importer.step();
        indexer.step();
        let index = node.shard_index();
        assert_eq!((index.next_sequence, index.head_parts), (sequence + 1, 1));
    }
    let meter = sealer.meter(1);
    let stream = node.stream(&meter);
    let days: Vec<_> = stream.days.iter().map(|version| (version.day.0 - FIRST_DAY, version.revision)).collect();
    assert_eq!(days, [(0, 1), (1, 0)]);
    let digest = clear_digest(&sealer.secrets.siv, &Sealer::readings(0, 1));
    assert_eq!((stream.days[0].digest, stream.days[0].revision_date), (digest, 1));
    assert_eq!(stream.epochs, [(0, OperatingDay(FIRST_DAY), OperatingDay(FIRST_DAY + 1))]);
    let heads = node.offchain.get::<Vec<HeadEntry>>(&heads_key(0, 0)).unwrap();
    assert_eq!(heads.len(), 3);
    for head in &heads {
        let known = sealer.heads.get(&head.meter, head.channel).unwrap();
        assert_eq!((head.sequence, head.hash, head.day_high), (known.sequence, known.hash, known.day_high));
    }

    // Made anew from vault and keys it is the same, also where an old one claims more than the vault holds.
    let kept = [1, 2, 3].map(|number| node.stream(&sealer.meter(number)));
    for lost in [ShardIndex::default(), ShardIndex { next_sequence: 9, head_parts: 1, heads: 1 }] {
        node.offchain.set(&shard_index_key(0), &lost);
        node.offchain.set(&stream_index_key(&meter, Channel::Consumption), &StreamIndex::default());
        node.indexer().step();
        assert_eq!([1, 2, 3].map(|number| node.stream(&sealer.meter(number))), kept);
        assert_eq!(node.shard_index(), ShardIndex { next_sequence: 2, head_parts: 1, heads: 3 });
    }
}

/// A batch on its way from the sealer into the vault.
fn import(node: &Node, sealer: &mut Sealer, items: &[(u32, u16, u16)]) {
    let made = sealer.batch(items);
    made.put(&node.offchain);
    node.outbox().step();
    node.chain.state().batches.push((made.summary, 1));
    node.importer().step();
}

#[test]
fn an_index_that_is_not_the_vaults_is_made_anew_at_the_next_start() {
    let node = node();
    node.finality(None).step();
    let mut sealer = Sealer::new(&node.source);
    import(&node, &mut sealer, &[(1, 0, 0), (2, 0, 0)]);
    let mut running = node.indexer();
    running.step();
    let kept = node.offchain.raw(&heads_key(0, 0)).unwrap();
    for damaged in [b"junk".to_vec(), Vec::<HeadEntry>::new().encode()] {
        node.offchain.set_raw(&heads_key(0, 0), &damaged);
        node.indexer().step();
        assert_eq!(node.offchain.raw(&heads_key(0, 0)).as_ref(), Some(&kept));
    }
}

#[test]
fn the_cell_of_a_short_day_is_kept_until_a_later_revision_comes() {
    let node = node();
    node.finality(None).step();
    let mut sealer = Sealer::new(&node.source);
    let (day, revision) = SHORT_DAY;
    import(&node, &mut sealer, &[(1, 0, 0), (1, day, revision)]);
    node.indexer().step();
    let key = partial_key(&sealer.meter(1), Channel::Consumption, OperatingDay(FIRST_DAY + day), revision);
    let kept = node.offchain.raw(&key).unwrap();
    assert_eq!(sealed_register::SealedCell::decode(&kept).unwrap().header.day, OperatingDay(FIRST_DAY + day));
    // As it is when the off-chain database was lost.
    node.offchain.remove(&key);
    node.offchain.remove(&shard_index_key(0));
    node.indexer().step();
    assert_eq!(node.offchain.raw(&key), Some(kept));
    import(&node, &mut sealer, &[(1, day, revision + 1)]);
    node.indexer().step();
    assert_eq!(node.offchain.raw(&key), None);
}

#[test]
fn a_missing_or_forged_body_stops_the_shard_and_nothing_else() {
    let node = node();
    node.finality(None).step();
    let mut sealer = Sealer::new(&node.source);
    let first = sealer.batch(&[(1, 0, 0)]);
    node.chain.state().batches.push((first.summary, 1));
    let mut importer = node.importer();
    importer.step();
    assert_eq!(node.vault.next_sequence(&utility(), ShardId(0)).unwrap(), 0);
    // A chunk that is not what its entry says is not staged, and the worker is not told so.
    node.offchain.set_raw(&wattseal_primitives::offchain::chunk_key(0, 0, 0), b"junk");
    node.offchain.set(wattseal_primitives::offchain::OUTBOX, &vec![first.entry.clone()]);
    node.outbox().step();
    assert_eq!(node.offchain.raw(&staged_key(0, 0)), None);
    // What the utility committed with another epoch than the chain's is refused.
    node.offchain.set(wattseal_primitives::offchain::OUTBOX, &Vec::<wattseal_primitives::offchain::OutboxEntry>::new());
    first.put(&node.offchain);
    node.outbox().step();
    node.chain.state().epochs.insert(sealer.meter(1), 4);
    importer.step();
    assert_eq!(node.vault.next_sequence(&utility(), ShardId(0)).unwrap(), 0);
    node.chain.state().epochs.clear();
    importer.step();
    assert_eq!(node.vault.next_sequence(&utility(), ShardId(0)).unwrap(), 1);
}

fn consent(last_valid_block: u32) -> Consent {
    let days = DayRange { first: OperatingDay(FIRST_DAY), last: OperatingDay(FIRST_DAY + 9) };
    let terms = ConsentTerms {
        utility: utility(),
        meter: sealed_register::MeterId([5; 16]),
        grantee: [6; 32],
        channels: Channels::Consumption,
        level: Level::Day,
        data: days,
        access: days,
        purpose: Purpose::EnergyAdvice,
        text_hash: [8; 32],
    };
    Consent { genesis: GENESIS, terms, customer: [9; 32], last_valid_block }
}

fn on_chain(consent: &Consent, ended: Option<(ConsentEnd, u32)>) -> ChainConsent {
    let ConsentTerms { utility, meter, grantee, channels, level, data, access, purpose, text_hash } = consent.terms;
    let customer = AccountId::from(consent.customer);
    ChainConsent {
        utility,
        meter,
        customer,
        grantee,
        channels,
        level,
        data,
        access,
        purpose,
        text_hash,
        given_at: 60,
        ended,
    }
}

#[test]
fn requests_leave_the_queue_when_the_chain_shows_them_done() {
    let node = node();
    let mut task = Queue::new(node.chain.clone(), node.offchain.clone(), Metrics::new(None).unwrap());
    let signed = consent(200);
    let revoke = Revoke { genesis: GENESIS, consent: signed.id(), last_valid_block: 200 };
    let relay = QueuedRequest::Relay { statement: signed.text(), signature: [0; 64] };
    let delivery =
        QueuedRequest::Consent { statement: signed.text(), signature: [0; 64], vendor: utility(), secret: [2; 32] };
    let revocation = QueuedRequest::Relay { statement: revoke.text(), signature: [0; 64] };
    let [relayed, delivered, _] =
        [&relay, &delivery, &revocation].map(|request| node.offchain.enqueue(request).unwrap());
    task.step();
    assert_eq!(node.offchain.queue().len(), 3);
    node.chain.state().meters.insert(signed.terms.meter, meter([4; 32], Some([9; 32])));
    node.chain.state().consents.insert(signed.id(), on_chain(&signed, None));
    task.step();
    assert!(node.offchain.is_done(&relayed));
    assert_eq!(node.offchain.queue(), [delivery.clone(), revocation.clone()]);
    node.chain.state().deliveries.insert((signed.id(), 0), slot(80, b"sealed"));
    task.step();
    assert!(node.offchain.is_done(&delivered));
    node.chain.state().consents.insert(signed.id(), on_chain(&signed, Some((ConsentEnd::Revoked, 101))));
    task.step();
    assert_eq!(node.offchain.queue(), []);
    // A delivery asked for after the end can never come.
    let never = node.offchain.enqueue(&delivery).unwrap();
    task.step();
    assert_eq!((node.offchain.queue(), node.offchain.is_done(&never)), (vec![], false));
}

#[test]
fn stale_junk_and_refused_requests_leave_the_queue() {
    let node = node();
    let mut task = Queue::new(node.chain.clone(), node.offchain.clone(), Metrics::new(None).unwrap());
    let stale = QueuedRequest::Relay { statement: consent(99).text(), signature: [0; 64] };
    let junk = QueuedRequest::Relay { statement: "junk".into(), signature: [0; 64] };
    let refused = QueuedRequest::Relay { statement: consent(9_999).text(), signature: [0; 64] };
    node.offchain.enqueue(&stale).unwrap();
    node.offchain.enqueue(&junk).unwrap();
    let id = node.offchain.enqueue(&refused).unwrap();
    let outcome = QueueOutcome { request: id, block: 101, outcome: Outcome::Refused("not yet".into()) };
    node.offchain.set(OUTCOMES, &vec![outcome]);
    task.step();
    assert_eq!(node.offchain.queue(), [refused]);
    node.chain.state().finalised = 189;
    task.step();
    assert_eq!(node.offchain.queue().len(), 1);
    node.chain.state().finalised = 190;
    task.step();
    assert_eq!(node.offchain.queue(), []);
    assert!(!node.offchain.is_done(&id));
    assert!(node.offchain.outcome(&id).is_some());
}

#[test]
fn a_meter_key_is_done_when_it_was_delivered_after_the_claim() {
    let node = node();
    let mut task = Queue::new(node.chain.clone(), node.offchain.clone(), Metrics::new(None).unwrap());
    let claim = sealed_register::statement::Claim {
        genesis: GENESIS,
        utility: utility(),
        meter: sealed_register::MeterId([5; 16]),
        issue: 1,
        customer: [9; 32],
        kem_key: [3; 32],
        last_valid_block: 300,
    };
    let request = QueuedRequest::MeterKey { statement: claim.text(), signature: [0; 64], kem_public: vec![] };
    let id = node.offchain.enqueue(&request).unwrap();
    node.chain.state().meters.insert(claim.meter, meter([4; 32], None));
    task.step();
    assert_eq!(node.offchain.queue().len(), 1);
    node.chain.state().meters.insert(claim.meter, meter([4; 32], Some([9; 32])));
    let before: Slot = slot(49, b"for an earlier customer");
    node.chain.state().meter_keys.insert(claim.meter, before);
    task.step();
    assert_eq!(node.offchain.queue().len(), 1);
    node.chain.state().meter_keys.insert(claim.meter, slot(50, b"for this one"));
    task.step();
    assert!(node.offchain.is_done(&id));
}
