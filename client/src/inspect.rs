//! What stands on chain, as JSON for programs; the command makes tables of it.

use crate::{
    chain::{
        ss58,
        types::{Consent, ConsentEnd, Meter, Role, Standing},
        ChainAt,
    },
    ClientError, Result,
};
use sealed_register::{statement::Word, types::hex, Hash, MeterId, OperatingDay, OrganisationId};
use serde::Serialize;

/// A batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BatchView {
    /// The utility.
    pub utility: String,
    /// The shard.
    pub shard: u16,
    /// Number of the batch in the shard.
    pub sequence: u32,
    /// Root over the shard's heads after it.
    pub root: String,
    /// Hash of its body.
    pub body_hash: String,
    /// Length of its body, bytes.
    pub body_bytes: u32,
    /// New cells.
    pub cells: u32,
    /// First day of these.
    pub first_day: String,
    /// Last day of these.
    pub last_day: String,
    /// Block at which the cells' epochs were read.
    pub as_of: u32,
    /// Block that carries the commitment.
    pub committed_at: u32,
}

/// A shard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShardView {
    /// The utility.
    pub utility: String,
    /// The shard.
    pub shard: u16,
    /// Leading bits of a MeterId that number the utility's shards.
    pub shard_bits: u8,
    /// Batches so far.
    pub batches: u32,
    /// Root after the newest.
    pub root: String,
}

/// A meter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MeterView {
    /// The utility.
    pub utility: String,
    /// The meter.
    pub meter: String,
    /// Kind of customer.
    pub class: String,
    /// Channels recorded.
    pub channels: &'static str,
    /// First day of the tenancy.
    pub tenancy_start: String,
    /// Last day, once it has ended.
    pub tenancy_end: Option<String>,
    /// Number of the newest claim ticket.
    pub ticket_issue: u32,
    /// Account of the customer who holds it.
    pub customer: Option<String>,
    /// Block of the claim.
    pub claimed_at: Option<u32>,
    /// Present key epoch.
    pub epoch: u32,
    /// Block in which it began.
    pub epoch_since: u32,
    /// The shard.
    pub shard: u16,
    /// Consents that stand.
    pub standing_consents: Vec<String>,
    /// Block in which its own key was delivered.
    pub key_delivered_at: Option<u32>,
}

/// A consent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConsentView {
    /// The consent.
    pub consent: String,
    /// The utility.
    pub utility: String,
    /// The meter.
    pub meter: String,
    /// The customer's account.
    pub customer: String,
    /// Hash of the vendor's account and secret: the chain shows no vendor.
    pub grantee: String,
    /// Channels.
    pub channels: &'static str,
    /// Finest resolution.
    pub level: &'static str,
    /// First day that may be read.
    pub data_first: String,
    /// Last day that may be read.
    pub data_last: String,
    /// First day on which it may be read.
    pub access_first: String,
    /// Last day on which it may be read.
    pub access_last: String,
    /// What for.
    pub purpose: &'static str,
    /// Block in which it was given.
    pub given_at: u32,
    /// Why it ended.
    pub ended: Option<ConsentEnd>,
    /// Block in which it ended.
    pub ended_at: Option<u32>,
}

/// An organisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OrganisationView {
    /// Short name.
    pub id: String,
    /// What it is.
    pub role: Role,
    /// Name for people.
    pub name: String,
    /// Account.
    pub account: String,
    /// Where its node answers.
    pub endpoint: String,
    /// Whether it may act.
    pub standing: Standing,
    /// Last day on which anything may be sealed to its X-Wing key.
    pub kem_key_until: Option<String>,
}

/// One batch.
///
/// # Errors
/// [`ClientError::NotFound`], [`ClientError::Connection`].
pub async fn batch(at: &ChainAt, utility: OrganisationId, shard: u16, sequence: u32) -> Result<BatchView> {
    let batch = at.batch(utility, shard, sequence).await?;
    let batch = batch.ok_or_else(|| {
        ClientError::NotFound(format!(
            "{utility} has committed no batch {sequence} of shard {shard} in finalised state"
        ))
    })?;
    Ok(BatchView {
        utility: utility.to_string(),
        shard,
        sequence,
        root: hex(&batch.root),
        body_hash: hex(&batch.body_hash),
        body_bytes: batch.body_bytes,
        cells: batch.cells,
        first_day: batch.days.first.to_string(),
        last_day: batch.days.last.to_string(),
        as_of: batch.as_of,
        committed_at: batch.committed_at,
    })
}

