//! The words that a person reads before signing a consent, in English and in Spanish (protocol section 7).
//!
//! They follow from the request's fields alone, so the customer's program makes them anew and compares their hash with
//! the one that the vendor signed: nobody can show other words than those that the fields mean.

mod english;
mod spanish;

use crate::{
    delivery::Purpose,
    grantee::GranteeSecret,
    hash::{keyed_hash, Tag},
    statement::Word,
    types::{Channels, DayRange, Hash, Level},
};
use alloc::string::String;

/// A language of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    /// English, `en`.
    English,
    /// Spanish, `es`.
    Spanish,
}

impl Language {
    /// Both.
    pub const ALL: [Self; 2] = [Self::English, Self::Spanish];
}

/// What the words are about.
#[derive(Clone, Copy, Debug)]
pub struct PlainTerms<'a> {
    /// The name the vendor goes by, a [`crate::statement::VendorName`]: the words put it between quotation marks, which no
    /// such name has.
    pub name: &'a str,
    /// What it wants to read.
    pub channels: Channels,
    /// The finest resolution it wants.
    pub level: Level,
    /// Operating days.
    pub data: DayRange,
    /// Local days on which it wants to fetch.
    pub access: DayRange,
    /// What for.
    pub purpose: Purpose,
}

/// The words, as paragraphs with a line end between them and none at the end.
pub fn plain_words(terms: &PlainTerms<'_>, language: Language) -> String {
    match language {
        Language::English => english::words(terms),
        Language::Spanish => spanish::words(terms),
    }
}

/// The hash of a text and its language, which request and consent carry.
///
/// Keyed with the request's secret: it stands on chain beside all that the text is made of but the vendor's name, so
/// without a key whoever tries the names of all vendors would find the one.
pub fn text_hash(secret: &GranteeSecret, language: Language, text: &str) -> Hash {
    keyed_hash(&secret.0, Tag::PLAIN_WORDS, &[language.word().as_bytes(), text.as_bytes()])
}
