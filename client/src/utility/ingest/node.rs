//! The feed node as a pass sees it: the chain's state, the index in its off-chain storage, and where bodies go.
//!
//! A pass asks without waiting for errors. The first one is kept, and nothing more is sent after it.

use super::Stop;
use crate::{
    chain::{Chain, ChainAt},
    node_rpc::Hex,
    ClientError, Result,
};
use codec::DecodeAll;
use sealed_register::{Channel, MeterId, OperatingDay, OrganisationId};
use serde_json::{json, Value};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    future::Future,
    thread,
    time::{Duration, Instant},
};
use tokio::runtime::Handle;
use wattseal_ingest::{
    chain::{ChainState, MeterState, ShardTip, LARGE_COMMERCIAL_WH, RESIDENTIAL_WH, SMALL_COMMERCIAL_WH},
    records::{
        heads_key, partial_key, shard_index_key, stream_index_key, HeadEntry, OutboxEntry, ShardIndex, StreamIndex,
    },
    shelf::Shelf,
};

/// JSON-RPC code of a batch that is not the next of its shard, or too old.
const STALE: i32 = 7_018;
/// JSON-RPC code of "try again in a few seconds".
const BUSY: i32 = 7_019;
/// How long a busy node is waited for.
const PATIENCE: Duration = Duration::from_secs(600);
/// Time between two looks.
const LOOK: Duration = Duration::from_millis(500);

/// The node of one utility.
pub(super) struct Node {
    pub(super) chain: Chain,
    pub(super) utility: OrganisationId,
    handle: Handle,
    failure: RefCell<Option<Stop>>,
}

impl Node {
    pub(super) fn new(chain: Chain, utility: OrganisationId, handle: Handle) -> Self {
        Self { chain, utility, handle, failure: RefCell::default() }
    }

    /// Waits for an answer.
    pub(super) fn wait<T>(&self, answer: impl Future<Output = Result<T>>) -> Result<T> {
        self.handle.block_on(answer)
    }

    /// The first error since the last look.
    pub(super) fn check(&self) -> Result<(), Stop> {
        self.failure.take().map_or(Ok(()), Err)
    }

    /// The answer; after an error, and when there is one, nothing.
    fn answer<T>(&self, answer: impl Future<Output = Result<T>>) -> Option<T> {
        if self.failure.borrow().is_some() {
            return None;
        }
        self.wait(answer).map_err(|error| self.fail(error.into())).ok()
    }

    fn fail(&self, stop: Stop) {
        self.failure.borrow_mut().get_or_insert(stop);
    }

    /// A value of the node's off-chain storage.
    fn stored<T: DecodeAll>(&self, key: &[u8]) -> Option<T> {
        const METHOD: &str = "offchain_localStorageGet";
        let parameters = [json!("PERSISTENT"), digits(key)];
        let found: Option<Hex> = self.answer(self.chain.rpc().call(METHOD, &parameters))?;
        T::decode_all(&mut found?.0.as_slice())
            .map_err(|error| {
                self.fail(ClientError::Answer { method: METHOD, problem: error.to_string() }.into());
            })
            .ok()
    }

