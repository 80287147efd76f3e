//! What a client has for all of its calls.

use std::sync::Arc;

use crate::timer::{Timer, TokioTimer};

/// What stands above a single attempt, shared by all clones of a client.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    pub(crate) timer: Arc<dyn Timer>,
}

impl Default for Policy {
    fn default() -> Self {
        Self { timer: Arc::new(TokioTimer) }
    }
}
