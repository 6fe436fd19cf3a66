//! Errors for people, and the exit codes of the command.

use crate::chain::refusal::Refusal;
use sealed_register::{
    delivery::DeliveryError,
    finalized::QuorumError,
    open::OpenError,
    statement::{RequestError, StatementError},
    ticket::TicketError,
    verify::VerifyError,
};
use std::{fmt, path::PathBuf};

/// What the command's exit code tells a program. `wattseal help exit-codes` prints [`ExitCode::TABLE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum ExitCode {
    /// Everything was done.
    Done = 0,
    /// Something on this machine, or in what was handed over, is wrong.
    Failed = 1,
    /// The command line is wrong.
    Usage = 2,
    /// The chain, the pool or a vault refused; the message has the code.
    Refused = 3,
    /// Something does not stand under a finalised root, or keys or receipts are not what they must be.
    Unverified = 4,
    /// What was asked for is not there, or not yet.
    NotFound = 5,
    /// No node could be reached, or the connection broke.
    Connection = 6,
}

impl ExitCode {
    /// All codes with their meaning.
    pub const TABLE: [(Self, &'static str); 7] = [
        (Self::Done, "done"),
        (Self::Failed, "error on this machine or in a file, link, ticket or statement handed over"),
        (Self::Usage, "wrong command line"),
        (Self::Refused, "refused by the chain, the transaction pool or a vault (the message names the code)"),
        (Self::Unverified, "verification failed (the message names the cell, key, receipt or root)"),
        (Self::NotFound, "not found, or not there yet: try again later"),
        (Self::Connection, "no connection to a node"),
    ];

    /// The code as a number.
    pub fn code(self) -> u8 {
        self as u8
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code.code())
    }
}

/// A file that could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}", path.display())]
pub struct FileProblem {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: String,
}

impl FileProblem {
    /// A problem with a file.
    pub fn new(path: impl Into<PathBuf>, problem: impl fmt::Display) -> Self {
        Self { path: path.into(), problem: problem.to_string() }
    }
}

/// A line of a file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, field '{field}': {problem}")]
pub struct LineProblem {
    /// The line, from 1.
    pub line: u64,
    /// The column.
    pub field: &'static str,
    /// What is wrong, without the line's content.
    pub problem: String,
}

impl LineProblem {
    /// A problem with a line.
    pub fn new(line: u64, field: &'static str, problem: impl Into<String>) -> Self {
        Self { line, field, problem: problem.into() }
    }
}

fn explained(explanation: &str) -> String {
    match explanation.is_empty() {
        true => String::new(),
        false => format!(": {explanation}"),
    }
}

