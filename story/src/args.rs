//! The command line.

use crate::acts::Step;
use clap::Parser;
use std::{path::PathBuf, str::FromStr, time::Duration};

/// Plays the whole story of Wattseal on a development chain, with the real parts.
///
/// A node, a feed of Smart Meter Texas files, a utility, a customer and a vendor. Everything lies in one folder; run
/// again, the story goes on with what is there. Ctrl-C ends the node too.
#[derive(Debug, Parser)]
#[command(name = "wattseal-story", version)]
pub struct Args {
    /// A Smart Meter Texas export ("Energy Data 15 Min Interval") of 1 to 100 meters and up to 3 years; without it, homes
    /// are invented.
    #[arg(long, value_name = "FILE")]
    pub csv: Option<PathBuf>,

    /// End when the story ends; otherwise the chain runs on until Ctrl-C.
    #[arg(long)]
    pub once: bool,

    /// Print one JSON object as the last line.
    #[arg(long)]
    pub json: bool,

    /// Remove the chain and everything else of earlier runs, and end.
    #[arg(long)]
    pub wipe: bool,

    /// Folder of chain, feed and keys [default: ~/.local/share/wattseal/story].
    #[arg(long, value_name = "FOLDER")]
    pub base: Option<PathBuf>,

    /// Port of the node's JSON-RPC, on this machine only.
    #[arg(long, value_name = "PORT", default_value_t = 9944)]
    pub rpc_port: u16,

    /// Port of the node's peer-to-peer network, on this machine only.
    #[arg(long, value_name = "PORT", default_value_t = 30333)]
    pub port: u16,

    /// Port of the node's Prometheus metrics, on this machine only.
    #[arg(long, value_name = "PORT", default_value_t = 9615)]
    pub prometheus_port: u16,

    /// Port of the feed, on this machine only; 0 takes any.
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub feed_port: u16,

    /// What the node logs, as its `--log` takes it.
    #[arg(long, value_name = "FILTER", hide = true)]
    pub node_log: Option<String>,

    /// For tests: kill the node (SIGKILL) before a step, or so many milliseconds after its beginning, and start it again.
    #[arg(long, value_name = "STEP[+MS]", value_delimiter = ',', hide = true)]
    pub kill_node_at: Vec<KillPoint>,
}

/// When the node is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KillPoint {
    /// The step.
    pub step: Step,
    /// How long after its beginning; none: before it.
    pub after: Option<Duration>,
}

impl FromStr for KillPoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, after) = match text.split_once('+') {
            None => (text, None),
            Some((name, number)) => {
                let number = number.parse().map_err(|_| format!("'{number}' is no number of milliseconds"))?;
                (name, Some(Duration::from_millis(number)))
            }
        };
        let step = Step::ALL.into_iter().find(|step| step.name() == name);
        let step = step.ok_or_else(|| {
            let known: Vec<_> = Step::ALL.into_iter().map(Step::name).collect();
            format!("'{name}' is no step; there are {}", known.join(", "))
        })?;
        Ok(Self { step, after })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failed unwrap is a failed test
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn kill_points_name_steps() {
        let args = Args::try_parse_from(["story", "--kill-node-at", "seal+1500,grant"]).unwrap();
        let after = Some(Duration::from_millis(1_500));
        assert_eq!(
            args.kill_node_at,
            [KillPoint { step: Step::Seal, after }, KillPoint { step: Step::Grant, after: None }]
        );
        for wrong in ["start+x", "lunch", "seal+", "+5"] {
            assert!(Args::try_parse_from(["story", "--kill-node-at", wrong]).is_err(), "{wrong}");
        }
    }
}
