//! `wasm_readings_per_second` and `chain_bytes_per_reading`: the utility's worker.
//!
//! The runtime's own entry, `offchain_worker`, is called in its wasm and does all that it does on a utility's node: it
//! lists the feed, fetches the file, parses, looks every meter and version up, seals, builds batches and writes them into
//! the off-chain database. HTTP, database and state are in memory. Then it signs the batches' commitments as on a node,
//! and a block takes them.

use crate::{
    chain::Chain,
    offchain::{Database, Feed, Submitted, FEED},
    Scale,
};
use codec::{Decode, Encode};
use sealed_register::{
    secrets::{secret_from_signature, secret_message},
    Channels, Hash, MeterId, OperatingDay, OrganisationId, Secret, SecretPurpose, UtilitySecrets,
};
use smart_meter_texas::MeterDay;
use sp_core::{
    ed25519,
    offchain::{OffchainDbExt, OffchainWorkerExt, TransactionPoolExt},
    sr25519,
    traits::CallContext,
    Pair,
};
use sp_keystore::{testing::MemoryKeystore, Keystore, KeystoreExt};
use std::collections::BTreeSet;
use wattseal_figures::{
    feed,
    measure::{on_processor, Samples},
    Result,
};
use wattseal_primitives::{
    keys::{DELIVERY, FEED as FEED_KEY, SEALING},
    meters::{MeterClass, MeterEntry},
    offchain::{staged_key, Finalised, OutboxEntry, WorkerConfig, CONFIG, FINALISED, OUTBOX},
};
use wattseal_runtime::{RuntimeCall, UncheckedExtrinsic};

/// The utility of the development genesis.
pub fn utility() -> Result<OrganisationId> {
    Ok(OrganisationId::new("utility")?)
}

/// Its feed account.
pub fn feed_account() -> Result<sr25519::Pair> {
    sr25519::Pair::from_string("//Utility//feed", None).map_err(|error| format!("{error:?}").into())
}

/// Figures of the worker.
pub struct Figures {
    /// Readings a second of processor time.
    pub readings_per_second: f64,
    /// What batches leave on chain, bytes for each reading.
    pub chain_bytes_per_reading: f64,
}

/// Lets the worker seal a file over and over, and commit it once.
///
/// # Errors
/// If it does not do what it should.
pub fn measure(scale: &Scale) -> Result<Figures> {
    let calendar = feed::calendar()?;
    let days: Vec<_> = (0..scale.homes).flat_map(|home| feed::year(home, &calendar)).collect();
    let readings: usize = days.iter().map(|day| day.intervals.len()).sum();
    let file = feed::file(&days, &calendar)?;
    let mut chain = Chain::new()?;
    register(&mut chain, &days)?;
    let (database, submitted) = (Database::default(), Submitted::default());
    equip(&mut chain, file, &database, &submitted)?;

    // The first run only lists: a file is read once two listings agree. It also compiles the wasm.
    run(&mut chain)?;
    let listed = database.lock().clone();
    let mut rates = Samples::new();
    for _ in 0..scale.rounds {
        database.lock().clone_from(&listed);
        let ((), seconds) = on_processor(|| run(&mut chain))?;
        rates.add(readings as f64 / seconds);
        let sealed: u32 = outbox(&database)?.iter().map(|entry| entry.cells).sum();
        if sealed as usize != days.len() {
            return Err(format!("the worker sealed {sealed} of {} days", days.len()).into());
        }
    }
    println!("wasm: the worker's whole run over {readings} readings, readings a second of processor time: {rates}");

    let bytes = commit(&mut chain, &database, &submitted)?;
    let chain_bytes_per_reading = bytes as f64 / readings as f64;
    println!(
        "chain: {bytes} bytes of extrinsics and state for {readings} readings in {} batches: {chain_bytes_per_reading:.6} \
         bytes a reading",
        outbox(&database)?.len()
    );
    Ok(Figures { readings_per_second: rates.median(), chain_bytes_per_reading })
}

fn outbox(database: &Database) -> Result<Vec<OutboxEntry>> {
    let bytes = database.lock().get(OUTBOX).cloned().ok_or("the worker sealed nothing")?;
    Ok(Vec::decode(&mut &bytes[..])?)
}

/// The utility's secrets, derived as its node derives them.
fn secrets(genesis: Hash) -> Result<UtilitySecrets> {
    let utility = utility()?;
    let pair = ed25519::Pair::from_string("//Utility//sealing", None).map_err(|error| format!("{error:?}"))?;
    let secret = |purpose| -> Secret {
        secret_from_signature(purpose, &pair.sign(&secret_message(&genesis, &utility, purpose)).0)
    };
    Ok(UtilitySecrets {
        id: secret(SecretPurpose::Id),
        seal: secret(SecretPurpose::Seal { generation: 0 }),
        siv: secret(SecretPurpose::Siv),
        ticket: secret(SecretPurpose::Ticket),
        generation: 0,
    })
}

/// Registers the meters of the days.
fn register(chain: &mut Chain, days: &[MeterDay]) -> Result<()> {
    let secrets = secrets(chain.genesis().0)?;
    let ids: BTreeSet<_> = days.iter().map(|day| day.esi_id).collect();
    let meters: Vec<_> = ids.iter().map(|id| secrets.meter_id(id.as_str(), 0)).collect();
    sync(chain, &meters, |_| [1; 32])
}

