//! Certificate chains in a JOSE header (`x5c`, RFC 7515 §4.1.6): taken apart, judged, and read for
//! what a credential or a request is signed with.
//!
//! Parsing gives a [`Chain`], of which anybody may have written anything. There are two ways to trust
//! its [`Leaf`]: [`Chain::verify`] against [`Roots`] that were pinned beforehand, or the DID that
//! [`Leaf::did`] names, whose document then has to hold the leaf's key. `x5u` is never followed.
//!
//! Revocation lists of certificates are not looked at: what revokes an issuer here is the ledger, and
//! certificates of others are pinned by hand.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use realdid_checks::passes;
use realdid_crypto::{KeyType, PublicKey, base64url_encode, sha256};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use serde_json::Value;
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, ExtendedKeyUsageValidator, KeyPurposeIdIter};
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::ext::pkix::AuthorityKeyIdentifier;

/// Most certificates of a chain.
pub const MAX_CERTIFICATES: usize = 6;
/// Longest certificate, in bytes of DER.
pub const MAX_CERTIFICATE: usize = 8 * 1024;

const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// Why a certificate chain is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum X5cError {
    /// No certificate, more than [`MAX_CERTIFICATES`], or one longer than [`MAX_CERTIFICATE`].
    #[error("a chain has 1 to {MAX_CERTIFICATES} certificates of at most {MAX_CERTIFICATE} bytes")]
    Size,
    /// Not an array of base64 texts, or one of them is no X.509 certificate.
    #[error("the chain is not a list of X.509 certificates")]
    Form,
    /// The chain leads to no pinned root, or does not hold: signature, time, constraints.
    #[error("the certificate chain does not lead to a trusted root")]
    Untrusted,
    /// The leaf's key is of a type that nothing here signs with.
    #[error("the certificate's key is neither P-256 nor Ed25519")]
    KeyType,
    /// The leaf is not for that DNS name.
    #[error("the certificate is not for this host name")]
    HostName,
    /// The leaf is not the one with that hash.
    #[error("the certificate is not the one that was named")]
    Hash,
    /// The leaf vouches for itself.
    #[error("the certificate is self-signed")]
    SelfSigned,
    /// The chain carries its own root.
    #[error("the certificate chain contains a root")]
    Root,
}

