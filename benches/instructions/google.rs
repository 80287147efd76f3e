//! A get by Google's `grpc`, with messages of prost: its own code generator writes messages for Google's `protobuf`.

use bytes::{Buf, Bytes};
use eset_protect::automation::v1::{GetTaskRequest, GetTaskResponse};
use grpc::client::{
    CallOptions, Channel, ChannelOptions, Invoke, RecvStream, ResponseStreamItem, SendOptions,
    SendStream,
};
use grpc::core::{RecvMessage, RequestHeaders, SendMessage};
use grpc::credentials::LocalChannelCredentials;
use prost::Message;

struct Request(GetTaskRequest);

impl SendMessage for Request {
    fn encode(&self) -> Result<Box<dyn Buf + Send + Sync>, String> {
        Ok(Box::new(Bytes::from(self.0.encode_to_vec())))
    }
}

#[derive(Default)]
struct Response(GetTaskResponse);

impl RecvMessage for Response {
    fn decode(&mut self, data: &mut dyn Buf) -> Result<(), String> {
        self.0.merge(data).map_err(|error| error.to_string())
    }
}

pub fn connect(endpoint: &str) -> Channel {
    let target = endpoint.replace("http://", "dns:///");
    Channel::new(target, LocalChannelCredentials::new_arc(), ChannelOptions::default())
}

pub async fn get_task(channel: &Channel, uuid: &str) -> GetTaskResponse {
    let method = "/eset.dotnod.automation.v1.DeviceTasks/GetTask";
    let headers = RequestHeaders::new().with_method_name(method);
    let (mut sender, mut receiver) = channel.invoke(headers, CallOptions::new()).await;
    let request = Request(GetTaskRequest { task_uuid: uuid.to_owned() });
    let options = SendOptions::new().with_final_msg(true);
    sender.send(&request, options).await.expect("an open stream");
    let mut response = Response::default();
    loop {
        match receiver.recv(&mut response).await {
            ResponseStreamItem::Headers(_) | ResponseStreamItem::Message => {}
            ResponseStreamItem::Trailers(trailers) => {
                trailers.into_status().expect("a task");
                return response.0;
            }
            ResponseStreamItem::StreamClosed => panic!("expected trailers, found the end"),
        }
    }
}
