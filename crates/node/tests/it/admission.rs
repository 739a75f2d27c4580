//! Bad input, and what is never confused: received and final.

use realdid_crypto::{Hash, base64url_encode};
use realdid_did::Authorization;
use realdid_ledger::encode_did_operation;
use serde_json::json;

use crate::support::{PATIENCE, TestNetwork, nothing};

/// Asserts a problem: status, code, and that it names its request.
fn is_problem((status, body): (u16, serde_json::Value), expected: u16, code: &str) {
    assert_eq!((status, body["code"].as_str()), (expected, Some(code)), "{body}");
    assert_eq!(body["type"], format!("urn:realdid:problem:{code}"));
    assert_eq!(body["request_id"].as_str().map(str::len), Some(32));
}

// test: ADM-04
#[tokio::test(flavor = "multi_thread")]
async fn malformed_operations_are_refused_and_change_nothing() {
    let network = TestNetwork::new();
    let node = network.start_with_sponsor().await;
    let holder = network.holder("alice");
    let good = encode_did_operation(&network.publication(&holder));

    is_problem(
        node.post("/v1/operations", &json!({"operation": "not base64url!"}))
            .await,
        400,
        "malformed_operation",
    );
    is_problem(
        node.post("/v1/operations", &json!({"operation": "AA=="})).await,
        400,
        "malformed_operation",
    );
    is_problem(
        node.post("/v1/operations", &json!({})).await,
        422,
        "unprocessable",
    );
    is_problem(
        node.post("/v1/operations", &json!({"operation": "", "more": 1}))
            .await,
        422,
        "unprocessable",
    );
    is_problem(node.submit(&[], "").await, 400, "malformed_operation");
    is_problem(node.submit(&[9], "").await, 400, "malformed_operation");
    is_problem(
        node.submit(&good[..good.len() - 1], "").await,
        400,
        "malformed_operation",
    );
    is_problem(
        node.submit(&[good.as_slice(), &[0]].concat(), "").await,
        400,
        "malformed_operation",
    );
    // The inception's count of extensions, which must be none.
    let mut other = good.clone();
    other[1] = 2;
    is_problem(node.submit(&other, "").await, 400, "malformed_operation");
    is_problem(
        node.submit(&vec![1; 16 * 1024 + 1], "").await,
        413,
        "operation_too_long",
    );
    is_problem(
        node.post("/v1/operations", &json!({"operation": "A".repeat(300_000)}))
            .await,
        413,
        "body_too_large",
    );
    is_problem(node.submit(&good, "?wait=forever").await, 400, "malformed_query");

    let (status, _) = node.get(&format!("/v1/dids/{}/operations", holder.did())).await;
    assert_eq!(status, 404, "nothing has changed");
    let (status, body) = node.submit(&good, "?wait=finalized").await;
    assert_eq!((status, body["status"].as_str()), (200, Some("finalized")));
    node.stop().await;
}

// test: ADM-04
#[tokio::test(flavor = "multi_thread")]
async fn operations_by_others_are_refused() {
    let network = TestNetwork::new();
    let node = network.start_with_sponsor().await;
    let holder = network.holder("alice");
    let thief = network.holder("thief");
    let good = network.publication(&holder);

    // Somebody else has the long form and publishes it with a key of their own.
    let mut stolen = good.clone();
    stolen.signature = good.operation.clone().sign(0, &thief.key(0)).signature;
    is_problem(
        node.submit(&encode_did_operation(&stolen), "").await,
        422,
        "invalid_signature",
    );
    let mut other_signer = good.clone();
    other_signer.signer = 1;
    is_problem(
        node.submit(&encode_did_operation(&other_signer), "").await,
        422,
        "signer_not_allowed",
    );
    // Another DID than its inception's.
    let mut other_did = good.operation.clone();
    other_did.did = thief.did().hash;
    let other_did = other_did.sign(0, &holder.key(0));
    is_problem(
        node.submit(&encode_did_operation(&other_did), "").await,
        422,
        "other_inception",
    );
    // Recorded on another network.
    let elsewhere = TestNetwork::new();
    let foreign = elsewhere.publication(&elsewhere.holder("alice"));
    is_problem(
        node.submit(&encode_did_operation(&foreign), "").await,
        422,
        "other_network",
    );
    // A sponsor's word for another DID.
    let borrowed = holder.publish(network.sponsored(&thief.did().hash));
    is_problem(
        node.submit(&encode_did_operation(&borrowed), "").await,
        422,
        "invalid_signature",
    );

    node.publish(&good).await;
    node.stop().await;
}

