//! Which metadata reaches the upstream, and which comes back.

use bytes::Bytes;
use eset_protect::Wire;
use eset_protect::automation::v1::device_tasks_client::DeviceTasksClient;
use eset_protect::automation::v1::{ListTasksRequest, ListTasksResponse};
use eset_protect::emulator::Fault;
use eset_protect::serve::Bridge;
use http::{HeaderMap, HeaderValue, Request, StatusCode, Version};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioExecutor;
use tonic::Code;

use crate::fronts::grpc_web;
use crate::support::scripted::h2::{End, H2Server, Reply as Script, frame};
use crate::{Fixture, WIRES, client, emulator, send};

/// What a caller sends beside the call. Only the first two are for the upstream.
const SENT: [(&str, &str); 14] = [
    ("x-kept", "yes"),
    ("x-kept-bin", "AAEC"),
    ("authorization", "Bearer of-the-caller"),
    ("cookie", "session=of-the-caller"),
    ("proxy-authorization", "Basic of-the-caller"),
    ("user-agent", "a-caller/1"),
    ("origin", "https://console.example"),
    ("referer", "https://console.example/"),
    ("forwarded", "for=192.0.2.1"),
    ("x-forwarded-for", "192.0.2.1"),
    ("sec-fetch-mode", "cors"),
    ("response-id", "of-another-call"),
    ("eset-protect-tenant", "default"),
    ("eset-protect-code-inferred-from", "404"),
];

fn assert_kept(route: &str, arrived: &HeaderMap) {
    for (name, value) in SENT.iter().take(2) {
        assert_eq!(
            arrived.get(*name).map(|v| v.as_bytes()),
            Some(value.as_bytes()),
            "{route}: {name}"
        );
    }
    for (name, value) in SENT.iter().skip(2) {
        let found = arrived.get(*name).and_then(|found| found.to_str().ok()).unwrap_or_default();
        assert!(!found.contains(value) && !found.contains("redacted"), "{route}: {name}: {found}");
    }
    assert!(arrived["user-agent"].to_str().unwrap().starts_with("eset-protect/"), "{route}");
    assert!(!arrived.contains_key("x-hop"), "{route}");
}

#[tokio::test]
async fn what_concerns_the_caller_stays_with_the_bridge() {
    for upstream in WIRES {
        let emulator = emulator().await;
        let bridge = Bridge::to(client(&emulator.endpoint(), upstream));
        let bridge = bridge.allow_origin("https://console.example".parse().unwrap());
        let fixture = Fixture { emulator, bridge: bridge.start().await.unwrap() };
        let endpoint = fixture.bridge.endpoint();
        let mut grpc = DeviceTasksClient::connect(endpoint.clone()).await.unwrap();
        let mut request = tonic::Request::new(ListTasksRequest::default());
        let headers = SENT.into_iter().filter(|(name, _)| *name != "user-agent");
        let headers: HeaderMap =
            headers.map(|(n, v)| (n.parse().unwrap(), v.parse().unwrap())).collect();
        *request.metadata_mut() = tonic::metadata::MetadataMap::from_headers(headers);
        grpc.list_tasks(request).await.unwrap();
        assert_kept("gRPC", &fixture.emulator.log().last().unwrap().headers);

        let request = Request::get(format!("{endpoint}/v1/device_tasks"));
        let request =
            SENT.into_iter().fold(request, |request, (name, value)| request.header(name, value));
        let request =
            request.header("connection", "x-hop").header("x-hop", "1").header("te", "gzip");
        assert_eq!(send(request.body(Bytes::new()).unwrap()).await.status(), 200);
        assert_kept("REST", &fixture.emulator.log().last().unwrap().headers);
    }
}

