//! gRPC server reflection: serves the descriptors of a server's services.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_core::Stream;
use futures_util::StreamExt;
use prost::{DecodeError, Message};
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto,
};
use tonic::{Code, Request, Response, Status, Streaming};
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_reflection::pb::v1::{
    ErrorResponse, ExtensionNumberResponse, FileDescriptorResponse, ListServiceResponse,
    ServerReflectionRequest, ServerReflectionResponse, ServiceResponse,
};
use tonic_reflection::pb::{v1, v1alpha};

/// The reflection service (`grpc.reflection.v1` and `grpc.reflection.v1alpha`), from which grpcurl, gateways
/// and other gRPC clients learn what a server offers.
///
/// As the [protocol](https://github.com/grpc/grpc/blob/master/doc/server-reflection.md) requires, a file is
/// returned together with all of its imports, the file itself first, byte for byte as compiled (including
/// options such as `google.api.http`). Missing items are answered within the stream by an `ErrorResponse`
/// with `NOT_FOUND`, and the stream continues.
///
/// ```
/// use eset_protect::proto::FILE_DESCRIPTOR_SET;
/// use eset_protect::server::Reflection;
///
/// # fn main() -> Result<(), prost::DecodeError> {
/// let reflection = Reflection::new([FILE_DESCRIPTOR_SET])?;
/// let (v1, v1alpha) = (reflection.v1(), reflection.v1alpha());
/// // Both are services for `tonic::service::Routes` or `tonic::transport::Server`.
/// # drop((v1, v1alpha));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Reflection(Arc<Index>);

/// The location of every symbol; numbers are indexes into `files`.
#[derive(Default)]
struct Index {
    files: Vec<File>,
    by_name: HashMap<String, usize>,
    by_symbol: HashMap<String, usize>,
    messages: BTreeSet<String>,
    /// By the extended message and the number.
    by_extension: BTreeMap<(String, i32), usize>,
    services: BTreeSet<String>,
}

struct File {
    /// The compiled bytes: a decoded file loses its custom options.
    encoded: Bytes,
    imports: Vec<String>,
}

/// A `google.protobuf.FileDescriptorSet` whose files are not decoded.
#[derive(Message)]
struct EncodedFiles {
    #[prost(bytes = "bytes", repeated, tag = "1")]
    file: Vec<Bytes>,
}

impl Reflection {
    /// Serves the files of encoded `google.protobuf.FileDescriptorSet`s, and reflection itself. Lists all
    /// services in them, so the sets should contain only services that the server offers. Of files with the
    /// same name the first counts. Imports that are in no set are omitted.
    ///
    /// # Errors
    ///
    /// Fails if a set does not decode.
    pub fn new<'a>(sets: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, DecodeError> {
        let mut index = Index::default();
        let own = [v1::FILE_DESCRIPTOR_SET, v1alpha::FILE_DESCRIPTOR_SET];
        for set in sets.into_iter().chain(own) {
            for encoded in EncodedFiles::decode(set)?.file {
                index.add(encoded)?;
            }
        }
        Ok(Self(Arc::new(index)))
    }

    /// Returns the service `grpc.reflection.v1.ServerReflection`.
    pub fn v1(&self) -> v1::server_reflection_server::ServerReflectionServer<Self> {
        v1::server_reflection_server::ServerReflectionServer::new(self.clone())
    }

    /// Returns the service `grpc.reflection.v1alpha.ServerReflection`, which older clients use.
    pub fn v1alpha(&self) -> v1alpha::server_reflection_server::ServerReflectionServer<Self> {
        v1alpha::server_reflection_server::ServerReflectionServer::new(self.clone())
    }
}

impl fmt::Debug for Reflection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reflection").field("services", &self.0.services).finish_non_exhaustive()
    }
}

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl v1::server_reflection_server::ServerReflection for Reflection {
    type ServerReflectionInfoStream = Answers<ServerReflectionResponse>;

    async fn server_reflection_info(
        &self,
        requests: Request<Streaming<ServerReflectionRequest>>,
    ) -> Result<Response<Self::ServerReflectionInfoStream>, Status> {
        let index = Arc::clone(&self.0);
        let answers = requests.into_inner().map(move |request| Ok(index.answer(request?)));
        Ok(Response::new(Box::pin(answers)))
    }
}

#[tonic::async_trait]
impl v1alpha::server_reflection_server::ServerReflection for Reflection {
    type ServerReflectionInfoStream = Answers<v1alpha::ServerReflectionResponse>;

    async fn server_reflection_info(
        &self,
        requests: Request<Streaming<v1alpha::ServerReflectionRequest>>,
    ) -> Result<Response<Self::ServerReflectionInfoStream>, Status> {
        let index = Arc::clone(&self.0);
        let answers = requests.into_inner().map(move |request| {
            // The messages of both versions are identical, byte for byte.
            let answer = index.answer(same_bytes(&request?)?);
            same_bytes(&answer)
        });
        Ok(Response::new(Box::pin(answers)))
    }
}

fn same_bytes<M: Message + Default>(message: &impl Message) -> Result<M, Status> {
    M::decode(message.encode_to_vec().as_slice())
        .map_err(|error| Status::internal(format!("the versions of reflection differ: {error}")))
}

