//! Proxies from the environment. Each case runs this test binary again with its own environment and calls a
//! host that only the proxy can reach.

use std::net::SocketAddr;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use added_service::client::Greeter;
use added_service::proto::example::greeter::v1::GreetRequest;
use eset_protect::{Client, RetryPolicy, TlsConfig, Wire};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::rest::calls::{TASK, get};
use crate::support::greeter::Running;
use crate::support::scripted::{Scripted, ok, read_request};
use crate::support::tls::{acceptor, issue, new_authority};

/// What the child process calls; its presence makes it the child.
const TARGET: &str = "ESET_PROTECT_TEST_TARGET";
const WIRE: &str = "ESET_PROTECT_TEST_WIRE";
/// The timeout for connecting, in milliseconds.
const TIMEOUT: &str = "ESET_PROTECT_TEST_TIMEOUT";
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

/// The child's part: makes a call and prints the result.
#[test]
fn child() {
    let Ok(target) = std::env::var(TARGET) else { return };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let told = runtime.block_on(async {
        let mut tls = TlsConfig::new();
        if let Ok(pem) = std::env::var(PINNED) {
            tls = tls.pinned_certificate(pem).unwrap();
        }
        let wire = match std::env::var(WIRE).as_deref() {
            Ok("grpc") => Wire::Grpc,
            Ok("auto") => Wire::Auto,
            _ => Wire::Rest,
        };
        let mut builder = Client::builder(&target).wire(wire).tls(tls).retry(RetryPolicy::none());
        if let Ok(timeout) = std::env::var(TIMEOUT) {
            builder = builder.connect_timeout(Duration::from_millis(timeout.parse().unwrap()));
        }
        let shown = format!("{builder:?}");
        let client = builder.connect_lazy().unwrap();
        let result = if wire == Wire::Grpc {
            Greeter::new(client.clone()).greet(GreetRequest::default()).await.map(drop)
        } else {
            get(&client).await.map(drop)
        };
        match result {
            Ok(()) => format!("called {shown} {client:?}"),
            Err(error) => format!(
                "failed: retryable {} executed {} {error} {error:?} {shown} {client:?}",
                error.is_retryable(),
                error.may_have_executed()
            ),
        }
    });
    println!("{told}");
}

async fn run(target: &str, environment: &[(&str, String)]) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "rest::proxies::child", "--nocapture"]).env(TARGET, target);
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

/// A proxy that knows one server and records the requests for tunnels.
struct Proxy {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
}

