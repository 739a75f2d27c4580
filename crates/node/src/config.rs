//! A node's configuration file, and the key files it names.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use realdid_engine::{EngineConfig, ValidatorKeys};
use realdid_ledger::Charter;
use realdid_service::Limits;
use realdid_service::config::{Loaded, read_secret_file};
use realdid_service::network::Subnet;
use zeroize::Zeroizing;

use crate::NodeError;

/// Format of the data directory; written as a file in it.
pub(crate) const DATA_FORMAT: &str = "2";
/// Name of that file.
const DATA_FORMAT_FILE: &str = "format_version";

/// `node.toml`. Paths are relative to the file.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeConfig {
    /// Where the HTTP interface listens.
    pub listen: SocketAddr,
    /// The address under which the world knows this node: https, or http on a sandbox's loopback.
    pub public_url: String,
    /// Directory of blocks, state and index; used by one process at a time.
    pub data_dir: PathBuf,
    /// The network's genesis charter.
    pub charter: PathBuf,
    /// Seed of the validator's Ed25519 link key: 64 hexadecimal digits, mode 0600.
    pub link_key: PathBuf,
    /// The validator's share of the network key at genesis, hexadecimal, mode 0600. One that is not
    /// of the first committee has none: its share is dealt to it. The first start takes it into the data
    /// directory, where shares are erased when their epoch is over, and removes the file.
    #[serde(default)]
    pub share: Option<PathBuf>,
    /// Where the engine listens for other validators.
    pub p2p_listen: SocketAddr,
    /// Proxies whose `X-Forwarded-For` is believed: addresses or networks.
    #[serde(default)]
    pub trusted_proxies: Vec<Subnet>,
    /// What clients may ask.
    #[serde(default)]
    pub limits: Limits,
    /// What clients may submit.
    #[serde(default)]
    pub admission: AdmissionLimits,
    /// Longest time between two blocks when nothing waits, in milliseconds (10 to 10,000).
    #[serde(default = "default_heartbeat")]
    pub heartbeat_ms: u64,
    /// How long a view may take beyond the heartbeat before it is given up, in milliseconds. A lone
    /// validator that was killed in the middle of a view goes on after the heartbeat and twice this.
    #[serde(default = "default_leader_slack")]
    pub leader_slack_ms: u64,
    /// Whether the node ends when its standard input does.
    #[serde(default)]
    pub exit_with_parent: bool,
}

const fn default_heartbeat() -> u64 {
    5_000
}

const fn default_leader_slack() -> u64 {
    2_000
}

/// What one address may submit, in units of one Ed25519 verification.
#[derive(Debug, Clone, Copy, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdmissionLimits {
    /// Cost a second in the long run.
    pub cost_per_second: f64,
    /// Cost at once.
    pub cost_burst: f64,
    /// First operations that recover or deactivate, a second in the long run: they accept an
    /// expired token, so they have a limit of their own.
    pub late_foundings_per_second: f64,
    /// The same at once.
    pub late_foundings_burst: f64,
    /// Most operations that wait in the pool.
    pub max_pool_operations: usize,
}

impl Default for AdmissionLimits {
    fn default() -> Self {
        Self {
            cost_per_second: 1_000.0,
            cost_burst: 10_000.0,
            late_foundings_per_second: 0.5,
            late_foundings_burst: 20.0,
            max_pool_operations: 50_000,
        }
    }
}

/// Reads the charter that the configuration names.
pub(crate) fn load_charter(loaded: &Loaded<NodeConfig>) -> Result<Charter, NodeError> {
    let path = loaded.path(&loaded.config.charter);
    let json = std::fs::read(&path).map_err(|error| NodeError::File(path.clone(), error))?;
    Ok(Charter::from_json(&json)?)
}

/// The engine's configuration, with the keys from their files.
pub(crate) fn engine_config(
    loaded: &Loaded<NodeConfig>,
    charter: &Charter,
) -> Result<EngineConfig, NodeError> {
    let config = &loaded.config;
    let link_key = read_hex(&loaded.path(&config.link_key))?;
    let link_key: [u8; 32] = link_key
        .as_slice()
        .try_into()
        .map_err(|_| NodeError::Key(loaded.path(&config.link_key)))?;
    let storage = loaded.path(&config.data_dir).join("ledger");
    let share = share_file(loaded);
    if let Some(path) = share.as_ref().filter(|path| !path.exists()) {
        return Err(NodeError::NoShare(path.clone()));
    }
    let share = share.map(|path| read_hex(&path));
    let keys = ValidatorKeys {
        link_key: Zeroizing::new(link_key),
        share: share.transpose()?,
    };
    let mut engine = EngineConfig::new(storage, charter.clone(), keys, config.p2p_listen);
    engine.local_network = charter.sandbox;
    engine.heartbeat = std::time::Duration::from_millis(config.heartbeat_ms);
    engine.leader_slack = std::time::Duration::from_millis(config.leader_slack_ms);
    engine.max_pool_operations = config.admission.max_pool_operations;
    Ok(engine)
}

/// The file with the share at genesis; `None` if there is none, or a start before has taken it.
fn share_file(loaded: &Loaded<NodeConfig>) -> Option<PathBuf> {
    let config = &loaded.config;
    let path = loaded.path(config.share.as_ref()?);
    let taken = !path.exists() && loaded.path(&config.data_dir).join("ledger").is_dir();
    (!taken).then_some(path)
}

/// Removes the file with the share at genesis, once the data directory has it: there it is erased when its
/// epoch is over, and a copy elsewhere would outlive that.
pub(crate) fn forget_share(loaded: &Loaded<NodeConfig>) -> Result<(), NodeError> {
    let Some(path) = share_file(loaded) else {
        return Ok(());
    };
    std::fs::remove_file(&path).map_err(|error| NodeError::File(path.clone(), error))?;
    tracing::info!("the share of the network key is in the data directory; its file is removed");
    Ok(())
}

fn read_hex(path: &Path) -> Result<Zeroizing<Vec<u8>>, NodeError> {
    let text = read_secret_file(path).map_err(|error| NodeError::File(path.to_owned(), error))?;
    let text = Zeroizing::new(text);
    let bytes = hex::decode(text.trim()).map_err(|_| NodeError::Key(path.to_owned()))?;
    Ok(Zeroizing::new(bytes))
}

/// A data directory that this process has to itself.
#[derive(Debug)]
pub(crate) struct DataDirectory {
    pub(crate) path: PathBuf,
    /// Held for the life of the process; the system lets go of it even after a crash.
    _lock: std::fs::File,
}

impl DataDirectory {
    /// Opens the directory, or makes it; refuses another format and a second process.
    pub(crate) fn open(path: PathBuf) -> Result<Self, NodeError> {
        let failed = |error| NodeError::File(path.clone(), error);
        std::fs::create_dir_all(&path).map_err(failed)?;
        let format = path.join(DATA_FORMAT_FILE);
        match std::fs::read_to_string(&format) {
            Ok(found) if found.trim() == DATA_FORMAT => {}
            Ok(found) => {
                return Err(NodeError::DataFormat {
                    path,
                    found: found.trim().to_owned(),
                });
            }
            Err(_) => std::fs::write(&format, DATA_FORMAT).map_err(failed)?,
        }
        let lock = std::fs::File::create(path.join("lock")).map_err(failed)?;
        lock.try_lock().map_err(|_| NodeError::InUse(path.clone()))?;
        Ok(Self { path, _lock: lock })
    }
}