/// All shards of a utility, or of all; or one of them.
///
/// # Errors
/// [`ClientError::NotFound`] if the one asked for has no batch, [`ClientError::Connection`].
pub async fn shards(at: &ChainAt, utility: Option<OrganisationId>, shard: Option<u16>) -> Result<Vec<ShardView>> {
    let wanted = |entry: &(OrganisationId, u8, u16, crate::chain::types::ShardState)| {
        utility.is_none_or(|utility| utility == entry.0) && shard.is_none_or(|shard| shard == entry.2)
    };
    let views: Vec<ShardView> = at
        .shards()
        .await?
        .into_iter()
        .filter(wanted)
        .map(|(utility, shard_bits, shard, state)| ShardView {
            utility: utility.to_string(),
            shard,
            shard_bits,
            batches: state.next_sequence,
            root: hex(&state.root),
        })
        .collect();
    match views.is_empty() && shard.is_some() {
        true => Err(ClientError::NotFound("no batch of this shard is committed in finalised state".into())),
        false => Ok(views),
    }
}

/// One meter.
///
/// # Errors
/// [`ClientError::NotFound`], [`ClientError::Connection`].
pub async fn meter(at: &ChainAt, utility: OrganisationId, id: MeterId) -> Result<MeterView> {
    let Meter { class, channels, tenancy_start, tenancy_end, ticket_issue, claim, epoch, epoch_since, .. } =
        at.known_meter(utility, id).await?;
    let standing = at.standing_consents(utility, id).await?;
    let delivered = at.meter_key_delivery(utility, id).await?;
    Ok(MeterView {
        utility: utility.to_string(),
        meter: id.to_string(),
        class: class.to_string(),
        channels: channels.word(),
        tenancy_start: tenancy_start.to_string(),
        tenancy_end: tenancy_end.map(|day: OperatingDay| day.to_string()),
        ticket_issue,
        customer: claim.as_ref().map(|claim| ss58(&claim.customer)),
        claimed_at: claim.map(|claim| claim.claimed_at),
        epoch,
        epoch_since,
        shard: at.shard_of(utility, &id).await?.id.0,
        standing_consents: standing.iter().map(|consent| hex(consent)).collect(),
        key_delivered_at: delivered.map(|slot| slot.block),
    })
}

/// One consent.
///
/// # Errors
/// [`ClientError::NotFound`], [`ClientError::Connection`].
pub async fn consent(at: &ChainAt, id: &Hash) -> Result<ConsentView> {
    Ok(consent_view(id, &at.known_consent(id).await?))
}

fn consent_view(id: &Hash, consent: &Consent) -> ConsentView {
    ConsentView {
        consent: hex(id),
        utility: consent.utility.to_string(),
        meter: consent.meter.to_string(),
        customer: ss58(&consent.customer),
        grantee: hex(&consent.grantee),
        channels: consent.channels.word(),
        level: consent.level.word(),
        data_first: consent.data.first.to_string(),
        data_last: consent.data.last.to_string(),
        access_first: consent.access.first.to_string(),
        access_last: consent.access.last.to_string(),
        purpose: consent.purpose.word(),
        given_at: consent.given_at,
        ended: consent.ended.map(|(why, _)| why),
        ended_at: consent.ended.map(|(_, block)| block),
    }
}

/// All organisations.
///
/// # Errors
/// [`ClientError::Connection`].
pub async fn organisations(at: &ChainAt) -> Result<Vec<OrganisationView>> {
    let mut views = Vec::new();
    for (id, organisation) in at.organisations().await? {
        let key = at.kem_key(id).await?;
        views.push(OrganisationView {
            id: id.to_string(),
            role: organisation.role,
            name: organisation.name.to_string(),
            account: ss58(&organisation.account),
            endpoint: organisation.endpoint.to_string(),
            standing: organisation.standing,
            kem_key_until: key.map(|key| key.last_day.to_string()),
        });
    }
    Ok(views)
}
