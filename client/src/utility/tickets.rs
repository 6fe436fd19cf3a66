//! Claim tickets for letters: a file for mail-merge, and a QR code for each.

use super::{csv::field, MeterRow};
use crate::{
    chain::Chain,
    files::{make_folder, write_atomically, Access},
    links::{qr_svg, TicketLink},
    node_rpc::{MeterPlan, PLAN_AT_ONCE},
    ClientError, Result,
};
use sealed_register::{Hash, OrganisationId};
use std::path::Path;

/// A meter's ticket, for the letter to its customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The ESI ID, for finding the address. It never leaves the utility.
    pub esi_id: String,
    /// Number of the tenancy.
    pub tenancy: u32,
    /// The ticket with its meter.
    pub link: TicketLink,
    /// The ticket's sr25519 public key, for the chain.
    pub key: Hash,
}

/// Identifiers and tickets of a list of meters, in order, by the utility's own node.
///
/// # Errors
/// [`ClientError::Rpc`], [`ClientError::Answer`].
pub async fn plan(chain: &Chain, utility: OrganisationId, rows: &[MeterRow]) -> Result<Vec<Ticket>> {
    let mut tickets = Vec::with_capacity(rows.len());
    for part in rows.chunks(PLAN_AT_ONCE) {
        let plan =
            |row: &MeterRow| MeterPlan { esi_id: row.esi_id.clone(), tenancy: row.tenancy, issue: row.ticket_issue };
        let asked: Vec<MeterPlan> = part.iter().map(plan).collect();
        for (row, planned) in part.iter().zip(chain.rpc().plan_meters(&asked).await?) {
            let ticket = planned
                .ticket
                .parse()
                .map_err(|error| ClientError::Answer { method: "wattseal_planMeters", problem: format!("{error}") })?;
            let link = TicketLink { utility, meter: planned.meter, issue: planned.issue, ticket };
            tickets.push(Ticket { esi_id: row.esi_id.clone(), tenancy: row.tenancy, link, key: planned.ticket_key });
        }
    }
    Ok(tickets)
}

/// Writes the tickets of a list of meters: a CSV file for its owner alone, and where `qr_folder` is given one SVG for
/// each.
///
/// # Errors
/// As [`plan`]; [`crate::error::FileProblem`].
pub async fn tickets(
    chain: &Chain,
    utility: OrganisationId,
    rows: &[MeterRow],
    out: &Path,
    qr_folder: Option<&Path>,
) -> Result<usize> {
    let tickets = plan(chain, utility, rows).await?;
    write_tickets(&tickets, out, qr_folder)?;
    Ok(tickets.len())
}

/// Columns of the ticket file.
const COLUMNS: &str = "esi_id,tenancy,meter,issue,ticket,link,qr_file";

/// Writes tickets as [`tickets`] does.
///
/// # Errors
/// [`crate::error::FileProblem`].
pub fn write_tickets(tickets: &[Ticket], out: &Path, qr_folder: Option<&Path>) -> Result<()> {
    if let Some(folder) = qr_folder {
        make_folder(folder, Access::Private)?;
    }
    let mut content = format!("{COLUMNS}\n");
    for Ticket { esi_id, tenancy, link, .. } in tickets {
        let mut qr_file = String::new();
        if let Some(folder) = qr_folder {
            let name = format!("{}-{}.svg", link.meter, link.issue);
            let path = folder.join(name);
            write_atomically(&path, qr_svg(&link.link())?.as_bytes(), Access::Private)?;
            qr_file = path.display().to_string();
        }
        let (meter, issue, ticket) = (link.meter, link.issue, link.ticket.to_text());
        let (text, qr_file) = (field(&link.link()), field(&qr_file));
        // ESI IDs have more digits than a spreadsheet's numbers: with quotes they are still numbers to it, so
        // mail-merge must read the column as text; that is said in the README.
        content.push_str(&format!("{esi_id},{tenancy},{meter},{issue},{ticket},{text},{qr_file}\n"));
    }
    write_atomically(out, content.as_bytes(), Access::Private)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failed unwrap is a failed test
    use super::*;
    use sealed_register::{ticket::TicketSecret, MeterId};

    #[test]
    fn the_file_has_a_line_for_each_ticket_and_a_code_beside_it() {
        let ticket = |number: u8| Ticket {
            esi_id: format!("1044372000000000{number}"),
            tenancy: 0,
            link: TicketLink {
                utility: "oncor".parse().unwrap(),
                meter: MeterId([number; 16]),
                issue: 2,
                ticket: TicketSecret::from_bits([number; 16]),
            },
            key: [0; 32],
        };
        let folder = tempfile::tempdir().unwrap();
        let (out, codes) = (folder.path().join("tickets.csv"), folder.path().join("codes"));
        write_tickets(&[ticket(1), ticket(2)], &out, Some(&codes)).unwrap();
        let text = std::fs::read_to_string(&out).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!((lines[0], lines.len()), (COLUMNS, 3));
        let fields = super::super::csv::fields(lines[1]).unwrap();
        assert_eq!(fields.len(), COLUMNS.split(',').count());
        assert_eq!(TicketLink::parse(&fields[5]).unwrap(), ticket(1).link);
        assert_eq!(fields[4].parse::<TicketSecret>().unwrap(), ticket(1).link.ticket);
        assert!(std::fs::read_to_string(&fields[6]).unwrap().contains("<svg"));
        assert_eq!(std::fs::read_dir(&codes).unwrap().count(), 2);
    }
}
