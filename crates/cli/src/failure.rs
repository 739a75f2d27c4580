//! Every way a command can end other than well, mapped once to what a person reads and a script sees.

use std::path::Path;
use std::process::ExitCode;

use realdid_client::ClientError;
use serde_json::{Value, json};

use crate::explain;

/// What kind of failure it is: decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Somebody refused, or a check failed.
    Refused = 1,
    /// The command line is wrong.
    Usage = 2,
    /// The network or a service is not to be reached.
    Unavailable = 3,
    /// Something on this machine: a wallet, a configuration, a file.
    Local = 4,
}

/// Why a command failed: what happened, why, what to do.
#[derive(Debug, Clone)]
pub struct Failure {
    kind: Kind,
    told: Box<Told>,
}

#[derive(Debug, Clone)]
struct Told {
    code: String,
    what: String,
    why: Option<String>,
    fix: Option<String>,
    request_id: Option<String>,
}

/// What every command gives.
pub type Outcome<T> = Result<T, Failure>;

impl Failure {
    /// A failure of a kind, with its stable code and what happened.
    pub fn new(kind: Kind, code: impl Into<String>, what: impl Into<String>) -> Self {
        let (code, what) = (code.into(), what.into());
        let told = Told {
            code,
            what,
            why: None,
            fix: None,
            request_id: None,
        };
        Self {
            kind,
            told: Box::new(told),
        }
    }

    /// A refusal, or a check that failed.
    pub fn refused(code: impl Into<String>, what: impl Into<String>) -> Self {
        Self::new(Kind::Refused, code, what)
    }

    /// A wrong command line.
    pub fn usage(code: impl Into<String>, what: impl Into<String>) -> Self {
        Self::new(Kind::Usage, code, what)
    }

    /// A problem of this machine.
    pub fn local(code: impl Into<String>, what: impl Into<String>) -> Self {
        Self::new(Kind::Local, code, what)
    }

    /// Somebody cannot be reached.
    pub fn unavailable(code: impl Into<String>, what: impl Into<String>) -> Self {
        Self::new(Kind::Unavailable, code, what)
    }

    /// A file that cannot be read or written.
    pub fn file(path: &Path, error: &std::io::Error) -> Self {
        Self::local("file_error", format!("{}: {error}", path.display()))
    }

    /// Says why.
    pub fn because(mut self, why: impl Into<String>) -> Self {
        self.told.why = Some(why.into());
        self
    }

    /// Says what to do.
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.told.fix = Some(fix.into());
        self
    }

    /// Under which id a service's log knows the request.
    pub fn request(mut self, id: Option<String>) -> Self {
        self.told.request_id = id.filter(|id| !id.is_empty());
        self
    }

    /// What happened, in a sentence.
    pub fn what(&self) -> &str {
        &self.told.what
    }

    /// The stable code.
    pub fn code(&self) -> &str {
        &self.told.code
    }

    /// Whether nobody answered.
    pub fn is_unavailable(&self) -> bool {
        self.kind == Kind::Unavailable
    }

    /// The exit code: 1 refused, 2 usage, 3 unavailable, 4 local.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.kind as u8)
    }

    fn advice(&self) -> Option<&str> {
        self.told
            .fix
            .as_deref()
            .or_else(|| explain::find(&self.told.code).map(|entry| entry.fix))
    }

    /// For people, on several lines.
    pub fn text(&self) -> String {
        let mut text = format!("error: {}", self.told.what);
        for (label, line) in [("why", self.told.why.as_deref()), ("fix", self.advice())] {
            if let Some(line) = line {
                text.push_str(&format!("\n  {label}: {line}"));
            }
        }
        text.push_str(&format!("\n  code: {}", self.told.code));
        if let Some(id) = &self.told.request_id {
            text.push_str(&format!(" (request {id})"));
        }
        text
    }

    /// For scripts, one object.
    pub fn json(&self) -> Value {
        json!({ "error": {
            "code": self.told.code,
            "what": self.told.what,
            "why": self.told.why,
            "fix": self.advice(),
            "request_id": self.told.request_id,
        }})
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let what = error.to_string();
        let code = error.code().to_owned();
        match error {
            ClientError::Refused(refusal) => {
                let kind = if refusal.status >= 500 || refusal.status == 429 {
                    Kind::Unavailable
                } else {
                    Kind::Refused
                };
                let mut failure = Self::new(kind, code, format!("the node refused: {}", refusal.detail));
                failure.told.fix = refusal.hint;
                failure.request(Some(refusal.request_id))
            }
            ClientError::Unreachable(_) | ClientError::NotFinalized(_) => Self::unavailable(code, what),
            ClientError::Address => Self::usage(code, what),
            _ => Self::refused(code, what),
        }
    }
}

/// Failures whose code alone says which kind they are: all refusals.
macro_rules! refusals {
    ($($error:ty),* $(,)?) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::refused(error.code(), error.to_string())
            }
        })*
    };
}

refusals!(
    realdid_ledger::LightError,
    realdid_ledger::ProofFileError,
    realdid_wallet::enrol::EnrolError,
    realdid_wallet::credentials::CredentialError,
    realdid_wallet::credentials::status::StatusCheckError,
    realdid_wallet::issuance::JudgeError,
    realdid_wallet::issuance::issuer::SearchError,
    realdid_wallet::operations::ChangeError,
    realdid_wallet::presenting::AnswerError,
    realdid_wallet::presenting::AskError,
    realdid_wallet::tokens::KeyCheckError,
);

impl From<realdid_wallet::issuance::IssuanceError> for Failure {
    fn from(error: realdid_wallet::issuance::IssuanceError) -> Self {
        let kind = if error.is_temporary() {
            Kind::Unavailable
        } else {
            Kind::Refused
        };
        Self::new(kind, error.code(), error.to_string())
    }
}

impl From<realdid_wallet::WalletError> for Failure {
    fn from(error: realdid_wallet::WalletError) -> Self {
        Self::local(error.code(), error.to_string())
    }
}

impl From<realdid_client::IdentityError> for Failure {
    fn from(error: realdid_client::IdentityError) -> Self {
        Self::local(error.code(), error.to_string())
    }
}
