//! Makes a call through the whole client beside the same call by the bare library and by grpc-go, against the emulator
//! in a process of its own: what our layers cost, and what a pool of connections gains.
//!
//! The rows of a group take turns, for a tenth of a second each, so that all of them meet the same machine. A group
//! prints the medians: CPU time of this process or of another, and wall time, per call and relative to the first row.
//!
//! With the argument `scale` it compares emulators with 100, 10,000 and 1,000,000 tasks instead.

mod model;

use std::convert::Infallible;
use std::hint::black_box;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::pin::Pin;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use bytes::Bytes;
use eset_protect::automation::v1::device_tasks_client::DeviceTasksClient;
use eset_protect::automation::v1::{GetTaskRequest, ListTasksRequest};
use eset_protect::emulator::Emulator;
use eset_protect::{Client, Wire};
use http_body_util::{BodyExt, Full};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;
use tonic::transport::{Channel, Endpoint};

/// The arguments with which this program is a server: the emulator with as many tasks as follow, or one that always
/// sends the body that follows.
const SERVER: &str = "server";
const STATIC: &str = "static";

const SLICE: Duration = Duration::from_millis(100);
const ROUNDS: usize = 41;

/// The program that `benches/grpc_go/build` makes.
const GRPC_GO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/grpc_go/client");

type Call = Pin<Box<dyn Future<Output = ()> + Send>>;
/// Makes so many calls at once for so long, and returns how many it has made.
type Turn = Box<dyn FnMut(&Runtime, usize, Duration) -> usize>;
/// A name, the process whose CPU time counts, and its turns.
type Row<'a> = (&'a str, u32, Turn);
type Http = hyper_util::client::legacy::Client<HttpConnector, Full<Bytes>>;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [SERVER, tasks] => return serve(emulator(tasks.parse().expect("a number"))),
        [STATIC, body] => return serve(static_answers(body.to_owned())),
        _ if arguments.iter().any(|argument| argument == "scale") => return scale(),
        _ => {}
    }
    let (server, endpoint) = Process::server(&[SERVER, "0"]);
    // One thread, so that the time is that of the calls and not that of waking threads.
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let uuid = runtime.block_on(create(&endpoint));
    let rest = Client::builder(&endpoint).wire(Wire::Rest).connect_lazy().expect("a client");
    let (grpc, rest) = (by_client(connections(&endpoint, 1), &uuid), by_client(rest, &uuid));
    let channel = Endpoint::from_shared(endpoint.clone()).expect("an endpoint");
    let bare = runtime.block_on(channel.connect()).expect("a channel");
    // What this client does by default.
    let alike = channel.http2_keep_alive_interval(Duration::from_secs(330));
    let alike = runtime.block_on(alike.connect()).expect("a channel");
    let this = std::process::id();
    let mut grpc = vec![
        ("tonic", this, by_stub(bare, &uuid, None)),
        ("tonic alike", this, by_stub(alike, &uuid, Some(Duration::from_secs(60)))),
        ("ours", this, grpc),
    ];
    if Path::new(GRPC_GO).exists() {
        grpc.push(by_go("grpc-go, 1 thread", Some("1"), &endpoint, &uuid));
        grpc.push(by_go("grpc-go", None, &endpoint, &uuid));
    } else {
        println!("without grpc-go, which benches/grpc_go/build makes");
    }
    let mut rest = [("hyper", this, by_hyper(&endpoint, &uuid)), ("ours", this, rest)];
    for size in [1, 16, 64, 256] {
        compare(&runtime, "grpc", size, &mut grpc);
        compare(&runtime, "rest", size, &mut rest);
    }
    let body = runtime.block_on(body(&format!("{endpoint}/v1/device_tasks/{uuid}")));
    let (fixed, fixed_endpoint) = Process::server(&[STATIC, &String::from_utf8_lossy(&body)]);
    let mut fronts = [
        ("static answer", fixed.child.id(), by_hyper(&fixed_endpoint, &uuid)),
        ("REST front", server.child.id(), by_hyper(&endpoint, &uuid)),
    ];
    compare(&runtime, "the server, rest", 16, &mut fronts);
    let runtime = Runtime::new().expect("a runtime");
    let pool = [1, 2, 4].map(|count| by_client(connections(&endpoint, count), &uuid));
    let names = ["1 connection", "2 connections", "4 connections"];
    let mut pool: Vec<_> =
        names.into_iter().zip(pool).map(|(name, call)| (name, this, call)).collect();
    for size in [64, 256] {
        compare(&runtime, "pool", size, &mut pool);
    }
}

