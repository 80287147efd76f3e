//! Responds to the requests of the suite.

use std::io::{self, ErrorKind, Read, Write};

use eset_protect::protojson::{Reader, Writer};
use eset_protect::wkt::TypeRegistry;
use prost::Message;

use proto::conformance::conformance_request::Payload;
use proto::conformance::conformance_response::Result as Outcome;
use proto::conformance::{
    ConformanceRequest, ConformanceResponse, FailureSet, TestCategory, WireFormat,
};
use proto::protobuf_test_messages::proto3::TestAllTypesProto3;

/// The messages.
pub mod proto {
    include!(concat!(env!("OUT_DIR"), "/proto.rs"));
}

/// The types for a `TypeRegistry`.
pub mod types {
    include!(concat!(env!("OUT_DIR"), "/types.rs"));
}

/// Responds to requests until there are no more. Each message is preceded by its length in four bytes.
pub fn serve(mut requests: impl Read, mut responses: impl Write) -> io::Result<()> {
    let mut length = [0; 4];
    loop {
        match requests.read_exact(&mut length) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(()),
            read => read?,
        }
        let mut request = vec![0; u32::from_le_bytes(length) as usize];
        requests.read_exact(&mut request)?;
        let outcome = match ConformanceRequest::decode(request.as_slice()) {
            Ok(request) => answer(request),
            Err(error) => Outcome::RuntimeError(format!("not a request: {error}")),
        };
        let response = ConformanceResponse { result: Some(outcome) }.encode_to_vec();
        let length = u32::try_from(response.len()).map_err(io::Error::other)?;
        responses.write_all(&length.to_le_bytes())?;
        responses.write_all(&response)?;
        responses.flush()?;
    }
}

fn answer(request: ConformanceRequest) -> Outcome {
    match request.message_type.as_str() {
        // The suite first asks for known failures; the file of expected failures lists them.
        "conformance.FailureSet" => {
            Outcome::ProtobufPayload(FailureSet::default().encode_to_vec().into())
        }
        "protobuf_test_messages.proto3.TestAllTypesProto3" => echo(request),
        other => Outcome::Skipped(format!("{other} is not proto3")),
    }
}

fn echo(request: ConformanceRequest) -> Outcome {
    let registry = types::register(TypeRegistry::default());
    let lenient = request.test_category() == TestCategory::JsonIgnoreUnknownParsingTest;
    let message = match &request.payload {
        Some(Payload::ProtobufPayload(bytes)) => {
            TestAllTypesProto3::decode(bytes.clone()).map_err(|error| error.to_string())
        }
        Some(Payload::JsonPayload(json)) => {
            let reader = Reader::new().strict(!lenient).registry(registry.clone());
            reader.read(json.as_bytes()).map_err(|error| error.to_string())
        }
        _ => return Outcome::Skipped("neither binary nor JSON".to_owned()),
    };
    let message: TestAllTypesProto3 = match message {
        Ok(message) => message,
        Err(error) => return Outcome::ParseError(error),
    };
    match request.requested_output_format() {
        WireFormat::Protobuf => Outcome::ProtobufPayload(message.encode_to_vec().into()),
        WireFormat::Json => {
            let json = Writer::new().strict(true).registry(registry).write(&message);
            let text = json.map_err(|error| error.to_string()).and_then(|json| {
                String::from_utf8(json).map_err(|error| format!("not UTF-8: {error}"))
            });
            text.map_or_else(Outcome::SerializeError, Outcome::JsonPayload)
        }
        _ => Outcome::Skipped("neither binary nor JSON".to_owned()),
    }
}
