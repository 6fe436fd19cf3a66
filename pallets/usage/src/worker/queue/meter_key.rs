//! A meter's own key for the customer who claimed it.

use super::{
    super::{chain::Chain, store::Store},
    ensure, refuse, Desk, Evidence, Plan, Stop,
};
use sealed_register::{kem::KemPublic, statement};

impl<C: Chain> Desk<'_, C> {
    pub(super) fn check_meter_key(
        &self,
        store: &mut impl Store,
        text: &str,
        signature: &[u8; 64],
        kem_public: &[u8],
    ) -> Result<Plan, Stop> {
        let claim = self.parse::<statement::Claim>(text, |claim| &claim.genesis)?;
        ensure(claim.utility == self.config.utility, "the claim is for another utility's meter")?;
        let to = KemPublic::from_bytes(kem_public).map_err(|error| Stop::Refuse(alloc::format!("{error}")))?;
        ensure(to.hash() == claim.kem_key, "the X-Wing key is not the one that the claim names")?;
        let meter = self.chain.meter(&claim.meter).ok_or(refuse("no such meter is registered"))?;
        let on_chain = match &meter.claim {
            Some(on_chain) if Evidence::of(&claim).is(on_chain) => on_chain,
            Some(other) if other.ticket_issue >= claim.issue => {
                return Err(refuse("another claim of the meter has taken this one's place"));
            }
            _ => {
                let reason = "the claim never came on chain and no longer can: sign it anew";
                return Err(self.not_there(claim.last_valid_block, reason));
            }
        };
        self.check_ticket(store, &claim, signature)?;
        if !self.is_final(on_chain.claimed_at) {
            return Err(Stop::Wait);
        }
        if self.chain.meter_key_delivered(&claim.meter).is_some_and(|block| block >= on_chain.claimed_at) {
            return Err(Stop::Done);
        }
        Ok(Plan::MeterKey { claim, to })
    }
}
