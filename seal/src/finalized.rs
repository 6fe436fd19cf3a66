//! Finalised roots: the only thing that a verifier trusts, and how it came to know it (protocol section 6).

use crate::{
    shard::Shard,
    types::{Hash, OrganisationId},
};
use alloc::{collections::BTreeMap, vec::Vec};
use core::fmt;

/// Members' nodes other than the serving vault that must agree in a quorum.
pub const QUORUM: u8 = 3;

/// A block of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockRef {
    /// Number.
    pub number: u32,
    /// Hash.
    pub hash: Hash,
}

/// What the state of one finalised block says about a shard: its newest batch and that batch's root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RootStatement {
    /// The shard.
    pub shard: Shard,
    /// Number of its newest batch in that state.
    pub batch_sequence: u32,
    /// Root of that batch.
    pub root: Hash,
    /// The block.
    pub block: BlockRef,
}

/// How a finalised root was learnt. It stays with everything that was verified against it, and every export prints it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Provenance {
    /// From the finalised state of the verifier's own node.
    OwnNode,
    /// From a light client: GRANDPA finality and a storage proof.
    LightClient,
    /// From members' nodes that said the same; the serving vault is not among them.
    Quorum {
        /// How many agreed, at least [`QUORUM`] and more than half of those that answered.
        members: u8,
        /// How many answered.
        answered: u8,
    },
}

impl fmt::Display for Provenance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OwnNode => f.write_str("finalised state of the verifier's own node"),
            Self::LightClient => f.write_str("light client (GRANDPA finality and storage proof)"),
            Self::Quorum { members, answered } => {
                write!(f, "the same answer from {members} of {answered} members' nodes, none of them the serving vault")
            }
        }
    }
}

/// The root of a shard's heads in a finalised block, with the way it was learnt.
///
/// The constructors are the three ways that the protocol allows; each states what the caller has done before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FinalizedRoot {
    statement: RootStatement,
    provenance: Provenance,
}

impl FinalizedRoot {
    /// A root read by the verifier's own full node from the state of a block that this node holds for finalised.
    pub fn from_own_node(statement: RootStatement) -> Self {
        Self { statement, provenance: Provenance::OwnNode }
    }

    /// A root whose block was proved final by GRANDPA's justification and whose value was proved by a storage proof
    /// against that block's state root; both checks lie behind the caller.
    pub fn from_light_client(statement: RootStatement) -> Self {
        Self { statement, provenance: Provenance::LightClient }
    }

    /// A root that members' nodes state alike for the same finalised block.
    ///
    /// `serving` is the organisation whose vault serves the readings: its own answer does not count. Several answers of
    /// one organisation count once, and not at all if they differ.
    ///
    /// # Errors
    /// [`QuorumError`] if fewer than [`QUORUM`] members agree, or they are not more than half of those that answered.
    pub fn from_quorum(
        serving: &OrganisationId,
        answers: &[(OrganisationId, RootStatement)],
    ) -> Result<Self, QuorumError> {
        // `None`: this member said two different things.
        let mut by_member: BTreeMap<OrganisationId, Option<RootStatement>> = BTreeMap::new();
        for (member, statement) in answers.iter().filter(|(member, _)| member != serving) {
            by_member
                .entry(*member)
                .and_modify(|said| *said = said.filter(|earlier| earlier == statement))
                .or_insert(Some(*statement));
        }
        let mut votes: BTreeMap<RootStatement, usize> = BTreeMap::new();
        for statement in by_member.values().flatten() {
            *votes.entry(*statement).or_default() += 1;
        }
        let answered = by_member.len();
        let most = votes.into_iter().max_by_key(|(_, count)| *count);
        let (statement, agreeing) = most.ok_or(QuorumError::TooFew { agreeing: 0 })?;
        if agreeing < usize::from(QUORUM) {
            return Err(QuorumError::TooFew { agreeing });
        }
        if agreeing * 2 <= answered {
            let agreed = |said: &Option<RootStatement>| *said == Some(statement);
            let others = by_member.into_iter().filter(|(_, said)| !agreed(said)).map(|(member, _)| member);
            return Err(QuorumError::Divided { agreeing, answered, others: others.collect() });
        }
        let capped = |count: usize| u8::try_from(count).unwrap_or(u8::MAX);
        let provenance = Provenance::Quorum { members: capped(agreeing), answered: capped(answered) };
        Ok(Self { statement, provenance })
    }

    /// The shard.
    pub fn shard(&self) -> &Shard {
        &self.statement.shard
    }

    /// Number of the batch whose root this is.
    pub fn batch_sequence(&self) -> u32 {
        self.statement.batch_sequence
    }

    /// The root.
    pub fn root(&self) -> &Hash {
        &self.statement.root
    }

    /// The finalised block in whose state it stands.
    pub fn block(&self) -> &BlockRef {
        &self.statement.block
    }

    /// How it was learnt.
    pub fn provenance(&self) -> Provenance {
        self.provenance
    }
}

/// Why members' answers make no quorum.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuorumError {
    /// Not enough members say the same.
    #[error(
        "only {agreeing} members' nodes other than the serving vault state the same root, and {QUORUM} must; ask more \
         members about the same finalised block"
    )]
    TooFew {
        /// The largest number that agreed.
        agreeing: usize,
    },
    /// As many or more contradict.
    #[error(
        "only {agreeing} of {answered} members' nodes state the same root for this block; two finalised truths are a \
         fault of the chain or of these members, tell the council: {}",
        Names(others)
    )]
    Divided {
        /// How many agreed.
        agreeing: usize,
        /// How many answered.
        answered: usize,
        /// Members that said something else, or different things.
        others: Vec<OrganisationId>,
    },
}

struct Names<'a>(&'a [OrganisationId]);

impl fmt::Display for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, name) in self.0.iter().enumerate() {
            let separator = if position == 0 { "" } else { ", " };
            write!(f, "{separator}{name}")?;
        }
        Ok(())
    }
}
