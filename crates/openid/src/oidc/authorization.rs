//! The authorization request of a website (OpenID Connect Core 1.0 §3.1.2.1), check by check.

use std::collections::BTreeMap;

use realdid_checks::passes;
use url::{Url, form_urlencoded};

use crate::dcql::{ClaimPath, ClaimQuery, CredentialQuery, DcqlQuery};
use crate::oidc::error::OAuthCode;
use crate::oidc::pkce::CodeChallenge;

/// Longest value of a parameter, in bytes.
const MAX_VALUE: usize = 2048;
/// Prefix of pushed requests (RFC 9126 §2.2).
pub const REQUEST_URI_PREFIX: &str = "urn:ietf:params:oauth:request_uri:";

/// Why an authorization request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthorizationError {
    /// A parameter stands there twice.
    #[error("a parameter stands in the request twice")]
    Duplicate,
    /// A parameter is longer than 2,048 bytes.
    #[error("a parameter of the request is too long")]
    TooLong,
    /// A required parameter is missing; it is named.
    #[error("the request lacks `{0}`")]
    Missing(&'static str),
    /// No such client.
    #[error("the client is not registered here")]
    UnknownClient,
    /// The redirect address is none of the client's, to the letter.
    #[error("the redirect_uri is not one the client registered")]
    RedirectUri,
    /// Another response type than `code`.
    #[error("only response_type=code is supported")]
    ResponseType,
    /// Another response mode than `query`.
    #[error("only response_mode=query is supported")]
    ResponseMode,
    /// A scope that the client is not registered to ask for.
    #[error("the client is not registered to ask for this scope")]
    NotRegistered,
    /// No `openid` among the scopes.
    #[error("the scope must contain openid")]
    Scope,
    /// No PKCE, or not with S256.
    #[error("a code_challenge with code_challenge_method=S256 is required")]
    Pkce,
    /// An unknown prompt, or `none` together with another.
    #[error("the prompt is not valid")]
    Prompt,
    /// `prompt=none`: nobody is ever signed in without asking their wallet.
    #[error("signing in needs the wallet, so it cannot go without a page")]
    LoginRequired,
    /// The request stands in a signed object (RFC 9101).
    #[error("request objects are not supported; push the request instead")]
    RequestObject,
    /// A `request_uri` that was not handed out here, or was used, or has expired.
    #[error("the request_uri is unknown, used or expired")]
    RequestUri,
}

impl AuthorizationError {
    /// The code on the wire.
    #[must_use]
    pub const fn code(self) -> OAuthCode {
        match self {
            Self::Duplicate | Self::TooLong | Self::Missing(_) | Self::RedirectUri => {
                OAuthCode::InvalidRequest
            }
            Self::ResponseMode | Self::Pkce | Self::Prompt => OAuthCode::InvalidRequest,
            Self::UnknownClient => OAuthCode::InvalidClient,
            Self::ResponseType => OAuthCode::UnsupportedResponseType,
            Self::Scope | Self::NotRegistered => OAuthCode::InvalidScope,
            Self::LoginRequired => OAuthCode::LoginRequired,
            Self::RequestObject => OAuthCode::RequestNotSupported,
            Self::RequestUri => OAuthCode::InvalidRequestUri,
        }
    }
}

/// The parameters of a request, each at most once. Unknown ones are ignored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuthorizationParameters(BTreeMap<String, String>);

impl AuthorizationParameters {
    /// Parses a query string or form body.
    ///
    /// # Errors
    /// [`AuthorizationError::Duplicate`], [`AuthorizationError::TooLong`].
    pub fn parse(encoded: &str) -> Result<Self, AuthorizationError> {
        Self::parse_within(encoded, MAX_VALUE)
    }

