//! The native tasks between chain, vault and worker.
//!
//! [`outbox`] copies what the worker sealed into the vault's staging area. Everything else follows finality, in one
//! task and in this order: [`finality`] tells the worker the finalised block and its configuration, [`importer`] takes
//! what the chain has and the vault has not, [`index`] tells the worker what the vault holds, [`queue`] takes finished
//! requests out of the queue. [`gauges`] looks at all of it for the metrics. No task reads events or old state: each compares the finalised state with what is here,
//! so a node that was away, or synchronised without notifications, catches up by itself.

pub mod finality;
pub mod gauges;
pub mod importer;
pub mod index;
pub mod outbox;
pub mod queue;

use crate::{
    approval::Approvals, chain::Chain, keys::SecretSource, metrics::Metrics, offchain::OffchainStore,
    service::FullClient,
};
use futures::StreamExt;
use futures_timer::Delay;
use sc_client_api::BlockchainEvents;
use sc_service::SpawnTaskHandle;
use std::{sync::Arc, time::Duration};
use wattseal_vault::Vault;

/// How often the outbox is looked at.
const OUTBOX_PERIOD: Duration = Duration::from_millis(500);

/// How often the finalised state is looked at when no notification comes, as during synchronisation.
const FOLLOW_PERIOD: Duration = Duration::from_secs(6);

/// How often what the metrics tell is looked up.
const GAUGES_PERIOD: Duration = Duration::from_secs(3);

/// What tasks work on.
#[derive(Clone)]
pub struct Tasks {
    /// The chain.
    pub chain: Arc<dyn Chain>,
    /// The vault.
    pub vault: Arc<Vault>,
    /// The off-chain database.
    pub offchain: OffchainStore,
    /// The utility that this node seals for, and the feed's address if the command line gave one.
    pub utility: Option<(SecretSource, Option<String>)>,
    /// Approved runtimes.
    pub approvals: Approvals,
    /// The metrics.
    pub metrics: Metrics,
}

/// Starts all tasks.
pub fn spawn(handle: &SpawnTaskHandle, client: &Arc<FullClient>, tasks: Tasks) {
    if tasks.utility.is_some() {
        let mut outbox = outbox::Outbox::new(tasks.vault.clone(), tasks.offchain.clone());
        let run = async move { every(OUTBOX_PERIOD, || outbox.step()).await };
        handle.spawn_blocking("wattseal-outbox", Some("wattseal"), run);
    }
    let mut gauges = gauges::Gauges::new(tasks.clone());
    let run = async move { every(GAUGES_PERIOD, || gauges.step()).await };
    handle.spawn_blocking("wattseal-gauges", Some("wattseal"), run);
    let client = client.clone();
    // Now, not in the task: what an earlier run of the node told the worker is void before the worker runs.
    let mut follower = Follower::new(tasks);
    let run = async move {
        let mut finality = client.finality_notification_stream().fuse();
        loop {
            // One look settles everything that was notified meanwhile.
            while let Some(Some(_)) = futures::FutureExt::now_or_never(finality.next()) {}
            follower.step();
            tokio::select! {
                notification = finality.next() => if notification.is_none() { return },
                () = Delay::new(FOLLOW_PERIOD) => {}
            }
        }
    };
    handle.spawn_blocking("wattseal-follower", Some("wattseal"), run);
}

/// Does something again and again.
async fn every(period: Duration, mut act: impl FnMut()) {
    loop {
        act();
        // Not a timer of tokio's: that panics when the node is told to end while `act` is at work.
        Delay::new(period).await;
    }
}

/// Everything that follows finality.
struct Follower {
    finality: finality::Finality,
    importer: importer::Importer,
    index: Option<index::Indexer>,
    queue: queue::Queue,
}

impl Follower {
    fn new(tasks: Tasks) -> Self {
        let Tasks { chain, vault, offchain, utility, metrics, .. } = tasks;
        Self {
            index: utility
                .as_ref()
                .map(|(source, _)| index::Indexer::new(source.clone(), vault.clone(), offchain.clone())),
            finality: finality::Finality::new(chain.clone(), vault.clone(), offchain.clone(), utility),
            importer: importer::Importer::new(chain.clone(), vault),
            queue: queue::Queue::new(chain, offchain, metrics),
        }
    }

    fn step(&mut self) {
        self.finality.step();
        self.importer.step();
        if let Some(index) = &mut self.index {
            index.step();
        }
        self.queue.step();
    }
}

#[cfg(test)]
mod tests;
