//! The HTTP(S) binding of W3C DID Resolution, requirement by requirement.

use realdid_crypto::Hash;
use realdid_did::Service;
use serde_json::{Value, json};

use crate::support::{Holder, TestNetwork, TestNode};

const RESULT: &str = "application/did-resolution";

/// A node with one published DID that has two services.
async fn with_published_did() -> (TestNetwork, TestNode, Holder, Hash) {
    let network = TestNetwork::new();
    let node = network.start_with_sponsor().await;
    let mut holder = network.holder("alice");
    let service = |id: &str, endpoint: &str| Service {
        id: id.to_owned(),
        kind: "Files".to_owned(),
        endpoint: endpoint.to_owned(),
    };
    holder.services = vec![
        service("files", "https://files.example/alice/"),
        service("home", "https://home.example"),
    ];
    let publication = network.publication(&holder);
    node.publish(&publication).await;
    (network, node, holder, publication.operation.hash())
}

/// Asserts an error: status, its type, and the empty rest that the standard asks for.
fn is_error((status, media_type, body): (u16, String, Value), expected: u16, name: &str) {
    assert_eq!(status, expected, "{body}");
    assert_eq!(media_type, RESULT);
    let error = &body["didResolutionMetadata"]["error"];
    assert_eq!(error["type"], format!("https://www.w3.org/ns/did#{name}"));
    assert_eq!(
        (&body["didDocument"], &body["didDocumentMetadata"]),
        (&Value::Null, &json!({}))
    );
}

// test: RES-01
#[tokio::test(flavor = "multi_thread")]
async fn representations_are_what_was_asked_for() {
    let (_network, node, holder, _) = with_published_did().await;
    let did = holder.did().to_string();
    let (status, media_type, result) = node.resolve(&did, RESULT).await;
    assert_eq!((status, media_type.as_str()), (200, RESULT));
    let document = &result["didDocument"];
    assert_eq!(document["id"], did);
    assert_eq!(result["didResolutionMetadata"]["contentType"], "application/did");
    assert_eq!(result["didDocumentMetadata"]["versionId"], "1");
    assert_eq!(result["didDocumentMetadata"]["deactivated"], false);
    assert!(
        result["didDocumentMetadata"]["created"]
            .as_str()
            .unwrap()
            .ends_with('Z')
    );
    assert_eq!(result["didDocumentMetadata"]["updated"], Value::Null);

    for accept in [
        "application/did",
        "application/did+json",
        "application/did+ld+json",
    ] {
        let (status, media_type, body) = node.resolve(&did, accept).await;
        assert_eq!((status, media_type.as_str(), &body), (200, accept, document));
    }
    for accept in ["*/*", "application/json", "text/html, */*;q=0.1"] {
        let (status, _, body) = node.resolve(&did, accept).await;
        assert_eq!((status, &body["didDocument"]), (200, document));
    }
    let (status, media_type, body) = node.resolve(&did, "application/did-url-dereferencing").await;
    assert_eq!(
        (status, media_type.as_str()),
        (200, "application/did-url-dereferencing")
    );
    assert_eq!(
        (&body["content"], &body["contentMetadata"]["versionId"]),
        (document, &json!("1"))
    );
    is_error(
        node.resolve(&did, "text/html").await,
        406,
        "REPRESENTATION_NOT_SUPPORTED",
    );

    let escaped = did.replace(':', "%3A");
    assert_eq!(node.resolve(&escaped, "application/did").await.2, *document);
    let response = node
        .http
        .get(format!("{}/1.0/identifiers/{did}", node.url))
        .send()
        .await
        .unwrap();
    assert_eq!(response.headers()["access-control-allow-origin"], "*");
    assert_eq!(response.headers()["cache-control"], "public, max-age=5");
    assert_eq!(response.headers()["content-type"], RESULT);
    node.stop().await;
}

