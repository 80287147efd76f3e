//! Makes the calls of a list, one page after the other.

use std::sync::Arc;

use super::used_tokens::UsedTokens;
use crate::call::unary::unary;
use crate::call::{CallContext, CallOptions};
use crate::error::Error;
use crate::rpc::{PagedRpc, Rpc};

/// The default number of items per page, the maximum of ESET's cloud ([facts](crate::facts#paging)).
const PAGE_SIZE: u32 = 1000;

/// A page, or the reason why there is none.
pub(super) type Fetched<R> = Result<<R as Rpc>::Response, Error>;

/// Fetches page after page, until the last page or the first error.
pub(super) struct Fetcher<R: PagedRpc> {
    context: Arc<CallContext>,
    options: CallOptions,
    /// The request for the next page.
    request: R::Request,
    used: UsedTokens,
    step: Step,
}

/// What comes next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Fetch,
    /// Fail: the last page contained a token that was used before.
    Refuse,
    End,
}

impl<R: PagedRpc> Fetcher<R> {
    pub(super) fn new(
        context: Arc<CallContext>,
        mut request: R::Request,
        options: CallOptions,
    ) -> Self {
        let size = R::page_size(&mut request);
        if *size == 0 {
            *size = PAGE_SIZE;
        }
        let mut used = UsedTokens::default();
        used.insert(R::page_token(&mut request));
        Self { context, options, request, used, step: Step::Fetch }
    }

    /// Whether there are no more pages.
    pub(super) fn is_at_end(&self) -> bool {
        self.step == Step::End
    }

    /// Returns the next page; `None` after the last page or an error.
    pub(super) async fn next(&mut self) -> Option<Fetched<R>> {
        match self.step {
            Step::Fetch => {
                let page = unary::<R, _>(&self.context, &self.request, &self.options, Some).await;
                let page = page.map(|(_, page)| page);
                self.step = page.as_ref().map_or(Step::End, |page| self.step_after(page));
                Some(page)
            }
            Step::Refuse => {
                self.step = Step::End;
                let message =
                    "the service sent the same page token twice; the list would never end";
                let error = Error::protocol(message);
                Some(Err(error.with_spec(R::SPEC)))
            }
            Step::End => None,
        }
    }

    /// Turns the request into one for the page after this one.
    fn step_after(&mut self, page: &R::Response) -> Step {
        let next = R::next_page_token(page);
        if next.is_empty() {
            return Step::End;
        }
        next.clone_into(R::page_token(&mut self.request));
        if self.used.insert(next) { Step::Fetch } else { Step::Refuse }
    }
}
