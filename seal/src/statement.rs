//! Signed statements: canonical text that a person can read and a wallet can sign (protocol sections 7 and 9).
//!
//! The first line is `wattseal/<kind>/1`, then follows one line `name: value` for each field, in a fixed order and with
//! one way of writing each value. So a statement has exactly one text, only that text parses, and the text's hash is the
//! statement's identifier. What is signed is the text between `<Bytes>` and `</Bytes>`, as wallets sign messages.
//! Making and checking signatures is the caller's: this crate has no signature library.

mod chain;
mod read;
mod request;
mod text;
mod words;

pub use chain::{Claim, Consent, Disclose, GiveBack, Narrow, Revoke};
pub use read::{ReadRequest, Receipt};
pub use request::{Reference, RequestError, VendorName, VendorRequest};
pub use text::{Reader, Writer};
pub use words::Word;

use crate::{
    hash::{public_hash, Tag},
    types::Hash,
};
use alloc::{string::String, vec::Vec};

/// Longest text of a statement, in bytes; anything longer is refused unread.
pub const MAX_STATEMENT_BYTES: usize = 4096;

/// What wallets put before the bytes of a message.
pub const MESSAGE_PREFIX: &[u8] = b"<Bytes>";

/// What wallets put after the bytes of a message.
pub const MESSAGE_SUFFIX: &[u8] = b"</Bytes>";

/// Why a text is not the statement that it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// Longer than any statement.
    #[error("a statement has at most {MAX_STATEMENT_BYTES} bytes, this text has {bytes}: it is no statement")]
    TooLong {
        /// Its length in bytes.
        bytes: usize,
    },
    /// The first line names another kind or version, or is no statement's at all.
    #[error("the first line is not 'wattseal/{expected}/1': hand over the text of a {expected} statement unchanged")]
    OtherKind {
        /// The kind that was to be read.
        expected: &'static str,
    },
    /// The text ends early.
    #[error("the text ends before the line '{field}': hand over the whole text of the statement")]
    Missing {
        /// The field that should come next.
        field: &'static str,
    },
    /// Another line stands where this field should.
    #[error("the line '{field}: ...' is not where it must stand: fields have a fixed order and each occurs once")]
    OtherField {
        /// The field that should come next.
        field: &'static str,
    },
    /// The field's value is not written in its only form.
    #[error("the value of '{field}' is not {form}")]
    BadValue {
        /// The field.
        field: &'static str,
        /// How its value is written.
        form: &'static str,
    },
    /// More text after the last field.
    #[error("text follows after the last field '{field}': a statement ends there, without a line end")]
    Trailing {
        /// The last field.
        field: &'static str,
    },
}

/// A statement: fields that have exactly one text.
pub trait Statement: Sized {
    /// The kind, as in the first line: `claim`, `consent`, ...
    const KIND: &'static str;

    /// Writes the fields in order.
    fn write(&self, writer: &mut Writer);

    /// Reads the fields in order.
    ///
    /// # Errors
    /// [`StatementError`] at the first field that is missing or not in canonical form.
    fn read(reader: &mut Reader<'_>) -> Result<Self, StatementError>;

    /// The canonical text.
    ///
    /// Values that break their type's documented rule (a range that ends before it begins) give a text that nobody
    /// can parse.
    fn text(&self) -> String {
        let mut writer = Writer::new(Self::KIND);
        self.write(&mut writer);
        writer.finish()
    }

    /// The bytes that are signed: the text between `<Bytes>` and `</Bytes>`.
    fn message(&self) -> Vec<u8> {
        let text = self.text();
        let mut message = Vec::with_capacity(MESSAGE_PREFIX.len() + text.len() + MESSAGE_SUFFIX.len());
        message.extend_from_slice(MESSAGE_PREFIX);
        message.extend_from_slice(text.as_bytes());
        message.extend_from_slice(MESSAGE_SUFFIX);
        message
    }

    /// The hash of the text, which names the statement.
    fn hash(&self) -> Hash {
        public_hash(Tag::STATEMENT, &[self.text().as_bytes()])
    }

    /// Reads a text; only what [`Statement::text`] writes is accepted.
    ///
    /// # Errors
    /// [`StatementError`] with the first field that is missing, out of order or not in canonical form.
    fn parse(text: &str) -> Result<Self, StatementError> {
        let mut reader = Reader::new(text, Self::KIND)?;
        let statement = Self::read(&mut reader)?;
        reader.finish()?;
        Ok(statement)
    }
}

/// A statement with its 64-byte signature (sr25519 where a wallet signs), as one text for links, QR codes and replies:
/// the statement's text and a last line `signature: 0x...`, which is not part of what is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed<S> {
    /// The statement.
    pub statement: S,
    /// Signature over [`Statement::message`]. Not checked by this type.
    pub signature: [u8; 64],
}

/// Name of the signature's line.
const SIGNATURE: &str = "signature";

impl<S: Statement> Signed<S> {
    /// The statement's text with the signature's line.
    pub fn text(&self) -> String {
        let mut writer = Writer::new(S::KIND);
        self.statement.write(&mut writer);
        writer.bytes(SIGNATURE, &self.signature);
        writer.finish()
    }

    /// Reads what [`Signed::text`] writes. The signature is not checked here.
    ///
    /// # Errors
    /// [`StatementError`] as for [`Statement::parse`], with the field `signature` besides.
    pub fn parse(text: &str) -> Result<Self, StatementError> {
        let mut reader = Reader::new(text, S::KIND)?;
        let statement = S::read(&mut reader)?;
        let signature = reader.bytes(SIGNATURE)?;
        reader.finish()?;
        Ok(Self { statement, signature })
    }

    /// The statement, if `check(message, signature)` says that the signature is good.
    pub fn verified(&self, check: impl FnOnce(&[u8], &[u8; 64]) -> bool) -> Option<&S> {
        check(&self.statement.message(), &self.signature).then_some(&self.statement)
    }
}
