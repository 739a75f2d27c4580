//! Logins with their verdicts, frozen, over states of the ledger that nodes proved: for software in other
//! languages, which has to come to the same.

use realdid_crypto::{KeyType, PublicKey, SecretKey, Writer, base64url_decode, base64url_encode};
use realdid_did::{Did, DocumentData, Level, Purposes, VerificationKey};
use realdid_ledger::{Charter, Freshness, ProvenState, StateAnswer, StateKey, TrustAnchor};
use realdid_openid::ClientId;
use realdid_openid::realdid_jwt::{LoginClaims, sign};
use realdid_presentation::{Evidence, Expectation, LoginRefusal, ShownLogin, judge_login};
use serde_json::{Value, json};

use crate::frozen;
use crate::tampering::{flips, outcome};

const STATES: &str = "ledger_states.json";

/// A person of the file of states.
struct Person {
    key: SecretKey,
    did: Did,
    long_form: String,
    token: String,
}

/// The file of states.
struct World {
    charter: Charter,
    keys: Vec<StateKey>,
    file: Value,
}

impl World {
    fn new() -> Self {
        let file = frozen::read(STATES);
        let keys: Vec<realdid_crypto::Hash> = serde_json::from_value(file["keys"].clone()).unwrap();
        Self {
            charter: Charter::from_json(file["charter"].as_str().unwrap().as_bytes()).unwrap(),
            keys: keys.into_iter().map(|key| key.0).collect(),
            file,
        }
    }

    fn person(&self, name: &str) -> Person {
        let text = |member: &str| self.file[name][member].as_str().unwrap().to_owned();
        let seed = realdid_crypto::Hash::from_hex(&text("seed")).unwrap();
        Person {
            key: SecretKey::from_seed(KeyType::Ed25519, &seed.0),
            did: text("did").parse().unwrap(),
            long_form: text("long_form"),
            token: text("token"),
        }
    }

    /// What is proven in a state, and when that was.
    fn state(&self, name: &str) -> (ProvenState, u64) {
        let states = self.file["states"].as_array().unwrap();
        let state = states.iter().find(|state| state["name"] == name).unwrap();
        let now = state["now"].as_u64().unwrap();
        let answer: StateAnswer = serde_json::from_value(state["answer"].clone()).unwrap();
        let freshness = Freshness {
            now,
            max_age: 60,
            lowest_height: 0,
        };
        let proven = answer.verify(&TrustAnchor::of(&self.charter), &self.keys, &freshness);
        (proven.unwrap(), now)
    }

    fn expectation(&self) -> Expectation {
        Expectation {
            network: self.charter.network.clone(),
            charter_hash: self.charter.hash(),
            client_id: ClientId::of_did("did:real:sandbox:zSite"),
            nonce: "a nonce of enough length".to_owned(),
            credentials: vec![],
            minimum_level: Level::Substantial,
            max_age: 60,
        }
    }
}

/// The document of somebody with this key for logging in and for statements.
fn document(key: &PublicKey) -> DocumentData {
    let purposes = Purposes::AUTHENTICATION.with(Purposes::ASSERTION);
    DocumentData::new(vec![VerificationKey { purposes, key: *key }], vec![]).unwrap()
}

/// One login: what is shown, in which state of the ledger, how many seconds later, with which document.
struct Case {
    name: &'static str,
    presentation: String,
    state: &'static str,
    later: u64,
    document: Option<DocumentData>,
    level: Level,
}

impl Case {
    fn outcome(&self, world: &World, presentation: &str) -> String {
        let (state, time) = world.state(self.state);
        let expectation = Expectation {
            minimum_level: self.level,
            ..world.expectation()
        };
        let now = time + self.later;
        let verdict = ShownLogin::read(presentation, &expectation, now).and_then(|shown| {
            let evidence = Evidence {
                did_state: &state,
                key_state: &state,
                document: self.document.clone(),
            };
            judge_login(&expectation, &shown, evidence, now)
        });
        outcome(verdict, LoginRefusal::code)
    }

    fn json(&self, world: &World) -> Value {
        let document = self.document.as_ref().map(|document| {
            let mut writer = Writer::new();
            document.write(&mut writer);
            hex::encode(writer.finish())
        });
        json!({
            "name": self.name,
            "presentation": self.presentation,
            "state": self.state,
            "later": self.later,
            "document": document,
            "level": self.level,
            "outcome": self.outcome(world, &self.presentation),
        })
    }
}

