//! Checking range proofs (protocol section 6). What comes out is complete and stands under a finalised root; readings are
//! opened from nothing else.

use crate::{
    cell::{body_hash, cell_hash, first_previous, section_hash, Header},
    finalized::FinalizedRoot,
    heads::CellName,
    open::{Cursor, Keyring},
    proof::{begins, Body, Element, Form, RangeProof, RangeRequest},
    shard::{AbsenceError, AbsenceProof, PathError},
    types::{hex, Channels, Hash, Level, MeterId, OperatingDay, OrganisationId, StreamId},
    verified::{place, CellPlace, Currency, Sections, VerifiedCell, VerifiedRange},
};
use alloc::{collections::BTreeMap, vec::Vec};
use core::cmp::Ordering;

/// Why a proof was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The root is of another chain than the request.
    #[error("the finalised root is of the chain with genesis {}, the request of {}", hex(root), hex(request))]
    WrongGenesis {
        /// Genesis of the root.
        root: Hash,
        /// Genesis of the request.
        request: Hash,
    },
    /// The root is of another utility than the request.
    #[error("the finalised root is {root}'s, the request asks for readings of {request}")]
    WrongUtility {
        /// Utility of the root.
        root: OrganisationId,
        /// Utility of the request.
        request: OrganisationId,
    },
    /// The root given for the shard's newest is older than the other, of another shard, or another one of the same batch.
    #[error(
        "the root of batch {newest_sequence} was given for the shard's newest, which cannot be beside the finalised root \
         of batch {batch_sequence}; take both from the same finalised block"
    )]
    NotTheNewest {
        /// Batch of the root given for the newest.
        newest_sequence: u32,
        /// Batch of the root.
        batch_sequence: u32,
    },
    /// The root is of a shard that the meter does not belong to.
    #[error("meter {meter} does not belong to shard {}, whose root this is", .root_shard)]
    WrongShard {
        /// The meter.
        meter: MeterId,
        /// Shard of the root.
        root_shard: crate::shard::ShardId,
    },
    /// The proof is about another meter.
    #[error("the proof is about meter {found}, not {expected}")]
    WrongMeter {
        /// Meter of the request.
        expected: MeterId,
        /// Meter of the proof.
        found: MeterId,
    },
    /// The proof is about the other channel.
    #[error("the proof is about the other channel than asked for")]
    WrongChannel,
    /// The proof has another form than asked for.
    #[error("the proof is {found:?}, {expected:?} was asked for")]
    WrongForm {
        /// Form of the request.
        expected: Form,
        /// Form of the proof.
        found: Form,
    },
    /// The path fits no tree.
    #[error(transparent)]
    Path(#[from] PathError),
    /// The head does not stand under the root: an older or newer head, or none of this shard.
    #[error(
        "the head shown (cell {sequence}) does not stand under the root of batch {batch_sequence}: the vault is behind, \
         ahead, or withholds newer cells; fetch the newest finalised root and ask again, or ask another vault"
    )]
    NotUnderRoot {
        /// Sequence number of the head shown.
        sequence: u32,
        /// Batch of the root.
        batch_sequence: u32,
    },
    /// No cell at all.
    #[error("the proof has no cells")]
    Empty,
    /// The cells do not end with the head, or one between is missing.
    #[error("cell {expected} of the stream is missing: the proof has cell {found} in its place")]
    MissingElement {
        /// The number due.
        expected: u32,
        /// The number there.
        found: u32,
    },
    /// The newest cells are missing.
    #[error("the proof ends with cell {last}, but the stream's head is cell {head}: the newest cells are withheld")]
    NewestWithheld {
        /// Sequence number of the last cell shown.
        last: u32,
        /// Sequence number of the head.
        head: u32,
    },
    /// Cells of the range may be missing at the beginning.
    #[error(
        "the proof begins with {cell}, but earlier cells reach up to {day_high}, into the range: they are left out"
    )]
    BeginsTooLate {
        /// The first cell shown.
        cell: CellName,
        /// Greatest day of the cells before it.
        day_high: OperatingDay,
    },
    /// More cells than needed.
    #[error("the proof begins earlier than it must: {cell} suffices as its first")]
    BeginsTooEarly {
        /// The cell with which it must begin.
        cell: CellName,
    },
    /// The first cell of the stream is not the stream's.
    #[error("{cell} is the first of another stream: another meter, channel, utility or chain")]
    OtherStream {
        /// The cell.
        cell: CellName,
    },
    /// A cell belongs elsewhere.
    #[error("{cell} is of another meter or channel than the stream")]
    ForeignElement {
        /// The cell.
        cell: CellName,
    },
    /// A cell comes with more or fewer words than asked for.
    #[error("{cell} comes {}, but {} was due", words(*.found), words(*.expected))]
    WrongSections {
        /// The cell.
        cell: CellName,
        /// The level due, or nothing for a body hash.
        expected: Option<Level>,
        /// The level there.
        found: Option<Level>,
    },
    /// The keyring has no key for a cell that the request's segments cover.
    #[error("the keyring has no {level:?} key for {cell} (epoch {epoch}); ask only for the segments that it holds")]
    KeyMissing {
        /// The cell.
        cell: CellName,
        /// The level.
        level: Level,
        /// Its epoch.
        epoch: u32,
    },
    /// Compact form: the hashes do not lead to the head.
    #[error(
        "the cells do not lead to the head that stands under the root: one was altered, or a key is wrong; ask for the \
         explained form to learn which"
    )]
    HeadMismatch,
    /// Explained form: this cell is not the one that its successor, or the root, stands for.
    #[error("{cell} was altered: header, previous hash or a section hash is not what the utility published")]
    AlteredCell {
        /// The cell.
        cell: CellName,
    },
    /// Explained form: the words are not those of the section hash, under the reader's key.
    #[error(
        "{level:?} words of {cell}: they or the reader's key for epoch {epoch} are not those of the published cell; if \
         another vault gives the same words, the delivered key is wrong"
    )]
    SectionMismatch {
        /// The cell.
        cell: CellName,
        /// The level of the section.
        level: Level,
        /// Key epoch of the cell.
        epoch: u32,
    },
    /// The chain of cells is genuine but says a wrong thing about earlier days: the utility's fault.
    #[error("{cell} was published with a wrong statement that earlier cells reach up to {found}; it is {expected}")]
    DayHigh {
        /// The cell.
        cell: CellName,
        /// The greatest day of the cells before it.
        expected: OperatingDay,
        /// The stated one.
        found: OperatingDay,
    },
    /// The chain of cells is genuine but revisions of a day do not count up from 0: the utility's fault.
    #[error("{cell} was published where revision {expected} of the day was due")]
    Revision {
        /// The cell.
        cell: CellName,
        /// The revision due.
        expected: u16,
    },
}

