//! Finds what a resolution request asks for.

use realdid_checks::passes;
use realdid_crypto::Hash;
use realdid_did::{Did, DidError, DocumentData, Entry, Inception, ParsedDid, Status, did_document};
use realdid_service::Problem;
use serde_json::Value;

use super::answer::{ErrorType, Failure};
use super::request::{Request, VersionChoice};
use crate::index::Version;
use crate::ledger_view::{Node, ProvenEntry};

/// A DID as it stands, or stood, at some version.
pub(super) struct Found {
    /// The DID, short form.
    pub(super) did: Did,
    /// Whether the long form was asked for.
    pub(super) long_form: bool,
    /// The document; `None` if the DID is deactivated.
    pub(super) document: Option<Value>,
    /// The entry of the version; `None` if the DID is not on the ledger.
    pub(super) entry: Option<Entry>,
    /// What the entry means at the time in question.
    pub(super) status: Status,
    /// The version after this one, if there is one; then the answer never changes.
    pub(super) next: Option<Version>,
    /// Proof of the newest state; kept for answers about the newest version.
    pub(super) proof: ProvenEntry,
    /// What part of it was asked for.
    pub(super) part: Part,
}

/// What part of a document was asked for.
pub(super) enum Part {
    /// All of it.
    Document,
    /// The address of a service.
    Service(String),
    /// The object with this fragment.
    Object(Value),
}

/// Finds the document, and the part of it, that is asked for.
pub(super) async fn find(node: &Node, request: Request) -> Result<Found, Failure> {
    let parsed = parse(node, &request.did)?;
    let proof = node.prove_entry(&parsed.did.hash).await.map_err(internal)?;
    let mut found = match proof.entry.clone() {
        Some(entry) => on_ledger(node, parsed, entry, proof, request.version).await?,
        None => at_inception(parsed, proof, request.version)?,
    };
    found.part = part(&found, &request)?;
    Ok(found)
}

/// A DID of this method and network.
fn parse(node: &Node, text: &str) -> Result<ParsedDid, Failure> {
    let parsed = match ParsedDid::parse(text) {
        Ok(parsed) => parsed,
        Err(DidError::Method) if !passes("RES-07", false) => {
            return Err(Failure::new(
                ErrorType::MethodNotSupported,
                "this resolver knows the method `real` only",
            ));
        }
        Err(error) if !passes("RES-08", false) => {
            return Err(Failure::new(ErrorType::InvalidDid, error.to_string()));
        }
        Err(_) => return Err(not_on_ledger()),
    };
    let this_charter = |inception: &Inception| inception.charter == node.charter_hash;
    let this_network = parsed.did.network == node.charter.network;
    if !passes(
        "RES-09",
        this_network && parsed.inception.as_ref().is_none_or(this_charter),
    ) {
        return Err(Failure::new(
            ErrorType::NotFound,
            "the DID belongs to another network",
        ));
    }
    Ok(parsed)
}

fn not_on_ledger() -> Failure {
    Failure::new(ErrorType::NotFound, "the DID is not on the ledger")
}

/// A DID that is proven absent stands at its inception, which only a long form carries.
fn at_inception(parsed: ParsedDid, proof: ProvenEntry, version: VersionChoice) -> Result<Found, Failure> {
    let newest = version == VersionChoice::Newest;
    if !passes("RES-10", parsed.inception.is_some() && newest) {
        return Err(not_on_ledger());
    }
    let document = |inception: &Inception| did_document(&parsed.did, &inception.document);
    Ok(Found {
        document: parsed.inception.as_ref().map(document),
        did: parsed.did,
        long_form: true,
        entry: None,
        status: Status::Active,
        next: None,
        proof,
        part: Part::Document,
    })
}

async fn on_ledger(
    node: &Node,
    parsed: ParsedDid,
    newest: Entry,
    proof: ProvenEntry,
    version: VersionChoice,
) -> Result<Found, Failure> {
    let did = parsed.did.hash;
    let chosen = chosen_version(node, &did, version).await?;
    let next = match chosen {
        Some(chosen) if chosen < u64::from(newest.version) => {
            let next = version_of(node, &did, chosen + 1).await?;
            Some(next.ok_or_else(no_such_version)?)
        }
        _ => None,
    };
    // A version is shown as it stood last: pending operations take effect by time alone.
    let (entry, time) = match &next {
        None => (newest, proof.time),
        Some(next) => (
            node.entry_after(&did, next.number - 1).await.map_err(internal)?,
            next.time,
        ),
    };
    let time = if let VersionChoice::Time(asked) = version {
        asked.min(time)
    } else {
        time
    };
    let status = entry.status(time);
    let entry = entry.at(time);
    let data = document_data(node, &entry.document, parsed.inception.as_ref()).await?;
    let document = passes("RES-11", status != Status::Deactivated).then(|| did_document(&parsed.did, &data));
    let long_form = parsed.inception.is_some();
    Ok(Found {
        did: parsed.did,
        long_form,
        document,
        entry: Some(entry),
        status,
        next,
        proof,
        part: Part::Document,
    })
}

