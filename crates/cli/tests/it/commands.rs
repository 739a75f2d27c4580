//! The command line without any service: exit codes, errors that say what to do, and what is written.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{free_ports, program, realdid};

/// A place with a network nobody runs and a wallet nobody enrolled.
struct Place {
    dir: TempDir,
}

impl Place {
    fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    fn with_network() -> Self {
        let place = Self::new();
        let port = free_ports(&[0, 1, 10, 20]).to_string();
        let network = place.path("network");
        let made = realdid([
            "network",
            "init",
            "--sandbox",
            "--dir",
            text(&network),
            "--port-base",
            &port,
        ]);
        assert!(made.status.success(), "{}", stderr(&made));
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn charter(&self) -> String {
        text(&self.path("network/charter.json")).to_owned()
    }

    /// A wallet command; the addresses are ones nobody listens at.
    fn wallet(&self, arguments: &[&str]) -> Output {
        self.wallet_as("correct horse", arguments)
    }

    fn wallet_as(&self, passphrase: &str, arguments: &[&str]) -> Output {
        let mut command = Command::new(program());
        command
            .args(["wallet", "--wallet", text(&self.path("wallet"))])
            .args(arguments);
        command
            .env("REALDID_WALLET_PASSPHRASE", passphrase)
            .stdin(Stdio::null());
        command.output().unwrap()
    }

    fn init(&self) {
        let nobody = "http://127.0.0.1:1";
        let charter = self.charter();
        let made = self.wallet(&[
            "init",
            "--charter",
            &charter,
            "--node",
            nobody,
            "--authority",
            nobody,
        ]);
        assert!(made.status.success(), "{}", stderr(&made));
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// That a command ended with this exit code and named this code and a fix.
fn assert_failed(output: &Output, exit: i32, code: &str) {
    let text = stderr(output);
    assert_eq!(output.status.code(), Some(exit), "{text}");
    // Progress may stand before it.
    let told = text.starts_with("error: ") || text.contains("\nerror: ");
    assert!(told && text.contains("\n  fix: "), "{text}");
    assert!(text.contains(&format!("code: {code}")), "{code} expected: {text}");
    assert_eq!(stdout(output), "", "nothing is printed for a result");
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_network_is_founded_once_with_private_keys() {
    let place = Place::with_network();
    let network = place.path("network");
    assert_eq!(fs::read_to_string(network.join("format_version")).unwrap(), "4\n");
    for key in [
        "node/link.key",
        "node/share.key",
        "member/member.key",
        "authority/authority.key",
        "issuer/issuer.key",
        "signin/signin.key",
    ] {
        assert_eq!(mode(&network.join(key)), 0o600, "{key}");
    }
    assert_eq!(mode(&network), 0o700);
    let again = realdid(["network", "init", "--dir", text(&network)]);
    assert_failed(&again, 4, "directory_exists");
}

#[test]
fn two_sign_in_servers_have_two_identities() {
    let place = Place::new();
    let network = place.path("network");
    let made = realdid([
        "--json",
        "network",
        "init",
        "--dir",
        text(&network),
        "--signins",
        "2",
        "--port-base",
        "9000",
    ]);
    let result: Value = serde_json::from_slice(&made.stdout).unwrap();
    assert_eq!(
        result["signin_urls"],
        serde_json::json!(["http://127.0.0.1:9020", "http://127.0.0.1:9021"])
    );
    let read = |file| fs::read_to_string(network.join(file)).unwrap();
    assert_ne!(read("signin/signin.key"), read("signin2/signin.key"));
    assert!(read("signin2/signin.toml").contains("listen = \"127.0.0.1:9021\""));
    let charter: Value = serde_json::from_str(&read("charter.json")).unwrap();
    // the authority, the licence office and both sign-in servers
    assert_eq!(charter["seats"].as_array().unwrap().len(), 4);
}

#[test]
fn wrong_usage_is_told_by_exit_code_2() {
    assert_eq!(realdid(["frobnicate"]).status.code(), Some(2));
    assert_eq!(
        realdid(["verify", "file"]).status.code(),
        Some(2),
        "a network must be named"
    );
    let place = Place::new();
    let dir = place.path("network");
    assert_failed(
        &realdid(["network", "init", "--dir", text(&dir), "--name", "No Name"]),
        2,
        "network_name_invalid",
    );
    assert_failed(
        &realdid(["network", "init", "--dir", text(&dir), "--port-base", "65530"]),
        2,
        "port_base_invalid",
    );
    assert!(!dir.exists(), "nothing is left behind");
    assert_failed(&realdid(["resolve", "did:web:example.org"]), 2, "did_invalid");
    assert_failed(&realdid(["explain", "no_such_code"]), 2, "code_unknown");
}

#[test]
fn whoever_is_not_there_is_told_by_exit_code_3() {
    let place = Place::with_network();
    place.init();
    let did = "did:real:sandbox:zQmR6bSvQhcXqva3xshy7j8X6NYD19dQS6sxXRbDjqsAFZP";
    let charter = place.charter();
    let nobody = "http://127.0.0.1:1";
    assert_failed(
        &realdid(["resolve", did, "--node", nobody, "--charter", &charter]),
        3,
        "node_unreachable",
    );
    assert_failed(&realdid(["status", "--node", nobody]), 3, "node_unreachable");
    let enrol = place.wallet(&["enrol", "--name", "Somebody", "--number", "1", "--code", "0"]);
    assert_failed(&enrol, 3, "service_unreachable");
    assert!(
        !stderr(&enrol).contains("Somebody"),
        "nobody is named in an error"
    );
    let link = "openid4vp://?client_id=decentralized_identifier%3Adid%3Areal%3Asandbox%3Az1\
        &request_uri=http%3A%2F%2F127.0.0.1%3A1%2Frequest%2F1";
    assert_failed(&place.wallet(&["login", link, "--yes"]), 3, "service_unreachable");
}

#[test]
fn an_offer_that_leads_nowhere_is_told_and_nothing_is_held() {
    let place = Place::with_network();
    place.init();
    let offer = |link: &str| place.wallet(&["offer", link, "--yes"]);
    assert_failed(&offer("nonsense"), 1, "offer_invalid");
    let nobody = "openid-credential-offer://?credential_offer_uri=http%3A%2F%2F127.0.0.1%3A1%2Foffer";
    assert_failed(&offer(nobody), 3, "service_unreachable");
    let insecure = nobody.replace("127.0.0.1%3A1", "issuer.example");
    assert_failed(&offer(&insecure), 1, "offer_invalid");
    for action in [&["show", "9"][..], &["refresh", "9"], &["remove", "9", "--yes"]] {
        let arguments = [&["credential"], action].concat();
        assert_failed(&place.wallet(&arguments), 1, "credential_not_held");
    }
    let list = place.wallet(&["credential", "list", "--json"]);
    let list: Value = serde_json::from_slice(&list.stdout).unwrap();
    assert_eq!(list["credentials"].as_array().map(Vec::len), Some(0));
}

#[test]
fn a_wallet_is_private_and_needs_its_passphrase() {
    let place = Place::with_network();
    assert_failed(&place.wallet(&["did", "list"]), 4, "wallet_missing");
    place.init();
    let file = place.path("wallet/wallet.age");
    assert_eq!((mode(&place.path("wallet")), mode(&file)), (0o700, 0o600));
    assert!(
        fs::read(&file)
            .unwrap()
            .starts_with(b"age-encryption.org/v1\n-> scrypt ")
    );
    assert_failed(
        &place.wallet_as("wrong horse", &["history"]),
        4,
        "passphrase_wrong",
    );
    assert_failed(&place.wallet_as("", &["history"]), 2, "passphrase_empty");
    assert_failed(
        &place.wallet(&["init", "--charter", &place.charter()]),
        4,
        "wallet_exists",
    );
    let history = place.wallet(&["history", "--json"]);
    let history: Value = serde_json::from_slice(&history.stdout).unwrap();
    assert_eq!(history["history"][0]["event"], "created");
}

#[test]
fn a_passphrase_file_is_as_good_as_the_environment() {
    let place = Place::with_network();
    place.init();
    let file = place.path("passphrase");
    fs::write(&file, "correct horse\n").unwrap();
    let mut command = Command::new(program());
    command.args([
        "wallet",
        "--wallet",
        text(&place.path("wallet")),
        "--passphrase-file",
        text(&file),
        "history",
    ]);
    let shown = command
        .env_remove("REALDID_WALLET_PASSPHRASE")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(shown.status.success(), "{}", stderr(&shown));
    let mut command = Command::new(program());
    command.args(["wallet", "--wallet", text(&place.path("wallet")), "history"]);
    let refused = command
        .env_remove("REALDID_WALLET_PASSPHRASE")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_failed(&refused, 2, "passphrase_missing");
}

#[test]
fn one_wallet_is_used_by_one_process() {
    let place = Place::with_network();
    place.init();
    let lock = fs::File::options()
        .write(true)
        .open(place.path("wallet/wallet.lock"))
        .unwrap();
    lock.lock().unwrap();
    assert_failed(&place.wallet(&["history"]), 4, "wallet_in_use");
    drop(lock);
    assert!(place.wallet(&["history"]).status.success());
}

#[test]
fn an_unenrolled_wallet_says_what_comes_first() {
    let place = Place::with_network();
    place.init();
    assert_failed(&place.wallet(&["did", "create"]), 4, "not_enrolled");
    assert_failed(
        &place.wallet(&["enrol", "--enrolment", "-x", "--code", "1"]),
        4,
        "enrolment_not_begun",
    );
    let did = "did:real:sandbox:zQmR6bSvQhcXqva3xshy7j8X6NYD19dQS6sxXRbDjqsAFZP";
    assert_failed(&place.wallet(&["did", "rotate", did]), 4, "did_not_held");
    assert_failed(
        &place.wallet(&["login", "https://example.org@evil.example/"]),
        2,
        "address_invalid",
    );
    assert_failed(
        &place.wallet(&["login", "openid4vp://?client_id=x"]),
        2,
        "link_invalid",
    );
    let list = place.wallet(&["did", "list"]);
    assert!(list.status.success(), "a list needs no node: {}", stderr(&list));
}

#[test]
fn a_backup_is_encrypted_and_never_written_over() {
    let place = Place::with_network();
    place.init();
    let file = place.path("backup.age");
    let written = place.wallet(&["backup", text(&file)]);
    assert!(written.status.success(), "{}", stderr(&written));
    assert_eq!(mode(&file), 0o600);
    assert_failed(&place.wallet(&["backup", text(&file)]), 4, "file_exists");
    assert_failed(&place.wallet(&["restore", text(&file)]), 4, "wallet_exists");
    fs::remove_dir_all(place.path("wallet")).unwrap();
    assert_failed(
        &place.wallet_as("wrong horse", &["restore", text(&file)]),
        4,
        "passphrase_wrong",
    );
    // The ledger must be asked which DIDs there are, and nobody answers.
    assert_failed(&place.wallet(&["restore", text(&file)]), 3, "node_unreachable");
    assert!(!place.path("wallet/wallet.age").exists());
}

#[test]
fn a_damaged_wallet_is_refused() {
    let place = Place::with_network();
    place.init();
    let file = place.path("wallet/wallet.age");
    let mut bytes = fs::read(&file).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&file, bytes).unwrap();
    assert_failed(&place.wallet(&["history"]), 4, "passphrase_wrong");
}

#[test]
fn failures_are_one_json_object_for_scripts() {
    let refused = realdid([
        "--json",
        "verify",
        "no-such-file",
        "--network-key",
        &"00".repeat(96),
    ]);
    assert_eq!(refused.status.code(), Some(4));
    let failure: Value = serde_json::from_slice(&refused.stderr).unwrap();
    assert_eq!(failure["error"]["code"], "file_error");
    assert!(failure["error"]["fix"].is_string());
}

#[test]
fn every_shell_gets_its_completions() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = realdid(["completions", shell]);
        assert!(
            script.status.success() && stdout(&script).contains("realdid"),
            "{shell}"
        );
    }
}

#[test]
fn services_say_what_is_wrong_with_their_configuration() {
    for role in ["node", "authority", "issuer", "signin"] {
        let refused = realdid([role, "run", "--config", "no-such-file.toml"]);
        assert_failed(&refused, 4, "config_unreadable");
    }
}

/// The texts in the functions that give codes, over all crates.
fn codes_in_sources() -> BTreeSet<String> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut codes = BTreeSet::new();
    let mut directories: Vec<_> = fs::read_dir(crates)
        .unwrap()
        .map(|entry| entry.unwrap().path().join("src"))
        .collect();
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                codes.extend(codes_in(&fs::read_to_string(path).unwrap()));
            }
        }
    }
    codes
}

/// The literals that a `fn code` returns: those after `=>`, alone on their arm.
fn codes_in(source: &str) -> Vec<String> {
    let mut codes = Vec::new();
    for (start, _) in source.match_indices("fn code(&self) -> &") {
        let body = &source[start..];
        let body = &body[..body.find("\n    }\n").unwrap_or(body.len())];
        for arm in body.split("=>").skip(1) {
            let literal = arm
                .trim_start()
                .trim_start_matches('{')
                .trim_start()
                .strip_prefix('"');
            codes.extend(
                literal
                    .and_then(|rest| rest.split_once('"'))
                    .map(|(code, _)| code.to_owned()),
            );
        }
    }
    codes
}

#[test]
fn every_code_is_explained() {
    let codes = codes_in_sources();
    assert!(codes.len() > 150, "only {} codes were found", codes.len());
    let listed = realdid(["--json", "explain"]);
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    let listed = listed["codes"].as_array().unwrap().iter();
    let known: BTreeSet<_> = listed
        .map(|entry| entry["code"].as_str().unwrap().to_owned())
        .collect();
    let missing: Vec<_> = codes.difference(&known).collect();
    assert!(missing.is_empty(), "crates/cli/src/explain lacks {missing:?}");
}
