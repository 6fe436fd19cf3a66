//! The worker in its real surroundings: the pallets' storage, the node's off-chain storage, HTTP and keystore. What it
//! sends is dispatched.

use super::support::{csv_of, esi_id, kem, meter_day, signed_by, BOOT};
use crate::{
    mock::*,
    worker::store::{NodeStore, Store, CHECK_VALUE},
};
use frame_support::{
    assert_ok,
    traits::{Hooks, UnfilteredDispatchable},
};
use sealed_register::{
    delivery::{open_delivery, open_meter_key, ConsentTerms, Deliverer, DeliveryContext, MeterKeyContext, Purpose},
    grantee::grantee_hash,
    secrets::{check_value, secret_from_signature, secret_message},
    statement, Channel, Channels, DayRange, Level, MeterId, OperatingDay, SecretPurpose, UtilitySecrets,
};
use smart_meter_texas::Channel as FeedChannel;
use sp_core::{
    ed25519,
    offchain::{
        testing::{PendingRequest, TestOffchainExt},
        OffchainDbExt, OffchainWorkerExt,
    },
    sr25519, Pair,
};
use sp_keystore::{testing::MemoryKeystore, Keystore, KeystoreExt};
use sp_runtime::BoundedVec;
use wattseal_primitives::{
    keys::{DELIVERY, FEED, SEALING},
    meters::{MeterClass, MeterEntry},
    offchain::{
        chunk_key, shard_index_key, staged_key, stream_index_key, FeedReport, FileRecord, FileState, Finalised,
        OutboxEntry, Outcome, QueueOutcome, QueuedRequest, ShardIndex, StreamIndex, WorkerConfig, CONFIG, FILES,
        FINALISED, OUTBOX, OUTCOMES, QUEUE, REPORT,
    },
    organisations::KemKey,
    AccountId,
};

const URL: &str = "http://127.0.0.1:8080/feed/";
const DAY: u16 = 8_300;
const DATE: u32 = 12_000_000;
const SECRET: [u8; 32] = [5; 32];

/// The node around the runtime.
struct Node {
    offchain: TestOffchainExt,
    sealing: ed25519::Public,
    secrets: UtilitySecrets,
}

fn genesis() -> [u8; 32] {
    hash_of(0).0
}

/// The utility's secrets, as the native side derives them.
fn secrets_of(keystore: &MemoryKeystore, sealing: &ed25519::Public) -> UtilitySecrets {
    let derive = |purpose| {
        let message = secret_message(&genesis(), &oncor(), purpose);
        let signature = keystore.ed25519_sign(SEALING, sealing, &message).unwrap().unwrap();
        secret_from_signature(purpose, &signature.0)
    };
    UtilitySecrets {
        id: derive(SecretPurpose::Id),
        seal: derive(SecretPurpose::Seal { generation: 0 }),
        siv: derive(SecretPurpose::Siv),
        ticket: derive(SecretPurpose::Ticket),
        generation: 0,
    }
}

/// Runs a test on a chain at block 10, inside a configured feed node.
fn in_node(test: impl FnOnce(&Node)) {
    let keystore = MemoryKeystore::new();
    let sealing = keystore.ed25519_generate_new(SEALING, Some("//Utility//sealing")).unwrap();
    let secrets = secrets_of(&keystore, &sealing);
    let (offchain, _) = TestOffchainExt::new();
    let mut externalities = externalities();
    externalities.register_extension(OffchainDbExt::new(offchain.clone()));
    externalities.register_extension(OffchainWorkerExt::new(offchain.clone()));
    externalities.register_extension(KeystoreExt::new(keystore));
    externalities.execute_with(|| {
        let config = WorkerConfig {
            utility: oncor(),
            feed_url: URL.into(),
            boot: BOOT,
            sealing_key: sealing.0,
            feed_key: pair("oncor/feed").public().0,
            delivery_key: pair("oncor/delivery").public().0,
            check_value: None,
            generation: 0,
        };
        NodeStore.write(CONFIG, &config);
        let node = Node { offchain, sealing, secrets };
        node.finalise();
        test(&node);
        check_state();
    });
}

