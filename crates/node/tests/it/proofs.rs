//! What the node proves, checked as a light client checks it.

use realdid_crypto::Hash;
use realdid_did::{ParsedDid, Status};
use realdid_ledger::{LightError, ProofFile, TrustAnchor, state_key};

use crate::support::{MAX_AGE, RECOVERY_DELAY, TestNetwork, nothing};

#[tokio::test(flavor = "multi_thread")]
async fn presence_and_absence_are_proven() {
    let network = TestNetwork::new();
    let node = network.start_with_sponsor().await;
    let (alice, bob) = (network.holder("alice").did(), network.holder("bob").did());
    node.publish(&network.publication(&network.holder("alice"))).await;

    let keys = [state_key::did(&alice.hash), state_key::did(&bob.hash)];
    let state = node.client.state(&keys, MAX_AGE).await.unwrap();
    assert_eq!(state.did(&alice.hash).unwrap().unwrap().version, 1);
    assert_eq!(state.did(&bob.hash).unwrap(), None);
    assert_eq!(state.did(&nothing()), Err(LightError::NotProven));
    assert_eq!(node.client.highest_seen(), state.height());

    for did in [&alice, &bob] {
        let by_prefix = node.client.state_by_prefix(&did.hash, MAX_AGE).await.unwrap();
        assert_eq!(by_prefix.did(&did.hash).unwrap(), state.did(&did.hash).unwrap());
    }
    for query in ["", "?key=zz", "?key=00&key=11", "?other=1"] {
        assert_eq!(
            node.get(&format!("/v1/proofs/keys{query}")).await.1["code"],
            "malformed_query"
        );
    }
    assert_eq!(
        node.get("/v1/proofs/prefix/zz?bits=1").await.1["code"],
        "malformed_prefix"
    );
    assert_eq!(
        node.get("/v1/proofs/prefix/ff?bits=1").await.1["code"],
        "prefix_not_canonical"
    );
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prefix_grows_with_the_ledger() {
    let network = TestNetwork::new();
    let node = network.start_with_sponsor().await;
    let holders: Vec<_> = (0..100)
        .map(|number| network.holder(&format!("holder {number}")))
        .collect();
    let publications: Vec<_> = holders.iter().map(|holder| network.publication(holder)).collect();
    futures_join(&node, &publications).await;
    let path = format!("/v1/proofs/prefix/{}?bits=0", "00".repeat(32));
    assert_eq!(node.get(&path).await.1["code"], "prefix_too_wide");
    let state = node
        .client
        .state_by_prefix(&holders[7].did().hash, MAX_AGE)
        .await
        .unwrap();
    assert!(state.did(&holders[7].did().hash).unwrap().is_some());
    assert!(state.entries() > 8, "the node does not learn which one is meant");
    node.stop().await;
}

async fn futures_join(node: &crate::support::TestNode, publications: &[realdid_did::SignedOperation]) {
    for publication in publications {
        node.client
            .submit(&realdid_ledger::encode_did_operation(publication), false)
            .await
            .unwrap();
    }
    for publication in publications {
        node.client
            .wait_finalized(&publication.operation.hash(), crate::support::PATIENCE)
            .await
            .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn proof_files_follow_a_did_through_its_life() {
    let network = TestNetwork::new();
    let node = network.start_with_sponsor().await;
    let holder = network.holder("alice");
    let anchor = TrustAnchor::of(&network.charter);
    let verdict = async |did: &str| {
        let file = node.client.proof_file(did).await.unwrap();
        ProofFile::verify_with(&file, &anchor).unwrap()
    };
    let did = holder.did().to_string();

    let unpublished = verdict(&holder.long_form()).await;
    assert_eq!((unpublished.published, unpublished.version), (false, 0));
    assert!(
        node.client
            .proof_file(&did)
            .await
            .unwrap_err()
            .is_refusal("not_published")
    );

    let publication = network.publication(&holder);
    node.publish(&publication).await;
    let published = verdict(&did).await;
    assert_eq!(
        (published.published, published.version, &published.document),
        (true, 1, &unpublished.document)
    );
    assert_eq!(verdict(&holder.long_form()).await.document, published.document);

    let update = holder.update(publication.operation.hash(), 1);
    node.publish(&update).await;
    let updated = verdict(&did).await;
    assert_eq!((updated.version, updated.status), (2, Status::Active));
    assert_ne!(updated.document, published.document);

    let recovery = holder.recover(update.operation.hash(), None, 5);
    node.publish(&recovery).await;
    let recovering = verdict(&did).await;
    assert_eq!(
        (recovering.status, &recovering.document),
        (Status::Recovering, &updated.document)
    );
    tokio::time::sleep(std::time::Duration::from_secs(RECOVERY_DELAY + 2)).await;
    let recovered = verdict(&did).await;
    assert_eq!((recovered.version, recovered.status), (3, Status::Active));
    assert_ne!(recovered.document, updated.document);

    let parsed = ParsedDid::parse(&did).unwrap();
    let resolved = node.client.resolve(&parsed, MAX_AGE).await.unwrap();
    assert_eq!(resolved.document, recovered.document);
    assert_eq!(node.client.operations(&holder.did()).await.unwrap().len(), 3);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_are_found_by_their_hash() {
    let network = TestNetwork::new();
    let node = network.start_with_sponsor().await;
    let holder = network.holder("alice");
    // A first operation that recovers brings two documents: the inception's and the new one.
    let founding = holder.founding(network.sponsored(&holder.did().hash));
    node.publish(&holder.recover(Hash::ZERO, Some(founding), 5)).await;
    for number in [0, 5] {
        let document = holder.document(number);
        assert_eq!(node.client.document(&document.hash()).await.unwrap(), document);
    }
    assert!(
        node.client
            .document(&nothing())
            .await
            .unwrap_err()
            .is_refusal("document_not_found")
    );
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_believes_its_own_network_and_never_goes_back() {
    let network = TestNetwork::new();
    let node = network.start_with_sponsor().await;
    let key = state_key::parameters();
    let elsewhere = TrustAnchor::of(&TestNetwork::new().charter);
    let stranger = realdid_client::NodeClient::new(&node.url, elsewhere).unwrap();
    assert_eq!(
        stranger.state(&[key], MAX_AGE).await.unwrap_err().code(),
        "invalid_certificate"
    );
    assert_eq!(stranger.charter().await.unwrap_err().code(), "other_network");

    let seen = node.client.state(&[key], MAX_AGE).await.unwrap().height();
    assert_eq!(node.client.highest_seen(), seen);
    node.client.set_highest_seen(seen + 1_000_000);
    assert_eq!(
        node.client.state(&[key], MAX_AGE).await.unwrap_err().code(),
        "state_below_seen"
    );
    let did = network.sponsor.did(&network.charter).hash;
    assert_eq!(
        node.client
            .state_by_prefix(&did, MAX_AGE)
            .await
            .unwrap_err()
            .code(),
        "state_below_seen"
    );
    node.stop().await;
}
