//! Asking and showing on the command line, `realdid verifier …` and `realdid wallet present`, against
//! real services; and verifiers that the network does not know.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use realdid_crypto::{KeyType, SecretKey};
use realdid_openid::jws;
use serde_json::{Value, json};

use crate::country::{Country, REALNAME, run};
use crate::support::{now, program};
use crate::unlinkability::{enrol, wallet_command};

/// Runs a wallet command to its end, whatever that is.
fn wallet(country: &Country, arguments: &[&str]) -> Output {
    wallet_command(country, arguments).output().unwrap()
}

fn stdout(output: &Output) -> Value {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("no JSON: {said}"))
}

/// That a command ended with this exit code and named this code, in JSON, and printed no result.
fn assert_failed(output: &Output, exit: i32, code: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(exit), "{said}");
    let last = said.lines().last().unwrap_or_default();
    let failure: Value = serde_json::from_str(last).unwrap_or_else(|_| panic!("no JSON: {said}"));
    assert_eq!(failure["error"]["code"], code, "{said}");
    // What to do about a status without a word only the verifier knows.
    assert!(
        failure["error"]["fix"].is_string() || code.starts_with("http_"),
        "{said}"
    );
    assert!(output.stdout.is_empty(), "nothing is printed for a result");
}

/// A website that is registered at the first sign-in server.
struct Site<'a> {
    country: &'a Country,
    credentials: String,
}

impl<'a> Site<'a> {
    fn register(country: &'a Country, name: &str, more: &[&str]) -> Self {
        let config = country.config("signin");
        let add = [
            "--json", "signin", "client", "add", "--config", &config, "--name", name,
        ];
        let added = run(&[&add[..], &["--redirect-uri", "http://127.0.0.1:9/back"], more].concat());
        let file = country.path(&format!("{name}.json"));
        std::fs::write(&file, added).unwrap();
        let credentials = file.display().to_string();
        Self { country, credentials }
    }

    /// `realdid verifier …`, as this website.
    fn verifier(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(program());
        command.args(["--json", "verifier"]).args(arguments);
        command.env("REALDID_SIGNIN", self.country.url(20));
        command.env("REALDID_SITE", &self.credentials);
        command.output().unwrap()
    }

