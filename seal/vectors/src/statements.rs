//! `statements.json` and `tickets.json`: texts, hashes, the words that people read.

use crate::input::{array, because, dates, list, read, text, Tally};
use alloc::{format, string::String};
use sealed_register::{
    grantee::{grantee_hash, GranteeSecret},
    plain_words::{plain_words, text_hash, PlainTerms},
    statement::{
        Claim, Consent, Disclose, GiveBack, Narrow, ReadRequest, Receipt, Revoke, Statement, VendorRequest, Word,
    },
    ticket::TicketSecret,
    Hash,
};
use serde_json::Value;

pub fn check(file: &Value, tally: &mut Tally) -> Result<(), String> {
    for vector in list(file, "statements")? {
        let (kind, kept) = (text(vector, "kind")?, text(vector, "text")?);
        let (again, hash) = match kind {
            "claim" => again::<Claim>(kept),
            "consent" => again::<Consent>(kept),
            "revoke" => again::<Revoke>(kept),
            "narrow" => again::<Narrow>(kept),
            "give-back" => again::<GiveBack>(kept),
            "disclose" => again::<Disclose>(kept),
            "request" => again::<VendorRequest>(kept),
            "read" => again::<ReadRequest>(kept),
            "receipt" => again::<Receipt>(kept),
            _ => Err(format!("no statement is called '{kind}'")),
        }?;
        tally.same(kind, again.as_str(), kept)?;
        tally.same(kind, hash, array(vector, "hash")?)?;
    }
    let mut secret = GranteeSecret::NONE;
    for vector in list(file, "grantees")? {
        secret = GranteeSecret(array(vector, "secret")?);
        tally.same("grantee", grantee_hash(&read(vector, "vendor")?, &secret.0), array(vector, "grantee")?)?;
    }
    for vector in list(file, "plain_words")? {
        let terms = PlainTerms {
            name: text(vector, "name")?,
            channels: word(vector, "channels")?,
            level: word(vector, "level")?,
            data: dates(vector, "data")?,
            access: dates(vector, "access")?,
            purpose: word(vector, "purpose")?,
        };
        let language = word(vector, "language")?;
        let words = plain_words(&terms, language);
        tally.same("words", words.as_str(), text(vector, "text")?)?;
        tally.same("hash of words", text_hash(&secret, language, &words), array(vector, "hash")?)?;
    }
    Ok(())
}

pub fn check_tickets(file: &Value, tally: &mut Tally) -> Result<(), String> {
    for vector in list(file, "tickets")? {
        let ticket = TicketSecret::from_bits(array(vector, "bits")?);
        tally.same("ticket", ticket.to_text().as_str(), text(vector, "text")?)?;
        let typed: TicketSecret = read(vector, "text")?;
        tally.same("bits", *typed.expose(), array(vector, "bits")?)?;
        let seed = ticket.seed(&array(vector, "genesis")?, &read(vector, "utility")?);
        tally.same("seed", *seed.expose(), array(vector, "seed")?)?;
    }
    Ok(())
}

/// The text as it is written after it was read, and its hash.
fn again<S: Statement>(kept: &str) -> Result<(String, Hash), String> {
    let statement = because(S::KIND, S::parse(kept))?;
    Ok((statement.text(), statement.hash()))
}

fn word<W: Word>(value: &Value, name: &str) -> Result<W, String> {
    W::from_word(text(value, name)?).ok_or_else(|| format!("'{name}' is none of its words"))
}
