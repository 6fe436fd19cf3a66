//! The vendor's request: an off-chain object, a link or QR code, that asks a person (protocol section 7).

use super::{Consent, Reader, Statement, StatementError, Word, Writer};
use crate::{
    delivery::{ConsentTerms, Purpose, Widening},
    grantee::{grantee_hash, GranteeSecret},
    plain_words::{self, Language, PlainTerms},
    types::{Channels, DayRange, Hash, Level, MeterId, OperatingDay, OrganisationId},
};
use alloc::string::String;
use core::fmt;

/// The name a vendor goes by: 1 to 64 bytes of UTF-8 with at least one letter. Letters are A to Z and the Latin letters from
/// U+00C0 to U+024F, small and capital; digits, single spaces and `. , & ' - ( ) + /` may stand beside them.
///
/// Nothing invisible, nothing that changes the direction of writing, no letter of another script that looks like a Latin
/// one, and none of the quotation marks that the plain words put around it can stand in it, for people decide by it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VendorName(String);

impl VendorName {
    /// Longest name, in bytes of UTF-8.
    pub const MAX_LEN: usize = 64;

    const FORM: &'static str =
        "a name of 1 to 64 bytes of Latin letters, digits, single spaces and . , & ' - ( ) + /, with at least one letter";

    /// Reads a name; none if it breaks the rule.
    pub fn new(name: &str) -> Option<Self> {
        // × and ÷ stand among the letters of Latin-1.
        let letter = |character: char| {
            character.is_ascii_alphabetic()
                || matches!(character, '\u{c0}'..='\u{24f}') && !matches!(character, '\u{d7}' | '\u{f7}')
        };
        let allowed = |character: char| {
            letter(character)
                || character.is_ascii_digit()
                || matches!(character, ' ' | '.' | ',' | '&' | '\'' | '-' | '(' | ')' | '+' | '/')
        };
        let spaced = !name.starts_with(' ') && !name.ends_with(' ') && !name.contains("  ");
        (name.len() <= Self::MAX_LEN && spaced && name.chars().all(allowed) && name.chars().any(letter))
            .then(|| Self(String::from(name)))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for VendorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The vendor's own reference for a request: 1 to 32 visible ASCII characters, spaces only inside.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference(String);

impl Reference {
    /// Longest reference, in bytes.
    pub const MAX_LEN: usize = 32;

    const FORM: &'static str = "a reference of 1 to 32 visible ASCII characters, spaces only inside";

    /// Reads a reference; none if it breaks the rule.
    pub fn new(text: &str) -> Option<Self> {
        let allowed = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        let spaced = !text.starts_with(' ') && !text.ends_with(' ');
        (!text.is_empty() && text.len() <= Self::MAX_LEN && allowed && spaced).then(|| Self(String::from(text)))
    }

    /// The reference.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a consent is not one that a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The request is for meters of another utility.
    #[error(
        "the request is for meters of '{asked}', the meter is read by '{found}': ask the vendor for another request"
    )]
    OtherUtility {
        /// The utility of the request.
        asked: OrganisationId,
        /// The utility of the meter.
        found: OrganisationId,
    },
    /// The grantee is not this vendor with this secret.
    #[error("the consent names another reader than the request: it was made for another request")]
    OtherGrantee,
    /// The purpose or the text shown differs.
    #[error("purpose or text of the consent are not those of the request: it was made for another request")]
    OtherText,
    /// Something is wider than the request.
    #[error("the consent allows more than the request asks for: {0}")]
    Wider(#[from] Widening),
    /// The secret is all zero.
    #[error(
        "the request has no secret, so that everybody could see on chain which vendor reads: ask the vendor for a new one"
    )]
    NoSecret,
    /// The hash of the text is not that of the words made from the request.
    #[error("the request's text is not the one that its own fields give: the vendor's program is of another version, or the vendor shows other words; do not sign")]
    WrongText,
    /// The request may no longer be answered.
    #[error("the request expired on {expired}: ask the vendor for a new one")]
    Expired {
        /// Its last day.
        expired: OperatingDay,
    },
    /// A range of days reaches beyond what keys exist for.
    #[error(transparent)]
    Terms(#[from] crate::delivery::InvalidTerms),
}

/// "May I read your usage?": signed by the vendor's account, handed to the person, never put on chain.
///
/// Whoever shows it to a person checks on chain that the account speaks for the vendor: it is the vendor, and not the
/// account, whom the person lets in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VendorRequest {
    /// Genesis hash of the chain.
    pub genesis: Hash,
    /// The vendor: its short name on chain.
    pub vendor: OrganisationId,
    /// The account that speaks for it and signs.
    pub account: [u8; 32],
    /// The name the vendor goes by. The name it was admitted under stands on chain; show both where they differ.
    pub name: VendorName,
    /// The only utility whose meters are meant, or none for any.
    pub utility: Option<OrganisationId>,
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
    /// The language of the text.
    pub language: Language,
    /// Hash of language and text ([`VendorRequest::plain_words`]).
    pub text_hash: Hash,
    /// The vendor's own reference.
    pub reference: Reference,
    /// Random bytes made for this request alone.
    pub secret: GranteeSecret,
    /// Last local day on which it may be answered.
    pub expires: OperatingDay,
}

