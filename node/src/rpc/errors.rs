//! Errors of the `wattseal_*` methods. Codes are stable, and so are their names, by which metrics count them: clients act
//! on the number, people read the text.
//!
//! | code | name | meaning | what to do |
//! |---|---|---|---|
//! | 7000 | `not_final` | the node's finalised head is too old to judge anything | wait, or ask another vault |
//! | 7001 | `bad_statement` | not the text of the statement that the method takes | hand over the text unchanged |
//! | 7002 | `other_chain` | signed for another chain | sign for this chain |
//! | 7003 | `other_vault` | signed for another vault | sign for this vault, or ask the other |
//! | 7004 | `bad_signature` | the signature is not that of the account in the statement | sign again |
//! | 7005 | `stale` | the request names a block too long ago | sign a new one |
//! | 7006 | `replayed` | this request was answered already | sign a new one with another nonce |
//! | 7007 | `behind` | this vault does not have the newest batch of the shard yet | wait, or ask another vault |
//! | 7008 | `too_large` | the answer would be too large | ask for fewer days or a coarser level |
//! | 7009 | `bad_parameter` | a parameter is not what it must be | see the text |
//! | 7010 | `not_found` | not found, or not there yet | see the text |
//! | 7011 | `queue_full` | too many requests wait already | try again in a minute |
//! | 7012 | `not_here` | this node does not seal for (that) utility | ask the utility's node |
//! | 7013 | `not_on_chain` | the chain does not show what the request rests on | see the text |
//! | 7014 | `key` | a key is missing or does not fit | the operator must act |
//! | 7015 | `chain` | the node could not ask its chain | try again, or another node |
//! | 7016 | `store` | the store is damaged or failed | ask another vault; the operator must act |
//! | 7017 | `ahead` | the request names a block that this vault is far from seeing final | wait, or ask another vault |
//! | 7018 | `stale_batch` | the batch is not the next of its shard, or too old | seal the days anew |
//! | 7019 | `busy` | batches are on their way, or the worker is at work | try again in a few seconds |
//! | 7020 | `bad_body` | the body is not what an import would take, or of another key | see the text |
//! | 7100 + n | of n | the runtime does not let this account read: n is the number of `ReadRefusal` | see the text |
//!
//! A request with several faults is refused for the first of them in the order in which a read is checked (README.md of
//! this crate). Another organisation's account and a wrong secret are one code, 7103: the chain knows a hash of both, so
//! nobody can tell which is wrong, and whoever guesses must not learn that half of it is right. For the same reason
//! nothing about a consent's state or terms is said before 7103 is settled.

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
    #[error("the request names block {block}, too long before this node's finalised head {head}; sign a new one")]
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
    /// 7017.
    #[error(
        "the request names block {block}, and this node has seen no more than {head} final; wait, or ask another vault"
    )]
    Ahead {
        /// Block of the request.
        block: u32,
        /// Finalised head.
        head: u32,
    },
    /// 7018.
    #[error("{0}")]
    StaleBatch(String),
    /// 7019.
    #[error("{0}")]
    Busy(String),
    /// 7020.
    #[error("{0}")]
    BadBody(String),
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
            Self::Ahead { .. } => 7_017,
            Self::StaleBatch(_) => 7_018,
            Self::Busy(_) => 7_019,
            Self::BadBody(_) => 7_020,
            // The enum's codec index, which the runtime keeps stable, is its whole encoding.
            Self::Refused(refusal) => READ_REFUSAL + refusal.encode().first().copied().map_or(0, i32::from),
        }
    }

    /// The code's name.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NotFinal { .. } => "not_final",
            Self::Statement(_) => "bad_statement",
            Self::OtherChain { .. } => "other_chain",
            Self::OtherVault { .. } => "other_vault",
            Self::Signature { .. } => "bad_signature",
            Self::Stale { .. } => "stale",
            Self::NonceUsed => "replayed",
            Self::Behind { .. } => "behind",
            Self::TooLarge(_) => "too_large",
            Self::Parameter(_) => "bad_parameter",
            Self::NotFound(_) => "not_found",
            Self::QueueFull(_) => "queue_full",
            Self::NotHere(_) => "not_here",
            Self::NotOnChain(_) => "not_on_chain",
            Self::Key(_) => "key",
            Self::Chain(_) => "chain",
            Self::Store(_) => "store",
            Self::Ahead { .. } => "ahead",
            Self::StaleBatch(_) => "stale_batch",
            Self::Busy(_) => "busy",
            Self::BadBody(_) => "bad_body",
            Self::Refused(refusal) => refusal_name(*refusal),
        }
    }

    /// Names of the codes with which a read can be refused, besides failures of the node itself.
    pub const READ_REASONS: [&str; 27] = [
        "not_final",
        "bad_statement",
        "other_chain",
        "other_vault",
        "bad_signature",
        "stale",
        "ahead",
        "replayed",
        "behind",
        "too_large",
        "bad_parameter",
        "not_found",
        "unknown_meter",
        "unknown_consent",
        "other_meter",
        "not_the_grantee",
        "not_admitted",
        "revoked",
        "expired",
        "given_back",
        "tenancy_ended",
        "not_yet",
        "outside_days",
        "level_not_granted",
        "channel_not_granted",
        "not_the_customer",
        "no_secret",
    ];
}

