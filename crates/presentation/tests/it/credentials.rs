use std::collections::BTreeMap;

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, PKCS_ECDSA_P256_SHA256, SanType};
use realdid_credential::path::ClaimPath as CredentialPath;
use realdid_credential::sd_jwt::{BindingClaims, Frame, SdJwt};
use realdid_credential::status::token::{Publication, PublishedList, StatusListToken, issue as publish};
use realdid_credential::status::{Bits, Status, StatusError, StatusList};
use realdid_credential::vc::{self, IssuerHeader, NewVc, StatusReference, VcError};
use realdid_crypto::{Hash, KeyType, SecretKey, sha256};
use realdid_did::{
    Assurance, Backing, Commitment, Did, DocumentData, Entry, Inception, Level, Network, Purposes,
    VerificationKey,
};
use realdid_jose::x5c::Roots;
use realdid_ledger::{Accreditation, Grant, LightError, Right, Role};
use realdid_openid::ClientId;
use realdid_openid::dcql::answer::{Answer, AnswerError};
use realdid_openid::dcql::{ClaimPath, CredentialQuery, DcqlQuery, Mismatch, TrustedAuthority};
use realdid_presentation::credentials::{
    CredentialEvidence, CredentialExpectation, CredentialRefusal, IssuerClue, IssuerEvidence, IssuerStanding,
    ShownCredentials, VerifiedCredential, VerifiedIssuer, judge_credentials,
};
use serde_json::{Map, json};

const NOW: u64 = 1_800_000_000;
const VCT: &str = "urn:example:licence";
const LIST: &str = "https://issuer.example/status/1";

struct Case {
    issuer: SecretKey,
    holder: SecretKey,
    did: Did,
    kid: Option<String>,
    x5c: Option<Vec<String>>,
    new: NewVc,
    standing: IssuerStanding,
    roots: Option<Roots>,
    web: Option<(bool, Option<String>)>,
    query: DcqlQuery,
    expectation: CredentialExpectation,
    list: Option<(Status, u64)>,
    bound: bool,
}

fn document(keys: &[(&SecretKey, Purposes)]) -> DocumentData {
    let keys = keys.iter().map(|(key, purposes)| VerificationKey {
        key: key.public_key(),
        purposes: *purposes,
    });
    DocumentData::new(keys.collect(), vec![]).unwrap()
}

fn entry(document: &DocumentData) -> Entry {
    Entry {
        version: 1,
        document: document.hash(),
        last_operation: sha256(b"operation"),
        next: Commitment(sha256(b"next")),
        recovery: Commitment(sha256(b"recovery")),
        created: NOW - 100,
        updated: NOW - 100,
        assurance: Assurance {
            backing: Backing::Sponsor,
            by: Hash::ZERO,
            epoch: 0,
            level: Level::High,
        },
        deactivated: false,
        vetoed: false,
        pending: None,
    }
}

/// An issuer that is accredited and may issue the type.
fn standing(did: &Did, document: DocumentData) -> IssuerStanding {
    let right = Right::to_issue(did.hash, VCT);
    IssuerStanding {
        entry: Some(entry(&document)),
        document: Some(document),
        accreditation: Some(Accreditation {
            did: did.hash,
            role: Role::Issuer,
            name: "Licence office".to_owned(),
            revoked_at: 0,
            suspended_at: 0,
        }),
        right: Some(Grant {
            right,
            detail: Hash::ZERO,
            granted_at: NOW - 1000,
            revoked_at: 0,
        }),
        time: NOW - 10,
        height: 77,
    }
}

fn licence(holder: &SecretKey) -> NewVc {
    let claims = json!({ "over_21": true, "classes": ["B", "C"], "number": "X" });
    NewVc {
        vct: VCT.into(),
        issuer: Some("https://issuer.example".into()),
        issued_at: Some(NOW - 60),
        expires_at: Some(NOW + 600),
        holder: Some(holder.public_key()),
        claims: claims.as_object().unwrap().clone(),
        frame: Frame {
            disclosable: ["over_21", "classes", "number"]
                .map(|name| CredentialPath::names([name]))
                .to_vec(),
            ..Frame::default()
        },
        ..NewVc::default()
    }
}

