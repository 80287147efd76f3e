//! A full disk, and then one with room again.
#![cfg(target_os = "linux")]

use std::process::Command;

use eset_protect::policy_management::v2::policies_client::PoliciesClient;
use eset_protect::policy_management::v2::{
    CreatePolicyRequest, FeaturePolicy, ListPoliciesRequest, Policy,
};
use eset_protect::proto::era::common::data_definition::policy::PolicyData;
use eset_protect::wkt::Any;
use tonic::transport::Channel;
use tonic::{Code, Status};

use crate::child::Server;
use crate::fixture::*;
use crate::support::directory::Directory;
use crate::support::skip::skipped;

/// Limits the size of a process's files from now on.
fn limit_files(server: &Server, bytes: &str) {
    let id = server.id().to_string();
    let limit = format!("--fsize={bytes}:unlimited");
    assert!(Command::new("prlimit").args(["--pid", &id, &limit]).status().unwrap().success());
}

/// Creates a policy of a quarter of a megabyte.
async fn create(policies: &mut PoliciesClient<Channel>) -> Result<String, Status> {
    let data = PolicyData { data: Some(vec![7; 256 * 1024].into()), ..Default::default() };
    let feature = FeaturePolicy {
        feature_id: 1,
        configuration: Some(Any::pack(&data)),
        ..FeaturePolicy::default()
    };
    let policy = Policy { features: vec![feature], ..Policy::default() };
    let request = CreatePolicyRequest { policy: Some(policy) };
    Ok(policies.create_policy(request).await?.into_inner().policy.unwrap().uuid)
}

async fn list(policies: &mut PoliciesClient<Channel>) -> Result<Vec<String>, Status> {
    let mut uuids = Vec::new();
    let mut request = ListPoliciesRequest::default();
    loop {
        let page = policies.list_policies(request.clone()).await?.into_inner();
        uuids.extend(page.policies.into_iter().map(|policy| policy.uuid));
        if page.next_page_token.is_empty() {
            return Ok(uuids);
        }
        request.page_token = page.next_page_token;
    }
}

#[tokio::test]
async fn a_full_disk_is_told_and_over_as_soon_as_there_is_room() {
    if Command::new("prlimit").arg("--version").output().is_err() {
        return skipped("there is no `prlimit`, so no disk that is full");
    }
    let directory = Directory::new();
    let file = directory.join("emulator.redb");
    // The signal of that limit would end the process, unlike a full disk.
    let mut server = Server::start_after("trap '' XFSZ", &*directory);
    let mut policies = PoliciesClient::new(channel(&server.endpoint).await);
    let mut made = vec![create(&mut policies).await.unwrap()];

    // If the file cannot grow, it cannot be written at all, not even to repair it.
    for bytes in [std::fs::metadata(&file).unwrap().len().to_string(), "1".to_owned()] {
        limit_files(&server, &bytes);
        let mut refused = 0;
        for _ in 0..100 {
            match create(&mut policies).await {
                Ok(uuid) => made.push(uuid),
                Err(status) => {
                    assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
                    refused += 1;
                }
            }
            if refused == 3 {
                break;
            }
        }
        assert_eq!(refused, 3);
        let notice = server.next("notice=");
        assert!(notice.contains(file.to_str().unwrap()), "{notice}");
        assert!(notice.contains("cannot be written"), "{notice}");
        if bytes != "1" {
            assert_eq!(list(&mut policies).await.unwrap(), made);
        }
        limit_files(&server, "unlimited");
        made.push(create(&mut policies).await.unwrap());
        assert_eq!(list(&mut policies).await.unwrap(), made);
        let notice = server.next("notice=");
        assert!(notice.contains("can be written again"), "{notice}");
    }
    server.kill();
    let server = Server::start(&directory);
    let mut policies = PoliciesClient::new(channel(&server.endpoint).await);
    assert_eq!(list(&mut policies).await.unwrap(), made);
}
