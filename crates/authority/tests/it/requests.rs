//! Requests for tokens that must not be granted, each followed by the same one put right.

use realdid_authority::{EpochSigner, TOKENS_TYPE};
use realdid_crypto::base64url_encode;
use serde_json::{Value, json};

use crate::support::{Device, NOW, World, code, on_each, place, signer, somebody, values, with};

/// An enrolled device.
async fn enrolled(world: &World) -> Device {
    let mut wallet = Device::new();
    world.enrol(&mut wallet, &somebody(0), NOW).await;
    wallet
}

/// Whether a request leaves no trace.
async fn is_untouched(world: &World) -> bool {
    world.number("SELECT count(*) FROM blinded_values").await == 0
        && world.number("SELECT count(*) FROM quota").await == 0
        && world.number("SELECT count(*) FROM requests").await == 0
}

// test: QUO-06, TOK-02
#[tokio::test]
async fn values_that_must_not_be_signed_are_refused() {
    on_each(async |world| {
        let wallet = enrolled(&world).await;
        let good = values(1)[0];
        let number = |last: u8| {
            let mut bytes = [0; 256];
            bytes[255] = last;
            bytes
        };
        let modulus = *signer().key().modulus();
        // The modulus is odd and no multiple of 256 away from itself plus or minus one.
        let mut before = modulus;
        before[255] -= 1;
        let mut after = modulus;
        after[255] = after[255].wrapping_add(1).max(modulus[255]);
        for bad in [number(0), number(1), before, modulus, after, [0xff; 256]] {
            let outcome = world.issue(&wallet.request(&[good, bad], NOW), NOW).await;
            assert_eq!(code(outcome), "blinded_value_out_of_range");
        }
        let lengths: [&[u8]; 4] = [&[], &good[1..], &[good.as_slice(), &[0]].concat(), b"text"];
        for bytes in lengths {
            let claims = with(wallet.wish(&[], NOW), "blinded", json!([base64url_encode(bytes)]));
            let outcome = world.issue(&wallet.sign(TOKENS_TYPE, &claims), NOW).await;
            assert_eq!(code(outcome), "blinded_value_out_of_range");
        }
        assert!(is_untouched(&world).await);
        // The least and the greatest that may be signed are signed.
        let mut greatest = modulus;
        greatest[255] = greatest[255].wrapping_sub(2);
        if modulus[255] > 1 {
            world
                .issue(&wallet.request(&[number(2), greatest, good], NOW), NOW)
                .await
                .unwrap();
        }
    })
    .await;
}

// test: QUO-04, QUO-08
#[tokio::test]
async fn a_batch_has_a_size() {
    on_each(async |world| {
        let wallet = enrolled(&world).await;
        let one = values(1)[0];
        for count in [0, 129] {
            let jws = wallet.request(&vec![one; count], NOW);
            assert_eq!(code(world.issue(&jws, NOW).await), "batch_size");
        }
        assert!(is_untouched(&world).await);
        let signatures = world.issue(&wallet.request(&[one; 128], NOW), NOW).await.unwrap();
        assert_eq!(signatures.len(), 128);
    })
    .await;
}

// test: QUO-03
#[tokio::test]
async fn only_the_current_epochs_key_signs() {
    on_each(async |world| {
        let wallet = enrolled(&world).await;
        let next = EpochSigner::generate(place(1)).unwrap();
        for key_id in [
            json!(next.id().to_hex()),
            json!("00"),
            json!(""),
            json!(signer().id().to_hex().to_uppercase()),
        ] {
            let claims = with(wallet.wish(&values(1), NOW), "key_id", key_id);
            assert_eq!(
                code(world.issue(&wallet.sign(TOKENS_TYPE, &claims), NOW).await),
                "unknown_key"
            );
        }
        // When the epoch has ended, what was asked for its key is refused, too.
        let request = wallet.request(&values(1), NOW);
        let outcome = world.authority.check_request(&request, next.key(), NOW).await;
        assert_eq!(code(outcome), "unknown_key");
        assert!(is_untouched(&world).await);
        world.issue(&request, NOW).await.unwrap();
    })
    .await;
}

