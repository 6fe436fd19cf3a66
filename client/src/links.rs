//! Links: what passes between vendor, customer, utility and relay as one line or one QR code.
//!
//! | link | holds |
//! |---|---|
//! | `wattseal:request/...` | a vendor's signed request |
//! | `wattseal:signed/...` | any signed statement, to be relayed |
//! | `wattseal:ticket/UTILITY/METER/ISSUE/TICKET` | a claim ticket with the meter that it is for |
//!
//! What follows the first slash of the first two is the statement's text with its signature line, in base64url without
//! padding. A text pasted as it is works too.

use crate::{account, chain::ss58, ClientError, Result};
use sealed_register::{
    statement::{self, Signed, VendorRequest, MAX_STATEMENT_BYTES},
    ticket::TicketSecret,
    Hash, MeterId, OrganisationId,
};

pub use sealed_register::statement::Statement as StatementText;

const REQUEST: &str = "wattseal:request/";
const SIGNED: &str = "wattseal:signed/";
const TICKET: &str = "wattseal:ticket/";

/// Longest text with signature, bytes.
const MAX_TEXT: usize = MAX_STATEMENT_BYTES + 256;

/// A signed statement that a relay can carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Statement {
    /// A claim, signed by a ticket.
    Claim(Signed<statement::Claim>),
    /// A consent, signed by a customer.
    Consent(Signed<statement::Consent>),
    /// A revocation, signed by a customer.
    Revoke(Signed<statement::Revoke>),
    /// A narrowing, signed by a customer.
    Narrow(Signed<statement::Narrow>),
}

impl Statement {
    /// Reads a link or a text with its signature line.
    ///
    /// # Errors
    /// [`ClientError::Link`], [`ClientError::Statement`].
    pub fn parse(input: &str) -> Result<Self> {
        let text = text_of(input, SIGNED)?;
        let kind = text.split('\n').next().unwrap_or_default();
        match kind.strip_prefix("wattseal/").and_then(|kind| kind.strip_suffix("/1")) {
            Some("claim") => Ok(Self::Claim(Signed::parse(&text)?)),
            Some("consent") => Ok(Self::Consent(Signed::parse(&text)?)),
            Some("revoke") => Ok(Self::Revoke(Signed::parse(&text)?)),
            Some("narrow") => Ok(Self::Narrow(Signed::parse(&text)?)),
            _ => Err(ClientError::Link(
                "this is no signed claim, consent, revocation or narrowing: hand over the whole link".into(),
            )),
        }
    }

    /// The statement's text with the line of its signature.
    pub fn text(&self) -> String {
        match self {
            Self::Claim(signed) => signed.text(),
            Self::Consent(signed) => signed.text(),
            Self::Revoke(signed) => signed.text(),
            Self::Narrow(signed) => signed.text(),
        }
    }

    /// The link that carries it.
    pub fn link(&self) -> String {
        format!("{SIGNED}{}", base64url(self.text().as_bytes()))
    }

    /// The statement's own text and its signature, as nodes take them.
    pub fn parts(&self) -> (String, [u8; 64]) {
        fn of<S: StatementText>(signed: &Signed<S>) -> (String, [u8; 64]) {
            (signed.statement.text(), signed.signature)
        }
        match self {
            Self::Claim(signed) => of(signed),
            Self::Consent(signed) => of(signed),
            Self::Revoke(signed) => of(signed),
            Self::Narrow(signed) => of(signed),
        }
    }

    /// The call that carries it.
    pub fn call(&self) -> crate::chain::Call {
        use crate::chain::Call;
        match self.clone() {
            Self::Claim(signed) => Call::Claim(signed),
            Self::Consent(signed) => Call::Consent(signed),
            Self::Revoke(signed) => Call::Revoke(signed),
            Self::Narrow(signed) => Call::Narrow(signed),
        }
    }
}

/// The link of a vendor's signed request.
pub fn request_link(request: &Signed<VendorRequest>) -> String {
    format!("{REQUEST}{}", base64url(request.text().as_bytes()))
}

/// Reads a vendor's request from its link or text, and checks the vendor's signature.
///
/// Genesis, expiry, text and the vendor's standing are for the caller ([`crate::customer::check_request`]).
///
/// # Errors
/// [`ClientError::Link`], [`ClientError::Statement`], [`ClientError::Signature`].
pub fn parse_request(input: &str) -> Result<Signed<VendorRequest>> {
    let signed: Signed<VendorRequest> = Signed::parse(&text_of(input, REQUEST)?)?;
    let by = signed.statement.account;
    if signed.verified(|message, signature| account::verify(&by, message, signature)).is_none() {
        let by = ss58(&by);
        return Err(ClientError::Signature(format!(
            "the request is not signed by the account {by} that it names: it was changed or made up; do not sign"
        )));
    }
    Ok(signed)
}

