//! Nothing links two logins of one person, or a login and the person: searched for in everything
//! that websites, sign-in servers, the ledger, the node and the authority hold afterwards.
//!
//! Each login is also given all that its site could have written down (the presentation), and its
//! DID is published and ended, so that every commitment is open. Sign-in servers run one per site.

use std::io::Read as _;
use std::path::Path;
use std::process::Command;

use realdid_client::NodeClient;
use realdid_crypto::{Hash, base64url_encode, derive_key, sha256};
use realdid_did::Did;
use realdid_ledger::TrustAnchor;
use realdid_wallet::{HeldToken, Wallet};
use serde_json::{Value, json};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use sqlx::{Column as _, Row as _, TypeInfo as _, ValueRef as _};

use crate::browser::Browser;
use crate::country::{Country, Person, REALNAME, SERVICES};
use crate::holder::{Holder, Persona};
use crate::shared_values::{Body, describe, shared};
use crate::support::{http, program};

const PASSPHRASE: &str = "a passphrase for tests";

/// The two sites: log name, sign-in server, its port offset, own port offset.
const SITES: [(&str, &str, u16, u16); 2] = [("site-a", "signin", 20, 31), ("site-b", "signin2", 21, 32)];

/// Values that everybody on a network shares. Times and numbers are left out as a kind.
async fn allowlist(country: &Country) -> Body {
    let mut allowed = Body::default();
    let authority = format!("{}/v1/authority", country.authority());
    let authority: Value = http().get(authority).send().await.unwrap().json().await.unwrap();
    let did: Did = authority["did"].as_str().unwrap().parse().unwrap();
    let charter = country.charter.hash();
    // The network: its charter, and addresses on this one machine.
    allowed.add_bytes("charter hash", &charter.0);
    allowed.add_text("charter hash in base64url", &base64url_encode(charter.0));
    for offset in [0, 1, 10, 20, 21, 31, 32] {
        allowed.add_text("addresses", &format!("{}/callback", country.url(offset)));
    }
    // Two characters more, so that two DIDs that happen to begin alike are no finding.
    for (first, second) in BASE58
        .chars()
        .flat_map(|first| BASE58.chars().map(move |second| (first, second)))
    {
        let network = country.charter.network.as_str();
        allowed.add_text(
            "DIDs of the network",
            &format!("did:real:{network}:zQm{first}{second}"),
        );
    }
    // The authority, and the key that everybody's tokens of the epoch are made with.
    allowed.add_bytes("authority", &did.hash.0);
    for key in authority["keys"].as_array().unwrap() {
        let id = Hash::from_hex(key["key_id"].as_str().unwrap()).unwrap();
        allowed.add_bytes("epoch key", &id.0);
        // Constant runs of an operation's layout: no services or extensions, a token by this authority.
        allowed.add_bytes("layout", &[&[0, 1], did.hash.0.as_slice(), &id.0].concat());
        allowed.add_bytes("layout", &[&[1], did.hash.0.as_slice(), &id.0].concat());
    }
    // Format, charter and what follows it in an operation and in an inception with one key.
    allowed.add_bytes("layout", &[&[1, 1], charter.0.as_slice(), &[1, 1, 1]].concat());
    allowed.add_bytes("layout", &[&[1], charter.0.as_slice(), &[1, 1, 1]].concat());
    // A first operation names no operation before it; then comes the format, and again the charter.
    allowed.add_bytes(
        "layout",
        &[[0; 32].as_slice(), &[1, 1], &charter.0, &[1, 1, 1]].concat(),
    );
    for word in WORDS {
        allowed.add_text("word of the protocol", word);
    }
    allowed
}

/// The alphabet of base58btc.
const BASE58: &str = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// Words of the protocols, and of the logs, that stand in tokens, databases and logs of every site.
const WORDS: [&str; 24] = [
    "openid realname_verified",
    "urn:realdid:acr:substantial",
    "same_device",
    "cross_device",
    "authorized",
    "completed",
    "answered",
    "realdid_service::layers",
    "realdid_service::serve",
    "realdid_signin::run",
    "realdid_signin::ledger",
    "/.well-known/openid-configuration",
    "/authorize",
    "/login/{id}",
    "/login/{id}/status",
    "/login/{id}/complete",
    "/request/{id}",
    "/response/{id}",
    "/health/ready",
    "/userinfo",
    "/callback",
    "redirect_uri",
    "127.0.0.1",
    "substantial",
];