/// Roots that somebody has decided to trust.
#[derive(Debug, Clone, Default)]
pub struct Roots(Vec<TrustAnchor<'static>>);

impl Roots {
    /// From certificates in PEM; text between them is passed over.
    ///
    /// # Errors
    /// [`X5cError::Form`], also if there is none.
    pub fn from_pem(text: &str) -> Result<Self, X5cError> {
        let mut roots = Self::default();
        for certificate in CertificateDer::pem_slice_iter(text.as_bytes()) {
            roots.add_der(&certificate.map_err(|_| X5cError::Form)?)?;
        }
        if roots.0.is_empty() {
            return Err(X5cError::Form);
        }
        Ok(roots)
    }

    /// Adds one certificate in DER.
    ///
    /// # Errors
    /// [`X5cError::Form`].
    pub fn add_der(&mut self, certificate: &[u8]) -> Result<(), X5cError> {
        let certificate = CertificateDer::from(certificate);
        let anchor = webpki::anchor_from_trusted_cert(&certificate).map_err(|_| X5cError::Form)?;
        self.0.push(anchor.to_owned());
        Ok(())
    }

    /// Whether nobody is trusted.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A chain as stated: every certificate parses, nothing has been verified.
#[derive(Debug, Clone)]
pub struct Chain {
    certificates: Vec<CertificateDer<'static>>,
    leaf: Leaf,
    leaf_is_self_signed: bool,
    has_root: bool,
    authority_keys: Vec<String>,
}

/// What a leaf certificate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    key: Option<PublicKey>,
    dns_names: Vec<String>,
    uris: Vec<String>,
    hash: String,
    not_before: u64,
    not_after: u64,
}

impl Chain {
    /// The chain in a JOSE header's member `x5c`, leaf first.
    ///
    /// # Errors
    /// [`X5cError::Size`], [`X5cError::Form`].
    pub fn parse(x5c: &Value) -> Result<Self, X5cError> {
        let texts = x5c.as_array().ok_or(X5cError::Form)?;
        // Four thirds for base64: too long is told before anything is decoded.
        let longest = MAX_CERTIFICATE.div_ceil(3) * 4;
        let lengths = texts.iter().map(|text| text.as_str().map_or(0, str::len));
        let fits = (1..=MAX_CERTIFICATES).contains(&texts.len()) && lengths.max() <= Some(longest);
        if !passes("X5C-01", fits) {
            return Err(X5cError::Size);
        }
        let decode = |text: &Value| STANDARD.decode(text.as_str()?).ok();
        let certificates = texts.iter().map(decode).collect::<Option<Vec<_>>>();
        Self::from_der(certificates.ok_or(X5cError::Form)?)
    }

    /// A chain of certificates in DER, leaf first.
    ///
    /// # Errors
    /// [`X5cError::Form`].
    pub fn from_der(certificates: Vec<Vec<u8>>) -> Result<Self, X5cError> {
        let parsed = certificates.iter().map(|der| Certificate::from_der(der));
        let parsed = parsed
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| X5cError::Form)?;
        let certificates: Vec<_> = certificates.into_iter().map(CertificateDer::from).collect();
        let self_signed = |certificate: &Certificate| {
            certificate.tbs_certificate().issuer() == certificate.tbs_certificate().subject()
        };
        let (first, more) = parsed.split_first().ok_or(X5cError::Form)?;
        Ok(Self {
            leaf: Leaf::of(first, certificates.first().ok_or(X5cError::Form)?)?,
            leaf_is_self_signed: self_signed(first),
            has_root: more.iter().any(self_signed),
            authority_keys: parsed.iter().filter_map(authority_key).collect(),
            certificates,
        })
    }

    /// What the leaf says, for the case that somebody else vouches for its key.
    #[must_use]
    pub const fn leaf(&self) -> &Leaf {
        &self.leaf
    }

    /// The header's `x5c`.
    #[must_use]
    pub fn to_x5c(&self) -> Value {
        let texts = self.certificates.iter().map(|der| STANDARD.encode(der));
        Value::Array(texts.map(Value::String).collect())
    }

    /// The authority key identifiers of all certificates, base64url: what a query's
    /// `trusted_authorities` of type `aki` is compared with (OpenID4VP 1.0 §6.1.1.1).
    #[must_use]
    pub fn authority_keys(&self) -> &[String] {
        &self.authority_keys
    }

    /// The leaf, if the chain leads to a pinned root and holds at `now` (seconds since 1970): every
    /// signature, time and constraint (RFC 5280 §6).
    ///
    /// # Errors
    /// [`X5cError::Untrusted`].
    pub fn verify(&self, roots: &Roots, now: u64) -> Result<&Leaf, X5cError> {
        if !passes("X5C-02", self.leads_to(roots, now)) {
            return Err(X5cError::Untrusted);
        }
        Ok(&self.leaf)
    }

    /// Whether the chain holds at `now` with its last certificate taken for the root: what can be said
    /// of a chain whose root nobody has pinned. Of a single certificate nothing can. No name in it is
    /// proved by that; the leaf's own time is for the caller to look at.
    #[must_use]
    pub fn holds_together(&self, now: u64) -> bool {
        let [_, .., last] = self.certificates.as_slice() else {
            return true;
        };
        let mut roots = Roots::default();
        roots.add_der(last).is_ok() && self.leads_to(&roots, now)
    }

    fn leads_to(&self, roots: &Roots, now: u64) -> bool {
        let Some((leaf, intermediates)) = self.certificates.split_first() else {
            return false;
        };
        let Ok(leaf) = EndEntityCert::try_from(leaf) else {
            return false;
        };
        let now = UnixTime::since_unix_epoch(Duration::from_secs(now));
        leaf.verify_for_usage(
            ALL_VERIFICATION_ALGS,
            &roots.0,
            intermediates,
            now,
            AnyUsage,
            None,
            None,
        )
        .is_ok()
    }

    /// What the High Assurance Interoperability Profile asks of a chain in a header: the leaf does not
    /// vouch for itself, and the root is not sent along.
    ///
    /// # Errors
    /// [`X5cError::SelfSigned`], [`X5cError::Root`].
    pub fn check_high_assurance(&self) -> Result<(), X5cError> {
        if !passes("X5C-06", !self.leaf_is_self_signed) {
            return Err(X5cError::SelfSigned);
        }
        if !passes("X5C-07", !self.has_root) {
            return Err(X5cError::Root);
        }
        Ok(())
    }
}

