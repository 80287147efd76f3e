//! Lists that come in pages (AIP-158).

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use tonic::{Code, Response};

use super::{CallOptions, execute};
use crate::Client;
use crate::error::{Error, ErrorKind};
use crate::rpc::PagedRpc;

/// How many items a page has if the request does not say. ESET's cloud gives no more (`facts.md` 1.1).
const PAGE_SIZE: u32 = 1000;

/// Goes over the pages of a list, one call a page. Each call has the options, and so the timeout, of
/// the whole.
///
/// A stream, or [`next`](Self::next) in a loop. After an error it ends; [`page_token`](Self::page_token)
/// then says where another can begin. A server that sends the same token twice in a row would never
/// end, so that is an error.
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
#[must_use = "pages are only fetched when they are asked for"]
pub struct Paginator<R: PagedRpc> {
    client: Client,
    options: CallOptions,
    request: R::Request,
    under_way: Option<PageFuture<R>>,
    done: bool,
}

type PageFuture<R> =
    Pin<Box<dyn Future<Output = Result<<R as crate::rpc::Rpc>::Response, Error>> + Send>>;

impl<R: PagedRpc> Paginator<R> {
    pub(super) fn new(client: Client, mut request: R::Request, options: CallOptions) -> Self {
        let size = R::page_size(&mut request);
        if *size == 0 {
            *size = PAGE_SIZE;
        }
        Self { client, options, request, under_way: None, done: false }
    }

    /// The next page; `None` behind the last.
    pub async fn next(&mut self) -> Option<Result<R::Response, Error>> {
        std::future::poll_fn(|cx| self.poll_page(cx)).await
    }

    /// The token of the page that comes next.
    pub fn page_token(&mut self) -> &str {
        R::page_token(&mut self.request)
    }

    fn poll_page(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<R::Response, Error>>> {
        if self.done {
            return Poll::Ready(None);
        }
        let future = self.under_way.get_or_insert_with(|| {
            let (client, request) = (self.client.clone(), self.request.clone());
            let options = self.options.clone();
            Box::pin(async move {
                execute::<R>(&client, &request, &options).await.map(Response::into_inner)
            })
        });
        let result = ready!(future.as_mut().poll(cx));
        self.under_way = None;
        let result = result.and_then(|page| self.advance(page));
        self.done |= result.is_err();
        Poll::Ready(Some(result))
    }

    /// Makes the request ask for the page behind this one.
    fn advance(&mut self, page: R::Response) -> Result<R::Response, Error> {
        let next = R::next_page_token(&page);
        let token = R::page_token(&mut self.request);
        if next.is_empty() {
            self.done = true;
        } else if next == *token {
            let message = "the service sent the same page token twice; the list would never end";
            return Err(
                Error::new(ErrorKind::Transport, Code::Internal, message).with_spec(R::SPEC)
            );
        }
        next.clone_into(token);
        Ok(page)
    }
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
            .field("request", &self.request)
            .field("done", &self.done)
            .finish_non_exhaustive()
    }
}

/// Goes over everything that is listed, page by page: a stream, or [`next`](Self::next) in a loop.
#[must_use = "items are only fetched when they are asked for"]
pub struct Items<R: PagedRpc> {
    pages: Paginator<R>,
    page: std::vec::IntoIter<R::Item>,
}

impl<R: PagedRpc> Items<R> {
    pub(super) fn new(pages: Paginator<R>) -> Self {
        Self { pages, page: Vec::new().into_iter() }
    }

    /// The next item; `None` behind the last.
    pub async fn next(&mut self) -> Option<Result<R::Item, Error>> {
        std::future::poll_fn(|cx| self.poll_item(cx)).await
    }

    fn poll_item(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<R::Item, Error>>> {
        loop {
            if let Some(item) = self.page.next() {
                return Poll::Ready(Some(Ok(item)));
            }
            match ready!(self.pages.poll_page(cx)) {
                Some(Ok(page)) => self.page = R::items(page).into_iter(),
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
        f.debug_struct("Items").field("pages", &self.pages).finish_non_exhaustive()
    }
}