/// Puts meters on the chain, in as many blocks as it takes.
///
/// # Errors
/// If the chain refuses.
pub fn sync(chain: &mut Chain, meters: &[MeterId], ticket_key: impl Fn(usize) -> Hash) -> Result<()> {
    let feed = feed_account()?;
    let entry = |(number, meter): (usize, &MeterId)| MeterEntry {
        meter: *meter,
        class: MeterClass::Residential,
        channels: Channels::Both,
        tenancy_start: OperatingDay(feed::FIRST_DAY.0),
        ticket_issue: 0,
        ticket_key: ticket_key(number),
    };
    let entries: Vec<_> = meters.iter().enumerate().map(entry).collect();
    for (nonce, part) in (0..).zip(entries.chunks(pallet_meters::MAX_ENTRIES as usize)) {
        let meters = part.to_vec().try_into().map_err(|_| "too many meters for one call")?;
        let call = RuntimeCall::Meters(pallet_meters::Call::sync { meters });
        let extrinsic = chain.sign(&feed, nonce, call)?;
        chain.block(&[extrinsic])?;
    }
    let known = chain.state.execute_with(|| pallet_meters::Meters::<wattseal_runtime::Runtime>::iter().count());
    if known != meters.len() {
        return Err(format!("{known} of {} meters were registered", meters.len()).into());
    }
    Ok(())
}

/// Gives the worker what its node would.
fn equip(chain: &mut Chain, file: Vec<u8>, database: &Database, submitted: &Submitted) -> Result<()> {
    // Sealing is as of a finalised block: the newest one's parent, after one that has all meters in its state.
    chain.block(&[])?;
    chain.block(&[])?;
    let keystore = MemoryKeystore::new();
    let refused = |error: sp_keystore::Error| error.to_string();
    let config = WorkerConfig {
        utility: utility()?,
        feed_url: FEED.into(),
        boot: [1; 16],
        sealing_key: keystore.ed25519_generate_new(SEALING, Some("//Utility//sealing")).map_err(refused)?.0,
        feed_key: keystore.sr25519_generate_new(FEED_KEY, Some("//Utility//feed")).map_err(refused)?.0,
        delivery_key: keystore.sr25519_generate_new(DELIVERY, Some("//Utility//delivery")).map_err(refused)?.0,
        check_value: None,
        generation: 0,
    };
    let finalised = Finalised { number: chain.head.number - 1, hash: chain.head.parent_hash.0 };
    database.lock().extend([(CONFIG.to_vec(), config.encode()), (FINALISED.to_vec(), finalised.encode())]);
    chain.state.register_extension(KeystoreExt::new(keystore));
    chain.state.register_extension(OffchainWorkerExt::new(Feed::new(file)));
    chain.state.register_extension(OffchainDbExt::new(database.clone()));
    chain.state.register_extension(TransactionPoolExt::new(submitted.clone()));
    Ok(())
}

/// One run of the worker at the newest block.
fn run(chain: &mut Chain) -> Result<()> {
    let header = chain.head.encode();
    chain.call("OffchainWorkerApi_offchain_worker", &header, CallContext::Offchain)?;
    chain.state.reset_overlay();
    Ok(())
}

/// Has the sealed batches signed and committed; gives the bytes of the extrinsics and of what they leave in the state.
fn commit(chain: &mut Chain, database: &Database, submitted: &Submitted) -> Result<usize> {
    let batches = outbox(database)?;
    for entry in &batches {
        // What the native task says when the body is in the vault.
        database.lock().insert(staged_key(entry.shard, entry.sequence), entry.body_hash.encode());
    }
    chain.block(&[])?;
    run(chain)?;
    let extrinsics = std::mem::take(&mut *submitted.lock());
    let bytes: usize = extrinsics.iter().map(Vec::len).sum();
    let decode = |bytes: &Vec<u8>| Ok(UncheckedExtrinsic::decode(&mut &bytes[..])?);
    let decoded = extrinsics.iter().map(decode).collect::<Result<Vec<_>>>()?;
    let before = usage_state(chain);
    chain.block(&decoded)?;
    let committed = chain.state.execute_with(wattseal_runtime::Usage::shards);
    let committed: u32 = committed.iter().map(|(.., shard)| shard.next_sequence).sum();
    if committed as usize != batches.len() {
        return Err(format!("{committed} of {} batches were committed", batches.len()).into());
    }
    Ok(bytes + usage_state(chain) - before)
}

/// Bytes of keys and values of the pallet that keeps batches.
fn usage_state(chain: &mut Chain) -> usize {
    let prefix = sp_io::hashing::twox_128(b"Usage");
    chain.state.execute_with(|| {
        let mut bytes = 0;
        let mut key = prefix.to_vec();
        while let Some(next) = sp_io::storage::next_key(&key).filter(|next| next.starts_with(&prefix)) {
            bytes += next.len() + sp_io::storage::get(&next).map_or(0, |value| value.len());
            key = next;
        }
        bytes
    })
}
