//! What a customer does: claim her meter, receive its key, read a vendor's request in plain words, sign, narrow,
//! revoke, read her own days and who else read them.

use crate::{
    account::{random, verify, Account, Phrase},
    chain::{
        ss58,
        types::{Duty, Organisation, Role, Standing},
        Call, Chain, ChainAt, Included,
    },
    delivery::sealed_bytes,
    links::{Statement, TicketLink},
    node_rpc::{QueueState, LOG_AT_ONCE, MAX_SEGMENTS},
    reading::{Fetched, Progress, Reader, Wanted},
    roots::Access,
    ClientError, Result, STATEMENT_BLOCKS,
};
use sealed_register::{
    delivery::{open_meter_key, plan_segments, seal_delivery, Deliverer, DeliveryContext, MeterKeyContext, Segment},
    finalized::BlockRef,
    grantee::GranteeSecret,
    kem::{KemPublic, KemSecret},
    statement::{self, ReadRequest, Receipt, Signed, Statement as _, VendorRequest},
    Channel, Channels, DayRange, Hash, Keyring, Level, MeterId, MeterKey, OperatingDay, OrganisationId, Secret,
};
use std::time::Duration;

/// Most epochs that are asked for without looking first under which the days were sealed.
const EPOCHS_AT_ONCE: u32 = MAX_SEGMENTS as u32;

/// A customer: an account, and the X-Wing key that hangs on it.
#[derive(Clone, Debug)]
pub struct Customer {
    account: Account,
    kem: KemSecret,
}

/// A vendor's request, checked, with what the chain says about the vendor.
#[derive(Clone, Debug)]
pub struct CheckedRequest {
    /// The request.
    pub request: Signed<VendorRequest>,
    /// The vendor's short name on chain.
    pub vendor: OrganisationId,
    /// The name under which the vendor was admitted.
    pub admitted_as: String,
    /// The words to be read before signing.
    pub words: String,
}

/// What is narrowed: fields that are not given stay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Narrower {
    /// Channels.
    pub channels: Option<Channels>,
    /// Finest resolution.
    pub level: Option<Level>,
    /// Operating days.
    pub data: Option<DayRange>,
    /// Days of fetching.
    pub access: Option<DayRange>,
}

impl Customer {
    /// The customer of a recovery phrase.
    ///
    /// # Errors
    /// [`ClientError::Secret`].
    pub fn new(phrase: &str) -> Result<Self> {
        Ok(Self::from_account(Account::from_phrase(&Phrase::parse(phrase)?)?))
    }

    /// The customer of an account.
    pub fn from_account(account: Account) -> Self {
        Self { kem: account.kem_secret(), account }
    }

    /// The account.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// The X-Wing key to which meter keys are sealed.
    pub fn kem_public(&self) -> KemPublic {
        self.kem.public()
    }

    /// The claim of a meter, signed with its ticket.
    ///
    /// # Errors
    /// [`ClientError::NotFound`] (no such meter), [`ClientError::Signature`] (not this meter's newest ticket),
    /// [`ClientError::Connection`].
    pub async fn claim_statement(&self, chain: &Chain, ticket: &TicketLink) -> Result<Signed<statement::Claim>> {
        let at = chain.finalized().await?;
        let TicketLink { utility, meter, issue, ticket } = ticket;
        let registered = at.known_meter(*utility, *meter).await?;
        let key = Account::from_mini_secret(&ticket.seed(&chain.genesis(), utility))?;
        if key.id() != registered.ticket_key || *issue != registered.ticket_issue {
            return Err(ClientError::Signature(format!(
                "this is not the newest ticket of meter {meter}: number {} is; ask {utility} for it",
                registered.ticket_issue
            )));
        }
        let statement = statement::Claim {
            genesis: chain.genesis(),
            utility: *utility,
            meter: *meter,
            issue: *issue,
            customer: self.account.id(),
            kem_key: self.kem_public().hash(),
            last_valid_block: at.block().number.saturating_add(STATEMENT_BLOCKS),
        };
        Ok(Signed { signature: key.sign(&statement.message()), statement })
    }

