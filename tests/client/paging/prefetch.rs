//! What is fetched in advance.

use std::time::Duration;

use eset_protect::ErrorKind;
use tonic::Code;

use crate::paging::server::{Server, tasks, until_tasks};
use crate::paging::{numbers, on_page, page};
use added_service::rpc::greeter::ListPeople;

#[tokio::test]
async fn nothing_is_fetched_before_the_first_page_is_asked_for() {
    let server = Server::start();
    let client = server.client().await;
    let pages = client.call::<ListPeople>(page("9:0", 1)).pages().prefetch(3);
    server.settle(&client).await;
    assert!(server.arrived().is_empty());
    drop(pages);
}

#[tokio::test]
async fn the_next_page_is_fetched_while_nobody_asks_for_it() {
    let server = Server::start();
    let mut pages = numbers(&server, 9, 1).await.pages();
    pages.next().await.unwrap().unwrap();
    // The consumer works on the first page; nothing polls.
    server.until_arrived(2).await;
    assert_eq!(server.arrived(), ["9:0", "9:1"]);
}

#[tokio::test]
async fn items_fetch_the_next_page_from_the_first_item_of_this_one() {
    let server = Server::start();
    let mut items = numbers(&server, 9, 3).await.items();
    items.next().await.unwrap().unwrap();
    server.until_arrived(2).await;
    assert_eq!(server.arrived(), ["9:0", "9:3"]);
}

#[tokio::test]
async fn never_more_than_asked_for_is_ahead() {
    for (asked_for, ahead) in [(0, 0), (1, 1), (2, 2), (5, 5), (usize::MAX, 16)] {
        let server = Server::start();
        let client = server.client().await;
        let mut pages = client.call::<ListPeople>(page("40:0", 1)).pages().prefetch(asked_for);
        for consumed in 1..=40 {
            pages.next().await.unwrap().unwrap();
            let expected = (consumed + ahead).min(40);
            server.until_arrived(expected).await;
            server.settle(&client).await;
            assert_eq!(server.arrived().len(), expected, "{asked_for} ahead, {consumed} consumed");
        }
        assert!(pages.next().await.is_none());
        // There is nothing after the last page, and nothing was fetched twice.
        server.settle(&client).await;
        assert_eq!(server.arrived(), (0..40).map(|n| format!("40:{n}")).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_list_of_one_page_is_one_call() {
    let server = Server::start();
    let client = server.client().await;
    for size in [1, 1000] {
        let mut pages = client.call::<ListPeople>(page("1:0", size)).pages().prefetch(16);
        pages.next().await.unwrap().unwrap();
        server.settle(&client).await;
        assert!(pages.next().await.is_none() && pages.next().await.is_none());
    }
    assert_eq!(server.arrived(), ["1:0", "1:0"]);
}

#[tokio::test]
async fn dropping_cancels_what_is_fetched_ahead() {
    let server = Server::start();
    let client = server.client().await;
    server.settle(&client).await;
    let before = tasks();

    server.hold("9:1");
    let mut pages = client.call::<ListPeople>(page("9:0", 1)).pages().prefetch(4);
    pages.next().await.unwrap().unwrap();
    server.until_arrived(2).await;
    assert!(tasks() > before);
    drop(pages);
    server.until(|log| log.cancelled == ["9:1"]).await;
    until_tasks(before).await;
    server.settle(&client).await;
    assert_eq!(server.arrived(), ["9:0", "9:1"]);
}

#[tokio::test]
async fn no_task_is_left_when_enough_is_ahead_or_the_list_has_ended() {
    let server = Server::start();
    let client = server.client().await;
    server.settle(&client).await;
    let before = tasks();

    // Dropped while the task waits for room.
    let mut items = client.call::<ListPeople>(page("9:0", 1)).items().prefetch(2);
    items.next().await.unwrap().unwrap();
    server.until_arrived(3).await;
    server.settle(&client).await;
    drop(items);
    until_tasks(before).await;

    // The last page has arrived and is not consumed: there is nothing left to do.
    let mut pages = client.call::<ListPeople>(page("3:0", 1)).pages().prefetch(2);
    pages.next().await.unwrap().unwrap();
    server.until_arrived(6).await;
    until_tasks(before).await;
    assert_eq!(on_page(&pages.next().await.unwrap().unwrap()), [1]);
    assert_eq!(on_page(&pages.next().await.unwrap().unwrap()), [2]);
    assert!(pages.next().await.is_none());
}

#[tokio::test]
async fn an_error_comes_behind_the_pages_that_were_fetched_before_it() {
    for ahead in [0, 1, 3, 8] {
        let server = Server::start();
        server.fail("9:4");
        let client = server.client().await;
        let mut pages = client.call::<ListPeople>(page("9:0", 1)).pages().prefetch(ahead);
        for number in 0..4 {
            assert_eq!(on_page(&pages.next().await.unwrap().unwrap()), [number]);
            server.until_arrived((number + 1 + ahead).min(5)).await;
        }
        let error = pages.next().await.unwrap().unwrap_err();
        assert!(error.is_failed_precondition(), "{error}");
        assert_eq!(pages.page_token(), Some("9:4"));
        assert!(pages.next().await.is_none());
        server.settle(&client).await;
        assert_eq!(server.arrived().len(), 5, "nothing is fetched behind an error");
    }
}

#[tokio::test]
async fn a_future_that_is_dropped_loses_nothing() {
    for ahead in [0, 2] {
        let server = Server::start();
        server.hold("*");
        let mut items = numbers(&server, 3, 1).await.items().prefetch(ahead);
        assert!(tokio::time::timeout(Duration::ZERO, items.next()).await.is_err());
        server.release("*");
        assert_eq!(items.next().await.unwrap().unwrap().name, "0");
        server.hold("3:1");
        server.hold("3:2");
        let waited = tokio::time::timeout(Duration::ZERO, items.next()).await;
        let early = waited.ok().map(|item| item.unwrap().unwrap().name);
        assert!(early.is_none() || early.as_deref() == Some("1"));
        server.release("3:1");
        server.release("3:2");
        let mut rest: Vec<_> = early.into_iter().collect();
        while let Some(item) = items.next().await {
            rest.push(item.unwrap().name);
        }
        assert_eq!(rest, ["1", "2"]);
        assert_eq!(server.arrived(), ["3:0", "3:1", "3:2"]);
    }
}

#[test]
fn a_list_that_is_cut_off_does_not_look_complete() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let server = Server::start();
    server.hold("9:1");
    let first = runtime();
    let mut pages = first.block_on(async {
        let mut pages = numbers(&server, 9, 1).await.pages();
        pages.next().await.unwrap().unwrap();
        server.until_arrived(2).await;
        pages
    });
    // Its tasks end with it.
    drop(first);
    runtime().block_on(async {
        let error = pages.next().await.unwrap().unwrap_err();
        assert_eq!((error.kind(), error.code()), (ErrorKind::Transport, Code::Cancelled));
        assert!(error.to_string().contains("ended before the list did"), "{error}");
        assert_eq!(pages.page_token(), Some("9:1"));
        assert!(pages.next().await.is_none());
    });
}
