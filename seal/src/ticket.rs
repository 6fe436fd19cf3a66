//! Claim tickets: 128 bits that a utility sends to the customer of a meter by letter (protocol section 7).
//!
//! On paper a ticket has 27 characters in groups of three: 26 characters of Crockford's base 32 (no I, L, O, U) and one
//! check character. The check is a sum over GF(32) in which each place has its own weight: every single wrong character
//! and every exchange of two different characters is noticed.

use crate::{
    hash::{keyed_hash, Tag},
    secrets::Secret,
    types::{Hash, OrganisationId},
};
use alloc::string::String;
use core::{fmt, str::FromStr};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Crockford's alphabet.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Characters of a ticket without the check.
const CHARACTERS: usize = 26;

/// Characters of a group.
const GROUP: usize = 3;

/// Longest text that is read as a ticket, in bytes: room for spaces and hyphens, and no more.
const MAX_TEXT_BYTES: usize = 128;

/// The 128 bits of a ticket. Whoever has them can claim the meter once, so they are wiped and never printed by `Debug`.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct TicketSecret([u8; 16]);

impl TicketSecret {
    /// The ticket of [`crate::secrets::UtilitySecrets::ticket_bits`].
    pub fn from_bits(bits: [u8; 16]) -> Self {
        Self(bits)
    }

    /// The bits, for the one who prints the ticket.
    pub fn expose(&self) -> &[u8; 16] {
        &self.0
    }

    /// The 32-byte mini secret of the ticket's sr25519 key, which signs the claim. Genesis and utility enter, so the
    /// same bits on another chain are another key.
    pub fn seed(&self, genesis: &Hash, utility: &OrganisationId) -> Secret {
        // BLAKE3's key has 32 bytes: the 16 bits of the ticket twice carry the same 128 bits of entropy.
        let mut key = [0; 32];
        let (first, second) = key.split_at_mut(16);
        first.copy_from_slice(&self.0);
        second.copy_from_slice(&self.0);
        let seed = Secret::from_bytes(keyed_hash(&key, Tag::TICKET_KEY, &[genesis, utility.padded()]));
        key.zeroize();
        seed
    }

    /// The ticket as it is printed: `ABC-DEF-...`, nine groups of three characters, the last one being the check.
    pub fn to_text(&self) -> String {
        let number = u128::from_be_bytes(self.0);
        let mut values = [0_u8; CHARACTERS];
        for (place, value) in values.iter_mut().enumerate() {
            // Five bits each; the first character holds the three highest.
            let shift = 5 * (CHARACTERS - 1 - place);
            *value = ((number >> shift) & 31) as u8;
        }
        let mut text = String::with_capacity(CHARACTERS + 1 + CHARACTERS / GROUP);
        for (place, value) in values.iter().chain([&check(&values)]).enumerate() {
            if place > 0 && place % GROUP == 0 {
                text.push('-');
            }
            text.push(char::from(ALPHABET[usize::from(value & 31)]));
        }
        values.zeroize();
        text
    }
}

impl PartialEq for TicketSecret {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for TicketSecret {}

impl fmt::Debug for TicketSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TicketSecret(..)")
    }
}

/// Why a text is no ticket. The text itself is never repeated: it may be almost right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TicketError {
    /// A character that no ticket has.
    #[error(
        "character {place} of the ticket is none that tickets have (0-9, A-Z without U): look at the letter again"
    )]
    Character {
        /// Which one, from 1, spaces and hyphens not counted.
        place: usize,
    },
    /// Too few or too many characters.
    #[error("a ticket has 27 characters, this one has {found}: one was left out or typed twice")]
    Length {
        /// How many there are, spaces and hyphens not counted; at most 28 are counted.
        found: usize,
    },
    /// The check character does not fit.
    #[error("the ticket has a typing error: compare each group of three characters with the letter")]
    Check,
}

impl FromStr for TicketSecret {
    type Err = TicketError;

    /// Reads a ticket as people type it: spaces and hyphens anywhere, lower case, O for 0, I or L for 1.
    fn from_str(text: &str) -> Result<Self, TicketError> {
        let mut values = [0_u8; CHARACTERS + 1];
        let mut found = 0;
        if text.len() > MAX_TEXT_BYTES {
            return Err(TicketError::Length { found: CHARACTERS + 2 });
        }
        for character in text.chars().filter(|character| !is_separator(*character)) {
            let value = value_of(character).ok_or(TicketError::Character { place: found + 1 })?;
            let Some(place) = values.get_mut(found) else {
                return Err(TicketError::Length { found: CHARACTERS + 2 });
            };
            *place = value;
            found += 1;
        }
        if found != CHARACTERS + 1 {
            return Err(TicketError::Length { found });
        }
        let [characters @ .., given] = &values;
        // 26 characters hold 130 bits: a first character above 7 is no ticket's.
        if check(characters) != *given || characters[0] > 7 {
            return Err(TicketError::Check);
        }
        let number = characters.iter().fold(0_u128, |number, value| (number << 5) | u128::from(*value));
        values.zeroize();
        Ok(Self(number.to_be_bytes()))
    }
}

/// What people and word processors put between groups.
fn is_separator(character: char) -> bool {
    character.is_whitespace() || matches!(character, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '.')
}

/// The five bits of a character, as people may write it.
fn value_of(character: char) -> Option<u8> {
    let upper = match character.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    let at = ALPHABET.iter().position(|known| char::from(*known) == upper)?;
    u8::try_from(at).ok()
}

/// The check of a ticket's characters: the sum of value times g^(place + 1) in GF(32), g being a generator of its
/// multiplicative group (x^5 + x^2 + 1). The 26 weights differ from each other and from the check's own weight 1.
fn check(values: &[u8; CHARACTERS]) -> u8 {
    // Horner's scheme: every step multiplies the sum so far by g.
    let sum = values.iter().fold(0, |sum, value| times_generator(sum ^ (value & 31)));
    sum & 31
}

fn times_generator(value: u8) -> u8 {
    let shifted = value << 1;
    if shifted & 32 != 0 {
        (shifted ^ 0b10_0101) & 31
    } else {
        shifted & 31
    }
}
