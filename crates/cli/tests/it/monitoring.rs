//! What the alert rules and the dashboard in `deploy/` look at has to exist in a real node.

use std::collections::BTreeSet;

use crate::support::{Answer, Network, get, http, submit};

const RULES: &str = include_str!("../../../../deploy/prometheus/realdid.yml");
const DASHBOARD: &str = include_str!("../../../../deploy/grafana/realdid-nodes.json");
/// How a node's own families begin; `node_` is the machine's exporter, `up` is Prometheus itself.
const OURS: [&str; 3] = ["ledger_", "engine_", "http_"];

#[tokio::test(flavor = "multi_thread")]
async fn every_figure_that_rules_and_dashboard_ask_for_is_measured() {
    let network = Network::init();
    let node = network.start_node();
    let http = http();
    network.publish_authority(&http).await;
    let nonsense = submit(&http, &network.url(), b"nonsense").await;
    assert!(matches!(nonsense, Answer::Refused(_)), "{nonsense:?}");

    let metrics = get(&http, &format!("{}/metrics", network.url())).await.unwrap();
    let metrics = String::from_utf8(metrics).unwrap();
    let measured = |name: &str| {
        metrics.lines().any(|line| {
            let rest = line.strip_prefix(name);
            rest.is_some_and(|rest| rest.starts_with(['{', ' ']))
        })
    };
    let dashboard: serde_json::Value = serde_json::from_str(DASHBOARD).unwrap();
    let asked = &names(RULES) | &names(&dashboard["panels"].to_string());
    assert!(asked.len() > 12, "{asked:?}");
    let missing: Vec<_> = asked.iter().filter(|name| !measured(name)).collect();
    assert!(missing.is_empty(), "not measured: {missing:?}");
    assert!(!measured("ledger_nothing"));
    // Hundreds of the engine's families are nobody's business.
    assert!(metrics.len() < 64 << 10, "{} bytes", metrics.len());
    drop(node);
}

/// The names of our families in a text.
fn names(text: &str) -> BTreeSet<String> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    words
        .filter(|word| OURS.iter().any(|start| word.starts_with(start)))
        .map(str::to_owned)
        .collect()
}
