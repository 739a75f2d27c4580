//! The file that `realdid verify` checks offline: a DID's document with everything that proves it.

use realdid_checks::passes;
use realdid_crypto::{Hash, base64url_decode, base64url_encode};
use realdid_did::{
    Did, DidError, DocumentData, Entry, Inception, OperationError, SignedOperation, Status, did_document,
};
use serde_json::Value;

use crate::finality::{FinalityError, FinalityProof, FinalizedHeader};
use crate::light::TrustAnchor;
use crate::record::{Record, state_key};
use crate::state_proof::{StateProof, StateProofError};

/// Format of proof files. 0 is unstable until the state storage is decided.
pub const PROOF_FORMAT: u32 = 1;
/// Largest proof file that is read, in bytes.
pub const MAX_PROOF_FILE: usize = 2 << 20;
/// Most operations in a proof file.
pub const MAX_PROOF_OPERATIONS: usize = 64;

/// Why a proof file does not prove what it claims.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofFileError {
    /// Larger than [`MAX_PROOF_FILE`].
    #[error("the file is larger than {MAX_PROOF_FILE} bytes")]
    TooLarge,
    /// Not JSON of the expected shape.
    #[error("the file is not a proof file")]
    Json,
    /// A format this software does not read.
    #[error("the file's proof_format is not {PROOF_FORMAT}")]
    Format,
    /// A field is not base64url of canonical bytes; it is named.
    #[error("the field `{0}` is malformed")]
    Field(&'static str),
    /// The DID is not one.
    #[error("the file's DID is not valid: {0}")]
    Did(#[from] DidError),
    /// The header is not final under the pinned network key.
    #[error("the header is not final under the pinned network key: {0}")]
    Finality(#[from] FinalityError),
    /// The state proof does not lead from the DID to the header.
    #[error("the state proof does not hold: {0}")]
    State(#[from] StateProofError),
    /// The proven value is not a DID's entry.
    #[error("the proven value is not the entry of a DID")]
    Entry,
    /// An operation is not valid by itself.
    #[error("an operation does not hold: {0}")]
    Operation(#[from] OperationError),
    /// The operations do not lead to the entry's last operation.
    #[error("the operations do not lead to the entry's last operation")]
    Chain,
    /// The document data is not the one the entry names, or the inception not the DID's.
    #[error("the document data is not the one that is proven")]
    DocumentData,
    /// The document is not the one derived from the proven data.
    #[error("the document is not the one derived from the proven data")]
    Document,
    /// The file is not the canonical text of what it says.
    #[error("the file is not in its canonical form")]
    NotCanonical,
}

impl ProofFileError {
    /// The stable code, the same in every language and version.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLarge => "proof_too_large",
            Self::Json => "proof_not_json",
            Self::Format => "proof_format_unknown",
            Self::Field(_) => "proof_field_malformed",
            Self::Did(_) => "proof_did_invalid",
            Self::Finality(_) => "proof_certificate_invalid",
            Self::State(_) => "proof_state_invalid",
            Self::Entry => "proof_entry_invalid",
            Self::Operation(_) => "proof_operation_invalid",
            Self::Chain => "proof_operations_unlinked",
            Self::DocumentData => "proof_document_data_mismatch",
            Self::Document => "proof_document_mismatch",
            Self::NotCanonical => "proof_not_canonical",
        }
    }
}

/// What the document is derived from.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Evidence {
    /// The DID is not on the ledger: its inception, base64url.
    Inception(String),
    /// Signed operations, base64url, from the one that set the current document to the last one.
    Operations(Vec<String>),
}

/// A proof file: indented JSON with the fields in this order and a newline at the end.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProofFile {
    /// [`PROOF_FORMAT`].
    pub proof_format: u32,
    /// The DID, short form.
    pub did: String,
    /// The DID document (DID Core).
    pub document: Value,
    /// What the document is derived from.
    pub evidence: Evidence,
    /// [`FinalityProof`], base64url.
    pub finality: String,
    /// [`StateProof`] of the DID's key, base64url.
    pub state: String,
}

/// What a proof file was found to prove.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Verdict {
    /// The DID, short form.
    pub did: String,
    /// Whether the DID is on the ledger; if not, it is still at its inception.
    pub published: bool,
    /// How it stood at the header's time.
    pub status: Status,
    /// How many operations it has had; 0 if not published.
    pub version: u32,
    /// Height of the header.
    pub height: u64,
    /// Time of the header, in Unix seconds.
    pub time: u64,
    /// Hash of the charter of the network.
    pub charter: Hash,
    /// The document.
    pub document: Value,
}

impl ProofFile {
    /// Puts a file together. Nothing is checked; [`Self::verify`] does.
    #[must_use]
    pub fn new(
        did: &Did,
        data: &DocumentData,
        evidence: Evidence,
        finality: &FinalityProof,
        state: &StateProof,
    ) -> Self {
        Self {
            proof_format: PROOF_FORMAT,
            did: did.to_string(),
            document: did_document(did, data),
            evidence,
            finality: base64url_encode(finality.encode()),
            state: base64url_encode(state.encode()),
        }
    }

