//! The port for liveness, readiness and metrics.

use std::net::SocketAddr;
use std::time::Duration;

use eset_protect::serve::Operations;
use eset_protect::telemetry::describe_metrics;
use metrics_exporter_prometheus::PrometheusBuilder;
use tokio::net::TcpListener;

use crate::failure::Failure;
use crate::say::say;

/// The upper bounds of histograms, in seconds: from a call of this machine's emulator to one that ESET's gateway gives
/// up after 120 s.
const BUCKETS: [f64; 12] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 120.0];
/// How often the recorded values are summed up, so that memory does not grow between scrapes.
const UPKEEP: Duration = Duration::from_secs(5);

/// Listens, and records metrics from now on.
pub async fn listen(address: SocketAddr) -> Result<Operations, Failure> {
    let failed = |error| Failure::io(&format!("operations {address}"), &error);
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    say(&format!("operations at http://{}", listener.local_addr().map_err(failed)?));
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
    Ok(Operations::new(listener).metrics(move || recorder.render()))
}
