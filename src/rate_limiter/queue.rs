//! Who waits, in the order in which they came.

use std::collections::VecDeque;
use std::task::Waker;
use std::time::Duration;

use tokio::time::Instant;

/// How long the first may leave its turn untaken. One whose future is not polled, such as that of a page
/// fetched ahead while its stream rests, would hold up everybody, perhaps the very call that its stream
/// waits for.
pub(super) const PATIENCE: Duration = Duration::from_millis(100);

/// The tickets of new calls begin here, behind those of calls that a service is at work on.
const NEW: u64 = 1 << 63;

/// Those who wait. A queue of our own and not a lock that is fair, since everyone in it has to know its
/// place, leave from anywhere, and be passed over if it does not come.
#[derive(Debug)]
pub(super) struct Queue {
    /// The next ticket of a new call.
    new: u64,
    /// The next ticket of a call under way.
    under_way: u64,
    /// By ticket.
    waiters: VecDeque<Waiter>,
    /// The first, and since when its turn is there untaken.
    overdue: Option<(u64, Instant)>,
}

/// Who goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Priority {
    /// A call that is to be begun, or begun again.
    New,
    /// A question for the answer to a call that the service is at work on. It keeps the answer for some
    /// minutes only, which a long queue may take.
    #[cfg_attr(not(feature = "rest"), allow(dead_code))]
    Pending,
}

#[derive(Debug)]
struct Waiter {
    ticket: u64,
    waker: Waker,
}

impl Default for Queue {
    fn default() -> Self {
        Self { new: NEW, under_way: 0, waiters: VecDeque::new(), overdue: None }
    }
}

impl Queue {
    /// A ticket for the end of the queue, or for the end of those before all new calls.
    pub(super) fn ticket(&mut self, priority: Priority) -> u64 {
        let next = match priority {
            Priority::New => &mut self.new,
            Priority::Pending => &mut self.under_way,
        };
        let ticket = *next;
        *next = next.wrapping_add(1);
        ticket
    }

    pub(super) fn len(&self) -> usize {
        self.waiters.len()
    }

    /// How many are before this one, which is given its place if it has none: it has just come, or was
    /// passed over.
    pub(super) fn place(&mut self, ticket: u64, waker: &Waker) -> usize {
        let index = self.index(ticket);
        match self.waiters.get_mut(index) {
            Some(waiter) if waiter.ticket == ticket => waiter.waker.clone_from(waker),
            _ => self.waiters.insert(index, Waiter { ticket, waker: waker.clone() }),
        }
        index
    }

    /// Leaves the queue; returns the next one if its turn has come by that.
    pub(super) fn leave(&mut self, ticket: u64) -> Option<Waker> {
        let index = self.index(ticket);
        if self.waiters.get(index)?.ticket != ticket {
            return None;
        }
        self.waiters.remove(index);
        if index == 0 { self.first() } else { None }
    }

    /// Somebody sees that the turn of the first is there. Returns whether it has been for too long; then
    /// that one is out of the queue until it is polled.
    pub(super) fn pass_over(&mut self, now: Instant) -> bool {
        let Some(first) = self.waiters.front().map(|waiter| waiter.ticket) else {
            return false;
        };
        match self.overdue {
            Some((ticket, since)) if ticket == first => {
                let is_late = now.saturating_duration_since(since) >= PATIENCE;
                if is_late {
                    self.waiters.pop_front();
                    self.overdue = self.waiters.front().map(|next| (next.ticket, now));
                }
                is_late
            }
            _ => {
                self.overdue = Some((first, now));
                false
            }
        }
    }

    /// Nobody's turn is there.
    pub(super) fn not_due(&mut self) {
        self.overdue = None;
    }

    pub(super) fn first(&self) -> Option<Waker> {
        self.waiters.front().map(|waiter| waiter.waker.clone())
    }

    pub(super) fn all(&self) -> Vec<Waker> {
        self.waiters.iter().map(|waiter| waiter.waker.clone()).collect()
    }

    fn index(&self, ticket: u64) -> usize {
        self.waiters.partition_point(|waiter| waiter.ticket < ticket)
    }
}