impl VendorRequest {
    /// The words that the person reads before signing, from the fields of the request, in its language.
    pub fn plain_words(&self) -> String {
        plain_words::plain_words(
            &PlainTerms {
                name: self.name.as_str(),
                channels: self.channels,
                level: self.level,
                data: self.data,
                access: self.access,
                purpose: self.purpose,
            },
            self.language,
        )
    }

    /// The request with the hash of its own words: what a vendor calls before it signs.
    pub fn with_text_hash(mut self) -> Self {
        self.text_hash = plain_words::text_hash(&self.secret, self.language, &self.plain_words());
        self
    }

    /// The hash that stands for the vendor in a consent to this request.
    pub fn grantee(&self) -> Hash {
        grantee_hash(&self.vendor, &self.secret.0)
    }

    /// What a person may be shown: the request has a secret, its text is that of its fields, its ranges are usable, and it
    /// has not expired on the local day `today`. The vendor's signature and standing are checked elsewhere.
    ///
    /// # Errors
    /// [`RequestError::NoSecret`], [`RequestError::WrongText`], [`RequestError::Expired`], [`RequestError::Terms`].
    pub fn check(&self, today: OperatingDay) -> Result<(), RequestError> {
        if self.secret == GranteeSecret::NONE {
            return Err(RequestError::NoSecret);
        }
        if self.text_hash != plain_words::text_hash(&self.secret, self.language, &self.plain_words()) {
            return Err(RequestError::WrongText);
        }
        if today > self.expires {
            return Err(RequestError::Expired { expired: self.expires });
        }
        Ok(crate::delivery::check_ranges(self.data, self.access)?)
    }

    /// The terms that allow exactly what is asked, for one meter.
    ///
    /// # Errors
    /// [`RequestError::OtherUtility`].
    pub fn terms(&self, utility: OrganisationId, meter: MeterId) -> Result<ConsentTerms, RequestError> {
        if let Some(asked) = self.utility.filter(|asked| *asked != utility) {
            return Err(RequestError::OtherUtility { asked, found: utility });
        }
        Ok(ConsentTerms {
            utility,
            meter,
            grantee: self.grantee(),
            channels: self.channels,
            level: self.level,
            data: self.data,
            access: self.access,
            purpose: self.purpose,
            text_hash: self.text_hash,
        })
    }

    /// The consent for the customer to sign that allows exactly what is asked, for one meter.
    ///
    /// # Errors
    /// [`RequestError::OtherUtility`].
    pub fn consent(
        &self,
        utility: OrganisationId,
        meter: MeterId,
        customer: [u8; 32],
        last_valid_block: u32,
    ) -> Result<Consent, RequestError> {
        Ok(Consent { genesis: self.genesis, terms: self.terms(utility, meter)?, customer, last_valid_block })
    }

    /// Whether terms answer this request: the same reader, purpose and text, and nothing wider than asked.
    ///
    /// # Errors
    /// [`RequestError`] with the first difference.
    pub fn is_answered_by(&self, terms: &ConsentTerms) -> Result<(), RequestError> {
        let asked = self.terms(terms.utility, terms.meter)?;
        if asked.grantee != terms.grantee {
            return Err(RequestError::OtherGrantee);
        }
        if asked.purpose != terms.purpose || asked.text_hash != terms.text_hash {
            return Err(RequestError::OtherText);
        }
        asked.narrowed(terms.channels, terms.level, terms.data, terms.access)?;
        Ok(())
    }
}

/// Stands for "the meters of any utility"; with its space it can be no organisation's name.
const ANY_UTILITY: &str = "any utility";

const UTILITY_FORM: &str = "'any utility' or an organisation's short name of 1 to 16 characters of a-z, 0-9 and '-'";

impl Statement for VendorRequest {
    const KIND: &'static str = "request";

    fn write(&self, writer: &mut Writer) {
        writer.bytes("genesis", &self.genesis);
        writer.value("vendor", self.vendor);
        writer.bytes("account", &self.account);
        writer.value("name", &self.name);
        match self.utility {
            Some(utility) => writer.value("utility", utility),
            None => writer.value("utility", ANY_UTILITY),
        }
        writer.word("channels", self.channels);
        writer.word("level", self.level);
        writer.range("data", self.data);
        writer.range("access", self.access);
        writer.word("purpose", self.purpose);
        writer.value("language", self.language.word());
        writer.bytes("text shown", &self.text_hash);
        writer.value("reference", &self.reference);
        writer.bytes("secret", &self.secret.0);
        writer.day("expires", self.expires);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, StatementError> {
        Ok(Self {
            genesis: reader.bytes("genesis")?,
            vendor: reader.organisation("vendor")?,
            account: reader.bytes("account")?,
            name: reader.value("name", VendorName::FORM, VendorName::new)?,
            utility: reader.value("utility", UTILITY_FORM, |text| match text {
                ANY_UTILITY => Some(None),
                name => OrganisationId::new(name).ok().map(Some),
            })?,
            channels: reader.word("channels")?,
            level: reader.word("level")?,
            data: reader.range("data")?,
            access: reader.range("access")?,
            purpose: reader.word("purpose")?,
            language: reader.word("language")?,
            text_hash: reader.bytes("text shown")?,
            reference: reader.value("reference", Reference::FORM, Reference::new)?,
            secret: GranteeSecret(reader.bytes("secret")?),
            expires: reader.day("expires")?,
        })
    }
}