    /// Claims a meter: the node relays the claim, and this waits until the chain shows it as finalised.
    ///
    /// # Errors
    /// As [`Customer::claim_statement`]; [`ClientError::Rpc`]; [`ClientError::NotYet`].
    pub async fn claim(
        &self,
        chain: &Chain,
        ticket: &TicketLink,
        patience: Duration,
    ) -> Result<(Signed<statement::Claim>, BlockRef)> {
        let signed = self.claim_statement(chain, ticket).await?;
        let block = relay_and_wait(chain, &Statement::Claim(signed.clone()), patience).await?;
        Ok((signed, block))
    }

    /// Asks the utility's node for the meter's key, waits for it, and opens it.
    ///
    /// # Errors
    /// [`ClientError::Rpc`], [`ClientError::NotYet`], [`ClientError::Delivery`], [`ClientError::NotFound`].
    pub async fn receive_key(
        &self,
        chain: &Chain,
        claim: &Signed<statement::Claim>,
        patience: Duration,
    ) -> Result<MeterKey> {
        let statement::Claim { utility, meter, .. } = claim.statement;
        let at = chain.finalized().await?;
        let held = at.known_meter(utility, meter).await?.claim;
        let held = held.filter(|held| held.customer == self.account.id()).ok_or_else(|| {
            ClientError::NotFound(format!("the chain does not show meter {meter} as yours in finalised state"))
        })?;
        let newer = |slot: &crate::chain::types::DeliverySlot| slot.block >= held.claimed_at;
        let mut slot = at.meter_key_delivery(utility, meter).await?.filter(newer);
        if slot.is_none() {
            let kem = self.kem_public();
            let id = chain.rpc().request_meter_key(&claim.statement.text(), &claim.signature, kem.as_bytes()).await?;
            slot = Some(
                wait_queued(chain, &id, patience, "the meter's key", async |at| {
                    Ok(at.meter_key_delivery(utility, meter).await?.filter(newer))
                })
                .await?,
            );
        }
        let slot = slot.ok_or_else(|| ClientError::NotYet("the meter's key is not there yet".into()))?;
        let handed_out = async || chain.rpc().sealed_meter_key(utility, meter).await;
        let bytes = sealed_bytes(chain, &slot, handed_out).await?;
        let context = MeterKeyContext {
            genesis: chain.genesis(),
            account: delivery_account(&chain.finalized().await?, utility).await?,
            utility,
            meter,
            customer: self.account.id(),
            issue: held.ticket_issue,
        };
        Ok(open_meter_key(&context, &self.kem, &bytes)?)
    }

    /// The consent to a request, signed. Check the request first ([`check_request`]).
    ///
    /// # Errors
    /// [`ClientError::Request`], [`ClientError::NotFound`], [`ClientError::Connection`].
    pub async fn sign_request(
        &self,
        chain: &Chain,
        request: &VendorRequest,
        utility: OrganisationId,
        meter: MeterId,
    ) -> Result<Signed<statement::Consent>> {
        let at = chain.finalized().await?;
        let held = at.known_meter(utility, meter).await?.claim;
        if held.is_none_or(|held| held.customer != self.account.id()) {
            return Err(ClientError::NotFound(format!(
                "the chain does not show meter {meter} as yours: claim it first"
            )));
        }
        let last_valid_block = at.block().number.saturating_add(STATEMENT_BLOCKS);
        let statement = request.consent(utility, meter, self.account.id(), last_valid_block)?;
        Ok(Signed { signature: self.account.sign(&statement.message()), statement })
    }

    /// The revocation of a consent, signed.
    ///
    /// # Errors
    /// [`ClientError::Connection`].
    pub async fn revoke_statement(&self, chain: &Chain, consent: Hash) -> Result<Signed<statement::Revoke>> {
        let last_valid_block = chain.finalized().await?.block().number.saturating_add(STATEMENT_BLOCKS);
        let statement = statement::Revoke { genesis: chain.genesis(), consent, last_valid_block };
        Ok(Signed { signature: self.account.sign(&statement.message()), statement })
    }

