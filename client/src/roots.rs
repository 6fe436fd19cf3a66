//! Where finalised roots come from: an own node, a light client, or a quorum of members' nodes (protocol section 6). Never
//! from the vault that serves the readings.

use crate::{
    chain::{types::ShardState, Chain, ChainAt},
    ClientError, Result,
};
use futures::future::join_all;
use sealed_register::{
    finalized::{BlockRef, FinalizedRoot, RootStatement, QUORUM},
    shard::Shard,
    Hash, MeterId, OrganisationId,
};
use std::time::Duration;

/// How long a node may be behind the vault before a root of the vault's is given up.
const CATCH_UP: Duration = Duration::from_secs(30);

/// Who states roots.
#[derive(Clone, Debug)]
pub enum RootSource {
    /// The verifier's own full node.
    OwnNode(Chain),
    /// A light client in this process ([`Chain::light`]).
    LightClient(Chain),
    /// Nodes of members, of which at least three other than `serving` must agree.
    Quorum {
        /// The nodes, with the organisation that runs each.
        members: Vec<(OrganisationId, Chain)>,
        /// The organisation whose vault serves: its own node does not count.
        serving: OrganisationId,
    },
}

/// What one node's finalised state says about a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShardAnswer {
    /// The newest batch.
    pub newest: RootStatement,
    /// The batch asked for, where it is an older one that the state knows.
    pub older: Option<RootStatement>,
}

/// A finalised root, and that of the shard's newest batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownRoot {
    /// The root of the batch asked for.
    pub root: FinalizedRoot,
    /// The root of the shard's newest batch in the same block; the same where that was asked for.
    pub newest: FinalizedRoot,
}

/// The vault that serves, and those who state roots.
#[derive(Clone, Debug)]
pub struct Access {
    /// The node whose vault is asked.
    pub vault: Chain,
    /// Who states roots.
    pub roots: RootSource,
}

impl Access {
    /// The own node serves and states roots.
    ///
    /// # Errors
    /// [`ClientError::Connection`].
    pub async fn own_node(url: &str) -> Result<Self> {
        let vault = Chain::connect(url).await?;
        Ok(Self { roots: RootSource::OwnNode(vault.clone()), vault })
    }

    /// A stranger's vault serves, the own node states roots.
    ///
    /// # Errors
    /// [`ClientError::Connection`], [`ClientError::Root`] (other chains).
    pub async fn other_vault(vault: &str, own: &str) -> Result<Self> {
        let (vault, own) = (Chain::connect(vault).await?, Chain::connect(own).await?);
        Self { vault, roots: RootSource::OwnNode(own) }.on_one_chain()
    }

    /// A stranger's vault serves; a light client of the chain of this specification states roots. Its head must be
    /// recent, or nothing is read.
    ///
    /// # Errors
    /// [`ClientError::Usage`] (no chain specification), [`ClientError::Connection`], [`ClientError::Root`] (other
    /// chains).
    #[cfg(feature = "light-client")]
    pub async fn light_client(vault: &str, specification: &str) -> Result<Self> {
        let vault = Chain::connect(vault).await?;
        let light = Chain::light(specification).await?;
        Self { vault, roots: RootSource::LightClient(light) }.on_one_chain()
    }

    /// The vault of the member `serving` serves; other members' nodes state roots.
    ///
    /// # Errors
    /// [`ClientError::Connection`], [`ClientError::Usage`] (fewer than three others), [`ClientError::Root`].
    pub async fn quorum(vault: &str, serving: OrganisationId, members: &[(OrganisationId, String)]) -> Result<Self> {
        let mut others: Vec<_> =
            members.iter().map(|(member, _)| *member).filter(|member| *member != serving).collect();
        others.sort();
        others.dedup();
        if others.len() < usize::from(QUORUM) {
            let found = others.len();
            return Err(ClientError::Usage(format!(
                "a quorum needs nodes of at least {QUORUM} members other than {serving}, whose vault serves; there are \
                 {found}"
            )));
        }
        if let Some(url) = twice(vault, serving, members) {
            return Err(ClientError::Usage(format!(
                "{url} is given for two members, or is the serving vault itself: each member answers for itself"
            )));
        }
        let vault = Chain::connect(vault).await?;
        let connecting = members.iter().map(async |(member, url)| Ok((*member, Chain::connect(url).await?)));
        // A member that cannot be reached is one that has not answered; three others may be there.
        let answers: Vec<Result<(OrganisationId, Chain)>> = join_all(connecting).await;
        let connected: Vec<_> = answers.into_iter().filter_map(Result::ok).collect();
        Self { vault, roots: RootSource::Quorum { members: connected, serving } }.on_one_chain()
    }

