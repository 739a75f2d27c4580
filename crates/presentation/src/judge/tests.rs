//! Each check of a login: one thing is altered, exactly its refusal is expected, and then the
//! untouched login passes.

use openssl::rsa::{Padding, Rsa};
use rand::SeedableRng as _;
use realdid_crypto::{Hash, KeyType, SecretKey, base64url_encode, sha256};
use realdid_did::{
    Assurance, Backing, Commitment, Inception, Network, Pending, PendingKind, Purposes, VerificationKey,
};
use realdid_openid::ClientId;
use realdid_openid::jws::JwsError;
use realdid_openid::realdid_jwt;
use realdid_token::{EpochKey, Purpose, blind};

use super::*;

const NOW: u64 = 1_800_000_000;
const EPOCH: u64 = 7;

/// A login that is valid, in all its parts.
struct Case {
    key: SecretKey,
    inception: Inception,
    claims: LoginClaims,
    kid: String,
    expectation: Expectation,
    view: LedgerView,
}

fn charter() -> Hash {
    sha256(b"a charter")
}

fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed(KeyType::Ed25519, &[seed; 32])
}

fn document(key: &SecretKey) -> DocumentData {
    DocumentData::new(vec![VerificationKey::authentication(key.public_key())], vec![]).unwrap()
}

/// An epoch key and its token for a DID.
fn token(did: &Hash, level: Level) -> (EpochKeyRecord, Vec<u8>) {
    let private = Rsa::generate(2048).unwrap();
    let modulus = private.n().to_vec().try_into().unwrap();
    let key = EpochKey::new(sha256(b"authority"), Purpose::RealName, level, EPOCH, modulus).unwrap();
    let mut rng = rand::rngs::StdRng::seed_from_u64(1);
    let blinding = blind(&key, &charter(), did, &mut rng).unwrap();
    let mut answer = [0; 256];
    private
        .private_encrypt(blinding.blinded(), &mut answer, Padding::NONE)
        .unwrap();
    let token = blinding.finalize(&key, &charter(), did, &answer).unwrap();
    (
        EpochKeyRecord {
            key,
            published_at: 1,
            revoked_at: 0,
        },
        token.to_bytes().to_vec(),
    )
}

fn case() -> Case {
    let key = key(1);
    let inception = Inception {
        charter: charter(),
        document: document(&key),
        next: Commitment(sha256(b"next")),
        recovery: Commitment(sha256(b"recovery")),
    };
    let network = Network::new("sandbox").unwrap();
    let did = inception.did(&network);
    let (token_key, token) = token(&did.hash, Level::Substantial);
    let client_id = ClientId::of_did("did:real:sandbox:zSite");
    let claims = LoginClaims {
        iss: did.to_string(),
        did: did.long_form(&inception),
        aud: client_id.to_string(),
        nonce: "a nonce of enough length".to_owned(),
        iat: NOW,
        exp: NOW + 120,
        charter: base64url_encode(charter().0),
        token: base64url_encode(token),
        credentials: vec![],
    };
    let accreditation = Accreditation {
        did: token_key.key.authority,
        role: Role::Authority,
        name: "Authority".to_owned(),
        revoked_at: 0,
        suspended_at: 0,
    };
    Case {
        kid: did.key_url(&key.public_key()),
        expectation: Expectation {
            network,
            charter_hash: charter(),
            client_id,
            nonce: claims.nonce.clone(),
            credentials: vec![],
            minimum_level: Level::Substantial,
            max_age: 300,
        },
        view: LedgerView {
            entry: None,
            document: None,
            token_key: Some(token_key),
            accreditation: Some(accreditation),
            epoch: EPOCH,
            did_time: NOW - 5,
            oldest_time: NOW - 9,
            height: 40,
        },
        key,
        inception,
        claims,
    }
}

impl Case {
    fn presentation(&self) -> String {
        realdid_jwt::sign(&self.claims, &self.kid, &self.key).unwrap()
    }

    fn verdict(&self) -> Result<VerifiedLogin, LoginRefusal> {
        let shown = ShownLogin::read(&self.presentation(), &self.expectation, NOW)?;
        judge(&self.expectation, &shown, &self.view, NOW)
    }

