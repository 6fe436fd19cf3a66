//! What a vendor does: ask with a link, relay the signed consent, collect the keys, fetch.

use crate::{
    account::{random, Account},
    chain::{Call, Chain, ChainAt, Included},
    customer::{delivery_account, organisation_of, relay_and_wait, wait_queued},
    delivery::sealed_bytes,
    links,
    node_rpc::{MAX_SEGMENTS, READ_REFUSAL},
    profile::Profile,
    reading::{Cursor, Fetched, Progress, Reader, Wanted},
    records::{kinds, name_of, ConsentRecord, DeliveryRecord, KemRecord, KemSecretRecord, RequestRecord, SecretBytes},
    roots::Access,
    ClientError, Result,
};
use sealed_register::{
    delivery::{open_delivery, Deliverer, Delivery, DeliveryContext, DeliveryError, Purpose},
    finalized::BlockRef,
    grantee::GranteeSecret,
    plain_words::Language,
    statement::{self, Reference, Signed, Statement as _, VendorName, VendorRequest},
    types::hex,
    Channels, DayRange, Hash, Level, OperatingDay, OrganisationId, Secret,
};
use std::time::Duration;

/// How long a relayed consent may take until it is finalised: some blocks to be carried, some to be final.
const RELAY_PATIENCE: Duration = Duration::from_secs(120);

/// The one record of X-Wing secrets.
const KEM: &str = "kem";

/// A vendor: an account, and a profile that keeps requests, consents and keys.
#[derive(Clone, Debug)]
pub struct Vendor {
    account: Account,
    profile: Profile,
}

/// What a vendor wants to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The name it goes by.
    pub name: VendorName,
    /// The only utility whose meters are meant, or none for any.
    pub utility: Option<OrganisationId>,
    /// Channels.
    pub channels: Channels,
    /// Finest resolution.
    pub level: Level,
    /// Operating days.
    pub data: DayRange,
    /// Days on which it wants to fetch.
    pub access: DayRange,
    /// What for.
    pub purpose: Purpose,
    /// Language of the words.
    pub language: Language,
    /// The vendor's own reference.
    pub reference: Reference,
    /// Last day on which it may be answered.
    pub expires: OperatingDay,
}

/// Keys that were collected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collected {
    /// The meter's present key epoch.
    pub epoch: u32,
    /// Block that carries the delivery.
    pub block: u32,
    /// Who delivered.
    pub deliverer: Deliverer,
    /// Epochs and days.
    pub segments: Vec<sealed_register::delivery::Segment>,
    /// Whether every segment's keys were tested on a cell; none of the present epoch may exist yet.
    pub tested: bool,
}

impl Vendor {
    /// A vendor with an account and a profile.
    pub fn new(account: Account, profile: Profile) -> Self {
        Self { account, profile }
    }

    /// The account.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// The profile.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Makes a new X-Wing key and sets it on chain; deliveries are sealed to it for today and 31 days. Secrets to which
    /// nothing can be sealed any more are forgotten.
    ///
    /// # Errors
    /// As [`Chain::submit`]; [`crate::error::FileProblem`].
    pub async fn register_key(&self, chain: &Chain) -> Result<Included> {
        let seed = Secret::from_bytes(random()?);
        let mut record = self.kem()?;
        let new = KemSecretRecord { seed: SecretBytes(seed), last_day: None };
        let public = new.secret().public();
        // Kept before it is used: a key on chain whose secret is lost would swallow deliveries.
        record.secrets.push(new);
        self.profile.write(kinds::KEYS, KEM, &record)?;
        let included = chain.submit(&self.account, &Call::SetKemKey(public.clone())).await?;
        let at = chain.finalized().await?;
        let (id, _) = organisation_of(&at, self.account.id()).await?;
        let on_chain = at.kem_key(id).await?;
        let today = at.today().await?;
        for secret in &mut record.secrets {
            let is_it = |key: &crate::chain::types::KemKey| key.key == secret.secret().public().as_bytes();
            if let Some(key) = on_chain.as_ref().filter(|key| is_it(key)) {
                secret.last_day = Some(key.last_day.0);
            }
        }
        record.secrets.retain(|secret| secret.last_day.is_none_or(|last_day| today.0 <= last_day));
        self.profile.write(kinds::KEYS, KEM, &record)?;
        Ok(included)
    }

