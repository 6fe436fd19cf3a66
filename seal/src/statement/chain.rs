//! The statements that an extrinsic carries to the chain.

use super::{Reader, Statement, StatementError, Writer};
use crate::{
    delivery::ConsentTerms,
    grantee::{is_grantee, GranteeSecret},
    types::{Channels, DayRange, Hash, Level, MeterId, OrganisationId},
};

/// "This meter is mine": signed by the key of a claim ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Genesis hash of the chain.
    pub genesis: Hash,
    /// The utility that issued the ticket.
    pub utility: OrganisationId,
    /// The meter.
    pub meter: MeterId,
    /// Number of the ticket's issue; each is used once.
    pub issue: u32,
    /// The customer's account, which from then on signs for the meter.
    pub customer: [u8; 32],
    /// Hash of the customer's X-Wing key, to which the meter key is sealed ([`crate::kem::KemPublic::hash`]).
    pub kem_key: Hash,
    /// Last block in which the statement may be included.
    pub last_valid_block: u32,
}

impl Statement for Claim {
    const KIND: &'static str = "claim";

    fn write(&self, writer: &mut Writer) {
        writer.bytes("genesis", &self.genesis);
        writer.value("utility", self.utility);
        writer.bytes("meter", &self.meter.0);
        writer.value("ticket issue", self.issue);
        writer.bytes("customer", &self.customer);
        writer.bytes("key", &self.kem_key);
        writer.value("last valid block", self.last_valid_block);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, StatementError> {
        Ok(Self {
            genesis: reader.bytes("genesis")?,
            utility: reader.organisation("utility")?,
            meter: MeterId(reader.bytes("meter")?),
            issue: reader.decimal("ticket issue")?,
            customer: reader.bytes("customer")?,
            kem_key: reader.bytes("key")?,
            last_valid_block: reader.decimal("last valid block")?,
        })
    }
}

/// "This reader may read": signed by the customer who holds the meter. Its hash is the consent's identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Consent {
    /// Genesis hash of the chain.
    pub genesis: Hash,
    /// What is allowed.
    pub terms: ConsentTerms,
    /// The customer's account, which signs.
    pub customer: [u8; 32],
    /// Last block in which the statement may be included.
    pub last_valid_block: u32,
}

impl Consent {
    /// The consent's identifier: the hash of the text.
    pub fn id(&self) -> Hash {
        self.hash()
    }
}

impl Statement for Consent {
    const KIND: &'static str = "consent";

    fn write(&self, writer: &mut Writer) {
        let terms = &self.terms;
        writer.bytes("genesis", &self.genesis);
        writer.value("utility", terms.utility);
        writer.bytes("meter", &terms.meter.0);
        writer.bytes("reader", &terms.grantee);
        write_scope(writer, terms.channels, terms.level, terms.data, terms.access);
        writer.word("purpose", terms.purpose);
        writer.bytes("text shown", &terms.text_hash);
        writer.bytes("customer", &self.customer);
        writer.value("last valid block", self.last_valid_block);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, StatementError> {
        Ok(Self {
            genesis: reader.bytes("genesis")?,
            terms: ConsentTerms {
                utility: reader.organisation("utility")?,
                meter: MeterId(reader.bytes("meter")?),
                grantee: reader.bytes("reader")?,
                channels: reader.word("channels")?,
                level: reader.word("level")?,
                data: reader.range("data")?,
                access: reader.range("access")?,
                purpose: reader.word("purpose")?,
                text_hash: reader.bytes("text shown")?,
            },
            customer: reader.bytes("customer")?,
            last_valid_block: reader.decimal("last valid block")?,
        })
    }
}

/// The lines that a consent and a narrowing share.
fn write_scope(writer: &mut Writer, channels: Channels, level: Level, data: DayRange, access: DayRange) {
    writer.word("channels", channels);
    writer.word("level", level);
    writer.range("data", data);
    writer.range("access", access);
}

/// "This reader may no longer read": signed by the customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revoke {
    /// Genesis hash of the chain.
    pub genesis: Hash,
    /// The consent that ends.
    pub consent: Hash,
    /// Last block in which the statement may be included.
    pub last_valid_block: u32,
}

impl Statement for Revoke {
    const KIND: &'static str = "revoke";

