//! Runtime APIs: what a vault, a client or anybody asks a Wattseal runtime.

use crate::{
    consent::{Consent, ConsentId, DeliverySlot, ReadQuery, ReadRefusal},
    meters::Meter,
    usage::{Batch, ShardState},
    AccountId, BlockNumber, OperatingDay, OrganisationId,
};
use alloc::vec::Vec;
use sealed_register::{delivery::Deliverer, MeterId};

sp_api::decl_runtime_apis! {
    /// The record of usage, meters and consents.
    pub trait WattsealApi {
        /// Whether the account may read this now.
        fn may_read(query: ReadQuery<AccountId>) -> Result<(), ReadRefusal>;
        /// All shards of all utilities that have a batch, with the number of leading MeterId bits of the utility.
        fn shards() -> Vec<(OrganisationId, u8, u16, ShardState)>;
        /// Number of leading MeterId bits that name a shard of this utility.
        fn shard_bits(utility: OrganisationId) -> Option<u8>;
        /// One committed batch.
        fn batch(utility: OrganisationId, shard: u16, sequence: u32) -> Option<Batch<BlockNumber>>;
        /// One meter.
        fn meter(utility: OrganisationId, meter: MeterId) -> Option<Meter<AccountId, BlockNumber>>;
        /// The meter's key epoch in the state of that block, which may be long past.
        fn epoch_at(utility: OrganisationId, meter: MeterId, block: BlockNumber) -> Option<u32>;
        /// One consent.
        fn consent(id: ConsentId) -> Option<Consent<AccountId, BlockNumber>>;
        /// Where the delivery of a consent's keys of one epoch lies.
        fn delivery(consent: ConsentId, epoch: u32, deliverer: Deliverer) -> Option<DeliverySlot<BlockNumber>>;
        /// Where the delivery of a meter's own key to its customer lies.
        fn meter_key_delivery(utility: OrganisationId, meter: MeterId) -> Option<DeliverySlot<BlockNumber>>;
        /// The operating days of 92 and of 100 intervals.
        fn calendar() -> (Vec<OperatingDay>, Vec<OperatingDay>);
        /// The local day by Central Standard Time at this block.
        fn today() -> OperatingDay;
    }
}
