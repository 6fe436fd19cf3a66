//! Deliveries and relays: what was handed in by RPC, checked with the worker's own code, sealed and sent.
//!
//! Nothing is delivered because storage says so (protocol section 8): the ticket's and the customer's signatures are
//! checked here, the ticket's key is derived from the utility's own secret, and terms on chain may only be narrower than
//! the signed ones. What the chain adds is that a consent still stands.

mod consent;
mod meter_key;
mod relay;

use super::{
    chain::{Action, Chain, Outgoing},
    commit::{free_nonce, SentUpTo, MAX_SIGNED, RETRY_BLOCKS},
    store::{evidence_key, Store, SENT_DELIVERY},
};
use crate::SubmitError;
use alloc::{string::String, vec::Vec};
use codec::{Decode, Encode};
use sealed_register::{
    delivery::{seal_delivery, seal_meter_key, ConsentTerms, Deliverer, DeliveryContext, MeterKeyContext, Segment},
    kem::KemPublic,
    statement::{self, Statement},
    ticket::TicketSecret,
    Hash, MeterId, Secret, UtilitySecrets,
};
use sp_core::{sr25519, Pair};
use wattseal_primitives::{
    keys::DELIVERY,
    meters::Claim,
    offchain::{Finalised, Outcome, QueueOutcome, QueuedRequest, WorkerConfig, OUTCOMES, QUEUE},
    AccountId, BlockNumber,
};

/// Most requests that one run looks at.
const MAX_LOOKED_AT: usize = 64;
/// Blocks after which a refused request that still stands in the queue is looked at again.
const REFUSED_BLOCKS: BlockNumber = 30;
/// Most outcomes that are kept.
const MAX_OUTCOMES: usize = 256;
/// Most checked claims that are kept of one meter.
const MAX_EVIDENCE: usize = 4;

/// A signed statement that this node carries to the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Relayed {
    /// A claim with its ticket's signature.
    Claim(statement::Claim, [u8; 64]),
    /// A consent with its customer's signature.
    Consent(statement::Consent, [u8; 64]),
    /// A revocation with its customer's signature.
    Revoke(statement::Revoke, [u8; 64]),
    /// A narrowing with its customer's signature.
    Narrow(statement::Narrow, [u8; 64]),
}

/// A claim whose ticket signature this node has checked with the utility's own secret.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Evidence {
    /// Issue of the ticket.
    pub issue: u32,
    /// The customer's account.
    pub customer: [u8; 32],
    /// Hash of the customer's X-Wing key.
    pub kem_key: Hash,
}

impl Evidence {
    fn of(claim: &statement::Claim) -> Self {
        Self { issue: claim.issue, customer: claim.customer, kem_key: claim.kem_key }
    }

    /// Whether the chain shows this claim.
    fn is(&self, claim: &Claim<AccountId, BlockNumber>) -> bool {
        let account: &[u8; 32] = claim.customer.as_ref();
        self.issue == claim.ticket_issue && self.customer == *account && self.kem_key == claim.kem_hash
    }
}

/// Why a request asks for nothing at this block.
#[derive(Debug)]
enum Stop {
    /// Not now; look again at the next block.
    Wait,
    /// The chain has it.
    Done,
    /// No, with the reason for people.
    Refuse(String),
}

/// What is left to do once everything about a request is checked.
#[derive(Debug)]
enum Plan {
    Deliver { consent: Hash, terms: ConsentTerms, epoch: u32, segments: Vec<Segment>, to: KemPublic },
    MeterKey { claim: statement::Claim, to: KemPublic },
    Relay(Relayed),
}

/// What checking needs besides the store.
pub struct Desk<'a, C> {
    /// The chain.
    pub chain: &'a C,
    /// The configuration.
    pub config: &'a WorkerConfig,
    /// The utility's secrets.
    pub secrets: &'a UtilitySecrets,
    /// The newest finalised block.
    pub finalised: Finalised,
    /// Gives 32 fresh random bytes.
    pub random: &'a dyn Fn() -> [u8; 32],
}

