//! Statements of any content, and texts that are none.

use crate::statements::{claim, consent, disclose, for_every_kind, give_back, narrow, read, receipt, request, revoke};
use proptest::{prelude::*, sample::select};
use sealed_register::{
    delivery::ConsentTerms,
    grantee::GranteeSecret,
    plain_words::Language,
    statement::{
        Claim, Consent, Disclose, GiveBack, Narrow, ReadRequest, Receipt, Reference, Revoke, Signed, Statement,
        VendorName, VendorRequest, Word, MAX_STATEMENT_BYTES,
    },
    ticket::TicketSecret,
    Channel, DayRange, MeterId, OperatingDay, OrganisationId,
};

/// A day range, any text of a name, and so on: values for statements of any content.
fn any_range() -> impl Strategy<Value = DayRange> {
    (any::<u16>(), any::<u16>())
        .prop_map(|(a, b)| DayRange::new(OperatingDay(a.min(b)), OperatingDay(a.max(b))).unwrap())
}

fn any_word<W: Word + std::fmt::Debug>() -> impl Strategy<Value = W> {
    select(W::WORDS).prop_map(|(value, _)| value)
}

fn any_organisation() -> impl Strategy<Value = OrganisationId> {
    "[a-z0-9-]{1,16}".prop_map(|name| OrganisationId::new(&name).unwrap())
}

fn any_terms() -> impl Strategy<Value = ConsentTerms> {
    let scope = (any_word(), any_word(), any_range(), any_range(), any_word());
    (any_organisation(), any::<[u8; 16]>(), any::<[u8; 32]>(), scope, any::<[u8; 32]>()).prop_map(
        |(utility, meter, grantee, (channels, level, data, access, purpose), text_hash)| ConsentTerms {
            utility,
            meter: MeterId(meter),
            grantee,
            channels,
            level,
            data,
            access,
            purpose,
            text_hash,
        },
    )
}

fn round_trip<S: Statement + PartialEq + std::fmt::Debug>(statement: S) {
    assert_eq!(S::parse(&statement.text()), Ok(statement));
}

/// Whatever is accepted is the one text of what was understood.
fn accepts_only_canonical(text: &str) {
    macro_rules! check {
        ($kind:ty, $example:expr) => {
            if let Ok(statement) = <$kind>::parse(text) {
                assert_eq!(statement.text(), text);
            }
            if let Ok(signed) = Signed::<$kind>::parse(text) {
                assert_eq!(signed.text(), text);
            }
        };
    }
    for_every_kind!(check);
}

fn example_texts() -> Vec<String> {
    let mut texts = Vec::new();
    macro_rules! add {
        ($kind:ty, $example:expr) => {
            texts.push($example.text())
        };
    }
    for_every_kind!(add);
    texts
}

proptest! {
    #[test]
    fn statements_of_any_content_are_read_back(
        terms in any_terms(),
        (hash, account, nonce) in any::<([u8; 32], [u8; 32], [u8; 16])>(),
        (small, large, head) in any::<(u32, u64, Option<u32>)>(),
        (name, reference) in ("[0-9&.]?[a-zA-ZñÑ]( ?[a-zé0-9,'()/+-]){0,15}", "[!-~]([ -~]{0,30}[!-~])?"),
        (language, channel) in (any_word::<Language>(), any_word::<Channel>()),
        day in any::<u16>(),
    ) {
        let ConsentTerms { utility, meter, channels, level, data, access, purpose, .. } = terms;
        let secret = GranteeSecret(hash);
        let (genesis, customer, vendor, consent) = (hash, account, utility, hash);
        let last_valid_block = small;
        round_trip(Claim { genesis, utility, meter, issue: small, customer, kem_key: hash, last_valid_block });
        round_trip(Consent { genesis, terms, customer, last_valid_block });
        round_trip(Revoke { genesis, consent, last_valid_block });
        round_trip(Narrow { genesis, consent, channels, level, data, access, last_valid_block });
        round_trip(GiveBack { genesis, consent, vendor, secret, last_valid_block });
        round_trip(Disclose { genesis, consent, vendor, secret, last_valid_block });
        round_trip(ReadRequest {
            genesis, vault: account, reader: hash, secret, consent, utility, meter, channel, range: data, level,
            nonce, block: small,
        });
        round_trip(Receipt {
            genesis, vault: account, number: large, previous: hash, request: hash, cells: small, bytes: large, level,
            range: access, head_sequence: head, block: small, block_hash: hash,
        });
        let request = VendorRequest {
            genesis, vendor, account, name: VendorName::new(&name).unwrap(), utility: head.map(|_| utility), channels, level,
            data, access, purpose, language, text_hash: hash, reference: Reference::new(&reference).unwrap(), secret,
            expires: OperatingDay(day),
        };
        prop_assert!(request.text().len() < MAX_STATEMENT_BYTES);
        round_trip(request);
    }

    #[test]
    fn changed_texts_are_refused_or_canonical(
        text in select(example_texts()),
        at in any::<prop::sample::Index>(),
        with in select(vec!["", " ", "\n", ":", "0", "1", "9", "a", "F", "-", "\r\n", "\u{301}", "é", "to", ": "]),
        remove in 0_usize..3,
        signed in any::<bool>(),
    ) {
        let mut characters: Vec<char> = text.chars().collect();
        if signed {
            characters.extend(format!("\nsignature: 0x{}", "0a".repeat(64)).chars());
        }
        let at = at.index(characters.len());
        let end = (at + remove).min(characters.len());
        characters.splice(at..end, with.chars());
        accepts_only_canonical(&characters.into_iter().collect::<String>());
    }

    #[test]
    fn any_text_is_a_statement_or_an_error(text in "\\PC{0,200}", lines in prop::collection::vec("[ -~]{0,40}", 0..8)) {
        accepts_only_canonical(&text);
        for text in example_texts() {
            let first = text.split('\n').next().unwrap();
            accepts_only_canonical(&format!("{first}\n{}", lines.join("\n")));
        }
        let _ = text.parse::<TicketSecret>();
        let _ = VendorName::new(&text);
        let _ = Reference::new(&text);
    }
}