impl Node {
    /// The native task notes the newest block as final.
    fn finalise(&self) {
        let number = System::block_number();
        NodeStore.write(FINALISED, &Finalised { number, hash: hash_of(number).0 });
    }

    /// The worker runs at the next block. It must fetch exactly these addresses.
    fn run(&self, fetches: &[(&str, &[u8])]) {
        run_to(System::block_number() + 1);
        for (name, body) in fetches {
            self.offchain.0.write().expect_request(PendingRequest {
                method: "GET".into(),
                uri: format!("{URL}{name}"),
                response: Some(body.to_vec()),
                sent: true,
                ..PendingRequest::default()
            });
        }
        Usage::offchain_worker(System::block_number());
    }

    /// The next block takes what was sent. Returns the calls' names.
    fn include(&self) -> Vec<String> {
        run_to(System::block_number() + 1);
        let sent = Sent::take();
        let mut names = Vec::new();
        for (at, (public, key_type, call, nonce)) in sent.into_iter().enumerate() {
            let account = AccountId::from(public.0);
            let key_of = if account == named("oncor/feed") { FEED } else { DELIVERY };
            assert_eq!((key_type, nonce), (key_of, System::account_nonce(&account)));
            System::inc_account_nonce(&account);
            System::set_extrinsic_index(u32::try_from(at).unwrap());
            names.push(format!("{call:?}").chars().take(30).collect());
            assert_ok!(call.dispatch_bypass_filter(RuntimeOrigin::signed(account)));
        }
        self.finalise();
        names
    }

    fn meter(&self) -> MeterId {
        self.secrets.meter_id(esi_id(1).as_str(), 0)
    }

    fn ticket(&self) -> sr25519::Pair {
        let bits = self.secrets.ticket_bits(&oncor(), &self.meter(), 0);
        let ticket = sealed_register::ticket::TicketSecret::from_bits(bits);
        sr25519::Pair::from_seed_slice(ticket.seed(&genesis(), &oncor()).expose()).unwrap()
    }

    fn register(&self) {
        let entry = MeterEntry {
            meter: self.meter(),
            class: MeterClass::Residential,
            channels: Channels::Both,
            tenancy_start: OperatingDay(8_000),
            ticket_issue: 0,
            ticket_key: self.ticket().public().0,
        };
        assert_ok!(Meters::sync(from("oncor/feed"), BoundedVec::truncate_from(vec![entry])));
    }

    fn outcome(&self, request: &QueuedRequest) -> Option<Outcome> {
        let outcomes: Vec<QueueOutcome> = NodeStore.read(OUTCOMES).unwrap_or_default();
        let name = super::support::name_of(request);
        outcomes.into_iter().find(|outcome| outcome.request == name).map(|outcome| outcome.outcome)
    }
}

