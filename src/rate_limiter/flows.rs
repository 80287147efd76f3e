//! Whose turn it is, if calls of several callers wait.

use std::collections::HashMap;

/// Flows that are not waiting are forgotten when there are this many.
const MANY: usize = 64;

/// The turns of those for whom calls wait. Each has one turn in a round. One that joins later starts with the current
/// round: it has saved up no turns, and owes none.
#[derive(Debug, Default)]
pub(super) struct Flows {
    /// The current round.
    round: u64,
    by_name: HashMap<Box<str>, Flow>,
}

#[derive(Debug, Default)]
struct Flow {
    waiting: usize,
    /// The rounds of its last call and of the last one that got its turn.
    last: u64,
    served: u64,
}

impl Flows {
    /// Returns the round of the next call of a flow, from 1.
    pub(super) fn begin(&mut self, name: &str) -> u64 {
        if !self.by_name.contains_key(name) {
            self.forget();
            self.by_name.insert(name.into(), Flow::default());
        }
        let Some(flow) = self.by_name.get_mut(name) else { return self.round.max(1) };
        flow.waiting = flow.waiting.saturating_add(1);
        flow.last = flow.last.saturating_add(1).max(self.round);
        flow.last
    }

    /// Records that a call got its turn, or gave up.
    pub(super) fn end(&mut self, name: &str, round: u64, is_served: bool) {
        let Some(flow) = self.by_name.get_mut(name) else { return };
        flow.waiting = flow.waiting.saturating_sub(1);
        if is_served {
            self.round = self.round.max(round);
            flow.served = flow.served.max(round);
        } else if flow.last == round {
            flow.last = round.saturating_sub(1);
        }
        if flow.waiting == 0 {
            // Calls that gave up are no turns.
            flow.last = flow.served;
        }
    }

    fn forget(&mut self) {
        if self.by_name.len() >= MANY {
            let round = self.round;
            self.by_name.retain(|_, flow| flow.waiting > 0 || flow.served >= round);
        }
    }
}
