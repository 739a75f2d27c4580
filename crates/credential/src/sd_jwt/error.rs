//! Why an SD-JWT is not accepted, not made, or does not show what is asked.

use realdid_jose::jws::JwsError;

use crate::path::ClaimPath;

/// Why an SD-JWT, with or without key binding, is not accepted. None of it names a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SdJwtError {
    /// Longer than [`super::MAX_SD_JWT`].
    #[error("the credential is longer than is read here")]
    TooLong,
    /// More than [`super::MAX_DISCLOSURES`] disclosures.
    #[error("the credential has more disclosures than are read here")]
    TooMany,
    /// Deeper than [`super::MAX_DEPTH`].
    #[error("the credential's claims are nested deeper than is read here")]
    TooDeep,
    /// Not parts that are each followed by a tilde.
    #[error("the message is not an SD-JWT: its parts do not each end with a tilde")]
    Form,
    /// The part signed by the issuer is not accepted.
    #[error("the issuer's part is not accepted: {0}")]
    Issuer(JwsError),
    /// `_sd_alg` is no hash function that is understood.
    #[error("the credential names its disclosures by a hash function that is not understood")]
    UnknownHash,
    /// `_sd_alg` stands elsewhere than at the top of the issuer's part.
    #[error("the credential has the name of its hash function elsewhere than at the top")]
    HashName,
    /// `_sd` is not an array of strings.
    #[error("the credential has digests that are not an array of strings")]
    DigestForm,
    /// `...` stands elsewhere than alone in an array's element, or with something else than a digest.
    #[error("the credential uses the name of three dots for something else than a digest")]
    Dots,
    /// A digest occurs twice.
    #[error("a digest occurs twice in the credential")]
    DigestTwice,
    /// The disclosure of an object's member is not an array of salt, name and value.
    #[error("the disclosure of a member is not an array of salt, name and value")]
    MemberDisclosure,
    /// The disclosure of an array's element is not an array of salt and value.
    #[error("the disclosure of an element is not an array of salt and value")]
    ElementDisclosure,
    /// A disclosure gives a claim the name `_sd` or `...`.
    #[error("a disclosure has a name that is reserved")]
    ReservedName,
    /// A disclosure gives a claim a name that stands there already.
    #[error("a disclosure has the name of a claim that stands there already")]
    NameTwice,
    /// The same disclosure is there twice.
    #[error("the same disclosure is there twice")]
    DisclosureTwice,
    /// No digest names a disclosure.
    #[error("a disclosure belongs to no digest of the credential")]
    Unreferenced,
    /// An issuer hands out a credential without key binding (RFC 9901 §7.2).
    #[error("the credential comes with a key binding, which is the holder's to make")]
    Bound,
    /// Key binding is required and there is none.
    #[error("the presentation is not bound to the holder's key")]
    Unbound,
    /// The credential names no holder's key that can be used here.
    #[error("the credential names no key of its holder that can be used here")]
    HolderKey,
    /// The key binding is not accepted as a signed message.
    #[error("the key binding is not accepted: {0}")]
    Binding(JwsError),
    /// The key binding's `typ` is not `kb+jwt`.
    #[error("the key binding is a message of another type")]
    BindingType,
    /// The key binding's claims have not the form that is prescribed.
    #[error("the key binding's claims do not have the prescribed form")]
    BindingForm,
    /// The key binding is meant for somebody else.
    #[error("the presentation is meant for somebody else")]
    Audience,
    /// The key binding belongs to another request.
    #[error("the presentation belongs to another request")]
    Nonce,
    /// The key binding is too old.
    #[error("the presentation was made too long ago")]
    Stale,
    /// The key binding is from the future.
    #[error("the presentation was made in the future")]
    Early,
    /// The key binding has an `exp` or `nbf` of its own that does not fit.
    #[error("the key binding is not valid now by its own times")]
    BindingTimes,
    /// The key binding is for another credential or other disclosures.
    #[error("the key binding is for another credential or for other disclosures")]
    OtherDisclosures,
}

