//! A network of one validator in a temporary directory, and holders of DIDs on it.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use realdid_client::{NodeClient, ServiceIdentity};
use realdid_crypto::{Hash, KeyType, SecretKey, base64url_encode, hash_labelled, sha256};
use realdid_did::{
    Action, Authorization, Commitment, Did, DocumentData, Founding, Inception, KeysReveal, Network,
    Operation, RecoveryReveal, Reveal, Rotation, Service, SignedOperation, Sponsorship, VerificationKey,
};
use realdid_engine::{deal, link_public_key, network_key};
use realdid_ledger::{
    Charter, Committees, KeyOrigin, Member, Quota, Role, Seat, TrustAnchor, Validator, encode_did_operation,
};
use realdid_node::RunningNode;
use realdid_service::{Shutdown, config};
use serde_json::{Value, json};

/// How long a test waits for what should take milliseconds.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// Oldest proof that tests believe, in seconds.
pub const MAX_AGE: u64 = 300;
/// Recovery delay of the test charter, in seconds.
pub const RECOVERY_DELAY: u64 = 2;

/// A network before its node starts.
pub struct TestNetwork {
    directory: tempfile::TempDir,
    pub charter: Charter,
    /// Holders of the charter's seats: a sign-in service that sponsors, and an authority.
    pub sponsor: ServiceIdentity,
    pub authority: ServiceIdentity,
}

/// A running node and clients of it.
pub struct TestNode {
    running: RunningNode,
    pub url: String,
    pub client: NodeClient,
    pub http: reqwest::Client,
}

impl TestNetwork {
    /// A network with the usual settings.
    pub fn new() -> Self {
        Self::with("")
    }

    /// A network whose node has further lines in its configuration.
    pub fn with(settings: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut rng = rand::rng();
        let (sponsor, authority) = (
            ServiceIdentity::generate(&mut rng),
            ServiceIdentity::generate(&mut rng),
        );
        let link_seed = rand::random::<[u8; 32]>();
        let dealt = deal(&[link_public_key(&link_seed)], &mut rng).unwrap();
        let seats = [
            ("Sign-in", Role::Signin, &sponsor),
            ("Authority", Role::Authority, &authority),
        ];
        let seat = |(name, role, identity): (&str, Role, &ServiceIdentity)| Seat {
            name: name.to_owned(),
            role,
            key: identity.public_key(),
        };
        let p2p = free_port();
        let link_key = Hash(link_public_key(&link_seed));
        let charter = Charter {
            format: 2,
            network: Network::new("sandbox").unwrap(),
            sandbox: true,
            genesis_time: 1_700_000_000,
            network_key: hex::encode(network_key(&dealt.outcome).unwrap()),
            key_origin: KeyOrigin {
                dealt: true,
                outcome: hex::encode(&dealt.outcome),
            },
            members: vec![Member {
                name: "Member".to_owned(),
                key: sponsor.public_key(),
            }],
            threshold: 1,
            validators: vec![Validator {
                name: "Validator".to_owned(),
                link_key,
                address: p2p.clone(),
            }],
            committees: Committees {
                epoch_blocks: 32,
                max_validators: 7,
            },
            seats: seats.map(seat).to_vec(),
            epoch_seconds: 1_000_000_000,
            quota: Quota {
                tokens: 64,
                period_seconds: 3_600,
            },
            recovery_delay: RECOVERY_DELAY,
            vetoed_recovery_delay: 2 * RECOVERY_DELAY,
            minimum_anonymity_set: 1,
        };
        let path = directory.path();
        std::fs::write(path.join("charter.json"), charter.to_json().unwrap()).unwrap();
        config::write_secret_file(&path.join("link.key"), &hex::encode(link_seed)).unwrap();
        config::write_secret_file(&path.join("share.key"), &hex::encode(&*dealt.shares[0])).unwrap();
        let toml = format!(
            "listen = \"127.0.0.1:0\"\npublic_url = \"http://127.0.0.1:0\"\np2p_listen = \"{p2p}\"\n\
             data_dir = \"data\"\ncharter = \"charter.json\"\nlink_key = \"link.key\"\nshare = \"share.key\"\n\
             heartbeat_ms = 500\n{settings}\n"
        );
        std::fs::write(path.join("node.toml"), toml).unwrap();
        Self {
            directory,
            charter,
            sponsor,
            authority,
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Starts the node and waits until it is ready.
    pub async fn start(&self) -> TestNode {
        let running = start_at(&self.path("node.toml")).await.unwrap();
        let url = running.url().to_owned();
        let client = NodeClient::new(&url, TrustAnchor::of(&self.charter)).unwrap();
        client.wait_ready(PATIENCE).await.unwrap();
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        TestNode {
            running,
            url,
            client,
            http,
        }
    }

    /// Starts the node with its sponsor's DID published.
    pub async fn start_with_sponsor(&self) -> TestNode {
        let node = self.start().await;
        self.sponsor
            .publish_if_absent(&node.client, &self.charter)
            .await
            .unwrap();
        node
    }

    /// A holder of a DID, made from a name.
    pub fn holder(&self, name: &str) -> Holder {
        Holder {
            charter: self.charter.hash(),
            name: name.to_owned(),
            services: Vec::new(),
        }
    }

    /// The sponsor's word for a DID.
    pub fn sponsored(&self, did: &Hash) -> Authorization {
        let charter = self.charter.hash();
        let signature = self
            .sponsor
            .assertion_key()
            .sign(&Sponsorship::domain(&charter), did.as_bytes());
        Authorization::Sponsored(Box::new(Sponsorship {
            sponsor: self.sponsor.did(&self.charter).hash,
            document: self.sponsor.document(),
            signer: 0,
            signature,
        }))
    }

    /// The operation that publishes a holder's DID, sponsored.
    pub fn publication(&self, holder: &Holder) -> SignedOperation {
        holder.publish(self.sponsored(&holder.did().hash))
    }
}

pub async fn start_at(config_file: &Path) -> Result<RunningNode, realdid_node::NodeError> {
    realdid_node::start(&config::load(config_file)?, Shutdown::new()).await
}

/// A loopback address that nobody listens on.
fn free_port() -> String {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .to_string()
}

impl TestNode {
    pub async fn stop(self) {
        self.running.stop().await.unwrap();
    }

    /// Submits an operation that must become final; its height.
    pub async fn publish(&self, operation: &SignedOperation) -> u64 {
        let bytes = encode_did_operation(operation);
        self.client
            .submit_and_wait(&bytes, &operation.operation.hash(), PATIENCE)
            .await
            .unwrap()
    }

    /// Submits bytes; status and body of the answer.
    pub async fn submit(&self, bytes: &[u8], query: &str) -> (u16, Value) {
        self.post(
            &format!("/v1/operations{query}"),
            &json!({"operation": base64url_encode(bytes)}),
        )
        .await
    }

    pub async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        read(self.http.post(format!("{}{path}", self.url)).json(body)).await
    }

    pub async fn get(&self, path: &str) -> (u16, Value) {
        read(self.http.get(format!("{}{path}", self.url))).await
    }

    /// Asks the resolver: status, media type, body.
    pub async fn resolve(&self, target: &str, accept: &str) -> (u16, String, Value) {
        let request = self
            .http
            .get(format!("{}/1.0/identifiers/{target}", self.url))
            .header("accept", accept);
        let response = request.send().await.unwrap();
        let media_type = response.headers()["content-type"].to_str().unwrap().to_owned();
        (
            response.status().as_u16(),
            media_type,
            response.json().await.unwrap(),
        )
    }
}

async fn read(request: reqwest::RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    (
        status,
        serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or(Value::Null),
    )
}

/// Somebody with a DID: keys and salts follow from the name and a number.
#[derive(Clone)]
pub struct Holder {
    charter: Hash,
    name: String,
    pub services: Vec<Service>,
}

impl Holder {
    fn secret(&self, what: &str, number: u8) -> [u8; 32] {
        hash_labelled(
            "test",
            &[
                self.charter.as_bytes(),
                self.name.as_bytes(),
                what.as_bytes(),
                &[number],
            ],
        )
        .0
    }

