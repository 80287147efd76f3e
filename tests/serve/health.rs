//! Health checks of tenants: whom they tell, and what.

use std::time::Duration;

use bytes::Bytes;
use eset_protect::automation::v1::ListTasksRequest;
use eset_protect::emulator::Fault;
use eset_protect::serve::{Access, Bridge, Caller, Identity, Operations, TokenHash};
use eset_protect::{RetryPolicy, Wire};
use http::StatusCode;
use tokio::net::TcpListener;
use tokio::time::timeout;
use tonic::metadata::MetadataValue;
use tonic::transport::Channel;
use tonic::{Code, Request};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::support::scripted::frames::{Act, FrameServer, Last, code, grpc_head};
use crate::support::scripted::h2::{End, H2Server, Reply};
use crate::support::scripted::{Answer, Scripted, answer, head, ok, pending};
use crate::{builder, client, emulator, send};

/// Has the tenants `one` and `other`. Of each pair, the second is a caller, with its name as the token, that may use the
/// first.
fn access(upstream: &str, pairs: [(&str, &str); 2]) -> Access {
    let upstream = || builder(upstream, Wire::Rest).retry(RetryPolicy::none());
    let tenants = ["one", "other"].into_iter().fold(Access::new(), |access, name| {
        access.tenant(name, upstream().connect_lazy().unwrap())
    });
    pairs.into_iter().fold(tenants, |access, (tenant, name)| {
        let caller = Caller::new(name, Identity::Token(TokenHash::of(name))).tenant(tenant);
        access.caller(caller).unwrap()
    })
}

const OWN: [(&str, &str); 2] = [("one", "one"), ("other", "other")];

fn bridge(upstream: &str) -> Bridge {
    Bridge::new(access(upstream, OWN))
}

fn ask(service: &str, tokens: &[&str]) -> Request<HealthCheckRequest> {
    let mut request = Request::new(HealthCheckRequest { service: service.to_owned() });
    for token in tokens {
        let token = MetadataValue::try_from(format!("Bearer {token}")).unwrap();
        request.metadata_mut().append("authorization", token);
    }
    request
}

#[tokio::test]
async fn a_tenant_is_known_to_its_callers_alone() {
    use ServingStatus::{NotServing, ServiceUnknown, Serving};
    let emulator = emulator().await;
    let bridge = bridge(&emulator.endpoint()).start().await.unwrap();
    let channel = Channel::from_shared(bridge.endpoint()).unwrap().connect().await.unwrap();
    let health = HealthClient::new(channel);
    let check = async |service: &str, tokens: &[&str]| {
        let answer = health.clone().check(ask(service, tokens)).await;
        answer.map(|answer| answer.into_inner().status())
    };
    let watch = async |service: &str, tokens: &[&str]| {
        health.clone().watch(ask(service, tokens)).await.unwrap().into_inner()
    };
    let mut own = watch("tenants/one", &["one"]).await;
    // Before any call: a client that obeys health checks makes none otherwise.
    assert_eq!(own.message().await.unwrap().unwrap().status(), Serving);
    let strangers: [&[&str]; 5] = [&[], &["none"], &["other"], &["one", "one"], &["other", "one"]];
    let mut watches = Vec::new();
    for tokens in strangers {
        for service in ["tenants/one", "tenants/none"] {
            let mut watched = watch(service, tokens).await;
            assert_eq!(watched.message().await.unwrap().unwrap().status(), ServiceUnknown);
            watches.push(watched);
        }
    }
    let upstream = client(&bridge.endpoint(), Wire::Grpc);
    let list = async || {
        let call = upstream.device_tasks().list_tasks(ListTasksRequest::default());
        call.metadata("authorization", "Bearer one").await
    };

    list().await.unwrap();
    assert_eq!(check("tenants/one", &["one"]).await.unwrap(), Serving);
    emulator.shutdown().await;
    list().await.unwrap_err();
    assert_eq!(own.message().await.unwrap().unwrap().status(), NotServing);
    assert_eq!(check("tenants/one", &["one"]).await.unwrap(), NotServing);
    let unknown = check("none", &["one"]).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
    for (tokens, watches) in strangers.iter().zip(watches.chunks_mut(2)) {
        for (service, watched) in ["tenants/one", "tenants/none"].into_iter().zip(watches) {
            let told = check(service, tokens).await.unwrap_err();
            let expected = (unknown.code(), unknown.message());
            assert_eq!((told.code(), told.message()), expected, "{service} {tokens:?}");
            let told = timeout(Duration::ZERO, watched.message()).await;
            assert!(told.is_err(), "{service} {tokens:?}: {told:?}");
        }
        // What every probe asks.
        for service in ["", "eset.dotnod.automation.v1.DeviceTasks"] {
            assert_eq!(check(service, tokens).await.unwrap(), Serving);
        }
    }
}