/// A claim ticket with the meter that it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketLink {
    /// The utility that issued it.
    pub utility: OrganisationId,
    /// The meter.
    pub meter: MeterId,
    /// Number of the ticket.
    pub issue: u32,
    /// The ticket.
    pub ticket: TicketSecret,
}

impl TicketLink {
    /// The link, for letters and QR codes. It is as secret as the ticket.
    pub fn link(&self) -> String {
        let ticket = self.ticket.to_text().replace('-', "");
        format!("{TICKET}{}/{}/{}/{ticket}", self.utility, self.meter, self.issue)
    }

    /// Reads a ticket's link.
    ///
    /// # Errors
    /// [`ClientError::Link`], [`ClientError::Ticket`].
    pub fn parse(input: &str) -> Result<Self> {
        let wrong = |part: &str| {
            ClientError::Link(format!(
                "{part} of the ticket's link cannot be read; it is wattseal:ticket/UTILITY/METER/ISSUE/TICKET"
            ))
        };
        let rest = input.trim().strip_prefix(TICKET).ok_or_else(|| wrong("the beginning"))?;
        let mut parts = rest.split('/');
        let mut part = |name: &str| parts.next().ok_or_else(|| wrong(name));
        let utility = part("the utility")?.parse().map_err(|_| wrong("the utility"))?;
        let meter = part("the meter")?.parse().map_err(|_| wrong("the meter"))?;
        let issue = part("the issue")?.parse().map_err(|_| wrong("the issue"))?;
        let ticket = part("the ticket")?.parse()?;
        match parts.next() {
            None => Ok(Self { utility, meter, issue, ticket }),
            Some(_) => Err(wrong("the end")),
        }
    }
}

/// Reads a hash: `0x` and 64 digits.
///
/// # Errors
/// [`ClientError::Usage`].
pub fn parse_hash(text: &str) -> Result<Hash> {
    let digits = text.trim().strip_prefix("0x").unwrap_or(text.trim());
    let bytes = hex::decode(digits).ok().and_then(|bytes| Hash::try_from(bytes).ok());
    bytes.ok_or_else(|| ClientError::Usage("a consent is 0x and 64 hexadecimal digits".into()))
}

/// The text behind a link with this prefix, or the text itself.
fn text_of(input: &str, prefix: &str) -> Result<String> {
    let input = input.trim();
    if input.starts_with("wattseal/") {
        if input.len() > MAX_TEXT {
            return Err(ClientError::Link("the text is longer than any statement".into()));
        }
        return Ok(input.replace("\r\n", "\n"));
    }
    let Some(encoded) = input.strip_prefix(prefix) else {
        return Err(ClientError::Link(format!("the link does not begin with {prefix}")));
    };
    // Mail programs break long lines.
    let encoded: String = encoded.chars().filter(|character| !character.is_whitespace()).collect();
    if encoded.len() > MAX_TEXT * 4 / 3 + 4 {
        return Err(ClientError::Link("the link is longer than any statement's".into()));
    }
    let bytes = from_base64url(&encoded)
        .ok_or_else(|| ClientError::Link("the link is damaged: it was cut off or changed on its way".into()))?;
    String::from_utf8(bytes).map_err(|_| ClientError::Link("the link is damaged: it holds no text".into()))
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// RFC 4648 base64url without padding.
pub fn base64url(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 4 / 3 + 3);
    for group in bytes.chunks(3) {
        let number =
            group.iter().fold(0_u32, |number, byte| (number << 8) | u32::from(*byte)) << (8 * (3 - group.len()));
        for place in 0..=group.len() {
            let value = (number >> (18 - 6 * place)) & 63;
            text.push(ALPHABET.get(value as usize).copied().map_or('A', char::from));
        }
    }
    text
}

/// Reads base64url without padding; only what [`base64url`] writes.
pub fn from_base64url(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    for group in text.as_bytes().chunks(4) {
        let mut number = 0_u32;
        for character in group {
            let value = ALPHABET.iter().position(|known| known == character)?;
            number = (number << 6) | u32::try_from(value).ok()?;
        }
        number <<= 6 * (4 - group.len());
        let [_, first, second, third] = number.to_be_bytes();
        match group.len() {
            4 => bytes.extend_from_slice(&[first, second, third]),
            3 if third == 0 => bytes.extend_from_slice(&[first, second]),
            2 if second == 0 && third == 0 => bytes.push(first),
            _ => return None,
        }
    }
    Some(bytes)
}

