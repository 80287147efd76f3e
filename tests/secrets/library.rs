//! Runs the library: logins, renewals, calls and all kinds of failures, over both wires.

use std::time::Duration;

use eset_protect::auth::{
    AccessToken, BoxFuture, Credentials, StaticToken, TokenCache, TokenProvider, Tokens,
};
use eset_protect::automation::v1::ListTasksRequest;
use eset_protect::device_management::v1::Device;
use eset_protect::emulator::{Emulator, Fault, Running};
use eset_protect::mobile_device_management::v1::DeviceEnrollmentLink;
use eset_protect::{CallOptions, Client, ClientBuilder, Error, RetryPolicy, TlsConfig, Wire};
use serde_json::json;
use tonic::Code;

use crate::forms::{ACCESS, COOKIE, OWN, PASSWORD, REFRESH, STATIC, found, percent};
use crate::outputs::Outputs;
use crate::support::driven_timer::DrivenTimer;
use crate::support::scripted::frames::{self, FrameServer};
use crate::support::scripted::h2::{End, H2Server, Reply};
use crate::support::scripted::{Answer, Scripted, answer, json as json_answer, ok, pending};
use crate::support::tls::{acceptor, issue, new_authority};

const LIST: &str = r#"{"tasks":[],"nextPageToken":"","totalSize":0}"#;

/// Returns the response of a login in the cloud's spelling. It expires at once, so that every call renews.
fn tokens(number: u32) -> Answer {
    let body = json!({
        "access_token": format!("{ACCESS}-{number}"),
        "refresh_token": format!("{REFRESH}-{number}"),
        "expires_in": 0,
    });
    ok(&body.to_string())
}

/// Returns a login response that echoes the request.
fn echo(status: &str) -> Answer {
    let told = format!("{PASSWORD} is wrong, and so is {REFRESH}-1");
    json_answer(status, &json!({ "error": "invalid_grant", "error_description": told }).to_string())
}

async fn call(client: &Client) -> Result<(), Error> {
    let call = client.device_tasks().list_tasks(ListTasksRequest::default());
    Outputs::of_program().show(&call);
    call.await.map(drop)
}

fn connect(builder: ClientBuilder) -> Client {
    let outputs = Outputs::of_program();
    let builder = builder.timer(DrivenTimer::new());
    outputs.show(&builder);
    let client = builder.connect_lazy().unwrap();
    outputs.show(&client);
    client
}

/// Shows an error that must occur.
#[track_caller]
fn fails<T: std::fmt::Debug>(result: Result<T, Error>, code: Code) {
    let error = result.unwrap_err();
    Outputs::of_program().show_error(&error);
    Outputs::of_program().show(&error.details());
    assert_eq!(error.code(), code, "{error}");
}

