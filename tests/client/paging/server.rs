//! A server that logs requests, delays calls on demand, and counts concurrent ones. It has its own thread and
//! runtime, so that all tasks in the test's runtime belong to the client.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use added_service::proto::example::greeter::v1::greeter_server::{Greeter, GreeterServer};
use added_service::proto::example::greeter::v1::{
    GreetRequest, GreetResponse, ListPeopleRequest, ListPeopleResponse, Person,
};
use added_service::rpc::greeter::Greet;
use eset_protect::Client;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

/// A test that waits longer has failed.
const TOO_LONG: Duration = Duration::from_secs(30);

/// The events so far. Calls are identified by the person to greet or the page token.
#[derive(Clone, Debug, Default)]
pub struct Log {
    pub arrived: Vec<String>,
    pub cancelled: Vec<String>,
    pub at_once: usize,
    pub most_at_once: usize,
    /// The connections that calls came on.
    pub peers: BTreeSet<SocketAddr>,
}

#[derive(Clone)]
struct Lists {
    log: Arc<watch::Sender<Log>>,
    /// Calls to delay; `*` means all.
    held: watch::Receiver<BTreeSet<String>>,
    /// Calls to fail; `*` means all.
    failing: watch::Receiver<BTreeSet<String>>,
}

impl Lists {
    async fn call(&self, name: &str) -> Result<(), Status> {
        let under_way = UnderWay::begin(self, name);
        let mut held = self.held.clone();
        let free = held.wait_for(|held| !held.contains(name) && !held.contains("*")).await;
        free.map_err(|_| Status::cancelled("the test is over"))?;
        under_way.end();
        if self.failing.borrow().contains(name) {
            return Err(Status::failed_precondition(format!("no {name}")));
        }
        Ok(())
    }
}

/// A call in progress. If it is dropped before its end, it was cancelled.
struct UnderWay {
    log: Arc<watch::Sender<Log>>,
    name: String,
    ended: bool,
}

impl UnderWay {
    fn begin(lists: &Lists, name: &str) -> Self {
        lists.log.send_modify(|log| {
            log.arrived.push(name.to_owned());
            log.at_once += 1;
            log.most_at_once = log.most_at_once.max(log.at_once);
        });
        Self { log: lists.log.clone(), name: name.to_owned(), ended: false }
    }

    fn end(mut self) {
        self.ended = true;
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.log.send_modify(|log| {
            log.at_once -= 1;
            if !self.ended {
                log.cancelled.push(self.name.clone());
            }
        });
    }
}

#[tonic::async_trait]
impl Greeter for Lists {
    /// Nobody is not logged.
    async fn greet(
        &self,
        request: Request<GreetRequest>,
    ) -> Result<Response<GreetResponse>, Status> {
        if let Some(peer) = request.remote_addr() {
            self.log.send_modify(|log| _ = log.peers.insert(peer));
        }
        let request = request.into_inner();
        if !request.person.is_empty() {
            self.call(&request.person).await?;
        }
        Ok(Response::new(request.greeting.unwrap_or_default().into()))
    }

    /// `100:7` lists the numbers from 7 to 100. `gaps:9` has a number on every other page. `2>1:0` has two
    /// pages, then a cycle of one.
    async fn list_people(
        &self,
        request: Request<ListPeopleRequest>,
    ) -> Result<Response<ListPeopleResponse>, Status> {
        let ListPeopleRequest { page_token, page_size } = request.into_inner();
        self.call(&page_token).await?;
        let number = |text: &str| text.parse().map_err(|_| Status::invalid_argument("no number"));
        let (list, from) = page_token.split_once(':').unwrap_or(("0", &page_token));
        let from: usize = number(from)?;
        let (names, next) = if list == "gaps" {
            (from..from + from % 2, (from > 0).then(|| format!("gaps:{}", from.saturating_sub(1))))
        } else if let Some((lead, cycle)) = list.split_once('>') {
            let (lead, cycle): (usize, usize) = (number(lead)?, number(cycle)?);
            let next = if from + 1 == lead + cycle { lead } else { from + 1 };
            (from..from + 1, Some(format!("{list}:{next}")))
        } else {
            let total = number(list)?;
            let to = (from + page_size as usize).min(total);
            (from..to, (to < total).then(|| format!("{total}:{to}")))
        };
        let people = names.map(|name| Person { name: name.to_string() }).collect();
        let next_page_token = next.unwrap_or_default();
        Ok(Response::new(ListPeopleResponse { people, next_page_token }))
    }
}

