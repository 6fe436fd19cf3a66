//! Tells the worker which block is final, and what it is to do.

use crate::{
    chain::Chain,
    keys::{self, KeyError, SecretSource},
    offchain::{OffchainStore, FEED_URL},
};
use pallet_usage::worker::feed::{FeedError, FeedUrl};
use std::{
    hash::{BuildHasher, Hasher},
    sync::Arc,
    time::SystemTime,
};
use wattseal_primitives::offchain::{Finalised, WorkerConfig, CONFIG, FINALISED};
use wattseal_vault::{Vault, VaultError};

/// The task.
pub struct Finality {
    chain: Arc<dyn Chain>,
    vault: Arc<Vault>,
    offchain: OffchainStore,
    utility: Option<(SecretSource, Option<String>)>,
    /// Whether the worker has its configuration.
    configured: bool,
    /// Why it has not, as the log said last.
    reported: Option<String>,
    written: Option<Finalised>,
}

/// Why the worker has no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The keys.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The vault, or a changed sealing key.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The feed's address.
    #[error("{0}")]
    Feed(FeedError),
}

impl Finality {
    /// A task. A configuration that an earlier run of the node left is void until the keys were looked at.
    pub fn new(
        chain: Arc<dyn Chain>,
        vault: Arc<Vault>,
        offchain: OffchainStore,
        utility: Option<(SecretSource, Option<String>)>,
    ) -> Self {
        offchain.remove(CONFIG);
        let utility = utility.map(|(source, feed_url)| (source, feed_url.or(offchain.get(FEED_URL))));
        Self { chain, vault, offchain, utility, configured: false, reported: None, written: None }
    }

    /// Writes the finalised block, and the configuration as soon as all keys are there.
    pub fn step(&mut self) {
        let block = self.chain.finalised();
        let finalised = Finalised { number: block.number, hash: block.hash };
        if self.written != Some(finalised) {
            self.offchain.set(FINALISED, &finalised);
            self.written = Some(finalised);
        }
        let Some((source, feed_url)) = self.utility.as_ref().filter(|_| !self.configured) else { return };
        match configuration(source, feed_url.as_deref().unwrap_or_default(), &self.vault) {
            Ok(config) => {
                log::info!(
                    target: "wattseal::feed",
                    "this node seals for {}; feed: {}",
                    config.utility,
                    if config.feed_url.is_empty() { "none" } else { &config.feed_url },
                );
                self.offchain.set(FEED_URL, &config.feed_url);
                self.offchain.set(CONFIG, &config);
                self.configured = true;
            }
            Err(error) => {
                let error = error.to_string();
                if self.reported.as_ref() != Some(&error) {
                    log::warn!(target: "wattseal::feed", "nothing is sealed or delivered: {error}");
                    self.reported = Some(error);
                }
            }
        }
    }
}

/// Checks a feed's address; the empty one means that no feed is read.
///
/// # Errors
/// [`ConfigError::Feed`].
pub fn check_feed_url(url: &str) -> Result<String, ConfigError> {
    match url {
        "" => Ok(String::new()),
        url => FeedUrl::parse(url).map(|url| url.folder().into()).map_err(ConfigError::Feed),
    }
}

fn configuration(source: &SecretSource, feed_url: &str, vault: &Vault) -> Result<WorkerConfig, ConfigError> {
    let feed_url = check_feed_url(feed_url)?;
    let found = keys::utility_keys(&*source.keystore)?;
    let secrets = source.secrets()?;
    vault.bind_secrets(&source.utility, &secrets)?;
    Ok(WorkerConfig {
        utility: source.utility,
        feed_url,
        boot: boot_id(),
        sealing_key: found.sealing.0,
        feed_key: found.feed.0,
        delivery_key: found.delivery.0,
        check_value: Some(keys::secrets_check_value(&secrets)),
        generation: source.generation,
    })
}

/// Sixteen bytes that differ at each start; no secret.
fn boot_id() -> [u8; 16] {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    // The standard library seeds this hasher from the system's randomness.
    let random = std::collections::hash_map::RandomState::new().build_hasher().finish();
    let mut seed = since_epoch.as_nanos().to_le_bytes().to_vec();
    seed.extend(random.to_le_bytes());
    seed.extend(std::process::id().to_le_bytes());
    sp_io::hashing::blake2_128(&seed)
}
