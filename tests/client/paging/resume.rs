//! Resuming a list after it was left anywhere: nothing is lost and nothing is repeated.

use added_service::rpc::greeter::ListPeople;
use eset_protect::{Client, Items, Paginator};
use proptest::prelude::*;
use tokio::runtime::Runtime;

use crate::paging::server::Server;
use crate::paging::{on_page, page};

struct Fixture {
    server: Server,
    client: Client,
    runtime: Runtime,
}

impl Fixture {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let (server, runtime) = (Server::start(), runtime.expect("a runtime"));
        let client = runtime.block_on(server.client());
        Self { server, client, runtime }
    }

    fn pages(&self, token: &str, size: u32, ahead: usize) -> Paginator<ListPeople> {
        self.client.call(page(token, size)).pages().prefetch(ahead)
    }

    fn items(&self, token: &str, size: u32, ahead: usize) -> Items<ListPeople> {
        self.client.call(page(token, size)).items().prefetch(ahead)
    }
}

/// Takes up to this number of pages; returns the error if one comes first.
async fn take_pages(
    pages: &mut Paginator<ListPeople>,
    most: usize,
    numbers: &mut Vec<usize>,
) -> Option<eset_protect::Error> {
    for _ in 0..most {
        match pages.next().await? {
            Ok(page) => numbers.extend(on_page(&page)),
            Err(error) => return Some(error),
        }
    }
    None
}

async fn take_items(
    items: &mut Items<ListPeople>,
    most: usize,
    numbers: &mut Vec<usize>,
) -> Option<eset_protect::Error> {
    for _ in 0..most {
        match items.next().await? {
            Ok(person) => numbers.push(person.name.parse().expect("a number")),
            Err(error) => return Some(error),
        }
    }
    None
}

#[test]
fn pages_go_on_from_any_place() {
    let fixture = Fixture::new();
    proptest!(|(
        total in 0_usize..40, size in 1_u32..12, ahead in 0_usize..5,
        again_size in 1_u32..12, again in 0_usize..3, stop in 0_usize..42,
    )| {
        fixture.runtime.block_on(async {
            let mut numbers = Vec::new();
            let mut pages = fixture.pages(&format!("{total}:0"), size, ahead);
            assert!(take_pages(&mut pages, stop, &mut numbers).await.is_none());
            let is_over = stop > 0 && numbers.len() == total;
            assert_eq!(pages.page_token().is_none(), is_over);
            if let Some(token) = pages.page_token() {
                let mut rest = fixture.pages(token, again_size, again);
                assert!(take_pages(&mut rest, usize::MAX, &mut numbers).await.is_none());
            }
            assert_eq!(numbers, (0..total).collect::<Vec<_>>());
        });
    });
}

#[test]
fn items_go_on_from_any_place() {
    let fixture = Fixture::new();
    proptest!(|(
        total in 0_usize..40, size in 1_u32..12, ahead in 0_usize..5,
        again in 0_usize..3, stop in 0_usize..42,
    )| {
        fixture.runtime.block_on(async {
            let mut numbers = Vec::new();
            let mut items = fixture.items(&format!("{total}:0"), size, ahead);
            assert!(take_items(&mut items, stop, &mut numbers).await.is_none());
            let (taken, offset) = (numbers.len(), items.page_offset());
            assert_eq!(taken, stop.min(total));
            if let Some(token) = items.page_token() {
                let mut rest = fixture.items(token, size, again);
                let mut others = Vec::new();
                assert!(take_items(&mut rest, usize::MAX, &mut others).await.is_none());
                // Only the part of the page that was already returned is repeated.
                assert!(offset < size as usize);
                assert_eq!(others[..offset], numbers[taken - offset..]);
                numbers.extend(&others[offset..]);
            } else {
                assert_eq!(offset, 0);
            }
            assert_eq!(numbers, (0..total).collect::<Vec<_>>());
        });
    });
}

#[test]
fn lists_go_on_behind_an_error_on_any_page() {
    let fixture = Fixture::new();
    proptest!(|(
        total in 1_usize..40, size in 1_u32..12, ahead in 0_usize..5, broken in any::<prop::sample::Index>(),
        by_item in any::<bool>(),
    )| {
        fixture.runtime.block_on(async {
            let broken = broken.index(total.div_ceil(size as usize)) * size as usize;
            let token = format!("{total}:{broken}");
            fixture.server.fail(&token);
            let mut numbers = Vec::new();
            let first = format!("{total}:0");
            let (error, again, offset) = if by_item {
                let mut items = fixture.items(&first, size, ahead);
                let error = take_items(&mut items, usize::MAX, &mut numbers).await;
                assert!(items.next().await.is_none());
                (error, items.page_token().map(str::to_owned), items.page_offset())
            } else {
                let mut pages = fixture.pages(&first, size, ahead);
                let error = take_pages(&mut pages, usize::MAX, &mut numbers).await;
                assert!(pages.next().await.is_none());
                (error, pages.page_token().map(str::to_owned), 0)
            };
            fixture.server.mend();
            assert!(error.expect("an error").is_failed_precondition());
            assert_eq!(numbers, (0..broken).collect::<Vec<_>>());
            assert_eq!((again.as_ref(), offset), (Some(&token), 0));
            let mut rest = fixture.items(&token, size, ahead);
            assert!(take_items(&mut rest, usize::MAX, &mut numbers).await.is_none());
            assert_eq!(numbers, (0..total).collect::<Vec<_>>());
        });
    });
}

#[tokio::test]
async fn the_token_is_that_of_the_consumer_and_not_of_what_is_ahead() {
    let server = Server::start();
    let client = server.client().await;
    let mut items = client.call::<ListPeople>(page("9:0", 2)).items().prefetch(3);
    assert_eq!((items.page_token(), items.page_offset()), (Some("9:0"), 0));
    items.next().await.unwrap().unwrap();
    server.until_arrived(4).await;
    server.settle(&client).await;
    assert_eq!((items.page_token(), items.page_offset()), (Some("9:0"), 1));
    items.next().await.unwrap().unwrap();
    assert_eq!((items.page_token(), items.page_offset()), (Some("9:2"), 0));
    items.next().await.unwrap().unwrap();
    assert_eq!((items.page_token(), items.page_offset()), (Some("9:2"), 1));

    let mut pages = client.call::<ListPeople>(page("9:0", 2)).pages().prefetch(3);
    assert_eq!(pages.page_token(), Some("9:0"));
    pages.next().await.unwrap().unwrap();
    server.until_arrived(8).await;
    assert_eq!(pages.page_token(), Some("9:2"));
}
