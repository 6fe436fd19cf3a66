//! Statements: their texts, their errors, and what they mean for each other.

use crate::vector_file;
use sealed_register::{
    delivery::{ConsentTerms, Purpose, Widening},
    grantee::{grantee_hash, is_grantee, GranteeSecret},
    plain_words::{text_hash, Language},
    statement::{
        Claim, Consent, Disclose, GiveBack, Narrow, ReadRequest, Receipt, Reference, RequestError, Revoke, Signed,
        Statement, StatementError, VendorName, VendorRequest, Word, MAX_STATEMENT_BYTES,
    },
    Channel, Channels, DayRange, Level, MeterId, OperatingDay, OrganisationId,
};
use serde_json::json;

/// A range between two dates.
pub fn days(first: (i32, u32, u32), last: (i32, u32, u32)) -> DayRange {
    let day = |(year, month, day)| OperatingDay::from_ymd(year, month, day).unwrap();
    DayRange::new(day(first), day(last)).unwrap()
}

/// The utility of all examples.
pub fn oncor() -> OrganisationId {
    OrganisationId::new("oncor").unwrap()
}

/// The vendor of all examples.
pub fn bluebonnet() -> OrganisationId {
    OrganisationId::new("bluebonnet").unwrap()
}

/// The request of all examples.
pub fn request() -> VendorRequest {
    VendorRequest {
        genesis: [0x11; 32],
        vendor: bluebonnet(),
        account: [0x22; 32],
        name: VendorName::new("Bluebonnet Solar, Inc.").unwrap(),
        utility: None,
        channels: Channels::Both,
        level: Level::Quarter,
        data: days((2022, 3, 1), (2023, 2, 28)),
        access: days((2023, 1, 15), (2023, 7, 14)),
        purpose: Purpose::SolarSizing,
        language: Language::English,
        text_hash: [0; 32],
        reference: Reference::new("offer 2023-0117").unwrap(),
        secret: GranteeSecret([0x33; 32]),
        expires: OperatingDay::from_ymd(2023, 2, 14).unwrap(),
    }
    .with_text_hash()
}

/// The terms of all examples.
pub fn terms() -> ConsentTerms {
    request().terms(oncor(), MeterId([0x44; 16])).unwrap()
}

/// An example.
pub fn claim() -> Claim {
    Claim {
        genesis: [0x11; 32],
        utility: oncor(),
        meter: MeterId([0x44; 16]),
        issue: 2,
        customer: [0x55; 32],
        kem_key: [0x66; 32],
        last_valid_block: 1_200_000,
    }
}

/// An example.
pub fn consent() -> Consent {
    request().consent(oncor(), MeterId([0x44; 16]), [0x55; 32], 1_200_000).unwrap()
}

/// An example.
pub fn revoke() -> Revoke {
    Revoke { genesis: [0x11; 32], consent: consent().id(), last_valid_block: 7 }
}

/// An example.
pub fn narrow() -> Narrow {
    Narrow {
        genesis: [0x11; 32],
        consent: consent().id(),
        channels: Channels::Generation,
        level: Level::Day,
        data: days((2022, 6, 1), (2022, 6, 1)),
        access: days((2023, 1, 15), (2023, 2, 1)),
        last_valid_block: u32::MAX,
    }
}

/// An example.
pub fn give_back() -> GiveBack {
    GiveBack {
        genesis: [0x11; 32],
        consent: consent().id(),
        vendor: bluebonnet(),
        secret: GranteeSecret([0x33; 32]),
        last_valid_block: 0,
    }
}

/// An example.
pub fn disclose() -> Disclose {
    let GiveBack { genesis, consent, vendor, secret, last_valid_block } = give_back();
    Disclose { genesis, consent, vendor, secret, last_valid_block }
}

/// An example.
pub fn read() -> ReadRequest {
    ReadRequest {
        genesis: [0x11; 32],
        vault: [0x77; 32],
        reader: [0x22; 32],
        secret: GranteeSecret([0x33; 32]),
        consent: consent().id(),
        utility: oncor(),
        meter: MeterId([0x44; 16]),
        channel: Channel::Generation,
        range: days((2022, 3, 1), (2022, 3, 31)),
        level: Level::Hour,
        nonce: [0x88; 16],
        block: 1_100_000,
    }
}

