//! A server that sends exactly what a test specifies, byte for byte, and records what arrives.
//!
//! It speaks HTTP/1.1 by hand so that it can misbehave: each request gets the next response of the script.

pub mod frames;
pub mod h2;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// One scripted answer.
#[derive(Clone)]
pub enum Answer {
    /// Sends these bytes and keeps the connection open.
    Keep(Vec<u8>),
    /// Sends these bytes and closes the connection.
    Close(Vec<u8>),
    /// Sends these bytes, then the others repeatedly.
    Endless(Vec<u8>, Vec<u8>),
    /// Sends these bytes, then nothing ever.
    Hang(Vec<u8>),
    /// Sends these bytes one by one, each in a separate packet.
    Trickle(Vec<u8>),
    /// Performs these steps and keeps the connection open unless they end it.
    Steps(Vec<Step>),
}

/// A part of a response.
#[derive(Clone)]
pub enum Step {
    /// These bytes.
    Say(Vec<u8>),
    /// Something beside the wire, once all before it is written; see [`Hook`].
    Then(Hook),
    /// The end of the connection without a word: TCP's RST where the socket does not linger.
    Kill,
}

/// Something that a server does outside the wire, such as advancing the clock. If it returns false, nothing
/// more of the response is sent.
#[derive(Clone)]
pub struct Hook(Arc<dyn Fn() -> bool + Send + Sync>);

impl Hook {
    pub fn new(run: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(run))
    }

    pub fn run(&self) -> bool {
        (self.0)()
    }
}

impl std::fmt::Debug for Hook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hook")
    }
}

/// Returns a response with a body of known length.
pub fn answer(status: &str, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Answer {
    let body = body.as_ref();
    let mut bytes = head(status, headers, Some(body.len()));
    bytes.extend_from_slice(body);
    Answer::Keep(bytes)
}

/// A response in JSON.
pub fn json(status: &str, body: &str) -> Answer {
    answer(status, &[("content-type", "application/json")], body)
}

/// A success in JSON.
pub fn ok(body: &str) -> Answer {
    json("200 OK", body)
}

/// Returns a pending response.
pub fn pending(id: &str) -> Answer {
    answer("202 Accepted", &[("response-id", id)], "")
}

/// Returns the status line and headers of a response.
pub fn head(status: &str, headers: &[(&str, &str)], length: Option<usize>) -> Vec<u8> {
    let mut text = format!("HTTP/1.1 {status}\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    if let Some(length) = length {
        text.push_str(&format!("content-length: {length}\r\n"));
    }
    text.push_str("\r\n");
    text.into_bytes()
}

/// A received request.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The bytes of the request line and headers.
    pub head: String,
    pub body: Vec<u8>,
    /// The connection that it came on, starting at 0.
    pub connection: usize,
}

impl Seen {
    /// `GET /path`.
    pub fn line(&self) -> &str {
        self.head.lines().next().unwrap_or_default().trim_end_matches(" HTTP/1.1")
    }

    /// Returns all values of a header.
    pub fn headers(&self, name: &str) -> Vec<&str> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines
            .filter(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
            .collect()
    }

    /// Returns the only value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers(name);
        assert!(found.len() < 2, "{name} came twice: {}", self.head);
        found.first().copied()
    }

    /// Returns everything except these headers.
    pub fn without(&self, names: &[&str]) -> String {
        let keep = |line: &&str| {
            let name = line.split(':').next().unwrap_or_default();
            !names.iter().any(|other| other.eq_ignore_ascii_case(name))
        };
        let head: Vec<_> = self.head.lines().filter(keep).collect();
        format!("{}\n{}", head.join("\n"), String::from_utf8_lossy(&self.body))
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("UTF-8")
    }
}

#[derive(Default)]
struct Log {
    requests: Vec<Seen>,
    connections: usize,
    script: VecDeque<Answer>,
    /// Used when the script ends.
    otherwise: Option<Answer>,
}

/// A server that runs as long as this lives.
pub struct Scripted {
    address: SocketAddr,
    log: Arc<Mutex<Log>>,
    task: JoinHandle<()>,
}

