//! A hand-written HTTP/2 server that answers each request by a function, in gRPC or not.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response};
use prost::Message;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What follows the body.
#[derive(Clone, Debug)]
pub enum End {
    /// The end of the stream.
    Stream,
    /// These trailers.
    Trailers(Vec<(&'static str, String)>),
    /// Nothing, ever.
    Never,
    /// The end of the whole connection.
    Disconnect,
    /// `RST_STREAM` with this code, instead of a response.
    Reset(u32),
}

/// One answer.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    pub end: End,
}

impl Reply {
    /// Returns a response that is not gRPC.
    pub fn plain(status: u16, media_type: &str, body: &str) -> Self {
        let headers = vec![("content-type", media_type.to_owned())];
        Self { status, headers, body: body.into(), end: End::Stream }
    }

    /// Returns gRPC frames and what follows.
    pub fn grpc(body: impl Into<Vec<u8>>, end: End) -> Self {
        let headers = vec![("content-type", "application/grpc".to_owned())];
        Self { status: 200, headers, body: body.into(), end }
    }

    /// Returns a message with success.
    pub fn message(message: &impl Message) -> Self {
        Self::grpc(frame(message), End::Trailers(vec![("grpc-status", "0".to_owned())]))
    }

    /// Returns a gRPC error without a body.
    pub fn status(code: i32) -> Self {
        let mut reply = Self::grpc([], End::Stream);
        reply.headers.push(("grpc-status", code.to_string()));
        reply
    }

    /// Ends the connection instead of a response.
    pub fn disconnect() -> Self {
        Self::grpc([], End::Disconnect)
    }
}

/// Returns a message in a gRPC frame.
pub fn frame(message: &impl Message) -> Vec<u8> {
    let message = message.encode_to_vec();
    let mut frame = vec![0];
    frame.extend_from_slice(&u32::try_from(message.len()).expect("a short message").to_be_bytes());
    frame.extend_from_slice(&message);
    frame
}

type Handler = Arc<dyn Fn(&http::request::Parts) -> Reply + Send + Sync>;

/// A server that runs as long as this lives.
pub struct H2Server {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl H2Server {
    /// Starts a server without TLS.
    pub async fn start(
        reply: impl Fn(&http::request::Parts) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::accept(reply, |stream| async move { Some(stream) }).await
    }

    /// The same, behind something that each connection does first, such as TLS.
    pub async fn accept<F, S>(
        reply: impl Fn(&http::request::Parts) -> Reply + Send + Sync + 'static,
        begin: impl Fn(TcpStream) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = Option<S>> + Send + 'static,
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (log, reply): (_, Handler) = (seen.clone(), Arc::new(reply));
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (log, reply, beginning) = (log.clone(), reply.clone(), begin(stream));
                connections.spawn(async move {
                    if let Some(stream) = beginning.await {
                        serve(stream, &log, &reply).await;
                    }
                });
            }
        });
        Self { address, seen, task }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the paths of the requests, in order.
    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().expect("the log").clone()
    }

    /// Returns how many request paths contain this.
    pub fn count(&self, part: &str) -> usize {
        self.seen().iter().filter(|path| path.contains(part)).count()
    }
}

impl Drop for H2Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    log: &Mutex<Vec<String>>,
    reply: &Handler,
) {
    let Ok(mut connection) = h2::server::handshake(stream).await else { return };
    // Keeps what never ends.
    let mut kept = Vec::new();
    while let Some(Ok((request, mut respond))) = connection.accept().await {
        let (parts, _) = request.into_parts();
        log.lock().expect("the log").push(parts.uri.path().to_owned());
        let Reply { status, headers, body, end } = reply(&parts);
        if matches!(end, End::Disconnect) {
            return;
        }
        if let End::Reset(code) = end {
            respond.send_reset(code.into());
            continue;
        }
        let mut response = Response::builder().status(status);
        *response.headers_mut().expect("headers") = header_map(headers);
        let response = response.body(()).expect("a response");
        let is_end = body.is_empty() && matches!(end, End::Stream);
        let Ok(mut stream) = respond.send_response(response, is_end) else { continue };
        if is_end {
            continue;
        }
        if !body.is_empty() {
            let _ = stream.send_data(Bytes::from(body), matches!(end, End::Stream));
        }
        match end {
            End::Trailers(trailers) => {
                let _ = stream.send_trailers(header_map(trailers));
            }
            End::Never => kept.push(stream),
            End::Stream | End::Disconnect | End::Reset(_) => {}
        }
    }
}

fn header_map(headers: Vec<(&'static str, String)>) -> HeaderMap {
    let header = |(name, value): (&'static str, String)| {
        // Each character is a byte, so that a test can send what is not UTF-8.
        let bytes = value.chars().map(|one| u8::try_from(one).expect("a byte"));
        let value = HeaderValue::from_bytes(&bytes.collect::<Vec<_>>()).expect("a value");
        (HeaderName::from_static(name), value)
    };
    headers.into_iter().map(header).collect()
}
