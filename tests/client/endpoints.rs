//! Several endpoints and connections of one gRPC client.

use std::io;
use std::net::{Ipv6Addr, SocketAddr, SocketAddrV6};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use added_service::proto::example::greeter::v1::GreetRequest;
use added_service::rpc::greeter::Greet;
use eset_protect::auth::{BoxFuture, StaticToken};
use eset_protect::automation::v1::{DeviceTask, ListTasksRequest};
use eset_protect::emulator::{Emulator, ManualClock};
use eset_protect::transport::{Reply, Request, Resolver, Transport};
use eset_protect::{Client, ClientBuilder, Error, ErrorKind, Region, RetryPolicy, TlsConfig, Wire};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::paging::server::Server;
use crate::support::emulator_timer::EmulatorTimer;
use crate::support::scripted::{Scripted, json, ok};
use crate::waiting::{devices, task};

/// Longer than an endpoint stays ejected, and than addresses are kept.
const LATER: Duration = Duration::from_secs(600);

fn timer() -> EmulatorTimer {
    EmulatorTimer::new(Arc::new(ManualClock::default()))
}

fn builder(servers: &[&Server], timer: &EmulatorTimer) -> ClientBuilder {
    let endpoints: Vec<_> = servers.iter().map(|server| server.endpoint()).collect();
    Client::builder(&endpoints[0]).endpoints(&endpoints[1..]).timer(timer.clone())
}

/// An endpoint at which nobody listens.
fn nowhere() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

async fn greet(client: &Client, person: &str) {
    let request = GreetRequest { person: person.to_owned(), ..Default::default() };
    client.call::<Greet>(request).await.expect("a greeting");
}

/// Begins so many calls at once.
fn greet_together(client: &Client, calls: usize) -> JoinSet<()> {
    let calls = (0..calls).map(|_| client.clone());
    calls.map(|client| async move { greet(&client, "Ada").await }).collect()
}

#[tokio::test]
async fn calls_go_to_all_endpoints_in_turn() {
    let servers = [Server::start(), Server::start(), Server::start()];
    let client = builder(&servers.each_ref(), &timer()).connect_lazy().unwrap();
    for _ in 0..9 {
        greet(&client, "Ada").await;
    }
    assert_eq!(servers.each_ref().map(|server| server.arrived().len()), [3, 3, 3]);
}

#[tokio::test]
async fn a_busy_endpoint_gets_fewer_calls() {
    let servers = [Server::start(), Server::start()];
    let client = builder(&servers.each_ref(), &timer()).connect_lazy().unwrap();
    servers[0].hold("Ada");
    let slow = greet_together(&client, 1);
    servers[0].until_arrived(1).await;
    for _ in 0..5 {
        greet(&client, "Bob").await;
    }
    assert_eq!(servers[0].arrived(), ["Ada"]);
    servers[0].release("Ada");
    slow.join_all().await;
}

#[tokio::test]
async fn no_call_that_may_be_repeated_fails_when_one_of_two_dies() {
    const CALLS: usize = 256;
    let (dying, other) = (Server::start(), Server::start());
    let timer = timer();
    let client = builder(&[&dying, &other], &timer).connect_lazy().unwrap();
    dying.hold("*");
    other.hold("*");
    let calls = greet_together(&client, CALLS);
    dying.until_arrived(CALLS / 2).await;
    other.until_arrived(CALLS / 2).await;
    let address = dying.address();
    dying.kill();
    other.release("*");
    calls.join_all().await;
    assert!(other.arrived().len() >= CALLS);

    // It is avoided as long as it is ejected, and gets calls again after that.
    let back = Server::start_at(address);
    greet_together(&client, 10).join_all().await;
    assert_eq!(back.arrived().len(), 0);
    timer.advance(LATER);
    greet_together(&client, 10).join_all().await;
    greet_together(&client, 10).join_all().await;
    assert!(back.arrived().len() >= 5, "{:?}", back.log());
}

/// Nothing was sent, so any call can go on to the next endpoint, without another attempt.
#[tokio::test]
async fn a_create_passes_over_endpoints_that_cannot_be_reached() {
    let emulator = Emulator::builder().build().unwrap().start().await.unwrap();
    let endpoint = emulator.endpoint();
    let client = Client::builder(&nowhere()).endpoints([nowhere(), endpoint]);
    let client = client.timer(timer()).retry(RetryPolicy::none()).connect_lazy().unwrap();
    for number in 1..=3 {
        let task = DeviceTask { display_name: number.to_string(), ..task(devices(&["d-1"])) };
        client.device_tasks().create_task(task).await.unwrap();
        let listed = client.device_tasks().list_tasks(ListTasksRequest::default()).await.unwrap();
        assert_eq!(listed.tasks.len(), number);
    }
}