    /// The same login with the DID on the ledger.
    fn published(mut self) -> Self {
        self.view.entry = Some(Entry {
            version: 1,
            document: self.inception.document.hash(),
            last_operation: sha256(b"publish"),
            next: self.inception.next,
            recovery: self.inception.recovery,
            created: NOW - 100,
            updated: NOW - 100,
            assurance: Assurance {
                backing: Backing::Token,
                by: sha256(b"authority"),
                epoch: EPOCH,
                level: Level::Substantial,
            },
            deactivated: false,
            vetoed: false,
            pending: None,
        });
        self
    }

    fn entry(&mut self) -> &mut Entry {
        self.view.entry.as_mut().unwrap()
    }

    fn pending(&mut self, kind: PendingKind, effective_at: u64, document: Hash) {
        let zero = Commitment(Hash::ZERO);
        let operation = sha256(b"operation");
        self.entry().pending = Some(Pending {
            kind,
            operation,
            effective_at,
            document,
            next: zero,
            recovery: zero,
        });
    }
}

/// The untouched case passes; altered, it is refused for exactly this reason.
fn refuses(make: impl Fn() -> Case, alter: impl FnOnce(&mut Case), expected: LoginRefusal) {
    let mut case = make();
    let accepted = case.verdict().unwrap();
    assert_eq!(accepted.did().to_string(), case.claims.iss);
    assert_eq!(accepted.level(), Level::Substantial);
    assert_eq!(accepted.height(), 40);
    alter(&mut case);
    assert_eq!(case.verdict(), Err(expected));
}

// test: LOG-01
#[test]
fn a_presentation_of_another_network_is_refused() {
    refuses(
        case,
        |case| case.claims.charter = base64url_encode([1; 32]),
        LoginRefusal::OtherNetwork,
    );
}

// test: LOG-02
#[test]
fn a_presentation_out_of_its_time_is_refused() {
    refuses(case, |case| case.claims.exp = NOW, LoginRefusal::Time);
    refuses(
        case,
        |case| (case.claims.iat, case.claims.exp) = (NOW + 31, NOW + 60),
        LoginRefusal::Time,
    );
    refuses(case, |case| case.claims.exp = NOW + 301, LoginRefusal::Time);
}

// test: LOG-03
#[test]
fn a_presentation_for_another_website_is_refused() {
    refuses(case, |case| case.claims.aud.push('x'), LoginRefusal::Audience);
    refuses(
        case,
        |case| case.claims.aud = "did:real:sandbox:zSite".to_owned(),
        LoginRefusal::Audience,
    );
}

// test: LOG-04
#[test]
fn a_presentation_for_another_request_is_refused() {
    refuses(case, |case| case.claims.nonce.push('x'), LoginRefusal::Nonce);
}

// test: LOG-05
#[test]
fn exactly_the_credentials_in_the_same_answer_are_bound() {
    let with_two = || {
        let mut case = case();
        case.expectation.credentials = vec!["a".to_owned(), "b".to_owned()];
        case.claims.credentials = vec!["b".to_owned(), "a".to_owned()];
        case
    };
    let stated = |hashes: &'static [&str]| {
        move |case: &mut Case| {
            case.claims.credentials = hashes.iter().map(|&hash| hash.to_owned()).collect();
        }
    };
    refuses(case, stated(&["hash"]), LoginRefusal::Credentials);
    for hashes in [&[][..], &["a"], &["a", "c"], &["a", "b", "c"], &["a", "b", "b"]] {
        refuses(with_two, stated(hashes), LoginRefusal::Credentials);
    }
}

// test: LOG-06, DID-02
#[test]
fn a_long_form_of_another_inception_is_refused() {
    let alter = |case: &mut Case| {
        let mut other = case.inception.clone();
        other.next = Commitment(sha256(b"other"));
        case.claims.did = format!("{}:{}", case.claims.iss, base64url_encode(other.encode()));
    };
    refuses(case, alter, LoginRefusal::Did(realdid_did::DidError::Mismatch));
}

// test: LOG-07
#[test]
fn an_issuer_that_is_not_the_did_is_refused() {
    refuses(
        case,
        |case| case.claims.iss = "did:real:sandbox:zOther".to_owned(),
        LoginRefusal::Subject,
    );
}

