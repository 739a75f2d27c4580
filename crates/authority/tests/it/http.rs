//! The same over HTTP: status, problem details, what is served in a sandbox.

use std::net::SocketAddr;
use std::sync::Arc;

use realdid_authority::{
    App, Dispatcher, EnrolmentLimits, EpochSigner, Epochs, Outbox, Refusal, TOKENS_TYPE, router,
};
use realdid_crypto::{Hash, base64url_decode};
use realdid_service::{Hardening, RateLimiter, harden, now_seconds};
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::support::{
    Device, World, blinding, charter_hash, on_each, on_each_with, place, signer, somebody, values, with,
};

/// A running service.
struct Service {
    world: World,
    url: String,
    client: Client,
    epochs: watch::Sender<Option<Epochs>>,
}

impl Service {
    async fn start(world: World, per_minute: f64) -> Self {
        let signer = EpochSigner::from_pem(place(0), &signer().to_pem().unwrap()).unwrap();
        let (signer, next) = (Some(Arc::new(signer)), None);
        let epochs = watch::Sender::new(Some(Epochs {
            current: 0,
            proven_at: now_seconds(),
            signer,
            next,
        }));
        let outbox = Arc::new(Outbox::default());
        let app = App {
            authority: world.authority.clone(),
            charter: world.settings.charter.clone(),
            did: "did:real:sandbox:zAuthority".into(),
            name: "An authority".into(),
            dispatcher: Dispatcher::start(Arc::<Outbox>::clone(&outbox)),
            outbox: Some(outbox),
            limiter: RateLimiter::new(per_minute / 60.0, per_minute),
            epochs: epochs.subscribe(),
            keeper: None,
        };
        let router = harden(router(Arc::new(app)), Hardening::default());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await });
        Self {
            world,
            url,
            client: Client::builder().no_proxy().build().unwrap(),
            epochs,
        }
    }

    async fn get(&self, path: &str) -> Response {
        self.client
            .get(format!("{}{path}", self.url))
            .send()
            .await
            .unwrap()
    }

    async fn post(&self, path: &str, body: &Value) -> Response {
        self.client
            .post(format!("{}{path}", self.url))
            .json(body)
            .send()
            .await
            .unwrap()
    }

    async fn ask_tokens(&self, jws: String) -> Response {
        let request = self.client.post(format!("{}/v1/tokens", self.url));
        request
            .header("content-type", "application/jwt")
            .body(jws)
            .send()
            .await
            .unwrap()
    }

    /// The newest code in the outbox, once there are so many.
    async fn code(&self, count: usize) -> String {
        for _ in 0..1000 {
            let body: Value = self.get("/sandbox/outbox?json").await.json().await.unwrap();
            let messages = body["messages"].as_array().unwrap();
            if messages.len() == count {
                return messages[count - 1]["code"].as_str().unwrap().to_owned();
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        panic!("no code was delivered");
    }

    async fn enrol(&self, wallet: &mut Device, index: u64) {
        let person = somebody(index);
        let key = wallet.key.public_key().to_multikey();
        let request = json!({ "name": person.name, "number": person.number, "account_key": key });
        let answer = self.post("/v1/enrolments", &request).await;
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
        let begun: Value = answer.json().await.unwrap();
        let id = begun["enrolment_id"].as_str().unwrap();
        let claims = with(Device::stated(now_seconds()), "enrolment_id", json!(id));
        let proof = wallet.sign(realdid_authority::ENROLMENT_TYPE, &claims);
        let confirmation = json!({ "code": self.code(1).await, "proof": proof });
        let answer = self
            .post(&format!("/v1/enrolments/{id}/confirm"), &confirmation)
            .await;
        assert_eq!(answer.status(), StatusCode::OK);
        let confirmed: Value = answer.json().await.unwrap();
        assert_eq!(
            (&confirmed["assurance_level"], &confirmed["quota"]["remaining"]),
            (&json!("substantial"), &json!(64))
        );
        wallet.account = confirmed["account_id"].as_str().unwrap().to_owned();
    }
}

async fn problem(answer: Response, status: u16, code: &str) {
    assert_eq!(answer.status().as_u16(), status);
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(
        (&problem["code"], &problem["status"]),
        (&json!(code), &json!(status))
    );
    assert_eq!(problem["type"], format!("urn:realdid:problem:{code}"));
    assert_eq!(problem["request_id"].as_str().unwrap().len(), 32);
    assert!(!problem["hint"].as_str().unwrap().is_empty());
}

#[tokio::test]
async fn from_a_name_to_a_token() {
    on_each(async |world| {
        let service = Service::start(world, 600.0).await;
        let mut wallet = Device::new();
        service.enrol(&mut wallet, 0).await;
        let (did, now) = (Hash([8; 32]), now_seconds());
        let blinding = blinding(&did);
        let answer = service
            .ask_tokens(wallet.request(&[*blinding.blinded()], now))
            .await;
        assert_eq!(answer.status(), StatusCode::OK);
        let issued: Value = answer.json().await.unwrap();
        assert_eq!(
            (&issued["key_id"], &issued["quota_remaining"]),
            (&json!(signer().id().to_hex()), &json!(63))
        );
        let signature = base64url_decode(issued["signatures"][0].as_str().unwrap())
            .unwrap()
            .try_into()
            .unwrap();
        let token = blinding
            .finalize(signer().key(), &charter_hash(), &did, &signature)
            .unwrap();
        token.verify(signer().key(), &charter_hash(), &did).unwrap();

        let question = with(Device::stated(now), "account_id", json!(wallet.account));
        let question = wallet.sign(realdid_authority::ACCOUNT_TYPE, &question);
        let request = service.client.get(format!("{}/v1/account", service.url));
        let standing: Value = request
            .bearer_auth(question)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        assert_eq!(standing["remaining"], 63);
        problem(service.get("/v1/account").await, 401, "invalid_account_signature").await;
        let page = service.get("/sandbox/outbox").await;
        assert!(
            page.headers()["content-type"]
                .to_str()
                .unwrap()
                .starts_with("text/html")
        );
        assert!(page.text().await.unwrap().contains(&service.code(1).await));
    })
    .await;
}

// test: ENR-08, QUO-03, QUO-04, QUO-07
#[tokio::test]
async fn refusals_are_problems() {
    on_each(async |world| {
        let service = Service::start(world, 600.0).await;
        let mut wallet = Device::new();
        service.enrol(&mut wallet, 0).await;
        let now = now_seconds();
        let wish = wallet.wish(&values(1), now);
        let refused = [
            (
                with(wish.clone(), "blinded", json!(["AA"])),
                400,
                "blinded_value_out_of_range",
            ),
            (with(wish.clone(), "blinded", json!([])), 400, "batch_size"),
            (with(wish.clone(), "key_id", json!("00")), 409, "unknown_key"),
            (with(wish.clone(), "aud", json!("x")), 400, "wrong_claim"),
            (
                with(wish.clone(), "account_id", json!("x")),
                401,
                "invalid_account_signature",
            ),
        ];
        for (claims, status, code) in refused {
            problem(
                service.ask_tokens(wallet.sign(TOKENS_TYPE, &claims)).await,
                status,
                code,
            )
            .await;
        }
        let jws = wallet.sign(TOKENS_TYPE, &wish);
        assert_eq!(service.ask_tokens(jws.clone()).await.status(), StatusCode::OK);
        problem(service.ask_tokens(jws).await, 409, "replayed_request").await;
        let empty = json!({ "code": "00000000", "proof": "" });
        problem(
            service.post("/v1/enrolments/none/confirm", &empty).await,
            404,
            "unknown_enrolment",
        )
        .await;
        for body in [
            json!({}),
            json!({ "name": "n", "number": "1", "account_key": "z", "more": 1 }),
        ] {
            assert_eq!(service.post("/v1/enrolments", &body).await.status().as_u16(), 422);
        }
        problem(
            service.post("/sandbox/advance-epoch", &json!({})).await,
            404,
            "not_sandbox",
        )
        .await;
    })
    .await;
}

#[tokio::test]
async fn without_a_fresh_epoch_nothing_is_signed() {
    on_each(async |world| {
        let service = Service::start(world, 600.0).await;
        let mut wallet = Device::new();
        service.enrol(&mut wallet, 0).await;
        assert_eq!(service.get("/health/ready").await.status(), StatusCode::OK);
        let authority: Value = service.get("/v1/authority").await.json().await.unwrap();
        assert_eq!(
            (&authority["epoch"], &authority["keys"][0]["epoch"]),
            (&json!(0), &json!(0))
        );
        assert_eq!(authority["keys"][0]["key_id"], signer().id().to_hex());
        assert_eq!(authority["charter_hash"], charter_hash().to_hex());

        let fresh = service.epochs.borrow().clone().unwrap();
        let stale = Epochs {
            proven_at: now_seconds() - 301,
            ..fresh.clone()
        };
        let revoked = Epochs {
            signer: None,
            ..fresh.clone()
        };
        for epochs in [None, Some(stale), Some(revoked)] {
            service.epochs.send_replace(epochs);
            let answer = service
                .ask_tokens(wallet.request(&values(1), now_seconds()))
                .await;
            assert_eq!(answer.headers()["retry-after"], "5");
            problem(answer, 503, "key_unavailable").await;
            assert_eq!(
                service.get("/health/ready").await.status(),
                StatusCode::SERVICE_UNAVAILABLE
            );
        }
        assert_eq!(
            service.world.number("SELECT count(*) FROM blinded_values").await,
            0
        );
        service.epochs.send_replace(Some(fresh));
        let answer = service
            .ask_tokens(wallet.request(&values(1), now_seconds()))
            .await;
        assert_eq!(answer.status(), StatusCode::OK);
    })
    .await;
}

/// Everything of an answer but what is random or the time.
async fn shape(answer: Response) -> (StatusCode, Vec<String>, Vec<String>) {
    let status = answer.status();
    let random = ["x-request-id", "date"];
    let header = |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
        let value = if random.contains(&name.as_str()) {
            ""
        } else {
            value.to_str().unwrap_or_default()
        };
        format!("{name}: {value}")
    };
    let headers = answer.headers().iter().map(header).collect();
    let body: Value = answer.json().await.unwrap();
    let member = |(name, value): (&String, &Value)| match name.as_str() {
        "enrolment_id" | "request_id" => format!("{name}: {} characters", value.to_string().len()),
        _ => format!("{name}: {value}"),
    };
    (
        status,
        headers,
        body.as_object().unwrap().iter().map(member).collect(),
    )
}