fn words(level: Option<Level>) -> &'static str {
    match level {
        None => "without words",
        Some(Level::Day) => "with the day's words",
        Some(Level::Hour) => "with words down to the hour",
        Some(Level::Quarter) => "with words down to the quarter-hour",
    }
}

/// Checks that a proof answers a request completely under a finalised root.
///
/// `newest` is the root of the shard's newest batch in the newest finalised block that the caller knows, learnt no worse
/// than `root`; where they are the same, give it twice. It decides whether the result says `Current` or `Historic`, so it
/// too is a [`FinalizedRoot`] and never the serving vault's word. `keyring` must hold the keys of all segments of the
/// request, at its level.
///
/// # Errors
/// [`VerifyError`] says what does not hold; after [`VerifyError::HeadMismatch`] the explained form names the cell.
pub fn verify_range(
    request: &RangeRequest,
    proof: &RangeProof,
    root: &FinalizedRoot,
    newest: &FinalizedRoot,
    keyring: &Keyring,
) -> Result<VerifiedRange, VerifyError> {
    check_root(&request.stream, root)?;
    let currency = currency(root, newest)?;
    check_path(request, proof, root)?;
    check_order(request, proof)?;
    let hashes = Chain { request, cursor: keyring.cursor() };
    let cells = match proof.form {
        Form::Compact => hashes.compact(proof)?,
        Form::Explained => hashes.explained(proof)?,
    };
    let mut verified = VerifiedRange {
        stream: request.stream,
        range: request.range,
        level: request.level,
        root: *root,
        currency,
        days: BTreeMap::new(),
        places: Vec::with_capacity(proof.elements.len()),
        closed: None,
        head_sequence: proof.path.leaf.sequence,
        head_hash: proof.path.leaf.hash,
    };
    let mut before: Option<Header> = None;
    for cell in cells {
        let header = cell.header;
        let name = CellName::from(&header);
        if let Some(before) = before {
            let expected = before.day_high.max(before.day);
            if header.day_high != expected {
                return Err(VerifyError::DayHigh { cell: name, expected, found: header.day_high });
            }
        }
        before = Some(header);
        let high = header.day_high.max(header.day);
        verified.places.push(CellPlace { sequence: header.sequence, day: header.day, high, hash: cell.hash });
        verified.add(cell).map_err(|expected| VerifyError::Revision { cell: name, expected })?;
    }
    Ok(verified)
}

