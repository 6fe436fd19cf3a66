//! A light client inside this process (smoldot): it follows GRANDPA's finality itself and has every value of the state
//! proved against a finalised block. It speaks to any nodes of the chain's network, not to their JSON-RPC.

use super::{Chain, LOOK};
use crate::{node_rpc::NodeRpc, ClientError, Result};
use std::{sync::Arc, time::Duration};
use subxt::{backend::ChainHeadBackend, config::SubstrateConfig, OnlineClient};
use subxt_lightclient::LightClient;
use subxt_rpcs::RpcClient;

/// How long a light client may take until it is at the chain's newest finalised block.
const SYNC: Duration = Duration::from_secs(90);

/// How errors name it.
const NAME: &str = "the light client";

impl Chain {
    /// Starts a light client of the chain that a specification (JSON, with the genesis and the addresses of boot nodes)
    /// describes, and waits until it has caught up. Who gives the specification decides which chain is believed; what
    /// stands on that chain, nobody else does.
    ///
    /// # Errors
    /// [`ClientError::Usage`] (no chain specification), [`ClientError::Connection`].
    pub async fn light(specification: &str) -> Result<Self> {
        let (_, methods) = LightClient::relay_chain(specification)
            .map_err(|error| ClientError::Usage(format!("not a chain specification for a light client: {error}")))?;
        let client = RpcClient::new(methods);
        let lost = |problem: String| ClientError::Connection { url: NAME.into(), problem };
        let starting = async {
            let backend = ChainHeadBackend::<SubstrateConfig>::builder().build_with_background_driver(client.clone());
            let online = OnlineClient::from_backend(Arc::new(backend)).await;
            let online = online.map_err(|error| lost(error.to_string()))?;
            let genesis = online.genesis_hash().0;
            let chain = Self { online, rpc: NodeRpc::over(client, NAME), genesis };
            while chain.finalized().await?.stale().await?.is_some() {
                tokio::time::sleep(LOOK).await;
            }
            Ok(chain)
        };
        let waited = tokio::time::timeout(SYNC, starting).await;
        waited.unwrap_or_else(|_| {
            let seconds = SYNC.as_secs();
            Err(lost(format!("no recent finalised block within {seconds} s from the specification's bootNodes")))
        })
    }
}
