//! Starting, stopping, starting again; and doing nothing.

use std::time::Duration;

use realdid_ledger::encode_did_operation;
use realdid_node::NodeError;

use crate::support::{MAX_AGE, TestNetwork, start_at};

#[tokio::test(flavor = "multi_thread")]
async fn what_was_final_is_final_after_a_restart_and_without_its_index() {
    let network = TestNetwork::new();
    let node = network.start_with_sponsor().await;
    let holder = network.holder("alice");
    let publication = network.publication(&holder);
    let height = node.publish(&publication).await;
    let config = network.path("node.toml");
    assert!(matches!(start_at(&config).await, Err(NodeError::InUse(_))));
    node.stop().await;

    let path = format!("/v1/operations/{}", publication.operation.hash().to_hex());
    for lose_index in [false, true] {
        if lose_index {
            for file in ["index.db", "index.db-wal", "index.db-shm"] {
                let _ = std::fs::remove_file(network.path("data").join(file));
            }
        }
        let node = network.start().await;
        let (_, body) = node.get(&format!("{path}?wait=30")).await;
        assert_eq!(
            (body["status"].as_str(), body["height"].as_u64()),
            (Some("finalized"), Some(height))
        );
        let state = node
            .client
            .state_by_prefix(&holder.did().hash, MAX_AGE)
            .await
            .unwrap();
        assert_eq!(
            state.did(&holder.did().hash).unwrap().unwrap().last_operation,
            publication.operation.hash()
        );
        let (status, _) = node.submit(&encode_did_operation(&publication), "").await;
        assert_eq!(status, 200);
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_used_is_named() {
    let network = TestNetwork::new();
    network.start().await.stop().await;
    let config = network.path("node.toml");
    let code = async || start_at(&config).await.err().map(|error| error.code());

    let format = network.path("data/format_version");
    std::fs::write(&format, "1").unwrap();
    assert_eq!(code().await, Some("data_format"));
    std::fs::write(&format, "2").unwrap();

    // A charter with other numbers is another network.
    let charter = std::fs::read_to_string(network.path("charter.json")).unwrap();
    std::fs::write(
        network.path("charter.json"),
        charter.replace("\"recovery_delay\": 2", "\"recovery_delay\": 3"),
    )
    .unwrap();
    assert_eq!(code().await, Some("other_network"));
    std::fs::write(network.path("charter.json"), charter).unwrap();

    let link = network.path("link.key");
    std::fs::set_permissions(&link, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    assert_eq!(code().await, Some("file_unusable"));
    std::fs::set_permissions(&link, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();

    let toml = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, toml.replace("http://127.0.0.1:0", "http://node.example")).unwrap();
    assert_eq!(code().await, Some("public_url_insecure"));
    std::fs::write(&config, format!("{toml}\nunknown = 1\n")).unwrap();
    assert_eq!(code().await, Some("config_invalid"));
    std::fs::write(&config, toml).unwrap();
    network.start().await.stop().await;
}

/// The first share lies in one place, where it is erased in time: a validator that lost its disk cannot come
/// back with it and without its journal of votes.
#[tokio::test(flavor = "multi_thread")]
async fn the_first_share_is_taken_once() {
    let network = TestNetwork::new();
    let share = network.path("share.key");
    let kept = std::fs::read(&share).unwrap();
    network.start().await.stop().await;
    assert!(!share.exists(), "the first start takes it");
    network.start().await.stop().await;
    // Put there again, it is not used and goes again.
    realdid_service::config::write_secret_file(&share, std::str::from_utf8(&kept).unwrap()).unwrap();
    network.start().await.stop().await;
    assert!(!share.exists());

    std::fs::remove_dir_all(network.path("data")).unwrap();
    let wiped = start_at(&network.path("node.toml"))
        .await
        .err()
        .map(|error| error.code());
    assert_eq!(wiped, Some("share_missing"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_node_beats_slowly_and_stays_ready() {
    let network = TestNetwork::new();
    let node = network.start().await;
    let height = async || node.get("/v1/status").await.1["height"].as_u64().unwrap();
    let before = height().await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let blocks = height().await - before;
    // The heartbeat of the tests is half a second.
    assert!((1..=12).contains(&blocks), "{blocks} blocks in 5 s of nothing");
    assert_eq!(node.get("/health/ready").await.0, 200);
    assert_eq!(node.get("/health/live").await.0, 200);
    node.stop().await;
}
