//! Keys of a consent for the vendor who shows its name and secret.

use super::{
    super::{chain::Chain, commit::is_settled_since, store::Store},
    ensure, refuse, Desk, Plan, Stop,
};
use alloc::vec::Vec;
use sealed_register::{
    delivery::{plan_segments, ConsentTerms},
    grantee::is_grantee,
    kem::KemPublic,
    shard_of,
    statement::{self, Statement},
    DayRange, OrganisationId,
};
use wattseal_primitives::{
    consent::Consent,
    meters::Meter,
    offchain::{stream_index_key, StreamIndex},
    AccountId, BlockNumber,
};

impl<C: Chain> Desk<'_, C> {
    /// Checks in the order of cost, the signature last.
    pub(super) fn check_consent(
        &self,
        store: &impl Store,
        text: &str,
        signature: &[u8; 64],
        vendor: &OrganisationId,
        secret: &[u8; 32],
    ) -> Result<Plan, Stop> {
        let signed = self.parse::<statement::Consent>(text, |consent| &consent.genesis)?;
        ensure(signed.terms.utility == self.config.utility, "the consent is for another utility's meter")?;
        ensure(
            is_grantee(&signed.terms.grantee, vendor, secret),
            "vendor and secret are not those that the consent names",
        )?;
        let id = signed.id();
        let Some(consent) = self.chain.consent(&id) else {
            let reason = "the consent never came on chain and no longer can: ask the customer to sign anew";
            return Err(self.not_there(signed.last_valid_block, reason));
        };
        ensure(consent.ended.is_none(), "the consent has ended")?;
        let terms = standing_terms(&signed, &consent)?;
        let today = self.chain.today();
        ensure(today <= terms.access.last, "the consent's last access day has passed")?;
        ensure(terms.access.first <= today, "the access window has not begun: ask on its first day")?;
        let meter = self.chain.meter(&terms.meter).ok_or(refuse("no such meter is registered"))?;
        self.check_holder(store, &signed, &meter)?;
        let claimed_at = meter.claim.as_ref().map_or(BlockNumber::MAX, |claim| claim.claimed_at);
        if ![consent.given_at, claimed_at, meter.epoch_since].iter().all(|block| self.is_final(*block)) {
            return Err(Stop::Wait);
        }
        if self.chain.delivered(&id, meter.epoch) {
            return Err(Stop::Done);
        }
        let to = self.vendor_key(vendor)?;
        let shard = shard_of(&terms.meter, self.chain.shard_bits()).0;
        if !is_settled_since(store, self.chain, shard, meter.epoch_since) {
            return Err(Stop::Wait);
        }
        ensure(
            pallet_meters::verify_sr25519(&signed.customer, &signed.message(), signature),
            "the signature is not the customer's over this statement",
        )?;
        let segments = plan_segments(&history(store, &terms), meter.epoch, terms.data);
        Ok(Plan::Deliver { consent: id, terms, epoch: meter.epoch, segments, to })
    }

    /// The one who signed must hold the meter by a claim that this node has checked itself.
    fn check_holder(
        &self,
        store: &impl Store,
        signed: &statement::Consent,
        meter: &Meter<AccountId, BlockNumber>,
    ) -> Result<(), Stop> {
        let claim = meter.claim.as_ref().ok_or(refuse("nobody holds the meter"))?;
        let holder: &[u8; 32] = claim.customer.as_ref();
        ensure(*holder == signed.customer, "the customer who signed does not hold the meter")?;
        ensure(
            self.has_evidence(store, &signed.terms.meter, claim),
            "this node has not yet seen the claim behind the consent: the customer must show it here once, by asking \
             for the meter key",
        )
    }

    /// The X-Wing key of the vendor, while it is good.
    fn vendor_key(&self, vendor: &OrganisationId) -> Result<KemPublic, Stop> {
        let key = self.chain.vendor(vendor).ok_or(refuse("this is no admitted vendor"))?;
        let key = key.ok_or(refuse("the vendor has set no X-Wing key on chain"))?;
        ensure(self.chain.today() <= key.last_day, "the vendor's X-Wing key is too old: it must set a new one")?;
        KemPublic::from_bytes(&key.key).map_err(|_| refuse("the vendor's X-Wing key on chain is malformed"))
    }
}

/// The terms that stand on chain, if they are nowhere wider than the signed ones.
fn standing_terms(
    signed: &statement::Consent,
    consent: &Consent<AccountId, BlockNumber>,
) -> Result<ConsentTerms, Stop> {
    let Consent { channels, level, data, access, .. } = *consent;
    let narrowed = signed.terms.narrowed(channels, level, data, access);
    let terms = narrowed.map_err(|_| refuse("the chain shows wider terms than the customer signed"))?;
    let customer: &[u8; 32] = consent.customer.as_ref();
    let same = consent.utility == terms.utility
        && consent.meter == terms.meter
        && consent.grantee == terms.grantee
        && consent.purpose == terms.purpose
        && consent.text_hash == terms.text_hash
        && *customer == signed.customer;
    ensure(same, "the chain shows other terms than the customer signed")?;
    Ok(terms)
}

/// Which days were sealed under which epoch, over the channels of the consent.
fn history(store: &impl Store, terms: &ConsentTerms) -> Vec<(u32, DayRange)> {
    let epochs = |channel| {
        let index: StreamIndex = store.read(&stream_index_key(&terms.meter, channel)).unwrap_or_default();
        index.epochs
    };
    terms
        .channels
        .iter()
        .flat_map(epochs)
        .filter_map(|(epoch, first, last)| DayRange::new(first, last).map(|days| (epoch, days)))
        .collect()
}
