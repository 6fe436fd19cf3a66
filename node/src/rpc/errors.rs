//! Errors of the `wattseal_*` methods. Codes are stable: clients act on the number, people read the text.
//!
//! | code | meaning | what to do |
//! |---|---|---|
//! | 7000 | the node's finalised head is too old to judge anything | wait, or ask another vault |
//! | 7001 | not the text of the statement that the method takes | hand over the text unchanged |
//! | 7002 | signed for another chain | sign for this chain |
//! | 7003 | signed for another vault | sign for this vault, or ask the other |
//! | 7004 | the signature is not that of the account in the statement | sign again |
//! | 7005 | the request names a block too far from the finalised head | sign a new one |
//! | 7006 | this request was answered already | sign a new one with another nonce |
//! | 7007 | this vault does not have the newest batch of the shard yet | wait, or ask another vault |
//! | 7008 | the answer would be too large | ask for fewer days or a coarser level |
//! | 7009 | a parameter is not what it must be | see the text |
//! | 7010 | not found, or not there yet | see the text |
//! | 7011 | too many requests wait already | try again in a minute |
//! | 7012 | this node does not seal for (that) utility | ask the utility's node |
//! | 7013 | the chain does not show what the request rests on | see the text |
//! | 7014 | a key is missing or does not fit | the operator must act |
//! | 7015 | the node could not ask its chain | try again, or another node |
//! | 7016 | the store is damaged or failed | ask another vault; the operator must act |
//! | 7100 + n | the runtime does not let this account read: n is the number of `ReadRefusal` | see the text |

use crate::{chain::ChainError, keys::KeyError, offchain::QueueFull};
use codec::Encode;
use jsonrpsee::types::ErrorObjectOwned;
use sealed_register::statement::StatementError;
use wattseal_primitives::consent::ReadRefusal;
use wattseal_vault::VaultError;

/// First of the codes of [`ReadRefusal`].
pub const READ_REFUSAL: i32 = 7_100;

/// What a method answers instead of a result.
#[derive(Debug, thiserror::Error)]
pub enum RpcError {
    /// 7000.
    #[error("this node's finalised head is {seconds} s old, so it serves nobody; wait, or ask another vault")]
    NotFinal {
        /// Age of the finalised head, seconds.
        seconds: u64,
    },
    /// 7001.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// 7002.
    #[error("the statement is signed for the chain with genesis {found}, this is {expected}")]
    OtherChain {
        /// This chain's genesis.
        expected: String,
        /// The statement's.
        found: String,
    },
    /// 7003.
    #[error("the request is signed for vault {found}, this is {expected}")]
    OtherVault {
        /// This vault's account.
        expected: String,
        /// The request's.
        found: String,
    },
    /// 7004.
    #[error("the signature is not that of {account} over this statement")]
    Signature {
        /// The account that should have signed.
        account: String,
    },
    /// 7005.
    #[error("the request names block {block}, too far from this node's finalised head {head}; sign a new one")]
    Stale {
        /// Block of the request.
        block: u32,
        /// Finalised head.
        head: u32,
    },
    /// 7006.
    #[error("this request was answered already; sign a new one with another nonce")]
    NonceUsed,
    /// 7007.
    #[error(
        "this vault does not have batch {newest} of the shard yet, the newest on chain; wait, or ask another vault"
    )]
    Behind {
        /// Number of the newest batch on chain.
        newest: u32,
    },
    /// 7008.
    #[error("{0}")]
    TooLarge(String),
    /// 7009.
    #[error("{0}")]
    Parameter(String),
    /// 7010.
    #[error("{0}")]
    NotFound(String),
    /// 7011.
    #[error(transparent)]
    QueueFull(#[from] QueueFull),
    /// 7012.
    #[error("{0}")]
    NotHere(String),
    /// 7013.
    #[error("{0}")]
    NotOnChain(String),
    /// 7014.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// 7015.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// 7016.
    #[error("{0}")]
    Store(VaultError),
    /// 7100 and following.
    #[error("{}", words(*.0))]
    Refused(ReadRefusal),
}

