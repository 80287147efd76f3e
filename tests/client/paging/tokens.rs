//! Repeated page tokens.

use added_service::rpc::greeter::ListPeople;
use eset_protect::ErrorKind;

use crate::paging::server::Server;
use crate::paging::{on_page, page};

#[tokio::test]
async fn a_cycle_of_any_length_is_an_error_before_anything_comes_twice() {
    let server = Server::start();
    let client = server.client().await;
    let mut calls = 0;
    for (lead, cycle) in [(0, 1), (0, 2), (0, 5), (1, 1), (3, 2), (4, 5), (20, 30)] {
        for ahead in [0, 1, 4] {
            let first = page(format!("{lead}>{cycle}:0"), 10);
            let mut pages = client.call::<ListPeople>(first).pages().prefetch(ahead);
            // Every page once, including the one with the repeated token.
            for number in 0..lead + cycle {
                assert_eq!(on_page(&pages.next().await.unwrap().unwrap()), [number]);
            }
            let error = pages.next().await.unwrap().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Transport);
            assert_eq!(error.rpc().unwrap().method, "ListPeople");
            assert!(error.to_string().contains("same page token twice"), "{error}");
            assert!(pages.next().await.is_none());
            assert_eq!(pages.page_token(), Some(&*format!("{lead}>{cycle}:{lead}")));
            calls += lead + cycle;
            server.settle(&client).await;
            assert_eq!(server.arrived().len(), calls, "nobody asks for a page twice");
        }
    }
}

#[tokio::test]
async fn a_page_without_items_is_not_the_end() {
    let server = Server::start();
    for ahead in [0, 1, 2] {
        let call = server.client().await.call::<ListPeople>(page("gaps:9", 10));
        let mut items = call.items().prefetch(ahead);
        let mut names = Vec::new();
        while let Some(item) = items.next().await {
            names.push(item.unwrap().name);
        }
        assert_eq!(names, ["9", "7", "5", "3", "1"]);
        assert_eq!(items.page_token(), None);
    }
}