/// Headers that would make a call another one or say who makes it, and others that are only alike.
const KEPT_BACK: [&str; 104] = [
    "ocp-apim-subscription-key",
    "x-functions-key",
    "x-access-key",
    "private-key",
    "passwd",
    "x-pass",
    "bearer",
    "x-session-id",
    "x-saml",
    "x-webauth-user",
    "x-userinfo",
    "x-endpoint-api-userinfo",
    "x-apigateway-api-userinfo",
    "x-consumer-username",
    "x_access_key",
    "digest",
    "repr-digest",
    "want-content-digest",
    "x-http-method-override",
    "x-http-method",
    "x_http_method_override",
    "x-method-override",
    "x-original-url",
    "x-original-method",
    "x-original-uri",
    "x-rewrite-url",
    "x-api-key",
    "x_api_key",
    "api-key",
    "x-authorization",
    "x-auth-request-user",
    "x-goog-iap-jwt-assertion",
    "x-amzn-oidc-data",
    "x-csrf-token",
    "x-xsrf-token",
    "dpop",
    "set-cookie",
    "authentication-info",
    "cf-connecting-ip",
    "cf-access-jwt-assertion",
    "true-client-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-real-ip",
    "x-envoy-original-path",
    "x-forwarded-proto",
    "x-forwarded",
    "x-remote-user",
    "remote-user",
    "x-ms-client-principal",
    "impersonate-user",
    "client-cert",
    "ssl-client-verify",
    "max-forwards",
    "proxy-authentication-info",
    "cdn-loop",
    "from",
    "signature-input",
    "prefer",
    "x-requested-with",
    "access-control-request-method",
    "strict-transport-security",
    "x-csrftoken",
    "x-xsrftoken",
    "authtoken",
    "x-authtoken",
    "accesstoken",
    "idtoken",
    "x-sessiontoken",
    "jsessionid",
    "apitoken",
    "apisecret",
    "clientsecret",
    "subscriptionkey",
    "samlresponse",
    "passcode",
    "passphrase",
    "x-otp",
    "x-totp",
    "x-mfa-code",
    "x-pin",
    "smsession",
    "x-hmac",
    "x-assertion",
    "x-tokenizer",
    "iv-user",
    "iv-creds",
    "iv-groups",
    "sm_user",
    "sm-userdn",
    "oam_remote_user",
    "tailscale-user-login",
    "x-vouch-user",
    "x-arr-clientcert",
    "ssl-cert",
    "x-tls-client-cert",
    "wl-proxy-client-ip",
    "fly-client-ip",
    "client-ip",
    "x-originating-ip",
    "x-proxyuser-ip",
    "x-http-host",
    "front-end-https",
    "x-url-scheme",
];
const PASSED_ON: [&str; 8] = [
    "x-request-id",
    "x-team",
    "x-author",
    "idempotency-key",
    "x-idempotency-key",
    "x-cfg",
    "x-passage",
    "x-keyword",
];

#[tokio::test]
async fn no_header_makes_a_call_another_one() {
    for upstream in WIRES {
        let fixture = Fixture::start(upstream).await;
        // HTTP/1.1 has at most 100 headers.
        for kept_back in KEPT_BACK.chunks(70) {
            let request = Request::get(format!("{}/v1/device_tasks", fixture.bridge.endpoint()));
            let names = kept_back.iter().chain(&PASSED_ON);
            let request =
                names.fold(request, |request, name| request.header(*name, "of-the-caller"));
            assert_eq!(send(request.body(Bytes::new()).unwrap()).await.status(), 200);
            let arrived = fixture.emulator.log().last().unwrap().headers.clone();
            for name in kept_back {
                assert!(!arrived.contains_key(*name), "{upstream:?}: {name}");
            }
            for name in PASSED_ON {
                assert_eq!(arrived[name], "of-the-caller", "{upstream:?}");
            }
        }
    }
}

/// What an upstream says of its own origin.
const OF_THE_UPSTREAM: [&str; 30] = [
    "access-control-allow-origin",
    "access-control-allow-credentials",
    "authentication-info",
    "alt-svc",
    "cache-control",
    "clear-site-data",
    "content-security-policy",
    "content-security-policy-report-only",
    "cross-origin-opener-policy",
    "link",
    "location",
    "nel",
    "permissions-policy",
    "referrer-policy",
    "refresh",
    "report-to",
    "service-worker-allowed",
    "set-cookie",
    "strict-transport-security",
    "vary",
    "www-authenticate",
    "x-content-type-options",
    "x-frame-options",
    "x-cache",
    "x-cache-lookup",
    "x-internal-host",
    "x-powered-by",
    "x-served-by",
    "x-squid-error",
    "x-varnish",
];

#[tokio::test]
async fn what_an_upstream_says_of_its_origin_is_not_heard_as_said_by_the_bridge() {
    for upstream in WIRES {
        let fixture = Fixture::start(upstream).await;
        let endpoint = fixture.bridge.endpoint();
        for _ in 0..2 {
            let fault = Fault::status(Code::NotFound, "gone", Vec::new());
            let names = OF_THE_UPSTREAM.into_iter().chain(["x-kept"]);
            let fault = names.fold(fault, |fault, name| {
                fault.header(name.parse().unwrap(), HeaderValue::from_static("of-the-upstream"))
            });
            fixture.emulator.faults().push_for("ListTasks", fault);
        }
        let rest = Request::get(format!("{endpoint}/v1/device_tasks")).body(Bytes::new()).unwrap();
        for request in [rest, grpc_web(&endpoint, &ListTasksRequest::default())] {
            let response = send(request).await;
            let headers = response.headers();
            assert_eq!(headers["x-kept"], "of-the-upstream", "{response:?}");
            for name in OF_THE_UPSTREAM {
                let found = headers.get(name);
                assert!(found.is_none_or(|v| v != "of-the-upstream"), "{upstream:?}: {name}");
            }
        }
    }
}

