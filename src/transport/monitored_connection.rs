//! Monitors a connection for events that the HTTP/2 implementation does not report.
//!
//! **No part of a request is sent before the server has started to speak HTTP/2.** RFC 9113 (3.4) lets a
//! client send requests right after its own preface, but if the connection is then reset, it is unknown
//! whether they were read. Therefore requests wait here for the server's preface, its first SETTINGS: a
//! connection without one has failed, and no call on it can have run. This takes one round trip on a new
//! connection, as in gRPC's own clients, which do not report a channel as ready before. With TLS it takes
//! less, because most servers send the preface with the end of the handshake.
//!
//! **GOAWAY with `too_many_pings`** is not reported to any call; the calls on the connection only see that it
//! broke. This module reads it from the wire and makes later connections ping less often (gRFC A8).

use std::fmt;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use hyper_util::client::legacy::connect::{Connected, Connection as Connects};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use super::keep_alive::KeepAlive;
use super::no_http2::NoHttp2;
use super::readiness::{Readiness, Ready};

/// The client's preface in HTTP/2 (RFC 9113, 3.4). No HTTP/1.1 request starts like this.
const MAGIC: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

// Frame types (RFC 9113, 6).
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;

/// The flag of SETTINGS that acknowledge others.
const ACK: u8 = 1;

/// The position of the type in a frame's head.
const TYPE: usize = 3;

/// `ENHANCE_YOUR_CALM` with its reason, after the number of the last stream.
const TOO_MANY_PINGS: &[u8] = b"\x00\x00\x00\x0btoo_many_pings";

/// A stream with or without TLS.
pub(super) trait Stream: AsyncRead + AsyncWrite + fmt::Debug + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + fmt::Debug + Send + Unpin> Stream for S {}

/// A monitored connection.
#[derive(Debug)]
pub(crate) struct MonitoredConnection {
    connection: Box<dyn Stream>,
    /// Whether TLS negotiated HTTP/2.
    is_http2: bool,
    version: Version,
    /// `Some` until the server's preface has arrived.
    waiting: Option<Waiting>,
    read: Frames,
    sent: Frames,
    /// The start of a GOAWAY's payload.
    goaway: Vec<u8>,
    keep_alive: KeepAlive,
    /// The keep-alive interval when the connection was opened.
    interval: Option<Duration>,
    readiness: Readiness,
    /// `Some` once it accepts requests.
    ready: Option<Ready>,
}

#[derive(Debug)]
enum Version {
    /// The number of bytes of the magic that were written.
    Unknown(usize),
    Http1,
    Http2,
}

#[derive(Debug)]
struct Waiting {
    timeout: Duration,
    expiry: Pin<Box<Sleep>>,
    /// The waker of a task with a request to write.
    writer: Option<Waker>,
    /// The error of writing. HTTP/2 reports the error of reading to waiting calls, but not that of writing.
    broken: Option<io::Error>,
}

impl MonitoredConnection {
    /// Monitors a connection whose server must start within this time.
    pub(super) fn new(
        (connection, is_http2): (Box<dyn Stream>, bool),
        timeout: Duration,
        keep_alive: KeepAlive,
        readiness: Readiness,
    ) -> Self {
        let expiry = Box::pin(tokio::time::sleep(timeout));
        Self {
            connection,
            is_http2,
            version: Version::Unknown(0),
            waiting: Some(Waiting { timeout, expiry, writer: None, broken: None }),
            read: Frames::default(),
            sent: Frames::default(),
            goaway: Vec::new(),
            interval: keep_alive.interval(),
            keep_alive,
            readiness,
            ready: None,
        }
    }

    /// Returns how many of these bytes may be sent now.
    fn may_write(&mut self, bytes: &[u8]) -> usize {
        if let Version::Unknown(said) = self.version {
            let rest = &MAGIC[said..];
            let most = rest.len().min(bytes.len());
            if bytes[..most] == rest[..most] {
                return most;
            }
            self.version = Version::Http1;
            self.ready = Some(self.readiness.ready());
        }
        match self.version {
            Version::Http2 if self.waiting.is_some() => self.sent.before_request(bytes),
            _ => bytes.len(),
        }
    }

