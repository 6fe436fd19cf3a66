//! BLAKE3 as the protocol uses it (section 4): each input is an 8-byte tag, one per purpose, and fixed-width fields;
//! secrets are used as keys, public hashes are keyed with a constant of the same purpose.

use crate::types::Hash;

/// The purpose of a hash: eight bytes that begin every input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag(pub &'static [u8; 8]);

/// A hasher keyed with a secret.
pub fn keyed(secret: &[u8; 32], tag: Tag) -> blake3::Hasher {
    let mut hasher = blake3::Hasher::new_keyed(secret);
    hasher.update(tag.0);
    hasher
}

/// The key of public data: the tag repeated, so that no two purposes ever share a function.
fn public_key(tag: Tag) -> [u8; 32] {
    let mut key = [0; 32];
    for part in key.chunks_exact_mut(8) {
        part.copy_from_slice(tag.0);
    }
    key
}

/// A hasher for public data.
pub fn public(tag: Tag) -> blake3::Hasher {
    keyed(&public_key(tag), tag)
}

/// One public hash over fields in order.
pub fn public_hash(tag: Tag, fields: &[&[u8]]) -> Hash {
    keyed_hash(&public_key(tag), tag, fields)
}

/// One keyed hash over fields in order.
pub fn keyed_hash(secret: &[u8; 32], tag: Tag, fields: &[&[u8]]) -> Hash {
    // Fields laid out side by side need no incremental hasher, which costs as much as hashing a block. Most inputs are
    // below 192 bytes; the words of a day fit into one BLAKE3 chunk.
    let short = laid_out::<192>(secret, tag, fields);
    short.or_else(|| laid_out::<1024>(secret, tag, fields)).unwrap_or_else(|| long_hash(secret, tag, fields))
}

/// The hash of an input of at most `N` bytes, tag included.
fn laid_out<const N: usize>(secret: &[u8; 32], tag: Tag, fields: &[&[u8]]) -> Option<Hash> {
    let mut message = [0; N];
    let mut length = 0;
    for field in core::iter::once(tag.0.as_slice()).chain(fields.iter().copied()) {
        message.get_mut(length..)?.get_mut(..field.len())?.copy_from_slice(field);
        length += field.len();
    }
    Some(*blake3::keyed_hash(secret, &message[..length]).as_bytes())
}

fn long_hash(secret: &[u8; 32], tag: Tag, fields: &[&[u8]]) -> Hash {
    let mut hasher = keyed(secret, tag);
    for field in fields {
        hasher.update(field);
    }
    *hasher.finalize().as_bytes()
}

/// The one table of purposes: `Tag::NAME` each, and the list that a test compares for equal tags.
macro_rules! tags {
    ($($(#[$doc:meta])* $name:ident = $bytes:literal;)*) => {
        impl Tag {
            $($(#[$doc])* pub const $name: Self = Self($bytes);)*
            /// Every purpose with its name.
            pub const ALL: &'static [(&'static str, Self)] = &[$((stringify!($name), Self::$name)),*];
        }
    };
}

tags! {
    // --- keys and cells (secrets, tree, cell) ---
    /// Check value of a utility's secret: shows a changed key without showing the key.
    CHECK_VALUE = b"ws/check";
    /// MeterId of one tenancy of an ESI ID, keyed with the utility's `id` secret.
    METER_ID = b"ws/meter";
    /// K_meter, keyed with the utility's `seal` secret.
    METER_KEY = b"ws/kmetr";
    /// K(meter, epoch), keyed with K_meter.
    EPOCH_KEY = b"ws/epoch";
    /// Root seed of the tree of one channel and level, keyed with K(meter, epoch).
    TREE_ROOT = b"ws/troot";
    /// Both children of a tree node, keyed with the node's seed.
    TREE_CHILDREN = b"ws/child";
    /// The 128 bits of a claim ticket, keyed with the utility's `ticket` secret.
    TICKET_BITS = b"ws/tickt";
    /// One-time pads of the words of one day and level, keyed with the day's leaf.
    PADS = b"ws/pads_";
    /// Nonce of a cell, keyed with the utility's `siv` secret over everything that the cell says.
    NONCE = b"ws/nonce";
    /// Commitment to a leaf key, public constant as key.
    KEY_COMMITMENT = b"ws/kcomm";
    /// Section of a cell: key commitment and sealed words of one level.
    SECTION = b"ws/sectn";
    /// Body of a cell: its three section hashes.
    BODY = b"ws/body_";
    /// Cell: header and body.
    CELL = b"ws/cell_";
    /// What stands for the previous cell in the first cell of a stream.
    FIRST_PREVIOUS = b"ws/first";
    // --- shards, batches and proofs ---
    /// One stream's head, as a leaf of its shard's tree (protocol section 5).
    HEAD_LEAF = b"headleaf";
    /// Two nodes of a shard's tree, as their parent.
    HEAD_NODE = b"headnode";
    /// The root of a shard's tree with genesis, utility, shard, batch sequence and leaf count.
    HEADS_ROOT = b"headroot";
    /// One chunk of a batch's body.
    BODY_CHUNK = b"bodychnk";
    /// A batch's body: the hashes of its chunks.
    BATCH_BODY = b"batchbdy";
    // --- who may open, and who says so ---
    /// A vendor's short name and secret, as one grantee (protocol section 7).
    GRANTEE = b"ws/grant";
    /// The hash that stands for an X-Wing public key.
    KEM_KEY = b"ws/kempk";
    /// The randomness of one encapsulation, from the caller's seed.
    KEM_RANDOMNESS = b"ws/kemrn";
    /// The text of a signed statement: a consent's identifier, a request's hash, a receipt's hash.
    STATEMENT = b"ws/stmnt";
    /// The words that a person reads before signing, with their language.
    PLAIN_WORDS = b"ws/words";
    /// The sr25519 mini secret of a claim ticket.
    TICKET_KEY = b"ws/tkkey";
    /// The bytes of a delivery as they stand in a block.
    DELIVERY = b"ws/deliv";
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn every_purpose_has_its_own_tag() {
        for (at, (name, tag)) in Tag::ALL.iter().enumerate() {
            assert!(!Tag::ALL[..at].iter().any(|(_, earlier)| earlier == tag), "{name} has the tag of another purpose");
        }
    }

    #[test]
    fn short_and_long_inputs_are_hashed_alike() {
        for length in [0, 1, 100, 184, 185, 1016, 1017, 2000] {
            let field = vec![7; length];
            for fields in [vec![field.as_slice()], vec![&field[..length / 2], &field[length / 2..]]] {
                assert_eq!(
                    keyed_hash(&[1; 32], Tag::CELL, &fields),
                    *keyed(&[1; 32], Tag::CELL).update(&field).finalize().as_bytes()
                );
                assert_eq!(public_hash(Tag::CELL, &fields), *public(Tag::CELL).update(&field).finalize().as_bytes());
            }
        }
    }
}
