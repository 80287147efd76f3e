//! Serves one connection from its first byte to its last.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tonic::body::Body;
use tower::BoxError;

use super::activity::Activity;
use super::handshake::{Accepted, Handshake};
use super::lent::lend;
use super::limits::ConnectionLimits;
use super::linger::linger;
use super::unread::Unread;

/// Answers the requests of all connections. An error breaks the connection.
pub(crate) type Calls = Arc<dyn Fn(Request<Body>) -> Answering + Send + Sync>;

/// A pending response.
pub(crate) type Answering = BoxFuture<'static, Result<Response<Body>, BoxError>>;

/// The address from which a request came, in its extensions.
#[derive(Clone, Copy)]
pub(crate) struct Peer(pub(crate) SocketAddr);

impl Peer {
    /// Whether it is on this machine.
    pub(crate) fn is_local(&self) -> bool {
        self.0.ip().to_canonical().is_loopback()
    }
}

/// The maximum number of concurrent streams per connection.
const MAX_STREAMS: u32 = 1024;
/// The maximum number of header bytes per request over HTTP/2. HTTP/1.1 has hyper's own limit of 100 headers.
pub(crate) const MAX_HEADERS: usize = 64 * 1024;
/// A call without an end of its own, which may be silent for any time.
const WATCH: &str = "/grpc.health.v1.Health/Watch";
/// Connections that are silent for this long are pinged.
const KEEP_ALIVE: Duration = Duration::from_secs(60);
/// How long a connection that is asked to leave may take to announce it.
const GRACE: Duration = Duration::from_millis(250);

/// Configures the protocols.
pub(super) fn protocol(limits: &ConnectionLimits) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(limits.head_time);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(MAX_HEADERS as u32)
        // A client may cancel all of its calls at once. More resets than that end the connection, with the calls of others.
        .max_pending_accept_reset_streams(MAX_STREAMS as usize)
        .keep_alive_interval(KEEP_ALIVE);
    builder
}

/// Serves a connection until its client closes it, it leaves, or it breaks.
pub(super) async fn serve(
    stream: TcpStream,
    handshake: Arc<dyn Handshake>,
    activity: Arc<Activity>,
    protocol: Builder<TokioExecutor>,
    calls: Calls,
    limits: ConnectionLimits,
    draining: watch::Receiver<bool>,
) {
    let peer = stream.peer_addr().ok().map(Peer);
    let (stream, mut returned) = lend(stream);
    let accepted = tokio::time::timeout(limits.head_time, handshake.accept(stream));
    let Ok(Some(accepted)) = accepted.await else { return };
    let is_sending = exchange(accepted, peer, &activity, &protocol, calls, limits, draining).await;
    let Ok(stream) = returned.try_recv() else { return };
    if is_sending {
        let was_asked = activity.is_asked_to_leave();
        tokio::select! {
            () = linger(stream) => {}
            // Another needs its place.
            () = activity.asked_to_leave(), if !was_asked => {}
        }
    }
}

/// Answers the requests of a connection. Returns whether the responses were sent, and the client may still be sending what
/// nobody reads.
async fn exchange(
    accepted: Accepted,
    peer: Option<Peer>,
    activity: &Arc<Activity>,
    protocol: &Builder<TokioExecutor>,
    calls: Calls,
    mut limits: ConnectionLimits,
    mut draining: watch::Receiver<bool>,
) -> bool {
    let Accepted { stream, extensions } = accepted;
    let unread = Unread::default();
    let of_calls = unread.clone();
    let io = TokioIo::new(Arc::clone(activity).track(stream));
    let calling = Arc::clone(activity);
    let service = service_fn(move |mut request: Request<Incoming>| {
        let is_watch = request.uri().path() == WATCH;
        let mut call = calling.begin();
        request.extensions_mut().insert(call.place.clone());
        if let Some(peer) = peer {
            request.extensions_mut().insert(peer);
        }
        if !extensions.is_empty() {
            request.extensions_mut().extend(extensions.clone());
        }
        let (request, unread) = (of_calls.track(request), of_calls.clone());
        let answer = calls(request);
        async move {
            let mut answer = answer.await.map_err(std::io::Error::other)?;
            if !is_watch {
                call.answered();
            }
            unread.announce(&mut answer);
            Ok::<_, std::io::Error>(answer.map(|body| call.until_sent(body)))
        }
    });
    // A time of zero would loop without a pause.
    limits.idle_time = limits.idle_time.max(Duration::from_millis(1));
    let mut connection = pin!(protocol.serve_connection(io, service));
    let began = Instant::now();
    // Between 90 and 110 % of it.
    let age = limits.max_connection_age.map(|age| age.mul_f64(0.9 + fastrand::f64() / 5.0));
    let is_aged = || age.is_some_and(|age| began.elapsed() >= age);
    // When it was last asked whether a response is still being written, and the balance then.
    let mut left: Option<(Instant, i64)> = None;
    loop {
        let check = match left {
            Some((asked, _)) => asked + GRACE,
            // The client may send something meanwhile.
            None if activity.is_mute() => began + limits.head_time.min(limits.idle_time),
            None => activity.idle_since().unwrap_or_else(Instant::now) + limits.idle_time,
        };
        let check = match age {
            Some(age) if left.is_none() => check.min(began + age),
            _ => check,
        };
        tokio::select! {
            served = &mut connection => {
                let Err(error) = served else { return unread.is_left() };
                tracing::debug!("a connection ended: {error}");
                // What is no HTTP/1 was answered, too.
                let error = error.downcast_ref::<hyper::Error>();
                return error.is_some_and(hyper::Error::is_parse);
            }
            () = sleep_until(check) => match left {
                // Its time is up, and no reader loses anything.
                Some((_, balance)) if activity.is_done(balance) || is_overdue(activity, &limits) => return false,
                Some(_) => left = Some((Instant::now(), activity.balance())),
                None if activity.is_mute() && began.elapsed() >= limits.head_time => return false,
                None if is_aged() || is_overdue(activity, &limits) => activity.ask_to_leave(),
                None => {}
            },
            () = activity.asked_to_leave(), if left.is_none() => {
                connection.as_mut().graceful_shutdown();
                left = Some((Instant::now(), activity.balance()));
            }
            _ = draining.wait_for(|is_draining| *is_draining), if left.is_none() => {
                activity.ask_to_leave();
            }
        }
    }
}

fn is_overdue(activity: &Activity, limits: &ConnectionLimits) -> bool {
    activity.idle_since().is_some_and(|since| since.elapsed() >= limits.idle_time)
}
