//! What the server sees of a call that ends early because it is dropped or its time is up.

use eset_protect::{Client, ClientBuilder, ErrorKind, Wire};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::refused::http2::{BOTH, Http2, TASK, create, get};
use crate::support::driven_timer::DrivenTimer;
use crate::support::scripted::frames::{What, code};
use crate::support::scripted::{Scripted, ok, pending, read_request};

const CANCELLED: What = What::Reset(code::CANCEL);

/// How a call ends early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Dropped,
    OutOfTime,
}

const ENDINGS: [Ending; 2] = [Ending::Dropped, Ending::OutOfTime];

/// A running create, and a way to end it.
struct Running {
    timer: DrivenTimer,
    client: Client,
    call: JoinHandle<ErrorKind>,
}

impl Running {
    fn start(builder: ClientBuilder) -> Self {
        let timer = DrivenTimer::still();
        let client = builder.timer(timer.clone()).connect_lazy().unwrap();
        let caller = client.clone();
        let call = tokio::spawn(async move { create(&caller).await.unwrap_err().kind() });
        Self { timer, client, call }
    }

    async fn end(self, ending: Ending) -> Client {
        match ending {
            Ending::Dropped => {
                self.call.abort();
                assert!(self.call.await.unwrap_err().is_cancelled());
            }
            Ending::OutOfTime => {
                self.timer.run_out();
                assert_eq!(self.call.await.unwrap(), ErrorKind::Deadline);
            }
        }
        self.client
    }
}

#[tokio::test]
async fn its_stream_is_cancelled_and_the_others_go_on() {
    for wire in BOTH {
        for ending in ENDINGS {
            for begun in [vec![], vec![wire.head()], vec![wire.head(), wire.beginning()]] {
                let is_begun = !begun.is_empty();
                let (server, builder) = wire.start([begun], wire.answer()).await;
                let running = Running::start(builder);
                server.until_count(What::Request, 1).await;
                assert_eq!(server.count(CANCELLED), 0);
                let client = running.end(ending).await;
                server.until_count(CANCELLED, 1).await;
                // The connection is still good.
                assert_eq!(get(&client).await.unwrap().uuid, "t-1");
                assert_eq!(server.count(What::Connection), 1, "{wire:?} {ending:?} {is_begun}");
                assert_eq!(server.count(What::Request), 2);
                assert_eq!(server.count(CANCELLED), 1);
            }
        }
    }
}

#[tokio::test]
async fn a_call_that_runs_beside_it_is_answered() {
    let message = Http2::Grpc.answer();
    for ending in ENDINGS {
        // The first two hang.
        let (server, builder) = Http2::Grpc.start([vec![], vec![]], message.clone()).await;
        let running = Running::start(builder);
        server.until_count(What::Request, 1).await;
        let beside = tokio::spawn({
            let client = running.client.clone();
            async move { create(&client).await }
        });
        server.until_count(What::Request, 2).await;
        let client = running.client.clone();
        if ending == Ending::Dropped {
            running.end(ending).await;
            server.until_count(CANCELLED, 1).await;
            get(&client).await.unwrap();
            assert!(!beside.is_finished(), "only one was cancelled");
            assert_eq!(server.count(CANCELLED), 1);
            beside.abort();
        } else {
            running.end(ending).await;
            assert!(beside.await.unwrap().unwrap_err().is_deadline_exceeded());
        }
        server.until_count(CANCELLED, 2).await;
    }
}

/// Accepts a connection and reads a request.
async fn accept(listener: &TcpListener) -> TcpStream {
    let (mut stream, _) = listener.accept().await.unwrap();
    read_request(&mut stream, &mut Vec::new()).await.unwrap();
    stream
}

#[tokio::test]
async fn over_http_1_its_connection_ends() {
    for ending in ENDINGS {
        for begun in ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{"] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let endpoint = format!("http://{}", listener.local_addr().unwrap());
            let running = Running::start(Client::builder(&endpoint).wire(Wire::Rest));
            let mut stream = accept(&listener).await;
            tokio::io::AsyncWriteExt::write_all(&mut stream, begun.as_bytes()).await.unwrap();
            running.end(ending).await;
            let mut rest = Vec::new();
            // A reset is an end too, if the client had not read everything.
            let _ = stream.read_to_end(&mut rest).await;
            assert!(rest.is_empty(), "{ending:?}: nothing more is sent");
        }
    }
}

#[tokio::test]
async fn in_the_pause_before_it_asks_again_nothing_more_is_sent() {
    for ending in ENDINGS {
        let server = Scripted::start([pending("one"), ok(TASK)]).await;
        let running = Running::start(Client::builder(&server.endpoint()).wire(Wire::Rest));
        running.timer.until_waits(1).await;
        let client = running.end(ending).await;
        get(&client).await.unwrap();
        let seen = server.seen();
        let lines: Vec<_> = seen.iter().map(|request| request.line()).collect();
        assert_eq!(lines, ["POST /v1/device_tasks", "GET /v1/device_tasks/t-1"], "{ending:?}");
        assert_eq!(seen[1].header("response-id"), None);
    }
}
