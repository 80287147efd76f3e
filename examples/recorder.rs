//! Puts a layer around the wire of a client that records every attempt: for audits, your own metrics, or tests that
//! replay what a server said.
//!
//!     cargo run --features emulator --example recorder
//!
//! Connects to its own emulator.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use eset_protect::auth::BoxFuture;
use eset_protect::automation::v1::ListTasksRequest;
use eset_protect::emulator::Emulator;
use eset_protect::transport::{Reply, Request, Transport};
use eset_protect::{Client, Error, code_name};
use tonic::Code;

/// One attempt: what was called, what came of it and how long it took.
type Record = String;

#[derive(Debug)]
struct Recorder {
    inner: Arc<dyn Transport>,
    records: Arc<Mutex<Vec<Record>>>,
}

impl Transport for Recorder {
    fn send<'a>(&'a self, request: Request<'a>) -> BoxFuture<'a, Result<Reply, Error>> {
        Box::pin(async move {
            let (rpc, attempt) = (request.spec().path, request.attempt());
            let (sent, started) = (request.protobuf().len(), Instant::now());
            let result = self.inner.send(request).await;
            let code = code_name(result.as_ref().map_or_else(Error::code, |_| Code::Ok));
            let received =
                result.as_ref().ok().and_then(Reply::bytes).map_or(0, |bytes| bytes.len());
            let record = format!(
                "{rpc} attempt {attempt}: {code}, {sent} bytes sent, {received} received, {:?}",
                started.elapsed()
            );
            self.records.lock().unwrap_or_else(PoisonError::into_inner).push(record);
            result
        })
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let emulator = Emulator::builder().seed(true).build()?.start().await?;
    let records: Arc<Mutex<Vec<Record>>> = Arc::default();
    let kept = records.clone();
    let client = Client::builder(&emulator.endpoint())
        .layer(move |inner| Recorder { inner, records: kept.clone() })
        .connect()
        .await?;
    let tasks = client.device_tasks();
    let page = tasks.list_tasks(ListTasksRequest::default()).await?;
    for task in page.tasks.into_iter().take(2) {
        tasks.get_task(task.uuid).await?;
    }
    tasks.get_task("11111111-1111-4111-8111-111111111111").await.expect_err("no such task");
    for record in records.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        println!("{record}");
    }
    emulator.shutdown().await;
    Ok(())
}