/// Checks that nothing had been published about a meter's channels under a finalised root; `newest` as for
/// [`verify_range`].
///
/// # Errors
/// [`VerifyError`] if the root is of another chain or utility than the stream, or `newest` does not fit it; otherwise the
/// inner error says why the proof of absence does not hold.
pub fn verify_absence(
    stream: &StreamId,
    channels: Channels,
    proof: &AbsenceProof,
    root: &FinalizedRoot,
    newest: &FinalizedRoot,
) -> Result<Result<Currency, AbsenceError>, VerifyError> {
    check_root(stream, root)?;
    let currency = currency(root, newest)?;
    let absent = proof.verify(&stream.meter, channels, root.shard(), root.batch_sequence(), root.root());
    Ok(absent.map(|()| currency))
}

/// What a root is beside the shard's newest.
fn currency(root: &FinalizedRoot, newest: &FinalizedRoot) -> Result<Currency, VerifyError> {
    let (batch_sequence, newest_sequence) = (root.batch_sequence(), newest.batch_sequence());
    match newest_sequence.cmp(&batch_sequence) {
        _ if newest.shard() != root.shard() => {}
        Ordering::Greater => return Ok(Currency::Historic { newest_sequence }),
        Ordering::Equal if newest.root() == root.root() => return Ok(Currency::Current),
        Ordering::Equal | Ordering::Less => {}
    }
    Err(VerifyError::NotTheNewest { newest_sequence, batch_sequence })
}

/// The root must be one that the stream can stand under.
fn check_root(stream: &StreamId, root: &FinalizedRoot) -> Result<(), VerifyError> {
    let shard = root.shard();
    if shard.genesis != stream.genesis {
        return Err(VerifyError::WrongGenesis { root: shard.genesis, request: stream.genesis });
    }
    if shard.utility != stream.utility {
        return Err(VerifyError::WrongUtility { root: shard.utility, request: stream.utility });
    }
    if !shard.contains(&stream.meter) {
        return Err(VerifyError::WrongShard { meter: stream.meter, root_shard: shard.id });
    }
    Ok(())
}

/// The head must be the stream's, and stand under the root.
fn check_path(request: &RangeRequest, proof: &RangeProof, root: &FinalizedRoot) -> Result<(), VerifyError> {
    let leaf = &proof.path.leaf;
    if proof.form != request.form {
        return Err(VerifyError::WrongForm { expected: request.form, found: proof.form });
    }
    if leaf.meter != request.stream.meter {
        return Err(VerifyError::WrongMeter { expected: request.stream.meter, found: leaf.meter });
    }
    if leaf.channel != request.stream.channel {
        return Err(VerifyError::WrongChannel);
    }
    let batch_sequence = root.batch_sequence();
    if proof.path.root(root.shard(), batch_sequence)? != *root.root() {
        return Err(VerifyError::NotUnderRoot { sequence: leaf.sequence, batch_sequence });
    }
    Ok(())
}

/// The cells must be consecutive, begin where they must and end with the head.
fn check_order(request: &RangeRequest, proof: &RangeProof) -> Result<(), VerifyError> {
    let first = &proof.elements.first().ok_or(VerifyError::Empty)?.header;
    let mut last = first.sequence;
    for (position, Element { header, .. }) in proof.elements.iter().enumerate() {
        let expected = u32::try_from(position).ok().and_then(|position| first.sequence.checked_add(position));
        last = expected.unwrap_or(u32::MAX);
        if header.sequence != last {
            return Err(VerifyError::MissingElement { expected: last, found: header.sequence });
        }
        if (header.meter, header.channel) != (request.stream.meter, request.stream.channel) {
            return Err(VerifyError::ForeignElement { cell: header.into() });
        }
    }
    let head = proof.path.leaf.sequence;
    if last < head {
        return Err(VerifyError::NewestWithheld { last, head });
    }
    if last > head {
        return Err(VerifyError::MissingElement { expected: head, found: last });
    }
    if !begins(first, request.range) {
        return Err(VerifyError::BeginsTooLate { cell: first.into(), day_high: first.day_high });
    }
    if first.sequence == 0 && first.previous != first_previous(&request.stream) {
        return Err(VerifyError::OtherStream { cell: first.into() });
    }
    match proof.elements.get(1) {
        Some(second) if begins(&second.header, request.range) => {
            Err(VerifyError::BeginsTooEarly { cell: (&second.header).into() })
        }
        _ => Ok(()),
    }
}