    fn on_one_chain(self) -> Result<Self> {
        let genesis = self.vault.genesis();
        let other = self.roots.chains().find(|chain| chain.genesis() != genesis).map(|other| other.url().to_owned());
        match other {
            None => Ok(self),
            Some(other) => {
                let vault = self.vault.url();
                Err(ClientError::Root(format!("{vault} and {other} are on different chains: their genesis differs")))
            }
        }
    }

    /// Genesis hash of the chain.
    pub fn genesis(&self) -> Hash {
        self.vault.genesis()
    }

    /// Whose finalised state may be believed: the own node's, the light client's, or in a quorum that of the first node
    /// that answered.
    ///
    /// # Errors
    /// [`ClientError::Quorum`] if no member's node could be reached.
    pub fn chain(&self) -> Result<&Chain> {
        let first = self.roots.chains().next();
        first.ok_or_else(|| sealed_register::finalized::QuorumError::TooFew { agreeing: 0 }.into())
    }

    /// The root of a batch of the meter's shard, by the newest finalised block. Waits a little where the vault is
    /// ahead.
    ///
    /// # Errors
    /// [`ClientError::Root`], [`ClientError::Quorum`], [`ClientError::Connection`].
    pub async fn root(&self, utility: OrganisationId, meter: &MeterId, sequence: u32) -> Result<KnownRoot> {
        let deadline = tokio::time::Instant::now() + CATCH_UP;
        loop {
            let known = self.roots.root(utility, meter, sequence).await?;
            if let Some(known) = known {
                return Ok(known);
            }
            if tokio::time::Instant::now() >= deadline {
                return Err(ClientError::Root(format!(
                    "the vault answers from batch {sequence}, which no node that states roots knows as finalised: the \
                     vault runs ahead of finality or invents it, or the nodes are behind"
                )));
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
}

/// An address that stands for more than one of the vault and the members other than `serving`.
fn twice<'a>(vault: &'a str, serving: OrganisationId, members: &'a [(OrganisationId, String)]) -> Option<&'a str> {
    let others = members.iter().filter(|(member, _)| *member != serving).map(|(_, url)| url.as_str());
    let mut urls: Vec<&str> = others.chain([vault]).map(|url| url.trim_end_matches('/')).collect();
    urls.sort_unstable();
    urls.windows(2).find_map(|pair| match pair {
        [one, other] if one == other => Some(*one),
        _ => None,
    })
}

impl RootSource {
    fn chains(&self) -> impl Iterator<Item = &Chain> {
        let (own, members) = match self {
            Self::OwnNode(own) | Self::LightClient(own) => (Some(own), [].as_slice()),
            Self::Quorum { members, .. } => (None, members.as_slice()),
        };
        own.into_iter().chain(members.iter().map(|(_, chain)| chain))
    }

    /// Nothing if the batch is not there yet.
    async fn root(&self, utility: OrganisationId, meter: &MeterId, sequence: u32) -> Result<Option<KnownRoot>> {
        match self {
            Self::OwnNode(own) => {
                let at = own.finalized().await?;
                let Some(answer) = shard_answer(&at, utility, meter, sequence).await? else { return Ok(None) };
                Ok(one_root(&answer, sequence, FinalizedRoot::from_own_node))
            }
            Self::LightClient(light) => {
                let at = light.finalized().await?;
                if let Some(stale) = at.stale().await? {
                    return Err(ClientError::Root(format!(
                        "the light client's newest finalised {stale}: it is cut off from the network, finality has \
                         stopped, or the clock is wrong"
                    )));
                }
                let Some(answer) = shard_answer(&at, utility, meter, sequence).await? else { return Ok(None) };
                // Finality and proofs were checked by the light client: it has no other way to know a value.
                Ok(one_root(&answer, sequence, FinalizedRoot::from_light_client))
            }
            Self::Quorum { members, serving } => {
                let heads = join_all(members.iter().map(async |(_, chain)| chain.finalized().await)).await;
                // The highest block that a quorum can have finalised alike: the lowest of the heads.
                let numbers = heads.iter().flatten().map(|at| at.block().number);
                let Some(number) = numbers.min() else {
                    return Err(sealed_register::finalized::QuorumError::TooFew { agreeing: 0 }.into());
                };
                let asking = members.iter().map(async |(member, chain)| {
                    let block = chain.canonical(number).await.ok()?;
                    let at = chain.at(&block.hash).await.ok()?;
                    Some((*member, shard_answer(&at, utility, meter, sequence).await.ok()??))
                });
                let answers: Vec<_> = join_all(asking).await.into_iter().flatten().collect();
                agree(serving, &answers, sequence)
            }
        }
    }
}

/// What the state of one block says; nothing if the shard has no batch.
async fn shard_answer(
    at: &ChainAt,
    utility: OrganisationId,
    meter: &MeterId,
    sequence: u32,
) -> Result<Option<ShardAnswer>> {
    let shard = at.shard_of(utility, meter).await?;
    let state = at.shard(utility, shard.id.0).await?;
    let older = match state.next_sequence.checked_sub(1) {
        Some(newest) if sequence < newest => {
            let batch = at.batch(utility, shard.id.0, sequence).await?;
            batch.map(|batch| batch.root)
        }
        _ => None,
    };
    Ok(answer_of(shard, state, older, sequence, at.block()))
}

fn answer_of(
    shard: Shard,
    state: ShardState,
    older: Option<Hash>,
    sequence: u32,
    block: BlockRef,
) -> Option<ShardAnswer> {
    let batch_sequence = state.next_sequence.checked_sub(1)?;
    let newest = RootStatement { shard, batch_sequence, root: state.root, block };
    Some(ShardAnswer { newest, older: older.map(|root| RootStatement { batch_sequence: sequence, root, ..newest }) })
}

/// The root that one source states, whose answer is enough.
fn one_root(answer: &ShardAnswer, sequence: u32, root: fn(RootStatement) -> FinalizedRoot) -> Option<KnownRoot> {
    let newest = root(answer.newest);
    let asked = match newest.batch_sequence() == sequence {
        true => newest,
        false => root(answer.older?),
    };
    Some(KnownRoot { root: asked, newest })
}

/// The root that members' nodes state alike. They must agree on the newest batch, and on the older one where that was
/// asked for. Nothing if the batch is newer than all that they agree on.
///
/// # Errors
/// [`ClientError::Quorum`].
pub fn agree(
    serving: &OrganisationId,
    answers: &[(OrganisationId, ShardAnswer)],
    sequence: u32,
) -> Result<Option<KnownRoot>> {
    let newest: Vec<_> = answers.iter().map(|(member, answer)| (*member, answer.newest)).collect();
    let newest = FinalizedRoot::from_quorum(serving, &newest)?;
    if sequence > newest.batch_sequence() {
        return Ok(None);
    }
    if sequence == newest.batch_sequence() {
        return Ok(Some(KnownRoot { root: newest, newest }));
    }
    let older: Vec<_> = answers.iter().filter_map(|(member, answer)| Some((*member, answer.older?))).collect();
    let root = FinalizedRoot::from_quorum(serving, &older)?;
    Ok(Some(KnownRoot { root, newest }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failed unwrap is a failed test
    use super::*;
    use sealed_register::{finalized::Provenance, shard::ShardId};

    fn name(text: &str) -> OrganisationId {
        text.parse().unwrap()
    }

    fn answer(newest: u32, root: u8, older: Option<(u32, u8)>) -> ShardAnswer {
        let shard = Shard { genesis: [1; 32], utility: name("oncor"), id: ShardId(0), bits: 0 };
        let state = ShardState { next_sequence: newest + 1, root: [root; 32] };
        let block = BlockRef { number: 9, hash: [8; 32] };
        let (sequence, older) = older.map_or((newest, None), |(sequence, root)| (sequence, Some([root; 32])));
        answer_of(shard, state, older, sequence, block).unwrap()
    }

    fn said(members: &[(&str, ShardAnswer)]) -> Vec<(OrganisationId, ShardAnswer)> {
        members.iter().map(|(member, answer)| (name(member), *answer)).collect()
    }

    #[test]
    fn a_shard_without_batches_has_no_root() {
        let shard = Shard { genesis: [1; 32], utility: name("oncor"), id: ShardId(0), bits: 0 };
        let block = BlockRef { number: 9, hash: [8; 32] };
        assert_eq!(answer_of(shard, ShardState::default(), None, 0, block), None);
    }

    #[test]
    fn one_source_gives_the_newest_and_older_roots_and_nothing_newer() {
        let newest = one_root(&answer(5, 50, None), 5, FinalizedRoot::from_own_node).unwrap();
        assert_eq!((newest.root.batch_sequence(), newest.newest.batch_sequence()), (5, 5));
        assert_eq!(newest.root.provenance(), Provenance::OwnNode);
        let older = one_root(&answer(5, 50, Some((3, 30))), 3, FinalizedRoot::from_light_client).unwrap();
        assert_eq!((older.root.batch_sequence(), older.root.root(), older.newest.batch_sequence()), (3, &[30; 32], 5));
        assert_eq!(one_root(&answer(5, 50, None), 6, FinalizedRoot::from_own_node), None);
    }

    #[test]
    fn three_others_that_agree_are_a_quorum() {
        let answers =
            said(&[("puc", answer(5, 50, None)), ("ercot", answer(5, 50, None)), ("opuc", answer(5, 50, None))]);
        let known = agree(&name("oncor"), &answers, 5).unwrap().unwrap();
        assert_eq!(known.root.provenance(), Provenance::Quorum { members: 3, answered: 3 });
        assert_eq!(agree(&name("oncor"), &answers, 6).unwrap(), None);
        // The serving vault's own node does not count, and neither does a member that is given twice.
        assert!(matches!(agree(&name("puc"), &answers, 5), Err(ClientError::Quorum(_))));
        let twice = said(&[("puc", answer(5, 50, None)), ("puc", answer(5, 50, None)), ("opuc", answer(5, 50, None))]);
        assert!(matches!(agree(&name("oncor"), &twice, 5), Err(ClientError::Quorum(_))));
    }

    #[test]
    fn one_node_cannot_be_several_members() {
        let member = |name_of: &str, url: &str| (name(name_of), url.to_owned());
        let members = [member("puc", "wss://a"), member("opuc", "wss://b"), member("oncor", "wss://vault")];
        assert_eq!(twice("wss://vault", name("oncor"), &members), None);
        assert_eq!(twice("wss://a/", name("oncor"), &members), Some("wss://a"));
        let same = [member("puc", "wss://a"), member("opuc", "wss://a/")];
        assert_eq!(twice("wss://vault", name("oncor"), &same), Some("wss://a"));
    }

    #[test]
    fn members_must_agree_on_older_roots_too() {
        let old = |root| answer(5, 50, Some((3, root)));
        let alike = said(&[("puc", old(30)), ("ercot", old(30)), ("opuc", old(30)), ("tnmp", old(31))]);
        let known = agree(&name("oncor"), &alike, 3).unwrap().unwrap();
        assert_eq!((known.root.root(), known.newest.batch_sequence()), (&[30; 32], 5));
        let divided = said(&[("puc", old(30)), ("ercot", old(30)), ("opuc", old(31)), ("tnmp", old(31))]);
        assert!(matches!(agree(&name("oncor"), &divided, 3), Err(ClientError::Quorum(_))));
    }

    #[test]
    fn a_liar_about_the_newest_batch_is_outvoted() {
        let honest = answer(5, 50, None);
        let answers = said(&[("puc", honest), ("ercot", honest), ("opuc", honest), ("tnmp", answer(9, 90, None))]);
        let known = agree(&name("oncor"), &answers, 5).unwrap().unwrap();
        assert_eq!(
            (known.newest.batch_sequence(), known.root.provenance()),
            (5, Provenance::Quorum { members: 3, answered: 4 })
        );
    }
}
