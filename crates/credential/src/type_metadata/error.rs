//! Why a type's metadata are not used, or a credential does not keep its type's rules.

use crate::IntegrityError;
use crate::path::ClaimPath;

/// Why a type's metadata are not used, or a credential does not keep its type's rules.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TypeMetadataError {
    /// The document is too long, or not of the prescribed form.
    #[error("the type's metadata do not have the prescribed form")]
    Form,
    /// The document is about another type.
    #[error("the type's metadata are about another type")]
    OtherType,
    /// The document is not the one whose hash was signed.
    #[error(transparent)]
    Integrity(#[from] IntegrityError),
    /// A name for a claim in a template occurs twice or is malformed.
    #[error("a claim's svg_id is malformed or occurs twice in the type's metadata")]
    SvgId,
    /// The type extends itself, over other types.
    #[error("the type extends itself")]
    Circle,
    /// The type extends more than [`super::MAX_EXTENDS`] others.
    #[error("the type extends too many others")]
    TooDeep,
    /// A document is still wanted.
    #[error("the metadata of a type that this one extends are missing")]
    Incomplete,
    /// A type changes whether a claim is disclosable, which the extended type fixed.
    #[error("the type changes whether {0} is selectively disclosable")]
    DisclosureChanged(ClaimPath),
    /// A type makes a claim optional that is mandatory in the extended type.
    #[error("the type makes {0} optional, which is mandatory")]
    MandatoryChanged(ClaimPath),
    /// The credential has something else at a path than the path expects.
    #[error("the credential has no place {0} as its type describes it")]
    Path(ClaimPath),
    /// A mandatory claim is missing.
    #[error("the credential lacks {0}, which is mandatory")]
    Missing(ClaimPath),
    /// A claim is open that must be selectively disclosable, or the other way round.
    #[error("the credential's {0} is not selectively disclosable as its type prescribes")]
    Disclosure(ClaimPath),
}

impl TypeMetadataError {
    /// Stable name, for machines.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Form => "type_metadata_form",
            Self::OtherType => "type_metadata_other_type",
            Self::Integrity(error) => error.code(),
            Self::SvgId => "type_metadata_svg_id",
            Self::Circle => "type_metadata_circle",
            Self::TooDeep => "type_metadata_too_deep",
            Self::Incomplete => "type_metadata_incomplete",
            Self::DisclosureChanged(_) => "type_metadata_sd_changed",
            Self::MandatoryChanged(_) => "type_metadata_mandatory_changed",
            Self::Path(_) => "type_rule_path",
            Self::Missing(_) => "type_rule_missing",
            Self::Disclosure(_) => "type_rule_disclosure",
        }
    }

    /// What helps, in plain words.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Integrity(error) => error.hint(),
            Self::Incomplete => "Fetch the document that is wanted next, then add it.",
            Self::Path(_) | Self::Missing(_) | Self::Disclosure(_) => {
                "The issuer has to issue the credential by its type's metadata, or mend those."
            }
            _ => "The publisher of the type's metadata has to mend them.",
        }
    }
}
