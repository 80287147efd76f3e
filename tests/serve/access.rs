//! Who may call what.

use std::net::Ipv4Addr;
use std::time::Duration;

use eset_protect::automation::v1::{DeviceTask, ListTasksRequest};
use eset_protect::serve::{Access, Bridge, Caller, Identity, Rules, ServerTls, TokenHash};
use eset_protect::{Client, Error, RateLimiter, TlsConfig, Wire};
use rcgen::{CertificateParams, KeyPair, SanType};
use tokio::net::TcpListener;
use tonic::Code;

use crate::support::tls::{issue, new_authority};
use crate::{WIRES, builder, client, emulator};

async fn list(client: &Client, token: &str, tenant: &str) -> Result<usize, Error> {
    let call = client.device_tasks().list_tasks(ListTasksRequest::default());
    let call = match token {
        "" => call,
        token => call.metadata("authorization", &format!("Bearer {token}")),
    };
    let call = match tenant {
        "" => call,
        tenant => call.metadata("eset-protect-tenant", tenant),
    };
    call.await.map(|page| page.tasks.len())
}

fn token(name: &str, token: &str) -> Caller {
    Caller::new(name, Identity::Token(TokenHash::of(token)))
}

#[tokio::test]
async fn a_caller_uses_its_own_tenants_alone() {
    let (one, other) = (emulator().await, emulator().await);
    let access = Access::new()
        .tenant("one", client(&one.endpoint(), Wire::Rest))
        .tenant("other", client(&other.endpoint(), Wire::Grpc))
        .caller(token("first", "t1").tenant("one"))
        .and_then(|access| access.caller(token("both", "t2").tenant("one").tenant("other")))
        .and_then(|access| access.caller(token("empty", "").tenant("one")))
        .unwrap();
    let bridge = Bridge::new(access);
    let handle = bridge.access_handle();
    let bridge = bridge.start().await.unwrap();
    for front in WIRES {
        let client = client(&bridge.endpoint(), front);
        let (before, others) = (one.log().len(), other.log().len());
        assert!(list(&client, "t1", "").await.unwrap() > 0);
        assert!(list(&client, "t1", "one").await.unwrap() > 0);
        assert!(list(&client, "t2", "one").await.unwrap() > 0);
        assert_eq!((one.log().len(), other.log().len()), (before + 3, others));
        let refused = [
            ("t1", "other", Code::PermissionDenied),
            ("t1", "none", Code::PermissionDenied),
            ("t2", "", Code::InvalidArgument),
            ("t3", "one", Code::Unauthenticated),
            ("", "one", Code::Unauthenticated),
        ];
        for (token, tenant, code) in refused {
            let error = list(&client, token, tenant).await.unwrap_err();
            assert_eq!(error.code(), code, "{token} {tenant}: {error}");
        }
        assert_eq!((one.log().len(), other.log().len()), (before + 3, others));
        assert!(list(&client, "t2", "other").await.unwrap() > 0);
        assert_eq!(other.log().len(), others + 1);
    }
    // The token was for the bridge.
    let arrivals = one.log().into_iter().chain(other.log());
    assert!(arrivals.into_iter().all(|arrival| !arrival.headers.contains_key("authorization")));

    handle.replace(Access::new()).unwrap();
    let error = list(&client(&bridge.endpoint(), Wire::Grpc), "t1", "").await.unwrap_err();
    assert!(error.is_unauthenticated(), "{error}");
}

#[tokio::test]
async fn rules_decide_by_rpc() {
    let upstream = emulator().await;
    let tenant = client(&upstream.endpoint(), Wire::Grpc);
    let reader = token("reader", "r").tenant("a").rules(Rules::new().read_only(true));
    let gets = Rules::new().allow("DeviceTasks/Get*".parse().unwrap());
    let getter = token("getter", "g").tenant("a").rules(gets);
    let no_lists = Rules::new().deny("*/List*".parse().unwrap());
    let writer = token("writer", "w").tenant("a").rules(no_lists);
    let mut access = Access::new().tenant("a", tenant);
    for caller in [reader, getter, writer] {
        access = access.caller(caller).unwrap();
    }
    let bridge = Bridge::new(access).start().await.unwrap();
    for front in WIRES {
        let client = client(&bridge.endpoint(), front);
        let create = async |token: &str| {
            let task = DeviceTask { display_name: "x".into(), ..Default::default() };
            let call = client.device_tasks().create_task(task);
            let result = call.metadata("authorization", &format!("Bearer {token}")).await;
            result.err().map(|error| error.code())
        };
        assert!(list(&client, "r", "").await.is_ok());
        assert_eq!(create("r").await, Some(Code::PermissionDenied));
        assert_eq!(create("g").await, Some(Code::PermissionDenied));
        // The task has no action, which the upstream says.
        assert_eq!(create("w").await, Some(Code::InvalidArgument));
        for token in ["g", "w"] {
            let error = list(&client, token, "").await.unwrap_err();
            assert_eq!(error.code(), Code::PermissionDenied, "{error}");
            assert!(error.message().contains("DeviceTasks/ListTasks"), "{error}");
        }
    }
}

