//! The state of one block.

use super::{
    api::{runtime_apis, storage},
    types::{
        AccountId, Batch, Consent, DeliverySlot, Duty, KemKey, Meter, Organisation, ReadQuery, ReadRefusal, ShardState,
    },
};
use crate::{ClientError, Result};
use codec::Decode;
use sealed_register::{
    delivery::Deliverer, finalized::BlockRef, shard::Shard, Hash, MeterId, OperatingDay, OrganisationId,
};
use smart_meter_texas::Calendar;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use subxt::{
    config::SubstrateConfig,
    error::{RuntimeApiError, StorageError},
    runtime_apis::Payload,
    storage::Address,
    utils::{AccountId32, Static},
    OnlineClientAtBlock,
};

/// How far the newest finalised block may be from this machine's clock; vaults serve nobody when they are further behind.
const RECENT: Duration = Duration::from_secs(60);
/// Bytes of a storage key before the first key of a map: hashes of pallet and entry.
const PREFIX: usize = 32;
/// Bytes of Blake2_128Concat's hash, before each key of a map.
const KEY_HASH: usize = 16;

/// The state of one block of the chain.
pub struct ChainAt {
    at: OnlineClientAtBlock<SubstrateConfig>,
    url: String,
}

impl ChainAt {
    pub(super) fn new(at: OnlineClientAtBlock<SubstrateConfig>, url: &str) -> Self {
        Self { at, url: url.into() }
    }

    /// The block.
    pub fn block(&self) -> BlockRef {
        let number = u32::try_from(self.at.block_number()).unwrap_or(u32::MAX);
        BlockRef { number, hash: self.at.block_hash().0 }
    }

    /// Genesis hash of the chain.
    pub fn genesis(&self) -> Hash {
        self.at.genesis_hash().map_or([0; 32], |hash| hash.0)
    }

    /// Why this block cannot be the newest finalised one by this machine's clock; nothing where it can be. Whoever
    /// cuts a reader off from the network can hold back blocks, but cannot make new ones.
    ///
    /// # Errors
    /// As [`ChainAt::meter`].
    pub async fn stale(&self) -> Result<Option<String>> {
        let time: Option<u64> = self.fetch("Timestamp.Now", storage().timestamp().now(), ()).await?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let age = now.abs_diff(Duration::from_millis(time.unwrap_or_default()));
        let (block, seconds) = (self.block().number, age.as_secs());
        Ok((age > RECENT).then(|| format!("block {block} is {seconds} s away from this machine's clock")))
    }

    /// A meter.
    ///
    /// # Errors
    /// [`ClientError::Connection`], [`ClientError::Incompatible`], as all reads.
    pub async fn meter(&self, utility: OrganisationId, meter: MeterId) -> Result<Option<Meter>> {
        let call = runtime_apis().wattseal_api().meter(utility.to_string(), Static(meter));
        Ok(self.api("meter", call).await?.map(|found| found.0))
    }

    /// The meter, which must be there.
    ///
    /// # Errors
    /// [`ClientError::NotFound`] and as [`ChainAt::meter`].
    pub async fn known_meter(&self, utility: OrganisationId, meter: MeterId) -> Result<Meter> {
        let found = self.meter(utility, meter).await?;
        found.ok_or_else(|| ClientError::NotFound(format!("{utility} has registered no meter {meter}")))
    }

    /// The key epoch of a meter in the state of a block, which may be long past.
    ///
    /// # Errors
    /// As [`ChainAt::meter`].
    pub async fn epoch_at(&self, utility: OrganisationId, meter: MeterId, block: u32) -> Result<Option<u32>> {
        self.api("epoch_at", runtime_apis().wattseal_api().epoch_at(utility.to_string(), Static(meter), block)).await
    }

    /// A consent.
    ///
    /// # Errors
    /// As [`ChainAt::meter`].
    pub async fn consent(&self, id: &Hash) -> Result<Option<Consent>> {
        Ok(self.api("consent", runtime_apis().wattseal_api().consent(*id)).await?.map(|found| found.0))
    }

    /// The consent, which must be there.
    ///
    /// # Errors
    /// [`ClientError::NotFound`] and as [`ChainAt::meter`].
    pub async fn known_consent(&self, id: &Hash) -> Result<Consent> {
        let found = self.consent(id).await?;
        let id = sealed_register::types::hex(id);
        found.ok_or_else(|| ClientError::NotFound(format!("no consent {id} stands on chain in finalised state")))
    }

    /// Where the delivery of a consent's keys of one epoch lies.
    ///
    /// # Errors
    /// As [`ChainAt::meter`].
    pub async fn delivery(&self, consent: &Hash, epoch: u32, deliverer: Deliverer) -> Result<Option<DeliverySlot>> {
        let call = runtime_apis().wattseal_api().delivery(*consent, epoch, Static(deliverer));
        Ok(self.api("delivery", call).await?.map(|found| found.0))
    }

