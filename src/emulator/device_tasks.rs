//! The service `DeviceTasks`.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message;
use redb::ReadableTable;
use tonic::{Request, Response, Status};

use super::check;
use super::core::Core;
use super::failure::Failure;
use super::fingerprint::Fingerprint;
use super::paging::Page;
use super::runs::RunRow;
use super::store::{RUNS, TASK_IDS, TASKS, decode, row};
use super::tasks::{self, TASK, TaskRow};
use crate::automation::v1::device_tasks_server::DeviceTasks;
use crate::automation::v1::{
    CreateTaskRequest, CreateTaskResponse, DeleteTaskRequest, DeleteTaskResponse, DeviceTaskRun,
    GetTaskRequest, GetTaskResponse, ListTaskRunsRequest, ListTaskRunsResponse, ListTasksRequest,
    ListTasksResponse, UpdateTaskTargetsRequest, UpdateTaskTargetsResponse,
    UpdateTaskTriggersRequest, UpdateTaskTriggersResponse,
};

/// Tasks and their runs, as ESET's Automation API has them ([facts](crate::facts#automation)). Where the
/// documentation is silent or unclear, this is what the emulator does:
///
/// * **Templates.** One template exists for each (display name, description, action), and "deleting a
///   template deletes all templated tasks", so a template has several tasks. Nothing in the API shows
///   a template but its tasks. So `CreateTask` always makes a new task, with its own uuid, targets and
///   triggers, and the first task of a template stands for the template: deleting it deletes all of
///   them, deleting a later one deletes that alone. Actions are the same if name, params' type URL and
///   params' bytes are. The two other readings would lose something: if a second task were merged into
///   the first, its caller would get a task with the targets of somebody else and could not delete its
///   own; if deleting any task deleted all, a template could not have tasks that come and go.
/// * **What the server sets**: `uuid`, `version_id` (from 1), `create_time`, `update_time` and each
///   manual trigger's `create_time`; what a client sends there is ignored. `source` is no read-only
///   field and answers to create calls show `DEVICE_TASK_SOURCE_UNSPECIFIED`
///   ([facts](crate::facts#json)), so it stays what the client says. An empty `asset_group_uuid` becomes
///   a fixed group.
/// * **Runs** begin when the device takes the task up, which is at once for a device that is on. Until
///   then there is no run, and a device that is off until its trigger has expired never gets one.
///   `start_time` is the time of taking up in all states, as it is part of the run's identity. Runs
///   are listed in the order in which they were triggered.
/// * **Actions** are an open set, so any name is accepted, and params of any type with any values. A run of
///   what no device can understand fails: an action or a value that is not known, params of another action.
/// * **Deleting** a task takes back what has not started. Runs that have started go on to their end and
///   remain listed.
#[derive(Clone, Debug)]
pub(crate) struct DeviceTasksService(pub(crate) Core);

#[tonic::async_trait]
impl DeviceTasks for DeviceTasksService {
    async fn list_tasks(
        &self,
        request: Request<ListTasksRequest>,
    ) -> Result<Response<ListTasksResponse>, Status> {
        let ListTasksRequest { page_size, page_token } = request.into_inner();
        let list = Fingerprint::new().part("tasks");
        let page = Page::new(self.0.world.pages, list, page_size, &page_token)?;
        let (tasks, next_page_token) = self
            .0
            .store
            .read(move |transaction| {
                let Some(start) = page.start() else { return Ok(Default::default()) };
                let table = transaction.open_table(TASKS)?;
                page.take(table.range(start..)?.map(|entry| {
                    let (key, size, row) = decode::<TaskRow>(entry)?;
                    Ok((key, size, row.task.unwrap_or_default()))
                }))
            })
            .await?;
        Ok(Response::new(ListTasksResponse { tasks, next_page_token }))
    }

    async fn create_task(
        &self,
        request: Request<CreateTaskRequest>,
    ) -> Result<Response<CreateTaskResponse>, Status> {
        let task = request.into_inner().task;
        let task = task.ok_or_else(|| Failure::invalid("task", "must be set"))?;
        let task = self
            .0
            .write(move |tables, world| tasks::create(tables, world, world.now(), task))
            .await?;
        Ok(Response::new(CreateTaskResponse { task: Some(task) }))
    }

    async fn get_task(
        &self,
        request: Request<GetTaskRequest>,
    ) -> Result<Response<GetTaskResponse>, Status> {
        let uuid = request.into_inner().task_uuid;
        check::id("task_uuid", &uuid)?;
        let task = self
            .0
            .store
            .read(move |transaction| {
                let ids = transaction.open_table(TASK_IDS)?;
                let table = transaction.open_table(TASKS)?;
                let found: Option<TaskRow> = match ids.get(uuid.as_str())? {
                    Some(sequence) => row(&table, sequence.value())?,
                    None => None,
                };
                found.and_then(|row| row.task).ok_or_else(|| Failure::not_found(TASK, &uuid))
            })
            .await?;
        Ok(Response::new(GetTaskResponse { task: Some(task) }))
    }

