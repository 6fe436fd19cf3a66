//! Signed statements that this node carries to the chain. The chain checks them too; what it would refuse is not sent.

use super::{
    super::{chain::Chain, store::Store},
    ensure, refuse, Desk, Evidence, Plan, Relayed, Stop,
};
use sealed_register::statement::{self, Statement};
use wattseal_primitives::{consent::Consent, AccountId, BlockNumber};

impl<C: Chain> Desk<'_, C> {
    pub(super) fn check_relay(&self, store: &mut impl Store, text: &str, signature: &[u8; 64]) -> Result<Plan, Stop> {
        let relayed = if is_kind::<statement::Claim>(text) {
            self.check_relayed_claim(store, text, signature)?
        } else if is_kind::<statement::Consent>(text) {
            self.check_relayed_consent(text, signature)?
        } else if is_kind::<statement::Revoke>(text) {
            self.check_relayed_revoke(text, signature)?
        } else if is_kind::<statement::Narrow>(text) {
            self.check_relayed_narrow(text, signature)?
        } else {
            return Err(refuse("only claims, consents, revocations and narrowings are relayed"));
        };
        Ok(Plan::Relay(relayed))
    }

    fn check_relayed_claim(&self, store: &mut impl Store, text: &str, signature: &[u8; 64]) -> Result<Relayed, Stop> {
        let claim = self.parse::<statement::Claim>(text, |claim| &claim.genesis)?;
        ensure(claim.utility == self.config.utility, "the claim is for another utility's meter")?;
        self.check_ticket(store, &claim, signature)?;
        let meter = self.chain.meter(&claim.meter).ok_or(refuse("no such meter is registered"))?;
        if let Some(on_chain) = &meter.claim {
            if Evidence::of(&claim).is(on_chain) {
                return Err(Stop::Done);
            }
            ensure(on_chain.ticket_issue < claim.issue, "the ticket has been used: ask the utility for a new one")?;
        }
        ensure(claim.issue == meter.ticket_issue, "the utility has issued a newer ticket for the meter")?;
        self.ensure_valid(claim.last_valid_block)?;
        Ok(Relayed::Claim(claim, *signature))
    }

    fn check_relayed_consent(&self, text: &str, signature: &[u8; 64]) -> Result<Relayed, Stop> {
        let consent = self.parse::<statement::Consent>(text, |consent| &consent.genesis)?;
        if self.chain.consent(&consent.id()).is_some() {
            return Err(Stop::Done);
        }
        self.ensure_valid(consent.last_valid_block)?;
        ensure_signed(&consent.customer, &consent, signature)?;
        Ok(Relayed::Consent(consent, *signature))
    }

    fn check_relayed_revoke(&self, text: &str, signature: &[u8; 64]) -> Result<Relayed, Stop> {
        let revoke = self.parse::<statement::Revoke>(text, |revoke| &revoke.genesis)?;
        let consent = self.consent_or_stop(&revoke.consent, revoke.last_valid_block)?;
        if consent.ended.is_some() {
            return Err(Stop::Done);
        }
        self.ensure_valid(revoke.last_valid_block)?;
        ensure_signed(consent.customer.as_ref(), &revoke, signature)?;
        Ok(Relayed::Revoke(revoke, *signature))
    }

    fn check_relayed_narrow(&self, text: &str, signature: &[u8; 64]) -> Result<Relayed, Stop> {
        let narrow = self.parse::<statement::Narrow>(text, |narrow| &narrow.genesis)?;
        let consent = self.consent_or_stop(&narrow.consent, narrow.last_valid_block)?;
        ensure(consent.ended.is_none(), "the consent has ended")?;
        let statement::Narrow { channels, level, data, access, .. } = narrow;
        if (consent.channels, consent.level, consent.data, consent.access) == (channels, level, data, access) {
            return Err(Stop::Done);
        }
        let narrower = consent.channels.includes(channels)
            && level <= consent.level
            && consent.data.includes(&data)
            && consent.access.includes(&access);
        ensure(narrower, "the new terms are wider than those that stand")?;
        self.ensure_valid(narrow.last_valid_block)?;
        ensure_signed(consent.customer.as_ref(), &narrow, signature)?;
        Ok(Relayed::Narrow(narrow, *signature))
    }

    /// The consent that a statement is about; it may still be on its way.
    fn consent_or_stop(
        &self,
        id: &sealed_register::Hash,
        last_valid_block: u32,
    ) -> Result<Consent<AccountId, BlockNumber>, Stop> {
        let stop = || self.not_there(last_valid_block, "no such consent is on chain");
        self.chain.consent(id).ok_or_else(stop)
    }
}

/// Whether the first line names this kind of statement.
fn is_kind<S: Statement>(text: &str) -> bool {
    let first = text.lines().next().and_then(|line| line.strip_prefix("wattseal/"));
    first.and_then(|rest| rest.strip_prefix(S::KIND)).is_some_and(|version| version.starts_with('/'))
}

fn ensure_signed(signer: &[u8; 32], statement: &impl Statement, signature: &[u8; 64]) -> Result<(), Stop> {
    ensure(
        pallet_meters::verify_sr25519(signer, &statement.message(), signature),
        "the signature is not the customer's over this statement",
    )
}
