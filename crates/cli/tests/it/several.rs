//! Several validators as processes: who says when that it is ready, and what a client notices of a loss.

use std::time::{Duration, Instant};

use realdid_client::NodeClient;
use realdid_ledger::state_key;

use crate::support::{Network, PATIENCE, Process, get, http, program};

/// How old a proof may be.
const MAX_AGE: u64 = 60;

struct Consortium {
    network: Network,
    http: reqwest::Client,
    nodes: Vec<Option<Process>>,
}

impl Consortium {
    fn start() -> Self {
        let network = Network::of(4);
        let nodes = network.nodes().map(|_| None).collect();
        let mut consortium = Self {
            network,
            http: http(),
            nodes,
        };
        consortium.start_all_but(&[]);
        consortium
    }

    fn start_all_but(&mut self, away: &[u16]) {
        for node in self.network.nodes().filter(|node| !away.contains(node)) {
            let place = &mut self.nodes[usize::from(node)];
            place.get_or_insert_with(|| self.network.spawn_node_of(node, program()));
        }
    }

    fn kill(&mut self, node: u16) {
        let process = self.nodes[usize::from(node)].take();
        process.expect("it runs").kill();
    }

    async fn is_ready(&self, node: u16) -> bool {
        let url = format!("{}/health/ready", self.network.url_of(node));
        get(&self.http, &url).await.is_some()
    }

    /// Waits until a node says that it is ready, or that it is not.
    async fn wait_until(&self, node: u16, ready: bool) {
        let begun = Instant::now();
        while self.is_ready(node).await != ready {
            assert!(begun.elapsed() < PATIENCE, "node {node}: ready is not {ready}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// A client of these nodes, the first of them first.
    fn client(&self, nodes: &[u16]) -> NodeClient {
        let urls: Vec<_> = nodes.iter().map(|node| self.network.url_of(*node)).collect();
        NodeClient::new(&urls.join(","), self.network.anchor()).expect("addresses on loopback")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_is_ready_while_it_reaches_a_quorum_and_clients_go_on_without_one() {
    let mut consortium = Consortium::start();
    for node in 0..4 {
        consortium.wait_until(node, true).await;
    }
    let client = consortium.client(&[2, 0, 1, 3]);
    let parameters = [state_key::parameters()];
    let before = client
        .state(&parameters, MAX_AGE)
        .await
        .expect("a proof")
        .height();
    assert_eq!(client.base_url(), consortium.network.url_of(2));

    // One may be lost: the others stay ready, and a client finds one of them.
    consortium.kill(2);
    let after = client
        .state(&parameters, MAX_AGE)
        .await
        .expect("a proof")
        .height();
    assert!(after >= before);
    assert_eq!(client.base_url(), consortium.network.url_of(0));
    for operation in consortium.network.authority.operations() {
        let submitted = consortium.client(&[2, 1]).submit(&operation, true).await;
        submitted.expect("the others order it");
    }
    assert!(consortium.is_ready(0).await);

    // Two may not: nobody reaches a quorum. With one of them back, all that run do, and are alike.
    consortium.kill(3);
    consortium.wait_until(0, false).await;
    consortium.wait_until(1, false).await;
    consortium.start_all_but(&[3]);
    for node in 0..3 {
        consortium.wait_until(node, true).await;
    }
    let height = consortium
        .client(&[0])
        .state(&parameters, MAX_AGE)
        .await
        .expect("a proof")
        .height();
    let returned = consortium.client(&[2]);
    returned.set_highest_seen(height.saturating_sub(16));
    returned
        .state(&parameters, MAX_AGE)
        .await
        .expect("it has caught up");
}