#[tokio::test]
async fn connecting_needs_one_endpoint() {
    let server = Server::start();
    let client = Client::builder(&nowhere()).endpoints([server.endpoint()]).connect().await;
    greet(&client.unwrap(), "Ada").await;
    let (first, last) = (nowhere(), nowhere());
    let error = Client::builder(&first).endpoints([&last]).connect().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(error.message().contains(&last), "{error}");
}

#[tokio::test]
async fn calls_fail_with_the_reason_while_no_endpoint_can_be_reached() {
    let client = Client::builder(&nowhere()).endpoints([nowhere()]).timer(timer());
    let client = client.connect_lazy().unwrap();
    for _ in 0..3 {
        let error = client.device_tasks().get_task("t-1").await.unwrap_err();
        assert_eq!((error.kind(), error.may_have_executed()), (ErrorKind::Connect, false));
        assert_eq!(error.attempts(), 5);
    }
}

#[tokio::test]
async fn a_client_opens_as_many_connections_as_asked() {
    for (connections, expected) in [(0, 1), (1, 1), (3, 3)] {
        let server = Server::start();
        let client = builder(&[&server], &timer()).connections(connections);
        let client = client.connect_lazy().unwrap();
        server.hold("*");
        let calls = greet_together(&client, 12);
        server.until_arrived(12).await;
        server.release("*");
        calls.join_all().await;
        assert_eq!(server.log().peers.len(), expected, "{connections}");
    }
}

/// Returns these addresses; none is an error.
#[derive(Clone, Debug)]
struct Registry(Arc<Mutex<Vec<SocketAddr>>>);

impl Registry {
    fn set(&self, servers: &[&Server]) {
        *self.0.lock().unwrap() = servers.iter().map(|server| server.address()).collect();
    }
}

impl Resolver for Registry {
    fn resolve<'a>(
        &'a self,
        host: &'a str,
        port: u16,
    ) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        assert_eq!((host, port), ("bridge.test", 50051));
        let addresses = self.0.lock().unwrap().clone();
        Box::pin(async move {
            if addresses.is_empty() { Err(io::Error::other("no registry")) } else { Ok(addresses) }
        })
    }
}

#[tokio::test]
async fn addresses_are_looked_up_again() {
    let [first, second, third] = [Server::start(), Server::start(), Server::start()];
    let registry = Registry(Arc::default());
    let timer = timer();
    let client = Client::builder("http://bridge.test:50051").no_proxy().timer(timer.clone());
    let client = client.resolver(registry.clone()).connect_lazy().unwrap();

    let error = client.call::<Greet>(GreetRequest::default()).await.unwrap_err();
    assert_eq!((error.kind(), error.may_have_executed()), (ErrorKind::Connect, false));
    let message = "cannot look up http://bridge.test:50051: no registry";
    assert_eq!(error.message(), message);

    registry.set(&[&first, &second]);
    for _ in 0..4 {
        greet(&client, "Ada").await;
    }
    assert_eq!([&first, &second].map(|server| server.arrived().len()), [2, 2]);

    // A lookup that fails changes nothing.
    registry.set(&[]);
    timer.advance(LATER);
    greet(&client, "Ada").await;

    registry.set(&[&second, &third]);
    timer.advance(LATER);
    // Calls do not wait for the lookup.
    let found = async {
        while third.arrived().is_empty() {
            greet(&client, "Ada").await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), found).await.expect("the new address");
    let before = first.arrived().len();
    for _ in 0..4 {
        greet(&client, "Bob").await;
    }
    assert_eq!(first.arrived().len(), before);
    assert_eq!(second.log().peers.len(), 1, "the connection stayed open");
}

/// A URI has no place for the scope of an address, without which a link-local one cannot be reached.
#[tokio::test]
async fn an_address_may_have_a_scope() {
    // A system may have no IPv6.
    let Ok(listener) = TcpListener::bind("[::1]:0").await else { return };
    let port = listener.local_addr().unwrap().port();
    let scoped = SocketAddrV6::new(Ipv6Addr::LOCALHOST, port, 0, 1);
    let registry = Registry(Arc::new(Mutex::new(vec![scoped.into()])));
    let client = Client::builder("http://bridge.test:50051").no_proxy().resolver(registry);
    let client = client.connect_lazy().unwrap();
    tokio::select! {
        accepted = listener.accept() => drop(accepted.unwrap()),
        result = client.call::<Greet>(GreetRequest::default()) => panic!("{result:?}"),
    }
}

