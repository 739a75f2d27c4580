//! The consortium at work: three members, two of whom decide, against a real node.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Output;

use realdid_client::{NodeClient, ServiceIdentity, TrustLookup};
use realdid_crypto::{Hash, KeyType, SecretKey};
use realdid_did::Did;
use realdid_ledger::{Charter, Member, Right, TrustAnchor, type_id};
use realdid_openid::registration::MayAsk;
use serde_json::{Value, json};

use crate::support::{Network, Process, realdid};

const LICENCE: &str = "https://issuer.example/vct/driving_licence";

/// A network that three members decide, and its node.
struct Consortium {
    network: Network,
    charter: Charter,
    members: Vec<PathBuf>,
    _node: Process,
}

impl Consortium {
    fn found() -> Self {
        let network = Network::init();
        let mut charter = network.charter.clone();
        let mut members = vec![network.path("network/member/member.key")];
        for (number, seed) in [(1_u8, [0x51; 32]), (2, [0x52; 32])] {
            let key = SecretKey::from_seed(KeyType::Ed25519, &seed);
            charter.members.push(Member {
                name: format!("Member {number}"),
                key: key.public_key(),
            });
            let file = network.path(&format!("member{number}.key"));
            fs::write(&file, json!({ "seed": Hash(seed).to_hex() }).to_string()).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
            members.push(file);
        }
        charter.threshold = 2;
        fs::write(network.charter_file(), charter.to_json().unwrap()).unwrap();
        let node = network.start_node();
        Self {
            network,
            charter,
            members,
            _node: node,
        }
    }

    fn path(&self, name: &str) -> String {
        self.network.path(name).display().to_string()
    }

    fn member(&self, index: usize) -> String {
        self.members[index].display().to_string()
    }

    fn client(&self) -> NodeClient {
        NodeClient::new(&self.network.url(), TrustAnchor::of(&self.charter)).unwrap()
    }

    /// Runs the program with JSON output, for this charter.
    fn run(&self, arguments: &[&str]) -> Output {
        let charter = self.network.charter_file().display().to_string();
        let tail = ["--json", "--charter", &charter];
        realdid(arguments.iter().chain(&tail))
    }

    /// Runs the program against the node.
    fn ask(&self, arguments: &[&str]) -> Output {
        let url = self.network.url();
        self.run(&[arguments, &["--node", &url]].concat())
    }

    /// A decision by members, at once.
    fn decide(&self, by: &[usize], arguments: &[&str]) -> Output {
        let keys: Vec<_> = by.iter().map(|index| self.member(*index)).collect();
        let keys = keys.iter().flat_map(|key| ["--member-key", key.as_str()]);
        let arguments = arguments.iter().copied().chain(keys);
        self.ask(&["governance"].into_iter().chain(arguments).collect::<Vec<_>>())
    }

    fn show(&self, did: &Did) -> Value {
        value(&self.ask(&["governance", "show", &did.to_string(), "--type", LICENCE]))
    }

    /// An organisation with its DID on the ledger, by a word that the sign-in server gave elsewhere.
    async fn organisation(&self) -> Did {
        let signin = ServiceIdentity::load(&self.network.path("network/signin/signin.key")).unwrap();
        signin
            .publish_if_absent(&self.client(), &self.charter)
            .await
            .unwrap();
        let key = self.path("police.key");
        let made = value(&self.run(&["organisation", "new", "--issuer", "--key", &key]));
        let did: Did = made["did"].as_str().unwrap().parse().unwrap();
        let publish =
            |word: &str| self.ask(&["organisation", "publish", "--key", &key, "--sponsorship", word]);
        let sponsor = |did: &Did, word: &str| {
            let signin = self.path("network/signin/signin.key");
            let did = did.to_string();
            let sponsored = self.run(&[
                "organisation",
                "sponsor",
                &did,
                "--sponsor-key",
                &signin,
                "--save",
                word,
            ]);
            assert!(sponsored.status.success());
        };
        let (word, other) = (self.path("word.json"), self.path("other.json"));
        sponsor(&did, &word);
        sponsor(&signin.did(&self.charter), &other);
        failed(&publish(&other), "sponsorship_other_did");
        assert_eq!(value(&publish(&word))["published"], true);
        did
    }
}