    /// Where the delivery of a meter's own key lies.
    ///
    /// # Errors
    /// As [`ChainAt::meter`].
    pub async fn meter_key_delivery(&self, utility: OrganisationId, meter: MeterId) -> Result<Option<DeliverySlot>> {
        let call = runtime_apis().wattseal_api().meter_key_delivery(utility.to_string(), Static(meter));
        Ok(self.api("meter_key_delivery", call).await?.map(|found| found.0))
    }

    /// How many leading bits of a MeterId number a utility's shards; 0 before anything was set.
    ///
    /// # Errors
    /// As [`ChainAt::meter`].
    pub async fn shard_bits(&self, utility: OrganisationId) -> Result<u8> {
        let bits = self.api("shard_bits", runtime_apis().wattseal_api().shard_bits(utility.to_string())).await?;
        Ok(bits.unwrap_or_default())
    }

    /// The shard of a meter.
    ///
    /// # Errors
    /// As [`ChainAt::meter`].
    pub async fn shard_of(&self, utility: OrganisationId, meter: &MeterId) -> Result<Shard> {
        Ok(Shard::of(self.genesis(), utility, meter, self.shard_bits(utility).await?))
    }

    /// A shard's newest batch; the state before the first batch if there is none.
    ///
    /// # Errors
    /// As [`ChainAt::meter`].
    pub async fn shard(&self, utility: OrganisationId, shard: u16) -> Result<ShardState> {
        let keys = (utility.to_string(), shard);
        let state = self.fetch("Usage.Shards", storage().usage().shards(), keys).await?;
        Ok(state.unwrap_or_default())
    }

    /// All shards that have a batch: utility, its shard bits, shard, newest state.
    ///
    /// # Errors
    /// As [`ChainAt::meter`].
    pub async fn shards(&self) -> Result<Vec<(OrganisationId, u8, u16, ShardState)>> {
        let shards = self.api("shards", runtime_apis().wattseal_api().shards()).await?;
        let shard = |(utility, bits, shard, Static(state)): (String, u8, u16, Static<ShardState>)| {
            Ok((organisation("WattsealApi.shards", &utility)?, bits, shard, state))
        };
        shards.into_iter().map(shard).collect()
    }

    /// One batch.
    ///
    /// # Errors
    /// As [`ChainAt::meter`].
    pub async fn batch(&self, utility: OrganisationId, shard: u16, sequence: u32) -> Result<Option<Batch>> {
        let call = runtime_apis().wattseal_api().batch(utility.to_string(), shard, sequence);
        Ok(self.api("batch", call).await?.map(|found| found.0))
    }

    /// The calendar of operating days.
    ///
    /// # Errors
    /// As [`ChainAt::meter`].
    pub async fn calendar(&self) -> Result<Calendar> {
        let (short, long) = self.api("calendar", runtime_apis().wattseal_api().calendar()).await?;
        let days = |days: Vec<Static<OperatingDay>>| -> Vec<_> {
            days.into_iter().map(|Static(day)| smart_meter_texas::OperatingDay(day.0)).collect()
        };
        let calendar = Calendar::from_days(&days(short), &days(long));
        calendar.map_err(|error| ClientError::Incompatible(format!("the chain's calendar makes no sense: {error}")))
    }

    /// The local day by Central Standard Time at this block.
    ///
    /// # Errors
    /// As [`ChainAt::meter`].
    pub async fn today(&self) -> Result<OperatingDay> {
        Ok(self.api("today", runtime_apis().wattseal_api().today()).await?.0)
    }

    /// Whether somebody may read.
    ///
    /// # Errors
    /// As [`ChainAt::meter`].
    pub async fn may_read(&self, query: &ReadQuery) -> Result<std::result::Result<(), ReadRefusal>> {
        let answer = self.api("may_read", runtime_apis().wattseal_api().may_read(Static(query.clone()))).await?;
        Ok(answer.map_err(|Static(refusal)| refusal))
    }

    /// An organisation.
    ///
    /// # Errors
    /// As [`ChainAt::meter`].
    pub async fn organisation(&self, id: OrganisationId) -> Result<Option<Organisation>> {
        self.fetch("Participants.Organisations", storage().participants().organisations(), (id.to_string(),)).await
    }

