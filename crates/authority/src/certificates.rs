//! Certificates of the credential key: for verifiers who trust a root rather than a ledger.
//!
//! Outside a sandbox they come from whoever certifies the organisation. A sandbox makes a root of its
//! own once, and at each start a leaf for the key of the identity. The leaf names the issuer's DID, so
//! that it leads those who ask the ledger there as well.

use std::path::Path;

use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::ec::{EcGroup, EcKey, EcPoint};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::x509::extension::{
    AuthorityKeyIdentifier, BasicConstraints, KeyUsage, SubjectAlternativeName, SubjectKeyIdentifier,
};
use openssl::x509::{X509, X509Builder, X509Name, X509NameBuilder};
use realdid_crypto::{KeyType, SecretKey};
use realdid_did::Did;
use realdid_service::config::{read_secret_file, write_secret_file};
use url::{Host, Url};

use crate::issuer::IssuingError;
use crate::run::RunError;

/// Life of a sandbox's root and leaf, in days.
const LIVES: (u32, u32) = (3650, 398);

/// Reads a chain, the leaf first, and checks that the leaf is for the key. A root at its end is left out:
/// whoever trusts it has it (HAIP 1.0).
///
/// # Errors
/// [`IssuingError::Certificates`].
pub(crate) fn read(path: &Path, key: &SecretKey) -> Result<Vec<String>, RunError> {
    let failed = |text: String| RunError::from(IssuingError::Certificates(text));
    let pem = std::fs::read(path).map_err(|error| failed(format!("{}: {error}", path.display())))?;
    let chain = X509::stack_from_pem(&pem).map_err(|error| failed(error.to_string()))?;
    let own = private_key(key).map_err(|error| failed(error.to_string()))?;
    let leaf = chain.first().and_then(|leaf| leaf.public_key().ok());
    if !leaf.is_some_and(|leaf| leaf.public_eq(&own)) {
        return Err(failed(format!(
            "{}: the first is not for the credential key",
            path.display()
        )));
    }
    let is_root = |certificate: &X509| {
        let own = certificate.subject_name().try_cmp(certificate.issuer_name());
        own.is_ok_and(std::cmp::Ordering::is_eq)
    };
    let (leaf, above) = chain.split_at(1);
    let sent = leaf.iter().chain(above.iter().filter(|one| !is_root(one)));
    let encoded = sent.map(|certificate| {
        certificate
            .to_der()
            .map(|der| openssl::base64::encode_block(&der))
    });
    encoded
        .collect::<Result<_, _>>()
        .map_err(|error| failed(error.to_string()))
}

/// The chain of a sandbox: a leaf by the root in `data`, which is made if it is not there.
///
/// # Errors
/// [`IssuingError::Certificates`].
pub(crate) fn sandbox(
    data: &Path,
    key: &SecretKey,
    did: &Did,
    url: &str,
    name: &str,
) -> Result<Vec<String>, RunError> {
    let failed = |error: ErrorStack| RunError::from(IssuingError::Certificates(error.to_string()));
    let (root_path, key_path) = (data.join("root.pem"), data.join("root.key"));
    let root_key = match read_secret_file(&key_path) {
        Ok(pem) => PKey::private_key_from_pem(pem.as_bytes()).map_err(failed)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let made = new_key().map_err(failed)?;
            let pem = made.private_key_to_pem_pkcs8().map_err(failed)?;
            write_secret_file(&key_path, &String::from_utf8_lossy(&pem)).map_err(RunError::Secret)?;
            made
        }
        Err(error) => return Err(RunError::Secret(error)),
    };
    let root = match std::fs::read(&root_path) {
        Ok(pem) => X509::from_pem(&pem).map_err(failed)?,
        Err(_) => {
            let root = make_root(name, &root_key).map_err(failed)?;
            std::fs::write(&root_path, root.to_pem().map_err(failed)?).map_err(RunError::Secret)?;
            root
        }
    };
    let leaf = make_leaf(name, did, url, key, &root, &root_key).map_err(failed)?;
    Ok(vec![openssl::base64::encode_block(
        &leaf.to_der().map_err(failed)?,
    )])
}

fn new_key() -> Result<PKey<Private>, ErrorStack> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
    PKey::from_ec_key(EcKey::generate(&group)?)
}

/// The same P-256 key for OpenSSL.
fn private_key(key: &SecretKey) -> Result<PKey<Private>, ErrorStack> {
    debug_assert_eq!(key.kind(), KeyType::P256, "only P-256 keys have certificates");
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
    let scalar = BigNum::from_slice(key.seed())?;
    let mut point = EcPoint::new(&group)?;
    let mut context = openssl::bn::BigNumContext::new()?;
    point.mul_generator2(&group, &scalar, &mut context)?;
    PKey::from_ec_key(EcKey::from_private_components(&group, &scalar, &point)?)
}

