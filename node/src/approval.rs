//! Which runtimes may use a utility's secrets on this machine (architecture.md, "The worker's rules").
//!
//! A runtime upgrade changes the worker's code, and the worker sees the sealing key's signatures and the readings in
//! clear. So the council, which decides about upgrades, could read every utility's data unless each operator approves
//! the new code on their own machine. At a block whose code is not approved the worker runs with an empty database, no
//! network and without this project's keys: it finds no configuration and returns at once.

use sc_client_api::StorageProvider;
use sp_core::{
    crypto::KeyTypeId,
    ecdsa, ed25519,
    offchain::{
        storage::{InMemOffchainStorage, OffchainDb},
        Externalities, HttpError, HttpRequestId, HttpRequestStatus, OffchainDbExt, OffchainWorkerExt,
        OpaqueNetworkState, Timestamp,
    },
    sr25519,
    storage::{well_known_keys::CODE, StorageKey},
};
use sp_externalities::Extension;
use sp_keystore::{Error, Keystore, KeystoreExt, KeystorePtr};
use sp_runtime::traits::Block as BlockT;
use std::{
    collections::BTreeSet,
    io::Write,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::{Duration, Instant, SystemTime},
};
use wattseal_primitives::keys::{DELIVERY, FEED, SEALING, VAULT};

/// BLAKE2-256 of a runtime's code, as it stands in `:code`.
pub type CodeHash = [u8; 32];

/// Name of the file beside the chain's database that lists approved runtimes.
pub const FILE: &str = "approved-runtimes";

/// How often the log says that the worker waits.
const REMIND: Duration = Duration::from_secs(600);

/// Why an approval was not noted.
#[derive(Debug, thiserror::Error)]
pub enum ApprovalError {
    /// The file.
    #[error("{}: {error}; check permissions", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// Not a hash.
    #[error("'{0}' is no hash of a runtime: 0x and 64 hexadecimal digits are")]
    NotAHash(String),
}

/// The approved runtimes: the one in this binary, and those that the operator listed.
#[derive(Clone)]
pub struct Approvals {
    path: Arc<PathBuf>,
    hashes: Arc<RwLock<BTreeSet<CodeHash>>>,
    reminded: Arc<Mutex<Option<(CodeHash, Instant)>>>,
}

/// Reads `0x` and 64 digits.
///
/// # Errors
/// [`ApprovalError::NotAHash`].
pub fn parse_hash(text: &str) -> Result<CodeHash, ApprovalError> {
    let text = text.trim();
    let mut hash = [0; 32];
    let digits = text.strip_prefix("0x").unwrap_or(text);
    hex::decode_to_slice(digits, &mut hash).map_err(|_| ApprovalError::NotAHash(text.into()))?;
    Ok(hash)
}

