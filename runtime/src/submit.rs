//! How the worker signs its extrinsics: mortal, with a nonce that the worker chooses, from a key in the node's keystore.

use crate::{
    Address, Runtime, RuntimeCall, Signature, SignedPayload, System, TxExtension, UncheckedExtrinsic,
};
use codec::Encode;
use sp_core::{crypto::KeyTypeId, sr25519};
use sp_runtime::{generic::Era, traits::Verify, MultiSigner, SaturatedConversion};
