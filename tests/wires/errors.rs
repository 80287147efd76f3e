//! Errors.

use std::time::Duration;

use eset_protect::proto::google::rpc::BadRequest;
use eset_protect::{CallOptions, RetryPolicy};

use crate::over_all_routes;

#[tokio::test]
async fn every_code_with_its_details() {
    over_all_routes(async |world| {
        for number in 1..=16 {
            let call = world.client.device_tasks().get_task(format!("code-{number}"));
            // Calls refused by the rate limit would be retried until the deadline.
            let answer = call.retry(RetryPolicy::none()).await;
            let details = answer.as_ref().err().map(|error| error.details().len());
            assert!(world.note(&format!("code {number}"), answer).is_none());
            world.say(format!("{details:?} details"));
        }
    })
    .await;
}

#[tokio::test]
async fn an_error_unpacks_its_details() {
    over_all_routes(async |world| {
        let error = world.client.policies().get_policy("code-3").await.expect_err("a refusal");
        let detail: Option<BadRequest> = error.detail();
        world.say(format!("{detail:?}"));
        assert!(error.request_id().is_some(), "{error:?}");
    })
    .await;
}

#[tokio::test]
async fn identifiers_of_any_text_stay_identifiers() {
    over_all_routes(async |world| {
        let longest = "x".repeat(100);
        for id in
            ["a/b", "a?b=c#d", "%2F", "a%20b", "x:updateTaskTargets", "Zoë 🔍", "...", &longest]
        {
            world.note(id, world.client.device_tasks().get_task(id).await);
            world.note(id, world.client.policies().delete_policy(id).await);
        }
        world.note("too long", world.client.device_tasks().get_task("x".repeat(101)).await);
    })
    .await;
}

#[tokio::test]
async fn metadata_and_timeouts_are_the_same() {
    over_all_routes(async |world| {
        let options = CallOptions::new().metadata("x-anything", "value");
        let options = options.timeout(Duration::from_secs(20));
        let call = world.client.device_tasks().get_task("none").options(options);
        world.note("with options", call.await);
        let call = world.client.device_tasks().get_task("none").timeout(Duration::ZERO);
        let error = call.await.expect_err("no time");
        world.say(format!("{:?} {:?}", error.kind(), error.code()));
        let call = world.client.device_tasks().get_task("none").metadata("Bad Key", "value");
        world.note("bad metadata", call.await);
    })
    .await;
}
