//! Reads, receipts, requests, as a client sees them.
#![allow(clippy::unwrap_used, clippy::panic)] // a failed unwrap is a failed test

use super::{
    errors::RpcError,
    feed, read, requests, sealed,
    types::{
        AsText, DeliveryRequest, Hex, HexBytes, MeterKeyRequest, MeterPlan, ProofKind, QueueState, ReadOptions,
        RelayRequest, SegmentParam,
    },
    RpcDeps,
};
use crate::{
    approval::Approvals,
    chain::ChainConsent,
    keys,
    metrics::Metrics,
    testing::{meter, slot, source, store, utility, Made, MockChain, Sealer, FIRST_DAY, GENESIS},
};
use sealed_register::{
    delivery::Segment,
    delivery::{ConsentTerms, Deliverer, Purpose},
    finalized::{BlockRef, RootStatement},
    grantee::{grantee_hash, GranteeSecret},
    kem::KemSecret,
    proof::{Form, RangeProof, RangeRequest},
    secrets::Secret,
    shard::AbsenceProof,
    statement::{Claim, Consent, ReadRequest, Receipt, Statement},
    verify::verify_range,
    Channel, Channels, DayRange, FinalizedRoot, Keyring, Level, MeterId, OperatingDay, OrganisationId, Shard, ShardId,
};
use sp_core::{sr25519, Pair};
use std::{sync::Arc, time::Duration};
use wattseal_primitives::{
    consent::{ConsentEnd, ReadRefusal},
    offchain::QueuedRequest,
    AccountId,
};
use wattseal_vault::{BatchName, Vault};

struct Served {
    _folder: tempfile::TempDir,
    chain: Arc<MockChain>,
    deps: RpcDeps,
    sealer: Sealer,
}

fn served() -> Served {
    let folder = tempfile::tempdir().unwrap();
    let vault = Arc::new(Vault::open(&folder.path().join("vault.redb"), &GENESIS).unwrap());
    let (chain, source) = (MockChain::new(), source());
    let deps = RpcDeps {
        chain: chain.clone(),
        vault,
        vault_key: keys::vault_key(&*source.keystore).unwrap(),
        keystore: source.keystore.clone(),
        offchain: store(),
        approvals: Approvals::load(folder.path(), None).unwrap(),
        utility: Some(source.clone()),
        metrics: Metrics::new(None).unwrap(),
        intake: Arc::default(),
    };
    Served { _folder: folder, chain, deps, sealer: Sealer::new(&source) }
}

impl Served {
    fn stage(&self, made: &Made) {
        let name = BatchName { utility: utility(), shard: ShardId(0), sequence: made.entry.sequence };
        self.deps.vault.stage(&name, &made.summary.body_hash, &made.chunks).unwrap();
    }

    fn import(&self, made: &Made) {
        let name = BatchName { utility: utility(), shard: ShardId(0), sequence: made.entry.sequence };
        self.stage(made);
        self.deps.vault.import(&name, 0, &made.summary, &mut |_| Ok(Some(0))).unwrap();
    }

    fn publish(&self, made: &Made) {
        self.chain.state().batches.push((made.summary, 1));
        self.import(made);
    }

    fn request(&self, number: u32, nonce: u8) -> ReadRequest {
        ReadRequest {
            genesis: GENESIS,
            vault: self.deps.vault_key.0,
            reader: reader().public().0,
            secret: GranteeSecret::NONE,
            consent: [0; 32],
            utility: utility(),
            meter: self.sealer.meter(number),
            channel: Channel::Consumption,
            range: days(0, 3),
            level: Level::Day,
            nonce: [nonce; 16],
            block: 100,
        }
    }

    fn ask(&self, request: &ReadRequest, options: &ReadOptions) -> Result<super::types::ReadAnswer, RpcError> {
        read::answer(&self.deps, &request.text(), &sign(&reader(), request), options)
    }