async fn add_database(
    body: &mut Body,
    place: &str,
    file: &Path,
    keep: impl Fn(&str, &sqlx::sqlite::SqliteRow) -> bool,
) {
    let pool = SqlitePool::connect_with(SqliteConnectOptions::new().filename(file))
        .await
        .expect("the database opens");
    let tables =
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_sqlx%' ESCAPE '\\'";
    for table in sqlx::query(tables).fetch_all(&pool).await.unwrap() {
        let table: String = table.get(0);
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!("SELECT * FROM \"{table}\"")))
            .fetch_all(&pool)
            .await;
        for row in rows.unwrap().iter().filter(|row| keep(&table, row)) {
            for column in row.columns() {
                let place = format!("{place} {table}.{}", column.name());
                let value = row.try_get_raw(column.ordinal()).unwrap();
                match value.type_info().name() {
                    "TEXT" => body.add_text(&place, &row.get::<String, _>(column.ordinal())),
                    "BLOB" => body.add_bytes(&place, &row.get::<Vec<u8>, _>(column.ordinal())),
                    _ => {}
                }
            }
        }
    }
    pool.close().await;
}

fn databases(directory: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            found.extend(databases(&path));
        } else if path
            .extension()
            .is_some_and(|extension| extension == "sqlite" || extension == "db")
        {
            found.push(path);
        }
    }
    found
}

/// Everything known at a site, its sign-in server and the ledger about one login.
async fn login_body(country: &Country, site: usize, did: &Did) -> Body {
    let (log, signin, ..) = SITES[site];
    let mut body = Body::default();
    let files = databases(&country.data(signin));
    assert!(!files.is_empty(), "the sign-in server has a database");
    for file in files {
        add_database(&mut body, signin, &file, |_, _| true).await;
    }
    add_database(&mut body, log, &country.path(&format!("{log}.sqlite")), |_, _| {
        true
    })
    .await;
    assert!(
        body.contains(did.to_string().as_bytes()),
        "the site knows its visitor by the DID"
    );
    let node = NodeClient::new(&country.node(), TrustAnchor::of(&country.charter)).unwrap();
    for operation in node.operations(did).await.expect("the DID's operations") {
        body.add_bytes("ledger", &operation);
    }
    for service in [log, signin] {
        body.add_log(service, &std::fs::read_to_string(country.log(service)).unwrap());
    }
    body
}

/// Everything the authority knows about one person.
async fn person_body(country: &Country, number: &str) -> Body {
    let mut body = Body::default();
    for file in databases(&country.data("authority")) {
        let this_person = |table: &str, row: &sqlx::sqlite::SqliteRow| {
            table != "persons" || row.get::<String, _>("number") == number
        };
        add_database(&mut body, "authority", &file, this_person).await;
    }
    assert!(body.contains(number.as_bytes()), "the authority knows the person");
    body.add_log(
        "authority log",
        &std::fs::read_to_string(country.log("authority")).unwrap(),
    );
    body
}

/// The token response of a site that logs the visitor in through its own code.
async fn site_tokens(country: &Country, site: usize, answer: impl AsyncFn(&str) -> String) -> Value {
    let (log, _, issuer, own) = SITES[site];
    let credentials: Value =
        serde_json::from_slice(&std::fs::read(country.path(&format!("{log}.json"))).unwrap()).unwrap();
    let (id, secret) = (
        credentials["client_id"].as_str().unwrap(),
        credentials["client_secret"].as_str().unwrap(),
    );
    let callback = format!("{}/callback", country.url(own));
    let verifier = base64url_encode(derive_key(&[7; 32], &[log.as_bytes()]).as_slice());
    let challenge = base64url_encode(sha256(verifier.as_bytes()).0);
    let mut url: reqwest::Url = format!("{}/authorize", country.url(issuer)).parse().unwrap();
    url.query_pairs_mut().extend_pairs([
        ("response_type", "code"),
        ("client_id", id),
        ("redirect_uri", &callback),
        ("scope", "openid realname_verified"),
        ("state", log),
        ("nonce", log),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ]);
    let mut browser = Browser::new();
    let page = browser.load(url.as_str(), None).await;
    let back = answer(&page.wallet_link()).await;
    let page = browser.load(&back, Some(&callback)).await;
    let code = page
        .url
        .query_pairs()
        .find(|(name, _)| name == "code")
        .expect("a code")
        .1
        .into_owned();
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", &callback),
        ("code_verifier", &verifier),
    ];
    let url = format!("{}/token", country.url(issuer));
    let response = http()
        .post(url)
        .basic_auth(id, Some(secret))
        .form(&form)
        .send()
        .await
        .unwrap();
    assert!(response.status().is_success(), "the token endpoint answers");
    response.json().await.unwrap()
}

