//! The development chain without a node: blocks are begun and ended as their author does it, extrinsics are signed and
//! applied as they come.

use codec::Encode;
use frame_support::storage::{with_transaction, TransactionOutcome};
use sp_consensus_aura::{Slot, AURA_ENGINE_ID};
use sp_core::{sr25519, storage::Storage, Pair};
use sp_runtime::{
    generic::{Digest, DigestItem, Era},
    traits::Header as _,
    ApplyExtrinsicResult, BuildStorage, DispatchError,
};
use sp_state_machine::BasicExternalities;
use std::sync::OnceLock;
use wattseal_primitives::SLOT_MILLISECONDS;
use wattseal_runtime::{
    genesis, AccountId, Address, BlockNumber, Consents, Executive, Hash, Header, Meters, Participants, Runtime,
    RuntimeCall, RuntimeGenesisConfig, Signature, SignedPayload, System, TxExtension, UncheckedExtrinsic, Usage,
};

/// The seeds of everybody who signs: the organisations and duty accounts of the genesis, customers, and accounts that have no
/// part yet.
pub const SIGNERS: [&str; 14] = [
    "//GridOperator",
    "//Utility",
    "//Retailer",
    "//Vendor",
    "//Regulator",
    "//ConsumerCounsel",
    "//Utility//feed",
    "//Utility//delivery",
    "//Customer",
    "//Neighbour",
    "//Stranger",
    "//NewAccount",
    "//NewVendor",
    "//NewDuty",
];

/// The key of one of [`SIGNERS`].
pub fn key(who: usize) -> &'static sr25519::Pair {
    static KEYS: OnceLock<Vec<sr25519::Pair>> = OnceLock::new();
    let keys =
        KEYS.get_or_init(|| SIGNERS.map(|seed| sr25519::Pair::from_string(seed, None).unwrap()).into_iter().collect());
    &keys[who % SIGNERS.len()]
}

/// The account of one of [`SIGNERS`].
pub fn account(who: usize) -> AccountId {
    key(who).public().into()
}

/// The state after the genesis, computed once.
fn genesis_state() -> &'static Storage {
    static STATE: OnceLock<Storage> = OnceLock::new();
    STATE.get_or_init(|| {
        let preset = genesis::preset(&sp_genesis_builder::DEV_RUNTIME_PRESET.into()).unwrap();
        let mut config = serde_json::to_value(RuntimeGenesisConfig::default()).unwrap();
        merge(&mut config, serde_json::from_slice(&preset).unwrap());
        serde_json::from_value::<RuntimeGenesisConfig>(config).unwrap().build_storage().unwrap()
    })
}

/// A preset is a patch of the default genesis.
fn merge(into: &mut serde_json::Value, patch: serde_json::Value) {
    match (into, patch) {
        (serde_json::Value::Object(into), serde_json::Value::Object(patch)) => {
            for (key, value) in patch {
                merge(into.entry(key).or_insert(serde_json::Value::Null), value);
            }
        }
        (into, patch) => *into = patch,
    }
}

/// A chain with a block begun.
pub struct Chain {
    number: BlockNumber,
    parent: Hash,
    slot: u64,
}

/// Plays on a fresh chain, inside its first block, and ends the last block.
pub fn on_development_chain(play: impl FnOnce(&mut Chain)) {
    BasicExternalities::new(genesis_state().clone()).execute_with(|| {
        // 2026-01-01.
        let mut chain = Chain { number: 0, parent: System::block_hash(0), slot: 1_767_225_600_000 / SLOT_MILLISECONDS };
        chain.begin(1, 1);
        play(&mut chain);
        chain.end();
    });
}

impl Chain {
    /// Ends the block and begins one that comes so many blocks and slots later; nothing happens in those between.
    pub fn next(&mut self, blocks: BlockNumber, slots: u64) {
        self.end();
        self.begin(blocks, slots);
    }

    fn begin(&mut self, blocks: BlockNumber, slots: u64) {
        self.number += blocks;
        self.slot += slots;
        if blocks > 1 {
            // The author's parent is the block before, whichever it was.
            System::set_block_number(self.number - 1);
        }
        let slot = DigestItem::PreRuntime(AURA_ENGINE_ID, Slot::from(self.slot).encode());
        let digest = Digest { logs: vec![slot] };
        Executive::initialize_block(&Header::new(
            self.number,
            Default::default(),
            Default::default(),
            self.parent,
            digest,
        ));
        let time = pallet_timestamp::Call::<Runtime>::set { now: self.slot * SLOT_MILLISECONDS };
        let applied = Executive::apply_extrinsic(UncheckedExtrinsic::new_bare(time.into()));
        assert_eq!(applied, Ok(Ok(())), "the block's time");
        check();
    }

    fn end(&mut self) {
        self.parent = Executive::finalize_block().hash();
        check();
    }

    /// The extension of an extrinsic that is valid from `age` blocks before this one on.
    pub fn extension(&self, nonce: u32, age: u32) -> TxExtension {
        let anchor = self.number.saturating_sub(age);
        (
            frame_system::CheckNonZeroSender::new(),
            frame_system::CheckSpecVersion::new(),
            frame_system::CheckTxVersion::new(),
            frame_system::CheckGenesis::new(),
            pallet_participants::MortalOnly::from(Era::mortal(8, anchor.into())),
            pallet_participants::NonceWindow::from(nonce),
            frame_system::CheckWeight::new(),
            pallet_participants::CheckParticipation::new(),
            frame_system::WeightReclaim::new(),
        )
    }

    /// Signs and applies a call as everybody's client does.
    pub fn send(&self, who: usize, call: RuntimeCall) -> Option<ApplyExtrinsicResult> {
        self.send_with(who, call, 0, 1)
    }

    /// The same with a nonce `ahead` of the account's, and an era from `age` blocks ago; nothing if the chain does not know
    /// that block's hash, without which no client can sign.
    pub fn send_with(&self, who: usize, call: RuntimeCall, ahead: u32, age: u32) -> Option<ApplyExtrinsicResult> {
        let nonce = System::account_nonce(account(who)) + ahead;
        let payload = SignedPayload::new(call, self.extension(nonce, age)).ok()?;
        let signature = Signature::Sr25519(payload.using_encoded(|bytes| key(who).sign(bytes)));
        let (call, extension, _) = payload.deconstruct();
        Some(self.apply(UncheckedExtrinsic::new_signed(call, Address::Id(account(who)), signature, extension)))
    }

    /// Applies an extrinsic as a block's author does: one that does not belong into the block leaves no trace.
    pub fn apply(&self, extrinsic: UncheckedExtrinsic) -> ApplyExtrinsicResult {
        let outcome = with_transaction(|| {
            let applied = Executive::apply_extrinsic(extrinsic);
            match applied {
                Ok(_) => TransactionOutcome::Commit(Ok::<_, DispatchError>(applied)),
                Err(_) => TransactionOutcome::Rollback(Ok(applied)),
            }
        });
        check();
        outcome.expect("not too many transactions inside each other")
    }
}

/// What the pallets say of their storage.
fn check() {
    Participants::do_try_state().expect("participants");
    Meters::do_try_state().expect("meters");
    Usage::do_try_state().expect("usage");
    Consents::do_try_state().expect("consents");
    let providers = frame_system::Account::<Runtime>::iter().all(|(_, account)| account.providers > 0);
    assert!(providers, "no account is ever left without its provider");
}
