//! A chain with everything that can refuse a reader: consents that stand, are ended in every way, or are somebody
//! else's.

use crate::{
    feed_server::FeedServer,
    harness::{program, Node},
    utility,
};
use sealed_register::{
    delivery::Purpose,
    grantee::{grantee_hash, GranteeSecret},
    plain_words::Language,
    statement::{Reference, VendorName},
    Channels, DayRange, Hash, Level, MeterId, OperatingDay,
};
use serde_json::Value;
use smart_meter_texas::{
    generate::{self, Home},
    Calendar,
};
use std::{fs, path::Path, process::Command, time::Duration};
use subxt::dynamic::Value as Dynamic;
use wattseal_client::{
    chain::types::{Consent, ConsentEnd, Meter, MeterClass},
    utility::{sync_meters, MeterRow},
    vendor::Draft,
    Access, Account, Call, Chain, Customer, Phrase, Profile, Vendor,
};

/// How long anything may take.
pub const PATIENCE: Duration = Duration::from_secs(120);
/// First of the days that are published.
pub const FIRST: &str = "2026-03-02";
/// How many there are.
pub const DAYS: u16 = 10;

/// A consent and what its reader must show.
#[derive(Clone, Copy, Debug)]
pub struct Given {
    /// The consent.
    pub id: Hash,
    /// Its request's secret.
    pub secret: GranteeSecret,
    /// Its meter.
    pub meter: MeterId,
}

/// Everything.
pub struct Scene {
    /// The node.
    pub node: Node,
    /// Its chain.
    pub chain: Chain,
    /// Readers.
    pub vendor: Vendor,
    /// An organisation that is no vendor.
    pub retailer: Account,
    /// An account that speaks for nobody.
    pub stranger: Account,
    /// Who holds both meters.
    pub customer: Customer,
    /// Lets the vendor read hours of consumption of eight of the ten days.
    pub standing: Given,
    /// The same of the other meter, whose tenancy has ended since.
    pub other: Given,
    /// Lets a retailer read, who is no vendor.
    pub retailers: Given,
    /// Consents that do not let anybody read (any more), with the code of the reason.
    pub ended: Vec<(Given, i32)>,
}

/// A day of the published ones, from 0.
pub fn day(number: u16) -> OperatingDay {
    let first: OperatingDay = FIRST.parse().unwrap();
    OperatingDay(first.0 + number)
}

/// The days that consents are about.
pub fn granted() -> DayRange {
    DayRange::new(day(1), day(DAYS - 2)).unwrap()
}

/// Keys of the genesis state: pallet, storage item, and a part for each key of the map (Blake2_128Concat).
fn storage_key(pallet: &str, item: &str, parts: &[&[u8]]) -> String {
    let mut key =
        [sp_crypto_hashing::twox_128(pallet.as_bytes()), sp_crypto_hashing::twox_128(item.as_bytes())].concat();
    for part in parts {
        key.extend(sp_crypto_hashing::blake2_128(part));
        key.extend_from_slice(part);
    }
    format!("0x{}", hex::encode(key))
}

/// Writes a development chain's specification whose genesis holds consents that expired: no test can wait for a day to
/// pass. One has been ended by the chain, of the other only the time is over.
fn chain_with_the_past(file: &Path) -> Vec<(Given, i32)> {
    let made = Command::new(program("wattseal-node")).args(["export-chain-spec", "--chain", "dev", "--raw"]).output();
    let mut spec: Value = serde_json::from_slice(&made.unwrap().stdout).unwrap();
    let mut put = |key: String, value: Vec<u8>| {
        spec["genesis"]["raw"]["top"][key] = Value::String(format!("0x{}", hex::encode(value)));
    };
    let (utility, vendor) = (utility::name(), "vendor".parse().unwrap());
    let meter = Meter {
        class: MeterClass::Residential,
        channels: Channels::Both,
        tenancy_start: OperatingDay(0),
        tenancy_end: None,
        ticket_issue: 0,
        ticket_key: [0; 32],
        claim: None,
        epoch: 0,
        epoch_since: 0,
    };
    let expired = [(1, None), (2, Some((ConsentEnd::Expired, 0)))].map(|(number, ended)| {
        let given = Given { id: [number; 32], secret: GranteeSecret([number; 32]), meter: MeterId([number; 16]) };
        let consent = Consent {
            utility,
            meter: given.meter,
            customer: [9; 32],
            grantee: grantee_hash(&vendor, &given.secret.0),
            channels: Channels::Consumption,
            level: Level::Hour,
            data: granted(),
            access: DayRange::new(OperatingDay(8_000), OperatingDay(8_030)).unwrap(),
            purpose: Purpose::EnergyAdvice,
            text_hash: [0; 32],
            given_at: 0,
            ended,
        };
        let utility = codec::Encode::encode(&utility);
        put(storage_key("Meters", "Meters", &[&utility, &given.meter.0]), codec::Encode::encode(&meter));
        put(storage_key("Consents", "Consents", &[&given.id]), codec::Encode::encode(&consent));
        (given, EXPIRED)
    });
    fs::write(file, spec.to_string()).unwrap();
    expired.into()
}