/// An example.
pub fn receipt() -> Receipt {
    Receipt {
        genesis: [0x11; 32],
        vault: [0x77; 32],
        number: 0,
        previous: [0; 32],
        request: read().hash(),
        cells: 31,
        bytes: 12_345,
        level: Level::Hour,
        range: days((2022, 3, 1), (2022, 3, 31)),
        head_sequence: Some(401),
        block: 1_100_003,
        block_hash: [0x99; 32],
    }
}

/// Calls a macro with every kind of statement and its example.
macro_rules! for_every_kind {
    ($call:ident) => {
        $call!(Claim, claim());
        $call!(Consent, consent());
        $call!(Revoke, revoke());
        $call!(Narrow, narrow());
        $call!(GiveBack, give_back());
        $call!(Disclose, disclose());
        $call!(VendorRequest, request());
        $call!(ReadRequest, read());
        $call!(Receipt, receipt());
    };
}
pub(crate) use for_every_kind;

#[test]
fn a_consent_is_text_that_people_can_read() {
    let grantee = sealed_register::hex(&grantee_hash(&bluebonnet(), &[0x33; 32]));
    let shown = sealed_register::hex(&request().text_hash);
    let expected = format!(
        "wattseal/consent/1\n\
         genesis: 0x1111111111111111111111111111111111111111111111111111111111111111\n\
         utility: oncor\n\
         meter: 0x44444444444444444444444444444444\n\
         reader: {grantee}\n\
         channels: consumption and generation\n\
         level: 15 minutes\n\
         data: 2022-03-01 to 2023-02-28\n\
         access: 2023-01-15 to 2023-07-14\n\
         purpose: solar sizing\n\
         text shown: {shown}\n\
         customer: 0x5555555555555555555555555555555555555555555555555555555555555555\n\
         last valid block: 1200000"
    );
    assert_eq!(consent().text(), expected);
    assert_eq!(consent().message(), format!("<Bytes>{expected}</Bytes>").into_bytes());
}

#[test]
fn every_statement_is_read_back_from_its_text_and_from_no_other_kinds() {
    let mut texts = Vec::new();
    macro_rules! add {
        ($kind:ty, $example:expr) => {
            texts.push(($example.text(), <$kind>::KIND))
        };
    }
    for_every_kind!(add);
    macro_rules! check {
        ($kind:ty, $example:expr) => {
            for (text, kind) in &texts {
                if *kind == <$kind>::KIND {
                    assert_eq!(<$kind>::parse(text), Ok($example));
                } else {
                    assert_eq!(<$kind>::parse(text), Err(StatementError::OtherKind { expected: <$kind>::KIND }));
                }
            }
        };
    }
    for_every_kind!(check);
    let hashes: std::collections::BTreeSet<_> = texts.iter().map(|(text, _)| text).collect();
    assert_eq!(hashes.len(), 9);
}

#[test]
fn each_line_is_needed_in_its_place_and_form() {
    macro_rules! check {
        ($kind:ty, $example:expr) => {
            let text = $example.text();
            let lines: Vec<&str> = text.split('\n').collect();
            for at in 1..lines.len() {
                let without: Vec<_> = [&lines[..at], &lines[at + 1..]].concat();
                assert!(<$kind>::parse(&without.join("\n")).is_err(), "without line {at}");
                let twice: Vec<_> = [&lines[..=at], &lines[at..]].concat();
                assert!(<$kind>::parse(&twice.join("\n")).is_err(), "with line {at} twice");
                let cut = lines[..at].join("\n");
                assert!(matches!(<$kind>::parse(&cut), Err(StatementError::Missing { .. })), "cut before line {at}");
                let mut exchanged = lines.clone();
                exchanged.swap(at, at - 1);
                assert!(<$kind>::parse(&exchanged.join("\n")).is_err(), "lines {at} and {} exchanged", at - 1);
                let mut spaced = lines.clone();
                let line = format!("{} ", lines[at]);
                spaced[at] = &line;
                let result = <$kind>::parse(&spaced.join("\n"));
                assert!(matches!(result, Err(StatementError::BadValue { .. })), "a space after line {at}: {result:?}");
            }
            let trailing = <$kind>::parse(&format!("{text}\n"));
            assert!(matches!(trailing, Err(StatementError::Trailing { .. })));
        };
    }
    for_every_kind!(check);
}

