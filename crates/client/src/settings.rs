//! What every service reads when it starts: its configuration file, the charter that the file names, and
//! the address under which the world knows the service.

use std::path::{Path, PathBuf};

use realdid_ledger::{Charter, CharterError};
use realdid_service::config::{ConfigError, Loaded, load};
use realdid_service::{PublicUrl, PublicUrlError};
use serde::de::DeserializeOwned;

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The configuration file.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The charter cannot be read.
    #[error("cannot read {0}: {1}")]
    ReadCharter(PathBuf, std::io::Error),
    /// The charter is not one.
    #[error(transparent)]
    Charter(#[from] CharterError),
    /// The public URL.
    #[error(transparent)]
    PublicUrl(#[from] PublicUrlError),
}

impl SettingsError {
    /// The failure's stable name.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Config(error) => error.code(),
            Self::ReadCharter(..) => "charter_unreadable",
            Self::Charter(_) => "charter_invalid",
            Self::PublicUrl(error) => error.code(),
        }
    }
}

/// Reads a configuration file; `named` tells the path of the charter and the public address that it
/// names, of which the first is read and the second checked: plain http is for a sandbox on loopback.
///
/// # Errors
/// [`SettingsError`].
pub fn load_settings<C: DeserializeOwned>(
    path: &Path,
    named: impl Fn(&C) -> (&Path, &str),
) -> Result<(Loaded<C>, Charter, PublicUrl), SettingsError> {
    let file = load::<C>(path)?;
    let (charter, public_url) = named(&file.config);
    let path = file.path(charter);
    let json = std::fs::read(&path).map_err(|error| SettingsError::ReadCharter(path, error))?;
    let charter = Charter::from_json(&json)?;
    let public_url = PublicUrl::parse(public_url, charter.sandbox)?;
    Ok((file, charter, public_url))
}
