//! Committees that change, on real processes: a fifth validator comes, the first goes and follows.

use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use realdid_ledger::Committees;
use serde_json::Value;

use crate::support::{Network, Process, configure, get, http, program, realdid};

/// Blocks of a consensus epoch: the fewest for five validators.
const EPOCH_BLOCKS: u64 = 20;
/// Longest time between two blocks, in milliseconds.
const PACE: i64 = 100;
/// How long a change of the committee may take: about six epochs.
const PATIENCE: Duration = Duration::from_secs(120);

/// The result of a command that must succeed.
pub fn value(output: &Output) -> Value {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The code of a command that must fail.
pub fn code(output: &Output) -> String {
    assert!(!output.status.success());
    let stderr = String::from_utf8_lossy(&output.stderr);
    let line = stderr.lines().last().unwrap_or_default();
    let error: Value = serde_json::from_str(line).unwrap_or_default();
    assert!(error["error"]["fix"].is_string(), "it says what to do: {stderr}");
    error["error"]["code"].as_str().unwrap_or_default().to_owned()
}

/// Starts a node by its configuration.
pub fn spawn(config: &Path, log: &Path) -> Process {
    let mut command = Command::new(program());
    command.args(["node", "run", "--config"]).arg(config);
    Process::spawn(&mut command, log)
}

/// What a node says about itself, once it answers.
async fn status(http: &reqwest::Client, url: &str) -> Option<Value> {
    let body = get(http, &format!("{url}/v1/status")).await?;
    serde_json::from_slice(&body).ok()
}

/// Waits until what a node says about itself is so.
pub async fn wait_until(http: &reqwest::Client, url: &str, what: &str, so: impl Fn(&Value) -> bool) -> Value {
    let begun = Instant::now();
    let mut last = Value::Null;
    loop {
        if let Some(status) = status(http, url).await {
            if so(&status) {
                return status;
            }
            last = status;
        }
        assert!(begun.elapsed() < PATIENCE, "{url} is not {what}: {last}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Decides at once, by the sandbox's one member.
struct Deciding<'a> {
    network: &'a Network,
    node: String,
}

impl Deciding<'_> {
    fn committee(&self, arguments: &[&str], member: bool) -> Output {
        let charter = self.network.charter_file().display().to_string();
        let key = self
            .network
            .path("network/member/member.key")
            .display()
            .to_string();
        let common = ["--json", "--charter", &charter, "--node", &self.node];
        let by = ["--member-key", &key];
        let by = by.iter().take(if member { 2 } else { 0 });
        let command = ["governance", "committee"].iter().chain(arguments);
        realdid(command.chain(&common).chain(by))
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Four validators that run, and a newcomer's files.
struct Five {
    network: Network,
    http: reqwest::Client,
    nodes: Vec<Process>,
    /// The newcomer's link key, addresses for clients and for peers.
    link_key: String,
    url: String,
    peers: String,
}

const NAMES: [&str; 5] = ["node", "node2", "node3", "node4", "newcomer"];

impl Five {
    async fn start() -> Self {
        let network = Network::shaped(4, |charter| {
            charter.committees = Committees {
                epoch_blocks: EPOCH_BLOCKS,
                max_validators: 5,
            };
        });
        let (url, peers) = (network.url_at(10), format!("127.0.0.1:{}", network.port_at(11)));
        let newcomer = network.path("network/newcomer");
        let listen = url.trim_start_matches("http://");
        let (dir, charter) = (text(&newcomer), network.charter_file());
        let mut init = vec![
            "--json",
            "node",
            "init",
            "--dir",
            dir,
            "--charter",
            text(&charter),
        ];
        init.extend(["--listen", listen, "--p2p-listen", &peers]);
        let made = value(&realdid(init));
        let mut five = Self {
            link_key: made["link_key"].as_str().unwrap().to_owned(),
            http: http(),
            nodes: Vec::new(),
            network,
            url,
            peers,
        };
        for name in &NAMES[..4] {
            five.spawn(name);
        }
        five.nodes.iter_mut().for_each(Process::wait_ready);
        five.network.publish_authority(&five.http).await;
        five
    }

    fn spawn(&mut self, name: &str) {
        let config = self.network.path(&format!("network/{name}/node.toml"));
        configure(&config, PACE);
        self.nodes
            .push(spawn(&config, &self.network.path(&format!("{name}.log"))));
    }

    /// Runs a command about committees, by the sandbox's one member.
    fn decide(&self, arguments: &[&str]) -> Output {
        let decide = Deciding {
            network: &self.network,
            node: self.network.url_of(1),
        };
        decide.committee(arguments, arguments[0] != "show")
    }

    /// The newcomer becomes known, is let in, catches up, follows, and votes when its turn comes.
    async fn admit(&mut self) {
        let shown = value(&self.decide(&["show"]));
        assert_eq!(
            shown["committees"][0]["members"].as_array().map(Vec::len),
            Some(4)
        );
        let admit = ["set", "--admit", &self.link_key];
        assert_eq!(code(&self.decide(&admit)), "validator_unknown");
        let place = [
            "validator",
            &self.link_key,
            "--name",
            "Newcomer",
            "--address",
            &self.peers,
        ];
        value(&self.decide(&place));
        let soon = ["set", "--admit", &self.link_key, "--from", "2"];
        assert_eq!(code(&self.decide(&soon)), "epoch_too_soon");
        let admitted = value(&self.decide(&admit));
        assert!(admitted["decided"].as_str().unwrap().contains(&self.link_key));
        self.spawn("newcomer");
        self.nodes[4].wait_ready();
        let arrived = |status: &Value| follows(status) && height(status) > 0;
        wait_until(&self.http, &self.url, "a follower", arrived).await;
        let there = wait_until(&self.http, &self.url, "a validator", |it| it["votes"] == true).await;
        assert_eq!(there["validators"], 5);
        assert_eq!(there["standing"], "validator");
        let admit = ["set", "--admit", &self.link_key];
        assert_eq!(code(&self.decide(&admit)), "validator_in_committee");
    }

    /// The first goes, and goes on following; it is ready, and says that it has no vote.
    async fn remove_first(&self) {
        let first = self.network.charter.validators[0].link_key.to_hex();
        value(&self.decide(&["set", "--remove", &first]));
        let url = self.network.url_of(0);
        let left = wait_until(&self.http, &url, "a follower", follows).await;
        assert_eq!(left["validators"], 4);
        self.goes_on(&url).await;
        let ready = get(&self.http, &format!("{url}/health/ready")).await.unwrap();
        let ready: Value = serde_json::from_slice(&ready).unwrap();
        assert_eq!(
            (&ready["status"], &ready["votes"]),
            (&"ready".into(), &false.into())
        );
    }

    /// A node gets an epoch's blocks more.
    async fn goes_on(&self, url: &str) {
        let here = height(&wait_until(&self.http, url, "there", |_| true).await);
        let further = |status: &Value| height(status) > here + EPOCH_BLOCKS;
        wait_until(&self.http, url, "further", further).await;
    }
}

fn follows(status: &Value) -> bool {
    status["standing"] == "follower" && status["votes"] == false
}

fn height(status: &Value) -> u64 {
    status["height"].as_u64().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fifth_comes_and_the_first_goes() {
    let mut five = Five::start().await;
    five.admit().await;
    five.remove_first().await;
    // The four that are left can lose one: the newcomer counts.
    five.nodes.swap_remove(1).kill();
    five.goes_on(&five.url).await;
}
