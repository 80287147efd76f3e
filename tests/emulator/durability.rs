//! Data directories: what they keep, and what cannot be opened.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use eset_protect::automation::v1::device_tasks_client::DeviceTasksClient;
use eset_protect::automation::v1::{CreateTaskRequest, GetTaskRequest, ListTasksRequest};
use eset_protect::emulator::{Emulator, EmulatorError, ManualClock};
use eset_protect::policy_management::v2::policies_client::PoliciesClient;
use eset_protect::policy_management::v2::policy_assignments_client::PolicyAssignmentsClient;
use eset_protect::policy_management::v2::policy_target::Target;
use eset_protect::policy_management::v2::{
    AssignPolicyRequest, CreatePolicyRequest, ListPolicyAssignmentsRequest, Policy,
};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::support::*;

/// Tells the test binary to be a server on this directory.
const DIRECTORY: &str = "ESET_PROTECT_TEST_EMULATOR_DIRECTORY";
const ROUNDS: usize = 6;

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let directory = Directory::new();
    let mut world = world_with(|builder| builder.data_dir(&directory.0)).await;
    let made = world.create(task("kept", &["a"])).await;
    let runs = world.runs(&made.uuid).await;
    let policy = world.policy(Policy::default()).await;
    let assigned = world.assign(&policy.uuid, Target::DeviceUuid("d".into())).await;
    world.running.shutdown().await;

    let mut world = world_with(|builder| builder.data_dir(&directory.0)).await;
    let tasks = world.tasks.list_tasks(ListTasksRequest::default()).await.unwrap().into_inner();
    assert_eq!(tasks.tasks, std::slice::from_ref(&made));
    assert_eq!(world.runs(&made.uuid).await, runs);
    let request = ListPolicyAssignmentsRequest::default();
    let found = world.assignments.list_policy_assignments(request).await.unwrap().into_inner();
    assert_eq!(found.assignments, [assigned]);
    // Counting goes on where it was: no identifier comes twice.
    assert_ne!(world.create(task("kept", &[])).await.uuid, made.uuid);
}

#[tokio::test]
async fn a_directory_is_seeded_once_and_only_when_it_is_new() {
    let directory = Directory::new();
    let mut counts = Vec::new();
    for seed in [true, true, false] {
        let mut world = world_with(|builder| builder.data_dir(&directory.0).seed(seed)).await;
        let request = ListTasksRequest { page_size: 1000, ..Default::default() };
        counts.push(world.tasks.list_tasks(request).await.unwrap().into_inner().tasks.len());
        world.running.shutdown().await;
    }
    assert!(counts[0] > 200 && counts.iter().all(|count| *count == counts[0]), "{counts:?}");

    let directory = Directory::new();
    let mut world = world_with(|builder| builder.data_dir(&directory.0)).await;
    world.create(task("t", &[])).await;
    drop(world.running);
    let mut world = world_with(|builder| builder.data_dir(&directory.0).seed(true)).await;
    let tasks = world.tasks.list_tasks(ListTasksRequest::default()).await.unwrap().into_inner();
    assert_eq!(tasks.tasks.len(), 1);
}

#[test]
fn a_directory_belongs_to_one_emulator() {
    let directory = Directory::new();
    let first = Emulator::builder().data_dir(&directory.0).build().unwrap();
    let error = Emulator::builder().data_dir(&directory.0).build().unwrap_err();
    assert!(matches!(error, EmulatorError::Locked { .. }), "{error}");
    drop(first);
    Emulator::builder().data_dir(&directory.0).build().unwrap();
}

#[test]
fn what_cannot_be_opened_is_told_apart() {
    let open = |directory: &Path| Emulator::builder().data_dir(directory).build().unwrap_err();
    let directory = Directory::new();
    std::fs::create_dir_all(&directory.0).unwrap();
    let file = directory.0.join("emulator.redb");

    std::fs::write(&file, b"this is no database".repeat(1000)).unwrap();
    let error = open(&directory.0);
    assert!(matches!(error, EmulatorError::Corrupt { .. }), "{error:?}");
    assert!(error.to_string().contains("emulator.redb"), "{error}");
    let error = open(&file);
    assert!(matches!(error, EmulatorError::Open { .. }), "{error:?}");

    std::fs::remove_file(&file).unwrap();
    let database = redb::Database::create(&file).unwrap();
    let transaction = database.begin_write().unwrap();
    let table: redb::TableDefinition<'_, &str, u64> = redb::TableDefinition::new("other");
    transaction.open_table(table).unwrap().insert("a", 1).unwrap();
    transaction.commit().unwrap();
    drop(database);
    let error = open(&directory.0);
    assert!(matches!(error, EmulatorError::Corrupt { .. }), "{error:?}");

    std::fs::remove_file(&file).unwrap();
    drop(Emulator::builder().data_dir(&directory.0).seed(true).build().unwrap());
    let sound = std::fs::read(&file).unwrap();
    std::fs::write(&file, &sound[..sound.len() / 2]).unwrap();
    let error = open(&directory.0);
    assert!(matches!(error, EmulatorError::Corrupt { .. }), "{error:?}");
    // Every page is damaged somewhere: never a panic, never silence.
    let mut damaged = sound.clone();
    damaged.iter_mut().skip(4096 + 100).step_by(512).for_each(|byte| *byte ^= 0x55);
    std::fs::write(&file, damaged).unwrap();
    let error = open(&directory.0);
    assert!(matches!(error, EmulatorError::Corrupt { .. }), "{error:?}");

    std::fs::write(&file, sound).unwrap();
    let database = redb::Database::open(&file).unwrap();
    let transaction = database.begin_write().unwrap();
    let meta: redb::TableDefinition<'_, &str, u64> = redb::TableDefinition::new("meta");
    transaction.open_table(meta).unwrap().insert("format", 2).unwrap();
    transaction.commit().unwrap();
    drop(database);
    let error = open(&directory.0);
    assert!(
        matches!(error, EmulatorError::NewerFormat { found: 2, supported: 1, .. }),
        "{error:?}"
    );
}

