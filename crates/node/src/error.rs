//! Why a node cannot start or go on.

use std::path::PathBuf;

use crate::config::DATA_FORMAT;
use realdid_engine::EngineError;
use realdid_ledger::CharterError;
use realdid_service::PublicUrlError;
use realdid_service::config::ConfigError;

/// Why a node cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The configuration file.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A file that the configuration names, or the data directory.
    #[error("{0}: {1}")]
    File(PathBuf, std::io::Error),
    /// The charter.
    #[error(transparent)]
    Charter(#[from] CharterError),
    /// A key file does not hold hexadecimal digits of the right length.
    #[error("{0} does not hold a key in hexadecimal")]
    Key(PathBuf),
    /// The file with the share at genesis is not there, nor a data directory that has taken it.
    #[error(
        "{} is not there, the share of the network key that the first start takes into the data directory. If that \
         directory is lost, remove `share` from the configuration: the other validators deal a new one",
        .0.display()
    )]
    NoShare(PathBuf),
    /// The public URL.
    #[error(transparent)]
    PublicUrl(#[from] PublicUrlError),
    /// The data directory is of another format.
    #[error(
        "{} has data format `{found}`, this software reads `{DATA_FORMAT}`; move it away or run the software that \
         wrote it",
        path.display()
    )]
    DataFormat {
        /// The directory.
        path: PathBuf,
        /// What its format file says.
        found: String,
    },
    /// Another process uses the data directory.
    #[error("another process uses {}; stop it first", .0.display())]
    InUse(PathBuf),
    /// The index belongs to another network.
    #[error("the index in the data directory belongs to another network; move the directory away")]
    OtherNetwork,
    /// The consensus engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The index's database.
    #[error("the index failed: {0}")]
    Index(#[from] sqlx::Error),
    /// The index's schema.
    #[error("the index's schema failed: {0}")]
    Schema(#[from] sqlx::migrate::MigrateError),
    /// A socket.
    #[error("{0}")]
    Socket(std::io::Error),
    /// No space is left where the data directory lies.
    #[error("no space is left for {}", .0.display())]
    DiskFull(PathBuf),
    /// The engine ended by itself.
    #[error("the consensus engine ended; the log says why")]
    EngineEnded,
}

impl NodeError {
    /// The failure's stable name.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Config(error) => error.code(),
            Self::File(..) => "file_unusable",
            Self::Charter(_) => "charter_invalid",
            Self::Key(_) => "key_file_malformed",
            Self::NoShare(_) => "share_missing",
            Self::PublicUrl(error) => error.code(),
            Self::DataFormat { .. } => "data_format",
            Self::InUse(_) => "data_in_use",
            Self::OtherNetwork => "other_network",
            Self::Engine(error) => error.code(),
            Self::Index(_) | Self::Schema(_) => "index_failed",
            Self::Socket(_) => "listen_failed",
            Self::DiskFull(_) => "disk_full",
            Self::EngineEnded => "engine_stopped",
        }
    }
}