/// A file with three days, and the listing of its folder.
fn feed() -> (Vec<u8>, Vec<u8>) {
    let days = [0, 1, 2].map(|day| meter_day(1, FeedChannel::Consumption, DAY + day, DATE));
    let file = csv_of(&days);
    let listing =
        format!(r#"[{{"name":"a.csv","type":"file","mtime":"Wed, 02 Mar 2022 07:00:00 GMT","size":{}}}]"#, file.len());
    (listing.into_bytes(), file)
}

fn customer() -> sr25519::Pair {
    pair("customer")
}

#[test]
fn a_node_that_is_not_configured_does_nothing() {
    in_node(|node| {
        NodeStore.clear(CONFIG);
        node.run(&[]);
        assert_eq!(NodeStore.get(FILES), None);
        assert_eq!(Sent::take(), []);
    });
}

#[test]
fn from_the_feed_to_the_chain() {
    in_node(|node| {
        let (listing, file) = feed();
        node.register();
        run_to(11);
        node.finalise();
        node.run(&[("", &listing)]);
        node.run(&[("", &listing), ("a.csv", &file)]);
        assert_eq!(NodeStore.read::<[u8; 8]>(CHECK_VALUE), Some(check_value(&node.secrets.id)));
        let outbox: Vec<OutboxEntry> = NodeStore.read(OUTBOX).unwrap();
        assert_eq!((outbox.len(), outbox[0].cells, outbox[0].as_of), (1, 3, 11));
        let chunk = NodeStore.get(&chunk_key(0, 0, 0)).unwrap();
        assert_eq!(sealed_register::batch::body_hash([chunk.as_slice()]), outbox[0].body_hash);
        // Not staged, not signed; and nothing is fetched meanwhile.
        node.run(&[]);
        assert!(Sent::get().is_empty());
        NodeStore.write(&staged_key(0, 0), &outbox[0].body_hash);
        node.run(&[]);
        assert_eq!(node.include().len(), 1);
        let batch = Usage::batch(oncor(), 0, 0).unwrap();
        assert_eq!(
            (batch.root, batch.body_hash, batch.cells, batch.as_of),
            (outbox[0].root, outbox[0].body_hash, 3, 11)
        );
        // The cells open with the secrets that only the keystore yields.
        let (_, cells) = sealed_register::batch::decode_chunk(&chunk).unwrap();
        let key = node.secrets.meter_key(&oncor(), &node.meter());
        let days: Vec<u16> = cells.map(|cell| sealed_register::reopen(&key, &cell.unwrap()).unwrap().day.0).collect();
        assert_eq!(days, [DAY, DAY + 1, DAY + 2]);
        // Nothing that anybody could read lies in the node's database.
        let database = [OUTBOX, FILES, REPORT].map(|key| NodeStore.get(key).unwrap_or_default()).concat();
        let esi = esi_id(1);
        assert!(![chunk, database].concat().windows(17).any(|part| part == esi.as_str().as_bytes()));
    });
}

#[test]
fn a_key_that_the_node_hides_stops_sealing_and_says_so() {
    in_node(|node| {
        let mut config: WorkerConfig = NodeStore.read(CONFIG).unwrap();
        config.sealing_key = [3; 32];
        NodeStore.write(CONFIG, &config);
        node.run(&[]);
        let report: FeedReport = NodeStore.read(REPORT).unwrap();
        assert!(report.last_error.unwrap().1.contains("sealing key is not available"));
        config.sealing_key = node.sealing.0;
        NodeStore.write(CONFIG, &config);
        node.run(&[("", &feed().0)]);
        assert_eq!(NodeStore.read::<Vec<FileRecord>>(FILES).unwrap()[0].state, FileState::Seen);
    });
}

#[test]
fn finality_that_is_far_behind_or_of_a_fork_pauses_sealing() {
    in_node(|node| {
        run_to(80);
        node.run(&[]);
        NodeStore.write(FINALISED, &Finalised { number: 79, hash: [1; 32] });
        node.run(&[]);
        assert_eq!(NodeStore.get(FILES), None);
        node.finalise();
        node.run(&[("", &feed().0)]);
        assert!(NodeStore.get(FILES).is_some());
    });
}

#[test]
fn an_address_that_cannot_be_used_is_reported() {
    in_node(|node| {
        let mut config: WorkerConfig = NodeStore.read(CONFIG).unwrap();
        config.feed_url = "http://feed.example.org/".into();
        NodeStore.write(CONFIG, &config);
        node.run(&[]);
        let report: FeedReport = NodeStore.read(REPORT).unwrap();
        assert!(report.last_error.unwrap().1.contains("use https://"));
    });
}

/// The scene of a consent: claim, meter key, consent and delivery, all through this node's queue and the real pallets.
#[test]
fn from_a_claim_to_keys_that_open() {
    in_node(|node| {
        let mut config: WorkerConfig = NodeStore.read(CONFIG).unwrap();
        config.feed_url = String::new();
        NodeStore.write(CONFIG, &config);
        node.register();
        let (meter, valid) = (node.meter(), 500);
        // What the native task would have indexed: one batch, days sealed under epoch 0.
        NodeStore.write(&shard_index_key(0), &ShardIndex::default());
        let epochs = vec![(0, OperatingDay(DAY), OperatingDay(DAY + 2))];
        let index = StreamIndex { days: Vec::new(), epochs };
        NodeStore.write(&stream_index_key(&meter, Channel::Consumption), &index);

        let claim = statement::Claim {
            genesis: genesis(),
            utility: oncor(),
            meter,
            issue: 0,
            customer: customer().public().0,
            kem_key: kem(1).public().hash(),
            last_valid_block: valid,
        };
        let (text, signature) = signed_by(&node.ticket(), &claim);
        let relay = QueuedRequest::Relay { statement: text.clone(), signature };
        let key =
            QueuedRequest::MeterKey { statement: text, signature, kem_public: kem(1).public().as_bytes().to_vec() };
        NodeStore.write(QUEUE, &vec![relay.clone(), key.clone()]);
        node.run(&[]);
        assert_eq!(node.outcome(&relay), Some(Outcome::Sent));
        assert_eq!(node.outcome(&key), None);
        assert_eq!(node.include().len(), 1);
        assert_eq!(
            Meters::meter(&oncor(), &meter).unwrap().claim.unwrap().customer,
            AccountId::from(customer().public().0)
        );
        node.run(&[]);
        let account = pair("oncor/delivery").public().0;
        let RuntimeCall::Consents(pallet_consent::Call::deliver_meter_key { sealed, .. }) = Sent::get()[0].2.clone()
        else {
            panic!("no meter key is sent")
        };
        let context = MeterKeyContext {
            genesis: genesis(),
            account,
            utility: oncor(),
            meter,
            customer: customer().public().0,
            issue: 0,
        };
        let opened = open_meter_key(&context, &kem(1), &sealed).unwrap();
        assert_eq!(opened, node.secrets.meter_key(&oncor(), &meter));
        node.include();

        let data = DayRange { first: OperatingDay(DAY), last: OperatingDay(DAY + 60) };
        let access = DayRange { first: OperatingDay(8_401), last: OperatingDay(8_500) };
        let terms = ConsentTerms {
            utility: oncor(),
            meter,
            grantee: grantee_hash(&id("sunny"), &SECRET),
            channels: Channels::Consumption,
            level: Level::Quarter,
            data,
            access,
            purpose: Purpose::SolarSizing,
            text_hash: [6; 32],
        };
        let consent =
            statement::Consent { genesis: genesis(), terms, customer: customer().public().0, last_valid_block: valid };
        VendorKey::set(Some(KemKey {
            key: BoundedVec::truncate_from(kem(2).public().as_bytes().to_vec()),
            last_day: OperatingDay(8_432),
        }));
        let (text, signature) = signed_by(&customer(), &consent);
        let relay = QueuedRequest::Relay { statement: text.clone(), signature };
        let wanted = QueuedRequest::Consent { statement: text, signature, vendor: id("sunny"), secret: SECRET };
        NodeStore.write(QUEUE, &vec![key.clone(), relay, wanted.clone()]);
        node.run(&[]);
        assert_eq!(node.outcome(&key), Some(Outcome::AlreadyThere));
        assert_eq!(node.include().len(), 1);
        node.run(&[]);
        let RuntimeCall::Consents(pallet_consent::Call::deliver { consent: id, epoch, sealed, .. }) =
            Sent::get()[0].2.clone()
        else {
            panic!("no delivery is sent")
        };
        let context =
            DeliveryContext { genesis: genesis(), deliverer: Deliverer::Utility, account, consent: id, terms };
        let delivery = open_delivery(&context, epoch, &kem(2), &sealed).unwrap();
        assert_eq!(delivery.trees.len(), 3);
        // The chain takes it, and then there is nothing more to do.
        node.include();
        assert!(pallet_consent::Deliveries::<Test>::contains_key((id, epoch, Deliverer::Utility)));
        node.run(&[]);
        assert_eq!(node.outcome(&wanted), Some(Outcome::AlreadyThere));

        // She takes it back: the keys of the next epoch are for nobody.
        let revoke = statement::Revoke { genesis: genesis(), consent: id, last_valid_block: valid };
        let (text, signature) = signed_by(&customer(), &revoke);
        let revoke = QueuedRequest::Relay { statement: text, signature };
        NodeStore.write(QUEUE, &vec![revoke, wanted.clone()]);
        node.run(&[]);
        assert_eq!(node.include().len(), 1);
        node.run(&[]);
        assert!(matches!(node.outcome(&wanted), Some(Outcome::Refused(reason)) if reason.contains("has ended")));
        assert_eq!(Sent::get(), []);
    });
}
