//! What a profile keeps: requests, consents with their keys, meters with theirs.

use crate::{node_rpc::Hex, ClientError, Result};
use sealed_register::{
    delivery::{Delivery, GrantedTree, Segment},
    kem::KemSecret,
    statement::{self, Signed, VendorRequest},
    tree::Cover,
    types::hex,
    Channel, DayRange, Hash, Keyring, Level, MeterId, MeterKey, OperatingDay, OrganisationId, Secret,
};
use serde::{Deserialize, Serialize};

/// Kinds of records.
pub(crate) mod kinds {
    /// A vendor's requests, by grantee.
    pub const REQUESTS: &str = "requests";
    /// A vendor's consents, by consent.
    pub const CONSENTS: &str = "consents";
    /// A vendor's X-Wing secrets.
    pub const KEYS: &str = "keys";
    /// A customer's meters, by MeterId.
    pub const METERS: &str = "meters";
    /// A customer's signed consents, by consent.
    pub const GIVEN: &str = "given";
}

/// 32 secret bytes as digits; never printed by `Debug`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretBytes(pub Secret);

impl Serialize for SecretBytes {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(&zeroize::Zeroizing::new(hex(self.0.expose())))
    }
}

impl<'de> Deserialize<'de> for SecretBytes {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let Hex(bytes) = Hex::deserialize(deserializer)?;
        let bytes = <[u8; 32]>::try_from(bytes.as_slice());
        bytes.map(|bytes| Self(Secret::from_bytes(bytes))).map_err(|_| serde::de::Error::custom("32 bytes are due"))
    }
}

/// A vendor's request that waits for a consent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestRecord {
    /// The signed request's text; its secret is in it.
    pub request: String,
}

impl RequestRecord {
    /// The request.
    ///
    /// # Errors
    /// [`ClientError::Statement`].
    pub fn request(&self) -> Result<Signed<VendorRequest>> {
        Ok(Signed::parse(&self.request)?)
    }
}

/// A consent that a vendor holds, with all keys that were delivered for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentRecord {
    /// The signed consent's text.
    pub consent: String,
    /// The signed request's text.
    pub request: String,
    /// Deliveries, by epoch.
    pub deliveries: Vec<DeliveryRecord>,
}

impl ConsentRecord {
    /// The consent.
    ///
    /// # Errors
    /// [`ClientError::Statement`].
    pub fn consent(&self) -> Result<Signed<statement::Consent>> {
        Ok(Signed::parse(&self.consent)?)
    }

    /// The request.
    ///
    /// # Errors
    /// [`ClientError::Statement`].
    pub fn request(&self) -> Result<Signed<VendorRequest>> {
        Ok(Signed::parse(&self.request)?)
    }

    /// Adds a delivery in place of one of the same epoch and deliverer.
    pub fn add(&mut self, delivery: DeliveryRecord) {
        let same = |known: &DeliveryRecord| (known.epoch, known.by_customer) == (delivery.epoch, delivery.by_customer);
        self.deliveries.retain(|known| !same(known));
        self.deliveries.push(delivery);
        self.deliveries.sort_by_key(|known| (known.epoch, known.by_customer));
    }

    /// The newest epoch for which keys are held.
    pub fn newest_epoch(&self) -> Option<u32> {
        self.deliveries.iter().map(|delivery| delivery.epoch).max()
    }

    /// All keys, those tested on cells first, and the epochs and days that they are for.
    ///
    /// # Errors
    /// [`ClientError::Secret`] if the file was damaged.
    pub fn keys(&self) -> Result<(Keyring, Vec<Segment>)> {
        let mut keyring = Keyring::new();
        let mut segments: Vec<Segment> = Vec::new();
        let (tested, untested): (Vec<_>, Vec<_>) = self.deliveries.iter().partition(|delivery| delivery.tested);
        for record in tested.into_iter().chain(untested) {
            let delivery = record.delivery()?;
            delivery.add_to(&mut keyring);
            segments.extend(delivery.segments);
        }
        segments.sort();
        segments.dedup();
        // A later delivery repeats or shortens what an earlier one has of the same epoch.
        let all = segments.clone();
        let inside = |part: &Segment| {
            let wider = |whole: &Segment| whole.epoch == part.epoch && whole != part && whole.days.includes(&part.days);
            all.iter().any(wider)
        };
        segments.retain(|segment| !inside(segment));
        Ok((keyring, segments))
    }
}