// test: RES-07, RES-08, RES-09, RES-10
#[tokio::test(flavor = "multi_thread")]
async fn errors_have_the_standard_types() {
    let (_network, node, holder, _) = with_published_did().await;
    let did = holder.did().to_string();
    for bad in [
        "x",
        "did",
        "did:real",
        "did:real:sandbox:zzz",
        "did:REAL:a:b",
        &did[..did.len() - 1],
        &format!("{did}:AA"),
    ] {
        is_error(node.resolve(bad, RESULT).await, 400, "INVALID_DID");
    }
    is_error(
        node.resolve("did:web:example.com", RESULT).await,
        501,
        "METHOD_NOT_SUPPORTED",
    );
    is_error(
        node.resolve(&did.replace("sandbox", "elsewhere"), RESULT).await,
        404,
        "NOT_FOUND",
    );
    let unknown = TestNetwork::new().holder("bob");
    is_error(
        node.resolve(&unknown.did().to_string(), RESULT).await,
        404,
        "NOT_FOUND",
    );
    // A long form of another network.
    is_error(node.resolve(&unknown.long_form(), RESULT).await, 404, "NOT_FOUND");
    // Errors are told as a result even if the document alone was asked for.
    is_error(node.resolve("x", "application/did").await, 400, "INVALID_DID");
    let (status, _, body) = node.resolve("x", "application/did-url-dereferencing").await;
    assert_eq!((status, &body["content"]), (400, &Value::Null));
    assert_eq!(
        body["dereferencingMetadata"]["error"]["type"],
        "https://www.w3.org/ns/did#INVALID_DID"
    );
    assert_eq!(node.resolve(&did, RESULT).await.0, 200);
    node.stop().await;
}

// test: RES-02, RES-05, RES-14, RES-15, RES-16
#[tokio::test(flavor = "multi_thread")]
async fn did_urls_lead_to_services_and_keys() {
    let (_network, node, holder, _) = with_published_did().await;
    let did = holder.did().to_string();
    let location = async |target: &str| {
        let response = node
            .http
            .get(format!("{}/1.0/identifiers/{target}", node.url))
            .send()
            .await
            .unwrap();
        let location = response
            .headers()
            .get("location")
            .map(|value| value.to_str().unwrap().to_owned());
        (
            response.status().as_u16(),
            location,
            response.bytes().await.unwrap().len(),
        )
    };
    let to = |url: &str| (303, Some(url.to_owned()), 0);
    assert_eq!(
        location(&format!("{did}?service=files")).await,
        to("https://files.example/alice/")
    );
    assert_eq!(
        location(&format!("{did}?service=files&relativeRef=cv.pdf%3Fv=1")).await,
        to("https://files.example/alice/cv.pdf?v=1")
    );
    let escaped = format!("{did}?service=home&relativeRef=/a")
        .replace(':', "%3A")
        .replace('?', "%3F");
    assert_eq!(
        location(&escaped.replace('&', "%26")).await,
        to("https://home.example/a")
    );

    is_error(
        node.resolve(&format!("{did}?service=none"), RESULT).await,
        404,
        "NOT_FOUND",
    );
    is_error(
        node.resolve(&format!("{did}?relativeRef=/a"), RESULT).await,
        400,
        "INVALID_DID_URL",
    );
    is_error(
        node.resolve(&format!("{did}/path"), RESULT).await,
        400,
        "INVALID_DID_URL",
    );
    let away = format!("{did}?service=files&relativeRef=https://evil.example");
    is_error(node.resolve(&away, RESULT).await, 400, "INVALID_DID_URL");

    let key = holder.key(0).public_key().to_multikey();
    let (status, _, method) = node.resolve(&format!("{did}%23{key}"), "application/did").await;
    assert_eq!((status, &method["publicKeyMultibase"]), (200, &json!(key)));
    is_error(
        node.resolve(&format!("{did}%23none"), RESULT).await,
        404,
        "NOT_FOUND",
    );
    let (status, _, body) = node
        .resolve(
            &format!("{did}?service=home"),
            "application/did-url-dereferencing",
        )
        .await;
    assert_eq!((status, &body["content"]), (200, &json!("https://home.example")));
    assert_eq!(body["dereferencingMetadata"]["contentType"], "text/uri-list");
    node.stop().await;
}

