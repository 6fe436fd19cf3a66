//! Transactions: signed with a mortal era, watched until they are finalised.

use super::{
    api::{transactions, BoundedVec},
    Call, Chain,
};
use crate::{account::Account, chain::refusal::Refusal, ClientError, Result};
use futures::future::try_join_all;
use sealed_register::{finalized::BlockRef, Hash};
use std::time::Duration;
use subxt::{
    config::{DefaultExtrinsicParamsBuilder, SubstrateConfig},
    error::{
        BackendError, DispatchError, ExtrinsicError, RpcError, TransactionEventsError, TransactionProgressError,
        TransactionStatusError,
    },
    tx::Payload,
    utils::{AccountId32, Static},
};

/// Blocks for which a transaction is valid.
const MORTAL_BLOCKS: u64 = 256;

/// How long a transaction is waited for: its era and a minute.
const FINALITY: Duration = Duration::from_secs(2 * MORTAL_BLOCKS + 60);

/// Transactions of one account in flight at once; the chain takes 16.
const IN_FLIGHT: usize = 8;

/// A transaction that is finalised and succeeded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Included {
    /// The finalised block.
    pub block: BlockRef,
    /// Index of the extrinsic in the block.
    pub extrinsic: u32,
    /// Hash of the extrinsic.
    pub hash: Hash,
    /// What happened, in order.
    pub events: Vec<ChainEvent>,
}

impl Included {
    /// The encoded fields of the first event of this name.
    pub fn event(&self, pallet: &str, name: &str) -> Option<&[u8]> {
        let event = self.events.iter().find(|event| event.pallet == pallet && event.name == name);
        event.map(|event| event.fields.as_slice())
    }
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainEvent {
    /// The pallet.
    pub pallet: String,
    /// The event.
    pub name: String,
    /// Its fields, SCALE-encoded.
    pub fields: Vec<u8>,
}

impl Chain {
    /// Signs a call, sends it and waits until it is finalised.
    ///
    /// # Errors
    /// [`ClientError::Pool`], [`ClientError::PoolOther`], [`ClientError::Call`], [`ClientError::Connection`],
    /// [`ClientError::Incompatible`].
    pub async fn submit(&self, signer: &Account, call: &Call) -> Result<Included> {
        let nonce = self.rpc().next_nonce(&signer.id()).await?;
        self.submit_with_nonce(signer, call, nonce).await
    }

    /// Signs and sends calls in order, eight in flight, and waits until all are finalised. `done` is told of each.
    ///
    /// # Errors
    /// As [`Chain::submit`]: of the first that fails; calls after it may have been included.
    pub async fn submit_all(
        &self,
        signer: &Account,
        calls: &[Call],
        mut done: impl FnMut(&Included),
    ) -> Result<Vec<Included>> {
        let mut included = Vec::with_capacity(calls.len());
        for group in calls.chunks(IN_FLIGHT) {
            let first = self.rpc().next_nonce(&signer.id()).await?;
            let sent = (first..).zip(group).map(|(nonce, call)| self.submit_with_nonce(signer, call, nonce));
            for one in try_join_all(sent).await? {
                done(&one);
                included.push(one);
            }
        }
        Ok(included)
    }

    async fn submit_with_nonce(&self, signer: &Account, call: &Call, nonce: u64) -> Result<Included> {
        let name = call.name();
        match call {
            Call::SyncMeters(meters) => {
                let meters = BoundedVec(meters.iter().cloned().map(Static).collect());
                self.send(signer, name, nonce, &transactions().meters().sync(meters)).await
            }
            Call::CloseMeter { meter, last_day } => {
                let payload = transactions().meters().close(Static(*meter), Static(*last_day));
                self.send(signer, name, nonce, &payload).await
            }
            Call::Claim(signed) => {
                let claim = &signed.statement;
                let payload = transactions().meters().claim(
                    claim.utility.to_string(),
                    Static(claim.meter),
                    claim.issue,
                    AccountId32(claim.customer),
                    claim.kem_key,
                    claim.last_valid_block,
                    signed.signature,
                );
                self.send(signer, name, nonce, &payload).await
            }
            Call::Consent(signed) => {
                let consent = &signed.statement;
                let (terms, customer) = (Static(consent.terms), AccountId32(consent.customer));
                let last_block = consent.last_valid_block;
                let payload = transactions().consents().consent(terms, customer, last_block, signed.signature);
                self.send(signer, name, nonce, &payload).await
            }
            Call::Revoke(signed) => {
                let revoke = &signed.statement;
                let payload =
                    transactions().consents().revoke(revoke.consent, revoke.last_valid_block, signed.signature);
                self.send(signer, name, nonce, &payload).await
            }
            Call::Narrow(signed) => {
                let narrow = &signed.statement;
                let payload = transactions().consents().narrow(
                    narrow.consent,
                    Static(narrow.channels),
                    Static(narrow.level),
                    Static(narrow.data),
                    Static(narrow.access),
                    narrow.last_valid_block,
                    signed.signature,
                );
                self.send(signer, name, nonce, &payload).await
            }
            Call::Deliver { consent, epoch, segments, sealed } => {
                let segments = BoundedVec(segments.iter().copied().map(Static).collect());
                let payload = transactions().consents().deliver(*consent, *epoch, segments, BoundedVec(sealed.clone()));
                self.send(signer, name, nonce, &payload).await
            }
            Call::GiveBack { consent, secret } => {
                self.send(signer, name, nonce, &transactions().consents().give_back(*consent, secret.0)).await
            }
            Call::Expire(consent) => self.send(signer, name, nonce, &transactions().consents().expire(*consent)).await,
            Call::SetKemKey(key) => {
                let key = BoundedVec(key.as_bytes().to_vec());
                self.send(signer, name, nonce, &transactions().participants().set_kem_key(key)).await
            }
        }
    }

