//! Signed statements of every kind, and the small texts in them: what is accepted is the one text of what was understood.

use crate::edit::any_or_edited;
use arbitrary::Unstructured;
use sealed_register::{
    delivery::{ConsentTerms, Purpose},
    grantee::GranteeSecret,
    plain_words::Language,
    statement::{
        Claim, Consent, Disclose, GiveBack, Narrow, ReadRequest, Receipt, Reference, RequestError, Revoke, Signed,
        Statement, VendorName, VendorRequest,
    },
    ticket::TicketSecret,
    Channel, Channels, DayRange, Level, MeterId, OperatingDay, OrganisationId,
};
use std::{fmt::Debug, sync::OnceLock};

/// First byte: an example of a kind to edit, or any text.
pub fn run(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let bytes = any_or_edited(&mut input, examples());
    let Ok(text) = std::str::from_utf8(&bytes) else { return };
    check::<Claim>(text);
    check::<Revoke>(text);
    check::<Narrow>(text);
    check::<GiveBack>(text);
    check::<Disclose>(text);
    check::<ReadRequest>(text);
    check::<Receipt>(text);
    if let Some(consent) = check::<Consent>(text) {
        let _ = consent.terms.check();
        assert_eq!(consent.id(), consent.hash());
    }
    if let Some(request) = check::<VendorRequest>(text) {
        check_request(request);
    }
    small(text);
}

/// Reads the text as a statement of this kind, without and with its signature.
fn check<S: Statement + Clone + PartialEq + Debug>(text: &str) -> Option<S> {
    let plain = S::parse(text).ok();
    let signed = Signed::<S>::parse(text).ok();
    assert!(plain.is_none() || signed.is_none(), "a text is signed or it is not");
    if let Some(statement) = &plain {
        assert_eq!(statement.text(), text);
    }
    if let Some(signed) = &signed {
        assert_eq!(signed.text(), text);
        assert_eq!(S::parse(&signed.statement.text()).as_ref(), Ok(&signed.statement));
    }
    plain.or(signed.map(|signed| signed.statement))
}

/// A request shows its own words, and is answered by the consent that it makes.
fn check_request(request: VendorRequest) {
    let _ = request.check(request.expires);
    let request = request.with_text_hash();
    match request.check(request.expires) {
        Ok(()) | Err(RequestError::NoSecret | RequestError::Terms(_)) => {}
        Err(other) => panic!("{other}"),
    }
    let utility = request.utility.unwrap_or_else(utility);
    let consent = request.consent(utility, MeterId([4; 16]), [5; 32], 7).unwrap();
    assert_eq!(request.is_answered_by(&consent.terms), Ok(()));
    assert_eq!(Consent::parse(&consent.text()), Ok(consent));
}

/// Names, days, identifiers and tickets.
fn small(text: &str) {
    if let Some(name) = VendorName::new(text) {
        assert_eq!(name.as_str(), text);
    }
    if let Some(reference) = Reference::new(text) {
        assert_eq!(reference.as_str(), text);
    }
    if let Ok(id) = text.parse::<OrganisationId>() {
        assert_eq!(id.to_string(), text);
    }
    if let Ok(day) = text.parse::<OperatingDay>() {
        assert_eq!(day.to_string().parse(), Ok(day));
    }
    if let Ok(meter) = text.parse::<MeterId>() {
        assert_eq!(meter.to_string().parse(), Ok(meter));
    }
    if let Ok(ticket) = text.parse::<TicketSecret>() {
        assert_eq!(ticket.to_text().parse(), Ok(ticket));
    }
}

fn utility() -> OrganisationId {
    OrganisationId::new("oncor").unwrap()
}

fn range(first: u16, last: u16) -> DayRange {
    DayRange::new(OperatingDay(first), OperatingDay(last)).unwrap()
}

/// A vendor's request.
pub fn request() -> VendorRequest {
    VendorRequest {
        genesis: [0x11; 32],
        vendor: OrganisationId::new("sunny-roofs").unwrap(),
        account: [0x22; 32],
        name: VendorName::new("Sunny Roofs & Co.").unwrap(),
        utility: None,
        channels: Channels::Both,
        level: Level::Quarter,
        data: range(8_095, 8_459),
        access: range(8_500, 8_700),
        purpose: Purpose::SolarSizing,
        language: Language::Spanish,
        text_hash: [0; 32],
        reference: Reference::new("offer 4711").unwrap(),
        secret: GranteeSecret([0x33; 32]),
        expires: OperatingDay(8_500),
    }
    .with_text_hash()
}

/// The terms that it asks for.
pub fn terms() -> ConsentTerms {
    request().terms(utility(), MeterId([0x44; 16])).unwrap()
}

/// One example of each kind that a relay carries.
pub fn relayed() -> (Claim, Consent, Revoke, Narrow) {
    let (genesis, customer, last_valid_block) = ([0x11; 32], [0x55; 32], 1_200_000);
    let consent = Consent { genesis, terms: terms(), customer, last_valid_block };
    let claim = Claim {
        genesis,
        utility: utility(),
        meter: MeterId([0x44; 16]),
        issue: 2,
        customer,
        kem_key: [0x66; 32],
        last_valid_block,
    };
    let narrow = Narrow {
        genesis,
        consent: consent.id(),
        channels: Channels::Generation,
        level: Level::Day,
        data: range(8_100, 8_100),
        access: range(8_500, 8_600),
        last_valid_block,
    };
    (claim, consent, Revoke { genesis, consent: consent.id(), last_valid_block }, narrow)
}

/// The text of each kind, without or with its signature, and of the small things.
fn examples() -> &'static [Vec<u8>] {
    fn signed<S: Statement>(statement: S) -> String {
        Signed { statement, signature: [0xa5; 64] }.text()
    }
    static EXAMPLES: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    EXAMPLES.get_or_init(|| {
        let (claim, consent, revoke, narrow) = relayed();
        let Revoke { genesis, consent: id, last_valid_block } = revoke;
        let (vendor, reader, secret) = (request().vendor, request().account, request().secret);
        let read = ReadRequest {
            genesis,
            vault: [0x77; 32],
            reader,
            secret,
            consent: id,
            utility: utility(),
            meter: MeterId([0x44; 16]),
            channel: Channel::Generation,
            range: range(8_095, 8_125),
            level: Level::Hour,
            nonce: [0x88; 16],
            block: 1_100_000,
        };
        let receipt = Receipt {
            genesis,
            vault: [0x77; 32],
            number: 0,
            previous: [0; 32],
            request: read.hash(),
            cells: 31,
            bytes: 12_345,
            level: Level::Hour,
            range: range(8_095, 8_125),
            head_sequence: Some(401),
            block: 1_100_003,
            block_hash: [0x99; 32],
        };
        let texts = [
            claim.text(),
            signed(consent),
            consent.text(),
            signed(revoke),
            narrow.text(),
            GiveBack { genesis, consent: id, vendor, secret, last_valid_block }.text(),
            Disclose { genesis, consent: id, vendor, secret, last_valid_block }.text(),
            signed(request()),
            request().text(),
            read.text(),
            receipt.text(),
            TicketSecret::from_bits([5; 16]).to_text(),
            MeterId([0x44; 16]).to_string(),
            OperatingDay(8_095).to_string(),
        ];
        texts.map(String::into_bytes).to_vec()
    })
}
