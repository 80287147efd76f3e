//! Generated messages of each RPC, over both wires to the same server: each receives what the other side has sent.
//! `DOCUMENTS=1000` generates a thousand for each RPC rather than two.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use eset_protect::rpc::{self, Rpc, RpcVisitor};
use eset_protect::serve::Bridge;
use eset_protect::transport::{Reply, Request, Transport};
use eset_protect::{Client, Error, RetryPolicy, Wire, auth::BoxFuture};
use prost::Message;
use prost_reflect::{DynamicMessage, Kind};
use serde::Serialize;
use serde_json::Value;

use crate::connect;
use crate::support::messages::POOL;
use crate::support::messages::random::message;
use crate::support::messages::tape::Tape;

/// A request and its response: as bytes, or in JSON, which is the same for an `Any` however it is encoded.
type Exchange<T = Bytes> = [T; 2];

/// Answers with the response of the exchange, and keeps the request.
#[derive(Clone, Debug, Default)]
struct Echo(Arc<Mutex<Exchange>>);

impl Transport for Echo {
    fn send<'a>(&'a self, request: Request<'a>) -> BoxFuture<'a, Result<Reply, Error>> {
        let [sent, response] = &mut *self.0.lock().expect("no panic");
        *sent = request.protobuf();
        let reply = Reply::protobuf(response.clone());
        Box::pin(async move { Ok(reply) })
    }
}

/// Calls an RPC by its path, and returns what was sent, and what arrived at both ends over each wire.
struct Exchanged<'a> {
    clients: &'a [Client; 2],
    echo: &'a Echo,
    exchange: &'a Exchange,
}

impl<'a> RpcVisitor for Exchanged<'a> {
    type Output = BoxFuture<'a, [Exchange<Value>; 3]>;

    fn rpc<R: Rpc>(self) -> Self::Output {
        let Self { clients, echo, exchange: [request, response] } = self;
        let request = R::Request::decode(request.clone()).expect("a request");
        let response = R::Response::decode(response.clone()).expect("a response");
        Box::pin(async move {
            let typed = [value(&request), value(&response)];
            let mut arrived = Vec::new();
            for client in clients {
                *echo.0.lock().expect("no panic") = [Bytes::new(), response.encode_to_vec().into()];
                let answer = client.call::<R>(request.clone()).send().await;
                let answer = answer.unwrap_or_else(|error| panic!("{error:?} of {request:?}"));
                let [sent, _] = echo.0.lock().expect("no panic").clone();
                let sent = R::Request::decode(sent).expect("a request");
                arrived.push([value(&sent), value(&answer.into_inner())]);
            }
            let [grpc, rest] = arrived.try_into().expect("two wires");
            [typed, grpc, rest]
        })
    }
}

fn value(message: &impl Serialize) -> Value {
    serde_json::to_value(message).expect("JSON")
}

/// The bytes that a seed makes (splitmix64).
fn tape(mut seed: u64, length: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while bytes.len() < length {
        seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bytes.extend((mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb).to_le_bytes());
    }
    bytes
}

#[tokio::test]
async fn generated_messages_are_the_same_over_both_wires() {
    let asked = std::env::var("DOCUMENTS").ok().and_then(|count| count.parse().ok());
    let echo = Echo::default();
    let upstream = Client::builder("http://echo").transport(echo.clone());
    let bridge = Bridge::to(upstream.connect_lazy().expect("a client"));
    let bridge = bridge.start().await.expect("a bridge");
    let endpoint = bridge.endpoint();
    let clients = [
        connect(&endpoint, Wire::Grpc, RetryPolicy::none()).await,
        connect(&endpoint, Wire::Rest, RetryPolicy::none()).await,
    ];
    for (number, spec) in rpc::METHODS.iter().enumerate() {
        let [of_request, of_response] = [spec.request, spec.response]
            .map(|name| POOL.get_message_by_name(name).expect("a type"));
        for document in 0..asked.unwrap_or(2) {
            let seed = (number as u64) << 32 | document;
            let bytes = tape(seed, 20 + (document as usize % 20) * 20);
            let half = bytes.len() / 2;
            // A query cannot carry every message: the codecs' tests are about that.
            let mut request = match spec.http[0].body {
                "*" => message(&of_request, &mut Tape::new(&bytes[..half])),
                _ => DynamicMessage::new(of_request.clone()),
            };
            for name in spec.http[0].template.fields() {
                let field = of_request.get_field_by_name(name).expect("a field");
                assert_eq!(field.kind(), Kind::String);
                request.set_field(&field, prost_reflect::Value::String(format!("ü/{seed}")));
            }
            // A download is no JSON, and `downloads` is about it.
            let response = match spec.response {
                "google.api.HttpBody" => DynamicMessage::new(of_response.clone()),
                _ => message(&of_response, &mut Tape::new(&bytes[half..])),
            };
            let exchange = [request.encode_to_vec().into(), response.encode_to_vec().into()];
            let exchanged = Exchanged { clients: &clients, echo: &echo, exchange: &exchange };
            let [typed, grpc, rest] = rpc::visit(spec.path, exchanged).expect("a listed RPC").await;
            assert_eq!(grpc, typed, "gRPC: {}: {request} {response}", spec.path);
            if spec.response != "google.api.HttpBody" {
                assert_eq!(rest, typed, "REST: {}: {request} {response}", spec.path);
            }
        }
    }
}
