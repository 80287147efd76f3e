//! The client over gRPC: options, errors, limits, pages.

use std::time::Duration;

use crate::support::greeter::{PEOPLE, Running};
use added_service::client::Greeter;
use added_service::proto::example::greeter::v1::{
    GreetRequest, Greeting, ListPeopleRequest, greeting::Warmth,
};
use eset_protect::proto::google::rpc::BadRequest;
use eset_protect::{CallOptions, Client, Error, ErrorKind, RetryPolicy};
use tonic::Code;

fn greet(person: &str) -> GreetRequest {
    let greeting = Greeting {
        warmths: vec![Warmth::Warm.into()],
        r#type: "kind".to_owned(),
        ..Default::default()
    };
    GreetRequest { person: person.to_owned(), greeting: Some(greeting) }
}

async fn handle(server: &Running) -> Greeter {
    Greeter::new(Client::connect(&server.endpoint()).await.expect("a connection"))
}

async fn failure(server: &Running, person: &str) -> Error {
    handle(server)
        .await
        .greet(greet(person))
        .retry(RetryPolicy::none())
        .await
        .expect_err("a refusal")
}

#[tokio::test]
async fn an_answer_comes_with_its_metadata() {
    let server = Running::start().await;
    let call = handle(&server).await.greet(greet("anyone")).metadata("x-echo", "hello");
    let response = call.send().await.unwrap();
    assert_eq!(response.metadata().get("x-echo").unwrap(), "hello");
    assert_eq!(response.get_ref().greeting.as_ref().unwrap().r#type, "kind");
}

#[tokio::test]
async fn an_answer_without_what_it_is_for_is_an_error() {
    let server = Running::start().await;
    let request = greet("a stranger");
    let error = handle(&server).await.greet(request).await.unwrap_err();
    assert_eq!(error.to_string(), "Greet: INTERNAL: the response has no `greeting`");
    assert!(error.kind() == ErrorKind::Transport && error.may_have_executed());
}

/// A server that forwards calls returns the error of its own client.
#[tokio::test]
async fn an_error_is_cloned_and_forwarded_as_a_status() {
    let server = Running::start().await;
    let error = failure(&server, "code 9").await;
    let copy = error.clone();
    assert_eq!(format!("{copy:?}"), format!("{error:?}"));
    assert_eq!((copy.attempts(), copy.request_id()), (1, Some("00c0ffee")));
    let status = tonic::Status::from(error);
    assert_eq!((status.code(), status.message()), (Code::FailedPrecondition, "refused"));
    assert_eq!(status.metadata().get("request-id").unwrap(), "00c0ffee");
    let again = Error::from(status);
    assert_eq!(again.details(), copy.details());
    assert_eq!(again.details().len(), 2);
    let violations = again.detail::<BadRequest>().unwrap().field_violations;
    assert_eq!(violations[0].description, "too cold");
}

#[tokio::test]
async fn the_deadline_travels_to_the_server() {
    let server = Running::start().await;
    let call = handle(&server).await.greet(greet("anyone")).timeout(Duration::from_secs(7));
    let response = call.send().await.unwrap();
    let timeout = response.metadata().get("x-timeout").unwrap().to_str().unwrap();
    let left: u64 = timeout.strip_suffix('m').unwrap().parse().unwrap();
    // The time for connecting and encoding has already passed.
    assert!((6_000..=7_000).contains(&left), "{timeout}");
}

#[tokio::test]
async fn a_local_timeout_is_a_deadline_error() {
    let server = Running::start().await;
    let call = handle(&server).await.greet(greet("nobody")).timeout(Duration::from_millis(30));
    let error = call.await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Deadline, Code::DeadlineExceeded));
    assert!(error.is_deadline_exceeded() && error.may_have_executed());
    assert!(error.to_string().starts_with("Greet: DEADLINE_EXCEEDED: "), "{error}");
}

#[tokio::test]
async fn a_call_without_time_is_not_sent() {
    let server = Running::start().await;
    let call = handle(&server).await.greet(greet("nobody")).timeout(Duration::ZERO);
    let error = call.await.unwrap_err();
    assert!(error.is_deadline_exceeded() && !error.may_have_executed(), "{error:?}");
}

