//! The DID document (W3C DID Core), derived from document data and never stored as text.

use serde_json::{Value, json};

use crate::{Did, DocumentData, Purposes};

/// The JSON-LD context of DID Core 1.0.
pub const DID_CONTEXT: &str = "https://www.w3.org/ns/did/v1";
/// The JSON-LD context of the Multikey verification method.
pub const MULTIKEY_CONTEXT: &str = "https://w3id.org/security/multikey/v1";

/// The document of a DID: short-form `id`, verification methods of type `Multikey` (Controlled
/// Identifiers 1.0 §2.2.2) with the key itself as fragment, relationships, services.
#[must_use]
pub fn did_document(did: &Did, data: &DocumentData) -> Value {
    let id = did.to_string();
    let methods: Vec<_> = data
        .keys()
        .iter()
        .map(|key| {
            let multikey = key.key.to_multikey();
            json!({
                "id": format!("{id}#{multikey}"),
                "type": "Multikey",
                "controller": id,
                "publicKeyMultibase": multikey,
            })
        })
        .collect();
    let mut document = json!({
        "@context": [DID_CONTEXT, MULTIKEY_CONTEXT],
        "id": id,
        "verificationMethod": methods,
    });
    let relationships = [
        ("authentication", Purposes::AUTHENTICATION),
        ("assertionMethod", Purposes::ASSERTION),
        ("capabilityInvocation", Purposes::INVOCATION),
        ("capabilityDelegation", Purposes::DELEGATION),
    ];
    for (name, purpose) in relationships {
        let keys = data.keys().iter().filter(|key| key.purposes.contains(purpose));
        let urls: Vec<_> = keys.map(|key| did.key_url(&key.key)).collect();
        if !urls.is_empty() {
            document[name] = json!(urls);
        }
    }
    if !data.services().is_empty() {
        let services = data.services().iter().map(|service| {
            json!({
                "id": format!("{id}#{}", service.id),
                "type": service.kind,
                "serviceEndpoint": service.endpoint,
            })
        });
        document["service"] = services.collect();
    }
    document
}
