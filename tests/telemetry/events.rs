//! The events of a call.

use std::time::Duration;

use eset_protect::auth::StaticToken;
use eset_protect::automation::v1::ListTasksRequest;
use eset_protect::emulator::{Auth, Fault};
use eset_protect::{Client, RetryPolicy, RetryThrottle, Wire};
use tonic::Code;
use tracing::Level;

use crate::capture::Capture;
use crate::fixture::{BOTH, builder, client, emulator};
use crate::support::driven_timer::DrivenTimer;
use crate::support::scripted::{Scripted, ok};

async fn list(client: &Client) -> Result<(), eset_protect::Error> {
    client.device_tasks().list_tasks(ListTasksRequest::default()).await.map(drop)
}

#[tokio::test]
async fn a_run_in_which_all_goes_well_is_silent_above_debug() {
    for wire in BOTH {
        let running = emulator(|builder| builder.auth(Auth::new().account("ada", "secret"))).await;
        let client = builder(&running, wire).login("ada", "secret").connect_lazy().unwrap();
        let (capture, _guard) = Capture::begin();
        list(&client).await.unwrap();
        list(&client).await.unwrap();
        assert_eq!(capture.lines(), ["DEBUG eset_protect::auth got a token"]);
        assert_eq!(capture.events()[0].fields["is_renewal"], "false");
    }
}

#[tokio::test]
async fn a_retry_says_why_and_when() {
    for wire in BOTH {
        let running = emulator(|builder| builder).await;
        running.faults().push_for("ListTasks", Fault::code(Code::Unavailable));
        let client = builder(&running, wire).connect_lazy().unwrap();
        let (capture, _guard) = Capture::begin();
        list(&client).await.unwrap();
        assert_eq!(capture.lines(), ["INFO eset_protect::call trying again"]);
        let event = capture.events().remove(0);
        assert_eq!(event.span, Some("call"));
        assert_eq!(event.fields["reason"], "UNAVAILABLE");
        assert_eq!(event.fields["attempts"], "1");
        // The emulator asks for it.
        assert_eq!(event.fields["wait"], "1s");
        assert_eq!(event.fields["asked_by_service"], "true");
    }
}

#[tokio::test]
async fn what_is_not_tried_again_says_why() {
    use eset_protect::automation::v1::DeviceTask;
    let running = emulator(|builder| builder).await;
    let unavailable = || Fault::code(Code::Unavailable);

    for (times, why) in [(1, "attempts"), (2, "throttled")] {
        let (capture, _guard) = Capture::begin();
        let mut builder = builder(&running, Wire::Grpc);
        builder = match why {
            "attempts" => builder.retry(RetryPolicy::none()),
            _ => builder.retry_throttle(&RetryThrottle::new(2, 0.1)),
        };
        let client = builder.connect_lazy().unwrap();
        for _ in 0..times {
            running.faults().push_for("ListTasks", unavailable());
        }
        list(&client).await.unwrap_err();
        running.faults().clear();
        let event = capture.events().pop().unwrap();
        let level = if why == "throttled" { Level::WARN } else { Level::DEBUG };
        assert_eq!((event.level, event.fields["why"].as_str()), (level, why));
        assert_eq!(event.fields["code"], "UNAVAILABLE");
        // The next call would say the same.
        running.faults().push_for("ListTasks", unavailable());
        list(&client).await.unwrap_err();
        let event = capture.events().pop().unwrap();
        assert_eq!((event.level, event.fields["why"].as_str()), (Level::DEBUG, why));
    }

    let client = client(&running, Wire::Grpc);
    running.faults().push_for("CreateTask", unavailable());
    let (capture, _guard) = Capture::begin();
    client.device_tasks().create_task(DeviceTask::default()).await.unwrap_err();
    let event = capture.events().pop().unwrap();
    assert_eq!((event.level, event.fields["why"].as_str()), (Level::DEBUG, "not_safe"));

    running.faults().push_for("ListTasks", unavailable());
    let call = client.device_tasks().list_tasks(ListTasksRequest::default());
    call.timeout(std::time::Duration::from_millis(900)).await.unwrap_err();
    assert_eq!(capture.events().pop().unwrap().fields["why"], "no_time");
}

