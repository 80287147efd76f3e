//! An HTTP/2 server written frame by frame, for behaviour that a proper one cannot produce: exact GOAWAYs,
//! resets at any point, connections that end between two frames. It does not decode headers (HPACK): it
//! counts requests by their frames.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::Hook;

/// Error codes of HTTP/2 (RFC 9113, 7).
pub mod code {
    pub const NO_ERROR: u32 = 0;
    pub const PROTOCOL_ERROR: u32 = 1;
    pub const INTERNAL_ERROR: u32 = 2;
    pub const FLOW_CONTROL_ERROR: u32 = 3;
    pub const STREAM_CLOSED: u32 = 5;
    pub const REFUSED_STREAM: u32 = 7;
    pub const CANCEL: u32 = 8;
    pub const COMPRESSION_ERROR: u32 = 9;
    pub const CONNECT_ERROR: u32 = 10;
    pub const ENHANCE_YOUR_CALM: u32 = 11;
    pub const INADEQUATE_SECURITY: u32 = 12;
    pub const HTTP_1_1_REQUIRED: u32 = 13;
}

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;

const END_STREAM: u8 = 1;
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;

/// The last stream that a GOAWAY names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Last {
    /// The one before the request's: the request was not processed.
    Before,
    /// That of the request.
    This,
    /// Any: the first frame of a shutdown in two steps.
    Any,
}

