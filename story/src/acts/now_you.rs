//! "Now you": where the chain is, what to paste, how to stop and go on.

use crate::{
    environment::client_program,
    error::{Result, StoryError},
    printer::{count, size},
    story::Story,
};
use sealed_register::hex;
use serde::Deserialize;
use serde_json::json;

/// What the story asks of `chain_getBlock`.
#[derive(Deserialize)]
struct SignedBlock {
    block: Block,
}

#[derive(Deserialize)]
struct Block {
    extrinsics: Vec<String>,
}

/// Bit of an extrinsic's first byte that says that it is signed.
const SIGNED: u8 = 0b1000_0000;

/// Measures chain and vault at the end.
///
/// # Errors
/// [`StoryError::Client`], [`StoryError::Wrong`] (a block that is none).
pub(super) async fn measure(story: &mut Story) -> Result<()> {
    let rpc = story.chain().rpc();
    let last = story.chain().finalized().await?.block().number;
    let mut bytes = 0_u64;
    for number in story.outcome.first_block..=last {
        let hash = story.chain().canonical(number).await?.hash;
        let block: SignedBlock = rpc.call("chain_getBlock", &[json!(hex(&hash))]).await?;
        for extrinsic in &block.block.extrinsics {
            let length = signed_length(extrinsic);
            let length = length.ok_or_else(|| StoryError::Wrong(format!("block {number} has an odd extrinsic")))?;
            bytes = bytes.saturating_add(length);
        }
    }
    let vault = rpc.vault().await?;
    story.numbers.bytes_on_chain = bytes;
    story.numbers.batches = vault.batches;
    story.numbers.cells = vault.cells;
    story.numbers.vault_bytes = vault.bytes;
    story.printer.say(&format!(
        "All of it took {} on chain: identifiers, roots, hashes, signatures, sealed keys. The readings lie sealed in the vault: \
         {}, {}.",
        size(bytes),
        count(vault.cells, "cell", "cells"),
        size(vault.bytes)
    ));
    Ok(())
}

/// Length of an encoded extrinsic if it is signed, 0 if it is the block author's own; nothing if it is none.
fn signed_length(extrinsic: &str) -> Option<u64> {
    let bytes = ::hex::decode(extrinsic.strip_prefix("0x")?).ok()?;
    // A compact length stands in front: 1, 2 or 4 bytes, as the two lowest bits of the first say.
    let front = match bytes.first()? & 0b11 {
        0 => 1,
        1 => 2,
        2 => 4,
        _ => return None,
    };
    let signed = bytes.get(front)? & SIGNED != 0;
    Some(if signed { bytes.len() as u64 } else { 0 })
}

/// Says how to go on.
pub(super) fn play(story: &Story) {
    let printer = &story.printer;
    match story.numbers.steps_failed {
        0 => printer.say("The story is told. Now you:"),
        failed => printer.say(&format!("The story ended; steps that did not do what they should: {failed}.")),
    }
    let url = story.node.url();
    let apps = url.replace(':', "%3A").replace('/', "%2F");
    printer.more(&format!("chain     {url}\nin words  https://polkadot.js.org/apps/?rpc={apps}#/explorer"));
    printer.more("paste     (while the chain is up)");
    commands(story).iter().for_each(|command| printer.raw(&format!("             {command}")));
    let base = story.places.base.display();
    printer.more(&format!(
        "stop      Ctrl-C\nresume    run this again\nwipe      run this with --wipe (everything lies in {base})"
    ));
}

fn commands(story: &Story) -> Vec<String> {
    let (client, url) = (client_program(), story.node.url());
    let mut commands = Vec::new();
    if let Ok(home) = story.outcome.home() {
        let (meter, day) = (home.meter, story.days().last);
        let hers =
            format!("--meter {meter} --profile {} --node {url}", story.places.customer(&meter.to_string()).display());
        commands.push(format!("{client} customer readings --from {day} --to {day} --level 15min {hers}"));
        commands.push(format!("{client} customer access-log {hers}"));
    }
    if let Some(consent) = story.outcome.consents().next() {
        commands.push(format!("{client} inspect consent {} --node {url}", hex(&consent)));
    }
    commands
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_signed_extrinsics_count() {
        assert_eq!(signed_length("0x0c840102"), Some(4));
        assert_eq!(signed_length("0x0c040102"), Some(0));
        assert_eq!(signed_length("0x0d00840102"), Some(5));
        assert_eq!(signed_length("0x0200000004"), Some(0));
        assert_eq!(signed_length("0x03"), None);
        assert_eq!(signed_length("840102"), None);
    }
}
