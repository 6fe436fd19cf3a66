//! Errors for people.

use std::{fmt::Display, path::PathBuf};
use wattseal_client::ClientError;

/// Why the story, or one of its steps, does not go on.
#[derive(Debug, thiserror::Error)]
pub enum StoryError {
    /// Something on this machine is not as the story needs it.
    #[error("{0}")]
    Environment(String),
    /// The node did not start, or ended.
    #[error("{0}")]
    Node(String),
    /// The client refused or was refused.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Something came out otherwise than the story promises.
    #[error("{0}")]
    Wrong(String),
    /// An earlier step failed.
    #[error("not possible, since the step '{0}' did not give {1}")]
    Needs(&'static str, &'static str),
    /// A file.
    #[error("{}: {problem}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
}

/// Result of this program.
pub type Result<T, E = StoryError> = std::result::Result<T, E>;

impl StoryError {
    /// A problem with a file.
    pub fn file(path: impl Into<PathBuf>, problem: impl Display) -> Self {
        Self::File { path: path.into(), problem: problem.to_string() }
    }
}

/// Everything is as promised, or [`StoryError::Wrong`] with what is not.
pub fn expect(holds: bool, otherwise: impl FnOnce() -> String) -> Result<()> {
    match holds {
        true => Ok(()),
        false => Err(StoryError::Wrong(otherwise())),
    }
}
