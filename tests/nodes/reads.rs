//! Reads that must be refused, on a running node: every combination of what can be wrong with one, each refused with the
//! code of its first fault in the documented order (node/README.md), and each counted under that code's name.

#[path = "reads/prometheus.rs"]
mod prometheus;
#[path = "reads/scene.rs"]
mod scene;

use prometheus::Scrape;
use scene::{day, Given, Scene, DAYS, PATIENCE};
use sealed_register::{
    grantee::GranteeSecret,
    proof::Form,
    statement::{ReadRequest, Statement},
    Channel, DayRange, Level, MeterId,
};
use serde_json::{json, Value};
use std::collections::BTreeMap;
use wattseal_client::{account::random, node_rpc::ReadOptions, Account, ClientError, NodeRpc};

/// A statement and its signature.
type Signed = (String, [u8; 64]);

/// Requests in flight at once.
const AT_ONCE: usize = 32;
/// Requests that are made for one block: a request is good for 32 blocks, and so must be asked within a minute.
const PER_BLOCK: usize = 3_000;

/// The codes that a reader can be refused with here, and their names.
const NAMES: [(i32, &str); 23] = [
    (7_001, "bad_statement"),
    (7_002, "other_chain"),
    (7_003, "other_vault"),
    (7_004, "bad_signature"),
    (7_005, "stale"),
    (7_006, "replayed"),
    (7_009, "bad_parameter"),
    (7_017, "ahead"),
    (7_100, "unknown_meter"),
    (7_101, "unknown_consent"),
    (7_102, "other_meter"),
    (7_103, "not_the_grantee"),
    (7_104, "not_admitted"),
    (7_105, "revoked"),
    (7_106, "expired"),
    (7_107, "given_back"),
    (7_108, "tenancy_ended"),
    (7_109, "not_yet"),
    (7_110, "outside_days"),
    (7_111, "level_not_granted"),
    (7_112, "channel_not_granted"),
    (7_113, "not_the_customer"),
    (7_114, "no_secret"),
];

/// The reader, shown by the account that signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Vendor,
    Retailer,
    Stranger,
    Customer,
}

/// What may be wrong with a request apart from what it asks for. The default is good.
#[derive(Clone, Copy, Debug, Default)]
struct Envelope {
    other_chain: bool,
    other_vault: bool,
    bad_signature: bool,
    /// 1: too long ago, 2: too far ahead.
    block: u8,
    replayed: bool,
}

/// One way of asking: the envelope, and which variant of each part; 0 is the good one.
#[derive(Clone, Copy, Debug)]
struct Way {
    envelope: Envelope,
    /// 1: unknown, 2: the other meter.
    meter: u8,
    /// 1: unknown, 2: the other meter's.
    consent: u8,
    /// 1: wrong, 2: none.
    secret: u8,
    /// Who asks.
    who: Who,
    /// 1: one day too early, 2: one too late.
    days: u8,
    /// 1: finer.
    level: u8,
    /// 1: the other.
    channel: u8,
}

impl Envelope {
    const WAYS: usize = 48;

    fn all() -> impl Iterator<Item = Self> {
        (0..Self::WAYS).map(|number| {
            let mut digits = Digits(number);
            Self {
                other_chain: digits.next(2) == 1,
                other_vault: digits.next(2) == 1,
                bad_signature: digits.next(2) == 1,
                block: digits.next(3),
                replayed: digits.next(2) == 1,
            }
        })
    }

    /// The code of the first fault. Only a reader's own nonce can be used up.
    fn code(self, nonce_is_readers: bool) -> Option<i32> {
        let faults = [
            (self.other_chain, 7_002),
            (self.other_vault, 7_003),
            (self.bad_signature, 7_004),
            (self.block == 1, 7_005),
            (self.block == 2, 7_017),
            (self.replayed && nonce_is_readers, 7_006),
        ];
        faults.into_iter().find(|(wrong, _)| *wrong).map(|(_, code)| code)
    }
}

/// A number as digits of changing bases.
struct Digits(usize);

impl Digits {
    fn next(&mut self, base: usize) -> u8 {
        let digit = self.0 % base;
        self.0 /= base;
        u8::try_from(digit).unwrap()
    }
}