    /// Parses a form body whose values may be as long as `limit`, in bytes.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_within(encoded: &str, limit: usize) -> Result<Self, AuthorizationError> {
        let mut parameters = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(encoded.as_bytes()) {
            if value.len() > limit {
                return Err(AuthorizationError::TooLong);
            }
            let known = parameters.insert(name.into_owned(), value.into_owned());
            if !passes("OIDC-04", known.is_none()) {
                return Err(AuthorizationError::Duplicate);
            }
        }
        Ok(Self(parameters))
    }

    /// The parameters as a form body, without the one of this name: what may be kept of a request
    /// that came with a secret.
    #[must_use]
    pub fn encode_without(&self, name: &str) -> String {
        let kept = self.0.iter().filter(|(key, _)| *key != name);
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(kept)
            .finish()
    }

    /// A parameter's value; an empty one counts as absent (RFC 6749 §3.1).
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// A required parameter's value.
    ///
    /// # Errors
    /// [`AuthorizationError::Missing`].
    pub fn require(&self, name: &'static str) -> Result<&str, AuthorizationError> {
        self.get(name).ok_or(AuthorizationError::Missing(name))
    }
}

/// The redirect address, equal to the letter to one the client registered (RFC 9700 §2.1).
///
/// # Errors
/// [`AuthorizationError::RedirectUri`], [`AuthorizationError::Missing`].
pub fn check_redirect_uri<'a>(
    parameters: &'a AuthorizationParameters,
    registered: &[String],
) -> Result<&'a str, AuthorizationError> {
    let given = parameters.require("redirect_uri")?;
    if passes("OIDC-05", registered.iter().any(|uri| uri == given)) {
        Ok(given)
    } else {
        Err(AuthorizationError::RedirectUri)
    }
}

/// No request object: neither by value nor at somebody else's address.
///
/// # Errors
/// [`AuthorizationError::RequestObject`], [`AuthorizationError::RequestUri`].
pub fn check_no_request_object(parameters: &AuthorizationParameters) -> Result<(), AuthorizationError> {
    let (by_value, by_reference) = (parameters.get("request"), parameters.get("request_uri"));
    if passes("OIDC-06", by_value.is_none() && by_reference.is_none()) {
        Ok(())
    } else if by_value.is_some() {
        Err(AuthorizationError::RequestObject)
    } else {
        Err(AuthorizationError::RequestUri)
    }
}

/// `response_type=code`, answered in the query.
///
/// # Errors
/// [`AuthorizationError::ResponseType`], [`AuthorizationError::ResponseMode`].
pub fn check_response_type(parameters: &AuthorizationParameters) -> Result<(), AuthorizationError> {
    if !passes("OIDC-07", parameters.require("response_type")? == "code") {
        return Err(AuthorizationError::ResponseType);
    }
    let mode = parameters.get("response_mode");
    if !passes("OIDC-08", mode.is_none_or(|mode| mode == "query")) {
        return Err(AuthorizationError::ResponseMode);
    }
    Ok(())
}

/// The type of the real-name credential, from which the scopes `age_over_N` and `profile` are answered.
pub const REALNAME_VCT: &str = "urn:realdid:realname:1";
/// Identifier of the query for the real-name credential beside a login.
pub const PERSON_ID: &str = "person";
/// The ages of the scopes `age_over_N`, in years.
pub const AGES: [u8; 5] = [14, 16, 18, 21, 65];

/// What a website asks to learn.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Scopes {
    /// `realname_verified`: that a verified person is behind the subject, and at which level.
    pub realname_verified: bool,
    /// `age_over_N`: whether the person is N years old or older, for each of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub age_over: Vec<u8>,
    /// `profile`: the person's name and date of birth.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub profile: bool,
}

impl Scopes {
    /// Those scopes of the request that are known here. Unknown ones are ignored.
    ///
    /// # Errors
    /// [`AuthorizationError::Scope`] without `openid`.
    pub fn check(parameters: &AuthorizationParameters) -> Result<Self, AuthorizationError> {
        let scope = parameters.get("scope").unwrap_or_default();
        let has = |name: &str| scope.split(' ').any(|word| word == name);
        if !passes("OIDC-09", has("openid")) {
            return Err(AuthorizationError::Scope);
        }
        let age = |years: &u8| has(&format!("age_over_{years}"));
        Ok(Self {
            realname_verified: has("realname_verified"),
            age_over: AGES.into_iter().filter(age).collect(),
            profile: has("profile"),
        })
    }

