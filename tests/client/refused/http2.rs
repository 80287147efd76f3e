//! A frame server, and a client for it over either wire.

use std::time::Duration;

use eset_protect::automation::v1::{Action, DeviceTask, GetTaskResponse, Trigger};
use eset_protect::{Client, ClientBuilder, Error, ErrorKind, TlsConfig};

use crate::support::scripted::frames::{self, Act, FrameServer};
use crate::support::tls::{acceptor, issue, new_authority};

pub const TASK: &str = r#"{"task":{"uuid":"t-1","displayName":"Scan"}}"#;

/// Both wires over HTTP/2: gRPC, and REST with TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Http2 {
    Grpc,
    Rest,
}

pub const BOTH: [Http2; 2] = [Http2::Grpc, Http2::Rest];

impl Http2 {
    /// Returns the acts of a good response.
    pub fn answer(self) -> Vec<Act> {
        match self {
            Self::Grpc => {
                let task = DeviceTask { uuid: "t-1".into(), ..Default::default() };
                frames::grpc(&GetTaskResponse { task: Some(task) })
            }
            Self::Rest => frames::json(TASK),
        }
    }

    /// Returns the head of a good response.
    pub fn head(self) -> Act {
        match self {
            Self::Grpc => frames::grpc_head(),
            Self::Rest => frames::json_head(),
        }
    }

    /// Returns the first bytes of the body of a good response.
    pub fn beginning(self) -> Act {
        Act::Data(match self {
            Self::Grpc => vec![0, 0, 0],
            Self::Rest => b"{".to_vec(),
        })
    }

    /// Starts a server and returns a builder for clients.
    pub async fn start(
        self,
        script: impl IntoIterator<Item = Vec<Act>>,
        otherwise: impl Into<Vec<Act>>,
    ) -> (FrameServer, ClientBuilder) {
        match self {
            Self::Grpc => {
                let server = FrameServer::start(script, otherwise).await;
                let builder = at_once(Client::builder(&server.endpoint()));
                (server, builder)
            }
            Self::Rest => {
                let authority = new_authority();
                let begin = acceptor(&issue(&authority, "localhost"), &[b"h2"], None);
                let server = FrameServer::accept(script, otherwise, begin).await;
                let tls = TlsConfig::new().ca_certificate(authority.pem()).unwrap();
                let address = format!("https://localhost:{}", server.address().port());
                (server, at_once(Client::on_prem(&address)).tls(tls))
            }
        }
    }

    /// Returns the error of a create when every request gets the same.
    pub async fn create_error(self, acts: &[Act]) -> (FrameServer, Error) {
        let (server, builder) = self.start([], acts).await;
        let error = create(&builder.connect_lazy().unwrap()).await.unwrap_err();
        (server, error)
    }
}

pub async fn get(client: &Client) -> Result<DeviceTask, Error> {
    client.device_tasks().get_task("t-1").await
}

pub async fn create(client: &Client) -> Result<DeviceTask, Error> {
    let task = DeviceTask {
        display_name: "Scan".into(),
        action: Some(Action { name: "StartNetworkIsolation".into(), ..Default::default() }),
        triggers: vec![Trigger::manual(None)],
        ..Default::default()
    };
    client.device_tasks().create_task(task).await
}

/// Checks that the call did not run and the error says why.
#[track_caller]
pub fn assert_not_run(error: &Error, why: &str) {
    assert_eq!((error.kind(), error.is_unavailable()), (ErrorKind::Transport, true), "{error:?}");
    assert!(!error.may_have_executed() && error.is_retryable(), "{error:?}");
    assert!(error.message().contains(why), "{error}");
}

/// Checks that the call may have run, and that nothing says it did not.
#[track_caller]
pub fn assert_may_have_run(error: &Error) {
    assert_eq!(error.kind(), ErrorKind::Transport, "{error:?}");
    assert!(error.may_have_executed(), "{error:?}");
    for why in ["nothing was done", "not process"] {
        assert!(!error.message().contains(why), "{error}");
    }
}

/// Removes the waits between attempts.
pub fn at_once(builder: ClientBuilder) -> ClientBuilder {
    builder.jitter(|_| Duration::ZERO)
}
