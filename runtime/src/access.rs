//! The allow-list: every call that a signed extrinsic may carry, and its class. What is not listed is refused.
//!
//! There are no fees, so nothing but this list, the budgets and the weights stands between a participant and the blocks.
//! Each match is exhaustive over the pallets that anybody but the council may call, so that a new call must be placed here.

use crate::RuntimeCall;
use pallet_participants::{CallClass, Classify};

/// The list.
pub struct AllowList;

impl Classify<RuntimeCall> for AllowList {
    fn classify(call: &RuntimeCall) -> Option<CallClass> {
        match call {
            RuntimeCall::Participants(call) => participants(call),
            RuntimeCall::Meters(call) => meters(call),
            RuntimeCall::Usage(call) => usage(call),
            RuntimeCall::Consents(call) => consents(call),
            RuntimeCall::Council(call) => council(call),
            // Root reaches these through `participants.enact`; `remark` would be free space for anybody.
            RuntimeCall::System(_)
            | RuntimeCall::Timestamp(_)
            | RuntimeCall::Grandpa(_)
            | RuntimeCall::CouncilMembership(_) => None,
        }
    }
}

fn participants(call: &pallet_participants::Call<crate::Runtime>) -> Option<CallClass> {
    use pallet_participants::Call;
    match call {
        // Vendors are admitted by the grid operator's own account; everybody else's admission fails in the call.
        Call::admit { .. }
        | Call::set_kem_key { .. }
        | Call::set_endpoint { .. }
        | Call::rotate_account { .. }
        | Call::set_duty_account { .. } => Some(CallClass::Registration),
        // Only motions of the council carry these.
        Call::enact { .. } | Call::suspend { .. } | Call::reinstate { .. } | Call::replace_account { .. } => None,
        Call::__Ignore(..) => None,
    }
}

fn meters(call: &pallet_meters::Call<crate::Runtime>) -> Option<CallClass> {
    use pallet_meters::Call;
    match call {
        Call::sync { .. } => Some(CallClass::Registration),
        Call::claim { .. } => Some(CallClass::Statement),
        Call::close { .. } => Some(CallClass::AccessEnd),
        Call::__Ignore(..) => None,
    }
}

fn usage(call: &pallet_usage::Call<crate::Runtime>) -> Option<CallClass> {
    use pallet_usage::Call;
    match call {
        Call::commit_batch { .. } => Some(CallClass::Commitment),
        Call::set_shard_bits { .. } => Some(CallClass::Registration),
        // Root.
        Call::set_calendar { .. } => None,
        Call::__Ignore(..) => None,
    }
}

fn consents(call: &pallet_consent::Call<crate::Runtime>) -> Option<CallClass> {
    use pallet_consent::Call;
    match call {
        Call::consent { .. } => Some(CallClass::Statement),
        Call::revoke { .. } | Call::narrow { .. } | Call::give_back { .. } | Call::expire { .. } => {
            Some(CallClass::AccessEnd)
        }
        Call::deliver { .. } | Call::deliver_meter_key { .. } => Some(CallClass::Delivery),
        // Root.
        Call::set_longest_term { .. } => None,
        Call::__Ignore(..) => None,
    }
}

fn council(call: &pallet_collective::Call<crate::Runtime, crate::configs::CouncilInstance>) -> Option<CallClass> {
    use pallet_collective::Call;
    match call {
        Call::propose { .. } | Call::vote { .. } | Call::close { .. } => Some(CallClass::Council),
        // `execute` would be a member's free computation; the rest is Root's.
        _ => None,
    }
}
