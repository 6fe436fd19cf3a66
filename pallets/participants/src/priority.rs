//! The classes of calls and the order in which the pool takes them: one table for the whole runtime.
//!
//! | class | rank | sent by | what is in it |
//! |---|---|---|---|
//! | `Council` | 6 | organisations on the council, suspended ones too | motions, votes, closing of motions |
//! | `AccessEnd` | 5 | everybody | revocations, narrowings, returned and expired consents, ends of tenancies |
//! | `Commitment` | 4 | organisations, duty accounts | batches of usage |
//! | `Delivery` | 3 | everybody | sealed keys |
//! | `Statement` | 2 | everybody | claims and consents |
//! | `Registration` | 1 | organisations, duty accounts | meters, organisations, their keys and accounts |
//!
//! Before class and budget comes the place among the transactions of the same account that are in flight: everybody's
//! first goes before anybody's second, and so on. Whatever one account keeps in flight, at most one of its transactions
//! goes before the first of another, and what it has beyond that is evicted first. Within a place the class decides, within
//! a class whoever has used less of the budget goes first.

use crate::access::IN_FLIGHT;
use sp_runtime::transaction_validity::TransactionPriority;

/// A whole budget, in the unit of [`priority`]: parts per million.
pub const WHOLE: u32 = 1_000_000;

/// What a call is for, and so how urgent it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CallClass {
    /// Meters, organisations, their keys and accounts.
    Registration,
    /// Claims and consents.
    Statement,
    /// Sealed keys.
    Delivery,
    /// Batches of usage.
    Commitment,
    /// Whatever ends somebody's access.
    AccessEnd,
    /// The council's motions and votes. Open to suspended organisations too: a council that has suspended too many of its
    /// members could otherwise never reinstate one. Who sits in the council is the membership pallet's business.
    Council,
}

impl CallClass {
    /// All classes, least urgent first.
    pub const ALL: [Self; 6] =
        [Self::Registration, Self::Statement, Self::Delivery, Self::Commitment, Self::AccessEnd, Self::Council];

    /// Urgency, from 1; the higher goes first.
    pub const fn rank(self) -> u8 {
        match self {
            Self::Registration => 1,
            Self::Statement => 2,
            Self::Delivery => 3,
            Self::Commitment => 4,
            Self::AccessEnd => 5,
            Self::Council => 6,
        }
    }

    /// Whether an account that only holds a meter may send such calls.
    pub const fn is_open_to_customers(self) -> bool {
        matches!(self, Self::AccessEnd | Self::Delivery | Self::Statement)
    }
}

/// Priority of a transaction in the pool: first by class, then by the unused share of the sender's budget in parts per
/// million (more than [`WHOLE`] counts as [`WHOLE`]).
pub fn priority(class: CallClass, unused: u32) -> TransactionPriority {
    TransactionPriority::from(class.rank()) * (TransactionPriority::from(WHOLE) + 1)
        + TransactionPriority::from(unused.min(WHOLE))
}

/// What one place counts: more than any class with any budget.
const PLACE: TransactionPriority =
    (CallClass::Council.rank() as TransactionPriority + 1) * (WHOLE as TransactionPriority + 1);

/// What the place of a transaction adds to its priority in the pool, when this many of the same account go before it.
pub fn place(ahead: u32) -> TransactionPriority {
    TransactionPriority::from(IN_FLIGHT.saturating_sub(ahead)).saturating_mul(PLACE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybodys_first_goes_before_anybodys_second() {
        for ahead in 0..IN_FLIGHT {
            let later = place(ahead + 1).checked_add(priority(CallClass::Council, WHOLE)).unwrap();
            assert!(place(ahead) + priority(CallClass::Registration, 0) > later);
        }
        assert_eq!(place(u32::MAX), 0);
    }

    #[test]
    fn a_higher_class_always_goes_first() {
        for pair in CallClass::ALL.windows(2) {
            assert!(pair[0] < pair[1] && pair[0].rank() < pair[1].rank());
            assert!(priority(pair[0], WHOLE) < priority(pair[1], 0));
        }
    }

    #[test]
    fn within_a_class_the_thriftier_goes_first() {
        for class in CallClass::ALL {
            assert!(priority(class, 500_000) < priority(class, 500_001));
            assert_eq!(priority(class, WHOLE), priority(class, u32::MAX));
        }
    }

    #[test]
    fn customers_cannot_register_commit_or_vote() {
        let open: Vec<_> = CallClass::ALL.into_iter().filter(|class| class.is_open_to_customers()).collect();
        assert_eq!(open, [CallClass::Statement, CallClass::Delivery, CallClass::AccessEnd]);
    }
}