// test: RES-03, RES-04, RES-06, RES-12, RES-13
#[tokio::test(flavor = "multi_thread")]
async fn versions_are_found_by_number_and_time() {
    let (_network, node, holder, published) = with_published_did().await;
    let did = holder.did().to_string();
    let first = node.resolve(&did, RESULT).await.2;
    // Versions a second apart, so that times tell them apart.
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    node.publish(&holder.update(published, 1)).await;
    let second = node.resolve(&did, RESULT).await.2;
    let metadata = &second["didDocumentMetadata"];
    assert_ne!(second["didDocument"], first["didDocument"]);
    assert_eq!(
        (&metadata["versionId"], &metadata["created"]),
        (&json!("2"), &first["didDocumentMetadata"]["created"])
    );

    let (created, updated) = (
        metadata["created"].as_str().unwrap(),
        metadata["updated"].as_str().unwrap(),
    );
    for query in ["versionId=1".to_owned(), format!("versionTime={created}")] {
        let old = node.resolve(&format!("{did}?{query}"), RESULT).await.2;
        assert_eq!(old["didDocument"], first["didDocument"], "{query}");
        assert_eq!(old["didDocumentMetadata"]["nextVersionId"], "2");
        assert_eq!(old["didDocumentMetadata"]["nextUpdate"], updated);
    }
    for query in ["versionId=2".to_owned(), format!("versionTime={updated}")] {
        let new = node.resolve(&format!("{did}?{query}"), RESULT).await.2;
        assert_eq!(new["didDocument"], second["didDocument"], "{query}");
    }
    let cache = async |query: &str| {
        let response = node
            .http
            .get(format!("{}/1.0/identifiers/{did}{query}", node.url))
            .send()
            .await
            .unwrap();
        response.headers()["cache-control"].to_str().unwrap().to_owned()
    };
    assert!(cache("?versionId=1").await.contains("immutable"));
    // The newest version can still change by time alone.
    assert!(!cache("?versionId=2").await.contains("immutable"));

    for query in ["versionId=3", "versionTime=2001-01-01T00:00:00Z"] {
        is_error(
            node.resolve(&format!("{did}?{query}"), RESULT).await,
            404,
            "NOT_FOUND",
        );
    }
    for query in [
        "versionId=0",
        "versionId=x",
        "versionId=01",
        "versionTime=yesterday",
        "versionId=1&versionTime=2026-01-01T00:00:00Z",
    ] {
        is_error(
            node.resolve(&format!("{did}?{query}"), RESULT).await,
            400,
            "INVALID_OPTIONS",
        );
    }
    // The same options in the body of a POST.
    let (_, old) = node
        .post(&format!("/1.0/identifiers/{did}"), &json!({"versionId": "1"}))
        .await;
    assert_eq!(old["didDocument"], first["didDocument"]);
    node.stop().await;
}

// test: RES-10
#[tokio::test(flavor = "multi_thread")]
async fn a_long_form_resolves_to_its_inception_until_it_is_published() {
    let network = TestNetwork::new();
    let node = network.start_with_sponsor().await;
    let holder = network.holder("alice");
    let (did, long_form) = (holder.did().to_string(), holder.long_form());

    let (status, posted) = node.post("/1.0/identifiers", &json!({"did": long_form})).await;
    assert_eq!((status, &posted["didDocument"]["id"]), (200, &json!(did)));
    let metadata = &posted["didDocumentMetadata"];
    assert_eq!(
        (&metadata["published"], &metadata["canonicalId"]),
        (&json!(false), &json!(did))
    );
    assert_eq!(metadata["versionId"], Value::Null);
    assert!(metadata["proof"]["state"].is_string(), "absence is proven");
    assert_eq!(
        node.resolve(&long_form, RESULT).await.2["didDocument"],
        posted["didDocument"]
    );
    is_error(node.resolve(&did, RESULT).await, 404, "NOT_FOUND");
    is_error(
        node.resolve(&format!("{long_form}?versionId=1"), RESULT).await,
        404,
        "NOT_FOUND",
    );
    let (status, body) = node.post("/1.0/identifiers", &json!({"id": 1})).await;
    assert_eq!((status, &body["didDocument"]), (400, &Value::Null));

    let publication = network.publication(&holder);
    node.publish(&publication).await;
    node.publish(&holder.update(publication.operation.hash(), 1))
        .await;
    // Once on the ledger, the ledger is what counts.
    let now = node.resolve(&long_form, RESULT).await.2;
    assert_eq!(
        (
            &now["didDocumentMetadata"]["published"],
            &now["didDocumentMetadata"]["versionId"]
        ),
        (&json!(true), &json!("2"))
    );
    assert_ne!(now["didDocument"], posted["didDocument"]);
    node.stop().await;
}