/// Measures emulators that have more and more tasks.
fn scale() {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let sizes = ["100", "10000", "1000000"].map(|size| (size, Process::server(&[SERVER, size])));
    let rows = |call: fn(&Client) -> Call| {
        sizes.iter().map(move |(size, (server, endpoint))| -> Row<'_> {
            let client = connections(endpoint, 1);
            (*size, server.child.id(), turns(move || call(&client)))
        })
    };
    let lists = rows(|client| {
        let request = ListTasksRequest { page_size: 100, ..ListTasksRequest::default() };
        let call = client.device_tasks().list_tasks(request).send();
        Box::pin(async move { drop(call.await.expect("a page")) })
    });
    let creates = rows(|client| {
        let call = client.device_tasks().create_task(model::task());
        Box::pin(async move { drop(call.await.expect("a task")) })
    });
    let (mut lists, mut creates): (Vec<_>, Vec<_>) = (lists.collect(), creates.collect());
    compare(&runtime, "a page of 100 tasks of so many", 16, &mut lists);
    compare(&runtime, "a task more than so many", 16, &mut creates);
}

async fn body(uri: &str) -> Bytes {
    let http = hyper_util::client::legacy::Client::builder(TokioExecutor::new());
    let http: Http = http.build(HttpConnector::new());
    let response = http.get(uri.parse().expect("an address")).await.expect("an answer");
    response.into_body().collect().await.expect("a body").to_bytes()
}

/// Serves until the standard input ends.
fn serve(server: impl Future<Output = ()>) {
    Runtime::new().expect("a runtime").block_on(async {
        let stdin = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
        tokio::select! {
            () = server => {}
            read = stdin => drop(read.expect("a thread").expect("the standard input")),
        }
    });
}

async fn emulator(tasks: usize) {
    let task = model::task();
    let builder = (0..tasks).fold(Emulator::builder(), |builder, _| builder.resource(&task));
    let emulator = builder.build().expect("an emulator");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    println!("http://{}", listener.local_addr().expect("an address"));
    emulator.serve(listener, std::future::pending()).await.expect("a server");
}

async fn static_answers(body: String) {
    let body = Bytes::from(body);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    println!("http://{}", listener.local_addr().expect("an address"));
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        stream.set_nodelay(true).expect("a socket");
        let body = body.clone();
        let answer = service_fn(move |_| {
            let response = http::Response::new(Full::new(body.clone()));
            async move { Ok::<_, Infallible>(response) }
        });
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
    }
}

/// Another process, which ends with its standard input.
struct Process {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Process {
    /// Starts this program as a server, and returns its endpoint, too.
    fn server(arguments: &[&str]) -> (Self, String) {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        let mut server = Self::start(command.args(arguments));
        let endpoint = server.line();
        (server, endpoint)
    }

    fn start(command: &mut Command) -> Self {
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("a process");
        let output = BufReader::new(child.stdout.take().expect("its output"));
        Self { child, output }
    }

    /// Returns the next line of its output.
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("a line");
        line.trim().to_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        self.child.wait().expect("a process");
    }
}

async fn create(endpoint: &str) -> String {
    let client = Client::connect(endpoint).await.expect("a client");
    client.device_tasks().create_task(model::task()).await.expect("a task").uuid
}

fn connections(endpoint: &str, count: usize) -> Client {
    Client::builder(endpoint).connections(count).connect_lazy().expect("a client")
}

fn by_client(client: Client, uuid: &str) -> Turn {
    let uuid = uuid.to_owned();
    turns(move || {
        let (client, uuid) = (client.clone(), uuid.clone());
        Box::pin(async move {
            let task = client.device_tasks().get_task(uuid.as_str()).await.expect("a task");
            assert_eq!(black_box(task).uuid, uuid);
        })
    })
}

fn by_stub(channel: Channel, uuid: &str, timeout: Option<Duration>) -> Turn {
    let (stub, uuid) = (DeviceTasksClient::new(channel), uuid.to_owned());
    turns(move || {
        let (mut stub, uuid) = (stub.clone(), uuid.clone());
        Box::pin(async move {
            let mut request = tonic::Request::new(GetTaskRequest { task_uuid: uuid.clone() });
            if let Some(timeout) = timeout {
                request.set_timeout(timeout);
            }
            let response = stub.get_task(request).await.expect("a task").into_inner();
            assert_eq!(black_box(response).task.expect("a task").uuid, uuid);
        })
    })
}