/// Computes the hashes of a proof's cells with the reader's keys.
struct Chain<'a> {
    request: &'a RangeRequest,
    cursor: Cursor<'a>,
}

impl Chain<'_> {
    /// Forwards, each hash being the next cell's previous one; only the last can be compared.
    fn compact(mut self, proof: &RangeProof) -> Result<Vec<VerifiedCell>, VerifyError> {
        let mut cells = Vec::with_capacity(proof.elements.len());
        let mut previous = proof.elements.first().map(|element| element.header.previous).unwrap_or_default();
        for element in &proof.elements {
            let header = Header { previous, ..element.header };
            let (body, sections) = self.body(&header, &element.body)?;
            previous = cell_hash(&header, &body);
            cells.push(VerifiedCell { header, hash: previous, sections });
        }
        if previous == proof.path.leaf.hash {
            Ok(cells)
        } else {
            Err(VerifyError::HeadMismatch)
        }
    }

    /// Backwards from the head, whose hash the root proves: each genuine header proves the hash of the cell before, so
    /// the first that does not fit is the one that was altered. Then the words, whose section hashes are genuine by then.
    fn explained(mut self, proof: &RangeProof) -> Result<Vec<VerifiedCell>, VerifyError> {
        let mut due = proof.path.leaf.hash;
        for Element { header, body } in proof.elements.iter().rev() {
            let cell = CellName::from(header);
            let stated = match body {
                Body::Hidden(body) => *body,
                Body::Opened { hashes: [Some(day), Some(hour), Some(quarter)], .. } => {
                    body_hash(&[*day, *hour, *quarter])
                }
                Body::Opened { .. } => return Err(VerifyError::AlteredCell { cell }),
            };
            if cell_hash(header, &stated) != due {
                return Err(VerifyError::AlteredCell { cell });
            }
            due = header.previous;
        }
        let mut cells = Vec::with_capacity(proof.elements.len());
        for Element { header, body } in &proof.elements {
            let (body, sections) = self.body(header, body)?;
            cells.push(VerifiedCell { header: *header, hash: cell_hash(header, &body), sections });
        }
        Ok(cells)
    }

    /// The body hash, with the section hashes computed from the words wherever there are words.
    fn body(&mut self, header: &Header, body: &Body) -> Result<(Hash, Option<Sections>), VerifyError> {
        let expected = self.request.opens(header).then_some(self.request.level);
        let cell = CellName::from(header);
        let (level, words, stated) = match body {
            Body::Hidden(hash) if expected.is_none() => return Ok((*hash, None)),
            Body::Hidden(_) => return Err(VerifyError::WrongSections { cell, expected, found: None }),
            Body::Opened { level, words, hashes } => (*level, words, hashes),
        };
        let wrong = VerifyError::WrongSections { cell, expected, found: Some(level) };
        if expected != Some(level) {
            return Err(wrong);
        }
        let mut hashes = [Hash::default(); 3];
        for here in Level::ALL {
            let stated = stated.get(place(here)).copied().flatten();
            let Some((slot, words)) = hashes.get_mut(place(here)).zip(words.get(place(here))) else {
                return Err(wrong);
            };
            if here > level {
                *slot = stated.filter(|_| words.is_empty()).ok_or(wrong.clone())?;
                continue;
            }
            if words.len() != header.section_len(here) {
                return Err(wrong);
            }
            let missing = VerifyError::KeyMissing { cell, level: here, epoch: header.epoch };
            let kc = self.cursor.kc(header, here).ok_or(missing)?;
            *slot = section_hash(&kc, header.channel, here, words);
            if stated.is_some_and(|stated| stated != *slot) {
                return Err(VerifyError::SectionMismatch { cell, level: here, epoch: header.epoch });
            }
        }
        let words = words.clone();
        Ok((body_hash(&hashes), Some(Sections { level, words, hashes })))
    }
}