impl From<VaultError> for RpcError {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::NonceUsed => Self::NonceUsed,
            VaultError::TooLarge { .. } => Self::TooLarge(error.to_string()),
            other => Self::Store(other),
        }
    }
}

impl RpcError {
    /// The code.
    pub fn code(&self) -> i32 {
        match self {
            Self::NotFinal { .. } => 7_000,
            Self::Statement(_) => 7_001,
            Self::OtherChain { .. } => 7_002,
            Self::OtherVault { .. } => 7_003,
            Self::Signature { .. } => 7_004,
            Self::Stale { .. } => 7_005,
            Self::NonceUsed => 7_006,
            Self::Behind { .. } => 7_007,
            Self::TooLarge(_) => 7_008,
            Self::Parameter(_) => 7_009,
            Self::NotFound(_) => 7_010,
            Self::QueueFull(_) => 7_011,
            Self::NotHere(_) => 7_012,
            Self::NotOnChain(_) => 7_013,
            Self::Key(_) => 7_014,
            Self::Chain(_) => 7_015,
            Self::Store(_) => 7_016,
            // The enum's codec index, which the runtime keeps stable, is its whole encoding.
            Self::Refused(refusal) => READ_REFUSAL + refusal.encode().first().copied().map_or(0, i32::from),
        }
    }
}

impl From<RpcError> for ErrorObjectOwned {
    fn from(error: RpcError) -> Self {
        if matches!(error, RpcError::Store(_) | RpcError::Key(_)) {
            log::error!(target: "wattseal::vault", "a request failed: {error}");
        }
        Self::owned(error.code(), error.to_string(), None::<()>)
    }
}

/// Why nobody may read, for people.
fn words(refusal: ReadRefusal) -> &'static str {
    match refusal {
        ReadRefusal::UnknownMeter => "no such meter is registered",
        ReadRefusal::UnknownConsent => "no such consent is on chain",
        ReadRefusal::OtherMeter => "the consent is for another meter",
        ReadRefusal::NotTheGrantee => "account and secret are not those of the consent's reader",
        ReadRefusal::NotAdmitted => "the account is no admitted vendor",
        ReadRefusal::Revoked => "the customer revoked the consent",
        ReadRefusal::Expired => "the consent has expired",
        ReadRefusal::GivenBack => "the vendor gave the consent back",
        ReadRefusal::TenancyEnded => "the tenancy has ended",
        ReadRefusal::NotYet => "the consent's access window has not begun",
        ReadRefusal::OutsideDays => "a day lies outside the days that may be read",
        ReadRefusal::LevelNotGranted => "the consent allows a coarser resolution only",
        ReadRefusal::ChannelNotGranted => "the channel may not be read",
        ReadRefusal::NotTheCustomer => "the account is not the customer who holds the meter",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn codes_are_those_of_the_table() {
        let refusals = [
            ReadRefusal::UnknownMeter,
            ReadRefusal::UnknownConsent,
            ReadRefusal::OtherMeter,
            ReadRefusal::NotTheGrantee,
            ReadRefusal::NotAdmitted,
            ReadRefusal::Revoked,
            ReadRefusal::Expired,
            ReadRefusal::GivenBack,
            ReadRefusal::TenancyEnded,
            ReadRefusal::NotYet,
            ReadRefusal::OutsideDays,
            ReadRefusal::LevelNotGranted,
            ReadRefusal::ChannelNotGranted,
            ReadRefusal::NotTheCustomer,
        ];
        let codes: Vec<i32> = refusals.map(|refusal| RpcError::Refused(refusal).code()).into();
        assert_eq!(codes, (7_100..7_114).collect::<Vec<_>>());
        let texts: BTreeSet<&str> = refusals.map(words).into();
        assert_eq!(texts.len(), refusals.len());
        assert_eq!(RpcError::from(VaultError::NonceUsed).code(), 7_006);
        let object = ErrorObjectOwned::from(RpcError::Behind { newest: 3 });
        assert_eq!((object.code(), object.message().contains("batch 3")), (7_007, true));
    }
}
