//! The requests that have not been sent yet, and how to send them.

use std::sync::Arc;

use super::Progress;
use crate::call::{CallContext, CallOptions};
use crate::rpc::Rpc;

/// The default number of concurrent calls. ESET allows 10 calls per second
/// ([facts](crate::facts#rate-limit)). With the 1.5 seconds of a slow response from the cloud, that rate
/// needs 15 concurrent calls (Little's law); fewer would not reach it, and more would only wait.
const CONCURRENCY: usize = 16;

/// The maximum number of concurrent calls.
const MAX_CONCURRENCY: usize = 1024;

type Left<'a, R> = Box<dyn Iterator<Item = <R as Rpc>::Request> + Send + 'a>;

/// Requests and their indexes, taken one by one when there is room.
pub(super) struct Requests<'a, R: Rpc> {
    pub(super) context: Arc<CallContext>,
    pub(super) options: CallOptions,
    pub(super) concurrency: usize,
    /// `None` after the last, because an iterator may start again.
    left: Option<Left<'a, R>>,
    index: usize,
    /// Counts requests that were taken from here as started.
    pub(super) progress: Progress,
}

impl<'a, R: Rpc> Requests<'a, R> {
    pub(super) fn new(
        context: Arc<CallContext>,
        left: impl Iterator<Item = R::Request> + Send + 'a,
    ) -> Self {
        let (least, most) = left.size_hint();
        let total = most.filter(|most| *most == least);
        Self {
            context,
            options: CallOptions::default(),
            concurrency: CONCURRENCY,
            left: Some(Box::new(left)),
            index: 0,
            progress: Progress::new(total),
        }
    }

    pub(super) fn set_concurrency(&mut self, concurrency: usize) {
        self.concurrency = concurrency.clamp(1, MAX_CONCURRENCY);
    }

    /// Returns the next request and its index, if there is room beside so many under way.
    pub(super) fn next(&mut self, under_way: usize) -> Option<(usize, R::Request)> {
        if under_way >= self.concurrency {
            return None;
        }
        let Some(request) = self.left.as_mut()?.next() else {
            drop(self.stop());
            return None;
        };
        let index = self.index;
        self.index += 1;
        self.progress.start();
        Some((index, request))
    }

    /// Returns no more requests, and gives back the remaining ones.
    pub(super) fn stop(&mut self) -> impl Iterator<Item = R::Request> + Send + use<'a, R> {
        if self.left.is_some() {
            self.progress.close();
        }
        self.left.take().into_iter().flatten()
    }
}