impl Way {
    /// Ways of asking under a consent, apart from the envelope, the meter and the consent.
    const ASKS: usize = 3 * 3 * 3 * 2 * 2;

    fn ask(number: usize, envelope: Envelope, meter: u8, consent: u8) -> Self {
        let mut digits = Digits(number);
        Self {
            envelope,
            meter,
            consent,
            secret: digits.next(3),
            who: [Who::Vendor, Who::Retailer, Who::Stranger][usize::from(digits.next(3))],
            days: digits.next(3),
            level: digits.next(2),
            channel: digits.next(2),
        }
    }

    /// Every way of asking under the standing consent.
    fn all() -> impl Iterator<Item = Self> {
        let asks = |envelope, meter, consent| (0..Self::ASKS).map(move |ask| Self::ask(ask, envelope, meter, consent));
        let of = move |envelope| {
            (0..3).flat_map(move |meter| (0..3).flat_map(move |consent| asks(envelope, meter, consent)))
        };
        Envelope::all().flat_map(of)
    }

    /// The code that the documented order of checks gives; `state` is that of the consent's state, if it does not
    /// stand. Nothing for a request that must be answered.
    fn code(&self, state: Option<i32>) -> Option<i32> {
        let faults = [
            (self.meter == 1, 7_100),
            (self.consent == 1, 7_101),
            ((self.meter == 2) != (self.consent == 2), 7_102),
            (self.secret == 2, 7_114),
            (self.who == Who::Stranger, 7_104),
            // The other consent has another secret.
            (self.who == Who::Retailer || self.secret == 1 || self.consent == 2, 7_103),
            (state.is_some(), state.unwrap_or_default()),
            (self.days > 0, 7_110),
            (self.level > 0, 7_111),
            (self.channel > 0, 7_112),
        ];
        let of_terms = faults.into_iter().find(|(wrong, _)| *wrong).map(|(_, code)| code);
        self.envelope.code(self.who == Who::Vendor).or(of_terms)
    }
}

/// Asks, and keeps account of what the metrics must show.
struct Asker<'a> {
    scene: &'a Scene,
    vault: [u8; 32],
    /// What the counters must have risen by.
    due: BTreeMap<(String, String), u64>,
    /// Finalised block of the requests.
    block: u32,
    /// A nonce that vendor and customer have used up at that block.
    used: [u8; 16],
}

impl<'a> Asker<'a> {
    async fn new(scene: &'a Scene) -> Self {
        let vault = scene.chain.rpc().vault().await.unwrap().account;
        let mut asker = Self { scene, vault, due: BTreeMap::new(), block: 0, used: [0; 16] };
        asker.refresh().await;
        asker
    }

    fn account(&self, who: Who) -> &Account {
        match who {
            Who::Vendor => self.scene.vendor.account(),
            Who::Retailer => &self.scene.retailer,
            Who::Stranger => &self.scene.stranger,
            Who::Customer => self.scene.customer.account(),
        }
    }

    fn count(&mut self, method: &str, code: Option<i32>) {
        let name = code.map_or("", |code| NAMES.iter().find(|(known, _)| *known == code).unwrap().1);
        *self.due.entry((method.into(), name.into())).or_default() += 1;
    }

    /// Takes the newest finalised block, and uses up a nonce of vendor and customer at it.
    async fn refresh(&mut self) {
        self.block = self.scene.chain.finalized().await.unwrap().block().number;
        self.used = random().unwrap();
        let standing = self.scene.standing;
        for (who, given) in [(Who::Vendor, Some(standing)), (Who::Customer, None)] {
            let request = ReadRequest { nonce: self.used, ..self.good(who, given) };
            let (method, signed) = ("read", self.signed(&request, who));
            assert_eq!(self.ask(method, vec![(signed, None)]).await, Vec::<String>::new());
        }
    }