#[tokio::test]
async fn a_callers_own_token_is_passed_on() {
    let upstream = emulator().await;
    for wire in WIRES {
        let access = Access::new().tenant("a", client(&upstream.endpoint(), wire));
        let access = access.caller(Caller::new("own", Identity::OwnToken).tenant("a")).unwrap();
        let bridge = Bridge::new(access).start().await.unwrap();
        for front in WIRES {
            let client = client(&bridge.endpoint(), front);
            assert!(list(&client, "of-mine", "").await.is_ok());
            let arrival = upstream.log().pop().unwrap();
            assert_eq!(arrival.headers["authorization"], "[redacted]");
            assert!(list(&client, "", "").await.unwrap_err().is_unauthenticated());
        }
    }
}

#[tokio::test]
async fn each_own_token_has_a_rate_limit_of_its_own() {
    let upstream = emulator().await;
    for wire in WIRES {
        let limiter = RateLimiter::new(1, Duration::from_secs(3600));
        let limited = builder(&upstream.endpoint(), wire).rate_limiter(&limiter);
        let access = Access::new().tenant("a", limited.connect_lazy().unwrap());
        let own = Caller::new("own", Identity::OwnToken).tenant("a");
        let access = access.caller(own).unwrap().caller(token("fixed", "fixed").tenant("a"));
        let bridge = Bridge::new(access.unwrap()).start().await.unwrap();
        let client = client(&bridge.endpoint(), WIRES[0]);
        let made_up = (0..1030).map(|number| format!("made-up-{number}"));
        let tokens = ["one", "other", "fixed"].map(str::to_owned).into_iter().chain(made_up);
        for (index, token) in tokens.enumerate() {
            let first = list(&client, &token, "").await;
            // Beyond 1,024 they share one.
            assert!(first.is_ok() || index > 1024, "{token}: {first:?}");
            let error = list(&client, &token, "").await.unwrap_err();
            assert!(error.message().contains("rate limit"), "{token}: {error}");
        }
    }
}

#[tokio::test]
async fn a_caller_that_nobody_has_checked_is_told_no_names() {
    let access = ["secret-one", "secret-two"].into_iter().fold(Access::new(), |access, name| {
        access.tenant(name, client("http://127.0.0.1:1", Wire::Grpc))
    });
    let own = Caller::new("own", Identity::OwnToken).tenant("secret-one").tenant("secret-two");
    let known = token("known", "known").tenant("secret-one").tenant("secret-two");
    let access = access.caller(own).and_then(|access| access.caller(known)).unwrap();
    let bridge = Bridge::new(access).start().await.unwrap();
    for front in WIRES {
        let client = client(&bridge.endpoint(), front);
        for (token, is_known) in [("any", false), ("known", true)] {
            let error = list(&client, token, "").await.unwrap_err();
            assert_eq!(error.code(), Code::InvalidArgument, "{error}");
            assert!(error.message().contains("eset-protect-tenant: expected"), "{error}");
            assert_eq!(error.message().contains("secret"), is_known, "{error}");
        }
    }
}

#[test]
fn callers_that_cannot_be_told_apart_are_refused() {
    let client = client("http://127.0.0.1:1", Wire::Grpc);
    let access = || Access::new().tenant("a", client.clone());
    let twice = access()
        .caller(token("one", "same").tenant("a"))
        .and_then(|access| access.caller(token("other", "same").tenant("a")));
    let stranger = access().caller(token("one", "t").tenant("b"));
    let none = access().caller(token("one", "t"));
    for (result, expected) in [
        (twice, "caller \"other\": it has the same identity as \"one\""),
        (stranger, "caller \"one\": there is no tenant \"b\""),
        (none, "caller \"one\": it has no tenant"),
    ] {
        assert_eq!(result.unwrap_err().message(), expected);
    }
}

#[tokio::test]
async fn other_machines_need_tls_and_a_name() {
    let authority = new_authority();
    let server = issue(&authority, "localhost");
    let tls = ServerTls::new(&server.certificate, &server.key, None).unwrap();
    let open = || Bridge::to(client("http://127.0.0.1:1", Wire::Grpc));
    for bridge in [open(), Bridge::new(Access::new()), open().tls(tls)] {
        let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).await.unwrap();
        let error = bridge.serve(listener, std::future::pending()).await.unwrap_err();
        assert!(error.to_string().contains("only over TLS and to callers who show"), "{error}");
    }
}

