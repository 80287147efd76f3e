//! A strict emulator.

use eset_protect::automation::v1::{Action, DeviceTask, Trigger};
use tonic::Code;

use crate::over_all_routes_with;

#[tokio::test]
async fn a_strict_emulator_refuses_what_no_eset_understands() {
    let task = || DeviceTask {
        display_name: "scan".into(),
        action: Some(Action::new("OnDemandScn")),
        triggers: vec![Trigger::manual(Some(eset_protect::wkt::Timestamp::default()))],
        ..Default::default()
    };
    over_all_routes_with(
        |builder| builder.strict(true),
        async |fixture| {
            let refused = fixture.client.device_tasks().create_task(task()).await;
            let error = refused.expect_err("it is wrong");
            assert_eq!(error.code(), Code::InvalidArgument);
            let details: Vec<_> =
                error.details().iter().map(|it| serde_json::to_string(it).expect("JSON")).collect();
            for field in ["task.action.name", "task.targets", "expire_time", "OnDemandScan"] {
                assert!(details.concat().contains(field), "{field}: {details:?}");
            }
            fixture.note("refused", Err::<(), _>(error));
        },
    )
    .await;
}
