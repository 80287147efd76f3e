//! The fronts that the suite of `wires` does not use, and what is not a call.

use bytes::Bytes;
use eset_protect::auth::BoxFuture;
use eset_protect::automation::v1::{ListTasksRequest, ListTasksResponse};
use eset_protect::serve::Bridge;
use eset_protect::transport::{Reply, Request as Attempt, Transport};
use eset_protect::{Client, Error, Wire};
use http::{Request, Version, header};
use prost::Message;
use tonic::Code;
use tonic::transport::Channel;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus};

use crate::{Fixture, WIRES, client, send};

const LIST: &str = "/eset.dotnod.automation.v1.DeviceTasks/ListTasks";

pub fn grpc_web(endpoint: &str, message: &impl Message) -> Request<Bytes> {
    let message = message.encode_to_vec();
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    let body = [&[0][..], &length, &message].concat();
    Request::post(format!("{endpoint}{LIST}"))
        .header(header::CONTENT_TYPE, "application/grpc-web+proto")
        .header("x-grpc-web", "1")
        .body(body.into())
        .unwrap()
}

#[tokio::test]
async fn a_browser_calls_over_grpc_web() {
    for upstream in WIRES {
        let fixture = Fixture::start(upstream).await;
        let request = ListTasksRequest { page_size: 3, ..Default::default() };
        for endpoint in [fixture.bridge.endpoint(), fixture.emulator.endpoint()] {
            let response = send(grpc_web(&endpoint, &request)).await;
            assert_eq!(response.headers()[header::CONTENT_TYPE], "application/grpc-web+proto");
            let body = response.into_body();
            let length = u32::from_be_bytes(body[1..5].try_into().unwrap()) as usize;
            let page = ListTasksResponse::decode(&body[5..5 + length]).unwrap();
            assert_eq!(page.tasks.len(), 3);
            // The trailers are a frame of their own.
            assert_eq!(body[5 + length], 0x80);
            let trailers = String::from_utf8_lossy(&body[10 + length..]).into_owned();
            assert!(trailers.contains("grpc-status:0"), "{trailers}");
        }
        let log = fixture.emulator.log();
        assert!(log.last().is_some_and(|arrival| arrival.is_rpc("ListTasks")), "{log:?}");
    }
}

/// A page must be able to read that the call failed, whatever broke.
#[tokio::test]
async fn a_panic_is_answered_in_the_form_of_the_request() {
    #[derive(Debug)]
    struct Broken;
    impl Transport for Broken {
        fn send<'a>(&'a self, _request: Attempt<'a>) -> BoxFuture<'a, Result<Reply, Error>> {
            panic!("the transport is broken")
        }
    }
    let upstream = Client::builder("http://broken").transport(Broken).connect_lazy().unwrap();
    let page = "https://console.example";
    let bridge = Bridge::to(upstream).allow_origin(page.parse().unwrap()).start().await.unwrap();
    let endpoint = bridge.endpoint();
    let rest = Request::get(format!("{endpoint}/v1/device_tasks")).body(Bytes::new()).unwrap();
    let web = grpc_web(&endpoint, &ListTasksRequest::default());
    for (mut request, status, media_type) in
        [(rest, 500, "application/json"), (web, 200, "application/grpc-web+proto")]
    {
        request.headers_mut().insert(header::ORIGIN, page.parse().unwrap());
        let response = send(request).await;
        assert_eq!(response.status(), status);
        let headers = response.headers();
        assert_eq!(headers[header::CONTENT_TYPE], media_type);
        assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], page);
        let code = headers.get("grpc-status").map(|code| code.to_str().unwrap());
        assert_eq!(code, (status == 200).then_some("13"));
    }
}

#[tokio::test]
async fn health_reflection_and_the_api_need_no_upstream() {
    let fixture = Fixture::start(Wire::Grpc).await;
    let endpoint = fixture.bridge.endpoint();
    fixture.emulator.shutdown().await;
    let channel = Channel::from_shared(endpoint.clone()).unwrap().connect().await.unwrap();
    let service = "eset.dotnod.automation.v1.DeviceTasks".to_owned();
    let mut health = HealthClient::new(channel.clone());
    let answer = health.check(HealthCheckRequest { service }).await.unwrap().into_inner();
    assert_eq!(answer.status(), ServingStatus::Serving);

    use tonic_reflection::pb::v1::ServerReflectionRequest;
    use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
    use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
    use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
    let ask = |symbol: &str| ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::FileContainingSymbol(symbol.to_owned())),
    };
    let asked = [ask("no.Such"), ask("eset.dotnod.automation.v1.DeviceTasks")];
    let mut reflection = ServerReflectionClient::new(channel);
    let answers = reflection.server_reflection_info(tokio_stream::iter(asked)).await.unwrap();
    let mut answers = answers.into_inner();
    let unknown = answers.message().await.unwrap().unwrap().message_response.unwrap();
    assert!(matches!(unknown, MessageResponse::ErrorResponse(_)), "{unknown:?}");
    match answers.message().await.unwrap().unwrap().message_response.unwrap() {
        // With its imports.
        MessageResponse::FileDescriptorResponse(files) => {
            assert!(files.file_descriptor_proto.len() > 3);
        }
        other => panic!("{other:?}"),
    }

    let document = Request::get(format!("{endpoint}/openapi.json")).body(Bytes::new()).unwrap();
    let document = send(document).await.into_body();
    let document: serde_json::Value = serde_json::from_slice(&document).unwrap();
    assert_eq!(document["openapi"], "3.0.3");
    // Anyone may call.
    assert!(document["security"].is_null(), "{}", document["security"]);
    let page = send(Request::get(format!("{endpoint}/")).body(Bytes::new()).unwrap()).await;
    // `.ci/interop` makes calls from it.
    assert!(page.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().contains("'none'"));
}