#[tokio::test]
async fn every_code_arrives_with_details_and_request_id() {
    let server = Running::start().await;
    for number in 1..=16 {
        let error = failure(&server, &format!("code {number}")).await;
        assert_eq!((error.kind(), error.code()), (ErrorKind::Status, Code::from(number)));
        assert_eq!(error.message(), "refused");
        assert_eq!(error.request_id(), Some("00c0ffee"));
        assert_eq!(error.rpc().unwrap().method, "Greet");
        assert_eq!(error.details().len(), 2, "the unknown detail is kept too");
        let detail: BadRequest = error.detail().unwrap();
        assert_eq!(detail.field_violations[0].field, "greeting.warmth");
        assert!(error.to_string().ends_with("refused (request-id 00c0ffee)"), "{error}");
    }
}

#[tokio::test]
async fn predicates_say_what_a_caller_can_do() {
    let server = Running::start().await;
    // (code, retryable, may have executed)
    for (number, retryable, executed) in [
        (1, false, true),
        (2, false, true),
        (3, false, false),
        (4, false, true),
        (5, false, false),
        (6, false, false),
        (7, false, false),
        (8, true, false),
        (9, false, false),
        (10, false, true),
        (11, false, false),
        (12, false, false),
        (13, false, true),
        (14, true, true),
        (15, false, true),
        (16, false, false),
    ] {
        let error = failure(&server, &format!("code {number}")).await;
        assert_eq!(
            (error.is_retryable(), error.may_have_executed()),
            (retryable, executed),
            "{error}"
        );
    }
}

#[tokio::test]
async fn an_answer_over_the_limit_says_which_and_how_to_raise_it() {
    let server = Running::start().await;
    let client = Client::builder(&server.endpoint()).max_message_size(10_000).connect().await;
    let greeter = Greeter::new(client.unwrap());
    greeter.greet(greet("large 9900")).await.unwrap();
    let error = greeter.greet(greet("large 10000")).await.unwrap_err();
    assert!(error.is_limit_exceeded() && error.may_have_executed(), "{error:?}");
    assert!(error.to_string().contains("has 10006 bytes"), "{error}");
    assert!(error.to_string().contains("the limit is 10000 bytes"), "{error}");
    assert!(error.to_string().contains("ClientBuilder::max_message_size"), "{error}");
}

#[tokio::test]
async fn a_request_over_the_limit_is_not_sent() {
    let server = Running::start().await;
    let client = Client::builder(&server.endpoint()).max_message_size(1000).connect().await;
    let error = Greeter::new(client.unwrap()).greet(greet(&"x".repeat(1000))).await.unwrap_err();
    assert!(error.is_limit_exceeded() && !error.may_have_executed(), "{error:?}");
    assert!(error.to_string().contains("ClientBuilder::max_message_size"), "{error}");
}

#[tokio::test]
async fn sixteen_mebibytes_pass_by_default() {
    let server = Running::start().await;
    let size = 16 * 1024 * 1024 - 20;
    let response = handle(&server).await.greet(greet(&format!("large {size}"))).await.unwrap();
    assert_eq!(response.bytes_value.len(), size);
}

#[tokio::test]
async fn nothing_listens() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);

    let error = Client::connect(&endpoint).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(error.to_string().contains(&endpoint), "{error}");

    let client = Client::builder(&endpoint).connect_lazy().unwrap();
    let error = Greeter::new(client).greet(greet("anyone")).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Connect, Code::Unavailable), "{error:?}");
    assert!(error.is_retryable() && !error.may_have_executed());
}

#[tokio::test]
async fn wrong_endpoints_are_refused_with_what_was_expected() {
    for (endpoint, problem) in [
        ("", "found \"\""),
        ("127.0.0.1:80", "no scheme"),
        ("ftp://host", "neither http nor https"),
        ("http://", "found \"http://\""),
        ("http://host/path", "neither path nor query"),
        ("http://host?x=1", "neither path nor query"),
        ("http://a b", "found \"http://a b\""),
        ("http://host:99999", "found \"http://host:99999\""),
        ("http://[fe80::1%25lo]:80", "an IPv6 address with a zone"),
    ] {
        let error = Client::builder(endpoint).connect_lazy().expect_err(endpoint);
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains(problem), "{endpoint}: {error}");
    }
    for endpoint in
        ["http://user:hunter2@host", "http://[user%41:hunter2@host", "http://[::1]%:hunter2@x"]
    {
        let error = Client::builder(endpoint).connect_lazy().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    }
}

