//! Which metadata reaches the upstream.

use bytes::Bytes;
use eset_protect::Wire;
use eset_protect::automation::v1::ListTasksRequest;
use eset_protect::automation::v1::device_tasks_client::DeviceTasksClient;
use eset_protect::serve::Bridge;
use http::{HeaderMap, HeaderValue, Request};

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
