//! A website's own identity: its DID and request key, sponsored by the sign-in server, so that
//! wallets tell websites apart even behind a shared server.

use std::path::{Path, PathBuf};
use std::time::Duration;

use realdid_client::{ClientError, IdentityError, NodeClient, ServiceIdentity};
use realdid_crypto::{Hash, base64url_encode};
use realdid_did::{Authorization, Did, SignedOperation};
use realdid_ledger::{Charter, encode_did_operation};
use realdid_openid::jws::JwsError;
use realdid_openid::site_statement::{self, SiteClaims, VerifierInfo};

use crate::clients::Client;

/// How long publishing may take.
const PUBLISH_LIMIT: Duration = Duration::from_secs(60);

/// Why a website's identity cannot be made or used.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// Its key file.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The directory of the key files.
    #[error("the directory of the websites' keys cannot be made: {0}")]
    Directory(std::io::Error),
    /// The node could not be asked, or refused.
    #[error(transparent)]
    Node(#[from] ClientError),
}

impl SiteError {
    /// The failure's stable name.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Identity(error) => error.code(),
            Self::Directory(_) => "key_directory",
            Self::Node(error) => error.code(),
        }
    }
}

/// Where the websites' keys lie: one file each, mode 0600, named by the client identifier.
#[derive(Debug, Clone)]
pub(crate) struct SiteKeys {
    directory: PathBuf,
}

impl SiteKeys {
    pub(crate) fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    fn path(&self, client_id: &str) -> PathBuf {
        self.directory.join(format!("{client_id}.key"))
    }

    /// Makes a website's keys.
    pub(crate) fn create(&self, client_id: &str) -> Result<ServiceIdentity, SiteError> {
        std::fs::create_dir_all(&self.directory).map_err(SiteError::Directory)?;
        let identity = ServiceIdentity::generate(&mut rand::rng());
        identity.save(&self.path(client_id))?;
        Ok(identity)
    }

    /// A website's keys. The client identifier comes from the database, not from a request.
    pub(crate) fn load(&self, client_id: &str) -> Result<ServiceIdentity, IdentityError> {
        ServiceIdentity::load(&self.path(client_id))
    }

    /// Removes the keys of a website that was not registered after all. What cannot be removed does
    /// no harm: nothing refers to it.
    pub(crate) fn remove(&self, client_id: &str) {
        let _ = std::fs::remove_file(self.path(client_id));
    }

    /// Where the files lie.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }
}

/// The operation that publishes a website's DID under the sign-in server's sponsorship.
pub(crate) fn publication(
    site: &ServiceIdentity,
    sponsor: &ServiceIdentity,
    charter: &Hash,
) -> SignedOperation {
    let word = sponsor.sponsor(charter, &site.inception(charter).hash());
    site.publication_by(charter, Authorization::Sponsored(Box::new(word)))
}

/// Publishes a website's DID and waits until that is final.
pub(crate) async fn publish(
    site: &ServiceIdentity,
    sponsor: &ServiceIdentity,
    charter: &Charter,
    client: &NodeClient,
) -> Result<Did, SiteError> {
    let operation = publication(site, sponsor, &charter.hash());
    let hash = operation.operation.hash();
    client
        .submit_and_wait(&encode_did_operation(&operation), &hash, PUBLISH_LIMIT)
        .await?;
    Ok(site.did(charter))
}

/// The sign-in server's statement about a website, valid from `iat` to `exp` (Unix seconds).
pub(crate) fn statement(
    client: &Client,
    sponsor: &ServiceIdentity,
    charter: &Charter,
    iat: u64,
    exp: u64,
) -> Result<VerifierInfo, JwsError> {
    let issuer = sponsor.did(charter);
    let claims = SiteClaims {
        iss: issuer.to_string(),
        sub: client.site_did.clone(),
        name: client.name.clone(),
        redirect_uris: client.redirect_uris.clone(),
        may_ask: client.verifier.may_ask.clone(),
        iat,
        exp,
        charter: base64url_encode(charter.hash().0),
    };
    site_statement::sign(
        &claims,
        &issuer.key_url(&sponsor.public_key()),
        sponsor.assertion_key(),
    )
}
