//! Many calls at once.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};

use std::time::Duration;

use added_service::proto::example::greeter::v1::{GreetRequest, Greeting};
use added_service::rpc::greeter::Greet;
use futures_core::Stream;

use crate::paging::server::{Server, tasks, until_tasks};

/// Greets a person by number; the greeting contains it.
pub fn greet(number: usize) -> GreetRequest {
    let greeting = Greeting { r#type: number.to_string(), ..Default::default() };
    GreetRequest { person: number.to_string(), greeting: Some(greeting) }
}

#[tokio::test]
async fn never_more_are_under_way_than_allowed() {
    for (asked_for, at_once) in [(0, 1), (1, 1), (7, 7), (usize::MAX, 100)] {
        let server = Server::start();
        let client = server.client().await;
        server.hold("*");
        let mut bulk = client.bulk::<Greet>((0..100).map(greet)).concurrency(asked_for);
        let mut next = Box::pin(bulk.next());
        tokio::select! {
            biased;
            _ = &mut next => panic!("everything is held"),
            () = async {
                server.until_arrived(at_once).await;
                server.settle(&client).await;
            } => {}
        }
        assert_eq!(server.log().at_once, at_once);
        server.release("*");
        assert!(next.await.is_some());
        assert_eq!(bulk.collect().await.len(), 99);
        assert_eq!(server.log().most_at_once, at_once);
        assert_eq!(server.arrived().len(), 100);
    }
}

#[tokio::test]
async fn sixteen_are_under_way_by_default() {
    let server = Server::start();
    let client = server.client().await;
    server.hold("*");
    let collecting = tokio::spawn(client.bulk::<Greet>((0..100).map(greet)).collect());
    server.until_arrived(16).await;
    server.settle(&client).await;
    assert_eq!(server.log().at_once, 16);
    server.release("*");
    collecting.await.unwrap();
    assert_eq!(server.log().most_at_once, 16);
}

#[tokio::test]
async fn responses_come_as_they_are_ready_and_are_collected_in_order() {
    let server = Server::start();
    let client = server.client().await;
    server.hold("0");
    let mut bulk = client.bulk::<Greet>((0..6).map(greet)).concurrency(2);
    let mut order = Vec::new();
    for _ in 0..5 {
        order.push(bulk.next().await.unwrap().index);
    }
    assert_eq!(order, [1, 2, 3, 4, 5], "one at a time beside the one that is held");
    server.release("0");
    assert_eq!(bulk.next().await.unwrap().index, 0);
    assert!(bulk.next().await.is_none() && bulk.next().await.is_none());

    server.hold("0");
    let collecting =
        tokio::spawn(client.bulk::<Greet>((0..50).map(greet)).concurrency(3).collect());
    server.until(|log| log.arrived.iter().any(|name| name == "49")).await;
    server.release("0");
    for (number, response) in collecting.await.unwrap().into_iter().enumerate() {
        assert_eq!((response.index, response.request), (number, greet(number)));
        assert_eq!(Some(response.result.unwrap()), greet(number).greeting);
    }
}

#[tokio::test]
async fn a_failure_stops_nothing_and_comes_with_its_request() {
    let server = Server::start();
    let client = server.client().await;
    for number in ["0", "7", "19"] {
        server.fail(number);
    }
    let (mut failed, mut succeeded) = (Vec::new(), Vec::new());
    for response in client.bulk::<Greet>((0..20).map(greet)).concurrency(4).collect().await {
        match response.result {
            Ok(_) => succeeded.push(response.index),
            Err(error) => {
                assert_eq!(error.message(), format!("no {}", response.index));
                failed.push(response.request);
            }
        }
    }
    assert_eq!(failed, [greet(0), greet(7), greet(19)]);
    assert_eq!(succeeded.len(), 17);

    // Exactly the failed requests are sent again.
    server.mend();
    let again = client.bulk::<Greet>(failed).collect().await;
    assert!(again.iter().all(|response| response.result.is_ok()));
    assert_eq!(server.arrived()[20..], ["0", "7", "19"]);
}

#[tokio::test]
async fn ten_thousand_calls_are_never_all_in_memory() {
    let server = Server::start();
    let pulled = AtomicUsize::new(0);
    let requests = (0..10_000).map(|number| {
        pulled.fetch_add(1, Ordering::Relaxed);
        greet(number)
    });
    let mut bulk = server.client().await.bulk::<Greet>(requests).concurrency(32);
    let mut seen = vec![false; 10_000];
    let mut count = 0;
    while let Some(response) = bulk.next().await {
        response.result.unwrap();
        count += 1;
        assert!(!std::mem::replace(&mut seen[response.index], true));
        // A call owns the request that was taken for it.
        let held = pulled.load(Ordering::Relaxed) - count;
        assert!(held < 32, "{held} are held");
    }
    assert_eq!(count, 10_000);
    assert!(server.log().most_at_once <= 32);
}

#[tokio::test]
async fn an_endless_iterator_can_be_stopped_without_losing_a_request() {
    let server = Server::start();
    let mut bulk = server.client().await.bulk::<Greet>((0..).map(greet)).concurrency(5);
    let mut responses = Vec::new();
    for _ in 0..50 {
        responses.push(bulk.next().await.unwrap().index);
    }
    let mut left = bulk.stop();
    assert_eq!(left.next(), Some(greet(54)), "what is under way and no more has been taken");
    // Current calls are finished, not cancelled.
    while let Some(response) = bulk.next().await {
        response.result.unwrap();
        responses.push(response.index);
    }
    responses.sort_unstable();
    assert_eq!(responses, (0..54).collect::<Vec<_>>());
    assert!(server.log().cancelled.is_empty());
}

#[tokio::test]
async fn dropping_cancels_what_is_under_way() {
    let server = Server::start();
    let client = server.client().await;
    server.settle(&client).await;
    let before = tasks();
    server.hold("*");
    let mut bulk = client.bulk::<Greet>((0..).map(greet)).concurrency(3);
    {
        let mut next = Box::pin(bulk.next());
        tokio::select! {
            biased;
            _ = &mut next => panic!("everything is held"),
            () = server.until_arrived(3) => {}
        }
    }
    drop(bulk);
    server.until(|log| log.cancelled.len() == 3).await;
    until_tasks(before).await;
    assert_eq!(server.arrived().len(), 3);
}

#[tokio::test]
async fn nothing_is_sent_before_a_response_is_asked_for() {
    let server = Server::start();
    let client = server.client().await;
    let bulk = client.bulk::<Greet>((0..9).map(greet));
    server.settle(&client).await;
    assert!(server.arrived().is_empty());
    drop(bulk);
    assert!(client.bulk::<Greet>(Vec::<GreetRequest>::new()).next().await.is_none());
}

#[tokio::test]
async fn requests_may_borrow() {
    let server = Server::start();
    let people = [greet(0), greet(1), greet(2)];
    let responses = server.client().await.bulk::<Greet>(people.iter().cloned()).collect().await;
    for (person, response) in people.iter().zip(responses) {
        assert_eq!(&response.request, person);
    }
}

#[tokio::test]
async fn it_is_a_stream() {
    let server = Server::start();
    let mut bulk = server.client().await.bulk::<Greet>((0..3).map(greet)).concurrency(1);
    let mut order = Vec::new();
    while let Some(response) = std::future::poll_fn(|cx| Pin::new(&mut bulk).poll_next(cx)).await {
        order.push(response.index);
    }
    assert_eq!(order, [0, 1, 2]);
}

/// Over HTTP/2 all calls share a connection; unread responses must not fill it up.
#[tokio::test]
async fn answers_that_wait_to_be_read_do_not_hold_up_other_calls() {
    let server = Server::start();
    let client = server.client().await;
    let long = || {
        let greeting = Greeting { r#type: "x".repeat(1024 * 1024), ..Default::default() };
        GreetRequest { greeting: Some(greeting), ..Default::default() }
    };
    let mut bulk = client.bulk::<Greet>((0..16).map(|_| long()));
    bulk.next().await.unwrap().result.unwrap();
    for _ in 0..3 {
        let call = client.call::<Greet>(long()).timeout(Duration::from_secs(10));
        call.await.expect("a response beside those of the bulk");
    }
    assert_eq!(bulk.collect().await.len(), 15);
}
