//! Exports traces by OTLP over gRPC, configured by OpenTelemetry's own variables
//! (<https://opentelemetry.io/docs/specs/otel/protocol/exporter/>).

use std::time::Duration;

use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::runtime::{self, Runtime};
use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::{Layer, Registry};

use crate::environment;
use crate::failure::Failure;

const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];
const PROTOCOLS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"];
const DISABLED: &str = "OTEL_SDK_DISABLED";
/// How long the last spans may take at the end.
const PATIENCE: Duration = Duration::from_secs(5);

/// An exporter, with connections of its own.
pub struct Exporter {
    provider: SdkTracerProvider,
    _runtime: Runtime,
}

impl Exporter {
    /// Starts if the environment names a collector.
    pub fn start() -> Result<Option<Self>, Failure> {
        let is_disabled = environment::text(DISABLED)?.is_some_and(|text| text == "true");
        let mut named = None;
        for name in ENDPOINTS {
            named = named.or(environment::text(name)?.map(|_| name));
        }
        let Some(named) = named.filter(|_| !is_disabled) else { return Ok(None) };
        for name in PROTOCOLS {
            if let Some(other) = environment::text(name)?.filter(|protocol| protocol != "grpc") {
                return Err(Failure::Input(format!("{name}: expected grpc, found {other:?}")));
            }
        }
        let runtime = runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.map_err(|error| Failure::io("cannot start the runtime", &error))?;
        let _guard = runtime.enter();
        // Omits the value, which may have a password.
        let exporter = SpanExporter::builder()
            .with_tonic()
            .build()
            .map_err(|_| Failure::Input(format!("{named}: expected http(s)://HOST:PORT")))?;
        let provider = SdkTracerProvider::builder().with_batch_exporter(exporter);
        let resource = match environment::text("OTEL_SERVICE_NAME")? {
            None => Resource::builder().with_service_name("eset-protect"),
            Some(_) => Resource::builder(),
        };
        let provider = provider.with_resource(resource.build()).build();
        drop(_guard);
        Ok(Some(Self { provider, _runtime: runtime }))
    }

    /// Returns the layer that gives spans to the exporter.
    pub fn layer(&self) -> Box<dyn Layer<Registry> + Send + Sync> {
        let layer =
            tracing_opentelemetry::layer().with_tracer(self.provider.tracer("eset-protect"));
        let layer = layer.with_location(false).with_threads(false).with_tracked_inactivity(false);
        // Not the exporter's own.
        let ours = Targets::new().with_target("eset_protect", Level::INFO);
        layer.with_target(false).with_filter(ours).boxed()
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        // A collector that does not answer is none of the command's failures.
        let _ = self.provider.shutdown_with_timeout(PATIENCE);
    }
}