    /// All organisations.
    ///
    /// # Errors
    /// As [`ChainAt::meter`].
    pub async fn organisations(&self) -> Result<Vec<(OrganisationId, Organisation)>> {
        const WHAT: &str = "Participants.Organisations";
        let fail = |error| self.storage(WHAT, error);
        let entries = self.at.storage().iter(storage().participants().organisations(), ()).await;
        let mut entries = entries.map_err(fail)?;
        let mut organisations = Vec::new();
        while let Some(entry) = entries.next().await {
            let entry = entry.map_err(fail)?;
            let id: OrganisationId = decode(WHAT, entry.key_bytes().get(PREFIX + KEY_HASH..).unwrap_or_default())?;
            organisations.push((id, decode(WHAT, entry.value().bytes())?));
        }
        organisations.sort_by_key(|(id, _)| *id);
        Ok(organisations)
    }

    /// The organisation for which an account speaks.
    ///
    /// # Errors
    /// As [`ChainAt::meter`].
    pub async fn organisation_of(&self, account: AccountId) -> Result<Option<OrganisationId>> {
        let address = storage().participants().organisation_of();
        self.fetch("Participants.OrganisationOf", address, (AccountId32(account),)).await
    }

    /// The X-Wing key of an organisation.
    ///
    /// # Errors
    /// As [`ChainAt::meter`].
    pub async fn kem_key(&self, id: OrganisationId) -> Result<Option<KemKey>> {
        self.fetch("Participants.KemKeys", storage().participants().kem_keys(), (id.to_string(),)).await
    }

    /// The account that does a utility's duty.
    ///
    /// # Errors
    /// As [`ChainAt::meter`].
    pub async fn duty_account(&self, utility: OrganisationId, duty: Duty) -> Result<Option<AccountId>> {
        let keys = (utility.to_string(), Static(duty));
        self.fetch("Participants.DutyOf", storage().participants().duty_of(), keys).await
    }

    /// The consents of a meter that stand.
    ///
    /// # Errors
    /// As [`ChainAt::meter`].
    pub async fn standing_consents(&self, utility: OrganisationId, meter: MeterId) -> Result<Vec<Hash>> {
        let keys = (utility.to_string(), Static(meter));
        let standing = self.fetch("Consents.StandingOf", storage().consents().standing_of(), keys).await?;
        Ok(standing.unwrap_or_default())
    }

    /// The meters that an account holds.
    ///
    /// # Errors
    /// As [`ChainAt::meter`].
    pub async fn meters_of(&self, account: AccountId) -> Result<Vec<(OrganisationId, MeterId)>> {
        const WHAT: &str = "Meters.ClaimedBy";
        const AFTER_ACCOUNT: usize = PREFIX + KEY_HASH + 32 + KEY_HASH;
        let fail = |error| self.storage(WHAT, error);
        let entries = self.at.storage().iter(storage().meters().claimed_by(), (AccountId32(account),)).await;
        let mut entries = entries.map_err(fail)?;
        let mut meters = Vec::new();
        while let Some(entry) = entries.next().await {
            let entry = entry.map_err(fail)?;
            meters.push(decode(WHAT, entry.key_bytes().get(AFTER_ACCOUNT..).unwrap_or_default())?);
        }
        meters.sort();
        Ok(meters)
    }

    async fn api<P: Payload>(&self, method: &'static str, call: P) -> Result<P::ReturnType> {
        self.at.runtime_apis().call(call).await.map_err(|error| match error {
            RuntimeApiError::CannotCallApi(error) => self.lost(error),
            error => ClientError::Incompatible(format!("runtime API WattsealApi.{method}: {error}")),
        })
    }

    /// One value, decoded by this client's own type; nothing if there is none.
    async fn fetch<A: Address, V: Decode>(&self, what: &str, address: A, keys: A::KeyParts) -> Result<Option<V>> {
        let value = self.at.storage().try_fetch(address, keys).await.map_err(|error| self.storage(what, error))?;
        value.map(|value| decode(what, value.bytes())).transpose()
    }

    fn storage(&self, what: &str, error: StorageError) -> ClientError {
        match error {
            StorageError::CannotFetchValue(error)
            | StorageError::CannotIterateValues(error)
            | StorageError::StreamFailure(error) => self.lost(error),
            error => ClientError::Incompatible(format!("storage {what}: {error}")),
        }
    }

    fn lost(&self, error: impl std::fmt::Display) -> ClientError {
        ClientError::Connection { url: self.url.clone(), problem: error.to_string() }
    }
}

fn organisation(what: &str, name: &str) -> Result<OrganisationId> {
    name.parse().map_err(|error| ClientError::Incompatible(format!("{what}: {error}")))
}

fn decode<T: Decode>(what: &str, mut bytes: &[u8]) -> Result<T> {
    let value = T::decode(&mut bytes).map_err(|error| ClientError::Incompatible(format!("{what}: {error}")))?;
    match bytes.len() {
        0 => Ok(value),
        left => Err(ClientError::Incompatible(format!("{what}: {left} bytes too many"))),
    }
}
