//! What the worker sees of the chain at its block, and what it sends there.

use super::queue::Relayed;
use crate::{Config, Pallet, SubmitError, SubmitSigned};
use alloc::vec::Vec;
use frame_system::pallet_prelude::BlockNumberFor;
use pallet_participants::{Directory, Today};
use sealed_register::{
    delivery::{Deliverer, Segment},
    Hash, MeterId, OperatingDay, OrganisationId,
};
use sp_core::{crypto::KeyTypeId, sr25519, H256};
use sp_runtime::{traits::SaturatedConversion, BoundedVec};
use wattseal_ingest::chain::{ChainState, MeterState, ShardTip};
use wattseal_primitives::{
    consent::{Consent, ConsentId},
    meters::Meter,
    offchain::OutboxEntry,
    organisations::{KemKey, Role},
    usage::{Batch, ShardState},
    AccountId, BlockNumber,
};

/// The state of the block at which the worker runs, as far as it concerns this utility.
pub trait Chain {
    /// The block.
    fn block(&self) -> BlockNumber;
    /// Genesis hash.
    fn genesis(&self) -> Hash;
    /// Hash of a block of this chain; nothing if it is not known (any more, or yet).
    fn block_hash(&self, number: BlockNumber) -> Option<Hash>;
    /// The local day by Central Standard Time.
    fn today(&self) -> OperatingDay;
    /// Leading bits of a MeterId that name its shard.
    fn shard_bits(&self) -> u8;
    /// A shard's newest batch.
    fn shard(&self, shard: u16) -> ShardState;
    /// A committed batch.
    fn batch(&self, shard: u16, sequence: u32) -> Option<Batch<BlockNumber>>;
    /// A meter.
    fn meter(&self, meter: &MeterId) -> Option<Meter<AccountId, BlockNumber>>;
    /// A meter's key epoch in the state of an earlier block.
    fn epoch_at(&self, meter: &MeterId, block: BlockNumber) -> Option<u32>;
    /// The days of 92 and of 100 intervals.
    fn calendar(&self) -> (Vec<OperatingDay>, Vec<OperatingDay>);
    /// A consent.
    fn consent(&self, id: &ConsentId) -> Option<Consent<AccountId, BlockNumber>>;
    /// Whether the utility has delivered the keys of a consent for an epoch.
    fn delivered(&self, consent: &ConsentId, epoch: u32) -> bool;
    /// Block of the newest delivery of a meter's key.
    fn meter_key_delivered(&self, meter: &MeterId) -> Option<BlockNumber>;
    /// The X-Wing key of an admitted vendor; nothing if it is none. The key itself may be missing.
    fn vendor(&self, vendor: &OrganisationId) -> Option<Option<KemKey>>;
    /// Number of extrinsics that an account has sent.
    fn nonce(&self, account: &[u8; 32]) -> u32;
}

/// What of [`Chain`] sealing asks.
#[derive(Clone, Copy, Debug)]
pub struct ForSealing<'a, C>(pub &'a C);

impl<C: Chain> ChainState for ForSealing<'_, C> {
    fn shard(&self, shard: u16) -> ShardTip {
        let ShardState { next_sequence, root } = self.0.shard(shard);
        ShardTip { next_sequence, root }
    }

    fn meter(&self, meter: &MeterId) -> Option<MeterState> {
        let meter = self.0.meter(meter)?;
        Some(MeterState {
            max_wh_per_interval: meter.class.max_wh_per_interval(),
            channels: meter.channels,
            first: meter.tenancy_start,
            last: meter.tenancy_end,
        })
    }

    fn epoch_at(&self, meter: &MeterId, block: BlockNumber) -> Option<u32> {
        self.0.epoch_at(meter, block)
    }
}

/// A call that the worker sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Commits a batch.
    Commit(OutboxEntry),
    /// Delivers the keys of a consent.
    Deliver {
        /// The consent.
        consent: ConsentId,
        /// The meter's present epoch.
        epoch: u32,
        /// What is delivered.
        segments: Vec<Segment>,
        /// The sealed delivery.
        sealed: Vec<u8>,
    },
    /// Delivers a meter's key to its customer.
    DeliverMeterKey {
        /// The meter.
        meter: MeterId,
        /// Issue of the ticket of the claim for which the key is sealed.
        issue: u32,
        /// The sealed key.
        sealed: Vec<u8>,
    },
    /// Carries a signed statement.
    Relay(Relayed),
}

