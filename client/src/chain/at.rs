//! The state of one block.

use super::types::{
    AccountId, Batch, Consent, DeliverySlot, Duty, KemKey, Meter, Organisation, ReadRefusal, ShardState,
};
use crate::{ClientError, Result};
use codec::{Decode, Encode};
use sealed_register::{
    delivery::Deliverer, finalized::BlockRef, shard::Shard, Channel, DayRange, Hash, Level, MeterId, OperatingDay,
    OrganisationId,
};
use smart_meter_texas::Calendar;
use subxt::{
    config::SubstrateConfig,
    dynamic,
    error::{RuntimeApiError, StorageError},
    utils::Static,
    OnlineClientAtBlock,
};

/// What a vault asks the runtime before it serves.
#[derive(Clone, Debug, PartialEq, Eq, Encode)]
pub struct ReadQuery {
    /// Who asks.
    pub account: AccountId,
    /// The request's secret; zero when the customer reads her own meter.
    pub secret: [u8; 32],
    /// The consent; `None` when the customer reads her own meter.
    pub consent: Option<Hash>,
    /// The utility that measures.
    pub utility: OrganisationId,
    /// The meter.
    pub meter: MeterId,
    /// Channel.
    pub channel: Channel,
    /// Operating days.
    pub range: DayRange,
    /// Resolution.
    pub level: Level,
}

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

    /// A meter.
    ///
    /// # Errors
    /// [`ClientError::Connection`], [`ClientError::Incompatible`], as all reads.
    pub async fn meter(&self, utility: OrganisationId, meter: MeterId) -> Result<Option<Meter>> {
        self.api("meter", (Static(utility), Static(meter))).await
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
        self.api("epoch_at", (Static(utility), Static(meter), Static(block))).await
    }

    /// A consent.
    ///
    /// # Errors
    /// As [`ChainAt::meter`].
    pub async fn consent(&self, id: &Hash) -> Result<Option<Consent>> {
        self.api("consent", (Static(*id),)).await
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
        self.api("delivery", (Static(*consent), Static(epoch), Static(deliverer))).await
    }

    /// Where the delivery of a meter's own key lies.
    ///
    /// # Errors
    /// As [`ChainAt::meter`].
    pub async fn meter_key_delivery(&self, utility: OrganisationId, meter: MeterId) -> Result<Option<DeliverySlot>> {
        self.api("meter_key_delivery", (Static(utility), Static(meter))).await
    }

    /// How many leading bits of a MeterId number a utility's shards; 0 before anything was set.
    ///
    /// # Errors
    /// As [`ChainAt::meter`].
    pub async fn shard_bits(&self, utility: OrganisationId) -> Result<u8> {
        let bits: Option<u8> = self.api("shard_bits", (Static(utility),)).await?;
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
        let keys = (Static(utility), Static(shard));
        let address = dynamic::storage::<(Static<OrganisationId>, Static<u16>), Static<ShardState>>("Usage", "Shards");
        let value = self.at.storage().try_fetch(address, keys).await.map_err(|error| self.storage("Shards", error))?;
        match value {
            None => Ok(ShardState::default()),
            Some(value) => decode("Usage.Shards", value.bytes()),
        }
    }

    /// All shards that have a batch: utility, its shard bits, shard, newest state.
    ///
    /// # Errors
    /// As [`ChainAt::meter`].
    pub async fn shards(&self) -> Result<Vec<(OrganisationId, u8, u16, ShardState)>> {
        self.api("shards", ()).await
    }

    /// One batch.
    ///
    /// # Errors
    /// As [`ChainAt::meter`].
    pub async fn batch(&self, utility: OrganisationId, shard: u16, sequence: u32) -> Result<Option<Batch>> {
        self.api("batch", (Static(utility), Static(shard), Static(sequence))).await
    }

    /// The calendar of operating days.
    ///
    /// # Errors
    /// As [`ChainAt::meter`].
    pub async fn calendar(&self) -> Result<Calendar> {
        let (short, long): (Vec<OperatingDay>, Vec<OperatingDay>) = self.api("calendar", ()).await?;
        let days = |days: Vec<OperatingDay>| -> Vec<_> {
            days.into_iter().map(|day| smart_meter_texas::OperatingDay(day.0)).collect()
        };
        let calendar = Calendar::from_days(&days(short), &days(long));
        calendar.map_err(|error| ClientError::Incompatible(format!("the chain's calendar makes no sense: {error}")))
    }

    /// The local day by Central Standard Time at this block.
    ///
    /// # Errors
    /// As [`ChainAt::meter`].
    pub async fn today(&self) -> Result<OperatingDay> {
        self.api("today", ()).await
    }

    /// Whether somebody may read.
    ///
    /// # Errors
    /// As [`ChainAt::meter`].
    pub async fn may_read(&self, query: &ReadQuery) -> Result<std::result::Result<(), ReadRefusal>> {
        self.api("may_read", (Static(query.clone()),)).await
    }

    /// An organisation.
    ///
    /// # Errors
    /// As [`ChainAt::meter`].
    pub async fn organisation(&self, id: OrganisationId) -> Result<Option<Organisation>> {
        self.one("Participants", "Organisations", id).await
    }

    /// All organisations.
    ///
    /// # Errors
    /// As [`ChainAt::meter`].
    pub async fn organisations(&self) -> Result<Vec<(OrganisationId, Organisation)>> {
        let address =
            dynamic::storage::<(Static<OrganisationId>,), Static<Organisation>>("Participants", "Organisations");
        let fail = |error| self.storage("Organisations", error);
        let mut entries = self.at.storage().iter(address, ()).await.map_err(fail)?;
        let mut organisations = Vec::new();
        while let Some(entry) = entries.next().await {
            let entry = entry.map_err(fail)?;
            // Blake2_128Concat: the key itself stands after pallet, entry (16 bytes each) and its own hash (16 bytes).
            let id = decode("Participants.Organisations", entry.key_bytes().get(48..).unwrap_or_default())?;
            organisations.push((id, decode("Participants.Organisations", entry.value().bytes())?));
        }
        organisations.sort_by_key(|(id, _)| *id);
        Ok(organisations)
    }

    /// The organisation for which an account speaks.
    ///
    /// # Errors
    /// As [`ChainAt::meter`].
    pub async fn organisation_of(&self, account: AccountId) -> Result<Option<OrganisationId>> {
        self.one("Participants", "OrganisationOf", account).await
    }

    /// The X-Wing key of an organisation.
    ///
    /// # Errors
    /// As [`ChainAt::meter`].
    pub async fn kem_key(&self, id: OrganisationId) -> Result<Option<KemKey>> {
        self.one("Participants", "KemKeys", id).await
    }

    /// The account that does a utility's duty.
    ///
    /// # Errors
    /// As [`ChainAt::meter`].
    pub async fn duty_account(&self, utility: OrganisationId, duty: Duty) -> Result<Option<AccountId>> {
        self.two("Participants", "DutyOf", utility, duty).await
    }

    /// The consents of a meter that stand.
    ///
    /// # Errors
    /// As [`ChainAt::meter`].
    pub async fn standing_consents(&self, utility: OrganisationId, meter: MeterId) -> Result<Vec<Hash>> {
        let standing: Option<Vec<Hash>> = self.two("Consents", "StandingOf", utility, meter).await?;
        Ok(standing.unwrap_or_default())
    }

    /// The meters that an account holds.
    ///
    /// # Errors
    /// As [`ChainAt::meter`].
    pub async fn meters_of(&self, account: AccountId) -> Result<Vec<(OrganisationId, MeterId)>> {
        type Keys = (Static<AccountId>, Static<(OrganisationId, MeterId)>);
        let address = dynamic::storage::<Keys, Static<()>>("Meters", "ClaimedBy");
        let fail = |error| self.storage("ClaimedBy", error);
        let mut entries = self.at.storage().iter(address, (Static(account),)).await.map_err(fail)?;
        let mut meters = Vec::new();
        while let Some(entry) = entries.next().await {
            let entry = entry.map_err(fail)?;
            // After pallet and entry (16 bytes each): hash and account (48 bytes), hash (16 bytes), then the meter.
            meters.push(decode("Meters.ClaimedBy", entry.key_bytes().get(96..).unwrap_or_default())?);
        }
        meters.sort();
        Ok(meters)
    }

    async fn api<A, R>(&self, method: &'static str, arguments: A) -> Result<R>
    where
        A: subxt::ext::frame_decode::runtime_apis::IntoEncodableValues,
        R: Decode,
    {
        let payload = dynamic::runtime_api_call::<A, Static<R>>("WattsealApi", method, arguments);
        let answer = self.at.runtime_apis().call(payload).await;
        answer.map(|Static(value)| value).map_err(|error| match error {
            RuntimeApiError::CannotCallApi(error) => self.lost(error),
            error => ClientError::Incompatible(format!("runtime API WattsealApi.{method}: {error}")),
        })
    }

    async fn one<K: Encode + Decode, V: Decode>(
        &self,
        pallet: &'static str,
        entry: &'static str,
        key: K,
    ) -> Result<Option<V>> {
        let address = dynamic::storage::<(Static<K>,), Static<V>>(pallet, entry);
        let value = self.at.storage().try_fetch(address, (Static(key),)).await;
        let value = value.map_err(|error| self.storage(entry, error))?;
        value.map(|value| decode(entry, value.bytes())).transpose()
    }

    async fn two<K: Encode + Decode, L: Encode + Decode, V: Decode>(
        &self,
        pallet: &'static str,
        entry: &'static str,
        first: K,
        second: L,
    ) -> Result<Option<V>> {
        let address = dynamic::storage::<(Static<K>, Static<L>), Static<V>>(pallet, entry);
        let value = self.at.storage().try_fetch(address, (Static(first), Static(second))).await;
        let value = value.map_err(|error| self.storage(entry, error))?;
        value.map(|value| decode(entry, value.bytes())).transpose()
    }

    fn storage(&self, entry: &str, error: StorageError) -> ClientError {
        match error {
            StorageError::CannotFetchValue(error) | StorageError::CannotIterateValues(error) => self.lost(error),
            error => ClientError::Incompatible(format!("storage {entry}: {error}")),
        }
    }

    fn lost(&self, error: impl std::fmt::Display) -> ClientError {
        ClientError::Connection { url: self.url.clone(), problem: error.to_string() }
    }
}

fn decode<T: Decode>(what: &str, mut bytes: &[u8]) -> Result<T> {
    let value = T::decode(&mut bytes).map_err(|error| ClientError::Incompatible(format!("{what}: {error}")))?;
    match bytes.len() {
        0 => Ok(value),
        left => Err(ClientError::Incompatible(format!("{what}: {left} bytes too many"))),
    }
}