/// Runs as long as this lives.
pub struct Server {
    address: SocketAddr,
    log: watch::Receiver<Log>,
    held: watch::Sender<BTreeSet<String>>,
    failing: watch::Sender<BTreeSet<String>>,
    stop: oneshot::Sender<()>,
    thread: std::thread::JoinHandle<()>,
}

impl Server {
    pub fn start() -> Self {
        Self::start_at(([127, 0, 0, 1], 0).into())
    }

    /// Starts a server at the address of one that is gone.
    pub fn start_at(address: SocketAddr) -> Self {
        let listener = std::net::TcpListener::bind(address).expect("a port");
        listener.set_nonblocking(true).expect("a listener");
        let address = listener.local_addr().expect("an address");
        let (log, log_receiver) = watch::channel(Log::default());
        let (held, held_receiver) = watch::channel(BTreeSet::new());
        let (failing, failing_receiver) = watch::channel(BTreeSet::new());
        let (stop, stopped) = oneshot::channel::<()>();
        let lists = Lists { log: Arc::new(log), held: held_receiver, failing: failing_receiver };
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async move {
                let listener = TcpListener::from_std(listener).expect("a listener");
                let incoming = TcpListenerStream::new(listener);
                let server = tonic::transport::Server::builder();
                let server = { server }.add_service(GreeterServer::new(lists));
                tokio::select! {
                    served = server.serve_with_incoming(incoming) => served.expect("serving"),
                    _ = stopped => {}
                }
            });
        });
        Self { address, log: log_receiver, held, failing, stop, thread }
    }

    /// Breaks all connections, and frees the address.
    pub fn kill(self) {
        drop(self.stop);
        self.thread.join().expect("serving");
    }

    pub async fn client(&self) -> Client {
        // No call ends by itself while a test waits for its cancellation.
        let client = Client::builder(&self.endpoint()).timeout(60 * TOO_LONG);
        client.connect().await.expect("a client")
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn hold(&self, name: &str) {
        self.held.send_if_modified(|held| held.insert(name.to_owned()));
    }

    pub fn release(&self, name: &str) {
        self.held.send_if_modified(|held| held.remove(name));
    }

    pub fn fail(&self, name: &str) {
        self.failing.send_if_modified(|failing| failing.insert(name.to_owned()));
    }

    pub fn mend(&self) {
        self.failing.send_modify(BTreeSet::clear);
    }

    pub fn log(&self) -> Log {
        self.log.borrow().clone()
    }

    /// Returns the page tokens and persons so far.
    pub fn arrived(&self) -> Vec<String> {
        self.log().arrived
    }

    /// Waits until the log satisfies a condition.
    pub async fn until(&self, is_so: impl Fn(&Log) -> bool) {
        let mut log = self.log.clone();
        let waited = tokio::time::timeout(TOO_LONG, log.wait_for(|log| is_so(log))).await;
        assert!(waited.is_ok(), "in vain: {:?}", self.log());
    }

    /// Waits until this number of calls has arrived.
    pub async fn until_arrived(&self, calls: usize) {
        self.until(|log| log.arrived.len() >= calls).await;
    }

    /// Waits long enough for everything that may still be sent to be sent, and to arrive before these calls.
    pub async fn settle(&self, client: &Client) {
        for _ in 0..10 {
            client.call::<Greet>(GreetRequest::default()).await.expect("a response");
        }
    }
}

/// Returns the number of tasks in the test's runtime.
pub fn tasks() -> usize {
    tokio::runtime::Handle::current().metrics().num_alive_tasks()
}

/// Waits until the test's runtime has at most this number of tasks.
pub async fn until_tasks(most: usize) {
    let settled = async {
        while tasks() > most {
            tokio::task::yield_now().await;
        }
    };
    let settled = tokio::time::timeout(TOO_LONG, settled).await;
    assert!(settled.is_ok(), "{} tasks are left, {most} expected", tasks());
}
