//! Where requests go, and what is sent with them.

use eset_protect::auth::StaticToken;
use eset_protect::{CallOptions, Client, Error, ErrorKind, Region, TlsConfig, Wire};
use tokio::net::TcpListener;

use crate::rest::calls::{TASK, builder, client, get};
use crate::support::scripted::{Scripted, json, ok};
use crate::support::tls::{acceptor, issue, new_authority};

const POLICY: &str = r#"{"policy":{"uuid":"p-1"}}"#;

async fn policy(client: &Client) -> Result<(), Error> {
    client.policies().get_policy("p-1").await.map(drop)
}

#[tokio::test]
async fn a_region_has_a_host_per_service() {
    for region in Region::ALL {
        assert_eq!(region.name().parse::<Region>().unwrap(), region);
        let (automation, policies) =
            (Scripted::start([ok(TASK)]).await, Scripted::start([ok(POLICY)]).await);
        let client = Client::cloud(region)
            .host("automation", automation.endpoint())
            .host("policy-management", policies.endpoint())
            .connect_lazy()
            .unwrap();
        get(&client).await.unwrap();
        policy(&client).await.unwrap();
        assert_eq!(automation.seen()[0].line(), "GET /v1/device_tasks/t-1");
        assert_eq!(policies.seen()[0].line(), "GET /v2/policies/p-1");
    }
    assert_eq!("jp".parse::<Region>().unwrap_err().kind(), ErrorKind::Config);
}

#[tokio::test]
async fn on_prem_has_one_origin() {
    let server = Scripted::start([ok(TASK), ok(POLICY)]).await;
    let client = Client::on_prem(&format!("{}/", server.endpoint())).connect_lazy().unwrap();
    get(&client).await.unwrap();
    policy(&client).await.unwrap();
    let seen = server.seen();
    assert_eq!(seen[1].line(), "GET /v2/policies/p-1");
    assert_eq!(seen[0].header("host"), Some(server.address().to_string().as_str()));
}

#[tokio::test]
async fn a_service_in_the_clear_stands_beside_one_with_tls() {
    let authority = new_authority();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let identity = issue(&authority, "localhost");
    let secure =
        Scripted::accept(listener, [ok(POLICY)], acceptor(&identity, &[b"http/1.1"], None));
    let clear = Scripted::start([ok(TASK)]).await;
    let client = Client::on_prem(&format!("https://localhost:{}", secure.address().port()))
        .host("automation", clear.endpoint())
        .tls(TlsConfig::new().ca_certificate(authority.pem()).unwrap())
        .connect_lazy()
        .unwrap();
    get(&client).await.unwrap();
    policy(&client).await.unwrap();
    assert_eq!((clear.seen().len(), secure.seen().len()), (1, 1));
}

#[tokio::test]
async fn wrong_names_and_origins_are_refused() {
    for (service, origin, what) in [
        ("automatoin", "https://x", "no service is named \"automatoin\""),
        ("", "https://x", "no service is named \"\""),
        ("automation", "x", "no scheme"),
        ("automation", "https://x/path", "neither path nor query"),
        ("automation", "https://u:hunter2@x", "credentials do not belong"),
    ] {
        let error = Client::cloud(Region::Eu).host(service, origin).connect_lazy().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains(what), "{error}");
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}

