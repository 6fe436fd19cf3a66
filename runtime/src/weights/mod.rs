//! Weights of the SDK's pallets, measured in this runtime.
//!
//! The SDK's own figures stay for pallet-grandpa (its reports have no receiver yet), for one benchmark of pallet-collective
//! that takes another default vote than this council's, for what a database access costs (`ParityDbWeight`), and for what
//! every block and every extrinsic costs besides (`BlockExecutionWeight`, `ExtrinsicBaseWeight`).

pub mod frame_system;
pub mod frame_system_extensions;
pub mod pallet_collective;
pub mod pallet_membership;
pub mod pallet_timestamp;
