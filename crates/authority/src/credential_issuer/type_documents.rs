//! The metadata documents of types (SD-JWT VC, Type Metadata): what anybody may fetch at `/vct/…`, and
//! what each credential is signed with the hash of (`vct#integrity`).
//!
//! Whoever looks at an old credential must find the document it was signed with. So the first credential
//! of a type fixes the document's bytes: they are kept in the database and served from then on, whatever
//! the configuration says later. **Another document needs another name of the type** (`…:2`), which is
//! what SD-JWT VC advises for a changed meaning, too. Until something has been issued, the document is
//! as configured.
//!
//! All configurations of one type share one document: the one given in files, else one that is made from
//! the first of them. Each is checked to keep its rules before anything is issued
//! ([`CredentialIssuer::check_types`]).

use std::collections::BTreeMap;
use std::sync::OnceLock;

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use realdid_credential::Integrity;
use realdid_credential::sd_jwt::SdJwt;
use realdid_credential::type_metadata::{Chain, Complete, TypeMetadata, TypeMetadataError};
use realdid_credential::vc::{self, IssuerHeader, NewVc};
use realdid_crypto::SecretKey;
use serde_json::{Value, json};
use sqlx::Row as _;

use super::issue::frame;
use super::metadata::LOCALE;
use super::types::{CredentialType, TypeError};
use super::{CredentialIssuer, Issuable, IssueRefusal};
use crate::database::number;

/// The document of a type.
#[derive(Debug, Clone)]
pub(crate) struct TypeDocument {
    /// As configured, with the documents that it extends; none if others publish it, and it was not
    /// given.
    configured: Vec<String>,
    /// As it was when it was first signed for.
    kept: OnceLock<String>,
}

/// The documents of all types, by type. `issuer`: this issuer's identifier.
pub(crate) fn documents(types: &[Issuable], issuer: &str) -> BTreeMap<String, TypeDocument> {
    let mut documents = BTreeMap::new();
    for (kind, _) in types {
        let vct = &kind.config.vct;
        let same = || {
            types
                .iter()
                .map(|(kind, _)| kind)
                .filter(|one| one.config.vct == *vct)
        };
        let given = same().find(|one| !one.documents.is_empty());
        let configured = match (given, same().next()) {
            (Some(given), _) => given.documents.clone(),
            (None, Some(first)) if is_published_by(issuer, vct) => vec![made(first)],
            _ => Vec::new(),
        };
        documents.entry(vct.clone()).or_insert(TypeDocument {
            configured,
            kept: OnceLock::new(),
        });
    }
    documents
}

/// Whether the world looks for a type's document at this issuer: below its address, or, if the type is
/// no address, by the network's rule (protocol.md §7).
fn is_published_by(issuer: &str, vct: &str) -> bool {
    let is_address = vct.starts_with("https://") || vct.starts_with("http://");
    let below = vct.strip_prefix(issuer);
    !is_address || below.is_some_and(|path| path.starts_with("/vct/"))
}

/// A document as a configuration describes its type.
fn made(kind: &CredentialType) -> String {
    let config = &kind.config;
    let mut display = vec![json!({ "locale": LOCALE, "name": config.name })];
    if !config.description.is_empty() {
        display[0]["description"] = config.description.as_str().into();
    }
    display.extend(local(&config.names, "name"));
    let claims: Vec<_> = config
        .claims
        .iter()
        .map(|claim| {
            let mut display = vec![json!({ "locale": LOCALE, "label": claim.title })];
            display.extend(local(&claim.titles, "label"));
            json!({
                "path": [claim.name],
                "display": display,
                "sd": if claim.always { "never" } else { "always" },
                "mandatory": !claim.optional,
            })
        })
        .collect();
    json!({
        "vct": config.vct,
        "name": config.name,
        "description": config.description,
        "display": display,
        "claims": claims,
    })
    .to_string()
}

fn local<'a>(names: &'a BTreeMap<String, String>, member: &'a str) -> impl Iterator<Item = Value> + 'a {
    names
        .iter()
        .map(move |(locale, name)| json!({ "locale": locale, member: name }))
}

impl TypeDocument {
    fn own(&self) -> Option<&str> {
        let configured = self.configured.first();
        self.kept.get().or(configured).map(String::as_str)
    }

