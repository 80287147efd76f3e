//! The servers of a fault, a client, and a call.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use eset_protect::automation::v1::{Action, DeviceTask, Trigger};
use eset_protect::{Client, ClientBuilder, Error, Region, Wire};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::fault::{Api, Begin, Setting};
use crate::support::causes::causes;
use crate::support::driven_timer::DrivenTimer;
use crate::support::scripted::frames::{FrameServer, What};
use crate::support::scripted::{Answer, Scripted, Seen, ok};
use crate::support::tls::acceptor;

pub const USER: &str = "api-user";
pub const PASSWORD: &str = "correct-horse-battery";
/// The common part of all tokens.
pub const TOKEN: &str = "secret-token";

/// A call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Idempotent.
    Get,
    /// Not idempotent.
    Create,
}

impl Call {
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GetTask",
            Self::Create => "CreateTask",
        }
    }

    pub async fn make(self, client: &Client) -> Result<DeviceTask, Error> {
        match self {
            Self::Get => get(client).await,
            Self::Create => create(client).await,
        }
    }
}

pub async fn get(client: &Client) -> Result<DeviceTask, Error> {
    client.device_tasks().get_task("t-1").await
}

pub fn task() -> DeviceTask {
    DeviceTask {
        display_name: "Scan".into(),
        action: Some(Action { name: "StartNetworkIsolation".into(), ..Default::default() }),
        triggers: vec![Trigger::manual(None)],
        ..Default::default()
    }
}

pub async fn create(client: &Client) -> Result<DeviceTask, Error> {
    client.device_tasks().create_task(task()).await
}

/// Returns the responses of a good login, each with a new token.
pub fn tokens() -> impl Iterator<Item = Answer> {
    (1..).map(|n| {
        ok(&format!(
            r#"{{"access_token":"{TOKEN}-{n}","refresh_token":"secret-refresh-{n}","expires_in":3600}}"#
        ))
    })
}

/// The number of tokens a login has: more than any test needs.
const OFTEN: usize = 60;

/// The API's server.
enum Server {
    Nobody(Nobody),
    Http1(Scripted),
    Http2(FrameServer),
}

/// All servers of a setting.
pub struct Stage {
    pub timer: DrivenTimer,
    setting: Setting,
    api: Server,
    login: Option<Scripted>,
    login_address: SocketAddr,
    /// The address of the login if there is none.
    _nobody: Nobody,
    /// An address that must never be used.
    elsewhere: Elsewhere,
}

