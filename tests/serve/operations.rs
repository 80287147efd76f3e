//! Liveness, readiness and metrics.

use std::net::SocketAddr;
use std::sync::{Mutex, mpsc as std_mpsc};
use std::time::Duration;

use bytes::Bytes;
use eset_protect::auth::{AccessToken, BoxFuture, Credentials, StaticToken};
use eset_protect::automation::v1::{DeviceTask, ListTasksRequest};
use eset_protect::emulator::{Auth, Emulator, Fault};
use eset_protect::serve::{Access, Bridge, Caller, Identity, Operations, RunningBridge};
use eset_protect::{Client, Error, RetryPolicy, Wire};
use http::Request;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tonic::Code;
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::support::driven_timer::DrivenTimer;
use crate::support::scripted::frames::{Act, FrameServer, grpc_head};
use crate::support::scripted::{Answer, Scripted, head};
use crate::{WIRES, builder, client, emulator, send};

async fn get(port: SocketAddr, path: &str) -> (u16, String) {
    let request = Request::get(format!("http://{port}{path}")).body(Bytes::new()).unwrap();
    let response = send(request).await;
    (response.status().as_u16(), String::from_utf8(response.into_body().to_vec()).unwrap())
}

#[tokio::test]
async fn readiness_names_the_upstream_that_is_down() {
    let (up, down) = (emulator().await, emulator().await);
    let access = Access::new()
        .tenant("up", client(&up.endpoint(), Wire::Rest))
        .tenant("down", client(&down.endpoint(), Wire::Rest))
        .caller(Caller::new("all", Identity::Anyone).tenant("up").tenant("down"))
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap();
    let operations = Operations::new(listener).metrics(|| "some_metric 1\n".to_owned());
    let bridge = Bridge::new(access).operations(operations).start().await.unwrap();
    let get = async |path: &str| get(port, path).await;
    let client = client(&bridge.endpoint(), Wire::Grpc);
    let list = async |tenant: &str| {
        let call = client.device_tasks().list_tasks(ListTasksRequest::default());
        call.metadata("eset-protect-tenant", tenant).await
    };
    assert_eq!(get("/livez").await, (200, "live\n".to_owned()));
    assert_eq!(get("/metrics").await, (200, "some_metric 1\n".to_owned()));
    assert_eq!(get("/").await.0, 404);
    let host = down.endpoint().strip_prefix("http://").unwrap().to_owned();
    down.shutdown().await;
    list("up").await.unwrap();
    let error = list("down").await.unwrap_err();
    assert!(!error.message().contains(&host), "{error}");
    assert_eq!(error.metadata().get("eset-protect-tenant").unwrap(), "down");

    let (status, body) = get("/readyz").await;
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &body["ready"], &body["tenants"]), (200, &true.into(), &2.into()));
    let reported = body["upstreams_down"].as_object().unwrap();
    assert_eq!(reported.keys().collect::<Vec<_>>(), ["down"]);
    assert!(reported["down"]["error"].as_str().unwrap().contains(&host), "{body}");
    assert_eq!(get("/readyz?tenant=up").await.0, 200);
    assert_eq!(get("/readyz?tenant=down").await.0, 503);
    assert_eq!(get("/readyz?tenant=none").await.0, 404);
    assert_eq!(get("/readyz?").await.0, 200);
    assert_eq!(get("/readyz?x=1&tenant=down").await.0, 503);
    assert_eq!(get("/readyz?tenant=d%6Fwn").await.0, 503);
    for (path, expected) in [
        ("/readyz?other=down", "expected ?tenant=NAME or no query\n"),
        ("/readyz?tenant=up&tenant=down", "expected ?tenant=NAME once\n"),
    ] {
        assert_eq!(get(path).await, (400, expected.to_owned()), "{path}");
    }
    assert_eq!(get("/readyz?tenant=%zz").await.0, 400);
    let channel = Channel::from_shared(bridge.endpoint()).unwrap().connect().await.unwrap();
    let mut health = HealthClient::new(channel);
    for (name, expected) in [("up", ServingStatus::Serving), ("down", ServingStatus::NotServing)] {
        let service = format!("tenants/{name}");
        let answer = health.check(HealthCheckRequest { service }).await.unwrap().into_inner();
        assert_eq!(answer.status(), expected, "{name}");
    }
}

/// Serves one tenant, `acme`, to callers with this identity.
async fn serve(upstream: Client, identity: Identity) -> (RunningBridge, SocketAddr) {
    let access = Access::new().tenant("acme", upstream);
    let access = access.caller(Caller::new("all", identity).tenant("acme")).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap();
    let bridge = Bridge::new(access).operations(Operations::new(listener));
    (bridge.start().await.unwrap(), port)
}