    fn code(&self, request: &ReadRequest) -> i32 {
        match self.ask(request, &ReadOptions::default()) {
            Ok(_) => 0,
            Err(error) => error.code(),
        }
    }
}

fn reader() -> sr25519::Pair {
    sr25519::Pair::from_string("//Customer", None).unwrap()
}

fn sign(pair: &sr25519::Pair, statement: &impl Statement) -> Hex<64> {
    Hex(pair.sign(&statement.message()).0)
}

fn days(first: u16, last: u16) -> DayRange {
    DayRange { first: OperatingDay(FIRST_DAY + first), last: OperatingDay(FIRST_DAY + last) }
}

fn all_epochs() -> ReadOptions {
    let (first, last) = (AsText(OperatingDay(FIRST_DAY)), AsText(OperatingDay(FIRST_DAY + 300)));
    ReadOptions { segments: vec![SegmentParam { epoch: 0, first, last }], ..ReadOptions::default() }
}

#[test]
fn an_answer_verifies_and_has_a_receipt() {
    let mut served = served();
    let made = served.sealer.batch(&[(1, 0, 0), (1, 1, 0), (2, 0, 0)]);
    served.publish(&made);
    let request = served.request(1, 1);
    let answer = served.ask(&request, &all_epochs()).unwrap();
    assert_eq!((answer.kind, answer.root.batch_sequence, answer.root.block), (ProofKind::Range, 0, 100));
    let shard = Shard { genesis: GENESIS, utility: utility(), id: ShardId(0), bits: 0 };
    let block = BlockRef { number: 100, hash: [100; 32] };
    let root = RootStatement { shard, batch_sequence: 0, root: made.summary.root, block };
    assert_eq!(answer.root.root, Hex(made.summary.root));
    let wanted = RangeRequest {
        stream: request.stream(),
        range: request.range,
        level: Level::Day,
        segments: vec![Segment { epoch: 0, days: days(0, 300) }],
        form: Form::Compact,
    };
    let proof = RangeProof::decode(&answer.proof.0).unwrap();
    let keyring = Keyring::from_meter_key(served.sealer.secrets.meter_key(&utility(), &request.meter));
    let root = FinalizedRoot::from_own_node(root);
    let verified = verify_range(&wanted, &proof, &root, &root, &keyring).unwrap();
    assert_eq!(verified.head_sequence(), 1);

    let receipt = Receipt::parse(&answer.receipt.text).unwrap();
    assert!(receipt.answers(&request));
    assert_eq!((receipt.number, receipt.cells, receipt.head_sequence), (0, 2, Some(1)));
    assert_eq!(receipt.bytes, answer.proof.0.len() as u64);
    assert!(keys::verify_sr25519(&answer.receipt.signature.0, &receipt.message(), &request.vault));
    let second = served.ask(&served.request(1, 2), &ReadOptions::default()).unwrap();
    assert!(Receipt::parse(&second.receipt.text).unwrap().follows(&receipt));
}

#[test]
fn a_meter_without_cells_is_answered_with_its_absence() {
    let mut served = served();
    assert_eq!(served.code(&served.request(3, 0)), 7_010);
    let made = served.sealer.batch(&[(1, 0, 0)]);
    served.publish(&made);
    let answer = served.ask(&served.request(3, 1), &ReadOptions::default()).unwrap();
    assert_eq!(answer.kind, ProofKind::Absence);
    assert!(AbsenceProof::decode(&answer.proof.0).is_ok());
    assert_eq!(Receipt::parse(&answer.receipt.text).unwrap().head_sequence, None);
}

