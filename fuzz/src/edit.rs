//! Bytes to try: any, or an honest example with edits.

use arbitrary::Unstructured;

/// Most edits of one example.
const MOST_EDITS: usize = 16;

/// Four bytes that counts, lengths and numbers break at.
const EDGES: [u32; 8] = [0, 1, 0x7f, 0xff, 0x7fff, 0xffff, 0x7fff_ffff, 0xffff_ffff];

/// The next byte; 0 at the end.
pub fn byte(input: &mut Unstructured<'_>) -> u8 {
    input.arbitrary().unwrap_or(0)
}

/// A number below `end`, from the next two bytes; 0 if `end` is 0.
pub fn below(input: &mut Unstructured<'_>, end: usize) -> usize {
    let number: u16 = input.arbitrary().unwrap_or(0);
    usize::from(number) % end.max(1)
}

/// One of these.
pub fn choose<'a, T>(input: &mut Unstructured<'_>, from: &'a [T]) -> &'a T {
    &from[usize::from(byte(input)) % from.len()]
}

/// All bytes that are left.
pub fn rest(input: &mut Unstructured<'_>) -> Vec<u8> {
    input.bytes(input.len()).map(<[u8]>::to_vec).unwrap_or_default()
}

/// The rest as it is, or one of the honest examples with the edits that the rest describes.
pub fn any_or_edited(input: &mut Unstructured<'_>, honest: &[Vec<u8>]) -> Vec<u8> {
    match honest.get(usize::from(byte(input)) % (honest.len() + 1)) {
        Some(example) => edited(input, example, honest),
        None => rest(input),
    }
}

/// An example with the edits that `input` describes, until it ends: bytes flipped, set, put in, taken out, exchanged for
/// bytes from elsewhere or from another example. No input, no edit.
pub fn edited(input: &mut Unstructured<'_>, example: &[u8], others: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = example.to_vec();
    for _ in 0..MOST_EDITS {
        if input.is_empty() {
            break;
        }
        edit(input, &mut bytes, others);
    }
    bytes
}

fn edit(input: &mut Unstructured<'_>, bytes: &mut Vec<u8>, others: &[Vec<u8>]) {
    let kind = byte(input) % 8;
    let at = below(input, bytes.len() + 1);
    let length = usize::from(byte(input));
    let end = (at + length).min(bytes.len());
    match kind {
        0 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << (length % 8);
            }
        }
        1 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = u8::try_from(length).unwrap_or_default();
            }
        }
        2 => {
            let new = input.bytes((length % 32).min(input.len())).unwrap_or_default();
            bytes.splice(at..at, new.iter().copied());
        }
        3 => drop(bytes.drain(at..end)),
        4 => {
            // The same bytes again, or in another's place.
            let from = below(input, bytes.len() + 1);
            let part = bytes[from..(from + length).min(bytes.len())].to_vec();
            bytes.splice(at..end, part);
        }
        5 => {
            let Some(other) = others.get(usize::from(byte(input)) % others.len().max(1)) else { return };
            let part = other.get(at..(at + length).min(other.len())).unwrap_or_default();
            bytes.splice(at..end, part.iter().copied());
        }
        6 => {
            let edge = EDGES[length % EDGES.len()].to_le_bytes();
            bytes.iter_mut().skip(at).zip(edge).for_each(|(byte, edge)| *byte = edge);
        }
        // What follows from here on is another's.
        _ => {
            let Some(other) = others.get(length % others.len().max(1)) else { return };
            let from = below(input, other.len() + 1);
            bytes.truncate(at);
            bytes.extend_from_slice(&other[from..]);
        }
    }
}