    /// A good request: of two days under a consent, or of the customer.
    fn good(&self, who: Who, given: Option<Given>) -> ReadRequest {
        let of_customer = Given { id: [0; 32], secret: GranteeSecret::NONE, meter: self.scene.standing.meter };
        let Given { id, secret, meter } = given.unwrap_or(of_customer);
        ReadRequest {
            genesis: self.scene.chain.genesis(),
            vault: self.vault,
            reader: self.account(who).id(),
            secret,
            consent: id,
            utility: crate::utility::name(),
            meter,
            channel: Channel::Consumption,
            range: DayRange::new(day(3), day(4)).unwrap(),
            level: Level::Hour,
            nonce: random().unwrap(),
            block: self.block,
        }
    }

    /// Puts an envelope's faults into a request, and signs it.
    fn sealed(&self, mut request: ReadRequest, who: Who, envelope: Envelope) -> (String, [u8; 64]) {
        if envelope.other_chain {
            request.genesis = [1; 32];
        }
        if envelope.other_vault {
            request.vault = self.account(Who::Stranger).id();
        }
        match envelope.block {
            1 => request.block = 0,
            2 => request.block += 1_000,
            _ => {}
        }
        if envelope.replayed {
            request.nonce = self.used;
        }
        let signer = match (envelope.bad_signature, who) {
            (false, who) => who,
            (true, Who::Customer) => Who::Stranger,
            (true, _) => Who::Customer,
        };
        self.signed(&request, signer)
    }

    fn signed(&self, request: &ReadRequest, who: Who) -> (String, [u8; 64]) {
        (request.text(), self.account(who).sign(&request.message()))
    }

    /// The request of a way of asking under a consent.
    fn request(&self, way: &Way, given: Given) -> (String, [u8; 64]) {
        let good = self.good(way.who, Some(given));
        let unknown = MeterId([0xee; 16]);
        let request = ReadRequest {
            meter: [given.meter, unknown, self.scene.other.meter][usize::from(way.meter)],
            consent: [given.id, [0xee; 32], self.scene.other.id][usize::from(way.consent)],
            secret: [given.secret, GranteeSecret([0xee; 32]), GranteeSecret::NONE][usize::from(way.secret)],
            range: [good.range, DayRange { first: day(0), last: day(1) }, DayRange { first: day(8), last: day(9) }]
                [usize::from(way.days)],
            level: [Level::Hour, Level::Quarter][usize::from(way.level)],
            channel: [Channel::Consumption, Channel::Generation][usize::from(way.channel)],
            ..good
        };
        self.sealed(request, way.who, way.envelope)
    }

    /// Asks under a consent in all these ways; wants the code of each.
    async fn ways(&mut self, ways: impl Iterator<Item = Way>, given: Given, code: impl Fn(&Way) -> Option<i32>) {
        let ways: Vec<Way> = ways.collect();
        for ways in ways.chunks(PER_BLOCK) {
            self.refresh().await;
            let requests = ways.iter().map(|way| (self.request(way, given), code(way))).collect();
            let wrong = self.ask("read", requests).await;
            assert!(wrong.is_empty(), "{} of {} differ, first {}", wrong.len(), ways.len(), wrong[0]);
        }
    }

    /// Sends requests; gives those whose answer is not what it must be.
    async fn ask(&mut self, method: &'static str, requests: Vec<(Signed, Option<i32>)>) -> Vec<String> {
        let mut wrong = Vec::new();
        for requests in requests.chunks(AT_ONCE) {
            let mut sent = tokio::task::JoinSet::new();
            for ((text, signature), due) in requests.iter().cloned() {
                let rpc = self.scene.chain.rpc().clone();
                sent.spawn(async move { (send(&rpc, method, &text, &signature).await, due, text) });
            }
            for (code, due, text) in sent.join_all().await {
                self.count(method, due);
                if code != due {
                    wrong.push(format!("{code:?}, not {due:?}:\n{text}"));
                }
            }
        }
        wrong
    }
}

