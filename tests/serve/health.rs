//! Health checks tell of a tenant only those who may use it.

use std::time::Duration;

use eset_protect::Wire;
use eset_protect::automation::v1::ListTasksRequest;
use eset_protect::serve::{Access, Bridge, Caller, Identity, TokenHash};
use tokio::time::timeout;
use tonic::metadata::MetadataValue;
use tonic::transport::Channel;
use tonic::{Code, Request};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::{client, emulator};

/// Each tenant `one` and `other` has a caller, whose token is the name.
async fn bridge(upstream: &str) -> Bridge {
    let access = ["one", "other"].into_iter().fold(Access::new(), |access, name| {
        let caller = Caller::new(name, Identity::Token(TokenHash::of(name))).tenant(name);
        access.tenant(name, client(upstream, Wire::Rest)).caller(caller).unwrap()
    });
    Bridge::new(access)
}

fn ask(service: &str, tokens: &[&str]) -> Request<HealthCheckRequest> {
    let mut request = Request::new(HealthCheckRequest { service: service.to_owned() });
    for token in tokens {
        let token = MetadataValue::try_from(format!("Bearer {token}")).unwrap();
        request.metadata_mut().append("authorization", token);
    }
    request
}

#[tokio::test]
async fn a_tenant_is_known_to_its_callers_alone() {
    use ServingStatus::{NotServing, ServiceUnknown, Serving};
    let emulator = emulator().await;
    let bridge = bridge(&emulator.endpoint()).await.start().await.unwrap();
    let channel = Channel::from_shared(bridge.endpoint()).unwrap().connect().await.unwrap();
    let health = HealthClient::new(channel);
    let check = async |service: &str, tokens: &[&str]| {
        let answer = health.clone().check(ask(service, tokens)).await;
        answer.map(|answer| answer.into_inner().status())
    };
    let watch = async |service: &str, tokens: &[&str]| {
        health.clone().watch(ask(service, tokens)).await.unwrap().into_inner()
    };
    let mut own = watch("tenants/one", &["one"]).await;
    assert_eq!(own.message().await.unwrap().unwrap().status(), ServiceUnknown);
    let strangers: [&[&str]; 5] = [&[], &["none"], &["other"], &["one", "one"], &["other", "one"]];
    let mut watches = Vec::new();
    for tokens in strangers {
        for service in ["tenants/one", "tenants/none"] {
            let mut watched = watch(service, tokens).await;
            assert_eq!(watched.message().await.unwrap().unwrap().status(), ServiceUnknown);
            watches.push(watched);
        }
    }
    let upstream = client(&bridge.endpoint(), Wire::Grpc);
    let list = async || {
        let call = upstream.device_tasks().list_tasks(ListTasksRequest::default());
        call.metadata("authorization", "Bearer one").await
    };

    list().await.unwrap();
    assert_eq!(own.message().await.unwrap().unwrap().status(), Serving);
    assert_eq!(check("tenants/one", &["one"]).await.unwrap(), Serving);
    emulator.shutdown().await;
    list().await.unwrap_err();
    assert_eq!(own.message().await.unwrap().unwrap().status(), NotServing);
    assert_eq!(check("tenants/one", &["one"]).await.unwrap(), NotServing);
    let unknown = check("none", &["one"]).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
    for (tokens, watches) in strangers.iter().zip(watches.chunks_mut(2)) {
        for (service, watched) in ["tenants/one", "tenants/none"].into_iter().zip(watches) {
            let told = check(service, tokens).await.unwrap_err();
            let expected = (unknown.code(), unknown.message());
            assert_eq!((told.code(), told.message()), expected, "{service} {tokens:?}");
            let told = timeout(Duration::ZERO, watched.message()).await;
            assert!(told.is_err(), "{service} {tokens:?}: {told:?}");
        }
        // What every probe asks.
        for service in ["", "eset.dotnod.automation.v1.DeviceTasks"] {
            assert_eq!(check(service, tokens).await.unwrap(), Serving);
        }
    }
}