    async fn delete_task(
        &self,
        request: Request<DeleteTaskRequest>,
    ) -> Result<Response<DeleteTaskResponse>, Status> {
        let uuid = request.into_inner().task_uuid;
        check::id("task_uuid", &uuid)?;
        self.0.write(move |tables, world| tasks::delete(tables, world.now(), &uuid)).await?;
        Ok(Response::new(DeleteTaskResponse {}))
    }

    async fn list_task_runs(
        &self,
        request: Request<ListTaskRunsRequest>,
    ) -> Result<Response<ListTaskRunsResponse>, Status> {
        let request = request.into_inner();
        check::id("task_uuid", &request.task_uuid)?;
        if !request.device_uuid.is_empty() {
            check::id("device_uuid", &request.device_uuid)?;
        }
        let list = Fingerprint::new()
            .part("runs")
            .part(&request.task_uuid)
            .part(&request.device_uuid)
            .part([u8::from(request.list_only_last_runs)]);
        let page = Page::new(self.0.world.pages, list, request.page_size, &request.page_token)?;
        let now = self.0.world.now();
        let (task_runs, next_page_token) = self
            .0
            .store
            .read(move |transaction| {
                let ids = transaction.open_table(TASK_IDS)?;
                // Tells also deleted tasks, whose runs remain.
                let Some(task) = ids.get(request.task_uuid.as_str())? else {
                    return Err(Failure::not_found(TASK, &request.task_uuid));
                };
                let task = task.value();
                let table = transaction.open_table(RUNS)?;
                let is_wanted = |run: &RunRow| {
                    run.has_started(now)
                        && (request.device_uuid.is_empty()
                            || run.device_uuid == request.device_uuid)
                };
                let last = if request.list_only_last_runs {
                    Some(last_runs(&table, task, is_wanted)?)
                } else {
                    None
                };
                let Some(start) = page.start() else { return Ok(Default::default()) };
                let mut runs = table.range((task, start)..=(task, u64::MAX))?;
                page.take(std::iter::from_fn(|| {
                    next_run(&mut runs, |key, run| {
                        is_wanted(run) && last.as_ref().is_none_or(|last| last.contains(&key))
                    })
                    .map(|run| {
                        let (key, size, run) = run?;
                        let run: DeviceTaskRun = run.at(&request.task_uuid, now);
                        Ok((key, size, run))
                    })
                }))
            })
            .await?;
        Ok(Response::new(ListTaskRunsResponse { task_runs, next_page_token }))
    }

    async fn update_task_targets(
        &self,
        request: Request<UpdateTaskTargetsRequest>,
    ) -> Result<Response<UpdateTaskTargetsResponse>, Status> {
        let request = request.into_inner();
        check::id("task_uuid", &request.task_uuid)?;
        self.0
            .write(move |tables, world| tasks::update_targets(tables, world, world.now(), request))
            .await?;
        Ok(Response::new(UpdateTaskTargetsResponse {}))
    }

    async fn update_task_triggers(
        &self,
        request: Request<UpdateTaskTriggersRequest>,
    ) -> Result<Response<UpdateTaskTriggersResponse>, Status> {
        let request = request.into_inner();
        check::id("task_uuid", &request.task_uuid)?;
        self.0
            .write(move |tables, world| {
                tasks::update_triggers(tables, world, world.now(), &request)
            })
            .await?;
        Ok(Response::new(UpdateTaskTriggersResponse {}))
    }
}

/// The keys of the last run on each device: the one with the latest start.
fn last_runs(
    table: &impl ReadableTable<(u64, u64), &'static [u8]>,
    task: u64,
    is_wanted: impl Fn(&RunRow) -> bool,
) -> Result<BTreeSet<u64>, Failure> {
    let mut last = BTreeMap::new();
    let mut runs = table.range((task, 0)..=(task, u64::MAX))?;
    while let Some(run) = next_run(&mut runs, |_, run| is_wanted(run)) {
        let (key, _, run) = run?;
        let start = run.start_time.unwrap_or_default();
        let latest = last.entry(run.device_uuid).or_insert((start, key));
        *latest = (start, key).max(*latest);
    }
    Ok(last.into_values().map(|(_, key)| key).collect())
}

/// The next run that is wanted, with its key and its size.
fn next_run(
    runs: &mut redb::Range<'_, (u64, u64), &'static [u8]>,
    is_wanted: impl Fn(u64, &RunRow) -> bool,
) -> Option<Result<(u64, usize, RunRow), Failure>> {
    let read = |entry: redb::Result<(redb::AccessGuard<'_, (u64, u64)>, _)>| {
        let (key, value): (_, redb::AccessGuard<'_, &'static [u8]>) = entry?;
        Ok((key.value().1, value.value().len(), RunRow::decode(value.value())?))
    };
    loop {
        match read(runs.next()?) {
            Ok((key, _, run)) if !is_wanted(key, &run) => {}
            found => return Some(found),
        }
    }
}