/// One delivery, opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryRecord {
    /// The epoch it was made for: that of its last segment.
    pub epoch: u32,
    /// Whether the customer delivered, not the utility.
    pub by_customer: bool,
    /// Block that carries it.
    pub block: u32,
    /// Whether its keys were tested on a cell of each segment that has one.
    pub tested: bool,
    /// The trees.
    pub trees: Vec<TreeRecord>,
}

/// The keys of one tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreeRecord {
    /// Epoch.
    pub epoch: u32,
    /// First day, days since 2000-01-01.
    pub first: u16,
    /// Last day, included.
    pub last: u16,
    /// Channel byte of the protocol.
    pub channel: u8,
    /// Level byte of the protocol.
    pub level: u8,
    /// The canonical nodes.
    pub nodes: Vec<SecretBytes>,
}

impl DeliveryRecord {
    /// The record of an opened delivery.
    pub fn new(delivery: &Delivery, epoch: u32, by_customer: bool, block: u32, tested: bool) -> Self {
        let tree = |tree: &GrantedTree| TreeRecord {
            epoch: tree.segment.epoch,
            first: tree.segment.days.first.0,
            last: tree.segment.days.last.0,
            channel: tree.channel as u8,
            level: tree.level as u8,
            nodes: tree.cover.nodes().iter().cloned().map(SecretBytes).collect(),
        };
        Self { epoch, by_customer, block, tested, trees: delivery.trees.iter().map(tree).collect() }
    }

    /// The delivery again.
    ///
    /// # Errors
    /// [`ClientError::Secret`] if the file was damaged.
    pub fn delivery(&self) -> Result<Delivery> {
        let trees = self.trees.iter().map(TreeRecord::tree).collect::<Result<Vec<_>>>()?;
        let mut segments: Vec<Segment> = trees.iter().map(|tree| tree.segment).collect();
        segments.dedup();
        Ok(Delivery { segments, trees })
    }
}

impl TreeRecord {
    fn tree(&self) -> Result<GrantedTree> {
        let damaged = || ClientError::Secret("a stored delivery is damaged: collect the consent's keys again".into());
        let days = DayRange::new(OperatingDay(self.first), OperatingDay(self.last)).ok_or_else(damaged)?;
        let nodes = self.nodes.iter().map(|SecretBytes(node)| node.clone()).collect();
        Ok(GrantedTree {
            segment: Segment { epoch: self.epoch, days },
            channel: Channel::from_byte(self.channel).ok_or_else(damaged)?,
            level: Level::from_byte(self.level).ok_or_else(damaged)?,
            cover: Cover::new(days, nodes).map_err(|_| damaged())?,
        })
    }
}

/// A vendor's X-Wing secrets, newest last. Old ones are forgotten when nothing can be sealed to them any more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KemRecord {
    /// The secrets.
    pub secrets: Vec<KemSecretRecord>,
}

/// One X-Wing secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KemSecretRecord {
    /// The seed.
    pub seed: SecretBytes,
    /// Last day (days since 2000-01-01) on which anything may be sealed to it; none until it stands on chain.
    pub last_day: Option<u16>,
}

impl KemSecretRecord {
    /// The key.
    pub fn secret(&self) -> KemSecret {
        KemSecret::from_seed(self.seed.0.clone())
    }
}

/// A customer's meter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeterRecord {
    /// The utility that measures.
    pub utility: String,
    /// The signed claim's text.
    pub claim: String,
    /// The meter's keys, by generation, once received.
    pub keys: Vec<MeterKeyRecord>,
}

/// A meter key of one generation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeterKeyRecord {
    /// Generation.
    pub generation: u16,
    /// The key.
    pub key: SecretBytes,
}

impl MeterRecord {
    /// The claim.
    ///
    /// # Errors
    /// [`ClientError::Statement`].
    pub fn claim(&self) -> Result<Signed<statement::Claim>> {
        Ok(Signed::parse(&self.claim)?)
    }

    /// The utility and the meter.
    ///
    /// # Errors
    /// [`ClientError::Statement`].
    pub fn meter(&self) -> Result<(OrganisationId, MeterId)> {
        let claim = self.claim()?.statement;
        Ok((claim.utility, claim.meter))
    }

