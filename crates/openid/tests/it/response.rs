use realdid_crypto::KeyType;
use realdid_jose::jwe::{self, DecryptionKey, Encryption, Parties, Recipient};
use realdid_openid::authorization_response::{MAX_BODY, ResponseError, WalletAnswer};
use realdid_openid::jws::JwsError;
use realdid_openid::realdid_jwt::{self, LoginClaims, VpToken, VpTokenError};
use serde_json::json;

use crate::{key, rng};

// test: VP-06, JWS-01
#[test]
fn a_vp_token_answers_the_query_asked_with_one_presentation() {
    let good = serde_json::to_string(&VpToken::single("realname", "a.b.c".to_owned())).unwrap();
    assert_eq!(VpToken::presentation(&good, "realname").as_deref(), Ok("a.b.c"));
    for bad in [
        "",
        "a.b.c",
        "{}",
        r#"{"realname":"a.b.c"}"#,
        r#"{"realname":[]}"#,
        r#"{"realname":["a","b"]}"#,
        r#"{"other":["a"]}"#,
        r#"{"realname":["a"],"other":["b"]}"#,
        r#"{"realname":["a"],"realname":["b"]}"#,
    ] {
        assert_eq!(VpToken::presentation(bad, "realname"), Err(VpTokenError), "{bad}");
    }
}

fn good() {
    let answer = WalletAnswer::read("state=s&vp_token=%7B%7D", "s");
    assert_eq!(answer, Ok(WalletAnswer::Presentation("{}".to_owned())));
    assert_eq!(
        WalletAnswer::read("state=s&error=access_denied", "s"),
        Ok(WalletAnswer::Error("access_denied".to_owned()))
    );
}

// test: VP-21
#[test]
fn a_parameter_that_stands_twice_is_refused() {
    assert_eq!(
        WalletAnswer::read("state=s&vp_token=a&vp_token=b", "s"),
        Err(ResponseError::Duplicate)
    );
    let long = format!("state=s&vp_token={}", "a".repeat(MAX_BODY));
    assert_eq!(WalletAnswer::read(&long, "s"), Err(ResponseError::TooLong));
    good();
}

// test: VP-22
#[test]
fn an_answer_with_another_state_is_refused() {
    assert_eq!(
        WalletAnswer::read("state=t&vp_token=a", "s"),
        Err(ResponseError::State)
    );
    assert_eq!(WalletAnswer::read("vp_token=a", "s"), Err(ResponseError::State));
    good();
}

// test: VP-23
#[test]
fn an_answer_is_either_a_presentation_or_an_error() {
    assert_eq!(WalletAnswer::read("state=s", "s"), Err(ResponseError::Form));
    assert_eq!(
        WalletAnswer::read("state=s&vp_token=a&error=b", "s"),
        Err(ResponseError::Form)
    );
    good();
}

#[test]
fn a_login_presentation_carries_nothing_but_its_claims() {
    let claims = LoginClaims {
        iss: "did:real:sandbox:zA".to_owned(),
        did: "did:real:sandbox:zA".to_owned(),
        aud: "decentralized_identifier:did:real:sandbox:zSite".to_owned(),
        nonce: "nonce".to_owned(),
        iat: 1,
        exp: 2,
        charter: "c".to_owned(),
        token: "t".to_owned(),
        credentials: vec![],
    };
    let signer = key(KeyType::Ed25519, 1);
    let text = realdid_jwt::sign(&claims, "did:real:sandbox:zA#k", &signer).unwrap();
    let (message, parsed) = realdid_jwt::parse(&text).unwrap();
    assert_eq!(parsed, claims);
    assert_eq!(message.kid(), Some("did:real:sandbox:zA#k"));
    let mut more = serde_json::to_value(&claims).unwrap();
    more["device"] = json!("my phone");
    let text = realdid_openid::jws::sign(&signer, realdid_jwt::TYP, None, &more).unwrap();
    assert_eq!(realdid_jwt::parse(&text).err(), Some(JwsError::Claims));
}

// test: VP-38, JWS-01, VP-22, VP-23
#[test]
fn an_encrypted_answer_is_opened_and_a_plain_one_refused() {
    let key = DecryptionKey::generate(&mut rng(1));
    let recipient = Recipient::from_jwk(&key.jwk()).unwrap();
    let seal = |content: &str| {
        let parties = Parties::default();
        let sealed = jwe::encrypt(
            &recipient,
            Encryption::A128Gcm,
            content.as_bytes(),
            parties,
            &mut rng(1),
        );
        format!("response={}", sealed.unwrap())
    };
    let read = |body: &str| WalletAnswer::read_encrypted(body, "s", &key);
    let presented = Ok(WalletAnswer::Presentation(r#"{"a":["b"]}"#.to_owned()));
    assert_eq!(read(&seal(r#"{"vp_token":{"a":["b"]},"state":"s"}"#)), presented);
    let outside = format!("{}&state=s", seal(r#"{"vp_token":{"a":["b"]}}"#));
    assert_eq!(read(&outside), presented);
    assert_eq!(
        read("state=s&error=access_denied"),
        Ok(WalletAnswer::Error("access_denied".to_owned()))
    );
    assert_eq!(read("state=s&vp_token=a"), Err(ResponseError::Plain));
    for (content, expected) in [
        (r#"{"vp_token":{},"state":"t"}"#, ResponseError::State),
        (r#"{"vp_token":{}}"#, ResponseError::State),
        (r#"{"state":"s"}"#, ResponseError::Form),
        (
            r#"{"vp_token":{},"vp_token":{},"state":"s"}"#,
            ResponseError::Content,
        ),
        ("[]", ResponseError::Content),
    ] {
        assert_eq!(read(&seal(content)), Err(expected), "{content}");
    }
    let inside_counts = format!("{}&state=s", seal(r#"{"vp_token":{},"state":"t"}"#));
    assert_eq!(read(&inside_counts), Err(ResponseError::State));
    let another = DecryptionKey::generate(&mut rng(2));
    let sealed = seal(r#"{"vp_token":{},"state":"s"}"#);
    assert!(matches!(
        WalletAnswer::read_encrypted(&sealed, "s", &another),
        Err(ResponseError::Encryption(_))
    ));
}
