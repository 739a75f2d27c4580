//! What the holder is asked to authorise by a presentation (OpenID4VP 1.0 §5.1, §8.4, §B.3.3).
//!
//! A verifier may ask for any type: it only compares hashes. A wallet authorises what it can show,
//! which is [`STATEMENT`] alone: a text.

use realdid_checks::passes;
use realdid_crypto::{base64url_decode, base64url_encode, sha256};
use serde_json::{Map, Value};

use crate::dcql::CheckedQuery;
use crate::json::parse_object;
use crate::text::is_seen;

/// The type of a transaction that is a text to be shown: `{type, credential_ids, statement}`.
pub const STATEMENT: &str = "urn:realdid:transaction:statement";
/// Most transactions of a request.
pub const MAX_TRANSACTIONS: usize = 8;
/// Longest transaction, encoded, in bytes.
pub const MAX_TRANSACTION: usize = 8 * 1024;
/// Longest statement, in bytes.
const MAX_STATEMENT: usize = 1024;
/// The one hash algorithm.
const HASH: &str = "sha-256";

/// Why transaction data is refused (`invalid_transaction_data`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TransactionError {
    /// An empty list, more than [`MAX_TRANSACTIONS`], or one longer than [`MAX_TRANSACTION`].
    #[error("the transaction data is empty or too large")]
    Size,
    /// Not base64url of a JSON object with `type` and `credential_ids`.
    #[error("the transaction data is malformed")]
    Form,
    /// A type that this wallet cannot show.
    #[error("the transaction is of a type that cannot be shown here")]
    Type,
    /// Members that the type does not have, or values it does not allow.
    #[error("the transaction has members or values that its type does not have")]
    Members,
    /// It refers to credentials that are not asked for, or not bound to a key.
    #[error("the transaction refers to a credential that is not asked for with a proof of its key")]
    Credentials,
    /// It asks for hashes that are not made here.
    #[error("the transaction asks for another hash algorithm than sha-256")]
    Hash,
    /// A presentation does not bind what was to be authorised.
    #[error("the presentation does not authorise the transaction that was asked for")]
    NotBound,
}

/// A transaction as it was sent.
#[derive(Debug, Clone, PartialEq)]
pub struct TransactionData {
    /// The text in the request: what is hashed.
    encoded: String,
    /// `type`.
    pub kind: String,
    /// Which credential queries may authorise it; one of them has to.
    pub credential_ids: Vec<String>,
    /// Whether the request names hash algorithms, which the answer then repeats.
    pub names_hash: bool,
    /// All members.
    pub object: Map<String, Value>,
}

impl TransactionData {
    /// Encodes a transaction for a request.
    #[must_use]
    pub fn encode(object: &Map<String, Value>) -> String {
        base64url_encode(Value::Object(object.clone()).to_string())
    }

    /// Reads the transactions of a request and checks that each refers to credentials asked for with
    /// a proof of their key.
    ///
    /// # Errors
    /// [`TransactionError`].
    pub fn read(encoded: &[String], query: &CheckedQuery) -> Result<Vec<Self>, TransactionError> {
        let sizes = (1..=MAX_TRANSACTIONS).contains(&encoded.len());
        let short = encoded.iter().all(|text| text.len() <= MAX_TRANSACTION);
        if !passes("VP-33", sizes && short) {
            return Err(TransactionError::Size);
        }
        encoded.iter().map(|text| Self::read_one(text, query)).collect()
    }

    fn read_one(encoded: &str, query: &CheckedQuery) -> Result<Self, TransactionError> {
        let bytes = base64url_decode(encoded).map_err(|_| TransactionError::Form)?;
        let object = parse_object(&bytes).ok_or(TransactionError::Form)?;
        let text = |name: &str| object.get(name).and_then(Value::as_str);
        let list = |name: &str| -> Option<Vec<String>> {
            let items = object.get(name)?.as_array()?.iter();
            items.map(|item| item.as_str().map(str::to_owned)).collect()
        };
        let kind = text("type").ok_or(TransactionError::Form)?.to_owned();
        let credential_ids = list("credential_ids").ok_or(TransactionError::Form)?;
        let bound = |id: &String| {
            query
                .credential(id)
                .is_some_and(|asked| asked.needs_holder_binding())
        };
        if !passes(
            "VP-34",
            !credential_ids.is_empty() && credential_ids.iter().all(bound),
        ) {
            return Err(TransactionError::Credentials);
        }
        let names_hash = object.contains_key("transaction_data_hashes_alg");
        let algorithms = list("transaction_data_hashes_alg").unwrap_or_default();
        if !passes("VP-35", !names_hash || algorithms.iter().any(|name| name == HASH)) {
            return Err(TransactionError::Hash);
        }
        Ok(Self {
            encoded: encoded.to_owned(),
            kind,
            credential_ids,
            names_hash,
            object,
        })
    }

    /// The text to show, if this is a transaction that a wallet of ours can show whole.
    ///
    /// # Errors
    /// [`TransactionError::Type`], [`TransactionError::Members`].
    pub fn statement(&self) -> Result<&str, TransactionError> {
        if !passes("VP-20", self.kind == STATEMENT) {
            return Err(TransactionError::Type);
        }
        let known = [
            "type",
            "credential_ids",
            "transaction_data_hashes_alg",
            "statement",
        ];
        let only = self.object.keys().all(|name| known.contains(&name.as_str()));
        let text = self
            .object
            .get("statement")
            .and_then(Value::as_str)
            .unwrap_or_default();
        // Line breaks may be shown in a statement; what is not seen, or turns the direction, may not.
        let shown =
            (1..=MAX_STATEMENT).contains(&text.len()) && text.chars().all(|c| c == '\n' || is_seen(c));
        if passes("VP-36", only && shown) {
            Ok(text)
        } else {
            Err(TransactionError::Members)
        }
    }

    /// What a key-bound presentation holds of it (`transaction_data_hashes`): SHA-256 over the text in
    /// the request, base64url.
    #[must_use]
    pub fn hash(&self) -> String {
        base64url_encode(sha256(self.encoded.as_bytes()).0)
    }

    /// `transaction_data_hashes_alg` of the presentation, where the request names algorithms.
    #[must_use]
    pub fn hash_algorithm(&self) -> Option<&'static str> {
        self.names_hash.then_some(HASH)
    }
}

/// Checks, as the verifier, that each transaction was authorised by one of the credentials it
/// names. `bound` gives the hashes in the key-binding claims of each presentation, under the
/// identifier of its query.
///
/// # Errors
/// [`TransactionError::NotBound`].
pub fn check_bound(
    transactions: &[TransactionData],
    bound: &[(String, Vec<String>)],
) -> Result<(), TransactionError> {
    let authorised = |transaction: &TransactionData| {
        let hash = transaction.hash();
        let mut own = bound
            .iter()
            .filter(|(id, _)| transaction.credential_ids.contains(id));
        own.any(|(_, hashes)| hashes.contains(&hash))
    };
    let hashes = transactions.iter().map(TransactionData::hash).collect::<Vec<_>>();
    let mut all = bound.iter().flat_map(|(_, hashes)| hashes);
    let nothing_else = all.all(|hash| hashes.contains(hash));
    if passes("VP-37", transactions.iter().all(authorised) && nothing_else) {
        Ok(())
    } else {
        Err(TransactionError::NotBound)
    }
}