    /// Calls again while the node is busy.
    fn patiently(&self, method: &'static str, parameters: &[Value]) -> Result<(), Stop> {
        let began = Instant::now();
        loop {
            match self.wait(self.chain.rpc().call::<()>(method, parameters)) {
                Ok(()) => return Ok(()),
                Err(ClientError::Rpc { code: STALE, message, .. }) => return Err(Stop::Stale(message)),
                Err(ClientError::Rpc { code: BUSY, .. }) if began.elapsed() < PATIENCE => thread::sleep(LOOK),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Hands a batch in.
    fn hand_in(&self, batch: &OutboxEntry, body: &[Vec<u8>]) -> Result<(), Stop> {
        let offer = json!({
            "shard": batch.shard,
            "sequence": batch.sequence,
            "root": digits(&batch.root),
            "bodyHash": digits(&batch.body_hash),
            "bodyBytes": batch.body_bytes,
            "chunks": batch.chunks,
            "cells": batch.cells,
            "firstDay": batch.first_day.to_string(),
            "lastDay": batch.last_day.to_string(),
            "asOf": { "number": batch.as_of, "hash": digits(&batch.as_of_hash) },
        });
        self.patiently("wattseal_ingestOffer", &[offer])?;
        for (number, chunk) in body.iter().enumerate() {
            let parameters = [digits(&batch.body_hash), json!(number), digits(chunk)];
            self.patiently("wattseal_ingestChunk", &parameters)?;
        }
        self.patiently("wattseal_ingestCommit", &[digits(&batch.body_hash)])
    }
}

fn digits(bytes: &[u8]) -> Value {
    Value::String(format!("0x{}", hex::encode(bytes)))
}

/// The state of a finalised block.
pub(super) struct State<'a> {
    pub(super) node: &'a Node,
    pub(super) at: ChainAt,
}

impl ChainState for State<'_> {
    fn shard(&self, shard: u16) -> ShardTip {
        let tip = self.node.answer(self.at.shard(self.node.utility, shard));
        tip.map_or_else(ShardTip::default, |tip| ShardTip { next_sequence: tip.next_sequence, root: tip.root })
    }

    fn meter(&self, meter: &MeterId) -> Option<MeterState> {
        use crate::chain::types::MeterClass;
        let meter = self.node.answer(self.at.meter(self.node.utility, *meter))??;
        Some(MeterState {
            max_wh_per_interval: match meter.class {
                MeterClass::Residential => RESIDENTIAL_WH,
                MeterClass::SmallCommercial => SMALL_COMMERCIAL_WH,
                MeterClass::LargeCommercial => LARGE_COMMERCIAL_WH,
            },
            channels: meter.channels,
            first: meter.tenancy_start,
            last: meter.tenancy_end,
        })
    }

    fn epoch_at(&self, meter: &MeterId, block: u32) -> Option<u32> {
        self.node.answer(self.at.epoch_at(self.node.utility, *meter, block))?
    }
}

/// The shelf of one pass.
pub(super) struct RemoteShelf<'a> {
    node: &'a Node,
    /// Cells of short days of this pass.
    short_days: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Bodies under construction: at most 8 MiB for each shard.
    bodies: BTreeMap<(u16, u32), Vec<Vec<u8>>>,
    /// Batches that were handed in.
    sent: Vec<OutboxEntry>,
    /// Their number, for whoever watches.
    count: &'a Cell<u32>,
}

impl<'a> RemoteShelf<'a> {
    pub(super) fn new(node: &'a Node, count: &'a Cell<u32>) -> Self {
        Self { node, short_days: BTreeMap::new(), bodies: BTreeMap::new(), sent: Vec::new(), count }
    }

    /// Batches that were handed in, oldest first.
    pub(super) fn into_sent(self) -> Vec<OutboxEntry> {
        self.sent
    }
}

impl Shelf for RemoteShelf<'_> {
    fn shard_index(&self, shard: u16) -> ShardIndex {
        self.node.stored(&shard_index_key(shard)).unwrap_or_default()
    }

    fn heads(&self, shard: u16, part: u32) -> Option<Vec<HeadEntry>> {
        self.node.stored(&heads_key(shard, part))
    }

    fn stream(&self, meter: &MeterId, channel: Channel) -> StreamIndex {
        self.node.stored(&stream_index_key(meter, channel)).unwrap_or_default()
    }

    fn short_day(&self, meter: &MeterId, channel: Channel, day: OperatingDay, revision: u16) -> Option<Vec<u8>> {
        let key = partial_key(meter, channel, day, revision);
        if let Some(cell) = self.short_days.get(&key) {
            return Some(cell.clone());
        }
        let parameters = [json!("PERSISTENT"), digits(&key)];
        let found: Option<Hex> =
            self.node.answer(self.node.chain.rpc().call("offchain_localStorageGet", &parameters))?;
        found.map(|found| found.0)
    }

    fn keep_short_day(&mut self, meter: &MeterId, channel: Channel, day: OperatingDay, revision: u16, cell: &[u8]) {
        self.short_days.insert(partial_key(meter, channel, day, revision), cell.to_vec());
    }

    // The node does it itself when the later revision is in its vault.
    fn forget_short_day(&mut self, _: &MeterId, _: Channel, _: OperatingDay, _: u16) {}

    fn put_chunk(&mut self, shard: u16, sequence: u32, _: u32, bytes: &[u8]) {
        self.bodies.entry((shard, sequence)).or_default().push(bytes.to_vec());
    }

    fn put_batches(&mut self, batches: &[OutboxEntry]) {
        for batch in batches.iter().skip(self.sent.len()) {
            if self.node.failure.borrow().is_some() {
                return;
            }
            let body = self.bodies.remove(&(batch.shard, batch.sequence)).unwrap_or_default();
            if let Err(stop) = self.node.hand_in(batch, &body) {
                return self.node.fail(stop);
            }
            self.sent.push(batch.clone());
            self.count.set(self.count.get().saturating_add(1));
        }
    }
}