// test: RES-11
#[tokio::test(flavor = "multi_thread")]
async fn a_deactivated_did_is_gone() {
    let (_network, node, holder, published) = with_published_did().await;
    let did = holder.did().to_string();
    let before = node.resolve(&did, RESULT).await.2;
    node.publish(&holder.deactivate(published, None)).await;
    for target in [
        did.clone(),
        holder.long_form(),
        format!("{did}?service=files"),
        format!("{did}?versionId=2"),
    ] {
        for accept in [RESULT, "application/did"] {
            let (status, media_type, body) = node.resolve(&target, accept).await;
            assert_eq!(
                (status, media_type.as_str(), &body["didDocument"]),
                (410, RESULT, &Value::Null)
            );
            assert_eq!(body["didDocumentMetadata"]["deactivated"], true);
            assert_eq!(body["didResolutionMetadata"]["error"], Value::Null);
        }
    }
    let old = node.resolve(&format!("{did}?versionId=1"), RESULT).await;
    assert_eq!((old.0, &old.2["didDocument"]), (200, &before["didDocument"]));
    node.stop().await;
}

/// DID Core, §5: what a conforming document has.
#[tokio::test(flavor = "multi_thread")]
async fn documents_conform_to_did_core() {
    let (network, node, holder, _) = with_published_did().await;
    let sponsor = network.sponsor.did(&network.charter);
    for did in [holder.did().to_string(), sponsor.to_string()] {
        let document = node.resolve(&did, "application/did").await.2;
        // §5.1.1: the id is the DID that was resolved. §6.3.1: the context begins with DID Core's.
        assert_eq!(document["id"], did);
        assert_eq!(document["@context"][0], "https://www.w3.org/ns/did/v1");
        // §5.2: verification methods have id, type, controller and exactly one form of the key.
        let methods = document["verificationMethod"].as_array().unwrap();
        for method in methods {
            assert!(method["id"].as_str().unwrap().starts_with(&format!("{did}#")));
            assert_eq!(
                (&method["type"], &method["controller"]),
                (&json!("Multikey"), &json!(did))
            );
            assert!(method["publicKeyMultibase"].as_str().unwrap().starts_with('z'));
            assert_eq!(method.as_object().unwrap().len(), 4);
        }
        // §5.3: relationships name methods of the document.
        assert!(document["authentication"].is_array());
        for name in [
            "authentication",
            "assertionMethod",
            "capabilityInvocation",
            "capabilityDelegation",
        ] {
            for url in document[name].as_array().into_iter().flatten() {
                assert!(methods.iter().any(|method| method["id"] == *url), "{name}");
            }
        }
        // §5.4: services have an id of their own, a type and an endpoint that is a URL.
        let services: Vec<_> = document["service"].as_array().into_iter().flatten().collect();
        for service in &services {
            assert!(service["id"].as_str().unwrap().starts_with(&format!("{did}#")));
            assert!(service["type"].is_string());
            assert!(url::Url::parse(service["serviceEndpoint"].as_str().unwrap()).is_ok());
            assert_eq!(
                services
                    .iter()
                    .filter(|other| other["id"] == service["id"])
                    .count(),
                1
            );
        }
        let known = [
            "@context",
            "id",
            "verificationMethod",
            "authentication",
            "assertionMethod",
            "service",
        ];
        assert!(
            document
                .as_object()
                .unwrap()
                .keys()
                .all(|name| known.contains(&name.as_str()))
        );
    }
    node.stop().await;
}
