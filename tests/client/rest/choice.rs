//! Which wire is chosen, and when it changes.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Poll;
use std::time::{Duration, SystemTime};

use added_service::client::Greeter;
use added_service::proto::example::greeter::v1::GreetRequest;
use eset_protect::automation::v1::{CreateTaskResponse, DeviceTask, GetTaskResponse};
use eset_protect::emulator::ManualClock;
use eset_protect::{Client, ErrorKind, RetryPolicy, TlsConfig, Wire};
use tokio::net::TcpListener;
use tonic::Code;

use crate::rest::calls::{TASK, create, get};
use crate::support::emulator_timer::EmulatorTimer;
use crate::support::greeter::Running;
use crate::support::scripted::frames::{FrameServer, What};
use crate::support::scripted::h2::{End, H2Server, Reply};
use crate::support::scripted::{Answer, Scripted, head, ok};
use crate::support::tls::{acceptor, issue, new_authority};

const HEALTH: &str = "/grpc.health.v1.Health/Check";

fn auto(endpoint: &str) -> Client {
    Client::builder(endpoint).wire(Wire::Auto).connect_lazy().unwrap()
}

fn task(uuid: &str) -> Reply {
    let task = DeviceTask { uuid: uuid.to_owned(), ..Default::default() };
    Reply::message(&GetTaskResponse { task: Some(task) })
}

/// Returns what an HTTP/1.1 server responds to the preface of HTTP/2.
fn not_http2() -> Answer {
    Answer::Close(head("400 Bad Request", &[("connection", "close")], Some(0)))
}

#[tokio::test]
async fn the_wire_that_is_named_is_taken() {
    let grpc = Running::start().await;
    let client = Client::builder(&grpc.endpoint()).wire(Wire::Grpc).connect().await.unwrap();
    Greeter::new(client).greet(GreetRequest::default()).await.unwrap();
    let rest = Scripted::start([ok(TASK)]).await;
    let client = Client::builder(&rest.endpoint()).wire(Wire::Rest).connect().await.unwrap();
    assert_eq!(rest.connections(), 0, "REST connects with its calls");
    get(&client).await.unwrap();

    let client = Client::cloud(eset_protect::Region::Eu).wire(Wire::Grpc).connect_lazy();
    assert!(client.unwrap_err().to_string().contains("no gRPC endpoint"));
}

#[tokio::test]
async fn a_silent_far_side_is_asked_again_while_the_call_has_time() {
    let server = FrameServer::start([], []).await;
    let timer = EmulatorTimer::new(Arc::new(ManualClock::new(SystemTime::UNIX_EPOCH)));
    let client = Client::builder(&server.endpoint())
        .wire(Wire::Auto)
        .timer(timer.clone())
        .jitter(|_| Duration::ZERO)
        .timeout(Duration::from_secs(35))
        .connect_lazy()
        .unwrap();
    let call = tokio::spawn(async move { create(&client).await.unwrap_err() });
    for asked in 1..=4 {
        server.until_count(What::Request, asked).await;
        timer.advance(Duration::from_secs(10));
    }
    let error = call.await.unwrap();
    assert_eq!(error.kind(), ErrorKind::Deadline, "{error:?}");
    assert!(!error.may_have_executed(), "only the question for its health was sent");
}

/// As for a call of a bulk whose caller makes another call between two responses.
#[tokio::test]
async fn a_call_that_asks_for_the_wire_and_is_not_polled_keeps_nobody_waiting() {
    let server = Scripted::start([not_http2(), ok(TASK), ok(TASK)]).await;
    let client = auto(&server.endpoint());
    let mut resting = Box::pin(get(&client));
    let is_pending = poll_fn(|cx| Poll::Ready(resting.as_mut().poll(cx).is_pending())).await;
    assert!(is_pending);
    let other = tokio::time::timeout(Duration::from_secs(20), get(&client)).await;
    assert_eq!(other.expect("no wait").unwrap().uuid, "t-1");
    assert_eq!(resting.await.unwrap().uuid, "t-1");
    assert_eq!(server.seen().len(), 3, "it was asked once");
}

/// Any response in gRPC shows that the server supports gRPC.
#[tokio::test]
async fn an_answer_in_grpc_that_cannot_be_read_shows_grpc() {
    let done = || End::Trailers(vec![("grpc-status", "0".to_owned())]);
    for (body, end) in
        [(vec![], End::Stream), (vec![], done()), (vec![0, 0], done()), (vec![9; 50], done())]
    {
        let server = H2Server::start(move |request| match request.uri.path() {
            HEALTH => Reply::grpc(body.clone(), end.clone()),
            _ => task("g-1"),
        })
        .await;
        let client = auto(&server.endpoint());
        assert_eq!(get(&client).await.unwrap().uuid, "g-1");
        assert_eq!(server.count(HEALTH), 1);
    }
}

