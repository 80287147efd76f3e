//! Transports, layers and interceptors of one's own, and proxies over gRPC, with every set of features.

use std::collections::VecDeque;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use added_service::client::Greeter;
use added_service::proto::example::greeter::v1::{GreetRequest, GreetResponse, Greeting};
use eset_protect::auth::{AccessToken, BoxFuture, Credentials, StaticToken};
use eset_protect::automation::v1::{CreateTaskResponse, DeviceTask, GetTaskResponse};
use eset_protect::http::HeaderValue;
use eset_protect::transport::{Reply, Request, Transport};
use eset_protect::{Client, Error, ErrorKind, RetryPolicy, Timer};
use prost::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Code, Status};

use crate::support::driven_timer::DrivenTimer;
use crate::support::greeter::Running;

fn greet(person: &str) -> GreetRequest {
    let greeting = Some(Greeting { r#type: "kind".to_owned(), ..Default::default() });
    GreetRequest { person: person.to_owned(), greeting }
}

/// Answers each call, but not its first attempt, with the name of the person.
#[derive(Clone, Debug, Default)]
struct Mock {
    /// Where the bytes of each attempt are, and its metadata.
    seen: Arc<Mutex<Vec<(usize, MetadataMap)>>>,
}

impl Transport for Mock {
    fn send<'a>(&'a self, request: Request<'a>) -> BoxFuture<'a, Result<Reply, Error>> {
        Box::pin(async move {
            let bytes = request.protobuf();
            let mut seen = self.seen.lock().unwrap();
            seen.push((bytes.as_ptr() as usize, request.metadata().clone()));
            assert_eq!((request.attempt() as usize, request.spec().method), (seen.len(), "Greet"));
            assert!(request.timeout() > Duration::from_secs(50), "{:?}", request.timeout());
            if request.attempt() == 1 {
                return Err(Status::unavailable("not yet").into());
            }
            let greet = GreetRequest::decode(bytes).unwrap();
            let greeting = Some(Greeting { r#type: greet.person, ..Default::default() });
            Ok(Reply::message(&GreetResponse { greeting }))
        })
    }
}

#[tokio::test]
async fn a_transport_of_ones_own_carries_calls_and_a_retry_copies_nothing() {
    let mock = Mock::default();
    let builder = Client::builder("http://mock").transport(mock.clone());
    let client = builder.jitter(|_| Duration::ZERO).connect().await.unwrap();
    let call = Greeter::new(client).greet(greet("Ada")).metadata("x-tenant", "acme");
    assert_eq!(call.await.unwrap().r#type, "Ada");
    let seen = mock.seen.lock().unwrap();
    assert_eq!((seen.len(), seen[0].0), (2, seen[1].0), "the same bytes");
    assert!(seen.iter().all(|(_, metadata)| metadata.get("x-tenant").unwrap() == "acme"));
}

/// Answers with these replies, and notes the identifiers of pending responses that it was asked for.
#[derive(Clone, Debug, Default)]
struct Replies {
    left: Arc<Mutex<VecDeque<Result<Reply, Error>>>>,
    ids: Arc<Mutex<Vec<Option<HeaderValue>>>>,
}

impl Transport for Replies {
    fn send<'a>(&'a self, request: Request<'a>) -> BoxFuture<'a, Result<Reply, Error>> {
        self.ids.lock().unwrap().push(request.pending_id().cloned());
        let reply = self.left.lock().unwrap().pop_front().unwrap();
        Box::pin(async move { reply })
    }
}

impl Replies {
    fn client(&self, replies: impl IntoIterator<Item = Result<Reply, Error>>) -> Client {
        self.left.lock().unwrap().extend(replies);
        let builder =
            Client::builder("http://mock").transport(self.clone()).timer(DrivenTimer::new());
        builder.jitter(|_| Duration::ZERO).connect_lazy().unwrap()
    }
}

const ID: HeaderValue = HeaderValue::from_static("one");

fn refusal(code: Code) -> Result<Reply, Error> {
    Err(Status::new(code, "not now").into())
}

/// `CreateTask` is not idempotent: the client sends it again only if that starts nothing.
#[tokio::test]
async fn a_poll_that_fails_is_repeated_and_the_call_is_not() {
    let replies = Replies::default();
    let created = CreateTaskResponse { task: Some(DeviceTask::default()) };
    let replied =
        [Ok(Reply::pending(ID)), refusal(Code::Unavailable), Ok(Reply::message(&created))];
    let client = replies.client(replied);
    client.device_tasks().create_task(DeviceTask::default()).await.unwrap();
    assert_eq!(*replies.ids.lock().unwrap(), [None, Some(ID), Some(ID)]);
}

#[tokio::test]
async fn a_poll_that_is_refused_does_not_say_that_nothing_ran() {
    for (code, may_have_executed) in
        [(Code::PermissionDenied, true), (Code::NotFound, true), (Code::InvalidArgument, false)]
    {
        let replies = Replies::default();
        let client = replies.client([Ok(Reply::pending(ID)), refusal(code)]);
        let error = client.device_tasks().create_task(DeviceTask::default()).await.unwrap_err();
        assert_eq!(error.may_have_executed(), may_have_executed, "{error:?}");
        assert_eq!(*replies.ids.lock().unwrap(), [None, Some(ID)]);
    }
}

#[tokio::test]
async fn a_response_without_its_output_counts_the_attempts() {
    let replies = [refusal(Code::Unavailable), Ok(Reply::message(&GetTaskResponse::default()))];
    let client = Replies::default().client(replies);
    let error = client.device_tasks().get_task("t-1").await.unwrap_err();
    assert_eq!((error.message(), error.attempts()), ("the response has no `task`", 2));
}

/// What concerns one HTTP hop would break the stream of whoever forwards it.
#[tokio::test]
async fn what_a_transport_adds_of_http_is_no_metadata() {
    let mut metadata = MetadataMap::new();
    for name in ["content-length", "connection", "set-cookie", "authorization", "grpc-encoding"] {
        metadata.insert(name, MetadataValue::from_static("3"));
    }
    metadata.insert("x-kept", MetadataValue::from_static("kept"));
    let names = |metadata: &MetadataMap| -> Vec<_> {
        metadata.as_ref().keys().map(|name| name.as_str().to_owned()).collect()
    };
    let refused = Status::with_metadata(Code::NotFound, "no such task", metadata.clone());
    let reply = Reply::message(&GetTaskResponse { task: Some(DeviceTask::default()) });
    let reply = reply.with_metadata(metadata);
    assert_eq!(names(reply.metadata()), ["x-kept"]);
    let client = Replies::default().client([Ok(reply), Err(refused.into())]);
    let response = client.device_tasks().get_task("t-1").send().await.unwrap();
    assert_eq!(names(response.metadata()), ["x-kept"]);
    let error = client.device_tasks().get_task("t-1").await.unwrap_err();
    assert_eq!(names(error.metadata()), ["x-kept"]);
    assert_eq!(names(Status::from(error).metadata()), ["x-kept"]);
}

/// Even a call that is not idempotent.
#[tokio::test]
async fn a_call_that_a_transport_did_not_send_is_made_again() {
    let created = Reply::message(&CreateTaskResponse { task: Some(DeviceTask::default()) });
    let replies = Replies::default();
    let not_sent = Error::not_sent(Status::unavailable("no tunnel"));
    let client = replies.client([Err(not_sent), Ok(created), refusal(Code::Unavailable)]);
    client.device_tasks().create_task(DeviceTask::default()).await.unwrap();
    let error = client.device_tasks().create_task(DeviceTask::default()).await.unwrap_err();
    assert!(error.may_have_executed(), "{error:?}");
    assert_eq!(replies.ids.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn limits_hold_for_a_transport_of_ones_own() {
    let task = DeviceTask { display_name: "long".repeat(100), ..Default::default() };
    let long = Reply::message(&GetTaskResponse { task: Some(task.clone()) });
    let replies = Replies::default();
    replies.left.lock().unwrap().extend([Ok(long)]);
    let builder = Client::builder("http://mock").transport(replies.clone());
    let client = builder.max_message_size(200).connect_lazy().unwrap();
    let error = client.device_tasks().get_task("t-1").await.unwrap_err();
    assert!(error.is_limit_exceeded() && error.may_have_executed(), "{error:?}");
    let error = client.device_tasks().create_task(task).await.unwrap_err();
    assert!(error.is_limit_exceeded() && !error.may_have_executed(), "{error:?}");
    assert_eq!(replies.ids.lock().unwrap().len(), 1, "the second was not sent");

    let builder = Client::builder("http://mock").transport(Silent).retry(RetryPolicy::none());
    let client = builder.first_byte_timeout(Duration::from_millis(20)).connect_lazy().unwrap();
    let error = client.device_tasks().get_task("t-1").await.unwrap_err();
    assert_eq!(error.message(), "no byte of a response within 20ms");
}

/// Never replies.
#[derive(Debug)]
struct Silent;

impl Transport for Silent {
    fn send<'a>(&'a self, _: Request<'a>) -> BoxFuture<'a, Result<Reply, Error>> {
        Box::pin(std::future::pending())
    }
}

/// Replies to every request with what a transport of another wire replied to the first.
#[derive(Debug)]
struct Replay {
    inner: Arc<dyn Transport>,
    first: Mutex<Option<Reply>>,
}

impl Transport for Replay {
    fn send<'a>(&'a self, request: Request<'a>) -> BoxFuture<'a, Result<Reply, Error>> {
        Box::pin(async move {
            let kept = self.first.lock().unwrap().clone();
            let Some(reply) = kept else {
                let reply = self.inner.send(request).await?;
                return Ok(self.first.lock().unwrap().insert(reply).clone());
            };
            let status = reply.http_status();
            assert_eq!((reply.is_json(), status), (false, None), "{reply:?}");
            Ok(reply)
        })
    }
}

#[tokio::test]
async fn a_layer_can_replay_and_pointers_do_as_what_they_point_to() {
    let server = Running::start().await;
    let token: Arc<dyn Credentials> = Arc::new(StaticToken::new("one"));
    let timer: Box<dyn Timer> = Box::new(DrivenTimer::new());
    let client = Client::builder(&server.endpoint())
        .layer(|inner| Arc::new(Replay { inner, first: Mutex::default() }) as Arc<dyn Transport>)
        .credentials(token)
        .timer(timer)
        .connect_lazy()
        .unwrap();
    let greeter = Greeter::new(client);
    let first = greeter.greet(greet("Ada")).await.unwrap();
    assert_eq!(greeter.greet(greet("Bob")).await.unwrap(), first);

    let token = AccessToken::new("one");
    assert_eq!(StaticToken::new("one").token().await.unwrap(), token);
    assert!(["two", "on", "onex", ""].iter().all(|other| AccessToken::new(*other) != token));
}

/// Callers hold many of them, in tasks and in lists.
#[tokio::test]
async fn the_future_of_a_call_is_at_most_2_kib() {
    let client = Replies::default().client([]);
    let call = || client.device_tasks().get_task("t-1");
    let sizes = [size_of_val(&*call().into_future()), size_of_val(&call().send())];
    assert!(sizes.iter().all(|size| *size <= 2048), "{sizes:?}");
}

/// Notes what goes through it.
#[derive(Debug)]
struct Recorder {
    inner: Arc<dyn Transport>,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Transport for Recorder {
    fn send<'a>(&'a self, request: Request<'a>) -> BoxFuture<'a, Result<Reply, Error>> {
        Box::pin(async move {
            let (method, attempt) = (request.spec().method, request.attempt());
            let result = self.inner.send(request).await;
            let code = result.as_ref().map_or_else(Error::code, |_| Code::Ok);
            self.seen.lock().unwrap().push(format!("{method} {attempt} {code:?}"));
            result
        })
    }
}

#[tokio::test]
async fn a_layer_sees_every_attempt() {
    let server = Running::start().await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let record = seen.clone();
    let client = Client::builder(&server.endpoint())
        .layer(move |inner| Recorder { inner, seen: record.clone() })
        .retry(RetryPolicy::default().max_attempts(2))
        .jitter(|_| Duration::ZERO)
        .connect()
        .await
        .unwrap();
    let greeter = Greeter::new(client);
    greeter.greet(greet("anyone")).await.unwrap();
    greeter.greet(greet("code 14")).await.unwrap_err();
    let seen = seen.lock().unwrap();
    assert_eq!(*seen, ["Greet 1 Ok", "Greet 1 Unavailable", "Greet 2 Unavailable"]);
}

#[tokio::test]
async fn an_interceptor_changes_the_metadata_of_a_call() {
    let server = Running::start().await;
    let intercepted = |interceptor: fn(&mut MetadataMap) -> Result<(), Error>| {
        let builder = Client::builder(&server.endpoint()).jitter(|_| Duration::ZERO);
        let builder = builder.interceptor(move |_, metadata| interceptor(metadata));
        Greeter::new(builder.connect_lazy().unwrap())
    };
    let echo = |metadata: &mut MetadataMap| {
        metadata.insert("x-echo", MetadataValue::from_static("intercepted"));
        Ok(())
    };
    let response = intercepted(echo).greet(greet("anyone")).send().await.unwrap();
    assert_eq!(response.metadata().get("x-echo").unwrap(), "intercepted");

    let refuse = |_: &mut MetadataMap| Err(Status::permission_denied("not today").into());
    let error = intercepted(refuse).greet(greet("anyone")).await.unwrap_err();
    assert_eq!((error.code(), error.attempts()), (Code::PermissionDenied, 0));
    assert!(!error.may_have_executed(), "{error:?}");

    let smuggle = |metadata: &mut MetadataMap| {
        metadata.insert("content-length", MetadataValue::from_static("0"));
        Ok(())
    };
    let error = intercepted(smuggle).greet(greet("anyone")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("content-length"), "{error}");
}

/// Adds a header to every request.
#[derive(Debug)]
struct Adding(Arc<dyn Transport>, &'static str);

impl Transport for Adding {
    fn send<'a>(&'a self, mut request: Request<'a>) -> BoxFuture<'a, Result<Reply, Error>> {
        request.metadata_mut().insert(self.1, MetadataValue::from_static("3"));
        self.0.send(request)
    }
}

/// Through a layer, an interceptor or an option of the call.
#[tokio::test]
async fn nobody_sets_the_headers_of_the_protocol() {
    let server = Running::start().await;
    for name in [
        "content-length",
        "expect",
        "grpc-encoding",
        "grpc-message-type",
        "grpc-status",
        "grpc-timeout",
        "host",
        "http2-settings",
        "proxy-authorization",
        "response-id",
        "transfer-encoding",
    ] {
        let builder = || Client::builder(&server.endpoint());
        let intercepted = builder().interceptor(move |_, metadata| {
            metadata.insert(name, MetadataValue::from_static("3"));
            Ok(())
        });
        let layered = builder().layer(move |inner| Adding(inner, name));
        for (builder, key) in [(layered, "x-a"), (intercepted, "x-a"), (builder(), name)] {
            let greeter = Greeter::new(builder.connect_lazy().unwrap());
            let error = greeter.greet(greet("anyone")).metadata(key, "3").await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{error:?}");
            let message = error.message();
            assert!(message.contains(name) && message.contains("belongs to the protocol"));
            assert!(!error.may_have_executed(), "{error:?}");
        }
    }
    let client = Client::builder(&server.endpoint()).layer(|inner| Adding(inner, "x-a"));
    Greeter::new(client.connect_lazy().unwrap()).greet(greet("anyone")).await.unwrap();
}

#[tokio::test]
async fn an_error_names_the_endpoint_that_cannot_be_reached() {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let endpoint = format!("http://127.0.0.1:{port}");
    let client = Client::builder(&endpoint).retry(RetryPolicy::none()).connect_lazy().unwrap();
    let error = Greeter::new(client).greet(greet("anyone")).await.unwrap_err();
    assert!(error.message().starts_with(&format!("cannot connect to {endpoint}: ")), "{error}");
}

#[test]
fn settings_without_effect_are_errors() {
    let mock = || Client::builder("http://mock").transport(Replies::default());
    let wires = "the wires of this crate, and the client has a transport of your own";
    let requests = "requests that this crate sends, and the client has a transport of your own";
    for (builder, setting, purpose) in [
        (mock().endpoints(["garbage"]), "endpoints", wires),
        (mock().connections(2), "connections", wires),
        (mock().user_agent_suffix("acme/1"), "user_agent_suffix", requests),
    ] {
        let error = builder.connect_lazy().unwrap_err();
        assert_eq!(error.message(), format!("{setting}: is for {purpose}"));
    }
}

#[tokio::test]
async fn a_call_that_was_one_of_too_many_says_so() {
    let server = Running::start().await;
    let client = Client::builder(&server.endpoint()).retry(RetryPolicy::none()).connect_lazy();
    let greeter = Greeter::new(client.unwrap());
    assert!(greeter.greet(greet("code 8")).await.unwrap_err().is_rate_limited());
    assert!(!greeter.greet(greet("code 14")).await.unwrap_err().is_rate_limited());
}

/// Set for a child that makes one call; the value says whether it uses proxies.
const CHILD: &str = "ESET_PROTECT_TEST_CHILD";

/// The child's part: a call of a host that only a proxy would know.
#[test]
fn child() {
    let Ok(uses) = std::env::var(CHILD) else { return };
    let builder = Client::builder("http://eset.invalid:5").retry(RetryPolicy::none());
    let builder = if uses == "no" { builder.no_proxy() } else { builder };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let error = runtime.block_on(async {
        Greeter::new(builder.connect_lazy().unwrap()).greet(greet("anyone")).await.unwrap_err()
    });
    assert_eq!(error.kind(), ErrorKind::Connect, "{error:?}");
}

/// Refuses every tunnel, and notes what was asked of it.
async fn refusing_proxy(listener: TcpListener, seen: Arc<Mutex<Vec<String>>>) {
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = vec![0; 256];
        let length = stream.read(&mut request).await.unwrap();
        let request = String::from_utf8_lossy(&request[..length]).into_owned();
        seen.lock().unwrap().extend(request.lines().next().map(ToOwned::to_owned));
        let refusal = b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n";
        stream.write_all(refusal).await.unwrap();
    }
}

/// This test is built with the feature `rest` and without it: it changes nothing over gRPC.
#[tokio::test]
async fn proxies_are_obeyed_and_switched_off_over_grpc() {
    for (uses, no_proxy, is_asked) in
        [("yes", "", true), ("yes", "eset.invalid", false), ("no", "", false)]
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::default();
        let proxy = tokio::spawn(refusing_proxy(listener, Arc::clone(&seen)));
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "transport::child"]).env(CHILD, uses);
        for variable in ["http_proxy", "ALL_PROXY", "all_proxy", "no_proxy", "REQUEST_METHOD"] {
            command.env_remove(variable);
        }
        command.env("HTTP_PROXY", address).env("NO_PROXY", no_proxy);
        let child = tokio::task::spawn_blocking(move || command.output().unwrap());
        let output = child.await.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        let expected: &[_] = if is_asked { &["CONNECT eset.invalid:5 HTTP/1.1"] } else { &[] };
        assert_eq!(*seen.lock().unwrap(), expected, "{uses} {no_proxy:?}");
        proxy.abort();
    }
}
