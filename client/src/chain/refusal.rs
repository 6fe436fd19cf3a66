//! Why the transaction pool refuses: the chain's table of `InvalidTransaction::Custom` codes, in words. The numbers are
//! those of `pallets/participants/src/refusal.rs`.

use std::fmt;

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
    /// All refusals, by code.
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
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The refusal with this code.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|refusal| refusal.code() == code)
    }

    /// The refusal in a node's words: `Custom error: 2`.
    pub fn from_message(message: &str) -> Option<Self> {
        let digits = message.rsplit_once("Custom error: ")?.1;
        let end = digits.find(|character: char| !character.is_ascii_digit()).unwrap_or(digits.len());
        Self::from_code(digits.get(..end)?.parse().ok()?)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotListed => "no signed transaction may carry this call; the council can enact it",
            Self::UnknownAccount => {
                "the account is no participant's and holds no meter: be admitted, claim a meter, or have it relayed"
            }
            Self::Suspended => "the account's organisation is suspended until the council reinstates it",
            Self::NotForThisAccount => "accounts of this kind cannot send this call: use the organisation's account",
            Self::CallsUsedUp => "the account has sent all the extrinsics of this budget period: wait for the next",
            Self::BytesUsedUp => "the extrinsic exceeds the bytes left in this budget period: wait or send less",
            Self::Immortal => "immortal transactions are not taken: sign with an era, for example of 256 blocks",
            Self::EraTooLong => "the era is longer than 4,096 blocks: sign with a shorter one",
            Self::TooManyInFlight => "too many transactions of the account are in flight: wait for the earlier ones",
            Self::TimeUsedUp => "the call exceeds the computing time left in this budget period: wait for the next",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_count_from_one_and_lead_back() {
        for (place, refusal) in (1_u8..).zip(Refusal::ALL) {
            assert_eq!(refusal.code(), place);
            assert_eq!(Refusal::from_code(place), Some(refusal));
        }
        assert_eq!(Refusal::from_code(0), None);
        assert_eq!(Refusal::from_code(11), None);
    }

    #[test]
    fn nodes_words_are_understood() {
        assert_eq!(Refusal::from_message("Custom error: 2"), Some(Refusal::UnknownAccount));
        assert_eq!(
            Refusal::from_message("Invalid Transaction (1010): \"Custom error: 9\""),
            Some(Refusal::TooManyInFlight)
        );
        assert_eq!(Refusal::from_message("Custom error: 255"), None);
        assert_eq!(Refusal::from_message("Transaction is outdated"), None);
    }
}
