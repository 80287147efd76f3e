//! What web pages of other origins may do.

use bytes::Bytes;
use eset_protect::Wire;
use eset_protect::automation::v1::ListTasksRequest;
use eset_protect::emulator::Running;
use eset_protect::serve::{Access, Bridge, Caller, Identity, RunningBridge, TokenHash};
use http::{Request, Version};

use crate::fronts::grpc_web;
use crate::{client, emulator, send};

const LIST: &str = "/v1/device_tasks";
const PAGE: &str = "https://console.example";

async fn bridge(configure: impl FnOnce(Bridge) -> Bridge) -> (Running, RunningBridge) {
    let emulator = emulator().await;
    let bridge = configure(Bridge::to(client(&emulator.endpoint(), Wire::Grpc)));
    (emulator, bridge.start().await.unwrap())
}

/// Sends a request without a body, as a page can without asking first, and returns the status and the text.
async fn ask(bridge: &RunningBridge, line: &str, headers: &[(&str, &str)]) -> (u16, String) {
    let (method, path) = line.split_once(' ').unwrap();
    let request = Request::builder().method(method).uri(format!("{}{path}", bridge.endpoint()));
    let request =
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    let answer = send(request.body(Bytes::new()).unwrap()).await;
    (answer.status().as_u16(), String::from_utf8_lossy(answer.body()).into_owned())
}

#[tokio::test]
async fn pages_of_other_origins_are_refused() {
    let (emulator, bridge) = bridge(|bridge| bridge).await;
    let port = bridge.local_addr().port();
    let own = format!("http://127.0.0.1:{port}");
    let other_port = format!("http://127.0.0.1:{}", emulator.local_addr().port());
    let uuid = "0b7f0000-0000-4000-8000-000000000000";
    let delete = format!("DELETE {LIST}/{uuid}");
    for origin in ["https://evil.example", "null", &other_port, ""] {
        for line in [&format!("GET {LIST}"), &delete, "GET /", "OPTIONS /"] {
            let (status, text) = ask(&bridge, line, &[("origin", origin)]).await;
            assert_eq!(status, 403, "{line}: {text}");
            assert!(text.contains("origin: ") && text.contains("expected"), "{text}");
        }
        let mut request = grpc_web(&bridge.endpoint(), &ListTasksRequest::default());
        request.headers_mut().insert("origin", origin.parse().unwrap());
        assert_eq!(send(request).await.status(), 403);
    }
    let two = [("origin", own.as_str()), ("origin", "https://evil.example")];
    assert_eq!(ask(&bridge, &delete, &two).await.0, 403);
    for site in ["cross-site", "same-site"] {
        let (status, text) = ask(&bridge, &delete, &[("sec-fetch-site", site)]).await;
        assert!(status == 403 && text.contains("sec-fetch-site: expected"), "{text}");
        // A link to the start page.
        assert_eq!(ask(&bridge, "GET /", &[("sec-fetch-site", site)]).await.0, 200);
    }
    assert!(emulator.log().is_empty());
    let same = [("origin", own.as_str()), ("sec-fetch-site", "same-origin")];
    assert_eq!(ask(&bridge, &format!("GET {LIST}"), &same).await.0, 200);
    assert_eq!(ask(&bridge, &delete, &same).await.0, 404);
    assert_eq!(ask(&bridge, &delete, &[("sec-fetch-site", "none")]).await.0, 404);
}