impl Leaf {
    fn of(certificate: &Certificate, der: &CertificateDer<'_>) -> Result<Self, X5cError> {
        let names = EndEntityCert::try_from(der).map_err(|_| X5cError::Form)?;
        let validity = certificate.tbs_certificate().validity();
        Ok(Self {
            key: public_key(certificate),
            dns_names: names.valid_dns_names().map(str::to_ascii_lowercase).collect(),
            uris: names.valid_uri_names().map(str::to_owned).collect(),
            hash: base64url_encode(sha256(der).0),
            not_before: validity.not_before.to_unix_duration().as_secs(),
            not_after: validity.not_after.to_unix_duration().as_secs(),
        })
    }

    /// The certified key.
    ///
    /// # Errors
    /// [`X5cError::KeyType`].
    pub fn key(&self) -> Result<&PublicKey, X5cError> {
        self.key.as_ref().ok_or(X5cError::KeyType)
    }

    /// Base64url of the SHA-256 of the certificate: the client identifier after `x509_hash:`.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// Its DNS names, in lower case; a `*.` stands as it is.
    #[must_use]
    pub fn dns_names(&self) -> &[String] {
        &self.dns_names
    }

    /// Its URIs.
    #[must_use]
    pub fn uris(&self) -> &[String] {
        &self.uris
    }

    /// The DID that it says the key is of: the one URI that begins with `did:`. `None` if there is
    /// none, or if there are several.
    #[must_use]
    pub fn did(&self) -> Option<&str> {
        let mut dids = self.uris.iter().filter(|uri| uri.starts_with("did:"));
        let (first, second) = (dids.next(), dids.next());
        if !passes("X5C-05", second.is_none()) {
            return None;
        }
        first.map(String::as_str)
    }

    /// From when until when it says it is valid, in seconds since 1970.
    #[must_use]
    pub const fn validity(&self) -> (u64, u64) {
        (self.not_before, self.not_after)
    }

    /// Checks that it is for a host, by an entry of exactly that name: for the client identifier
    /// prefix `x509_san_dns` a wildcard names nobody (OpenID4VP 1.0 §5.9.3).
    ///
    /// # Errors
    /// [`X5cError::HostName`].
    pub fn expect_host(&self, host: &str) -> Result<(), X5cError> {
        let wanted = host.to_ascii_lowercase();
        let named = !wanted.contains('*') && self.dns_names.contains(&wanted);
        if !passes("X5C-03", named) {
            return Err(X5cError::HostName);
        }
        Ok(())
    }

    /// Checks that it is the one with this hash, for the client identifier prefix `x509_hash`.
    ///
    /// # Errors
    /// [`X5cError::Hash`].
    pub fn expect_hash(&self, hash: &str) -> Result<(), X5cError> {
        if !passes("X5C-04", self.hash == hash) {
            return Err(X5cError::Hash);
        }
        Ok(())
    }
}

/// Certificates for web servers, document signers and readers all serve: what one may sign is decided
/// by who trusts its root for what.
struct AnyUsage;

impl ExtendedKeyUsageValidator for AnyUsage {
    fn validate(&self, usages: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        // Malformed ones still refuse the certificate.
        usages.into_iter().try_for_each(|usage| usage.map(|_| ()))
    }
}

fn authority_key(certificate: &Certificate) -> Option<String> {
    let extension = certificate
        .tbs_certificate()
        .get_extension::<AuthorityKeyIdentifier>();
    let (_, identifier) = extension.ok().flatten()?;
    Some(base64url_encode(identifier.key_identifier?.as_bytes()))
}

fn public_key(certificate: &Certificate) -> Option<PublicKey> {
    let info = certificate.tbs_certificate().subject_public_key_info();
    let bytes = info.subject_public_key.as_bytes()?;
    let oid = info.algorithm.oid;
    if oid == ED25519 {
        return PublicKey::from_bytes(KeyType::Ed25519, bytes).ok();
    }
    let curve: ObjectIdentifier = info.algorithm.parameters.as_ref()?.decode_as().ok()?;
    if oid != EC_PUBLIC_KEY || curve != P256 {
        return None;
    }
    match bytes {
        [4, point @ ..] if point.len() == 64 => {
            PublicKey::from_jwk_parts("EC", "P-256", &point[..32], Some(&point[32..])).ok()
        }
        compressed => PublicKey::from_bytes(KeyType::P256, compressed).ok(),
    }
}
