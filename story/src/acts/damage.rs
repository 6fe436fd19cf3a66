//! One byte is flipped in a copy of the vault, and in an answer: both times the cell is named. An old answer is served
//! again: it is named as history.

use crate::{
    environment::Places,
    error::{expect, Result, StoryError},
    readings::{ask, verified},
    story::Story,
};
use sealed_register::{
    heads::CellName,
    proof::{Body, Form},
    verified::Currency,
    verify::VerifyError,
    Level, RangeProof,
};
use std::{
    fs::{self, File},
    io,
    os::unix::fs::FileExt,
    path::Path,
    process::Stdio,
};
use tokio::process::Command;
use wattseal_client::{node_rpc::ReadAnswer, ClientError};

/// How often the vault is copied anew when the node wrote into it meanwhile.
const COPIES: usize = 5;
/// Bytes of the copy that are looked through at a time: the vault of many years is larger than this program may be.
const PIECE: usize = 1 << 20;

pub(super) async fn play(story: &mut Story) -> Result<()> {
    let (home, holder) = (story.outcome.home()?, story.outcome.holder()?);
    let at = (story.utility, home.meter);
    let own = holder.customer.reader(&story.access, at);
    let epochs = 0..=story.chain().finalized().await?.known_meter(at.0, at.1).await?.epoch;
    let form = (Level::Quarter, Form::Explained);
    let exchange = ask(&own, story.main_channel(), story.days(), form, epochs).await?;
    let root = story.access.root(at.0, &at.1, exchange.answer.batch_sequence).await?;
    verified(&exchange, &root, &holder.keyring)?;
    let (word, cell) = a_word(&exchange.answer)?;

    // The reader's side: the answer with one bit flipped.
    let mut altered = exchange.answer.clone();
    let flipped = flip(&mut altered.proof, &word.to_le_bytes());
    expect(flipped > 0, || "the word is not in the proof".into())?;
    let damaged = crate::readings::Exchange { asked: exchange.asked.clone(), answer: altered };
    let by_reader = match verified(&damaged, &root, &holder.keyring) {
        Err(StoryError::Client(ClientError::Unverified(
            error @ (VerifyError::SectionMismatch { .. } | VerifyError::AlteredCell { .. }),
        ))) => error.to_string(),
        other => return Err(StoryError::Wrong(format!("an altered answer came to {:?}", other.map(|_| "a result")))),
    };
    expect(by_reader.contains(&cell.to_string()), || format!("'{by_reader}' does not name {cell}"))?;

    // The keeper's side: a copy of the vault with one bit flipped.
    let by_vault = damaged_copy(story, word).await?;
    let name = format!("cell {} of meter {}", cell.sequence, cell.meter);
    expect(by_vault.contains(&name), || format!("the damaged vault was refused, but {name} is not named: {by_vault}"))?;
    story.printer.say("One bit was flipped in a copy of the vault and in a vault's answer; both name the cell:");
    story.printer.more(&format!("- {by_vault}\n- {by_reader}"));

    // An answer from before the correction.
    let old = story.outcome.old.as_ref().ok_or(StoryError::Needs("claim", "an old answer"))?;
    let again = crate::readings::Exchange { asked: old.asked.clone(), answer: old.answer.clone() };
    let known = story.access.root(at.0, &at.1, old.answer.batch_sequence).await?;
    let range = verified(&again, &known, &holder.keyring)?;
    let Currency::Historic { newest_sequence } = range.currency() else {
        return Err(StoryError::Wrong("an answer from before the correction passed for the newest".into()));
    };
    let refusal = match verified(&again, &root, &holder.keyring) {
        Err(StoryError::Client(ClientError::Unverified(error @ VerifyError::NotUnderRoot { .. }))) => error.to_string(),
        other => {
            let came = other.map(|_| "a result");
            return Err(StoryError::Wrong(format!("an old answer under the newest root came to {came:?}")));
        }
    };
    story.printer.say(&format!(
        "An answer from before the correction was served again: history, not the present (batch {}, the newest is \
         {newest_sequence}). Under the newest root: {refusal}",
        old.answer.batch_sequence
    ));
    Ok(())
}

/// A sealed word in the middle of an answer, and its cell.
fn a_word(answer: &ReadAnswer) -> Result<(u64, CellName)> {
    let proof = RangeProof::decode(&answer.proof).map_err(|error| StoryError::Wrong(error.to_string()))?;
    let middle = proof.elements.len() / 2;
    let found =
        proof.elements.iter().cycle().skip(middle).take(proof.elements.len()).find_map(|element| match &element.body {
            Body::Opened { words: [_, _, quarter], .. } => Some((*quarter.first()?, CellName::from(&element.header))),
            Body::Hidden(_) => None,
        });
    found.ok_or_else(|| StoryError::Wrong("the answer has no sealed words".into()))
}

