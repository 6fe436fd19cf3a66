//! The worker's secrets and its lock.

use super::support::*;
use crate::worker::{
    keys::{secrets, KeysError, SealingKey},
    lock::{Lock, LOCK_MILLISECONDS},
    store::{Store, CHECK_VALUE},
};
use sp_core::{ed25519, Pair};
use std::cell::Cell;
use wattseal_primitives::offchain::WorkerConfig;

/// A keystore with one key, and its faults.
struct Keystore {
    pair: ed25519::Pair,
    hidden: bool,
    /// Signs every second time as another key.
    wavering: bool,
    calls: Cell<u32>,
}

fn keystore(seed: u8) -> Keystore {
    Keystore { pair: ed25519::Pair::from_seed(&[seed; 32]), hidden: false, wavering: false, calls: Cell::new(0) }
}

impl SealingKey for Keystore {
    fn sign(&self, _: &[u8; 32], message: &[u8]) -> Option<[u8; 64]> {
        self.calls.set(self.calls.get() + 1);
        let other = ed25519::Pair::from_seed(&[99; 32]);
        let pair = if self.wavering && self.calls.get().is_multiple_of(2) { &other } else { &self.pair };
        (!self.hidden).then(|| pair.sign(message).0)
    }
    fn verify(&self, public: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
        ed25519::Pair::verify(&ed25519::Signature::from_raw(*signature), message, &ed25519::Public::from_raw(*public))
    }
}

fn config_of(keystore: &Keystore) -> WorkerConfig {
    WorkerConfig { sealing_key: keystore.pair.public().0, ..config() }
}

#[test]
fn secrets_come_from_the_key_and_from_nothing_else() {
    let (keystore, mut store) = (keystore(1), MemStore::default());
    let config = config_of(&keystore);
    let first = secrets(&mut store, &keystore, &config, &GENESIS).unwrap();
    let again = secrets(&mut MemStore::default(), &keystore, &config, &GENESIS).unwrap();
    assert!(first.id == again.id && first.seal == again.seal && first.siv == again.siv && first.ticket == again.ticket);
    let other_chain = secrets(&mut MemStore::default(), &keystore, &config, &[1; 32]).unwrap();
    assert!(first.id != other_chain.id);
    // Another generation changes the sealing secret alone, and not the check value.
    let next = WorkerConfig { generation: 1, ..config };
    let next = secrets(&mut store, &keystore, &next, &GENESIS).unwrap();
    assert!(next.seal != first.seal && next.id == first.id && next.generation == 1);
}

#[test]
fn a_changed_key_seals_nothing() {
    let (old, new, mut store) = (keystore(1), keystore(2), MemStore::default());
    secrets(&mut store, &old, &config_of(&old), &GENESIS).unwrap();
    let check: [u8; 8] = store.read(CHECK_VALUE).unwrap();
    assert_eq!(secrets(&mut store, &new, &config_of(&new), &GENESIS).unwrap_err(), KeysError::Changed);
    assert_eq!(store.read::<[u8; 8]>(CHECK_VALUE), Some(check));
    // The native task's own copy counts too, should the database be lost.
    let kept = WorkerConfig { check_value: Some(check), ..config_of(&new) };
    assert_eq!(secrets(&mut MemStore::default(), &new, &kept, &GENESIS).unwrap_err(), KeysError::Changed);
    let kept = WorkerConfig { check_value: Some(check), ..config_of(&old) };
    assert!(secrets(&mut MemStore::default(), &old, &kept, &GENESIS).is_ok());
}

#[test]
fn faulty_keystores_are_named() {
    let mut store = MemStore::default();
    let hidden = Keystore { hidden: true, ..keystore(1) };
    assert_eq!(secrets(&mut store, &hidden, &config_of(&hidden), &GENESIS).unwrap_err(), KeysError::NotAvailable);
    let wavering = Keystore { wavering: true, ..keystore(1) };
    let error = secrets(&mut store, &wavering, &config_of(&wavering), &GENESIS).unwrap_err();
    assert_eq!(error, KeysError::NotDeterministic);
    let other = config_of(&keystore(2));
    assert_eq!(secrets(&mut store, &keystore(1), &other, &GENESIS).unwrap_err(), KeysError::InvalidSignature);
    assert_eq!(store.get(CHECK_VALUE), None);
}

#[test]
fn one_run_at_a_time() {
    let mut store = MemStore::default();
    let lock = Lock::acquire(&mut store, BOOT, 1_000).unwrap();
    assert!(Lock::acquire(&mut store, BOOT, 1_001).is_none());
    assert!(Lock::acquire(&mut store, BOOT, 1_000 + LOCK_MILLISECONDS - 1).is_none());
    lock.release(&mut store);
    assert!(Lock::acquire(&mut store, BOOT, 1_002).is_some());
}

#[test]
fn a_lock_lasts_while_it_is_extended() {
    let mut store = MemStore::default();
    let mut lock = Lock::acquire(&mut store, BOOT, 0).unwrap();
    assert!(lock.extend(&mut store, 9_000));
    assert!(Lock::acquire(&mut store, BOOT, 15_000).is_none());
    // A run that slept beyond its deadline lost it to another, and neither extends nor releases what is not its own.
    let mut other = Lock::acquire(&mut store, BOOT, 19_000).unwrap();
    assert!(!lock.extend(&mut store, 19_500));
    lock.release(&mut store);
    assert!(Lock::acquire(&mut store, BOOT, 19_600).is_none());
    assert!(other.extend(&mut store, 20_000));
}

#[test]
fn the_lock_of_a_killed_node_is_void() {
    let mut store = MemStore::default();
    let _killed = Lock::acquire(&mut store, BOOT, 0).unwrap();
    assert!(Lock::acquire(&mut store, [2; 16], 1).is_some());
    // Nonsense in its place is no lock either.
    store.set(crate::worker::store::LOCK, b"?");
    assert!(Lock::acquire(&mut store, BOOT, 2).is_some());
}