#[tokio::test]
async fn a_tenant_that_is_down_is_tried_again_after_a_while() {
    use ServingStatus::{NotServing, Serving};
    let emulator = emulator().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap();
    let bridge = bridge(&emulator.endpoint()).operations(Operations::new(listener));
    let bridge = bridge.start().await.unwrap();
    let channel = Channel::from_shared(bridge.endpoint()).unwrap().connect().await.unwrap();
    let mut health = HealthClient::new(channel);
    let watch = health.watch(ask("tenants/one", &["one"])).await;
    let mut watch = watch.unwrap().into_inner();
    let mut next = async || watch.message().await.unwrap().unwrap().status();
    let mut is_up = async || {
        let check = health.check(ask("tenants/one", &["one"])).await.unwrap().into_inner();
        let ready = http::Request::get(format!("http://{port}/readyz?tenant=one"));
        let ready = send(ready.body(Bytes::new()).unwrap()).await.status();
        assert_eq!(ready == StatusCode::OK, check.status() == Serving, "{ready} {check:?}");
        check.status() == Serving
    };
    let client = client(&bridge.endpoint(), Wire::Grpc);
    let list = async |is_down: bool| {
        if is_down {
            emulator.faults().push_for("ListTasks", Fault::code(Code::Unavailable));
        }
        let call = client.device_tasks().list_tasks(ListTasksRequest::default());
        assert_eq!(call.metadata("authorization", "Bearer one").await.is_err(), is_down);
    };
    assert_eq!(next().await, Serving);
    assert!(is_up().await);
    for _ in 0..2 {
        list(true).await;
        assert_eq!(next().await, NotServing);
        assert!(!is_up().await);
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(30)).await;
        tokio::time::resume();
        assert_eq!(next().await, Serving);
        assert!(is_up().await);
    }
    list(true).await;
    assert_eq!(next().await, NotServing);
    list(false).await;
    assert_eq!(next().await, Serving);
    assert!(is_up().await);
}

#[tokio::test]
async fn a_watch_follows_the_permission_of_its_caller() {
    use ServingStatus::{ServiceUnknown, Serving};
    let emulator = emulator().await;
    let bridge = bridge(&emulator.endpoint());
    let handle = bridge.access_handle();
    let bridge = bridge.start().await.unwrap();
    let channel = Channel::from_shared(bridge.endpoint()).unwrap().connect().await.unwrap();
    let health = HealthClient::new(channel);
    let watch = async |token: &str| {
        let watch = health.clone().watch(ask("tenants/one", &[token])).await;
        watch.unwrap().into_inner()
    };
    let (mut before, mut after) = (watch("one").await, watch("other").await);
    assert_eq!(before.message().await.unwrap().unwrap().status(), Serving);
    assert_eq!(after.message().await.unwrap().unwrap().status(), ServiceUnknown);
    handle.replace(access(&emulator.endpoint(), [("other", "one"), ("one", "other")])).unwrap();
    // Its caller may have another token now.
    assert_eq!(before.message().await.unwrap_err().code(), Code::Unavailable);
    assert_eq!(after.message().await.unwrap().unwrap().status(), Serving);
    let mut again = watch("one").await;
    assert_eq!(again.message().await.unwrap().unwrap().status(), ServiceUnknown);
    // A watch goes on where nothing has changed for its caller.
    handle.replace(access(&emulator.endpoint(), [("other", "none"), ("one", "other")])).unwrap();
    let more = timeout(Duration::ZERO, after.message()).await;
    assert!(more.is_err(), "{more:?}");
}

