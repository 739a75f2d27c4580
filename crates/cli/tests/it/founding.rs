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
use realdid_crypto::base64url_decode;
use realdid_ledger::{Charter, FinalityError, FinalityProof, Header, consensus_namespace};
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
            let (dir, name) = (self.member(number, ""), format!("Member {number}"));
            let address = self.peers(number);
            let mut keys = vec!["network", "found", "keys", "--dir", &dir, "--name", &name];
            keys.extend(["--address", &address]);
            value(&self.run(&keys));
        }
        let out = self.text("draft.json");
        let public: Vec<_> = (0..4).map(|number| self.member(number, "public.json")).collect();
        let seat = serde_json::to_value(TestAuthority::seat(&AUTHORITY)).unwrap();
        let seat = format!("authority:{}:Test Authority", seat["key"].as_str().unwrap());
        let draft = |public: &[&String], more: &[&str]| {
            let mut draft = vec!["network", "found", "draft", "--network", "founded", "--out", &out];
            draft.extend(public.iter().map(|path| path.as_str()));
            draft.extend(more);
            self.run(&draft)
        };
        let all: Vec<_> = public.iter().collect();
        assert_eq!(code(&draft(&[all[0], all[0]], &[])), "founding_same_key");
        assert_eq!(code(&draft(&all[..2], &[])), "founding_too_few");
        let mut options = vec!["--sandbox", "--max-validators", "5", "--seat", &seat];
        options.extend(["--epoch-blocks", EPOCH_BLOCKS]);
        value(&draft(&all, &options));
        for number in 0..4 {
            let dir = self.member(number, "");
            let sign = ["network", "found", "sign", "--dir", &dir, "--draft", &out];
            assert_eq!(code(&self.run(&sign)), "not_signed");
            value(&self.run(&[&sign[..], &["--yes"]].concat()));
        }
    }

    /// A founder's directory, or a file in it.
    fn member(&self, number: u16, file: &str) -> String {
        self.path(&format!("member{number}"))
            .join(file)
            .display()
            .to_string()
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

/// The founders' nodes at work.
struct Running {
    founders: Founders,
    charter: Charter,
    did: String,
    http: reqwest::Client,
    nodes: Vec<Process>,
}

impl Running {
    async fn start(founders: Founders, charter: Charter) -> Self {
        let authority = TestAuthority::new(&charter, &AUTHORITY);
        let mut running = Self {
            did: charter.did(authority.did()).to_string(),
            http: http(),
            nodes: Vec::new(),
            founders,
            charter,
        };
        for number in 0..4 {
            running.spawn(&format!("member{number}"));
        }
        running.nodes.iter_mut().for_each(Process::wait_ready);
        for operation in authority.operations() {
            let answer = submit(&running.http, &running.founders.url(1), &operation).await;
            assert!(matches!(answer, Answer::Finalized { .. }), "{answer:?}");
        }
        running
    }

    fn spawn(&mut self, name: &str) {
        let config = self.founders.path(&format!("{name}/node.toml"));
        configure(&config, PACE);
        self.nodes
            .push(spawn(&config, &self.founders.path(&format!("{name}.log"))));
    }

    /// Has a node prove something, and keeps the proof.
    fn prove(&self, node: u16, proof: &str) {
        let (url, proof) = (self.founders.url(node), self.founders.text(proof));
        let charter = self.founders.member(1, "charter.json");
        let mut resolve = vec!["resolve", &self.did, "--node", &url, "--charter", &charter];
        resolve.extend(["--save-proof", &proof]);
        value(&self.founders.run(&resolve));
    }

    fn verifies(&self, proof: &str) -> bool {
        let (proof, charter) = (self.founders.text(proof), self.founders.member(1, "charter.json"));
        realdid(["verify", &proof, "--charter", &charter])
            .status
            .success()
    }

    /// A fifth validator comes.
    async fn admit(&mut self) {
        let (dir, charter) = (
            self.founders.text("newcomer"),
            self.founders.member(1, "charter.json"),
        );
        let (listen, peers) = (self.founders.listen(4), self.founders.peers(4));
        let mut init = vec!["node", "init", "--dir", &dir, "--charter", &charter];
        init.extend(["--listen", &listen, "--p2p-listen", &peers]);
        let made = value(&self.founders.run(&init));
        let link_key = made["link_key"].as_str().unwrap();
        let place = ["validator", link_key, "--name", "Newcomer", "--address", &peers];
        self.founders.decide(&place);
        self.founders.decide(&["set", "--admit", link_key]);
        self.spawn("newcomer");
        self.nodes[4].wait_ready();
        let votes = |status: &Value| status["votes"] == true;
        wait_until(&self.http, &self.founders.url(4), "a validator", votes).await;
    }

    /// The first validator goes, and erases its share.
    async fn remove_first(&self) {
        let first = self.charter.validators[0].link_key.to_hex();
        self.founders.decide(&["set", "--remove", &first]);
        let url = self.founders.url(0);
        let left = wait_until(&self.http, &url, "a follower", |status| status["votes"] == false).await;
        let epoch = left["consensus_epoch"].as_u64().unwrap();
        let later = |status: &Value| status["consensus_epoch"].as_u64() > Some(epoch + 2);
        wait_until(&self.http, &url, "two epochs further", later).await;
        assert_eq!(
            self.founders.shares("member0").len(),
            0,
            "it has erased its share"
        );
    }

    /// The shares of the new committee in one epoch.
    fn new_shares(&self) -> Vec<Share> {
        let nodes = ["member1", "member2", "member3", "newcomer"];
        let found = nodes.map(|node| self.founders.shares(node));
        let newest = found.iter().filter_map(|shares| shares.last_key_value());
        let epoch = newest.map(|(epoch, _)| *epoch).min().unwrap();
        let shares: Vec<_> = found.iter().filter_map(|it| it.get(&epoch).cloned()).collect();
        assert_eq!(shares.len(), 4, "one epoch's shares");
        shares
    }

    /// A header that was never one: somebody would like it certified.
    async fn wished(&self) -> Header {
        let url = format!("{}/v1/headers/latest", self.founders.url(4));
        let latest: Value = serde_json::from_slice(&get(&self.http, &url).await.unwrap()).unwrap();
        let proof = base64url_decode(latest["finality"].as_str().unwrap()).unwrap();
        let mut header = FinalityProof::decode(&proof).unwrap().headers.remove(0);
        header.state_root = [0; 32];
        header
    }
}

/// What somebody kept is worth nothing with f others of the new committee, nor with 2f.
fn kept_are_worthless(charter: &Charter, header: &Header, kept: &BTreeMap<u64, Share>, new: &[Share]) {
    for (old, with) in kept.values().flat_map(|old| [(old, 1), (old, 2)]) {
        for start in 0..new.len() {
            let others = new.iter().cycle().skip(start);
            let others = others.filter(|share| share.index != old.index).take(with);
            let shares: Vec<_> = std::iter::once(old).chain(others).cloned().collect();
            assert_eq!(shares.len(), 1 + with);
            assert!(
                !certifies(charter, header, &shares),
                "an old share with {with} new ones"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn founded_by_its_members_a_fifth_in_the_first_out() {
    let founders = Founders::new();
    founders.prepare();
    founders.meet_all();
    founders.check_transcript();
    let charter = founders.charter();
    assert!(!charter.key_origin.dealt);

    let mut running = Running::start(founders, charter.clone()).await;
    running.prove(0, "before.json");
    running.admit().await;
    // Somebody copies the first one's share while it is of the committee.
    let kept = running.founders.shares("member0");
    assert!(!kept.is_empty());
    running.remove_first().await;

    // The key stays, and with it every proof.
    running.prove(4, "after.json");
    assert!(running.verifies("before.json") && running.verifies("after.json"));

    let (header, new) = (running.wished().await, running.new_shares());
    kept_are_worthless(&charter, &header, &kept, &new);
    // The control: 2f + 1 of the same epoch certify it, 2f do not.
    assert!(certifies(&charter, &header, &new[..3]));
    assert!(certifies(&charter, &header, &new[1..]));
    assert!(!certifies(&charter, &header, &new[..2]));
}
