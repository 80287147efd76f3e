//! Exports the traces of two calls by OTLP: one over gRPC and one over REST, each with a retry.
//!
//!     cargo run --features emulator,rest,otel --example otlp
//!
//! Exports to the collector at `OTEL_EXPORTER_OTLP_ENDPOINT` (gRPC, such as `http://127.0.0.1:4317`), or to a
//! small built-in one that prints what it received.

#[path = "otlp/collector.rs"]
mod collector;

use std::error::Error;

use eset_protect::automation::v1::ListTasksRequest;
use eset_protect::emulator::{Emulator, Fault, Running};
use eset_protect::{Client, Wire};
use opentelemetry::global;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tonic::Code;
use tracing::{Instrument, Level};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use collector::Collector;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (collector, endpoint) = match std::env::var("OTEL_EXPORTER_OTLP_ENDPOINT") {
        Ok(endpoint) if !endpoint.is_empty() => (None, endpoint),
        _ => {
            let collector = Collector::start().await?;
            let endpoint = collector.endpoint();
            (Some(collector), endpoint)
        }
    };
    let provider = export_to(&endpoint)?;

    let emulator = Emulator::builder().seed(true).build()?.start().await?;
    for (name, wire) in [("report over gRPC", Wire::Grpc), ("report over REST", Wire::Rest)] {
        // The program's own span becomes the parent of the spans of its calls.
        let span = tracing::info_span!(target: "otlp", "report", otel.name = name);
        report(&emulator, wire).instrument(span).await?;
    }
    for arrival in emulator.log().iter().filter(|arrival| arrival.is_rpc("ListTasks")) {
        let context =
            arrival.headers.get("traceparent").ok_or("a request without a trace context")?;
        println!("{} {} carried {context:?}", arrival.method, arrival.path);
    }
    emulator.shutdown().await;

    // Waits until everything is exported. `shutdown` blocks.
    tokio::task::spawn_blocking(move || provider.shutdown()).await??;
    match collector {
        Some(collector) => collector.show()?,
        None => println!("sent to {endpoint}"),
    }
    Ok(())
}

/// Makes a call whose first attempt is answered with 503.
async fn report(emulator: &Running, wire: Wire) -> Result<(), Box<dyn Error>> {
    let client = Client::builder(&emulator.endpoint()).wire(wire).connect_lazy()?;
    emulator.faults().push_for("ListTasks", Fault::code(Code::Unavailable));
    let page = client.device_tasks().list_tasks(ListTasksRequest::default()).await?;
    tracing::info!(target: "otlp", tasks = page.tasks.len(), "listed");
    Ok(())
}

/// Sets up tracing and OTLP as any program would.
fn export_to(endpoint: &str) -> Result<SdkTracerProvider, Box<dyn Error>> {
    let exporter = SpanExporter::builder().with_tonic().with_endpoint(endpoint).build()?;
    let resource = Resource::builder().with_service_name("otlp-example").build();
    let provider =
        SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build();
    // Sets how the context is written into requests. W3C is also the default.
    global::set_text_map_propagator(TraceContextPropagator::new());
    // Excludes the exporter's own spans from tonic and h2, which would be exported in turn.
    let ours =
        Targets::new().with_target("eset_protect", Level::DEBUG).with_target("otlp", Level::INFO);
    let layer = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("otlp-example"))
        .with_location(false)
        .with_tracked_inactivity(false)
        .with_threads(false)
        .with_target(false)
        .with_filter(ours);
    tracing_subscriber::registry().with(layer).try_init()?;
    Ok(provider)
}