impl SdJwtError {
    /// Stable name, for machines.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLong => "credential_too_long",
            Self::TooMany => "credential_too_many_disclosures",
            Self::TooDeep => "credential_too_deep",
            Self::Form => "credential_form",
            Self::Issuer(JwsError::Signature) => "credential_signature",
            Self::Issuer(JwsError::Algorithm) => "credential_algorithm",
            Self::Issuer(_) => "credential_issuer_part",
            Self::UnknownHash => "credential_unknown_hash",
            Self::HashName => "credential_hash_name",
            Self::DigestForm => "credential_digest_form",
            Self::Dots => "credential_three_dots",
            Self::DigestTwice => "credential_digest_twice",
            Self::MemberDisclosure => "credential_member_disclosure",
            Self::ElementDisclosure => "credential_element_disclosure",
            Self::ReservedName => "credential_reserved_name",
            Self::NameTwice => "credential_name_twice",
            Self::DisclosureTwice => "credential_disclosure_twice",
            Self::Unreferenced => "credential_unreferenced_disclosure",
            Self::Bound => "credential_already_bound",
            Self::Unbound => "key_binding_missing",
            Self::HolderKey => "holder_key_unusable",
            Self::Binding(JwsError::Signature) => "key_binding_signature",
            Self::Binding(JwsError::Algorithm) => "key_binding_algorithm",
            Self::Binding(_) => "key_binding_message",
            Self::BindingType => "key_binding_type",
            Self::BindingForm => "key_binding_form",
            Self::Audience => "key_binding_audience",
            Self::Nonce => "key_binding_nonce",
            Self::Stale => "key_binding_stale",
            Self::Early => "key_binding_early",
            Self::BindingTimes => "key_binding_times",
            Self::OtherDisclosures => "key_binding_other_disclosures",
        }
    }

    /// What helps, in plain words.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::TooLong | Self::TooMany | Self::TooDeep => {
                "The limits are 256 KiB, 1,024 disclosures and 32 levels; ask the issuer for a smaller credential."
            }
            Self::UnknownHash => "Understood are sha-256, sha-384, sha-512 and sm3.",
            Self::Issuer(JwsError::Signature | JwsError::Algorithm) => {
                "The key that was found for the issuer did not sign this: look at kid, x5c or the issuer's metadata."
            }
            Self::Bound => "Issue the SD-JWT so that it ends with a tilde.",
            Self::Unbound => "Present it again with a key binding JWT after the last tilde.",
            Self::HolderKey => {
                "cnf.jwk must be a public key: P-256, Ed25519, or SM2 between parties that know it."
            }
            Self::Binding(_) | Self::BindingType | Self::BindingForm => {
                "A key binding is a JWT of type kb+jwt with iat, aud, nonce and sd_hash, signed by cnf's key."
            }
            Self::Audience | Self::Nonce | Self::OtherDisclosures => {
                "Present the credential again, in answer to the current request."
            }
            Self::Stale | Self::Early | Self::BindingTimes => {
                "Check the clocks, then present the credential again."
            }
            _ => "The credential does not keep RFC 9901; the one who made or altered it has to mend it.",
        }
    }
}

/// Why an SD-JWT is not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IssueError {
    /// The claims have `_sd`, `_sd_alg` or `...` as a name somewhere.
    #[error("the claims use a name that is reserved")]
    ReservedName,
    /// A path of what is to be disclosable leads to no claim: the claim meant would stay open to all.
    #[error("no claim stands at {0}, which was to be made disclosable")]
    NothingThere(ClaimPath),
    /// A claim on which validity depends must not be disclosable.
    #[error("the claim at {0} decides about validity and must not be selectively disclosable")]
    NeverDisclosable(ClaimPath),
    /// Beyond what is read: [`super::MAX_DEPTH`], [`super::MAX_DISCLOSURES`], [`super::MAX_DECOYS`],
    /// [`super::MAX_SD_JWT`].
    #[error("the credential would be larger or deeper than is read")]
    TooLarge,
    /// It cannot be put into signed form.
    #[error("the credential cannot be signed: {0}")]
    Jws(JwsError),
}

impl IssueError {
    /// Stable name, for machines.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::ReservedName => "issue_reserved_name",
            Self::NothingThere(_) => "issue_nothing_there",
            Self::NeverDisclosable(_) => "issue_never_disclosable",
            Self::TooLarge => "issue_too_large",
            Self::Jws(_) => "issue_jws",
        }
    }

    /// What helps, in plain words.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::ReservedName => "Rename the claim: _sd, _sd_alg and ... belong to the format.",
            Self::NothingThere(_) => "Correct the path, or leave it out for a subject without this claim.",
            Self::NeverDisclosable(_) => "Take the path out of the list of what is disclosable.",
            Self::TooLarge | Self::Jws(_) => "Issue fewer or smaller claims, or fewer decoys.",
        }
    }
}

/// A path leads to no claim of the credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the credential has no claim at {0}")]
pub struct SelectError(pub ClaimPath);
