//! Many lists at once.

use added_service::rpc::greeter::ListPeople;

use crate::paging::page;
use crate::paging::server::{Server, tasks, until_tasks};

#[tokio::test]
async fn all_items_of_all_lists_come_each_list_in_its_order() {
    let server = Server::start();
    let client = server.client().await;
    for (concurrency, prefetch) in [(0, 0), (1, 0), (3, 0), (3, 2), (100, 1)] {
        let lists = (0..20).map(|total| page(format!("{total}:0"), total % 5 + 1));
        let items = client.bulk_items::<ListPeople>(lists);
        let mut items = items.concurrency(concurrency).prefetch(prefetch);
        let mut seen = vec![Vec::new(); 20];
        while let Some(item) = items.next().await {
            seen[item.index].push(item.result.unwrap().name);
        }
        assert!(items.next().await.is_none());
        for (total, seen) in seen.into_iter().enumerate() {
            assert_eq!(seen, (0..total).map(|n| n.to_string()).collect::<Vec<_>>());
        }
    }
}

#[tokio::test]
async fn lists_take_turns() {
    let server = Server::start();
    let lists = [page("1000:0", 1000), page("50:0", 1000), page("50:0", 1000)];
    let mut items = server.client().await.bulk_items::<ListPeople>(lists);
    // Until all of them have their page.
    let mut begun = [false; 3];
    while begun.contains(&false) {
        begun[items.next().await.unwrap().index] = true;
    }
    let mut counts = [0; 3];
    for _ in 0..90 {
        counts[items.next().await.unwrap().index] += 1;
    }
    assert_eq!(counts, [30; 3]);
}

#[tokio::test]
async fn no_more_pages_are_held_than_allowed() {
    for prefetch in [0, 1, 3] {
        let server = Server::start();
        let client = server.client().await;
        let lists = (0..12).map(|_| page("8:0", 1));
        let items = client.bulk_items::<ListPeople>(lists);
        let mut items = items.concurrency(4).prefetch(prefetch);
        let mut consumed = 0;
        while let Some(item) = items.next().await {
            item.result.unwrap();
            consumed += 1;
            server.settle(&client).await;
            // A page contains one item and is consumed with it.
            let held = server.arrived().len() - consumed;
            assert!(held <= 4 * (1 + prefetch), "{held} pages are held with {prefetch} ahead");
        }
        assert_eq!((consumed, server.arrived().len()), (96, 96));
    }
}

#[tokio::test]
async fn a_slow_consumer_stops_the_fetching() {
    for prefetch in [0, 2] {
        let server = Server::start();
        let client = server.client().await;
        let lists = std::iter::repeat_with(|| page("1000:0", 1));
        let items = client.bulk_items::<ListPeople>(lists);
        let mut items = items.concurrency(4).prefetch(prefetch);
        for _ in 0..40 {
            items.next().await.unwrap().result.unwrap();
        }
        server.settle(&client).await;
        let arrived = server.arrived().len();
        for _ in 0..5 {
            server.settle(&client).await;
        }
        assert_eq!(server.arrived().len(), arrived);
    }
}

#[tokio::test]
async fn an_error_ends_its_list_only_and_says_how_to_go_on() {
    for prefetch in [0, 1, 3] {
        let server = Server::start();
        let client = server.client().await;
        server.fail("9:6");
        server.fail("7:0");
        let lists = [page("8:0", 3), page("9:0", 3), page("7:0", 3), page("2>2:0", 3)];
        let mut items = client.bulk_items::<ListPeople>(lists).prefetch(prefetch);
        let mut seen = [0; 4];
        let mut errors = Vec::new();
        while let Some(item) = items.next().await {
            match item.result {
                Ok(_) => seen[item.index] += 1,
                Err(error) => errors.push((item.index, error)),
            }
        }
        assert_eq!(seen, [8, 6, 0, 4]);
        errors.sort_by_key(|(index, _)| *index);
        assert_eq!(errors.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [1, 2, 3]);
        assert!(errors[0].1.error.is_failed_precondition());
        assert_eq!(errors[0].1.request, page("9:6", 3));
        assert_eq!(errors[1].1.request, page("7:0", 3));
        assert!(errors[2].1.to_string().contains("same page token twice"));

        server.mend();
        let rest = errors.into_iter().take(2).map(|(_, error)| error.request);
        let mut items = client.bulk_items::<ListPeople>(rest);
        let mut names = [Vec::new(), Vec::new()];
        while let Some(item) = items.next().await {
            names[item.index].push(item.result.unwrap().name);
        }
        assert_eq!(names[0], ["6", "7", "8"]);
        assert_eq!(names[1], ["0", "1", "2", "3", "4", "5", "6"]);
    }
}

#[tokio::test]
async fn dropping_cancels_every_list() {
    let server = Server::start();
    let client = server.client().await;
    server.settle(&client).await;
    let before = tasks();
    server.hold("9:1");
    let lists = std::iter::repeat_with(|| page("9:0", 1));
    let mut items = client.bulk_items::<ListPeople>(lists).concurrency(3).prefetch(1);
    for _ in 0..3 {
        items.next().await.unwrap().result.unwrap();
    }
    server.until(|log| log.arrived.iter().filter(|token| *token == "9:1").count() == 3).await;
    drop(items);
    server.until(|log| log.cancelled.len() == 3).await;
    until_tasks(before).await;
}

#[tokio::test]
async fn lists_can_be_stopped() {
    let server = Server::start();
    let lists = (0..10).map(|_| page("3:0", 1));
    let mut items = server.client().await.bulk_items::<ListPeople>(lists).concurrency(2);
    items.next().await.unwrap();
    assert_eq!(items.stop().count(), 8);
    let mut rest = 0;
    while let Some(item) = items.next().await {
        item.result.unwrap();
        rest += 1;
    }
    assert_eq!(rest, 5, "the lists under way come to their ends");
}