fn case() -> Case {
    let issuer = SecretKey::from_seed(KeyType::P256, &[1; 32]);
    let holder = SecretKey::from_seed(KeyType::P256, &[2; 32]);
    let document = document(&[(&issuer, Purposes::ASSERTION)]);
    let inception = Inception {
        charter: sha256(b"charter"),
        document: document.clone(),
        next: Commitment(sha256(b"next")),
        recovery: Commitment(sha256(b"recovery")),
    };
    let network = Network::new("sandbox").unwrap();
    let did = inception.did(&network);
    let known = standing(&did, document);
    let paths = ["over_21", "classes"].map(|name| ClaimPath::of(&[name])).to_vec();
    let query = DcqlQuery {
        credentials: vec![CredentialQuery::sd_jwt_vc("licence", &[VCT], paths)],
        credential_sets: None,
    };
    Case {
        kid: Some(did.key_url(&issuer.public_key())),
        new: licence(&holder),
        expectation: CredentialExpectation {
            network,
            query: query.clone().check().unwrap(),
            transactions: vec![],
            client_id: ClientId::of_did("did:real:sandbox:zSite"),
            nonce: "a nonce".to_owned(),
            max_age: 300,
            status_max_age: 3600,
        },
        issuer,
        holder,
        did,
        x5c: None,
        standing: known,
        roots: None,
        web: None,
        query,
        list: None,
        bound: true,
    }
}

impl Case {
    fn presentation(&self) -> String {
        let header = IssuerHeader {
            kid: self.kid.clone(),
            x5c: self.x5c.clone(),
        };
        let credential = vc::issue(&self.issuer, &header, &self.new, &mut StdRng::seed_from_u64(1)).unwrap();
        let disclosed = SdJwt::parse(&credential).unwrap().disclosed().unwrap();
        let shown = disclosed.select(&["over_21", "classes"].map(|name| CredentialPath::names([name])));
        let shown = shown.unwrap();
        if !self.bound {
            return shown.text().to_owned();
        }
        let claims = BindingClaims {
            audience: "decentralized_identifier:did:real:sandbox:zSite".to_owned(),
            nonce: "a nonce".to_owned(),
            issued_at: NOW,
            more: Map::new(),
        };
        shown.bind(&self.holder, &claims).unwrap()
    }

    fn published(&self) -> Option<PublishedList> {
        let (status, issued_at) = self.list?;
        let list = StatusList::build(Bits::Four, 16, [(3, status)]).unwrap();
        let publication = Publication {
            uri: LIST,
            issued_at,
            expires_at: NOW + 600,
            time_to_live: 60,
            aggregation_uri: None,
        };
        let token = publish(&self.issuer, Map::new(), &list, &publication).unwrap();
        let key = self.issuer.public_key();
        Some(
            StatusListToken::parse(&token)
                .unwrap()
                .verify(&key, LIST, NOW)
                .unwrap(),
        )
    }

    fn verdict(&mut self) -> Result<VerifiedCredential, CredentialRefusal> {
        self.expectation.query = self.query.clone().check().unwrap();
        let vp_token = json!({ "licence": [self.presentation()] }).to_string();
        let answer = Answer::read(&vp_token, &self.expectation.query)?;
        let mut shown = ShownCredentials::read(&answer, &self.expectation)?;
        if let Some((_, kid)) = &self.web {
            let key = self.issuer.public_key();
            shown.0[0].found_key(key, kid.as_deref(), &self.expectation.network)?;
        }
        let issuer = match (&self.roots, &self.web) {
            (Some(roots), _) => IssuerEvidence::Roots(roots),
            (_, Some((trusted, None))) => IssuerEvidence::Web { trusted: *trusted },
            _ => IssuerEvidence::Ledger(&self.standing),
        };
        let list = self.published();
        let evidence = CredentialEvidence {
            issuers: vec![issuer],
            status_lists: list.iter().map(|list| (LIST, list)).collect::<BTreeMap<_, _>>(),
        };
        let mut verified = judge_credentials(&self.expectation, &shown, &evidence, NOW)?;
        assert_eq!(verified.len(), 1);
        Ok(verified.remove(0))
    }
}