/// Calls through a bridge to this upstream, and fails if the bridge thinks that the upstream is down.
async fn expect_up(upstream: &str, wire: Wire, about: &str) {
    let upstream = builder(upstream, wire).retry(RetryPolicy::none()).connect_lazy().unwrap();
    let bridge = Bridge::to(upstream).start().await.unwrap();
    let client = client(&bridge.endpoint(), Wire::Grpc);
    let error = client.device_tasks().list_tasks(ListTasksRequest::default()).await.unwrap_err();
    assert!(error.metadata().get("eset-protect-tenant").is_none(), "{about}: {error:?}");
    let channel = Channel::from_shared(bridge.endpoint()).unwrap().connect().await.unwrap();
    let check = HealthClient::new(channel).check(ask("tenants/default", &[])).await;
    assert_eq!(check.unwrap().into_inner().status(), ServingStatus::Serving, "{about}: {error}");
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_does_not_make_the_tenant_down() {
    let html = |status: &str| answer(status, &[("content-type", "text/html")], "<p>");
    let rest: [(&str, Answer); 8] = [
        ("cut JSON", ok("{\"tasks\":[")),
        ("a member twice", ok("{\"tasks\":[{\"uuid\":\"a\",\"uuid\":\"b\"}]}")),
        ("204", answer("204 No Content", &[], "")),
        ("202 without an id", pending("")),
        ("200 in HTML", html("200 OK")),
        ("401 in HTML", html("401 Unauthorized")),
        ("403 in HTML", html("403 Forbidden")),
        ("404 in HTML", html("404 Not Found")),
    ];
    for (about, script) in rest {
        let upstream = Scripted::start([script]).await;
        expect_up(&upstream.endpoint(), Wire::Rest, about).await;
    }
    let mut grpc: Vec<_> =
        [200, 401, 403, 404, 429].map(|status| Reply::plain(status, "text/html", "<p>")).into();
    // REFUSED_STREAM, INTERNAL_ERROR and CANCEL.
    grpc.extend([7, 2, 8].map(|code| Reply::grpc([], End::Reset(code))));
    grpc.push(Reply::grpc([], End::Stream));
    for script in grpc {
        let about = format!("{script:?}");
        let upstream = H2Server::start(move |_| script.clone()).await;
        expect_up(&upstream.endpoint(), Wire::Grpc, &about).await;
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_does_not_make_the_tenant_down() {
    let cut = |body: &str| [head("200 OK", &[], Some(90)), body.into()].concat();
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\n{\"tasks\":";
    for broken in [cut(""), cut("{\"tasks\":["), chunked.into()] {
        let about = String::from_utf8_lossy(&broken).into_owned();
        let upstream = Scripted::start([Answer::Close(broken)]).await;
        expect_up(&upstream.endpoint(), Wire::Rest, &about).await;
    }
    let (begun, data) = (grpc_head(), Act::Data(vec![0, 0, 0, 0, 9, 1]));
    for acts in [vec![begun.clone()], vec![begun, data]] {
        for end in [Act::Close, Act::Kill, Act::GoAway(Last::Before, code::NO_ERROR)] {
            let acts = [acts.clone(), vec![end, Act::Close]].concat();
            let upstream = FrameServer::start([], acts.clone()).await;
            expect_up(&upstream.endpoint(), Wire::Grpc, &format!("{acts:?}")).await;
        }
    }
}