/// The number of the version that is asked for; `None` for the newest.
async fn chosen_version(node: &Node, did: &Hash, version: VersionChoice) -> Result<Option<u64>, Failure> {
    match version {
        VersionChoice::Newest => Ok(None),
        VersionChoice::Id(number) => {
            let found = version_of(node, did, number).await?;
            if !passes("RES-13", found.is_some()) {
                return Err(no_such_version());
            }
            Ok(found.map(|version| version.number))
        }
        VersionChoice::Time(time) => {
            let found = node.index.version_at(did, time).await.map_err(internal_index)?;
            if !passes("RES-12", found.is_some()) {
                return Err(Failure::new(
                    ErrorType::NotFound,
                    "the DID was not on the ledger then",
                ));
            }
            Ok(found.map(|version| version.number))
        }
    }
}

async fn version_of(node: &Node, did: &Hash, number: u64) -> Result<Option<Version>, Failure> {
    node.index.version(did, number).await.map_err(internal_index)
}

fn no_such_version() -> Failure {
    Failure::new(ErrorType::NotFound, "the DID has no such version")
}

async fn document_data(
    node: &Node,
    hash: &Hash,
    inception: Option<&Inception>,
) -> Result<DocumentData, Failure> {
    if let Some(inception) = inception.filter(|inception| inception.document.hash() == *hash) {
        return Ok(inception.document.clone());
    }
    let found = node.document(hash).await.map_err(internal)?;
    let found = found.ok_or_else(|| internal(Problem::internal(&"a current document is not indexed")))?;
    Ok(found.data)
}

fn part(found: &Found, request: &Request) -> Result<Part, Failure> {
    let Some(document) = &found.document else {
        return Ok(Part::Document);
    };
    let own_id = |fragment: &str| format!("{}#{fragment}", found.did);
    if let Some(service) = &request.service {
        let service = object(document, &["service"], &own_id(service));
        let endpoint = service
            .as_ref()
            .and_then(|service| service["serviceEndpoint"].as_str());
        if !passes("RES-14", endpoint.is_some()) {
            return Err(Failure::new(
                ErrorType::NotFound,
                "the document has no such service",
            ));
        }
        if let Some(endpoint) = endpoint {
            return join(endpoint, request.relative_ref.as_deref()).map(Part::Service);
        }
    }
    let Some(fragment) = &request.fragment else {
        return Ok(Part::Document);
    };
    let object = object(document, &["verificationMethod", "service"], &own_id(fragment));
    if !passes("RES-15", object.is_some()) {
        return Err(Failure::new(
            ErrorType::NotFound,
            "the document has nothing of this name",
        ));
    }
    Ok(object.map_or(Part::Document, Part::Object))
}

fn object(document: &Value, members: &[&str], id: &str) -> Option<Value> {
    let objects = members
        .iter()
        .filter_map(|member| document[*member].as_array())
        .flatten();
    objects.into_iter().find(|object| object["id"] == id).cloned()
}

/// The endpoint, or a reference relative to it (RFC 3986 §5).
fn join(endpoint: &str, relative: Option<&str>) -> Result<String, Failure> {
    let Some(relative) = relative else {
        return Ok(endpoint.to_owned());
    };
    let invalid = |_| {
        Failure::new(
            ErrorType::InvalidDidUrl,
            "`relativeRef` is not a relative reference",
        )
    };
    let base = url::Url::parse(endpoint).map_err(invalid)?;
    let joined = base.join(relative).map_err(invalid)?;
    if passes("RES-16", joined.origin() == base.origin()) {
        Ok(joined.into())
    } else {
        Err(Failure::new(
            ErrorType::InvalidDidUrl,
            "`relativeRef` leads away from the service",
        ))
    }
}

fn internal(problem: Problem) -> Failure {
    match problem.code {
        "history_too_long" => Failure::new(ErrorType::FeatureNotSupported, problem.detail),
        "not_ready" => Failure::new(ErrorType::NotReady, problem.detail),
        _ => Failure::new(ErrorType::InternalError, problem.detail),
    }
}

fn internal_index(error: sqlx::Error) -> Failure {
    internal(crate::api::problems::of_index(&error))
}
