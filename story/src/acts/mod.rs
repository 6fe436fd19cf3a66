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
    future::Future,
    pin::Pin,
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
        // Boxed, since one future of all steps would be large and slow to compile.
        let played: Pin<Box<dyn Future<Output = Result<()>> + '_>> = match self {
            Self::Register => Box::pin(register::play(story)),
            Self::Seal => Box::pin(seal::play(story)),
            Self::Claim => Box::pin(claim::play(story)),
            Self::Ask => Box::pin(ask::play(story)),
            Self::Grant => Box::pin(grant::play(story)),
            Self::Fetch => Box::pin(fetch::play(story)),
            Self::Finer => Box::pin(finer::play(story)),
            Self::Widen => Box::pin(widen::play(story)),
            Self::Whole => Box::pin(whole::play(story)),
            Self::Correct => Box::pin(correct::play(story)),
            Self::Damage => Box::pin(damage::play(story)),
            Self::Revoke => Box::pin(revoke::play(story)),
            Self::After => Box::pin(after::play(story)),
            Self::Log => Box::pin(log::play(story)),
        };
        played.await
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
