//! What steps leave for later steps.

use crate::error::{Result, StoryError};
use sealed_register::{statement, DayReadings, Hash, Keyring, MeterId, RangeRequest};
use std::time::Instant;
use wattseal_client::{
    customer::CheckedRequest, links::TicketLink, node_rpc::ReadAnswer, reading::Wanted, Customer, Profile,
};

/// The first meter and its customer.
pub struct Home {
    /// The meter.
    pub meter: MeterId,
    /// The ticket that the utility's letter brought.
    pub ticket: TicketLink,
}

/// The customer, once she holds the meter and its key.
pub struct Holder {
    /// She.
    pub customer: Customer,
    /// Her keys and papers.
    pub profile: Profile,
    /// The meter's key.
    pub keyring: Keyring,
}

/// A vendor's request, and what came of it.
pub struct Grant {
    /// The link.
    pub link: String,
    /// What is asked for, of the days that the file has.
    pub wanted: Wanted,
    /// What the customer was shown.
    pub shown: Option<CheckedRequest>,
    /// The consent as she signed it, with its identifier, and when.
    pub signed: Option<(statement::Signed<statement::Consent>, Hash, Instant)>,
}

impl Grant {
    /// The consent's identifier.
    ///
    /// # Errors
    /// [`StoryError::Needs`] if nothing was signed.
    pub fn consent(&self) -> Result<Hash> {
        self.signed.as_ref().map(|(_, id, _)| *id).ok_or(StoryError::Needs("grant", "a consent"))
    }
}

/// A vault's answer that is kept, to be served again when it is old.
pub struct OldAnswer {
    /// The answer.
    pub answer: ReadAnswer,
    /// The question.
    pub asked: RangeRequest,
}

/// A file of the feed that the story made itself.
pub struct Published {
    /// Name of the file.
    pub file: String,
    /// The days in it, by channel.
    pub days: Vec<DayReadings>,
}

/// All of it.
#[derive(Default)]
pub struct Outcome {
    /// Number of the finalised block when the story began.
    pub first_block: u32,
    /// When the feed's file appeared in this run.
    pub published_at: Option<Instant>,
    /// By `register`.
    pub home: Option<Home>,
    /// By `claim`.
    pub holder: Option<Holder>,
    /// By `claim`.
    pub old: Option<OldAnswer>,
    /// By `ask`, `grant`, `fetch`: daily totals.
    pub daily: Option<Grant>,
    /// By `widen`: one month at 15 minutes.
    pub month: Option<Grant>,
    /// By `whole`: the whole file at 15 minutes.
    pub whole: Option<Grant>,
    /// By `correct`: what stood before.
    pub before_correction: Option<DayReadings>,
    /// By `correct`.
    pub correction: Option<Published>,
    /// By `after`.
    pub next_day: Option<Published>,
    /// By `revoke`: block of the revocation.
    pub revoked_at: Option<u32>,
    /// Hashes of the vendor's read requests that the vault answered.
    pub vendor_reads: Vec<Hash>,
}

impl Outcome {
    /// The home.
    ///
    /// # Errors
    /// [`StoryError::Needs`].
    pub fn home(&self) -> Result<&Home> {
        self.home.as_ref().ok_or(StoryError::Needs("register", "a meter"))
    }

    /// The holder.
    ///
    /// # Errors
    /// [`StoryError::Needs`].
    pub fn holder(&self) -> Result<&Holder> {
        self.holder.as_ref().ok_or(StoryError::Needs("claim", "a customer with her meter's key"))
    }

    /// The grant of daily totals.
    ///
    /// # Errors
    /// [`StoryError::Needs`].
    pub fn daily(&self) -> Result<&Grant> {
        self.daily.as_ref().ok_or(StoryError::Needs("ask", "a request"))
    }

    /// All consents that were signed.
    pub fn consents(&self) -> impl Iterator<Item = Hash> + '_ {
        [&self.whole, &self.month, &self.daily].into_iter().flatten().filter_map(|grant| grant.consent().ok())
    }
}
