//! The certificate by which a website names itself to wallets (`x509_san_dns`, `x509_hash`): a chain
//! and its key, in files beside the website's DID keys.

use std::path::Path;

use openssl::pkey::PKey;
use realdid_checks::passes;
use realdid_crypto::{KeyType, SecretKey};
use realdid_jose::x5c::{Chain, X5cError};
use realdid_openid::{ClientId, ClientIdPrefix};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

use crate::verifier_options::{Profile, VerifierOptions};

/// Why a certificate cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// A file.
    #[error("the certificate or its key cannot be read: {0}")]
    File(std::io::ErrorKind),
    /// The chain.
    #[error("the certificate chain cannot be used: {0}")]
    Chain(#[from] X5cError),
    /// The key is no P-256 key in PEM, or not the certificate's.
    #[error("the key must be the certificate's, of type P-256, in PEM")]
    Key,
}

impl From<std::io::Error> for CertificateError {
    fn from(error: std::io::Error) -> Self {
        Self::File(error.kind())
    }
}

/// A certificate chain with the key of its leaf.
#[derive(Debug, Clone)]
pub struct Certificate {
    chain: Chain,
    key: SecretKey,
    pem: (String, String),
}

impl Certificate {
    /// Reads chain (leaf first) and key from PEM.
    ///
    /// # Errors
    /// [`CertificateError`].
    pub fn from_pem(chain_pem: &str, key_pem: &str) -> Result<Self, CertificateError> {
        let certificates = CertificateDer::pem_slice_iter(chain_pem.as_bytes());
        let certificates = certificates.map(|found| found.map(|der| der.to_vec()));
        let certificates = certificates
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| X5cError::Form)?;
        let chain = Chain::from_der(certificates)?;
        let key = read_key(key_pem).ok_or(CertificateError::Key)?;
        if !passes("VRF-12", chain.leaf().key()? == &key.public_key()) {
            return Err(CertificateError::Key);
        }
        Ok(Self {
            chain,
            key,
            pem: (chain_pem.to_owned(), key_pem.to_owned()),
        })
    }

    /// Reads the files of a website.
    pub(crate) fn load(directory: &Path, client_id: &str) -> Result<Self, CertificateError> {
        let read = |ending| {
            realdid_service::config::read_secret_file(&directory.join(format!("{client_id}.{ending}")))
        };
        Self::from_pem(&read("chain.pem")?, &read("chain.key")?)
    }

    /// Writes the files of a website, mode 0600.
    pub(crate) fn save(&self, directory: &Path, client_id: &str) -> Result<(), CertificateError> {
        std::fs::create_dir_all(directory)?;
        for (ending, text) in [("chain.pem", &self.pem.0), ("chain.key", &self.pem.1)] {
            let path = directory.join(format!("{client_id}.{ending}"));
            realdid_service::config::write_secret_file(&path, text)?;
        }
        Ok(())
    }

    /// Checks that the certificate is what a website's options take it for.
    pub(crate) fn check(&self, options: &VerifierOptions) -> Result<(), CertificateError> {
        if options.prefix() == ClientIdPrefix::X509SanDns || options.dns_name.is_some() {
            self.chain
                .leaf()
                .expect_host(options.dns_name.as_deref().unwrap_or_default())?;
        }
        if options.profile == Profile::Haip {
            self.chain.check_high_assurance()?;
        }
        Ok(())
    }

    /// The website's client identifier by this certificate.
    pub(crate) fn client_id(&self, prefix: ClientIdPrefix, options: &VerifierOptions) -> ClientId {
        match (prefix, &options.dns_name) {
            (ClientIdPrefix::X509SanDns, Some(name)) => ClientId::of_dns_name(name),
            _ => ClientId::of_certificate(self.chain.leaf()),
        }
    }

    /// The chain.
    pub(crate) const fn chain(&self) -> &Chain {
        &self.chain
    }

    /// The leaf's key.
    pub(crate) const fn key(&self) -> &SecretKey {
        &self.key
    }
}

fn read_key(pem: &str) -> Option<SecretKey> {
    let key = PKey::private_key_from_pem(pem.as_bytes()).ok()?.ec_key().ok()?;
    let seed = key.private_key().to_vec_padded(32).ok()?;
    Some(SecretKey::from_seed(KeyType::P256, &seed.try_into().ok()?))
}