    /// Revokes a consent in the customer's own transaction, and waits until it is finalised.
    ///
    /// # Errors
    /// As [`Chain::submit`].
    pub async fn revoke(&self, chain: &Chain, consent: Hash) -> Result<Included> {
        let signed = self.revoke_statement(chain, consent).await?;
        chain.submit(&self.account, &Call::Revoke(signed)).await
    }

    /// The narrowing of a consent, signed.
    ///
    /// # Errors
    /// [`ClientError::NotFound`], [`ClientError::Usage`] (wider), [`ClientError::Connection`].
    pub async fn narrow_statement(
        &self,
        chain: &Chain,
        consent: Hash,
        narrower: &Narrower,
    ) -> Result<Signed<statement::Narrow>> {
        let at = chain.finalized().await?;
        let terms = at.known_consent(&consent).await?.terms();
        let statement = statement::Narrow {
            genesis: chain.genesis(),
            consent,
            channels: narrower.channels.unwrap_or(terms.channels),
            level: narrower.level.unwrap_or(terms.level),
            data: narrower.data.unwrap_or(terms.data),
            access: narrower.access.unwrap_or(terms.access),
            last_valid_block: at.block().number.saturating_add(STATEMENT_BLOCKS),
        };
        let wider = terms.narrowed(statement.channels, statement.level, statement.data, statement.access).err();
        if let Some(wider) = wider {
            return Err(ClientError::Usage(format!("a consent can only become narrower: {wider}; sign a new request")));
        }
        Ok(Signed { signature: self.account.sign(&statement.message()), statement })
    }

    /// Narrows a consent in the customer's own transaction, and waits until it is finalised.
    ///
    /// # Errors
    /// As [`Customer::narrow_statement`] and [`Chain::submit`].
    pub async fn narrow(&self, chain: &Chain, consent: Hash, narrower: &Narrower) -> Result<Included> {
        let signed = self.narrow_statement(chain, consent, narrower).await?;
        chain.submit(&self.account, &Call::Narrow(signed)).await
    }

    /// Reads days of her own meter with its keys.
    ///
    /// # Errors
    /// As [`Reader::fetch`].
    pub async fn own_readings(
        &self,
        access: &Access,
        meter: (OrganisationId, MeterId),
        keyring: &Keyring,
        wanted: &Wanted,
        progress: &dyn Fn(Progress),
    ) -> Result<Fetched> {
        let reader = self.reader(access, meter);
        let present = access.chain()?.finalized().await?.known_meter(meter.0, meter.1).await?.epoch;
        let whole = |epoch| Segment { epoch, days: wanted.range };
        let segments: Vec<Segment> = if present < EPOCHS_AT_ONCE {
            (0..=present).map(whole).collect()
        } else {
            reader.epochs(wanted.channels, wanted.range).await?.into_keys().map(whole).collect()
        };
        reader.fetch(wanted, None, &segments, keyring, progress).await
    }

    /// The customer as a reader of her own meter.
    pub fn reader<'a>(&'a self, access: &'a Access, (utility, meter): (OrganisationId, MeterId)) -> Reader<'a> {
        Reader { access, account: &self.account, utility, meter, consent: None }
    }

