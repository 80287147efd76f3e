//! The metrics on the port for operations.

use std::time::Duration;

use eset_protect::telemetry::describe_metrics;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use crate::failure::Failure;

/// The upper bounds of histograms, in seconds: from a call of this machine's emulator to one that ESET's gateway gives
/// up after 120 s.
const BUCKETS: [f64; 12] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 120.0];
/// How often the recorded values are summed up, so that memory does not grow between scrapes.
const UPKEEP: Duration = Duration::from_secs(5);

/// Records metrics from now on, for the port of operations.
pub fn recorder() -> Result<PrometheusHandle, Failure> {
    let recorder = PrometheusBuilder::new().with_recommended_naming(true);
    let recorder = recorder.set_buckets(&BUCKETS).and_then(PrometheusBuilder::install_recorder);
    let recorder = recorder.map_err(|error| Failure::Other(format!("the metrics: {error}")))?;
    describe_metrics();
    let kept = recorder.clone();
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(UPKEEP);
        loop {
            ticks.tick().await;
            kept.run_upkeep();
        }
    });
    Ok(recorder)
}