#[test]
fn each_error_is_its_own() {
    let text = claim().text();
    let parse = |from: &str, to: &str| {
        assert!(text.contains(from));
        Claim::parse(&text.replacen(from, to, 1)).unwrap_err()
    };
    let field = |error| match error {
        StatementError::BadValue { field, .. } => field,
        other => panic!("{other:?}"),
    };
    assert_eq!(parse("claim/1", "claim/2"), StatementError::OtherKind { expected: "claim" });
    assert_eq!(field(parse("0x1", "0X1")), "genesis");
    assert_eq!(field(parse("0x66", "0x6")), "key");
    assert_eq!(field(parse("oncor", "Oncor")), "utility");
    for number in ["02", "+2", "", "4294967296", "99999999999999999999999", "2.0", "٢"] {
        assert_eq!(field(parse("issue: 2", &format!("issue: {number}"))), "ticket issue");
    }
    assert_eq!(parse("ticket issue", "ticket"), StatementError::OtherField { field: "ticket issue" });
    assert_eq!(
        Claim::parse(&"x".repeat(MAX_STATEMENT_BYTES + 1)),
        Err(StatementError::TooLong { bytes: MAX_STATEMENT_BYTES + 1 })
    );

    let text = narrow().text();
    for range in ["2022-6-01 to 2022-06-01", "2022-06-01", "2022-06-31 to 2022-07-01", "2022-06-02 to 2022-06-01"] {
        let wrong = text.replacen("2022-06-01 to 2022-06-01", range, 1);
        assert_eq!(field(Narrow::parse(&wrong).unwrap_err()), "data", "{range}");
    }
    let wrong = Narrow::parse(&text.replacen("level: day", "level: week", 1)).unwrap_err();
    assert_eq!(wrong.to_string(), "the value of 'level' is not one of: day, hour, 15 minutes");
}

#[test]
fn names_that_deceive_are_refused() {
    for good in ["Ñandú Energía", "A", "ø1", "Škoda Łódź ſ\u{24f}", "AT&T (Texas) / O'Neil-Smith + Co., Ltd."]
    {
        assert_eq!(VendorName::new(good).unwrap().as_str(), good);
    }
    let long = "x".repeat(65);
    for bad in ["", " a", "a ", "a  b", "a\nb", "a\u{202e}b", "a\u{200b}b", "<b>", "a\tb", "a\u{a0}b", long.as_str()] {
        assert_eq!(VendorName::new(bad), None, "{bad:?}");
    }
    // Letters that nobody sees, that turn the direction of writing, or that look like others; the quotes around a name.
    let alone =
        ['\u{3164}', '\u{115f}', '\u{1160}', '\u{ffa0}', 'א', 'ع', 'а', 'Α', 'օ', 'ᴀ', 'Ａ', 'ª', 'º', '²', '٢'];
    for bad in alone.into_iter().chain(['×', '÷', '\u{250}', '\u{301}', '"', '“', '”', '«', '»', '\u{ad}', '!', '|'])
    {
        let name = format!("Sol{bad}ar");
        assert_eq!(VendorName::new(&name), None, "{bad:?}");
        assert_eq!(VendorName::new(&bad.to_string()), None, "{bad:?}");
    }
    for bad in ["1", "123 - 4", "&", "...", "(1)"] {
        assert_eq!(VendorName::new(bad), None, "{bad:?} has no letter");
    }
    for bad in ["", " ", "a ", "é", "a\nb", &long[..33]] {
        assert_eq!(Reference::new(bad), None, "{bad:?}");
    }
    assert_eq!(Reference::new(&long[..32]).unwrap().as_str().len(), 32);
}