    /// The scopes as a token response tells them.
    #[must_use]
    pub fn names(&self) -> String {
        let mut names = vec!["openid".to_owned()];
        names.extend(self.realname_verified.then(|| "realname_verified".to_owned()));
        names.extend(self.age_over.iter().map(|years| format!("age_over_{years}")));
        names.extend(self.profile.then(|| "profile".to_owned()));
        names.join(" ")
    }

    /// The query for what a token cannot tell, if anything is asked of it: it takes the real-name
    /// credential, which its issuer and the website together can trace.
    #[must_use]
    pub fn credential_query(&self) -> Option<CredentialQuery> {
        let claim = |name: &str| ClaimQuery {
            id: Some(name.to_owned()),
            path: ClaimPath::of(&[name]),
            values: None,
        };
        let mut names: Vec<String> = self
            .age_over
            .iter()
            .map(|years| format!("age_over_{years}"))
            .collect();
        let mut sets = None;
        if self.profile {
            // Not every register knows the parts of a name.
            let with = |more: &[&str]| -> Vec<String> {
                names
                    .iter()
                    .cloned()
                    .chain(more.iter().map(|&name| name.to_owned()))
                    .collect()
            };
            let whole = with(&["name", "given_name", "family_name", "birthdate"]);
            sets = Some(vec![whole.clone(), with(&["name", "birthdate"])]);
            names = whole;
        }
        if names.is_empty() {
            return None;
        }
        let mut query = CredentialQuery::sd_jwt_vc(PERSON_ID, &[REALNAME_VCT], Vec::new());
        query.claims = Some(names.iter().map(|name| claim(name)).collect());
        query.claim_sets = sets;
        Some(query)
    }

    /// Everything that a wallet is asked for: the login at this level, and the credential.
    #[must_use]
    pub fn query(&self, level: &str) -> DcqlQuery {
        let mut query = DcqlQuery::login(level);
        query.credentials.extend(self.credential_query());
        query
    }
}

/// PKCE with S256, from confidential clients too.
///
/// # Errors
/// [`AuthorizationError::Pkce`].
pub fn check_pkce(parameters: &AuthorizationParameters) -> Result<CodeChallenge, AuthorizationError> {
    if !passes("OIDC-10", parameters.get("code_challenge_method") == Some("S256")) {
        return Err(AuthorizationError::Pkce);
    }
    let challenge = parameters.get("code_challenge").ok_or(AuthorizationError::Pkce)?;
    CodeChallenge::parse(challenge).map_err(|_| AuthorizationError::Pkce)
}

/// How the person is to be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prompt {
    /// With a page: the only way there is.
    Page,
}

impl Prompt {
    /// Every known prompt but `none` leads to the page.
    ///
    /// # Errors
    /// [`AuthorizationError::LoginRequired`] for `none`, else [`AuthorizationError::Prompt`].
    pub fn check(parameters: &AuthorizationParameters) -> Result<Self, AuthorizationError> {
        let Some(prompt) = parameters.get("prompt") else {
            return Ok(Self::Page);
        };
        if !passes("OIDC-11", prompt != "none") {
            return Err(AuthorizationError::LoginRequired);
        }
        let known = prompt
            .split(' ')
            .all(|word| ["login", "consent", "select_account"].contains(&word));
        if known {
            Ok(Self::Page)
        } else {
            Err(AuthorizationError::Prompt)
        }
    }
}

/// The answer to a website: its redirect address with `code` or `error`, `state` and `iss`
/// (RFC 9207) appended.
///
/// # Errors
/// [`AuthorizationError::RedirectUri`] if the address is none.
pub fn redirect_with(
    redirect_uri: &str,
    issuer: &str,
    state: Option<&str>,
    answer: &[(&str, &str)],
) -> Result<Url, AuthorizationError> {
    let mut url = Url::parse(redirect_uri).map_err(|_| AuthorizationError::RedirectUri)?;
    {
        let mut query = url.query_pairs_mut();
        query.extend_pairs(answer);
        if let Some(state) = state {
            query.append_pair("state", state);
        }
        query.append_pair("iss", issuer);
    }
    Ok(url)
}
