//! Complete sign-ins per second against the sum of their cryptography.
//!
//! A node and a sign-in server run as processes of their own; this one is the generator beside them
//! on the same machine: many visitors with their browsers and wallets, and the website. Each sign-in
//! goes all the way: authorization request, page, signed request, presentation, the browser's return,
//! the code for an ID token, whose signature is checked. Against that, every signature that one
//! sign-in makes or checks, on either side, one after the other on one core.
//!
//! Only the ratios of one run mean something: `cargo bench`.

#![allow(clippy::print_stdout, reason = "a bench reports on standard output")]
#![allow(clippy::disallowed_methods, reason = "a bench reads the clock")]
#![allow(dead_code, reason = "shared with the tests, which use the rest")]

#[path = "../tests/it/people.rs"]
mod people;
#[path = "../tests/it/support.rs"]
mod support;

use std::fs;
use std::hint::black_box;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use people::Holder;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use realdid_crypto::{KeyType, SecretKey, base64url_decode, base64url_encode, sha256};
use realdid_ledger::{FinalityProof, StateAnswer};
use realdid_openid::jws::Unverified;
use realdid_openid::realdid_jwt::{self, LoginClaims, VpToken};
use realdid_token::Token;
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use serde_json::Value;
use support::{Network, Process, get, now, program, realdid};

/// Sign-ins that are measured.
const SIGN_INS: usize = 1_000;
/// Visitors at a time.
const VISITORS: usize = 16;
/// Repetitions when one signature is measured.
const REPETITIONS: u32 = 200;
const CALLBACK: &str = "http://127.0.0.1:9/callback";
/// The sign-in server's distance from the first port.
const SIGNIN: u16 = 20;

/// What a website and its visitors know.
struct World {
    network: Network,
    signin: String,
    client_id: String,
    client_secret: String,
    http: reqwest::Client,
}

/// Somebody with a DID for this website, and a token for it.
struct Visitor {
    holder: Holder,
    token: Vec<u8>,
}

/// What passed over the wire in one sign-in.
struct Seen {
    request: String,
    presentation: String,
    id_token: String,
}

#[tokio::main]
async fn main() {
    let network = Network::init();
    let config = network.path("network/signin/signin.toml");
    let mut text = fs::read_to_string(&config).expect("the sign-in server's configuration");
    // One machine asks for everybody.
    text.push_str("\n[limits]\nrequests_per_second = 1e6\nburst = 1e6\n");
    fs::write(&config, text).expect("the configuration is written");
    let _node = network.start_node();
    let http = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none());
    let http = http.build().expect("an HTTP client");
    network.publish_authority(&http).await;
    let mut command = Command::new(program());
    command.args(["signin", "run", "--config"]).arg(&config);
    let mut signin = Process::spawn(&mut command, &network.path("signin.log"));
    signin.wait_ready();
    let signin_url = network.url_at(SIGNIN);
    let [client_id, client_secret] = register(&config);
    let world = Arc::new(World {
        network,
        signin: signin_url,
        client_id,
        client_secret,
        http,
    });

    let mut rng = StdRng::seed_from_u64(1);
    let charter = world.network.charter.hash();
    let mut visitor = || {
        let holder = Holder::new(charter, &mut rng);
        let token = world.network.authority.token(&holder.hash(), &mut rng).to_vec();
        Arc::new(Visitor { holder, token })
    };
    let visitors: Vec<_> = (0..VISITORS).map(|_| visitor()).collect();
    let seen = world.sign_in(&visitors[0]).await;
    let took = measure_sign_ins(&world, &visitors).await;
    let alone = cryptography(&world, &seen, &visitors[0]).await;
    report(took, alone);
}

fn register(config: &std::path::Path) -> [String; 2] {
    let output = realdid([
        "signin".as_ref(),
        "client".as_ref(),
        "add".as_ref(),
        "--json".as_ref(),
        "--config".as_ref(),
        config.as_os_str(),
        "--name".as_ref(),
        "Bench".as_ref(),
        "--redirect-uri".as_ref(),
        CALLBACK.as_ref(),
    ]);
    let said = String::from_utf8_lossy(&output.stderr);
    let added: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{said}"));
    ["client_id", "client_secret"].map(|name| added[name].as_str().expect("credentials").to_owned())
}