    /// Whether everything may be sent.
    fn is_free(&self) -> bool {
        match self.version {
            Version::Unknown(_) => false,
            Version::Http1 => true,
            Version::Http2 => self.waiting.is_none(),
        }
    }

    fn wrote(&mut self, bytes: &[u8]) {
        match self.version {
            Version::Unknown(said) => {
                let said = said + bytes.len();
                self.version =
                    if said < MAGIC.len() { Version::Unknown(said) } else { Version::Http2 };
            }
            Version::Http2 if self.waiting.is_some() => self.sent.advance_over(bytes, |_, _| {}),
            _ => {}
        }
    }

    /// Inspects bytes from the server.
    fn look(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut is_first = self.waiting.is_some();
        let mut is_preface = true;
        let mut is_too_many_pings = false;
        let goaway = &mut self.goaway;
        self.read.advance_over(bytes, |frame, payload| {
            if std::mem::take(&mut is_first) {
                is_preface = frame.is_preface();
            }
            if frame.kind() == GOAWAY {
                let room = (4 + TOO_MANY_PINGS.len() + 1).saturating_sub(goaway.len());
                goaway.extend_from_slice(&payload[..room.min(payload.len())]);
                if frame.is_whole() {
                    is_too_many_pings |= goaway.get(4..) == Some(TOO_MANY_PINGS);
                    goaway.clear();
                }
            }
        });
        if !is_preface {
            let text = String::from_utf8_lossy(&bytes[..bytes.len().min(60)]);
            let line = text.lines().next().unwrap_or_default();
            return Err(self.failed(io::ErrorKind::InvalidData, &format!("it said {line:?}")));
        }
        if let (true, Some(interval)) = (is_too_many_pings, self.interval) {
            self.keep_alive.too_many_pings(interval);
        }
        // The head of its first frame is complete.
        if !is_first && let Some(waiting) = self.waiting.take() {
            self.ready = Some(self.readiness.ready());
            waiting.writer.into_iter().for_each(Waker::wake);
        }
        Ok(())
    }

    /// Handles the result of writing. If that failed before the server started, reading fails too.
    fn written<T>(&mut self, cx: &Context<'_>, result: io::Result<T>) -> Poll<io::Result<T>> {
        match (result, &mut self.waiting) {
            (Err(error), Some(waiting)) if matches!(self.version, Version::Http2) => {
                waiting.broken = Some(error);
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            (result, _) => Poll::Ready(result.map_err(|error| self.ended(error))),
        }
    }

    /// Returns the error of a connection that ends before the server has started.
    fn ended(&self, error: io::Error) -> io::Error {
        if self.waiting.is_none() || matches!(self.version, Version::Http1) {
            return error;
        }
        #[cfg(feature = "tls")]
        if super::tls::is_certificate_refused(&error) {
            // TLS 1.3 reports it after the handshake.
            return self.failed(super::no_http2::CERTIFICATE_REFUSED, &error.to_string());
        }
        self.failed(error.kind(), &format!("the connection broke: {error}"))
    }

    fn failed(&self, kind: io::ErrorKind, what: &str) -> io::Error {
        let failure = NoHttp2::new(kind, what);
        self.readiness.failed(&failure);
        failure.to_io()
    }
}

/// The position of one direction of a connection between its frames.
#[derive(Clone, Copy, Debug, Default)]
struct Frames {
    head: [u8; 9],
    filled: usize,
    /// The rest of the payload.
    left: usize,
}

impl Frames {
    fn kind(&self) -> u8 {
        self.head[TYPE]
    }

    /// Whether this is SETTINGS for the connection, but not an acknowledgement.
    fn is_preface(&self) -> bool {
        let [.., kind, flags, a, b, c, d] = self.head;
        kind == SETTINGS && flags & ACK == 0 && [a, b, c, d] == [0; 4]
    }