impl Approvals {
    /// Reads the list beside a database; the embedded runtime is approved by installing this binary.
    ///
    /// # Errors
    /// [`ApprovalError`]: a line that is no hash is an error, since a typing error must not pass for an approval.
    pub fn load(folder: &Path, embedded: Option<&[u8]>) -> Result<Self, ApprovalError> {
        let path = folder.join(FILE);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(ApprovalError::File { path, error }),
        };
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let mut hashes = lines.map(parse_hash).collect::<Result<BTreeSet<_>, _>>()?;
        hashes.extend(embedded.map(sp_io::hashing::blake2_256));
        Ok(Self { path: Arc::new(path), hashes: Arc::new(RwLock::new(hashes)), reminded: Arc::default() })
    }

    /// Whether the runtime may use the secrets.
    pub fn contains(&self, code: &CodeHash) -> bool {
        self.hashes.read().unwrap_or_else(PoisonError::into_inner).contains(code)
    }

    /// Notes an approval, on disk first.
    ///
    /// # Errors
    /// [`ApprovalError::File`].
    pub fn approve(&self, code: CodeHash) -> Result<(), ApprovalError> {
        if self.contains(&code) {
            return Ok(());
        }
        let append = || {
            let mut file = std::fs::OpenOptions::new().create(true).append(true).open(&*self.path)?;
            writeln!(file, "0x{}", hex::encode(code))?;
            file.sync_all()
        };
        append().map_err(|error| ApprovalError::File { path: self.path.to_path_buf(), error })?;
        self.hashes.write().unwrap_or_else(PoisonError::into_inner).insert(code);
        log::info!(target: "wattseal::worker", "runtime 0x{} may use the sealing key from now on", hex::encode(code));
        Ok(())
    }

    /// What the worker's run at a block gets instead of the usual: the keystore if the block's code is approved, and
    /// otherwise nothing that could be told to anybody.
    pub fn worker_extensions<B, C, BE>(
        &self,
        client: &C,
        keystore: &KeystorePtr,
        block: B::Hash,
    ) -> Vec<Box<dyn Extension>>
    where
        B: BlockT<Hash = sp_core::H256>,
        C: StorageProvider<B, BE>,
        BE: sc_client_api::Backend<B>,
    {
        match client.storage_hash(block, &StorageKey(CODE.to_vec())) {
            Ok(Some(code)) if self.contains(&code.0) => return vec![Box::new(KeystoreExt::from(keystore.clone()))],
            Ok(Some(code)) => self.remind(code.0),
            Ok(None) => log::error!(target: "wattseal::worker", "block {block:?} has no runtime code"),
            Err(error) => {
                log::error!(target: "wattseal::worker", "the runtime code of block {block:?} cannot be read: {error}");
            }
        }
        vec![
            Box::new(KeystoreExt::new(WithoutOurKeys(keystore.clone()))),
            Box::new(OffchainDbExt::new(OffchainDb::new(InMemOffchainStorage::default()))),
            Box::new(OffchainWorkerExt::new(NoNetwork)),
        ]
    }

    fn remind(&self, code: CodeHash) {
        let mut reminded = self.reminded.lock().unwrap_or_else(PoisonError::into_inner);
        if reminded.is_some_and(|(known, at)| known == code && at.elapsed() < REMIND) {
            return;
        }
        *reminded = Some((code, Instant::now()));
        log::warn!(
            target: "wattseal::worker",
            "the chain runs a runtime that you have not approved, so nothing is sealed or delivered here. When you \
             have read its code: wattseal-node feed approve-runtime 0x{}",
            hex::encode(code),
        );
    }
}

/// A keystore without the keys of this project: they answer as if they were not there.
struct WithoutOurKeys(KeystorePtr);

fn is_ours(key_type: KeyTypeId) -> bool {
    [SEALING, FEED, DELIVERY, VAULT].contains(&key_type)
}

/// Answers for a hidden key type, or asks the keystore.
macro_rules! unless_ours {
    ($key_type:expr, $hidden:expr, $asked:expr) => {
        if is_ours($key_type) {
            $hidden
        } else {
            $asked
        }
    };
}

impl Keystore for WithoutOurKeys {
    fn sr25519_public_keys(&self, key_type: KeyTypeId) -> Vec<sr25519::Public> {
        unless_ours!(key_type, Vec::new(), self.0.sr25519_public_keys(key_type))
    }

    fn sr25519_generate_new(&self, key_type: KeyTypeId, seed: Option<&str>) -> Result<sr25519::Public, Error> {
        unless_ours!(key_type, Err(Error::Unavailable), self.0.sr25519_generate_new(key_type, seed))
    }

    fn sr25519_sign(
        &self,
        key_type: KeyTypeId,
        public: &sr25519::Public,
        message: &[u8],
    ) -> Result<Option<sr25519::Signature>, Error> {
        unless_ours!(key_type, Ok(None), self.0.sr25519_sign(key_type, public, message))
    }

