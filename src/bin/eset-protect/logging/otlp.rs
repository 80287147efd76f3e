//! Exports traces by OTLP over gRPC or HTTP, configured by OpenTelemetry's own variables
//! (<https://opentelemetry.io/docs/specs/otel/protocol/exporter/>).

mod http;

use std::time::Duration;

use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::runtime::{self, Runtime};
use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::{Layer, Registry};

use crate::environment;
use crate::failure::Failure;
use http::Http;

const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];
const PROTOCOLS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"];
const COMPRESSIONS: [&str; 2] =
    ["OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "OTEL_EXPORTER_OTLP_COMPRESSION"];
const TIMEOUTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"];
const DISABLED: &str = "OTEL_SDK_DISABLED";
/// In milliseconds, by OpenTelemetry's specification.
const USUAL_TIMEOUT: &str = "10000";
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
        let endpoint = first(ENDPOINTS)?.filter(|_| !is_disabled);
        let Some((endpoint, _)) = endpoint else { return Ok(None) };
        let protocol = one_of(PROTOCOLS, ["grpc", "http/protobuf"])?;
        // The exporter reads both itself, and passes over what it does not understand.
        one_of(COMPRESSIONS, ["none", "gzip"])?;
        let timeout = timeout()?;
        let runtime = runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.map_err(|error| Failure::io("cannot start the runtime", &error))?;
        let _guard = runtime.enter();
        // Omits the value, which may have a password.
        let exporter = match protocol {
            "grpc" => SpanExporter::builder().with_tonic().build(),
            _ => {
                let http = Http::new(runtime.handle().clone(), timeout)
                    .map_err(|error| Failure::Other(format!("cannot start TLS: {error}")))?;
                let exporter = SpanExporter::builder().with_http().with_http_client(http);
                exporter.with_protocol(Protocol::HttpBinary).build()
            }
        };
        let exporter = exporter
            .map_err(|_| Failure::Input(format!("{endpoint}: expected http(s)://HOST:PORT")))?;
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

/// Returns the first of these variables that is set, and its value.
fn first(names: [&'static str; 2]) -> Result<Option<(&'static str, String)>, Failure> {
    for name in names {
        if let Some(text) = environment::text(name)? {
            return Ok(Some((name, text)));
        }
    }
    Ok(None)
}

/// Returns what the first of these variables chooses, by default the first choice.
fn one_of(names: [&'static str; 2], choices: [&'static str; 2]) -> Result<&'static str, Failure> {
    let [usual, other] = choices;
    let Some((name, text)) = first(names)? else { return Ok(usual) };
    choices.into_iter().find(|choice| *choice == text).ok_or_else(|| {
        Failure::Input(format!("{name}: expected {usual} or {other}, found {text:?}"))
    })
}

/// Returns the time for a request.
fn timeout() -> Result<Duration, Failure> {
    let (name, text) = first(TIMEOUTS)?.unwrap_or((TIMEOUTS[0], USUAL_TIMEOUT.to_owned()));
    text.parse().map(Duration::from_millis).map_err(|_| {
        Failure::Input(format!("{name}: expected a number of milliseconds, found {text:?}"))
    })
}

impl Drop for Exporter {
    fn drop(&mut self) {
        // A collector that does not answer is none of the command's failures.
        let _ = self.provider.shutdown_with_timeout(PATIENCE);
    }
}
