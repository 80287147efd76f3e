//! Lists item by item.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use futures_util::StreamExt;

use super::Paginator;
use crate::error::Error;
use crate::rpc::PagedRpc;

/// Returns all items of a list, page by page. Use it as a stream, or with [`next`](Self::next) in a loop.
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
/// Pages are fetched as by [`Paginator`]: one call per page, the next page in advance, and the end after an
/// error, which comes after all items that were fetched before it.
#[must_use = "items are fetched only when they are requested"]
pub struct Items<R: PagedRpc> {
    pages: Paginator<R>,
    page: std::vec::IntoIter<R::Item>,
    /// The number of items of the page that were returned.
    offset: usize,
}

impl<R: PagedRpc> Items<R> {
    pub(super) fn new(pages: Paginator<R>) -> Self {
        Self { pages, page: Vec::new().into_iter(), offset: 0 }
    }

    /// Sets how many pages are fetched in advance; see [`Paginator::prefetch`].
    pub fn prefetch(mut self, pages: usize) -> Self {
        self.pages = self.pages.prefetch(pages);
        self
    }

    /// Returns the next item; `None` after the last item or an error. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Result<R::Item, Error>> {
        StreamExt::next(self).await
    }

    /// Returns the token of the page that contains the next item; `None` after the last item. A request with
    /// this token starts with that page, of which [`page_offset`](Self::page_offset) items have already been
    /// returned. After an error the offset is 0, so nothing is repeated.
    pub fn page_token(&self) -> Option<&str> {
        if self.page.len() > 0 { Some(self.pages.current_token()) } else { self.pages.page_token() }
    }

    /// Returns how many items of the current page have already been returned. When you resume from
    /// [`page_token`](Self::page_token), you can skip that many items, provided that the list has not
    /// changed.
    pub fn page_offset(&self) -> usize {
        if self.page.len() > 0 { self.offset } else { 0 }
    }
}

impl<R: PagedRpc> Stream for Items<R> {
    type Item = Result<R::Item, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(item) = self.page.next() {
                self.offset += 1;
                return Poll::Ready(Some(Ok(item)));
            }
            match ready!(self.pages.poll_next_unpin(cx)) {
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

impl<R: PagedRpc> fmt::Debug for Items<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items")
            .field("pages", &self.pages)
            .field("page_offset", &self.page_offset())
            .finish_non_exhaustive()
    }
}
