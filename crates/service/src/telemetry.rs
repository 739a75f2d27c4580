//! Logs as JSON lines on standard error, and metrics in Prometheus' text form at `/metrics`.

use std::sync::OnceLock;

use axum::Router;
use axum::http::header;
use axum::routing::get;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

/// Environment variable with the log filter, in `tracing-subscriber`'s syntax; default `info`.
pub const LOG_VARIABLE: &str = "REALDID_LOG";

/// Path of the metrics.
pub const METRICS: &str = "/metrics";

/// Upper bounds of the histograms' buckets, in seconds.
const BUCKETS: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];

static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Starts logging and metrics for the process; a second call changes nothing.
pub fn init() {
    let filter = EnvFilter::try_from_env(LOG_VARIABLE).unwrap_or_else(|_| EnvFilter::new("info"));
    let logs = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_span_list(false)
        .with_writer(std::io::stderr)
        .with_env_filter(filter);
    if logs.try_init().is_ok() {
        std::panic::set_hook(Box::new(|panic| {
            // The message may quote data; the place is enough to find the cause.
            let place = panic.location().map(ToString::to_string).unwrap_or_default();
            tracing::error!(place, "panic");
        }));
    }
    recorder();
}

fn recorder() -> Option<&'static PrometheusHandle> {
    let install = || {
        let builder = PrometheusBuilder::new().set_buckets(&BUCKETS).ok()?;
        builder.install_recorder().ok()
    };
    RECORDER.get_or_init(install).as_ref()
}

/// The route `/metrics`; starts the metrics of the process if [`init`] has not.
pub fn routes() -> Router {
    routes_with(|| std::future::ready(String::new()))
}

/// As [`routes`], with more to tell: `more` is asked at each reading, sets the gauges that are only
/// looked at then, and gives what is measured elsewhere, in the same text form.
pub fn routes_with<F, Fut>(more: F) -> Router
where
    F: Fn() -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = String> + Send + 'static,
{
    recorder();
    let media_type = [(header::CONTENT_TYPE, "text/plain; version=0.0.4")];
    let answer = async move || {
        let more = more().await;
        let own = recorder().map_or_else(String::new, |recorder| {
            recorder.run_upkeep();
            recorder.render()
        });
        (media_type, own + &more)
    };
    Router::new().route(METRICS, get(answer))
}
