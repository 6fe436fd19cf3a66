//! What a node gives its worker, in memory: HTTP that answers from one file, the off-chain database, the pool.

use sp_core::{
    offchain::{
        DbExternalities, Externalities, HttpError, HttpRequestId, HttpRequestStatus, OpaqueNetworkState, StorageKind,
        Timestamp, TransactionPool,
    },
    OpaquePeerId,
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

/// Address of the feed.
pub const FEED: &str = "http://127.0.0.1:1/";
/// Name of its file.
pub const FILE: &str = "homes.csv";

/// Shared between the runtime and the measurement.
#[derive(Clone, Default)]
pub struct Shared<T>(Arc<Mutex<T>>);

impl<T> Shared<T> {
    /// The thing itself.
    pub fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The off-chain database.
pub type Database = Shared<HashMap<Vec<u8>, Vec<u8>>>;

impl DbExternalities for Database {
    fn local_storage_set(&mut self, _: StorageKind, key: &[u8], value: &[u8]) {
        self.lock().insert(key.into(), value.into());
    }

    fn local_storage_clear(&mut self, _: StorageKind, key: &[u8]) {
        self.lock().remove(key);
    }

    fn local_storage_compare_and_set(&mut self, _: StorageKind, key: &[u8], old: Option<&[u8]>, new: &[u8]) -> bool {
        let mut database = self.lock();
        let is_old = database.get(key).map(Vec::as_slice) == old;
        if is_old {
            database.insert(key.into(), new.into());
        }
        is_old
    }

    fn local_storage_get(&mut self, _: StorageKind, key: &[u8]) -> Option<Vec<u8>> {
        self.lock().get(key).cloned()
    }
}

/// Extrinsics that the worker handed to the pool.
pub type Submitted = Shared<Vec<Vec<u8>>>;

impl TransactionPool for Submitted {
    fn submit_transaction(&mut self, extrinsic: Vec<u8>) -> Result<(), ()> {
        self.lock().push(extrinsic);
        Ok(())
    }
}

/// A feed with one file.
pub struct Feed {
    listing: Arc<[u8]>,
    file: Arc<[u8]>,
    /// Requests that are not read to their end, with what is left of them.
    open: HashMap<HttpRequestId, (Arc<[u8]>, usize)>,
    next: u16,
}

impl Feed {
    /// The feed with this file.
    pub fn new(file: Vec<u8>) -> Self {
        let listing = serde_json::json!([{
            "name": FILE, "type": "file", "mtime": "Mon, 09 Mar 2026 06:00:00 GMT", "size": file.len()
        }]);
        Self { listing: listing.to_string().into_bytes().into(), file: file.into(), open: HashMap::new(), next: 0 }
    }
}

impl Externalities for Feed {
    fn is_validator(&self) -> bool {
        false
    }

    fn network_state(&self) -> Result<OpaqueNetworkState, ()> {
        Err(())
    }

    fn timestamp(&mut self) -> Timestamp {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_unix_millis(u64::try_from(now.as_millis()).unwrap_or_default())
    }

    fn sleep_until(&mut self, _: Timestamp) {}

    fn random_seed(&mut self) -> [u8; 32] {
        [1; 32]
    }

    fn http_request_start(&mut self, _: &str, uri: &str, _: &[u8]) -> Result<HttpRequestId, ()> {
        let body = if uri == FEED { &self.listing } else { &self.file };
        let id = HttpRequestId(self.next);
        self.next = self.next.wrapping_add(1);
        self.open.insert(id, (Arc::clone(body), 0));
        Ok(id)
    }

    fn http_request_add_header(&mut self, _: HttpRequestId, _: &str, _: &str) -> Result<(), ()> {
        Ok(())
    }

    fn http_request_write_body(&mut self, _: HttpRequestId, _: &[u8], _: Option<Timestamp>) -> Result<(), HttpError> {
        Ok(())
    }

    fn http_response_wait(&mut self, ids: &[HttpRequestId], _: Option<Timestamp>) -> Vec<HttpRequestStatus> {
        ids.iter().map(|_| HttpRequestStatus::Finished(200)).collect()
    }

    fn http_response_headers(&mut self, _: HttpRequestId) -> Vec<(Vec<u8>, Vec<u8>)> {
        Vec::new()
    }

    fn http_response_read_body(
        &mut self,
        id: HttpRequestId,
        buffer: &mut [u8],
        _: Option<Timestamp>,
    ) -> Result<usize, HttpError> {
        let (body, read) = self.open.get_mut(&id).ok_or(HttpError::Invalid)?;
        let rest = body.get(*read..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        *read += count;
        Ok(count)
    }

    fn set_authorized_nodes(&mut self, _: Vec<OpaquePeerId>, _: bool) {}
}
