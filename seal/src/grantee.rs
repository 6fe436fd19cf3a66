//! The grantee of a consent: a hash of the vendor's short name and of a secret made for one request (protocol section 7).
//!
//! The chain shows only the hash, so nobody can tell from it which vendor reads which meter: the secret hides it, not the
//! name. Whoever has to check it (the vault that serves, the utility that delivers) is shown the secret. The name and not
//! an account stands in it, so that a vendor which changes its account keeps its consents, and the old account loses them
//! in the same block.

use crate::{
    hash::{public_hash, Tag},
    types::{Hash, OrganisationId},
};
use core::fmt;
use subtle::ConstantTimeEq;

/// The 32 random bytes that a vendor makes for one request. Whoever knows them can link the consent to the
/// vendor, so they are never printed for debugging.
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

/// The hash that stands for a vendor in one consent.
pub fn grantee_hash(vendor: &OrganisationId, secret: &[u8; 32]) -> Hash {
    public_hash(Tag::GRANTEE, &[vendor.padded(), secret])
}

/// Whether vendor and secret are those behind `grantee`; takes the same time whatever differs. Without a secret (all zero)
/// nobody is: such a hash hides nothing.
pub fn is_grantee(grantee: &Hash, vendor: &OrganisationId, secret: &[u8; 32]) -> bool {
    *secret != GranteeSecret::NONE.0 && bool::from(grantee_hash(vendor, secret).ct_eq(grantee))
}
