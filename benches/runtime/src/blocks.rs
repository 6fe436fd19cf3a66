//! `consents_per_second` and `empty_calls_per_second`: blocks of some hundred signed extrinsics.
//!
//! They are built as a block author builds them, never beyond the chain's own limit of weight, in the runtime's wasm over a
//! state in memory: signatures, nonces, budgets, the calls, events, and the header with its root of the state. A `remark` cannot be what they are compared with: this chain takes none (nothing here is free space). The
//! emptiest call that it takes stands in its place: `consents.expire` of a consent that does not exist, which is
//! admitted, counted and found to be nothing.
//!
//! What a running chain includes is less and does not depend on the processor: half a second of declared weight in each
//! slot of two seconds.

use crate::{chain::Chain, worker, Scale};
use pallet_consent::Call;
use sealed_register::{
    delivery::{ConsentTerms, Purpose},
    statement::{self, Statement},
    Channels, DayRange, Hash, Level, MeterId, OperatingDay,
};
use sp_core::{sr25519, Pair};
use wattseal_figures::{measure::Samples, Result};
use wattseal_runtime::{Runtime, RuntimeCall};

/// Accounts of members, which carry statements in turn: none of them uses its budget up.
const RELAYERS: [&str; 5] = ["//GridOperator", "//Utility", "//Retailer", "//Regulator", "//ConsumerCounsel"];

struct Relayer {
    pair: sr25519::Pair,
    nonce: u32,
}

/// A customer and her meter.
struct Customer {
    pair: sr25519::Pair,
    meter: MeterId,
}

fn pair(number: usize, what: u8) -> sr25519::Pair {
    let mut seed = [what; 32];
    seed[..8].copy_from_slice(&(number as u64).to_le_bytes());
    sr25519::Pair::from_seed(&seed)
}

fn meter(number: usize) -> MeterId {
    let mut id = [0xaa; 16];
    id[..8].copy_from_slice(&(number as u64).to_be_bytes());
    MeterId(id)
}

/// Blocks of consents and blocks of empty calls, in turn; gives both rates.
///
/// # Errors
/// If the chain refuses any of them.
pub fn measure(scale: &Scale) -> Result<(f64, f64)> {
    let mut chain = Chain::new()?;
    let genesis = chain.genesis().0;
    let mut relayers = RELAYERS
        .iter()
        .map(|seed| {
            Ok(Relayer {
                pair: sr25519::Pair::from_string(seed, None).map_err(|error| format!("{error:?}"))?,
                nonce: 0,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    let customers: Vec<_> =
        (0..scale.consents).map(|number| Customer { pair: pair(number, 1), meter: meter(number) }).collect();
    let meters: Vec<_> = customers.iter().map(|customer| customer.meter).collect();
    worker::sync(&mut chain, &meters, |number| pair(number, 2).public().0)?;
    let claims =
        (0..).zip(&customers).map(|(number, customer)| claim(genesis, number, customer)).collect::<Result<_>>()?;
    send(&mut chain, &mut relayers, claims, &mut Samples::new())?;

    let [mut consents, mut empty] = [const { Samples::new() }; 2];
    let (mut given, mut nothing) = (0, 0);
    for part in customers.chunks(scale.consents.div_ceil(scale.rounds as usize)) {
        let today = chain.today();
        let calls: Vec<_> = part.iter().map(|customer| consent(genesis, today, customer)).collect::<Result<_>>()?;
        given += calls.len();
        send(&mut chain, &mut relayers, calls, &mut consents)?;
        let expire = |number: usize| {
            let mut consent = [0; 32];
            consent[..8].copy_from_slice(&(number as u64).to_le_bytes());
            RuntimeCall::Consents(Call::expire { consent })
        };
        let calls: Vec<_> = (nothing..nothing + part.len()).map(expire).collect();
        nothing += calls.len();
        send(&mut chain, &mut relayers, calls, &mut empty)?;
    }
    let stand = chain.state.execute_with(|| pallet_consent::Consents::<Runtime>::iter().count());
    if stand != given {
        return Err(format!("{stand} of {given} consents stand on the chain").into());
    }
    println!("blocks: {given} consents, executed a second of processor time, block by block: {consents}");
    println!("blocks: {nothing} empty calls, executed a second of processor time, block by block: {empty}");
    Ok((consents.median(), empty.median()))
}

/// Sends the calls by the relayers in turn and builds blocks until all are in; the rate of each block goes into `rates`.
fn send(chain: &mut Chain, relayers: &mut [Relayer], calls: Vec<RuntimeCall>, rates: &mut Samples) -> Result<()> {
    let mut extrinsics = Vec::with_capacity(calls.len());
    let count = relayers.len();
    for (number, call) in calls.into_iter().enumerate() {
        let relayer = relayers.get_mut(number % count).ok_or("no relayers")?;
        extrinsics.push(chain.sign(&relayer.pair, relayer.nonce, call)?);
        relayer.nonce += 1;
    }
    let mut rest = extrinsics.as_slice();
    while !rest.is_empty() {
        let built = chain.block(rest)?;
        if built.applied == 0 {
            return Err("a block without room for one call".into());
        }
        rates.add(built.applied as f64 / built.seconds);
        rest = rest.get(built.applied..).unwrap_or_default();
    }
    Ok(())
}

fn claim(genesis: Hash, number: usize, customer: &Customer) -> Result<RuntimeCall> {
    let claim = statement::Claim {
        genesis,
        utility: worker::utility()?,
        meter: customer.meter,
        issue: 0,
        customer: customer.pair.public().0,
        kem_key: [5; 32],
        last_valid_block: 4_000,
    };
    Ok(RuntimeCall::Meters(pallet_meters::Call::claim {
        utility: claim.utility,
        meter: claim.meter,
        ticket_issue: claim.issue,
        customer: claim.customer.into(),
        kem_hash: claim.kem_key,
        last_block: claim.last_valid_block,
        signature: pair(number, 2).sign(&claim.message()).0,
    }))
}

fn consent(genesis: Hash, today: OperatingDay, customer: &Customer) -> Result<RuntimeCall> {
    let year = |first: OperatingDay| DayRange { first, last: OperatingDay(first.0 + 364) };
    let consent = statement::Consent {
        genesis,
        terms: ConsentTerms {
            utility: worker::utility()?,
            meter: customer.meter,
            grantee: [6; 32],
            channels: Channels::Both,
            level: Level::Hour,
            data: year(OperatingDay(wattseal_figures::feed::FIRST_DAY.0)),
            access: year(today),
            purpose: Purpose::EnergyAdvice,
            text_hash: [7; 32],
        },
        customer: customer.pair.public().0,
        last_valid_block: 4_000,
    };
    Ok(RuntimeCall::Consents(Call::consent {
        signature: customer.pair.sign(&consent.message()).0,
        terms: consent.terms,
        customer: consent.customer.into(),
        last_block: consent.last_valid_block,
    }))
}
