//! Creating, reading and deleting policies.

use eset_protect::policy_management::v2::{
    CreatePolicyRequest, CreatePolicyResponse, DeletePolicyRequest, FeaturePolicy,
    GetPolicyRequest, ListPoliciesRequest, Policy, SettingFlags,
};
use eset_protect::proto::era::common::data_definition::policy::PolicyData;
use eset_protect::proto::eset_protect::v1::UnknownAny;
use eset_protect::proto::google::rpc::{PreconditionFailure, ResourceInfo};
use eset_protect::wkt::Any;
use tonic::Code;

use crate::fixture::*;

#[tokio::test]
async fn the_server_sets_uuid_and_built_in() {
    let mut fixture = fixture().await;
    let sent = Policy {
        uuid: "mine".into(),
        display_name: "p".into(),
        description: "d".into(),
        built_in: true,
        features: vec![],
    };
    let made = fixture.policy(sent.clone()).await;
    assert!(!made.uuid.is_empty() && made.uuid != "mine");
    assert_eq!(made, Policy { uuid: made.uuid.clone(), built_in: false, ..sent });
    assert_eq!(get(&mut fixture, &made.uuid).await.unwrap(), made);
}

#[tokio::test]
async fn one_wrong_feature_refuses_the_whole_policy() {
    let mut fixture = fixture().await;
    let reply = fixture.policies.create_policy(CreatePolicyRequest { policy: None }).await;
    assert_eq!(wrong_fields(reply), ["policy"]);
    let legacy = |configuration| FeaturePolicy {
        feature_id: u32::MAX,
        configuration,
        ..FeaturePolicy::default()
    };
    let good = legacy(Some(Any::pack(&PolicyData::default())));
    let unknown = Any::pack(&UnknownAny { type_url: "x/Y".into(), json: "{}".into() });
    let broken = Any { value: vec![0xff].into(), ..Any::pack(&PolicyData::default()) };
    for wrong in [unknown, broken] {
        let fields =
            wrong_fields(create(&mut fixture, vec![good.clone(), legacy(Some(wrong))]).await);
        assert_eq!(fields, ["policy.features[1].configuration"]);
    }
    let fields = wrong_fields(create(&mut fixture, vec![FeaturePolicy::default()]).await);
    assert_eq!(fields, ["policy.features[0].feature_id"]);
    for key in ["", "a..b", "list[0]"] {
        let flags = [(key.to_owned(), SettingFlags::default())].into();
        let feature = FeaturePolicy { flags, ..legacy(None) };
        assert_eq!(
            wrong_fields(create(&mut fixture, vec![feature]).await),
            ["policy.features[0].flags"]
        );
    }
    let feature = FeaturePolicy { feature_id: 7, ..FeaturePolicy::default() };
    let fields = wrong_fields(create(&mut fixture, vec![feature.clone(), feature]).await);
    assert_eq!(fields, ["policy.features[1].feature_id"]);
    let reply = create(&mut fixture, vec![legacy(None); 10_001]).await;
    assert_eq!(code(reply), Code::ResourceExhausted);
    assert!(list(&mut fixture).await.is_empty());
    create(&mut fixture, vec![good, legacy(None)]).await.unwrap();
}

