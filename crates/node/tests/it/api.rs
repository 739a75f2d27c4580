//! The interface itself: its description, its limits, and what it never shows.

use serde_json::Value;

use crate::support::{MAX_AGE, TestNetwork};

#[tokio::test(flavor = "multi_thread")]
async fn every_route_is_described_and_no_metric_names_a_did() {
    let network = TestNetwork::new();
    let node = network.start_with_sponsor().await;
    let holder = network.holder("alice");
    let publication = network.publication(&holder);
    node.publish(&publication).await;
    let did = holder.did().to_string();
    node.resolve(&did, "application/did").await;

    let (status, description) = node.get("/openapi.json").await;
    assert_eq!(status, 200);
    for path in [
        "/v1/operations",
        "/v1/operations/{hash}",
        "/v1/proofs/keys",
        "/v1/proofs/prefix/{prefix}",
        "/v1/dids/{did}/proof",
        "/v1/dids/{did}/operations",
        "/v1/dids/{did}/decisions",
        "/v1/documents/{hash}",
        "/v1/headers/latest",
        "/v1/headers/{height}",
        "/v1/blocks/{height}",
        "/v1/status",
        "/v1/charter",
        "/1.0/identifiers/{did}",
    ] {
        assert!(description["paths"][path].is_object(), "{path}");
    }

    let metrics = node
        .http
        .get(format!("{}/metrics", node.url))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    for name in [
        "http_requests_total",
        "ledger_operations_total",
        "ledger_finality_seconds_bucket",
        "ledger_height",
    ] {
        // The recorder is the process's; another test in it may have been first.
        assert!(metrics.contains(name), "{name}");
    }
    let id = did.rsplit(':').next().unwrap();
    for secret in [
        id,
        &holder.did().hash.to_hex(),
        &publication.operation.hash().to_hex(),
    ] {
        assert!(!metrics.contains(secret));
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_and_blocks_are_final_and_the_charter_is_the_pinned_one() {
    let network = TestNetwork::new();
    let node = network.start_with_sponsor().await;
    let latest = node.get("/v1/headers/latest").await.1;
    let height = latest["height"].as_u64().unwrap();
    let (status, header) = node.get(&format!("/v1/headers/{height}")).await;
    assert_eq!((status, &header["hash"]), (200, &latest["hash"]));
    let parent = node.get(&format!("/v1/headers/{}", height - 1)).await.1;
    assert_eq!(parent["hash"], header["parent"]);
    assert_eq!(node.get("/v1/headers/1000000").await.1["code"], "block_not_found");
    assert_eq!(node.get("/v1/headers/x").await.1["code"], "malformed_request");

    assert_eq!(node.client.charter().await.unwrap(), network.charter);
    let status = node.client.status().await.unwrap();
    assert_eq!(status["charter_hash"], network.charter.hash().to_hex());
    let key = realdid_ledger::state_key::parameters();
    assert!(
        node.client
            .state(&[key], MAX_AGE)
            .await
            .unwrap()
            .record(&key)
            .unwrap()
            .is_some()
    );
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn browsers_may_ask_and_answers_carry_security_headers() {
    let network = TestNetwork::new();
    let node = network.start().await;
    let preflight = node
        .http
        .request(reqwest::Method::OPTIONS, format!("{}/v1/operations", node.url))
        .header("origin", "https://wallet.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type");
    let response = preflight.send().await.unwrap();
    assert_eq!(response.headers()["access-control-allow-origin"], "*");
    let refused = node
        .http
        .post(format!("{}/v1/operations", node.url))
        .header("origin", "https://wallet.example");
    let response = refused
        .header("content-type", "application/json")
        .body("{")
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 400);
    assert_eq!(response.headers()["access-control-allow-origin"], "*");
    assert_eq!(response.headers()["x-content-type-options"], "nosniff");
    let id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
    assert_eq!(response.json::<Value>().await.unwrap()["request_id"], id);
    node.stop().await;
}
