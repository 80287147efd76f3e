//! Calls that wait for a test.

use tokio::sync::watch;

/// Holds calls back; see [`Fault::hold`](super::Fault::hold). Dropping it releases them.
#[derive(Debug)]
pub struct Hold {
    release: watch::Sender<bool>,
    waiting: watch::Receiver<usize>,
}

/// A call that a [`Hold`] holds back.
#[derive(Clone, Debug)]
pub(crate) struct HeldCall {
    released: watch::Receiver<bool>,
    waiting: watch::Sender<usize>,
}

pub(super) fn pair() -> (HeldCall, Hold) {
    let (release, released) = watch::channel(false);
    let (count, waiting) = watch::channel(0);
    (HeldCall { released, waiting: count }, Hold { release, waiting })
}

impl Hold {
    /// Waits until this number of calls has arrived, released or not.
    pub async fn arrived(&mut self, calls: usize) {
        // An error means that the fault is gone, so no more calls will arrive.
        let _ = self.waiting.wait_for(|waiting| *waiting >= calls).await;
    }

    /// Releases the calls.
    pub fn release(self) {
        self.release.send_replace(true);
    }
}

impl HeldCall {
    pub(crate) async fn wait(mut self) {
        self.waiting.send_modify(|waiting| *waiting = waiting.saturating_add(1));
        let _ = self.released.wait_for(|is_released| *is_released).await;
    }
}