#[tokio::test]
async fn a_far_side_in_grpc_is_called_in_grpc() {
    let server = Running::start().await;
    let greeter = Greeter::new(auto(&server.endpoint()));
    greeter.greet(GreetRequest::default()).await.unwrap();
    let refused = GreetRequest { person: "code 5".to_owned(), ..Default::default() };
    let error = greeter.greet(refused).await.unwrap_err();
    assert_eq!((error.code(), error.http_status()), (Code::NotFound, None));
}

#[tokio::test]
async fn it_is_asked_once_however_many_calls_there_are() {
    let server = H2Server::start(|request| match request.uri.path() {
        HEALTH => Reply::status(12),
        _ => task("t-1"),
    })
    .await;
    let client = auto(&server.endpoint());
    let calls: Vec<_> = (0..50)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { get(&client).await })
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!((server.count(HEALTH), server.seen().len()), (1, 51));
}

#[tokio::test]
async fn json_over_http1_in_the_clear() {
    let server = Scripted::start([not_http2(), ok(TASK), ok(TASK)]).await;
    let client = auto(&server.endpoint());
    create(&client).await.unwrap();
    get(&client).await.unwrap();
    let lines: Vec<_> = server.seen().iter().map(|seen| seen.line().to_owned()).collect();
    assert_eq!(lines, ["PRI * HTTP/2.0", "POST /v1/device_tasks", "GET /v1/device_tasks/t-1"]);
}

#[tokio::test]
async fn json_over_tls_without_http2() {
    let authority = new_authority();
    let identity = issue(&authority, "localhost");
    let alpns: [&[&[u8]]; 2] = [&[b"http/1.1"], &[]];
    for alpn in alpns {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let script = if alpn.is_empty() { vec![not_http2(), ok(TASK)] } else { vec![ok(TASK)] };
        let server = Scripted::accept(listener, script, acceptor(&identity, alpn, None));
        let client = Client::builder(&format!("https://localhost:{}", server.address().port()))
            .wire(Wire::Auto)
            .tls(TlsConfig::new().ca_certificate(authority.pem()).unwrap())
            .connect_lazy()
            .unwrap();
        create(&client).await.unwrap();
        assert_eq!(server.seen().last().unwrap().line(), "POST /v1/device_tasks");
    }
}

#[tokio::test]
async fn json_over_http2() {
    for (status, media_type) in [
        (404, "application/json"),
        (415, "text/plain"),
        (200, "text/html"),
        (401, "application/json"),
        (500, "application/json"),
    ] {
        let authority = new_authority();
        let identity = issue(&authority, "localhost");
        let server = H2Server::accept(
            move |request| match request.uri.path() {
                "/v1/device_tasks/t-1" => Reply::plain(200, "application/json", TASK),
                _ => Reply::plain(status, media_type, "{}"),
            },
            acceptor(&identity, &[b"h2"], None),
        )
        .await;
        let client = Client::builder(&format!("https://localhost:{}", server.address().port()))
            .wire(Wire::Auto)
            .tls(TlsConfig::new().ca_certificate(authority.pem()).unwrap())
            .connect_lazy()
            .unwrap();
        assert_eq!(get(&client).await.unwrap().uuid, "t-1");
        assert_eq!(server.seen(), [HEALTH, "/v1/device_tasks/t-1"], "{status}");
    }
}

/// Serves HTTP/2 or HTTP/1.1 on one port, depending on how a connection starts.
async fn serve_both(
    reply: impl Fn(&http::request::Parts) -> Reply + Send + Sync + 'static,
    script: impl IntoIterator<Item = Answer>,
) -> (String, H2Server, Scripted) {
    let (h2, h1) = (H2Server::start(reply).await, Scripted::start(script).await);
    let (h2_address, h1_address) = (h2.address(), h1.address());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                // `PRI` starts HTTP/2; the second byte distinguishes `POST` from it.
                let mut two = [0; 2];
                while stream.peek(&mut two).await.unwrap() == 1 {}
                let address = if &two == b"PR" { h2_address } else { h1_address };
                let mut other = tokio::net::TcpStream::connect(address).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut stream, &mut other).await;
            });
        }
    });
    (endpoint, h2, h1)
}

#[tokio::test]
async fn a_far_side_that_stops_to_speak_grpc_is_called_in_rest() {
    let is_grpc = Arc::new(AtomicBool::new(true));
    let speaks = is_grpc.clone();
    let (endpoint, h2, h1) = serve_both(
        move |request| match request.uri.path() {
            _ if !speaks.load(Ordering::SeqCst) => Reply::plain(404, "application/json", "{}"),
            HEALTH => Reply::status(12),
            _ => task("grpc"),
        },
        [ok(TASK), ok(TASK)],
    )
    .await;
    let client = auto(&endpoint);
    assert_eq!(get(&client).await.unwrap().uuid, "grpc");
    is_grpc.store(false, Ordering::SeqCst);
    // Its path was refused, so it ran nowhere and switches.
    assert_eq!(create(&client).await.unwrap().uuid, "t-1");
    assert_eq!(get(&client).await.unwrap().uuid, "t-1");
    assert_eq!(h2.seen().len(), 3, "{:?}", h2.seen());
    assert_eq!(h1.seen().len(), 2);
}

