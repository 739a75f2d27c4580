//! Networks of their own for tests: made by `realdid network init`, run by real `realdid` processes.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use realdid_crypto::{Hash, base64url_encode};
use realdid_ledger::{Charter, EPOCH_BLOCKS_PER_VALIDATOR, TrustAnchor};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::people::TestAuthority;

/// How long a process may take to be ready, and an operation to become final.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// Seed of the test authority's keys; nothing real is signed with them.
const AUTHORITY: [u8; 32] = [0xa7; 32];
/// Ports below those that the system hands out by itself, in steps that leave room for a network.
const PORTS: std::ops::Range<u16> = 20_000..32_000;
const PORT_STEP: u16 = 60;
/// What a node allows one address, by table of its configuration.
const LIMITS: [(&str, [&str; 2]); 2] = [
    ("limits", ["requests_per_second", "burst"]),
    ("admission", ["cost_per_second", "cost_burst"]),
];
/// Heartbeat and slack of a leader, in milliseconds.
const PACE: i64 = 250;
/// Lines of a log that a failure shows.
const LOG_LINES: usize = 30;

/// The program under test.
pub fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_realdid"))
}

/// Runs the program to its end.
pub fn realdid<I: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = I>) -> Output {
    let mut command = Command::new(program());
    command.args(arguments).stdin(Stdio::null());
    command.output().expect("the program starts")
}

/// Seconds since 1970.
pub fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// A network's directory, with a charter that seats the test authority.
pub struct Network {
    dir: TempDir,
    port: u16,
    validators: u16,
    pub charter: Charter,
    pub authority: TestAuthority,
}

impl Network {
    /// Founds a network of one validator.
    pub fn init() -> Self {
        Self::of(1)
    }

    /// Founds a network of so many validators with ports of its own. Rate limits are lifted: the tests ask
    /// from one address.
    pub fn of(validators: u16) -> Self {
        Self::shaped(validators, |_| {})
    }

    /// The same, with a charter that differs.
    pub fn shaped(validators: u16, shape: impl FnOnce(&mut Charter)) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let nodes = (0..validators).map(node_port);
        let ports: Vec<_> = nodes.flat_map(|port| [port, port + 1]).chain([20]).collect();
        let port = free_ports(&ports);
        let root = dir.path().join("network");
        let output = realdid([
            "network".as_ref(),
            "init".as_ref(),
            "--sandbox".as_ref(),
            "--dir".as_ref(),
            root.as_os_str(),
            "--port-base".as_ref(),
            port.to_string().as_ref(),
            "--validators".as_ref(),
            validators.to_string().as_ref(),
        ]);
        assert!(
            output.status.success(),
            "network init: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let file = root.join("charter.json");
        let mut charter = Charter::from_json(&fs::read(&file).expect("a charter")).expect("a valid charter");
        charter.seats[0] = TestAuthority::seat(&AUTHORITY);
        // Epochs don't end during a test.
        charter.epoch_seconds = 90 * 86_400;
        // Shares of the network key are dealt anew as often as the charter can say, so many times a test.
        charter.committees.epoch_blocks =
            u64::from(charter.committees.max_validators) * EPOCH_BLOCKS_PER_VALIDATOR;
        shape(&mut charter);
        fs::write(&file, charter.to_json().expect("a valid charter")).expect("the charter is written");
        for index in 0..validators {
            configure(&root.join(node_name(index)).join("node.toml"), PACE);
        }
        let authority = TestAuthority::new(&charter, &AUTHORITY);
        Self {
            dir,
            port,
            validators,
            charter,
            authority,
        }
    }

    /// What a verifier pins.
    pub fn anchor(&self) -> TrustAnchor {
        TrustAnchor::of(&self.charter)
    }

    /// The charter's file.
    pub fn charter_file(&self) -> PathBuf {
        self.dir.path().join("network/charter.json")
    }

    /// A path in the network's temporary directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The node's address, or the first one's.
    pub fn url(&self) -> String {
        self.url_of(0)
    }

    /// The address of a node.
    pub fn url_of(&self, index: u16) -> String {
        format!("http://127.0.0.1:{}", self.port + node_port(index))
    }

    /// The numbers of its nodes.
    pub fn nodes(&self) -> std::ops::Range<u16> {
        0..self.validators
    }

    /// Address of what listens so far above the first port.
    #[allow(dead_code, reason = "not every target needs it")]
    pub fn url_at(&self, offset: u16) -> String {
        format!("http://127.0.0.1:{}", self.port_at(offset))
    }

    /// A port so far above the first.
    #[allow(dead_code, reason = "not every target needs it")]
    pub const fn port_at(&self, offset: u16) -> u16 {
        self.port + offset
    }

    /// Starts the node and waits until it is ready.
    pub fn start_node(&self) -> Process {
        let mut process = self.spawn_node(program());
        process.wait_ready();
        process
    }

    /// Starts a node of the given program without waiting.
    pub fn spawn_node(&self, program: &Path) -> Process {
        self.spawn_node_of(0, program)
    }

    /// Starts one of several nodes without waiting.
    pub fn spawn_node_of(&self, index: u16, program: &Path) -> Process {
        let name = node_name(index);
        let config = self.dir.path().join("network").join(&name).join("node.toml");
        let mut command = Command::new(program);
        command.args(["node", "run", "--config"]).arg(config);
        Process::spawn(&mut command, &self.path(&format!("{name}.log")))
    }

    /// Puts the authority and its epoch key on the ledger.
    pub async fn publish_authority(&self, http: &reqwest::Client) {
        for operation in self.authority.operations() {
            let answer = submit(http, &self.url(), &operation).await;
            assert!(
                matches!(answer, Answer::Finalized { .. }),
                "the authority's operation: {answer:?}"
            );
        }
    }
}

