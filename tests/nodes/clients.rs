//! Other people's clients, unmodified, on one real node. Each reads who is who, relays a consent that a customer signed,
//! waits for finality, decodes the event and reads the consent back.

use crate::{
    clients_subxt,
    harness::{program, workspace, Node, Process},
    utility,
};
use sealed_register::{
    delivery::Purpose,
    hex,
    plain_words::Language,
    statement::{Consent, Reference, Signed, VendorName},
    Channels, DayRange, Level, MeterId, OperatingDay,
};
use serde_json::{json, Value};
use smart_meter_texas::generate::Home;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};
use wattseal_client::{
    chain::{ss58, types::MeterClass},
    utility::{sync_meters, MeterRow},
    vendor::Draft,
    Account, Chain, Customer, Phrase, Profile, Vendor,
};

/// How long anything may take.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// A customer with a claimed meter, and a vendor that asks for its hours.
pub struct Parties {
    /// The chain.
    pub chain: Chain,
    /// The customer.
    pub customer: Customer,
    /// The vendor, with its profile in the folder `vendor`.
    pub vendor: Vendor,
    /// The meter: that of [`home`].
    pub meter: MeterId,
}

/// The customer's home.
pub fn home() -> Home {
    Home::new(7, 0)
}

impl Parties {
    /// Registers the meter, claims it.
    pub async fn new(chain: Chain, folder: &Path) -> Self {
        let row = MeterRow {
            line: 1,
            esi_id: home().esi_id().as_str().into(),
            class: MeterClass::Residential,
            channels: Channels::Both,
            tenancy_start: "2026-01-01".parse().unwrap(),
            tenancy: 0,
            ticket_issue: None,
        };
        let account = Account::from_suri("//Utility").unwrap();
        let synced = sync_meters(&chain, &account, utility::name(), &[row], &mut |_| {}).await.unwrap();
        let ticket = &synced.tickets[0].link;
        let customer = Customer::from_account(Account::from_phrase(&Phrase::generate().unwrap()).unwrap());
        customer.claim(&chain, ticket, PATIENCE).await.unwrap();
        let profile = Profile::open(folder.join("vendor")).unwrap();
        let vendor = Vendor::new(Account::from_suri("//Vendor").unwrap(), profile);
        Self { chain, customer, vendor, meter: ticket.meter }
    }

    /// A new consent, signed and not yet on chain.
    pub async fn consent(&self, data: DayRange, level: Level) -> Signed<Consent> {
        let today = self.chain.finalized().await.unwrap().today().await.unwrap();
        let draft = Draft {
            name: VendorName::new("Vendor").unwrap(),
            utility: None,
            channels: Channels::Consumption,
            level,
            data,
            access: DayRange::new(today, OperatingDay(today.0 + 30)).unwrap(),
            purpose: Purpose::EnergyAdvice,
            language: Language::English,
            reference: Reference::new("test").unwrap(),
            expires: OperatingDay(today.0 + 7),
        };
        let request = self.vendor.make_request(&self.chain, &draft).await.unwrap().statement;
        self.customer.sign_request(&self.chain, &request, utility::name(), self.meter).await.unwrap()
    }
}

/// Days from and to.
pub fn days(first: &str, last: &str) -> DayRange {
    DayRange::new(first.parse().unwrap(), last.parse().unwrap()).unwrap()
}

/// The development chain's specification as a light client takes it: its genesis, and the node's address as boot node.
pub async fn specification(node: &Node, folder: &Path) -> PathBuf {
    let made = Command::new(program("wattseal-node")).args(["export-chain-spec", "--chain", "dev", "--raw"]).output();
    let mut spec: Value = serde_json::from_slice(&made.unwrap().stdout).unwrap();
    spec["bootNodes"] = json!([node.peer().await]);
    let file = folder.join("chain.json");
    fs::write(&file, spec.to_string()).unwrap();
    file
}

/// A consent as the scripts take it.
fn fixture(signed: &Signed<Consent>) -> Value {
    let Consent { terms, customer, last_valid_block, .. } = &signed.statement;
    let days = |range: DayRange| json!({ "first": range.first.0, "last": range.last.0 });
    json!({
        "terms": {
            "utility": terms.utility.to_string(),
            "meter": terms.meter.to_string(),
            "grantee": hex(&terms.grantee),
            "channels": "Consumption",
            "level": "Day",
            "data": days(terms.data),
            "access": days(terms.access),
            "purpose": "EnergyAdvice",
            "textHash": hex(&terms.text_hash),
        },
        "customer": ss58(customer),
        "lastBlock": last_valid_block,
        "signature": hex(&signed.signature),
    })
}

/// What the scripts run with, installed from lock files where it is not there: PAPI wants a newer Node.js than Debian has.
struct Installed {
    node: PathBuf,
    python: PathBuf,
}

fn install(folder: &Path) -> Installed {
    let run = |command: &mut Command| {
        let status = command.current_dir(folder).status();
        let status = status.unwrap_or_else(|error| panic!("{command:?}: {error}; run scripts/setup"));
        assert!(status.success(), "{command:?} failed");
    };
    if !folder.join("node_modules/polkadot-api").is_dir() {
        run(Command::new("npm").arg("ci"));
    }
    let environment = folder.join(".venv");
    let (lock, installed) = (folder.join("requirements.txt"), environment.join("installed.txt"));
    if fs::read(&lock).ok() != fs::read(&installed).ok() {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment));
        run(Command::new(environment.join("bin/pip")).args(["install", "--quiet", "--no-deps", "-r"]).arg(&lock));
        fs::copy(&lock, &installed).unwrap();
    }
    let machine = if cfg!(target_arch = "aarch64") { "arm64" } else { "x64" };
    Installed {
        node: folder.join(format!("node_modules/node-linux-{machine}/bin/node")),
        python: environment.join("bin/python"),
    }
}

#[test]
fn clients_of_others() {
    let scripts = workspace().join("tests/clients");
    let Installed { node: javascript, python } = install(&scripts);
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(&folder.path().join("node"));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let parties = Parties::new(node.chain().await, folder.path()).await;
        let specification = specification(&node, folder.path()).await;
        let url = PathBuf::from(&node.url);
        for (client, program, script, source) in [
            ("polkadot.js", &javascript, "polkadot-js.mjs", &url),
            ("PAPI", &javascript, "papi.mjs", &url),
            ("smoldot", &javascript, "papi.mjs", &specification),
            ("substrate-interface", &python, "py-substrate-interface.py", &url),
        ] {
            let consent = fixture(&parties.consent(days("2026-03-01", "2026-03-31"), Level::Day).await);
            let file = folder.path().join("consent.json");
            fs::write(&file, consent.to_string()).unwrap();
            let mut command = Command::new(program);
            let mut process = Process::start(command.arg(scripts.join(script)).arg(source).arg(&file));
            let status = process.wait(PATIENCE);
            let said = process.lines().join("\n");
            let done = said.lines().any(|line| line.starts_with(client) && line.ends_with("and read back"));
            assert!(status.success() && done, "{client}: {status}\n{said}\n{consent:#}");
        }
        clients_subxt::relay(&node.url, &parties).await;
    });
}
