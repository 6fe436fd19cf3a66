//! The allow-list: every call that a signed extrinsic may carry, and its class. What is not listed is refused.
//!
//! There are no fees, so nothing but this list, the budgets and the weights stands between a participant and the blocks.
//! Each match is exhaustive over the pallets that anybody but the council may call, so that a new call must be placed here.

use crate::{configs::MaxProposalWeight, RuntimeCall};
use pallet_participants::{CallClass, Classify};

/// Longest encoded proposal of a motion, bytes. A runtime's code does not go through a motion: its hash does
/// (`system.authorize_upgrade`).
const LONGEST_PROPOSAL: u32 = 65_536;
/// Largest proof size of a motion, bytes. This chain proves nothing; the bound keeps the figure from being nonsense.
const LARGEST_PROOF: u64 = 4 * 1024 * 1024;
/// Fewest votes of a motion: with fewer than two, `propose` carries its call out at once and so is a member's free
/// computation.
const FEWEST_VOTES: u32 = 2;

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

/// What these calls declare is their sender's choice, and room in the block is kept for it before they run: it is
/// bounded here by what a motion of this council can need.
fn council(call: &pallet_collective::Call<crate::Runtime, crate::configs::CouncilInstance>) -> Option<CallClass> {
    use pallet_collective::Call;
    match call {
        Call::vote { .. } => Some(CallClass::Council),
        Call::propose { threshold, length_bound, .. } => {
            let bounded = *threshold >= FEWEST_VOTES && *length_bound <= LONGEST_PROPOSAL;
            bounded.then_some(CallClass::Council)
        }
        Call::close { proposal_weight_bound, length_bound, .. } => {
            let bounded = proposal_weight_bound.ref_time() <= MaxProposalWeight::get().ref_time()
                && proposal_weight_bound.proof_size() <= LARGEST_PROOF
                && *length_bound <= LONGEST_PROPOSAL;
            bounded.then_some(CallClass::Council)
        }
        // `execute` would be a member's free computation; the rest is Root's.
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{configs::CouncilInstance, Hash, Runtime};
    use frame_support::{dispatch::GetDispatchInfo, weights::Weight};

    type Council = pallet_collective::Call<Runtime, CouncilInstance>;

    fn class(call: Council) -> Option<CallClass> {
        AllowList::classify(&call.into())
    }

    fn close(ref_time: u64, proof_size: u64, length_bound: u32) -> Council {
        let proposal_weight_bound = Weight::from_parts(ref_time, proof_size);
        Council::close { proposal_hash: Hash::zero(), index: 0, proposal_weight_bound, length_bound }
    }

    fn propose(threshold: u32, length_bound: u32) -> Council {
        let remark: RuntimeCall = frame_system::Call::<Runtime>::remark { remark: vec![] }.into();
        Council::propose { threshold, proposal: Box::new(remark), length_bound }
    }

    #[test]
    fn a_motion_is_closed_with_bounds_that_a_motion_can_need() {
        let longest = MaxProposalWeight::get().ref_time();
        assert_eq!(class(close(longest, 4_194_304, 65_536)), Some(CallClass::Council));
        assert_eq!(class(close(0, 0, 0)), Some(CallClass::Council));
        assert_eq!(class(close(longest + 1, 0, 0)), None);
        assert_eq!(class(close(0, 4_194_305, 0)), None);
        assert_eq!(class(close(0, 0, 65_537)), None);
        assert_eq!(class(close(u64::MAX, u64::MAX, u32::MAX)), None);
    }

    #[test]
    fn a_motion_needs_two_votes_and_is_short() {
        assert_eq!(class(propose(2, 65_536)), Some(CallClass::Council));
        assert_eq!(class(propose(32, 10)), Some(CallClass::Council));
        for threshold in [0, 1] {
            assert_eq!(class(propose(threshold, 10)), None);
        }
        assert_eq!(class(propose(2, 65_537)), None);
    }

    #[test]
    fn votes_are_listed_and_free_computation_is_not() {
        let vote = Council::vote { proposal: Hash::zero(), index: 0, approve: true };
        assert_eq!(class(vote), Some(CallClass::Council));
        let remark: RuntimeCall = frame_system::Call::<Runtime>::remark { remark: vec![] }.into();
        assert_eq!(class(Council::execute { proposal: Box::new(remark.clone()), length_bound: 9 }), None);
        assert_eq!(class(Council::set_members { new_members: vec![], prime: None, old_count: 0 }), None);
        assert_eq!(AllowList::classify(&remark), None);
    }

    /// The heaviest motion that is listed fits several times into a member's budget.
    #[test]
    fn the_heaviest_listed_call_leaves_room_in_a_budget() {
        use frame_support::traits::Get;
        let heaviest = close(MaxProposalWeight::get().ref_time(), LARGEST_PROOF, LONGEST_PROPOSAL);
        let declared = heaviest.get_dispatch_info().call_weight.ref_time();
        let member = <pallet_participants::StandardAllowances as Get<pallet_participants::Allowances>>::get().member;
        assert!(declared > MaxProposalWeight::get().ref_time());
        assert!(declared.saturating_mul(16) <= member.ref_time);
    }
}