#[tokio::test]
async fn an_id_cannot_leave_its_segment() {
    let server = Scripted::start([ok(TASK), ok(TASK)]).await;
    let client = client(&server);
    for id in ["..policies?x=1#y", "//evil.example/\r\nx: y"] {
        client.device_tasks().get_task(id).await.unwrap();
    }
    let seen = server.seen();
    assert_eq!(seen[0].line(), "GET /v1/device_tasks/..policies%3Fx%3D1%23y");
    assert!(seen[1].line().starts_with("GET /v1/device_tasks/%2F%2Fevil.example%2F%0D%0A"));
    for id in ["", "../policies"] {
        let error = client.device_tasks().get_task(id).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{error:?}");
    }
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn headers_say_who_calls() {
    let server = Scripted::start([ok(TASK)]).await;
    let client = builder(&server).integration("acme siem").connect_lazy().unwrap();
    client.device_tasks().get_task("t-1").metadata("x-trace", "7").await.unwrap();
    let seen = &server.seen()[0];
    assert_eq!(seen.header("3rd-integration"), Some("acme siem"));
    assert_eq!(seen.header("x-trace"), Some("7"));
    assert_eq!(seen.header("accept"), Some("application/json"));
    assert!(seen.header("user-agent").unwrap().starts_with("eset-protect/"));
    assert_eq!(seen.header("authorization"), None);
    assert_eq!(seen.header("content-type"), None, "a GET has no body");
    let wrong = builder(&server).integration("a\r\nb").connect_lazy().unwrap_err();
    assert_eq!(wrong.kind(), ErrorKind::Config);
}

#[tokio::test]
async fn metadata_cannot_change_the_framing() {
    let server = Scripted::start([]).await;
    let client = client(&server);
    for key in [
        "content-length",
        "transfer-encoding",
        "host",
        "connection",
        "content-encoding",
        "te",
        "response-id",
        "proxy-authorization",
    ] {
        let call = client.device_tasks().get_task("t-1").metadata(key, "3");
        let error = call.await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{key}");
        assert!(error.message().contains("belongs to the protocol"), "{error}");
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn what_is_no_token_is_not_sent() {
    for token in ["", " ", "hunter2 ", "\thunter2", "hunter2\r\n", "hunter2 x", "hunter2\u{e9}"] {
        let server = Scripted::start([]).await;
        let error = builder(&server).credentials(StaticToken::new(token)).connect_lazy();
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{token:?}");
        let message = error.message();
        assert!(message.contains("the access token") && !message.contains("hunter2"), "{error}");
    }
}

#[tokio::test]
async fn a_path_of_ones_own_is_sent_in_ascii() {
    let server = Scripted::start([ok("{}")]).await;
    let path = "/v1/\u{e9}%20a?q=\u{1f980}&r=%C3".to_owned();
    client(&server).raw("", "GET", path, None).await.unwrap();
    assert_eq!(server.seen()[0].line(), "GET /v1/%C3%A9%20a?q=%F0%9F%A6%80&r=%C3");
}

#[tokio::test]
async fn a_calls_own_token_is_the_only_one() {
    let server = Scripted::start([ok(TASK), ok(TASK), json("401 Unauthorized", "")]).await;
    let client = builder(&server).credentials(StaticToken::new("ours")).connect_lazy().unwrap();
    get(&client).await.unwrap();
    for expect_success in [true, false] {
        let options = CallOptions::new().metadata("authorization", "Bearer mine");
        let result = client.device_tasks().get_task("t-1").options(options).await;
        assert_eq!(result.is_ok(), expect_success);
    }
    let seen = server.seen();
    let tokens: Vec<_> = seen.iter().map(|seen| seen.header("authorization").unwrap()).collect();
    assert_eq!(tokens, ["Bearer ours", "Bearer mine", "Bearer mine"]);
}

#[tokio::test]
async fn no_token_or_password_travels_in_the_clear() {
    let far = "http://eset.example:80";
    let token = || StaticToken::new("hunter2");
    for wire in [Wire::Grpc, Wire::Rest, Wire::Auto] {
        for builder in [
            Client::builder(far).credentials(token()),
            Client::builder(far).login("user", "hunter2"),
            Client::on_prem(far).credentials(token()),
            Client::on_prem(far).login("user", "hunter2"),
            Client::on_prem("https://eset.example")
                .login("user", "hunter2")
                .token_url("http://eset.example/x"),
        ] {
            let error = builder.wire(wire).connect_lazy().expect_err("a refusal");
            assert_eq!(error.kind(), ErrorKind::Config, "{error:?}");
            assert!(error.message().contains("travels by https only"), "{error}");
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
        }
    }
    for builder in [
        Client::cloud(Region::De).credentials(token()).host("automation", far),
        Client::cloud(Region::De).login("user", "hunter2").host("automation", far),
        Client::cloud(Region::De).login("user", "hunter2").token_url(far),
        Client::on_prem("https://eset.example").credentials(token()).host("automation", far),
    ] {
        let error = builder.connect_lazy().expect_err("a refusal");
        assert!(error.message().contains("travels by https only"), "{error}");
    }
    for near in ["http://127.0.0.1:1", "http://127.9.9.9:1", "http://[::1]:1", "http://LOCALHOST:1"]
    {
        Client::on_prem(near).login("user", "hunter2").connect_lazy().unwrap();
    }
    for far in ["http://localhost.example:1", "http://127.0.0.1.example:1", "http://0.0.0.0:1"] {
        Client::on_prem(far).login("user", "hunter2").connect_lazy().unwrap_err();
    }
}

#[tokio::test]
async fn passwords_in_addresses_are_never_shown() {
    let address = "https://user:hunter2@eset.example/";
    for builder in [Client::builder(address), Client::on_prem(address)] {
        assert!(!format!("{builder:?}").contains("hunter2"), "{builder:?}");
        let error = builder.wire(Wire::Rest).connect_lazy().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    }
    for url in
        [address, "https://user:hunter2@ho st/", "user:hunter2@x", "https://user:hunter2@h:99999/"]
    {
        let builder = Client::cloud(Region::Eu).login("user", "swordfish").token_url(url);
        assert!(!format!("{builder:?}").contains("hunter2"), "{builder:?}");
        let error = builder.connect_lazy().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    }
}
