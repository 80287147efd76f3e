//! What happens on a connection.

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

/// So many bytes of answers make a connection that is read from. Less could be HTTP/2 talking of itself.
const READ_FROM: usize = 4096;
/// A connection that was of use so short a time ago may be of use again.
const FRESH: Duration = Duration::from_millis(100);
/// What tells HTTP/2 is that long.
const PREFACE: usize = 24;

/// What happens on a connection, for whoever decides how long it stays.
pub(super) struct Activity {
    state: Mutex<State>,
    leave: Notify,
}

struct State {
    /// Calls whose answers are not sent.
    calls: usize,
    /// Those of them that wait for this side.
    working: usize,
    /// When something happened last that is no mere noise.
    last: Instant,
    /// When bytes were written last.
    written: Instant,
    /// Bytes that were written since `last`.
    unread: usize,
    /// Bytes that arrived, as far as a preface.
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

    /// A call has arrived.
    pub(super) fn begin(self: &Arc<Self>) -> Call {
        let mut state = self.state();
        state.calls = state.calls.saturating_add(1);
        state.working = state.working.saturating_add(1);
        state.had_calls = true;
        state.touch();
        Call { activity: Arc::clone(self), is_working: true }
    }

    /// Since when nothing has happened that this side did not have to wait for; `None` if a call waits
    /// for this side.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        let state = self.state();
        (state.working == 0).then_some(state.last)
    }

    /// Since when it has been of no use; `None` also if it is to leave already, an answer is being sent, or
    /// its first request may be on the way.
    pub(super) fn unused_since(&self) -> Option<Instant> {
        let state = self.state();
        let is_unused = state.calls == 0 && !state.is_leaving && state.last.elapsed() >= FRESH;
        is_unused.then_some(state.last)
    }

    /// Whether nobody has said which protocol to speak.
    pub(super) fn is_mute(&self) -> bool {
        let state = self.state();
        !state.had_calls && state.arrived < PREFACE
    }

    /// Whether nothing is lost if it breaks: no call is under way, and nothing was written since then.
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

/// A call that is under way.
pub(super) struct Call {
    activity: Arc<Activity>,
    is_working: bool,
}

impl Call {
    /// The answer is there and is to be sent.
    pub(super) fn answered(&mut self) {
        if std::mem::take(&mut self.is_working) {
            let mut state = self.activity.state();
            state.working = state.working.saturating_sub(1);
            state.touch();
        }
    }

    /// The call is under way until this body is sent.
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

/// A TCP connection that notes what happens on it.
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