    fn sr25519_vrf_sign(
        &self,
        key_type: KeyTypeId,
        public: &sr25519::Public,
        data: &sr25519::vrf::VrfSignData,
    ) -> Result<Option<sr25519::vrf::VrfSignature>, Error> {
        unless_ours!(key_type, Ok(None), self.0.sr25519_vrf_sign(key_type, public, data))
    }

    fn sr25519_vrf_pre_output(
        &self,
        key_type: KeyTypeId,
        public: &sr25519::Public,
        input: &sr25519::vrf::VrfInput,
    ) -> Result<Option<sr25519::vrf::VrfPreOutput>, Error> {
        unless_ours!(key_type, Ok(None), self.0.sr25519_vrf_pre_output(key_type, public, input))
    }

    fn ed25519_public_keys(&self, key_type: KeyTypeId) -> Vec<ed25519::Public> {
        unless_ours!(key_type, Vec::new(), self.0.ed25519_public_keys(key_type))
    }

    fn ed25519_generate_new(&self, key_type: KeyTypeId, seed: Option<&str>) -> Result<ed25519::Public, Error> {
        unless_ours!(key_type, Err(Error::Unavailable), self.0.ed25519_generate_new(key_type, seed))
    }

    fn ed25519_sign(
        &self,
        key_type: KeyTypeId,
        public: &ed25519::Public,
        message: &[u8],
    ) -> Result<Option<ed25519::Signature>, Error> {
        unless_ours!(key_type, Ok(None), self.0.ed25519_sign(key_type, public, message))
    }

    fn ecdsa_public_keys(&self, key_type: KeyTypeId) -> Vec<ecdsa::Public> {
        unless_ours!(key_type, Vec::new(), self.0.ecdsa_public_keys(key_type))
    }

    fn ecdsa_generate_new(&self, key_type: KeyTypeId, seed: Option<&str>) -> Result<ecdsa::Public, Error> {
        unless_ours!(key_type, Err(Error::Unavailable), self.0.ecdsa_generate_new(key_type, seed))
    }

    fn ecdsa_sign(
        &self,
        key_type: KeyTypeId,
        public: &ecdsa::Public,
        message: &[u8],
    ) -> Result<Option<ecdsa::Signature>, Error> {
        unless_ours!(key_type, Ok(None), self.0.ecdsa_sign(key_type, public, message))
    }

    fn ecdsa_sign_prehashed(
        &self,
        key_type: KeyTypeId,
        public: &ecdsa::Public,
        message: &[u8; 32],
    ) -> Result<Option<ecdsa::Signature>, Error> {
        unless_ours!(key_type, Ok(None), self.0.ecdsa_sign_prehashed(key_type, public, message))
    }

    fn insert(&self, key_type: KeyTypeId, suri: &str, public: &[u8]) -> Result<(), ()> {
        unless_ours!(key_type, Err(()), self.0.insert(key_type, suri, public))
    }

    fn keys(&self, key_type: KeyTypeId) -> Result<Vec<Vec<u8>>, Error> {
        unless_ours!(key_type, Ok(Vec::new()), self.0.keys(key_type))
    }

    fn has_keys(&self, public_keys: &[(Vec<u8>, KeyTypeId)]) -> bool {
        !public_keys.iter().any(|(_, key_type)| is_ours(*key_type)) && self.0.has_keys(public_keys)
    }
}

/// The world as an unapproved runtime's worker sees it: there is time, and nothing can be sent or fetched.
struct NoNetwork;

impl Externalities for NoNetwork {
    fn is_validator(&self) -> bool {
        false
    }

    fn network_state(&self) -> Result<OpaqueNetworkState, ()> {
        Err(())
    }

