//! A login on its way: an enum that owns what each stage knows, and the moves between stages.
//!
//! ```text
//! Waiting ── answer ──▶ Answered ── complete ──▶ Completed
//!    └────── decline ─▶ Declined ── complete ──▶ Completed
//! ```
//!
//! Every other move is an error. The browser that began a login is known by a cookie of that login
//! alone; whoever else has the link cannot end it.

use realdid_checks::passes;
use realdid_did::Level;
use realdid_openid::oidc::{CodeChallenge, Scopes};
use realdid_presentation::VerifiedLogin;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::clients::level_name;
use crate::secret::{Secret, SecretHash};

/// How long a login may take, in seconds.
pub(crate) const LOGIN_LIFETIME: u64 = 600;
/// How long a scanned request may be answered, in seconds. A fresh code replaces it on the page.
pub(crate) const CROSS_DEVICE_LIFETIME: u64 = 120;

/// What a website asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Asked {
    pub(crate) client_id: String,
    pub(crate) redirect_uri: String,
    pub(crate) scopes: Scopes,
    pub(crate) state: Option<String>,
    pub(crate) nonce: Option<String>,
    pub(crate) challenge: CodeChallenge,
    /// The lowest level that will do for this login.
    pub(crate) level: Level,
}

/// Which device answered, as seen from the browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Device {
    /// The one the browser runs on: the wallet was opened by the link.
    Same,
    /// Another one: the wallet scanned a code, which somebody may have passed on.
    Other,
}

impl Device {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Other => "other",
        }
    }

    pub(crate) fn from_str(text: &str) -> Option<Self> {
        [Self::Same, Self::Other]
            .into_iter()
            .find(|device| device.as_str() == text)
    }
}

/// How the browser may end the login.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Return {
    /// With the code that the wallet on the same device brings back to it.
    ResponseCode(SecretHash),
    /// From the page that waits.
    WaitingPage,
}

/// What a valid answer said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Answer {
    /// The DID made for this website, short form.
    pub(crate) sub: String,
    pub(crate) level: Level,
    pub(crate) device: Device,
    /// When the wallet answered, in Unix seconds.
    pub(crate) auth_time: u64,
    /// Claims of the real-name credential, as far as the scopes ask for them.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(crate) claims: Map<String, Value>,
}

impl Answer {
    /// The authentication class (see `realdid_openid::oidc::discovery`).
    pub(crate) fn acr(&self) -> String {
        use realdid_openid::oidc::discovery::{ACR_CROSS_DEVICE, ACR_PREFIX};
        let suffix = if self.device == Device::Other {
            ACR_CROSS_DEVICE
        } else {
            ""
        };
        format!("{ACR_PREFIX}{}{suffix}", level_name(self.level))
    }

    /// The authentication methods (RFC 8176): a key was proved; `mca`: over another channel.
    pub(crate) fn amr(&self) -> Vec<String> {
        let methods: &[&str] = if self.device == Device::Other {
            &["pop", "mca"]
        } else {
            &["pop"]
        };
        methods.iter().map(|&method| method.to_owned()).collect()
    }
}

/// How far a login is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stage {
    /// No wallet has answered.
    Waiting,
    /// A wallet has; the browser has not been back.
    Answered { answer: Answer, back: Return },
    /// The holder said no; the browser has not been back.
    Declined { back: Return },
    /// The browser was sent back to the website.
    Completed,
}

/// How a login ends for the website.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ending {
    /// With a person.
    Answered(Answer),
    /// With a refusal.
    Declined,
}

/// Why a move is not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LoginError {
    #[error("this login does not exist, or has expired")]
    Unknown,
    #[error("this login has been answered already")]
    AlreadyAnswered,
    #[error("no wallet has answered this login yet")]
    NotAnswered,
    #[error("this login was completed already")]
    Completed,
    #[error("this login was begun in another browser")]
    OtherBrowser,
    #[error("the wallet's response code is missing or wrong")]
    ResponseCode,
    #[error("at high assurance the wallet must be on the device that shows the website")]
    CrossDevice,
}

impl LoginError {
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Unknown => "login_unknown",
            Self::AlreadyAnswered => "request_used",
            Self::NotAnswered => "login_not_answered",
            Self::Completed => "login_completed",
            Self::OtherBrowser => "other_browser",
            Self::ResponseCode => "response_code_invalid",
            Self::CrossDevice => "cross_device_refused",
        }
    }
}