/// Not a test of its own: the server of [`every_acknowledged_write_survives_a_kill`].
#[tokio::test]
async fn server_to_be_killed() {
    let Some(directory) = std::env::var_os(DIRECTORY) else { return };
    let running = Emulator::builder()
        .data_dir(PathBuf::from(directory))
        .clock(ManualClock::default())
        .build()
        .unwrap()
        .start()
        .await
        .unwrap();
    println!("endpoint={}", running.endpoint());
    std::io::stdout().flush().unwrap();
    // The end of its input is the end of the process that it works for, which mostly kills it before.
    let read = || std::io::stdin().read_to_end(&mut Vec::new());
    tokio::task::spawn_blocking(read).await.unwrap().unwrap();
}

#[tokio::test]
async fn every_acknowledged_write_survives_a_kill() {
    let directory = Directory::new();
    let mut acknowledged = Vec::new();
    let mut assigned = 0;
    for round in 0..ROUNDS {
        let mut server = Server::start(&directory.0);
        check(&server.endpoint, &acknowledged, assigned).await;

        // Several writers at once; the kill comes when enough is acknowledged, between whatever they
        // are doing then.
        let channel = channel(&server.endpoint).await;
        let written = Arc::new(Mutex::new(Vec::new()));
        let (more, enough) = (Arc::new(Notify::new()), 10 + 7 * round);
        let mut writers = JoinSet::new();
        for writer in 0..4 {
            let mut tasks = DeviceTasksClient::new(channel.clone());
            let (written, more) = (Arc::clone(&written), Arc::clone(&more));
            writers.spawn(async move {
                for n in 0.. {
                    let made = task(&format!("{round} {writer} {n}"), &["a", "b"]);
                    let request = CreateTaskRequest { task: Some(made) };
                    let Ok(reply) = tasks.create_task(request).await else { return };
                    written.lock().unwrap().push(reply.into_inner().task.unwrap());
                    more.notify_one();
                }
            });
        }
        // Rows in several tables: a policy and its assignments.
        let mut policies = PoliciesClient::new(channel.clone());
        let mut assignments = PolicyAssignmentsClient::new(channel);
        let ranks = Arc::new(Mutex::new(assigned));
        let last_rank = Arc::clone(&ranks);
        writers.spawn(async move {
            let request = CreatePolicyRequest { policy: Some(Policy::default()) };
            let Ok(reply) = policies.create_policy(request).await else { return };
            let policy = reply.into_inner().policy.unwrap().uuid;
            loop {
                let assignment = assignment(&policy, Target::DeviceUuid("d".into()));
                let request = AssignPolicyRequest { assignment: Some(assignment) };
                let Ok(reply) = assignments.assign_policy(request).await else { return };
                *last_rank.lock().unwrap() = reply.into_inner().assignment.unwrap().rank;
            }
        });
        while written.lock().unwrap().len() < enough {
            more.notified().await;
        }
        server.kill();
        while writers.join_next().await.is_some() {}
        acknowledged.append(&mut written.lock().unwrap());
        assigned = *ranks.lock().unwrap();
    }
    let server = Server::start(&directory.0);
    check(&server.endpoint, &acknowledged, assigned).await;
}

/// Whether every task is there as it was acknowledged, with its runs, and so many assignments or some
/// more, without gaps in their ranks.
async fn check(
    endpoint: &str,
    acknowledged: &[eset_protect::automation::v1::DeviceTask],
    assigned: u32,
) {
    let channel = channel(endpoint).await;
    let mut tasks = DeviceTasksClient::new(channel.clone());
    for task in acknowledged {
        let request = GetTaskRequest { task_uuid: task.uuid.clone() };
        let found = tasks.get_task(request).await.unwrap().into_inner().task.unwrap();
        assert_eq!(found, *task);
        let request = eset_protect::automation::v1::ListTaskRunsRequest {
            task_uuid: task.uuid.clone(),
            ..Default::default()
        };
        assert_eq!(tasks.list_task_runs(request).await.unwrap().into_inner().task_runs.len(), 2);
    }
    let request = ListPolicyAssignmentsRequest { page_size: 1000, ..Default::default() };
    let mut assignments = PolicyAssignmentsClient::new(channel);
    let found = assignments.list_policy_assignments(request).await.unwrap().into_inner();
    assert!(found.assignments.len() >= assigned as usize);
    assert!(found.assignments.iter().zip(1..).all(|(found, rank)| found.rank == rank));
}

/// A server in a process of its own: this binary again. Killed when it is dropped.
struct Server {
    process: Child,
    endpoint: String,
}

impl Server {
    fn start(directory: &Path) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["durability::server_to_be_killed", "--exact", "--nocapture", "--test-threads=1"])
            .env(DIRECTORY, directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let endpoint = lines
            .map_while(Result::ok)
            .find_map(|line| line.split_once("endpoint=").map(|(_, endpoint)| endpoint.to_owned()));
        let endpoint = endpoint.expect("the server has no endpoint");
        Self { process, endpoint }
    }

    /// SIGKILL.
    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A directory of this test, removed in the end.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name =
            format!("emulator-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        Self(Path::new(env!("CARGO_TARGET_TMPDIR")).join(name))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
