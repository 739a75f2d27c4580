//! One-time codes: wrong, expired, used, guessed, and what an answer tells about a person.

use std::time::{Duration, Instant};

use realdid_authority::{Confirmation, ENROLMENT_TYPE, EnrolmentLimits};
use serde_json::json;

use crate::support::{Device, NOW, code, on_each, on_each_with, rng, somebody, with};

/// A code that is not this one.
fn other_than(code: &str) -> String {
    let last = if code.ends_with('0') { '1' } else { '0' };
    format!("{}{last}", &code[..7])
}

// test: ENR-01
#[tokio::test]
async fn a_wrong_code_is_refused_and_the_right_one_still_works() {
    on_each(async |world| {
        let wallet = Device::new();
        let (begun, right) = world.begin(&wallet, &somebody(0), NOW).await.unwrap();
        assert!(right.len() == 8 && right.bytes().all(|digit| digit.is_ascii_digit()));
        for wrong in [
            other_than(&right),
            String::new(),
            format!("{right} "),
            "x".repeat(1000),
        ] {
            assert_eq!(
                code(world.confirm(&wallet, &begun, &wrong, NOW).await),
                "invalid_code"
            );
        }
        assert_eq!(world.number("SELECT count(*) FROM accounts").await, 0);
        let confirmed = world.confirm(&wallet, &begun, &right, NOW).await.unwrap();
        assert_eq!(
            (confirmed.assurance_level, confirmed.quota.remaining),
            ("substantial", 64)
        );
    })
    .await;
}

// test: ENR-04, ENR-01, ENR-12
#[tokio::test]
async fn a_code_works_once() {
    on_each(async |world| {
        let wallet = Device::new();
        let (begun, right) = world.begin(&wallet, &somebody(0), NOW).await.unwrap();
        world.confirm(&wallet, &begun, &right, NOW).await.unwrap();
        assert_eq!(
            code(world.confirm(&wallet, &begun, &right, NOW + 1).await),
            "code_used"
        );
        assert_eq!(world.number("SELECT count(*) FROM accounts").await, 1);

        // Neither does it work for another enrolment of the same person.
        let (again, second) = world.begin(&wallet, &somebody(0), NOW).await.unwrap();
        if second != right {
            assert_eq!(
                code(world.confirm(&wallet, &again, &right, NOW).await),
                "invalid_code"
            );
        }
        world.confirm(&wallet, &again, &second, NOW).await.unwrap();
    })
    .await;
}

// test: ENR-05
#[tokio::test]
async fn a_code_expires() {
    on_each(async |world| {
        let wallet = Device::new();
        let (begun, right) = world.begin(&wallet, &somebody(0), NOW).await.unwrap();
        assert_eq!(begun.expires_in, 600);
        assert_eq!(
            code(world.confirm(&wallet, &begun, &right, NOW + 600).await),
            "enrolment_expired"
        );
        world.authority.forget_expired(NOW + 700).await.unwrap();
        assert_eq!(
            code(world.confirm(&wallet, &begun, &right, NOW + 700).await),
            "enrolment_expired"
        );
        world.authority.forget_expired(NOW + 100_000).await.unwrap();
        assert_eq!(
            code(world.confirm(&wallet, &begun, &right, NOW + 700).await),
            "unknown_enrolment"
        );

        let (begun, right) = world.begin(&wallet, &somebody(0), NOW).await.unwrap();
        world.confirm(&wallet, &begun, &right, NOW + 599).await.unwrap();
    })
    .await;
}

// test: ENR-06, ENR-01
#[tokio::test]
async fn tries_are_limited() {
    on_each(async |world| {
        let wallet = Device::new();
        let (begun, right) = world.begin(&wallet, &somebody(0), NOW).await.unwrap();
        for _ in 0..5 {
            assert_eq!(
                code(world.confirm(&wallet, &begun, &other_than(&right), NOW).await),
                "invalid_code"
            );
        }
        assert_eq!(
            code(world.confirm(&wallet, &begun, &right, NOW).await),
            "too_many_attempts"
        );

        let (begun, right) = world.begin(&wallet, &somebody(0), NOW).await.unwrap();
        world.confirm(&wallet, &begun, &right, NOW).await.unwrap();
    })
    .await;
}

