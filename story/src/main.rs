//! Plays the whole story of Wattseal on a development chain: a node, a feed, a utility, a customer and a vendor, all of
//! them the real programs and libraries.
//!
//! ```text
//! wattseal-story                 with invented homes
//! wattseal-story --csv FILE      with a Smart Meter Texas export of 1 to 100 meters and up to 3 years
//! ```
//!
//! Each act is a file in `acts/`. Everything lies in one folder (`--base`); a second run goes on where the first ended.

mod acts;
mod args;
mod book;
mod environment;
mod error;
mod feed;
mod node;
mod numbers;
mod outcome;
mod printer;
mod readings;
mod source;
mod story;

use args::Args;
use clap::Parser;
use error::StoryError;
use printer::Printer;
use std::{process::ExitCode, sync::Arc};
use tokio::signal::unix::{signal, SignalKind};

/// Exit code after Ctrl-C, as shells expect it: 128 + SIGINT.
const INTERRUPTED: u8 = 130;

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let printer = Arc::new(Printer::new());
    match run(&args, &printer).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("wattseal-story: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: &Args, printer: &Arc<Printer>) -> Result<ExitCode, StoryError> {
    let places = environment::Places::of(args)?;
    let _lock = places.lock()?;
    if args.wipe {
        return places.wipe().map(|what| {
            println!("{what}");
            ExitCode::SUCCESS
        });
    }
    let prepared = tokio::select! {
        prepared = story::prepare(args, places, printer.clone()) => prepared?,
        () = interrupted() => return Ok(ExitCode::from(INTERRUPTED)),
    };
    let node = prepared.node.clone();
    let played = tokio::select! {
        played = play(args, prepared) => played,
        () = interrupted() => {
            eprintln!("Stopping the node ...");
            Ok(ExitCode::from(INTERRUPTED))
        }
    };
    // A second Ctrl-C does not wait for an orderly end.
    tokio::select! {
        () = node.stop() => {}
        () = interrupted() => node.kill_for_good().await,
    }
    played
}

async fn play(args: &Args, prepared: story::Story) -> Result<ExitCode, StoryError> {
    let ended = acts::play(prepared).await?;
    if args.json {
        ended.printer.raw(&ended.numbers.json());
    }
    let code = if ended.numbers.steps_failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    if args.once {
        return Ok(code);
    }
    ended.node.died().await
}

/// Ready when somebody wants the story to end.
async fn interrupted() {
    let wait = async |kind| match signal(kind) {
        Ok(mut signals) => {
            signals.recv().await;
        }
        // A signal that cannot be listened to keeps its default, which ends the program.
        Err(_) => std::future::pending().await,
    };
    tokio::select! {
        () = wait(SignalKind::interrupt()) => {}
        () = wait(SignalKind::terminate()) => {}
        () = wait(SignalKind::hangup()) => {}
    }
}