    fn ask(&self, query: &Value, more: &[&str]) -> Value {
        let file = self.country.path("query.json");
        std::fs::write(&file, query.to_string()).unwrap();
        let file = file.display().to_string();
        stdout(&self.verifier(&[&["request", "--dcql", &file], more].concat()))
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

/// A query for these claims of the real-name credential.
fn realname(claims: &[&str]) -> Value {
    let claims: Vec<_> = claims.iter().map(|name| json!({ "path": [name] })).collect();
    json!({ "credentials": [{
        "id": "person", "format": "dc+sd-jwt", "meta": { "vct_values": [REALNAME] }, "claims": claims,
    }] })
}

/// One country for all that can be asked in it: it takes a while to start.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_on_the_command_line_is_shown_refused_and_read() {
    let country = Country::start();
    enrol(&country, &country.somebody()).await;
    a_registered_website_learns_what_it_asks_for(&country);
    a_website_with_an_address_waits_for_the_code(&country);
    what_a_website_is_not_registered_for_is_not_asked(&country);
    who_asks_for_more_than_the_network_allows_is_refused(&country);
    credentials_that_are_wrong_are_refused(&country);
    a_verifier_that_nobody_knows_is_told_as_such(&country);
    what_was_sent_stays_in_the_history_whatever_is_answered(&country);
    a_link_may_carry_its_request_itself(&country);
}

fn a_registered_website_learns_what_it_asks_for(country: &Country) {
    let may_ask = format!("{REALNAME}#age_over_18");
    let site = Site::register(country, "Bar", &["--may-ask", &may_ask]);
    let asked = site.ask(&realname(&["age_over_18"]), &["--idempotency-key", "one"]);
    assert_eq!(asked["status"], "waiting");
    let again = site.ask(&realname(&["age_over_18"]), &["--idempotency-key", "one"]);
    assert_eq!(again["id"], asked["id"], "the same key, the same request");
    let (id, link) = (text(&asked["id"]), text(&asked["link"]));
    let waiting = stdout(&site.verifier(&["result", id]));
    assert_eq!(waiting["status"], "waiting");
    let shown = stdout(&wallet(country, &["present", link, "--yes", "--json"]));
    assert_eq!(shown["verifier"]["name"], "Bar");
    assert_eq!(shown["verifier"]["registered"], true);
    assert_eq!(shown["over_asked"], json!([]));
    assert_eq!(shown["redirect_uri"], Value::Null);
    let disclosed = shown["disclosed"][0]["claims"].as_array().unwrap();
    assert!(
        disclosed.contains(&json!("age_over_18")) && !disclosed.contains(&json!("name")),
        "{disclosed:?}"
    );
    let result = stdout(&site.verifier(&["result", id]));
    assert_eq!(result["status"], "completed");
    let person = &result["credentials"]["person"][0];
    let claims = person["claims"].as_object().unwrap();
    assert!(
        claims.len() == 1 && claims["age_over_18"].is_boolean(),
        "{claims:?}"
    );
    assert_eq!(
        (&person["issuer"]["trust"], &person["holder_bound"]),
        (&json!("accredited"), &json!(true))
    );
    let late = wallet(country, &["present", link, "--yes", "--json"]);
    assert_failed(&late, 1, "request_used");
    assert_eq!(stdout(&site.verifier(&["erase", id]))["erased"], id);
    assert_failed(&site.verifier(&["result", id]), 1, "presentation_unknown");
}

fn a_website_with_an_address_waits_for_the_code(country: &Country) {
    let site = Site::register(country, "Club", &["--may-ask", REALNAME, "--encrypted"]);
    let back = ["--redirect-uri", "http://127.0.0.1:9/back"];
    let asked = site.ask(&realname(&["age_over_18"]), &back);
    let (id, link) = (text(&asked["id"]), text(&asked["link"]));
    // Nobody is at the keyboard, so nobody agrees; the website learns that nothing comes.
    assert_failed(
        &wallet(country, &["present", link, "--json"]),
        1,
        "consent_refused",
    );
    assert_eq!(stdout(&site.verifier(&["result", id]))["status"], "returning");
    let asked = site.ask(&realname(&["age_over_18"]), &back);
    let (id, link) = (text(&asked["id"]), text(&asked["link"]));
    let shown = stdout(&wallet(country, &["present", link, "--yes", "--json"]));
    let next = reqwest::Url::parse(text(&shown["redirect_uri"])).unwrap();
    let code = next.query_pairs().find(|(name, _)| name == "response_code");
    let code = code.unwrap().1.into_owned();
    assert_eq!(stdout(&site.verifier(&["result", id]))["status"], "returning");
    let wrong = site.verifier(&["result", id, "--response-code", "wrong"]);
    assert_failed(&wrong, 1, "response_code_invalid");
    let result = stdout(&site.verifier(&["result", id, "--response-code", &code]));
    assert_eq!(result["status"], "completed");
}

fn what_a_website_is_not_registered_for_is_not_asked(country: &Country) {
    let may_ask = format!("{REALNAME}#age_over_18");
    let site = Site::register(country, "Kiosk", &["--may-ask", &may_ask]);
    let refused = |body: &str, exit, code| {
        let file = country.path("refused.json");
        std::fs::write(&file, body).unwrap();
        let file = file.display().to_string();
        assert_failed(&site.verifier(&["request", "--dcql", &file]), exit, code);
    };
    refused(
        &realname(&["age_over_18", "birthdate"]).to_string(),
        1,
        "not_registered_to_ask",
    );
    refused(r#"{ "credentials": [] }"#, 1, "query_invalid");
    refused("{ not json", 2, "json_invalid");
    assert_failed(
        &site.verifier(&["request", "--template", "none"]),
        1,
        "template_unknown",
    );
    assert_eq!(
        site.verifier(&["request"]).status.code(),
        Some(2),
        "neither query nor template"
    );
}

/// The sign-in server states that the site may ask for a type; the ledger does not let the server.
fn who_asks_for_more_than_the_network_allows_is_refused(country: &Country) {
    let card = "urn:example:library_card:1";
    let site = Site::register(country, "Library", &["--may-ask", card, "--may-ask", REALNAME]);
    let mut query = realname(&["age_over_18"]);
    let types = json!([card, REALNAME]);
    query["credentials"][0]["meta"]["vct_values"] = types;
    let asked = site.ask(&query, &[]);
    let (id, link) = (text(&asked["id"]), text(&asked["link"]));
    assert_failed(
        &wallet(country, &["present", link, "--yes", "--json"]),
        1,
        "over_asking",
    );
    assert_eq!(
        stdout(&site.verifier(&["result", id]))["status"],
        "refused",
        "it is told"
    );
    let asked = site.ask(&query, &[]);
    let link = text(&asked["link"]);
    let despite = ["present", link, "--yes", "--despite-over-asking", "--json"];
    let shown = stdout(&wallet(country, &despite));
    assert_eq!(shown["over_asked"][0]["vct"], card);
    assert!(
        shown["warnings"]
            .as_array()
            .unwrap()
            .contains(&json!("over_asking"))
    );
}

fn credentials_that_are_wrong_are_refused(country: &Country) {
    let mut site = Site::register(country, "Stranger", &["--may-ask", REALNAME]);
    let mut known: Value = serde_json::from_slice(&std::fs::read(&site.credentials).unwrap()).unwrap();
    known["client_secret"] = "wrong".into();
    std::fs::write(&site.credentials, known.to_string()).unwrap();
    assert_failed(&site.verifier(&["result", "x"]), 1, "invalid_client");
    std::fs::write(&site.credentials, "{}").unwrap();
    assert_failed(&site.verifier(&["result", "x"]), 2, "credentials_invalid");
    site.credentials = "no-such-file.json".to_owned();
    assert_failed(&site.verifier(&["result", "x"]), 4, "file_error");
}

/// A verifier whose DID is its key: nobody on the network knows it.
struct Unknown {
    url: String,
    object: String,
    heard: Arc<Mutex<Vec<String>>>,
    client_id: String,
}

impl Unknown {
    /// Asks by `claims`, altered; answers what is posted to it with this status and body.
    fn asking(alter: impl FnOnce(&mut Value), status: u16, answer: &'static str) -> Self {
        let key = SecretKey::from_seed(KeyType::P256, &[0x51; 32]);
        let multikey = key.public_key().to_multikey();
        let did = format!("did:key:{multikey}");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let client_id = format!("decentralized_identifier:{did}");
        let algorithms = json!({ "sd-jwt_alg_values": ["ES256"], "kb-jwt_alg_values": ["ES256"] });
        let mut claims = json!({
            "client_id": client_id, "aud": "https://self-issued.me/v2", "response_type": "vp_token",
            "response_mode": "direct_post", "response_uri": format!("{url}/response"),
            "nonce": "0123456789012345678901", "state": "a-state", "dcql_query": realname(&["age_over_18"]),
            "client_metadata": { "vp_formats_supported": { "dc+sd-jwt": algorithms } },
            "iat": now(), "exp": now() + 300,
        });
        alter(&mut claims);
        let kid = format!("{did}#{multikey}");
        let object = jws::sign(&key, "oauth-authz-req+jwt", Some(&kid), &claims).unwrap();
        let served = object.clone();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let hears = Arc::clone(&heard);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let request = read_request(&mut stream);
                let (status, body) = if request.starts_with("GET") {
                    (200, served.as_str())
                } else {
                    (status, answer)
                };
                let length = body.len();
                let head =
                    format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
                hears.lock().unwrap().push(request);
                let _ = stream.write_all([head.as_bytes(), body.as_bytes()].concat().as_slice());
            }
        });
        Self {
            url,
            object,
            heard,
            client_id,
        }
    }

    fn link(&self) -> String {
        let mut link = reqwest::Url::parse("openid4vp://").unwrap();
        link.query_pairs_mut()
            .append_pair("client_id", &self.client_id)
            .append_pair("request_uri", &format!("{}/request", self.url));
        link.to_string()
    }

    /// What was posted, the last.
    fn posted(&self) -> Option<String> {
        let heard = self.heard.lock().unwrap();
        heard
            .iter()
            .rev()
            .find(|request| request.starts_with("POST"))
            .cloned()
    }
}

