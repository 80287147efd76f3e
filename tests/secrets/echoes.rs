//! Servers that echo what they received, in every encoding and every part of a response.

use std::time::{Duration, Instant};

use eset_protect::auth::StaticToken;
use eset_protect::automation::v1::ListTasksRequest;
use eset_protect::proto::google::rpc::{self, ErrorInfo};
use eset_protect::wkt::Any;
use eset_protect::{CallOptions, Client, ClientBuilder, Error, RetryPolicy, Wire};
use prost::Message;
use serde_json::json;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::SubscriberExt;

use crate::forms::{ACCESS, OWN, PASSWORD, REFRESH, STATIC, forms, found};
use crate::outputs::Text;
use crate::support::causes::causes;
use crate::support::recording::record;
use crate::support::scripted::h2::{End, H2Server, Reply};
use crate::support::scripted::{Answer, Scripted, answer, json as json_answer, ok};

/// What the crate logs in one test, without the server's part, which would be most of it.
struct Told(Text, #[allow(dead_code)] DefaultGuard);

impl Told {
    fn listen() -> Self {
        let text = Text::default();
        let layer = tracing_subscriber::fmt::layer()
            .with_ansi(false)
            .with_span_events(FmtSpan::FULL)
            .with_writer(text.clone())
            .with_filter(filter_fn(|of| of.target().starts_with("eset_protect")));
        let listening = tracing_subscriber::registry().with(layer);
        let guard = record(listening);
        Self(text, guard)
    }

    #[track_caller]
    fn assert_clean(&self) {
        let text = self.0.read();
        assert!(text.contains("eset_protect.request_id"), "{text}");
        assert_eq!(found(&text), Vec::<String>::new(), "{text}");
    }
}

/// Returns what an error shows, and what its caller may show.
fn shown(error: &Error) -> String {
    let mut text = format!("{error} {error:?} {error:#?} {:?}", error.metadata());
    text.push_str(error.message());
    for detail in error.details() {
        text.push_str(&format!("{detail:?} {}", String::from_utf8_lossy(&detail.value)));
        text.push_str(&serde_json::to_string(detail).unwrap_or_default());
    }
    text.extend(causes(error).map(|cause| format!("{cause} {cause:?}")));
    text
}

#[track_caller]
fn assert_clean(error: &Error, spelling: &str) {
    let text = shown(error);
    assert_eq!(found(&text), Vec::<String>::new(), "{spelling}: {text}");
    assert!(!text.contains(spelling), "{spelling}: {text}");
}

/// Returns the encodings of a secret, alone and with other text.
fn spellings(secret: &str) -> Vec<String> {
    let base64 = |text: String| base64_simd::STANDARD.encode_to_string(text);
    let mut all = forms(secret);
    let upper: Vec<_> =
        all.iter().filter(|form| form.contains('%')).map(|form| form.to_lowercase()).collect();
    all.extend(upper);
    all.push(format!("Bearer {secret}"));
    all.push(base64(format!("Bearer {secret}")));
    all.push(base64(format!("ada:{secret}")));
    all.push(serde_json::to_string(&json!({ "a": secret }).to_string()).unwrap());
    let each = |spell: fn(u8) -> String| secret.bytes().map(spell).collect::<String>();
    all.push(each(|byte| format!("%{byte:02X}")));
    all.push(each(|byte| format!("%{byte:02X}")).replace('%', "%25"));
    all.push(each(|byte| format!("\\x{byte:02x}")));
    all.push(each(|byte| format!("\\\\x{byte:02x}")));
    all.push(secret.chars().map(|c| format!("\\u{:04X}", u32::from(c))).collect());
    all.push(secret.chars().map(|c| format!("&#{};", u32::from(c))).collect());
    all.push(secret.chars().map(|c| format!("&#x{:x};", u32::from(c))).collect());
    all.push(each(|byte| format!("{byte:02x}:")));
    all.push(each(|byte| format!("{byte:02X} ")));
    all.push(each(|byte| format!("{byte},")));
    // As Gson, .NET and Handlebars escape characters with a meaning in HTML.
    all.push(escaped(secret, |c| format!("\\u{:04x}", u32::from(c))));
    all.push(escaped(secret, |c| format!("\\u{:04X}", u32::from(c))).replace('\\', "\\\\"));
    all.push(escaped(secret, |c| format!("&#x{:X};", u32::from(c))));
    all.push(escaped(secret, |c| format!("&amp;#{};", u32::from(c))));
    all.push(
        secret
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&quot;"),
    );
    all
}

/// Escapes every character.
fn escaped(secret: &str, escape: fn(char) -> String) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || c == ' ';
    secret.chars().map(|c| if is_plain(c) { c.to_string() } else { escape(c) }).collect()
}

