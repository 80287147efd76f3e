//! A small server on a loopback port that does what its caller asks for.

use std::net::SocketAddr;

use added_service::proto::example::greeter::v1::greeter_server::{Greeter, GreeterServer};
use added_service::proto::example::greeter::v1::{
    GreetRequest, GreetResponse, Greeting, ListPeopleRequest, ListPeopleResponse, Person,
};
use eset_protect::proto::google::rpc::{self, BadRequest, bad_request::FieldViolation};
use eset_protect::wkt::Any;
use prost::Message;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::{Server, ServerTlsConfig};
use tonic::{Code, Request, Response, Status};

/// The behaviour of the server: the name of the person to greet determines what happens.
#[derive(Clone, Default)]
pub struct Greetings;

/// The number of people.
pub const PEOPLE: usize = 2500;

#[tonic::async_trait]
impl Greeter for Greetings {
    async fn greet(
        &self,
        request: Request<GreetRequest>,
    ) -> Result<Response<GreetResponse>, Status> {
        let echoed = request.metadata().get("x-echo").cloned();
        let timeout = request.metadata().get("grpc-timeout").cloned();
        let request = request.into_inner();
        let person = request.person.as_str();
        if person == "nobody" {
            std::future::pending::<()>().await;
        }
        if let Some(size) = person.strip_prefix("large ") {
            let size = size.parse().map_err(|_| Status::invalid_argument("not a size"))?;
            let greeting = Greeting { bytes_value: vec![7; size].into(), ..Default::default() };
            return Ok(Response::new(GreetResponse { greeting: Some(greeting) }));
        }
        if let Some(code) = person.strip_prefix("code ") {
            let code = Code::from(code.parse().unwrap_or(2));
            return Err(refusal(code));
        }
        let greeting = (person != "a stranger").then(|| request.greeting.unwrap_or_default());
        let mut response = Response::new(GreetResponse { greeting });
        if let Some(value) = echoed {
            response.metadata_mut().insert("x-echo", value);
        }
        if let Some(value) = timeout {
            response.metadata_mut().insert("x-timeout", value);
        }
        Ok(response)
    }

    async fn list_people(
        &self,
        request: Request<ListPeopleRequest>,
    ) -> Result<Response<ListPeopleResponse>, Status> {
        let request = request.into_inner();
        if request.page_token == "again" || request.page_size == 13 {
            let next_page_token = "again".to_owned();
            return Ok(Response::new(ListPeopleResponse { people: vec![], next_page_token }));
        }
        let from: usize = request.page_token.parse().unwrap_or(0);
        let to = (from + request.page_size as usize).min(PEOPLE);
        let people = (from..to).map(|n| Person { name: n.to_string() }).collect();
        let next_page_token = if to < PEOPLE { to.to_string() } else { String::new() };
        Ok(Response::new(ListPeopleResponse { people, next_page_token }))
    }
}

/// A status with details and a request-id.
fn refusal(code: Code) -> Status {
    let violation = FieldViolation {
        field: "greeting.warmth".to_owned(),
        description: "too cold".to_owned(),
        ..Default::default()
    };
    let details = rpc::Status {
        code: code.into(),
        message: "refused".to_owned(),
        details: vec![
            Any { type_url: "example.com/not.Known".to_owned(), value: vec![1, 2, 3].into() },
            Any::pack(&BadRequest { field_violations: vec![violation] }),
        ],
    };
    let mut status = Status::with_details(code, "refused", details.encode_to_vec().into());
    status.metadata_mut().insert("request-id", "00c0ffee".parse().expect("ASCII"));
    status
}

/// A server that runs as long as this lives.
pub struct Running {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Running {
    /// Starts a server without TLS.
    pub async fn start() -> Self {
        Self::serve(Server::builder()).await
    }

    /// Starts a server with TLS.
    pub async fn start_tls(tls: ServerTlsConfig) -> Self {
        Self::serve(Server::builder().tls_config(tls).expect("a TLS configuration")).await
    }

    async fn serve(mut server: Server) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let greeter = GreeterServer::new(Greetings)
            .max_decoding_message_size(usize::MAX)
            .max_encoding_message_size(usize::MAX);
        let serving =
            server.add_service(greeter).serve_with_incoming(TcpListenerStream::new(listener));
        let task = tokio::spawn(async move { serving.await.expect("serving") });
        Self { address, task }
    }

    /// `http://127.0.0.1:PORT`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// `https://HOST:PORT`.
    pub fn secure_endpoint(&self, host: &str) -> String {
        format!("https://{host}:{}", self.address.port())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}