#[test]
fn a_request_is_shown_only_with_its_own_words_and_in_time() {
    let request = request();
    assert_eq!(request.check(request.expires), Ok(()));
    let late = OperatingDay(request.expires.0 + 1);
    assert_eq!(request.check(late), Err(RequestError::Expired { expired: request.expires }));
    let day = OperatingDay(0);
    for changed in [
        VendorRequest { level: Level::Hour, ..request.clone() },
        VendorRequest { channels: Channels::Generation, ..request.clone() },
        VendorRequest { purpose: Purpose::Research, ..request.clone() },
        VendorRequest { language: Language::Spanish, ..request.clone() },
        VendorRequest { name: VendorName::new("Another").unwrap(), ..request.clone() },
        VendorRequest { data: days((2022, 3, 1), (2023, 3, 1)), ..request.clone() },
        VendorRequest { access: days((2023, 1, 15), (2023, 7, 15)), ..request.clone() },
    ] {
        assert_eq!(changed.check(day), Err(RequestError::WrongText));
        assert_eq!(changed.with_text_hash().check(day), Ok(()));
    }
    let open = VendorRequest { secret: GranteeSecret::NONE, ..request.clone() }.with_text_hash();
    assert_eq!(open.check(day), Err(RequestError::NoSecret));
    let beyond = VendorRequest { data: days((2022, 3, 1), (2099, 1, 1)), ..request }.with_text_hash();
    assert!(matches!(beyond.check(day), Err(RequestError::Terms(_))));
}

#[test]
fn consents_answer_their_request_and_nothing_more() {
    let (request, terms) = (request(), terms());
    assert_eq!(request.is_answered_by(&terms), Ok(()));
    assert!(is_grantee(&terms.grantee, &request.vendor, &request.secret.0));
    let less = terms.narrowed(Channels::Generation, Level::Day, terms.data, terms.access).unwrap();
    assert_eq!(request.is_answered_by(&less), Ok(()));

    let narrower = VendorRequest { level: Level::Day, ..request.clone() };
    assert_eq!(narrower.is_answered_by(&terms), Err(RequestError::Wider(Widening::Level)));
    let other_secret = VendorRequest { secret: GranteeSecret([1; 32]), ..request.clone() };
    assert_eq!(other_secret.is_answered_by(&terms), Err(RequestError::OtherGrantee));
    let other_text = VendorRequest { text_hash: [1; 32], ..request.clone() };
    assert_eq!(other_text.is_answered_by(&terms), Err(RequestError::OtherText));
    let tnmp = OrganisationId::new("tnmp").unwrap();
    let bound = VendorRequest { utility: Some(tnmp), ..request };
    assert_eq!(bound.is_answered_by(&terms), Err(RequestError::OtherUtility { asked: tnmp, found: terms.utility }));
    assert_eq!(VendorRequest::parse(&bound.text()), Ok(bound));
}

#[test]
fn narrowing_never_widens() {
    let terms = terms();
    let small = terms.narrowed(Channels::Consumption, Level::Hour, days((2022, 4, 1), (2022, 5, 1)), terms.access);
    let small = small.unwrap();
    let try_with = |channels, level, data, access| small.narrowed(channels, level, data, access).map(drop);
    let (channels, level, data, access) = (small.channels, small.level, small.data, small.access);
    assert_eq!(try_with(channels, level, data, access), Ok(()));
    assert_eq!(try_with(Channels::Both, level, data, access), Err(Widening::Channels));
    assert_eq!(try_with(Channels::Generation, level, data, access), Err(Widening::Channels));
    assert_eq!(try_with(channels, Level::Quarter, data, access), Err(Widening::Level));
    assert_eq!(try_with(channels, level, terms.data, access), Err(Widening::Data));
    let longer = DayRange { last: OperatingDay(access.last.0 + 1), ..access };
    assert_eq!(try_with(channels, level, data, longer), Err(Widening::Access));
    let turned = DayRange { first: data.last, last: data.first };
    assert_eq!(try_with(channels, level, turned, access), Err(Widening::Invalid));
    assert!(ConsentTerms { data: turned, ..terms }.check().is_err());
}

#[test]
fn only_the_grantee_gives_back_and_reads() {
    let grantee = terms().grantee;
    assert!(give_back().is_by(&grantee) && disclose().is_true(&grantee));
    assert!(!GiveBack { vendor: oncor(), ..give_back() }.is_by(&grantee));
    assert!(!Disclose { secret: GranteeSecret([1; 32]), ..disclose() }.is_true(&grantee));
    // Without a secret the hash hides nothing, and nobody reads by it.
    let open = grantee_hash(&bluebonnet(), &GranteeSecret::NONE.0);
    assert!(!is_grantee(&open, &bluebonnet(), &GranteeSecret::NONE.0));
    assert!(!read().is_customers());
    assert!(ReadRequest { consent: [0; 32], secret: GranteeSecret::NONE, ..read() }.is_customers());
    // What the chain shows of one vendor in two consents has nothing in common.
    assert_ne!(grantee_hash(&bluebonnet(), &[1; 32]), grantee_hash(&bluebonnet(), &[2; 32]));
    assert!(!format!("{:?}", read()).contains("51, 51"), "a secret was printed");
}

