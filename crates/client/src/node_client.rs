//! What one node can be asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use realdid_crypto::{Hash, Reader, base64url_decode, base64url_encode};
use realdid_did::{Did, DocumentData};
use realdid_ledger::{Charter, TrustAnchor};
use serde_json::{Value, json};

use crate::ClientError;
use crate::http::{self, Http};

/// Longest wait the node is asked for at once, in seconds.
const LONG_POLL: u64 = 25;

/// What a node says about an operation. A claim: what proves it is the state.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum OperationStatus {
    /// It waits to be ordered; nothing is promised.
    Received,
    /// It is in a final block.
    Finalized {
        /// Height of the block.
        height: u64,
    },
    /// It was ordered out: this code says why.
    Refused {
        /// The ledger's code.
        code: String,
    },
    /// The node knows nothing of it.
    Unknown,
}

/// A node, or several of one network, asked over HTTP. Of several, one is asked for as long as it
/// answers; then the next. Clones share the connections, whose turn it is and the highest height seen.
#[derive(Debug, Clone)]
pub struct NodeClient {
    pub(crate) http: Http,
    pub(crate) anchor: TrustAnchor,
    pub(crate) highest_seen: Arc<AtomicU64>,
    pub(crate) prefix_bits: Arc<AtomicU8>,
}

impl NodeClient {
    /// A client of the node at `base_urls` (https, or http to loopback), or of the nodes if several
    /// addresses stand there, separated by commas. It believes the network of `anchor` alone.
    ///
    /// # Errors
    /// [`ClientError::Address`].
    pub fn new(base_urls: &str, anchor: TrustAnchor) -> Result<Self, ClientError> {
        let http = Http::new(base_urls)?;
        Ok(Self {
            http,
            anchor,
            highest_seen: Arc::default(),
            prefix_bits: Arc::default(),
        })
    }

    /// The address of the node that is asked first, without a trailing slash.
    #[must_use]
    pub fn base_url(&self) -> &str {
        self.http.base()
    }

    /// The network that is believed.
    #[must_use]
    pub const fn anchor(&self) -> &TrustAnchor {
        &self.anchor
    }

    /// The highest proven height seen; answers below it are refused. Worth keeping over restarts.
    #[must_use]
    pub fn highest_seen(&self) -> u64 {
        self.highest_seen.load(Ordering::Relaxed)
    }

    /// Takes over a height seen before.
    pub fn set_highest_seen(&self, height: u64) {
        self.highest_seen.fetch_max(height, Ordering::Relaxed);
    }

    /// Gives an operation to the node. With `wait`, the node answers when it is finalized, or after
    /// 30 s with `Received`. Sending the same operation again is harmless.
    ///
    /// # Errors
    /// [`ClientError`]; the ledger's refusals come as [`ClientError::Refused`] with their code.
    pub async fn submit(&self, operation: &[u8], wait: bool) -> Result<OperationStatus, ClientError> {
        let path = if wait {
            "/v1/operations?wait=finalized"
        } else {
            "/v1/operations"
        };
        let body = json!({"operation": base64url_encode(operation)});
        http::json(self.http.post(path).json(body)).await
    }

