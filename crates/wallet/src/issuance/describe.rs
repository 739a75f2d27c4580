//! Fetching, once, what a credential's type says of itself (SD-JWT VC, Type Metadata).
//!
//! A document is looked for at the type's https address; for a type without one at its issuer's own
//! ([`at_issuer`], protocol.md §7). None of it is needed: where there is none, names are the issuer's
//! metadata's. What there is has to be in order, or the credential is not taken:
//!
//! | what is found | what becomes of the credential |
//! |---|---|
//! | nothing, or nothing about the type | kept without |
//! | another document than the credential was signed with (`vct#integrity`) | refused |
//! | a malformed one, a circle, too many types one over the other | refused |
//! | rules that the credential does not keep | refused |

use realdid_checks::passes;
use realdid_credential::Integrity;
use realdid_credential::sd_jwt::SdJwt;
use realdid_credential::type_metadata::{Chain, Complete, MAX_DOCUMENT, TypeMetadata, TypeMetadataError};
use realdid_credential::vc::{UnverifiedVc, VcError};
use realdid_jose::json::parse_object;
use realdid_openid::check_address;
use realdid_openid::vci::NotificationEvent;
use serde_json::Value;
use url::Url;

use super::collect::Collecting;
use super::judge::JudgeError;
use super::{Issuance, IssuanceError, Received, Stage};
use crate::credentials::HeldCopy;

/// A document to be fetched by GET, without anything that tells who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeDocument {
    /// Where it lies: https, in a sandbox http on loopback. It comes from a stranger.
    pub url: Url,
    /// What it is, as a media type.
    pub media_type: &'static str,
    /// How many bytes are read at most: the rest of what all of them together may have.
    pub limit: usize,
    /// Whether the credential says which document it must be.
    pub signed: bool,
}

/// The documents of a type, as they come.
#[derive(Debug)]
pub(super) struct Describing {
    chain: Chain,
    documents: Vec<String>,
    /// Where the issuer has its types' documents, if the type is no address itself.
    at_issuer: Option<Url>,
    sandbox: bool,
}

/// What became of a document.
#[derive(Debug)]
pub(super) enum Described {
    /// Another one is wanted.
    More(Describing),
    /// This is the type with all that it extends.
    Whole(Vec<String>),
    /// There is nothing to go by.
    Nothing,
}

/// Where an issuer has the document of one of its configurations whose type is no address: below its
/// identifier, at `/vct/` and the configuration's name (protocol.md §7).
fn at_issuer(issuer: &str, configuration: &str) -> Option<Url> {
    let mut url = Url::parse(issuer).ok()?;
    url.path_segments_mut()
        .ok()?
        .pop_if_empty()
        .push("vct")
        .push(configuration);
    Some(url)
}

/// Integrity of the type's metadata as the copies state it, which all of them state alike.
///
/// # Errors
/// [`JudgeError::TypeIntegrity`], [`JudgeError::Credential`].
pub(super) fn stated_integrity(copies: &[HeldCopy]) -> Result<Option<Integrity>, JudgeError> {
    let mut stated = Vec::new();
    for copy in copies {
        let parsed = UnverifiedVc::parse_issued(&copy.compact)?;
        let text = parsed.sd_jwt().stated("vct#integrity").and_then(Value::as_str);
        stated.push(text.map(str::to_owned));
    }
    let alike = stated.windows(2).all(|pair| pair[0] == pair[1]);
    if !passes("WVC-33", alike) {
        return Err(JudgeError::TypeIntegrity);
    }
    let first = stated.into_iter().next().flatten();
    // That it is one was found when the copies were judged.
    Ok(first.and_then(|text| Integrity::parse(&text).ok()))
}

impl Describing {
    /// Begins with a type; its `issuer` and `configuration` tell where to look if it is no address, which
    /// is done only if it is signed what must be found.
    pub(super) fn of(
        vct: &str,
        integrity: Option<Integrity>,
        (issuer, configuration): (&str, &str),
        sandbox: bool,
    ) -> Self {
        let is_name = !vct.starts_with("https://") && !vct.starts_with("http://");
        let at_issuer = (is_name && integrity.is_some())
            .then(|| at_issuer(issuer, configuration))
            .flatten();
        Self {
            chain: Chain::new(vct, integrity),
            documents: Vec::new(),
            at_issuer,
            sandbox,
        }
    }

    /// The document to be fetched next; `None` if there is nowhere to look for it.
    pub(super) fn wanted(&self) -> Option<TypeDocument> {
        let wanted = self.chain.wanted()?;
        let address = match &self.at_issuer {
            Some(url) if self.documents.is_empty() => url.as_str(),
            _ => &wanted.vct,
        };
        let url = check_address(address, self.sandbox).ok()?;
        let taken: usize = self.documents.iter().map(String::len).sum();
        Some(TypeDocument {
            url,
            media_type: "application/json",
            limit: MAX_DOCUMENT.saturating_sub(taken),
            signed: wanted.integrity.is_some(),
        })
    }

