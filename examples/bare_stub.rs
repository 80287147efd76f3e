//! Uses tonic's generated stub directly, with an interceptor and none of this crate's client features.
//!
//!     cargo run --features emulator --example bare_stub

use eset_protect::automation::v1::ListTasksRequest;
use eset_protect::automation::v1::device_tasks_client::DeviceTasksClient;
use eset_protect::emulator::Emulator;
use tonic::transport::Endpoint;
use tonic::{Request, Status};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let emulator = Emulator::builder().seed(true).build()?.start().await?;
    let channel = Endpoint::from_shared(emulator.endpoint())?.connect().await?;
    let mut stub = DeviceTasksClient::with_interceptor(channel, |mut request: Request<()>| {
        request.metadata_mut().insert(
            "x-tenant",
            "one".parse().map_err(|_| Status::internal("the tenant is not ASCII"))?,
        );
        Ok(request)
    });
    let answer = stub.list_tasks(ListTasksRequest { page_size: 3, ..Default::default() }).await?;
    for task in answer.into_inner().tasks {
        println!("{}", task.display_name);
    }
    emulator.shutdown().await;
    Ok(())
}