fn call_options() -> CallOptions {
    CallOptions::new().metadata("x-api-key", OWN).metadata("x-note", "request")
}

async fn error_of(builder: ClientBuilder) -> Error {
    let client = builder.retry(RetryPolicy::none()).connect_lazy().unwrap();
    let call = client.device_tasks().list_tasks(ListTasksRequest::default());
    call.options(call_options()).send().await.unwrap_err()
}

fn with_token(endpoint: &str, wire: Wire) -> ClientBuilder {
    Client::builder(endpoint).wire(wire).credentials(StaticToken::new(STATIC))
}

#[tokio::test]
async fn over_grpc() {
    let told = Told::listen();
    for secret in [STATIC, OWN] {
        for spelling in spellings(secret) {
            let text = format!("the request ({spelling}) was refused");
            let info = ErrorInfo {
                reason: text.clone(),
                domain: "after".to_owned(),
                metadata: [("key".to_owned(), spelling.clone())].into(),
            };
            let status = rpc::Status { details: vec![Any::pack(&info)], ..Default::default() };
            let details = base64_simd::STANDARD_NO_PAD.encode_to_string(status.encode_to_vec());
            let encoded: String = text
                .bytes()
                .map(|byte| match byte {
                    b'%' => "%25".to_owned(),
                    32..=126 => char::from(byte).to_string(),
                    byte => format!("%{byte:02X}"),
                })
                .collect();
            let fields = || {
                vec![
                    ("grpc-status", "3".to_owned()),
                    ("grpc-message", encoded.clone()),
                    ("grpc-status-details-bin", details.clone()),
                    ("request-id", encoded.clone()),
                    ("x-echo", encoded.clone()),
                ]
            };
            let mut at_once = Reply::grpc([], End::Stream);
            at_once.headers.extend(fields());
            let page = Reply::plain(502, &encoded, &text);
            for reply in [at_once, Reply::grpc([], End::Trailers(fields())), page] {
                let server = H2Server::start(move |_| reply.clone()).await;
                let error = error_of(with_token(&server.endpoint(), Wire::Grpc)).await;
                assert_clean(&error, &spelling);
                if let Some(info) = error.detail::<ErrorInfo>() {
                    assert_eq!(info.domain, "after", "what is beside it stays whole");
                }
            }
        }
    }
    told.assert_clean();
}