/// The directory of a node, as `network init` names it.
fn node_name(index: u16) -> String {
    match index {
        0 => "node".to_owned(),
        further => format!("node{}", further + 1),
    }
}

/// How far above the first port a node's are, as `network init` gives them.
const fn node_port(index: u16) -> u16 {
    match index {
        0 => 0,
        further => 38 + 2 * further,
    }
}

/// A running process, killed when dropped.
pub struct Process {
    child: Child,
    ready: mpsc::Receiver<String>,
    announced: bool,
    log: PathBuf,
}

impl Process {
    /// Starts a process; what it logs is added to a file.
    pub fn spawn(command: &mut Command, log: &Path) -> Self {
        let file = File::options()
            .create(true)
            .append(true)
            .open(log)
            .expect("the log opens");
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(file)
            .spawn()
            .expect("the process starts");
        let (sender, ready) = mpsc::channel();
        let stdout = child.stdout.take().expect("its output is piped");
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                // Nobody may be waiting for it.
                let _ = sender.send(line);
            }
        });
        Self {
            child,
            ready,
            announced: false,
            log: log.to_owned(),
        }
    }

    /// Waits for the line `ready <url>`.
    pub fn wait_ready(&mut self) {
        match self.ready.recv_timeout(PATIENCE) {
            Ok(line) => assert!(line.starts_with("ready "), "the process said `{line}`"),
            Err(_) => panic!(
                "the process is not ready; its log ends with\n{}",
                self.last_lines()
            ),
        }
    }

    /// The next line of its output.
    pub fn next_line(&self) -> String {
        let line = self.ready.recv_timeout(PATIENCE);
        line.unwrap_or_else(|_| {
            panic!(
                "the process says nothing; its log ends with\n{}",
                self.last_lines()
            )
        })
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether the line `ready <url>` has come by now.
    pub fn is_ready(&mut self) -> bool {
        self.announced |= self.ready.try_recv().is_ok_and(|line| line.starts_with("ready "));
        self.announced
    }

    /// Whether the process has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().is_ok_and(|status| status.is_some())
    }

    /// Ends the process at once, without warning (`SIGKILL`).
    pub fn kill(mut self) {
        self.end();
    }

    /// The end of its log.
    pub fn last_lines(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
    }

    fn end(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// What a node answers to an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Final at this height.
    Finalized {
        /// The height.
        height: u64,
    },
    /// Taken, not final yet.
    Received,
    /// Busy: a status that asks to come again.
    Later,
    /// Refused for good, with the code.
    Refused(String),
    /// No answer, or half of one.
    Unreachable,
}

/// Sends an operation, as a block holds it, and waits until the node says it is final.
pub async fn submit(http: &reqwest::Client, url: &str, operation: &[u8]) -> Answer {
    let request = http
        .post(format!("{url}/v1/operations?wait=finalized"))
        .json(&json!({ "operation": base64url_encode(operation) }));
    let Ok(response) = request.send().await else {
        return Answer::Unreachable;
    };
    let status = response.status().as_u16();
    let Ok(body) = response.json::<Value>().await else {
        return Answer::Unreachable;
    };
    match (status, body["status"].as_str(), body["height"].as_u64()) {
        (200, Some("finalized"), Some(height)) => Answer::Finalized { height },
        (202, Some("received"), _) => Answer::Received,
        (429 | 503, ..) => Answer::Later,
        _ => Answer::Refused(body["code"].as_str().unwrap_or("no_code").to_owned()),
    }
}

/// Asks a node; `None` without an answer of status 200.
pub async fn get(http: &reqwest::Client, url: &str) -> Option<Vec<u8>> {
    let response = http.get(url).send().await.ok()?;
    let response = (response.status() == 200).then_some(response)?;
    Some(response.bytes().await.ok()?.to_vec())
}

/// A client for many requests at a time.
pub fn http() -> reqwest::Client {
    reqwest::Client::builder()
        .no_proxy()
        .timeout(PATIENCE)
        .build()
        .expect("an HTTP client")
}

/// The 64 hexadecimal digits of a key of the state.
pub fn hex(key: &[u8; 32]) -> String {
    Hash(*key).to_hex()
}

/// A base from which the ports at these offsets are free.
pub fn free_ports(offsets: &[u16]) -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let places = (PORTS.end - PORTS.start) / PORT_STEP;
    // Processes that run at the same time begin at different places.
    let own = u16::try_from(std::process::id() % u32::from(places)).unwrap_or(0);
    loop {
        let place = (own * 7 + NEXT.fetch_add(1, Ordering::Relaxed)) % places;
        let base = PORTS.start + place * PORT_STEP;
        if offsets
            .iter()
            .all(|offset| TcpListener::bind((Ipv4Addr::LOCALHOST, base + offset)).is_ok())
        {
            return base;
        }
    }
}

/// Lets one address ask as often as it likes, and sets the pace, in milliseconds: short, so that a lone
/// validator does not pause long after it was killed in the middle of a view.
pub fn configure(config: &Path, pace: i64) {
    let text = fs::read_to_string(config).expect("the node's configuration");
    let mut table: toml::Table = text.parse().expect("a TOML file");
    for (name, keys) in LIMITS {
        let limits = table.entry(name).or_insert_with(|| toml::Table::new().into());
        let limits = limits.as_table_mut().expect("a table of limits");
        for key in keys {
            limits.insert(key.to_owned(), toml::Value::Float(1e6));
        }
    }
    for name in ["heartbeat_ms", "leader_slack_ms"] {
        table.insert(name.to_owned(), toml::Value::Integer(pace));
    }
    fs::write(config, table.to_string()).expect("the configuration is written");
}
