//! What web pages of other origins may do, and `HEAD`.

use eset_protect::emulator::{Auth, Origin};
use http::Method;

use crate::rest_front::fixture::*;

const LIST: &str = "/v1/device_tasks";
const PAGE: &str = "https://console.example";

fn origin(text: &str) -> Origin {
    text.parse().unwrap()
}

#[tokio::test]
async fn pages_of_allowed_origins_can_call_and_read_errors() {
    let fixture = fixture_with(|builder| {
        let builder = builder.auth(Auth::new().account("u", "p"));
        builder.allow_origin(origin(PAGE)).allow_origin(origin("http://localhost:5173"))
    })
    .await;
    // A preflight request has no token.
    let headers = [
        ("origin", PAGE),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "authorization,content-type"),
    ];
    let answer = fixture.http.send(Method::OPTIONS, LIST, &headers, "").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), PAGE);
    assert_eq!(answer.header("access-control-allow-methods"), "POST");
    assert_eq!(answer.header("access-control-allow-headers"), "authorization,content-type");
    assert_eq!(answer.header("access-control-max-age"), "3600");
    assert!(answer.body.is_empty());

    let answer = fixture.http.get_with(LIST, &[("origin", "http://localhost:5173")]).await;
    answer.error(401);
    assert_eq!(answer.header("access-control-allow-origin"), "http://localhost:5173");
    for exposed in ["response-id", "eset-protect-tenant", "content-disposition"] {
        assert!(answer.header("access-control-expose-headers").contains(exposed), "{answer:?}");
    }
    assert!(answer.header("vary").contains("origin"), "{answer:?}");

    for other in ["https://other.example", "http://console.example", "null"] {
        let answer = fixture.http.get_with(LIST, &[("origin", other)]).await;
        assert_eq!(answer.header("access-control-allow-origin"), "", "{answer:?}");
    }
}

#[tokio::test]
async fn every_origin_or_none() {
    let open = fixture_with(|builder| builder.allow_origin(origin("*"))).await;
    let answer = open.http.get_with(LIST, &[("origin", PAGE)]).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), "*");

    let closed = fixture().await;
    let answer = closed.http.get_with(LIST, &[("origin", PAGE)]).await;
    assert_eq!(answer.header("access-control-allow-origin"), "");
    let headers = [("origin", PAGE), ("access-control-request-method", "POST")];
    closed.http.send(Method::OPTIONS, LIST, &headers, "").await.error(403);
}

#[tokio::test]
async fn pages_cannot_call_under_names_of_their_own() {
    let fixture = fixture_with(|builder| builder.allow_origin(origin(PAGE))).await;
    for host in ["127.0.0.1", "[::1]:8080", "localhost:8080", "LOCALHOST", "console.example"] {
        let answer = fixture.http.get_with(LIST, &[("host", host)]).await;
        assert_eq!(answer.status, 200, "{host}: {answer:?}");
    }
    for host in
        ["rebound.example", "rebound.example:50051", "127.0.0.1.example", "localhost.example"]
    {
        for path in [LIST, "/", "/openapi.json", "/oauth/token"] {
            let message = fixture.http.get_with(path, &[("host", host)]).await.error(403);
            assert!(message.contains(host) && message.contains("expected localhost"), "{message}");
        }
    }
    // A page can neither change the origin that its browser sends nor hide that it has another one.
    let own = fixture.running.endpoint();
    for (name, value, status) in [
        ("origin", own.as_str(), 200),
        ("origin", PAGE, 200),
        ("origin", "https://other.example", 403),
        ("sec-fetch-site", "same-origin", 200),
        ("sec-fetch-site", "cross-site", 403),
    ] {
        let headers = [("content-type", "application/json"), (name, value)];
        let body = task("A").to_string();
        let answer = fixture.http.send(Method::POST, LIST, &headers, body).await;
        assert_eq!(answer.status, status, "{name}: {value}: {answer:?}");
    }

    // What asks for a token may have any name.
    let fixture = fixture_with(|builder| builder.auth(Auth::new())).await;
    fixture.http.get_with(LIST, &[("host", "emulator.example")]).await.error(401);
}

#[test]
fn what_is_no_origin_is_told() {
    for wrong in [
        "",
        "console.example",
        "https://",
        "https://console.example/",
        "https://console.example/path",
        "https://Console.example",
        "https://user@console.example",
        "**",
        "https://a b",
    ] {
        let error = wrong.parse::<Origin>().unwrap_err().to_string();
        assert!(error.contains(&format!("`{wrong}`")) && error.contains("expected"), "{error}");
    }
    for right in ["*", "https://console.example", "http://localhost:5173", "http://[::1]:8080"] {
        origin(right);
    }
}

#[tokio::test]
async fn head_is_get_without_a_body() {
    let fixture =
        fixture_with(|builder| builder.head(true).seed(true).auth(Auth::new().account("u", "p")))
            .await;
    let h2 = Http::new(&fixture.running.endpoint(), true);
    let login = "grant_type=password&username=u&password=p";
    let login = fixture.http.form("/oauth/token", login).await.json();
    let token = format!("Bearer {}", login["access_token"].as_str().unwrap());
    let headers = [("authorization", token.as_str())];
    for http in [&fixture.http, &h2] {
        for path in [LIST, "/v1/device_tasks/none", "/openapi.json", "/", "/none"] {
            let get = http.get_with(path, &headers).await;
            let head = http.send(Method::HEAD, path, &headers, "").await;
            assert_eq!(head.status, get.status, "{path}");
            assert!(head.body.is_empty());
            assert_eq!(head.header("content-type"), get.header("content-type"));
            assert_eq!(head.header("content-length"), get.body.len().to_string(), "{path}");
            assert!(!head.header("request-id").is_empty());
        }
        // It is a call and needs a token. Without GET there is no HEAD.
        assert_eq!(http.send(Method::HEAD, LIST, &[], "").await.status, 401);
        assert_eq!(http.send(Method::HEAD, "/GetTokens", &headers, "").await.status, 405);
    }
    let found = fixture.running.log();
    assert!(
        found.iter().any(|arrival| arrival.method == Method::HEAD && arrival.is_rpc("ListTasks"))
    );

    let without = crate::rest_front::fixture::fixture().await;
    assert_eq!(without.http.send(Method::HEAD, LIST, &[], "").await.status, 405);
}