#[tokio::test]
async fn over_rest() {
    let told = Told::listen();
    let server = Scripted::start([]).await;
    for secret in [STATIC, OWN] {
        for spelling in spellings(secret) {
            let text = format!("the request ({spelling}) was refused");
            let info = json!({
                "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": text, "domain": "after"
            });
            let unknown = json!({ "@type": "example.com/not.Known", "said": text });
            let body =
                json!({ "code": 3, "message": text, "details": [info, unknown] }).to_string();
            let is_header = spelling.bytes().all(|byte| (32..127).contains(&byte));
            let echo = if is_header { spelling.as_str() } else { "none" };
            let json =
                [("content-type", "application/json"), ("request-id", echo), ("x-echo", echo)];
            let html = [("content-type", "text/html"), ("request-id", echo)];
            for answer in [
                answer("400 Bad Request", &json, &body),
                answer("403 Forbidden", &html, format!("<p>{text}</p>")),
                answer("403 Forbidden", &html, format!("{}{spelling}", "x".repeat(190))),
                answer("302 Found", &html, &text),
                // A success that is invalid.
                answer("200 OK", &json, format!("{{\"tasks\":{}}}", json!(text))),
                answer("200 OK", &[("content-type", echo)], "{}"),
                answer("202 Accepted", &json, ""),
            ] {
                server.push(answer);
                let error = error_of(with_token(&server.endpoint(), Wire::Rest)).await;
                assert_clean(&error, &spelling);
            }
            server.push(answer("400 Bad Request", &json, &body));
            let error = error_of(with_token(&server.endpoint(), Wire::Rest)).await;
            assert!(error.message().contains("[redacted]"), "{error}");
            assert!(error.message().starts_with("the request"), "the rest stays: {error}");
            assert_eq!(
                error.detail::<ErrorInfo>().map(|info| info.domain).as_deref(),
                Some("after")
            );
        }
    }
    told.assert_clean();
}

#[tokio::test]
async fn by_a_login() {
    let told = Told::listen();
    let api = Scripted::start([]).await;
    for spelling in spellings(PASSWORD) {
        let text = format!("wrong: {spelling}");
        let form = json!({ "error": "invalid_grant", "error_description": text }).to_string();
        let is_header = spelling.bytes().all(|byte| (32..127).contains(&byte));
        let echo = if is_header { spelling.as_str() } else { "none" };
        for answer in [
            json_answer("400 Bad Request", &form),
            answer("403 Forbidden", &[("content-type", "text/html"), ("request-id", echo)], &text),
            answer("500 Oh", &[("x-echo", echo)], &text),
        ] {
            let logins = Scripted::start([answer]).await;
            let builder =
                Client::builder(&api.endpoint()).wire(Wire::Rest).token_url(logins.endpoint());
            assert_clean(&error_of(builder.login("ada", PASSWORD)).await, &spelling);
        }
    }
    assert!(api.seen().is_empty());
    told.assert_clean();
}

fn told(text: &str) -> Answer {
    json_answer("400 Bad Request", &json!({ "code": 3, "message": text }).to_string())
}

/// A text may end within a secret; and what looks like the start of a secret need not be one.
#[tokio::test]
async fn a_part_of_a_secret_is_one() {
    let _told = Told::listen();
    let server = Scripted::start([]).await;
    for (text, expected) in [
        (format!("refused {}", &STATIC[..15]), "refused [redacted]"),
        (format!("refused {}", &STATIC[..6]), "refused [redacted]"),
        (format!("refused {}...", &STATIC[..6]), "refused [redacted]..."),
        (format!("refused \"{}…\"", &STATIC[..9]), "refused \"[redacted]…\""),
        (format!("refused {} and more", &STATIC[5..]), "refused [redacted] and more"),
        (format!("{STATIC} is not {STATIC}"), "[redacted] is not [redacted]"),
        ("a service of the house".to_owned(), "a service of the house"),
        ("st4 is no token".to_owned(), "st4 is no token"),
    ] {
        server.push(told(&text));
        let error = error_of(with_token(&server.endpoint(), Wire::Rest)).await;
        assert_eq!(error.message(), expected, "{text}");
    }
}

/// Of a short password only the whole word is redacted, or every text would be full of gaps.
#[tokio::test]
async fn a_short_secret_is_a_word() {
    let _told = Told::listen();
    let api = Scripted::start([]).await;
    for (text, expected) in [
        ("capital: api is wrong", "capital: [redacted] is wrong"),
        ("password=api&more", "password=[redacted]&more"),
        // The last digit has bits of what might follow.
        ("Basic YXBpOmFwaQ== is wrong", "Basic [redacted]Q== is wrong"),
    ] {
        let logins = Scripted::start([told(text)]).await;
        let builder =
            Client::builder(&api.endpoint()).wire(Wire::Rest).token_url(logins.endpoint());
        let error = error_of(builder.login("api", "api")).await;
        assert!(error.message().ends_with(expected), "{error}");
    }
}

