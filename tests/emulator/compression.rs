//! Compressed messages from callers.

use std::io::{Read, Write};

use eset_protect::automation::v1::{CreateTaskRequest, ListTasksRequest, ListTasksResponse};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::{GzEncoder, ZlibEncoder};
use prost::Message;
use tonic::Code;

use crate::fixture::*;
use crate::raw::{flagged, framed, grpc, whole};

const CREATE: &str = "/eset.dotnod.automation.v1.DeviceTasks/CreateTask";
const LIST: &str = "/eset.dotnod.automation.v1.DeviceTasks/ListTasks";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn answers_are_compressed_like_their_requests_for_those_who_accept_it() {
    let fixture = fixture().await;
    let request = CreateTaskRequest { task: Some(task("packed", &["d"])) }.encode_to_vec();
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
    zlib.write_all(&request).unwrap();
    for (encoding, packed) in [("gzip", gzip(&request)), ("deflate", zlib.finish().unwrap())] {
        let body = whole(flagged(1, &packed));
        let headers = [("grpc-encoding", encoding)];
        let reply = grpc(&fixture.running, CREATE, &headers, body).await;
        reply.message_of(Code::Ok);
        assert_eq!(reply.headers.get("grpc-encoding"), None);
    }
    let accept = ("grpc-accept-encoding", "identity,gzip");
    let body = whole(framed(&ListTasksRequest::default()));
    let reply = grpc(&fixture.running, LIST, &[accept], body).await;
    reply.message_of(Code::Ok);
    assert_eq!(reply.headers.get("grpc-encoding"), None);
    let body = whole(flagged(1, &gzip(&ListTasksRequest::default().encode_to_vec())));
    let headers = [accept, ("grpc-encoding", "gzip")];
    let reply = grpc(&fixture.running, LIST, &headers, body).await;
    reply.message_of(Code::Ok);
    assert_eq!(reply.headers["grpc-encoding"], "gzip");
    assert_eq!(reply.body[0], 1);
    let mut unpacked = Vec::new();
    GzDecoder::new(&reply.body[5..]).read_to_end(&mut unpacked).unwrap();
    let list = ListTasksResponse::decode(unpacked.as_slice()).unwrap();
    assert_eq!(list.tasks.len(), 2);
    assert!(list.tasks.iter().all(|task| task.display_name == "packed"));
}

#[tokio::test]
async fn an_unknown_encoding_is_unimplemented_and_says_what_is_known() {
    let fixture = fixture().await;
    let body = whole(flagged(1, b"?"));
    let reply = grpc(&fixture.running, CREATE, &[("grpc-encoding", "br")], body).await;
    reply.message_of(Code::Unimplemented);
    let accepted = reply.headers["grpc-accept-encoding"].to_str().unwrap();
    let accepted: Vec<_> = accepted.split(',').map(str::trim).collect();
    assert!(accepted.contains(&"gzip") && accepted.contains(&"deflate"), "{accepted:?}");
}

#[tokio::test]
async fn a_message_that_unpacks_to_more_than_the_limit_is_refused() {
    let fixture = fixture().await;
    let body = whole(flagged(1, &gzip(&vec![0; 64 * 1024 * 1024])));
    let reply = grpc(&fixture.running, CREATE, &[("grpc-encoding", "gzip")], body).await;
    reply.message_of(Code::ResourceExhausted);
    let body = whole(flagged(1, b"no gzip"));
    let reply = grpc(&fixture.running, CREATE, &[("grpc-encoding", "gzip")], body).await;
    reply.message_of(Code::Internal);
}
