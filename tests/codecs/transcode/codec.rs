//! The transcoding of each RPC with its messages as protobuf bytes: one instance per RPC serves all tests here.

use eset_protect::rpc::{self, Rpc, RpcVisitor};
use eset_protect::transcode::{Encoded, Route, TranscodeError};
use prost::Message;

type Plain = fn(&[u8]) -> Vec<u8>;
type Transcoded = Result<Vec<u8>, TranscodeError>;

/// Transcodes the messages of one RPC.
pub(super) struct Codec {
    /// Re-encodes a request as the typed message does, and a response.
    pub(super) plain: [Plain; 2],
    /// Encodes a request.
    pub(super) encode: fn(&[u8]) -> Result<Encoded, TranscodeError>,
    /// Decodes a request from its query and body.
    pub(super) request: fn(&Route, &str, &[u8]) -> Transcoded,
    /// Encodes a response as the body of an HTTP response.
    pub(super) answer: fn(&Route, &[u8]) -> Transcoded,
    /// Decodes a response from a body.
    pub(super) response: fn(&Encoded, &[u8]) -> Transcoded,
}

impl Codec {
    /// Returns that of the RPC with a gRPC path.
    pub(super) fn of(path: &str) -> Self {
        let own = rpc::visit(path, ForRpc);
        own.or_else(|| added_service::rpc::visit(path, ForRpc)).expect("a listed RPC")
    }
}

struct ForRpc;

impl RpcVisitor for ForRpc {
    type Output = Codec;

    fn rpc<R: Rpc>(self) -> Codec {
        Codec {
            plain: [
                |request| decode::<R::Request>(request).encode_to_vec(),
                |response| decode::<R::Response>(response).encode_to_vec(),
            ],
            encode: |request| Encoded::request::<R>(&decode(request)),
            request: |route, query, body| Ok(route.request::<R>(query, body)?.encode_to_vec()),
            answer: |route, response| route.response::<R>(&decode(response)),
            response: |sent, body| Ok(sent.response::<R>(body)?.encode_to_vec()),
        }
    }
}

fn decode<M: Message + Default>(bytes: &[u8]) -> M {
    M::decode(bytes).expect("a message of this type")
}
