//! How the worker's calls become transactions: only a runtime knows its extrinsic format, so it provides this.

use sp_core::{crypto::KeyTypeId, sr25519};

/// Why a transaction did not get into the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// The keystore has no such key.
    #[error("the node's keystore has no such key: insert it, or correct the worker's configuration")]
    NotSigned,
    /// The pool refused it.
    #[error("the node's transaction pool refused the transaction: see the node's log for the refusal code")]
    NotAccepted,
    /// An argument exceeds its call's bound.
    #[error("the delivery is larger than a call may carry: the customer can give a consent for fewer days")]
    TooLarge,
}

/// Signs calls with keys of the node's keystore and submits them to the node's own pool.
pub trait SubmitSigned<Call> {
    /// Signs `call` with the sr25519 key `public` of type `key_type`, mortal, with exactly this nonce, and submits it.
    ///
    /// # Errors
    /// [`SubmitError`] says whether the key or the pool refused. That it is `Ok` only means that the pool has it.
    fn submit(public: sr25519::Public, key_type: KeyTypeId, call: Call, nonce: u32) -> Result<(), SubmitError>;
}