/// Where calls go.
pub trait Outgoing {
    /// Signs an action with a key of the keystore and hands it to the pool.
    ///
    /// # Errors
    /// [`SubmitError`]; also when the action does not fit its call's bounds.
    fn submit(&mut self, action: Action, public: &[u8; 32], key_type: KeyTypeId, nonce: u32)
        -> Result<(), SubmitError>;
}

/// The pallets' storage at the worker's block.
pub struct PalletChain<T: Config> {
    /// The utility whose node this is.
    pub utility: OrganisationId,
    /// The block.
    pub block: BlockNumberFor<T>,
}

type DirectoryOf<T> = <T as pallet_meters::Config>::Directory;

fn number<T: Config>(block: BlockNumberFor<T>) -> BlockNumber {
    block.saturated_into()
}

impl<T: Config> Chain for PalletChain<T> {
    fn block(&self) -> BlockNumber {
        number::<T>(self.block)
    }

    fn genesis(&self) -> Hash {
        pallet_meters::Pallet::<T>::genesis()
    }

    fn block_hash(&self, block: BlockNumber) -> Option<Hash> {
        let hash = frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::from(block));
        (hash != H256::zero()).then_some(hash.0)
    }

    fn today(&self) -> OperatingDay {
        <T as pallet_meters::Config>::Clock::today()
    }

    fn shard_bits(&self) -> u8 {
        Pallet::<T>::shard_bits(&self.utility).unwrap_or_default()
    }

    fn shard(&self, shard: u16) -> ShardState {
        crate::Shards::<T>::get(self.utility, shard)
    }

    fn batch(&self, shard: u16, sequence: u32) -> Option<Batch<BlockNumber>> {
        let batch = Pallet::<T>::batch(self.utility, shard, sequence)?;
        let Batch { root, body_hash, body_bytes, cells, days, as_of, committed_at } = batch;
        let (as_of, committed_at) = (number::<T>(as_of), number::<T>(committed_at));
        Some(Batch { root, body_hash, body_bytes, cells, days, as_of, committed_at })
    }

    fn meter(&self, meter: &MeterId) -> Option<Meter<AccountId, BlockNumber>> {
        use wattseal_primitives::meters::Claim;
        let meter = pallet_meters::Pallet::<T>::meter(&self.utility, meter)?;
        let claim = meter.claim.map(|claim| Claim {
            customer: claim.customer,
            kem_hash: claim.kem_hash,
            ticket_issue: claim.ticket_issue,
            claimed_at: number::<T>(claim.claimed_at),
        });
        Some(Meter {
            class: meter.class,
            channels: meter.channels,
            tenancy_start: meter.tenancy_start,
            tenancy_end: meter.tenancy_end,
            ticket_issue: meter.ticket_issue,
            ticket_key: meter.ticket_key,
            claim,
            epoch: meter.epoch,
            epoch_since: number::<T>(meter.epoch_since),
        })
    }

    fn epoch_at(&self, meter: &MeterId, block: BlockNumber) -> Option<u32> {
        pallet_meters::Pallet::<T>::epoch_at(&self.utility, meter, block.into())
    }

    fn calendar(&self) -> (Vec<OperatingDay>, Vec<OperatingDay>) {
        Pallet::<T>::calendar()
    }

    fn consent(&self, id: &ConsentId) -> Option<Consent<AccountId, BlockNumber>> {
        let consent = pallet_consent::Consents::<T>::get(id)?;
        Some(Consent {
            utility: consent.utility,
            meter: consent.meter,
            customer: consent.customer,
            grantee: consent.grantee,
            channels: consent.channels,
            level: consent.level,
            data: consent.data,
            access: consent.access,
            purpose: consent.purpose,
            text_hash: consent.text_hash,
            given_at: number::<T>(consent.given_at),
            ended: consent.ended.map(|(why, block)| (why, number::<T>(block))),
        })
    }

    fn delivered(&self, consent: &ConsentId, epoch: u32) -> bool {
        pallet_consent::Deliveries::<T>::contains_key((consent, epoch, Deliverer::Utility))
    }

    fn meter_key_delivered(&self, meter: &MeterId) -> Option<BlockNumber> {
        pallet_consent::MeterKeyDeliveries::<T>::get(self.utility, meter).map(|slot| number::<T>(slot.block))
    }

    fn vendor(&self, vendor: &OrganisationId) -> Option<Option<KemKey>> {
        let role = DirectoryOf::<T>::role_of(vendor)?;
        (role == Role::Vendor).then(|| DirectoryOf::<T>::kem_key(vendor))
    }

    fn nonce(&self, account: &[u8; 32]) -> u32 {
        frame_system::Pallet::<T>::account_nonce(AccountId::from(*account)).saturated_into()
    }
}