/// What the server does next with a request.
#[derive(Clone, Debug)]
pub enum Act {
    /// Does not wait for the end of the request. Must come first.
    AtOnce,
    /// The head of the response, with status 200.
    Head(Vec<(&'static str, String)>),
    /// Some of the body.
    Data(Vec<u8>),
    /// The end of the response.
    End,
    /// Trailers, which end the response.
    Trailers(Vec<(&'static str, String)>),
    /// RST_STREAM.
    Reset(u32),
    /// GOAWAY.
    GoAway(Last, u32),
    /// GOAWAY with a reason in words.
    GoAwayFor(Last, u32, &'static str),
    /// The end of the connection.
    Close,
    /// Nothing more on the whole connection; the server does not read either.
    Deaf,
    /// The head of the response, with any status.
    Status(u16, Vec<(&'static str, String)>),
    /// Something beside the wire, once all before it is written; see [`Hook`].
    Then(Hook),
    /// The end of the connection without a word: TCP's RST where the socket does not linger.
    Kill,
}

/// Returns the acts of a gRPC response: a message and success.
pub fn grpc(message: &impl prost::Message) -> Vec<Act> {
    vec![
        grpc_head(),
        Act::Data(super::h2::frame(message)),
        Act::Trailers(vec![("grpc-status", "0".to_owned())]),
    ]
}

/// Returns the head of a gRPC response.
pub fn grpc_head() -> Act {
    Act::Head(vec![("content-type", "application/grpc".to_owned())])
}

/// Returns the acts of a JSON response.
pub fn json(body: &str) -> Vec<Act> {
    vec![json_head(), Act::Data(body.into()), Act::End]
}

/// Returns the head of a JSON response.
pub fn json_head() -> Act {
    Act::Head(vec![("content-type", "application/json".to_owned())])
}

/// What arrived or happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A connection.
    Connection,
    /// The head of a request.
    Head,
    /// A complete request.
    Request,
    /// The head of a request after a GOAWAY that excludes it. It is ignored.
    Ignored,
    /// A PING.
    Ping,
    /// RST_STREAM of the client.
    Reset(u32),
    /// The connection ended.
    Closed,
}

/// One line of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The connection, starting at 0.
    pub connection: usize,
    /// The number of the stream; 0 for the connection itself.
    pub stream: u32,
    pub what: What,
}

struct Shared {
    script: Mutex<VecDeque<Vec<Act>>>,
    /// Used when the script ends.
    otherwise: Vec<Act>,
    log: watch::Sender<Vec<Seen>>,
}

impl Shared {
    fn log(&self, connection: usize, stream: u32, what: What) {
        self.log.send_modify(|log| log.push(Seen { connection, stream, what }));
    }
}

/// A server that runs as long as this lives.
pub struct FrameServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl FrameServer {
    /// Starts a server without TLS. Each request gets the next acts of the script, and `otherwise` when it
    /// ends.
    pub async fn start(
        script: impl IntoIterator<Item = Vec<Act>>,
        otherwise: impl Into<Vec<Act>>,
    ) -> Self {
        Self::accept(script, otherwise, |stream| async move { Some(stream) }).await
    }

    /// The same, behind something that each connection does first, such as TLS.
    pub async fn accept<F, S>(
        script: impl IntoIterator<Item = Vec<Act>>,
        otherwise: impl Into<Vec<Act>>,
        begin: impl Fn(TcpStream) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = Option<S>> + Send + 'static,
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            script: Mutex::new(script.into_iter().collect()),
            otherwise: otherwise.into(),
            log: watch::channel(Vec::new()).0,
        });
        let accepting = shared.clone();
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            let mut number = 0;
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).expect("a socket");
                let (shared, beginning) = (accepting.clone(), begin(stream));
                connections.spawn(async move {
                    if let Some(stream) = beginning.await {
                        shared.log(number, 0, What::Connection);
                        let mut connection =
                            Connection { stream, number, last: u32::MAX, shared: &shared };
                        let _ = connection.converse().await;
                        shared.log(number, 0, What::Closed);
                    }
                });
                number += 1;
            }
        });
        Self { address, shared, task }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:PORT`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Adds to the script.
    pub fn push(&self, acts: Vec<Act>) {
        self.shared.script.lock().expect("the script").push_back(acts);
    }

    /// What arrived, in order.
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.log.borrow().clone()
    }

    /// Returns how many times something arrived.
    pub fn count(&self, what: What) -> usize {
        self.shared.log.borrow().iter().filter(|seen| seen.what == what).count()
    }

    /// Waits until the log satisfies a condition.
    pub async fn until(&self, is_like_this: impl FnMut(&Vec<Seen>) -> bool) {
        self.shared.log.subscribe().wait_for(is_like_this).await.expect("a running server");
    }

    /// Waits until something has arrived this number of times.
    pub async fn until_count(&self, what: What, count: usize) {
        self.until(|log| log.iter().filter(|seen| seen.what == what).count() >= count).await;
    }
}

impl Drop for FrameServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Connection<'a, S> {
    stream: S,
    number: usize,
    /// The last stream that counts.
    last: u32,
    shared: &'a Shared,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<'_, S> {
    /// Converses until the connection ends, then returns `None`.
    async fn converse(&mut self) -> Option<()> {
        let mut preface = [0; 24];
        self.stream.read_exact(&mut preface).await.ok()?;
        assert_eq!(&preface, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        self.write(&frame(SETTINGS, 0, 0, &[])).await?;
        let mut waiting: Vec<(u32, Vec<Act>)> = Vec::new();
        loop {
            let (kind, flags, id, payload) = self.read().await?;
            match kind {
                SETTINGS if flags & ACK == 0 => self.write(&frame(SETTINGS, ACK, 0, &[])).await?,
                PING if flags & ACK == 0 => {
                    self.shared.log(self.number, 0, What::Ping);
                    self.write(&frame(PING, ACK, 0, &payload)).await?;
                }
                RST_STREAM => {
                    let reason = payload.try_into().map(u32::from_be_bytes).expect("four bytes");
                    waiting.retain(|(other, _)| *other != id);
                    self.shared.log(self.number, id, What::Reset(reason));
                }
                HEADERS if id > self.last => self.shared.log(self.number, id, What::Ignored),
                HEADERS => {
                    self.shared.log(self.number, id, What::Head);
                    let next = self.shared.script.lock().expect("the script").pop_front();
                    let acts = next.unwrap_or_else(|| self.shared.otherwise.clone());
                    if matches!(acts.first(), Some(Act::AtOnce)) {
                        self.act(id, &acts).await?;
                    } else {
                        waiting.push((id, acts));
                    }
                }
                _ => {}
            }
            if matches!(kind, DATA | HEADERS) && flags & END_STREAM != 0 && id <= self.last {
                self.shared.log(self.number, id, What::Request);
                if let Some(at) = waiting.iter().position(|(other, _)| *other == id) {
                    let (_, acts) = waiting.swap_remove(at);
                    self.act(id, &acts).await?;
                }
            }
        }
    }

    /// Performs the acts for a request in one write; returns `None` if that ends the connection.
    async fn act(&mut self, id: u32, acts: &[Act]) -> Option<()> {
        let mut bytes = Vec::new();
        let mut is_over = false;
        for act in acts {
            match act {
                Act::AtOnce => {}
                Act::Head(headers) => {
                    bytes.extend(headers_frames(0, id, &block(true, headers)));
                }
                Act::Data(data) => bytes.extend(frame(DATA, 0, id, data)),
                Act::End => bytes.extend(frame(DATA, END_STREAM, id, &[])),
                Act::Trailers(headers) => {
                    bytes.extend(headers_frames(END_STREAM, id, &block(false, headers)));
                }
                Act::Reset(code) => bytes.extend(frame(RST_STREAM, 0, id, &code.to_be_bytes())),
                Act::GoAway(last, code) => bytes.extend(self.go_away(id, *last, *code, "")),
                Act::GoAwayFor(last, code, why) => {
                    bytes.extend(self.go_away(id, *last, *code, why));
                }
                Act::Status(status, headers) => {
                    // A literal whose name is number 8 in the table (RFC 7541, 6.2.2).
                    let mut fields = vec![8, 3];
                    fields.extend(status.to_string().into_bytes());
                    fields.extend(block(false, headers));
                    bytes.extend(headers_frames(0, id, &fields));
                }
                Act::Then(hook) => {
                    self.write(&std::mem::take(&mut bytes)).await?;
                    if !hook.run() {
                        return Some(());
                    }
                }
                Act::Kill => {
                    self.write(&bytes).await?;
                    return None;
                }
                Act::Deaf => {
                    self.write(&bytes).await?;
                    return std::future::pending().await;
                }
                Act::Close => is_over = true,
            }
        }
        self.write(&bytes).await?;
        if is_over {
            self.stream.shutdown().await.ok()?;
            return None;
        }
        Some(())
    }

    fn go_away(&mut self, id: u32, last: Last, code: u32, why: &str) -> Vec<u8> {
        self.last = match last {
            Last::Before => id.saturating_sub(2),
            Last::This => id,
            Last::Any => 0x7fff_ffff,
        };
        let numbers = [self.last.to_be_bytes(), code.to_be_bytes()].concat();
        frame(GOAWAY, 0, 0, &[&numbers, why.as_bytes()].concat())
    }

    async fn read(&mut self) -> Option<(u8, u8, u32, Vec<u8>)> {
        let mut head = [0; 9];
        self.stream.read_exact(&mut head).await.ok()?;
        let [a, b, c, kind, flags, id @ ..] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
        self.stream.read_exact(&mut payload).await.ok()?;
        Some((kind, flags, u32::from_be_bytes(id) & 0x7fff_ffff, payload))
    }

    async fn write(&mut self, bytes: &[u8]) -> Option<()> {
        self.stream.write_all(bytes).await.ok()?;
        self.stream.flush().await.ok()
    }
}

fn frame(kind: u8, flags: u8, id: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short payload").to_be_bytes();
    let mut frame = vec![length[1], length[2], length[3], kind, flags];
    frame.extend_from_slice(&id.to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}

/// Returns a block of headers in as many frames as necessary (RFC 9113, 6.10).
fn headers_frames(flags: u8, id: u32, block: &[u8]) -> Vec<u8> {
    let mut parts = block.chunks(16_384).peekable();
    let first = parts.next().unwrap_or_default();
    let end = |is_last| if is_last { END_HEADERS } else { 0 };
    let mut frames = frame(HEADERS, flags | end(parts.peek().is_none()), id, first);
    while let Some(part) = parts.next() {
        frames.extend(frame(CONTINUATION, end(parts.peek().is_none()), id, part));
    }
    frames
}

/// Encodes headers in HPACK without compression (RFC 7541, 6.2.2); `:status: 200` is number 8 in its table.
fn block(has_status: bool, headers: &[(&str, String)]) -> Vec<u8> {
    let mut block = if has_status { vec![0x88] } else { vec![] };
    for (name, value) in headers {
        block.push(0);
        for text in [name, value.as_str()] {
            block.extend(hpack_length(text.len()));
            block.extend_from_slice(text.as_bytes());
        }
    }
    block
}

/// Encodes a length in seven bits and, if necessary, seven more at a time (RFC 7541, 5.1).
fn hpack_length(length: usize) -> Vec<u8> {
    if length < 127 {
        return vec![u8::try_from(length).expect("seven bits")];
    }
    let (mut bytes, mut rest) = (vec![127], length - 127);
    while rest >= 128 {
        bytes.push(u8::try_from(rest % 128 + 128).expect("a byte"));
        rest /= 128;
    }
    bytes.push(u8::try_from(rest).expect("seven bits"));
    bytes
}