fn refuses_from(make: impl Fn() -> Case, alter: impl FnOnce(&mut Case), expected: &CredentialRefusal) {
    let mut case = make();
    let accepted = case.verdict().unwrap();
    assert_eq!((accepted.query_id(), accepted.vct()), ("licence", VCT));
    assert_eq!(
        accepted.claims(),
        &json!({ "over_21": true, "classes": ["B", "C"] })
    );
    assert_eq!(accepted.holder(), Some(&case.holder.public_key()));
    alter(&mut case);
    assert_eq!(case.verdict().err().as_ref(), Some(expected));
}

fn refuses(alter: impl FnOnce(&mut Case), expected: &CredentialRefusal) {
    refuses_from(case, alter, expected);
}

#[test]
fn an_accredited_issuers_credential_proves_what_was_asked_for() {
    let mut case = case();
    let verified = case.verdict().unwrap();
    let issuer = VerifiedIssuer::Accredited {
        did: case.did.clone(),
        name: "Licence office".to_owned(),
        height: 77,
    };
    assert_eq!(verified.issuer(), &issuer);
    assert!(!verified.status_checked());
    assert_eq!(verified.expires_at(), Some(NOW + 600));
    let by_did = TrustedAuthority {
        kind: "did".to_owned(),
        values: vec![case.did.to_string()],
    };
    case.query.credentials[0].trusted_authorities = Some(vec![by_did]);
    assert!(case.verdict().is_ok());
}

// test: CRD-01
#[test]
fn a_credential_that_names_no_issuer_is_refused() {
    refuses(
        |case| (case.kid, case.new.issuer) = (None, None),
        &CredentialRefusal::IssuerUnknown,
    );
    refuses(
        |case| (case.kid, case.new.issuer) = (Some("key".into()), Some("urn:issuer".into())),
        &CredentialRefusal::IssuerUnknown,
    );
}

// test: CRD-02
#[test]
fn an_issuer_of_another_network_is_refused() {
    for did in ["did:real:elsewhere", "did:web:issuer.example"] {
        refuses(
            |case| {
                let id = case.did.to_string();
                let id = id.rsplit_once(':').unwrap().1;
                case.kid = Some(format!("{did}:{id}#{}", case.issuer.public_key().to_multikey()));
            },
            &CredentialRefusal::OtherNetwork,
        );
    }
}

// test: CRD-03
#[test]
fn what_is_known_of_the_issuer_must_be_fresh() {
    let stale = LightError::Stale {
        age: 301,
        max_age: 300,
    };
    refuses(|case| case.standing.time = NOW - 301, &stale.into());
}

// test: CRD-04
#[test]
fn an_issuer_that_is_not_active_is_refused() {
    let inactive = CredentialRefusal::IssuerInactive;
    refuses(
        |case| case.standing.entry.as_mut().unwrap().deactivated = true,
        &inactive,
    );
    refuses(|case| case.standing.entry = None, &inactive);
}

// test: CRD-05
#[test]
fn an_old_document_of_the_issuer_is_refused() {
    let mismatch = CredentialRefusal::IssuerDocument;
    refuses(
        |case| case.standing.entry.as_mut().unwrap().document = sha256(b"another"),
        &mismatch,
    );
    refuses(|case| case.standing.document = None, &mismatch);
}

// test: CRD-06
#[test]
fn a_key_that_the_issuer_does_not_assert_with_is_refused() {
    let key = CredentialRefusal::IssuerKey;
    let replace = |case: &mut Case, data: DocumentData| {
        case.standing.entry.as_mut().unwrap().document = data.hash();
        case.standing.document = Some(data);
    };
    refuses(
        |case| {
            let other = SecretKey::from_seed(KeyType::P256, &[3; 32]);
            replace(case, document(&[(&other, Purposes::ASSERTION)]));
        },
        &key,
    );
    refuses(
        |case| {
            let issuer = case.issuer.clone();
            replace(case, document(&[(&issuer, Purposes::AUTHENTICATION)]));
        },
        &key,
    );
}