    /// The rules of the type, if its document is here.
    fn metadata(&self, vct: &str) -> Result<Option<TypeMetadata>, TypeMetadataError> {
        let Some(own) = self.own() else { return Ok(None) };
        let mut chain = Chain::new(vct, None);
        chain.add(own.as_bytes())?;
        for extended in self.configured.iter().skip(1) {
            chain.add(extended.as_bytes())?;
        }
        chain.finish().map(Some)
    }
}

impl CredentialIssuer {
    /// `/vct/{name}`: the metadata of the type of a configuration, or of the type with this address, as
    /// they have to be served to the letter.
    ///
    /// # Errors
    /// [`IssueRefusal::UnknownConfiguration`], [`IssueRefusal::Database`].
    pub async fn type_metadata(&self, name: &str) -> Result<String, IssueRefusal> {
        let address = format!("{}/vct/{name}", self.issuer);
        let vct = self
            .types
            .get(name)
            .map_or(&address, |(kind, _)| &kind.config.vct);
        let document = self
            .documents
            .get(vct)
            .ok_or(IssueRefusal::UnknownConfiguration)?;
        self.read_kept(vct, document).await?;
        let text = document.own().map(str::to_owned);
        text.ok_or(IssueRefusal::UnknownConfiguration)
    }

    /// `vct#integrity` of a type's credentials; none if others publish its document. From now on the
    /// document stays as it is.
    pub(crate) async fn fixed_integrity(&self, vct: &str, now: u64) -> Result<Option<String>, IssueRefusal> {
        let document = self
            .documents
            .get(vct)
            .ok_or(IssueRefusal::UnknownConfiguration)?;
        let Some(configured) = document.configured.first() else {
            return Ok(None);
        };
        if document.kept.get().is_none() {
            // Of several processes with different configurations, the first one's is kept.
            sqlx::query(
                "INSERT INTO vci_type_documents (vct, document, kept_at) VALUES ($1, $2, $3)
                 ON CONFLICT (vct) DO NOTHING",
            )
            .bind(vct)
            .bind(configured)
            .bind(number(now))
            .execute(self.database.pool())
            .await?;
            self.read_kept(vct, document).await?;
        }
        let integrity = document.own().map(|text| Integrity::of(text.as_bytes()));
        Ok(integrity.map(|integrity| integrity.as_str().to_owned()))
    }

    async fn read_kept(&self, vct: &str, document: &TypeDocument) -> Result<(), sqlx::Error> {
        if document.kept.get().is_some() {
            return Ok(());
        }
        let row = sqlx::query("SELECT document FROM vci_type_documents WHERE vct = $1")
            .bind(vct)
            .fetch_optional(self.database.pool())
            .await?;
        if let Some(row) = row {
            // Whoever was quicker read the same row, which never changes.
            let _ = document.kept.set(row.try_get("document")?);
        }
        Ok(())
    }

