//! Tracks the activity of a connection.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::Instant;
use tonic::body::Body;

/// The number of response bytes that show that the client is reading. Fewer could be HTTP/2's own frames.
const READ_FROM: usize = 4096;
/// A connection that was used this recently may be used again.
const FRESH: Duration = Duration::from_millis(100);
/// The size of the HTTP/2 preface.
const PREFACE: usize = 24;

/// The activity of a connection, which determines how long it stays open.
pub(super) struct Activity {
    state: Mutex<State>,
    leave: Notify,
}

struct State {
    /// The calls whose responses have not been sent.
    calls: usize,
    /// Those of them that wait for this server.
    working: usize,
    /// The time of the last significant event.
    last: Instant,
    /// The time of the last write.
    written: Instant,
    /// The bytes written since `last`.
    unread: usize,
    /// The bytes that arrived, up to the size of a preface.
    arrived: usize,
    had_calls: bool,
    is_leaving: bool,
}

impl Activity {
    pub(super) fn new() -> Arc<Self> {
        let now = Instant::now();
        Arc::new(Self {
            state: Mutex::new(State {
                calls: 0,
                working: 0,
                last: now,
                written: now,
                unread: 0,
                arrived: 0,
                had_calls: false,
                is_leaving: false,
            }),
            leave: Notify::new(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records the arrival of a call.
    pub(super) fn begin(self: &Arc<Self>) -> Call {
        let mut state = self.state();
        state.calls = state.calls.saturating_add(1);
        state.working = state.working.saturating_add(1);
        state.had_calls = true;
        state.touch();
        Call { activity: Arc::clone(self), is_working: true }
    }

    /// Returns since when only the client could make progress; `None` if a call waits for this server.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        let state = self.state();
        (state.working == 0).then_some(state.last)
    }

    /// Returns since when it has been unused; `None` also if it is already asked to leave, a response is
    /// being sent, or its first request may be arriving.
    pub(super) fn unused_since(&self) -> Option<Instant> {
        let state = self.state();
        let is_unused = state.calls == 0 && !state.is_leaving && state.last.elapsed() >= FRESH;
        is_unused.then_some(state.last)
    }

    /// Whether the protocol is still unknown.
    pub(super) fn is_mute(&self) -> bool {
        let state = self.state();
        !state.had_calls && state.arrived < PREFACE
    }

    /// Whether nothing is lost if it breaks: no call is in progress, and nothing was written since then.
    pub(super) fn is_done(&self, since: Instant) -> bool {
        let state = self.state();
        state.calls == 0 && state.written < since
    }

    /// Asks it to leave.
    pub(super) fn ask_to_leave(&self) {
        self.state().is_leaving = true;
        self.leave.notify_one();
    }

    /// Waits until it is asked to leave.
    pub(super) async fn asked_to_leave(&self) {
        self.leave.notified().await;
    }
}

impl State {
    fn touch(&mut self) {
        self.last = Instant::now();
        self.unread = 0;
    }
}

/// A call in progress.
pub(super) struct Call {
    activity: Arc<Activity>,
    is_working: bool,
}

impl Call {
    /// Records that the response is ready to be sent.
    pub(super) fn answered(&mut self) {
        if std::mem::take(&mut self.is_working) {
            let mut state = self.activity.state();
            state.working = state.working.saturating_sub(1);
            state.touch();
        }
    }

    /// Keeps the call in progress until this body is sent.
    pub(super) fn until_sent(self, body: Body) -> Body {
        Body::new(Sent { body, _call: self })
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.answered();
        let mut state = self.activity.state();
        state.calls = state.calls.saturating_sub(1);
        state.touch();
    }
}

/// A body that ends its call.
struct Sent {
    body: Body,
    _call: Call,
}

impl http_body::Body for Sent {
    type Data = Bytes;
    type Error = tonic::Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, tonic::Status>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A TCP connection that records its activity.
pub(super) struct Watched {
    stream: TcpStream,
    activity: Arc<Activity>,
}

impl Watched {
    pub(super) fn new(stream: TcpStream, activity: Arc<Activity>) -> Self {
        Self { stream, activity }
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        let arrived = buffer.filled().len().saturating_sub(before);
        if arrived > 0 {
            let mut state = self.activity.state();
            state.arrived = state.arrived.saturating_add(arrived);
        }
        read
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        if let Poll::Ready(Ok(bytes)) = &written {
            let mut state = self.activity.state();
            state.written = Instant::now();
            state.unread = state.unread.saturating_add(*bytes);
            if state.unread >= READ_FROM {
                state.touch();
            }
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
