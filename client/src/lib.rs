//! The client of Wattseal: what utilities, customers and vendors do with a node, as a library and as the command
//! `wattseal`.
//!
//! It trusts no vault: readings are accepted only under a root that an own node or a quorum of members' nodes states
//! for a finalised block ([`roots`]), with a proof that nothing is missing and nothing newer exists ([`reading`]). It
//! holds no Substrate crate: the chain is spoken to through subxt, and only in [`chain`].
//!
//! - Who one is: [`account`], [`profile`]. Where the chain is: [`chain`], [`node_rpc`].
//! - A utility registers meters, prints tickets, serves its feed: [`utility`], [`serve`].
//! - A customer claims a meter, signs, reads: [`customer`]. A vendor asks, collects keys, fetches: [`vendor`].
//! - Files for spreadsheets and programs: [`export`]. What stands on chain, for people: [`inspect`].

pub mod account;
pub mod chain;
pub mod cli;
pub mod customer;
pub mod delivery;
pub mod error;
pub mod export;
pub mod files;
pub mod inspect;
pub mod links;
pub mod node_rpc;
pub mod profile;
pub mod reading;
pub mod records;
pub mod roots;
pub mod serve;
pub mod utility;
pub mod vendor;

pub use account::{Account, Phrase};
pub use chain::{Call, Chain, ChainAt, Included};
pub use customer::Customer;
pub use error::{ClientError, ExitCode};
pub use links::Statement;
pub use node_rpc::NodeRpc;
pub use profile::Profile;
pub use reading::Fetched;
pub use roots::{Access, RootSource};
pub use vendor::Vendor;

/// Blocks for which a statement signed by this client may be included: nine minutes.
pub const STATEMENT_BLOCKS: u32 = 256;

/// Result of this crate.
pub type Result<T, E = ClientError> = core::result::Result<T, E>;