/// Sends one request; gives the code with which it was refused, if it was.
async fn send(rpc: &NodeRpc, method: &str, text: &str, signature: &[u8; 64]) -> Option<i32> {
    let refused = match method {
        "read" => {
            let options = ReadOptions { segments: Vec::new(), form: Form::Compact };
            rpc.read(text, signature, &options).await.map(|answer| assert!(!answer.absent))
        }
        _ => rpc.access_log(text, signature, 0).await.map(|_| ()),
    };
    match refused {
        Ok(()) => None,
        Err(ClientError::Rpc { code, .. }) => Some(code),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn faults_unauthorised_reads() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(play(folder.path()));
}

async fn play(folder: &std::path::Path) {
    let scene = Scene::new(folder).await;
    // Block 0 must be too old for a request.
    scene.chain.wait_for_block(ReadRequest::VALID_BLOCKS + 2, PATIENCE).await.unwrap();
    assert_eq!(scene.fetch().await, usize::from(DAYS - 2));
    let before = Scrape::of(&scene.node.metrics);
    let mut asker = Asker::new(&scene).await;

    // All of it, under the standing consent; then every question under those that do not let anybody read.
    asker.ways(Way::all(), scene.standing, |way| way.code(None)).await;
    let asks = || (0..Way::ASKS).map(|ask| Way::ask(ask, Envelope::default(), 0, 0));
    for (given, code) in &scene.ended {
        asker.ways(asks(), *given, |way| way.code(Some(*code))).await;
    }
    // Somebody is let in who is no vendor: the right secret changes nothing.
    for (who, code) in [(Who::Retailer, 7_104), (Who::Vendor, 7_103)] {
        let signed = asker.signed(&asker.good(who, Some(scene.retailers)), who);
        assert_eq!(asker.ask("read", vec![(signed, Some(code))]).await, Vec::<String>::new());
    }
    customer(&mut asker).await;
    malformed(&mut asker).await;

    // The vendor still reads, and after its suspension no more.
    assert_eq!(scene.fetch().await, usize::from(DAYS - 2));
    asker.count("read", None);
    scene.suspend_vendor().await;
    let suspended = |way: &Way| {
        way.code(Some(7_104)).map(|code| match (code, way.who) {
            // What speaks for no admitted organisation is not compared with the grantee.
            (7_103, Who::Vendor) => 7_104,
            (code, _) => code,
        })
    };
    asker.block = scene.chain.finalized().await.unwrap().block().number;
    let requests = asks().map(|way| (asker.request(&way, scene.standing), suspended(&way))).collect();
    assert_eq!(asker.ask("read", requests).await, Vec::<String>::new());

    let due = std::mem::take(&mut asker.due);
    let counted = Scrape::of(&scene.node.metrics);
    assert_eq!(counted.reads_since(&before), due);
    eprintln!("{} reads in {} kinds", due.values().sum::<u64>(), due.len());
    for (_, name) in NAMES {
        assert!(due.contains_key(&("read".into(), name.into())), "nothing was refused as {name}");
    }
    others(&counted).await;
    nothing_personal(scene);
}

/// The customer reads without a consent, and asks who else did; nobody else does either.
async fn customer(asker: &mut Asker<'_>) {
    asker.refresh().await;
    let scene = asker.scene;
    let good = |asker: &Asker<'_>| asker.good(Who::Customer, None);
    let early = DayRange::new("2025-12-31".parse().unwrap(), day(3)).unwrap();
    let other = scene.other.meter;
    let mut requests = Vec::new();
    for (request, who, code) in [
        (good(asker), Who::Customer, None),
        (ReadRequest { level: Level::Quarter, ..good(asker) }, Who::Customer, None),
        (ReadRequest { range: early, ..good(asker) }, Who::Customer, Some(7_110)),
        (ReadRequest { meter: MeterId([0xee; 16]), ..good(asker) }, Who::Customer, Some(7_100)),
        (ReadRequest { meter: other, channel: Channel::Generation, ..good(asker) }, Who::Customer, Some(7_112)),
        (asker.good(Who::Vendor, None), Who::Vendor, Some(7_113)),
        (asker.good(Who::Stranger, None), Who::Stranger, Some(7_113)),
        // With a secret it is no customer's request, and there is no consent of that name.
        (ReadRequest { secret: scene.standing.secret, ..good(asker) }, Who::Customer, Some(7_101)),
    ] {
        requests.push((asker.signed(&request, who), code));
    }
    assert_eq!(asker.ask("read", requests).await, Vec::<String>::new());

    for (who, given) in [(Who::Customer, None), (Who::Vendor, None), (Who::Vendor, Some(scene.standing))] {
        let mut requests = Vec::new();
        for envelope in Envelope::all() {
            let code = envelope.code(true).or((who != Who::Customer).then_some(7_113));
            requests.push((asker.sealed(asker.good(who, given), who, envelope), code));
        }
        assert_eq!(asker.ask("accessLog", requests).await, Vec::<String>::new());
    }
}

/// What is no read request.
async fn malformed(asker: &mut Asker<'_>) {
    let scene = asker.scene;
    let request = asker.good(Who::Vendor, Some(scene.standing));
    let (text, signature) = asker.signed(&request, Who::Vendor);
    let backwards = DayRange { first: day(4), last: day(3) };
    let texts = [
        String::new(),
        "wattseal/read/1".into(),
        format!("{text}\n"),
        text.replace("read/1", "read/2"),
        ReadRequest { range: backwards, ..request }.text(),
        "x".repeat(100_000),
    ];
    let requests = texts.map(|text| ((text, signature), Some(7_001))).into();
    assert_eq!(asker.ask("read", requests).await, Vec::<String>::new());
    // More key epochs than a question may name.
    let segment = json!({ "epoch": 0, "first": day(3).to_string(), "last": day(4).to_string() });
    let options = json!({ "segments": vec![segment; 65], "form": "compact" });
    let parameters = [json!(text), json!(format!("0x{}", hex::encode(signature))), options];
    let answer: Result<Value, _> = scene.chain.rpc().call("wattseal_read", &parameters).await;
    assert!(matches!(answer, Err(ClientError::Rpc { code: 7_009, .. })), "{answer:?}");
    asker.count("read", Some(7_009));
}

/// What else the metrics must show after all this.
async fn others(counted: &Scrape) {
    let one = |series: &str| counted.get(series);
    assert_eq!(one("wattseal_last_committed_day{utility=\"utility\"}"), f64::from(day(DAYS - 1).0));
    assert_eq!(one("wattseal_feed_files{state=\"done\"}"), 1.0);
    assert_eq!(one("wattseal_requests_done_total{kind=\"relay\"}"), 8.0, "two claims and six consents");
    assert_eq!(one("wattseal_requests_done_total{kind=\"delivery\"}"), 1.0);
    assert_eq!(one("wattseal_request_delay_seconds_count{kind=\"delivery\"}"), 1.0);
    assert_eq!(one("wattseal_feed_file_lag_seconds_count"), 1.0);
    assert_eq!(one("wattseal_runtime_approved"), 1.0);
    for (none, most) in [
        ("wattseal_requests_pending{kind=\"delivery\"}", 0.0),
        ("wattseal_vault_missing_batches", 0.0),
        ("wattseal_outbox_batches", 0.0),
        ("wattseal_feed_lag_seconds", 0.0),
        ("wattseal_feed_refused_rows", 0.0),
        ("wattseal_worker_failures_total", 0.0),
        ("wattseal_feed_listing_age_seconds", 60.0),
        ("wattseal_worker_run_age_seconds", 60.0),
        ("wattseal_finalised_age_seconds", 60.0),
    ] {
        assert!(one(none) <= most, "{none} is {}", one(none));
    }
    for some in ["worker_runs_total", "vault_batches", "vault_cells", "vault_receipts", "vault_bytes"] {
        assert!(one(&format!("wattseal_{some}")) > 0.0, "{some}");
    }
    assert!(one("wattseal_read_bytes_served_total") > 0.0);
}

/// The log, down to its details, names no reader, secret or meter owner; and the node ends without a complaint.
fn nothing_personal(scene: Scene) {
    let Scene { node, vendor, customer, retailer, standing, .. } = scene;
    let log = node.stop();
    let esi_id = smart_meter_texas::generate::Home::new(7, 0).esi_id();
    let mut names = vec![esi_id.as_str().to_owned(), hex::encode(standing.secret.0)];
    for account in [vendor.account(), customer.account(), &retailer] {
        names.extend([hex::encode(account.id()), wattseal_client::chain::ss58(&account.id())]);
    }
    for name in names {
        assert!(!log.contains(&name), "the log has {name}");
    }
    assert!(log.contains("was refused: not_the_grantee"), "details are logged");
    assert!(!log.contains("Essential task"), "{log}");
}
