//! How a website asks for credentials: what it may ask for, how it names itself to wallets, whom it
//! trusts beside the accredited issuers.

use std::collections::BTreeMap;

use realdid_checks::passes;
use realdid_jose::x5c::{Roots, X5cError};
use realdid_openid::ClientIdPrefix;
use realdid_openid::authorization_request::ResponseMode;
use realdid_openid::dcql::{CheckedQuery, DcqlError, DcqlQuery};
use realdid_openid::registration::{MayAsk, OverAsked, over_asked};
use serde::{Deserialize, Serialize};

/// Most named queries, registrations and trusted issuers of a website.
const MAX_LIST: usize = 32;

/// Which rules a website's requests keep beside those of OpenID4VP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// None.
    #[default]
    Plain,
    /// The OpenID4VC High Assurance Interoperability Profile: answers are encrypted, the website is
    /// named by its certificate, the browser comes back by a fresh code, every credential is bound to
    /// a key of its holder.
    Haip,
}

/// How a website asks for credentials.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct VerifierOptions {
    /// Types of credentials and their claims that may be asked for; the site statement says so, too.
    pub may_ask: Vec<MayAsk>,
    /// Prefix of the client identifier: `decentralized_identifier` (the default), `x509_san_dns` or
    /// `x509_hash`. The latter two take a certificate.
    pub client_id_prefix: Option<String>,
    /// DNS name of the certificate, for `x509_san_dns`.
    pub dns_name: Option<String>,
    /// Whether the website has a certificate; set when it is registered with one.
    pub certified: bool,
    /// Whether answers are encrypted unless a request says otherwise; always under [`Profile::Haip`].
    pub encrypted: bool,
    /// Further rules.
    pub profile: Profile,
    /// Queries that are asked for by name.
    pub templates: BTreeMap<String, DcqlQuery>,
    /// Roots of issuers that the website trusts though no consortium accredits them (PEM).
    pub trusted_roots: Option<String>,
    /// Issuers by their https address that the website trusts though no consortium accredits them.
    pub trusted_issuers: Vec<String>,
}

/// Why a website cannot ask as it is registered, or is asked to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// The query.
    #[error(transparent)]
    Query(#[from] DcqlError),
    /// Something is asked for that the website is not registered for.
    #[error("the website is not registered to ask for {}", join(.0))]
    OverAsked(Vec<OverAsked>),
    /// An unknown response mode.
    #[error("the response_mode is direct_post or direct_post.jwt")]
    Mode,
    /// A way of naming itself that the website is not registered with.
    #[error("the website is not registered with this client-id prefix")]
    Prefix,
    /// The profile asks for more than the request has; it is named.
    #[error("the high-assurance profile asks for {0}")]
    Profile(&'static str),
}

fn join(over: &[OverAsked]) -> String {
    let names: Vec<_> = over.iter().map(ToString::to_string).collect();
    names.join(", ")
}

impl AskError {
    /// The failure's stable name.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Query(error) => error.code(),
            Self::OverAsked(_) => "not_registered_to_ask",
            Self::Mode => "response_mode_invalid",
            Self::Prefix => "client_id_prefix_invalid",
            Self::Profile(_) => "profile_violated",
        }
    }
}

/// Why a website's verifier options cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifierOptionsError {
    /// An unknown prefix, or one that takes a certificate without one.
    #[error(
        "the client-id prefix is decentralized_identifier, or x509_san_dns or x509_hash with a certificate"
    )]
    Prefix,
    /// The profile and the prefix do not go together.
    #[error("the profile haip takes the client-id prefix x509_hash")]
    ProfilePrefix,
    /// More than 32 of something.
    #[error("a website has at most 32 registrations, templates and trusted issuers each")]
    TooMany,
    /// A template.
    #[error("the template `{0}` cannot be asked: {1}")]
    Template(String, AskError),
    /// The roots.
    #[error("the trusted roots cannot be read: {0}")]
    Roots(#[from] X5cError),
    /// A trusted issuer.
    #[error("a trusted issuer is an https address: `{0}`")]
    Issuer(String),
}

impl VerifierOptions {
    /// The prefix of the client identifier.
    #[must_use]
    pub fn prefix(&self) -> ClientIdPrefix {
        let named = self
            .client_id_prefix
            .as_deref()
            .and_then(ClientIdPrefix::from_name);
        named.unwrap_or(ClientIdPrefix::DecentralizedIdentifier)
    }