#[tokio::test]
async fn where_anyone_may_call_the_host_is_this_machine() {
    let (emulator, open) = bridge(|bridge| bridge).await;
    let list = format!("GET {LIST}");
    for host in [
        "evil.example",
        "evil.example:50052",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "[x]",
    ] {
        let (status, text) = ask(&open, &list, &[("host", host)]).await;
        assert_eq!(status, 403, "{host}: {text}");
        assert!(text.contains("host: ") && text.contains("expected localhost"), "{text}");
    }
    let mut web = grpc_web(&open.endpoint(), &ListTasksRequest::default());
    web.headers_mut().insert("host", "evil.example".parse().unwrap());
    assert_eq!(send(web).await.status(), 403);
    let two = Request::get(format!("{}{LIST}", open.endpoint())).version(Version::HTTP_2);
    let two = two.header("host", "evil.example").body(Bytes::new()).unwrap();
    assert_eq!(send(two).await.status(), 403);
    assert!(emulator.log().is_empty());
    for host in ["localhost", "LOCALHOST:1", "127.0.0.1", "192.0.2.1:80", "[::1]", "[::1]:50052"] {
        assert_eq!(ask(&open, &list, &[("host", host)]).await.0, 200, "{host}");
    }

    // Where callers show who they are, the name is whatever leads here.
    let access = Access::new().tenant("default", client(&emulator.endpoint(), Wire::Grpc));
    let caller = Caller::new("soar", Identity::Token(TokenHash::of("secret"))).tenant("default");
    let known = Bridge::new(access.caller(caller).unwrap()).start().await.unwrap();
    let headers = [("host", "bridge.example"), ("authorization", "Bearer secret")];
    assert_eq!(ask(&known, &list, &headers).await.0, 200);
    let [host, token] = headers;
    assert_eq!(
        ask(&known, &list, &[host, token, ("origin", "https://bridge.example")]).await.0,
        200
    );
    assert_eq!(ask(&known, &list, &[host, token, ("origin", PAGE)]).await.0, 403);
}

#[tokio::test]
async fn allowed_origins_may_call() {
    let (_emulator, bridge) = bridge(|bridge| bridge.allow_origin(PAGE.parse().unwrap())).await;
    let list = format!("GET {LIST}");
    assert_eq!(ask(&bridge, &list, &[("origin", PAGE)]).await.0, 200);
    assert_eq!(ask(&bridge, &list, &[("host", "console.example:8080")]).await.0, 200);
    assert_eq!(ask(&bridge, &list, &[("origin", "https://evil.example")]).await.0, 403);
    let (_emulator, every) = self::bridge(|bridge| bridge.allow_origin("*".parse().unwrap())).await;
    let headers = [("origin", "https://evil.example"), ("host", "evil.example")];
    assert_eq!(ask(&every, &list, &headers).await.0, 200);
}

#[tokio::test]
async fn only_pages_get_headers_for_pages() {
    let (_emulator, bridge) = bridge(|bridge| bridge.allow_origin(PAGE.parse().unwrap())).await;
    let headers_of = async |mut request: Request<Bytes>, origin: Option<&'static str>| {
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse().unwrap());
        }
        let headers = send(request).await.headers().clone();
        let is_cors = |name: &str| name.starts_with("access-control-") || name == "vary";
        let found = headers.keys().map(|name| name.as_str().to_owned());
        found.filter(|name| is_cors(name)).collect::<std::collections::BTreeSet<_>>()
    };
    let grpc = || {
        let mut request = grpc_web(&bridge.endpoint(), &ListTasksRequest::default());
        *request.version_mut() = Version::HTTP_2;
        request.headers_mut().insert("content-type", "application/grpc".parse().unwrap());
        request
    };
    let web = || grpc_web(&bridge.endpoint(), &ListTasksRequest::default());
    let rest = || Request::get(format!("{}{LIST}", bridge.endpoint())).body(Bytes::new()).unwrap();
    for request in [grpc(), web()] {
        let found = headers_of(request, None).await;
        assert!(found.is_empty(), "{found:?}");
    }
    // So that no cache gives a page what it has kept of another request.
    assert_eq!(headers_of(rest(), None).await.into_iter().collect::<Vec<_>>(), ["vary"]);
    for request in [web(), rest()] {
        let found = headers_of(request, Some(PAGE)).await;
        for name in ["access-control-allow-origin", "access-control-expose-headers", "vary"] {
            assert!(found.contains(name), "{found:?}");
        }
    }
}