#[test]
fn each_reason_not_to_serve_has_its_code_and_writes_no_receipt() {
    let mut served = served();
    let made = served.sealer.batch(&[(1, 0, 0)]);
    served.publish(&made);
    let good = served.request(1, 1);
    let cases = [
        (ReadRequest { genesis: [8; 32], ..good }, 7_002),
        (ReadRequest { vault: [8; 32], ..good }, 7_003),
        (ReadRequest { reader: [8; 32], ..good }, 7_004),
        (ReadRequest { block: 67, ..good }, 7_005),
        (ReadRequest { block: 133, ..good }, 7_017),
    ];
    for (request, code) in cases {
        assert_eq!(served.code(&request), code);
    }
    let junk = read::answer(&served.deps, "wattseal/read/1", &Hex([0; 64]), &ReadOptions::default());
    assert_eq!(junk.unwrap_err().code(), 7_001);
    let too_many = ReadOptions { segments: vec![all_epochs().segments.remove(0); 65], ..ReadOptions::default() };
    assert_eq!(served.ask(&good, &too_many).unwrap_err().code(), 7_009);
    for at in 0..2 {
        served.chain.state().refusals[at] = Some(ReadRefusal::Revoked);
        assert_eq!(served.code(&good), 7_105);
        served.chain.state().refusals[at] = None;
    }
    served.chain.state().age = Duration::from_secs(61);
    assert_eq!(served.code(&good), 7_000);
    served.chain.state().age = Duration::from_secs(60);
    // The chain has a batch that is not here.
    let next = served.sealer.batch(&[(1, 1, 0)]);
    served.chain.state().batches.push((next.summary, 1));
    let behind = served.ask(&good, &ReadOptions::default()).unwrap_err();
    assert!(matches!(behind, RpcError::Behind { newest: 1 }), "{behind}");
    assert_eq!(served.deps.vault.sizes().unwrap().receipts, 0);
    served.import(&next);
    assert_eq!(served.code(&good), 0);
    assert_eq!(served.code(&good), 7_006);
    assert_eq!(served.deps.vault.sizes().unwrap().receipts, 1);
}

#[test]
fn a_root_that_is_not_the_chains_is_never_served() {
    let mut served = served();
    let made = served.sealer.batch(&[(1, 0, 0)]);
    served.publish(&made);
    served.chain.state().batches[0].0.root = [1; 32];
    assert_eq!(served.code(&served.request(1, 1)), 7_016);
}

#[test]
fn customers_see_who_read_and_nobody_else_does() {
    let mut served = served();
    let made = served.sealer.batch(&[(1, 0, 0), (2, 0, 0)]);
    served.publish(&made);
    for nonce in 0..3 {
        served.ask(&served.request(1, nonce), &ReadOptions::default()).unwrap();
        served.ask(&served.request(2, nonce + 10), &ReadOptions::default()).unwrap();
    }
    let log = |nonce: u8, from: u64| {
        let request = served.request(1, nonce);
        read::access_log(&served.deps, &request.text(), &sign(&reader(), &request), from)
    };
    assert_eq!(log(20, 0).unwrap_err().code(), 7_113);
    served.chain.state().meters.insert(served.sealer.meter(1), meter([4; 32], Some([9; 32])));
    assert_eq!(log(20, 0).unwrap_err().code(), 7_113);
    served.chain.state().meters.insert(served.sealer.meter(1), meter([4; 32], Some(reader().public().0)));
    assert_eq!(log(20, 0).unwrap().len(), 3);
    assert_eq!(log(20, 0).unwrap_err().code(), 7_006);
    assert_eq!(log(21, 1).unwrap().len(), 2);
}

fn vendor() -> OrganisationId {
    "vendor".parse().unwrap()
}

