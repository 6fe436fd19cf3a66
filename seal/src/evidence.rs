//! Evidence that a utility forked or rolled back a stream (protocol section 6): its head under one finalised root, its
//! head under a later one, and the cells between. Anybody can check it; nothing sealed is opened.

use crate::{
    cell::{cell_hash, Header, SealedCell},
    decode::{put_count, DecodeError, Reader},
    finalized::FinalizedRoot,
    heads::CellName,
    shard::{AbsenceError, AbsenceProof, HeadPath, PathError},
    types::{Channel, Channels, Hash},
};
use alloc::vec::Vec;

/// Most cells between two heads in one piece of evidence.
pub const MAX_LINKS: usize = 65_536;

/// A cell as far as the chain of hashes needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Link {
    /// The header.
    pub header: Header,
    /// The body hash.
    pub body: Hash,
}

impl From<&SealedCell> for Link {
    fn from(cell: &SealedCell) -> Self {
        Self { header: cell.header, body: cell.body() }
    }
}

/// What the later root says about the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Later {
    /// It has this head; `links` are the cells after the earlier head up to this one, by their sequence numbers.
    Head {
        /// Path to the later root.
        path: HeadPath,
        /// The cells, in order; none if the later sequence number is not greater.
        links: Vec<Link>,
    },
    /// It has none.
    Absent(AbsenceProof),
}

/// Two statements of one utility about one stream that cannot both be honest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The head under the earlier root.
    pub earlier: HeadPath,
    /// What the later root says.
    pub later: Later,
}

/// What the evidence proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The stream disappeared.
    #[error("the stream had a head and is missing from the later batch")]
    Vanished,
    /// The stream became shorter.
    #[error("the stream was rolled back from cell {from} to cell {to}")]
    RolledBack {
        /// Sequence number of the earlier head.
        from: u32,
        /// Sequence number of the later head.
        to: u32,
    },
    /// The head was exchanged for another of the same number.
    #[error("cell {sequence} of the stream was replaced")]
    Replaced {
        /// Sequence number of both heads.
        sequence: u32,
    },
    /// The cells that followed do not continue the earlier head.
    #[error("{cell} does not continue the head of the earlier batch: the stream was forked")]
    Forked {
        /// The first cell of the fork.
        cell: CellName,
    },
    /// A cell under the later head has another number, meter or channel than its place.
    #[error("{cell} stands at a place that is not its own: number {expected} of the stream")]
    Misplaced {
        /// The cell, as its header names it.
        cell: CellName,
        /// The number of its place.
        expected: u32,
    },
}

/// Why evidence proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceError {
    /// The roots are of different shards or in the wrong order.
    #[error("evidence needs two roots of the same shard, the second of a later batch")]
    Roots,
    /// A path fits no tree.
    #[error(transparent)]
    Path(#[from] PathError),
    /// The proof of absence does not hold.
    #[error(transparent)]
    Absence(#[from] AbsenceError),
    /// A path does not lead to its root.
    #[error("a head does not stand under the root of batch {batch_sequence}")]
    Root {
        /// Batch of the root.
        batch_sequence: u32,
    },
    /// The heads are of different streams.
    #[error("the two heads are of different streams")]
    Streams,
    /// The cells between do not end in the later head.
    #[error("the cells between the heads are not the {expected} that lead to the later head")]
    Links {
        /// How many cells lie between.
        expected: u32,
    },
    /// The later head continues the earlier one.
    #[error("the later head continues the earlier one: there is no fault")]
    NoFault,
}

impl Evidence {
    /// Checks the evidence against two finalised roots.
    ///
    /// # Errors
    /// [`EvidenceError`] if it proves nothing.
    pub fn verify(&self, earlier: &FinalizedRoot, later: &FinalizedRoot) -> Result<Fault, EvidenceError> {
        if earlier.shard() != later.shard() || earlier.batch_sequence() >= later.batch_sequence() {
            return Err(EvidenceError::Roots);
        }
        under(&self.earlier, earlier)?;
        let before = &self.earlier.leaf;
        let (path, links) = match &self.later {
            Later::Head { path, links } => (path, links),
            Later::Absent(proof) => {
                let channels = match before.channel {
                    Channel::Consumption => Channels::Consumption,
                    Channel::Generation => Channels::Generation,
                };
                proof.verify(&before.meter, channels, later.shard(), later.batch_sequence(), later.root())?;
                return Ok(Fault::Vanished);
            }
        };
        under(path, later)?;
        let after = &path.leaf;
        if before.key() != after.key() {
            return Err(EvidenceError::Streams);
        }
        let Some(between) = after.sequence.checked_sub(before.sequence) else {
            return Ok(Fault::RolledBack { from: before.sequence, to: after.sequence });
        };
        if between == 0 {
            let same = before.hash == after.hash;
            return if same { Err(EvidenceError::NoFault) } else { Ok(Fault::Replaced { sequence: after.sequence }) };
        }
        if u32::try_from(links.len()) != Ok(between) {
            return Err(EvidenceError::Links { expected: between });
        }
        // From the head, whose hash the root proves, each header proves the hash of the cell before it.
        let mut due = after.hash;
        let mut expected = after.sequence;
        for Link { header, body } in links.iter().rev() {
            if cell_hash(header, body) != due {
                return Err(EvidenceError::Links { expected: between });
            }
            let cell = CellName::from(header);
            if (cell.sequence, (cell.meter, cell.channel)) != (expected, after.key()) {
                return Ok(Fault::Misplaced { cell, expected });
            }
            due = header.previous;
            expected = expected.saturating_sub(1);
        }
        match links.first() {
            Some(first) if due != before.hash => Ok(Fault::Forked { cell: CellName::from(&first.header) }),
            _ => Err(EvidenceError::NoFault),
        }
    }

    /// The encoding: earlier path, a byte (0 head, 1 absent), and what follows from it.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.earlier.encode_to(&mut out);
        match &self.later {
            Later::Head { path, links } => {
                out.push(0);
                path.encode_to(&mut out);
                put_count(&mut out, links.len());
                for Link { header, body } in links {
                    out.extend_from_slice(&header.encode());
                    out.extend_from_slice(body);
                }
            }
            Later::Absent(proof) => {
                out.push(1);
                proof.encode_to(&mut out);
            }
        }
        out
    }

    /// Reads an encoding; any bytes give evidence or an error.
    ///
    /// # Errors
    /// [`DecodeError`] says where the bytes stop being evidence.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new("evidence of a fork", bytes);
        let earlier = HeadPath::decode_from(&mut reader)?;
        let later = match reader.u8()? {
            0 => {
                let path = HeadPath::decode_from(&mut reader)?;
                let count = reader.count(Header::LEN + 32)?;
                if count > MAX_LINKS {
                    return Err(reader.error("evidence has at most 65,536 cells"));
                }
                let link = |_| Ok(Link { header: Header::read(&mut reader)?, body: reader.hash()? });
                let links = (0..count).map(link).collect::<Result<_, DecodeError>>()?;
                Later::Head { path, links }
            }
            1 => Later::Absent(AbsenceProof::decode_from(&mut reader)?),
            _ => return Err(reader.error("the later root says 0 (head) or 1 (absent)")),
        };
        reader.finish()?;
        Ok(Self { earlier, later })
    }
}

fn under(path: &HeadPath, root: &FinalizedRoot) -> Result<(), EvidenceError> {
    if path.root(root.shard(), root.batch_sequence())? == *root.root() {
        Ok(())
    } else {
        Err(EvidenceError::Root { batch_sequence: root.batch_sequence() })
    }
}
