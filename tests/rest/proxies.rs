//! Proxies from the environment. Each case runs this test binary again with an environment of its own,
//! which calls a host that only the proxy can reach.

use std::process::Command;
use std::sync::{Arc, Mutex};

use added_service::client::Greeter;
use added_service::proto::example::greeter::v1::GreetRequest;
use eset_protect::{Client, TlsConfig, Wire};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

use crate::greeter::Running;
use crate::scripted::tls::{acceptor, issue, new_authority};
use crate::scripted::{Scripted, ok, read_request};
use crate::support::{TASK, get};

/// What the child is to call; its presence makes it one.
const TARGET: &str = "ESET_PROTECT_TEST_TARGET";
const WIRE: &str = "ESET_PROTECT_TEST_WIRE";
const PINNED: &str = "ESET_PROTECT_TEST_PINNED";
const VARIABLES: [&str; 8] = [
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
];

/// The child's part: one call, and what came of it on its output.
#[test]
fn child() {
    let Ok(target) = std::env::var(TARGET) else { return };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let told = runtime.block_on(async {
        let mut tls = TlsConfig::new();
        if let Ok(pem) = std::env::var(PINNED) {
            tls = tls.pinned_certificate(pem).unwrap();
        }
        let grpc = std::env::var(WIRE).is_ok_and(|wire| wire == "grpc");
        let wire = if grpc { Wire::Grpc } else { Wire::Rest };
        let builder = Client::builder(&target).wire(wire).tls(tls);
        let shown = format!("{builder:?}");
        let client = builder.connect_lazy().unwrap();
        let result = if grpc {
            Greeter::new(client.clone()).greet(GreetRequest::default()).await.map(drop)
        } else {
            get(&client).await.map(drop)
        };
        match result {
            Ok(()) => format!("called {shown} {client:?}"),
            Err(error) => format!("failed: {error} {error:?} {shown} {client:?}"),
        }
    });
    println!("{told}");
}

async fn run(target: &str, environment: &[(&str, String)]) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "proxies::child", "--nocapture"]).env(TARGET, target);
    for variable in VARIABLES {
        command.env_remove(variable);
    }
    command.envs(environment.iter().cloned());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let text = text + &String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{text}");
    assert!(text.contains("called ") || text.contains("failed: "), "{text}");
    assert!(!text.contains("hunter2") && !text.contains("dXNlcjpodW50ZXIy"), "{text}");
    text
}

/// A proxy that knows one server, and keeps the requests for tunnels.
struct Proxy {
    address: std::net::SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    async fn start(answer: &'static str, server: std::net::SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = seen.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let log = log.clone();
                tokio::spawn(async move {
                    let (head, _) = read_request(&mut stream, &mut Vec::new()).await?;
                    log.lock().unwrap().push(head);
                    stream.write_all(answer.as_bytes()).await.ok()?;
                    if answer.contains(" 200 ") {
                        let mut server = TcpStream::connect(server).await.ok()?;
                        tokio::io::copy_bidirectional(&mut stream, &mut server).await.ok()?;
                    }
                    Some(())
                });
            }
        });
        Self { address, seen }
    }

    fn url(&self) -> String {
        format!("http://user:hunter2@{}", self.address)
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

const OPEN: &str = "HTTP/1.1 200 OK\r\n\r\n";

#[tokio::test]
async fn a_tunnel_is_asked_for_with_the_name_and_the_password() {
    let server = Scripted::start([ok(TASK)]).await;
    let proxy = Proxy::start(OPEN, server.address()).await;
    let told = run("http://eset.example:80", &[("HTTP_PROXY", proxy.url())]).await;
    assert!(told.contains("called"), "{told}");
    let asked = proxy.seen();
    assert!(asked[0].starts_with("CONNECT eset.example:80 HTTP/1.1\r\n"), "{asked:?}");
    assert!(asked[0].contains("Basic dXNlcjpodW50ZXIy\r\n"), "{asked:?}");
    let seen = server.seen();
    assert_eq!(seen[0].header("host"), Some("eset.example"));
    assert_eq!(seen[0].header("proxy-authorization"), None, "the password is the proxy's");
}

#[tokio::test]
async fn tls_is_with_the_server_behind_the_proxy() {
    let identity = issue(&new_authority(), "eset.example");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let tls = acceptor(&identity, &[b"http/1.1"], None);
    let server = Scripted::accept(listener, [ok(TASK)], tls);
    let proxy = Proxy::start(OPEN, server.address()).await;
    let environment = [("HTTPS_PROXY", proxy.url()), (PINNED, identity.certificate.clone())];
    let told = run("https://eset.example", &environment).await;
    assert!(told.contains("called"), "{told}");
    assert!(proxy.seen()[0].starts_with("CONNECT eset.example:443 "), "{:?}", proxy.seen());
}

#[tokio::test]
async fn grpc_goes_through_it_too() {
    let server = Running::start().await;
    let address = server.endpoint().strip_prefix("http://").unwrap().parse().unwrap();
    let proxy = Proxy::start(OPEN, address).await;
    let environment = [("http_proxy", proxy.url()), (WIRE, "grpc".to_owned())];
    let told = run("http://eset.example:50051", &environment).await;
    assert!(told.contains("called"), "{told}");
    assert!(proxy.seen()[0].starts_with("CONNECT eset.example:50051 "), "{:?}", proxy.seen());
}

#[tokio::test]
async fn a_proxy_that_refuses_is_a_failed_connection() {
    let nowhere = std::net::SocketAddr::from(([127, 0, 0, 1], 1));
    for (answer, what) in [
        ("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "proxy authorization required"),
        ("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n", "unsuccessful"),
        ("nonsense\r\n\r\n", "unsuccessful"),
        ("", "unexpected end"),
    ] {
        let proxy = Proxy::start(answer, nowhere).await;
        for wire in ["rest", "grpc"] {
            let environment = [("ALL_PROXY", proxy.url()), (WIRE, wire.to_owned())];
            let told = run("http://eset.example:80", &environment).await;
            assert!(told.contains("kind: Connect") && told.contains(what), "{wire}: {told}");
        }
    }
}

#[tokio::test]
async fn kinds_of_proxies_that_are_not_spoken_are_refused() {
    for url in ["https://user:hunter2@127.0.0.1:1", "socks5://user:hunter2@127.0.0.1:1"] {
        let told = run("http://eset.example:80", &[("ALL_PROXY", url.to_owned())]).await;
        assert!(told.contains("kind: Connect") && told.contains("is not an http proxy"), "{told}");
    }
}

#[tokio::test]
async fn some_hosts_are_reached_without_it() {
    let server = Scripted::start([ok(TASK), ok(TASK)]).await;
    let proxy = Proxy::start(OPEN, server.address()).await;
    // This machine, and what NO_PROXY names: that host exists nowhere, so the call fails.
    let told = run(&server.endpoint(), &[("HTTP_PROXY", proxy.url())]).await;
    assert!(told.contains("called"), "{told}");
    let environment = [("HTTP_PROXY", proxy.url()), ("NO_PROXY", "eset.invalid".to_owned())];
    let told = run("http://tasks.eset.invalid:80", &environment).await;
    assert!(told.contains("kind: Connect"), "{told}");
    assert!(proxy.seen().is_empty(), "{:?}", proxy.seen());
}
