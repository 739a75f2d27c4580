//! How a service's DID gets on the ledger: by a seat of the charter, or by the word of an accredited
//! authority or sign-in server, which may be given on another machine.

use std::time::Duration;

use realdid_crypto::{Hash, Reader, Signature, Writer, base64url_decode, base64url_encode};
use realdid_did::{
    Action, Authorization, Did, DocumentData, Founding, Operation, SignedOperation, Sponsorship,
};
use realdid_ledger::{Charter, encode_did_operation, state_key};

use super::{IdentityError, ServiceIdentity};
use crate::{ClientError, NodeClient};

/// How long publishing may take before the service gives up, including a node that still starts.
const PUBLISH_LIMIT: Duration = Duration::from_secs(60);
/// Oldest state a service believes about itself, in seconds.
const MAX_AGE: u64 = 300;

/// The word of an accredited service for a DID, as a file: JSON.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SponsorshipFile {
    /// The DID that is sponsored.
    pub did: Did,
    /// The sponsor's DID.
    pub sponsor: Did,
    /// The sponsor's document data, base64url.
    pub document: String,
    /// Which of its keys signed.
    pub signer: u8,
    /// The signature, base64url.
    pub signature: String,
}

/// Why a sponsor's word cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SponsorshipError {
    /// Not the expected JSON.
    #[error("the sponsorship is malformed")]
    Malformed,
    /// It is for another DID.
    #[error("the sponsorship is for another DID")]
    OtherDid,
}

impl SponsorshipError {
    /// The failure's stable name.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "sponsorship_malformed",
            Self::OtherDid => "sponsorship_other_did",
        }
    }
}

impl SponsorshipFile {
    /// The sponsorship, if it is for this DID. Whether it holds, the ledger says.
    ///
    /// # Errors
    /// [`SponsorshipError`].
    pub fn sponsorship(&self, did: &Did) -> Result<Sponsorship, SponsorshipError> {
        if self.did != *did || self.sponsor.network != did.network {
            return Err(SponsorshipError::OtherDid);
        }
        let malformed = |_| SponsorshipError::Malformed;
        let bytes = base64url_decode(&self.document).map_err(malformed)?;
        let mut reader = Reader::new(&bytes);
        let document = DocumentData::read(&mut reader).map_err(|_| SponsorshipError::Malformed)?;
        reader.finish().map_err(|_| SponsorshipError::Malformed)?;
        let signature = base64url_decode(&self.signature).map_err(malformed)?;
        let signature = signature.try_into().map_err(|_| SponsorshipError::Malformed)?;
        Ok(Sponsorship {
            sponsor: self.sponsor.hash,
            document,
            signer: self.signer,
            signature: Signature(signature),
        })
    }
}

impl ServiceIdentity {
    /// This service's word for a DID: good as long as its document is the current one.
    #[must_use]
    pub fn sponsor(&self, charter: &Hash, did: &Hash) -> Sponsorship {
        Sponsorship {
            sponsor: self.inception(charter).hash(),
            document: self.document(),
            signer: 0,
            signature: self
                .assertion_key()
                .sign(&Sponsorship::domain(charter), did.as_bytes()),
        }
    }

    /// This service's word for a DID, as a file.
    #[must_use]
    pub fn sponsorship_file(&self, charter: &Charter, did: &Did) -> SponsorshipFile {
        let sponsorship = self.sponsor(&charter.hash(), &did.hash);
        let mut document = Writer::new();
        sponsorship.document.write(&mut document);
        SponsorshipFile {
            did: did.clone(),
            sponsor: self.did(charter),
            document: base64url_encode(document.finish()),
            signer: sponsorship.signer,
            signature: base64url_encode(sponsorship.signature.0),
        }
    }

    /// The operation that publishes the DID on a seat of the charter.
    #[must_use]
    pub fn publication(&self, charter: &Hash, seat: u16) -> SignedOperation {
        self.publication_by(charter, Authorization::Charter { seat })
    }

    /// The operation that publishes the DID by a right to be on the ledger.
    #[must_use]
    pub fn publication_by(&self, charter: &Hash, authorization: Authorization) -> SignedOperation {
        let founding = Founding {
            inception: self.inception(charter),
            authorization,
        };
        let operation = Operation {
            charter: *charter,
            did: founding.inception.hash(),
            previous: Hash::ZERO,
            action: Action::Publish(Box::new(founding)),
        };
        operation.sign(0, self.assertion_key())
    }

