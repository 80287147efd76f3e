//! Tracks the activity of a connection.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::io::{InspectReader, InspectWriter};
use tonic::Status;
use tonic::body::Body;

use crate::server::deadline::stream::{trailers, until};

/// The balance that shows that the client is reading a response. Less could be HTTP/2's own frames.
const READ_FROM: i64 = 4096;
/// A connection that was used this recently may be used again.
const FRESH: Duration = Duration::from_millis(100);
/// The size of the HTTP/2 preface.
const PREFACE: usize = 24;

/// The activity of a connection, which determines how long it stays open.
pub(super) struct Activity {
    state: Mutex<State>,
    /// Whether it is asked to leave.
    leave: watch::Sender<bool>,
}

struct State {
    /// The calls whose responses have not been sent.
    calls: usize,
    /// Those of them that hold the connection's place.
    holding: usize,
    /// Those of them that end when the connection is to leave.
    lasting: usize,
    /// Those of them that wait for this server.
    working: usize,
    /// The time of the last significant event.
    last: Instant,
    /// The bytes written less those that arrived: only responses make it grow. HTTP/2 answers frames by others that are
    /// not longer, such as PINGs.
    balance: i64,
    /// The balance at `last`.
    settled: i64,
    /// The bytes that arrived, up to the size of a preface.
    arrived: usize,
    had_calls: bool,
    /// Whether another connection needs its place.
    is_replaced: bool,
}

impl Activity {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                calls: 0,
                holding: 0,
                lasting: 0,
                working: 0,
                last: Instant::now(),
                balance: 0,
                settled: 0,
                arrived: 0,
                had_calls: false,
                is_replaced: false,
            }),
            leave: watch::Sender::new(false),
        })
    }

    /// Tracks what is read from a stream and written to it.
    pub(super) fn track<S: AsyncRead + AsyncWrite + Unpin>(
        self: Arc<Self>,
        stream: S,
    ) -> impl AsyncRead + AsyncWrite + Unpin {
        let reading = Arc::clone(&self);
        let stream = InspectReader::new(stream, move |bytes| {
            let mut state = reading.state();
            state.arrived = state.arrived.saturating_add(bytes.len());
            state.balance = state.balance.saturating_sub_unsigned(bytes.len() as u64);
        });
        InspectWriter::new(stream, move |bytes| {
            let mut state = self.state();
            state.balance = state.balance.saturating_add_unsigned(bytes.len() as u64);
            if state.balance.saturating_sub(state.settled) >= READ_FROM {
                state.touch();
            }
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
        let place = Place { activity: Arc::clone(self), kind: Arc::default() };
        Call { place, is_working: true }
    }

    /// Returns since when only the client could make progress; `None` if a call waits for this server.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        let state = self.state();
        (state.working == 0).then_some(state.last)
    }

    /// Returns how well it can be spared: whether calls are in progress, of which none holds its place, and since when it
    /// has been unused otherwise. `None` also if it is already asked to leave, or its first request may be arriving.
    pub(super) fn unused_since(&self) -> Option<(bool, Instant)> {
        let state = self.state();
        let is_unused =
            state.holding == 0 && !self.is_asked_to_leave() && state.last.elapsed() >= FRESH;
        is_unused.then_some((state.calls > 0, state.last))
    }

    /// Whether the protocol is still unknown.
    pub(super) fn is_mute(&self) -> bool {
        let state = self.state();
        !state.had_calls && state.arrived < PREFACE
    }

    /// Returns the bytes written less those that arrived.
    pub(super) fn balance(&self) -> i64 {
        self.state().balance
    }

    /// Whether nothing is lost if it breaks: no call is in progress, and no response was written since the balance was
    /// this. Lasting calls were ended before, so one that is left is that of a client that does not read its end. Where
    /// another connection needs the place, only the calls that hold it matter.
    pub(super) fn is_done(&self, balance: i64) -> bool {
        let state = self.state();
        match state.calls {
            0 => state.balance <= balance,
            calls => state.holding == 0 && (state.is_replaced || calls == state.lasting),
        }
    }

    /// Asks it to leave, because another connection needs its place.
    pub(super) fn replace(&self) {
        self.state().is_replaced = true;
        self.ask_to_leave();
    }

    /// Asks it to leave.
    pub(super) fn ask_to_leave(&self) {
        self.leave.send_replace(true);
    }

    pub(super) fn is_asked_to_leave(&self) -> bool {
        *self.leave.borrow()
    }

    /// Waits until it is asked to leave.
    pub(super) async fn asked_to_leave(&self) {
        // The sender is this one's own.
        let _ = self.leave.subscribe().wait_for(|leave| *leave).await;
    }
}

impl State {
    fn touch(&mut self) {
        self.last = Instant::now();
        self.settled = self.balance;
    }
}

/// The place of a call on its connection, in the extensions of its request. Until somebody who may call holds it, another
/// connection may take it.
#[derive(Clone)]
pub(crate) struct Place {
    activity: Arc<Activity>,
    kind: Arc<Kind>,
}

#[derive(Default)]
struct Kind {
    is_held: AtomicBool,
    is_lasting: AtomicBool,
}

impl Place {
    /// Holds it until the response is sent.
    pub(crate) fn hold(&self) {
        if !self.kind.is_held.swap(true, Ordering::Relaxed) {
            let mut state = self.activity.state();
            state.holding = state.holding.saturating_add(1);
        }
    }

    /// Ends a response that would last longer than its connection may. At shutdown `NOT_SERVING` is sent first.
    pub(crate) fn limit_body(self, body: Body) -> Body {
        if !self.kind.is_lasting.swap(true, Ordering::Relaxed) {
            let mut state = self.activity.state();
            state.lasting = state.lasting.saturating_add(1);
        }
        let leaving = async move { self.activity.asked_to_leave().await };
        until(body, leaving, || trailers(&Status::unavailable("the server closes the connection")))
    }
}

/// A call in progress.
pub(super) struct Call {
    pub(super) place: Place,
    is_working: bool,
}

impl Call {
    /// Records that the response is ready to be sent.
    pub(super) fn answered(&mut self) {
        if std::mem::take(&mut self.is_working) {
            let mut state = self.place.activity.state();
            state.working = state.working.saturating_sub(1);
            state.touch();
        }
    }

    /// Keeps the call in progress until this body is sent.
    pub(super) fn until_sent(
        self,
        body: Body,
    ) -> impl http_body::Body<Data = Bytes, Error = Status> + Unpin {
        // The closure keeps the call until the body is dropped.
        body.map_err(move |error| {
            let _call = &self;
            error
        })
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.answered();
        // Whoever still has its place changes nothing any more.
        let was_held = self.place.kind.is_held.swap(true, Ordering::Relaxed);
        let was_lasting = self.place.kind.is_lasting.swap(true, Ordering::Relaxed);
        let mut state = self.place.activity.state();
        state.calls = state.calls.saturating_sub(1);
        state.holding = state.holding.saturating_sub(was_held.into());
        state.lasting = state.lasting.saturating_sub(was_lasting.into());
        state.touch();
    }
}