// test: ADM-05
#[tokio::test(flavor = "multi_thread")]
async fn operations_out_of_order_are_refused_and_replays_do_nothing() {
    let network = TestNetwork::new();
    let node = network.start_with_sponsor().await;
    let holder = network.holder("alice");
    let publication = network.publication(&holder);
    let published = publication.operation.hash();
    let update = holder.update(published, 1);

    is_problem(
        node.submit(&encode_did_operation(&update), "").await,
        409,
        "not_published",
    );
    let seat = holder.publish(Authorization::Charter { seat: 0 });
    is_problem(
        node.submit(&encode_did_operation(&seat), "").await,
        409,
        "seat_unknown",
    );

    let height = node.publish(&publication).await;
    let skipped = holder.update(nothing(), 1);
    is_problem(
        node.submit(&encode_did_operation(&skipped), "").await,
        409,
        "stale_previous",
    );
    let uncommitted = holder.update(published, 2);
    is_problem(
        node.submit(&encode_did_operation(&uncommitted), "").await,
        409,
        "commitment_mismatch",
    );
    node.publish(&update).await;

    // Whatever came after it, the same operation again is answered as what it is.
    let (status, body) = node.submit(&encode_did_operation(&publication), "").await;
    assert_eq!(
        (status, body["status"].as_str(), body["height"].as_u64()),
        (200, Some("finalized"), Some(height))
    );
    let (_, body) = node.get(&format!("/v1/dids/{}/operations", holder.did())).await;
    assert_eq!(body["operations"].as_array().map(Vec::len), Some(2));
    // A rival of the update that is final.
    is_problem(
        node.submit(&encode_did_operation(&holder.recover(published, None, 5)), "")
            .await,
        409,
        "stale_previous",
    );
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn received_becomes_finalized_and_unknown_stays_unknown() {
    let network = TestNetwork::new();
    let node = network.start_with_sponsor().await;
    let publication = network.publication(&network.holder("alice"));
    let hash = publication.operation.hash();
    let path = format!("/v1/operations/{}", hash.to_hex());

    assert_eq!(node.get(&path).await.1["status"], "unknown");
    let (status, body) = node.submit(&encode_did_operation(&publication), "").await;
    assert_eq!((status, body["status"].as_str()), (202, Some("received")));
    assert_eq!(body["operation_hash"], hash.to_hex());
    let (status, body) = node.get(&format!("{path}?wait=30")).await;
    assert_eq!((status, body["status"].as_str()), (200, Some("finalized")));
    let block = node.get(&format!("/v1/blocks/{}", body["height"])).await.1;
    assert_eq!(
        block["operations"][0],
        base64url_encode(encode_did_operation(&publication))
    );

    assert_eq!(
        node.get(&format!("/v1/operations/{}", nothing().to_hex()))
            .await
            .1["status"],
        "unknown"
    );
    is_problem(node.get("/v1/operations/xyz").await, 400, "malformed_hash");
    assert_eq!(
        node.client.wait_finalized(&hash, PATIENCE).await.unwrap(),
        block["header"]["height"]
    );
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_are_each_answered() {
    let network = TestNetwork::new();
    let node = network.start_with_sponsor().await;
    let node = std::sync::Arc::new(node);
    let mut tasks = Vec::new();
    for number in 0..200 {
        let publication = network.publication(&network.holder(&format!("holder {number}")));
        let node = node.clone();
        // Each twice at the same time: one of them is a duplicate in the pool.
        for _ in 0..2 {
            let (node, bytes) = (node.clone(), encode_did_operation(&publication));
            tasks.push(tokio::spawn(async move {
                node.submit(&bytes, "?wait=finalized").await
            }));
        }
    }
    for task in tasks {
        let (status, body) = task.await.unwrap();
        assert_eq!(
            (status, body["status"].as_str()),
            (200, Some("finalized")),
            "{body}"
        );
    }
    std::sync::Arc::into_inner(node).unwrap().stop().await;
}

// test: ADM-01
#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_long_is_not_even_read() {
    let network = TestNetwork::with("[admission]\ncost_per_second = 0.01\ncost_burst = 3");
    let node = network.start_with_sponsor().await;
    for _ in 0..4 {
        let too_long = vec![1; 16 * 1024 + 1];
        is_problem(node.submit(&too_long, "").await, 413, "operation_too_long");
    }
    // Nothing of the allowance is spent: 1 for the sponsor's own publication, 2 for this one.
    node.publish(&network.publication(&network.holder("alice"))).await;
    node.stop().await;
}

// test: ADM-02
#[tokio::test(flavor = "multi_thread")]
async fn submissions_are_limited_by_what_they_cost() {
    let network = TestNetwork::with("[admission]\ncost_per_second = 0.01\ncost_burst = 3");
    let node = network.start_with_sponsor().await;
    // The sponsor's own publication cost 1; a sponsored one costs 2.
    node.publish(&network.publication(&network.holder("alice"))).await;
    let next = encode_did_operation(&network.publication(&network.holder("bob")));
    is_problem(node.submit(&next, "").await, 429, "rate_limited");
    // Reading goes on.
    assert_eq!(node.get("/v1/status").await.0, 200);
    node.stop().await;
}

// test: ADM-03
#[tokio::test(flavor = "multi_thread")]
async fn first_operations_that_recover_have_a_limit_of_their_own() {
    let network =
        TestNetwork::with("[admission]\nlate_foundings_per_second = 0.01\nlate_foundings_burst = 1");
    let node = network.start_with_sponsor().await;
    let late = |name: &str| {
        let holder = network.holder(name);
        let founding = holder.founding(network.sponsored(&holder.did().hash));
        holder.deactivate(Hash::ZERO, Some(founding))
    };
    node.publish(&late("alice")).await;
    is_problem(
        node.submit(&encode_did_operation(&late("bob")), "").await,
        429,
        "rate_limited",
    );
    node.publish(&network.publication(&network.holder("carol"))).await;
    node.stop().await;
}

// test: ADM-06
#[tokio::test(flavor = "multi_thread")]
async fn a_full_pool_is_told_and_forgets_the_operation() {
    let network = TestNetwork::with("[admission]\nmax_pool_operations = 0");
    let node = network.start().await;
    let publication = network.sponsor.publication(&network.charter.hash(), 0);
    is_problem(
        node.submit(&encode_did_operation(&publication), "").await,
        503,
        "pool_full",
    );
    let path = format!("/v1/operations/{}", publication.operation.hash().to_hex());
    assert_eq!(node.get(&path).await.1["status"], "unknown");
    node.stop().await;
}