fn report(took: Duration, alone: Duration) {
    let each = took / u32::try_from(SIGN_INS).expect("a number of sign-ins");
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let rate = 1.0 / each.as_secs_f64();
    println!(
        "{SIGN_INS} sign-ins, {VISITORS} at a time, generator, sign-in server and node on {cores} cores"
    );
    println!("  {rate:.0} sign-ins/s; the cryptography of one: {alone:.2?} on one core");
    let one = each.as_secs_f64() / alone.as_secs_f64();
    println!("ratio a sign-in's time / its cryptography on one core: {one:.2}");
    println!(
        "ratio a sign-in's processor time / its cryptography, all {cores} cores busy: {:.2}",
        one * cores as f64
    );
}

/// All sign-ins, so many at a time; how long they took.
async fn measure_sign_ins(world: &Arc<World>, visitors: &[Arc<Visitor>]) -> Duration {
    let done = Arc::new(AtomicUsize::new(0));
    let begun = Instant::now();
    let tasks: Vec<_> = visitors
        .iter()
        .map(|visitor| {
            let (world, visitor, done) = (Arc::clone(world), Arc::clone(visitor), Arc::clone(&done));
            tokio::spawn(async move {
                while done.fetch_add(1, Ordering::Relaxed) < SIGN_INS {
                    black_box(world.sign_in(&visitor).await);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("every sign-in succeeds");
    }
    begun.elapsed()
}

impl World {
    /// One sign-in from the website's link to a checked ID token.
    async fn sign_in(&self, visitor: &Visitor) -> Seen {
        let verifier = base64url_encode(rand::random::<[u8; 32]>());
        let challenge = base64url_encode(sha256(verifier.as_bytes()).0);
        let (page, cookie) = self.open_page(&challenge).await;
        let request = self.fetch(&request_uri(&page)).await;
        let presentation = self.present(visitor, &request);
        let back = self.answer(&request, &presentation).await;
        let returned = self
            .http
            .get(&back)
            .header(COOKIE, cookie)
            .send()
            .await
            .expect("an answer");
        let callback = location(&returned);
        let code = query(&callback, "code");
        let id_token = self.redeem(&code, &verifier).await;
        Seen {
            request,
            presentation,
            id_token,
        }
    }

    /// The browser is sent to the sign-in page; the page and its cookie.
    async fn open_page(&self, challenge: &str) -> (String, String) {
        let parameters = [
            ("response_type", "code"),
            ("client_id", &self.client_id),
            ("redirect_uri", CALLBACK),
            ("scope", "openid realname_verified"),
            ("state", "here"),
            ("nonce", "bench"),
            ("code_challenge", challenge),
            ("code_challenge_method", "S256"),
        ];
        let url = format!("{}/authorize", self.signin);
        let sent = self
            .http
            .get(url)
            .query(&parameters)
            .send()
            .await
            .expect("an answer");
        let cookie = sent.headers()[SET_COOKIE]
            .to_str()
            .expect("a cookie")
            .split(';')
            .next();
        let cookie = cookie.expect("a cookie").to_owned();
        let url = format!(
            "{}{}",
            self.signin,
            location(&sent).trim_start_matches(&self.signin)
        );
        let page = self
            .http
            .get(url)
            .header(COOKIE, &cookie)
            .send()
            .await
            .expect("an answer");
        (page.text().await.expect("a page"), cookie)
    }

    async fn fetch(&self, url: &str) -> String {
        let answer = self.http.get(url).send().await.expect("an answer");
        answer.text().await.expect("a text")
    }

    /// The wallet's answer, signed; the request's signature is checked by nobody but the wallet's
    /// owner, whose wallet has the site's key from the ledger. Here it is checked in [`cryptography`].
    fn present(&self, visitor: &Visitor, request: &str) -> String {
        let charter = &self.network.charter;
        let claims = stated(request);
        let text = |name: &str| claims[name].as_str().expect("a text").to_owned();
        let did = visitor.holder.did(charter);
        let claims = LoginClaims {
            iss: did.to_string(),
            did: did.long_form(visitor.holder.inception()),
            aud: text("client_id"),
            nonce: text("nonce"),
            iat: now(),
            exp: now() + 120,
            charter: base64url_encode(charter.hash().0),
            token: base64url_encode(&visitor.token),
            credentials: Vec::new(),
        };
        let key = visitor.holder.key();
        realdid_jwt::sign(&claims, &did.key_url(&key.public_key()), &key).expect("a presentation")
    }

    async fn answer(&self, request: &str, presentation: &str) -> String {
        let claims = stated(request);
        let vp_token = VpToken::single("realname", presentation.to_owned());
        let vp_token = serde_json::to_string(&vp_token).expect("JSON");
        let form = [
            ("vp_token", vp_token.as_str()),
            ("state", claims["state"].as_str().expect("a state")),
        ];
        let url = claims["response_uri"].as_str().expect("an address");
        let answer = self.http.post(url).form(&form).send().await.expect("an answer");
        let answer: Value = answer.json().await.expect("JSON");
        answer["redirect_uri"]
            .as_str()
            .unwrap_or_else(|| panic!("{answer}"))
            .to_owned()
    }

    async fn redeem(&self, code: &str, verifier: &str) -> String {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", verifier),
        ];
        let request = self.http.post(format!("{}/token", self.signin)).form(&form);
        let request = request.basic_auth(&self.client_id, Some(&self.client_secret));
        let answer: Value = request
            .send()
            .await
            .expect("an answer")
            .json()
            .await
            .expect("JSON");
        answer["id_token"]
            .as_str()
            .unwrap_or_else(|| panic!("{answer}"))
            .to_owned()
    }
}

/// The time that all signatures of one sign-in take, one after the other: each JWS that passed over the
/// wire is made once and checked once; then the token, and the two certificates of the ledger's
/// answers.
async fn cryptography(world: &World, seen: &Seen, visitor: &Visitor) -> Duration {
    let claims = stated(&seen.request);
    let statements = claims["verifier_info"].as_array().into_iter().flatten();
    let statements = statements.filter_map(|info| info["data"].as_str());
    let sent = [seen.request.as_str(), &seen.presentation, &seen.id_token];
    let signed: Vec<_> = sent
        .into_iter()
        .chain(statements)
        .filter(|text| text.split('.').count() == 3)
        .collect();
    let signatures: Duration = signed.iter().map(|text| sign_and_check(text)).sum();
    let charter = world.network.charter.hash();
    let (epoch_key, did) = (world.network.authority.epoch_key().clone(), visitor.holder.hash());
    let token = Token::from_bytes(&visitor.token).expect("a token");
    let token = time(|| {
        _ = black_box(token.verify(&epoch_key, &charter, &did)).expect("a good token");
    });
    let url = format!("{}/v1/proofs/keys?key={}", world.network.url(), "00".repeat(32));
    let answer = get(&world.http, &url).await.expect("the node's answer");
    let answer: StateAnswer = serde_json::from_slice(&answer).expect("an answer");
    let finality = base64url_decode(&answer.finality).expect("base64url");
    let finality = FinalityProof::decode(&finality).expect("a proof");
    let anchor = world.network.anchor();
    let certificate = time(|| {
        _ = black_box(finality.verify(charter.as_bytes(), &anchor.network_key)).expect("a final header");
    });
    println!(
        "  {} signatures {signatures:.2?}, token {token:.2?}, two certificates {:.2?}",
        signed.len(),
        2 * certificate
    );
    signatures + token + 2 * certificate
}

/// How long a JWS as large as this one takes to be signed and checked.
fn sign_and_check(text: &str) -> Duration {
    let jws = Unverified::parse_within(text, 1 << 20).expect("a JWS");
    let kinds = [KeyType::Ed25519, KeyType::P256];
    let kind = kinds
        .into_iter()
        .find(|kind| kind.jose_algorithm() == jws.algorithm());
    let key = SecretKey::from_seed(kind.expect("a known algorithm"), &[7; 32]);
    let message = jws.signing_input();
    let signature = key.sign_raw(message);
    let public = key.public_key();
    time(|| {
        _ = black_box(key.sign_raw(message));
    }) + time(|| black_box(public.verify_raw(message, &signature)).expect("a good signature"))
}

fn time(call: impl Fn()) -> Duration {
    let begun = Instant::now();
    (0..REPETITIONS).for_each(|_| call());
    begun.elapsed() / REPETITIONS
}

fn stated(jws: &str) -> Value {
    let claims = jws.split('.').nth(1).unwrap_or_else(|| panic!("no JWS: {jws}"));
    serde_json::from_slice(&base64url_decode(claims).expect("base64url")).expect("claims")
}

fn request_uri(page: &str) -> String {
    let start = page
        .find("openid4vp://")
        .unwrap_or_else(|| panic!("no wallet link: {page}"));
    let link = page[start..].split(['"', '<']).next().expect("a link");
    query(&link.replace("&amp;", "&").replace("&#38;", "&"), "request_uri")
}

fn location(answer: &reqwest::Response) -> String {
    answer.headers()[LOCATION]
        .to_str()
        .expect("an address")
        .to_owned()
}

fn query(url: &str, name: &str) -> String {
    let url: reqwest::Url = url.parse().expect("an address");
    let value = url.query_pairs().find(|(found, _)| found == name);
    value
        .unwrap_or_else(|| panic!("no {name} in {url}"))
        .1
        .into_owned()
}
