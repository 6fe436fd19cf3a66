//! The grantee of a consent: a hash of the vendor's account and of a secret made for one request (protocol section 7).
//!
//! The chain shows only the hash, so nobody can tell from it which vendor reads which meter. Whoever has to check it
//! (the vault that serves, the utility that delivers) is shown account and secret.

use crate::{
    hash::{public_hash, Tag},
    types::Hash,
};
use core::fmt;
use subtle::ConstantTimeEq;

/// The 32 random bytes that a vendor makes for one request. Whoever knows them and the vendor's account can link the
/// consent to the vendor, so they are never printed for debugging.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct GranteeSecret(pub [u8; 32]);

impl GranteeSecret {
    /// All zero: what a customer, who needs no consent, states in a read request.
    pub const NONE: Self = Self([0; 32]);
}

impl fmt::Debug for GranteeSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GranteeSecret(..)")
    }
}

/// The hash that stands for a vendor (by its 32-byte account) in one consent.
pub fn grantee_hash(vendor_account: &[u8; 32], secret: &[u8; 32]) -> Hash {
    public_hash(Tag::GRANTEE, &[vendor_account, secret])
}

/// Whether account and secret are those behind `grantee`; takes the same time whatever differs.
pub fn is_grantee(grantee: &Hash, vendor_account: &[u8; 32], secret: &[u8; 32]) -> bool {
    grantee_hash(vendor_account, secret).ct_eq(grantee).into()
}
