//! The command `wattseal`: arguments, tables for people, JSON for programs (`--json`), documented exit codes.

mod args;
mod customer;
mod ingest;
mod inspect;
mod output;
mod utility;
mod vendor;

use crate::{error::ExitCode, ClientError, Result};
use clap::{Parser, Subcommand};
use output::Output;
use std::fmt::Write as _;

/// Everybody's side of Wattseal: utilities, customers, vendors, and whoever wants to look.
#[derive(Debug, Parser)]
#[command(name = "wattseal", version, propagate_version = true, after_help = exit_codes())]
pub struct Cli {
    /// Print JSON for programs instead of text for people.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Register meters, print claim tickets, serve a folder as a feed, seal bulk history.
    #[command(subcommand)]
    Utility(utility::Utility),
    /// Claim a meter, read a vendor's request, sign, revoke, read your own days.
    #[command(subcommand)]
    Customer(customer::Customer),
    /// Ask for usage with a link, relay signed consents, collect keys, fetch readings.
    #[command(subcommand)]
    Vendor(vendor::Vendor),
    /// Look at what stands on chain.
    #[command(subcommand)]
    Inspect(inspect::Inspect),
    /// Carry a signed statement to the chain for somebody, in an own transaction.
    Relay(args::Relay),
    /// What the exit codes mean.
    #[command(long_about = exit_codes())]
    ExitCodes,
}

/// The table of exit codes.
fn exit_codes() -> String {
    ExitCode::TABLE.iter().fold(String::from("Exit codes:\n"), |mut text, (code, meaning)| {
        // Writing to a String never fails.
        let _ = writeln!(text, "  {}  {meaning}", code.code());
        text
    })
}

/// Runs the command of this process.
pub fn main() -> std::process::ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // A closed pipe is no reason to fail differently.
            let _ = error.print();
            let code = if error.use_stderr() { ExitCode::Usage } else { ExitCode::Done };
            return code.into();
        }
    };
    let output = Output { json: cli.json };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            output.error(&ClientError::Usage(format!("this machine gives no threads: {error}")));
            return ExitCode::Failed.into();
        }
    };
    match runtime.block_on(run(cli.command, &output)) {
        Ok(()) => ExitCode::Done.into(),
        Err(error) => {
            output.error(&error);
            error.exit_code().into()
        }
    }
}

async fn run(command: Command, output: &Output) -> Result<()> {
    match command {
        Command::Utility(command) => command.run(output).await,
        Command::Customer(command) => command.run(output).await,
        Command::Vendor(command) => command.run(output).await,
        Command::Inspect(command) => command.run(output).await,
        Command::Relay(command) => command.run(output).await,
        Command::ExitCodes => {
            output.text(&exit_codes());
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failed unwrap is a failed test
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn commands_of_the_readme_are_understood() {
        let consent = format!("0x{}", "ab".repeat(32));
        let cursor = format!("wattseal:cursor/{}B{}", "A".repeat(43), "A".repeat(7));
        for line in [
            "utility meters sync meters.csv --suri //Utility --node ws://127.0.0.1:9944 --tickets tickets.csv",
            "utility tickets meters.csv --out tickets.csv --qr-dir codes",
            "utility serve feed --listen 127.0.0.1:8080",
            "utility ingest 2022.csv 2023.csv --keystore /srv/wattseal/chains/texas/keystore --json",
            "utility ingest 2022.csv --suri //Utility//sealing",
            "customer keys new",
            "customer claim wattseal:ticket/oncor/0x00000000000000000000000000000000/1/ABC",
            "customer claim ABC-DEF --utility oncor --meter 0x00000000000000000000000000000000",
            "customer read-link wattseal:request/abc",
            "customer sign wattseal:request/abc --yes",
            "customer readings --from 2022-03-01 --to 2022-03-31 --level 15min --out - --jsonl",
            "customer access-log --json",
            "vendor keys register --suri //Vendor",
            "vendor link --name Sunny --channels both --level day --data 2022-03-01..2023-02-28 \
             --access 2023-03-01..2023-08-31 --purpose solar-sizing --reference 4711 --expires 2023-04-01 --qr c.svg",
            "vendor relay signed.txt",
            &format!("vendor fetch {consent} --from 2022-03-01 --level hour --channel consumption --csv --out out.csv"),
            &format!("vendor collect {consent} --quorum puc=wss://a.example,opuc=wss://b.example --serving oncor"),
            &format!("vendor fetch {consent} --light-client chain.json --node wss://vault.example --jsonl --out -"),
            &format!("vendor fetch {consent} --since {cursor}"),
            &format!("customer revoke {consent} --statement-only"),
            &format!("customer narrow {consent} --level day"),
            "inspect batch oncor 0 3",
            "inspect shard oncor",
            "inspect meter oncor 0x00000000000000000000000000000000",
            "inspect organisations --json",
            "inspect metadata --out metadata.scale",
            "relay signed.txt --suri //Retailer",
            "exit-codes",
        ] {
            let words = std::iter::once("wattseal").chain(line.split_whitespace());
            let parsed = Cli::try_parse_from(words);
            assert!(parsed.is_ok(), "{line}: {}", parsed.unwrap_err());
        }
    }

    #[test]
    fn wrong_command_lines_are_refused() {
        for line in [
            "customer readings --from 2022-02-30",
            "customer readings --level second",
            "vendor fetch 0x12",
            "vendor fetch",
            "utility serve",
            "utility ingest --suri //Utility//sealing",
            "utility ingest 2022.csv",
            "inspect batch oncor",
            "vendor collect --quorum wss://a.example",
        ] {
            let words = std::iter::once("wattseal").chain(line.split_whitespace());
            assert!(Cli::try_parse_from(words).is_err(), "{line}");
        }
    }

    #[test]
    fn every_exit_code_is_printed() {
        for (code, meaning) in ExitCode::TABLE {
            assert!(exit_codes().contains(&format!("{}  {meaning}", code.code())));
        }
    }
}