fn listed(problems: &[LineProblem]) -> String {
    problems.iter().map(|problem| format!("\n  {problem}")).collect()
}

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The command line is wrong.
    #[error("{0}")]
    Usage(String),
    /// No node there, or it went away.
    #[error("{url}: {problem}; check the address and that the node runs")]
    Connection {
        /// The node.
        url: String,
        /// What happened.
        problem: String,
    },
    /// The transaction pool refused a transaction, with the chain's own code.
    #[error("the transaction was refused: {0} (code {code})", code = .0.code())]
    Pool(Refusal),
    /// The transaction pool refused a transaction for a reason that every chain has.
    #[error("the transaction was refused: {0}")]
    PoolOther(String),
    /// The call failed in a block.
    #[error("{call} was refused in block {block}: {pallet}.{error}{}", explained(explanation))]
    Call {
        /// The call.
        call: &'static str,
        /// Number of the block.
        block: u32,
        /// The pallet that refused.
        pallet: String,
        /// Name of its error.
        error: String,
        /// The error's documentation on chain.
        explanation: String,
    },
    /// A node's RPC refused, with its code.
    #[error("{method} was refused (code {code}): {message}")]
    Rpc {
        /// The method.
        method: &'static str,
        /// JSON-RPC error code; the vault's own are 7000 and above.
        code: i32,
        /// What the node says.
        message: String,
    },
    /// A node's answer is not what it must be.
    #[error("{method}: the node's answer makes no sense: {problem}; node and client may be of different versions")]
    Answer {
        /// The method.
        method: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// The chain's runtime is not one that this client knows.
    #[error("{0}; client and chain are of different versions: update the client")]
    Incompatible(String),
    /// A proof was refused.
    #[error("the vault's answer does not verify: {0}")]
    Unverified(#[from] VerifyError),
    /// A vault's proof that nothing was published was refused.
    #[error("the vault's proof that nothing was published does not verify: {0}")]
    Absence(#[from] sealed_register::shard::AbsenceError),
    /// A verified cell does not open although its keys are held.
    #[error("{0}")]
    Unopened(#[from] OpenError),
    /// A receipt is missing something.
    #[error("the vault's receipt is refused: {0}; nothing of its answer was used")]
    Receipt(String),
    /// No quorum of members' nodes.
    #[error("no finalised root: {0}")]
    Quorum(#[from] QuorumError),
    /// Keys that were delivered are not good.
    #[error("the delivery is refused: {0}")]
    Delivery(#[from] DeliveryError),
    /// The vault is ahead of, or not on the chain of, the nodes that state roots.
    #[error("{0}")]
    Root(String),
    /// Not there.
    #[error("{0}")]
    NotFound(String),
    /// Not there yet.
    #[error("{0}")]
    NotYet(String),
    /// A file.
    #[error(transparent)]
    File(#[from] FileProblem),
    /// Lines of a file.
    #[error("{} has mistakes:{}", path.display(), listed(problems))]
    Lines {
        /// The file.
        path: PathBuf,
        /// The first of them.
        problems: Vec<LineProblem>,
    },
    /// A statement's text.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// A vendor's request.
    #[error("the request is refused: {0}")]
    Request(#[from] RequestError),
    /// A claim ticket.
    #[error(transparent)]
    Ticket(#[from] TicketError),
    /// A link.
    #[error("{0}")]
    Link(String),
    /// A phrase or secret.
    #[error("{0}")]
    Secret(String),
    /// A signature that is not by whom it should be.
    #[error("{0}")]
    Signature(String),
}

impl ClientError {
    /// The exit code of the command that ends with this error.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::Usage,
            Self::Connection { .. } => ExitCode::Connection,
            Self::Pool(_) | Self::PoolOther(_) | Self::Call { .. } => ExitCode::Refused,
            Self::Rpc { code, .. } => rpc_exit(*code),
            Self::Unverified(_)
            | Self::Absence(_)
            | Self::Unopened(_)
            | Self::Receipt(_)
            | Self::Quorum(_)
            | Self::Delivery(_)
            | Self::Root(_) => ExitCode::Unverified,
            Self::NotFound(_) | Self::NotYet(_) => ExitCode::NotFound,
            Self::Answer { .. }
            | Self::Incompatible(_)
            | Self::File(_)
            | Self::Lines { .. }
            | Self::Statement(_)
            | Self::Request(_)
            | Self::Ticket(_)
            | Self::Link(_)
            | Self::Secret(_)
            | Self::Signature(_) => ExitCode::Failed,
        }
    }

    /// The number that goes with a refusal: a pool code, or a JSON-RPC code.
    pub fn refusal_code(&self) -> Option<i32> {
        match self {
            Self::Pool(refusal) => Some(refusal.code().into()),
            Self::Rpc { code, .. } => Some(*code),
            _ => None,
        }
    }
}

/// The node's own codes (node/src/rpc/errors.rs) are refusals, but for those that say that time will help; JSON-RPC's
/// own (below zero) say that node and client do not fit.
fn rpc_exit(code: i32) -> ExitCode {
    match code {
        // Finality is late, the vault is behind, not found, queue full.
        7_000 | 7_007 | 7_010 | 7_011 => ExitCode::NotFound,
        ..0 => ExitCode::Failed,
        _ => ExitCode::Refused,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failed unwrap is a failed test
    use super::*;

    #[test]
    fn codes_are_the_documented_ones() {
        for (place, (code, meaning)) in ExitCode::TABLE.into_iter().enumerate() {
            assert_eq!(usize::from(code.code()), place);
            assert!(!meaning.is_empty());
        }
    }

    #[test]
    fn every_cause_has_its_code() {
        let code = |error: ClientError| error.exit_code().code();
        assert_eq!(code(FileProblem::new("a.csv", "gone").into()), 1);
        assert_eq!(code(ClientError::Usage("no".into())), 2);
        assert_eq!(code(ClientError::Pool(Refusal::from_code(2).unwrap())), 3);
        assert_eq!(code(ClientError::Rpc { method: "wattseal_read", code: 7105, message: "revoked".into() }), 3);
        assert_eq!(code(ClientError::Rpc { method: "wattseal_read", code: 7007, message: "behind".into() }), 5);
        assert_eq!(code(ClientError::Rpc { method: "wattseal_read", code: -32601, message: "none".into() }), 1);
        assert_eq!(code(VerifyError::HeadMismatch.into()), 4);
        assert_eq!(code(ClientError::Receipt("unsigned".into())), 4);
        assert_eq!(code(QuorumError::TooFew { agreeing: 2 }.into()), 4);
        assert_eq!(code(ClientError::NotYet("later".into())), 5);
        assert_eq!(code(ClientError::Connection { url: "ws://x".into(), problem: "refused".into() }), 6);
    }

    #[test]
    fn a_failed_call_says_what_the_chain_says() {
        let error = ClientError::Call {
            call: "consents.consent",
            block: 7,
            pallet: "Consents".into(),
            error: "NotTheHolder".into(),
            explanation: "The account that should sign does not hold the meter.".into(),
        };
        let text = error.to_string();
        assert!(text.contains("block 7: Consents.NotTheHolder: The account"), "{text}");
    }
}