/// Makes a call over REST and one over gRPC-Web to an upstream that fails or answers with these headers, and returns
/// the headers of the bridge.
async fn answered(fixture: &Fixture, status: StatusCode, sent: &[(&str, &str)]) -> Vec<HeaderMap> {
    let endpoint = fixture.bridge.endpoint();
    let rest = Request::get(format!("{endpoint}/v1/device_tasks")).body(Bytes::new()).unwrap();
    let mut answered = Vec::new();
    for request in [rest, grpc_web(&endpoint, &ListTasksRequest::default())] {
        let fault = Fault::http(status, "application/json", "{}");
        let fault = sent.iter().fold(fault, |fault, (name, value)| {
            fault.header(name.parse().unwrap(), value.parse().unwrap())
        });
        fixture.emulator.faults().push_for("ListTasks", fault);
        answered.push(send(request).await.headers().clone());
    }
    answered
}

#[tokio::test]
async fn no_upstream_forges_the_marks_of_the_bridge() {
    let fixture = Fixture::start(Wire::Rest).await;
    let sent = [
        ("eset-protect-tenant", "of-the-upstream"),
        ("eset-protect-code-inferred-from", "599"),
        ("eset-protect-other", "of-the-upstream"),
        ("grpc-retry-pushback-ms", "5"),
        ("x-kept", "yes"),
    ];
    for status in [StatusCode::OK, StatusCode::NOT_FOUND] {
        for headers in answered(&fixture, status, &sent).await {
            assert_eq!(headers["x-kept"], "yes");
            for (name, value) in &sent[..4] {
                assert!(headers.get(*name).is_none_or(|found| found != value), "{headers:?}");
            }
        }
    }
}

#[tokio::test]
async fn reserved_names_are_no_metadata_of_a_response() {
    let fixture = Fixture::start(Wire::Rest).await;
    let sent = [
        ("grpc-timeout", "1n"),
        ("grpc-previous-rpc-attempts", "7"),
        ("grpc-tags-bin", "AAEC"),
        ("response-id", "of-the-upstream"),
        ("x-kept", "yes"),
    ];
    for status in [StatusCode::OK, StatusCode::NOT_FOUND] {
        for headers in answered(&fixture, status, &sent).await {
            assert_eq!(headers["x-kept"], "yes");
            for (name, _) in &sent[..4] {
                assert!(!headers.contains_key(*name), "{name}: {headers:?}");
            }
        }
    }
}