/// What would lose its status, or be misread.
#[tokio::test]
async fn what_is_not_grpc_is_told_so() {
    let fixture = Fixture::start(Wire::Rest).await;
    let (bridge, emulator) = (fixture.bridge.endpoint(), fixture.emulator.endpoint());
    let web = &grpc_web("", &ListTasksRequest::default()).into_body();
    let ask = async |version, method: &str, endpoint: &str, path: &str, media_type: &str| {
        let request = Request::builder().method(method).uri(format!("{endpoint}{path}"));
        let request = request.header(header::CONTENT_TYPE, media_type).version(version);
        let response = send(request.body(web.clone()).unwrap()).await;
        let headers = response.headers();
        let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        (response.status().as_u16(), header("allow"), header("grpc-message"))
    };
    let (one, two) = (Version::HTTP_11, Version::HTTP_2);
    let both =
        [("application/grpc", 505), ("application/grpc+json", 415), ("application/grpcx", 415)];
    for (media_type, expected) in both {
        for endpoint in [&bridge, &emulator] {
            assert_eq!(ask(one, "POST", endpoint, LIST, media_type).await.0, expected);
        }
    }
    let only_post = (405, Some("POST".to_owned()), None);
    for endpoint in [&bridge, &emulator] {
        for media_type in ["application/grpc", "application/grpc-web"] {
            assert_eq!(ask(two, "PUT", endpoint, LIST, media_type).await, only_post);
        }
        assert_eq!(ask(one, "POST", endpoint, LIST, "application/grpc-web+json").await.0, 415);
        for media_type in ["Application/gRPC-Web", "application/grpc-web-text; charset=utf-8"] {
            assert_eq!(ask(one, "POST", endpoint, LIST, media_type).await.0, 200, "{media_type}");
        }
        for (version, media_type) in [(one, "application/grpc-web"), (two, "application/grpc")] {
            let answer = ask(version, "POST", endpoint, "/no.Such/Call", media_type).await;
            let message = answer.2.map(|text| text.replace("%20", " "));
            let expected = Some("there is no RPC /no.Such/Call");
            assert_eq!((answer.0, message.as_deref()), (200, expected));
        }
    }
}

#[tokio::test]
async fn an_upstream_that_is_down_is_unavailable() {
    for (front, upstream) in WIRES.into_iter().flat_map(|front| WIRES.map(|wire| (front, wire))) {
        let fixture = Fixture::start(upstream).await;
        fixture.emulator.shutdown().await;
        let client: Client = client(&fixture.bridge.endpoint(), front);
        let error = client.device_tasks().list_tasks(ListTasksRequest::default()).await;
        let error = error.unwrap_err();
        assert_eq!(error.code(), Code::Unavailable, "{error}");
        assert_eq!(error.message(), "the upstream of the tenant \"default\" cannot be reached");
    }
}

/// gRPC's servers say `INTERNAL`, whatever the upstream speaks.
#[tokio::test]
async fn bytes_that_are_no_message_have_one_code() {
    // An open field, a wrong wire type, a name that is not UTF-8, and field 0.
    let wrong: [&[u8]; 4] = [b"\xff\xff", b"\x0a\x01a", b"\x12\x01\xff", b"\x00\x00"];
    for upstream in WIRES {
        let fixture = Fixture::start(upstream).await;
        for bytes in wrong {
            let mut request = grpc_web(&fixture.bridge.endpoint(), &ListTasksRequest::default());
            let length = u32::try_from(bytes.len()).unwrap().to_be_bytes();
            *request.body_mut() = [&[0][..], &length, bytes].concat().into();
            let response = send(request).await;
            let code = response.headers().get("grpc-status").map(|code| code.to_str().unwrap());
            assert_eq!(code, Some("13"), "{upstream:?} {bytes:?}: {:?}", response.headers());
        }
    }
}

#[tokio::test]
async fn a_body_of_grpc_web_that_cannot_be_read_is_told_in_plain_words() {
    let fixture = Fixture::start(Wire::Rest).await;
    for endpoint in [fixture.bridge.endpoint(), fixture.emulator.endpoint()] {
        let mut packed = grpc_web(&endpoint, &ListTasksRequest::default());
        packed.headers_mut().insert("content-encoding", "gzip".parse().unwrap());
        let answer = send(packed).await;
        assert_eq!(answer.status(), 415);
        let text = String::from_utf8_lossy(answer.body());
        assert!(text.contains("content-encoding: expected none"), "{text}");

        let mut padded = grpc_web(&endpoint, &ListTasksRequest::default());
        let text = "application/grpc-web-text".parse().unwrap();
        padded.headers_mut().insert(header::CONTENT_TYPE, text);
        *padded.body_mut() = "AA==AAAAAA==".into();
        let answer = send(padded).await;
        let message = answer.headers()["grpc-message"].to_str().unwrap();
        assert!(
            message.starts_with("the%20body%20cannot%20be%20read")
                || message.starts_with("the body cannot be read"),
            "{message}"
        );
    }
}