impl Index {
    fn add(&mut self, encoded: Bytes) -> Result<(), DecodeError> {
        let file = FileDescriptorProto::decode(encoded.clone())?;
        if self.by_name.contains_key(file.name()) {
            return Ok(());
        }
        let place = self.files.len();
        self.by_name.insert(file.name().to_owned(), place);
        self.files.push(File { encoded, imports: file.dependency.clone() });
        let package = file.package();
        for message in &file.message_type {
            self.add_message(package, message, place);
        }
        for enumeration in &file.enum_type {
            self.add_enum(package, enumeration, place);
        }
        for extension in &file.extension {
            self.add_extension(package, extension, place);
        }
        for service in &file.service {
            let name = self.add_symbol(package, service.name(), place);
            for method in &service.method {
                self.add_symbol(&name, method.name(), place);
            }
            self.services.insert(name);
        }
        Ok(())
    }

    fn add_message(&mut self, scope: &str, message: &DescriptorProto, place: usize) {
        let name = self.add_symbol(scope, message.name(), place);
        for nested in &message.nested_type {
            self.add_message(&name, nested, place);
        }
        for enumeration in &message.enum_type {
            self.add_enum(&name, enumeration, place);
        }
        for extension in &message.extension {
            self.add_extension(&name, extension, place);
        }
        for field in &message.field {
            self.add_symbol(&name, field.name(), place);
        }
        for oneof in &message.oneof_decl {
            self.add_symbol(&name, oneof.name(), place);
        }
        self.messages.insert(name);
    }

    fn add_enum(&mut self, scope: &str, enumeration: &EnumDescriptorProto, place: usize) {
        self.add_symbol(scope, enumeration.name(), place);
        // According to descriptor.proto, enum values are siblings of their enum, not children.
        for value in &enumeration.value {
            self.add_symbol(scope, value.name(), place);
        }
    }

    fn add_extension(&mut self, scope: &str, extension: &FieldDescriptorProto, place: usize) {
        self.add_symbol(scope, extension.name(), place);
        let extendee = extension.extendee().trim_start_matches('.').to_owned();
        self.by_extension.insert((extendee, extension.number()), place);
    }

    fn add_symbol(&mut self, scope: &str, name: &str, place: usize) -> String {
        let name = if scope.is_empty() { name.to_owned() } else { format!("{scope}.{name}") };
        self.by_symbol.insert(name.clone(), place);
        name
    }

    fn answer(&self, request: ServerReflectionRequest) -> ServerReflectionResponse {
        let answered = match &request.message_request {
            Some(MessageRequest::FileByFilename(name)) => self
                .files(self.by_name.get(name))
                .ok_or_else(|| not_found(format!("there is no file `{name}`"))),
            Some(MessageRequest::FileContainingSymbol(symbol)) => self
                .files(self.by_symbol.get(symbol))
                .ok_or_else(|| not_found(format!("there is no symbol `{symbol}`"))),
            Some(MessageRequest::FileContainingExtension(wanted)) => {
                let (message, number) = (&wanted.containing_type, wanted.extension_number);
                self.files(self.by_extension.get(&(message.clone(), number))).ok_or_else(|| {
                    not_found(format!("there is no extension {number} of `{message}`"))
                })
            }
            Some(MessageRequest::AllExtensionNumbersOfType(message)) => self.extensions(message),
            Some(MessageRequest::ListServices(_)) => Ok(self.list()),
            None => Err(ErrorResponse {
                error_code: Code::InvalidArgument.into(),
                error_message: "message_request is not set".to_owned(),
            }),
        };
        ServerReflectionResponse {
            valid_host: request.host.clone(),
            original_request: Some(request),
            message_response: Some(answered.unwrap_or_else(MessageResponse::ErrorResponse)),
        }
    }

    /// Returns a file followed by all of its imports.
    fn files(&self, first: Option<&usize>) -> Option<MessageResponse> {
        let mut seen = BTreeSet::from([*first?]);
        let mut next = VecDeque::from([*first?]);
        let mut found = Vec::new();
        while let Some(file) = next.pop_front().and_then(|place| self.files.get(place)) {
            found.push(file.encoded.to_vec());
            let imports = file.imports.iter().filter_map(|name| self.by_name.get(name));
            next.extend(imports.copied().filter(|place| seen.insert(*place)));
        }
        let response = FileDescriptorResponse { file_descriptor_proto: found };
        Some(MessageResponse::FileDescriptorResponse(response))
    }

    fn extensions(&self, message: &str) -> Result<MessageResponse, ErrorResponse> {
        if !self.messages.contains(message) {
            return Err(not_found(format!("there is no message `{message}`")));
        }
        let every = (message.to_owned(), i32::MIN)..=(message.to_owned(), i32::MAX);
        let numbers = self.by_extension.range(every).map(|((_, number), _)| *number);
        Ok(MessageResponse::AllExtensionNumbersResponse(ExtensionNumberResponse {
            base_type_name: message.to_owned(),
            extension_number: numbers.collect(),
        }))
    }

    fn list(&self) -> MessageResponse {
        let services = self.services.iter().map(|name| ServiceResponse { name: name.clone() });
        MessageResponse::ListServicesResponse(ListServiceResponse { service: services.collect() })
    }
}

fn not_found(message: String) -> ErrorResponse {
    ErrorResponse { error_code: Code::NotFound.into(), error_message: message }
}