    /// Whether the key on chain is one whose secret is here, and good today.
    ///
    /// # Errors
    /// [`ClientError::NotFound`] says what to do.
    pub async fn check_key(&self, at: &ChainAt) -> Result<()> {
        let (id, _) = organisation_of(at, self.account.id()).await?;
        let today = at.today().await?;
        let key = at.kem_key(id).await?.filter(|key| today <= key.last_day);
        let key = key.ok_or_else(|| {
            ClientError::NotFound(format!(
                "{id} has no X-Wing key that is good today: register one ('vendor keys register')"
            ))
        })?;
        let held = self.kem()?.secrets.iter().any(|secret| secret.secret().public().as_bytes().as_slice() == key.key);
        match held {
            true => Ok(()),
            false => Err(ClientError::NotFound(format!(
                "the secret of {id}'s X-Wing key on chain is not in {}: register a new one ('vendor keys register')",
                self.profile.folder().display()
            ))),
        }
    }

    /// Makes and signs a request, and keeps it: its secret is needed for everything that follows.
    ///
    /// # Errors
    /// [`ClientError::NotFound`] (the account speaks for nobody), [`ClientError::Request`] for ranges that no key exists
    /// for, [`crate::error::FileProblem`], [`ClientError::Connection`].
    pub async fn make_request(&self, chain: &Chain, draft: &Draft) -> Result<Signed<VendorRequest>> {
        let (vendor, _) = organisation_of(&chain.finalized().await?, self.account.id()).await?;
        let statement = VendorRequest {
            genesis: chain.genesis(),
            vendor,
            account: self.account.id(),
            name: draft.name.clone(),
            utility: draft.utility,
            channels: draft.channels,
            level: draft.level,
            data: draft.data,
            access: draft.access,
            purpose: draft.purpose,
            language: draft.language,
            text_hash: [0; 32],
            reference: draft.reference.clone(),
            secret: GranteeSecret(random()?),
            expires: draft.expires,
        }
        .with_text_hash();
        statement.check(draft.expires)?;
        let signed = Signed { signature: self.account.sign(&statement.message()), statement };
        let record = RequestRecord { request: signed.text() };
        self.profile.write(kinds::REQUESTS, &name_of(&signed.statement.grantee()), &record)?;
        Ok(signed)
    }

    /// The request that a consent answers.
    ///
    /// # Errors
    /// [`ClientError::NotFound`] if it is none of this profile's, [`ClientError::Request`].
    pub fn request_of(&self, consent: &statement::Consent) -> Result<Signed<VendorRequest>> {
        let grantee = consent.terms.grantee;
        let record: Option<RequestRecord> = self.profile.read(kinds::REQUESTS, &name_of(&grantee))?;
        let record = record.ok_or_else(|| {
            ClientError::NotFound(format!(
                "no request in {} is the one that this consent answers",
                self.profile.folder().display()
            ))
        })?;
        let request = record.request()?;
        request.statement.is_answered_by(&consent.terms)?;
        Ok(request)
    }

    /// Has the node carry a signed consent to the chain, waits until it is finalised, and keeps it. One that is on
    /// chain already is only kept. The vendor sends no transaction of its own, which would show it beside the meter.
    ///
    /// # Errors
    /// As [`Vendor::request_of`] and [`relay_and_wait`]; [`ClientError::Signature`].
    pub async fn relay(&self, chain: &Chain, consent: &Signed<statement::Consent>) -> Result<Option<BlockRef>> {
        let request = self.request_of(&consent.statement)?;
        let customer = consent.statement.customer;
        if consent.verified(|message, signature| crate::account::verify(&customer, message, signature)).is_none() {
            return Err(ClientError::Signature("the consent is not signed by the customer it names".into()));
        }
        let id = consent.statement.id();
        let included = match chain.finalized().await?.consent(&id).await? {
            Some(_) => None,
            None => {
                let statement = links::Statement::Consent(consent.clone());
                Some(relay_and_wait(chain, &statement, RELAY_PATIENCE).await?)
            }
        };
        let deliveries = self.record(&id).map(|record| record.deliveries).unwrap_or_default();
        let record = ConsentRecord { consent: consent.text(), request: request.text(), deliveries };
        self.profile.write(kinds::CONSENTS, &name_of(&id), &record)?;
        Ok(included)
    }