#[tokio::test]
async fn a_call_that_may_have_run_never_moves() {
    let (endpoint, h2, h1) = serve_both(
        |request| match request.uri.path() {
            HEALTH => Reply::status(12),
            path if path.ends_with("CreateTask") => Reply::disconnect(),
            _ => task("grpc"),
        },
        [ok(TASK)],
    )
    .await;
    let client = auto(&endpoint);
    assert_eq!(get(&client).await.unwrap().uuid, "grpc");
    let error = create(&client).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport, "{error:?}");
    assert!(error.may_have_executed());
    assert_eq!((h2.count("CreateTask"), h1.seen().len()), (1, 0));
    // The next call probes what is listening there now.
    assert_eq!(get(&client).await.unwrap().uuid, "grpc");
    assert_eq!(h2.count(HEALTH), 2);
}

#[tokio::test]
async fn an_error_after_the_call_was_taken_does_not_move_it() {
    // None of these refuses the protocol.
    for status in [400, 401, 403, 429, 500, 502, 503, 504] {
        let (endpoint, h2, h1) = serve_both(
            move |request| match request.uri.path() {
                HEALTH => Reply::status(12),
                _ => Reply::plain(status, "text/html", "<html>"),
            },
            [ok(TASK)],
        )
        .await;
        let client = Client::builder(&endpoint).wire(Wire::Auto).retry(RetryPolicy::none());
        create(&client.connect_lazy().unwrap()).await.unwrap_err();
        assert_eq!((h2.count("CreateTask"), h1.seen().len()), (1, 0), "{status}");
    }
}

#[tokio::test]
async fn a_proxy_without_its_server_shows_nothing() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let server = H2Server::start(move |request| match request.uri.path() {
        HEALTH if count.fetch_add(1, Ordering::SeqCst) == 0 => {
            Reply::plain(503, "text/html", "<html>no upstream</html>")
        }
        HEALTH => Reply::status(12),
        _ => Reply::message(&CreateTaskResponse::from(DeviceTask::default())),
    })
    .await;
    // The create was not sent, so it is retried and probes again.
    create(&auto(&server.endpoint())).await.unwrap();
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn nobody_listens_and_then_somebody() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let client = auto(&format!("http://{address}"));
    let error = create(&client).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect, "{error:?}");
    assert!(!error.may_have_executed());
    let listener = TcpListener::bind(address).await.unwrap();
    let server = Scripted::serve(listener, [not_http2(), ok(TASK)]);
    create(&client).await.unwrap();
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn silence_ends_with_the_deadline() {
    let server = Scripted::start([Answer::Hang(vec![])]).await;
    let client = Client::builder(&server.endpoint())
        .wire(Wire::Auto)
        .timeout(Duration::from_millis(50))
        .connect_lazy()
        .unwrap();
    assert!(create(&client).await.unwrap_err().is_deadline_exceeded());

    let server = H2Server::start(|_| Reply::grpc([], End::Never)).await;
    let client = auto(&server.endpoint());
    let call = client.device_tasks().get_task("t-1").timeout(Duration::from_millis(50));
    assert!(call.await.unwrap_err().is_deadline_exceeded());
}

/// Over HTTP/2 all calls to a host share a connection. A dead one must not break the calls of the next
/// quarter of an hour.
#[tokio::test]
async fn a_dead_connection_of_http2_is_noticed_over_rest() {
    let authority = new_authority();
    let tls = acceptor(&issue(&authority, "localhost"), &[b"h2"], None);
    // Passes bytes on until it simulates a cut cable.
    let (cut, is_cut) = tokio::sync::watch::channel(false);
    let server = H2Server::accept(|_| Reply::plain(200, "application/json", TASK), tls).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let to = server.address();
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let mut is_cut = is_cut.clone();
            tokio::spawn(async move {
                let mut far = tokio::net::TcpStream::connect(to).await.unwrap();
                tokio::select! {
                    _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
                    _ = is_cut.changed() => std::future::pending().await,
                }
            });
        }
    });
    let client = Client::on_prem(&format!("https://localhost:{port}"))
        .tls(TlsConfig::new().ca_certificate(authority.pem()).unwrap())
        .timer(EmulatorTimer::new(Arc::new(ManualClock::new(SystemTime::UNIX_EPOCH))))
        .retry(eset_protect::RetryPolicy::none())
        .keep_alive_interval(Duration::from_secs(30))
        .connect_lazy()
        .unwrap();
    get(&client).await.unwrap();
    cut.send(true).unwrap();
    // From here on nothing arrives, so only time can pass.
    tokio::time::pause();
    let error = tokio::time::timeout(Duration::from_secs(60), get(&client)).await;
    let error = error.expect("the ping is not answered").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport, "{error:?}");
    assert!(error.is_retryable() && error.may_have_executed(), "{error:?}");
}