// test: ENR-01
#[tokio::test]
async fn an_answer_does_not_tell_whether_a_person_exists() {
    on_each(async |world| {
        let service = Service::start(world, 600.0).await;
        let (wallet, person) = (Device::new(), somebody(0));
        let key = wallet.key.public_key().to_multikey();
        let mut shapes = Vec::new();
        for (name, number) in [
            (person.name.clone(), person.number.clone()),
            (somebody(1).name, person.number.clone()),
            (person.name, "999999190001010000".into()),
        ] {
            let request = json!({ "name": name, "number": number, "account_key": key });
            let begun = service.post("/v1/enrolments", &request).await;
            let again: Value = service
                .post("/v1/enrolments", &request)
                .await
                .json()
                .await
                .unwrap();
            let id = again["enrolment_id"].as_str().unwrap();
            let claims = with(Device::stated(now_seconds()), "enrolment_id", json!(id));
            let proof = wallet.sign(realdid_authority::ENROLMENT_TYPE, &claims);
            let guess = json!({ "code": "wrong", "proof": proof });
            let guessed = service
                .post(&format!("/v1/enrolments/{id}/confirm"), &guess)
                .await;
            shapes.push((shape(begun).await, shape(guessed).await));
        }
        assert_eq!(shapes[0], shapes[1]);
        assert_eq!(shapes[0], shapes[2]);
        assert_eq!((shapes[0].0.0.as_u16(), shapes[0].1.0.as_u16()), (202, 403));
    })
    .await;
}