/// A login.
#[derive(Debug, Clone)]
pub(crate) struct Login {
    pub(crate) id: String,
    pub(crate) browser: SecretHash,
    pub(crate) asked: Asked,
    pub(crate) stage: Stage,
    /// Counts the moves.
    pub(crate) version: i64,
    /// In Unix seconds.
    pub(crate) expires_at: u64,
}

impl Login {
    /// Begins a login for the browser that is given the cookie.
    pub(crate) fn begin(asked: Asked, cookie: &Secret, now: u64) -> Self {
        Self {
            id: crate::secret::random_id(),
            browser: cookie.hash(),
            asked,
            stage: Stage::Waiting,
            version: 0,
            expires_at: now + LOGIN_LIFETIME,
        }
    }

    /// Whether another device may answer.
    pub(crate) fn allows(&self, device: Device) -> Result<(), LoginError> {
        if passes(
            "SIG-04",
            device == Device::Same || self.asked.level != Level::High,
        ) {
            Ok(())
        } else {
            Err(LoginError::CrossDevice)
        }
    }

    /// Whether a wallet may still answer.
    pub(crate) fn check_waiting(&self) -> Result<(), LoginError> {
        if passes("SIG-05", self.stage == Stage::Waiting) {
            Ok(())
        } else {
            Err(LoginError::AlreadyAnswered)
        }
    }

    /// A wallet's answer was judged and is valid: the next stage, and for the same device the code
    /// that brings the browser back.
    pub(crate) fn answer(
        &self,
        verified: &VerifiedLogin,
        claims: Map<String, Value>,
        device: Device,
        now: u64,
    ) -> Result<(Stage, Option<Secret>), LoginError> {
        self.check_waiting()?;
        self.allows(device)?;
        let (back, code) = way_back(device);
        let answer = Answer {
            sub: verified.did().to_string(),
            level: verified.level(),
            device,
            auth_time: now,
            claims,
        };
        Ok((Stage::Answered { answer, back }, code))
    }

    /// The holder declined.
    pub(crate) fn decline(&self, device: Device) -> Result<(Stage, Option<Secret>), LoginError> {
        self.check_waiting()?;
        let (back, code) = way_back(device);
        Ok((Stage::Declined { back }, code))
    }

    /// Whether this is the browser that began the login.
    pub(crate) fn check_browser(&self, cookie: Option<&str>) -> Result<(), LoginError> {
        if passes("SIG-06", cookie.is_some_and(|cookie| self.browser.fits(cookie))) {
            Ok(())
        } else {
            Err(LoginError::OtherBrowser)
        }
    }

    /// The browser comes to end the login.
    pub(crate) fn complete(
        &self,
        cookie: Option<&str>,
        response_code: Option<&str>,
    ) -> Result<Ending, LoginError> {
        self.check_browser(cookie)?;
        if !passes("SIG-07", self.stage != Stage::Waiting) {
            return Err(LoginError::NotAnswered);
        }
        if !passes("SIG-08", self.stage != Stage::Completed) {
            return Err(LoginError::Completed);
        }
        let (ending, back) = match &self.stage {
            Stage::Answered { answer, back } => (Ending::Answered(answer.clone()), back),
            Stage::Declined { back } => (Ending::Declined, back),
            Stage::Waiting | Stage::Completed => return Ok(Ending::Declined),
        };
        let came_back = match back {
            Return::WaitingPage => true,
            Return::ResponseCode(hash) => response_code.is_some_and(|code| hash.fits(code)),
        };
        if passes("SIG-09", came_back) {
            Ok(ending)
        } else {
            Err(LoginError::ResponseCode)
        }
    }

    /// Whether the waiting page may end the login by itself.
    pub(crate) fn ends_by_itself(&self) -> bool {
        matches!(&self.stage, Stage::Answered { back, .. } | Stage::Declined { back } if *back == Return::WaitingPage)
    }
}

fn way_back(device: Device) -> (Return, Option<Secret>) {
    match device {
        Device::Other => (Return::WaitingPage, None),
        Device::Same => {
            let code = Secret::generate();
            (Return::ResponseCode(code.hash()), Some(code))
        }
    }
}