// test: ENR-07, ENR-01
#[tokio::test]
async fn a_number_is_locked_out_for_a_while() {
    let limits = EnrolmentLimits {
        starts: 3,
        failures: 4,
        lockout_seconds: 100,
        ..EnrolmentLimits::default()
    };
    on_each_with(limits, async |world| {
        let wallet = Device::new();
        let unknown = ("Nobody", "999999190001010000");
        for _ in 0..3 {
            world.begin(&wallet, &somebody(0), NOW).await.unwrap();
            world.begin_as(&wallet, unknown.0, unknown.1, NOW).await.unwrap();
        }
        // Somebody and nobody are locked out alike.
        assert_eq!(
            code(world.begin(&wallet, &somebody(0), NOW + 10).await),
            "too_many_attempts"
        );
        assert_eq!(
            code(world.begin_as(&wallet, unknown.0, unknown.1, NOW + 10).await),
            "too_many_attempts"
        );
        let refusal = world.begin(&wallet, &somebody(0), NOW + 10).await.unwrap_err();
        assert_eq!(refusal.retry_after(), Some(90));
        // Others are not.
        world.begin(&wallet, &somebody(1), NOW + 10).await.unwrap();
        world.begin(&wallet, &somebody(0), NOW + 101).await.unwrap();

        // Wrong codes count over all enrolments of a number.
        let (begun, right) = world.begin(&wallet, &somebody(2), NOW).await.unwrap();
        for _ in 0..4 {
            assert_eq!(
                code(world.confirm(&wallet, &begun, &other_than(&right), NOW).await),
                "invalid_code"
            );
        }
        assert_eq!(
            code(world.begin(&wallet, &somebody(2), NOW).await),
            "too_many_attempts"
        );
        let (begun, right) = world.begin(&wallet, &somebody(2), NOW + 101).await.unwrap();
        world.confirm(&wallet, &begun, &right, NOW + 101).await.unwrap();
    })
    .await;
}

// test: ENR-02, JWS-04, JWS-06
#[tokio::test]
async fn only_the_account_key_confirms() {
    on_each(async |world| {
        let (wallet, thief) = (Device::new(), Device::new());
        let (begun, right) = world.begin(&wallet, &somebody(0), NOW).await.unwrap();
        for _ in 0..10 {
            // Whoever lacks the key cannot use up the tries either.
            assert_eq!(
                code(world.confirm(&thief, &begun, &right, NOW).await),
                "invalid_account_signature"
            );
        }
        let id = &begun.enrolment_id;
        let claims = with(Device::stated(NOW), "enrolment_id", json!(id));
        let other_type = wallet.sign("realdid-tokens+jwt", &claims);
        for proof in [other_type, String::new(), "a.b.c".into()] {
            let confirmation = Confirmation {
                code: right.clone(),
                proof,
            };
            let outcome = world
                .authority
                .confirm_enrolment(id, &confirmation, NOW, &mut rng())
                .await;
            assert_eq!(code(outcome), "invalid_account_signature");
        }
        world.confirm(&wallet, &begun, &right, NOW).await.unwrap();
    })
    .await;
}

// test: ENR-03
// test: ENR-08
// test: ENR-09
// test: ENR-10
#[tokio::test]
async fn a_proof_is_for_one_enrolment_authority_network_and_time() {
    on_each(async |world| {
        let wallet = Device::new();
        let (begun, right) = world.begin(&wallet, &somebody(0), NOW).await.unwrap();
        let id = &begun.enrolment_id;
        let good = with(Device::stated(NOW), "enrolment_id", json!(id));
        let changes = [
            ("enrolment_id", json!("another"), "wrong_claim"),
            ("aud", json!("https://another.example"), "wrong_claim"),
            ("charter", json!("another"), "wrong_claim"),
            ("iat", json!(NOW + 31), "stale_request"),
            ("iat", json!(NOW - 181), "stale_request"),
            ("exp", json!(NOW - 1), "stale_request"),
            ("exp", json!(NOW + 301), "stale_request"),
            ("exp", json!(u64::MAX), "stale_request"),
        ];
        for (name, value, expected) in changes {
            let proof = wallet.sign(ENROLMENT_TYPE, &with(good.clone(), name, value));
            let confirmation = Confirmation {
                code: right.clone(),
                proof,
            };
            let outcome = world
                .authority
                .confirm_enrolment(id, &confirmation, NOW, &mut rng())
                .await;
            assert_eq!(code(outcome), expected, "{name}");
        }
        let confirmation = Confirmation {
            code: right,
            proof: wallet.sign(ENROLMENT_TYPE, &good),
        };
        world
            .authority
            .confirm_enrolment(id, &confirmation, NOW, &mut rng())
            .await
            .unwrap();
    })
    .await;
}