// test: QUO-10
#[tokio::test]
async fn what_was_paid_for_one_key_is_not_signed_by_another() {
    on_each(async |world| {
        let wallet = enrolled(&world).await;
        let request = wallet.request(&values(1), NOW);
        let request = world
            .authority
            .check_request(&request, signer().key(), NOW)
            .await
            .unwrap();
        let debited = world.authority.debit(request, NOW).await.unwrap();
        let next = EpochSigner::generate(place(1)).unwrap();
        assert_eq!(code(next.sign(&debited)), "unknown_key");
        assert_eq!(code(signer().sign(&debited)), "ok");
    })
    .await;
}

// test: QUO-05, JWS-04, JWS-06
#[tokio::test]
async fn other_peoples_accounts_are_closed() {
    on_each(async |world| {
        let wallet = enrolled(&world).await;
        let mut other = Device::new();
        world.enrol(&mut other, &somebody(1), NOW).await;
        let wish = wallet.wish(&values(1), NOW);
        let theirs = world
            .issue(&other.sign(TOKENS_TYPE, &wish), NOW)
            .await
            .unwrap_err();
        let nobodys = with(wish.clone(), "account_id", json!("AAAAAAAAAAAAAAAAAAAAAA"));
        let nobodys = world
            .issue(&wallet.sign(TOKENS_TYPE, &nobodys), NOW)
            .await
            .unwrap_err();
        assert_eq!(
            (theirs.code(), nobodys.code()),
            ("invalid_account_signature", "invalid_account_signature")
        );
        assert_eq!(theirs.to_string(), nobodys.to_string());

        let good = wallet.sign(TOKENS_TYPE, &wish);
        let (signed, _) = good.rsplit_once('.').unwrap();
        let other_type = wallet.sign("realdid-enrolment+jwt", &wish);
        let unsigned = format!("{signed}.{}", "A".repeat(86));
        let without: Value = json!({ "account_id": wallet.account });
        for jws in [
            other_type,
            unsigned,
            String::new(),
            wallet.sign(TOKENS_TYPE, &without),
        ] {
            assert_eq!(code(world.issue(&jws, NOW).await), "invalid_account_signature");
        }
        assert!(is_untouched(&world).await);
        world.issue(&good, NOW).await.unwrap();
    })
    .await;
}

// test: ENR-08
// test: ENR-09
// test: ENR-10
#[tokio::test]
async fn a_request_is_for_this_authority_network_and_time() {
    on_each(async |world| {
        let wallet = enrolled(&world).await;
        let wish = wallet.wish(&values(1), NOW);
        for (name, value, expected) in [
            ("aud", json!("https://another.example"), "wrong_claim"),
            ("charter", json!(base64url_encode([9; 32])), "wrong_claim"),
            ("iat", json!(NOW + 31), "stale_request"),
            ("exp", json!(NOW - 1), "stale_request"),
            ("exp", json!(NOW + 301), "stale_request"),
            ("jti", json!(""), "invalid_request"),
            ("jti", json!("j".repeat(65)), "invalid_request"),
        ] {
            let jws = wallet.sign(TOKENS_TYPE, &with(wish.clone(), name, value));
            assert_eq!(code(world.issue(&jws, NOW).await), expected, "{name}");
        }
        assert!(is_untouched(&world).await);
        world.issue(&wallet.sign(TOKENS_TYPE, &wish), NOW).await.unwrap();
    })
    .await;
}

// test: QUO-07, ENR-10
#[tokio::test]
async fn a_request_is_taken_once() {
    on_each(async |world| {
        let wallet = enrolled(&world).await;
        let wish = wallet.wish(&values(2), NOW);
        let jws = wallet.sign(TOKENS_TYPE, &wish);
        let first = world.issue(&jws, NOW).await.unwrap();
        assert_eq!(code(world.issue(&jws, NOW + 1).await), "replayed_request");
        // Old requests are forgotten only when their time would refuse them.
        world.authority.forget_expired(NOW + 120).await.unwrap();
        assert_eq!(code(world.issue(&jws, NOW + 120).await), "replayed_request");
        world.authority.forget_expired(NOW + 121).await.unwrap();
        assert_eq!(code(world.issue(&jws, NOW + 121).await), "stale_request");
        let fresh = wallet.sign(TOKENS_TYPE, &with(wish, "jti", json!("fresh")));
        assert_eq!(world.issue(&fresh, NOW + 1).await.unwrap(), first);
    })
    .await;
}
