//! Finality: a threshold certificate over a header, checked with the network key alone.
//!
//! Validators sign, together and with one key, the proposal `(round, parent view, block digest)`.
//! The certificate is that proposal and a 48-byte BLS12-381 signature in G1, whatever the number
//! of validators; the network key is 96 bytes in G2. It does not name who signed.
//!
//! A block may be finalized only through a descendant. So a [`FinalityProof`] is a chain of
//! headers from the one to prove down to one that a certificate names, normally just one header.

use crate::header::{HEADER_LEN, Header, HeaderError};
use commonware_codec::{Copying, DecodeExt as _, Encode as _, ReadExt as _, varint::UInt};
use commonware_cryptography::bls12381::primitives::{
    group::{G1, G2},
    ops::verify_message,
    variant::MinSig,
};
use realdid_checks::passes;
use thiserror::Error;

/// Label that opens the namespace of every consensus message.
pub const CONSENSUS_LABEL: &[u8] = b"realdid/consensus/v1";

/// What the engine appends to the namespace of messages that finalize.
const FINALIZE_SUFFIX: &[u8] = b"_FINALIZE";

/// Most headers a proof may carry.
pub const MAX_PROOF_HEADERS: usize = 64;

/// Longest certificate in bytes: three 10-byte varints, digest and signature.
pub const MAX_CERTIFICATE_LEN: usize = 3 * 10 + 32 + 48;

/// Why a finality proof was refused.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum FinalityError {
    /// The bytes are not a canonical proof.
    #[error("the finality proof is malformed")]
    Malformed,
    /// A header in the proof is not valid.
    #[error("a header in the finality proof is refused: {0}")]
    Header(#[from] HeaderError),
    /// The proof has no header or more than [`MAX_PROOF_HEADERS`].
    #[error("a finality proof of {found} headers is refused")]
    HeaderCount {
        /// Headers that were given.
        found: usize,
    },
    /// A header belongs to a network with another charter.
    #[error("the header belongs to another network")]
    Charter,
    /// A header does not name the one before it as its parent.
    #[error("the headers do not form a chain")]
    Chain,
    /// The certificate names another block.
    #[error("the certificate names another block")]
    Digest,
    /// The network key is not a point of the right group.
    #[error("the network key is not valid")]
    NetworkKey,
    /// The signature does not verify under the network key.
    #[error("the certificate's signature is not valid")]
    Signature,
}

impl FinalityError {
    /// The failure's stable name in interfaces.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "finality_malformed",
            Self::Header(inner) => inner.code(),
            Self::HeaderCount { .. } => "finality_header_count",
            Self::Charter => "finality_charter",
            Self::Chain => "finality_chain",
            Self::Digest => "finality_digest",
            Self::NetworkKey => "finality_network_key",
            Self::Signature => "finality_signature",
        }
    }
}

/// The namespace under which a network's validators sign: the label, then the charter's hash.
#[must_use]
pub fn consensus_namespace(charter_hash: &[u8; 32]) -> Vec<u8> {
    [CONSENSUS_LABEL, charter_hash].concat()
}

/// A claim that a header is final, not yet verified.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FinalityProof {
    /// From the header to prove down to the one the certificate names; each names the one before
    /// it as its parent. At least one, at most [`MAX_PROOF_HEADERS`].
    pub headers: Vec<Header>,
    /// Proposal (epoch, view and parent view as LEB128 varints, 32-byte digest) and signature.
    pub certificate: Vec<u8>,
}

