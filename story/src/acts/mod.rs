//! The acts, in order. Every step can be played again: what is done already is recognised, so a run goes on where an
//! earlier one, or a killed node, left it.

mod after;
mod ask;
mod claim;
mod correct;
mod damage;
mod fetch;
mod finer;
mod give;
mod grant;
mod log;
mod now_you;
mod register;
mod revoke;
mod seal;
mod whole;
mod widen;

use crate::{error::Result, story::Story};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    sync::Arc,
    time::Duration,
};

/// A step of the story.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The utility registers its meters.
    Register,
    /// Its node seals the feed.
    Seal,
    /// A customer claims her meter and reads it.
    Claim,
    /// A vendor asks, and is refused so far.
    Ask,
    /// She signs; the keys are delivered.
    Grant,
    /// The vendor fetches daily totals.
    Fetch,
    /// Quarter hours are out of its reach.
    Finer,
    /// She allows a month of them.
    Widen,
    /// She allows the whole file of them.
    Whole,
    /// A corrected file comes.
    Correct,
    /// A damaged vault and an old answer are found out.
    Damage,
    /// She revokes.
    Revoke,
    /// What comes afterwards is closed.
    After,
    /// Who read.
    Log,
}

impl Step {
    /// All, in order.
    pub const ALL: [Self; 14] = [
        Self::Register,
        Self::Seal,
        Self::Claim,
        Self::Ask,
        Self::Grant,
        Self::Fetch,
        Self::Finer,
        Self::Widen,
        Self::Whole,
        Self::Correct,
        Self::Damage,
        Self::Revoke,
        Self::After,
        Self::Log,
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::Seal => "seal",
            Self::Claim => "claim",
            Self::Ask => "ask",
            Self::Grant => "grant",
            Self::Fetch => "fetch",
            Self::Finer => "finer",
            Self::Widen => "widen",
            Self::Whole => "whole",
            Self::Correct => "correct",
            Self::Damage => "damage",
            Self::Revoke => "revoke",
            Self::After => "after",
            Self::Log => "log",
        }
    }

    async fn play(self, story: &mut Story) -> Result<()> {
        match self {
            Self::Register => register::play(story).await,
            Self::Seal => seal::play(story).await,
            Self::Claim => claim::play(story).await,
            Self::Ask => ask::play(story).await,
            Self::Grant => grant::play(story).await,
            Self::Fetch => fetch::play(story).await,
            Self::Finer => finer::play(story).await,
            Self::Widen => widen::play(story).await,
            Self::Whole => whole::play(story).await,
            Self::Correct => correct::play(story).await,
            Self::Damage => damage::play(story).await,
            Self::Revoke => revoke::play(story).await,
            Self::After => after::play(story).await,
            Self::Log => log::play(story).await,
        }
    }
}

/// Plays all steps and says what people can do next. A step that fails is counted, and the story goes on.
///
/// # Errors
/// Only if the node cannot be brought up again.
pub async fn play(mut story: Story) -> Result<Story> {
    for step in Step::ALL {
        if let Err(error) = with_kills(step, &mut story).await {
            story.numbers.steps_failed += 1;
            story.printer.say(&format!("FAILED ({}): {error}", step.name()));
            // Perhaps the node is gone: without it nothing further can be played.
            story.node.ready().await?;
        }
    }
    if let Err(error) = now_you::measure(&mut story).await {
        story.numbers.steps_failed += 1;
        story.printer.say(&format!("FAILED (measuring the chain): {error}"));
    }
    now_you::play(&story);
    Ok(story)
}

/// Plays a step, and kills the node before or during it where that is asked for. A step that lost the node is played
/// again.
async fn with_kills(step: Step, story: &mut Story) -> Result<()> {
    let kills: Vec<Option<Duration>> =
        story.kills.iter().filter(|kill| kill.step == step).map(|kill| kill.after).collect();
    if kills.contains(&None) {
        story.node.kill().await?;
        story.node.start().await?;
        story.reconnect().await?;
        story.printer.say(&format!("(The node was killed before '{}' and started again.)", step.name()));
    }
    for after in kills.into_iter().flatten() {
        let killed = Arc::new(AtomicBool::new(false));
        let killer = tokio::spawn({
            let (node, killed) = (story.node.clone(), killed.clone());
            async move {
                tokio::time::sleep(after).await;
                killed.store(true, Ordering::SeqCst);
                node.kill().await?;
                node.start().await
            }
        });
        let played = step.play(story).await;
        let lost = killed.load(Ordering::SeqCst);
        match killer.await {
            Ok(restarted) => restarted?,
            Err(error) => return Err(crate::error::StoryError::Node(error.to_string())),
        }
        story.reconnect().await?;
        let (name, after) = (step.name(), after.as_millis());
        story.printer.say(&format!("(The node was killed {after} ms into '{name}' and started again.)"));
        if !lost {
            played?;
        }
    }
    step.play(story).await
}