/// A transport that nobody calls.
#[derive(Debug)]
struct Nothing;

impl Transport for Nothing {
    fn send<'a>(&'a self, _: Request<'a>) -> BoxFuture<'a, Result<Reply, Error>> {
        unreachable!()
    }
}

/// Whichever was set last, as for the environment and what a program sets after it.
#[tokio::test]
async fn a_login_and_credentials_replace_each_other() {
    let api = Scripted::start([]).await.otherwise(ok(r#"{"task":{}}"#));
    let login = Scripted::start([json("200 OK", r#"{"access_token":"of-the-login"}"#)]).await;
    let rest = || Client::builder(&api.endpoint()).wire(Wire::Rest);
    let fixed = || StaticToken::new("fixed");
    let url = format!("{}/oauth/token", login.endpoint());
    for builder in [
        rest().login("a", "b").token_url(&url).credentials(fixed()),
        rest().credentials(fixed()).login("a", "b").token_url(&url),
    ] {
        builder.connect_lazy().unwrap().device_tasks().get_task("t").await.unwrap();
    }
    let seen = api.seen();
    let tokens: Vec<_> = seen.iter().map(|seen| seen.header("authorization").unwrap()).collect();
    assert_eq!(tokens, ["Bearer fixed", "Bearer of-the-login"]);
}

#[tokio::test]
async fn settings_that_would_have_no_effect_are_errors() {
    let rest = || Client::builder("http://127.0.0.1:1").wire(Wire::Rest);
    let error = rest().endpoints(["http://127.0.0.1:2"]).connect_lazy().unwrap_err();
    assert_eq!(error.message(), "endpoints: is for gRPC: set the wire to Wire::Grpc");
    let error = rest().resolver(Registry(Arc::default())).connect_lazy().unwrap_err();
    assert_eq!(error.message(), "resolver: is for gRPC: set the wire to Wire::Grpc");

    let grpc = || Client::builder("http://127.0.0.1:1");
    let pin = || TlsConfig::new().pinned_sha256(&"a".repeat(64)).unwrap();
    let (of_rest, of_grpc) =
        ("REST: set the wire to Wire::Rest or", "gRPC: set the wire to Wire::");
    for (builder, setting, purpose) in [
        (rest().connections(8), "connections", of_grpc),
        (grpc().host("automation", "http://127.0.0.1:2"), "host", of_rest),
        (grpc().host("nonsense", "garbage"), "host", of_rest),
        (grpc().token_url("garbage"), "token_url", "a login"),
        (rest().credentials(StaticToken::new("t")).token_url("garbage"), "token_url", "a login"),
        (grpc().tls(pin()), "tls", "https"),
        (rest().tls(pin()), "tls", "https"),
        (grpc().tls(TlsConfig::new().server_name("x").unwrap()), "tls", "https"),
        (rest().transport(Nothing), "wire", "the wires of this crate"),
    ] {
        let error = builder.connect_lazy().unwrap_err();
        let expected = format!("{setting}: is for {purpose}");
        assert!(error.message().starts_with(&expected), "{error}");
    }
    // What is used by one of several addresses or wires is used.
    let auto = grpc().wire(Wire::Auto).connections(2).host("automation", "http://127.0.0.1:2");
    auto.connect_lazy().unwrap();
    grpc().endpoints(["https://127.0.0.1:2"]).tls(pin()).connect_lazy().unwrap();
    let login = grpc().login("a", "b").token_url("https://login.test/t").tls(pin());
    login.connect_lazy().unwrap();
    Client::cloud(Region::Eu).tls(pin()).connect_lazy().unwrap();
    grpc().tls(TlsConfig::new()).connect_lazy().unwrap();

    let error = Client::builder("http://127.0.0.1:1").endpoints(["bridge"]).connect_lazy();
    let error = error.unwrap_err();
    assert!(error.message().contains("found \"bridge\""), "{error}");

    let secret = Client::builder("https://bridge.test").credentials(StaticToken::new("t"));
    let error = secret.endpoints(["http://bridge.test"]).connect_lazy().unwrap_err();
    assert!(error.message().contains("an access token travels by https only"), "{error}");
}