    pub fn key(&self, number: u8) -> SecretKey {
        SecretKey::from_seed(KeyType::Ed25519, &self.secret("key", number))
    }

    fn recovery_key(&self, number: u8) -> SecretKey {
        SecretKey::from_seed(KeyType::Ed25519, &self.secret("recovery", number))
    }

    fn reveal(&self, number: u8) -> KeysReveal {
        let keys = vec![VerificationKey::authentication(self.key(number).public_key())];
        KeysReveal {
            keys,
            salt: self.secret("salt", number),
        }
    }

    fn recovery_reveal(&self, number: u8) -> RecoveryReveal {
        let key = self.recovery_key(number).public_key();
        RecoveryReveal {
            key,
            salt: self.secret("recovery salt", number),
        }
    }

    fn next(&self, number: u8) -> Commitment {
        self.reveal(number).commitment(&self.charter)
    }

    /// The document with the keys of a number.
    pub fn document(&self, number: u8) -> DocumentData {
        DocumentData::new(self.reveal(number).keys, self.services.clone()).unwrap()
    }

    pub fn inception(&self) -> Inception {
        let recovery = self.recovery_reveal(0).commitment(&self.charter);
        Inception {
            charter: self.charter,
            document: self.document(0),
            next: self.next(1),
            recovery,
        }
    }

    pub fn did(&self) -> Did {
        self.inception().did(&Network::new("sandbox").unwrap())
    }

    pub fn long_form(&self) -> String {
        self.did().long_form(&self.inception())
    }

    fn operation(&self, previous: Hash, action: Action) -> Operation {
        Operation {
            charter: self.charter,
            did: self.inception().hash(),
            previous,
            action,
        }
    }

    pub fn founding(&self, authorization: Authorization) -> Box<Founding> {
        Box::new(Founding {
            inception: self.inception(),
            authorization,
        })
    }

    pub fn publish(&self, authorization: Authorization) -> SignedOperation {
        let action = Action::Publish(self.founding(authorization));
        self.operation(Hash::ZERO, action).sign(0, &self.key(0))
    }

    /// Rotates to the keys of a number.
    pub fn update(&self, previous: Hash, number: u8) -> SignedOperation {
        let rotation = Rotation {
            document: self.document(number),
            salt: self.reveal(number).salt,
            next: self.next(number + 1),
        };
        self.operation(previous, Action::Update(rotation))
            .sign(0, &self.key(number))
    }

    /// Recovers to the keys of a number.
    pub fn recover(&self, previous: Hash, founding: Option<Box<Founding>>, number: u8) -> SignedOperation {
        let action = Action::Recover {
            founding,
            reveal: self.recovery_reveal(0),
            document: self.document(number),
            next: self.next(number + 1),
            recovery: self.recovery_reveal(1).commitment(&self.charter),
        };
        self.operation(previous, action).sign(0, &self.recovery_key(0))
    }

    pub fn deactivate(&self, previous: Hash, founding: Option<Box<Founding>>) -> SignedOperation {
        let action = Action::Deactivate {
            founding,
            reveal: Reveal::Recovery(self.recovery_reveal(0)),
        };
        self.operation(previous, action).sign(0, &self.recovery_key(0))
    }
}

/// A hash that nothing has.
pub fn nothing() -> Hash {
    sha256(b"nothing")
}