// test: CRD-07
#[test]
fn an_issuer_that_is_struck_off_or_suspended_is_refused() {
    let refused = CredentialRefusal::IssuerNotAccredited;
    let accreditation = |alter: fn(&mut Accreditation)| {
        move |case: &mut Case| alter(case.standing.accreditation.as_mut().unwrap())
    };
    refuses(accreditation(|found| found.revoked_at = NOW), &refused);
    refuses(accreditation(|found| found.suspended_at = NOW), &refused);
    refuses(accreditation(|found| found.role = Role::Signin), &refused);
    refuses(|case| case.standing.accreditation = None, &refused);
}

// test: CRD-08
#[test]
fn a_type_that_was_not_granted_is_refused() {
    let refused = CredentialRefusal::TypeNotGranted;
    refuses(|case| case.standing.right = None, &refused);
    refuses(
        |case| case.standing.right.as_mut().unwrap().revoked_at = NOW,
        &refused,
    );
    let other = |case: &mut Case| {
        case.standing.right.as_mut().unwrap().right = Right::to_issue(case.did.hash, "urn:x")
    };
    refuses(other, &refused);
    let asks =
        |case: &mut Case| case.standing.right.as_mut().unwrap().right = Right::to_ask(case.did.hash, VCT);
    refuses(asks, &refused);
}

// test: DCQL-26
#[test]
fn a_proof_of_the_holders_key_is_needed_unless_not_asked_for() {
    let missing = AnswerError::Mismatch("licence".to_owned(), Mismatch::HolderBinding);
    refuses(|case| case.bound = false, &missing.into());
    let mut case = case();
    case.bound = false;
    case.query.credentials[0].require_cryptographic_holder_binding = Some(false);
    assert_eq!(case.verdict().unwrap().holder(), None);
}

/// The issuer's key certified by a root that nobody knows but the relying party.
fn certified(uri: Option<&str>) -> impl Fn() -> Case {
    let uri = uri.map(str::to_owned);
    move || {
        let mut case = case();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root_key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let root = params.self_signed(&root_key).unwrap();
        let authority = Issuer::new(params, root_key);
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let mut params = CertificateParams::default();
        params.use_authority_key_identifier_extension = true;
        let name = uri.as_deref().map(|uri| SanType::URI(uri.try_into().unwrap()));
        params.subject_alt_names = name.into_iter().collect();
        let leaf = params.signed_by(&key, &authority).unwrap();
        let pkcs8 = openssl::pkey::PKey::private_key_from_der(key.serialized_der()).unwrap();
        let seed = pkcs8.ec_key().unwrap().private_key().to_vec_padded(32).unwrap();
        case.issuer = SecretKey::from_seed(KeyType::P256, &seed.try_into().unwrap());
        let chain = realdid_jose::x5c::Chain::from_der(vec![leaf.der().to_vec()]).unwrap();
        case.x5c = serde_json::from_value(chain.to_x5c()).unwrap();
        case.kid = None;
        let mut roots = Roots::default();
        roots.add_der(root.der()).unwrap();
        case.roots = Some(roots);
        case
    }
}

// test: CRD-10, X5C-02
#[test]
fn certificates_lead_to_a_root_that_is_trusted() {
    refuses_from(
        certified(None),
        |case| case.roots = Some(Roots::default()),
        &CredentialRefusal::IssuerNotAccredited,
    );
    // A certificate that names a DID is the DID's, whatever root there is.
    let case = certified(Some("did:real:elsewhere:zIssuer"));
    assert_eq!(case().verdict(), Err(CredentialRefusal::OtherNetwork));
}