#[tokio::test]
async fn a_member_of_another_type_than_documented_is_a_warning() {
    let page = r#"{"tasks":[{"uuid":"a"},{"uuid":"b","displayName":["secret"]}]}"#;
    let server = Scripted::start([]).await.otherwise(ok(page));
    let client = Client::builder(&server.endpoint()).wire(Wire::Rest).connect_lazy().unwrap();
    let (capture, _guard) = Capture::begin();
    let page = client.device_tasks().list_tasks(ListTasksRequest::default()).await.unwrap();
    assert_eq!(page.tasks.len(), 2);
    let event = capture.events().remove(0);
    assert_eq!((event.level, event.span), (Level::WARN, Some("call")));
    assert_eq!(event.fields["field"], "tasks[1].displayName");
    assert!(!format!("{event:?}").contains("secret"));
    list(&client).await.unwrap();
    assert_eq!(capture.events().pop().unwrap().level, Level::DEBUG, "once a minute is enough");
}

#[tokio::test]
async fn logins_that_are_refused_in_a_row_are_one_warning() {
    let running = emulator(|builder| builder.auth(Auth::new().account("ada", "secret"))).await;
    let timer = DrivenTimer::new();
    let client = builder(&running, Wire::Rest).login("ada", "guess").timer(timer.clone());
    let client = client.connect_lazy().unwrap();
    let (capture, _guard) = Capture::begin();
    for _ in 0..3 {
        list(&client).await.unwrap_err();
        // The pause after a refused login.
        timer.advance(Duration::from_secs(10));
    }
    let again = "DEBUG eset_protect::auth the login was refused again";
    let expected = ["WARN eset_protect::auth the login was refused", again, again];
    assert_eq!(capture.lines(), expected);
}

#[tokio::test]
async fn a_refused_token_is_told_and_another_fetched() {
    for wire in BOTH {
        let running = emulator(|builder| builder.auth(Auth::new().account("ada", "secret"))).await;
        let client = builder(&running, wire).login("ada", "secret").connect_lazy().unwrap();
        list(&client).await.unwrap();
        running.revoke_access_tokens();
        let (capture, _guard) = Capture::begin();
        list(&client).await.unwrap();
        assert_eq!(
            capture.lines(),
            [
                "DEBUG eset_protect::auth got a token",
                "INFO eset_protect::call the service refused the token"
            ]
        );
        let events = capture.events();
        assert_eq!(events[0].fields["is_renewal"], "true");
        assert_eq!(events[1].fields["has_other"], "true");

        let fixed = builder(&running, wire).credentials(StaticToken::new("stale"));
        let (capture, _guard) = Capture::begin();
        list(&fixed.connect_lazy().unwrap()).await.unwrap_err();
        assert_eq!(capture.events()[0].fields["has_other"], "false");
    }
}

#[tokio::test]
async fn the_wire_that_was_found_and_a_pending_answer_are_told() {
    let running = emulator(|builder| builder).await;
    let (capture, _guard) = Capture::begin();
    list(&client(&running, Wire::Auto)).await.unwrap();
    assert_eq!(capture.lines(), ["INFO eset_protect::wire chose the wire"]);
    assert_eq!(capture.events()[0].fields["wire"], "gRPC");

    running.faults().push_for("ListTasks", Fault::pending(1));
    let (capture, _guard) = Capture::begin();
    list(&client(&running, Wire::Rest)).await.unwrap();
    assert_eq!(capture.lines(), ["DEBUG eset_protect::wire the response is pending"]);
    assert_eq!(capture.events()[0].fields["polls"], "1");
}
