//! Which DID a site gets, and what it gets with it.

use realdid_crypto::base64url_decode;
use realdid_did::{Did, ParsedDid};
use realdid_openid::realdid_jwt::{LoginClaims, TYP, VpToken, parse};

use super::login::Scene;
use super::{Ledger, NOW, first_did, rng, wallet};
use crate::consent::{Consent, Warning, Wishes};
use crate::operations::Change;
use crate::presenting::{AnswerError, PresentationRequest};
use crate::{Assignment, Wallet};

fn login(number: u8) -> PresentationRequest {
    Scene::new(number).judge().unwrap()
}

/// Asks the wallet what it would give, with a DID if one is named.
fn ask(wallet: &Wallet, login: &PresentationRequest, did: Option<&Did>) -> Result<Consent, AnswerError> {
    let wishes = Wishes {
        did: did.cloned(),
        ..Wishes::default()
    };
    wallet.consent(login, &wishes, NOW)
}

fn did_of(consent: &Consent) -> Did {
    consent.login.as_ref().unwrap().did.clone()
}

/// Agrees and answers; gives the DID.
fn log_in(wallet: &mut Wallet, number: u8) -> Did {
    let login = login(number);
    let consent = ask(wallet, &login, None).unwrap();
    answer(wallet, &login, &consent);
    did_of(&consent)
}

fn answer(wallet: &mut Wallet, login: &PresentationRequest, consent: &Consent) -> LoginClaims {
    let answer = wallet.answer(login, consent, NOW, &mut rng(8)).unwrap();
    let [("vp_token", vp_token), ("state", state)] = answer.form.as_slice() else {
        panic!("{answer:?}");
    };
    assert_eq!(state, "state");
    let presentation = VpToken::presentation(vp_token, "realname").unwrap();
    let (message, claims) = parse(&presentation).unwrap();
    let did = did_of(consent);
    let held = wallet.find(&did).unwrap();
    let key = wallet
        .keychain(held.index)
        .authentication(held.generation)
        .public_key();
    assert_eq!(message.kid(), Some(did.key_url(&key).as_str()));
    message.verify::<LoginClaims>(&key, TYP).unwrap();
    claims
}

// test: WAL-21
#[test]
fn each_site_gets_a_did_of_its_own_and_keeps_it() {
    let mut wallet = wallet(2);
    let (a, b) = (log_in(&mut wallet, 1), log_in(&mut wallet, 2));
    assert_ne!(a, b);
    assert_eq!((log_in(&mut wallet, 1), log_in(&mut wallet, 2)), (a, b));
    let refused = ask(&wallet, &login(3), None);
    assert!(matches!(refused, Err(AnswerError::PoolEmpty)), "{refused:?}");
}

// test: WAL-21
#[test]
fn a_kept_did_is_used_only_when_named() {
    let mut wallet = wallet(1);
    wallet.dids[0].assignment = Assignment::Kept;
    assert!(matches!(
        ask(&wallet, &login(1), None),
        Err(AnswerError::PoolEmpty)
    ));
    let did = first_did(&wallet);
    let consent = ask(&wallet, &login(1), Some(&did)).unwrap();
    assert_eq!(consent.warnings, [Warning::PerhapsKnownElsewhere]);
    answer(&mut wallet, &login(1), &consent);
    assert_eq!(log_in(&mut wallet, 1), did, "from now on it is pinned");
}

// test: WAL-20
#[test]
fn no_did_ever_goes_to_a_second_site() {
    let mut wallet = wallet(2);
    let a = log_in(&mut wallet, 1);
    let refused = ask(&wallet, &login(2), Some(&a));
    assert!(
        matches!(refused, Err(AnswerError::PinnedElsewhere(_))),
        "{refused:?}"
    );
    // Nor when the consent of one site is used for another.
    let consent = ask(&wallet, &login(1), None).unwrap();
    let refused = wallet.answer(&login(2), &consent, NOW, &mut rng(8));
    assert!(
        matches!(refused, Err(AnswerError::PinnedElsewhere(_))),
        "{refused:?}"
    );
    assert!(ask(&wallet, &login(1), Some(&a)).is_ok());
}

// test: WAL-19
#[test]
fn a_level_the_token_has_not_is_told_before_anything_is_shown() {
    let wallet = wallet(1);
    let mut scene = Scene::new(1);
    assert!(ask(&wallet, &scene.judge().unwrap(), None).is_ok());
    scene.level = "high";
    let refused = ask(&wallet, &scene.judge().unwrap(), None);
    assert!(matches!(refused, Err(AnswerError::Level { .. })), "{refused:?}");
}

#[test]
fn the_answer_holds_the_long_form_until_the_did_is_published() {
    let mut wallet = wallet(1);
    let did = log_in(&mut wallet, 1);
    let consent = ask(&wallet, &login(1), None).unwrap();
    assert!(consent.login.as_ref().unwrap().known_to_site);
    let claims = answer(&mut wallet, &login(1), &consent);
    assert_eq!(
        ParsedDid::parse(&claims.did).unwrap().inception,
        Some(wallet.inception(&wallet.dids()[0]))
    );
    assert_eq!(
        (claims.iss, claims.exp - claims.iat <= 300),
        (did.to_string(), true)
    );
    assert_eq!(base64url_decode(&claims.token).unwrap().len(), 320);

    let mut ledger = Ledger::new();
    let pending = wallet.plan(&did, Change::Publish, &ledger.seen(), NOW).unwrap();
    ledger.take(&pending);
    wallet.observe(&did, &ledger.seen(), NOW).unwrap();
    assert_eq!(answer(&mut wallet, &login(1), &consent).did, did.to_string());
}

// test: WAL-21
#[test]
fn two_answers_share_nothing_that_could_be_compared() {
    let mut wallet = wallet(2);
    let mut answers = Vec::new();
    for number in [1, 2] {
        let login = login(number);
        let consent = ask(&wallet, &login, None).unwrap();
        let claims = answer(&mut wallet, &login, &consent);
        let inception = ParsedDid::parse(&claims.did).unwrap().inception.unwrap();
        let token = base64url_decode(&claims.token).unwrap();
        // What is the same for everybody: the charter in the inception, the key in the token.
        answers.push([inception.encode()[33..].to_vec(), token[32..].to_vec()].concat());
    }
    let windows = |bytes: &[u8]| {
        bytes
            .windows(8)
            .map(<[u8]>::to_vec)
            .collect::<std::collections::BTreeSet<_>>()
    };
    let shared: Vec<_> = windows(&answers[0])
        .intersection(&windows(&answers[1]))
        .cloned()
        .collect();
    assert!(shared.is_empty(), "{shared:?}");
}

// test: TOK-06
#[test]
fn the_holder_is_told_what_to_expect() {
    let mut wallet = wallet(1);
    let did = log_in(&mut wallet, 1);
    assert!(ask(&wallet, &login(1), None).unwrap().warnings.is_empty());
    let mut ledger = Ledger::new();
    let pending = wallet.plan(&did, Change::Recover, &ledger.seen(), NOW).unwrap();
    ledger.take(&pending);
    wallet.observe(&did, &ledger.seen(), NOW).unwrap();
    assert_eq!(
        ask(&wallet, &login(1), None).unwrap().warnings,
        [Warning::Recovering]
    );
    wallet.dids[0].token.as_mut().unwrap().epoch = 7;
    assert!(
        ask(&wallet, &login(1), None)
            .unwrap()
            .warnings
            .contains(&Warning::TokenLapsed)
    );
}
