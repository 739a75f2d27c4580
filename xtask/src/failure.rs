//! One kind of failure: a sentence for the person at the terminal, with the way out in it.

use std::fmt;
use std::io;
use std::path::Path;
use std::process::ExitCode;

/// What every step of this program returns.
pub type Outcome<T> = Result<T, Failure>;

/// Why a command stopped, and with which exit code (1: it failed; 2: it was called wrongly).
#[derive(Debug)]
pub struct Failure {
    message: String,
    code: u8,
}

impl Failure {
    /// Something did not work; `message` says what and what to do about it.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            code: 1,
        }
    }

    /// The command line makes no sense.
    pub fn usage(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            code: 2,
        }
    }

    /// The file system refused; names the path, which `io::Error` does not.
    pub fn at(path: &Path, error: &io::Error) -> Self {
        Self::new(format!("{}: {error}", path.display()))
    }

    /// What the process ends with.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