    /// Makes sure that the DID is on the ledger, and returns when that is proven: publishes it on
    /// its seat unless it is there by whatever right. Waits up to a minute for a node that still
    /// starts.
    ///
    /// # Errors
    /// [`IdentityError::NoSeat`], [`IdentityError::Node`].
    pub async fn publish_if_absent(
        &self,
        client: &NodeClient,
        charter: &Charter,
    ) -> Result<Did, IdentityError> {
        let seat = charter
            .seats
            .iter()
            .position(|seat| seat.key == self.public_key());
        let seat = seat.and_then(|seat| u16::try_from(seat).ok());
        let authorization = seat.map(|seat| Authorization::Charter { seat });
        self.publish_by(client, charter, authorization).await
    }

    /// Makes sure that the DID is on the ledger, as [`publish_if_absent`](Self::publish_if_absent)
    /// does, by a sponsor's word.
    ///
    /// # Errors
    /// [`IdentityError::Node`].
    pub async fn publish_sponsored(
        &self,
        client: &NodeClient,
        charter: &Charter,
        sponsorship: Sponsorship,
    ) -> Result<Did, IdentityError> {
        let authorization = Authorization::Sponsored(Box::new(sponsorship));
        self.publish_by(client, charter, Some(authorization)).await
    }

    async fn publish_by(
        &self,
        client: &NodeClient,
        charter: &Charter,
        authorization: Option<Authorization>,
    ) -> Result<Did, IdentityError> {
        let did = self.did(charter);
        client.wait_ready(PUBLISH_LIMIT).await?;
        if is_published(client, &did).await? {
            return Ok(did);
        }
        let authorization = authorization.ok_or(IdentityError::NoSeat)?;
        let signed = self.publication_by(&charter.hash(), authorization);
        let hash = signed.operation.hash();
        client
            .submit_and_wait(&encode_did_operation(&signed), &hash, PUBLISH_LIMIT)
            .await?;
        if !is_published(client, &did).await? {
            return Err(ClientError::NotFinalized(hash).into());
        }
        Ok(did)
    }
}

async fn is_published(client: &NodeClient, did: &Did) -> Result<bool, ClientError> {
    let state = client.state(&[state_key::did(&did.hash)], MAX_AGE).await?;
    Ok(state.did(&did.hash)?.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity() -> ServiceIdentity {
        ServiceIdentity::generate(&mut rand::rng())
    }

    #[test]
    fn the_publication_holds_by_itself() {
        let identity = identity();
        let charter = Hash([7; 32]);
        let verified = identity.publication(&charter, 0).verify(&charter).unwrap();
        assert_eq!(verified.operation().did, identity.inception(&charter).hash());
    }

    #[test]
    fn a_sponsors_word_travels_as_a_file() {
        let vectors = include_str!("../../../../vectors/charter.json");
        let vectors: serde_json::Value = serde_json::from_str(vectors).unwrap();
        let charter = vectors["cases"][0]["compact"].as_str().unwrap();
        let charter = Charter::from_json(charter.as_bytes()).unwrap();
        let hash = charter.hash();
        let (sponsor, police) = (identity(), ServiceIdentity::generate_issuer(&mut rand::rng()));
        let did = police.did(&charter);
        let json = serde_json::to_string(&sponsor.sponsorship_file(&charter, &did)).unwrap();
        let file: SponsorshipFile = serde_json::from_str(&json).unwrap();
        let word = file.sponsorship(&did).unwrap();
        assert_eq!(word, sponsor.sponsor(&hash, &did.hash));
        let publication = police.publication_by(&hash, Authorization::Sponsored(Box::new(word)));
        publication.verify(&hash).unwrap();
        let other = identity().did(&charter);
        assert_eq!(file.sponsorship(&other), Err(SponsorshipError::OtherDid));
        let cut = SponsorshipFile {
            signature: "AA".to_owned(),
            ..file
        };
        assert_eq!(cut.sponsorship(&did), Err(SponsorshipError::Malformed));
    }
}