    /// Gives an operation to the node and returns the height of its block once it is final. It is given
    /// again for as long as nobody calls it final: a node that had it may be gone.
    ///
    /// # Errors
    /// [`ClientError::NotFinalized`] after `limit`, [`ClientError::Refused`] if it may not follow; as
    /// [`submit`](Self::submit).
    pub async fn submit_and_wait(
        &self,
        operation: &[u8],
        hash: &Hash,
        limit: Duration,
    ) -> Result<u64, ClientError> {
        let end = Instant::now() + limit;
        loop {
            // The node holds its answer back for up to 30 s.
            if let OperationStatus::Finalized { height } = self.submit(operation, true).await? {
                return Ok(height);
            }
            if Instant::now() >= end {
                return Err(ClientError::NotFinalized(*hash));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// What the node says about an operation, by its hash; held back for up to `wait` seconds (at
    /// most 30) while it is not final.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn operation(&self, hash: &Hash, wait: u64) -> Result<OperationStatus, ClientError> {
        http::json(
            self.http
                .get(&format!("/v1/operations/{}?wait={wait}", hash.to_hex())),
        )
        .await
    }

    /// Waits until the node says that an operation is final; returns the height of its block.
    ///
    /// # Errors
    /// [`ClientError::NotFinalized`] after `limit`, [`ClientError::Refused`] if it was ordered out.
    pub async fn wait_finalized(&self, hash: &Hash, limit: Duration) -> Result<u64, ClientError> {
        let end = Instant::now() + limit;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.operation(hash, left.as_secs().min(LONG_POLL)).await? {
                OperationStatus::Finalized { height } => return Ok(height),
                OperationStatus::Refused { code } => {
                    let detail = "the operation could not be applied when it was its turn".into();
                    let refusal = crate::NodeRefusal {
                        status: 409,
                        code,
                        detail,
                        ..Default::default()
                    };
                    return Err(ClientError::Refused(Box::new(refusal)));
                }
                OperationStatus::Received | OperationStatus::Unknown if left.is_zero() => {
                    return Err(ClientError::NotFinalized(*hash));
                }
                OperationStatus::Received | OperationStatus::Unknown => {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    /// The document data with this hash.
    ///
    /// # Errors
    /// [`ClientError::OtherDocument`] if the node gives another one.
    pub async fn document(&self, hash: &Hash) -> Result<DocumentData, ClientError> {
        #[derive(serde::Deserialize)]
        struct Answer {
            document: String,
        }
        let answer: Answer = http::json(self.http.get(&format!("/v1/documents/{}", hash.to_hex()))).await?;
        let malformed = ClientError::Malformed("not document data");
        let bytes = base64url_decode(&answer.document).map_err(|_| malformed.clone())?;
        let mut reader = Reader::new(&bytes);
        let document = DocumentData::read(&mut reader).map_err(|_| malformed.clone())?;
        reader.finish().map_err(|_| malformed)?;
        if document.hash() == *hash {
            Ok(document)
        } else {
            Err(ClientError::OtherDocument)
        }
    }

    /// The operations of a DID as blocks hold them, oldest first. A claim: the state's last
    /// operation hash proves it.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn operations(&self, did: &Did) -> Result<Vec<Vec<u8>>, ClientError> {
        #[derive(serde::Deserialize)]
        struct Operation {
            operation: String,
        }
        #[derive(serde::Deserialize)]
        struct Answer {
            operations: Vec<Operation>,
        }
        let answer: Answer = http::json(self.http.get(&format!("/v1/dids/{did}/operations"))).await?;
        let decode = |found: &Operation| base64url_decode(&found.operation);
        let operations: Result<_, _> = answer.operations.iter().map(decode).collect();
        operations.map_err(|_| ClientError::Malformed("not operations"))
    }

    /// What the consortium decided about a DID, as blocks hold it, oldest first; at most the newest
    /// 512. A claim, and perhaps not all of it: each is signed by members, and the state proves what
    /// is in force.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn decisions(&self, did: &Did) -> Result<Vec<Vec<u8>>, ClientError> {
        #[derive(serde::Deserialize)]
        struct Decision {
            operation: String,
        }
        #[derive(serde::Deserialize)]
        struct Answer {
            decisions: Vec<Decision>,
        }
        let answer: Answer = http::json(self.http.get(&format!("/v1/dids/{did}/decisions"))).await?;
        let decode = |found: &Decision| base64url_decode(&found.operation);
        let decisions: Result<_, _> = answer.decisions.iter().map(decode).collect();
        decisions.map_err(|_| ClientError::Malformed("not decisions"))
    }

    /// The bytes of a proof file for a DID, short or long form; unverified, for
    /// [`ProofFile::verify`](realdid_ledger::ProofFile::verify).
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn proof_file(&self, did: &str) -> Result<Vec<u8>, ClientError> {
        // A long form never stands in a URL: it would get into logs on the way.
        http::bytes(self.http.post("/v1/dids/proof").json(json!({"did": did}))).await
    }

    /// The network's charter, which must be the pinned one.
    ///
    /// # Errors
    /// [`ClientError::OtherNetwork`].
    pub async fn charter(&self) -> Result<Charter, ClientError> {
        let charter = fetch_charter(&self.http).await?;
        if charter.hash() == self.anchor.charter_hash {
            Ok(charter)
        } else {
            Err(ClientError::OtherNetwork)
        }
    }

    /// The charter that the node at an address serves, or the first of several that answers. **Nothing
    /// vouches for it**: to be shown to somebody who compares its hash, or for a sandbox.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn unverified_charter(base_urls: &str) -> Result<Charter, ClientError> {
        fetch_charter(&Http::new(base_urls)?).await
    }

    /// What the node says about itself.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn status(&self) -> Result<Value, ClientError> {
        http::json(self.http.get("/v1/status")).await
    }

    /// Waits until the node says it is ready, asking four times a second.
    ///
    /// # Errors
    /// The last [`ClientError`] after `limit`.
    pub async fn wait_ready(&self, limit: Duration) -> Result<(), ClientError> {
        let end = Instant::now() + limit;
        loop {
            match http::bytes(self.http.get("/health/ready")).await {
                Ok(_) => return Ok(()),
                Err(error) if !error.is_transient() || Instant::now() >= end => return Err(error),
                Err(_) => tokio::time::sleep(Duration::from_millis(250)).await,
            }
        }
    }
}

async fn fetch_charter(http: &Http) -> Result<Charter, ClientError> {
    let bytes = http::bytes(http.get("/v1/charter")).await?;
    Charter::from_json(&bytes).map_err(|_| ClientError::Malformed("not a charter"))
}
