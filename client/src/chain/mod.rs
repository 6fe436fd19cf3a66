//! The chain: finalised state, and transactions. Only this module and its children speak to subxt.
//!
//! State is read at one block ([`ChainAt`]), mostly the newest finalised one; transactions are mortal (256 blocks) and
//! waited for until they are finalised ([`Chain::submit`]).

mod api;
mod at;
mod call;
#[cfg(feature = "light-client")]
mod light;
pub mod refusal;
mod submit;
pub mod types;

pub use at::ChainAt;
pub use call::Call;
pub use submit::{ChainEvent, Included};
pub use types::AccountId;

use crate::{node_rpc::NodeRpc, ClientError, Result};
use sealed_register::{finalized::BlockRef, Hash};
use std::{sync::Arc, time::Duration};
use subxt::{backend::LegacyBackend, config::SubstrateConfig, utils::AccountId32, OnlineClient};

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(10);

/// Time between two looks at a chain with two-second slots.
const LOOK: Duration = Duration::from_millis(500);

/// A connection to one node and its chain. Cheap to clone.
#[derive(Clone)]
pub struct Chain {
    online: OnlineClient<SubstrateConfig>,
    rpc: NodeRpc,
    genesis: Hash,
}

impl std::fmt::Debug for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chain").field("url", &self.rpc.url()).finish_non_exhaustive()
    }
}

impl Chain {
    /// Connects to a node, for example `ws://127.0.0.1:9944`. Unencrypted only to this machine.
    ///
    /// # Errors
    /// [`ClientError::Connection`].
    pub async fn connect(url: &str) -> Result<Self> {
        let connection = |problem: String| ClientError::Connection { url: url.into(), problem };
        let connecting = async {
            let rpc = NodeRpc::connect(url).await?;
            let backend: LegacyBackend<SubstrateConfig> = LegacyBackend::builder().build(rpc.client().clone());
            let online = OnlineClient::from_backend(Arc::new(backend)).await;
            let online = online.map_err(|error| connection(error.to_string()))?;
            let genesis = online.genesis_hash().0;
            Ok(Self { online, rpc, genesis })
        };
        let waited = tokio::time::timeout(CONNECT, connecting).await;
        waited.unwrap_or_else(|_| Err(connection(format!("no answer within {} s", CONNECT.as_secs()))))
    }

    /// Genesis hash of the chain.
    pub fn genesis(&self) -> Hash {
        self.genesis
    }

    /// The node's own methods.
    pub fn rpc(&self) -> &NodeRpc {
        &self.rpc
    }

    /// The node's address.
    pub fn url(&self) -> &str {
        self.rpc.url()
    }

    /// The state of the newest finalised block.
    ///
    /// # Errors
    /// [`ClientError::Connection`].
    pub async fn finalized(&self) -> Result<ChainAt> {
        let at = self.online.at_current_block().await.map_err(|error| self.lost(error))?;
        Ok(ChainAt::new(at, self.url()))
    }

    /// The state of a block of this hash. Whether it is finalised is for the caller: see [`Chain::canonical`].
    ///
    /// # Errors
    /// [`ClientError::NotFound`] (nodes forget the state of old blocks), [`ClientError::Connection`].
    pub async fn at(&self, hash: &Hash) -> Result<ChainAt> {
        use subxt::error::OnlineClientAtBlockError as Error;
        match self.online.at_block(subxt::utils::H256(*hash)).await {
            Ok(at) => Ok(ChainAt::new(at, self.url())),
            Err(Error::BlockHeaderNotFound { .. } | Error::BlockNotFound { .. }) => {
                Err(ClientError::NotFound(format!("{} does not know this block", self.url())))
            }
            Err(error) => Err(self.lost(error)),
        }
    }

    /// The block of this number on the node's chain; finalised if the number is at most that of [`Chain::finalized`].
    ///
    /// # Errors
    /// [`ClientError::NotFound`], [`ClientError::Connection`].
    pub async fn canonical(&self, number: u32) -> Result<BlockRef> {
        let hash = self.rpc.block_hash(number).await?;
        let missing = || ClientError::NotFound(format!("{} has no block {number} yet", self.url()));
        Ok(BlockRef { number, hash: hash.ok_or_else(missing)? })
    }

    /// Waits until block `number` is finalised, at most for `patience`, and gives the state of the newest finalised
    /// block.
    ///
    /// # Errors
    /// [`ClientError::NotYet`], [`ClientError::Connection`].
    pub async fn wait_for_block(&self, number: u32, patience: Duration) -> Result<ChainAt> {
        self.wait_until(patience, &format!("finalisation of block {number}"), async |at| {
            Ok((at.block().number >= number).then_some(()))
        })
        .await
        .map(|(at, ())| at)
    }

    /// Looks at the newest finalised state again and again until `found` gives something, at most for `patience`.
    ///
    /// # Errors
    /// [`ClientError::NotYet`] with `what` was waited for; the error of `found`; [`ClientError::Connection`].
    pub async fn wait_until<T>(
        &self,
        patience: Duration,
        what: &str,
        mut found: impl AsyncFnMut(&ChainAt) -> Result<Option<T>>,
    ) -> Result<(ChainAt, T)> {
        let deadline = tokio::time::Instant::now() + patience;
        loop {
            let at = self.finalized().await?;
            if let Some(value) = found(&at).await? {
                return Ok((at, value));
            }
            if tokio::time::Instant::now() >= deadline {
                let seconds = patience.as_secs();
                return Err(ClientError::NotYet(format!("{what}: not within {seconds} s; try again later")));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    fn lost(&self, error: impl std::fmt::Display) -> ClientError {
        ClientError::Connection { url: self.url().into(), problem: error.to_string() }
    }
}

/// An account as wallets write it (SS58 with prefix 42).
pub fn ss58(account: &AccountId) -> String {
    AccountId32(*account).to_string()
}

/// Reads an account: SS58 of any prefix, or `0x` and 64 digits.
///
/// # Errors
/// [`ClientError::Usage`].
pub fn parse_account(text: &str) -> Result<AccountId> {
    if let Some(digits) = text.strip_prefix("0x") {
        let bytes = hex::decode(digits).ok().and_then(|bytes| AccountId::try_from(bytes).ok());
        return bytes.ok_or_else(|| ClientError::Usage("an account in digits is 0x and 64 hexadecimal digits".into()));
    }
    let account: Result<AccountId32, _> = text.parse();
    account.map(|account| account.0).map_err(|error| ClientError::Usage(format!("no account: {error}")))
}
