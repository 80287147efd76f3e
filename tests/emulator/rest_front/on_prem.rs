//! The deployments: which operations each has, and one client for all of them.

use std::collections::BTreeSet;

use eset_protect::automation::v1::ListTasksRequest;
use eset_protect::device_management::v1::{ListDevicesRequest, RenameDeviceRequest};
use eset_protect::incident_management::v2::ListDetectionsRequest;
use eset_protect::rpc::{self, Deployment};
use eset_protect::{Client, ErrorKind};
use tonic::Code;

use crate::rest_front::fixture::*;

const OLDER: Deployment = Deployment::OnPrem { major: 13, minor: 0 };
const REGISTER: &str = "5f0c1a62-7d0e-4b57-9c35-30d2a1c40101";

async fn deployed(deployment: Deployment) -> (Fixture, Client) {
    let fixture = fixture_with(|builder| builder.seed(true).deployment(deployment)).await;
    let client = Client::on_prem(&fixture.running.endpoint()).login("api", "api");
    let client = client.connect().await.unwrap();
    (fixture, client)
}

fn rename(uuid: &str) -> RenameDeviceRequest {
    RenameDeviceRequest { device_uuid: uuid.to_owned(), display_name: "till".to_owned() }
}

#[tokio::test]
async fn a_renamed_operation_costs_one_refused_call_once() {
    let (fixture, client) = deployed(OLDER).await;
    let paths = |fixture: &Fixture| {
        let paths =
            [":rename", ":renameDevice"].map(|verb| format!("/v1/devices/{REGISTER}{verb}"));
        paths.map(|path| fixture.count_path(&path))
    };
    // It is not known yet which of the two the server has.
    let error = client.devices().rename_device(rename("no-device")).await.unwrap_err();
    assert!(error.is_not_found() && error.message().contains("no device `no-device`"), "{error}");
    for calls in 1..=3 {
        let device = client.devices().rename_device(rename(REGISTER)).await.unwrap();
        assert_eq!((&*device.display_name, paths(&fixture)), ("till", [1, calls]));
    }
    let error = client.devices().rename_device(rename("no-device")).await.unwrap_err();
    assert!(error.message().contains("no-device"), "{error}");

    let (fixture, client) = deployed(Deployment::ON_PREM).await;
    // The first refusal says more than that the older name is not there.
    let error = client.devices().rename_device(rename("no-device")).await.unwrap_err();
    assert!(error.message().contains("no-device"), "{error}");
    for calls in 1..=2 {
        client.devices().rename_device(rename(REGISTER)).await.unwrap();
        assert_eq!(paths(&fixture), [calls, 0]);
    }
    assert_eq!(fixture.count("RenameDevice"), 3);
}

#[tokio::test]
async fn what_a_deployment_does_not_have_is_not_sent() {
    let (fixture, client) = deployed(OLDER).await;
    assert_eq!(client.deployment(), Some(Deployment::ON_PREM));
    let error = client.detections().list_detections(ListDetectionsRequest::default()).await;
    let error = error.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Config, Code::Unimplemented));
    assert!(error.message().contains("only ESET Connect has ListDetections"), "{error}");
    assert!(!error.may_have_executed() && fixture.running.log().is_empty());
    // The client does not know the version of the server.
    let error = client.device_tasks().get_task("t").await.unwrap_err();
    assert!(error.is_not_found());
    let note = "or the server is older than ESET PROTECT On-Prem 13.1, which brought GetTask";
    assert!(error.message().ends_with(note), "{error}");

    let (fixture, client) = deployed(Deployment::ON_PREM).await;
    let error = client.device_tasks().get_task("t").await.unwrap_err();
    assert!(error.message().ends_with(note), "{error}");
    // Now it is known to be 13.1.
    client.device_tasks().list_tasks(ListTasksRequest::default()).await.unwrap();
    let error = client.device_tasks().get_task("t").await.unwrap_err();
    assert!(error.is_not_found() && !error.message().contains("13.1"), "{error}");
    let grpc = Client::connect(&fixture.running.endpoint()).await.unwrap();
    assert_eq!(grpc.deployment(), None);
    let error = grpc.detections().list_detections(ListDetectionsRequest::default()).await;
    assert_eq!(error.unwrap_err().code(), Code::Unimplemented);
    grpc.devices().list_devices(ListDevicesRequest::default()).await.unwrap();
    assert_eq!(fixture.http.form("/oauth/token", "grant_type=password").await.status, 404);
}

#[tokio::test]
async fn an_emulator_has_the_operations_of_its_deployment() {
    for (deployment, count) in [(Deployment::Cloud, 103), (Deployment::ON_PREM, 26), (OLDER, 16)] {
        let fixture = fixture_with(|builder| builder.deployment(deployment)).await;
        let document = fixture.http.get("/openapi.json").await.json();
        let mut documented = BTreeSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for verb in item.as_object().unwrap().keys().filter(|name| *name != "servers") {
                documented.insert((verb.to_uppercase(), path.clone()));
            }
        }
        let specs = rpc::METHODS.iter().filter(|spec| deployment.has(spec));
        let bindings: Vec<_> = specs.flat_map(|spec| deployment.bindings(spec)).collect();
        let page = fixture.http.get("/").await;
        let listed = String::from_utf8_lossy(&page.body).matches("<details data-method=").count();
        let counts = (documented.len(), bindings.len(), listed);
        assert_eq!(counts, (count, count, count), "{deployment}");
        for path in ["/v1/devices/x:renameDevice", "/v1/devices/x:rename"] {
            let answer = fixture.http.post(path, &serde_json::json!({"displayName": "x"})).await;
            let has = (deployment == OLDER) == path.ends_with("Device");
            assert_eq!(answer.error(404).contains("no such path"), !has, "{deployment} {path}");
        }
        assert_eq!(deployment.to_string().parse(), Ok(deployment));
    }
    assert!("13".parse::<Deployment>().unwrap_err().contains("`cloud`"));
}
