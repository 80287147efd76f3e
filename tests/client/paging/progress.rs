//! The data for a progress bar.

use added_service::rpc::greeter::{Greet, ListPeople};
use eset_protect::ProgressCounts;

use crate::paging::bulk::greet;
use crate::paging::page;
use crate::paging::server::Server;

fn shown(counts: ProgressCounts) -> (usize, usize, usize, Option<usize>) {
    (counts.started, counts.succeeded, counts.failed, counts.total)
}

#[tokio::test]
async fn calls_are_counted_as_their_responses_are_handed_out() {
    let server = Server::start();
    server.fail("1");
    let mut bulk =
        server.client().await.bulk::<Greet>((0..4).map(greet).collect::<Vec<_>>()).concurrency(1);
    let progress = bulk.progress();
    assert_eq!(shown(progress.counts()), (0, 0, 0, Some(4)));
    for expected in [(1, 1, 0), (2, 1, 1), (3, 2, 1), (4, 3, 1)] {
        assert!(!progress.counts().is_complete());
        bulk.next().await.unwrap();
        let (started, succeeded, failed) = expected;
        assert_eq!(shown(progress.counts()), (started, succeeded, failed, Some(4)));
        assert_eq!(progress.counts().finished(), started);
    }
    assert!(bulk.next().await.is_none());
    drop(bulk);
    assert!(progress.counts().is_complete());
    assert_eq!(progress.counts().under_way(), 0);
}

#[tokio::test]
async fn it_can_be_asked_from_another_task_while_calls_are_under_way() {
    let server = Server::start();
    server.hold("*");
    let bulk = server.client().await.bulk::<Greet>((0..5).map(greet)).concurrency(3);
    let progress = bulk.progress();
    let collecting = tokio::spawn(bulk.collect());
    server.until_arrived(3).await;
    assert_eq!(shown(progress.counts()), (3, 0, 0, Some(5)));
    assert_eq!(progress.counts().under_way(), 3);
    server.release("*");
    assert_eq!(collecting.await.unwrap().len(), 5);
    assert_eq!(shown(progress.counts()), (5, 5, 0, Some(5)));
}

#[tokio::test]
async fn a_total_that_nobody_knows_is_known_at_the_end() {
    let server = Server::start();
    let even = (0..10).filter(|number| number % 2 == 0).map(greet);
    let mut bulk = server.client().await.bulk::<Greet>(even).concurrency(2);
    let progress = bulk.progress();
    assert_eq!(progress.counts().total, None);
    bulk.next().await.unwrap();
    assert_eq!(progress.counts().total, None);
    while bulk.next().await.is_some() {}
    assert_eq!(shown(progress.counts()), (5, 5, 0, Some(5)));
    assert!(progress.counts().is_complete());
}

#[tokio::test]
async fn what_was_stopped_has_a_smaller_total() {
    let server = Server::start();
    let mut bulk = server.client().await.bulk::<Greet>((0..10).map(greet)).concurrency(2);
    let progress = bulk.progress();
    bulk.next().await.unwrap();
    assert_eq!(bulk.stop().count(), 8);
    assert_eq!(shown(progress.counts()), (2, 1, 0, Some(2)));
    assert!(bulk.next().await.is_some() && bulk.next().await.is_none());
    assert!(progress.counts().is_complete());
    // Repeating it changes nothing.
    assert_eq!(bulk.stop().count(), 0);
    assert_eq!(shown(progress.counts()), (2, 2, 0, Some(2)));
}

#[tokio::test]
async fn of_lists_it_counts_lists() {
    let server = Server::start();
    server.fail("4:2");
    let lists = [page("3:0", 1), page("4:0", 1), page("0:0", 1)];
    let mut items = server.client().await.bulk_items::<ListPeople>(lists).concurrency(1);
    let progress = items.progress();
    let mut seen = Vec::new();
    while let Some(item) = items.next().await {
        seen.push((item.index, shown(progress.counts())));
    }
    assert_eq!(
        seen,
        [
            (0, (1, 0, 0, Some(3))),
            (0, (1, 0, 0, Some(3))),
            (0, (1, 0, 0, Some(3))),
            (1, (2, 1, 0, Some(3))),
            (1, (2, 1, 0, Some(3))),
            (1, (2, 1, 1, Some(3))),
        ]
    );
    assert_eq!(shown(progress.counts()), (3, 2, 1, Some(3)));
}