/// Logs in at a demo site, and once more through the site's own code; the `sub` and the tokens.
async fn visit(country: &Country, site: usize, answer: impl AsyncFn(&str) -> String) -> (Did, Value) {
    let (_, _, _, own) = SITES[site];
    let mut browser = Browser::new();
    let page = browser.load(&format!("{}/login", country.url(own)), None).await;
    let back = answer(&page.wallet_link()).await;
    let page = browser.load(&back, None).await;
    let sub = page
        .sub()
        .unwrap_or_else(|| panic!("{} {}: {}", page.url, page.status, page.body));
    (
        sub.parse().expect("the sub is a DID"),
        site_tokens(country, site, answer).await,
    )
}

/// A command of the real wallet in a country.
pub fn wallet_command(country: &Country, arguments: &[&str]) -> Command {
    let mut command = Command::new(program());
    command
        .arg("wallet")
        .arg("--wallet")
        .arg(country.path("wallet"))
        .args(arguments);
    command
        .env("REALDID_WALLET_PASSPHRASE", PASSPHRASE)
        .stdin(std::process::Stdio::null());
    command
}

fn wallet(country: &Country, arguments: &[&str]) -> String {
    let output = wallet_command(country, arguments)
        .output()
        .expect("the wallet starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "wallet {}: {said}", arguments.join(" "));
    String::from_utf8(output.stdout).unwrap()
}

fn open_wallet(country: &Country) -> Wallet {
    let file = std::fs::File::open(country.path("wallet/wallet.age")).unwrap();
    let identity = age::scrypt::Identity::new(age::secrecy::SecretString::from(PASSPHRASE));
    let mut json = Vec::new();
    let decryptor = age::Decryptor::new(file).unwrap();
    decryptor
        .decrypt(std::iter::once(&identity as &dyn age::Identity))
        .unwrap()
        .read_to_end(&mut json)
        .unwrap();
    Wallet::from_json(&json).unwrap()
}

/// Makes a wallet and enrols a person with it.
/// Makes the real wallet somebody's.
pub async fn enrol(country: &Country, person: &Person) {
    let charter = country.path("data/charter.json").display().to_string();
    let (node, authority) = (country.node(), country.authority());
    let network = ["--charter", &charter, "--node", &node, "--authority", &authority];
    wallet(country, &[["init"].as_slice(), &network].concat());
    let who = ["--name", &person.name, "--number", &person.number];
    let begun = wallet(
        country,
        &[["enrol", "--start", "--json"].as_slice(), &who].concat(),
    );
    let begun: Value = serde_json::from_str(&begun).unwrap();
    let code = country.await_code(&http()).await;
    let enrolment = begun["enrolment_id"].as_str().expect("an enrolment");
    wallet(country, &["enrol", "--enrolment", enrolment, "--code", &code]);
    // Enrolling fetched the real-name credential, too: that must give away no login that goes without it.
    let held = wallet(country, &["credential", "list", "--json"]);
    assert!(
        held.contains(REALNAME),
        "the wallet holds the real-name credential: {held}"
    );
    // At that time it was found what the type says of itself, and that it is what was signed.
    assert!(!held.contains("\"type_name\": null"), "described: {held}");
}

/// Two logins of one person with the real wallet, at two sites that compare everything.
#[tokio::test(flavor = "multi_thread")]
async fn two_logins_share_nothing() {
    let country = Country::start();
    let person = country.somebody();
    enrol(&country, &person).await;
    let answer = async |link: &str| {
        let said = wallet(&country, &["login", link, "--yes", "--json"]);
        let said: Value = serde_json::from_str(&said).unwrap();
        said["redirect_uri"].as_str().expect("a redirect_uri").to_owned()
    };
    let (did_a, tokens_a) = visit(&country, 0, answer).await;
    let (did_b, tokens_b) = visit(&country, 1, answer).await;
    assert_ne!(did_a, did_b);
    let shown = open_wallet(&country);
    for did in [&did_a, &did_b] {
        let did = did.to_string();
        for change in ["publish", "rotate", "deactivate"] {
            wallet(&country, &["did", change, &did]);
        }
    }
    let mut logins = Vec::new();
    for (site, did, tokens) in [(0, &did_a, tokens_a), (1, &did_b, tokens_b)] {
        let mut body = login_body(&country, site, did).await;
        body.add_text("tokens", &tokens.to_string());
        let held = shown.find(did).expect("the wallet has the DID");
        body.add_bytes("presentation", &shown.inception(held).encode());
        let token = held.token.as_ref().and_then(HeldToken::token).expect("a token");
        body.add_bytes("presentation", token.to_bytes().as_slice());
        logins.push(body);
    }
    nothing_is_shared(&country, &logins, &person).await;
    nobody_is_named(&country).await;
}

/// Compares the logins with each other and with the person, then every line of the common logs.
async fn nothing_is_shared(country: &Country, logins: &[Body], person: &Person) {
    let allowed = allowlist(country).await;
    let person = person_body(country, &person.number).await;
    for (what, one, other) in [
        ("the two logins", &logins[0], &logins[1]),
        ("login A and the person", &logins[0], &person),
        ("login B and the person", &logins[1], &person),
    ] {
        let found = shared(one, other, &allowed);
        assert!(found.is_empty(), "{what} share\n{}", describe(&found));
    }
    no_log_line_links(country, logins, &person, &allowed);
}

/// No line of a log that serves both sites stands in two bodies.
fn no_log_line_links(country: &Country, logins: &[Body], person: &Body, allowed: &Body) {
    for service in ["node", "authority"] {
        let log = std::fs::read_to_string(country.log(service)).unwrap();
        assert!(!log.is_empty(), "{service} logs");
        for line in log.lines() {
            let mut body = Body::default();
            body.add_text("line", line);
            let known =
                [&logins[0], &logins[1], person].map(|other| !shared(&body, other, allowed).is_empty());
            // The authority's own log may speak of the person's account, never of a login.
            let linked = known.iter().filter(|known| **known).count() > 1;
            assert!(!linked, "{service} logs a line that links: {line}");
        }
    }
}

/// No name or number of any person of the register occurs on the ledger, in a log or in a metric.
async fn nobody_is_named(country: &Country) {
    let mut people = Vec::new();
    for file in databases(&country.data("authority")) {
        let pool = SqlitePool::connect_with(SqliteConnectOptions::new().filename(file))
            .await
            .unwrap();
        for row in sqlx::query("SELECT name, number FROM persons")
            .fetch_all(&pool)
            .await
            .unwrap_or_default()
        {
            people.extend([row.get::<String, _>(0), row.get::<String, _>(1)]);
        }
    }
    assert!(people.len() >= 100, "the register has people");
    let mut texts = Vec::new();
    for service in SERVICES {
        texts.push((
            format!("{service}'s log"),
            std::fs::read(country.log(service)).unwrap(),
        ));
    }
    for offset in [0, 10, 20, 21] {
        let metrics = http()
            .get(format!("{}/metrics", country.url(offset)))
            .send()
            .await
            .unwrap();
        texts.push((
            format!("metrics at +{offset}"),
            metrics.bytes().await.unwrap().to_vec(),
        ));
    }
    read_tree(&country.data("node"), &mut texts);
    for person in &people {
        for (place, text) in &texts {
            let named = text
                .windows(person.len())
                .any(|window| window == person.as_bytes());
            assert!(!named, "{place} names somebody of the register");
        }
    }
}

fn read_tree(directory: &Path, texts: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(directory).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            read_tree(&path, texts);
        } else {
            texts.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
}

/// A careless wallet that uses one DID, one recovery key or one salt twice is caught each time.
#[tokio::test(flavor = "multi_thread")]
async fn careless_logins_are_caught() {
    let country = Country::start();
    let mut holder = Holder::enrol(&country, &country.somebody()).await;
    let authority = holder.authority_hash().await;
    let allowed = allowlist(&country).await;
    let persona = |seed: u8| Persona::new(&[seed; 32]);
    let careless = [
        ("nothing", persona(1), persona(2), false),
        (
            "one recovery key",
            persona(3),
            persona(4).with_recovery_key_of(&persona(3)),
            true,
        ),
        ("one salt", persona(5), persona(6).with_salt_of(&persona(5)), true),
        ("one DID", persona(7), persona(7), true),
    ];
    for (what, one, other, caught) in careless {
        let mut bodies = Vec::new();
        let equipped = holder.equip(&[one, other]).await;
        for (site, with) in equipped.iter().enumerate() {
            let (did, tokens) =
                visit(&country, site, async |link: &str| holder.login(link, with).await).await;
            assert_eq!(did, with.did);
            let mut body = Body::default();
            body.add_text("tokens", &tokens.to_string());
            body.add_text("sub", &json!({ "sub": did }).to_string());
            bodies.push(body);
        }
        for (site, with) in equipped.iter().enumerate() {
            if site == 0 || equipped[0].did != with.did {
                for operation in holder.publish_and_end(with, authority).await {
                    bodies[site].add_bytes("ledger", &operation);
                }
            }
        }
        let found = shared(&bodies[0], &bodies[1], &allowed);
        assert_eq!(!found.is_empty(), caught, "{what}\n{}", describe(&found));
    }
}