// test: LOG-08
#[test]
fn a_did_of_another_network_is_refused() {
    let renamed = |case: &mut Case| case.expectation.network = Network::new("elsewhere").unwrap();
    refuses(case, renamed, LoginRefusal::OtherNetwork);
    let forked = |case: &mut Case| {
        case.inception.charter = sha256(b"another charter");
        let did = case.inception.did(&case.expectation.network);
        case.claims.iss = did.to_string();
        case.claims.did = did.long_form(&case.inception);
    };
    refuses(case, forked, LoginRefusal::OtherNetwork);
}

// test: LOG-09
#[test]
fn a_key_of_another_did_is_refused() {
    let alter = |case: &mut Case| case.kid = format!("did:real:sandbox:zOther#{}", case.key.public_key());
    refuses(case, alter, LoginRefusal::Subject);
    refuses(
        case,
        |case| case.kid = format!("{}#zNoKey", case.claims.iss),
        LoginRefusal::Subject,
    );
}

// test: LOG-10
#[test]
fn a_token_of_the_wrong_length_is_refused() {
    refuses(
        case,
        |case| case.claims.token.truncate(400),
        LoginRefusal::TokenForm,
    );
    refuses(case, |case| case.claims.token.push('='), LoginRefusal::TokenForm);
}

// test: LOG-11
#[test]
fn an_old_proof_is_refused() {
    let stale = LoginRefusal::State(LightError::Stale {
        age: 301,
        max_age: 300,
    });
    refuses(case, |case| case.view.oldest_time = NOW - 301, stale);
}

// test: LOG-12
#[test]
fn a_did_in_recovery_is_refused() {
    let published = || case().published();
    let alter = |at| move |case: &mut Case| case.pending(PendingKind::Recovery, at, sha256(b"new"));
    refuses(published, alter(NOW + 60), LoginRefusal::Recovering);
    // Its delay is over by our clock, but the ledger shown to us does not reach that far.
    refuses(published, alter(NOW - 1), LoginRefusal::Recovering);
    // A pending deactivation by the next keys is no reason to refuse yet.
    let mut case = published();
    case.pending(PendingKind::Deactivation, NOW + 60, Hash::ZERO);
    assert!(case.verdict().is_ok());
}

// test: LOG-13
#[test]
fn a_deactivated_did_is_refused_though_shown_in_long_form() {
    let published = || case().published();
    refuses(
        published,
        |case| case.entry().deactivated = true,
        LoginRefusal::Deactivated,
    );
    let alter = |case: &mut Case| case.pending(PendingKind::Deactivation, NOW - 1, Hash::ZERO);
    refuses(published, alter, LoginRefusal::Deactivated);
}

// test: LOG-14
#[test]
fn an_unpublished_did_in_short_form_is_refused() {
    refuses(
        case,
        |case| case.claims.did = case.claims.iss.clone(),
        LoginRefusal::Unpublished,
    );
    let mut published = case().published();
    published.claims.did = published.claims.iss.clone();
    published.view.document = Some(published.inception.document.clone());
    assert!(published.verdict().is_ok());
}

// test: LOG-15
#[test]
fn a_document_the_ledger_does_not_name_is_refused() {
    let two_keys = |key: &SecretKey, other: u8| {
        let keys = [key.public_key(), self::key(other).public_key()];
        DocumentData::new(keys.map(VerificationKey::authentication).to_vec(), vec![]).unwrap()
    };
    let rotated = || {
        let mut case = case().published();
        case.key = key(2);
        case.kid = format!("{}#{}", case.claims.iss, case.key.public_key());
        case.view.document = Some(two_keys(&case.key, 4));
        case.entry().document = two_keys(&case.key, 4).hash();
        case
    };
    let other = |case: &mut Case| case.view.document = Some(two_keys(&case.key, 3));
    refuses(rotated, other, LoginRefusal::Document);
    refuses(rotated, |case| case.view.document = None, LoginRefusal::Document);
}

