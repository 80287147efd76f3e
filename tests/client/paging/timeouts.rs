//! A timeout applies to a single call, however many there are.

use std::time::Duration;

use added_service::rpc::greeter::{Greet, ListPeople};
use eset_protect::{CallOptions, Client};

use crate::paging::bulk::greet;
use crate::paging::page;
use crate::paging::server::Server;
use crate::support::driven_timer::DrivenTimer;

const TIMEOUT: Duration = Duration::from_secs(7);

/// Returns how many calls had the whole time.
async fn with_all_time(server: &Server, calls: impl AsyncFnOnce(Client, CallOptions)) -> usize {
    let timer = DrivenTimer::still();
    let client = Client::builder(&server.endpoint()).timer(timer.clone()).connect().await.unwrap();
    calls(client, CallOptions::new().timeout(TIMEOUT)).await;
    let given = timer.limits();
    assert!(given.iter().all(|time| *time <= TIMEOUT), "{given:?}");
    given.iter().filter(|time| **time == TIMEOUT).count()
}

#[tokio::test]
async fn of_each_page() {
    let server = Server::start();
    for ahead in [0, 2] {
        let calls = with_all_time(&server, async |client, options| {
            let call = client.call::<ListPeople>(page("5:0", 1)).options(options);
            let mut pages = call.pages().prefetch(ahead);
            while let Some(page) = pages.next().await {
                page.unwrap();
            }
        });
        assert!(calls.await >= 5);
    }
}

#[tokio::test]
async fn of_each_call_of_many() {
    let server = Server::start();
    let calls = with_all_time(&server, async |client, options| {
        let bulk = client.bulk::<Greet>((0..5).map(greet)).options(options);
        assert_eq!(bulk.collect().await.len(), 5);
    });
    assert!(calls.await >= 5);
}

#[tokio::test]
async fn of_each_page_of_many_lists() {
    let server = Server::start();
    let calls = with_all_time(&server, async |client, options| {
        let lists = [page("3:0", 1), page("2:0", 1)];
        let mut items = client.bulk_items::<ListPeople>(lists).options(options);
        while let Some(item) = items.next().await {
            item.result.unwrap();
        }
    });
    assert!(calls.await >= 5);
}
