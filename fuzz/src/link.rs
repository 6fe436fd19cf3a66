//! Links: requests, signed statements and tickets as people hand them on. What is accepted is written the same again.

use crate::{
    edit::any_or_edited,
    statement::{relayed, request},
};
use arbitrary::Unstructured;
use sealed_register::{statement::Signed, statement::Statement as _, ticket::TicketSecret, MeterId};
use std::sync::OnceLock;
use wattseal_client::{
    links::{base64url, from_base64url, parse_hash, parse_request, request_link, TicketLink},
    Account, Statement,
};

/// First byte: a link to edit, or any text.
pub fn run(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let bytes = any_or_edited(&mut input, links());
    let text = String::from_utf8_lossy(&bytes);
    if let Ok(statement) = Statement::parse(&text) {
        assert_eq!(Statement::parse(&statement.link()).unwrap(), statement);
        assert_eq!(Statement::parse(&statement.text()).unwrap(), statement);
        let (plain, signature) = statement.parts();
        assert!(statement.text().starts_with(&plain) && statement.text().len() > plain.len() + signature.len());
    }
    if let Ok(request) = parse_request(&text) {
        assert_eq!(parse_request(&request_link(&request)).unwrap(), request);
        assert_eq!(request, *signed_request(), "nobody else signed a request");
    }
    if let Ok(ticket) = TicketLink::parse(&text) {
        assert_eq!(TicketLink::parse(&ticket.link()).unwrap(), ticket);
    }
    if let Some(bytes) = from_base64url(&text) {
        assert_eq!(base64url(&bytes), text);
    }
    assert_eq!(from_base64url(&base64url(&bytes)).as_ref(), Some(&bytes));
    let _ = parse_hash(&text);
}

fn signed_request() -> &'static Signed<sealed_register::statement::VendorRequest> {
    static REQUEST: OnceLock<Signed<sealed_register::statement::VendorRequest>> = OnceLock::new();
    REQUEST.get_or_init(|| {
        let vendor = Account::from_suri("//Vendor").unwrap();
        let mut statement = request();
        statement.account = vendor.id();
        Signed { signature: vendor.sign(&statement.message()), statement }
    })
}

/// One link, and one text, of each kind.
fn links() -> &'static [Vec<u8>] {
    static LINKS: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    LINKS.get_or_init(|| {
        let (claim, consent, revoke, narrow) = relayed();
        let signature = [0xa5; 64];
        let statements = [
            Statement::Claim(Signed { statement: claim, signature }),
            Statement::Consent(Signed { statement: consent, signature }),
            Statement::Revoke(Signed { statement: revoke, signature }),
            Statement::Narrow(Signed { statement: narrow, signature }),
        ];
        let ticket = TicketLink {
            utility: claim.utility,
            meter: MeterId([0xab; 16]),
            issue: 3,
            ticket: TicketSecret::from_bits([5; 16]),
        };
        let request = signed_request();
        let mut links = vec![request_link(request), request.text(), ticket.link(), format!("0x{}", "0a".repeat(32))];
        links.extend(statements.iter().flat_map(|statement| [statement.link(), statement.text()]));
        links.into_iter().map(String::into_bytes).collect()
    })
}
