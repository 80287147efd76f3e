//! Responses that take longer (202, [facts](crate::facts#pending-responses)).

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderValue, Response, StatusCode};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

use crate::server::RestFront;

/// The header with the id of a pending response.
pub(super) const RESPONSE_ID: &str = "response-id";
/// A response that is not ready within this time never will be.
const READY_WITHIN: Duration = Duration::from_secs(120);
/// A response that is not fetched within this time is dropped.
const FETCH_WITHIN: Duration = Duration::from_secs(600);
/// The maximum number of waiting responses. Further ones return 503.
const MAX_WAITING: usize = 256;
/// The maximum size of all waiting responses. Above it, the oldest are dropped.
const MAX_BYTES: usize = 64 * 1024 * 1024;

type Slot = watch::Receiver<Option<Response<Bytes>>>;

/// The responses waiting to be fetched.
pub(super) struct Pending {
    after: Duration,
    waiting: Mutex<BTreeMap<String, Waiting>>,
}

struct Waiting {
    print: u64,
    since: SystemTime,
    /// The number of further polls that get another 202, ready or not.
    times: u32,
    slot: Slot,
    /// Cancels the call when its response can no longer be fetched.
    _task: Option<AbortOnDropHandle<()>>,
}

impl Pending {
    /// Makes responses pending that take longer than this.
    pub(super) fn new(after: Duration) -> Self {
        Self { after, waiting: Mutex::default() }
    }

    /// Waits for a response, or returns how to fetch it later, and goes on in a task of its own. `times` polls get no
    /// response in any case.
    pub(super) async fn run(
        &self,
        print: u64,
        times: u32,
        mut response: BoxFuture<'static, Response<Bytes>>,
        now: SystemTime,
    ) -> Response<Bytes> {
        let (slot, task) = match timeout(self.after, response.as_mut()).await {
            Ok(response) if times == 0 => return response,
            Ok(response) => (watch::channel(Some(response)).1, None),
            Err(_) => {
                let (sender, slot) = watch::channel(None);
                let task = tokio::spawn(async move {
                    sender.send_replace(Some(response.await));
                });
                (slot, Some(AbortOnDropHandle::new(task)))
            }
        };
        let id = Uuid::new_v4().to_string();
        let mut waiting = self.lock();
        make_room(&mut waiting, now);
        if waiting.len() >= MAX_WAITING {
            let message = "too many responses wait to be fetched";
            return RestFront::error(StatusCode::SERVICE_UNAVAILABLE, message);
        }
        let times = times.saturating_sub(1);
        waiting.insert(id.clone(), Waiting { print, since: now, times, slot, _task: task });
        come_again(&id)
    }

    /// Fetches a response.
    pub(super) async fn poll(
        &self,
        id: &HeaderValue,
        print: u64,
        now: SystemTime,
    ) -> Response<Bytes> {
        let gone = || RestFront::error(StatusCode::NOT_FOUND, "there is no such pending response");
        let Ok(id) = id.to_str() else { return gone() };
        let mut slot = {
            let mut waiting = self.lock();
            make_room(&mut waiting, now);
            let Some(found) = waiting.get_mut(id).filter(|found| found.print == print) else {
                return gone();
            };
            if found.slot.borrow().is_none() && age(found.since, now) >= READY_WITHIN {
                waiting.remove(id);
                let message = "the response was not ready in time; start anew";
                return RestFront::error(StatusCode::GATEWAY_TIMEOUT, message);
            }
            if found.times > 0 {
                found.times -= 1;
                return come_again(id);
            }
            found.slot.clone()
        };
        match self.wait(&mut slot).await {
            None => come_again(id),
            // The first poll that removes the response returns it; a concurrent poll is too late.
            Some(response) => match self.lock().remove(id) {
                Some(_) => response,
                None => gone(),
            },
        }
    }

    async fn wait(&self, slot: &mut Slot) -> Option<Response<Bytes>> {
        let ready = slot.wait_for(Option::is_some);
        match timeout(self.after, ready).await {
            Ok(Ok(response)) => response.clone(),
            // The call panicked, or the server is shutting down.
            Ok(Err(_)) => {
                let message = "the call did not complete";
                Some(RestFront::error(StatusCode::INTERNAL_SERVER_ERROR, message))
            }
            Err(_) => None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Drops expired responses, then the oldest ones until the rest fits.
fn make_room(waiting: &mut BTreeMap<String, Waiting>, now: SystemTime) {
    waiting.retain(|_, response| age(response.since, now) < FETCH_WITHIN);
    let size = |response: &Waiting| response.slot.borrow().as_ref().map_or(0, |r| r.body().len());
    let mut total: usize = waiting.values().map(size).sum();
    while total > MAX_BYTES {
        let oldest = waiting.iter().filter(|(_, response)| size(response) > 0);
        let oldest = oldest.min_by_key(|(_, response)| response.since).map(|(id, _)| id.clone());
        let Some(removed) = oldest.and_then(|id| waiting.remove(&id)) else { return };
        total = total.saturating_sub(size(&removed));
    }
}

/// Clocks that went backwards do not age anything.
fn age(since: SystemTime, now: SystemTime) -> Duration {
    now.duration_since(since).unwrap_or_default()
}

fn come_again(id: &str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::ACCEPTED;
    if let Ok(id) = HeaderValue::try_from(id) {
        response.headers_mut().insert(RESPONSE_ID, id);
    }
    response
}
