//! From ESI IDs to meters: which tenancy a day belongs to (protocol section 2).

use crate::{
    chain::{ChainState, MeterState},
    BlockNumber,
};
use alloc::{collections::BTreeMap, vec::Vec};
use sealed_register::{MeterId, OperatingDay, UtilitySecrets};
use smart_meter_texas::EsiId;

/// Most ESI IDs that are remembered; a file usually goes meter by meter or day by day over few thousand.
const MAX_KNOWN: usize = 8_192;
/// Most tenancies of one ESI ID that are looked for.
const MAX_TENANCIES: u32 = 256;

/// A registered tenancy, as far as sealing needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tenancy {
    /// The meter.
    pub meter: MeterId,
    /// What the chain says about it.
    pub state: MeterState,
    /// Key epoch in the state of the block as of which this pass seals; nothing if the meter was registered later.
    pub epoch: Option<u32>,
}

impl Tenancy {
    fn covers(&self, day: OperatingDay) -> bool {
        self.state.first <= day && self.state.last.is_none_or(|last| day <= last)
    }
}

/// Where a day of an ESI ID belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// To this tenancy.
    In(Tenancy),
    /// To none that is registered: the MeterId of the next tenancy that could be.
    Unregistered(MeterId),
}

/// Looks tenancies up, and remembers them for the time of a pass.
pub struct Tenancies<'a, C> {
    chain: &'a C,
    secrets: &'a UtilitySecrets,
    as_of: BlockNumber,
    known: BTreeMap<EsiId, Vec<Tenancy>>,
}

impl<'a, C: ChainState> Tenancies<'a, C> {
    /// Nothing is remembered yet.
    pub fn new(chain: &'a C, secrets: &'a UtilitySecrets, as_of: BlockNumber) -> Self {
        Self { chain, secrets, as_of, known: BTreeMap::new() }
    }

    /// The place of a day. Where two tenancies overlap, because the utility registered the next one before it closed the
    /// last, the day is the newer one's.
    pub fn of(&mut self, esi_id: &EsiId, day: OperatingDay) -> Place {
        if !self.known.contains_key(esi_id) {
            if self.known.len() >= MAX_KNOWN {
                self.known.clear();
            }
            let found = self.look_up(esi_id);
            self.known.insert(*esi_id, found);
        }
        let tenancies = self.known.get(esi_id).map(Vec::as_slice).unwrap_or_default();
        match tenancies.iter().rev().find(|tenancy| tenancy.covers(day)) {
            Some(tenancy) => Place::In(*tenancy),
            None => {
                let next = u32::try_from(tenancies.len()).unwrap_or(u32::MAX);
                Place::Unregistered(self.secrets.meter_id(esi_id.as_str(), next))
            }
        }
    }

    /// All tenancies up to the first that is not registered.
    fn look_up(&self, esi_id: &EsiId) -> Vec<Tenancy> {
        let tenancy = |number: u32| {
            let id = self.secrets.meter_id(esi_id.as_str(), number);
            let state = self.chain.meter(&id)?;
            Some(Tenancy { meter: id, state, epoch: self.chain.epoch_at(&id, self.as_of) })
        };
        (0..MAX_TENANCIES).map_while(tenancy).collect()
    }
}
