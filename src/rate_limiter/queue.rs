//! The queue of waiting calls, in order of arrival, or by turns of those for whom they wait.

use std::collections::VecDeque;
use std::task::Waker;
use std::time::Duration;

use tokio::time::Instant;

use super::flows::Flows;

/// How long the first call may leave its turn unused. A call whose future is not polled, such as a prefetched
/// page while its stream is idle, would block all others, perhaps even the call that its stream waits for.
pub(super) const PATIENCE: Duration = Duration::from_millis(100);

/// The waiting calls. A fair lock would not do, because a call must know its place, leave from anywhere, and
/// be skipped if it is not polled.
#[derive(Debug, Default)]
pub(super) struct Queue {
    /// The number of the next ticket.
    next: u64,
    flows: Flows,
    /// Sorted by ticket.
    waiters: VecDeque<Waiter>,
    /// The first call, and since when it has not used its turn.
    overdue: Option<(Ticket, Instant)>,
}

/// The priority of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Priority {
    /// A call to send or retry.
    New,
    /// A poll for the response to a call that the service is processing. The service keeps the response for a
    /// few minutes only, and a long queue may take longer.
    #[cfg_attr(not(feature = "rest"), allow(dead_code))]
    Pending,
}

/// A place in the order of calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ticket {
    /// The round, in which everybody for whom calls wait has one turn. 0 is for calls that the service is processing.
    pub(super) round: u64,
    number: u64,
}

#[derive(Debug)]
struct Waiter {
    ticket: Ticket,
    waker: Waker,
}

impl Queue {
    /// Returns a ticket for the next turn of a flow, or for the end of the polls, which are ahead of all new
    /// calls.
    pub(super) fn ticket(&mut self, priority: Priority, flow: &str) -> Ticket {
        let number = self.next;
        self.next = number.wrapping_add(1);
        let round = match priority {
            Priority::New => self.flows.begin(flow),
            Priority::Pending => 0,
        };
        Ticket { round, number }
    }

    /// Records that the call with this ticket got its turn, or gave up.
    pub(super) fn end(&mut self, flow: &str, ticket: Ticket, is_served: bool) {
        if ticket.round > 0 {
            self.flows.end(flow, ticket.round, is_served);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.waiters.len()
    }

    /// Returns the number of calls ahead of this one. Inserts it if it is new or was skipped.
    pub(super) fn place(&mut self, ticket: Ticket, waker: &Waker) -> usize {
        let index = self.index(ticket);
        match self.waiters.get_mut(index) {
            Some(waiter) if waiter.ticket == ticket => waiter.waker.clone_from(waker),
            _ => self.waiters.insert(index, Waiter { ticket, waker: waker.clone() }),
        }
        index
    }

    /// Leaves the queue. Returns the next call if that makes it the first.
    pub(super) fn leave(&mut self, ticket: Ticket) -> Option<Waker> {
        let index = self.index(ticket);
        if self.waiters.get(index)?.ticket != ticket {
            return None;
        }
        self.waiters.remove(index);
        if index == 0 { self.first() } else { None }
    }

    /// Records that the turn of the first call has come. If it has been due for too long, removes it until it
    /// is polled again and returns true.
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

    /// Records that no call is due.
    pub(super) fn not_due(&mut self) {
        self.overdue = None;
    }

    pub(super) fn first(&self) -> Option<Waker> {
        self.waiters.front().map(|waiter| waiter.waker.clone())
    }

    pub(super) fn all(&self) -> Vec<Waker> {
        self.waiters.iter().map(|waiter| waiter.waker.clone()).collect()
    }

    fn index(&self, ticket: Ticket) -> usize {
        self.waiters.partition_point(|waiter| waiter.ticket < ticket)
    }
}