/// Flips one bit wherever the eight bytes stand; gives how often.
fn flip(bytes: &mut [u8], word: &[u8; 8]) -> usize {
    let places: Vec<usize> =
        bytes.windows(word.len()).enumerate().filter(|(_, window)| window == word).map(|(place, _)| place).collect();
    for place in &places {
        if let Some(byte) = bytes.get_mut(*place) {
            *byte ^= 1;
        }
    }
    places.len()
}

/// Flips one bit wherever the eight bytes stand in a file; gives how often.
fn flip_in_file(path: &Path, word: &[u8; 8]) -> io::Result<usize> {
    let file = File::options().read(true).write(true).open(path)?;
    let (mut piece, mut at, mut flipped) = (vec![0; PIECE], 0, 0);
    loop {
        let mut length = 0;
        while let Some(rest) = piece.get_mut(length..).filter(|rest| !rest.is_empty()) {
            match file.read_at(rest, at + length as u64)? {
                0 => break,
                read => length += read,
            }
        }
        let bytes = piece.get_mut(..length).unwrap_or_default();
        let places = flip(bytes, word);
        if places > 0 {
            file.write_all_at(bytes, at)?;
            flipped += places;
        }
        if length < PIECE {
            return Ok(flipped);
        }
        // A word may stand across the end of a piece.
        at += (PIECE - (word.len() - 1)) as u64;
    }
}

/// Copies the vault, makes sure that the copy is sound, flips a bit of `word` in it and gives what `vault verify` says.
async fn damaged_copy(story: &Story, word: u64) -> Result<String> {
    let folder = story.places.damaged();
    let (from, to) = (Places::vault_under(&story.places.node()), Places::vault_under(&folder));
    let problem = |error| StoryError::file(&to, error);
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent).map_err(problem)?;
    }
    let program = &story.node.settings().program;
    let mut last = String::new();
    let mut sound = false;
    // The node runs on: what it writes while the file is copied would tear the copy.
    for _ in 0..COPIES {
        fs::copy(&from, &to).map_err(problem)?;
        let (good, said) = verify(program, &folder).await?;
        (sound, last) = (good, said);
        if sound {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(700)).await;
    }
    expect(sound, || format!("an unaltered copy of the vault is not sound: {last}"))?;
    let flipped = flip_in_file(&to, &word.to_le_bytes()).map_err(problem)?;
    expect(flipped > 0, || "the sealed word is not in the vault's file".into())?;
    let (good, said) = verify(program, &folder).await?;
    fs::remove_dir_all(&folder).map_err(problem)?;
    expect(!good, || "a damaged vault passed for sound".into())?;
    Ok(said)
}

/// `wattseal-node vault verify`: whether the vault is sound, and the last line of what it says.
async fn verify(program: &Path, folder: &Path) -> Result<(bool, String)> {
    let output = Command::new(program)
        .args(["vault", "verify", "--chain", "dev", "--base-path"])
        .arg(folder)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|error| StoryError::Node(format!("{} vault verify: {error}", program.display())))?;
    let said = [output.stderr, output.stdout].concat();
    let said = String::from_utf8_lossy(&said);
    let line = said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it says nothing");
    Ok((output.status.success(), line.trim().trim_start_matches("wattseal-node: ").to_owned()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failed unwrap is a failed test
    use super::*;

    #[test]
    fn every_place_of_a_word_is_flipped_and_nothing_else() {
        let word = [1, 2, 3, 4, 5, 6, 7, 8];
        let mut bytes = [&[9], &word[..], &[9, 9], &word[..]].concat();
        assert_eq!(flip(&mut bytes, &word), 2);
        assert_eq!(bytes, [9, 0, 2, 3, 4, 5, 6, 7, 8, 9, 9, 0, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(flip(&mut bytes, &word), 0);
    }

    #[test]
    fn a_word_across_pieces_of_a_file_is_flipped_once() {
        let word = [1, 2, 3, 4, 5, 6, 7, 8];
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bytes");
        for start in [0, PIECE - 8, PIECE - 7, PIECE - 4, PIECE - 1, PIECE, 2 * PIECE - 10] {
            let mut bytes = vec![0; 2 * PIECE];
            bytes[start..start + 8].copy_from_slice(&word);
            fs::write(&path, &bytes).unwrap();
            assert_eq!(flip_in_file(&path, &word).unwrap(), 1, "{start}");
            bytes[start] ^= 1;
            assert!(fs::read(&path).unwrap() == bytes, "{start}");
        }
    }
}
