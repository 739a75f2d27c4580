//! The consortium's decisions at a node: applied in order, refused with their code, told by DID.

use realdid_ledger::{GovernanceAction, GovernanceOperation, Right, Role, state_key};

use crate::support::{MAX_AGE, TestNetwork};

const LICENCE: &str = "https://issuer.example/vct/licence";

#[tokio::test(flavor = "multi_thread")]
async fn decisions_are_applied_and_told_by_did() {
    let network = TestNetwork::new();
    let node = network.start_with_sponsor().await;
    let (holder, other) = (network.holder("police"), network.holder("other"));
    node.publish(&network.publication(&holder)).await;
    node.publish(&network.publication(&other)).await;
    let did = holder.did();
    let charter = network.charter.hash();
    let signed = |sequence, action: &GovernanceAction| {
        let action = action.clone();
        let operation = GovernanceOperation { sequence, action };
        operation.sign(&charter, &[(0, network.sponsor.assertion_key())])
    };
    let right = Right::to_issue(did.hash, LICENCE);
    let actions = [
        GovernanceAction::Accredit {
            did: did.hash,
            role: Role::Issuer,
            name: "Traffic Police".to_owned(),
        },
        GovernanceAction::GrantRight {
            right,
            detail: realdid_crypto::Hash::ZERO,
        },
        GovernanceAction::Suspend(did.hash),
    ];
    let (status, answer) = node.submit(&signed(0, &actions[1]), "").await;
    assert_eq!((status, answer["code"].as_str()), (409, Some("not_accredited")));
    for (sequence, action) in (0..).zip(&actions) {
        let (status, answer) = node.submit(&signed(sequence, action), "?wait=finalized").await;
        assert_eq!((status, answer["status"].as_str()), (200, Some("finalized")));
        let state = node.client.state(&state_key::right(&right), MAX_AGE).await;
        let counts = state.unwrap().right(&right).unwrap().is_some();
        assert_eq!(counts, sequence == 1, "after {action:?}");
    }
    let again = GovernanceAction::Reinstate(did.hash);
    let (status, answer) = node.submit(&signed(1, &again), "").await;
    assert_eq!(
        (status, answer["code"].as_str()),
        (409, Some("sequence_mismatch"))
    );

    let told = node.client.decisions(&did).await.unwrap();
    let expected: Vec<_> = (0..)
        .zip(&actions)
        .map(|(sequence, action)| signed(sequence, action))
        .collect();
    assert_eq!(told, expected, "oldest first, as the blocks hold them");
    assert_eq!(node.client.decisions(&other.did()).await, Ok(Vec::new()));
    let (status, _) = node.get("/v1/dids/nonsense/decisions").await;
    assert_eq!(status, 400);
    node.stop().await;

    let node = network.start().await;
    assert_eq!(
        node.client.decisions(&did).await.unwrap(),
        expected,
        "after a restart"
    );
    node.stop().await;
}