#[tokio::test]
async fn a_table_for_anyone_does_not_replace_one_that_other_machines_use() {
    let authority = new_authority();
    let server = issue(&authority, "localhost");
    let tls = ServerTls::new(&server.certificate, &server.key, None).unwrap();
    let bridge = Bridge::new(Access::new()).tls(tls);
    let handle = bridge.access_handle();
    let open = || Access::open(client("http://127.0.0.1:1", Wire::Grpc));
    handle.replace(open()).unwrap();
    handle.replace(Access::new()).unwrap();
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).await.unwrap();
    let checks = async {
        let error = handle.replace(open()).unwrap_err();
        assert!(error.to_string().contains("expected callers that show who they are"), "{error}");
        assert!(!handle.current().is_open());
        handle.replace(Access::new()).unwrap();
    };
    bridge.serve(listener, checks).await.unwrap();
}

#[tokio::test]
async fn names_in_certificates_have_case_only_in_paths() {
    let upstream = emulator().await;
    let (authority, clients) = (new_authority(), new_authority());
    let server = issue(&authority, "localhost");
    let pem = clients.pem();
    let tls = ServerTls::new(&server.certificate, &server.key, Some(pem.as_bytes())).unwrap();
    let mut access = Access::new().tenant("a", client(&upstream.endpoint(), Wire::Rest));
    for name in ["Soar.example.org", "spiffe://Example.org/Soar"] {
        let caller = Caller::new(name, Identity::Certificate(name.into())).tenant("a");
        access = access.caller(caller).unwrap();
    }
    let bridge = Bridge::new(access).tls(tls).start().await.unwrap();
    let endpoint = format!("https://localhost:{}", bridge.local_addr().port());
    let dns = |name: &str| SanType::DnsName(name.try_into().unwrap());
    let uri = |name: &str| SanType::URI(name.try_into().unwrap());
    for (name, is_known) in [
        (dns("SOAR.example.ORG"), true),
        (dns("soar.example"), false),
        (uri("SPIFFE://example.ORG/Soar"), true),
        (uri("spiffe://example.org/soar"), false),
    ] {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.subject_alt_names = vec![name.clone()];
        let certificate = params.signed_by(&key, &clients).unwrap();
        let tls = TlsConfig::new().ca_certificate(authority.pem()).unwrap();
        let tls = tls.client_certificate(certificate.pem(), key.serialize_pem()).unwrap();
        let client = Client::builder(&endpoint).tls(tls).connect_lazy().unwrap();
        assert_eq!(list(&client, "", "").await.is_ok(), is_known, "{name:?}");
    }
}

#[tokio::test]
async fn a_client_certificate_names_the_caller() {
    let upstream = emulator().await;
    let (authority, clients) = (new_authority(), new_authority());
    let server = issue(&authority, "localhost");
    let pem = clients.pem();
    let tls = ServerTls::new(&server.certificate, &server.key, Some(pem.as_bytes())).unwrap();
    let soar = Caller::new("soar", Identity::Certificate("soar.example".into())).tenant("a");
    let access = Access::new().tenant("a", client(&upstream.endpoint(), Wire::Rest));
    let access = access.caller(soar).and_then(|access| access.caller(token("t", "t").tenant("a")));
    let bridge = Bridge::new(access.unwrap()).tls(tls);
    let handle = bridge.tls_handle().unwrap();
    let bridge = bridge.start().await.unwrap();
    let endpoint = format!("https://localhost:{}", bridge.local_addr().port());
    let anonymous = TlsConfig::new().ca_certificate(authority.pem()).unwrap();
    let connect = |wire, tls: TlsConfig| {
        Client::builder(&endpoint).wire(wire).tls(tls).connect_lazy().unwrap()
    };
    let known = issue(&clients, "soar.example");
    let unknown = issue(&clients, "other.example");
    let foreign = issue(&new_authority(), "soar.example");
    for wire in WIRES {
        let with = |one: &crate::support::tls::Identified| {
            anonymous.clone().client_certificate(&one.certificate, &one.key).unwrap()
        };
        assert!(list(&connect(wire, with(&known)), "", "").await.is_ok());
        let plain = connect(wire, anonymous.clone());
        assert!(list(&plain, "t", "").await.is_ok());
        for client in [plain, connect(wire, with(&unknown))] {
            let error = list(&client, "", "").await.unwrap_err();
            assert!(error.is_unauthenticated(), "{error}");
        }
        let error = list(&connect(wire, with(&foreign)), "t", "").await.unwrap_err();
        assert!(!error.is_unauthenticated() && error.code() != Code::Ok, "{error}");
    }
    // A new certificate is for new connections.
    let other = new_authority();
    let server = issue(&other, "localhost");
    handle.replace(ServerTls::new(&server.certificate, &server.key, None).unwrap());
    let trusting = TlsConfig::new().ca_certificate(other.pem()).unwrap();
    assert!(list(&connect(Wire::Grpc, trusting), "t", "").await.is_ok());
}