/// Logins of the cloud: passwords, refresh tokens, refusals.
async fn cloud(running: &Running, wire: Wire) {
    let logins =
        Scripted::start([tokens(1), tokens(2), echo("400 Bad Request"), tokens(3), pending("p-1")])
            .await;
    let url = format!("{}/oauth/token", logins.endpoint());
    let builder = Client::builder(&running.endpoint()).wire(wire).token_url(url);
    let client = connect(builder.login("ada", PASSWORD));
    call(&client).await.unwrap();
    call(&client).await.unwrap();
    // The refresh token is refused, the password is not.
    call(&client).await.unwrap();
    // Pending, then refused: with the refresh token and with the password.
    logins.push(echo("401 Unauthorized"));
    logins.push(echo("403 Forbidden"));
    fails(call(&client).await, Code::Unauthenticated);
    let bodies: Vec<_> = logins.seen().iter().map(|seen| seen.text()).collect();
    assert!(bodies[0].contains("grant_type=password") && !found(&bodies[0]).is_empty());
    assert!(bodies[1].contains(REFRESH), "{bodies:?}");

    // Invalid responses.
    let html = [("content-type", "text/html")];
    for (answer, code) in [
        (answer("200 OK", &html, format!("<p>{PASSWORD} {ACCESS}-1</p>")), Code::Internal),
        (ok(&format!(r#"{{"access_token":"{ACCESS}-1","#)), Code::Internal),
        (answer("403 Forbidden", &html, format!("<p>{PASSWORD}</p>")), Code::PermissionDenied),
        (answer("500 Oh", &html, form_of(PASSWORD)), Code::Internal),
    ] {
        let logins = Scripted::start([answer]).await;
        let builder = Client::builder(&running.endpoint()).wire(wire);
        let builder = builder.token_url(logins.endpoint()).login("ada", PASSWORD);
        fails(call(&connect(builder)).await, code);
    }
}

/// Returns a password as in the form, which a proxy may show in its own page.
fn form_of(password: &str) -> String {
    format!("<pre>grant_type=password&password={}</pre>", percent(password, "%20"))
}

/// Failures of calls with a fixed token.
async fn failures(running: &Running, wire: Wire) {
    let builder = Client::builder(&running.endpoint()).wire(wire);
    let client = connect(builder.credentials(StaticToken::new(STATIC)));
    let faults = running.faults();
    faults.push_for("ListTasks", Fault::code(Code::Unavailable));
    call(&client).await.unwrap();
    for code in [Code::Unauthenticated, Code::PermissionDenied, Code::Internal, Code::Aborted] {
        faults.push_for("ListTasks", Fault::code(code));
        let Err(error) = call(&client).await else { panic!("{code:?}") };
        Outputs::of_program().show_error(&error);
    }
    for fault in [Fault::break_before_headers, Fault::break_after_headers, Fault::break_mid_body] {
        faults.push_for("ListTasks", fault());
        if let Err(error) = call(&client).await {
            Outputs::of_program().show_error(&error);
        }
    }
    let (fault, held) = Fault::hold();
    faults.push_for("ListTasks", fault);
    let call = client.device_tasks().list_tasks(ListTasksRequest::default());
    let result = call.timeout(Duration::from_millis(20)).send().await;
    fails(result, Code::DeadlineExceeded);
    // On a slow machine the call may not get that far, and the next one meets the fault.
    drop(held);

    // The caller's own secrets, in metadata.
    let bearer = format!("Bearer {OWN}");
    let options = CallOptions::new().metadata("authorization", &bearer).metadata("x-key", OWN);
    Outputs::of_program().show(&options);
    let call = client.device_tasks().list_tasks(ListTasksRequest::default()).options(options);
    Outputs::of_program().show(&call);
    call.await.unwrap();
    let broken = CallOptions::new().metadata("x-key", &format!("{OWN}\n"));
    let call = client.device_tasks().list_tasks(ListTasksRequest::default()).options(broken);
    fails(call.send().await, Code::InvalidArgument);

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let builder = Client::builder(&nobody).wire(wire).credentials(StaticToken::new(STATIC));
    fails(call_of(builder).await, Code::Unavailable);
}

/// Responses with headers that others must not see: in gRPC, in trailers, and from a proxy.
async fn cookies() {
    let cookie = || ("set-cookie", format!("session={COOKIE}"));
    let mut page = Reply::plain(403, "text/html", "<p>no</p>");
    let mut status = Reply::status(7);
    let trailers = vec![("grpc-status", "7".to_owned()), cookie()];
    let late = Reply::grpc([], End::Trailers(trailers));
    // A length that does not match the rest.
    let mut broken = Reply::grpc([0, 0, 0, 0, 9, 1], End::Stream);
    for reply in [&mut page, &mut status, &mut broken] {
        reply.headers.push(cookie());
    }
    for reply in [page, status, late, broken] {
        let server = H2Server::start(move |_| reply.clone()).await;
        let builder = Client::builder(&server.endpoint()).credentials(StaticToken::new(STATIC));
        let error = call_of(builder.retry(RetryPolicy::none())).await.unwrap_err();
        Outputs::of_program().show_error(&error);
        assert_eq!(server.count("ListTasks"), 1);
    }
    let headers = [("set-cookie", COOKIE)];
    let server = Scripted::start([answer("403 Forbidden", &headers, "no")]).await;
    let builder = Client::builder(&server.endpoint()).wire(Wire::Rest);
    fails(call_of(builder).await, Code::PermissionDenied);
}

async fn call_of(builder: ClientBuilder) -> Result<(), Error> {
    call(&connect(builder)).await
}

/// On-Prem: the password in JSON; a token that is refused once, then always; TLS and HTTP/2.
async fn on_prem() {
    let given = |number: u32| {
        let body = json!({ "accessToken": format!("{ACCESS}-{number}"), "expiresIn": 3600 });
        body.to_string()
    };
    let refused = || json_answer("401 Unauthorized", r#"{"message":"no"}"#);
    let server = Scripted::start([
        ok(&given(1)),
        refused(),
        ok(&given(2)),
        ok(LIST),
        pending("p-1"),
        ok(LIST),
        refused(),
        ok(&given(3)),
        refused(),
    ])
    .await;
    let client = connect(Client::on_prem(&server.endpoint()).login("ada", PASSWORD));
    call(&client).await.unwrap();
    call(&client).await.unwrap();
    fails(call(&client).await, Code::Unauthenticated);
    assert!(!found(&server.seen()[0].text()).is_empty());

    let authority = new_authority();
    let begin = acceptor(&issue(&authority, "localhost"), &[b"h2"], None);
    let script = [frames::json(&given(3)), frames::json(LIST)];
    let server = FrameServer::accept(script, frames::json(LIST), begin).await;
    let tls = TlsConfig::new().ca_certificate(authority.pem()).unwrap();
    let address = format!("https://localhost:{}", server.address().port());
    let client = connect(Client::on_prem(&address).tls(tls).login("ada", PASSWORD));
    call(&client).await.unwrap();
}

/// A custom login.
#[derive(Debug)]
struct Own;

impl TokenProvider for Own {
    fn fetch(&self, _: Option<Tokens>) -> BoxFuture<'_, Result<Tokens, Error>> {
        Box::pin(async {
            let access = AccessToken::new(format!("{ACCESS}-9"));
            Ok(Tokens::new(access, Duration::from_secs(60)).refresh(format!("{REFRESH}-9")))
        })
    }
}

async fn shown(running: &Running) {
    let outputs = Outputs::of_program();
    outputs.show(&AccessToken::new(STATIC));
    outputs.show(&StaticToken::new(STATIC));
    outputs.show(&Own.fetch(None).await.unwrap());
    let cache = TokenCache::new(Own);
    outputs.show(&cache.token().await.unwrap());
    outputs.show(&cache);
    call_of(Client::builder(&running.endpoint()).credentials(cache)).await.unwrap();
    // An access token that is not allowed in a header.
    let broken = StaticToken::new(format!("{STATIC}\n"));
    let builder = Client::builder(&running.endpoint()).credentials(broken);
    fails(builder.connect_lazy(), Code::InvalidArgument);
    // Passwords in the wrong places.
    for address in [format!("http://ada:{OWN}@127.0.0.1:1"), format!("{OWN}@x")] {
        let builder = Client::builder(&address);
        outputs.show(&builder);
        fails(builder.connect().await, Code::InvalidArgument);
        let builder = Client::builder("http://127.0.0.1:1").token_url(address);
        fails(builder.login("ada", PASSWORD).connect_lazy(), Code::InvalidArgument);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_is_in_any_output() {
    let outputs = Outputs::of_program();
    let running = Emulator::builder().seed(true).build().unwrap().start().await.unwrap();
    for wire in [Wire::Grpc, Wire::Rest] {
        cloud(&running, wire).await;
        failures(&running, wire).await;
    }
    on_prem().await;
    cookies().await;
    shown(&running).await;

    for (name, text) in outputs.all() {
        assert!(text.len() > 1_000, "{name} has nothing: {text}");
        assert_eq!(found(&text), Vec::<String>::new(), "in {name}");
    }
    assert!(outputs.told.read().contains("rustls"), "rustls tells by `log`");
    // The logs of underlying crates did arrive: they contain a server's port.
    let told = outputs.told.read();
    let port = running.local_addr().port().to_string();
    for target in ["eset_protect::call", "eset_protect::wire", "h2::codec", "hyper_util::client"] {
        assert!(told.lines().any(|line| line.contains(target)), "{target} tells nothing");
    }
    let connecting = |line: &str| line.contains("hyper_util::client") && line.contains(&port);
    assert!(told.lines().any(connecting), "hyper-util tells where it connects");
    let frame = |line: &str| line.contains("h2::codec::framed_write") && line.contains("Headers");
    assert!(told.lines().any(frame), "h2 tells of every frame");

    // A secret that a crate logs at the most verbose level would be found.
    tracing::trace!(target: "h2::codec::framed_write", frame = ?bearer(), "send");
    let since = outputs.told.read().split_off(told.len());
    assert!(!found(&since).is_empty());
}

/// Returns a header that is not marked as sensitive, as a crate would show it.
fn bearer() -> http::HeaderValue {
    http::HeaderValue::try_from(format!("Bearer {STATIC}")).unwrap()
}

#[test]
fn debug_shows_no_secret_of_a_message() {
    let device = Device {
        uuid: "u".to_owned(),
        enrollment_status: 2,
        device_token: STATIC.to_owned(),
        ..Device::default()
    };
    let shown = format!("{device:?}");
    assert_eq!(found(&shown), Vec::<String>::new(), "{shown}");
    assert!(shown.starts_with("Device { uuid: \"u\""), "{shown}");
    assert!(shown.contains("enrollment_status: Finished"), "{shown}");
    assert!(shown.contains("device_token: \"[redacted]\""), "{shown}");
    let link = DeviceEnrollmentLink { uri: STATIC.to_owned(), ..DeviceEnrollmentLink::default() };
    assert!(!format!("{link:?}").contains(STATIC), "{link:?}");
}