impl<C: Chain> Desk<'_, C> {
    /// Works on the oldest requests of the queue. Returns how many transactions it sent.
    pub fn work(&self, store: &mut impl Store, outgoing: &mut impl Outgoing) -> usize {
        let queue: Vec<QueuedRequest> = store.read(QUEUE).unwrap_or_default();
        if queue.is_empty() {
            return 0;
        }
        let block = self.chain.block();
        let mut outcomes: Vec<QueueOutcome> = store.read(OUTCOMES).unwrap_or_default();
        let before = outcomes.clone();
        let first_nonce = free_nonce(store, self.chain, SENT_DELIVERY, &self.config.delivery_key);
        let mut sent = 0;
        for request in queue.iter().take(MAX_LOOKED_AT) {
            let hash = sp_io::hashing::blake2_256(&request.encode());
            let last = outcomes.iter().rfind(|outcome| outcome.request == hash);
            let within = |blocks: BlockNumber| last.is_some_and(|last| block < last.block.saturating_add(blocks));
            let last = last.map(|last| last.outcome.clone());
            if matches!(last, Some(Outcome::Refused(_))) && within(REFUSED_BLOCKS) {
                continue;
            }
            let in_flight = last == Some(Outcome::Sent) && within(RETRY_BLOCKS);
            let outcome = match self.check(store, request) {
                Err(Stop::Wait) => continue,
                Err(Stop::Done) if last == Some(Outcome::AlreadyThere) => continue,
                Err(Stop::Done) => Outcome::AlreadyThere,
                Err(Stop::Refuse(reason)) => Outcome::Refused(reason),
                Ok(_) if in_flight || sent >= MAX_SIGNED => continue,
                Ok(plan) => {
                    let Some(nonce) = first_nonce.and_then(|first| nth(first, sent)) else { continue };
                    match self.send(outgoing, plan, nonce) {
                        Ok(()) => {
                            sent += 1;
                            store.write(SENT_DELIVERY, &SentUpTo { next_nonce: nonce.saturating_add(1), block });
                            Outcome::Sent
                        }
                        Err(Unsent::Refused(reason)) => Outcome::Refused(reason),
                        Err(Unsent::Later(error)) => {
                            log::warn!(target: "wattseal::delivery", "a transaction could not be sent: {error}");
                            break;
                        }
                    }
                }
            };
            outcomes.retain(|outcome| outcome.request != hash);
            outcomes.push(QueueOutcome { request: hash, block, outcome });
        }
        let surplus = outcomes.len().saturating_sub(MAX_OUTCOMES);
        outcomes.drain(..surplus);
        if outcomes != before {
            store.write(OUTCOMES, &outcomes);
        }
        sent
    }

    fn check(&self, store: &mut impl Store, request: &QueuedRequest) -> Result<Plan, Stop> {
        match request {
            QueuedRequest::Consent { statement, signature, vendor, secret } => {
                self.check_consent(store, statement, signature, vendor, secret)
            }
            QueuedRequest::MeterKey { statement, signature, kem_public } => {
                self.check_meter_key(store, statement, signature, kem_public)
            }
            QueuedRequest::Relay { statement, signature } => self.check_relay(store, statement, signature),
        }
    }

    fn send(&self, outgoing: &mut impl Outgoing, plan: Plan, nonce: u32) -> Result<(), Unsent> {
        let action = self.action(plan)?;
        outgoing.submit(action, &self.config.delivery_key, DELIVERY, nonce).map_err(|error| match error {
            SubmitError::TooLarge => Unsent::Refused(alloc::format!("{error}")),
            SubmitError::NotSigned | SubmitError::NotAccepted => Unsent::Later(error),
        })
    }

    /// Seals what has to be sealed.
    fn action(&self, plan: Plan) -> Result<Action, Unsent> {
        let genesis = self.chain.genesis();
        let WorkerConfig { utility, delivery_key: account, .. } = *self.config;
        let failed = |error: sealed_register::delivery::DeliveryError| Unsent::Refused(alloc::format!("{error}"));
        let randomness = || Secret::from_bytes((self.random)());
        Ok(match plan {
            Plan::Deliver { consent, terms, epoch, segments, to } => {
                let context = DeliveryContext { genesis, deliverer: Deliverer::Utility, account, consent, terms };
                let meter_key = self.secrets.meter_key(&utility, &terms.meter);
                let epoch_key = |epoch| Some(meter_key.epoch_key(epoch));
                let sealed = seal_delivery(&context, &segments, epoch_key, &to, &randomness()).map_err(failed)?;
                Action::Deliver { consent, epoch, segments, sealed }
            }
            Plan::MeterKey { claim, to } => {
                let statement::Claim { meter, customer, issue, .. } = claim;
                let context = MeterKeyContext { genesis, account, utility, meter, customer, issue };
                let meter_key = self.secrets.meter_key(&utility, &meter);
                let sealed = seal_meter_key(&context, &meter_key, &to, &randomness()).map_err(failed)?;
                Action::DeliverMeterKey { meter, issue, sealed }
            }
            Plan::Relay(relayed) => Action::Relay(relayed),
        })
    }

    /// Reads a statement of this chain.
    fn parse<S: Statement>(&self, text: &str, genesis: impl Fn(&S) -> &Hash) -> Result<S, Stop> {
        let statement = S::parse(text).map_err(|error| Stop::Refuse(alloc::format!("{error}")))?;
        match *genesis(&statement) == self.chain.genesis() {
            true => Ok(statement),
            false => Err(refuse("the statement was signed for another chain")),
        }
    }

    /// Checks a claim of this utility's meter with the key of the ticket itself, and keeps that as evidence.
    fn check_ticket(&self, store: &mut impl Store, claim: &statement::Claim, signature: &[u8; 64]) -> Result<(), Stop> {
        let bits = self.secrets.ticket_bits(&self.config.utility, &claim.meter, claim.issue);
        let seed = TicketSecret::from_bits(bits).seed(&claim.genesis, &self.config.utility);
        let ticket = sr25519::Pair::from_seed_slice(seed.expose()).map_err(|_| Stop::Wait)?;
        if !pallet_meters::verify_sr25519(&ticket.public().0, &claim.message(), signature) {
            return Err(refuse("the claim is not signed with the ticket that this utility issued for the meter"));
        }
        keep_evidence(store, claim);
        Ok(())
    }

    /// Whether this node has itself checked the ticket signature behind the claim that the chain shows.
    fn has_evidence(&self, store: &impl Store, meter: &MeterId, claim: &Claim<AccountId, BlockNumber>) -> bool {
        let evidence: Vec<Evidence> = store.read(&evidence_key(meter)).unwrap_or_default();
        evidence.iter().any(|evidence| evidence.is(claim))
    }

    fn is_final(&self, block: BlockNumber) -> bool {
        block <= self.finalised.number
    }

    /// Nothing, while a statement can still come on chain; else the refusal.
    fn not_there(&self, last_valid_block: BlockNumber, reason: &str) -> Stop {
        match self.chain.block() <= last_valid_block {
            true => Stop::Wait,
            false => refuse(reason),
        }
    }

    fn ensure_valid(&self, last_valid_block: BlockNumber) -> Result<(), Stop> {
        match self.chain.block() < last_valid_block {
            true => Ok(()),
            false => Err(refuse("the statement's last valid block has passed: it must be signed anew")),
        }
    }
}

/// Why a plan was not sent.
enum Unsent {
    Refused(String),
    Later(SubmitError),
}

fn keep_evidence(store: &mut impl Store, claim: &statement::Claim) {
    let key = evidence_key(&claim.meter);
    let mut evidence: Vec<Evidence> = store.read(&key).unwrap_or_default();
    let new = Evidence::of(claim);
    if evidence.contains(&new) {
        return;
    }
    evidence.push(new);
    let surplus = evidence.len().saturating_sub(MAX_EVIDENCE);
    evidence.drain(..surplus);
    store.write(&key, &evidence);
}

fn nth(first: u32, sent: usize) -> Option<u32> {
    first.checked_add(u32::try_from(sent).ok()?)
}

fn refuse(reason: &str) -> Stop {
    Stop::Refuse(reason.into())
}

fn ensure(holds: bool, reason: &str) -> Result<(), Stop> {
    match holds {
        true => Ok(()),
        false => Err(refuse(reason)),
    }
}
