//! Makes the calls of a list, one page after the other.

use std::sync::Arc;

use futures_core::Stream;
use futures_util::stream;

use super::used_tokens::UsedTokens;
use crate::call::unary::unary;
use crate::call::{CallContext, CallOptions};
use crate::error::Error;
use crate::rpc::{PagedRpc, Rpc};

/// The default number of items per page, the maximum of ESET's cloud ([facts](crate::facts#paging)).
const PAGE_SIZE: u32 = 1000;

/// A page, or the reason why there is none.
pub(super) type Fetched<R> = Result<<R as Rpc>::Response, Error>;

/// Fetches page after page.
pub(super) struct Fetcher<R: PagedRpc> {
    context: Arc<CallContext>,
    options: CallOptions,
    /// The request for the next page.
    request: R::Request,
    used: UsedTokens,
    /// Whether the last page has a token that was used before.
    is_repeated: bool,
}

impl<R: PagedRpc> Fetcher<R> {
    pub(super) fn new(
        context: Arc<CallContext>,
        mut request: R::Request,
        options: CallOptions,
    ) -> Self {
        R::set_default_page_size(&mut request, PAGE_SIZE);
        let mut used = UsedTokens::default();
        used.insert(R::page_token(&mut request));
        Self { context, options, request, used, is_repeated: false }
    }

    /// Returns the pages, to be polled until the last one or an error.
    pub(super) fn pages(self) -> impl Stream<Item = Fetched<R>> + Send {
        stream::unfold(self, async |mut fetcher| Some((fetcher.next().await, fetcher)))
    }

    async fn next(&mut self) -> Fetched<R> {
        if self.is_repeated {
            let message = "the service sent the same page token twice; the list would never end";
            return Err(Error::protocol(message).with_spec(R::SPEC));
        }
        let (_, page) = unary::<R, _>(&self.context, &self.request, &self.options, Some).await?;
        let next = R::next_page_token(&page);
        next.clone_into(R::page_token(&mut self.request));
        self.is_repeated = !self.used.insert(next);
        Ok(page)
    }
}
