//! What must hold for any extrinsics: whatever is sent, in whatever order, the runtime never panics, and after each one
//! everything that the four pallets say of their storage holds.
//!
//! A run begins with the genesis of the development chain and plays what the bytes say: blocks, calls by known accounts that
//! fit together (so that meters are claimed, consents given, keys delivered, motions carried), calls decoded from bytes,
//! and extrinsics decoded from bytes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a panic is what the fuzzer looks for")]

pub mod calls;
pub mod chain;

use arbitrary::Unstructured;
use chain::Chain;
use codec::DecodeLimit;
use wattseal_fuzz::{
    edit::{below, byte, choose},
    Target,
};
use wattseal_runtime::{RuntimeCall, UncheckedExtrinsic};

/// The runtime.
pub const TARGET: Target = Target { name: "runtime", run };

/// Most steps of one run.
const MOST_STEPS: usize = 40;

/// How deep calls may nest, as in the runtime itself.
const DEPTH: u32 = 256;

/// Plays the steps that the bytes describe.
pub fn run(data: &[u8]) {
    let mut input = Unstructured::new(data);
    chain::on_development_chain(|chain| {
        for _ in 0..MOST_STEPS {
            if input.is_empty() {
                break;
            }
            step(&mut input, chain);
        }
    });
}

/// One step of a play.
pub fn step(input: &mut Unstructured<'_>, chain: &mut Chain) {
    match byte(input) % 32 {
        0 => chain.next(1, 1),
        1 => {
            let blocks = *choose(input, &[1, 2, 150, 151, 300, 4_097]);
            // A slot has two seconds: a day, 31 days, 13 months.
            let slots = *choose(input, &[1, 43_200, 31 * 43_200, 400 * 43_200]);
            chain.next(blocks, slots);
        }
        2 => {
            if let Some(extrinsic) = decoded::<UncheckedExtrinsic>(input).filter(may_come_from_anybody) {
                let _ = chain.apply(extrinsic);
            }
        }
        3 => {
            let (_, call) = any_call(input);
            if may_be_carried_out(&call) && !matches!(call, RuntimeCall::Timestamp(_)) {
                let _ = chain.apply(UncheckedExtrinsic::new_bare(call.clone()));
                let _ = chain.apply(UncheckedExtrinsic::new_transaction(call, chain.extension(0, 1)));
            }
        }
        4 => calls::ask(input),
        5 | 6 => {
            let call = calls::of_the_council(input, |input| any_call(input).1);
            if may_be_carried_out(&call) {
                calls::carry(chain, call);
            }
        }
        7 | 8 => {
            // With a nonce or an era that may not fit.
            let (who, call) = any_call(input);
            if may_be_carried_out(&call) {
                let (ahead, age) = (u32::from(byte(input) % 20), u32::from(byte(input) % 5));
                chain.send_with(who, call, ahead, age);
            }
        }
        _ => {
            let (who, call) = any_call(input);
            if may_be_carried_out(&call) {
                chain.send(who, call);
            }
        }
    }
}

/// A signer and a call: mostly one that makes sense, sometimes one decoded from bytes.
fn any_call(input: &mut Unstructured<'_>) -> (usize, RuntimeCall) {
    if byte(input) < 24 {
        let who = below(input, chain::SIGNERS.len());
        if let Some(call) = decoded::<RuntimeCall>(input) {
            return (who, call);
        }
    }
    calls::sensible(input)
}

fn decoded<T: DecodeLimit>(input: &mut Unstructured<'_>) -> Option<T> {
    let length = below(input, 1_500).min(input.len());
    T::decode_with_depth_limit(DEPTH, &mut input.bytes(length).unwrap_or_default()).ok()
}

/// The council may do anything with the storage, by Root's own calls; that is not what is tested here.
fn may_be_carried_out(call: &RuntimeCall) -> bool {
    match call {
        RuntimeCall::Council(
            pallet_collective::Call::propose { proposal: inner, .. }
            | pallet_collective::Call::execute { proposal: inner, .. },
        )
        | RuntimeCall::Participants(pallet_participants::Call::enact { call: inner }) => {
            !matches!(**inner, RuntimeCall::System(_)) && may_be_carried_out(inner)
        }
        _ => true,
    }
}

/// The block's author alone puts the time into a block, and a wrong one makes the block invalid, by a panic.
fn may_come_from_anybody(extrinsic: &UncheckedExtrinsic) -> bool {
    !matches!(extrinsic.function, RuntimeCall::Timestamp(_)) && may_be_carried_out(&extrinsic.function)
}
