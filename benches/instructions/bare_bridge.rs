//! A bridge that is free of charge: hyper on both sides for one RPC, which gets a task, and no code for anything else. It
//! converts nothing, but passes the bytes of the body on, and has no rules, timeouts, retries, logs or metrics. What it
//! costs is what a bridge costs at least with hyper and h2. `benches/envoy.py` runs it.

use std::convert::Infallible;
use std::error::Error;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue, TE};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;

const GET_TASK: &str = "/eset.dotnod.automation.v1.DeviceTasks/GetTask";
const REST: &str = "/v1/device_tasks/";
/// The length of what is in front of a message: a flag and its size.
const PREFIX: usize = 5;
/// The length of the tag and the size of the request's only field.
const FIELD: usize = 2;

#[derive(Clone)]
struct Bridge {
    client: Client<HttpConnector, Full<Bytes>>,
    upstream: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(upstream), Some(wire)) = (arguments.next(), arguments.next()) else {
        return Err("usage: bare-bridge http://HOST:PORT rest|grpc".into());
    };
    let is_rest = wire == "rest";
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client = Client::builder(TokioExecutor::new()).http2_only(!is_rest).build(connector);
    let bridge = Bridge { client, upstream };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("Listening on http://{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (stream, bridge) = (TokioIo::new(stream), bridge.clone());
        tokio::spawn(async move {
            if is_rest {
                let service = service_fn(|request| bridge.clone().by_rest(request));
                let server = http2::Builder::new(TokioExecutor::new());
                server.serve_connection(stream, service).await
            } else {
                let service = service_fn(|request| bridge.clone().by_grpc(request));
                http1::Builder::new().serve_connection(stream, service).await
            }
        });
    }
}

impl Bridge {
    /// Answers a gRPC request from a REST server.
    async fn by_rest(
        self,
        request: Request<Incoming>,
    ) -> Result<Response<BoxBody<Bytes, Infallible>>, Box<dyn Error + Send + Sync>> {
        let message = request.into_body().collect().await?.to_bytes();
        let uuid = str::from_utf8(message.get(PREFIX + FIELD..).unwrap_or_default())?;
        let uri = format!("{}{REST}{uuid}", self.upstream);
        let response = self.client.request(Request::get(uri).body(Full::default())?).await?;
        let body = response.into_body().collect().await?.to_bytes();
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from_static("0"));
        let frames = [Frame::data(framed(&body)?), Frame::trailers(trailers)];
        let body = StreamBody::new(stream::iter(frames.map(Ok::<_, Infallible>)));
        let mut response = Response::new(BoxBody::new(body));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        Ok(response)
    }

    /// Answers a REST request from a gRPC server.
    async fn by_grpc(
        self,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, Box<dyn Error + Send + Sync>> {
        let uuid = request.uri().path().strip_prefix(REST).unwrap_or_default();
        let mut message = vec![10, u8::try_from(uuid.len())?];
        message.extend_from_slice(uuid.as_bytes());
        let request = Request::post(format!("{}{GET_TASK}", self.upstream))
            .header(CONTENT_TYPE, HeaderValue::from_static("application/grpc"))
            .header(TE, HeaderValue::from_static("trailers"))
            .body(Full::new(framed(&message)?))?;
        let response = self.client.request(request).await?;
        let mut body = response.into_body().collect().await?.to_bytes();
        let mut response = Response::new(Full::new(body.split_off(PREFIX.min(body.len()))));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Ok(response)
    }
}

/// Returns a message with its flag and size.
fn framed(message: &[u8]) -> Result<Bytes, std::num::TryFromIntError> {
    let size = u32::try_from(message.len())?.to_be_bytes();
    Ok([&[0], &size[..], message].concat().into())
}
