//! What passes between a reader and a vault: signed read requests and signed receipts (protocol section 9).

use super::{Reader, Statement, StatementError, Writer};
use crate::{
    grantee::GranteeSecret,
    types::{Channel, DayRange, Hash, Level, MeterId, OrganisationId, StreamId},
};

/// "Give me these readings": signed by the reader's account and good for one vault, one nonce and 32 blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadRequest {
    /// Genesis hash of the chain.
    pub genesis: Hash,
    /// The account of the vault that is asked.
    pub vault: [u8; 32],
    /// The reader's account, which signs: the vendor's, or the customer's own.
    pub reader: [u8; 32],
    /// The secret of the vendor's request; [`GranteeSecret::NONE`] when the customer asks.
    pub secret: GranteeSecret,
    /// The consent; all zero when the customer asks.
    pub consent: Hash,
    /// The utility that measures.
    pub utility: OrganisationId,
    /// The meter.
    pub meter: MeterId,
    /// The channel.
    pub channel: Channel,
    /// Operating days.
    pub range: DayRange,
    /// Resolution.
    pub level: Level,
    /// Random bytes; a vault answers each nonce of a reader once.
    pub nonce: [u8; 16],
    /// Number of a finalised block that the reader knows.
    pub block: u32,
}

impl ReadRequest {
    /// For how many blocks before and after the finalised head that the vault sees [`ReadRequest::block`] is accepted: a
    /// request is valid from 32 blocks before to 32 after that head.
    pub const VALID_BLOCKS: u32 = 32;

    /// Whether the request is fresh at a vault whose finalised head is block number `head`. A reader that is ahead of
    /// the vault by more than the same number of blocks is refused too: the vault is too far behind to judge.
    pub fn is_fresh(&self, head: u32) -> bool {
        self.block.abs_diff(head) <= Self::VALID_BLOCKS
    }

    /// Whether the customer asks, who needs no consent.
    pub fn is_customers(&self) -> bool {
        self.consent == [0; 32] && self.secret == GranteeSecret::NONE
    }

    /// The stream that is read.
    pub fn stream(&self) -> StreamId {
        StreamId { genesis: self.genesis, utility: self.utility, meter: self.meter, channel: self.channel }
    }
}

impl Statement for ReadRequest {
    const KIND: &'static str = "read";

    fn write(&self, writer: &mut Writer) {
        writer.bytes("genesis", &self.genesis);
        writer.bytes("vault", &self.vault);
        writer.bytes("reader", &self.reader);
        writer.bytes("secret", &self.secret.0);
        writer.bytes("consent", &self.consent);
        writer.value("utility", self.utility);
        writer.bytes("meter", &self.meter.0);
        writer.word("channel", self.channel);
        writer.range("range", self.range);
        writer.word("level", self.level);
        writer.bytes("nonce", &self.nonce);
        writer.value("block", self.block);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, StatementError> {
        Ok(Self {
            genesis: reader.bytes("genesis")?,
            vault: reader.bytes("vault")?,
            reader: reader.bytes("reader")?,
            secret: GranteeSecret(reader.bytes("secret")?),
            consent: reader.bytes("consent")?,
            utility: reader.organisation("utility")?,
            meter: MeterId(reader.bytes("meter")?),
            channel: reader.word("channel")?,
            range: reader.range("range")?,
            level: reader.word("level")?,
            nonce: reader.bytes("nonce")?,
            block: reader.decimal("block")?,
        })
    }
}

/// "This is what I served": signed by the vault. The receipts of a vault form a chain, whose root it commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Genesis hash of the chain.
    pub genesis: Hash,
    /// The account of the vault, which signs.
    pub vault: [u8; 32],
    /// Number among the vault's receipts, from 0 without gaps.
    pub number: u64,
    /// Hash of the receipt before ([`Statement::hash`]); all zero for the first.
    pub previous: Hash,
    /// Hash of the read request.
    pub request: Hash,
    /// Number of cells in the answer, with or without readings.
    pub cells: u32,
    /// Length of the answer in bytes.
    pub bytes: u64,
    /// Resolution of the readings served.
    pub level: Level,
    /// Operating days served.
    pub range: DayRange,
    /// Sequence number of the stream's newest cell in the answer; none if the stream has no cell.
    pub head_sequence: Option<u32>,
    /// Number of the finalised block against which consent and root were checked.
    pub block: u32,
    /// Its hash.
    pub block_hash: Hash,
}

impl Receipt {
    /// Whether the receipt answers the request: same chain, vault, days and level, and the request's hash.
    pub fn answers(&self, request: &ReadRequest) -> bool {
        self.genesis == request.genesis
            && self.vault == request.vault
            && self.request == request.hash()
            && self.range == request.range
            && self.level == request.level
    }

    /// Whether the receipt is the next of the same vault after `before`.
    pub fn follows(&self, before: &Self) -> bool {
        self.genesis == before.genesis
            && self.vault == before.vault
            && before.number.checked_add(1) == Some(self.number)
            && self.previous == before.hash()
    }
}

/// The word for "no cell".
const NONE: &str = "none";

impl Statement for Receipt {
    const KIND: &'static str = "receipt";

    fn write(&self, writer: &mut Writer) {
        writer.bytes("genesis", &self.genesis);
        writer.bytes("vault", &self.vault);
        writer.value("number", self.number);
        writer.bytes("previous", &self.previous);
        writer.bytes("request", &self.request);
        writer.value("cells", self.cells);
        writer.value("bytes", self.bytes);
        writer.word("level", self.level);
        writer.range("range", self.range);
        match self.head_sequence {
            Some(sequence) => writer.value("head sequence", sequence),
            None => writer.value("head sequence", NONE),
        }
        writer.value("block", self.block);
        writer.bytes("block hash", &self.block_hash);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, StatementError> {
        Ok(Self {
            genesis: reader.bytes("genesis")?,
            vault: reader.bytes("vault")?,
            number: reader.decimal("number")?,
            previous: reader.bytes("previous")?,
            request: reader.bytes("request")?,
            cells: reader.decimal("cells")?,
            bytes: reader.decimal("bytes")?,
            level: reader.word("level")?,
            range: reader.range("range")?,
            head_sequence: reader.decimal_or("head sequence", NONE)?,
            block: reader.decimal("block")?,
            block_hash: reader.bytes("block hash")?,
        })
    }
}
