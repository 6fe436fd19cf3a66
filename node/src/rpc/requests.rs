//! What is handed in for the worker. It checks everything itself before it delivers; here only what could never pass is
//! turned away, so that nobody fills the queue with noise.

use super::{
    check_signature,
    errors::RpcError,
    types::{DeliveryRequest, Hex, MeterKeyRequest, QueueState, RelayRequest},
    RpcDeps,
};
use crate::{chain::ChainConsent, offchain::request_id};
use sealed_register::{
    grantee::is_grantee,
    kem::KemPublic,
    statement::{Claim, Consent, Narrow, Revoke, Statement, StatementError},
    Hash,
};
use wattseal_primitives::{
    offchain::{Outcome, QueuedRequest},
    AccountId,
};

fn not_on_chain(text: impl Into<String>) -> RpcError {
    RpcError::NotOnChain(text.into())
}

fn enqueue(deps: &RpcDeps, request: &QueuedRequest) -> Result<Hex<32>, RpcError> {
    let id = deps.offchain.enqueue(request)?;
    deps.metrics.queued(id);
    Ok(Hex(id))
}

fn consent_on_chain(deps: &RpcDeps, id: Hash) -> Result<ChainConsent, RpcError> {
    let consent = deps.chain.consent(&deps.chain.best(), id)?;
    let consent = consent.ok_or_else(|| not_on_chain("the consent is not on chain (yet); relay it first"))?;
    match &consent.ended {
        None => Ok(consent),
        Some((why, block)) => Err(not_on_chain(format!("the consent ended at block {block} ({why:?})"))),
    }
}

fn bytes(account: &AccountId) -> &[u8; 32] {
    account.as_ref()
}

/// `wattseal_requestDelivery`.
pub(super) fn delivery(deps: &RpcDeps, request: DeliveryRequest) -> Result<Hex<32>, RpcError> {
    let DeliveryRequest { statement, signature, vendor, secret } = request;
    let consent = Consent::parse(&statement)?;
    deps.check_genesis(&consent.genesis)?;
    deps.source_of(&consent.terms.utility)?;
    check_signature(&consent.customer, &consent.message(), &signature)?;
    if !is_grantee(&consent.terms.grantee, &vendor.0, &secret.0) {
        return Err(not_on_chain("vendor and secret are not those of the reader whom the customer let in"));
    }
    consent_on_chain(deps, consent.id())?;
    let request = QueuedRequest::Consent { statement, signature: signature.0, vendor: vendor.0, secret: secret.0 };
    enqueue(deps, &request)
}

/// `wattseal_requestMeterKey`.
pub(super) fn meter_key(deps: &RpcDeps, request: MeterKeyRequest) -> Result<Hex<32>, RpcError> {
    let MeterKeyRequest { statement, signature, kem_public } = request;
    let claim = Claim::parse(&statement)?;
    deps.check_genesis(&claim.genesis)?;
    deps.source_of(&claim.utility)?;
    let kem = KemPublic::from_bytes(&kem_public.0).map_err(|error| RpcError::Parameter(error.to_string()))?;
    if kem.hash() != claim.kem_key {
        return Err(RpcError::Parameter("the X-Wing key is not the one that the claim names".into()));
    }
    check_ticket(deps, &claim, &signature)?;
    enqueue(deps, &QueuedRequest::MeterKey { statement, signature: signature.0, kem_public: kem_public.0 })
}

/// The claim must be signed by the ticket that the chain knows.
fn check_ticket(deps: &RpcDeps, claim: &Claim, signature: &Hex<64>) -> Result<(), RpcError> {
    let meter = deps.chain.meter(&deps.chain.best(), claim.utility, claim.meter)?;
    let meter = meter.ok_or_else(|| not_on_chain("no such meter is registered"))?;
    if meter.ticket_issue != claim.issue {
        let text = format!("the newest ticket of this meter has number {}, not {}", meter.ticket_issue, claim.issue);
        return Err(not_on_chain(text));
    }
    check_signature(&meter.ticket_key, &claim.message(), signature)
}

/// `wattseal_relay`.
pub(super) fn relay(deps: &RpcDeps, request: RelayRequest) -> Result<Hex<32>, RpcError> {
    let RelayRequest { statement, signature } = request;
    deps.source()?;
    check_relayed(deps, &statement, &signature)?;
    enqueue(deps, &QueuedRequest::Relay { statement, signature: signature.0 })
}

/// Reads the statement if it is of this kind.
fn parsed<S: Statement>(text: &str) -> Result<Option<S>, RpcError> {
    match S::parse(text) {
        Ok(statement) => Ok(Some(statement)),
        Err(StatementError::OtherKind { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn check_relayed(deps: &RpcDeps, text: &str, signature: &Hex<64>) -> Result<(), RpcError> {
    if let Some(claim) = parsed::<Claim>(text)? {
        check_valid(deps, &claim.genesis, claim.last_valid_block)?;
        return check_ticket(deps, &claim, signature);
    }
    if let Some(consent) = parsed::<Consent>(text)? {
        check_valid(deps, &consent.genesis, consent.last_valid_block)?;
        let terms = &consent.terms;
        let meter = deps.chain.meter(&deps.chain.best(), terms.utility, terms.meter)?;
        let holder = meter.and_then(|meter| meter.claim).map(|claim| claim.customer);
        if holder.as_ref().map(bytes) != Some(&consent.customer) {
            return Err(not_on_chain("the account that signs does not hold the meter"));
        }
        return check_signature(&consent.customer, &consent.message(), signature);
    }
    if let Some(revoke) = parsed::<Revoke>(text)? {
        check_valid(deps, &revoke.genesis, revoke.last_valid_block)?;
        let consent = consent_on_chain(deps, revoke.consent)?;
        return check_signature(bytes(&consent.customer), &revoke.message(), signature);
    }
    let Some(narrow) = parsed::<Narrow>(text)? else {
        let text = "only claim, consent, revoke and narrow statements are relayed";
        return Err(RpcError::Parameter(text.into()));
    };
    check_valid(deps, &narrow.genesis, narrow.last_valid_block)?;
    let consent = consent_on_chain(deps, narrow.consent)?;
    check_signature(bytes(&consent.customer), &narrow.message(), signature)
}

fn check_valid(deps: &RpcDeps, genesis: &Hash, last_valid_block: u32) -> Result<(), RpcError> {
    deps.check_genesis(genesis)?;
    let best = deps.chain.best().number;
    if best < last_valid_block {
        Ok(())
    } else {
        let text =
            format!("the statement was valid up to block {last_valid_block}, and block {best} is here; sign anew");
        Err(RpcError::Parameter(text))
    }
}

/// `wattseal_queue`.
pub(super) fn state(deps: &RpcDeps, id: &[u8; 32]) -> Result<QueueState, RpcError> {
    if deps.offchain.is_done(id) {
        return Ok(QueueState::Done);
    }
    let waits = deps.offchain.queue().iter().any(|request| request_id(request) == *id);
    match (deps.offchain.outcome(id), waits) {
        (Some(known), _) => Ok(match known.outcome {
            Outcome::Sent => QueueState::Sent { block: known.block },
            Outcome::Refused(reason) => QueueState::Refused { reason },
            Outcome::AlreadyThere => QueueState::Done,
        }),
        (None, true) => Ok(QueueState::Waiting),
        (None, false) => Err(RpcError::NotFound("no request of this id is or was lately here".into())),
    }
}