    /// Delivers the keys of her own consent to the vendor herself, where the utility does not.
    ///
    /// `request` names the vendor; `keys` are the meter's, by generation, of which the newest is used.
    ///
    /// # Errors
    /// [`ClientError::NotFound`] (no consent, or the vendor has no X-Wing key), [`ClientError::Delivery`], as
    /// [`Chain::submit`].
    pub async fn deliver(
        &self,
        access: &Access,
        consent: Hash,
        request: &VendorRequest,
        key: &MeterKey,
    ) -> Result<Included> {
        let chain = access.chain()?;
        let at = chain.finalized().await?;
        let standing = at.known_consent(&consent).await?;
        let terms = standing.terms();
        request.is_answered_by(&terms)?;
        let to = vendor_key(&at, request.vendor).await?;
        let epoch = at.known_meter(terms.utility, terms.meter).await?.epoch;
        let reader = self.reader(access, (terms.utility, terms.meter));
        let history: Vec<(u32, DayRange)> = reader.epochs(terms.channels, terms.data).await?.into_iter().collect();
        let segments = plan_segments(&history, epoch, terms.data);
        let context = DeliveryContext {
            genesis: chain.genesis(),
            deliverer: Deliverer::Customer,
            account: self.account.id(),
            consent,
            terms,
        };
        let randomness = Secret::from_bytes(random()?);
        let sealed = seal_delivery(&context, &segments, |epoch| Some(key.epoch_key(epoch)), &to, &randomness)?;
        chain.submit(&self.account, &Call::Deliver { consent, epoch, segments, sealed }).await
    }

    /// The receipts about her meter that a node's vault keeps, oldest first, each with its signature checked. A receipt
    /// tells when which days were read at which resolution; who read is known from the consents that stood then.
    ///
    /// # Errors
    /// [`ClientError::Rpc`], [`ClientError::Receipt`], [`ClientError::Connection`].
    pub async fn access_log(&self, chain: &Chain, (utility, meter): (OrganisationId, MeterId)) -> Result<Vec<Receipt>> {
        let vault = chain.rpc().vault().await?.account;
        let mut log: Vec<Receipt> = Vec::new();
        loop {
            let at = chain.finalized().await?;
            let day = at.known_meter(utility, meter).await?.tenancy_start;
            let request = ReadRequest {
                genesis: chain.genesis(),
                vault,
                reader: self.account.id(),
                secret: GranteeSecret::NONE,
                consent: [0; 32],
                utility,
                meter,
                channel: Channel::Consumption,
                range: DayRange { first: day, last: day },
                level: Level::Day,
                nonce: random()?,
                block: at.block().number,
            };
            let signature = self.account.sign(&request.message());
            let from = log.last().map_or(0, |receipt| receipt.number.saturating_add(1));
            let stored = chain.rpc().access_log(&request.text(), &signature, from).await?;
            let count = stored.len();
            for stored in stored {
                let receipt = Receipt::parse(&stored.text).map_err(|error| ClientError::Receipt(error.to_string()))?;
                if receipt.vault != vault || !verify(&vault, &receipt.message(), &stored.signature) {
                    return Err(ClientError::Receipt(format!(
                        "receipt {} is not signed by this vault",
                        receipt.number
                    )));
                }
                log.push(receipt);
            }
            if count < LOG_AT_ONCE {
                return Ok(log);
            }
        }
    }
}

/// Checks a vendor's request against the chain: chain, expiry, words, that the account which signed speaks for the vendor
/// it names, and that this is admitted. The signature was checked when the link was read.
///
/// # Errors
/// [`ClientError::Request`], [`ClientError::Signature`] (another chain, another vendor's account),
/// [`ClientError::NotFound`] (no admitted vendor).
pub async fn check_request(at: &ChainAt, request: &Signed<VendorRequest>) -> Result<CheckedRequest> {
    let asked = &request.statement;
    if asked.genesis != at.genesis() {
        return Err(ClientError::Signature("the request was made for another chain; do not sign".into()));
    }
    asked.check(at.today().await?)?;
    let (vendor, organisation) = organisation_of(at, asked.account).await?;
    if vendor != asked.vendor {
        let named = asked.vendor;
        return Err(ClientError::Signature(format!(
            "the request names {named} as its vendor, but {vendor}'s account signed it; do not sign"
        )));
    }
    if organisation.role != Role::Vendor || organisation.standing != Standing::Admitted {
        let (role, standing) = (organisation.role, organisation.standing);
        return Err(ClientError::NotFound(format!(
            "{vendor} is no admitted vendor ({role}, {standing:?}); do not sign"
        )));
    }
    let (admitted_as, words) = (organisation.name.to_string(), asked.plain_words());
    Ok(CheckedRequest { request: request.clone(), vendor, admitted_as, words })
}

