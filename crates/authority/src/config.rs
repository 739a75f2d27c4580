//! The configuration file.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use realdid_client::{SettingsError, load_settings};
use realdid_ledger::Charter;
use realdid_service::config::Loaded;
use realdid_service::network::Subnet;
use realdid_service::{Limits, PublicUrl};
use serde::Deserialize;

use crate::credential_issuer::{Policy, TypeConfig};
use crate::rules::EnrolmentLimits;

/// What an authority's configuration file says. Paths are relative to the file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Under which address the world knows the authority: scheme, host and port.
    pub public_url: String,
    /// Proxies whose `X-Forwarded-For` is believed.
    #[serde(default)]
    pub trusted_proxies: Vec<Subnet>,
    /// Where the secret and the epoch keys are kept.
    #[serde(default = "here")]
    pub data_dir: PathBuf,
    /// The network's charter.
    pub charter: PathBuf,
    /// A node of the network; of several, separated by commas, the next one if one is down.
    pub node_url: String,
    /// `sqlite:PATH` or `postgres://…`.
    #[serde(default = "default_database")]
    pub database: String,
    /// The identity's key file.
    #[serde(default = "default_identity")]
    pub identity: PathBuf,
    /// How codes are sent; in a sandbox, without it they appear on a page.
    #[serde(default)]
    pub smtp: Option<SmtpConfig>,
    /// Limits of every request.
    #[serde(default)]
    pub limits: Limits,
    /// Limits of enrolment.
    #[serde(default)]
    pub enrolment: EnrolmentLimits,
    /// How credentials are issued.
    #[serde(default)]
    pub issuing: Policy,
    /// Which credentials; the real-name credential if none are named. Columns: `name`, `given_name`,
    /// `family_name`, `birth_date`, `nationality`, `level`.
    #[serde(default, rename = "credential")]
    pub credentials: Vec<TypeConfig>,
    /// Certificate chain of the P-256 credential key, PEM, the leaf first.
    #[serde(default)]
    pub certificates: Option<PathBuf>,
    /// File with the operators' secret; made if absent.
    #[serde(default = "default_operator_secret")]
    pub operator_secret: PathBuf,
}

/// How codes are sent by mail.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmtpConfig {
    /// `smtps://user:password@host` or `smtp://…`.
    pub url: String,
    /// The sender's mail address.
    pub from: String,
}

/// The URL may hold a password.
impl std::fmt::Debug for SmtpConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SmtpConfig(…, from {})", self.from)
    }
}

/// A configuration with the charter it names.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The file and where it stands.
    pub file: Loaded<Config>,
    /// The network's charter.
    pub charter: Charter,
    /// The authority's own address.
    pub public_url: PublicUrl,
}

impl Settings {
    /// Reads a configuration file and the charter it names.
    ///
    /// # Errors
    /// [`SettingsError`].
    pub fn load(path: &Path) -> Result<Self, SettingsError> {
        let (file, charter, public_url) =
            load_settings(path, |config: &Config| (&config.charter, &config.public_url))?;
        Ok(Self {
            file,
            charter,
            public_url,
        })
    }

    /// What the file says.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.file.config
    }

    pub(crate) fn data_path(&self, name: &str) -> PathBuf {
        self.file.path(&self.file.config.data_dir).join(name)
    }

    /// The operators' secret, made if there is none yet.
    ///
    /// # Errors
    /// [`RunError::Secret`](crate::RunError::Secret).
    pub fn operator_secret(&self) -> Result<String, crate::run::RunError> {
        let data = self.file.path(&self.file.config.data_dir);
        crate::issuer::operator_secret(&data.join(&self.file.config.operator_secret))
    }

    pub(crate) fn identity_path(&self) -> PathBuf {
        self.file.path(&self.file.config.identity)
    }

    pub(crate) fn database_url(&self) -> String {
        self.file.database_url(&self.file.config.database)
    }
}

fn here() -> PathBuf {
    ".".into()
}

fn default_operator_secret() -> PathBuf {
    "operator.secret".into()
}

fn default_database() -> String {
    "sqlite:authority.db".into()
}

fn default_identity() -> PathBuf {
    "authority.key".into()
}
