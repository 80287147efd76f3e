//! What is listed, one by one.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use super::Paginator;
use crate::error::Error;
use crate::rpc::PagedRpc;

/// Goes over everything that is listed, page by page: a stream, or [`next`](Self::next) in a loop.
///
/// ```no_run
/// # async fn run(client: eset_protect::Client) -> Result<(), eset_protect::Error> {
/// use eset_protect::automation::v1::ListTasksRequest;
///
/// let mut tasks = client.device_tasks().list_tasks(ListTasksRequest::default()).items();
/// while let Some(task) = tasks.next().await {
///     println!("{}", task?.display_name);
/// }
/// # Ok(())
/// # }
/// ```
///
/// Pages are fetched as a [`Paginator`] does it: one call a page, the next page while the items of this
/// one are used, and the end after an error, which comes behind all items that were fetched before it.
#[must_use = "items are only fetched when they are asked for"]
pub struct Items<R: PagedRpc> {
    pages: Paginator<R>,
    page: std::vec::IntoIter<R::Item>,
    /// How many items of the page have been handed out.
    offset: usize,
}

impl<R: PagedRpc> Items<R> {
    pub(super) fn new(pages: Paginator<R>) -> Self {
        Self { pages, page: Vec::new().into_iter(), offset: 0 }
    }

    /// Sets how many pages are fetched ahead; see [`Paginator::prefetch`].
    pub fn prefetch(mut self, pages: usize) -> Self {
        self.pages = self.pages.prefetch(pages);
        self
    }

    /// The next item; `None` behind the last and behind an error. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Result<R::Item, Error>> {
        std::future::poll_fn(|cx| self.poll_item(cx)).await
    }

    /// The token of the page with the next item; `None` once the last item has been handed out. A request
    /// with it begins with that page: [`page_offset`](Self::page_offset) items of it have been handed
    /// out already and come again. Behind an error that is none, so nothing comes twice.
    pub fn page_token(&self) -> Option<&str> {
        if self.page.len() > 0 { Some(self.pages.current_token()) } else { self.pages.page_token() }
    }

    /// How many items at the beginning of the page with the next item have been handed out. Who takes the
    /// list up again from [`page_token`](Self::page_token) can skip so many, if the list has not changed.
    pub fn page_offset(&self) -> usize {
        if self.page.len() > 0 { self.offset } else { 0 }
    }

    pub(super) fn poll_item(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<R::Item, Error>>> {
        loop {
            if let Some(item) = self.page.next() {
                self.offset += 1;
                return Poll::Ready(Some(Ok(item)));
            }
            match ready!(self.pages.poll_page(cx)) {
                Some(Ok(page)) => {
                    self.page = R::items(page).into_iter();
                    self.offset = 0;
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }
}

impl<R: PagedRpc> Stream for Items<R> {
    type Item = Result<R::Item, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_item(cx)
    }
}

impl<R: PagedRpc> fmt::Debug for Items<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items")
            .field("pages", &self.pages)
            .field("page_offset", &self.page_offset())
            .finish_non_exhaustive()
    }
}
