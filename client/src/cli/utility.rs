//! `wattseal utility`.

use super::{
    args::{Keys, Node},
    output::Output,
};
use crate::{
    chain::{Call, Chain},
    serve::FeedServer,
    utility::{read_meters, sync_meters, tickets, write_tickets},
    ClientError, Result,
};
use clap::{Args, Subcommand};
use indicatif::ProgressBar;
use sealed_register::{MeterId, OperatingDay, OrganisationId};
use serde_json::json;
use std::{net::SocketAddr, path::PathBuf};

#[derive(Debug, Subcommand)]
pub(super) enum Utility {
    /// Register meters.
    #[command(subcommand)]
    Meters(Meters),
    /// Write claim tickets for letters. They are secret: whoever has one can claim the meter.
    Tickets(Tickets),
    /// Serve a folder of SMT files as a feed, until Ctrl-C.
    Serve(Serve),
    /// Seal files of bulk history beside the utility's feed node: what its worker would make of them, natively and on all
    /// cores. Killed, it is repeated; what is sealed already is left alone.
    Ingest(super::ingest::Ingest),
}

#[derive(Debug, Subcommand)]
pub(super) enum Meters {
    /// Register the meters of a list, or bring them up to date. Repeating it changes nothing.
    Sync(Sync),
    /// End a tenancy: its consents end, its key epoch rises.
    Close(Close),
}

#[derive(Debug, Args)]
pub(super) struct Sync {
    /// CSV: esi_id,class,channels,tenancy_start[,tenancy][,ticket_issue].
    file: PathBuf,
    /// Also write the claim tickets to this CSV file.
    #[arg(long, value_name = "FILE")]
    tickets: Option<PathBuf>,
    #[command(flatten)]
    node: Node,
    #[command(flatten)]
    keys: Keys,
}

#[derive(Debug, Args)]
pub(super) struct Close {
    /// The meter, 0x and 32 digits.
    meter: MeterId,
    /// The tenancy's last day.
    last_day: OperatingDay,
    #[command(flatten)]
    node: Node,
    #[command(flatten)]
    keys: Keys,
}

#[derive(Debug, Args)]
pub(super) struct Tickets {
    /// The list of meters, as for `meters sync`.
    file: PathBuf,
    /// CSV file to write, for mail-merge.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Folder for one QR code (SVG) for each ticket.
    #[arg(long, value_name = "FOLDER")]
    qr_dir: Option<PathBuf>,
    #[command(flatten)]
    node: Node,
}

#[derive(Debug, Args)]
pub(super) struct Serve {
    /// The folder.
    folder: PathBuf,
    /// Address and port; other machines can reach it only where this is not a loopback address.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
}

impl Utility {
    pub(super) async fn run(self, output: &Output) -> Result<()> {
        match self {
            Self::Meters(Meters::Sync(sync)) => sync.run(output).await,
            Self::Meters(Meters::Close(close)) => {
                let (chain, account) = (close.node.chain().await?, close.keys.account("utility")?);
                let call = Call::CloseMeter { meter: close.meter, last_day: close.last_day };
                output.included("tenancy ended", &chain.submit(&account, &call).await?);
                Ok(())
            }
            Self::Tickets(command) => {
                let rows = read_meters(&command.file)?;
                let chain = command.node.chain().await?;
                let utility = utility_of(&chain).await?;
                let count = tickets(&chain, utility, &rows, &command.out, command.qr_dir.as_deref()).await?;
                let out = command.out.display();
                let value = json!({ "tickets": count, "file": command.out });
                output
                    .result(&value, || format!("{count} tickets in {out}; they are secret until the letters are sent"));
                Ok(())
            }
            Self::Ingest(command) => command.run(output).await,
            Self::Serve(command) => {
                let server = FeedServer::bind(&command.folder, command.listen).await?;
                let (url, folder) = (server.url(), command.folder.display());
                output.result(&json!({ "url": url }), || format!("serving {folder} at {url} (Ctrl-C ends it)"));
                server.run(async { drop(tokio::signal::ctrl_c().await) }).await
            }
        }
    }
}

impl Sync {
    async fn run(self, output: &Output) -> Result<()> {
        let rows = read_meters(&self.file)?;
        let chain = self.node.chain().await?;
        let account = self.keys.account("utility")?;
        let utility = utility_of(&chain).await?;
        let bar = if output.json { ProgressBar::hidden() } else { ProgressBar::new(rows.len() as u64) };
        let report = sync_meters(&chain, &account, utility, &rows, &mut |done| bar.set_position(done as u64)).await?;
        bar.finish_and_clear();
        if let Some(path) = &self.tickets {
            write_tickets(&report.tickets, path, None)?;
        }
        let value = json!({
            "utility": utility.to_string(),
            "meters": rows.len(),
            "added": report.added,
            "changed": report.changed,
            "unchanged": report.unchanged,
            "block": report.block,
            "tickets": self.tickets,
        });
        output.result(&value, || {
            let crate::utility::SyncReport { added, changed, unchanged, block, .. } = report;
            format!("{added} meters added, {changed} changed, {unchanged} as before; finalised in block {block}")
        });
        Ok(())
    }
}

/// The utility whose node this is.
async fn utility_of(chain: &Chain) -> Result<OrganisationId> {
    let utility = chain.rpc().vault().await?.utility;
    utility.ok_or_else(|| {
        ClientError::NotFound(format!(
            "{} is no utility's node: identifiers and tickets come only from there",
            chain.url()
        ))
    })
}