fn value(output: &Output) -> Value {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

#[track_caller]
fn failed(output: &Output, code: &str) {
    assert!(!output.status.success(), "should have failed with {code}");
    let stderr = String::from_utf8_lossy(&output.stderr);
    let line = stderr.lines().last().unwrap_or_default();
    let error: Value = serde_json::from_str(line).unwrap_or_default();
    assert_eq!(error["error"]["code"], code, "{stderr}");
    assert!(error["error"]["fix"].is_string(), "{code} says what to do");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_is_accredited_and_granted_suspended_and_struck_off() {
    let consortium = Consortium::found();
    let did = consortium.organisation().await;
    let text = did.to_string();
    let accredit = ["accredit", &text, "--role", "issuer", "--name", "Traffic Police"];
    failed(&consortium.decide(&[1], &accredit), "threshold_not_met");
    let decided = value(&consortium.decide(&[2, 0], &accredit));
    assert_eq!(decided["signed_by"], json!(["Sandbox Member", "Member 2"]));
    assert_eq!(decided["sequence"], 0);
    failed(&consortium.decide(&[0, 1], &accredit), "already_accredited");
    let shown = consortium.show(&did);
    assert_eq!(
        (shown["standing"].as_str(), shown["role"].as_str()),
        (Some("in force"), Some("issuer"))
    );
    assert_eq!(shown["rights"], json!([]));

    let grant = ["grant", &text, "issue", LICENCE];
    let granted = value(&consortium.decide(&[0, 1], &grant));
    assert!(granted["height"].as_u64() > decided["height"].as_u64());
    failed(&consortium.decide(&[0, 1], &grant), "right_exists");
    let ask = ["grant", &text, "ask", LICENCE];
    failed(&consortium.decide(&[0, 1], &ask), "right_not_for_role");
    assert_eq!(consortium.show(&did)["rights"][0]["counts"], true);

    let right = Right::to_issue(did.hash, LICENCE);
    let lookup = TrustLookup::new(consortium.client());
    let standing = lookup.standing(&did, right, 300).await.unwrap();
    assert!(standing.granted().is_some());
    assert_eq!(standing.name(), Some("Traffic Police"));
    let identity = ServiceIdentity::load(&consortium.network.path("police.key")).unwrap();
    let key = identity.credential_key().unwrap().public_key();
    assert_eq!(standing.assertion_key(&did.key_url(&key)), Some(&key));

    value(&consortium.decide(&[1, 2], &["suspend", &text]));
    let shown = consortium.show(&did);
    assert_eq!(shown["standing"], "suspended");
    assert_eq!(shown["rights"][0]["counts"], false);
    let kept = lookup.standing(&did, right, 300).await.unwrap();
    assert_eq!(kept, standing, "nobody is asked while the answer is fresh");
    let asked = TrustLookup::new(consortium.client());
    let asked = asked.standing(&did, right, 300).await.unwrap();
    assert!(asked.granted().is_none() && asked.grant.is_some());

    value(&consortium.decide(&[1, 2], &["reinstate", &text]));
    assert_eq!(consortium.show(&did)["rights"][0]["counts"], true);
    value(&consortium.decide(&[1, 2], &["revoke-grant", &text, "issue", LICENCE]));
    assert_eq!(consortium.show(&did)["rights"][0]["counts"], false);
    value(&consortium.decide(&[0, 2], &["strike-off", &text]));
    let unnamed = value(&consortium.ask(&["governance", "show", &text]));
    assert_eq!(unnamed["rights"][0]["type_id"], type_id(LICENCE).to_hex());
    assert_eq!(unnamed["decisions"].as_array().map(Vec::len), Some(6));
    assert_eq!(unnamed["decisions"][2]["decision"], format!("suspend {text}"));
    assert_eq!(consortium.show(&did)["standing"], "struck off");
    failed(&consortium.decide(&[0, 1], &accredit), "already_accredited");
    failed(
        &consortium.decide(&[0, 1], &["reinstate", &text]),
        "nothing_to_reinstate",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn members_decide_on_different_machines() {
    let consortium = Consortium::found();
    consortium.organisation().await;
    let signin = ServiceIdentity::load(&consortium.network.path("network/signin/signin.key")).unwrap();
    let did = signin.did(&consortium.charter);
    let file = consortium.path("proposal.json");
    let (text, member) = (did.to_string(), consortium.member(0));
    let claims = ["--claim", "age_over_21", "--claim", r#"["classes"]"#];
    let grant = ["governance", "grant", &text, "ask", LICENCE];
    let save = ["--member-key", member.as_str(), "--save", &file];
    let saved = value(&consortium.ask(&[&grant[..], &claims, &save].concat()));
    assert_eq!(saved["complete"], false);
    let submit = |file: &str| consortium.ask(&["governance", "submit", file]);
    failed(&submit(&file), "threshold_not_met");

    let other = consortium.member(1);
    let sign = |file: &str, key: &str, more: &[&str]| {
        let arguments = ["governance", "sign", file, "--member-key", key];
        consortium.run(&[&arguments, more].concat())
    };
    failed(&sign(&file, &other, &[]), "not_signed");
    let proposal: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    let altered = consortium.path("altered.json");
    for (field, with) in [
        ("decision", json!("reinstate somebody")),
        ("sequence", json!(7)),
        ("vct", json!("urn:another")),
        ("may_ask", json!({ "vct": LICENCE, "claims": [["name"]] })),
    ] {
        let mut changed = proposal.clone();
        changed[field] = with;
        fs::write(&altered, changed.to_string()).unwrap();
        failed(&sign(&altered, &other, &["--yes"]), "proposal_altered");
    }
    let mut forged = proposal.clone();
    forged["signatures"][0]["member"] = json!(2);
    fs::write(&altered, forged.to_string()).unwrap();
    failed(&sign(&altered, &other, &["--yes"]), "invalid_signature");
    fs::write(&altered, "{}").unwrap();
    failed(&sign(&altered, &other, &["--yes"]), "proposal_malformed");
    let stranger = consortium.path("network/signin/signin.key");
    failed(&sign(&file, &stranger, &["--yes"]), "member_unknown");

    // Another proposal under the same number, which comes too late.
    let late = consortium.path("late.json");
    let save = ["--member-key", member.as_str(), "--save", &late];
    let suspend = ["governance", "suspend", &text];
    value(&consortium.ask(&[&suspend[..], &save].concat()));
    value(&sign(&late, &other, &["--yes"]));

    assert_eq!(value(&sign(&file, &other, &["--yes"]))["complete"], true);
    let decided = value(&submit(&file));
    assert_eq!(value(&submit(&file))["operation"], decided["operation"], "again");
    failed(&submit(&late), "sequence_mismatch");
    let list: MayAsk = serde_json::from_value(decided["registration"].clone()).unwrap();
    let shown = consortium.show(&did);
    assert_eq!(shown["rights"][0]["kind"], "ask");
    assert_eq!(shown["rights"][0]["detail"], list.detail().to_hex());
}
