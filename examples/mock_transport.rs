//! Replaces the wire of a client with a mock, as the tests of a service that uses this crate may do.
//!
//!     cargo run --example mock_transport

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use eset_protect::auth::BoxFuture;
use eset_protect::automation::v1::{
    CreateTaskRequest, CreateTaskResponse, DeviceTask, GetTaskRequest, GetTaskResponse,
};
use eset_protect::transport::{Reply, Request, Transport};
use eset_protect::{Client, Error};
use prost::Message;
use tonic::Status;

/// Keeps tasks in memory. It is unavailable for the first attempt of each call, which the client tries again.
#[derive(Debug, Default)]
struct Mock {
    tasks: Mutex<BTreeMap<String, DeviceTask>>,
}

impl Mock {
    fn answer(&self, request: &Request<'_>) -> Result<Reply, Status> {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        match request.spec().method {
            "GetTask" if request.attempt() == 1 => Err(Status::unavailable("try again")),
            "GetTask" => {
                let GetTaskRequest { task_uuid } = decode(request)?;
                let task = tasks.get(&task_uuid).cloned();
                let task = task.ok_or_else(|| Status::not_found("there is no such task"))?;
                Ok(Reply::message(&GetTaskResponse { task: Some(task) }))
            }
            "CreateTask" => {
                let CreateTaskRequest { task } = decode(request)?;
                let uuid = format!("task-{}", tasks.len() + 1);
                let task = DeviceTask { uuid: uuid.clone(), ..task.unwrap_or_default() };
                tasks.insert(uuid, task.clone());
                Ok(Reply::message(&CreateTaskResponse { task: Some(task) }))
            }
            other => Err(Status::unimplemented(format!("the mock has no {other}"))),
        }
    }
}

fn decode<M: Message + Default>(request: &Request<'_>) -> Result<M, Status> {
    M::decode(request.protobuf()).map_err(|error| Status::internal(error.to_string()))
}

impl Transport for Mock {
    fn send<'a>(&'a self, request: Request<'a>) -> BoxFuture<'a, Result<Reply, Error>> {
        Box::pin(async move { self.answer(&request).map_err(Error::from) })
    }
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let client = Client::builder("http://mock").transport(Mock::default()).connect().await?;
    let tasks = client.device_tasks();
    let task = DeviceTask { display_name: "Scan".into(), ..Default::default() };
    let created = tasks.create_task(task).await?;
    let read = tasks.get_task(created.uuid.as_str()).await?;
    println!("{}: {}", read.uuid, read.display_name);
    let error = tasks.delete_task(created.uuid).await.expect_err("the mock cannot delete");
    println!("{error}");
    Ok(())
}