/// An address that must receive no connections.
pub struct Elsewhere {
    pub address: SocketAddr,
    connections: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl Elsewhere {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let connections = Arc::new(AtomicUsize::new(0));
        let count = connections.clone();
        let task = tokio::spawn(async move {
            while listener.accept().await.is_ok() {
                count.fetch_add(1, Ordering::SeqCst);
            }
        });
        Self { address, connections, task }
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Stage {
    pub async fn start(timer: DrivenTimer, elsewhere: Elsewhere, setting: Setting) -> Self {
        let begin = beginning(&setting.begin, &timer);
        let api = match &setting.api {
            Api::Nobody => Server::Nobody(Nobody::new()),
            Api::Http1 { script, otherwise } => {
                let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
                let server = Scripted::accept(listener, script.clone(), begin);
                Server::Http1(server.otherwise(otherwise.clone()))
            }
            Api::Http2 { script, otherwise } => {
                let server = FrameServer::accept(script.clone(), otherwise.clone(), begin).await;
                Server::Http2(server)
            }
        };
        let login = match &setting.login {
            None => None,
            Some(script) => {
                let script = script.iter().cloned().chain(tokens().take(OFTEN));
                Some(Scripted::start(script.collect::<Vec<_>>()).await)
            }
        };
        let nobody = Nobody::new();
        let login_address = login.as_ref().map_or(nobody.address, Scripted::address);
        Self { timer, setting, api, login, login_address, _nobody: nobody, elsewhere }
    }

    /// Creates a stage with its own clock.
    pub async fn of(setting: Setting) -> Self {
        Self::start(DrivenTimer::new(), Elsewhere::start().await, setting).await
    }

    pub fn address(&self) -> SocketAddr {
        match &self.api {
            Server::Nobody(nobody) => nobody.address,
            Server::Http1(server) => server.address(),
            Server::Http2(server) => server.address(),
        }
    }

    /// Returns a client's builder with all defaults except the clock and jitter.
    pub fn builder(&self, wire: Wire) -> ClientBuilder {
        self.drawing_builder(wire).jitter(|ceiling| ceiling)
    }

    /// Does the same, with random waits.
    pub fn drawing_builder(&self, wire: Wire) -> ClientBuilder {
        let address = self.address();
        let endpoint = match &self.setting.begin {
            Begin::Tls(_, _) => format!("https://localhost:{}", address.port()),
            _ => format!("http://{address}"),
        };
        let builder = match wire {
            Wire::Rest => Client::cloud(Region::Eu).host("automation", endpoint),
            wire => Client::builder(&endpoint).wire(wire),
        };
        builder
            .tls(self.setting.tls.clone())
            .token_url(format!("http://{}/oauth/token", self.login_address))
            .login(USER, PASSWORD)
            .timer(self.timer.clone())
    }

    /// Returns the HTTP/1.1 requests that the API received.
    pub fn seen(&self) -> Vec<Seen> {
        match &self.api {
            Server::Http1(server) => server.seen(),
            _ => Vec::new(),
        }
    }

    /// Returns the number of requests that the API received.
    pub fn requests(&self) -> usize {
        match &self.api {
            Server::Nobody(_) => 0,
            Server::Http1(server) => server.seen().len(),
            Server::Http2(server) => server.count(What::Head) + server.count(What::Ignored),
        }
    }

    /// Returns the number of connections to the API.
    pub fn connections(&self) -> usize {
        match &self.api {
            Server::Nobody(_) => 0,
            Server::Http1(server) => server.connections(),
            Server::Http2(server) => server.count(What::Connection),
        }
    }

    /// Returns the number of requests that start something rather than poll.
    pub fn begun(&self) -> usize {
        let polls = self.seen().iter().filter(|seen| seen.header("response-id").is_some()).count();
        self.requests() - polls
    }

    /// Returns the requests that the login received.
    pub fn logins(&self) -> Vec<Seen> {
        self.login.as_ref().map(Scripted::seen).unwrap_or_default()
    }

    /// Checks what must always hold.
    fn check(&self, call: Call, outcome: &Outcome) {
        let Outcome { result, requests, begun, elapsed, .. } = outcome;
        if call == Call::Create {
            let most = self.setting.unprocessed.saturating_add(1);
            assert!(*begun <= most, "{begun} creates arrived where {most} are safe: {result:?}");
        }
        assert_eq!(self.elsewhere.connections.load(Ordering::SeqCst), 0, "a stranger was called");
        for seen in self.seen() {
            let text = format!("{}{}", seen.head, String::from_utf8_lossy(&seen.body));
            assert!(!text.contains(PASSWORD) && !text.contains("secret-refresh"), "{text}");
            let authorization = seen.header("authorization").unwrap_or_default();
            assert!(authorization.starts_with(&format!("Bearer {TOKEN}-")), "{text}");
        }
        for seen in self.logins() {
            let text = format!("{}{}", seen.head, String::from_utf8_lossy(&seen.body));
            assert!(!text.contains(TOKEN), "{text}");
        }
        let deadline = if self.setting.is_rest { 150 } else { 60 };
        assert!(*elapsed <= Duration::from_secs(deadline), "{elapsed:?}");
        let Err(error) = result else { return };
        if self.setting.is_seen {
            let attempts = usize::try_from(error.attempts()).expect("a small number");
            // An attempt may poll for a pending response several times.
            let is_right =
                if *begun == *requests { attempts == *begun } else { attempts <= *requests };
            assert!(is_right, "{attempts} attempts, {requests} requests: {error:?}");
        }
        let text: String = causes(error).map(|cause| format!("{cause} {cause:?} ")).collect();
        for secret in [TOKEN, PASSWORD, "secret-refresh"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}

/// The outcome of a call.
#[derive(Debug)]
pub struct Outcome {
    pub result: Result<DeviceTask, Error>,
    /// The number of requests that the API received.
    pub requests: usize,
    /// The number of them that were not polls.
    pub begun: usize,
    /// How long it took by the driven clock.
    pub elapsed: Duration,
}

/// Makes a call and checks what must always hold.
pub async fn run(stage: &Stage, wire: Wire, call: Call) -> Outcome {
    let client = stage.builder(wire).connect_lazy().expect("a client");
    let result = call.make(&client).await;
    let outcome = Outcome {
        result,
        requests: stage.requests(),
        begun: stage.begun(),
        elapsed: stage.timer.elapsed(),
    };
    stage.check(call, &outcome);
    outcome
}

/// An address where nothing listens, and nothing can as long as this lives.
pub struct Nobody {
    pub address: SocketAddr,
    _socket: TcpSocket,
}

impl Nobody {
    pub fn new() -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
        Self { address: socket.local_addr().expect("an address"), _socket: socket }
    }
}

/// A connection with or without TLS.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

type Beginning = Pin<Box<dyn Future<Output = Option<Box<dyn Stream>>> + Send>>;

/// What a server does first with a connection.
fn beginning(begin: &Begin, timer: &DrivenTimer) -> impl Fn(TcpStream) -> Beginning + Send + use<> {
    let (begin, timer) = (begin.clone(), timer.clone());
    let tls = match &begin {
        Begin::Tls(identified, alpn) => Some(Arc::new(acceptor(identified, alpn, None))),
        _ => None,
    };
    let connections = AtomicUsize::new(0);
    move |stream| {
        let number = connections.fetch_add(1, Ordering::SeqCst);
        let (begin, timer, tls) = (begin.clone(), timer.clone(), tls.clone());
        Box::pin(async move {
            match begin {
                Begin::Plain => {}
                Begin::Tls(_, _) => {
                    let stream = tls.expect("an acceptor")(stream).await?;
                    return Some(Box::new(stream) as Box<dyn Stream>);
                }
                Begin::WithoutLinger => stream.set_zero_linger().expect("a socket"),
                Begin::Silent => {
                    stream.peek(&mut [0]).await.ok()?;
                    timer.run_out();
                    std::future::pending::<()>().await;
                }
                Begin::ResetAtOnce(connections) => {
                    if number < connections {
                        stream.set_zero_linger().expect("a socket");
                        return None;
                    }
                }
                Begin::ResetUnread(connections) => {
                    if number < connections {
                        stream.peek(&mut [0]).await.ok()?;
                        stream.set_zero_linger().expect("a socket");
                        return None;
                    }
                }
            }
            Some(Box::new(stream) as Box<dyn Stream>)
        })
    }
}