    fn timestamp(&mut self) -> Timestamp {
        let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_unix_millis(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
    }

    fn sleep_until(&mut self, _deadline: Timestamp) {}

    fn random_seed(&mut self) -> [u8; 32] {
        [0; 32]
    }

    fn http_request_start(&mut self, _method: &str, _uri: &str, _meta: &[u8]) -> Result<HttpRequestId, ()> {
        Err(())
    }

    fn http_request_add_header(&mut self, _request: HttpRequestId, _name: &str, _value: &str) -> Result<(), ()> {
        Err(())
    }

    fn http_request_write_body(
        &mut self,
        _request: HttpRequestId,
        _chunk: &[u8],
        _deadline: Option<Timestamp>,
    ) -> Result<(), HttpError> {
        Err(HttpError::Invalid)
    }

    fn http_response_wait(
        &mut self,
        requests: &[HttpRequestId],
        _deadline: Option<Timestamp>,
    ) -> Vec<HttpRequestStatus> {
        requests.iter().map(|_| HttpRequestStatus::Invalid).collect()
    }

    fn http_response_headers(&mut self, _request: HttpRequestId) -> Vec<(Vec<u8>, Vec<u8>)> {
        Vec::new()
    }

    fn http_response_read_body(
        &mut self,
        _request: HttpRequestId,
        _buffer: &mut [u8],
        _deadline: Option<Timestamp>,
    ) -> Result<usize, HttpError> {
        Err(HttpError::Invalid)
    }

    fn set_authorized_nodes(&mut self, _nodes: Vec<sp_core::OpaquePeerId>, _authorized_only: bool) {}
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failed unwrap is a failed test
    use super::*;
    use crate::keys;
    use sc_keystore::LocalKeystore;
    use sp_core::crypto::key_types::AURA;

    #[test]
    fn approvals_are_the_embedded_runtime_and_the_listed_ones() {
        let folder = tempfile::tempdir().unwrap();
        let approvals = Approvals::load(folder.path(), Some(b"code")).unwrap();
        let (embedded, other) = (sp_io::hashing::blake2_256(b"code"), sp_io::hashing::blake2_256(b"upgrade"));
        assert!(approvals.contains(&embedded));
        assert!(!approvals.contains(&other));
        approvals.approve(other).unwrap();
        approvals.approve(other).unwrap();
        assert!(approvals.contains(&other));
        let text = std::fs::read_to_string(folder.path().join(FILE)).unwrap();
        assert_eq!(text.lines().count(), 1);
        // After a restart, and with a binary that embeds something else.
        let approvals = Approvals::load(folder.path(), Some(b"newer")).unwrap();
        assert!(approvals.contains(&other) && !approvals.contains(&embedded));
        std::fs::write(folder.path().join(FILE), "# comment\n0x12\n").unwrap();
        assert!(matches!(Approvals::load(folder.path(), None), Err(ApprovalError::NotAHash(text)) if text == "0x12"));
    }

    #[test]
    fn an_unapproved_runtime_finds_none_of_our_keys() {
        let keystore = Arc::new(LocalKeystore::in_memory());
        keys::insert_development_keys(&*keystore).unwrap();
        let vault = keys::vault_key(&*keystore).unwrap();
        let aura = keystore.sr25519_generate_new(AURA, Some("//GridOperator")).unwrap();
        let ours = keys::utility_keys(&*keystore).unwrap();
        let hidden = WithoutOurKeys(keystore);
        assert!(hidden.ed25519_public_keys(SEALING).is_empty());
        assert!(matches!(hidden.ed25519_sign(SEALING, &ours.sealing, b"m"), Ok(None)));
        for (key_type, public) in [(FEED, ours.feed), (DELIVERY, ours.delivery), (VAULT, vault)] {
            assert!(matches!(hidden.sr25519_sign(key_type, &public, b"m"), Ok(None)));
            assert!(hidden.keys(key_type).unwrap().is_empty());
            assert!(!hidden.has_keys(&[(public.0.to_vec(), key_type)]));
        }
        assert!(matches!(hidden.sr25519_sign(AURA, &aura, b"m"), Ok(Some(_))));
        // `sign_with` goes through the same doors.
        assert!(matches!(hidden.sign_with(SEALING, ed25519::CRYPTO_ID, &ours.sealing.0, b"m"), Ok(None)));
    }
}