    /// Reads which documents are fixed already, and says where the configuration has come to differ.
    ///
    /// # Errors
    /// The database's.
    pub async fn load_type_documents(&self) -> Result<(), sqlx::Error> {
        for (vct, document) in &*self.documents {
            self.read_kept(vct, document).await?;
            match (document.kept.get(), document.configured.first()) {
                (Some(kept), Some(configured)) if kept != configured => tracing::warn!(
                    vct,
                    "the type's metadata stay as its first credential was signed with; to change them, give the type a new name"
                ),
                (None, None) => tracing::warn!(
                    vct,
                    "others publish the type's metadata; name a copy in `metadata`, and credentials are signed with its hash"
                ),
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether what is configured keeps the rules of its types: tried on credentials like those that
    /// will be issued, with and without the claims that a record may lack.
    ///
    /// # Errors
    /// [`TypeError::Metadata`], [`TypeError::Rules`].
    pub fn check_types(&self) -> Result<(), TypeError> {
        for (kind, _) in self.types.values() {
            let (id, vct) = (&kind.config.id, &kind.config.vct);
            let Some(document) = self.documents.get(vct) else {
                continue;
            };
            let metadata = document.metadata(vct);
            let metadata = metadata.map_err(|error| TypeError::Metadata(id.clone(), error))?;
            let Some(metadata) = metadata else { continue };
            for optional in [true, false] {
                check_sample(kind, &metadata, optional)?;
            }
        }
        Ok(())
    }
}

fn check_sample(kind: &CredentialType, metadata: &TypeMetadata, optional: bool) -> Result<(), TypeError> {
    let claims = kind.sample(optional);
    let new = NewVc {
        vct: kind.config.vct.clone(),
        frame: frame(kind, &claims),
        claims,
        ..NewVc::default()
    };
    // Nobody gets this one: key and salts may be known.
    let key = SecretKey::from_seed(kind.key, &[1; 32]);
    let made = vc::issue(
        &key,
        &IssuerHeader::default(),
        &new,
        &mut StdRng::seed_from_u64(0),
    );
    let disclosed = made
        .ok()
        .and_then(|made| SdJwt::parse(&made).ok()?.disclosed().ok())
        .ok_or_else(|| TypeError::Metadata(kind.config.id.clone(), TypeMetadataError::Form))?;
    let kept = metadata.check(&disclosed, Complete::Yes);
    kept.map_err(|error| TypeError::Rules(kind.config.id.clone(), error))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use realdid_crypto::KeyType;
    use tempfile::TempDir;

    use super::*;
    use crate::credential_issuer::realname::default_types;
    use crate::credential_issuer::{IssuerKeys, Parts, Policy, REALNAME_VCT, Register, TypeConfig};
    use crate::database::Database;
    use crate::secrets::Secrets;

    const ISSUER: &str = "https://issuer.example";

    async fn database(directory: &TempDir) -> Database {
        let path = directory.path().join("issuer.db");
        Database::open(&format!("sqlite:{}", path.display()))
            .await
            .unwrap()
    }

    fn issuer(database: &Database, types: Vec<CredentialType>) -> CredentialIssuer {
        let source = Arc::new(Register(database.clone()));
        let issuable = |kind| {
            (
                kind,
                Arc::clone(&source) as Arc<dyn crate::credential_issuer::Source>,
            )
        };
        let (_, rights) = tokio::sync::watch::channel(None);
        CredentialIssuer::new(Parts {
            database: database.clone(),
            secrets: Secrets::from_bytes([1; 32]),
            issuer: ISSUER.into(),
            name: "An issuer".into(),
            policy: Policy::default(),
            types: types.into_iter().map(issuable).collect(),
            keys: IssuerKeys::new(Vec::new()),
            rights,
        })
    }

    fn kind(config: TypeConfig) -> CredentialType {
        CredentialType::new(config, None).unwrap()
    }

    /// The real-name credential under another address or name.
    fn of_type(vct: &str) -> TypeConfig {
        let first = default_types().remove(0);
        TypeConfig {
            vct: vct.to_owned(),
            ..first
        }
    }

    /// With a document of its publisher's that has these claims.
    fn published(vct: &str, claims: &Value) -> CredentialType {
        let document = json!({ "vct": vct, "claims": claims });
        kind(of_type(vct)).with_documents(vec![document.to_string()])
    }

    #[tokio::test]
    async fn the_first_credential_fixes_the_document() {
        let directory = tempfile::tempdir().unwrap();
        let database = database(&directory).await;
        let with_name = |name: &str| {
            let mut config = of_type(REALNAME_VCT);
            name.clone_into(&mut config.name);
            issuer(&database, vec![kind(config)])
        };
        let served = async |issuer: &CredentialIssuer| issuer.type_metadata("realname").await.unwrap();
        let (first, second) = (with_name("Real name"), with_name("True name"));
        assert!(served(&first).await.contains("Real name") && served(&second).await.contains("True name"));
        // Both run when the first one issues.
        let signed = first.fixed_integrity(REALNAME_VCT, 1).await.unwrap().unwrap();
        assert_eq!(
            second.fixed_integrity(REALNAME_VCT, 2).await.unwrap().as_ref(),
            Some(&signed)
        );
        // And later ones, whatever they are called.
        let third = with_name("Genuine name");
        third.load_type_documents().await.unwrap();
        third.check_types().unwrap();
        for issuer in [&first, &second, &third] {
            let document = served(issuer).await;
            assert_eq!(Integrity::of(document.as_bytes()).as_str(), signed);
        }
    }

    #[tokio::test]
    async fn all_configurations_of_a_type_share_a_document() {
        let directory = tempfile::tempdir().unwrap();
        let database = database(&directory).await;
        let issuer = issuer(&database, default_types().into_iter().map(kind).collect());
        issuer.check_types().unwrap();
        let document = issuer.type_metadata("realname").await.unwrap();
        assert_eq!(issuer.type_metadata("realname_sm2").await.unwrap(), document);
        let mut chain = Chain::new(REALNAME_VCT, None);
        chain.add(document.as_bytes()).unwrap();
        let metadata = chain.finish().unwrap();
        assert_eq!(metadata.display(&["zh-CN"]).unwrap().name, "实名凭证");
        assert!(issuer.type_metadata("nothing").await.is_err());
    }

    #[tokio::test]
    async fn a_type_with_an_address_is_described_there_and_nowhere_else() {
        let directory = tempfile::tempdir().unwrap();
        let database = database(&directory).await;
        let own = "https://issuer.example/vct/pass-1";
        let served = issuer(&database, vec![kind(of_type(own))]);
        let document = served.type_metadata("pass-1").await.unwrap();
        assert_eq!(served.type_metadata("realname").await.unwrap(), document);
        assert!(served.fixed_integrity(own, 1).await.unwrap().is_some());
        // Of others' documents only a copy tells the hash.
        let others = "https://types.example/vct/pass-1";
        let without = issuer(&database, vec![kind(of_type(others))]);
        without.load_type_documents().await.unwrap();
        without.check_types().unwrap();
        assert_eq!(without.fixed_integrity(others, 1).await.unwrap(), None);
        assert!(without.type_metadata("realname").await.is_err());
        let copied = issuer(&database, vec![published(others, &json!([]))]);
        let signed = copied.fixed_integrity(others, 1).await.unwrap().unwrap();
        let document = copied.type_metadata("realname").await.unwrap();
        assert_eq!(Integrity::of(document.as_bytes()).as_str(), signed);
    }

    async fn checked(claims: Value) -> Result<(), TypeError> {
        let directory = tempfile::tempdir().unwrap();
        let database = database(&directory).await;
        issuer(&database, vec![published(REALNAME_VCT, &claims)]).check_types()
    }

    // test: SVC-29
    #[tokio::test]
    async fn a_configuration_that_may_lack_a_mandatory_claim_is_refused() {
        for name in ["given_name", "passport"] {
            let refused = checked(json!([{ "path": [name], "mandatory": true }])).await;
            let missing =
                |error: &TypeError| matches!(error, TypeError::Rules(_, TypeMetadataError::Missing(_)));
            assert!(refused.as_ref().is_err_and(missing), "{refused:?}");
        }
        checked(json!([{ "path": ["birthdate"], "mandatory": true }]))
            .await
            .unwrap();
    }

    // test: SVC-30
    #[tokio::test]
    async fn a_configuration_that_hides_what_the_type_shows_is_refused() {
        let refused = checked(json!([{ "path": ["birthdate"], "sd": "never" }])).await;
        assert!(matches!(
            refused,
            Err(TypeError::Rules(_, TypeMetadataError::Disclosure(_)))
        ));
        checked(json!([{ "path": ["birthdate"], "sd": "always" }]))
            .await
            .unwrap();
    }

    // test: SVC-28
    #[tokio::test]
    async fn a_configuration_whose_claims_are_of_another_shape_is_refused() {
        let refused = checked(json!([{ "path": ["birthdate", null] }])).await;
        assert!(matches!(
            refused,
            Err(TypeError::Rules(_, TypeMetadataError::Path(_)))
        ));
    }

    // test: SVC-31
    #[tokio::test]
    async fn a_document_is_not_used_without_those_that_it_extends() {
        let directory = tempfile::tempdir().unwrap();
        let database = database(&directory).await;
        let own = json!({ "vct": REALNAME_VCT, "extends": "urn:base" }).to_string();
        let base =
            json!({ "vct": "urn:base", "claims": [{ "path": ["name"], "mandatory": true }] }).to_string();
        let of = |documents| {
            issuer(
                &database,
                vec![kind(of_type(REALNAME_VCT)).with_documents(documents)],
            )
        };
        let refused = of(vec![own.clone()]).check_types();
        assert!(matches!(
            refused,
            Err(TypeError::Metadata(_, TypeMetadataError::Incomplete))
        ));
        of(vec![own, base]).check_types().unwrap();
    }

    #[test]
    fn samples_are_of_every_kind() {
        let kind = kind(of_type(REALNAME_VCT));
        assert_eq!(kind.key, KeyType::P256);
        assert!(
            kind.sample(true).contains_key("given_name") && !kind.sample(false).contains_key("given_name")
        );
    }
}
