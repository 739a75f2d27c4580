//! The configuration file.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use realdid_client::{SettingsError, load_settings};
use realdid_ledger::Charter;
use realdid_openid::registration::MayAsk;
use realdid_service::config::Loaded;
use realdid_service::network::Subnet;
use realdid_service::{Limits, PublicUrl};
use serde::Deserialize;

/// The settings; relative paths start from the file's directory.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Under which address the world knows the sign-in server: scheme, host and port. The issuer.
    pub public_url: String,
    /// Proxies whose `X-Forwarded-For` is believed.
    #[serde(default)]
    pub trusted_proxies: Vec<Subnet>,
    /// Where the signing key and the websites' request keys are kept.
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
    /// What this server is registered to ask for on the ledger, where that is limited to some claims:
    /// the lists whose hashes the grants hold, shown to wallets.
    #[serde(default)]
    pub registrations: Vec<MayAsk>,
    /// A web wallet that the login page leads to, beside wallets that are installed: its address.
    #[serde(default)]
    pub wallet_url: Option<String>,
    /// Limits of every request.
    #[serde(default)]
    pub limits: Limits,
}

fn here() -> PathBuf {
    ".".into()
}

fn default_database() -> String {
    "sqlite:signin.db".into()
}

fn default_identity() -> PathBuf {
    "signin.key".into()
}

/// A configuration with the charter it names.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The file and where it stands.
    pub file: Loaded<Config>,
    /// The network's charter.
    pub charter: Charter,
    /// The issuer.
    pub public_url: PublicUrl,
    /// A web wallet that the login page leads to.
    pub wallet_url: Option<PublicUrl>,
}

impl Settings {
    /// Reads a configuration file and the charter it names.
    ///
    /// # Errors
    /// [`SettingsError`].
    pub fn load(path: &Path) -> Result<Self, SettingsError> {
        let (file, charter, public_url) =
            load_settings(path, |config: &Config| (&config.charter, &config.public_url))?;
        let wallet_url = file.config.wallet_url.as_deref();
        let wallet_url = wallet_url.map(|url| PublicUrl::parse(url, charter.sandbox));
        Ok(Self {
            wallet_url: wallet_url.transpose()?,
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

    pub(crate) fn identity_path(&self) -> PathBuf {
        self.file.path(&self.file.config.identity)
    }

    pub(crate) fn database_url(&self) -> String {
        self.file.database_url(&self.file.config.database)
    }
}
