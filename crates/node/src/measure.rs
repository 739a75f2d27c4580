//! What `/metrics` tells of a node, beside what is counted as it happens.

use crate::ledger_view::Node;
use crate::part::Part;

/// The engine's own families that operators watch, of several hundred. They are told under
/// `engine_` and the engine's name.
const ENGINE_FAMILIES: &[&str] = &[
    "network_listener_",
    "network_tracker_",
    "runtime_inbound_",
    "runtime_outbound_",
    "runtime_process_",
    "runtime_storage_",
    "simplex_batcher_latest_vote",
    "simplex_voter_finalization_latency",
    "simplex_voter_outbound_messages",
    "simplex_voter_state_",
];

/// What the engine puts before the figures of the consensus of one epoch.
const CONSENSUS: &str = "orchestrator_consensus_engine_";

/// Sets the gauges to what is true now, and gives the engine's own figures.
pub(crate) async fn measure(node: Node, ready: bool) -> String {
    let status = node.engine.status();
    #[expect(clippy::cast_precision_loss, reason = "gauges are approximate")]
    {
        metrics::gauge!("ledger_ready").set(f64::from(u8::from(ready)));
        metrics::gauge!("ledger_height").set(status.height as f64);
        metrics::gauge!("ledger_block_time_seconds").set(status.time_ms as f64 / 1_000.0);
        metrics::gauge!("ledger_indexed_height").set(node.index.height() as f64);
        metrics::gauge!("ledger_pool_operations").set(status.pool_operations as f64);
        metrics::gauge!("ledger_pool_bytes").set(status.pool_bytes as f64);
        metrics::gauge!("ledger_validators").set(status.validators as f64);
        metrics::gauge!("ledger_consensus_epoch").set(status.epoch as f64);
        metrics::gauge!("ledger_votes").set(f64::from(u8::from(Part::of(&status).votes)));
    }
    // A stopped engine has no figures; `ledger_ready` says that it has stopped.
    watched(&node.engine.metrics().await.unwrap_or_default())
}

/// The lines of the families that are watched.
fn watched(metrics: &str) -> String {
    let mut kept = String::new();
    for line in metrics.lines() {
        // `# HELP name …`, `# TYPE name …`, or `name{…} value`.
        let before = ["# HELP ", "# TYPE "]
            .into_iter()
            .find(|start| line.starts_with(start));
        let before = before.unwrap_or_default();
        let family = &line[before.len()..];
        let family = match family.strip_prefix(CONSENSUS) {
            Some(figure) => format!("simplex_{figure}"),
            None => family.to_owned(),
        };
        if ENGINE_FAMILIES.iter().any(|name| family.starts_with(name)) {
            kept.extend([before, "engine_", &family, "\n"]);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::watched;

    #[test]
    fn only_what_is_watched_is_kept_under_a_name_of_its_own() {
        let metrics = "# HELP blocks_gets gets\n# TYPE blocks_gets counter\nblocks_gets_total 3\n\
                       # HELP orchestrator_consensus_engine_voter_state_current_view current view.\n\
                       # TYPE orchestrator_consensus_engine_voter_state_current_view gauge\n\
                       orchestrator_consensus_engine_voter_state_current_view{epoch=\"1\"} 7\n\
                       orchestrator_consensus_engine_batcher_latest_vote{peer=\"aa\"} 6\n\
                       network_tracker_directory_tracked 3\n# EOF\n";
        assert_eq!(
            watched(metrics),
            "# HELP engine_simplex_voter_state_current_view current view.\n\
             # TYPE engine_simplex_voter_state_current_view gauge\n\
             engine_simplex_voter_state_current_view{epoch=\"1\"} 7\n\
             engine_simplex_batcher_latest_vote{peer=\"aa\"} 6\n\
             engine_network_tracker_directory_tracked 3\n"
        );
    }
}