    /// Takes what was found, or `None`.
    ///
    /// # Errors
    /// [`JudgeError::Description`].
    pub(super) fn found(mut self, document: Option<&[u8]>) -> Result<Described, JudgeError> {
        let (Some(document), Some(wanted)) = (document, self.chain.wanted()) else {
            return Ok(Described::Nothing);
        };
        // Where nothing says that a document must be there, a page for people is none.
        let must_be = wanted.integrity.is_some() && (self.at_issuer.is_none() || !self.documents.is_empty());
        if !must_be && !is_about(document, &wanted.vct) {
            return Ok(Described::Nothing);
        }
        self.chain.add(document)?;
        self.documents
            .push(String::from_utf8_lossy(document).into_owned());
        Ok(match self.chain.wanted() {
            Some(_) => Described::More(self),
            None => Described::Whole(self.documents),
        })
    }
}

/// Whether this is a document about a type at all.
fn is_about(document: &[u8], vct: &str) -> bool {
    let object = parse_object(document);
    object.is_some_and(|object| object.get("vct").and_then(Value::as_str) == Some(vct))
}

impl Issuance {
    /// Looks for what the credential's type says of itself, or has it already.
    pub(super) fn describe(
        &mut self,
        received: Received,
        notification: Option<String>,
    ) -> Result<(), IssuanceError> {
        let credential = &received.credential;
        let described = match stated_integrity(&credential.copies) {
            Ok(integrity) => match self.kept_documents(&credential.vct, integrity.as_ref()) {
                Some(documents) => Ok(Described::Whole(documents)),
                None => {
                    let at = (&*self.issuer, &*credential.renewal.configuration);
                    let begun = Describing::of(&credential.vct, integrity, at, self.options.sandbox);
                    Ok(Described::More(begun))
                }
            },
            Err(error) => Err(error),
        };
        self.go_on(received, notification, described)
    }

    /// Those that came with the copies which are being refreshed, if they are the signed ones.
    fn kept_documents(&self, vct: &str, integrity: Option<&Integrity>) -> Option<Vec<String>> {
        let naming = &self.refreshed.as_ref()?.naming;
        naming.type_metadata(vct, Some(integrity?.clone()))?;
        Some(naming.documents.clone())
    }

    /// What was found at the address of [`super::Step::Describe`]; `None` if nothing was. After a failure
    /// the steps that are left tell the issuer.
    ///
    /// # Errors
    /// [`IssuanceError::Judge`].
    pub fn described(&mut self, document: Option<&[u8]>) -> Result<(), IssuanceError> {
        if !matches!(self.stage, Stage::Collect(Collecting::Describe(..))) {
            return Err(IssuanceError::Damaged);
        }
        match std::mem::replace(&mut self.stage, Stage::Collect(Collecting::Next)) {
            Stage::Collect(Collecting::Describe(received, notification, describing)) => {
                self.go_on(*received, notification, describing.found(document))
            }
            _ => Err(IssuanceError::Damaged),
        }
    }

    fn go_on(
        &mut self,
        mut received: Received,
        notification: Option<String>,
        described: Result<Described, JudgeError>,
    ) -> Result<(), IssuanceError> {
        let credential = &mut received.credential;
        let judged = match described {
            Ok(Described::More(describing)) if describing.wanted().is_some() => {
                let describe = Collecting::Describe(Box::new(received), notification, describing);
                self.stage = Stage::Collect(describe);
                return Ok(());
            }
            Ok(Described::More(_) | Described::Nothing) => Ok(()),
            Ok(Described::Whole(documents)) => {
                credential.naming.documents = documents;
                let metadata = credential.naming.type_metadata(&credential.vct, None);
                check_rules(metadata, &credential.copies)
            }
            Err(error) => Err(error),
        };
        if let Err(error) = judged {
            self.tell(notification, NotificationEvent::CredentialFailure)?;
            return Err(error.into());
        }
        self.stage = Stage::Collect(Collecting::Store(Box::new(received), notification));
        Ok(())
    }
}

/// Whether the copies keep their type's rules; a holder has all of each (SD-JWT VC, Processing Type
/// Metadata).
///
/// # Errors
/// [`JudgeError::Description`], [`JudgeError::Credential`].
pub(super) fn check_rules(metadata: Option<TypeMetadata>, copies: &[HeldCopy]) -> Result<(), JudgeError> {
    let metadata = metadata.ok_or(TypeMetadataError::Form)?;
    for copy in copies {
        let disclosed = SdJwt::parse(&copy.compact).and_then(|parsed| parsed.disclosed());
        metadata.check(&disclosed.map_err(VcError::from)?, Complete::Yes)?;
    }
    Ok(())
}