/// Headers whose names do not indicate secrets are shown unchanged.
#[tokio::test]
async fn what_is_no_secret_stays() {
    let _told = Told::listen();
    let server = Scripted::start([told("the note request-of-somebody-0123456789 is wrong")]).await;
    let client = with_token(&server.endpoint(), Wire::Rest).connect_lazy().unwrap();
    let call = client.device_tasks().list_tasks(ListTasksRequest::default());
    let call = call.metadata("x-note", "request-of-somebody-0123456789");
    let error = call.send().await.unwrap_err();
    assert_eq!(error.message(), "the note request-of-somebody-0123456789 is wrong");
}

#[tokio::test]
async fn other_credentials_of_a_call_are_secrets_too() {
    let _told = Told::listen();
    let basic = base64_simd::STANDARD.encode_to_string(format!("ada:{OWN}"));
    let basic = format!("Basic {basic}");
    let cookie = format!("session={OWN}; theme=dark");
    for (key, value) in [
        ("authorization", basic.as_str()),
        ("authorization", OWN),
        ("proxy-authorization", &basic),
        ("cookie", &cookie),
        ("x-functions-key", OWN),
        ("x-access-token", OWN),
        ("client-secret", OWN),
    ] {
        let server = Scripted::start([told(&format!("{value} or {OWN} is wrong"))]).await;
        let client = Client::builder(&server.endpoint()).wire(Wire::Rest).connect_lazy().unwrap();
        let call = client.device_tasks().list_tasks(ListTasksRequest::default());
        let error = call.metadata(key, value).send().await.unwrap_err();
        assert_clean(&error, OWN);
        assert!(!error.message().contains(&basic), "{key}: {error}");
    }
}

/// A browser's request through a bridge may have hundreds. Comparing each with each took half a minute.
#[tokio::test]
async fn many_secrets_take_little_time() {
    let _told = Told::listen();
    let cookies: Vec<_> = (0..5000).map(|n| format!("c{n}=value-{n:04}")).collect();
    let server = Scripted::start([told("value-4999 is wrong")]).await;
    let client = Client::builder(&server.endpoint()).wire(Wire::Rest).connect_lazy().unwrap();
    let call = client.device_tasks().list_tasks(ListTasksRequest::default());
    let started = Instant::now();
    let error = call.metadata("cookie", &cookies.join("; ")).send().await.unwrap_err();
    assert_eq!(error.message(), "[redacted] is wrong");
    assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
}

/// A fetched token, and the one that renews it.
#[tokio::test]
async fn of_tokens_that_were_fetched() {
    let _told = Told::listen();
    let tokens = json!({
        "access_token": format!("{ACCESS}-1"), "refresh_token": format!("{REFRESH}-1"), "expires_in": 0
    });
    let logins = Scripted::start([
        ok(&tokens.to_string()),
        told(&format!("{REFRESH}-1 is wrong")),
        told(&format!("{PASSWORD} is wrong, and {REFRESH}-1 was")),
    ])
    .await;
    let api = Scripted::start([told(&format!("{ACCESS}-1 is wrong"))]).await;
    let client = Client::builder(&api.endpoint()).wire(Wire::Rest).token_url(logins.endpoint());
    let client = client.login("ada", PASSWORD).retry(RetryPolicy::none()).connect_lazy().unwrap();
    for secret in [ACCESS, PASSWORD] {
        let call = client.device_tasks().list_tasks(ListTasksRequest::default());
        assert_clean(&call.send().await.unwrap_err(), secret);
    }
    assert_eq!(logins.seen().len(), 3);
}