    /// Asks the utility's node to deliver the keys of a consent.
    ///
    /// # Errors
    /// [`ClientError::Rpc`], [`ClientError::NotFound`].
    pub async fn request_delivery(&self, chain: &Chain, consent: &Hash) -> Result<String> {
        let record = self.record(consent)?;
        let (signed, asked) = (record.consent()?, record.request()?.statement);
        let text = signed.statement.text();
        chain.rpc().request_delivery(&text, &signed.signature, asked.vendor, &asked.secret.0).await
    }

    /// Collects the keys for the meter's present epoch: asks for them where the chain has none yet, waits, opens them,
    /// tests them on cells, keeps them.
    ///
    /// # Errors
    /// [`ClientError::NotYet`], [`ClientError::Rpc`], [`ClientError::Delivery`], [`ClientError::Unverified`] (a key is
    /// not the one that sealed), [`ClientError::NotFound`] (unknown or ended consent).
    pub async fn collect(&self, access: &Access, consent: &Hash, patience: Duration) -> Result<Collected> {
        let mut record = self.record(consent)?;
        let chain = access.chain()?;
        let at = chain.finalized().await?;
        let standing = at.known_consent(consent).await?;
        if let Some((why, block)) = standing.ended {
            return Err(ClientError::NotFound(format!("the consent has ended: {why} in block {block}")));
        }
        let epoch = at.known_meter(standing.utility, standing.meter).await?.epoch;
        let (slot, deliverer) = match slot_of(&at, consent, epoch).await? {
            Some(found) => found,
            None => {
                self.check_key(&at).await?;
                let id = self.request_delivery(&access.vault, consent).await?;
                let found = async |at: &ChainAt| slot_of(at, consent, epoch).await;
                wait_queued(&access.vault, &id, patience, "the consent's keys", found).await?
            }
        };
        let handed_out = async || access.vault.rpc().sealed(consent, epoch, deliverer).await;
        // Whoever has the bytes may hand them out: their hash stands in finalised state.
        let bytes = sealed_bytes(&access.vault, &slot, handed_out).await?;
        let account = match deliverer {
            Deliverer::Utility => delivery_account(&at, standing.utility).await?,
            Deliverer::Customer => standing.customer,
        };
        let genesis = chain.genesis();
        let context = DeliveryContext { genesis, deliverer, account, consent: *consent, terms: standing.terms() };
        let delivery = self.open(&context, epoch, &bytes)?;
        let secret = record.request()?.statement.secret;
        let reader = Reader {
            access,
            account: &self.account,
            utility: standing.utility,
            meter: standing.meter,
            consent: Some((*consent, secret)),
        };
        let tested = match reader.test_keys(&delivery, standing.level, standing.data).await {
            Ok(tested) => tested,
            // Before the access window begins no cell is served to test them on.
            Err(ClientError::Rpc { code: NOT_YET, .. }) => false,
            Err(error) => return Err(error),
        };
        let by_customer = deliverer == Deliverer::Customer;
        record.add(DeliveryRecord::new(&delivery, epoch, by_customer, slot.block, tested));
        self.profile.write(kinds::CONSENTS, &name_of(consent), &record)?;
        Ok(Collected { epoch, block: slot.block, deliverer, segments: delivery.segments, tested })
    }

    /// Opens a delivery with whichever of the secrets held it was sealed to.
    fn open(&self, context: &DeliveryContext, epoch: u32, bytes: &[u8]) -> Result<Delivery> {
        let secrets = self.kem()?.secrets;
        let mut last = DeliveryError::Kem(sealed_register::kem::KemError::NotOpened);
        for secret in secrets.iter().rev() {
            match open_delivery(context, epoch, &secret.secret(), bytes) {
                Ok(delivery) => return Ok(delivery),
                Err(error) => last = error,
            }
        }
        Err(last.into())
    }