// test: ENR-11, ENR-01
#[tokio::test]
async fn nobody_and_somebody_are_treated_alike() {
    on_each(async |world| {
        let (wallet, person) = (Device::new(), somebody(0));
        let claims = [
            (person.name.as_str(), person.number.as_str()),
            (somebody(1).name.leak(), person.number.as_str()),
            (person.name.as_str(), "999999190001010000"),
            (person.name.as_str(), "not a number"),
        ];
        let mut first: Option<Vec<String>> = None;
        for (name, number) in claims {
            let (begun, sent) = world.begin_as(&wallet, name, number, NOW).await.unwrap();
            let mut said = vec![begun.enrolment_id.len().to_string(), begun.expires_in.to_string()];
            for guess in 0..6 {
                let outcome = world
                    .confirm(&wallet, &begun, &format!("0000000{guess}"), NOW)
                    .await;
                said.push(format!("{:?}", outcome.unwrap_err()));
            }
            assert_eq!(first.get_or_insert_with(|| said.clone()), &said, "{name}");
            // Only the dispatch differs, which travels apart from the answer.
            assert_eq!(sent.is_empty(), (name, number) != claims[0]);
        }
    })
    .await;
}

/// What is measured is the least of many, which noise can only raise.
#[tokio::test]
async fn the_time_of_an_answer_tells_nothing() {
    let limits = EnrolmentLimits {
        starts: 10_000,
        ..EnrolmentLimits::default()
    };
    on_each_with(limits, async |world| {
        let (wallet, person) = (Device::new(), somebody(0));
        let (mut known, mut unknown) = (Duration::MAX, Duration::MAX);
        for _ in 0..60 {
            for (number, least) in [
                (person.number.as_str(), &mut known),
                ("999999190001010000", &mut unknown),
            ] {
                let started = Instant::now();
                world.begin_as(&wallet, &person.name, number, NOW).await.unwrap();
                *least = started.elapsed().min(*least);
            }
        }
        let ratio = known.as_secs_f64() / unknown.as_secs_f64();
        assert!(
            (0.5..2.0).contains(&ratio),
            "{known:?} for a known number, {unknown:?} for an unknown one"
        );
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_a_request_is_refused() {
    on_each(async |world| {
        let (wallet, person) = (Device::new(), somebody(0));
        let long = "名".repeat(101);
        for (name, number, expected) in [
            ("", person.number.as_str(), "invalid_request"),
            (long.as_str(), person.number.as_str(), "invalid_request"),
            (person.name.as_str(), " ", "invalid_request"),
            (person.name.as_str(), &"1".repeat(33), "invalid_request"),
        ] {
            assert_eq!(code(world.begin_as(&wallet, name, number, NOW).await), expected);
        }
        let request = realdid_authority::EnrolmentRequest {
            name: person.name.clone(),
            number: person.number.clone(),
            account_key: "z6Mk".into(),
        };
        let outcome = world.authority.begin_enrolment(&request, NOW, &mut rng()).await;
        assert_eq!(code(outcome), "invalid_account_key");

        // Spaces around and a small x at the end are no reason to refuse.
        let number = format!(" {} ", person.number.to_lowercase());
        let (_, sent) = world.begin_as(&wallet, &person.name, &number, NOW).await.unwrap();
        assert!(!sent.is_empty());
    })
    .await;
}

#[tokio::test]
async fn outside_the_register_the_database_holds_no_name_number_or_code() {
    on_each(async |world| {
        let (mut wallet, person) = (Device::new(), somebody(0));
        let (_, sent) = world.begin(&wallet, &person, NOW).await.unwrap();
        world.enrol(&mut wallet, &person, NOW).await;
        let pool = world.pool().await;
        let statement =
            "SELECT id || ' ' || person || ' ' || account_key || ' ' || code_mac AS kept FROM enrolments
                         UNION ALL SELECT id || ' ' || person || ' ' || account_key FROM accounts
                         UNION ALL SELECT person FROM enrolled UNION ALL SELECT person FROM attempts";
        let rows = sqlx::query(statement).fetch_all(&pool).await.unwrap();
        assert_eq!(rows.len(), 5);
        for row in rows {
            let kept: String = sqlx::Row::get(&row, 0);
            let plain = realdid_crypto::sha256(person.number.as_bytes()).to_hex();
            for secret in [&person.name, &person.number, &sent, &plain] {
                assert!(!kept.contains(secret.as_str()));
            }
        }
        pool.close().await;
    })
    .await;
}