/// A QR code as an SVG image.
///
/// # Errors
/// [`ClientError::Link`] if the text is too long for one.
pub fn qr_svg(text: &str) -> Result<String> {
    let code = qrcode::QrCode::with_error_correction_level(text, qrcode::EcLevel::L)
        .map_err(|error| ClientError::Link(format!("no QR code holds this: {error}")))?;
    Ok(code.render::<qrcode::render::svg::Color>().min_dimensions(240, 240).build())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failed unwrap is a failed test
    use super::*;
    use crate::Account;
    use proptest::prelude::*;
    use sealed_register::{
        delivery::Purpose,
        grantee::GranteeSecret,
        plain_words::Language,
        statement::{Reference, VendorName},
        Channels, DayRange, Level,
    };

    fn request(account: &Account) -> Signed<VendorRequest> {
        let days = |from: &str, to: &str| DayRange::new(from.parse().unwrap(), to.parse().unwrap()).unwrap();
        let statement = VendorRequest {
            genesis: [1; 32],
            vendor: "sunny".parse().unwrap(),
            account: account.id(),
            name: VendorName::new("Sunny Roofs").unwrap(),
            utility: None,
            channels: Channels::Both,
            level: Level::Day,
            data: days("2022-03-01", "2023-02-28"),
            access: days("2023-03-01", "2023-08-31"),
            purpose: Purpose::SolarSizing,
            language: Language::English,
            text_hash: [0; 32],
            reference: Reference::new("4711").unwrap(),
            secret: GranteeSecret([9; 32]),
            expires: "2023-04-01".parse().unwrap(),
        }
        .with_text_hash();
        Signed { signature: account.sign(&statement.message()), statement }
    }

    #[test]
    fn a_request_travels_as_link_and_as_text() {
        let request = request(&Account::from_suri("//Vendor").unwrap());
        let link = request_link(&request);
        assert_eq!(parse_request(&link).unwrap(), request);
        let (start, end) = link.split_at(100);
        assert_eq!(parse_request(&format!("  {start}\r\n{end}\n")).unwrap(), request);
        assert_eq!(parse_request(&request.text()).unwrap(), request);
        assert!(qr_svg(&link).unwrap().contains("<svg"));
    }

    #[test]
    fn a_request_by_somebody_else_is_refused() {
        let mut forged = request(&Account::from_suri("//Vendor").unwrap());
        forged.signature = Account::from_suri("//Somebody").unwrap().sign(&forged.statement.message());
        assert!(matches!(parse_request(&request_link(&forged)), Err(ClientError::Signature(_))));
    }

    #[test]
    fn links_of_another_kind_are_refused() {
        let request = request(&Account::from_suri("//Vendor").unwrap());
        assert!(matches!(Statement::parse(&request_link(&request)), Err(ClientError::Link(_))));
        assert!(matches!(parse_request("https://example.org"), Err(ClientError::Link(_))));
        assert!(matches!(parse_request("wattseal:request/!!!"), Err(ClientError::Link(_))));
        assert!(matches!(Statement::parse("wattseal/read/1\n"), Err(ClientError::Link(_))));
        let revoke = statement::Revoke { genesis: [1; 32], consent: [2; 32], last_valid_block: 77 };
        let signed = Statement::Revoke(Signed { statement: revoke, signature: [3; 64] });
        assert_eq!(Statement::parse(&signed.link()).unwrap(), signed);
        assert_eq!(signed.call().name(), "consents.revoke");
        assert!(matches!(parse_request(&signed.link()), Err(ClientError::Link(_))));
    }

    #[test]
    fn tickets_travel_with_their_meter() {
        let link = TicketLink {
            utility: "oncor".parse().unwrap(),
            meter: MeterId([0xab; 16]),
            issue: 3,
            ticket: TicketSecret::from_bits([5; 16]),
        };
        let text = link.link();
        assert_eq!(TicketLink::parse(&text).unwrap(), link);
        assert!(matches!(TicketLink::parse(&format!("{text}/more")), Err(ClientError::Link(_))));
        let wrong = text.replace("/3/", "/three/");
        assert!(TicketLink::parse(&wrong).unwrap_err().to_string().contains("issue"));
        let mistyped = format!("{}0", text.get(..text.len() - 1).unwrap());
        assert!(mistyped == text || matches!(TicketLink::parse(&mistyped), Err(ClientError::Ticket(_))));
    }

    proptest! {
        #[test]
        fn base64url_reads_back(bytes: Vec<u8>) {
            prop_assert_eq!(from_base64url(&base64url(&bytes)), Some(bytes));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,200}", statement in "wattseal/[a-z]{0,8}/1\\PC{0,80}") {
            let _ = (Statement::parse(&text), parse_request(&text), TicketLink::parse(&text));
            let _ = (Statement::parse(&statement), parse_request(&statement));
            if let Some(bytes) = from_base64url(&text) {
                prop_assert_eq!(base64url(&bytes), text);
            }
        }
    }
}
