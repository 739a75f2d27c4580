use realdid_crypto::KeyType;
use realdid_openid::jws::JwsError;
use realdid_openid::registration::MayAsk;
use realdid_openid::site_statement::{self, SiteClaims, SiteStatementError, UnverifiedStatement};

use crate::key;

const NOW: u64 = 1_800_000_000;

fn verdict(alter: impl FnOnce(&mut SiteClaims)) -> Result<String, SiteStatementError> {
    verdict_by(1, alter)
}

/// What is said to the statement if the issuer's key is 1 and this one has signed.
fn verdict_by(signer: u8, alter: impl FnOnce(&mut SiteClaims)) -> Result<String, SiteStatementError> {
    let mut claims = SiteClaims {
        iss: "did:real:sandbox:zSignin".to_owned(),
        sub: "did:real:sandbox:zSite".to_owned(),
        name: "Site A".to_owned(),
        redirect_uris: vec!["https://a.example/callback".to_owned()],
        may_ask: vec![MayAsk::any("urn:example:realname")],
        iat: NOW,
        exp: NOW + 600,
        charter: "charter".to_owned(),
    };
    alter(&mut claims);
    let (issuer, signer) = (key(KeyType::Ed25519, 1), key(KeyType::Ed25519, signer));
    let info = site_statement::sign(&claims, "did:real:sandbox:zSignin#k", &signer).unwrap();
    let statement = UnverifiedStatement::find(&[info])?.unwrap();
    assert_eq!(statement.issuer(), "did:real:sandbox:zSignin");
    assert_eq!(statement.kid(), Some("did:real:sandbox:zSignin#k"));
    let verified = statement.verify(&issuer.public_key(), "did:real:sandbox:zSite", "charter", NOW)?;
    Ok(verified.into_claims().name)
}

fn passes() {
    assert_eq!(verdict(|_| {}).as_deref(), Ok("Site A"));
    assert!(UnverifiedStatement::find(&[]).unwrap().is_none());
}

// test: JWS-06
#[test]
fn a_statement_by_another_key_is_refused() {
    assert_eq!(
        verdict_by(2, |_| {}),
        Err(SiteStatementError::Jws(JwsError::Signature))
    );
    passes();
}

// test: VP-07
#[test]
fn a_statement_about_another_site_is_refused() {
    assert_eq!(
        verdict(|claims| claims.sub.push('x')),
        Err(SiteStatementError::Subject)
    );
    passes();
}

// test: VP-08
#[test]
fn a_statement_of_another_network_is_refused() {
    assert_eq!(
        verdict(|claims| claims.charter.push('x')),
        Err(SiteStatementError::Charter)
    );
    passes();
}

// test: VP-09
#[test]
fn a_statement_out_of_its_time_is_refused() {
    assert_eq!(verdict(|claims| claims.exp = NOW), Err(SiteStatementError::Time));
    assert_eq!(
        verdict(|claims| claims.iat = NOW + 31),
        Err(SiteStatementError::Time)
    );
    passes();
}

// test: VP-10
#[test]
fn a_name_that_misleads_is_refused() {
    let long = "x".repeat(65);
    let strange = [
        "A\n",
        "A\u{202e}B",
        "A\u{200b}",
        "A\u{61c}B",
        "A\u{2028}B",
        "A\u{ad}B",
        "A\u{9b}B",
    ];
    for name in ["", " A", "A\u{e0041}", "\u{3164}", &long]
        .into_iter()
        .chain(strange)
    {
        assert_eq!(
            verdict(|claims| claims.name = name.to_owned()),
            Err(SiteStatementError::Name),
            "{name:?}"
        );
    }
    assert_eq!(
        verdict(|claims| claims.name = "北京图书馆".to_owned()).as_deref(),
        Ok("北京图书馆")
    );
    passes();
}