    /// How answers travel: as the request says, else as registered.
    ///
    /// # Errors
    /// [`AskError::Mode`] for an unknown mode, [`AskError::Profile`].
    pub fn response_mode(&self, asked: Option<&str>) -> Result<ResponseMode, AskError> {
        let registered = if self.encrypted || self.profile == Profile::Haip {
            ResponseMode::DirectPostJwt
        } else {
            ResponseMode::DirectPost
        };
        let mode = match asked {
            None => registered,
            Some(name) => ResponseMode::from_name(name).ok_or(AskError::Mode)?,
        };
        let kept = self.profile != Profile::Haip || mode == ResponseMode::DirectPostJwt;
        if !passes("VRF-20", kept) {
            return Err(AskError::Profile("an encrypted answer (direct_post.jwt)"));
        }
        Ok(mode)
    }

    /// How the website names itself to wallets: as the request says, else as registered.
    ///
    /// # Errors
    /// [`AskError::Prefix`] for one that it is not registered with, [`AskError::Profile`].
    pub fn choose_prefix(&self, asked: Option<&str>) -> Result<ClientIdPrefix, AskError> {
        let prefix = match asked {
            None => self.prefix(),
            Some(name) => ClientIdPrefix::from_name(name).ok_or(AskError::Prefix)?,
        };
        if !passes(
            "VRF-21",
            self.profile != Profile::Haip || prefix == ClientIdPrefix::X509Hash,
        ) {
            return Err(AskError::Profile("the client-id prefix x509_hash"));
        }
        let has = match prefix {
            ClientIdPrefix::DecentralizedIdentifier => true,
            ClientIdPrefix::X509Hash => self.certified,
            ClientIdPrefix::X509SanDns => self.certified && self.dns_name.is_some(),
            // Our requests are signed.
            ClientIdPrefix::RedirectUri => false,
        };
        if !passes("VRF-22", has) {
            return Err(AskError::Prefix);
        }
        Ok(prefix)
    }

    /// The JOSE algorithms that wallets are told of. The profile knows ES256; naming more is allowed.
    #[must_use]
    pub const fn algorithms(&self) -> &'static [&'static str] {
        match self.profile {
            Profile::Plain => &["ES256", "Ed25519", "EdDSA", "SM2SM3"],
            Profile::Haip => &["ES256"],
        }
    }

    /// The roots of further trusted issuers.
    #[must_use]
    pub fn roots(&self) -> Roots {
        let parse = |text: &String| Roots::from_pem(text).ok();
        self.trusted_roots.as_ref().and_then(parse).unwrap_or_default()
    }

    /// Checks the options; `has_certificate`: whether one comes with them.
    pub(crate) fn check(&self, has_certificate: bool, sandbox: bool) -> Result<(), VerifierOptionsError> {
        let known = self
            .client_id_prefix
            .as_deref()
            .is_none_or(|name| ClientIdPrefix::from_name(name).is_some());
        let takes_certificate = self.prefix() != ClientIdPrefix::DecentralizedIdentifier;
        if !passes("VRF-01", known && (has_certificate || !takes_certificate)) {
            return Err(VerifierOptionsError::Prefix);
        }
        let fits = self.profile != Profile::Haip || self.prefix() == ClientIdPrefix::X509Hash;
        if !passes("VRF-02", fits) {
            return Err(VerifierOptionsError::ProfilePrefix);
        }
        let few = self
            .may_ask
            .len()
            .max(self.templates.len())
            .max(self.trusted_issuers.len())
            <= MAX_LIST;
        if !few {
            return Err(VerifierOptionsError::TooMany);
        }
        for (name, query) in &self.templates {
            self.check_query(query.clone())
                .map_err(|error| VerifierOptionsError::Template(name.clone(), error))?;
        }
        if let Some(roots) = &self.trusted_roots {
            Roots::from_pem(roots)?;
        }
        let secure = |issuer: &&String| realdid_openid::check_address(issuer, sandbox).is_err();
        match self.trusted_issuers.iter().find(secure) {
            Some(issuer) => Err(VerifierOptionsError::Issuer(issuer.clone())),
            None => Ok(()),
        }
    }

    /// Checks a query that the website wants to be answered.
    ///
    /// # Errors
    /// [`AskError`].
    pub fn check_query(&self, query: DcqlQuery) -> Result<CheckedQuery, AskError> {
        query.check_asking()?;
        query.login_query()?;
        let query = query.check()?;
        let over = over_asked(&query, &self.may_ask);
        if !passes("VRF-03", over.is_empty()) {
            return Err(AskError::OverAsked(over));
        }
        let bound = query
            .query()
            .credentials
            .iter()
            .all(realdid_openid::dcql::CredentialQuery::needs_holder_binding);
        if !passes("VRF-04", self.profile != Profile::Haip || bound) {
            return Err(AskError::Profile(
                "a proof of the holder's key for every credential",
            ));
        }
        Ok(query)
    }
}