#[tokio::test]
async fn a_renderer_that_panics_is_answered() {
    let emulator = emulator().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap();
    let operations = Operations::new(listener).metrics(|| panic!("on purpose"));
    let bridge = Bridge::to(client(&emulator.endpoint(), Wire::Rest)).operations(operations);
    let _bridge = bridge.start().await.unwrap();
    assert_eq!(get(port, "/metrics").await, (500, "this answer panicked\n".to_owned()));
    assert_eq!(get(port, "/livez").await.0, 200);
}

#[tokio::test]
async fn an_upstream_that_stays_silent_is_down() {
    // By the limit for the first byte, by the client's timeout, and by the deadline of the caller.
    for (limit, deadline) in
        [(Some(20), None), (Some(20), Some("50S")), (None, None), (None, Some("50S"))]
    {
        for upstream in WIRES {
            let emulator = emulator().await;
            let (fault, mut hold) = Fault::hold();
            emulator.faults().push_for("ListTasks", fault);
            let timer = DrivenTimer::new();
            let client = builder(&emulator.endpoint(), upstream).timer(timer.clone());
            let client = client.retry(RetryPolicy::none());
            let client = match limit {
                Some(seconds) => client.first_byte_timeout(Duration::from_secs(seconds)),
                None => client,
            };
            let (bridge, port) = serve(client.connect_lazy().unwrap(), Identity::Anyone).await;
            let request = Request::get(format!("{}/v1/device_tasks", bridge.endpoint()));
            let request = match deadline {
                Some(deadline) => request.header("grpc-timeout", deadline),
                None => request,
            };
            let call = send(request.body(Bytes::new()).unwrap());
            let silence = async {
                hold.arrived(1).await;
                timer.run_out();
            };
            let response = tokio::join!(call, silence).0;
            let is_down = limit.is_some() || deadline.is_none();
            let about = format!("{upstream:?} {limit:?} {deadline:?}");
            assert_eq!(response.status(), 504, "{about}");
            assert_eq!(response.headers().contains_key("eset-protect-tenant"), is_down, "{about}");
            let (status, body) = get(port, "/readyz?tenant=acme").await;
            assert_eq!(status, if is_down { 503 } else { 200 }, "{about} {body}");
        }
    }
}

#[tokio::test]
async fn an_upstream_that_stalls_after_its_head_is_up() {
    let rest = Scripted::start([Answer::Hang(head("200 OK", &[], Some(90)))]).await;
    let grpc = FrameServer::start([], vec![grpc_head(), Act::Deaf]).await;
    for (endpoint, wire) in [(rest.endpoint(), Wire::Rest), (grpc.endpoint(), Wire::Grpc)] {
        // For the time of the tenant, not of the caller.
        let client = builder(&endpoint, wire).timeout(Duration::from_secs(1));
        let client = client.retry(RetryPolicy::none()).connect_lazy().unwrap();
        let (bridge, port) = serve(client, Identity::Anyone).await;
        let request = Request::get(format!("{}/v1/device_tasks", bridge.endpoint()));
        let response = send(request.body(Bytes::new()).unwrap()).await;
        assert_eq!(response.status(), 504, "{wire:?}");
        assert!(!response.headers().contains_key("eset-protect-tenant"), "{wire:?}");
        assert_eq!(get(port, "/readyz?tenant=acme").await.0, 200, "{wire:?}");
    }
}

/// Credentials that block the thread, as nothing may, until somebody hangs up.
#[derive(Debug)]
struct Blocking {
    stuck: mpsc::Sender<()>,
    release: Mutex<std_mpsc::Receiver<()>>,
}

impl Credentials for Blocking {
    fn token(&self) -> BoxFuture<'_, Result<AccessToken, Error>> {
        self.stuck.try_send(()).unwrap();
        let _ = self.release.lock().unwrap().recv();
        Box::pin(async { Ok(AccessToken::new("token")) })
    }

    fn invalidate(&self, _: &AccessToken) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}

/// A bridge with such credentials, and its operations.
struct Blocked {
    bridge: RunningBridge,
    port: SocketAddr,
    is_stuck: mpsc::Receiver<()>,
    release: std_mpsc::Sender<()>,
}

