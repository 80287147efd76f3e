//! Calls with a large message. To convert one takes long, and the thread would serve nobody else meanwhile.

use std::future::{Future, pending};
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

use futures_util::future::Either;
use tokio::sync::{Notify, Semaphore};
use tokio::task::spawn_blocking;
use tracing::Instrument;

/// The size from which a message is large. To convert it takes some milliseconds.
const LARGE: usize = 256 * 1024;

/// As many of them are worked on at a time as there are cores, so that the threads that serve get their share.
static TURNS: LazyLock<Semaphore> =
    LazyLock::new(|| Semaphore::new(thread::available_parallelism().map_or(1, usize::from)));

/// Makes a call, whose message has this size: a large one on other threads than those that serve.
pub(super) fn call<F>(size: usize, call: F) -> impl Future<Output = F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    if size < LARGE {
        Either::Left(call)
    } else {
        Either::Right(elsewhere(Box::pin(call.in_current_span())))
    }
}

/// Completes a call. Only its work takes a thread, not its waits.
async fn elsewhere<F>(mut call: Pin<Box<F>>) -> F::Output
where
    F: Future<Output: Send> + Send + 'static,
{
    let woken = Arc::new(Woken::default());
    loop {
        let waker = Waker::from(Arc::clone(&woken));
        let turn = TURNS.acquire().await;
        let polled = spawn_blocking(move || {
            let _turn = turn;
            let polled = call.as_mut().poll(&mut Context::from_waker(&waker));
            (call, polled)
        });
        match polled.await {
            Ok((_, Poll::Ready(output))) => return output,
            Ok((unfinished, Poll::Pending)) => call = unfinished,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => resume_unwind(panic),
                // The runtime ends, and this call with it.
                Err(_) => return pending().await,
            },
        }
        woken.0.notified().await;
    }
}

/// Remembers that the call can go on, also while it is still worked on.
#[derive(Default)]
struct Woken(Notify);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.notify_one();
    }
}
