//! What the issuer says of itself: as credential issuer, as authorization server, as holder of keys.

use std::collections::BTreeMap;

use realdid_crypto::KeyType;
use realdid_jose::jwe::Encryption;
use realdid_openid::oauth::{ServerMetadata, dpop};
use realdid_openid::vci::issuer_metadata::{
    BatchSupport, ClaimDescription, CredentialMetadata, Display, KeySet, ProofType, RequestEncryptionSupport,
    ResponseEncryptionSupport,
};
use realdid_openid::vci::{CredentialConfiguration, IssuerMetadata, PRE_AUTHORIZED_GRANT, SD_JWT_VC_FORMAT};
use serde_json::{Value, json};

use super::issue::holder_algorithms;
use super::types::CredentialType;
use super::{CredentialIssuer, keys};

/// Language of the names of the configuration file.
pub(super) const LOCALE: &str = "en";

impl CredentialIssuer {
    fn endpoint(&self, path: &str) -> String {
        format!("{}{path}", self.issuer)
    }

    /// `/.well-known/openid-credential-issuer` (OpenID4VCI 1.0 §12.2).
    #[must_use]
    pub fn issuer_metadata(&self) -> IssuerMetadata {
        let encryptions: Vec<_> = Encryption::ALL.iter().map(|enc| enc.name().to_owned()).collect();
        let request_key = keys::request_key(&self.secrets);
        let configurations = self
            .types
            .iter()
            .map(|(id, (kind, _))| (id.clone(), configuration(kind)));
        IssuerMetadata {
            credential_issuer: self.issuer.clone(),
            authorization_servers: Vec::new(),
            credential_endpoint: self.endpoint("/vci/credential"),
            nonce_endpoint: Some(self.endpoint("/vci/nonce")),
            deferred_credential_endpoint: Some(self.endpoint("/vci/deferred")),
            notification_endpoint: Some(self.endpoint("/vci/notification")),
            credential_request_encryption: Some(RequestEncryptionSupport {
                jwks: KeySet {
                    keys: vec![request_key.jwk()],
                },
                enc_values_supported: encryptions.clone(),
                zip_values_supported: Vec::new(),
                encryption_required: false,
            }),
            credential_response_encryption: Some(ResponseEncryptionSupport {
                alg_values_supported: vec![realdid_jose::jwe::ALGORITHM.to_owned()],
                enc_values_supported: encryptions,
                zip_values_supported: Vec::new(),
                encryption_required: false,
            }),
            batch_credential_issuance: Some(BatchSupport {
                batch_size: self.batch_size() as u64,
            }),
            display: vec![named(&self.name)],
            credential_configurations_supported: configurations.collect(),
        }
    }

    /// `/.well-known/oauth-authorization-server` (RFC 8414).
    #[must_use]
    pub fn server_metadata(&self) -> ServerMetadata {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        ServerMetadata {
            issuer: self.issuer.clone(),
            authorization_endpoint: Some(self.endpoint("/vci/authorize")),
            token_endpoint: Some(self.endpoint("/vci/token")),
            pushed_authorization_request_endpoint: Some(self.endpoint("/vci/par")),
            require_pushed_authorization_requests: self.policy.require_pushed,
            response_types_supported: texts(&["code"]),
            response_modes_supported: texts(&["query"]),
            grant_types_supported: texts(&["authorization_code", PRE_AUTHORIZED_GRANT, "refresh_token"]),
            scopes_supported: self.types.keys().cloned().collect(),
            token_endpoint_auth_methods_supported: texts(&["none"]),
            code_challenge_methods_supported: texts(&["S256"]),
            dpop_signing_alg_values_supported: dpop::algorithms(),
            authorization_details_types_supported: texts(&["openid_credential"]),
            authorization_response_iss_parameter_supported: true,
            pre_authorized_grant_anonymous_access_supported: true,
            jwks_uri: None,
        }
    }

    /// `/.well-known/jwt-vc-issuer` (SD-JWT VC §5): the keys, each under the DID URL by which the
    /// ledger vouches for it.
    #[must_use]
    pub fn key_metadata(&self) -> Value {
        let keys: Vec<_> = self.keys.iter().map(super::CredentialKey::jwk).collect();
        json!({ "issuer": self.issuer, "jwks": { "keys": keys } })
    }
}

fn named(name: &str) -> Display {
    Display {
        name: Some(name.to_owned()),
        locale: Some(LOCALE.to_owned()),
        ..Display::default()
    }
}

fn local(names: &BTreeMap<String, String>) -> Vec<Display> {
    let display = |(locale, name): (&String, &String)| Display {
        locale: Some(locale.clone()),
        ..named(name)
    };
    names.iter().map(display).collect()
}

fn configuration(kind: &CredentialType) -> CredentialConfiguration {
    let config = &kind.config;
    let algorithms = holder_algorithms(kind.key);
    let proof = ProofType {
        proof_signing_alg_values_supported: algorithms
            .iter()
            .map(|kind| kind.jose_algorithm().to_owned())
            .collect(),
        key_attestations_required: None,
    };
    let methods: &[&str] = match kind.key {
        KeyType::Sm2 => &["jwk"],
        _ => &["jwk", "did:jwk", "did:key"],
    };
    let display = Display {
        description: Some(config.description.clone()).filter(|text| !text.is_empty()),
        ..named(&config.name)
    };
    CredentialConfiguration {
        format: SD_JWT_VC_FORMAT.to_owned(),
        vct: Some(config.vct.clone()),
        doctype: None,
        scope: Some(config.id.clone()),
        credential_signing_alg_values_supported: vec![kind.key.jose_algorithm().into()],
        cryptographic_binding_methods_supported: methods.iter().map(|text| (*text).to_owned()).collect(),
        proof_types_supported: BTreeMap::from([("jwt".to_owned(), proof)]),
        credential_metadata: Some(CredentialMetadata {
            display: [vec![display], local(&config.names)].concat(),
            claims: config.claims.iter().flat_map(described).collect(),
        }),
    }
}

/// A claim; only its name, since a description of a list's elements beside it would be a second one
/// of the same claim to some readers.
fn described(claim: &super::types::ClaimRule) -> Option<ClaimDescription> {
    Some(ClaimDescription {
        path: vec![claim.name.clone().into()],
        mandatory: !claim.optional,
        display: [vec![named(&claim.title)], local(&claim.titles)].concat(),
    })
}