#[tokio::test]
async fn schemes_ignore_case() {
    let server = Running::start().await;
    let endpoint = server.endpoint().replace("http", "HTTP");
    let client = Client::builder(&endpoint).connect_lazy().unwrap();
    Greeter::new(client).greet(greet("anyone")).await.unwrap();
    Client::builder("HttpS://host").connect_lazy().unwrap();
}

#[tokio::test]
async fn metadata_that_cannot_be_sent_is_refused_and_never_shown() {
    let server = Running::start().await;
    let greeter = handle(&server).await;
    for (key, value) in [
        ("Bad Key", "v"),
        ("x-bin", "v"),
        ("", "v"),
        ("x-token", "hunter2\n"),
        ("x-a", "\u{e9}"),
        ("x-a", " v"),
        ("x-a", "v "),
        ("x-a", "a\tb"),
        ("x-a", "a\u{7f}"),
    ] {
        let call = greeter.greet(greet("anyone")).metadata(key, value);
        let error = call.await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{key}");
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    }
    let options = CallOptions::new().metadata("authorization", "Bearer hunter2");
    let call = greeter.greet(greet("anyone")).options(options);
    assert!(!format!("{call:?}").contains("hunter2"), "{call:?}");
}

#[tokio::test]
async fn items_go_over_all_pages() {
    let server = Running::start().await;
    let greeter = handle(&server).await;
    for page_size in [0, 7, 999, 5000] {
        let request = ListPeopleRequest { page_size, ..Default::default() };
        let mut items = greeter.list_people(request).items();
        let mut seen = 0;
        while let Some(person) = items.next().await {
            assert_eq!(person.unwrap().name, seen.to_string());
            seen += 1;
        }
        assert_eq!(seen, PEOPLE);
        assert!(items.next().await.is_none());
    }
}

#[tokio::test]
async fn a_list_can_be_taken_up_again() {
    let server = Running::start().await;
    let greeter = handle(&server).await;
    let mut pages = greeter.list_people(ListPeopleRequest::default()).pages();
    assert_eq!(pages.next().await.unwrap().unwrap().people.len(), 1000);
    let page_token = pages.page_token().unwrap().to_owned();
    assert_eq!(page_token, "1000");

    let request = ListPeopleRequest { page_token, ..Default::default() };
    let mut items = greeter.list_people(request).items();
    assert_eq!(items.next().await.unwrap().unwrap().name, "1000");
}

#[tokio::test]
async fn a_repeated_page_token_is_an_error_and_not_an_endless_list() {
    let server = Running::start().await;
    let request = ListPeopleRequest { page_size: 13, ..Default::default() };
    let mut pages = handle(&server).await.list_people(request).pages();
    // The page with the token, and the page with the repeated token.
    assert!(pages.next().await.unwrap().is_ok());
    assert!(pages.next().await.unwrap().is_ok());
    let error = pages.next().await.unwrap().unwrap_err();
    assert!(error.to_string().contains("same page token twice"), "{error}");
    assert!(pages.next().await.is_none());
}

#[tokio::test]
async fn clones_share_a_client_and_futures_can_be_spawned() {
    let server = Running::start().await;
    let greeter = handle(&server).await;
    let calls = (0..50).map(|n| {
        let greeter = greeter.clone();
        tokio::spawn(async move { greeter.greet(greet(&n.to_string())).await })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap().unwrap();
    }
}

/// Returns a client's configuration from these variables, without the prefix of their names.
fn from_vars(vars: &[(&str, &str)]) -> Result<eset_protect::ClientBuilder, Error> {
    eset_protect::ClientBuilder::from_vars(|name| {
        let name = name.strip_prefix("ESET_PROTECT_")?;
        vars.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into())
    })
}

