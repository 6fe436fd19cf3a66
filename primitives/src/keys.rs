//! Keys in a node's keystore.

use sp_core::crypto::KeyTypeId;

/// ed25519 key from which the utility's secrets are derived (protocol section 4). Its public key is never published, and
/// it is no account.
pub const SEALING: KeyTypeId = KeyTypeId(*b"wsms");
/// sr25519 key of the feed account, which signs registrations and batches.
pub const FEED: KeyTypeId = KeyTypeId(*b"wsfd");
/// sr25519 key of the delivery account, which signs deliveries and relays.
pub const DELIVERY: KeyTypeId = KeyTypeId(*b"wsdl");
/// sr25519 key of the vault, which signs receipts.
pub const VAULT: KeyTypeId = KeyTypeId(*b"wsvt");

/// Accounts of the feed key.
pub mod feed {
    /// The app crypto types.
    pub mod app {
        use sp_application_crypto::{app_crypto, sr25519};
        app_crypto!(sr25519, super::super::FEED);
    }
}

/// Accounts of the delivery key.
pub mod delivery {
    /// The app crypto types.
    pub mod app {
        use sp_application_crypto::{app_crypto, sr25519};
        app_crypto!(sr25519, super::super::DELIVERY);
    }
}