    /// Fetches days under a consent with the keys held: all that are wanted, or with `since` those that are new or revised
    /// since the fetch that gave this cursor. Keys for the present epoch are collected first where they are
    /// not held and come within `patience`; without them the days sealed under it are named as not granted.
    ///
    /// # Errors
    /// As [`Reader::fetch`]; [`ClientError::Usage`] (another consent's cursor); [`ClientError::NotFound`] for a consent that this profile does not hold.
    pub async fn fetch(
        &self,
        access: &Access,
        consent: &Hash,
        wanted: &Wanted,
        since: Option<&Cursor>,
        patience: Duration,
        progress: &dyn Fn(Progress),
    ) -> Result<Fetched> {
        if since.is_some_and(|cursor| cursor.consent != *consent) {
            return Err(ClientError::Usage("the cursor is of a fetch under another consent".into()));
        }
        let at = access.chain()?.finalized().await?;
        let standing = at.known_consent(consent).await?;
        if standing.ended.is_none() {
            let present = at.known_meter(standing.utility, standing.meter).await?.epoch;
            if self.record(consent)?.newest_epoch() != Some(present) {
                match self.collect(access, consent, patience).await {
                    Ok(_) | Err(ClientError::NotYet(_)) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        let record = self.record(consent)?;
        let (keyring, mut segments) = record.keys()?;
        segments.retain(|segment| segment.days.intersection(&wanted.range).is_some());
        let secret = record.request()?.statement.secret;
        let reader = Reader {
            access,
            account: &self.account,
            utility: standing.utility,
            meter: standing.meter,
            consent: Some((*consent, secret)),
        };
        if segments.len() > MAX_SEGMENTS {
            let sealed_under = reader.epochs(wanted.channels, wanted.range).await?;
            segments.retain(|segment| sealed_under.contains_key(&segment.epoch));
        }
        reader.fetch(wanted, since, &segments, &keyring, progress).await
    }

    /// What a consent allows, as it stands now: everything that can be fetched.
    ///
    /// # Errors
    /// [`ClientError::NotFound`], [`ClientError::Connection`].
    pub async fn allowed(&self, access: &Access, consent: &Hash) -> Result<Wanted> {
        let standing = access.chain()?.finalized().await?.known_consent(consent).await?;
        Ok(Wanted { channels: standing.channels, range: standing.data, level: standing.level })
    }

    /// Gives a consent back; that shows on chain whose it was.
    ///
    /// # Errors
    /// As [`Chain::submit`], [`ClientError::NotFound`].
    pub async fn give_back(&self, chain: &Chain, consent: &Hash) -> Result<Included> {
        let secret = self.record(consent)?.request()?.statement.secret;
        chain.submit(&self.account, &Call::GiveBack { consent: *consent, secret }).await
    }

    /// The consents held.
    ///
    /// # Errors
    /// [`crate::error::FileProblem`].
    pub fn consents(&self) -> Result<Vec<(Hash, ConsentRecord)>> {
        let mut consents = Vec::new();
        for name in self.profile.names(kinds::CONSENTS)? {
            let Ok(id) = crate::links::parse_hash(&name) else { continue };
            consents.push((id, self.record(&id)?));
        }
        Ok(consents)
    }

    /// What is kept about a consent.
    ///
    /// # Errors
    /// [`ClientError::NotFound`], [`crate::error::FileProblem`].
    pub fn record(&self, consent: &Hash) -> Result<ConsentRecord> {
        let record = self.profile.read(kinds::CONSENTS, &name_of(consent))?;
        record.ok_or_else(|| {
            let (consent, folder) = (hex(consent), self.profile.folder().display());
            ClientError::NotFound(format!("consent {consent} is not in {folder}: relay it first ('vendor relay')"))
        })
    }

    fn kem(&self) -> Result<KemRecord> {
        Ok(self.profile.read(kinds::KEYS, KEM)?.unwrap_or_default())
    }
}

/// JSON-RPC code of "the access window has not begun".
const NOT_YET: i32 = READ_REFUSAL + 9;

/// The delivery of an epoch, the utility's before the customer's.
async fn slot_of(
    at: &ChainAt,
    consent: &Hash,
    epoch: u32,
) -> Result<Option<(crate::chain::types::DeliverySlot, Deliverer)>> {
    for deliverer in [Deliverer::Utility, Deliverer::Customer] {
        if let Some(slot) = at.delivery(consent, epoch, deliverer).await? {
            return Ok(Some((slot, deliverer)));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failed unwrap is a failed test
    use super::*;
    use crate::chain::types::ReadRefusal;
    use codec::Encode;

    #[test]
    fn the_code_of_not_yet_is_the_runtimes() {
        assert_eq!(NOT_YET, READ_REFUSAL + i32::from(ReadRefusal::NotYet.encode()[0]));
    }
}