#[test]
fn reads_are_fresh_for_32_blocks_and_receipts_form_a_chain() {
    let request = read();
    let fresh = [request.block - 32, request.block, request.block + 32];
    assert!(fresh.iter().all(|head| request.is_fresh(*head)));
    assert!(!request.is_fresh(request.block + 33) && !request.is_fresh(request.block - 33));
    assert!(!ReadRequest { block: u32::MAX, ..request }.is_fresh(0));

    let first = receipt();
    assert!(first.answers(&request));
    assert!(!first.answers(&ReadRequest { nonce: [0; 16], ..request }));
    assert!(!Receipt { level: Level::Day, ..first }.answers(&request));
    let second = Receipt { number: 1, previous: first.hash(), head_sequence: None, ..first };
    assert!(second.follows(&first) && !first.follows(&second));
    assert!(!Receipt { number: 2, ..second }.follows(&first));
    assert!(!Receipt { previous: [1; 32], ..second }.follows(&first));
    assert!(!Receipt { number: 0, ..second }.follows(&Receipt { number: u64::MAX, ..first }));
    assert_eq!(Receipt::parse(&second.text()), Ok(second));
}

#[test]
fn signed_statements_carry_their_signature_outside_what_is_signed() {
    let signed = Signed { statement: request(), signature: [0xab; 64] };
    let text = signed.text();
    assert_eq!(text, format!("{}\nsignature: 0x{}", request().text(), "ab".repeat(64)));
    assert_eq!(Signed::parse(&text), Ok(signed.clone()));
    assert_eq!(Signed::<VendorRequest>::parse(&request().text()), Err(StatementError::Missing { field: "signature" }));
    assert_eq!(VendorRequest::parse(&text), Err(StatementError::Trailing { field: "expires" }));
    let good = |message: &[u8], signature: &[u8; 64]| message == request().message() && *signature == [0xab; 64];
    assert_eq!(signed.verified(good), Some(&request()));
    let tampered = Signed { statement: VendorRequest { level: Level::Day, ..request() }, ..signed };
    assert_eq!(tampered.verified(good), None);
}

#[test]
fn fixed_vectors_of_statements() {
    let mut statements = Vec::new();
    macro_rules! add {
        ($kind:ty, $example:expr) => {
            let statement = $example;
            statements.push(json!({
                "kind": <$kind>::KIND,
                "text": statement.text(),
                "hash": hex::encode(statement.hash()),
            }))
        };
    }
    for_every_kind!(add);
    add!(VendorRequest, VendorRequest { utility: Some(oncor()), ..request() });
    add!(Receipt, Receipt { head_sequence: None, cells: 0, ..receipt() });
    let mut words = Vec::new();
    for language in Language::ALL {
        for (channels, level, purpose) in [
            (Channels::Both, Level::Quarter, Purpose::SolarSizing),
            (Channels::Consumption, Level::Hour, Purpose::RateComparison),
            (Channels::Generation, Level::Day, Purpose::Other),
        ] {
            let request = VendorRequest { language, channels, level, purpose, ..request() };
            let text = request.plain_words();
            words.push(json!({
                "language": language.word(), "name": request.name.as_str(), "channels": channels.word(),
                "level": level.word(), "data": request.data.to_string(), "access": request.access.to_string(),
                "purpose": purpose.word(), "hash": hex::encode(text_hash(&request.secret, language, &text)), "text": text,
            }));
        }
    }
    let grantee = json!({
        "vendor": bluebonnet().as_str(), "secret": hex::encode([0x33; 32]),
        "grantee": hex::encode(grantee_hash(&bluebonnet(), &[0x33; 32])),
    });
    let made = json!({ "statements": statements, "plain_words": words, "grantees": [grantee] });
    vector_file::compare("statements.json", &made);
}
