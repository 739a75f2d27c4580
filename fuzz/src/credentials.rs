//! SD-JWT, key binding, SD-JWT VC, type metadata, status lists.

use std::sync::OnceLock;

use realdid_credential::issuer_metadata;
use realdid_credential::path::ClaimPath;
use realdid_credential::sd_jwt::{Expected, SdJwt, VerifiedSdJwt};
use realdid_credential::status::token::StatusListToken;
use realdid_credential::status::{Bits, Reference, StatusList};
use realdid_credential::type_metadata::Chain;
use realdid_credential::vc::{Times, UnverifiedVc};
use realdid_crypto::{base64url_encode, sha256};
use realdid_jose::jwk::Jwk;

use crate::{NOW, public_key, text, token, typed};

/// SD-JWT as text; its claims without a check of the signature.
pub fn sd_jwt(data: &[u8]) {
    if let Ok(parsed) = SdJwt::parse(text(data)) {
        process(&parsed);
    }
}

/// Disclosures of an SD-JWT that has a valid structure: the first line is the payload, each other one a
/// disclosure; `@0` to `@9` stand for the digests of the following lines, in disclosures of later ones.
pub fn sd_jwt_disclosures(data: &[u8]) {
    let mut lines: Vec<Vec<u8>> = data
        .split(|&byte| byte == b'\n')
        .take(11)
        .map(<[u8]>::to_vec)
        .collect();
    let mut encoded = Vec::new();
    for number in (1..lines.len()).rev() {
        let disclosure = base64url_encode(&lines[number]);
        let digest = base64url_encode(sha256(disclosure.as_bytes()).0);
        let mark = [b'@', b'0' + (number - 1) as u8];
        for line in &mut lines[..number] {
            replace(line, &mark, digest.as_bytes());
        }
        encoded.push(disclosure);
    }
    encoded.reverse();
    let issued = token(br#"{"alg":"ES256","typ":"dc+sd-jwt"}"#, &lines[0]);
    let mut text = issued + "~";
    for disclosure in encoded {
        text += &disclosure;
        text.push('~');
    }
    if let Ok(parsed) = SdJwt::parse(&text) {
        process(&parsed);
    }
}

fn replace(line: &mut Vec<u8>, mark: &[u8; 2], by: &[u8]) {
    // A few are enough; more would make the input grow without end.
    for _ in 0..4 {
        let Some(at) = line.windows(2).position(|two| two == mark) else {
            return;
        };
        line.splice(at..at + 2, by.iter().copied());
    }
}

fn process(parsed: &SdJwt) {
    if let Ok(disclosed) = parsed.disclosed() {
        let paths: Vec<ClaimPath> = disclosed
            .disclosures()
            .into_iter()
            .map(|disclosure| disclosure.path)
            .collect();
        for path in &paths {
            let _ = disclosed.at(path);
        }
        if let Ok(presentation) = disclosed.select(&paths) {
            let shown = SdJwt::parse(presentation.text()).unwrap();
            assert!(shown.disclosed().is_ok(), "what is shown can be read");
        }
    }
}

/// Key binding of a valid SD-JWT: the input is its claims, or a header and claims in two lines.
pub fn key_binding(data: &[u8]) {
    static ISSUED: OnceLock<String> = OnceLock::new();
    let issued = ISSUED.get_or_init(|| {
        let claims =
            serde_json::json!({ "iss": "https://i.example", "cnf": { "jwk": Jwk::of(&public_key()) } });
        typed("dc+sd-jwt", "", claims.to_string().as_bytes()) + "~"
    });
    let binding = match data.iter().position(|&byte| byte == b'\n') {
        None => typed("kb+jwt", "", data),
        Some(end) => token(&data[..end], &data[end + 1..]),
    };
    let expected = Expected {
        audience: "a",
        nonce: "n",
        now: NOW,
        max_age: 300,
    };
    let verify = |parsed: SdJwt| parsed.verify(&public_key());
    let verified: Option<VerifiedSdJwt> = SdJwt::parse(&format!("{issued}{binding}")).and_then(verify).ok();
    if let Some(Ok(bound)) = verified.map(|verified| verified.key_binding(&expected)) {
        let _ = bound.transaction_data_hashes();
    }
}

/// SD-JWT VC: the input is its claims.
pub fn vc(data: &[u8]) {
    let times = Times { now: NOW, leeway: 60 };
    let text = typed("dc+sd-jwt", r#","kid":"did:web:i.example#k""#, data) + "~";
    if let Ok(parsed) = UnverifiedVc::parse_issued(&text) {
        let _ = (parsed.vct(), parsed.issuer());
        let _ = parsed.verify(&public_key(), &times);
    }
}

/// Type metadata, one document or a chain of them in lines.
pub fn type_metadata(data: &[u8]) {
    let mut chain = Chain::new("https://t.example/a", None);
    for document in data.split(|&byte| byte == b'\n').take(5) {
        if chain.add(document).is_err() {
            return;
        }
    }
    if let Ok(metadata) = chain.finish() {
        let _ = metadata.display(&["en", "zh"]);
    }
}

/// An issuer's own metadata and key sets.
pub fn jwt_vc_issuer(data: &[u8]) {
    let _ = issuer_metadata::IssuerMetadata::parse(data, "https://i.example");
    let _ = issuer_metadata::KeySet::parse(data);
}

/// Status list token: its claims; and the credential's reference to one.
pub fn status_list(data: &[u8]) {
    let text = typed("statuslist+jwt", "", data);
    if let Ok(parsed) = StatusListToken::parse(&text)
        && let Ok(list) = parsed.verify(&public_key(), "https://i.example/s", NOW)
    {
        let reference = Reference {
            uri: list.uri().to_owned(),
            index: 7,
        };
        let _ = list.status(&reference, NOW, 3_600);
    }
    if let Ok(value) = serde_json::from_slice(data)
        && let Ok(Some(reference)) = Reference::from_claim(&value)
    {
        assert_eq!(Reference::from_claim(&reference.to_claim()), Ok(Some(reference)));
    }
}

/// Inflating a list: never more than the limit.
pub fn status_inflate(data: &[u8]) {
    const LIMIT: usize = 4_096;
    if let Ok(list) = StatusList::from_lst(Bits::Two, &base64url_encode(data), LIMIT) {
        assert!(list.entries() <= LIMIT * 4);
        let again = StatusList::from_lst(Bits::Two, &list.to_lst(), LIMIT);
        assert_eq!(again, Ok(list));
    }
}
