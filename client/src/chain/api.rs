//! The chain's calls, storage and runtime APIs as its metadata describes them (`client/metadata.scale`, refreshed with
//! `wattseal inspect metadata`). Types that this client has itself, or that `sealed-register` has, take the place of
//! generated ones. Every use is checked against the hash of the live chain's description first, so a client never sends
//! or decodes something of another shape.

// Generated: neither its documentation nor its style is ours.
#[allow(missing_docs, dead_code, clippy::all, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#[subxt::subxt(
    runtime_metadata_path = "metadata.scale",
    substitute_type(
        path = "sealed_register::types::MeterId",
        with = "::subxt::utils::Static<::sealed_register::MeterId>"
    ),
    substitute_type(
        path = "sealed_register::types::OperatingDay",
        with = "::subxt::utils::Static<::sealed_register::OperatingDay>"
    ),
    substitute_type(
        path = "sealed_register::types::DayRange",
        with = "::subxt::utils::Static<::sealed_register::DayRange>"
    ),
    substitute_type(
        path = "sealed_register::types::Channels",
        with = "::subxt::utils::Static<::sealed_register::Channels>"
    ),
    substitute_type(path = "sealed_register::types::Level", with = "::subxt::utils::Static<::sealed_register::Level>"),
    substitute_type(
        path = "sealed_register::delivery::ConsentTerms",
        with = "::subxt::utils::Static<::sealed_register::delivery::ConsentTerms>"
    ),
    substitute_type(
        path = "sealed_register::delivery::Segment",
        with = "::subxt::utils::Static<::sealed_register::delivery::Segment>"
    ),
    substitute_type(
        path = "sealed_register::delivery::Deliverer",
        with = "::subxt::utils::Static<::sealed_register::delivery::Deliverer>"
    ),
    substitute_type(
        path = "wattseal_primitives::meters::MeterEntry",
        with = "::subxt::utils::Static<crate::chain::types::MeterEntry>"
    ),
    substitute_type(
        path = "wattseal_primitives::meters::Meter<A, B>",
        with = "::subxt::utils::Static<crate::chain::types::Meter>"
    ),
    substitute_type(
        path = "wattseal_primitives::consent::Consent<A, B>",
        with = "::subxt::utils::Static<crate::chain::types::Consent>"
    ),
    substitute_type(
        path = "wattseal_primitives::consent::DeliverySlot<B>",
        with = "::subxt::utils::Static<crate::chain::types::DeliverySlot>"
    ),
    substitute_type(
        path = "wattseal_primitives::consent::ReadQuery<A>",
        with = "::subxt::utils::Static<crate::chain::types::ReadQuery>"
    ),
    substitute_type(
        path = "wattseal_primitives::consent::ReadRefusal",
        with = "::subxt::utils::Static<crate::chain::types::ReadRefusal>"
    ),
    substitute_type(
        path = "wattseal_primitives::organisations::Organisation<A, B>",
        with = "::subxt::utils::Static<crate::chain::types::Organisation>"
    ),
    substitute_type(
        path = "wattseal_primitives::organisations::KemKey",
        with = "::subxt::utils::Static<crate::chain::types::KemKey>"
    ),
    substitute_type(
        path = "wattseal_primitives::organisations::Duty",
        with = "::subxt::utils::Static<crate::chain::types::Duty>"
    ),
    substitute_type(
        path = "wattseal_primitives::usage::Batch<B>",
        with = "::subxt::utils::Static<crate::chain::types::Batch>"
    ),
    substitute_type(
        path = "wattseal_primitives::usage::ShardState",
        with = "::subxt::utils::Static<crate::chain::types::ShardState>"
    )
)]
mod generated {}

pub(super) use generated::{
    runtime_apis, runtime_types::bounded_collections::bounded_vec::BoundedVec, storage, transactions,
};