fn vendor_consent(served: &Served) -> Consent {
    let terms = ConsentTerms {
        utility: utility(),
        meter: served.sealer.meter(1),
        grantee: grantee_hash(&vendor(), &[2; 32]),
        channels: Channels::Consumption,
        level: Level::Day,
        data: days(0, 9),
        access: days(0, 9),
        purpose: Purpose::EnergyAdvice,
        text_hash: [8; 32],
    };
    Consent { genesis: GENESIS, terms, customer: reader().public().0, last_valid_block: 200 }
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
fn only_what_could_be_delivered_enters_the_queue() {
    let served = served();
    let consent = vendor_consent(&served);
    let good = DeliveryRequest {
        statement: consent.text(),
        signature: sign(&reader(), &consent),
        vendor: AsText(vendor()),
        secret: Hex([2; 32]),
    };
    let code =
        |request: &DeliveryRequest| requests::delivery(&served.deps, request.clone()).map_err(|error| error.code());
    assert_eq!(code(&good), Err(7_013));
    served.chain.state().consents.insert(consent.id(), on_chain(&consent, None));
    assert_eq!(code(&DeliveryRequest { signature: Hex([0; 64]), ..good.clone() }), Err(7_004));
    assert_eq!(code(&DeliveryRequest { secret: Hex([3; 32]), ..good.clone() }), Err(7_013));
    assert_eq!(code(&DeliveryRequest { statement: "x".into(), ..good.clone() }), Err(7_001));
    let id = code(&good).unwrap();
    assert_eq!(code(&good), Ok(id));
    assert_eq!(served.deps.offchain.queue().len(), 1);
    assert_eq!(requests::state(&served.deps, &id.0).unwrap(), QueueState::Waiting);
    assert_eq!(requests::state(&served.deps, &[0; 32]).unwrap_err().code(), 7_010);
    served.chain.state().consents.insert(consent.id(), on_chain(&consent, Some((ConsentEnd::Revoked, 99))));
    assert_eq!(code(&good), Err(7_013));

    let elsewhere = RpcDeps { utility: None, ..served.deps.clone() };
    assert_eq!(requests::delivery(&elsewhere, good).unwrap_err().code(), 7_012);
}

#[test]
fn relays_are_checked_by_kind() {
    let served = served();
    let consent = vendor_consent(&served);
    let relay = |statement: String, signature| {
        requests::relay(&served.deps, RelayRequest { statement, signature }).map_err(|error| error.code())
    };
    let signature = sign(&reader(), &consent);
    assert_eq!(relay(consent.text(), signature), Err(7_013));
    served.chain.state().meters.insert(consent.terms.meter, meter([4; 32], Some(reader().public().0)));
    relay(consent.text(), signature).unwrap();
    assert_eq!(relay(consent.text(), Hex([0; 64])), Err(7_004));
    let expired = Consent { last_valid_block: 101, ..consent };
    assert_eq!(relay(expired.text(), sign(&reader(), &expired)), Err(7_009));
    let read = served.request(1, 1);
    assert_eq!(relay(read.text(), sign(&reader(), &read)), Err(7_009));
    let revoke = sealed_register::statement::Revoke { genesis: GENESIS, consent: consent.id(), last_valid_block: 200 };
    assert_eq!(relay(revoke.text(), sign(&reader(), &revoke)), Err(7_013));
    served.chain.state().consents.insert(consent.id(), on_chain(&consent, None));
    relay(revoke.text(), sign(&reader(), &revoke)).unwrap();
    assert_eq!(served.deps.offchain.queue().len(), 2);
}

#[test]
fn planned_tickets_claim_their_meter() {
    let served = served();
    let plan = |issue| MeterPlan { esi_id: "10443720000000001".into(), tenancy: 0, issue };
    let planned = feed::plan_meters(&served.deps, &[plan(None), plan(Some(2))]).unwrap();
    assert_eq!(planned[0].meter_id.0, served.sealer.meter(1));
    assert_eq!((planned[0].issue, planned[1].issue, planned[0].registered), (1, 2, false));
    assert_ne!(planned[0].ticket_key, planned[1].ticket_key);
    let bad = MeterPlan { esi_id: "12".into(), ..plan(None) };
    assert_eq!(feed::plan_meters(&served.deps, &[bad]).unwrap_err().code(), 7_009);

    // The ticket's holder signs a claim with the printed ticket; the node finds it good.
    let ticket: sealed_register::ticket::TicketSecret = planned[0].ticket.parse().unwrap();
    let seed = ticket.seed(&GENESIS, &utility());
    let pair = sr25519::Pair::from_seed(seed.expose());
    assert_eq!(pair.public().0, planned[0].ticket_key.0);
    let kem = KemSecret::from_seed(Secret::from_bytes([5; 32])).public();
    let claim = Claim {
        genesis: GENESIS,
        utility: utility(),
        meter: planned[0].meter_id.0,
        issue: 1,
        customer: reader().public().0,
        kem_key: kem.hash(),
        last_valid_block: 200,
    };
    let request = MeterKeyRequest {
        statement: claim.text(),
        signature: sign(&pair, &claim),
        kem_public: HexBytes(kem.as_bytes().to_vec()),
    };
    let ask =
        |request: &MeterKeyRequest| requests::meter_key(&served.deps, request.clone()).map_err(|error| error.code());
    assert_eq!(ask(&request), Err(7_013));
    served.chain.state().meters.insert(claim.meter, meter(planned[0].ticket_key.0, None));
    assert_eq!(ask(&MeterKeyRequest { signature: sign(&reader(), &claim), ..request.clone() }), Err(7_004));
    assert_eq!(ask(&MeterKeyRequest { kem_public: HexBytes(vec![0; 1_216]), ..request.clone() }), Err(7_009));
    ask(&request).unwrap();
    assert!(matches!(&served.deps.offchain.queue()[..], [QueuedRequest::MeterKey { .. }]));
    assert!(feed::plan_meters(&served.deps, &[plan(None)]).unwrap()[0].registered);
}

#[test]
fn sealed_keys_are_read_from_the_block() {
    let served = served();
    // As every sealed delivery begins.
    let keys = [b"wsd1".to_vec(), vec![9; 700]].concat();
    let lost = sealed::delivery(&*served.chain, [1; 32], 0, Deliverer::Utility).unwrap_err();
    assert_eq!(lost.code(), 7_010);
    served.chain.state().deliveries.insert(([1; 32], 0), slot(80, &keys));
    assert_eq!(sealed::delivery(&*served.chain, [1; 32], 0, Deliverer::Utility).unwrap_err().code(), 7_015);
    // Another extrinsic than the chain's state says is no delivery.
    served.chain.state().extrinsics.insert((80, 1), [vec![1; 150], b"wsd1".to_vec(), vec![8; 700]].concat());
    assert_eq!(sealed::delivery(&*served.chain, [1; 32], 0, Deliverer::Utility).unwrap_err().code(), 7_010);
    served.chain.state().extrinsics.insert((80, 1), [vec![1; 150], keys.clone(), vec![2; 9]].concat());
    let found = sealed::delivery(&*served.chain, [1; 32], 0, Deliverer::Utility).unwrap();
    assert_eq!((found.block, found.extrinsic, found.sealed), (80, 1, HexBytes(keys.clone())));
    served.chain.state().meter_keys.insert(MeterId([5; 16]), slot(80, &keys));
    assert_eq!(sealed::meter_key(&*served.chain, utility(), MeterId([5; 16])).unwrap().block, 80);
}

#[test]
fn the_feed_is_steered_only_when_the_worker_is_there() {
    let served = served();
    assert_eq!(feed::set_feed(&served.deps, "http://127.0.0.1/x/").unwrap_err().code(), 7_010);
    let status = feed::status(&served.deps).unwrap();
    assert_eq!((status.configured, status.utility.as_str()), (false, "utility"));
    assert_eq!(feed::approve_runtime(&served.deps, "0x12").unwrap_err().code(), 7_009);
    feed::approve_runtime(&served.deps, &sealed_register::hex(&[1; 32])).unwrap();
    assert!(served.deps.approvals.contains(&[1; 32]));
}
