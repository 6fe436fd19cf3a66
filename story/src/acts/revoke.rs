//! She revokes: the vendor's next fetch is refused.

use crate::{
    error::{Result, StoryError},
    numbers::Numbers,
    readings::PATIENCE,
    story::Story,
};
use sealed_register::{Hash, Keyring, Level};
use std::time::{Duration, Instant};
use wattseal_client::{chain::Call, node_rpc::READ_REFUSAL, reading::Reader, ClientError};

/// JSON-RPC code of "revoked".
const REVOKED: i32 = READ_REFUSAL + 5;
/// Time between two tries of the vendor.
const LOOK: Duration = Duration::from_millis(400);

pub(super) async fn play(story: &mut Story) -> Result<()> {
    let ids: Vec<Hash> = story.outcome.consents().collect();
    let Some((first, rest)) = ids.split_first() else {
        return Err(StoryError::Needs("grant", "a consent"));
    };
    let began = Instant::now();
    let revoking = async {
        match end_of(story, first).await? {
            Some(block) => Ok(block),
            None => Ok(story.outcome.holder()?.customer.revoke(story.chain(), *first).await?.block.number),
        }
    };
    let (block, (refused_after, refusal)) = tokio::try_join!(revoking, until_refused(story, first, began))?;
    story.numbers.revoke_to_refused_seconds = Numbers::seconds(refused_after);

    // The earlier consents too: nothing stands any more.
    let holder = story.outcome.holder()?;
    let mut calls = Vec::new();
    for id in rest {
        if end_of(story, id).await?.is_none() {
            calls.push(Call::Revoke(holder.customer.revoke_statement(story.chain(), *id).await?));
        }
    }
    let account = holder.customer.account();
    let ended = story.chain().submit_all(account, &calls, |_| {}).await?;
    let block = ended.iter().map(|included| included.block.number).chain([block]).max().unwrap_or(block);
    for id in &ids {
        until_refused(story, id, Instant::now()).await?;
    }
    let meter = story.outcome.home()?.meter;
    let epoch = story.chain().finalized().await?.known_meter(story.utility, meter).await?.epoch;
    story.printer.say(&format!(
        "She revokes in block {block}, all {} consents; {} s after she sent it the vault refuses the vendor ({refusal}). The \
         meter's keys are those of epoch {epoch} from now on.",
        ids.len(),
        story.numbers.revoke_to_refused_seconds
    ));
    story.outcome.revoked_at = Some(block);
    Ok(())
}

/// The block in which a consent ended, in finalised state.
async fn end_of(story: &Story, id: &Hash) -> Result<Option<u32>> {
    let consent = story.chain().finalized().await?.known_consent(id).await?;
    Ok(consent.ended.map(|(_, block)| block))
}

/// The vendor asks for one day until it is refused; gives how long after `began`, and the vault's words.
async fn until_refused(story: &Story, id: &Hash, began: Instant) -> Result<(Duration, String)> {
    let secret = story.vendor.record(id)?.request()?.statement.secret;
    let reader = Reader {
        access: &story.access,
        account: story.vendor.account(),
        utility: story.utility,
        meter: story.outcome.home()?.meter,
        consent: Some((*id, secret)),
    };
    let range = match story.outcome.month.as_ref() {
        Some(month) => crate::readings::only(month.wanted.range.first),
        None => crate::readings::only(story.days().first),
    };
    loop {
        match reader.ask(story.main_channel(), range, Level::Day, &[], &Keyring::new()).await {
            Err(ClientError::Rpc { code: REVOKED, message, .. }) => {
                return Ok((began.elapsed(), format!("{REVOKED}: {message}")));
            }
            Err(error) => return Err(error.into()),
            Ok(_) if began.elapsed() > PATIENCE => {
                return Err(StoryError::Wrong(format!("the vault still served the vendor after {PATIENCE:?}")));
            }
            Ok(_) => tokio::time::sleep(LOOK).await,
        }
    }
}