#[tokio::test]
async fn headers_stay_headers_and_trailers_stay_trailers() {
    let upstream = H2Server::start(|_| {
        let text = |name, value: &str| (name, value.to_owned());
        let trailers = vec![
            text("x-late", "1"),
            text("x-late", "2"),
            text("grpc-status", "0"),
            text("nel", "x"),
        ];
        let message = frame(&ListTasksResponse::default());
        let mut reply = Script::grpc(message, End::Trailers(trailers));
        reply.headers.push(text("x-early", "0"));
        reply
    })
    .await;
    let bridge = Bridge::to(client(&upstream.endpoint(), Wire::Grpc)).start().await.unwrap();
    let mut request = grpc_web(&bridge.endpoint(), &ListTasksRequest::default());
    let headers = request.headers_mut();
    headers.remove("x-grpc-web");
    headers.insert("content-type", HeaderValue::from_static("application/grpc"));
    *request.version_mut() = Version::HTTP_2;
    let mut http = hyper_util::client::legacy::Client::builder(TokioExecutor::new());
    let http = http.http2_only(true).build_http();
    let (head, body) = http.request(request.map(Full::new)).await.unwrap().into_parts();
    let trailers = body.collect().await.unwrap().trailers().cloned().unwrap();
    let all = |headers: &HeaderMap, name: &str| {
        headers.get_all(name).iter().map(|v| v.to_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        (all(&head.headers, "x-early"), all(&head.headers, "x-late")),
        (vec!["0".into()], vec![])
    );
    assert_eq!(
        (all(&trailers, "x-late"), all(&trailers, "grpc-status")),
        (vec!["1".into(), "2".into()], vec!["0".into()])
    );
    assert!(!trailers.contains_key("nel") && !trailers.contains_key("x-early"), "{trailers:?}");
    // REST has no trailers.
    let rest = Request::get(format!("{}/v1/device_tasks", bridge.endpoint()));
    let response = send(rest.body(Bytes::new()).unwrap()).await;
    assert_eq!(all(response.headers(), "x-late"), ["1", "2"]);
}

#[tokio::test]
async fn what_fits_only_the_bytes_of_the_upstream_stays_with_the_bridge() {
    let fixture = Fixture::start(Wire::Rest).await;
    let names = [
        "content-digest",
        "repr-digest",
        "digest",
        "content-md5",
        "signature",
        "signature-input",
        "etag",
        "last-modified",
        "accept-ranges",
        "content-range",
        "want-repr-digest",
        "content-disposition",
    ];
    let sent = names.map(|name| (name, "of-the-upstream"));
    for status in [StatusCode::OK, StatusCode::NOT_FOUND] {
        for headers in answered(&fixture, status, &sent).await {
            let kept = names.into_iter().filter(|name| headers.contains_key(*name));
            assert_eq!(kept.collect::<Vec<_>>(), ["content-disposition"]);
        }
    }
}

/// What HTTP allows, and gRPC's clients and servers fail on.
#[tokio::test]
async fn metadata_that_is_not_grpc_fails_no_call() {
    let fixture = Fixture::start(Wire::Rest).await;
    let sent: [(&str, &[u8]); 9] = [
        ("x-loose-bin", b"AAF="),
        ("x-plain-bin", b"plain!"),
        ("x-none-bin", b"A"),
        ("x-list-bin", b"AAE=, plain!,AAEC"),
        ("x-kept-bin", b"AAE="),
        ("x-latin", b"na\xe9"),
        ("x-tab", b"a\tb"),
        ("x~name", b"a"),
        ("x-kept", b"a b"),
    ];
    for (response, code) in [(StatusCode::OK, None), (StatusCode::NOT_FOUND, Some("5"))] {
        let fault = Fault::http(response, "application/json", "{}");
        let fault = sent.iter().fold(fault, |fault, (name, value)| {
            fault.header(name.parse().unwrap(), HeaderValue::from_bytes(value).unwrap())
        });
        fixture.emulator.faults().push_for("ListTasks", fault);
        let answer = send(grpc_web(&fixture.bridge.endpoint(), &ListTasksRequest::default())).await;
        let headers = answer.headers();
        assert_eq!(headers.get("grpc-status").map(|code| code.to_str().unwrap()), code);
        for name in ["x-plain-bin", "x-none-bin", "x-latin", "x-tab", "x~name"] {
            assert!(!headers.contains_key(name), "{name}: {headers:?}");
        }
        assert_eq!(headers["x-kept-bin"], "AAE=");
        // With bits that are over.
        assert_eq!(headers["x-loose-bin"], "AAF=");
        assert_eq!(headers["x-kept"], "a b");
        let list: Vec<_> = headers.get_all("x-list-bin").iter().collect();
        assert_eq!(list, ["AAE=", "AAEC"]);
    }
}

#[tokio::test]
async fn metadata_that_is_not_grpc_does_not_reach_a_grpc_upstream() {
    for upstream in WIRES {
        let fixture = Fixture::start(upstream).await;
        let ask = async |name: &str, value: &[u8]| {
            let request = Request::get(format!("{}/v1/device_tasks", fixture.bridge.endpoint()));
            let request = request.header(name, HeaderValue::from_bytes(value).unwrap());
            let answer = send(request.body(Bytes::new()).unwrap()).await;
            (answer.status().as_u16(), String::from_utf8_lossy(answer.body()).into_owned())
        };
        let (status, text) = ask("x-y-bin", b"not base64!").await;
        assert!(status == 400 && text.contains("x-y-bin: expected base64"), "{status}: {text}");
        assert!(fixture.emulator.log().is_empty());
        for (name, value) in [("x-latin", &b"na\xe9"[..]), ("x-tab", b"a\tb"), ("x~name", b"a")] {
            assert_eq!(ask(name, value).await.0, 200, "{upstream:?}: {name}");
            let arrived = fixture.emulator.log().last().unwrap().headers.clone();
            assert_eq!(arrived.contains_key(name), upstream == Wire::Rest, "{name}");
        }
        for value in [&b"AAE="[..], b"AAE", b"AAF=", b"AAF", b"", b"AAE=,AAEC"] {
            assert_eq!(ask("x-y-bin", value).await.0, 200, "{upstream:?}");
            let arrived = fixture.emulator.log().last().unwrap().headers.clone();
            assert!(arrived.contains_key("x-y-bin"));
        }
    }
}
