//! The budget that bridges share, with a real server.

#![cfg(all(unix, feature = "redis"))]

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use eset_protect::automation::v1::ListTasksRequest;
use eset_protect::serve::{Config, RedisBudget, RunningBridge};
use eset_protect::{Client, Error, RateLimiter, Wire};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, UnixStream};
use tokio::sync::watch;

use crate::support::directory::Directory;
use crate::support::skip::skipped;
use crate::support::tls;
use crate::{client, emulator};

struct Server(Child);

impl Server {
    /// Starts a server on this socket; `None` without the program.
    fn start(socket: &str) -> Option<Self> {
        Self::start_with(socket, &[])
    }

    fn start_with(socket: &str, args: &[&str]) -> Option<Self> {
        let mut command = Command::new("redis-server");
        command.args(["--port", "0", "--unixsocket", socket, "--save", "", "--daemonize", "no"]);
        command.args(args);
        let mut server = Self(command.stdout(Stdio::piped()).spawn().ok()?);
        let mut lines = BufReader::new(server.0.stdout.take().unwrap()).lines();
        let is_ready =
            |line: &str| line.to_ascii_lowercase().contains("ready to accept connections");
        let (ready, starting) = mpsc::channel();
        // Until the server ends, which a test that fails here sees to.
        std::thread::spawn(move || {
            let found = lines.by_ref().map_while(Result::ok).any(|line| is_ready(&line));
            let _ = ready.send(found);
        });
        let found = starting.recv_timeout(Duration::from_secs(30));
        assert_eq!(found, Ok(true), "redis-server does not get ready");
        Some(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn bridge(directory: &Directory, upstream: &str, rate: u32) -> RunningBridge {
    let socket = directory.join("redis.sock");
    let url = format!("url = \"redis+unix://{}\"", socket.display());
    config(directory, &url, upstream, rate).into_bridge().start().await.unwrap()
}

fn config(directory: &Directory, redis: &str, upstream: &str, rate: u32) -> Config {
    let path = directory.join("serve.toml");
    let text = format!(
        "[redis]\n{redis}\ninstances = 2\n\
         [tenants.acme]\nendpoint = {upstream:?}\nwire = \"rest\"\nrate = {rate}\n"
    );
    fs::write(&path, text).unwrap();
    Config::read(&path, None).unwrap()
}

/// Puts TLS in front of a socket. A handshake begins once somebody sends something there, if there is something.
async fn secure(server: &tls::Identified, socket: &str, until: Option<watch::Sender<()>>) -> u16 {
    let acceptor = tls::acceptor(server, &[], None);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, socket) = (listener.local_addr().unwrap().port(), socket.to_owned());
    tokio::spawn(async move {
        loop {
            let stream = listener.accept().await.unwrap().0;
            if let Some(until) = &until {
                until.subscribe().changed().await.unwrap();
            }
            let Some(mut stream) = acceptor(stream).await else { continue };
            let mut redis = UnixStream::connect(&socket).await.unwrap();
            // An error means that a side is gone.
            tokio::spawn(async move { copy_bidirectional(&mut stream, &mut redis).await.is_ok() });
        }
    });
    port
}

#[tokio::test]
async fn redis_is_reached_over_tls_with_a_password() {
    let directory = Directory::new();
    let socket = directory.join("redis.sock").to_str().unwrap().to_owned();
    let password = "correct-horse";
    let Some(_server) = Server::start_with(&socket, &["--requirepass", password]) else {
        return skipped("there is no redis-server");
    };
    let (authority, other) = (tls::new_authority(), tls::new_authority());
    let port = secure(&tls::issue(&authority, "localhost"), &socket, None).await;
    fs::write(directory.join("ca.pem"), authority.pem()).unwrap();
    fs::write(directory.join("other.pem"), other.pem()).unwrap();
    let url = |scheme: &str, password: &str| format!("{scheme}://:{password}@localhost:{port}\n");
    let address = format!("redis+unix://{socket}?pass={password}");
    let mut redis = redis::Client::open(address).unwrap();
    let emulator = emulator().await;
    for (scheme, authority, given, is_asked) in [
        ("rediss", "ca.pem", password, true),
        ("valkeys", "ca.pem", password, true),
        ("rediss", "other.pem", password, false),
        ("rediss", "ca.pem", "wrong-horse", false),
        ("redis", "ca.pem", password, false),
    ] {
        fs::write(directory.join("redis.url"), url(scheme, given)).unwrap();
        let redis_table = format!("url_file = \"redis.url\"\nca_cert = {authority:?}");
        let config = config(&directory, &redis_table, &emulator.endpoint(), 100);
        assert!(!format!("{config:?}").contains("horse"), "{config:?}");
        let bridge = config.into_bridge().start().await.unwrap();
        // Calls pass in any case: never more than this bridge's share without Redis.
        list(&client(&bridge.endpoint(), Wire::Grpc), Duration::from_secs(30)).await.unwrap();
        let deleted: bool =
            redis::cmd("DEL").arg("eset-protect:budget:{acme}").query(&mut redis).unwrap();
        assert_eq!(deleted, is_asked, "{scheme} {authority} {given}");
    }
}

/// At some distance, TCP's and TLS's handshakes take longer than a call waits.
#[tokio::test]
async fn calls_do_not_wait_until_a_distant_redis_is_connected_to() {
    let directory = Directory::new();
    let socket = directory.join("redis.sock").to_str().unwrap().to_owned();
    let Some(_server) = Server::start(&socket) else { return skipped("there is no redis-server") };
    let (authority, called) = (tls::new_authority(), watch::Sender::new(()));
    let port = secure(&tls::issue(&authority, "localhost"), &socket, Some(called.clone())).await;
    fs::write(directory.join("ca.pem"), authority.pem()).unwrap();
    let table = format!("url = \"rediss://localhost:{port}\"\nca_cert = \"ca.pem\"");
    let emulator = emulator().await;
    let bridge = config(&directory, &table, &emulator.endpoint(), 100).into_bridge();
    let bridge = bridge.start().await.unwrap();
    let client = client(&bridge.endpoint(), Wire::Grpc);
    let redis = redis::Client::open(format!("redis+unix://{socket}")).unwrap();
    let mut redis = redis.get_multiplexed_async_connection().await.unwrap();
    let started = Instant::now();
    loop {
        list(&client, Duration::from_secs(30)).await.unwrap();
        // Only now does the handshake begin of a connection that this call has begun.
        called.send_replace(());
        let key = "eset-protect:budget:{acme}";
        let is_asked: bool = redis::cmd("EXISTS").arg(key).query_async(&mut redis).await.unwrap();
        if is_asked {
            break;
        }
        assert!(started.elapsed() < Duration::from_secs(10), "Redis is never asked");
    }
}

async fn list(client: &Client, timeout: Duration) -> Result<(), Error> {
    let call = client.device_tasks().list_tasks(ListTasksRequest::default());
    call.timeout(timeout).await.map(drop)
}

#[tokio::test]
async fn bridges_share_a_budget_through_redis() {
    let directory = Directory::new();
    let socket = directory.join("redis.sock").to_str().unwrap().to_owned();
    let Some(server) = Server::start(&socket) else { return skipped("there is no redis-server") };
    let emulator = emulator().await;
    let long = Duration::from_secs(30);
    let (one, other) = (
        bridge(&directory, &emulator.endpoint(), 20).await,
        bridge(&directory, &emulator.endpoint(), 20).await,
    );
    let (first, second) =
        (client(&one.endpoint(), Wire::Grpc), client(&other.endpoint(), Wire::Grpc));

    // Each alone would send its 5 calls at once.
    let started = Instant::now();
    let both = (0..5).flat_map(|_| [list(&first, long), list(&second, long)]);
    futures_util::future::try_join_all(both).await.unwrap();
    let least = Duration::from_millis(51) * 9;
    assert!(started.elapsed() >= least, "{:?}", started.elapsed());

    // Who cannot have a turn is told at once, and takes none.
    let slow = bridge(&directory, &emulator.endpoint(), 1).await;
    let slow = client(&slow.endpoint(), Wire::Grpc);
    list(&slow, long).await.unwrap();
    let before = emulator.log().len();
    let error = list(&slow, Duration::from_millis(500)).await.unwrap_err();
    assert!(error.is_deadline_exceeded(), "{error}");
    assert_eq!(emulator.log().len(), before);

    // So it is if turns are minutes apart.
    let budget = RedisBudget::new(&format!("redis+unix://{socket}"), 2).unwrap();
    let limiter = RateLimiter::new(1, Duration::from_secs(120));
    let rare = Client::builder(&emulator.endpoint()).rate_limiter(&limiter);
    let rare = budget.share("rare", rare).connect_lazy().unwrap();
    list(&rare, long).await.unwrap();
    let error = list(&rare, Duration::from_millis(500)).await.unwrap_err();
    assert!(error.is_deadline_exceeded(), "{error}");

    // Without Redis each has its share: it never fails open.
    drop(server);
    let started = Instant::now();
    for _ in 0..3 {
        list(&first, long).await.unwrap();
    }
    let least = Duration::from_millis(102) * 3;
    assert!(started.elapsed() >= least, "{:?}", started.elapsed());

    // It is back within 2 s: the server is new, so it has the key only if it was asked.
    fs::remove_file(&socket).unwrap();
    let server = Server::start(&socket).unwrap();
    let address = format!("redis+unix://{socket}");
    let redis = redis::Client::open(address).unwrap();
    let mut redis = redis.get_multiplexed_async_connection().await.unwrap();
    let started = Instant::now();
    loop {
        list(&first, long).await.unwrap();
        let key = "eset-protect:budget:{acme}";
        let is_there: bool = redis::cmd("EXISTS").arg(key).query_async(&mut redis).await.unwrap();
        if is_there {
            break;
        }
        assert!(started.elapsed() < Duration::from_secs(2), "Redis is not asked again");
    }
    drop(server);
}