    fn write(&self, writer: &mut Writer) {
        writer.bytes("genesis", &self.genesis);
        writer.bytes("consent", &self.consent);
        writer.value("last valid block", self.last_valid_block);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, StatementError> {
        Ok(Self {
            genesis: reader.bytes("genesis")?,
            consent: reader.bytes("consent")?,
            last_valid_block: reader.decimal("last valid block")?,
        })
    }
}

/// "This reader may read less": signed by the customer. Nothing may be wider than before ([`ConsentTerms::narrowed`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Narrow {
    /// Genesis hash of the chain.
    pub genesis: Hash,
    /// The consent that becomes narrower.
    pub consent: Hash,
    /// What may still be read.
    pub channels: Channels,
    /// The finest resolution that may still be read.
    pub level: Level,
    /// Operating days whose readings may still be read.
    pub data: DayRange,
    /// Local days on which they may still be fetched.
    pub access: DayRange,
    /// Last block in which the statement may be included.
    pub last_valid_block: u32,
}

impl Statement for Narrow {
    const KIND: &'static str = "narrow";

    fn write(&self, writer: &mut Writer) {
        writer.bytes("genesis", &self.genesis);
        writer.bytes("consent", &self.consent);
        write_scope(writer, self.channels, self.level, self.data, self.access);
        writer.value("last valid block", self.last_valid_block);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, StatementError> {
        Ok(Self {
            genesis: reader.bytes("genesis")?,
            consent: reader.bytes("consent")?,
            channels: reader.word("channels")?,
            level: reader.word("level")?,
            data: reader.range("data")?,
            access: reader.range("access")?,
            last_valid_block: reader.decimal("last valid block")?,
        })
    }
}

/// "I no longer want to read": signed by the vendor. Name and secret prove that it is the grantee; they become
/// public with it, so everybody can then see that this vendor had this consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GiveBack {
    /// Genesis hash of the chain.
    pub genesis: Hash,
    /// The consent that ends.
    pub consent: Hash,
    /// The vendor, whose account signs.
    pub vendor: OrganisationId,
    /// The secret of the vendor's request.
    pub secret: GranteeSecret,
    /// Last block in which the statement may be included.
    pub last_valid_block: u32,
}

impl GiveBack {
    /// Whether the vendor is the grantee of a consent's terms.
    pub fn is_by(&self, grantee: &Hash) -> bool {
        is_grantee(grantee, &self.vendor, &self.secret.0)
    }
}

impl Statement for GiveBack {
    const KIND: &'static str = "give-back";

    fn write(&self, writer: &mut Writer) {
        write_grantee(writer, &self.genesis, &self.consent, self.vendor, &self.secret, self.last_valid_block);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, StatementError> {
        let (genesis, consent, vendor, secret, last_valid_block) = read_grantee(reader)?;
        Ok(Self { genesis, consent, vendor, secret, last_valid_block })
    }
}

/// "This vendor is the reader of my consent": signed by the customer, who thereby makes public what the chain does not
/// show, for example to support a complaint. The consent goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disclose {
    /// Genesis hash of the chain.
    pub genesis: Hash,
    /// The consent.
    pub consent: Hash,
    /// The vendor.
    pub vendor: OrganisationId,
    /// The secret of the vendor's request.
    pub secret: GranteeSecret,
    /// Last block in which the statement may be included.
    pub last_valid_block: u32,
}

impl Disclose {
    /// Whether the vendor that is named is the grantee of a consent's terms.
    pub fn is_true(&self, grantee: &Hash) -> bool {
        is_grantee(grantee, &self.vendor, &self.secret.0)
    }
}

impl Statement for Disclose {
    const KIND: &'static str = "disclose";

    fn write(&self, writer: &mut Writer) {
        write_grantee(writer, &self.genesis, &self.consent, self.vendor, &self.secret, self.last_valid_block);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, StatementError> {
        let (genesis, consent, vendor, secret, last_valid_block) = read_grantee(reader)?;
        Ok(Self { genesis, consent, vendor, secret, last_valid_block })
    }
}

/// The lines of a statement that names a consent's grantee.
fn write_grantee(
    writer: &mut Writer,
    genesis: &Hash,
    consent: &Hash,
    vendor: OrganisationId,
    secret: &GranteeSecret,
    last_valid_block: u32,
) {
    writer.bytes("genesis", genesis);
    writer.bytes("consent", consent);
    writer.value("vendor", vendor);
    writer.bytes("secret", &secret.0);
    writer.value("last valid block", last_valid_block);
}

/// Genesis, consent, vendor, secret, last valid block.
type GranteeLines = (Hash, Hash, OrganisationId, GranteeSecret, u32);

fn read_grantee(reader: &mut Reader<'_>) -> Result<GranteeLines, StatementError> {
    Ok((
        reader.bytes("genesis")?,
        reader.bytes("consent")?,
        reader.organisation("vendor")?,
        GranteeSecret(reader.bytes("secret")?),
        reader.decimal("last valid block")?,
    ))
}
