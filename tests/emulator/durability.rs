//! Data directories: what they preserve, and what cannot be opened.

use std::path::Path;
use std::sync::{Arc, Mutex};

use eset_protect::automation::v1::device_tasks_client::DeviceTasksClient;
use eset_protect::automation::v1::{CreateTaskRequest, GetTaskRequest, ListTasksRequest};
use eset_protect::emulator::{Emulator, EmulatorError};
use eset_protect::policy_management::v2::policies_client::PoliciesClient;
use eset_protect::policy_management::v2::policy_assignments_client::PolicyAssignmentsClient;
use eset_protect::policy_management::v2::policy_target::Target;
use eset_protect::policy_management::v2::{
    AssignPolicyRequest, CreatePolicyRequest, ListPolicyAssignmentsRequest, Policy,
};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::child::Server;
use crate::fixture::*;
use crate::support::directory::Directory;

const ROUNDS: usize = 6;

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let directory = Directory::new();
    let new = directory.join("is/created");
    let mut fixture = fixture_with(|builder| builder.data_dir(&new)).await;
    let made = fixture.create(task("kept", &["a"])).await;
    let runs = fixture.runs(&made.uuid).await;
    let policy = fixture.policy(Policy::default()).await;
    let assigned = fixture.assign(&policy.uuid, Target::DeviceUuid("d".into())).await;
    fixture.running.shutdown().await;

    let mut fixture = fixture_with(|builder| builder.data_dir(&new)).await;
    let tasks = fixture.tasks.list_tasks(ListTasksRequest::default()).await.unwrap().into_inner();
    assert_eq!(tasks.tasks, std::slice::from_ref(&made));
    assert_eq!(fixture.runs(&made.uuid).await, runs);
    let request = ListPolicyAssignmentsRequest::default();
    let found = fixture.assignments.list_policy_assignments(request).await.unwrap().into_inner();
    assert_eq!(found.assignments, [assigned]);
    // The count continues: no identifier is used twice.
    assert_ne!(fixture.create(task("kept", &[])).await.uuid, made.uuid);
}

#[test]
fn a_seed_that_changes_nothing_says_what_is_there() {
    let directory = Directory::new();
    for (count, expected) in [(20, None), (20, None), (30, Some("20")), (14, Some("20"))] {
        let told = Arc::new(Mutex::new(Vec::new()));
        let notices = Arc::clone(&told);
        let builder = Emulator::builder().data_dir(&*directory).seed(true).seed_devices(count);
        let tell = move |notice: &str| notices.lock().unwrap().push(notice.to_owned());
        drop(builder.on_notice(tell).build().unwrap());
        let expected = expected.map(|devices| {
            format!("the data directory has data already and keeps its {devices} devices")
        });
        assert_eq!(*told.lock().unwrap(), expected.into_iter().collect::<Vec<_>>(), "{count}");
    }
}

#[tokio::test]
async fn a_directory_is_seeded_once_and_only_when_it_is_new() {
    let directory = Directory::new();
    let mut counts = Vec::new();
    for seed in [true, true, false] {
        let mut fixture = fixture_with(|builder| builder.data_dir(&*directory).seed(seed)).await;
        let request = ListTasksRequest { page_size: 1000, ..Default::default() };
        counts.push(fixture.tasks.list_tasks(request).await.unwrap().into_inner().tasks.len());
        fixture.running.shutdown().await;
    }
    assert!(counts[0] > 200 && counts.iter().all(|count| *count == counts[0]), "{counts:?}");

    let directory = Directory::new();
    let mut fixture = fixture_with(|builder| builder.data_dir(&*directory)).await;
    fixture.create(task("t", &[])).await;
    drop(fixture.running);
    let mut fixture = fixture_with(|builder| builder.data_dir(&*directory).seed(true)).await;
    let tasks = fixture.tasks.list_tasks(ListTasksRequest::default()).await.unwrap().into_inner();
    assert_eq!(tasks.tasks.len(), 1);
}

#[test]
fn a_directory_belongs_to_one_emulator() {
    let directory = Directory::new();
    let first = Emulator::builder().data_dir(&*directory).build().unwrap();
    let error = Emulator::builder().data_dir(&*directory).build().unwrap_err();
    assert!(matches!(error, EmulatorError::Locked { .. }), "{error}");
    drop(first);
    Emulator::builder().data_dir(&*directory).build().unwrap();
}

