//! subxt's own typed interface, as anybody generates it from the node's metadata, with nothing of `wattseal-client` between.

use crate::clients::{days, Parties};
use sealed_register::Level;
use subxt::{config::SubstrateConfig, utils::AccountId32, OnlineClient};

// Generated: neither its documentation nor its style is ours.
#[allow(missing_docs, dead_code, clippy::all)]
#[subxt::subxt(runtime_metadata_path = "../client/metadata.scale")]
mod chain {}

use chain::{
    consents::events::ConsentGiven,
    runtime_types::sealed_register::{
        delivery::{ConsentTerms, Purpose},
        types::{Channels, DayRange, Level as LevelWord, MeterId, OperatingDay},
    },
};

fn range(days: sealed_register::DayRange) -> DayRange {
    DayRange { first: OperatingDay(days.first.0), last: OperatingDay(days.last.0) }
}

/// Reads, relays a consent, decodes the event, reads the consent back.
pub async fn relay(url: &str, parties: &Parties) {
    // What this file is generated from is what this node says.
    let described = parties.chain.rpc().metadata().await.unwrap();
    assert!(described == include_bytes!("../../client/metadata.scale"), "client/metadata.scale is of another runtime");

    let client = OnlineClient::<SubstrateConfig>::from_url(url).await.unwrap();
    let at = client.at_current_block().await.unwrap();
    let organisations = chain::storage().participants().organisations();
    let retailer = at.storage().fetch(organisations, ("retailer".to_owned(),)).await.unwrap().decode().unwrap();
    assert_eq!(retailer.name.0, b"Retailer (REP of record)");

    let signed = parties.consent(days("2026-03-01", "2026-03-31"), Level::Day).await;
    let terms = signed.statement.terms;
    let customer = AccountId32(signed.statement.customer);
    let call = chain::transactions().consents().consent(
        ConsentTerms {
            utility: terms.utility.to_string(),
            meter: MeterId(terms.meter.0),
            grantee: terms.grantee,
            channels: Channels::Consumption,
            level: LevelWord::Day,
            data: range(terms.data),
            access: range(terms.access),
            purpose: Purpose::EnergyAdvice,
            text_hash: terms.text_hash,
        },
        customer,
        signed.statement.last_valid_block,
        signed.signature,
    );
    let signer = subxt_signer::sr25519::Keypair::from_uri(&"//Retailer".parse().unwrap()).unwrap();
    let mut transactions = client.tx().await.unwrap();
    let sent = transactions.sign_and_submit_then_watch_default(&call, &signer).await.unwrap();
    let events = sent.wait_for_finalized_success().await.unwrap();
    let given = events.find_first::<ConsentGiven>().unwrap().unwrap();
    assert_eq!((given.consent, given.meter.0), (signed.statement.id(), terms.meter.0));
    assert!(matches!((given.level, given.channels), (LevelWord::Day, Channels::Consumption)));

    let at = client.at_current_block().await.unwrap();
    let consents = chain::storage().consents().consents();
    let stored = at.storage().fetch(consents, (given.consent,)).await.unwrap().decode().unwrap();
    assert_eq!((stored.grantee, stored.customer), (terms.grantee, customer));
    assert!(stored.ended.is_none());
}
