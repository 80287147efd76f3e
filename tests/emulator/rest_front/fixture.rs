//! Shared code: an emulator with a manual clock, and a plain HTTP client.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use eset_protect::automation::v1::device_tasks_client::DeviceTasksClient;
use eset_protect::emulator::{Builder, Emulator, ManualClock, Running, SequentialIds};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tonic::transport::Channel;

pub struct Fixture {
    pub running: Running,
    pub clock: Arc<ManualClock>,
    pub http: Http,
}

pub async fn fixture() -> Fixture {
    fixture_with(|builder| builder).await
}

pub async fn fixture_with(configure: impl FnOnce(Builder) -> Builder) -> Fixture {
    let clock = Arc::new(ManualClock::new(UNIX_EPOCH + Duration::from_secs(1_800_000_000)));
    let builder = Emulator::builder().clock(Arc::clone(&clock)).ids(SequentialIds);
    let running = configure(builder).build().unwrap().start().await.unwrap();
    let http = Http::new(&running.endpoint(), false);
    Fixture { running, clock, http }
}

impl Fixture {
    pub async fn grpc(&self) -> DeviceTasksClient<Channel> {
        DeviceTasksClient::connect(self.running.endpoint()).await.unwrap()
    }

    /// Creates a task and returns its UUID.
    pub async fn task(&self, name: &str) -> String {
        let answer = self.http.post("/v1/device_tasks", &task(name)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["task"]["uuid"].as_str().unwrap().to_owned()
    }

    /// Returns the number of requests for an RPC.
    pub fn count(&self, rpc: &str) -> usize {
        self.running.log().iter().filter(|arrival| arrival.is_rpc(rpc)).count()
    }

    /// Returns the number of requests for a path.
    pub fn count_path(&self, path: &str) -> usize {
        self.running.log().iter().filter(|arrival| arrival.path == path).count()
    }
}

pub fn task(name: &str) -> Value {
    json!({"task": {
        "displayName": name,
        "action": {"name": "StopManaging"},
        "targets": {"devicesUuids": ["d"]},
        "triggers": [{"manual": {}}],
    }})
}

/// An HTTP client that knows nothing about ESET.
#[derive(Clone)]
pub struct Http {
    client: Client<HttpConnector, Full<Bytes>>,
    endpoint: String,
}

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Http {
    pub fn new(endpoint: &str, http2: bool) -> Self {
        let client = Client::builder(TokioExecutor::new()).http2_only(http2).build_http();
        Self { client, endpoint: endpoint.to_owned() }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], "").await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        let headers = [("content-type", "application/json")];
        self.send(Method::POST, path, &headers, body.to_string()).await
    }

    pub async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send(Method::GET, path, headers, "").await
    }

    pub async fn form(&self, path: &str, form: &str) -> Answer {
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        self.send(Method::POST, path, &headers, form.to_owned()).await
    }

    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        self.try_send(method, path, headers, body).await.unwrap()
    }

    /// The error tells whether headers had arrived.
    pub async fn try_send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<Answer, &'static str> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.endpoint));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body.into())).unwrap();
        let response = self.client.request(request).await.map_err(|_| "before headers")?;
        let (head, body) = response.into_parts();
        let body = body.collect().await.map_err(|_| "after headers")?.to_bytes();
        Ok(Answer { status: head.status, headers: head.headers, body })
    }
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), "application/json");
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Returns the message of an error in the form of ESET's gateway.
    #[track_caller]
    pub fn error(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{self:?}");
        let body = self.json();
        assert_eq!(body["code"], status);
        assert!(body["details"].is_array());
        body["message"].as_str().unwrap().to_owned()
    }
}
