//! What ESET's services were seen to send beside their documents (FACTS.md#json, FACTS.md#incident-management).

use added_service::proto::example::greeter::v1::Greeting;
use eset_protect::device_management::v1::{ListDevicesRequest, RenameDeviceRequest};
use eset_protect::incident_management::v2::ListDetectionsRequest;
use eset_protect::proto::google::rpc::ErrorInfo;
use eset_protect::protojson::{Reader, Writer};
use eset_protect::quarantine_management::v1::ListQuarantinedObjectsRequest;
use eset_protect::wkt::TypeRegistry;
use eset_protect::{Client, ErrorKind, Region, RetryPolicy};
use tonic::Code;

use crate::rest::calls::{builder, get};
use crate::support::scripted::{Answer, Scripted, answer};

fn json(status: &str, body: &str) -> Answer {
    answer(status, &[("content-type", "application/json")], body)
}

/// A client of ESET's cloud whose hosts are all the same server.
fn cloud(server: &Scripted) -> Client {
    let mut builder = Client::cloud(Region::Eu).retry(RetryPolicy::none());
    for host in ["device-management", "incident-management", "quarantine-management"] {
        builder = builder.host(host, server.endpoint());
    }
    builder.connect_lazy().unwrap()
}

#[tokio::test]
async fn members_and_numbers_in_other_forms_are_read() {
    let devices = r#"{"devices":[{"uuid":"d","displayName":null,"isMuted":true,"newMember":{"a":[1]},
        "enrollmentStatus":"DEVICE_ENROLLMENT_STATUS_ENROLLED","malformedData":null,"tags":[],
        "hardwareProfiles":[{"hardDrives":[{"capacityBytes":18446744073709551615}]}]}],
        "totalSize":"1","nextPageToken":null}"#;
    let objects =
        r#"{"objects":[{"uuid":"q","sizeBytes":17}],"totalSize":300000,"nextPageToken":""}"#;
    let server = Scripted::start([json("200 OK", devices), json("200 OK", objects)]).await;
    let client = cloud(&server);
    let mut items = client.devices().list_devices(ListDevicesRequest::default()).items();
    let device = items.next().await.unwrap().unwrap();
    assert_eq!(device.hardware_profiles[0].hard_drives[0].capacity_bytes, u64::MAX);
    assert!(device.uuid == "d" && device.is_muted && device.display_name.is_empty());
    let written = client.type_registry().scope(|| serde_json::to_value(&device)).unwrap();
    assert_eq!(written["enrollmentStatus"], "DEVICE_ENROLLMENT_STATUS_ENROLLED");
    assert!(items.next().await.is_none(), "null is the end of the list");
    let list = client.quarantined_objects();
    let list = list.list_quarantined_objects(ListQuarantinedObjectsRequest::default()).await;
    assert!(list.unwrap().next_page_token.is_empty());
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn text_that_is_not_unicode_does_not_cost_the_list() {
    // NTFS allows such names.
    let devices = [
        &br#"{"devices":[{"uuid":"a","displayName":"x\ud800y\ud83d\ude00"},{"displayName":"\udc00\ud800"},"#[..],
        b"{\"displayName\":\"x\xE9\"}]}",
    ];
    let answer = answer("200 OK", &[("content-type", "application/json")], devices.concat());
    let server = Scripted::start([answer]).await;
    let list = cloud(&server).devices().list_devices(ListDevicesRequest::default());
    let names: Vec<_> = list.await.unwrap().devices.into_iter().map(|it| it.display_name).collect();
    assert_eq!(names, ["x\u{FFFD}y😀", "\u{FFFD}\u{FFFD}", "x\u{FFFD}"]);
}

#[tokio::test]
async fn a_tenant_without_the_module_and_a_filter_that_is_none_are_told_apart() {
    let server =
        Scripted::start([json("501 Not Implemented", ""), json("400 Bad Request", "")]).await;
    let detections = cloud(&server).detections();
    let error = detections.list_detections(ListDetectionsRequest::default()).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Status, Code::Unimplemented));
    assert!(
        error.message().ends_with("the tenant does not have the module of this service"),
        "{error}"
    );
    let error = detections.list_detections(ListDetectionsRequest::default()).await.unwrap_err();
    assert_eq!((error.code(), error.message()), (Code::InvalidArgument, "HTTP 400 Bad Request"));
}

#[test]
fn a_wire_has_not_the_options_around_the_call() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let devices = r#"{"devices":[{"uuid":"d","newMember":1}]}"#;
    let answers = [json("200 OK", "{}"), json("200 OK", devices)];
    let server = runtime.block_on(Scripted::start(answers));
    let devices = runtime.block_on(async { cloud(&server).devices() });
    let request = RenameDeviceRequest { device_uuid: "d".to_owned(), ..Default::default() };
    let rename = devices.rename_device(request);
    Writer::new().emit_defaults(true).scope(|| runtime.block_on(rename.send())).unwrap();
    assert_eq!(server.seen()[0].body, b"{}");
    let list = devices.list_devices(ListDevicesRequest::default());
    let list = Reader::new().strict(true).scope(|| runtime.block_on(list.send())).unwrap();
    assert_eq!(list.get_ref().devices.len(), 1);
}

#[test]
fn details_have_the_types_of_the_client_and_not_the_options_around_the_call() {
    let body = r#"{"message":"m","details":[
        {"@type":"x/google.rpc.ErrorInfo","reason":"R","later":1},
        {"@type":"x/google.rpc.ErrorInfo","reason":5},
        {"@type":"x/not.Known","later":1},
        {"@type":"x/example.greeter.v1.Greeting","text":"t"}]}"#;
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(Scripted::start([json("404 Not Found", body)]));
    let types = added_service::types::register(TypeRegistry::default());
    let client =
        runtime.block_on(async { builder(&server).type_registry(types).connect_lazy().unwrap() });
    let error = Reader::new().strict(true).scope(|| runtime.block_on(get(&client))).unwrap_err();
    assert_eq!(error.details().len(), 4);
    assert_eq!(error.detail::<ErrorInfo>().unwrap().reason, "R");
    assert_eq!(error.detail::<Greeting>().unwrap().greeting_text, "t");
}