impl Blocked {
    async fn start(upstream: &str, threads: usize) -> Self {
        let (stuck, is_stuck) = mpsc::channel(1);
        let (release, released) = std_mpsc::channel();
        let credentials = Blocking { stuck, release: Mutex::new(released) };
        let upstream = builder(upstream, Wire::Rest).credentials(credentials);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap();
        let bridge = Bridge::to(upstream.connect_lazy().unwrap()).worker_threads(threads);
        let bridge = bridge.operations(Operations::new(listener)).start().await.unwrap();
        Self { bridge, port, is_stuck, release }
    }
}

#[tokio::test]
async fn a_thread_that_is_stuck_is_not_live() {
    let emulator = emulator().await;
    let started = Blocked::start(&emulator.endpoint(), 2).await;
    let Blocked { bridge, port, mut is_stuck, release } = started;
    assert_eq!(get(port, "/livez").await.0, 200);
    let client = client(&bridge.endpoint(), Wire::Grpc);
    let call =
        tokio::spawn(
            async move { client.device_tasks().list_tasks(ListTasksRequest::default()).await },
        );
    is_stuck.recv().await.unwrap();
    assert_eq!(get(port, "/livez").await, (503, "a thread is stuck\n".to_owned()));
    drop(release);
    call.await.unwrap().unwrap();
    assert_eq!(get(port, "/livez").await.0, 200);
}

#[tokio::test]
async fn a_large_call_does_not_keep_a_thread_from_others() {
    let emulator = emulator().await;
    for front in WIRES {
        let started = Blocked::start(&emulator.endpoint(), 1).await;
        let Blocked { bridge, port, mut is_stuck, release } = started;
        let client = client(&bridge.endpoint(), front);
        let task = DeviceTask { display_name: "x".repeat(300_000), ..Default::default() };
        let call = tokio::spawn(async move { client.device_tasks().create_task(task).await });
        is_stuck.recv().await.unwrap();
        assert_eq!(get(port, "/livez").await, (200, "live\n".to_owned()));
        drop(release);
        assert_eq!(call.await.unwrap().unwrap_err().code(), Code::InvalidArgument);
    }
}

#[tokio::test]
async fn pages_cannot_ask_by_a_name_of_their_own() {
    let emulator = emulator().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap();
    let bridge = Bridge::to(client(&emulator.endpoint(), Wire::Rest));
    let _bridge = bridge.operations(Operations::new(listener)).start().await.unwrap();
    for (host, expected) in [
        ("evil.example", 403),
        ("localhost.evil.example:9090", 403),
        ("localhost", 200),
        ("[::1]:9090", 200),
    ] {
        for path in ["/livez", "/readyz"] {
            let request = Request::get(format!("http://{port}{path}")).header("host", host);
            let answer = send(request.body(Bytes::new()).unwrap()).await;
            assert_eq!(answer.status(), expected, "{host}{path}");
        }
    }
}

#[tokio::test]
async fn a_refused_login_of_a_tenant_is_not_the_callers() {
    let emulator = Emulator::builder().auth(Auth::new().account("ada", "secret"));
    let emulator = emulator.build().unwrap().start().await.unwrap();
    for (front, upstream) in WIRES.into_iter().flat_map(|front| WIRES.map(|wire| (front, wire))) {
        let upstream = || builder(&emulator.endpoint(), upstream);
        let list = async |bridge: &RunningBridge, token: &str| {
            let client = client(&bridge.endpoint(), front);
            let call = client.device_tasks().list_tasks(ListTasksRequest::default());
            match token {
                "" => call.await,
                token => call.metadata("authorization", &format!("Bearer {token}")).await,
            }
        };
        // At the login, and at the service.
        for tenant in
            [upstream().login("ada", "guess"), upstream().credentials(StaticToken::new("guess"))]
        {
            let (bridge, port) = serve(tenant.connect_lazy().unwrap(), Identity::Anyone).await;
            let error = list(&bridge, "").await.unwrap_err();
            assert!(error.is_unavailable(), "{error}");
            assert!(error.message().contains("this server's own login"), "{error}");
            assert_eq!(error.metadata().get("eset-protect-tenant").unwrap(), "acme");
            assert_eq!(error.attempts(), 1, "{error}");
            let (status, body) = get(port, "/readyz?tenant=acme").await;
            assert!(status == 503 && !body.contains("guess"), "{body}");
        }
        // The caller's own token is the caller's.
        let tenant = upstream().login("ada", "guess").connect_lazy().unwrap();
        let (bridge, port) = serve(tenant, Identity::OwnToken).await;
        assert!(list(&bridge, "unknown").await.unwrap_err().is_unauthenticated());
        assert_eq!(get(port, "/readyz?tenant=acme").await.0, 200);
    }
}