#[tokio::test]
async fn configurations_are_kept_byte_for_byte() {
    let mut fixture = fixture().await;
    let mut extra =
        Any::pack(&PolicyData { data: Some(vec![0, 255, 7].into()), product: Some("x".into()) });
    // A field that the type does not have.
    extra.value = [&extra.value[..], &[0xf8, 0x3f, 0x01]].concat().into();
    let unknown =
        Any::pack(&UnknownAny { type_url: "x/New".into(), json: r#"{"n":1e999}"#.into() });
    let nonsense = Any { type_url: "".into(), value: vec![0xff; 100_000].into() };
    let feature = |feature_id, configuration| FeaturePolicy {
        feature_id,
        configuration: Some(configuration),
        flags: [("a.b".to_owned(), SettingFlags { apply_forcefully: true, read_only: false })]
            .into(),
    };
    let features = vec![feature(u32::MAX, extra), feature(1, unknown), feature(2, nonsense)];
    let made = create(&mut fixture, features.clone()).await.unwrap().into_inner().policy.unwrap();
    assert_eq!(get(&mut fixture, &made.uuid).await.unwrap().features, features);
    assert_eq!(list(&mut fixture).await, [made]);
}

#[tokio::test]
async fn a_policy_is_deleted_once_and_a_built_in_one_never() {
    let mut fixture = fixture_with(|builder| builder.seed(true)).await;
    let policies = list(&mut fixture).await;
    let built_in = policies.iter().find(|policy| policy.built_in).unwrap();
    let own = policies.iter().find(|policy| !policy.built_in).unwrap();
    let status = delete(&mut fixture, &built_in.uuid).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
    let failure: PreconditionFailure = detail(&status);
    assert_eq!(failure.violations[0].subject, built_in.uuid);
    delete(&mut fixture, &own.uuid).await.unwrap();
    let status = delete(&mut fixture, &own.uuid).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    assert_eq!(detail::<ResourceInfo>(&status).resource_name, own.uuid);
    assert_eq!(get(&mut fixture, &own.uuid).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(list(&mut fixture).await.len(), policies.len() - 1);

    // A copy of a built-in policy is a custom policy.
    let copy = fixture.policy(built_in.clone()).await;
    assert!(!copy.built_in && copy.features == built_in.features);
    delete(&mut fixture, &copy.uuid).await.unwrap();
}

#[tokio::test]
async fn identifiers_are_checked() {
    let mut fixture = fixture().await;
    for uuid in [String::new(), "x".repeat(101)] {
        assert_eq!(get(&mut fixture, &uuid).await.unwrap_err().code(), Code::InvalidArgument);
        assert_eq!(delete(&mut fixture, &uuid).await.unwrap_err().code(), Code::InvalidArgument);
    }
}

#[tokio::test]
async fn large_policies_come_in_several_pages() {
    let mut fixture = fixture().await;
    fixture.policies = fixture.policies.max_decoding_message_size(16 * 1024 * 1024);
    for _ in 0..4 {
        let configuration = Any { type_url: "x/Y".into(), value: vec![1; 5_000_000].into() };
        let feature = FeaturePolicy {
            feature_id: 1,
            configuration: Some(configuration),
            ..Default::default()
        };
        create(&mut fixture, vec![feature]).await.unwrap();
    }
    let page = fixture.policies.list_policies(ListPoliciesRequest::default()).await.unwrap();
    assert_eq!(page.get_ref().policies.len(), 2);
    let page_token = page.into_inner().next_page_token;
    let request = ListPoliciesRequest { page_token, ..Default::default() };
    let page = fixture.policies.list_policies(request).await.unwrap().into_inner();
    assert_eq!((page.policies.len(), page.next_page_token.as_str()), (2, ""));
}

async fn create(
    fixture: &mut Fixture,
    features: Vec<FeaturePolicy>,
) -> Reply<CreatePolicyResponse> {
    let policy = Policy { features, ..Policy::default() };
    fixture.policies.create_policy(CreatePolicyRequest { policy: Some(policy) }).await
}

async fn get(fixture: &mut Fixture, uuid: &str) -> Result<Policy, tonic::Status> {
    let request = GetPolicyRequest { policy_uuid: uuid.to_owned() };
    Ok(fixture.policies.get_policy(request).await?.into_inner().policy.unwrap())
}

async fn delete(fixture: &mut Fixture, uuid: &str) -> Result<(), tonic::Status> {
    let request = DeletePolicyRequest { policy_uuid: uuid.to_owned() };
    fixture.policies.delete_policy(request).await.map(drop)
}

async fn list(fixture: &mut Fixture) -> Vec<Policy> {
    let reply = fixture.policies.list_policies(ListPoliciesRequest::default()).await;
    reply.unwrap().into_inner().policies
}
