//! A network founded by its members, from the first key to a committee that has changed: four data
//! directories, no dealer; the transcript checked; a fifth validator in, the first out. The network key stays,
//! what was proven before stays proven, and a share that somebody kept is worth nothing with later ones.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use commonware_codec::{Copying, Decode as _, DecodeExt as _, Encode as _};
use commonware_cryptography::bls12381::dkg::feldman_desmedt::Output as Outcome;
use commonware_cryptography::bls12381::primitives::group::Share;
use commonware_cryptography::bls12381::primitives::ops::threshold;
use commonware_cryptography::bls12381::primitives::sharing::ModeVersion;
use commonware_cryptography::bls12381::primitives::variant::MinSig;
use commonware_cryptography::ed25519;
use commonware_parallel::Sequential;
use realdid_client::NodeClient;
use realdid_ledger::{
    Charter, FinalityError, FinalityProof, Header, TrustAnchor, consensus_namespace, state_key,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::committees::{code, spawn, value, wait_until};
use crate::people::TestAuthority;
use crate::support::{Answer, Process, configure, free_ports, get, http, program, realdid, submit};

/// Seed of the test authority's keys.
const AUTHORITY: [u8; 32] = [0xa7; 32];
/// Blocks of a consensus epoch, and the pace in milliseconds.
const EPOCH_BLOCKS: &str = "20";
const PACE: i64 = 100;
/// Bytes of a share's blob: checksum, index, scalar.
const SHARE: usize = 32 + 1 + 32;

/// The founders' machines: a directory each.
struct Founders {
    dir: TempDir,
    port: u16,
}

impl Founders {
    fn new() -> Self {
        let offsets: Vec<_> = (0..10).collect();
        Self {
            dir: tempfile::tempdir().unwrap(),
            port: free_ports(&offsets),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// Where a node listens for clients, and for its peers.
    fn listen(&self, number: u16) -> String {
        format!("127.0.0.1:{}", self.port + 2 * number)
    }

    fn peers(&self, number: u16) -> String {
        format!("127.0.0.1:{}", self.port + 2 * number + 1)
    }

    fn url(&self, number: u16) -> String {
        format!("http://{}", self.listen(number))
    }

    fn run(&self, arguments: &[&str]) -> Output {
        realdid(["--json"].iter().chain(arguments))
    }

    /// Keys, draft and signatures: everything that happens before the founders meet.
    fn prepare(&self) {
        for number in 0..4 {
            let (dir, name) = (self.text(&format!("member{number}")), format!("Member {number}"));
            let address = self.peers(number);
            let keys = [
                "network",
                "found",
                "keys",
                "--dir",
                &dir,
                "--name",
                &name,
                "--address",
                &address,
            ];
            value(&self.run(&keys));
        }
        let public: Vec<_> = (0..4)
            .map(|number| self.text(&format!("member{number}/public.json")))
            .collect();
        let draft = self.text("draft.json");
        let seat = serde_json::to_value(TestAuthority::seat(&AUTHORITY)).unwrap();
        let seat = format!("authority:{}:Test Authority", seat["key"].as_str().unwrap());
        let mut arguments = vec![
            "network",
            "found",
            "draft",
            "--network",
            "founded",
            "--out",
            &draft,
        ];
        arguments.extend([
            "--sandbox",
            "--epoch-blocks",
            EPOCH_BLOCKS,
            "--max-validators",
            "5",
            "--seat",
            &seat,
        ]);
        arguments.extend(public.iter().map(String::as_str));
        value(&self.run(&arguments));
        let twice = [
            "network",
            "found",
            "draft",
            "--network",
            "founded",
            "--out",
            &draft,
            &public[0],
            &public[0],
        ];
        assert_eq!(code(&self.run(&twice)), "founding_same_key");
        let few = [
            "network",
            "found",
            "draft",
            "--network",
            "founded",
            "--out",
            &draft,
            &public[0],
            &public[1],
        ];
        assert_eq!(code(&self.run(&few)), "founding_too_few");
        for number in 0..4 {
            let dir = self.text(&format!("member{number}"));
            let sign = ["network", "found", "sign", "--dir", &dir, "--draft", &draft];
            assert_eq!(code(&self.run(&sign)), "not_signed");
            value(&self.run(&[&sign[..], &["--yes"]].concat()));
        }
    }

    /// Starts a founder's part in the ceremony.
    fn meet(&self, number: u16) -> Child {
        let (listen, peers) = (self.listen(number), self.peers(number));
        Command::new(program())
            .args(["--json", "network", "found", "run", "--dir"])
            .arg(self.path(&format!("member{number}")))
            .args(["--p2p-listen", &peers, "--listen", &listen])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(fs::File::create(self.path(&format!("member{number}.log"))).unwrap())
            .spawn()
            .unwrap()
    }

    /// The ceremony; one comes late, and is waited for.
    fn meet_all(&self) {
        let mut founders: Vec<_> = (0..3).map(|number| self.meet(number)).collect();
        std::thread::sleep(Duration::from_secs(4));
        for (number, founder) in founders.iter_mut().enumerate() {
            assert!(founder.try_wait().unwrap().is_none(), "founder {number} waits");
            assert!(!self.path(&format!("member{number}/charter.json")).exists());
        }
        founders.push(self.meet(3));
        for (number, founder) in founders.into_iter().enumerate() {
            let output = founder.wait_with_output().unwrap();
            let log = fs::read_to_string(self.path(&format!("member{number}.log"))).unwrap();
            assert!(output.status.success(), "founder {number}: {log}");
            let result: Value = serde_json::from_slice(&output.stdout).unwrap();
            assert_eq!(result["not_confirmed_by"], json!([]));
            assert!(
                !self.path(&format!("member{number}/founding")).exists(),
                "its own secrets are gone"
            );
        }
    }

    fn charter(&self) -> Charter {
        let files =
            (0..4).map(|number| fs::read(self.path(&format!("member{number}/charter.json"))).unwrap());
        let files: Vec<_> = files.collect();
        assert!(files.iter().all(|file| *file == files[0]), "one charter");
        Charter::from_json(&files[0]).unwrap()
    }

    /// That the transcript holds, everybody has the same, and whatever is changed in it is named.
    fn check_transcript(&self) {
        let file = |number| self.text(&format!("member{number}/transcript.json"));
        let charter = self.text("member0/charter.json");
        for number in 0..4 {
            let check = self.run(&["network", "check", &file(number), "--charter", &charter]);
            assert_eq!(
                value(&check)["dealer_logs"].as_u64().map(|logs| logs >= 3),
                Some(true)
            );
        }
        let transcript: Value = serde_json::from_slice(&fs::read(file(0)).unwrap()).unwrap();
        let altered = self.text("altered.json");
        let other = json!(transcript["draft_signatures"][0]);
        type Change = Box<dyn Fn(&mut Value)>;
        let changes: [(&str, Change); 9] = [
            (
                "founding_public_file",
                Box::new(|it| it["draft"]["founders"][1]["address"] = json!("a:1")),
            ),
            (
                "founding_draft_unsigned",
                Box::new(|it| it["draft"]["threshold"] = json!(1)),
            ),
            (
                "founding_draft_unsigned",
                Box::new(move |it| it["draft_signatures"][1] = other.clone()),
            ),
            (
                "founding_failed",
                Box::new(|it| it["dealer_logs"].as_array_mut().unwrap().truncate(2)),
            ),
            (
                "founding_failed",
                Box::new(|it| it["dealer_logs"][1] = it["dealer_logs"][0].clone()),
            ),
            (
                "founding_failed",
                Box::new(|it| it["dealer_logs"][0] = json!("00")),
            ),
            (
                "founding_other_charter",
                Box::new(|it| it["charter"]["threshold"] = json!(1)),
            ),
            (
                "founding_charter_unsigned",
                Box::new(|it| it["charter_signatures"][3] = json!("")),
            ),
            ("founding_file", Box::new(|it| it["more"] = json!(1))),
        ];
        for (expected, change) in changes {
            let mut changed = transcript.clone();
            change(&mut changed);
            fs::write(&altered, changed.to_string()).unwrap();
            assert_eq!(code(&self.run(&["network", "check", &altered])), expected);
        }
    }

    /// Decides by three of the four members.
    fn decide(&self, arguments: &[&str]) -> Value {
        let charter = self.text("member1/charter.json");
        let keys: Vec<_> = (1..4)
            .map(|number| self.text(&format!("member{number}/member.key")))
            .collect();
        let node = self.url(1);
        let common = ["--charter", &charter, "--node", &node];
        let command = ["governance", "committee"].iter().chain(arguments).chain(&common);
        let command: Vec<_> = command
            .copied()
            .chain(keys.iter().flat_map(|key| ["--member-key", key.as_str()]))
            .collect();
        value(&self.run(&command))
    }

    /// The shares in a node's data directory, by the consensus epoch in which they sign.
    fn shares(&self, node: &str) -> BTreeMap<u64, Share> {
        let dir = self.path(&format!("{node}/data/ledger/ledger-secrets"));
        let files = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
        let mut shares = BTreeMap::new();
        for file in files {
            let name = hex::decode(file.file_name().to_str().unwrap()).unwrap();
            // Epoch (8), kind (1): 1 is a share.
            let Some((epoch, [1])) = name.split_first_chunk() else {
                continue;
            };
            let Ok(bytes) = fs::read(file.path()) else {
                continue;
            };
            let blob = &bytes[bytes.len().saturating_sub(SHARE)..];
            if let Ok(share) = Share::decode(Copying(&blob[32..])) {
                shares.insert(u64::from_be_bytes(*epoch), share);
            }
        }
        shares
    }
}

/// A certificate over a header, by whoever has these shares: as the engine makes it.
fn forge(charter: &Charter, header: &Header, shares: &[Share]) -> Option<FinalityProof> {
    let round = [header.round.epoch, header.round.view, header.round.view - 1];
    let numbers = round.map(|number| commonware_codec::varint::UInt(number).encode().to_vec());
    let proposal = [numbers.concat(), header.hash().to_vec()].concat();
    let namespace = [
        consensus_namespace(charter.hash().as_bytes()),
        b"_FINALIZE".to_vec(),
    ]
    .concat();
    let partials: Vec<_> = shares
        .iter()
        .map(|share| threshold::sign_message::<MinSig>(share, &namespace, &proposal))
        .collect();
    let limits = (32.try_into().unwrap(), ModeVersion::v0());
    let outcome = Outcome::<MinSig, ed25519::PublicKey>::decode_cfg(Copying(&charter.key_outcome()), &limits);
    // What it takes from the polynomial: how many there are, and where they are.
    let outcome = outcome.unwrap();
    let signature = threshold::recover(outcome.public(), &partials, &Sequential).ok()?;
    Some(FinalityProof {
        headers: vec![header.clone()],
        certificate: [proposal, signature.encode().to_vec()].concat(),
    })
}

/// Whether these shares certify a header that was never one.
fn certifies(charter: &Charter, header: &Header, shares: &[Share]) -> bool {
    let Some(proof) = forge(charter, header, shares) else {
        return false;
    };
    match proof.verify(charter.hash().as_bytes(), &charter.network_key()) {
        Ok(_) => true,
        Err(error) => {
            assert!(matches!(error, FinalityError::Signature), "{error}");
            false
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn founded_by_its_members_a_fifth_in_the_first_out() {
    let founders = Founders::new();
    founders.prepare();
    founders.meet_all();
    let charter = founders.charter();
    assert!(!charter.key_origin.dealt);
    founders.check_transcript();

    let http = http();
    let config = |name: &str| founders.path(&format!("{name}/node.toml"));
    let start = |name: &str| {
        configure(&config(name), PACE);
        spawn(&config(name), &founders.path(&format!("{name}.log")))
    };
    let mut nodes: Vec<_> = (0..4).map(|number| start(&format!("member{number}"))).collect();
    nodes.iter_mut().for_each(Process::wait_ready);
    let authority = TestAuthority::new(&charter, &AUTHORITY);
    for operation in authority.operations() {
        let answer = submit(&http, &founders.url(1), &operation).await;
        assert!(matches!(answer, Answer::Finalized { .. }), "{answer:?}");
    }
    let (did, file) = (
        charter.did(authority.did()).to_string(),
        founders.text("member1/charter.json"),
    );
    let prove = |node: u16, proof: &str| {
        let (url, proof) = (founders.url(node), founders.text(proof));
        let resolve = [
            "resolve",
            &did,
            "--node",
            &url,
            "--charter",
            &file,
            "--save-proof",
            &proof,
        ];
        value(&founders.run(&resolve));
    };
    prove(0, "before.json");

    // A fifth comes.
    let (newcomer, listen, peers) = (founders.text("newcomer"), founders.listen(4), founders.peers(4));
    let init = [
        "node",
        "init",
        "--dir",
        &newcomer,
        "--charter",
        &file,
        "--listen",
        &listen,
        "--p2p-listen",
    ];
    let made = value(&founders.run(&[&init[..], &[&peers]].concat()));
    let link_key = made["link_key"].as_str().unwrap();
    founders.decide(&["validator", link_key, "--name", "Newcomer", "--address", &peers]);
    founders.decide(&["set", "--admit", link_key]);
    nodes.push(start("newcomer"));
    nodes[4].wait_ready();
    let url = founders.url(4);
    wait_until(&http, &url, "a validator", |status| status["votes"] == true).await;
    // Somebody copies the first one's share while it is of the committee.
    let kept = founders.shares("member0");
    assert!(!kept.is_empty());

    // The first goes.
    let first = charter.validators[0].link_key.to_hex();
    founders.decide(&["set", "--remove", &first]);
    let follows = |status: &Value| status["votes"] == false;
    let left = wait_until(&http, &founders.url(0), "a follower", follows).await;
    let epoch = left["consensus_epoch"].as_u64().unwrap();
    let erased = |status: &Value| status["consensus_epoch"].as_u64() > Some(epoch + 2);
    wait_until(&http, &founders.url(0), "two epochs further", erased).await;
    assert_eq!(founders.shares("member0").len(), 0, "it has erased its share");

    // The key stays, and with it every proof.
    prove(4, "after.json");
    for proof in ["before.json", "after.json"] {
        let verified = realdid(["verify", &founders.text(proof), "--charter", &file]);
        assert!(verified.status.success(), "{proof}");
    }
    let client = NodeClient::new(&url, TrustAnchor::of(&charter)).unwrap();
    client.state(&[state_key::schedule()], 60).await.unwrap();

    // What was kept is worth nothing with f others of the new committee, nor with 2f.
    let others = ["member1", "member2", "member3", "newcomer"];
    let found: Vec<_> = others.iter().map(|node| founders.shares(node)).collect();
    let newest = found
        .iter()
        .filter_map(|shares| shares.last_key_value())
        .map(|(epoch, _)| *epoch);
    let (newest, block) = (
        newest.min().unwrap(),
        get(&http, &format!("{url}/v1/headers/latest")).await.unwrap(),
    );
    let block: Value = serde_json::from_slice(&block).unwrap();
    let proof = realdid_crypto::base64url_decode(block["finality"].as_str().unwrap()).unwrap();
    let mut header = FinalityProof::decode(&proof).unwrap().headers.remove(0);
    header.state_root = [0; 32];
    let new: Vec<_> = found
        .iter()
        .filter_map(|shares| shares.get(&newest).cloned())
        .collect();
    assert_eq!(new.len(), 4, "the new committee's shares of one epoch");
    for old in kept.values() {
        for with in [1, 2] {
            for start in 0..4 {
                let others = new.iter().cycle().skip(start);
                let others = others
                    .filter(|share| share.index != old.index)
                    .take(with)
                    .cloned();
                let shares: Vec<_> = std::iter::once(old.clone()).chain(others).collect();
                assert!(
                    !certifies(&charter, &header, &shares),
                    "an old share with {with} new ones"
                );
            }
        }
    }
    // The control: 2f + 1 of the same epoch do, 2f do not.
    assert!(certifies(&charter, &header, &new[..3]));
    assert!(certifies(&charter, &header, &new[1..]));
    assert!(!certifies(&charter, &header, &new[..2]));
    drop(nodes);
}