    fn is_whole(&self) -> bool {
        self.left == 0
    }

    /// Processes bytes. Calls `seen` for each frame when its head is complete, and for each part of its
    /// payload.
    fn advance_over(&mut self, mut bytes: &[u8], mut seen: impl FnMut(&Self, &[u8])) {
        while !bytes.is_empty() {
            let mut payload: &[u8] = &[];
            if self.filled < self.head.len() {
                let part = bytes.len().min(self.head.len() - self.filled);
                self.head[self.filled..self.filled + part].copy_from_slice(&bytes[..part]);
                self.filled += part;
                bytes = &bytes[part..];
                if self.filled < self.head.len() {
                    return;
                }
                let [a, b, c, ..] = self.head;
                self.left = u32::from_be_bytes([0, a, b, c]) as usize;
            } else {
                let part = bytes.len().min(self.left);
                (payload, bytes) = bytes.split_at(part);
                self.left -= part;
            }
            seen(self, payload);
            if self.left == 0 {
                self.filled = 0;
            }
        }
    }

    /// Returns how many of these bytes precede the type of the first frame of a request.
    fn before_request(mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        while at < bytes.len() {
            if let Some(to_type) = TYPE.checked_sub(self.filled)
                && bytes.get(at + to_type) == Some(&HEADERS)
            {
                return at + to_type;
            }
            let part = if self.filled < self.head.len() {
                self.head.len() - self.filled
            } else {
                self.left
            };
            let next = bytes.len().min(at + part);
            self.advance_over(&bytes[at..next], |_, _| {});
            at = next;
        }
        at
    }
}

impl Connects for MonitoredConnection {
    fn connected(&self) -> Connected {
        let connected = Connected::new();
        if self.is_http2 { connected.negotiated_h2() } else { connected }
    }
}

impl AsyncRead for MonitoredConnection {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if let Some(error) = this.waiting.as_mut().and_then(|waiting| waiting.broken.take()) {
            return Poll::Ready(Err(this.ended(error)));
        }
        let (before, has_room) = (buffer.filled().len(), buffer.remaining() > 0);
        let polled = Pin::new(&mut this.connection).poll_read(cx, buffer);
        if !matches!(this.version, Version::Http2) {
            return polled;
        }
        match polled {
            Poll::Ready(Ok(())) => {
                let bytes = &buffer.filled()[before..];
                if bytes.is_empty() && has_room && this.waiting.is_some() {
                    let what = "it closed the connection";
                    return Poll::Ready(Err(this.failed(io::ErrorKind::UnexpectedEof, what)));
                }
                Poll::Ready(this.look(bytes))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(this.ended(error))),
            Poll::Pending => {
                let Some(waiting) = &mut this.waiting else { return Poll::Pending };
                ready!(waiting.expiry.as_mut().poll(cx));
                let what = format!("it said nothing within {:?}", waiting.timeout);
                Poll::Ready(Err(this.failed(io::ErrorKind::TimedOut, &what)))
            }
        }
    }
}

impl AsyncWrite for MonitoredConnection {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let most = this.may_write(bytes);
        if most == 0
            && !bytes.is_empty()
            && let Some(waiting) = &mut this.waiting
        {
            waiting.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let result = ready!(Pin::new(&mut this.connection).poll_write(cx, &bytes[..most]));
        if let Ok(written) = result {
            this.wrote(&bytes[..written]);
        }
        this.written(cx, result)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let result = ready!(Pin::new(&mut this.connection).poll_flush(cx));
        this.written(cx, result)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().connection).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.connection.is_write_vectored()
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let first = slices.iter().find(|slice| !slice.is_empty());
        let first = first.map_or(&[][..], |slice| slice);
        if this.may_write(first) == first.len() && this.is_free() {
            return Pin::new(&mut this.connection).poll_write_vectored(cx, slices);
        }
        Pin::new(this).poll_write(cx, first)
    }
}