    async fn send<P: Payload>(
        &self,
        signer: &Account,
        name: &'static str,
        nonce: u64,
        payload: &P,
    ) -> Result<Included> {
        let at = self.online.at_current_block().await.map_err(|error| self.lost(error))?;
        let params = DefaultExtrinsicParamsBuilder::<SubstrateConfig>::new().mortal(MORTAL_BLOCKS).nonce(nonce).build();
        let mut transactions = at.transactions();
        let progress = transactions.sign_and_submit_then_watch(payload, signer.keypair(), params).await;
        let progress = progress.map_err(|error| self.not_sent(error))?;
        let finalized = tokio::time::timeout(FINALITY, progress.wait_for_finalized()).await;
        let finalized = finalized.map_err(|_| {
            ClientError::NotYet(format!("{name} is not finalised within {} s: look later", FINALITY.as_secs()))
        })?;
        let block = finalized.map_err(|error| self.not_included(error))?;
        let at_block = block.at().await.map_err(|error| self.lost(error))?;
        let number = u32::try_from(at_block.block_number()).unwrap_or(u32::MAX);
        let events = block.wait_for_success().await.map_err(|error| self.failed(name, number, error))?;
        let mut happened = Vec::new();
        for event in events.iter() {
            let event = event.map_err(|error| ClientError::Incompatible(format!("an event of {name}: {error}")))?;
            happened.push(ChainEvent {
                pallet: event.pallet_name().into(),
                name: event.event_name().into(),
                fields: event.field_bytes().to_vec(),
            });
        }
        Ok(Included {
            block: BlockRef { number, hash: block.block_hash().0 },
            extrinsic: u32::try_from(events.extrinsic_index()).unwrap_or(u32::MAX),
            hash: block.extrinsic_hash().0,
            events: happened,
        })
    }

    fn not_sent(&self, error: ExtrinsicError) -> ClientError {
        match error {
            ExtrinsicError::ErrorSubmittingTransaction(BackendError::Rpc(RpcError::ClientError(
                subxt_rpcs::Error::User(refused),
            ))) => {
                let data = refused.data.as_ref().map_or("", |data| data.get());
                pool(&format!("{} ({}): {data}", refused.message, refused.code))
            }
            ExtrinsicError::ErrorSubmittingTransaction(error) => self.lost(error),
            error @ (ExtrinsicError::AccountNonceError { .. } | ExtrinsicError::TransactionStatusStreamError(_)) => {
                self.lost(error)
            }
            error => ClientError::Incompatible(error.to_string()),
        }
    }

    fn not_included(&self, error: TransactionProgressError) -> ClientError {
        match error {
            TransactionProgressError::TransactionStatusError(
                TransactionStatusError::Invalid(message)
                | TransactionStatusError::Dropped(message)
                | TransactionStatusError::Error(message),
            ) => pool(&message),
            error => self.lost(error),
        }
    }

    fn failed(&self, call: &'static str, block: u32, error: TransactionEventsError) -> ClientError {
        let TransactionEventsError::ExtrinsicFailed(failed) = error else {
            return self.lost(error);
        };
        if let DispatchError::Module(module) = &failed {
            if let Ok(details) = module.details() {
                let explanation = details.variant.docs.join(" ").trim().to_owned();
                let (pallet, error) = (details.pallet.name().to_owned(), details.variant.name.clone());
                return ClientError::Call { call, block, pallet, error, explanation };
            }
        }
        let (pallet, explanation) = ("System".to_owned(), String::new());
        ClientError::Call { call, block, pallet, error: failed.to_string(), explanation }
    }
}

fn pool(message: &str) -> ClientError {
    match Refusal::from_message(message) {
        Some(refusal) => ClientError::Pool(refusal),
        None => ClientError::PoolOther(message.into()),
    }
}
