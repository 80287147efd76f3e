//! A trace collector that prints the spans it receives.

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::Span;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

/// The spans received so far.
#[derive(Clone, Default)]
struct Arrived(Arc<Mutex<Vec<Span>>>);

#[tonic::async_trait]
impl TraceService for Arrived {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let resources = request.into_inner().resource_spans;
        let scopes = resources.into_iter().flat_map(|resource| resource.scope_spans);
        let mut spans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        spans.extend(scopes.flat_map(|scope| scope.spans));
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

/// A local OTLP server that runs until the program ends.
pub struct Collector {
    arrived: Arrived,
    endpoint: String,
}

impl Collector {
    /// Starts the server on a free port.
    pub async fn start() -> Result<Self, Box<dyn Error>> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let arrived = Arrived::default();
        let service = TraceServiceServer::new(arrived.clone());
        let server = tonic::transport::Server::builder().add_service(service);
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        Ok(Self { arrived, endpoint })
    }

    pub fn endpoint(&self) -> String {
        self.endpoint.clone()
    }

    /// Returns the spans received so far, the earliest first.
    pub fn spans(&self) -> Vec<Span> {
        let mut spans = self.arrived.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        spans.sort_by_key(|span| span.start_time_unix_nano);
        spans
    }

    /// Prints the spans as trees. Fails unless each call has two attempts.
    pub fn show(&self) -> Result<(), Box<dyn Error>> {
        let spans = self.spans();
        for root in spans.iter().filter(|span| span.parent_span_id.is_empty()) {
            show(root, &spans, 0);
        }
        let calls: Vec<_> = spans.iter().filter(|span| span.name.starts_with("eset.")).collect();
        for call in &calls {
            if children(call, &spans).count() != 2 {
                return Err(format!("{} does not have two attempts", call.name).into());
            }
        }
        if calls.len() == 2 { Ok(()) } else { Err("expected two calls".into()) }
    }
}

fn children<'a>(parent: &'a Span, spans: &'a [Span]) -> impl Iterator<Item = &'a Span> {
    spans.iter().filter(|span| span.parent_span_id == parent.span_id)
}

fn show(span: &Span, spans: &[Span], depth: usize) {
    let indent = "  ".repeat(depth);
    println!("{indent}{}", span.name);
    for attribute in &span.attributes {
        println!("{indent}  · {}", text(attribute));
    }
    for event in &span.events {
        let fields: Vec<_> = event.attributes.iter().map(text).collect();
        println!("{indent}  ! {} ({})", event.name, fields.join(", "));
    }
    for child in children(span, spans) {
        show(child, spans, depth + 1);
    }
}

fn text(attribute: &KeyValue) -> String {
    let value = attribute.value.as_ref().and_then(|value| value.value.as_ref());
    let value = match value {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::BoolValue(flag)) => flag.to_string(),
        other => format!("{other:?}"),
    };
    format!("{} = {value}", attribute.key)
}
