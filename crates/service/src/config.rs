//! Configuration files: TOML, with paths relative to the file itself.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

/// Why a configuration file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not what the service expects.
    #[error("{path} is not a valid configuration: {source}")]
    Form {
        /// Which file.
        path: PathBuf,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
}

impl ConfigError {
    /// The failure's stable name.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Read { .. } => "config_unreadable",
            Self::Form { .. } => "config_invalid",
        }
    }
}

/// A configuration and the directory its relative paths start from.
#[derive(Debug, Clone)]
pub struct Loaded<T> {
    /// What the file says.
    pub config: T,
    /// The directory of the file.
    pub directory: PathBuf,
}

impl<T> Loaded<T> {
    /// A path of the configuration: absolute ones as they are, others from the file's directory.
    #[must_use]
    pub fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.directory.join(path)
    }

    /// A database URL of the configuration: a relative `sqlite:` file is taken from the
    /// configuration's directory, anything else stays as it is.
    #[must_use]
    pub fn database_url(&self, url: &str) -> String {
        match url.strip_prefix("sqlite:") {
            Some(file) if !file.contains(":memory:") => {
                let file = file.strip_prefix("//").unwrap_or(file);
                format!("sqlite:{}", self.path(file).display())
            }
            _ => url.to_owned(),
        }
    }
}

/// Loads a configuration file.
///
/// # Errors
/// [`ConfigError`].
pub fn load<T: DeserializeOwned>(path: &Path) -> Result<Loaded<T>, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
        path: path.to_owned(),
        source,
    })?;
    let config = toml::from_str(&text).map_err(|source| ConfigError::Form {
        path: path.to_owned(),
        source: Box::new(source),
    })?;
    let directory = path.parent().map(Path::to_path_buf).unwrap_or_default();
    Ok(Loaded { config, directory })
}

/// Reads a secret file, e.g. keys, and refuses one that others may read.
///
/// # Errors
/// [`std::io::Error`], of kind `PermissionDenied` if the file's mode gives group or others anything.
pub fn read_secret_file(path: &Path) -> std::io::Result<String> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(path)?.permissions().mode();
    if mode & 0o077 != 0 {
        let hint = format!("others may read it; run: chmod 600 {}", path.display());
        return Err(std::io::Error::new(std::io::ErrorKind::PermissionDenied, hint));
    }
    std::fs::read_to_string(path)
}

/// Writes a secret file with mode 0600 in one step: a reader sees the old file or the new one.
///
/// # Errors
/// [`std::io::Error`].
pub fn write_secret_file(path: &Path, contents: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let temporary = path.with_extension("new");
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(&temporary)?;
    file.write_all(contents.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&temporary, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_start_at_the_file() {
        let loaded = Loaded {
            config: (),
            directory: PathBuf::from("/etc/realdid"),
        };
        assert_eq!(
            loaded.path("../charter.json"),
            PathBuf::from("/etc/realdid/../charter.json")
        );
        assert_eq!(loaded.path("/var/lib"), PathBuf::from("/var/lib"));
        assert_eq!(loaded.database_url("sqlite:a.db"), "sqlite:/etc/realdid/a.db");
        assert_eq!(loaded.database_url("sqlite://a.db"), "sqlite:/etc/realdid/a.db");
        assert_eq!(loaded.database_url("sqlite::memory:"), "sqlite::memory:");
        assert_eq!(loaded.database_url("postgres://h/d"), "postgres://h/d");
    }
}
