//! The provider's metadata (OpenID Connect Discovery 1.0 §3, RFC 8414).

/// The scopes `age_over_N`, for the ages of [`super::authorization::AGES`].
const AGE_SCOPES: [&str; 5] = [
    "age_over_14",
    "age_over_16",
    "age_over_18",
    "age_over_21",
    "age_over_65",
];

/// Authentication class of a login on the same device, by assurance level.
pub const ACR_PREFIX: &str = "urn:realdid:acr:";
/// Suffix of the authentication class if another device answered.
pub const ACR_CROSS_DEVICE: &str = ":cross-device";

/// The document at `/.well-known/openid-configuration`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ProviderMetadata {
    /// The issuer: the public URL, to the letter.
    pub issuer: String,
    /// Where websites send their visitors.
    pub authorization_endpoint: String,
    /// Where codes are exchanged.
    pub token_endpoint: String,
    /// Where an access token tells about its subject.
    pub userinfo_endpoint: String,
    /// The signing keys.
    pub jwks_uri: String,
    /// Where requests are pushed (RFC 9126).
    pub pushed_authorization_request_endpoint: String,
    /// Known scopes.
    pub scopes_supported: Vec<String>,
    /// `code`.
    pub response_types_supported: Vec<String>,
    /// `query`.
    pub response_modes_supported: Vec<String>,
    /// `authorization_code`.
    pub grant_types_supported: Vec<String>,
    /// Authentication classes.
    pub acr_values_supported: Vec<String>,
    /// `pairwise`: no two websites see the same subject.
    pub subject_types_supported: Vec<String>,
    /// `ES256`.
    pub id_token_signing_alg_values_supported: Vec<String>,
    /// How clients authenticate.
    pub token_endpoint_auth_methods_supported: Vec<String>,
    /// Claims that may be given.
    pub claims_supported: Vec<String>,
    /// `S256`.
    pub code_challenge_methods_supported: Vec<String>,
    /// RFC 9207.
    pub authorization_response_iss_parameter_supported: bool,
    /// Whether signed request objects are read.
    pub request_parameter_supported: bool,
    /// Whether request objects at foreign addresses are fetched.
    pub request_uri_parameter_supported: bool,
    /// Whether the `claims` parameter is read.
    pub claims_parameter_supported: bool,
}

impl ProviderMetadata {
    /// The metadata of the provider at this issuer (a URL without trailing slash).
    #[must_use]
    pub fn of(issuer: &str) -> Self {
        let at = |path: &str| format!("{issuer}{path}");
        let list = |items: &[&str]| items.iter().map(|&item| item.to_owned()).collect();
        let acr = ["low", "substantial", "high"]
            .iter()
            .map(|level| format!("{ACR_PREFIX}{level}"));
        Self {
            issuer: issuer.to_owned(),
            authorization_endpoint: at("/authorize"),
            token_endpoint: at("/token"),
            userinfo_endpoint: at("/userinfo"),
            jwks_uri: at("/jwks"),
            pushed_authorization_request_endpoint: at("/par"),
            scopes_supported: [&["openid", "realname_verified"][..], &AGE_SCOPES, &["profile"]]
                .concat()
                .into_iter()
                .map(str::to_owned)
                .collect(),
            response_types_supported: list(&["code"]),
            response_modes_supported: list(&["query"]),
            grant_types_supported: list(&["authorization_code"]),
            acr_values_supported: acr.collect(),
            subject_types_supported: list(&["pairwise"]),
            id_token_signing_alg_values_supported: list(&["ES256"]),
            token_endpoint_auth_methods_supported: list(&[
                "client_secret_basic",
                "client_secret_post",
                "none",
            ]),
            claims_supported: list(&[
                "sub",
                "iss",
                "aud",
                "exp",
                "iat",
                "auth_time",
                "nonce",
                "acr",
                "amr",
                "at_hash",
                "realname_verified",
                "assurance_level",
                "age_over_14",
                "age_over_16",
                "age_over_18",
                "age_over_21",
                "age_over_65",
                "name",
                "given_name",
                "family_name",
                "birthdate",
            ]),
            code_challenge_methods_supported: list(&["S256"]),
            authorization_response_iss_parameter_supported: true,
            request_parameter_supported: false,
            request_uri_parameter_supported: false,
            claims_parameter_supported: false,
        }
    }
}