#[tokio::test]
async fn the_environment_configures_a_client() {
    let server = Running::start().await;
    let endpoint = server.endpoint();
    let vars = [("ENDPOINT", &*endpoint), ("TIMEOUT", "7s"), ("MAX_ATTEMPTS", "1"), ("TOKEN", "")];
    let client = from_vars(&vars).unwrap().connect().await.unwrap();
    let response = Greeter::new(client).greet(greet("anyone")).send().await.unwrap();
    let timeout = response.metadata().get("x-timeout").unwrap().to_str().unwrap();
    let left: u64 = timeout.strip_suffix('m').unwrap().parse().unwrap();
    assert!((6_000..=7_000).contains(&left), "{timeout}");
}

#[test]
fn a_wrong_variable_is_named() {
    for (vars, expected) in [
        (&[("ENDPOINT", "ftp://x")][..], "ENDPOINT: expected http://HOST:PORT or https://HOST"),
        (&[("ENDPOINT", "http://a:geheim@x")], "ENDPOINT: credentials do not belong in an"),
        (&[("MAX_ATTEMPTS", "0")], "MAX_ATTEMPTS: expected a number from 1 to 4294967295, found"),
        (&[("RATE", "-1")], "RATE: expected calls a second, from 1 to 10000, or 0 or `off`"),
        (&[("TIMEOUT", "0s")], "TIMEOUT: expected a time greater than zero, found \"0s\""),
        (&[("TIMEOUT", "28h")], "TIMEOUT: expected at most 27 hours, found \"28h\""),
        (&[("PASSWORD", "geheim")], "USERNAME: expected the user whose password is in ESET_"),
        (&[("USERNAME", "a")], "PASSWORD: expected the password of \"a\""),
        (
            &[("TOKEN", "geheim"), ("USERNAME", "a")],
            "TOKEN, ESET_PROTECT_USERNAME: expected only one of them",
        ),
        (&[("TOKEN", "geheim\nx")], "TOKEN: expected a token of visible ASCII without spaces"),
        (&[("TOKEN", " geheim")], "TOKEN: expected a token of visible ASCII without spaces"),
        (&[("TOKEN", "geheim x")], "TOKEN: expected a token of visible ASCII without spaces"),
        (&[("TOKEN", "geheim\u{e4}")], "TOKEN: expected a token of visible ASCII without spaces"),
        (&[("CREDENTIALS", "/no/such/file")], "CREDENTIALS /no/such/file: "),
        (&[("TOKEN", "geheim"), ("ENDPOINT", "http://x")], "ENDPOINT \"http://x\": an access"),
        #[cfg(feature = "rest")]
        (&[("REGION", "mars")], "REGION: expected eu, de, us, ca or jpn, found \"mars\""),
        #[cfg(feature = "rest")]
        (&[("REGION", "eu"), ("WIRE", "grpc")], "WIRE: it is for an endpoint; the cloud and"),
        #[cfg(feature = "rest")]
        (&[("REGION", "eu"), ("ON_PREM", "x")], "REGION, ESET_PROTECT_ON_PREM: expected only one"),
        #[cfg(feature = "rest")]
        (&[("TOKEN_URL", "geheim")], "TOKEN_URL: expected https://HOST[:PORT]/PATH"),
        #[cfg(feature = "rest")]
        (&[("TOKEN_URL", "http://x/t")], "TOKEN_URL \"http://x/t\": a password travels by https"),
        #[cfg(not(feature = "rest"))]
        (&[("REGION", "eu")], "REGION: it needs the cargo feature `rest`"),
        #[cfg(not(feature = "rest"))]
        (&[("USERNAME", "a"), ("PASSWORD", "b")], "USERNAME: it needs the cargo feature `rest`"),
        #[cfg(feature = "tls")]
        (&[("CA_CERT", "Cargo.toml")], "CA_CERT Cargo.toml: expected PEM, found no certificate"),
    ] {
        let error = from_vars(vars).expect_err("a wrong variable");
        assert_eq!(error.kind(), ErrorKind::Config);
        let message = error.to_string();
        let expected = format!("ESET_PROTECT_{expected}");
        assert!(message.contains(&expected) && !message.contains("geheim"), "{vars:?}: {message}");
    }
}
