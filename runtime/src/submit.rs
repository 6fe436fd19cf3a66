//! How the worker signs its extrinsics: mortal, with a nonce that the worker chooses, by a key of the node's keystore.

use crate::{Address, RuntimeCall, Signature, SignedPayload, System, TxExtension, UncheckedExtrinsic};
use codec::Encode;
use pallet_usage::{SubmitError, SubmitSigned};
use sp_core::{crypto::KeyTypeId, sr25519};
use sp_runtime::generic::Era;

/// Life of a worker's extrinsic, blocks. A power of two, and far below the number of block hashes that the chain remembers.
const PERIOD: u64 = 64;

/// Signs and submits for the worker.
pub struct Worker;

impl SubmitSigned<RuntimeCall> for Worker {
    fn submit(public: sr25519::Public, key_type: KeyTypeId, call: RuntimeCall, nonce: u32) -> Result<(), SubmitError> {
        // The present block's own hash is not in its state yet: the era begins at its parent.
        let anchor = System::block_number().saturating_sub(1);
        let extension: TxExtension = (
            frame_system::CheckNonZeroSender::new(),
            frame_system::CheckSpecVersion::new(),
            frame_system::CheckTxVersion::new(),
            frame_system::CheckGenesis::new(),
            pallet_participants::MortalOnly::from(Era::mortal(PERIOD, anchor.into())),
            pallet_participants::NonceWindow::from(nonce),
            frame_system::CheckWeight::new(),
            pallet_participants::CheckParticipation::new(),
            frame_system::WeightReclaim::new(),
        );
        let payload = SignedPayload::new(call, extension).map_err(|_| SubmitError::NotSigned)?;
        let signature = payload
            .using_encoded(|bytes| sp_io::crypto::sr25519_sign(key_type, &public, bytes))
            .ok_or(SubmitError::NotSigned)?;
        let (call, extension, _) = payload.deconstruct();
        let extrinsic =
            UncheckedExtrinsic::new_signed(call, Address::Id(public.into()), Signature::Sr25519(signature), extension);
        sp_io::offchain::submit_transaction(extrinsic.encode()).map_err(|()| SubmitError::NotAccepted)
    }
}

/// Only to make sure that a worker's extrinsic never outlives the block hashes that prove its era.
const _: () = assert!(PERIOD < wattseal_primitives::BLOCK_HASH_COUNT as u64);