// test: ENR-13
#[tokio::test]
async fn one_address_cannot_enrol_without_end() {
    let limits = EnrolmentLimits {
        starts: 1000,
        ..EnrolmentLimits::default()
    };
    on_each_with(limits, async |world| {
        let service = Service::start(world, 5.0).await;
        let (wallet, person) = (Device::new(), somebody(0));
        let key = wallet.key.public_key().to_multikey();
        let request = json!({ "name": person.name, "number": person.number, "account_key": key });
        for _ in 0..5 {
            assert_eq!(
                service.post("/v1/enrolments", &request).await.status(),
                StatusCode::ACCEPTED
            );
        }
        problem(
            service.post("/v1/enrolments", &request).await,
            429,
            "rate_limited",
        )
        .await;
        assert_eq!(service.get("/v1/authority").await.status(), StatusCode::OK);
    })
    .await;
}

#[test]
fn every_refusal_has_a_status_and_a_code_of_its_own() {
    let refusals = [
        Refusal::InvalidRequest("name"),
        Refusal::InvalidAccountKey,
        Refusal::TooManyAttempts { retry_after: 1 },
        Refusal::RateLimited { retry_after: 1 },
        Refusal::UnknownEnrolment,
        Refusal::EnrolmentExpired,
        Refusal::CodeUsed,
        Refusal::InvalidCode { attempts_left: 1 },
        Refusal::InvalidAccountSignature,
        Refusal::WrongClaim("aud"),
        Refusal::StaleRequest,
        Refusal::ReplayedRequest,
        Refusal::AccountReplaced,
        Refusal::UnknownKey,
        Refusal::BatchSize(128),
        Refusal::BlindedValueOutOfRange(0),
        Refusal::QuotaExhausted {
            remaining: 0,
            resets_in: 1,
        },
        Refusal::KeyUnavailable,
        Refusal::NotSandbox,
        Refusal::Ledger(String::new()),
        Refusal::Signing,
    ];
    let codes: std::collections::HashSet<_> = refusals.iter().map(Refusal::code).collect();
    assert_eq!(codes.len(), refusals.len());
    assert!(
        refusals
            .iter()
            .all(|refusal| refusal.status() >= 400 && !refusal.hint().is_empty())
    );
}
