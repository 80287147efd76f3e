//! Where an upstream is concerns its operator, not the callers.

use std::time::Duration;

use bytes::Bytes;
use eset_protect::automation::v1::ListTasksRequest;
use eset_protect::serve::{Access, Bridge, Operations};
use eset_protect::{Client, Error, RetryPolicy, Wire};
use http::Request;
use tokio::net::TcpListener;
use tonic::Code;

use crate::support::scripted::{Answer, Scripted, answer};
use crate::{WIRES, builder, client, send};

/// Calls through a bridge to this upstream, and returns the error and what operators are told.
async fn failed(upstream: Client) -> (Error, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let ready = format!("http://{}/readyz", listener.local_addr().unwrap());
    let bridge = Bridge::new(Access::open(upstream)).operations(Operations::new(listener));
    let bridge = bridge.start().await.unwrap();
    let client = client(&bridge.endpoint(), Wire::Grpc);
    let error = client.device_tasks().list_tasks(ListTasksRequest::default()).await.unwrap_err();
    let ready = send(Request::get(ready).body(Bytes::new()).unwrap()).await;
    (error, String::from_utf8_lossy(ready.body()).into_owned())
}

#[tokio::test]
async fn callers_do_not_learn_where_an_upstream_is() {
    let place = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let unreached = "the upstream of the tenant \"default\" cannot be reached";
    for upstream in WIRES {
        let upstream = builder(&format!("http://{place}"), upstream);
        let (error, operators) = failed(upstream.connect_lazy().unwrap()).await;
        assert_eq!((error.code(), error.message()), (Code::Unavailable, unreached));
        assert!(operators.contains("Connection refused"), "{operators}");
    }
    let login = builder(&format!("http://{place}"), Wire::Rest).login("ada", "lovelace");
    let (error, operators) = failed(login.connect_lazy().unwrap()).await;
    assert!(error.message().ends_with(unreached), "{error}");
    assert!(operators.contains(&place.to_string()), "{operators}");
}

#[tokio::test]
async fn nor_do_they_learn_it_from_a_connection_that_breaks() {
    let broke = "the connection to the upstream of the tenant \"default\" broke";
    let closing = Scripted::start((0..9).map(|_| Answer::Close(Vec::new()))).await;
    let (error, operators) = failed(client(&closing.endpoint(), Wire::Rest)).await;
    assert_eq!((error.code(), error.message()), (Code::Unavailable, broke));
    let place = closing.endpoint().replace("http://", "");
    assert!(operators.contains(&place), "{operators}");

    let silent = Scripted::start([Answer::Close(Vec::new()), Answer::Hang(Vec::new())]).await;
    let upstream = builder(&silent.endpoint(), Wire::Rest)
        .retry(RetryPolicy::default().max_attempts(2))
        .first_byte_timeout(Duration::from_millis(500));
    let (error, _) = failed(upstream.connect_lazy().unwrap()).await;
    let expected = format!("no byte of a response within 500ms; before that, UNAVAILABLE: {broke}");
    assert_eq!((error.code(), error.message()), (Code::DeadlineExceeded, &*expected));
}

#[tokio::test]
async fn nor_from_the_page_of_a_proxy() {
    let page = "<h1>squid01 could not reach protect-db (10.2.3.4)</h1>";
    for (status, code) in
        [("502 Bad Gateway", Code::Unavailable), ("403 Forbidden", Code::PermissionDenied)]
    {
        let page = answer(status, &[("content-type", "text/html")], page);
        let upstream = Scripted::start((0..9).map(|_| page.clone())).await;
        let (error, operators) = failed(client(&upstream.endpoint(), Wire::Rest)).await;
        let expected = format!(
            "the upstream of the tenant \"default\" answered HTTP {status}, without an error of its API"
        );
        assert_eq!((error.code(), error.message()), (code, &*expected));
        assert_eq!(operators.contains("squid01"), code == Code::Unavailable, "{operators}");
    }
}

#[tokio::test]
async fn a_path_that_is_too_long_is_neither_repeated_nor_located() {
    let upstream = Scripted::start([]).await;
    let bridge = Bridge::to(client(&upstream.endpoint(), Wire::Rest)).start().await.unwrap();
    let client = client(&bridge.endpoint(), Wire::Grpc);
    for uuid in ["x".repeat(70_000), "é ".repeat(10_000)] {
        let error = client.device_tasks().get_task(uuid).await.unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument);
        assert!(error.message().contains("an address has at most"), "{error}");
        assert!(error.message().len() < 100, "{error}");
    }
    assert!(upstream.seen().is_empty());
}