fn builder(subject: &X509Name, issuer: &X509Name, days: u32) -> Result<X509Builder, ErrorStack> {
    let mut builder = X509::builder()?;
    builder.set_version(2)?;
    let mut serial = BigNum::new()?;
    serial.rand(127, MsbOption::MAYBE_ZERO, false)?;
    let serial = serial.to_asn1_integer()?;
    builder.set_serial_number(&serial)?;
    builder.set_subject_name(subject)?;
    builder.set_issuer_name(issuer)?;
    let (begin, end) = (Asn1Time::days_from_now(0)?, Asn1Time::days_from_now(days)?);
    builder.set_not_before(&begin)?;
    builder.set_not_after(&end)?;
    Ok(builder)
}

fn named(name: &str) -> Result<X509Name, ErrorStack> {
    let mut builder = X509NameBuilder::new()?;
    // A common name has at most 64 characters (X.520).
    let short: String = name.chars().take(64).collect();
    builder.append_entry_by_nid(Nid::COMMONNAME, &short)?;
    Ok(builder.build())
}

fn make_root(name: &str, key: &PKey<Private>) -> Result<X509, ErrorStack> {
    let subject = named(&format!("{name} root"))?;
    let mut builder = builder(&subject, &subject, LIVES.0)?;
    builder.set_pubkey(key)?;
    builder.append_extension(BasicConstraints::new().critical().ca().pathlen(0).build()?)?;
    builder.append_extension(KeyUsage::new().critical().key_cert_sign().crl_sign().build()?)?;
    let identifier = SubjectKeyIdentifier::new().build(&builder.x509v3_context(None, None))?;
    builder.append_extension(identifier)?;
    builder.sign(key, MessageDigest::sha256())?;
    Ok(builder.build())
}

fn make_leaf(
    name: &str,
    did: &Did,
    url: &str,
    key: &SecretKey,
    root: &X509,
    root_key: &PKey<Private>,
) -> Result<X509, ErrorStack> {
    let subject = named(name)?;
    let mut issuer = X509NameBuilder::new()?;
    for entry in root.subject_name().entries() {
        issuer.append_entry_by_nid(Nid::COMMONNAME, &entry.data().to_string()?)?;
    }
    let mut builder = builder(&subject, &issuer.build(), LIVES.1)?;
    let public = private_key(key)?;
    builder.set_pubkey(&public)?;
    builder.append_extension(BasicConstraints::new().critical().build()?)?;
    builder.append_extension(KeyUsage::new().critical().digital_signature().build()?)?;
    let mut names = SubjectAlternativeName::new();
    names.uri(&did.to_string());
    // An issuer that is named by its address is found in the certificate, too (SD-JWT VC §3.5).
    names.uri(url);
    match Url::parse(url).ok().as_ref().and_then(Url::host) {
        Some(Host::Domain(host)) => {
            names.dns(host);
        }
        Some(address) => {
            names.ip(&address.to_string());
        }
        None => {}
    }
    let context = builder.x509v3_context(Some(root), None);
    let names = names.build(&context)?;
    let authority = AuthorityKeyIdentifier::new().keyid(true).build(&context)?;
    builder.append_extension(names)?;
    builder.append_extension(authority)?;
    builder.sign(root_key, MessageDigest::sha256())?;
    Ok(builder.build())
}

#[cfg(test)]
mod tests {
    use realdid_did::Network;

    use super::*;

    #[test]
    fn a_sandboxs_leaf_is_by_its_root_and_for_the_key() {
        let directory = tempfile::tempdir().unwrap();
        let key = SecretKey::from_seed(KeyType::P256, &[7; 32]);
        let did = Did {
            network: Network::new("sandbox").unwrap(),
            hash: realdid_crypto::Hash([3; 32]),
        };
        let url = "http://127.0.0.1:7311";
        let chain = sandbox(directory.path(), &key, &did, url, "An office").unwrap();
        let der = openssl::base64::decode_block(&chain[0]).unwrap();
        let leaf = X509::from_der(&der).unwrap();
        let root = X509::from_pem(&std::fs::read(directory.path().join("root.pem")).unwrap()).unwrap();
        assert!(leaf.verify(&root.public_key().unwrap()).unwrap());
        assert!(leaf.public_key().unwrap().public_eq(&private_key(&key).unwrap()));
        // The next start makes another leaf by the same root.
        sandbox(directory.path(), &key, &did, url, "An office").unwrap();
        let again = X509::from_pem(&std::fs::read(directory.path().join("root.pem")).unwrap()).unwrap();
        assert_eq!(root.to_der().unwrap(), again.to_der().unwrap());
        let path = directory.path().join("chain.pem");
        std::fs::write(&path, leaf.to_pem().unwrap()).unwrap();
        assert_eq!(read(&path, &key).unwrap(), chain);
        // A root that somebody has put into the file is not sent along.
        let both = [leaf.to_pem().unwrap(), root.to_pem().unwrap()].concat();
        std::fs::write(&path, both).unwrap();
        assert_eq!(read(&path, &key).unwrap(), chain);
        let other = SecretKey::from_seed(KeyType::P256, &[8; 32]);
        assert!(read(&path, &other).is_err());
    }
}