#[test]
fn what_cannot_be_opened_is_told_apart() {
    let open = |directory: &Path| Emulator::builder().data_dir(directory).build().unwrap_err();
    let directory = Directory::new();
    let file = directory.join("emulator.redb");

    std::fs::write(&file, b"this is no database".repeat(1000)).unwrap();
    let error = open(&directory);
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
    let error = open(&directory);
    assert!(matches!(error, EmulatorError::Corrupt { .. }), "{error:?}");

    std::fs::remove_file(&file).unwrap();
    drop(Emulator::builder().data_dir(&*directory).seed(true).build().unwrap());
    let sound = std::fs::read(&file).unwrap();
    std::fs::write(&file, &sound[..sound.len() / 2]).unwrap();
    let error = open(&directory);
    assert!(matches!(error, EmulatorError::Corrupt { .. }), "{error:?}");
    // Damages every page: there is never a panic, and damage never goes unnoticed.
    let mut damaged = sound.clone();
    damaged.iter_mut().skip(4096 + 100).step_by(512).for_each(|byte| *byte ^= 0x55);
    std::fs::write(&file, damaged).unwrap();
    let error = open(&directory);
    assert!(matches!(error, EmulatorError::Corrupt { .. }), "{error:?}");

    std::fs::write(&file, sound).unwrap();
    let database = redb::Database::open(&file).unwrap();
    let transaction = database.begin_write().unwrap();
    let meta: redb::TableDefinition<'_, &str, u64> = redb::TableDefinition::new("meta");
    transaction.open_table(meta).unwrap().insert("format", 5).unwrap();
    transaction.commit().unwrap();
    drop(database);
    let error = open(&directory);
    assert!(matches!(error, EmulatorError::Format { found: 5, supported: 4, .. }), "{error:?}");
}

#[tokio::test]
async fn a_file_in_which_nothing_was_stored_is_new() {
    // What `touch` creates, and what is left after a full disk or a power failure at the start.
    let sound = {
        let directory = Directory::new();
        drop(Emulator::builder().data_dir(&*directory).build().unwrap());
        std::fs::read(directory.join("emulator.redb")).unwrap()
    };
    let mut begun = vec![0; sound.len()];
    begun[9..64].copy_from_slice(&sound[9..64]);
    for bytes in [vec![], vec![0], vec![0; 5000], vec![0; 1 << 20], begun] {
        let directory = Directory::new();
        std::fs::write(directory.join("emulator.redb"), &bytes).unwrap();
        let mut fixture = fixture_with(|builder| builder.data_dir(&*directory)).await;
        let made = fixture.create(task("kept", &[])).await;
        fixture.running.shutdown().await;
        let mut fixture = fixture_with(|builder| builder.data_dir(&*directory)).await;
        let tasks = fixture.tasks.list_tasks(ListTasksRequest::default()).await.unwrap();
        assert_eq!(tasks.into_inner().tasks, [made]);
    }
    // If something was stored, it is damage.
    let directory = Directory::new();
    for at in [0, 8, 4096, sound.len() - 1] {
        let mut bytes = vec![0; sound.len()];
        bytes[at] = 1;
        std::fs::write(directory.join("emulator.redb"), &bytes).unwrap();
        let error = Emulator::builder().data_dir(&*directory).build().unwrap_err();
        assert!(matches!(error, EmulatorError::Corrupt { .. }), "{at}: {error:?}");
        assert_eq!(std::fs::read(directory.join("emulator.redb")).unwrap(), bytes);
    }
}

#[test]
fn a_directory_in_the_place_of_the_file_is_told() {
    let directory = Directory::new();
    std::fs::create_dir(directory.join("emulator.redb")).unwrap();
    let error = Emulator::builder().data_dir(&*directory).build().unwrap_err();
    assert!(matches!(error, EmulatorError::Open { .. }), "{error:?}");
    assert!(error.to_string().contains("emulator.redb"), "{error}");
}

#[tokio::test]
async fn every_acknowledged_write_survives_a_kill() {
    let directory = Directory::new();
    let mut acknowledged = Vec::new();
    let mut assigned = 0;
    for round in 0..ROUNDS {
        let mut server = Server::start(&directory);
        check(&server.endpoint, &acknowledged, assigned).await;

        // Several concurrent writers. The kill comes when enough changes are acknowledged, in the middle of
        // whatever they do.
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
    let server = Server::start(&directory);
    check(&server.endpoint, &acknowledged, assigned).await;
}

/// Checks that every task is as acknowledged, with its runs, and that there are at least this many
/// assignments, without gaps in their ranks.
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
