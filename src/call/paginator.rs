//! Lists page by page (AIP-158).

mod ahead;
mod fetcher;
mod used_tokens;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use tokio::runtime::Handle;

use self::ahead::Ahead;
use self::fetcher::{Fetched, Fetcher};
use super::{CallContext, CallOptions};
use crate::error::Error;
use crate::rpc::PagedRpc;

/// The default number of pages to fetch in advance.
const PREFETCH: usize = 1;

/// The maximum number of pages to fetch in advance.
const MAX_PREFETCH: usize = 16;

/// Fetches the pages of a list, one call per page. Use it as a stream, or with [`next`](Self::next) in a
/// loop.
///
/// ```no_run
/// # async fn run(client: eset_protect::Client) -> Result<(), eset_protect::Error> {
/// use eset_protect::automation::v1::ListTasksRequest;
///
/// let mut pages = client.device_tasks().list_tasks(ListTasksRequest::default()).pages();
/// while let Some(page) = pages.next().await {
///     println!("{} tasks", page?.tasks.len());
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Calls
///
/// Each page is a separate call with the given options: the timeout applies to one page, and a rate limit
/// counts each call. A request without a page size asks for 1000 items, the maximum of ESET's cloud
/// ([facts](crate::facts#paging)).
///
/// # Prefetching
///
/// Nothing is fetched before the first page is requested. When a page is returned, a background task starts
/// to fetch the next one while you work on this one: one page in advance, or as set by
/// [`prefetch`](Self::prefetch). At most two pages are in memory, and if you stop early, one call was
/// unnecessary. The task ends with the last page. Dropping the paginator aborts the task and its call.
///
/// # Errors
///
/// The list ends after an error, and [`page_token`](Self::page_token) returns where to resume. A page that
/// was fetched before the error is returned before it. If a service sends a page token a second time, the
/// list would never end: that is an error too, after the page that contains the token.
#[must_use = "pages are fetched only when they are requested"]
pub struct Paginator<R: PagedRpc> {
    /// The pages to return; `None` after the last one or an error.
    pages: Option<BoxStream<'static, Fetched<R>>>,
    /// How many pages to fetch in advance, which begins after the first page.
    prefetch: usize,
    is_ahead: bool,
    /// The token of the page that was returned last.
    current_token: String,
    /// The token of the page to return next.
    next_token: Option<String>,
}

impl<R: PagedRpc> Paginator<R> {
    pub(super) fn new(
        context: Arc<CallContext>,
        mut request: R::Request,
        options: CallOptions,
    ) -> Self {
        let next_token = Some(R::page_token(&mut request).clone());
        // Sends nothing before it is polled.
        let pages = Fetcher::<R>::new(context, request, options).pages().boxed();
        Self {
            pages: Some(pages),
            prefetch: PREFETCH,
            is_ahead: false,
            current_token: String::new(),
            next_token,
        }
    }

    /// Sets how many pages are fetched in advance: 1 by default, at most 16. With 0, or outside a tokio
    /// runtime, pages are fetched when they are requested, without a background task. One page more than this
    /// number is in memory. Set it before you request the first page.
    pub fn prefetch(mut self, pages: usize) -> Self {
        self.prefetch = pages.min(MAX_PREFETCH);
        self
    }

    /// Returns the next page; `None` after the last page or an error. Dropping the future loses nothing: the
    /// next call continues.
    pub async fn next(&mut self) -> Option<Result<R::Response, Error>> {
        StreamExt::next(self).await
    }

    /// Returns the token of the page that is returned next, regardless of prefetching; `None` after the last
    /// page. A request with this token resumes exactly there, even after an error, unless the error is a
    /// repeated page token: then it starts with pages that were already returned.
    pub fn page_token(&self) -> Option<&str> {
        self.next_token.as_deref()
    }

    /// Returns the token of the page that was returned last.
    pub(super) fn current_token(&self) -> &str {
        &self.current_token
    }

    fn advance(&mut self, next: &str) {
        let next = (!next.is_empty()).then(|| next.to_owned());
        let pages = self.pages.take().filter(|_| next.is_some());
        self.pages = pages.map(|pages| match Handle::try_current() {
            Ok(runtime) if self.prefetch > 0 && !self.is_ahead => {
                self.is_ahead = true;
                Ahead::<R>::start(&runtime, pages, self.prefetch).boxed()
            }
            _ => pages,
        });
        let current = std::mem::replace(&mut self.next_token, next);
        self.current_token = current.unwrap_or_default();
    }
}

impl<R: PagedRpc> Stream for Paginator<R> {
    type Item = Result<R::Response, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(pages) = &mut self.pages else { return Poll::Ready(None) };
        let page = ready!(pages.poll_next_unpin(cx));
        match &page {
            Some(Ok(page)) => self.advance(R::next_page_token(page)),
            Some(Err(_)) | None => self.pages = None,
        }
        Poll::Ready(page)
    }
}

impl<R: PagedRpc> fmt::Debug for Paginator<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Paginator")
            .field("rpc", &R::SPEC.path)
            .field("page_token", &self.next_token)
            .field("prefetch", &self.prefetch)
            .field("ended", &self.pages.is_none())
            .finish()
    }
}