    /// The meter's keys.
    pub fn keyring(&self) -> Keyring {
        let mut keyring = Keyring::new();
        for record in &self.keys {
            keyring.add_meter_key(record.meter_key());
        }
        keyring
    }

    /// Keeps a key in place of one of its generation.
    pub fn add(&mut self, key: &MeterKey) {
        self.keys.retain(|known| known.generation != key.generation());
        self.keys.push(MeterKeyRecord { generation: key.generation(), key: SecretBytes(key.secret().clone()) });
    }
}

impl MeterKeyRecord {
    /// The key.
    pub fn meter_key(&self) -> MeterKey {
        MeterKey::new(self.key.0.clone(), self.generation)
    }
}

/// A consent that a customer signed, so that she can find and end it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenRecord {
    /// The signed consent's text.
    pub consent: String,
    /// The signed request's text: it names the vendor, which the chain does not.
    pub request: String,
}

impl GivenRecord {
    /// The consent.
    ///
    /// # Errors
    /// [`ClientError::Statement`].
    pub fn consent(&self) -> Result<Signed<statement::Consent>> {
        Ok(Signed::parse(&self.consent)?)
    }

    /// The request.
    ///
    /// # Errors
    /// [`ClientError::Statement`].
    pub fn request(&self) -> Result<Signed<VendorRequest>> {
        Ok(Signed::parse(&self.request)?)
    }
}

/// Name of a record for a hash.
pub(crate) fn name_of(hash: &Hash) -> String {
    hex(hash)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failed unwrap is a failed test
    use super::*;
    use sealed_register::{
        delivery::{ConsentTerms, Purpose},
        Channels,
    };

    fn delivery(segments: &[Segment]) -> Delivery {
        let data = DayRange::new(OperatingDay(8_000), OperatingDay(8_100)).unwrap();
        let terms = ConsentTerms {
            utility: "oncor".parse().unwrap(),
            meter: MeterId([1; 16]),
            grantee: [2; 32],
            channels: Channels::Both,
            level: Level::Hour,
            data,
            access: data,
            purpose: Purpose::Storage,
            text_hash: [3; 32],
        };
        let key = MeterKey::new(Secret::from_bytes([9; 32]), 0);
        Delivery::make(&terms, segments, |epoch| Some(key.epoch_key(epoch))).unwrap()
    }

    fn segment(epoch: u32, first: u16, last: u16) -> Segment {
        Segment { epoch, days: DayRange::new(OperatingDay(first), OperatingDay(last)).unwrap() }
    }

    #[test]
    fn deliveries_are_the_same_after_a_restart() {
        let delivery = delivery(&[segment(0, 8_000, 8_050), segment(2, 8_000, 8_100)]);
        let record = DeliveryRecord::new(&delivery, 2, false, 77, true);
        let text = serde_json::to_string(&record).unwrap();
        let again: DeliveryRecord = serde_json::from_str(&text).unwrap();
        assert_eq!(again.delivery().unwrap(), delivery);
        assert!(!format!("{again:?}").contains("0909"));
    }

    #[test]
    fn a_damaged_delivery_is_named_not_used() {
        let mut record = DeliveryRecord::new(&delivery(&[segment(0, 8_000, 8_100)]), 0, false, 7, true);
        record.trees[0].nodes.pop();
        assert!(matches!(record.delivery(), Err(ClientError::Secret(_))));
    }

    #[test]
    fn segments_of_all_deliveries_are_asked_for_once() {
        let mut record = ConsentRecord { consent: String::new(), request: String::new(), deliveries: Vec::new() };
        let first = delivery(&[segment(0, 8_000, 8_100)]);
        let second = delivery(&[segment(0, 8_010, 8_090), segment(1, 8_000, 8_100)]);
        record.add(DeliveryRecord::new(&first, 0, false, 5, true));
        record.add(DeliveryRecord::new(&second, 1, false, 9, true));
        record.add(DeliveryRecord::new(&second, 1, false, 10, true));
        assert_eq!((record.deliveries.len(), record.newest_epoch()), (2, Some(1)));
        assert_eq!(record.keys().unwrap().1, [segment(0, 8_000, 8_100), segment(1, 8_000, 8_100)]);
    }
}