/// Name of a refusal of the runtime.
fn refusal_name(refusal: ReadRefusal) -> &'static str {
    match refusal {
        ReadRefusal::UnknownMeter => "unknown_meter",
        ReadRefusal::UnknownConsent => "unknown_consent",
        ReadRefusal::OtherMeter => "other_meter",
        ReadRefusal::NotTheGrantee => "not_the_grantee",
        ReadRefusal::NotAdmitted => "not_admitted",
        ReadRefusal::Revoked => "revoked",
        ReadRefusal::Expired => "expired",
        ReadRefusal::GivenBack => "given_back",
        ReadRefusal::TenancyEnded => "tenancy_ended",
        ReadRefusal::NotYet => "not_yet",
        ReadRefusal::OutsideDays => "outside_days",
        ReadRefusal::LevelNotGranted => "level_not_granted",
        ReadRefusal::ChannelNotGranted => "channel_not_granted",
        ReadRefusal::NotTheCustomer => "not_the_customer",
        ReadRefusal::NoSecret => "no_secret",
    }
}

impl From<RpcError> for ErrorObjectOwned {
    fn from(error: RpcError) -> Self {
        if matches!(error, RpcError::Store(_) | RpcError::Key(_) | RpcError::Chain(_)) {
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
        ReadRefusal::NotTheGrantee => "the account's organisation and the secret are not those of the consent's reader",
        ReadRefusal::NotAdmitted => "the account speaks for no admitted vendor",
        ReadRefusal::Revoked => "the customer revoked the consent",
        ReadRefusal::Expired => "the consent has expired",
        ReadRefusal::GivenBack => "the vendor gave the consent back",
        ReadRefusal::TenancyEnded => "the tenancy has ended",
        ReadRefusal::NotYet => "the consent's access window has not begun",
        ReadRefusal::OutsideDays => "a day lies outside the days that may be read",
        ReadRefusal::LevelNotGranted => "the consent allows a coarser resolution only",
        ReadRefusal::ChannelNotGranted => "the channel may not be read",
        ReadRefusal::NotTheCustomer => "the account is not the customer who holds the meter",
        ReadRefusal::NoSecret => "the secret of the vendor's request is missing: all zero hides no vendor",
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
            ReadRefusal::NoSecret,
        ];
        let codes: Vec<i32> = refusals.map(|refusal| RpcError::Refused(refusal).code()).into();
        assert_eq!(codes, (7_100..7_115).collect::<Vec<_>>());
        let texts: BTreeSet<&str> = refusals.map(words).into();
        assert_eq!(texts.len(), refusals.len());
        let names: BTreeSet<&str> = RpcError::READ_REASONS.into();
        assert_eq!(names.len(), RpcError::READ_REASONS.len());
        assert!(refusals.iter().all(|refusal| names.contains(RpcError::Refused(*refusal).reason())));
        assert_eq!(RpcError::from(VaultError::NonceUsed).code(), 7_006);
        let object = ErrorObjectOwned::from(RpcError::Behind { newest: 3 });
        assert_eq!((object.code(), object.message().contains("batch 3")), (7_007, true));
    }
}
