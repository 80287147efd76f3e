//! What the tests share.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use eset_protect::automation::v1::device_tasks_client::DeviceTasksClient;
use eset_protect::automation::v1::trigger::Kind;
use eset_protect::automation::v1::{
    Action, CreateTaskRequest, DeviceTask, DeviceTaskRun, DeviceTaskTargets, ListTaskRunsRequest,
    ManualTrigger, TaskRunStatus, Trigger,
};
use eset_protect::emulator::{Builder, Clock, Emulator, ManualClock, Running, SequentialIds};
use eset_protect::policy_management::v2::policies_client::PoliciesClient;
use eset_protect::policy_management::v2::policy_assignments_client::PolicyAssignmentsClient;
use eset_protect::policy_management::v2::policy_target::Target;
use eset_protect::policy_management::v2::{
    AssignPolicyRequest, CreatePolicyRequest, Policy, PolicyAssignment, PolicyTarget,
};
use eset_protect::proto::google::rpc::{BadRequest, Status as Rich};
use eset_protect::wkt::{Any, Timestamp};
use prost::{Message, Name};
use tonic::transport::Channel;
use tonic::{Code, Response, Status};

pub type Reply<T> = Result<Response<T>, Status>;

/// A running emulator with a manual clock, and a stub for each service.
pub struct Fixture {
    pub running: Running,
    pub clock: Arc<ManualClock>,
    pub tasks: DeviceTasksClient<Channel>,
    pub policies: PoliciesClient<Channel>,
    pub assignments: PolicyAssignmentsClient<Channel>,
}

pub const START: Duration = Duration::from_secs(1_800_000_000);

pub async fn fixture() -> Fixture {
    fixture_with(|builder| builder).await
}

pub async fn fixture_with(configure: impl FnOnce(Builder) -> Builder) -> Fixture {
    let clock = Arc::new(ManualClock::new(UNIX_EPOCH + START));
    let builder = Emulator::builder().clock(Arc::clone(&clock)).ids(SequentialIds);
    let running = configure(builder).build().unwrap().start().await.unwrap();
    let channel = channel(&running.endpoint()).await;
    Fixture {
        running,
        clock,
        tasks: DeviceTasksClient::new(channel.clone()),
        policies: PoliciesClient::new(channel.clone()),
        assignments: PolicyAssignmentsClient::new(channel),
    }
}

pub async fn channel(endpoint: &str) -> Channel {
    Channel::from_shared(endpoint.to_owned()).unwrap().connect().await.unwrap()
}

impl Fixture {
    pub fn now(&self) -> Timestamp {
        self.clock.now().into()
    }

    pub fn at(&self, later: Duration) -> Timestamp {
        (self.clock.now() + later).into()
    }

    pub async fn create(&mut self, task: DeviceTask) -> DeviceTask {
        let request = CreateTaskRequest { task: Some(task) };
        self.tasks.create_task(request).await.unwrap().into_inner().task.unwrap()
    }

    pub async fn runs(&mut self, task_uuid: &str) -> Vec<DeviceTaskRun> {
        let request = ListTaskRunsRequest { task_uuid: task_uuid.to_owned(), ..Default::default() };
        self.tasks.list_task_runs(request).await.unwrap().into_inner().task_runs
    }

    pub async fn statuses(&mut self, task_uuid: &str) -> Vec<TaskRunStatus> {
        self.runs(task_uuid).await.iter().map(DeviceTaskRun::status).collect()
    }

    pub async fn policy(&mut self, policy: Policy) -> Policy {
        let request = CreatePolicyRequest { policy: Some(policy) };
        self.policies.create_policy(request).await.unwrap().into_inner().policy.unwrap()
    }

    pub async fn assign(&mut self, policy_uuid: &str, target: Target) -> PolicyAssignment {
        let request = AssignPolicyRequest { assignment: Some(assignment(policy_uuid, target)) };
        self.assignments.assign_policy(request).await.unwrap().into_inner().assignment.unwrap()
    }
}

pub fn assignment(policy_uuid: &str, target: Target) -> PolicyAssignment {
    PolicyAssignment {
        policy_uuid: policy_uuid.to_owned(),
        target: Some(PolicyTarget { target: Some(target) }),
        ..Default::default()
    }
}

/// Returns a task for devices that starts at once.
pub fn task(name: &str, devices: &[&str]) -> DeviceTask {
    DeviceTask {
        display_name: name.to_owned(),
        action: Some(Action { name: "StopManaging".to_owned(), params: None }),
        targets: Some(DeviceTaskTargets {
            devices_uuids: devices.iter().map(|&device| device.to_owned()).collect(),
            device_groups_uuids: Vec::new(),
        }),
        triggers: vec![manual(None)],
        ..Default::default()
    }
}

pub fn manual(expire_time: Option<SystemTime>) -> Trigger {
    let manual = ManualTrigger { create_time: None, expire_time: expire_time.map(Into::into) };
    Trigger { kind: Some(Kind::Manual(manual)) }
}

/// Returns the code of a failed call.
pub fn code<T: Debug>(reply: Reply<T>) -> Code {
    reply.unwrap_err().code()
}

/// Returns the detail of a failed call.
pub fn detail<M: Message + Name + Default>(status: &Status) -> M {
    let rich = Rich::decode(status.details()).unwrap();
    assert_eq!((rich.code, rich.message.as_str()), (status.code().into(), status.message()));
    rich.details.iter().find_map(|any: &Any| any.unpack().ok()).expect("no such detail")
}

/// Returns the fields in an `INVALID_ARGUMENT`.
pub fn wrong_fields<T: Debug>(reply: Reply<T>) -> Vec<String> {
    let status = reply.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    let request: BadRequest = detail(&status);
    request.field_violations.into_iter().map(|violation| violation.field).collect()
}