fn claims(world: &World, person: &Person, now: u64) -> LoginClaims {
    let expectation = world.expectation();
    LoginClaims {
        iss: person.did.to_string(),
        did: person.long_form.clone(),
        aud: expectation.client_id.to_string(),
        nonce: expectation.nonce,
        iat: now,
        exp: now + 120,
        charter: base64url_encode(expectation.charter_hash.0),
        token: person.token.clone(),
        credentials: vec![],
    }
}

/// A valid login of a person, in a state.
fn good(world: &World, name: &'static str, state: &'static str) -> Case {
    let person = world.person(name);
    let key = person.key.public_key();
    let claims = claims(world, &person, world.state(state).1);
    Case {
        name,
        presentation: sign(&claims, &person.did.key_url(&key), &person.key).unwrap(),
        state,
        later: 5,
        document: (name == "published").then(|| document(&key)),
        level: Level::Substantial,
    }
}

/// The login of somebody who has published, with the claims changed.
fn with(world: &World, name: &'static str, change: impl FnOnce(&mut LoginClaims)) -> Case {
    let person = world.person("published");
    let case = good(world, "published", "now");
    let mut claims = claims(world, &person, world.state("now").1);
    change(&mut claims);
    let url = person.did.key_url(&person.key.public_key());
    Case {
        name,
        presentation: sign(&claims, &url, &person.key).unwrap(),
        ..case
    }
}

/// Claims that are wrong in one thing, or right at a limit.
fn changed(world: &World) -> Vec<Case> {
    let other = world.person("unpublished");
    let now = world.state("now").1;
    vec![
        with(world, "another charter", |it| {
            it.charter = base64url_encode([9; 32])
        }),
        with(world, "from the future", |it| {
            (it.iat, it.exp) = (now + 36, now + 100)
        }),
        with(world, "hardly from the future", |it| {
            (it.iat, it.exp) = (now + 35, now + 100)
        }),
        with(world, "for too long", |it| it.exp = it.iat + 301),
        with(world, "for as long as can be", |it| it.exp = it.iat + 300),
        with(world, "over", |it| (it.iat, it.exp) = (now - 100, now + 5)),
        with(world, "for another site", |it| it.aud.push('x')),
        with(world, "for another request", |it| it.nonce.push('x')),
        with(world, "with a credential", |it| {
            it.credentials.push("x".to_owned())
        }),
        with(world, "no DID", |it| it.did = "did:real:sandbox:z".to_owned()),
        with(world, "another's DID", |it| it.did.clone_from(&other.long_form)),
        with(world, "another issuer", |it| it.iss = other.did.to_string()),
        with(world, "another network", |it| {
            (it.iss, it.did) = (
                it.iss.replace("sandbox", "other"),
                it.did.replace("sandbox", "other"),
            );
        }),
        with(world, "the short form", |it| it.did.clone_from(&it.iss)),
        with(world, "a token cut short", |it| it.token.truncate(400)),
        with(world, "another's token", |it| it.token.clone_from(&other.token)),
        with(world, "a token of another key", |it| {
            let mut bytes = base64url_decode(&it.token).unwrap();
            bytes[0] ^= 1;
            it.token = base64url_encode(bytes);
        }),
    ]
}

/// Logins by keys that do not fit the DID.
fn strange(world: &World) -> Vec<Case> {
    let person = world.person("published");
    let stranger = SecretKey::from_seed(KeyType::P256, &[5; 32]);
    let with = |name, key: &SecretKey, url: &str| Case {
        name,
        presentation: sign(&claims(world, &person, world.state("now").1), url, key).unwrap(),
        ..good(world, "published", "now")
    };
    let own = person.did.key_url(&person.key.public_key());
    let others = world.person("unpublished").did.key_url(&person.key.public_key());
    let strange = person.did.key_url(&stranger.public_key());
    vec![
        with("no key named", &person.key, &person.did.to_string()),
        with("a key of another DID", &person.key, &others),
        with("no key", &person.key, &format!("{}#z", person.did)),
        with("a stranger's key", &stranger, &strange),
        with("signed by another type of key", &stranger, &own),
    ]
}

