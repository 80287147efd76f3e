//! How a call runs: its deadline, its attempts, its error, its end.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use eset_protect::auth::BoxFuture;
use eset_protect::automation::v1::ListTasksRequest;
use eset_protect::emulator::Fault;
use eset_protect::serve::Bridge;
use eset_protect::transport::{Reply, Request as Attempt, Transport};
use eset_protect::{Client, Error, RetryPolicy, Wire};
use http::{HeaderValue, Request, StatusCode};
use tokio::sync::oneshot;
use tonic::Code;

use crate::fronts::grpc_web;
use crate::support::driven_timer::DrivenTimer;
use crate::{Fixture, WIRES, builder, client, emulator, send};

#[tokio::test]
async fn a_deadline_reaches_the_upstream_and_is_told_as_such() {
    for upstream in WIRES {
        let fixture = Fixture::start(upstream).await;
        let (fault, _hold) = Fault::hold();
        fixture.emulator.faults().push_for("ListTasks", fault.clone());
        fixture.emulator.faults().push_for("ListTasks", fault);
        let endpoint = fixture.bridge.endpoint();
        // tonic's client has a timer of its own, and says CANCELLED first.
        let mut request = grpc_web(&endpoint, &ListTasksRequest::default());
        request.headers_mut().insert("grpc-timeout", HeaderValue::from_static("200m"));
        let response = send(request).await;
        assert_eq!(response.headers()["grpc-status"], "4", "{response:?}");
        let request =
            Request::get(format!("{endpoint}/v1/device_tasks")).header("grpc-timeout", "200m");
        let response = send(request.body(Bytes::new()).unwrap()).await;
        assert_eq!(response.status(), StatusCode::GATEWAY_TIMEOUT);
        if upstream == Wire::Grpc {
            for arrival in fixture.emulator.log() {
                let left = arrival.headers["grpc-timeout"].to_str().unwrap();
                let milliseconds: u64 = left.strip_suffix('m').unwrap().parse().unwrap();
                assert!(milliseconds <= 200, "{left}");
            }
        }
    }
}

#[tokio::test]
async fn an_upstream_must_begin_its_response_in_time() {
    for upstream in WIRES {
        let emulator = emulator().await;
        let (fault, mut hold) = Fault::hold();
        emulator.faults().push(fault);
        let timer = DrivenTimer::new();
        let client = builder(&emulator.endpoint(), upstream)
            .timer(timer.clone())
            .first_byte_timeout(Duration::from_secs(20))
            .retry(RetryPolicy::none());
        let bridge = Bridge::to(client.connect_lazy().unwrap()).start().await.unwrap();
        let client = crate::client(&bridge.endpoint(), Wire::Grpc);
        let tasks = client.device_tasks();
        let silence = async {
            hold.arrived(1).await;
            timer.run_out();
        };
        let call = tasks.list_tasks(ListTasksRequest::default()).into_future();
        let error = tokio::join!(call, silence).0.unwrap_err();
        assert_eq!(timer.elapsed(), Duration::from_secs(20));
        assert_eq!(error.code(), Code::DeadlineExceeded, "{error}");
        assert!(error.message().ends_with("no byte of a response within 20s"), "{error}");
    }
}

#[tokio::test]
async fn attempts_do_not_multiply() {
    for (front, upstream) in WIRES.into_iter().flat_map(|front| WIRES.map(|wire| (front, wire))) {
        let mut attempts = Vec::new();
        for through_bridge in [false, true] {
            let fixture = Fixture::start(upstream).await;
            for _ in 0..100 {
                fixture
                    .emulator
                    .faults()
                    .push_for("ListTasks", Fault::status(Code::Unavailable, "down", Vec::new()));
            }
            let client = match through_bridge {
                false => client(&fixture.emulator.endpoint(), upstream),
                true => client(&fixture.bridge.endpoint(), front),
            };
            let error = client.device_tasks().list_tasks(ListTasksRequest::default()).await;
            assert_eq!(error.unwrap_err().code(), Code::Unavailable);
            attempts.push(fixture.emulator.log().len());
        }
        assert_eq!(attempts, [5, 5], "{front:?} to {upstream:?}");
    }
}

#[tokio::test]
async fn an_inferred_code_is_marked() {
    let fixture = Fixture::start(Wire::Rest).await;
    let page = || Fault::http(StatusCode::FORBIDDEN, "text/html", "<h1>Firewall</h1>");
    for front in WIRES {
        fixture.emulator.faults().push(page());
        let client = client(&fixture.bridge.endpoint(), front);
        let error = client.device_tasks().list_tasks(ListTasksRequest::default()).await;
        let error = error.unwrap_err();
        assert_eq!(error.code(), Code::PermissionDenied, "{error}");
        let mark = error.metadata().get("eset-protect-code-inferred-from");
        assert_eq!(mark.map(|mark| mark.to_str().unwrap()), Some("403"), "{front:?}");
    }
    let client = client(&fixture.bridge.endpoint(), Wire::Grpc);
    let error = client.device_tasks().get_task("0b7f0000-0000-4000-8000-000000000000").await;
    let error = error.unwrap_err();
    assert_eq!(error.code(), Code::NotFound, "{error}");
}

/// An upstream that never answers, and tells of each call that it was given up.
#[derive(Debug)]
pub(super) struct Silent(pub(super) Mutex<Vec<(oneshot::Sender<()>, oneshot::Sender<()>)>>);

impl Transport for Silent {
    fn send<'a>(&'a self, _request: Attempt<'a>) -> BoxFuture<'a, Result<Reply, Error>> {
        let (arrived, dropped) = self.0.lock().unwrap().pop().expect("a call");
        Box::pin(async move {
            let _dropped = dropped;
            arrived.send(()).unwrap();
            std::future::pending().await
        })
    }
}

#[tokio::test]
async fn a_cancelled_call_is_cancelled_upstream() {
    for front in WIRES {
        let (arrived, mut has_arrived) = oneshot::channel();
        let (dropped, is_dropped) = oneshot::channel();
        let silent = Silent(Mutex::new(vec![(arrived, dropped)]));
        let upstream = Client::builder("http://silent").transport(silent).connect_lazy().unwrap();
        let bridge = Bridge::to(upstream).start().await.unwrap();
        let client = Arc::new(client(&bridge.endpoint(), front));
        let tasks = client.device_tasks();
        let call = tasks.list_tasks(ListTasksRequest::default()).timeout(Duration::from_secs(60));
        tokio::select! {
            _ = call.send() => panic!("the upstream never answers"),
            arrived = &mut has_arrived => arrived.unwrap(),
        }
        // The sender is dropped with the upstream call.
        assert!(is_dropped.await.is_err());
    }
}
