//! Receipts form a chain without gaps, and a request is answered once.

use crate::common::{open, utility, Utility, FIRST_DAY, GENESIS};
use sealed_register::{
    statement::{Receipt, Statement},
    DayRange, Hash, Level, OperatingDay,
};
use wattseal_vault::{ReadNonce, StoredReceipt, Vault, VaultError};

fn nonce(nonce: u8, block: u32) -> ReadNonce {
    ReadNonce { reader: [5; 32], nonce: [nonce; 16], block }
}

fn receipt(number: u64, previous: Hash, block: u32) -> Receipt {
    Receipt {
        genesis: GENESIS,
        vault: [1; 32],
        number,
        previous,
        request: [3; 32],
        cells: 1,
        bytes: 300,
        level: Level::Day,
        range: DayRange { first: OperatingDay(FIRST_DAY), last: OperatingDay(FIRST_DAY) },
        head_sequence: Some(0),
        block,
        block_hash: [4; 32],
    }
}

fn append(vault: &Vault, made: &Utility, meter: u32, used: ReadNonce, head: u32) -> Result<StoredReceipt, VaultError> {
    let make = |number, previous| Ok((receipt(number, previous, head), [number as u8; 64]));
    vault.append_receipt(&used, head, &utility(), &made.meter(meter), make)
}

#[test]
fn receipts_follow_each_other_over_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let made = Utility::new();
    for round in 0..3_u8 {
        let vault = open(&folder);
        for step in 0..4_u8 {
            append(&vault, &made, u32::from(step % 2), nonce(step, u32::from(round)), u32::from(round)).unwrap();
        }
    }
    let vault = open(&folder);
    let receipts: Vec<Receipt> =
        (0..12).map(|number| vault.receipt(number).unwrap().unwrap().receipt(number).unwrap()).collect();
    assert!(receipts.windows(2).all(|pair| pair[1].follows(&pair[0])));
    assert_eq!(vault.receipt(12).unwrap(), None);
    assert_eq!(vault.verify_all().unwrap().receipts, 12);

    let log = vault.access_log(&utility(), &made.meter(1), 0, 100).unwrap();
    let numbers: Vec<u64> = log.iter().map(|stored| Receipt::parse(&stored.text).unwrap().number).collect();
    assert_eq!(numbers, [1, 3, 5, 7, 9, 11]);
    assert_eq!(vault.access_log(&utility(), &made.meter(1), 4, 2).unwrap().len(), 2);
    assert!(vault.access_log(&utility(), &made.meter(9), 0, 100).unwrap().is_empty());

    // The root depends on every receipt and on the numbers, and exists only when all are there.
    let roots: Vec<Hash> = (0..12).map(|to| vault.receipt_root(0, to).unwrap().unwrap()).collect();
    assert!((0..12).all(|at| !roots[..at].contains(&roots[at])));
    assert_ne!(vault.receipt_root(1, 11).unwrap(), vault.receipt_root(0, 11).unwrap());
    assert_eq!(vault.receipt_root(0, 12).unwrap(), None);
}

#[test]
fn a_nonce_is_answered_once_and_forgotten_when_it_is_stale() {
    let folder = tempfile::tempdir().unwrap();
    let vault = open(&folder);
    let made = Utility::new();
    append(&vault, &made, 1, nonce(1, 100), 100).unwrap();
    assert!(vault.nonce_is_used(&nonce(1, 100)).unwrap());
    assert!(matches!(append(&vault, &made, 1, nonce(1, 100), 120), Err(VaultError::NonceUsed)));
    append(&vault, &made, 1, nonce(2, 100), 120).unwrap();
    assert!(vault.nonce_is_used(&nonce(1, 100)).unwrap());
    // 65 blocks later no request of block 100 is valid any more.
    append(&vault, &made, 1, nonce(3, 165), 165).unwrap();
    assert!(!vault.nonce_is_used(&nonce(1, 100)).unwrap());
    assert!(vault.nonce_is_used(&nonce(3, 165)).unwrap());
    vault.take_nonce(&nonce(4, 165), 165).unwrap();
    assert!(matches!(vault.take_nonce(&nonce(4, 165), 165), Err(VaultError::NonceUsed)));
    assert!(matches!(append(&vault, &made, 1, nonce(4, 165), 165), Err(VaultError::NonceUsed)));
}

#[test]
fn without_a_signature_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let vault = open(&folder);
    let made = Utility::new();
    let failing = vault.append_receipt(&nonce(1, 1), 1, &utility(), &made.meter(1), |_, _| Err("no key".into()));
    assert!(matches!(failing, Err(VaultError::Unsigned(reason)) if reason == "no key"));
    let skipping = |number: u64, previous| Ok((receipt(number + 1, previous, 1), [0; 64]));
    let wrong = vault.append_receipt(&nonce(1, 1), 1, &utility(), &made.meter(1), skipping);
    assert!(matches!(wrong, Err(VaultError::Unsigned(_))));
    assert!(!vault.nonce_is_used(&nonce(1, 1)).unwrap());
    append(&vault, &made, 1, nonce(1, 1), 1).unwrap();
    assert_eq!(vault.sizes().unwrap().receipts, 1);
}