impl Scripted {
    /// Starts a server. When the script ends, requests get a 599.
    pub async fn start(script: impl IntoIterator<Item = Answer>) -> Self {
        Self::serve(TcpListener::bind("127.0.0.1:0").await.expect("a port"), script)
    }

    /// Does the same with this listener.
    pub fn serve(listener: TcpListener, script: impl IntoIterator<Item = Answer>) -> Self {
        Self::accept(listener, script, |stream| async move { Some(stream) })
    }

    /// Does the same after something that each connection does first, such as TLS.
    pub fn accept<F, S>(
        listener: TcpListener,
        script: impl IntoIterator<Item = Answer>,
        begin: impl Fn(tokio::net::TcpStream) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = Option<S>> + Send + 'static,
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let address = listener.local_addr().expect("an address");
        let script = script.into_iter().collect();
        let log = Arc::new(Mutex::new(Log { script, ..Log::default() }));
        let shared = log.clone();
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).expect("a socket");
                let number = {
                    let mut log = shared.lock().expect("the log");
                    log.connections += 1;
                    log.connections - 1
                };
                let (log, beginning) = (shared.clone(), begin(stream));
                connections.spawn(async move {
                    if let Some(stream) = beginning.await {
                        converse(stream, number, &log).await;
                    }
                });
            }
        });
        Self { address, log, task }
    }

    /// Appends a response to the script.
    pub fn push(&self, answer: Answer) {
        self.log.lock().expect("the log").script.push_back(answer);
    }

    /// Sends this response whenever the script has ended.
    pub fn otherwise(self, answer: Answer) -> Self {
        self.log.lock().expect("the log").otherwise = Some(answer);
        self
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:PORT`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What arrived, in order.
    pub fn seen(&self) -> Vec<Seen> {
        self.log.lock().expect("the log").requests.clone()
    }

    /// Returns the number of connections.
    pub fn connections(&self) -> usize {
        self.log.lock().expect("the log").connections
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn converse(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    connection: usize,
    log: &Mutex<Log>,
) {
    let mut buffer = Vec::new();
    while let Some((head, body)) = read_request(&mut stream, &mut buffer).await {
        let answer = {
            let mut log = log.lock().expect("the log");
            log.requests.push(Seen { head, body, connection });
            let next = log.script.pop_front().or_else(|| log.otherwise.clone());
            next.unwrap_or_else(|| json("599 The script is over", ""))
        };
        if say(&mut stream, answer).await.is_none() {
            return;
        }
    }
}

/// Sends a response; returns `None` if that ends the connection.
async fn say(stream: &mut (impl AsyncWrite + Unpin), answer: Answer) -> Option<()> {
    match answer {
        Answer::Keep(bytes) => stream.write_all(&bytes).await.ok(),
        Answer::Close(bytes) => {
            stream.write_all(&bytes).await.ok()?;
            stream.shutdown().await.ok()?;
            None
        }
        Answer::Endless(first, more) => {
            stream.write_all(&first).await.ok()?;
            loop {
                stream.write_all(&more).await.ok()?;
            }
        }
        Answer::Hang(bytes) => {
            stream.write_all(&bytes).await.ok()?;
            std::future::pending().await
        }
        Answer::Trickle(bytes) => {
            for byte in bytes {
                stream.write_all(&[byte]).await.ok()?;
                stream.flush().await.ok()?;
                tokio::task::yield_now().await;
            }
            Some(())
        }
        Answer::Steps(steps) => {
            for step in steps {
                match step {
                    Step::Say(bytes) => stream.write_all(&bytes).await.ok()?,
                    Step::Then(hook) => {
                        stream.flush().await.ok()?;
                        if !hook.run() {
                            std::future::pending::<()>().await;
                        }
                    }
                    Step::Kill => return None,
                }
            }
            Some(())
        }
    }
}

/// Reads a request; returns `None` at the end of the connection.
pub async fn read_request(
    stream: &mut (impl AsyncRead + Unpin),
    buffer: &mut Vec<u8>,
) -> Option<(String, Vec<u8>)> {
    let end = loop {
        if let Some(at) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("content-length").then(|| value.parse().ok())?
    });
    let whole = end + length.unwrap_or(0);
    while buffer.len() < whole {
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
    let body = buffer[end..whole].to_vec();
    buffer.drain(..whole);
    Some((head, body))
}