impl<T: Config> PalletChain<T> {
    fn call(action: Action) -> Result<<T as frame_system::Config>::RuntimeCall, SubmitError> {
        Ok(match action {
            Action::Commit(entry) => crate::Call::<T>::commit_batch {
                shard: entry.shard,
                sequence: entry.sequence,
                root: entry.root,
                body_hash: entry.body_hash,
                body_bytes: entry.body_bytes,
                cells: entry.cells,
                days: sealed_register::DayRange { first: entry.first_day, last: entry.last_day },
                as_of: entry.as_of.into(),
                as_of_hash: H256(entry.as_of_hash),
            }
            .into(),
            Action::Deliver { consent, epoch, segments, sealed } => pallet_consent::Call::<T>::deliver {
                consent,
                epoch,
                segments: BoundedVec::try_from(segments).map_err(|_| SubmitError::TooLarge)?,
                sealed: BoundedVec::try_from(sealed).map_err(|_| SubmitError::TooLarge)?,
            }
            .into(),
            Action::DeliverMeterKey { meter, issue, sealed } => pallet_consent::Call::<T>::deliver_meter_key {
                meter,
                ticket_issue: issue,
                sealed: BoundedVec::try_from(sealed).map_err(|_| SubmitError::TooLarge)?,
            }
            .into(),
            Action::Relay(relayed) => Self::relay(relayed),
        })
    }

    fn relay(relayed: Relayed) -> <T as frame_system::Config>::RuntimeCall {
        match relayed {
            Relayed::Claim(claim, signature) => pallet_meters::Call::<T>::claim {
                utility: claim.utility,
                meter: claim.meter,
                ticket_issue: claim.issue,
                customer: claim.customer.into(),
                kem_hash: claim.kem_key,
                last_block: claim.last_valid_block,
                signature,
            }
            .into(),
            Relayed::Consent(consent, signature) => pallet_consent::Call::<T>::consent {
                terms: consent.terms,
                customer: consent.customer.into(),
                last_block: consent.last_valid_block,
                signature,
            }
            .into(),
            Relayed::Revoke(revoke, signature) => pallet_consent::Call::<T>::revoke {
                consent: revoke.consent,
                last_block: revoke.last_valid_block,
                signature,
            }
            .into(),
            Relayed::Narrow(narrow, signature) => pallet_consent::Call::<T>::narrow {
                consent: narrow.consent,
                channels: narrow.channels,
                level: narrow.level,
                data: narrow.data,
                access: narrow.access,
                last_block: narrow.last_valid_block,
                signature,
            }
            .into(),
        }
    }
}

/// Sends through the runtime's [`Config::Submit`].
pub struct PalletOutgoing<T>(core::marker::PhantomData<T>);

impl<T> Default for PalletOutgoing<T> {
    fn default() -> Self {
        Self(core::marker::PhantomData)
    }
}

impl<T: Config> Outgoing for PalletOutgoing<T> {
    fn submit(
        &mut self,
        action: Action,
        public: &[u8; 32],
        key_type: KeyTypeId,
        nonce: u32,
    ) -> Result<(), SubmitError> {
        let call = PalletChain::<T>::call(action)?;
        <T as Config>::Submit::submit(sr25519::Public::from_raw(*public), key_type, call, nonce)
    }
}
