//! Accepts connections and makes room for them.

mod activity;
mod connection;
mod handshake;
mod lent;
mod limits;
mod linger;
mod unread;
mod workers;

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use self::activity::Activity;
pub(crate) use self::activity::Place;
#[cfg(feature = "serve")]
pub(crate) use self::connection::MAX_HEADERS;
pub(crate) use self::connection::{Answering, Calls, Peer};
#[cfg(feature = "serve")]
pub(crate) use self::handshake::{Accepted, Accepting};
pub(crate) use self::handshake::{Handshake, Plain};
#[cfg(feature = "serve")]
pub(crate) use self::lent::Lent;
pub use self::limits::ConnectionLimits;
pub(crate) use self::workers::Workers;
use super::notifier::Notifier;
use crate::telemetry::Degraded;

/// The first and the longest wait for room.
const SHORT_WAIT: Duration = Duration::from_millis(5);
const LONG_WAIT: Duration = Duration::from_secs(1);
/// At most one in this number of connections that can be spared is closed at a time.
const SHARE: usize = 16;

/// The open connections, by number.
#[derive(Clone, Default)]
struct Open(Arc<Mutex<BTreeMap<u64, Arc<Activity>>>>);

impl Open {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Activity>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the connections to leave that have been unused for the longest time; if there are none, those of whose calls
    /// none holds its place: nobody has shown for them that they may call.
    fn make_room(&self) {
        let open = self.lock();
        let mut unused: Vec<_> =
            open.values().filter_map(|one| Some((one.unused_since()?, one))).collect();
        unused.sort_by_key(|(since, _)| *since);
        let first = unused.first().map(|((is_called, _), _)| *is_called);
        let alike =
            unused.iter().take_while(|((is_called, _), _)| Some(*is_called) == first).count();
        let some = alike.div_ceil(SHARE);
        unused.into_iter().take(some).for_each(|(_, one)| one.replace());
    }
}

/// Whether the error concerns only the connection that was to be accepted.
fn is_of_one(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// Serves connections until `shutdown` completes, and then until the open ones have ended. Dropping it breaks
/// all of them.
pub(crate) async fn serve(
    calls: Calls,
    listener: TcpListener,
    handshake: Arc<dyn Handshake>,
    limits: ConnectionLimits,
    mut workers: Workers,
    notifier: &Notifier,
    shutdown: impl Future<Output = ()>,
) {
    let limits = limits.within_clocks();
    let protocol = connection::protocol(&limits);
    let draining = watch::Sender::new(false);
    let open = Open::default();
    let mut tasks = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    let mut number = 0_u64;
    let mut wait = SHORT_WAIT;
    let short = Degraded::new("connections");
    loop {
        let has_room = open.lock().len() < limits.max_connections.max(1);
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept(), if has_room => accepted.map(|(stream, _)| stream),
            Some(_) = tasks.join_next() => continue,
            () = tokio::time::sleep(wait), if !has_room => {
                open.make_room();
                wait = (wait * 2).min(LONG_WAIT);
                continue;
            }
        };
        match accepted {
            Ok(stream) => {
                if short.set(false) {
                    notifier.notify("new connections are taken again");
                }
                wait = SHORT_WAIT;
                // Without it, responses are merely slower.
                let _ = stream.set_nodelay(true);
                number = number.wrapping_add(1);
                let activity = Activity::new();
                open.lock().insert(number, Arc::clone(&activity));
                let ended = Ended { open: open.clone(), number };
                let (handshake, protocol) = (Arc::clone(&handshake), protocol.clone());
                let (calls, draining) = (calls.clone(), draining.subscribe());
                workers.spawn(&mut tasks, stream, async move |stream| {
                    let _ended = ended;
                    connection::serve(
                        stream, handshake, activity, protocol, calls, limits, draining,
                    )
                    .await;
                });
            }
            Err(error) if is_of_one(&error) => {}
            // Usually no file descriptor is left. The listener stays ready, so an immediate retry would use a
            // whole core.
            Err(error) => {
                if short.set(true) {
                    let count = open.lock().len();
                    notifier.notify(&format!(
                        "new connections wait, {count} are open, the idle ones are closed: {error}"
                    ));
                }
                open.make_room();
                tokio::select! {
                    () = &mut shutdown => break,
                    Some(_) = tasks.join_next() => {}
                    () = tokio::time::sleep(wait) => wait = (wait * 2).min(LONG_WAIT),
                }
            }
        }
    }
    drop(listener);
    draining.send_replace(true);
    let ended = async { while tasks.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(limits.drain_time, ended).await;
}

/// Removes a connection when it ends, for whatever reason.
struct Ended {
    open: Open,
    number: u64,
}

impl Drop for Ended {
    fn drop(&mut self) {
        self.open.lock().remove(&self.number);
    }
}
