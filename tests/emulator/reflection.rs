//! What other clients and gateways learn by reflection, with both versions.

use std::collections::BTreeSet;

use eset_protect::proto::FILE_DESCRIPTOR_SET;
use prost::Message;
use prost_types::FileDescriptorProto;
use tonic::Code;

use crate::serving::services;

/// The options that contain the extension `google.api.http`.
const METHOD_OPTIONS: &str = "google.protobuf.MethodOptions";
const HTTP: i32 = 72_295_728;
/// The options of methods in `eset_protect.v1`.
const SETS: i32 = 52_002;
const REMOVES: i32 = 52_004;
const REMOVES_BELOW: i32 = 52_010;
const ON_PREM_SINCE: i32 = 52_005;
const ON_PREM_RENAMED_IN: i32 = 52_006;

/// A request in either version.
#[derive(Clone, Copy, Debug)]
enum Ask {
    File(&'static str),
    Symbol(&'static str),
    Extension(&'static str, i32),
    Numbers(&'static str),
    Services,
    Nothing,
}

/// A response in either version. Files are unchanged.
#[derive(Debug, PartialEq)]
enum Reply {
    Files(Vec<Vec<u8>>),
    Numbers(String, Vec<i32>),
    Services(Vec<String>),
    Error(i32, String),
}

macro_rules! version {
    ($version:ident) => {
        async fn $version(asks: &[Ask]) -> Vec<Reply> {
            use tonic_reflection::pb::$version::server_reflection_client::ServerReflectionClient;
            use tonic_reflection::pb::$version::server_reflection_request::MessageRequest;
            use tonic_reflection::pb::$version::server_reflection_response::MessageResponse;
            use tonic_reflection::pb::$version::{ExtensionRequest, ServerReflectionRequest};

            let fixture = crate::fixture::fixture().await;
            let channel = crate::fixture::channel(&fixture.running.endpoint()).await;
            let requests: Vec<_> = asks
                .iter()
                .enumerate()
                .map(|(number, ask)| ServerReflectionRequest {
                    host: format!("host-{number}"),
                    message_request: match *ask {
                        Ask::File(name) => Some(MessageRequest::FileByFilename(name.into())),
                        Ask::Symbol(name) => {
                            Some(MessageRequest::FileContainingSymbol(name.into()))
                        }
                        Ask::Extension(message, extension_number) => {
                            let containing_type = message.into();
                            let wanted = ExtensionRequest { containing_type, extension_number };
                            Some(MessageRequest::FileContainingExtension(wanted))
                        }
                        Ask::Numbers(message) => {
                            Some(MessageRequest::AllExtensionNumbersOfType(message.into()))
                        }
                        Ask::Services => Some(MessageRequest::ListServices(String::new())),
                        Ask::Nothing => None,
                    },
                })
                .collect();
            let mut client = ServerReflectionClient::new(channel);
            let asked = tokio_stream::iter(requests.clone());
            let mut answers = client.server_reflection_info(asked).await.unwrap().into_inner();
            let mut replies = Vec::new();
            for request in requests {
                let answer = answers.message().await.unwrap().expect("the stream goes on");
                assert_eq!(answer.valid_host, request.host);
                assert_eq!(answer.original_request, Some(request));
                replies.push(match answer.message_response.expect("a response") {
                    MessageResponse::FileDescriptorResponse(files) => {
                        Reply::Files(files.file_descriptor_proto)
                    }
                    MessageResponse::AllExtensionNumbersResponse(found) => {
                        Reply::Numbers(found.base_type_name, found.extension_number)
                    }
                    MessageResponse::ListServicesResponse(list) => Reply::Services(
                        list.service.into_iter().map(|service| service.name).collect(),
                    ),
                    MessageResponse::ErrorResponse(error) => {
                        Reply::Error(error.error_code, error.error_message)
                    }
                });
            }
            assert!(answers.message().await.unwrap().is_none());
            replies
        }
    };
}

version!(v1);
version!(v1alpha);

/// Returns the responses of both versions, which are the same.
async fn ask(asks: &[Ask]) -> Vec<Reply> {
    let replies = v1(asks).await;
    assert_eq!(v1alpha(asks).await, replies);
    replies
}

#[tokio::test]
async fn a_file_comes_with_everything_it_imports_and_its_options() {
    let asks = [
        Ask::Symbol("eset.dotnod.automation.v1.DeviceTasks"),
        Ask::Symbol("eset.dotnod.policy_management.v2.Policies.ListPolicies"),
        Ask::Symbol("Era.Common.DataDefinition.Policy.PolicyData"),
        Ask::Symbol("eset.dotnod.automation.v1.DeviceTask.display_name"),
        Ask::Symbol("eset.dotnod.automation.v1.Trigger.kind"),
        // An enum value is a sibling of its enum.
        Ask::Symbol("eset.dotnod.automation.v1.TASK_RUN_STATUS_QUEUED"),
        Ask::Symbol("grpc.health.v1.Health"),
        Ask::Symbol("grpc.reflection.v1.ServerReflection"),
        Ask::Symbol("google.api.http"),
        Ask::File("google/api/annotations.proto"),
        Ask::Extension(METHOD_OPTIONS, HTTP),
    ];
    let replies = ask(&asks).await;
    for (reply, ask) in replies.iter().zip(asks) {
        let Reply::Files(files) = reply else { panic!("{ask:?}: {reply:?}") };
        let read = |file: &Vec<u8>| FileDescriptorProto::decode(file.as_slice()).unwrap();
        let decoded: Vec<_> = files.iter().map(read).collect();
        let names: BTreeSet<_> = decoded.iter().map(FileDescriptorProto::name).collect();
        assert_eq!(names.len(), decoded.len(), "{ask:?}: a file came twice");
        for file in &decoded {
            let missing = file.dependency.iter().find(|name| !names.contains(name.as_str()));
            assert_eq!(missing, None, "{ask:?}: imported by {}", file.name());
        }
        // A pool of only these files resolves all of their types.
        let mut pool = prost_reflect::DescriptorPool::new();
        let imports_first: Vec<_> = files.iter().rev().map(Vec::as_slice).collect();
        let set = encoded_set(&imports_first);
        pool.decode_file_descriptor_set(set.as_slice()).unwrap_or_else(|e| panic!("{ask:?}: {e}"));
        if let Ask::Symbol(symbol) = ask
            && services().contains(symbol)
        {
            let http = pool.get_extension_by_name("google.api.http").unwrap();
            let service = pool.get_service_by_name(symbol).unwrap();
            assert!(service.methods().all(|method| method.options().has_extension(&http)));
        }
    }
    // The requested file comes first.
    let Reply::Files(files) = &replies[0] else { panic!("no files") };
    let first = FileDescriptorProto::decode(files[0].as_slice()).unwrap();
    assert_eq!(first.package(), "eset.dotnod.automation.v1");
    assert!(FILE_DESCRIPTOR_SET.windows(files[0].len()).any(|bytes| bytes == files[0]));
}

/// Returns a `FileDescriptorSet` of encoded files.
fn encoded_set(files: &[&[u8]]) -> Vec<u8> {
    let mut set = Vec::new();
    for file in files {
        prost::encoding::bytes::encode(1, &file.to_vec(), &mut set);
    }
    set
}

#[tokio::test]
async fn what_is_not_there_is_answered_within_the_stream() {
    let asks = [
        Ask::Symbol("eset.dotnod.automation.v1.None"),
        Ask::Symbol(""),
        Ask::File("none.proto"),
        Ask::Extension(METHOD_OPTIONS, 1),
        Ask::Extension("none.Message", HTTP),
        Ask::Numbers("none.Message"),
        Ask::Nothing,
        Ask::Services,
    ];
    let replies = ask(&asks).await;
    for (index, text) in [
        (0, "eset.dotnod.automation.v1.None"),
        (1, "symbol"),
        (2, "none.proto"),
        (3, METHOD_OPTIONS),
        (4, "none.Message"),
        (5, "none.Message"),
    ] {
        let Reply::Error(code, message) = &replies[index] else { panic!("{:?}", replies[index]) };
        assert_eq!(*code, i32::from(Code::NotFound));
        assert!(message.contains(text), "{message}");
    }
    assert!(
        matches!(replies[6], Reply::Error(code, _) if code == i32::from(Code::InvalidArgument)),
        "{:?}",
        replies[6]
    );
    let Reply::Services(_) = &replies[7] else { panic!("{:?}", replies[7]) };
}

#[tokio::test]
async fn every_service_that_is_served_is_listed_and_every_extension() {
    let asks = [
        Ask::Services,
        Ask::Numbers(METHOD_OPTIONS),
        Ask::Numbers("eset.dotnod.automation.v1.DeviceTask"),
    ];
    let replies = ask(&asks).await;
    let own = [
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
    ];
    let mut expected: Vec<_> = services().into_iter().chain(own).map(str::to_owned).collect();
    expected.sort();
    assert_eq!(replies[0], Reply::Services(expected));
    let options = vec![SETS, REMOVES, ON_PREM_SINCE, ON_PREM_RENAMED_IN, REMOVES_BELOW, HTTP];
    assert_eq!(replies[1], Reply::Numbers(METHOD_OPTIONS.to_owned(), options));
    let message = "eset.dotnod.automation.v1.DeviceTask".to_owned();
    assert_eq!(replies[2], Reply::Numbers(message, Vec::new()));
}
