//! DIDs that real-name tokens stand behind: publishing, renewing, and looking back at both.

use openssl::pkey::Private;
use openssl::rsa::{Padding, Rsa};
use realdid_crypto::Hash;
use realdid_did::{Action, Authorization, Level, Operation, SignedOperation, TOKEN_LENGTH};
use realdid_ledger::{ServiceAction, ServiceOperation, check, encode_did_operation, state_key};
use realdid_token::{EpochKey, Purpose, blind};

use crate::support::{Holder, MAX_AGE, PATIENCE, TestNetwork, TestNode};

/// An authority's key for one epoch, with its private part.
struct Signer {
    key: EpochKey,
    private: Rsa<Private>,
}

impl Signer {
    fn new(authority: Hash, epoch: u64) -> Self {
        let private = Rsa::generate(2048).unwrap();
        let modulus = private.n().to_vec().try_into().unwrap();
        let key = EpochKey::new(authority, Purpose::RealName, Level::Substantial, epoch, modulus).unwrap();
        Self { key, private }
    }

    fn token(&self, charter: &Hash, did: &Hash) -> Box<[u8; TOKEN_LENGTH]> {
        let blinding = blind(&self.key, charter, did, &mut rand::rng()).unwrap();
        let mut signature = [0; 256];
        self.private
            .private_encrypt(blinding.blinded(), &mut signature, Padding::NONE)
            .unwrap();
        blinding
            .finalize(&self.key, charter, did, &signature)
            .unwrap()
            .to_bytes()
    }
}

/// Has the authority do something on the ledger.
async fn act(network: &TestNetwork, node: &TestNode, action: ServiceAction) {
    let charter = network.charter.hash();
    let by = network.authority.did(&network.charter).hash;
    let operation = ServiceOperation {
        by,
        document: network.authority.document(),
        action,
    };
    let bytes = operation.sign(&charter, 0, network.authority.assertion_key());
    let hash = check(&network.charter, &charter, &bytes).unwrap().hash();
    node.client
        .submit_and_wait(&bytes, &hash, PATIENCE)
        .await
        .unwrap();
}

fn publication(network: &TestNetwork, holder: &Holder, signer: &Signer) -> SignedOperation {
    let token = signer.token(&network.charter.hash(), &holder.did().hash);
    holder.publish(Authorization::Token {
        authority: signer.key.authority,
        token,
    })
}

fn renewal(network: &TestNetwork, holder: &Holder, signer: &Signer, previous: Hash) -> SignedOperation {
    let charter = network.charter.hash();
    let did = holder.did().hash;
    let token = signer.token(&charter, &did);
    let action = Action::Renew {
        document: holder.document(0),
        authority: signer.key.authority,
        token,
    };
    Operation {
        charter,
        did,
        previous,
        action,
    }
    .sign(0, &holder.key(0))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_publishes_renews_expires_and_is_remembered() {
    let network = TestNetwork::new();
    let node = network.start().await;
    network
        .authority
        .publish_if_absent(&node.client, &network.charter)
        .await
        .unwrap();
    let authority = network.authority.did(&network.charter).hash;
    let signers: Vec<_> = (0..3).map(|epoch| Signer::new(authority, epoch)).collect();
    let (alice, bob) = (network.holder("alice"), network.holder("bob"));
    let first = publication(&network, &alice, &signers[0]);
    let unknown = node.submit(&encode_did_operation(&first), "").await;
    assert_eq!(
        (unknown.0, unknown.1["code"].as_str()),
        (422, Some("token_unknown_key"))
    );

    for epoch in 0..2 {
        act(
            &network,
            &node,
            ServiceAction::PublishEpochKey(Box::new(signers[epoch].key.clone())),
        )
        .await;
        if epoch == 0 {
            node.publish(&first).await;
            // Another's token.
            let token = signers[0].token(&network.charter.hash(), &alice.did().hash);
            let borrowed = bob.publish(Authorization::Token { authority, token });
            let refused = node.submit(&encode_did_operation(&borrowed), "").await;
            assert_eq!(
                (refused.0, refused.1["code"].as_str()),
                (422, Some("token_invalid"))
            );
        }
    }
    act(&network, &node, ServiceAction::AdvanceEpoch { from: 0 }).await;
    let renewed = renewal(&network, &alice, &signers[1], first.operation.hash());
    node.publish(&renewed).await;
    act(&network, &node, ServiceAction::AdvanceEpoch { from: 1 }).await;
    let late = node
        .submit(
            &encode_did_operation(&publication(&network, &bob, &signers[0])),
            "",
        )
        .await;
    assert_eq!((late.0, late.1["code"].as_str()), (422, Some("token_expired")));

    let key = state_key::did(&alice.did().hash);
    let entry = node
        .client
        .state(&[key], MAX_AGE)
        .await
        .unwrap()
        .did(&alice.did().hash)
        .unwrap()
        .unwrap();
    assert_eq!((entry.version, entry.assurance.epoch), (2, 1));
    // Looking back replays both operations, though the first one's token has expired.
    let old = node
        .resolve(
            &format!("{}?versionId=1", alice.did()),
            "application/did-resolution",
        )
        .await;
    assert_eq!(
        (old.0, old.2["didDocumentMetadata"]["nextVersionId"].as_str()),
        (200, Some("2"))
    );
    node.stop().await;
}
