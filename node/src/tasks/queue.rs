//! Takes requests out of the queue: when the finalised chain shows them done, when they can no longer come true, and
//! some time after the worker refused them (it looks at refused ones again meanwhile, since some reasons pass).

use crate::{
    chain::{Chain, ChainError},
    metrics::Metrics,
    offchain::{request_id, OffchainStore},
};
use sealed_register::{
    delivery::Deliverer,
    finalized::BlockRef,
    statement::{Claim, Consent, Narrow, Revoke, Statement},
};
use std::{collections::BTreeMap, sync::Arc};
use wattseal_primitives::offchain::{Outcome, QueuedRequest};

/// Blocks for which a refused request stays, so that the worker looks at it again.
const REFUSED_BLOCKS: u32 = 90;

/// The task.
pub struct Queue {
    chain: Arc<dyn Chain>,
    offchain: OffchainStore,
    metrics: Metrics,
    /// Finalised block at which a request was first seen refused.
    refused_at: BTreeMap<[u8; 32], u32>,
}

/// What the chain shows of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    /// Nothing yet.
    NotYet,
    /// Its effect.
    Done,
    /// That it can never come true.
    Never,
}

impl Queue {
    /// A task.
    pub fn new(chain: Arc<dyn Chain>, offchain: OffchainStore, metrics: Metrics) -> Self {
        Self { chain, offchain, metrics, refused_at: BTreeMap::new() }
    }

    /// Looks at every request.
    pub fn step(&mut self) {
        let queue = self.offchain.queue();
        if queue.is_empty() {
            self.refused_at.clear();
            return;
        }
        let at = self.chain.finalised();
        for request in queue {
            match self.shown(&at, &request) {
                Ok(Shown::Done) => self.leave(&request, true),
                Ok(Shown::Never) => self.leave(&request, false),
                Ok(Shown::NotYet) => self.drop_refused(&at, &request),
                Err(error) => log::error!(target: "wattseal::delivery", "a queued request was not looked at: {error}"),
            }
        }
    }

    fn leave(&self, request: &QueuedRequest, done: bool) {
        self.offchain.dequeue(request, done);
        self.metrics.left_queue(&request_id(request), request, done);
    }

    fn drop_refused(&mut self, at: &BlockRef, request: &QueuedRequest) {
        let id = request_id(request);
        match self.offchain.outcome(&id).map(|outcome| outcome.outcome) {
            Some(Outcome::Refused(_)) => {
                let since = *self.refused_at.entry(id).or_insert(at.number);
                if at.number.saturating_sub(since) >= REFUSED_BLOCKS {
                    self.refused_at.remove(&id);
                    self.leave(request, false);
                }
            }
            _ => {
                self.refused_at.remove(&id);
            }
        }
    }

    fn shown(&self, at: &BlockRef, request: &QueuedRequest) -> Result<Shown, ChainError> {
        match request {
            QueuedRequest::Consent { statement, .. } => self.shown_delivery(at, statement),
            QueuedRequest::MeterKey { statement, .. } => self.shown_meter_key(at, statement),
            QueuedRequest::Relay { statement, .. } => self.shown_relay(at, statement),
        }
    }

    fn shown_delivery(&self, at: &BlockRef, statement: &str) -> Result<Shown, ChainError> {
        let Ok(signed) = Consent::parse(statement) else { return Ok(Shown::Never) };
        let id = signed.id();
        let Some(consent) = self.chain.consent(at, id)? else {
            return Ok(until(at, signed.last_valid_block));
        };
        if consent.ended.is_some() {
            return Ok(Shown::Never);
        }
        let Some(meter) = self.chain.meter(at, consent.utility, consent.meter)? else { return Ok(Shown::Never) };
        let slot = self.chain.delivery(at, id, meter.epoch, Deliverer::Utility)?;
        Ok(if slot.is_some() { Shown::Done } else { Shown::NotYet })
    }

    fn shown_meter_key(&self, at: &BlockRef, statement: &str) -> Result<Shown, ChainError> {
        let Ok(signed) = Claim::parse(statement) else { return Ok(Shown::Never) };
        let Some(meter) = self.chain.meter(at, signed.utility, signed.meter)? else {
            return Ok(until(at, signed.last_valid_block));
        };
        let claimed_at = match &meter.claim {
            Some(claim) if claim.ticket_issue == signed.issue && is(&claim.customer, &signed.customer) => {
                claim.claimed_at
            }
            // A ticket of a higher issue has taken this one's place.
            Some(claim) if claim.ticket_issue >= signed.issue => return Ok(Shown::Never),
            _ => return Ok(until(at, signed.last_valid_block)),
        };
        let slot = self.chain.meter_key_delivery(at, signed.utility, signed.meter)?;
        Ok(if slot.is_some_and(|slot| slot.block >= claimed_at) { Shown::Done } else { Shown::NotYet })
    }

    fn shown_relay(&self, at: &BlockRef, statement: &str) -> Result<Shown, ChainError> {
        if let Ok(claim) = Claim::parse(statement) {
            let meter = self.chain.meter(at, claim.utility, claim.meter)?;
            let standing = meter.and_then(|meter| meter.claim);
            let done = standing.as_ref().is_some_and(|standing| {
                standing.ticket_issue == claim.issue && is(&standing.customer, &claim.customer)
            });
            return Ok(done_or(done, at, claim.last_valid_block));
        }
        if let Ok(consent) = Consent::parse(statement) {
            let done = self.chain.consent(at, consent.id())?.is_some();
            return Ok(done_or(done, at, consent.last_valid_block));
        }
        if let Ok(revoke) = Revoke::parse(statement) {
            let done = self.chain.consent(at, revoke.consent)?.is_some_and(|consent| consent.ended.is_some());
            return Ok(done_or(done, at, revoke.last_valid_block));
        }
        if let Ok(narrow) = Narrow::parse(statement) {
            let done = self.chain.consent(at, narrow.consent)?.is_some_and(|consent| {
                (consent.channels, consent.level, consent.data, consent.access)
                    == (narrow.channels, narrow.level, narrow.data, narrow.access)
            });
            return Ok(done_or(done, at, narrow.last_valid_block));
        }
        Ok(Shown::Never)
    }
}

fn is(account: &wattseal_primitives::AccountId, bytes: &[u8; 32]) -> bool {
    let account: &[u8; 32] = account.as_ref();
    account == bytes
}

fn done_or(done: bool, at: &BlockRef, last_valid_block: u32) -> Shown {
    if done {
        Shown::Done
    } else {
        until(at, last_valid_block)
    }
}

/// What is not there can still come while its statement is valid; the finalised block decides, so nothing comes later.
fn until(at: &BlockRef, last_valid_block: u32) -> Shown {
    if at.number > last_valid_block {
        Shown::Never
    } else {
        Shown::NotYet
    }
}
