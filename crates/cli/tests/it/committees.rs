//! Committees that change, on real processes: a fifth validator comes, the first goes and follows.

use std::path::{Path, PathBuf};
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fifth_comes_and_the_first_goes() {
    let network = Network::shaped(4, |charter| {
        charter.committees = Committees {
            epoch_blocks: EPOCH_BLOCKS,
            max_validators: 5,
        };
    });
    let config = |name: &str| network.path(&format!("network/{name}/node.toml"));
    let charter: PathBuf = network.charter_file();
    let newcomer = network.path("network/newcomer");
    let (url, peers) = (network.url_at(10), format!("127.0.0.1:{}", network.port_at(11)));
    let made = value(&realdid([
        "--json",
        "node",
        "init",
        "--dir",
        text(&newcomer),
        "--charter",
        text(&charter),
        "--listen",
        url.trim_start_matches("http://"),
        "--p2p-listen",
        &peers,
    ]));
    let link_key = made["link_key"].as_str().unwrap();
    let names = ["node", "node2", "node3", "node4", "newcomer"];
    for name in names {
        configure(&config(name), PACE);
    }
    let mut nodes: Vec<_> = names[..4]
        .iter()
        .map(|name| spawn(&config(name), &network.path(&format!("{name}.log"))))
        .collect();
    nodes.iter_mut().for_each(Process::wait_ready);
    let http = http();
    network.publish_authority(&http).await;
    let did = network.charter.did(network.authority.did()).to_string();
    let proof = network.path("before.json");
    let resolved = realdid([
        "resolve",
        &did,
        "--node",
        &network.url_of(1),
        "--charter",
        text(&charter),
        "--save-proof",
        text(&proof),
    ]);
    assert!(resolved.status.success(), "a proof before the change");

    let decide = Deciding {
        network: &network,
        node: network.url_of(1),
    };
    let shown = value(&decide.committee(&["show"], false));
    assert_eq!(
        shown["committees"][0]["members"].as_array().map(Vec::len),
        Some(4)
    );
    let unknown = decide.committee(&["set", "--admit", link_key], true);
    assert_eq!(code(&unknown), "validator_unknown");
    let place = ["validator", link_key, "--name", "Newcomer", "--address", &peers];
    value(&decide.committee(&place, true));
    let soon = decide.committee(&["set", "--admit", link_key, "--from", "2"], true);
    assert_eq!(code(&soon), "epoch_too_soon");
    let admitted = value(&decide.committee(&["set", "--admit", link_key], true));
    assert!(admitted["decided"].as_str().unwrap().contains(link_key));

    // It is let in from the next epoch on, catches up, and follows until its turn comes.
    nodes.push(spawn(&config("newcomer"), &network.path("newcomer.log")));
    nodes[4].wait_ready();
    let follows = |status: &Value| status["standing"] == "follower" && status["votes"] == false;
    let height = |status: &Value| status["height"].as_u64().unwrap_or_default();
    wait_until(&http, &url, "a follower", |status| {
        follows(status) && height(status) > 0
    })
    .await;
    let ready = wait_until(&http, &url, "a validator", |status| status["votes"] == true).await;
    assert_eq!(
        (ready["validators"].as_u64(), &ready["standing"]),
        (Some(5), &"validator".into())
    );
    let again = decide.committee(&["set", "--admit", link_key], true);
    assert_eq!(code(&again), "validator_in_committee");

    let first = network.charter.validators[0].link_key.to_hex();
    value(&decide.committee(&["set", "--remove", &first], true));
    let left = wait_until(&http, &network.url_of(0), "a follower", follows).await;
    assert_eq!(left["validators"], 4);
    // It goes on following, and is ready; it says that it has no vote.
    let here = height(&left);
    wait_until(&http, &network.url_of(0), "further", |status| {
        height(status) > here + EPOCH_BLOCKS
    })
    .await;
    let ready = get(&http, &format!("{}/health/ready", network.url_of(0)))
        .await
        .unwrap();
    let ready: Value = serde_json::from_slice(&ready).unwrap();
    assert_eq!(
        (&ready["status"], &ready["votes"]),
        (&"ready".into(), &false.into())
    );

    // The four that are left can lose one: the newcomer counts.
    nodes.swap_remove(1).kill();
    let here = height(&wait_until(&http, &url, "there", |_| true).await);
    wait_until(&http, &url, "further", |status| {
        height(status) > here + EPOCH_BLOCKS
    })
    .await;
    let verified = realdid(["verify", text(&proof), "--charter", text(&charter)]);
    assert!(verified.status.success(), "a proof from before verifies");
}