#[test]
fn a_document_of_one_key_is_told_by_the_key() {
    let mut case = case().published();
    case.claims.did = case.claims.iss.clone();
    case.key = key(2);
    case.kid = format!("{}#{}", case.claims.iss, case.key.public_key());
    case.entry().document = document(&case.key).hash();
    assert!(case.verdict().is_ok());
}

// test: LOG-16
#[test]
fn an_old_or_unsuitable_key_is_refused() {
    let rotate = |case: &mut Case| {
        case.entry().document = document(&key(2)).hash();
        case.view.document = Some(document(&key(2)));
    };
    refuses(|| case().published(), rotate, LoginRefusal::Key);
    let assertion_only = |case: &mut Case| {
        let key = VerificationKey {
            purposes: Purposes::ASSERTION,
            key: case.key.public_key(),
        };
        let document = DocumentData::new(vec![key], vec![]).unwrap();
        case.entry().document = document.hash();
        case.view.document = Some(document);
    };
    refuses(|| case().published(), assertion_only, LoginRefusal::Key);
}

// test: LOG-17
#[test]
fn a_token_of_an_unknown_key_is_refused() {
    refuses(
        case,
        |case| case.view.token_key = None,
        LoginRefusal::UnknownTokenKey,
    );
}

// test: LOG-18
#[test]
fn a_token_of_a_revoked_key_is_refused() {
    let revoke = |case: &mut Case| case.view.token_key.as_mut().unwrap().revoked_at = NOW - 100;
    refuses(case, revoke, LoginRefusal::RevokedTokenKey);
}

// test: LOG-19
#[test]
fn a_token_of_an_authority_not_accredited_is_refused() {
    refuses(
        case,
        |case| case.view.accreditation = None,
        LoginRefusal::Authority,
    );
    let strike_off = |case: &mut Case| case.view.accreditation.as_mut().unwrap().revoked_at = NOW - 100;
    refuses(case, strike_off, LoginRefusal::Authority);
    let suspend = |case: &mut Case| case.view.accreditation.as_mut().unwrap().suspended_at = NOW - 100;
    refuses(case, suspend, LoginRefusal::Authority);
    let other_role = |case: &mut Case| case.view.accreditation.as_mut().unwrap().role = Role::Signin;
    refuses(case, other_role, LoginRefusal::Authority);
}

// test: LOG-20, TOK-06
#[test]
fn a_token_of_the_epoch_before_passes_and_of_the_one_before_that_not() {
    let previous = || {
        let mut case = case();
        case.view.epoch = EPOCH + 1;
        case
    };
    let expired = LoginRefusal::TokenExpired {
        epoch: EPOCH,
        current: EPOCH + 2,
    };
    refuses(previous, |case| case.view.epoch = EPOCH + 2, expired);
    let early = LoginRefusal::TokenExpired {
        epoch: EPOCH,
        current: EPOCH - 1,
    };
    refuses(case, |case| case.view.epoch = EPOCH - 1, early);
}

// test: LOG-21
#[test]
fn a_level_below_the_required_one_is_refused() {
    let refusal = LoginRefusal::Level {
        found: Level::Substantial,
        required: Level::High,
    };
    refuses(case, |case| case.expectation.minimum_level = Level::High, refusal);
}

// test: LOG-22, JWS-06
#[test]
fn a_signature_by_another_key_is_refused() {
    // The kid still names the right key; somebody else signed.
    refuses(
        case,
        |case| case.key = key(9),
        LoginRefusal::Presentation(JwsError::Signature),
    );
}

// test: LOG-22, JWS-05
#[test]
fn a_signature_by_another_kind_of_key_is_refused() {
    let other_algorithm = |case: &mut Case| case.key = SecretKey::from_seed(KeyType::P256, &[1; 32]);
    refuses(
        case,
        other_algorithm,
        LoginRefusal::Presentation(JwsError::Algorithm),
    );
}

// test: LOG-23, TOK-05
#[test]
fn a_token_of_another_did_is_refused() {
    let alter = |case: &mut Case| {
        let (key, token) = token(&sha256(b"another DID"), Level::Substantial);
        case.view.token_key = Some(key);
        case.claims.token = base64url_encode(token);
    };
    refuses(case, alter, LoginRefusal::Token);
}
