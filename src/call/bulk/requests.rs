//! The requests that have not been sent yet.

use super::Progress;
use crate::rpc::Rpc;

type Left<'a, R> = Box<dyn Iterator<Item = <R as Rpc>::Request> + Send + 'a>;

/// Requests and their indexes, taken one by one when there is room.
pub(super) struct Requests<'a, R: Rpc> {
    /// `None` after the last, because an iterator may start again.
    left: Option<Left<'a, R>>,
    index: usize,
    progress: Progress,
}

impl<'a, R: Rpc> Requests<'a, R> {
    pub(super) fn new(left: Left<'a, R>) -> Self {
        let (least, most) = left.size_hint();
        let total = most.filter(|most| *most == least);
        Self { left: Some(left), index: 0, progress: Progress::new(total) }
    }

    /// Returns the progress, which counts requests taken here as started.
    pub(super) fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Returns the next request and its index.
    pub(super) fn next(&mut self) -> Option<(usize, R::Request)> {
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