impl FinalityProof {
    /// The canonical encoding: number of headers (one byte), headers, certificate to the end.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let capacity = 1 + self.headers.len() * HEADER_LEN + self.certificate.len();
        let mut out = Vec::with_capacity(capacity);
        out.push(u8::try_from(self.headers.len()).unwrap_or(u8::MAX));
        for header in &self.headers {
            out.extend_from_slice(&header.encode());
        }
        out.extend_from_slice(&self.certificate);
        out
    }

    /// Decodes exactly one proof. Nothing is verified but the form.
    ///
    /// # Errors
    ///
    /// [`FinalityError::Malformed`], [`FinalityError::HeaderCount`] or
    /// [`FinalityError::Header`].
    pub fn decode(bytes: &[u8]) -> Result<Self, FinalityError> {
        let (&count, rest) = bytes.split_first().ok_or(FinalityError::Malformed)?;
        let count = usize::from(count);
        check_count(count)?;
        let (headers, certificate) = rest
            .split_at_checked(count * HEADER_LEN)
            .ok_or(FinalityError::Malformed)?;
        let headers = headers
            .chunks_exact(HEADER_LEN)
            .map(Header::decode)
            .collect::<Result<_, _>>()?;
        Certificate::decode(certificate)?;
        Ok(Self {
            headers,
            certificate: certificate.to_vec(),
        })
    }

    /// Checks that the first header is final in the network with this charter and key.
    ///
    /// # Errors
    ///
    /// The [`FinalityError`] of the first check that fails.
    pub fn verify(
        &self,
        charter_hash: &[u8; 32],
        network_key: &[u8; 96],
    ) -> Result<FinalizedHeader, FinalityError> {
        check_count(self.headers.len())?;
        let certificate = Certificate::decode(&self.certificate)?;
        let (first, descendants) = self
            .headers
            .split_first()
            .ok_or(FinalityError::HeaderCount { found: 0 })?;
        let ours = self.headers.iter().all(|h| &h.charter == charter_hash);
        if !passes("FIN-02", ours) {
            return Err(FinalityError::Charter);
        }
        let first_hash = first.hash();
        let mut above = (first.height, first_hash);
        for header in descendants {
            let joins = header.parent == above.1 && Some(header.height) == above.0.checked_add(1);
            if !passes("FIN-03", joins) {
                return Err(FinalityError::Chain);
            }
            above = (header.height, header.hash());
        }
        if !passes("FIN-04", certificate.digest == above.1) {
            return Err(FinalityError::Digest);
        }
        certificate.verify(charter_hash, network_key)?;
        Ok(FinalizedHeader {
            header: first.clone(),
            hash: first_hash,
        })
    }
}

/// A header whose finality was verified. [`FinalityProof::verify`] alone makes one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FinalizedHeader {
    header: Header,
    hash: [u8; 32],
}

impl FinalizedHeader {
    /// The final header.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// Its hash.
    #[must_use]
    pub const fn hash(&self) -> &[u8; 32] {
        &self.hash
    }
}

fn check_count(found: usize) -> Result<(), FinalityError> {
    if !passes("FIN-01", (1..=MAX_PROOF_HEADERS).contains(&found)) {
        return Err(FinalityError::HeaderCount { found });
    }
    Ok(())
}

/// The parts of a certificate. The proposal's bytes are kept as they were signed.
struct Certificate<'a> {
    proposal: &'a [u8],
    digest: [u8; 32],
    signature: [u8; 48],
}

impl<'a> Certificate<'a> {
    fn decode(bytes: &'a [u8]) -> Result<Self, FinalityError> {
        if bytes.len() > MAX_CERTIFICATE_LEN {
            return Err(FinalityError::Malformed);
        }
        let mut input = Copying(bytes);
        let mut canonical = Vec::with_capacity(bytes.len());
        for _ in 0..3 {
            let number = UInt::<u64>::read(&mut input).map_err(|_| FinalityError::Malformed)?;
            canonical.extend_from_slice(&number.encode());
        }
        let whole = bytes.len() == canonical.len() + 32 + 48 && bytes.starts_with(&canonical);
        if !passes("FIN-06", whole) {
            return Err(FinalityError::Malformed);
        }
        let (proposal, signature) = bytes.split_last_chunk().ok_or(FinalityError::Malformed)?;
        let (_, digest) = proposal.split_last_chunk().ok_or(FinalityError::Malformed)?;
        Ok(Self {
            proposal,
            digest: *digest,
            signature: *signature,
        })
    }

    fn verify(&self, charter_hash: &[u8; 32], network_key: &[u8; 96]) -> Result<(), FinalityError> {
        let key = G2::decode(Copying(network_key)).map_err(|_| FinalityError::NetworkKey)?;
        let signature = G1::decode(Copying(&self.signature)).map_err(|_| FinalityError::Signature)?;
        let namespace = [&consensus_namespace(charter_hash), FINALIZE_SUFFIX].concat();
        let verified = verify_message::<MinSig>(&key, &namespace, self.proposal, &signature);
        if !passes("FIN-05", verified.is_ok()) {
            return Err(FinalityError::Signature);
        }
        Ok(())
    }
}