fn read_request(stream: &mut std::net::TcpStream) -> String {
    let (mut request, mut chunk) = (Vec::new(), [0; 65_536]);
    loop {
        let read = stream.read(&mut chunk).unwrap();
        request.extend_from_slice(&chunk[..read]);
        let text = String::from_utf8_lossy(&request).to_lowercase();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            if read == 0 {
                return text;
            }
            continue;
        };
        let length = head
            .split("content-length: ")
            .nth(1)
            .and_then(|rest| rest.lines().next()?.parse().ok());
        if read == 0 || body.len() >= length.unwrap_or(0) {
            return String::from_utf8_lossy(&request).into_owned();
        }
    }
}

fn a_verifier_that_nobody_knows_is_told_as_such(country: &Country) {
    let unknown = Unknown::asking(|_| (), 200, r#"{"redirect_uri":"https://unknown.example/done"}"#);
    let shown = stdout(&wallet(country, &["present", &unknown.link(), "--yes", "--json"]));
    assert_eq!(shown["verifier"]["registered"], false);
    assert!(
        shown["warnings"]
            .as_array()
            .unwrap()
            .contains(&json!("unregistered_verifier"))
    );
    assert_eq!(shown["redirect_uri"], "https://unknown.example/done");
    let posted = unknown.posted().unwrap();
    assert!(posted.contains("vp_token=") && posted.contains("state=a-state"));
    let said = wallet(country, &["present", &unknown.link(), "--yes"]);
    let said = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(
        said.contains("UNREGISTERED") && said.contains("age_over_18"),
        "{said}"
    );

    let missing = |claims: &mut Value| {
        claims["dcql_query"]["credentials"][0]["meta"]["vct_values"] = json!(["urn:example:none"]);
    };
    let unknown = Unknown::asking(missing, 200, "{}");
    let refused = wallet(country, &["present", &unknown.link(), "--yes", "--json"]);
    assert_failed(&refused, 1, "credential_missing");
    assert!(
        unknown.posted().unwrap().contains("error=access_denied"),
        "it is told that nothing comes"
    );

    let elsewhere =
        |claims: &mut Value| claims["client_id"] = "decentralized_identifier:did:key:zOther".into();
    let unknown = Unknown::asking(elsewhere, 200, "{}");
    let refused = wallet(country, &["present", &unknown.link(), "--yes", "--json"]);
    assert_failed(&refused, 1, "request_other_client");
    assert_eq!(unknown.posted(), None, "nothing goes to who is not proved to ask");

    let private = unknown
        .link()
        .replace("http%3A%2F%2F127.0.0.1", "https%3A%2F%2F10.0.0.1");
    assert_failed(
        &wallet(country, &["present", &private, "--yes", "--json"]),
        1,
        "address_not_public",
    );
    let login = wallet(
        country,
        &[
            "login",
            &Unknown::asking(|_| (), 200, "{}").link(),
            "--yes",
            "--json",
        ],
    );
    assert_failed(&login, 1, "no_login_asked");
}

/// Who got it has read it, even if it says that it did not, or answers what makes no sense.
fn what_was_sent_stays_in_the_history_whatever_is_answered(country: &Country) {
    let last_shown = || {
        let history = stdout(&wallet(country, &["history", "--json"]));
        let events = history["history"].as_array().unwrap().clone();
        events
            .into_iter()
            .rfind(|event| event["event"] == "presented")
            .unwrap()
    };
    let unknown = Unknown::asking(|claims| claims["state"] = "second".into(), 500, "{}");
    let refused = wallet(country, &["present", &unknown.link(), "--yes", "--json"]);
    assert_failed(&refused, 3, "http_500");
    assert_eq!(last_shown()["client_id"], json!(unknown.client_id));
    let strange = Unknown::asking(|_| (), 200, r#"{"redirect_uri":"javascript:alert(1)"}"#);
    let shown = stdout(&wallet(country, &["present", &strange.link(), "--yes", "--json"]));
    assert_eq!(shown["redirect_uri"], Value::Null, "it is not opened");
}

/// A signed request is as good in the link; one that nobody signed takes a word of the holder.
fn a_link_may_carry_its_request_itself(country: &Country) {
    let unknown = Unknown::asking(|_| (), 200, "{}");
    let link = |parameters: &[(&str, &str)]| {
        let mut link = reqwest::Url::parse("https://wallet.example/open").unwrap();
        link.query_pairs_mut().extend_pairs(parameters);
        link.to_string()
    };
    let signed = link(&[("client_id", &unknown.client_id), ("request", &unknown.object)]);
    let shown = stdout(&wallet(country, &["present", &signed, "--yes", "--json"]));
    assert_eq!(
        (&shown["verifier"]["registered"], &shown["verifier"]["proved"]),
        (&json!(false), &json!(true))
    );

    let silent = Unknown::asking(|_| (), 200, "{}");
    let (client_id, query) = (
        format!("redirect_uri:{}/response", silent.url),
        realname(&["age_over_18"]),
    );
    let unsigned = link(&[
        ("client_id", &client_id),
        ("response_type", "vp_token"),
        ("response_mode", "direct_post"),
        ("nonce", "a-nonce"),
        ("dcql_query", &query.to_string()),
    ]);
    let refused = wallet(country, &["present", &unsigned, "--yes", "--json"]);
    assert_failed(&refused, 1, "verifier_unproved");
    assert_eq!(
        silent.posted(),
        None,
        "nobody who proves nothing is told anything"
    );
    let despite = ["present", &unsigned, "--yes", "--despite-no-proof", "--json"];
    let shown = stdout(&wallet(country, &despite));
    assert_eq!(shown["verifier"]["proved"], false);
    assert!(
        shown["warnings"]
            .as_array()
            .unwrap()
            .contains(&json!("unproved_verifier"))
    );
    assert!(silent.posted().unwrap().contains("vp_token="));
    let asked = wallet(country, &["present", &unsigned, "--despite-no-proof"]);
    let said = String::from_utf8_lossy(&asked.stderr).into_owned();
    assert!(
        said.contains("UNPROVED") && said.contains("unverified verifier"),
        "{said}"
    );
    assert_eq!(asked.status.code(), Some(1), "nobody is there to agree");
}