/// Codes of reasons that depend on the consent's state.
const REVOKED: i32 = 7_105;
const EXPIRED: i32 = 7_106;
const GIVEN_BACK: i32 = 7_107;
const TENANCY_ENDED: i32 = 7_108;
const NOT_YET: i32 = 7_109;

impl Scene {
    /// Plays everything that comes before the reads.
    pub async fn new(folder: &Path) -> Self {
        let spec = folder.join("spec.json");
        let mut ended = chain_with_the_past(&spec);
        let feed = FeedServer::start();
        let calendar = Calendar::us_rule(2007, 2089).unwrap();
        let mut file = Vec::new();
        let smt = |day: OperatingDay| smart_meter_texas::OperatingDay(day.0);
        generate::write_csv(generate::homes(7, 1), &calendar, smt(day(0))..=smt(day(DAYS - 1)), &mut file).unwrap();
        feed.put("days.csv", file);
        let mut node = Node::start_with(
            &folder.join("node"),
            &[
                "--chain",
                spec.to_str().unwrap(),
                "--validator",
                "--force-authoring",
                "--unsafe-force-node-key-generation",
                "--dev-seed=//GridOperator",
                "--utility=utility",
                "--feed-url",
                &feed.url,
                "-lwattseal=debug",
            ],
        );
        let chain = node.chain().await;
        let profile = |name: &str| Profile::open(folder.join(name)).unwrap();
        let vendor = Vendor::new(Account::from_suri("//Vendor").unwrap(), profile("vendor"));
        let retailer = Account::from_suri("//Retailer").unwrap();
        let as_vendor = Vendor::new(retailer.clone(), profile("retailer"));
        let customer = Customer::from_account(Account::from_phrase(&Phrase::generate().unwrap()).unwrap());

        // Two meters of one customer, the second without generation.
        let row = |number: u32, channels| MeterRow {
            line: 1,
            esi_id: Home::new(7, number).esi_id().as_str().into(),
            class: MeterClass::Residential,
            channels,
            tenancy_start: "2026-01-01".parse().unwrap(),
            tenancy: 0,
            ticket_issue: None,
        };
        let rows = [row(0, Channels::Both), row(1, Channels::Consumption)];
        let own = Account::from_suri("//Utility").unwrap();
        let synced = sync_meters(&chain, &own, utility::name(), &rows, &mut |_| {}).await.unwrap();
        let [first, second] = [0, 1].map(|at| synced.tickets[at].link.clone());
        let (claimed, also, registered) = tokio::join!(
            customer.claim(&chain, &first, PATIENCE),
            customer.claim(&chain, &second, PATIENCE),
            vendor.register_key(&chain),
        );
        claimed.unwrap();
        also.unwrap();
        registered.unwrap();

        let today = chain.finalized().await.unwrap().today().await.unwrap();
        let give = async |vendor: &Vendor, meter: MeterId, from: u16| {
            let access = DayRange::new(OperatingDay(today.0 + from), OperatingDay(today.0 + 30)).unwrap();
            let request = vendor.make_request(&chain, &draft(access, today)).await.unwrap().statement;
            let signed = customer.sign_request(&chain, &request, utility::name(), meter).await.unwrap();
            vendor.relay(&chain, &signed).await.unwrap();
            Given { id: signed.statement.id(), secret: request.secret, meter }
        };
        let (standing, revoked, given_back, not_yet, other, retailers) = tokio::join!(
            give(&vendor, first.meter, 0),
            give(&vendor, first.meter, 0),
            give(&vendor, first.meter, 0),
            give(&vendor, first.meter, 2),
            give(&vendor, second.meter, 0),
            give(&as_vendor, first.meter, 0),
        );
        let close = Call::CloseMeter { meter: second.meter, last_day: today };
        let (revoking, giving_back, closing) = tokio::join!(
            customer.revoke(&chain, revoked.id),
            vendor.give_back(&chain, &given_back.id),
            chain.submit(&own, &close),
        );
        revoking.unwrap();
        giving_back.unwrap();
        closing.unwrap();
        ended.extend([(revoked, REVOKED), (given_back, GIVEN_BACK), (other, TENANCY_ENDED), (not_yet, NOT_YET)]);
        let is_done = |status: &Value| utility::state(status, "days.csv") == "done" && utility::is_settled(status);
        utility::wait(&mut node, "the file's days on chain", PATIENCE, is_done).await;
        let stranger = Account::from_phrase(&Phrase::generate().unwrap()).unwrap();
        Self { node, chain, vendor, retailer, stranger, customer, standing, other, retailers, ended }
    }

