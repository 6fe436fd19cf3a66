//! Tickets, and the words that a person reads.

use crate::{
    statements::{days, oncor, request},
    vector_file,
};
use proptest::prelude::*;
use sealed_register::{
    delivery::Purpose,
    grantee::GranteeSecret,
    plain_words::{plain_words, text_hash, Language, PlainTerms},
    statement::{VendorRequest, Word},
    ticket::{TicketError, TicketSecret},
    Channels, DayRange, Level, OrganisationId,
};
use serde_json::json;

#[test]
fn words_say_what_is_asked_in_both_languages() {
    let request = request();
    let english = request.plain_words();
    for part in
        ["Bluebonnet Solar, Inc.", "every 15 minutes", "from March 1, 2022 to February 28, 2023", "July 14, 2023"]
    {
        assert!(english.contains(part), "{part}\n{english}");
    }
    let spanish = VendorRequest { language: Language::Spanish, ..request }.plain_words();
    for part in ["Bluebonnet Solar, Inc.", "cada 15 minutos", "del 1.º de marzo de 2022 al 28 de febrero de 2023"] {
        assert!(spanish.contains(part), "{part}\n{spanish}");
    }
    // The name stands between quotes that no name has, and the words promise what keys and batches can hold.
    for part in [
        "The company that calls itself “Bluebonnet Solar, Inc.” asks to read your electricity usage.\n",
        "how much electricity you used on other days, your name, or your address",
        "readings published more than some minutes later are closed to it",
    ] {
        assert!(english.contains(part), "{part}\n{english}");
    }
    for part in [
        "La empresa que se llama a sí misma «Bluebonnet Solar, Inc.» pide leer su uso de electricidad.\n",
        "ni cuánta electricidad usó usted en otros días, ni su nombre, ni su dirección",
        "las lecturas que se publiquen más de algunos minutos después le quedan cerradas",
    ] {
        assert!(spanish.contains(part), "{part}\n{spanish}");
    }
    let secret = GranteeSecret([1; 32]);
    assert_ne!(text_hash(&secret, Language::English, "a"), text_hash(&secret, Language::Spanish, "a"));
    // Who does not hold the secret cannot find the vendor by trying names.
    assert_ne!(text_hash(&secret, Language::English, "a"), text_hash(&GranteeSecret([2; 32]), Language::English, "a"));
    assert!(!english.contains("  ") && !spanish.contains("  "), "a line was broken wrongly");
    // Different terms never have the same words.
    let mut all = std::collections::BTreeSet::new();
    for language in Language::ALL {
        for (channels, _) in Channels::WORDS {
            for level in Level::ALL {
                for (purpose, _) in Purpose::WORDS {
                    let (channels, purpose) = (*channels, *purpose);
                    let terms = PlainTerms {
                        name: "A",
                        channels,
                        level,
                        data: request_data(),
                        access: request_data(),
                        purpose,
                    };
                    assert!(all.insert(plain_words(&terms, language)));
                }
            }
        }
    }
}

fn request_data() -> DayRange {
    days((2022, 3, 1), (2022, 3, 1))
}

#[test]
fn tickets_are_read_as_people_type_them() {
    let ticket = TicketSecret::from_bits(*b"\x01\x23\x45\x67\x89\xab\xcd\xef\xfe\xdc\xba\x98\x76\x54\x32\x10");
    let text = ticket.to_text();
    assert_eq!(text.len(), 35);
    let bare = text.replace('-', "");
    let typed = bare.to_lowercase().replace('0', "o").replace('1', "l");
    for variant in
        [text.clone(), bare.clone(), typed.clone(), typed.replace('l', "I"), format!(" {} ", text.replace('-', " – "))]
    {
        assert_eq!(variant.parse(), Ok(ticket.clone()), "{variant}");
    }
    assert_eq!(bare[1..].parse::<TicketSecret>(), Err(TicketError::Length { found: 26 }));
    assert_eq!(format!("{bare}0").parse::<TicketSecret>(), Err(TicketError::Length { found: 28 }));
    assert_eq!("-".repeat(1000).parse::<TicketSecret>(), Err(TicketError::Length { found: 28 }));
    assert_eq!(
        format!("{}U{}", &bare[..5], &bare[6..]).parse::<TicketSecret>(),
        Err(TicketError::Character { place: 6 })
    );
    assert_eq!(format!("{ticket:?}"), "TicketSecret(..)");

    let seed = ticket.seed(&[1; 32], &oncor());
    assert_ne!(seed, ticket.seed(&[2; 32], &oncor()));
    assert_ne!(seed, ticket.seed(&[1; 32], &OrganisationId::new("tnmp").unwrap()));
    assert_ne!(seed, TicketSecret::from_bits([0; 16]).seed(&[1; 32], &oncor()));
}

proptest! {
    #[test]
    fn every_ticket_is_read_back_and_every_slip_noticed(bits in any::<[u8; 16]>(), other in 0_usize..32) {
        const ALPHABET: &[u8] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        let ticket = TicketSecret::from_bits(bits);
        let text = ticket.to_text().replace('-', "");
        prop_assert_eq!(text.parse(), Ok(ticket));
        let characters = text.as_bytes();
        for at in 0..characters.len() {
            let mut wrong = characters.to_vec();
            wrong[at] = ALPHABET[other];
            if wrong != characters {
                prop_assert_eq!(String::from_utf8(wrong).unwrap().parse::<TicketSecret>(), Err(TicketError::Check));
            }
            for with in 0..at {
                let mut exchanged = characters.to_vec();
                exchanged.swap(at, with);
                if exchanged != characters {
                    let exchanged = String::from_utf8(exchanged).unwrap();
                    prop_assert_eq!(exchanged.parse::<TicketSecret>(), Err(TicketError::Check));
                }
            }
        }
    }
}

#[test]
fn fixed_vectors_of_tickets() {
    let mut counting = [0; 16];
    counting.iter_mut().zip(0..).for_each(|(byte, value)| *byte = value * 17);
    let tickets: Vec<_> = [[0; 16], [255; 16], counting]
        .into_iter()
        .map(|bits| {
            let ticket = TicketSecret::from_bits(bits);
            json!({
                "bits": hex::encode(bits), "text": ticket.to_text(), "genesis": hex::encode([0x11; 32]),
                "utility": "oncor", "seed": hex::encode(ticket.seed(&[0x11; 32], &oncor()).expose()),
            })
        })
        .collect();
    vector_file::compare("tickets.json", &json!({ "tickets": tickets }));
}
