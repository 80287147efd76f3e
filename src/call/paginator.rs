//! Lists that come in pages (AIP-158).

mod ahead;
mod fetcher;
mod used_tokens;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use tokio::runtime::Handle;

use self::ahead::Ahead;
use self::fetcher::Fetcher;
use super::{CallContext, CallOptions};
use crate::error::Error;
use crate::rpc::{PagedRpc, Rpc};
use crate::timer::BoxFuture;

/// How many pages are fetched ahead if nobody says.
const PREFETCH: usize = 1;

/// No more pages are fetched ahead, whatever is asked for.
const MAX_PREFETCH: usize = 16;

/// A page, or why there is none.
type Fetched<R> = Result<<R as Rpc>::Response, Error>;

/// A fetcher that fetches, and comes back with what it has got.
type Fetching<R> = BoxFuture<'static, (Fetcher<R>, Option<Fetched<R>>)>;

/// Goes over the pages of a list, one call a page: a stream, or [`next`](Self::next) in a loop.
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
/// Each page is a call of its own with the options of the whole: the timeout is that of one page, and a
/// rate limit counts each of them. A request that names no page size asks for 1000 items, which is as
/// many as ESET's cloud gives ([facts](crate::facts#paging)).
///
/// # Fetching ahead
///
/// Nothing is fetched before the first page is asked for. When that is handed out, a background task
/// begins to fetch the next one while the caller works on this one, and so on: one page ahead, or as
/// [`prefetch`](Self::prefetch) says. So at most two pages are in memory, and who stops early has paid
/// for one call too many. The task ends with the last page, and is aborted when the paginator is
/// dropped, and its call with it.
///
/// # Errors
///
/// After an error the list ends, and [`page_token`](Self::page_token) says where another can go on. A page
/// that was fetched before the error is handed out before it. A service that sends a page token for the
/// second time would never come to an end: that is an error too, behind the page that came with it.
#[must_use = "pages are only fetched when they are asked for"]
pub struct Paginator<R: PagedRpc> {
    source: Source<R>,
    prefetch: usize,
    /// What asked for the page that was handed out last.
    current_token: String,
    /// What asks for the page that the caller gets next.
    next_token: Option<String>,
}

/// Where the next page comes from.
enum Source<R: PagedRpc> {
    /// From a call that runs while the paginator is polled.
    Here(Fetching<R>),
    /// From a background task.
    Ahead(Ahead<R>),
    Ended,
}

impl<R: PagedRpc> Paginator<R> {
    pub(super) fn new(
        context: Arc<CallContext>,
        mut request: R::Request,
        options: CallOptions,
    ) -> Self {
        let next_token = Some(R::page_token(&mut request).clone());
        let fetcher = Fetcher::new(context, request, options);
        Self {
            source: Source::Here(fetch(fetcher)),
            prefetch: PREFETCH,
            current_token: String::new(),
            next_token,
        }
    }

    /// Sets how many pages are fetched ahead, of the one that the caller has: 1 by default, 16 at most. With
    /// 0 every page is fetched when it is asked for, and there is no background task; so it is outside of a
    /// tokio runtime. Memory holds one page more than this. Set it before the first page is asked for.
    pub fn prefetch(mut self, pages: usize) -> Self {
        self.prefetch = pages.min(MAX_PREFETCH);
        self
    }

    /// The next page; `None` behind the last and behind an error. Dropping the future loses nothing: what it
    /// waited for comes next.
    pub async fn next(&mut self) -> Option<Result<R::Response, Error>> {
        std::future::poll_fn(|cx| self.poll_page(cx)).await
    }

    /// The token of the page that the caller gets next, whatever has been fetched ahead; `None` once the last
    /// page has been handed out. A request with it goes on exactly there, also after an error; only where the
    /// error is a page token that came twice does it begin what has been listed before.
    pub fn page_token(&self) -> Option<&str> {
        self.next_token.as_deref()
    }

    /// The token of the page that was handed out last.
    pub(super) fn current_token(&self) -> &str {
        &self.current_token
    }

    pub(super) fn poll_page(&mut self, cx: &mut Context<'_>) -> Poll<Option<Fetched<R>>> {
        let page = match &mut self.source {
            Source::Here(fetching) => {
                let (fetcher, page) = ready!(fetching.as_mut().poll(cx));
                self.source = self.source_behind(fetcher);
                page
            }
            Source::Ahead(ahead) => Some(ready!(ahead.poll_page(cx))),
            Source::Ended => None,
        };
        match &page {
            Some(Ok(page)) => self.advance(R::next_page_token(page)),
            Some(Err(_)) | None => self.source = Source::Ended,
        }
        Poll::Ready(page)
    }

    /// Where the pages behind the first come from.
    fn source_behind(&self, fetcher: Fetcher<R>) -> Source<R> {
        if fetcher.is_at_end() {
            return Source::Ended;
        }
        match Handle::try_current() {
            Ok(runtime) if self.prefetch > 0 => {
                Source::Ahead(Ahead::start(&runtime, fetcher, self.prefetch))
            }
            _ => Source::Here(fetch(fetcher)),
        }
    }

    fn advance(&mut self, next: &str) {
        let next = (!next.is_empty()).then(|| next.to_owned());
        if next.is_none() {
            self.source = Source::Ended;
        }
        let current = std::mem::replace(&mut self.next_token, next);
        self.current_token = current.unwrap_or_default();
    }
}

/// Nothing is sent before the future is polled.
fn fetch<R: PagedRpc>(mut fetcher: Fetcher<R>) -> Fetching<R> {
    Box::pin(async move {
        let page = fetcher.next().await;
        (fetcher, page)
    })
}

impl<R: PagedRpc> Stream for Paginator<R> {
    type Item = Result<R::Response, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_page(cx)
    }
}

impl<R: PagedRpc> fmt::Debug for Paginator<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Paginator")
            .field("rpc", &R::SPEC.path)
            .field("page_token", &self.next_token)
            .field("prefetch", &self.prefetch)
            .field("ended", &matches!(self.source, Source::Ended))
            .finish()
    }
}