    /// The vendor collects its keys and fetches what it may. Gives the number of days.
    pub async fn fetch(&self) -> usize {
        let access = Access::own_node(&self.node.url).await.unwrap();
        let wanted = self.vendor.allowed(&access, &self.standing.id).await.unwrap();
        let fetched = self.vendor.fetch(&access, &self.standing.id, &wanted, None, PATIENCE, &|_| {}).await.unwrap();
        fetched.streams.iter().map(|stream| stream.days.len()).sum()
    }

    /// The council suspends the vendor: one member proposes, three of four vote, and the motion is carried out.
    pub async fn suspend_vendor(&self) {
        let client = subxt::OnlineClient::<subxt::SubstrateConfig>::from_url(&self.node.url).await.unwrap();
        let variant = |pallet: &str, call: &str, fields: Vec<(&str, Dynamic)>| {
            Dynamic::unnamed_variant(pallet, [Dynamic::named_variant(call, fields)])
        };
        let motion = variant("Participants", "suspend", vec![("id", Dynamic::string("vendor"))]);
        let send = async |seed: &str, call: &str, fields: Vec<(&str, Dynamic)>| {
            let payload = subxt::dynamic::tx("Council", call, Dynamic::named_composite(fields));
            let signer = subxt_signer::sr25519::Keypair::from_uri(&seed.parse().unwrap()).unwrap();
            let mut transactions = client.tx().await.unwrap();
            let sent = transactions.sign_and_submit_then_watch_default(&payload, &signer).await.unwrap();
            sent.wait_for_finalized_success().await.unwrap()
        };
        let length = Dynamic::u128(1_000);
        let proposed = send(
            "//GridOperator",
            "propose",
            vec![("threshold", Dynamic::u128(3)), ("proposal", motion), ("length_bound", length.clone())],
        )
        .await;
        let proposed = proposed.iter().map(Result::unwrap).find(|event| event.event_name() == "Proposed").unwrap();
        // Account, number, hash and threshold.
        let hash: [u8; 32] = proposed.field_bytes()[36..68].try_into().unwrap();
        let motion = || vec![("proposal", Dynamic::from_bytes(hash)), ("index", Dynamic::u128(0))];
        let vote = || [motion(), vec![("approve", Dynamic::bool(true))]].concat();
        tokio::join!(
            send("//GridOperator", "vote", vote()),
            send("//Utility", "vote", vote()),
            send("//Regulator", "vote", vote()),
        );
        let weight = [("ref_time", Dynamic::u128(1_000_000_000)), ("proof_size", Dynamic::u128(100_000))];
        let close = vec![
            ("proposal_hash", Dynamic::from_bytes(hash)),
            ("index", Dynamic::u128(0)),
            ("proposal_weight_bound", Dynamic::named_composite(weight)),
            ("length_bound", length),
        ];
        let closed = send("//GridOperator", "close", close).await;
        let names: Vec<String> = closed.iter().map(|event| event.unwrap().event_name().to_owned()).collect();
        assert!(names.iter().any(|name| name == "Suspended"), "{names:?}");
    }
}

/// What every vendor here asks for.
fn draft(access: DayRange, today: OperatingDay) -> Draft {
    Draft {
        name: VendorName::new("Vendor").unwrap(),
        utility: None,
        channels: Channels::Consumption,
        level: Level::Hour,
        data: granted(),
        access,
        purpose: Purpose::EnergyAdvice,
        language: Language::English,
        reference: Reference::new("test").unwrap(),
        expires: OperatingDay(today.0 + 7),
    }
}
