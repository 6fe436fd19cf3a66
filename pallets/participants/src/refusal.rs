//! Why a signed transaction is refused before it runs: the one table of `InvalidTransaction::Custom` codes of this chain.
//!
//! Clients show the code (polkadot.js: "1010: Invalid Transaction: Custom error: 2"). Never `ExhaustsResources` (a block
//! author takes it for a full block and keeps the transaction), never `Stale` or `Future` (these speak of nonces).
//!
//! | code | refusal | what to do |
//! |---|---|---|
//! | 1 | `NotListed` | the call can only be made by the council's `participants.enact`, or not at all |
//! | 2 | `UnknownAccount` | be admitted, claim a meter, or have a participant relay the statement |
//! | 3 | `Suspended` | wait for the council's `participants.reinstate` |
//! | 4 | `NotForThisAccount` | send it from the organisation's own account; votes from one that sits on the council |
//! | 5 | `CallsUsedUp` | wait for the next budget period (300 blocks) |
//! | 6 | `BytesUsedUp` | wait for the next budget period (300 blocks), send shorter extrinsics |
//! | 7 | `Immortal` | sign with an era, for example of 256 blocks |
//! | 8 | `EraTooLong` | sign with an era of at most 4,096 blocks |
//! | 9 | `TooManyInFlight` | wait until earlier transactions of the account are in a block |
//! | 10 | `TimeUsedUp` | wait for the next budget period (300 blocks), send calls of less weight |

use sp_runtime::transaction_validity::{InvalidTransaction, TransactionValidityError};

/// Reason of a refusal; its number is the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Refusal {
    /// The call is not on the allow-list.
    NotListed = 1,
    /// The account has no part in the consortium and holds no meter.
    UnknownAccount = 2,
    /// The account's organisation is suspended.
    Suspended = 3,
    /// Accounts of this kind cannot send this call.
    NotForThisAccount = 4,
    /// The account has sent all the extrinsics of this period.
    CallsUsedUp = 5,
    /// The account has no room for an extrinsic of this length in this period.
    BytesUsedUp = 6,
    /// The transaction would be valid for ever.
    Immortal = 7,
    /// The transaction's era is longer than the chain remembers block hashes.
    EraTooLong = 8,
    /// The nonce is too far ahead of the account's.
    TooManyInFlight = 9,
    /// The account has no room for a call of this weight in this period.
    TimeUsedUp = 10,
}

impl Refusal {
    /// All refusals.
    pub const ALL: [Self; 10] = [
        Self::NotListed,
        Self::UnknownAccount,
        Self::Suspended,
        Self::NotForThisAccount,
        Self::CallsUsedUp,
        Self::BytesUsedUp,
        Self::Immortal,
        Self::EraTooLong,
        Self::TooManyInFlight,
        Self::TimeUsedUp,
    ];

    /// The code in `InvalidTransaction::Custom`.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The refusal with this code.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|refusal| refusal.code() == code)
    }
}

impl core::fmt::Display for Refusal {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::NotListed => "no signed transaction may carry this call; the council can enact it",
            Self::UnknownAccount => {
                "the account is no participant's and holds no meter: be admitted, claim a meter, or have it relayed"
            }
            Self::Suspended => "the account's organisation is suspended until the council reinstates it",
            Self::NotForThisAccount => {
                "this account cannot send this call: use the organisation's account, for votes one on the council"
            }
            Self::CallsUsedUp => "the account has sent all the extrinsics of this budget period: wait for the next",
            Self::BytesUsedUp => "the extrinsic exceeds the bytes left in this budget period: wait or send less",
            Self::Immortal => "immortal transactions are not taken: sign with an era, for example of 256 blocks",
            Self::EraTooLong => "the era is longer than 4,096 blocks: sign with a shorter one",
            Self::TooManyInFlight => "too many transactions of the account are in flight: wait for the earlier ones",
            Self::TimeUsedUp => {
                "the call's weight exceeds the time left in this budget period: wait or send lighter calls"
            }
        })
    }
}

impl From<Refusal> for InvalidTransaction {
    fn from(refusal: Refusal) -> Self {
        Self::Custom(refusal.code())
    }
}

impl From<Refusal> for TransactionValidityError {
    fn from(refusal: Refusal) -> Self {
        Self::Invalid(refusal.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_the_documented_ones_and_lead_back() {
        for (place, refusal) in Refusal::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(refusal.code()), place + 1);
            assert_eq!(Refusal::from_code(refusal.code()), Some(refusal));
            assert!(!refusal.to_string().is_empty());
        }
        assert_eq!(Refusal::from_code(0), None);
        assert_eq!(Refusal::from_code(10), Some(Refusal::TimeUsedUp));
        assert_eq!(Refusal::from_code(11), None);
    }

    #[test]
    fn a_refusal_is_invalid_and_never_a_full_block() {
        for refusal in Refusal::ALL {
            let error = TransactionValidityError::from(refusal);
            assert_eq!(error, TransactionValidityError::Invalid(InvalidTransaction::Custom(refusal.code())));
            assert!(!error.exhausted_resources());
        }
    }
}