/// What a proxy does when a tunnel is requested.
#[derive(Clone, Copy)]
enum Manner {
    /// Responds with this and opens it.
    Opens(&'static str),
    /// Responds with this and closes the connection.
    Refuses(&'static str),
    /// Opens it, and responds together with the first bytes of the server.
    Waits,
    /// Starts to respond and never ends.
    Babbles,
    /// Says nothing.
    IsSilent,
}

impl Manner {
    async fn behave(self, mut stream: TcpStream, server: SocketAddr) -> std::io::Result<()> {
        let mut bytes = match self {
            Self::Opens(answer) | Self::Refuses(answer) => answer.as_bytes().to_vec(),
            Self::Waits => OPEN.as_bytes().to_vec(),
            Self::Babbles => b"HTTP/1.1 200 OK\r\nx-long: ".to_vec(),
            Self::IsSilent => return std::future::pending().await,
        };
        if let Self::Refuses(_) = self {
            return stream.write_all(&bytes).await;
        }
        if let Self::Babbles = self {
            loop {
                stream.write_all(&bytes).await?;
                bytes = vec![b'x'; 4096];
            }
        }
        let mut server = TcpStream::connect(server).await?;
        if let Self::Waits = self {
            // Half of the head of its first frame, without which the rest cannot be read.
            let mut first = [0; 5];
            server.read_exact(&mut first).await?;
            bytes.extend(first);
        }
        stream.write_all(&bytes).await?;
        if let Self::Waits = self {
            // The rest follows when the client has read that much and sends data itself.
            let mut said = Vec::new();
            stream.read_buf(&mut said).await?;
            server.write_all(&said).await?;
        }
        tokio::io::copy_bidirectional(&mut stream, &mut server).await.map(drop)
    }
}

impl Proxy {
    async fn start(manner: Manner, server: SocketAddr) -> Self {
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
                    // A client that has received enough closes the connection.
                    manner.behave(stream, server).await.ok()
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
    let proxy = Proxy::start(Manner::Opens(OPEN), server.address()).await;
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
    let proxy = Proxy::start(Manner::Opens(OPEN), server.address()).await;
    let environment = [("HTTPS_PROXY", proxy.url()), (PINNED, identity.certificate.clone())];
    let told = run("https://eset.example", &environment).await;
    assert!(told.contains("called"), "{told}");
    assert!(proxy.seen()[0].starts_with("CONNECT eset.example:443 "), "{:?}", proxy.seen());
}

#[tokio::test]
async fn grpc_goes_through_it_too() {
    let server = Running::start().await;
    let address = server.endpoint().strip_prefix("http://").unwrap().parse().unwrap();
    let proxy = Proxy::start(Manner::Opens(OPEN), address).await;
    let environment = [("http_proxy", proxy.url()), (WIRE, "grpc".to_owned())];
    let told = run("http://eset.example:50051", &environment).await;
    assert!(told.contains("called"), "{told}");
    assert!(proxy.seen()[0].starts_with("CONNECT eset.example:50051 "), "{:?}", proxy.seen());
}

#[tokio::test]
async fn this_machine_is_reached_directly_by_each_of_its_names() {
    let server = Scripted::start([]).await;
    let proxy = Proxy::start(Manner::Refuses("HTTP/1.1 403 No\r\n\r\n"), server.address()).await;
    let port = server.address().port();
    for host in [
        "127.0.0.1",
        "LocalHost",
        "localhost.",
        "[::ffff:127.0.0.1]",
        "a.localhost",
        "a.LOCALHOST.",
    ] {
        // A system without IPv6, or whose resolver does not know such a name, fails without the proxy.
        run(&format!("http://{host}:{port}"), &[("ALL_PROXY", proxy.url())]).await;
        assert_eq!(proxy.seen(), Vec::<String>::new(), "{host}");
    }
    run("http://localhost.example:80", &[("ALL_PROXY", proxy.url())]).await;
    assert_eq!(proxy.seen().len(), 1);
}

/// Any success opens the tunnel, and a body declared by its headers does not exist (RFC 9110, 9.3.6).
#[tokio::test]
async fn any_success_opens_it() {
    for answer in [
        "HTTP/1.1 200 Connection established\r\nproxy-agent: x\r\n\r\n",
        "HTTP/1.0 200\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 299 Why not\r\ncontent-length: 1000\r\ntransfer-encoding: chunked\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    ] {
        let server = Scripted::start([ok(TASK)]).await;
        let proxy = Proxy::start(Manner::Opens(answer), server.address()).await;
        let told = run("http://eset.example:80", &[("HTTP_PROXY", proxy.url())]).await;
        assert!(told.contains("called"), "{answer}: {told}");
    }
}

/// The settings of an HTTP/2 server may be the first bytes of the tunnel.
#[tokio::test]
async fn what_comes_with_the_answer_is_the_servers() {
    let server = Running::start().await;
    let address = server.endpoint().strip_prefix("http://").unwrap().parse().unwrap();
    let proxy = Proxy::start(Manner::Waits, address).await;
    let environment = [("HTTP_PROXY", proxy.url()), (WIRE, "grpc".to_owned())];
    let told = run("http://eset.example:50051", &environment).await;
    assert!(told.contains("called"), "{told}");
}

#[tokio::test]
async fn a_proxy_that_refuses_is_told_as_the_proxy() {
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 1));
    let (lasting, passing) = (false, true);
    for (answer, what, is_retryable) in [
        (
            "HTTP/1.1 407 Auth\r\nproxy-authenticate: Basic\r\n\r\n",
            "HTTP 407 Proxy Authentication Required: it refused the user name and password in \
             ALL_PROXY",
            lasting,
        ),
        (
            "HTTP/1.1 407 Auth\r\nproxy-authenticate: NTLM\r\nproxy-authenticate: Negotiate abc, Digest \
             realm=\"x\", qop=\"auth\"\r\n\r\n",
            "it requires a login by NTLM or Negotiate or Digest, and this client has only Basic",
            lasting,
        ),
        ("HTTP/1.1 403 No\r\ncontent-length: 0\r\n\r\n", "HTTP 403 Forbidden: it does", lasting),
        ("HTTP/1.1 400 Bad\r\n\r\n<html>", "HTTP 400 Bad Request", lasting),
        ("HTTP/1.1 302 Found\r\nlocation: http://x/\r\n\r\n", "HTTP 302 Found", lasting),
        ("HTTP/1.1 101 Other\r\n\r\n", "HTTP 101 Switching Protocols", lasting),
        ("HTTP/1.1 502 Bad\r\n\r\n", "HTTP 502 Bad Gateway: it cannot reach", passing),
        ("HTTP/1.1 503 Down\r\n\r\n", "HTTP 503 Service Unavailable: it cannot reach", passing),
        ("HTTP/1.1 504 Late\r\n\r\n", "HTTP 504 Gateway Timeout: it cannot reach", passing),
        ("nonsense\r\n\r\n", "did not answer CONNECT in HTTP", lasting),
        ("\u{16}\u{3}\u{1}\u{2}", "did not answer CONNECT in HTTP", lasting),
        ("HTTP/1.1 2000 OK\r\n\r\n", "did not answer CONNECT in HTTP", lasting),
        ("", "closed the connection instead of opening one to eset.example:80", passing),
        ("HTTP/1.1 200 OK\r\n", "closed the connection instead of", passing),
    ] {
        let proxy = Proxy::start(Manner::Refuses(answer), nowhere).await;
        for wire in ["rest", "grpc", "auto"] {
            let environment = [("ALL_PROXY", proxy.url()), (WIRE, wire.to_owned())];
            let told = run("http://eset.example:80", &environment).await;
            let who = format!("the proxy {} (ALL_PROXY) ", proxy.address);
            assert!(told.contains("kind: Connect"), "{wire}: {told}");
            assert!(told.contains(&who) && told.contains(what), "{wire}: {what} in {told}");
            let predicates = format!("retryable {is_retryable} executed false");
            assert!(told.contains(&predicates), "{wire}: {answer}: {told}");
        }
    }
    // Without a password the proxy requires one, and an unreachable proxy is named too.
    let proxy = Proxy::start(Manner::Refuses("HTTP/1.1 407 Auth\r\n\r\n"), nowhere).await;
    let told = run("http://eset.example:80", &[("http_proxy", proxy.address.to_string())]).await;
    assert!(told.contains("which http_proxy does not have"), "{told}");
    let told = run("http://eset.example:80", &[("http_proxy", nowhere.to_string())]).await;
    assert!(told.contains("cannot connect to the proxy 127.0.0.1:1 (http_proxy): "), "{told}");
    assert!(told.contains("retryable true executed false"), "{told}");
}

#[tokio::test]
async fn a_proxy_that_does_not_come_to_an_end_is_given_up() {
    let server = Scripted::start([]).await;
    let endless = Proxy::start(Manner::Babbles, server.address()).await;
    let silent = Proxy::start(Manner::IsSilent, server.address()).await;
    for wire in ["rest", "grpc"] {
        let environment = |proxy: &Proxy, timeout: &str| {
            let (wire, timeout) = (wire.to_owned(), timeout.to_owned());
            [("HTTP_PROXY", proxy.url()), (WIRE, wire), (TIMEOUT, timeout)]
        };
        let told = run("http://eset.example:80", &environment(&endless, "60000")).await;
        assert!(told.contains("kind: Connect") && told.contains("does not end"), "{told}");
        let told = run("http://eset.example:80", &environment(&silent, "200")).await;
        let by = format!("not connected within 200ms by way of the proxy {}", silent.address);
        assert!(told.contains("kind: Connect") && told.contains(&by), "{told}");
    }
    assert!(server.seen().is_empty());
}

/// An invalid proxy address is an error; the client does not bypass the proxy.
#[tokio::test]
async fn an_address_that_is_none_names_its_variable() {
    for (value, what) in [
        ("http://user:hun#ter2@127.0.0.1:1", "%23"),
        ("http://user:hun/ter2@127.0.0.1:1", "%2F"),
        ("http://user:hun?ter2@127.0.0.1:1", "%3F"),
        ("http://DOMAIN\\user:hunter2@127.0.0.1:1", "%5C"),
        ("http://user:hunter2\\@127.0.0.1:1", "%5C"),
        ("http://user:hunter2 @127.0.0.1:1", "percent-encoded"),
        ("http://user:hunter2%zz@127.0.0.1:1", "percent-encoded"),
        ("http://user:hunter2%@127.0.0.1:1", "percent-encoded"),
        ("http://user:hunter2\u{e4}@127.0.0.1:1", "percent-encoded"),
        ("http://user:hunter2@", "no host"),
        ("http://", "no host"),
        ("http://user:hunter2@127.0.0.1:1/path", "something after the host"),
        ("http://user:hunter2@127.0.0.1:0", "a port"),
        ("http://user:hunter2@127.0.0.1:65536", "a port"),
        ("http://user:hunter2@127.0.0.1:+1", "a port"),
        ("http://user:hunter2@fd00::1", "no host"),
        ("http://user:hunter2@[fd00::g]:1", "no host"),
        ("https://user:hunter2@127.0.0.1:1", "an https proxy"),
        ("socks5://user:hunter2@127.0.0.1:1", "a SOCKS proxy"),
        ("socks5h://user:hunter2@127.0.0.1:1", "a SOCKS proxy"),
        ("ftp://user:hunter2@127.0.0.1:1", "another kind of address"),
        ("user:hunter2", "a port"),
    ] {
        for (variable, wire) in [("HTTP_PROXY", "rest"), ("all_proxy", "grpc")] {
            let environment = [(variable, value.to_owned()), (WIRE, wire.to_owned())];
            let told = run("http://eset.example:80", &environment).await;
            assert!(told.contains("kind: Config"), "{value}: {told}");
            let expected =
                format!("{variable}: expected http://[USER:PASSWORD@]HOST[:PORT], found ");
            assert!(told.contains(&expected) && told.contains(what), "{value}: {what} in {told}");
            assert!(told.contains("retryable false executed false"), "{told}");
        }
    }
    // Calls that do not use it are not affected.
    let server = Scripted::start([ok(TASK)]).await;
    let told = run(&server.endpoint(), &[("HTTP_PROXY", "ftp://x".to_owned())]).await;
    assert!(told.contains("called"), "{told}");
}

#[tokio::test]
async fn an_address_may_be_written_in_many_ways() {
    let server = Scripted::start((0..9).map(|_| ok(TASK))).await;
    let proxy = Proxy::start(Manner::Opens(OPEN), server.address()).await;
    let address = proxy.address;
    for (value, authorization) in [
        (format!("{address}"), None),
        (format!(" HTTP://{address}/ "), None),
        (format!("user@{address}"), Some("dXNlcjo=")),
        (format!("http://u%40ser:a%5Cb%23c@{address}"), Some("dUBzZXI6YVxiI2M=")),
        (format!("http://user:a@b:c@{address}"), Some("dXNlcjphQGI6Yw==")),
    ] {
        let told = run("http://eset.example:80", &[("HTTP_PROXY", value.clone())]).await;
        assert!(told.contains("called"), "{value}: {told}");
        let asked = proxy.seen().pop().unwrap();
        let line = asked.lines().find_map(|line| line.strip_prefix("Proxy-Authorization: Basic "));
        assert_eq!(line, authorization, "{value}: {asked}");
        assert!(asked.contains("User-Agent: eset-protect/"), "{asked}");
    }
}

/// As in Go: upper case takes precedence over lower case, and empty variables count as unset.
#[tokio::test]
async fn the_first_variable_that_says_something_counts() {
    let server = Scripted::start((0..9).map(|_| ok(TASK))).await;
    let proxy = Proxy::start(Manner::Opens(OPEN), server.address()).await;
    let (good, bad) = (proxy.url(), "ftp://x".to_owned());
    let bad_too = bad.clone();
    for environment in [
        vec![("HTTP_PROXY", String::new()), ("http_proxy", good.clone())],
        vec![("HTTP_PROXY", "  ".to_owned()), ("http_proxy", good.clone())],
        vec![("HTTP_PROXY", good.clone()), ("http_proxy", bad.clone())],
        vec![("http_proxy", good.clone()), ("ALL_PROXY", bad.clone())],
        vec![("http_proxy", String::new()), ("ALL_PROXY", good.clone()), ("HTTPS_PROXY", bad)],
        vec![("ALL_PROXY", String::new()), ("all_proxy", good.clone())],
        vec![("all_proxy", good.clone()), ("NO_PROXY", String::new())],
        // Under CGI it is a header of a request.
        vec![
            ("REQUEST_METHOD", "GET".to_owned()),
            ("HTTP_PROXY", bad_too),
            ("http_proxy", good.clone()),
        ],
    ] {
        let told = run("http://eset.example:80", &environment).await;
        assert!(told.contains("called"), "{environment:?}: {told}");
    }
    let before = proxy.seen().len();
    assert_eq!(before, 8);
    let environment = [
        ("ALL_PROXY", good),
        ("NO_PROXY", String::new()),
        ("no_proxy", "x, .invalid:80".to_owned()),
    ];
    let told = run("http://eset.invalid:80", &environment).await;
    assert!(told.contains("kind: Connect"), "{told}");
    assert_eq!(proxy.seen().len(), before, "that host is reached without it");
}

#[tokio::test]
async fn some_hosts_are_reached_without_it() {
    let server = Scripted::start([ok(TASK), ok(TASK)]).await;
    let proxy = Proxy::start(Manner::Opens(OPEN), server.address()).await;
    // The local machine, and hosts in NO_PROXY: that host does not exist, so the call fails.
    let told = run(&server.endpoint(), &[("HTTP_PROXY", proxy.url())]).await;
    assert!(told.contains("called"), "{told}");
    let environment = [("HTTP_PROXY", proxy.url()), ("NO_PROXY", "eset.invalid".to_owned())];
    let told = run("http://tasks.eset.invalid:80", &environment).await;
    assert!(told.contains("kind: Connect"), "{told}");
    assert!(proxy.seen().is_empty(), "{:?}", proxy.seen());
}