    /// The canonical text.
    ///
    /// # Panics
    /// Never: a proof file always has a JSON form.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a proof file has a JSON form") + "\n"
    }

    /// Checks a file's bytes against a pinned network. `charter_hash` is compared if it is pinned
    /// too; without it the certificate alone, made under the pinned key, says which charter it is.
    ///
    /// # Errors
    /// [`ProofFileError`], the first reason found.
    pub fn verify(
        json: &[u8],
        network_key: &[u8; crate::NETWORK_KEY_LENGTH],
        charter_hash: Option<&Hash>,
    ) -> Result<Verdict, ProofFileError> {
        if json.len() > MAX_PROOF_FILE {
            return Err(ProofFileError::TooLarge);
        }
        let file: Self = serde_json::from_slice(json).map_err(|_| ProofFileError::Json)?;
        if !passes("LED-25", file.proof_format == PROOF_FORMAT) {
            return Err(ProofFileError::Format);
        }
        let did: Did = file.did.parse()?;
        let header = file.header(network_key, charter_hash)?;
        let time = header.header().time_ms / 1000;
        let charter = Hash(header.header().charter);
        let state = StateProof::decode(&bytes(&file.state, "state")?)?;
        let value = state.verify_lookup(&state_key::did(&did.hash), &header.header().state_root)?;
        let entry = match value.map(|value| Record::decode(&value)) {
            None => None,
            Some(Ok(Record::Did(entry))) => Some(*entry),
            Some(_) => return Err(ProofFileError::Entry),
        };
        let data = match &entry {
            None => file.evidence.inception(&did, &charter)?.document,
            Some(entry) => file.evidence.document(&did, &charter, &entry.at(time), entry)?,
        };
        let document = did_document(&did, &data);
        if !passes("LED-26", file.document == document) {
            return Err(ProofFileError::Document);
        }
        let canonical = Self {
            document: document.clone(),
            ..file
        };
        if !passes("LED-27", canonical.to_json().as_bytes() == json) {
            return Err(ProofFileError::NotCanonical);
        }
        Ok(Verdict {
            did: did.to_string(),
            published: entry.is_some(),
            status: entry.as_ref().map_or(Status::Active, |entry| entry.status(time)),
            version: entry.map_or(0, |entry| entry.version),
            height: header.header().height,
            time,
            charter,
            document,
        })
    }

    /// As [`Self::verify`], with both parts of a trust anchor.
    ///
    /// # Errors
    /// [`ProofFileError`].
    pub fn verify_with(json: &[u8], anchor: &TrustAnchor) -> Result<Verdict, ProofFileError> {
        Self::verify(json, &anchor.network_key, Some(&anchor.charter_hash))
    }

    fn header(
        &self,
        network_key: &[u8; crate::NETWORK_KEY_LENGTH],
        charter_hash: Option<&Hash>,
    ) -> Result<FinalizedHeader, ProofFileError> {
        let finality = FinalityProof::decode(&bytes(&self.finality, "finality")?)?;
        let claimed = finality.headers.first().map(|header| header.charter);
        let charter = charter_hash
            .map(|hash| hash.0)
            .or(claimed)
            .ok_or(ProofFileError::Field("finality"))?;
        Ok(finality.verify(&charter, network_key)?)
    }
}

impl Evidence {
    /// The inception of a DID that is not on the ledger.
    fn inception(&self, did: &Did, charter: &Hash) -> Result<Inception, ProofFileError> {
        let Self::Inception(text) = self else {
            return Err(ProofFileError::DocumentData);
        };
        let inception =
            Inception::decode(&bytes(text, "inception")?).map_err(|_| ProofFileError::Field("inception"))?;
        let own = inception.hash() == did.hash && inception.charter == *charter;
        if !passes("LED-29", own) {
            return Err(ProofFileError::DocumentData);
        }
        Ok(inception)
    }

    /// The document data of a DID on the ledger, by operations that lead to its last one.
    fn document(
        &self,
        did: &Did,
        charter: &Hash,
        current: &Entry,
        stored: &Entry,
    ) -> Result<DocumentData, ProofFileError> {
        let Self::Operations(texts) = self else {
            return Err(ProofFileError::DocumentData);
        };
        if texts.len() > MAX_PROOF_OPERATIONS {
            return Err(ProofFileError::Chain);
        }
        let mut previous = None;
        let mut data = None;
        for text in texts {
            let operation = SignedOperation::decode(&bytes(text, "operations")?)?.verify(charter)?;
            let linked = previous.is_none_or(|hash| hash == operation.operation().previous);
            if !passes("LED-30", linked && operation.operation().did == did.hash) {
                return Err(ProofFileError::Chain);
            }
            if previous.is_none() {
                // A first operation that recovers or deactivates carries the inception as well.
                let set = operation.operation().document();
                let first = operation
                    .operation()
                    .founding()
                    .map(|founding| founding.inception.document.clone());
                data = set
                    .into_iter()
                    .chain(first)
                    .find(|data| passes("LED-32", data.hash() == current.document));
            }
            previous = Some(operation.hash());
        }
        if !passes("LED-31", previous == Some(stored.last_operation)) {
            return Err(ProofFileError::Chain);
        }
        data.ok_or(ProofFileError::DocumentData)
    }
}

fn bytes(text: &str, field: &'static str) -> Result<Vec<u8>, ProofFileError> {
    base64url_decode(text).map_err(|_| ProofFileError::Field(field))
}
