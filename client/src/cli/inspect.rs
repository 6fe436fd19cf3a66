//! `wattseal inspect`.

use super::{
    args::{consent, Node},
    output::Output,
};
use crate::{
    files::{write_atomically, Access},
    inspect, Result,
};
use clap::Subcommand;
use sealed_register::{Hash, MeterId, OrganisationId};
use serde::Serialize;
use serde_json::{json, Value};
use std::path::PathBuf;

/// What stands in finalised state.
#[derive(Debug, Subcommand)]
pub(super) enum Inspect {
    /// One batch of readings' commitments.
    Batch {
        /// Short name of the utility.
        utility: OrganisationId,
        /// Shard.
        shard: u16,
        /// Number of the batch in the shard, from 0.
        sequence: u32,
        #[command(flatten)]
        node: Node,
    },
    /// Shards with their newest roots.
    Shard {
        /// Short name of the utility [default: all].
        utility: Option<OrganisationId>,
        /// Shard [default: all].
        shard: Option<u16>,
        #[command(flatten)]
        node: Node,
    },
    /// One meter.
    Meter {
        /// Short name of the utility.
        utility: OrganisationId,
        /// The meter, 0x and 32 digits.
        meter: MeterId,
        #[command(flatten)]
        node: Node,
    },
    /// One consent.
    Consent {
        /// The consent, 0x and 64 digits.
        #[arg(value_parser = consent)]
        consent: Hash,
        #[command(flatten)]
        node: Node,
    },
    /// Write the runtime's metadata, from which this client is generated (client/metadata.scale).
    Metadata {
        /// File to write.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        #[command(flatten)]
        node: Node,
    },
    /// Who is who.
    Organisations {
        #[command(flatten)]
        node: Node,
    },
}

impl Inspect {
    pub(super) async fn run(self, output: &Output) -> Result<()> {
        match self {
            Self::Batch { utility, shard, sequence, node } => {
                let at = node.chain().await?.finalized().await?;
                show(output, &inspect::batch(&at, utility, shard, sequence).await?);
            }
            Self::Meter { utility, meter, node } => {
                let at = node.chain().await?.finalized().await?;
                show(output, &inspect::meter(&at, utility, meter).await?);
            }
            Self::Consent { consent, node } => {
                let at = node.chain().await?.finalized().await?;
                show(output, &inspect::consent(&at, &consent).await?);
            }
            Self::Metadata { out, node } => {
                let metadata = node.chain().await?.rpc().metadata().await?;
                write_atomically(&out, &metadata, Access::Shared)?;
                let value = json!({ "file": out, "bytes": metadata.len() });
                output.result(&value, || format!("{} bytes in {}", metadata.len(), out.display()));
            }
            Self::Shard { utility, shard, node } => {
                let at = node.chain().await?.finalized().await?;
                let shards = inspect::shards(&at, utility, shard).await?;
                let row = |shard: &inspect::ShardView| {
                    vec![shard.utility.clone(), shard.shard.to_string(), shard.batches.to_string(), shard.root.clone()]
                };
                output.result(&value_of(&shards), || {
                    Output::table(&["utility", "shard", "batches", "root"], shards.iter().map(row))
                });
            }
            Self::Organisations { node } => {
                let at = node.chain().await?.finalized().await?;
                let organisations = inspect::organisations(&at).await?;
                let row = |one: &inspect::OrganisationView| {
                    let key = one.kem_key_until.clone().unwrap_or_else(|| "-".into());
                    let standing = format!("{:?}", one.standing).to_lowercase();
                    vec![one.id.clone(), one.role.to_string(), one.name.clone(), one.account.clone(), standing, key]
                };
                let header = ["id", "role", "name", "account", "standing", "X-Wing key until"];
                output.result(&value_of(&organisations), || Output::table(&header, organisations.iter().map(row)));
            }
        }
        Ok(())
    }
}

fn show(output: &Output, view: &impl Serialize) {
    let value = value_of(view);
    output.result(&value, || Output::fields(&value));
}

/// Views are plain structs of text and numbers, which always are JSON.
fn value_of(view: &impl Serialize) -> Value {
    serde_json::to_value(view).unwrap_or_default()
}
