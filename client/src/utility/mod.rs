//! What a utility does besides running its node: register meters from a list, print claim tickets, serve its feed, seal
//! bulk history.

mod csv;
mod ingest;
mod meters_csv;
mod sealing_key;
mod tickets;

pub use crate::serve::{serve_feed, FeedServer};
pub use ingest::{ingest, IngestReport, Progress};
pub use meters_csv::{parse_meters, read_meters, MeterRow};
pub use sealing_key::SealingKey;
pub use tickets::{plan, tickets, write_tickets, Ticket};

use crate::{
    account::Account,
    chain::{types::MeterEntry, Call, Chain},
    ClientError, Result,
};
use codec::Decode;
use sealed_register::OrganisationId;

/// What a registration did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncReport {
    /// Meters that were new.
    pub added: u32,
    /// Meters that were known and are different now.
    pub changed: u32,
    /// Meters that were known and are as before.
    pub unchanged: u32,
    /// Number of the last block in which something was registered.
    pub block: u32,
    /// The meters with their tickets, in the order of the list.
    pub tickets: Vec<Ticket>,
}

/// Registers the meters of a list, or brings them up to date, 256 a transaction; `progress` is told how many are done.
///
/// The identifiers and tickets come from the utility's own node, which alone can compute them.
///
/// # Errors
/// [`ClientError::Rpc`] (the node is not the utility's, or unsafe methods are not allowed), as [`Chain::submit`].
pub async fn sync_meters(
    chain: &Chain,
    signer: &Account,
    utility: OrganisationId,
    rows: &[MeterRow],
    progress: &mut dyn FnMut(usize),
) -> Result<SyncReport> {
    let tickets = plan(chain, utility, rows).await?;
    let entry = |(row, ticket): (&MeterRow, &Ticket)| MeterEntry {
        meter: ticket.link.meter,
        class: row.class,
        channels: row.channels,
        tenancy_start: row.tenancy_start,
        ticket_issue: ticket.link.issue,
        ticket_key: ticket.key,
    };
    let entries: Vec<MeterEntry> = rows.iter().zip(&tickets).map(entry).collect();
    let calls: Vec<Call> = entries.chunks(Call::MAX_METERS).map(|part| Call::SyncMeters(part.to_vec())).collect();
    let mut done = 0;
    let included = chain.submit_all(signer, &calls, |_| {
        done += Call::MAX_METERS;
        progress(done.min(rows.len()));
    });
    let mut report = SyncReport { tickets, ..SyncReport::default() };
    for included in included.await? {
        let mut fields = included.event("Meters", "MetersSynced").unwrap_or_default();
        let (_, added, changed, unchanged): (OrganisationId, u32, u32, u32) = Decode::decode(&mut fields)
            .map_err(|error| ClientError::Incompatible(format!("event Meters.MetersSynced: {error}")))?;
        report.added += added;
        report.changed += changed;
        report.unchanged += unchanged;
        report.block = report.block.max(included.block.number);
    }
    Ok(report)
}
