//! Whether a credential keeps the rules of its type (SD-JWT VC, Claim Metadata).

use realdid_checks::passes;

use super::document::{ClaimMetadata, SelectiveDisclosure};
use super::{TypeMetadata, TypeMetadataError};
use crate::claims::{Claim, Places};
use crate::sd_jwt::Disclosed;

/// What the reader has of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Complete {
    /// All disclosures, as a holder has them: what is missing was not issued.
    Yes,
    /// Those that were shown: what is missing may have been kept back.
    No,
}

impl TypeMetadata {
    /// Checks a credential's claims by the type's rules. The credential is of this type: the caller
    /// compares `vct`.
    ///
    /// # Errors
    /// [`TypeMetadataError::Path`], [`TypeMetadataError::Missing`], [`TypeMetadataError::Disclosure`].
    pub fn check(&self, disclosed: &Disclosed, complete: Complete) -> Result<(), TypeMetadataError> {
        self.claims()
            .iter()
            .try_for_each(|claim| check_claim(claim, disclosed.root(), complete))
    }
}

fn check_claim(rule: &ClaimMetadata, root: &Claim, complete: Complete) -> Result<(), TypeMetadataError> {
    let selected = root.select(&rule.path, Places::Issued);
    if !passes("SVC-28", selected.is_ok()) {
        return Err(TypeMetadataError::Path(rule.path.clone()));
    }
    let selected = selected.unwrap_or_default();
    let sd = rule.sd.unwrap_or_default();
    // At the top a claim that may never be disclosable cannot have been kept back.
    let cannot_hide = rule.path.0.len() == 1 && sd == SelectiveDisclosure::Never;
    let missing = selected.is_empty() && (complete == Complete::Yes || cannot_hide);
    if !passes("SVC-29", !(rule.mandatory == Some(true) && missing)) {
        return Err(TypeMetadataError::Missing(rule.path.clone()));
    }
    let as_prescribed = selected
        .iter()
        .filter_map(|chain| chain.last())
        .all(|claim| match sd {
            SelectiveDisclosure::Always => claim.disclosable,
            SelectiveDisclosure::Allowed => true,
            SelectiveDisclosure::Never => !claim.disclosable,
        });
    if !passes("SVC-30", as_prescribed) {
        return Err(TypeMetadataError::Disclosure(rule.path.clone()));
    }
    Ok(())
}