/// Logins whose documents, levels or times do not fit the state.
fn unfit(world: &World) -> Vec<Case> {
    let stranger = SecretKey::from_seed(KeyType::P256, &[5; 32]);
    let with = |name, change: &dyn Fn(&mut Case)| {
        let mut case = good(world, "published", "now");
        case.name = name;
        change(&mut case);
        case
    };
    let person = world.person("unpublished");
    let short = LoginClaims {
        did: person.did.to_string(),
        ..claims(world, &person, world.state("now").1)
    };
    let url = person.did.key_url(&person.key.public_key());
    vec![
        with("no document", &|it| it.document = None),
        with("another document", &|it| {
            it.document = Some(document(&stranger.public_key()))
        }),
        with("too low a level", &|it| it.level = Level::High),
        Case {
            name: "not published, in short form",
            presentation: sign(&short, &url, &person.key).unwrap(),
            ..good(world, "unpublished", "now")
        },
        with("state too old", &|it| it.later = 100),
        with("too late for the login", &|it| it.later = 200),
    ]
}

// test: DID-01, DID-02, DID-06, JWS-04, JWS-05, JWS-06, LED-24, LOG-01, LOG-02, LOG-03, LOG-04
// test: LOG-05, LOG-06, LOG-07, LOG-08, LOG-09, LOG-10, LOG-11, LOG-12, LOG-13, LOG-14, LOG-15
// test: LOG-16, LOG-17, LOG-18, LOG-19, LOG-20, LOG-21, LOG-22, LOG-23, TOK-05, TOK-06
#[test]
fn logins_are_frozen() {
    let world = World::new();
    let states = world.file["states"].as_array().unwrap();
    let names = [
        "now",
        "an epoch later",
        "two epochs later",
        "recovering",
        "recovered",
        "deactivated",
        "the token's key revoked",
        "the authority suspended",
        "the authority struck off",
        "before there was a key",
    ];
    assert_eq!(names.len(), states.len());
    let mut cases: Vec<_> = names
        .into_iter()
        .flat_map(|state| ["published", "unpublished"].map(|person| good(&world, person, state)))
        .collect();
    cases.extend(changed(&world));
    cases.extend(strange(&world));
    cases.extend(unfit(&world));
    let first = &cases[0];
    let flips = flips(first.presentation.as_bytes(), |changed| {
        first.outcome(&world, std::str::from_utf8(changed).unwrap())
    });
    let cases: Vec<_> = cases.iter().map(|case| case.json(&world)).collect();
    let expectation = world.expectation();
    let file = json!({
        "description": "Logins (`realdid+jwt`), each judged so many seconds after the time of a state of \
                        ledger_states.json, with the document that was fetched; and what becomes of the first when the \
                        lowest bit of one character is changed, for each in turn, as runs of outcome and count.",
        "source": "crates/presentation/tests/it/logins.rs; codes of realdid_presentation::LoginRefusal",
        "audience": expectation.client_id.to_string(),
        "nonce": expectation.nonce,
        "max_age": expectation.max_age,
        "cases": cases,
        "flips": flips,
    });
    frozen::compare("login.json", &file);
}

/// The core for browsers made them; their token is none.
#[test]
fn logins_made_by_the_typescript_core_are_read() {
    let file = frozen::read("typescript.json");
    let charter_hash = realdid_crypto::Hash::from_hex(file["charter"].as_str().unwrap()).unwrap();
    let logins = file["logins"].as_array().unwrap();
    assert_eq!(logins.len(), 2);
    for case in logins {
        let presentation = case["presentation"].as_str().unwrap();
        let (message, claims) = realdid_openid::realdid_jwt::parse(presentation).unwrap();
        let expectation = Expectation {
            charter_hash,
            client_id: ClientId::of_dns_name("site.example"),
            credentials: claims.credentials,
            ..World::new().expectation()
        };
        let shown = ShownLogin::read(presentation, &expectation, 1_800_000_000).unwrap();
        assert_eq!(shown.did().to_string(), case["did"].as_str().unwrap());
        let (_, key) = message.kid().unwrap().split_once('#').unwrap();
        let key = PublicKey::from_multikey(key).unwrap();
        assert_eq!(key.kind().jose_algorithm(), case["algorithm"]);
        message.verify::<LoginClaims>(&key, "realdid+jwt").unwrap();
    }
}