// test: CRD-15, DCQL-25
#[test]
fn an_authority_counts_by_certificates_that_prove_something() {
    let mut certified = certified(None)();
    let chain = realdid_jose::x5c::Chain::parse(&json!(certified.x5c)).unwrap();
    let authority = TrustedAuthority {
        kind: "aki".to_owned(),
        values: chain.authority_keys().to_vec(),
    };
    certified.query.credentials[0].trusted_authorities = Some(vec![authority.clone()]);
    assert!(certified.verdict().is_ok(), "by a root that is trusted");
    let mut accredited = case();
    accredited.x5c = certified.x5c;
    assert!(
        accredited.verdict().is_ok(),
        "the certificates of another change nothing"
    );
    accredited.query.credentials[0].trusted_authorities = Some(vec![authority]);
    let mismatch = AnswerError::Mismatch("licence".to_owned(), Mismatch::Authority);
    assert_eq!(accredited.verdict().err(), Some(mismatch.into()));
}

/// An issuer that is found by its address.
fn on_the_web() -> Case {
    let mut case = case();
    case.kid = Some("key-1".into());
    case.web = Some((true, None));
    case
}

// test: CRD-11
#[test]
fn an_https_issuer_is_one_that_is_trusted() {
    refuses_from(
        on_the_web,
        |case| case.web = Some((false, None)),
        &CredentialRefusal::IssuerNotAccredited,
    );
    let mut by_metadata = on_the_web();
    let name = by_metadata.did.key_url(&by_metadata.issuer.public_key());
    by_metadata.web = Some((false, Some(name)));
    let verified = by_metadata.verdict().unwrap();
    assert!(matches!(verified.issuer(), VerifiedIssuer::Accredited { .. }));
}

fn with_status() -> Case {
    let mut case = case();
    case.new.status = Some(StatusReference {
        uri: LIST.into(),
        index: 3,
    });
    case.list = Some((Status::Valid, NOW - 30));
    case
}

// test: CRD-12
#[test]
fn the_status_must_be_known() {
    refuses_from(
        with_status,
        |case| case.list = None,
        &CredentialRefusal::StatusUnavailable,
    );
    assert!(with_status().verdict().unwrap().status_checked());
}

// test: STL-10
#[test]
fn an_old_status_list_does_not_do() {
    let stale = CredentialRefusal::StatusUnknown(StatusError::Stale);
    refuses_from(
        with_status,
        |case| case.list = Some((Status::Valid, NOW - 3601)),
        &stale,
    );
}

// test: CRD-13
#[test]
fn a_suspended_credential_is_refused() {
    let suspended = |case: &mut Case| case.list = Some((Status::Suspended, NOW));
    refuses_from(with_status, suspended, &CredentialRefusal::Suspended);
}

// test: CRD-14
#[test]
fn a_revoked_credential_is_refused() {
    for status in [Status::Invalid, Status::Application(3), Status::Unknown(5)] {
        let revoked = |case: &mut Case| case.list = Some((status, NOW));
        refuses_from(with_status, revoked, &CredentialRefusal::Revoked);
    }
}

// test: SVC-08
#[test]
fn what_the_credential_itself_forbids_is_refused() {
    refuses(
        |case| case.new.expires_at = Some(NOW - 31),
        &VcError::Expired.into(),
    );
}

// test: JWS-06
#[test]
fn a_credential_signed_by_another_key_is_refused() {
    let other_key = |case: &mut Case| {
        case.kid = Some(case.did.key_url(&case.issuer.public_key()));
        case.issuer = SecretKey::from_seed(KeyType::P256, &[9; 32]);
    };
    let mut case = case();
    other_key(&mut case);
    assert_eq!(case.verdict().unwrap_err().code(), "credential_signature");
}

#[test]
fn a_login_binds_each_credential_by_its_hash() {
    let case = case();
    let text = case.presentation();
    let vp_token = json!({ "licence": [text] }).to_string();
    let answer = Answer::read(&vp_token, &case.expectation.query).unwrap();
    let shown = ShownCredentials::read(&answer, &case.expectation).unwrap();
    assert_eq!(
        shown.hashes(),
        [realdid_presentation::credentials::presentation_hash(&text)]
    );
    assert!(matches!(shown.0[0].clue(), IssuerClue::Did { .. }));
}