/// The organisation for which an account speaks.
///
/// # Errors
/// [`ClientError::NotFound`], [`ClientError::Connection`].
pub async fn organisation_of(at: &ChainAt, account: [u8; 32]) -> Result<(OrganisationId, Organisation)> {
    let missing = || ClientError::NotFound(format!("account {} speaks for no organisation", ss58(&account)));
    let id = at.organisation_of(account).await?.ok_or_else(missing)?;
    let organisation = at.organisation(id).await?.ok_or_else(missing)?;
    Ok((id, organisation))
}

/// The X-Wing key of a vendor.
async fn vendor_key(at: &ChainAt, vendor: OrganisationId) -> Result<KemPublic> {
    let today: OperatingDay = at.today().await?;
    let key = at.kem_key(vendor).await?.filter(|key| today <= key.last_day);
    let key = key.ok_or_else(|| {
        ClientError::NotFound(format!("{vendor} has no X-Wing key that is good today: it must register one"))
    })?;
    KemPublic::from_bytes(&key.key).map_err(|error| ClientError::Delivery(error.into()))
}

/// The utility's account that signs deliveries.
pub(crate) async fn delivery_account(at: &ChainAt, utility: OrganisationId) -> Result<[u8; 32]> {
    let account = at.duty_account(utility, Duty::Delivery).await?;
    account.ok_or_else(|| ClientError::NotFound(format!("{utility} has no delivery account")))
}

/// Has a node carry a statement to the chain, and waits until its effect is finalised. Gives the block at which it was
/// seen.
///
/// # Errors
/// [`ClientError::Rpc`], [`ClientError::NotYet`], [`ClientError::Connection`].
pub async fn relay_and_wait(chain: &Chain, statement: &Statement, patience: Duration) -> Result<BlockRef> {
    let (text, signature) = statement.parts();
    let id = chain.rpc().relay(&text, &signature).await?;
    wait_queued(chain, &id, patience, "the relayed statement", async |at| {
        Ok(has_effect(at, statement).await?.then(|| at.block()))
    })
    .await
}

/// Whether finalised state shows what a statement says.
async fn has_effect(at: &ChainAt, statement: &Statement) -> Result<bool> {
    Ok(match statement {
        Statement::Claim(signed) => {
            let statement::Claim { utility, meter, customer, issue, .. } = signed.statement;
            let claim = at.meter(utility, meter).await?.and_then(|meter| meter.claim);
            claim.is_some_and(|claim| (claim.customer, claim.ticket_issue) == (customer, issue))
        }
        Statement::Consent(signed) => at.consent(&signed.statement.id()).await?.is_some(),
        Statement::Revoke(signed) => {
            at.consent(&signed.statement.consent).await?.is_some_and(|consent| consent.ended.is_some())
        }
        Statement::Narrow(signed) => {
            let narrow = &signed.statement;
            at.consent(&narrow.consent).await?.is_some_and(|consent| {
                (consent.channels, consent.level, consent.data, consent.access)
                    == (narrow.channels, narrow.level, narrow.data, narrow.access)
            })
        }
    })
}

/// Waits until finalised state shows something that a queued request leads to; a refusal by the node's worker ends it.
pub(crate) async fn wait_queued<T>(
    chain: &Chain,
    id: &str,
    patience: Duration,
    what: &str,
    mut found: impl AsyncFnMut(&ChainAt) -> Result<Option<T>>,
) -> Result<T> {
    let waited = chain.wait_until(patience, what, async |at| {
        if let Some(value) = found(at).await? {
            return Ok(Some(value));
        }
        match chain.rpc().queue(id).await? {
            Some(QueueState::Refused { reason }) => {
                Err(ClientError::Rpc { method: "wattseal_queue", code: REFUSED_BY_WORKER, message: reason })
            }
            _ => Ok(None),
        }
    });
    waited.await.map(|(_, value)| value)
}

/// Code of a request that a node took and whose worker then refused it.
pub const REFUSED_BY_WORKER: i32 = 7_099;