fn by_hyper(endpoint: &str, uuid: &str) -> Turn {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let http = hyper_util::client::legacy::Client::builder(TokioExecutor::new());
    let http: Http = http.build(connector);
    let (endpoint, uuid) = (endpoint.to_owned(), uuid.to_owned());
    turns(move || {
        let (http, uuid) = (http.clone(), uuid.clone());
        let uri = format!("{endpoint}/v1/device_tasks/{uuid}").parse().expect("an address");
        Box::pin(async move {
            let response = http.get(uri).await.expect("an answer");
            let body = response.into_body().collect().await.expect("a body").to_bytes();
            let answer: model::Answer = serde_json::from_slice(&body).expect("JSON");
            assert_eq!(black_box(answer).task.uuid, uuid);
        })
    })
}

/// Returns the row of a process of grpc-go, with a number of threads or one for each core.
fn by_go<'a>(name: &'a str, threads: Option<&str>, endpoint: &str, uuid: &str) -> Row<'a> {
    let mut command = Command::new(GRPC_GO);
    command.args([endpoint.trim_start_matches("http://"), uuid]);
    command.envs(threads.map(|threads| ("GOMAXPROCS", threads)));
    let mut process = Process::start(&mut command);
    let id = process.child.id();
    let turn = move |_: &Runtime, size, slice: Duration| {
        let stdin = process.child.stdin.as_mut().expect("its input");
        writeln!(stdin, "{size} {}", slice.as_millis()).expect("a line");
        process.line().parse().expect("a number")
    };
    (name, id, Box::new(turn))
}

fn turns(call: impl Fn() -> Call + 'static) -> Turn {
    Box::new(move |runtime, size, slice| {
        let (started, mut calls) = (Instant::now(), 0);
        while calls == 0 || started.elapsed() < slice {
            runtime.block_on(batch(size, &call));
            calls += size;
        }
        calls
    })
}

/// Measures rows that make a number of calls at once. As a test, each runs once.
fn compare(runtime: &Runtime, what: &str, size: usize, rows: &mut [Row<'_>]) {
    let is_bench = std::env::args().any(|argument| argument == "--bench");
    let (rounds, slice) = if is_bench { (ROUNDS, SLICE) } else { (1, Duration::ZERO) };
    let mut samples = vec![(Vec::new(), Vec::new()); rows.len()];
    // The first round warms up.
    for round in 0..=rounds {
        for ((_, process, turn), (cpu, wall)) in rows.iter_mut().zip(&mut samples) {
            let (started, used) = (Instant::now(), cpu_time(*process));
            let calls = turn(runtime, size, slice);
            if round > 0 {
                cpu.push((cpu_time(*process) - used).as_secs_f64() * 1e6 / calls as f64);
                wall.push(started.elapsed().as_secs_f64() * 1e6 / calls as f64);
            }
        }
    }
    println!("{what}, {size} at once: CPU, wall time per call");
    let mut first = None;
    for ((name, ..), (cpu, wall)) in rows.iter().zip(samples) {
        let (cpu, wall) = (median(cpu), median(wall));
        let (first_cpu, first_wall) = *first.get_or_insert((cpu, wall));
        let ratios = (cpu / first_cpu, wall / first_wall);
        println!("  {name:17} {cpu:7.2} µs {:5.3}, {wall:7.2} µs {:5.3}", ratios.0, ratios.1);
    }
}

/// Makes a number of calls at once.
async fn batch(size: usize, call: &impl Fn() -> Call) {
    if size == 1 {
        return call().await;
    }
    let mut calls: JoinSet<()> = (0..size).map(|_| call()).collect();
    while let Some(done) = calls.join_next().await {
        done.expect("a call");
    }
}

/// Returns the CPU time that all threads of a process have used. Linux counts it in nanoseconds.
fn cpu_time(process: u32) -> Duration {
    let threads = std::fs::read_dir(format!("/proc/{process}/task")).expect("the threads");
    let times = threads.map(|thread| {
        let path = thread.expect("a thread").path().join("schedstat");
        let text = std::fs::read_to_string(path).expect("its time");
        let nanos = text.split(' ').next().and_then(|nanos| nanos.parse().ok());
        Duration::from_nanos(nanos.expect("a number"))
    });
    times.sum()
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}
