//! Other people's clients: polkadot.js as npm serves it.

use crate::harness::{workspace, Node, Process};
use sealed_register::{
    delivery::Purpose, grantee::grantee_hash, hex, Channels, DayRange, Level, OperatingDay, OrganisationId,
};
use serde_json::json;
use smart_meter_texas::generate::Home;
use std::{fs, path::Path, process::Command, time::Duration};
use wattseal_client::{
    chain::{ss58, types::MeterClass},
    utility::{sync_meters, MeterRow},
    vendor::Draft,
    Account, Chain, Customer, Phrase, Profile, Vendor,
};

/// Installs what the script needs, from its lock file, if it is not there.
fn install(folder: &Path) {
    if folder.join("node_modules/@polkadot/api").is_dir() {
        return;
    }
    let status = Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(folder).status();
    assert!(status.expect("npm is there (scripts/setup)").success(), "npm ci failed in {}", folder.display());
}

/// A consent that a customer signed, as the script takes it.
async fn consent(chain: &Chain, folder: &Path) -> serde_json::Value {
    let utility: OrganisationId = "utility".parse().unwrap();
    let day = |text: &str| text.parse::<OperatingDay>().unwrap();
    let row = MeterRow {
        line: 1,
        esi_id: Home::new(7, 0).esi_id().as_str().into(),
        class: MeterClass::Residential,
        channels: Channels::Both,
        tenancy_start: day("2022-01-01"),
        tenancy: 0,
        ticket_issue: None,
    };
    let account = Account::from_suri("//Utility").unwrap();
    let synced = sync_meters(chain, &account, utility, &[row], &mut |_| {}).await.unwrap();
    assert_eq!(synced.added, 1);
    let ticket = &synced.tickets[0].link;
    let customer = Customer::from_account(Account::from_phrase(&Phrase::generate().unwrap()).unwrap());
    customer.claim(chain, ticket, Duration::from_secs(90)).await.unwrap();

    let today = chain.finalized().await.unwrap().today().await.unwrap();
    let vendor = Vendor::new(Account::from_suri("//Vendor").unwrap(), Profile::open(folder.join("vendor")).unwrap());
    let draft = Draft {
        name: sealed_register::statement::VendorName::new("Vendor").unwrap(),
        utility: None,
        channels: Channels::Consumption,
        level: Level::Day,
        data: DayRange::new(day("2022-03-01"), day("2023-02-28")).unwrap(),
        access: DayRange::new(today, OperatingDay(today.0 + 30)).unwrap(),
        purpose: Purpose::EnergyAdvice,
        language: sealed_register::plain_words::Language::English,
        reference: sealed_register::statement::Reference::new("test").unwrap(),
        expires: OperatingDay(today.0 + 7),
    };
    let request = vendor.make_request(chain, &draft).await.unwrap().statement;
    let signed = customer.sign_request(chain, &request, utility, ticket.meter).await.unwrap();
    let (terms, statement) = (signed.statement.terms, &signed.statement);
    assert_eq!(terms.grantee, grantee_hash(&request.vendor, &request.secret.0));
    let days = |range: DayRange| json!({ "first": range.first.0, "last": range.last.0 });
    json!({
        "terms": {
            "utility": "utility",
            "meter": terms.meter.to_string(),
            "grantee": hex(&terms.grantee),
            "channels": "Consumption",
            "level": "Day",
            "data": days(terms.data),
            "access": days(terms.access),
            "purpose": "EnergyAdvice",
            "textHash": hex(&terms.text_hash),
        },
        "customer": ss58(&statement.customer),
        "lastBlock": statement.last_valid_block,
        "signature": hex(&signed.signature),
    })
}

#[test]
fn clients_polkadot_js() {
    let scripts = workspace().join("tests/clients");
    install(&scripts);
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(&folder.path().join("node"));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let fixture = runtime.block_on(async { consent(&node.chain().await, folder.path()).await });
    let file = folder.path().join("consent.json");
    fs::write(&file, fixture.to_string()).unwrap();
    let mut command = Command::new("node");
    command.arg(scripts.join("polkadot-js.mjs")).arg(&node.url).arg(&file).current_dir(&scripts);
    let mut process = Process::start(&mut command);
    let status = process.wait(Duration::from_secs(180));
    let said = process.lines().join("\n");
    assert!(status.success() && said.contains("finalised"), "{status}\n{said}\n{fixture:#}");
}
