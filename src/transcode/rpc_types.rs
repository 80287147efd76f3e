//! The messages of an RPC by their types, for servers that answer or forward calls by encoded messages. Only the
//! functions of its types are compiled for each RPC.

use std::borrow::Cow;

use bytes::Bytes;
use prost::DecodeError;

#[cfg(feature = "serve")]
use super::Encoded;
use super::binding::{self, Target, Transcoded};
use super::{Route, TranscodeError};
use crate::json::compact::Compact;
use crate::json::message::message_type;
use crate::json::parser::Parser;
use crate::json::schema::{Field, MessageType};
#[cfg(feature = "serve")]
use crate::rpc::HttpBinding;
use crate::rpc::{Rpc, RpcVisitor};
use crate::wkt::preserving;

/// The types of the request and response of an RPC.
#[derive(Clone, Copy)]
pub(crate) struct RpcTypes(&'static Types);

struct Types {
    request: MessageType,
    response: MessageType,
}

/// Finds the types of an RPC by its path, as a visitor.
pub(crate) struct FindTypes;

impl RpcVisitor for FindTypes {
    type Output = RpcTypes;

    fn rpc<R: Rpc>(self) -> RpcTypes {
        RpcTypes(
            const {
                &Types {
                    request: message_type::<R::Request>(),
                    response: message_type::<R::Response>(),
                }
            },
        )
    }
}

impl RpcTypes {
    /// Encodes a request as HTTP, with one of these bindings, as [`Encoded::request`] does.
    #[cfg(feature = "serve")]
    pub(crate) fn to_http(
        self,
        request: &Bytes,
        bindings: &'static [HttpBinding],
    ) -> Result<Encoded, TranscodeError> {
        Encoded::of(&EncodedMessage(&self.0.request, request), bindings)
    }

    /// Whether the response has a member of this name.
    #[cfg(feature = "serve")]
    pub(crate) fn has_member(self, name: &str) -> bool {
        let fields = self.0.response.fields().unwrap_or_default();
        fields.iter().any(|field| field.is_called(name))
    }

    /// Decodes the response to such a request, as [`Encoded::response`] does. It keeps members that the type does
    /// not have.
    #[cfg(feature = "serve")]
    pub(crate) fn of_http(self, request: &Encoded, body: &[u8]) -> Result<Vec<u8>, TranscodeError> {
        let mut response = EncodedTarget::new(&self.0.response, preserving::read);
        request.read_response(&mut response, body)?;
        Ok(response.bytes)
    }

    /// Decodes an HTTP request, as [`Route::request`] does.
    #[cfg(feature = "emulator")]
    pub(crate) fn request(
        self,
        route: &Route,
        query: &str,
        body: &[u8],
    ) -> Result<Vec<u8>, TranscodeError> {
        self.decode(|request, parser| (request.read)(parser), route, query, body)
    }

    /// Does the same, and keeps members that the type does not have.
    #[cfg(feature = "serve")]
    pub(crate) fn whole_request(
        self,
        route: &Route,
        query: &str,
        body: &[u8],
    ) -> Result<Vec<u8>, TranscodeError> {
        self.decode(preserving::read, route, query, body)
    }

    /// Decodes an HTTP request, with a function for its JSON.
    fn decode(
        self,
        read: ReadEncoded,
        route: &Route,
        query: &str,
        body: &[u8],
    ) -> Result<Vec<u8>, TranscodeError> {
        let mut request = EncodedTarget::new(&self.0.request, read);
        binding::decode(&mut request, route.binding(), route.variables(), query, body)?;
        Ok(request.bytes)
    }

    /// Encodes the body of the response, as [`Route::response`] does.
    pub(crate) fn response(
        self,
        route: &Route,
        response: &Bytes,
    ) -> Result<Vec<u8>, TranscodeError> {
        binding::encode_response(route.binding(), &EncodedMessage(&self.0.response, response))
    }
}

/// Encodes a message of a type from its JSON.
type ReadEncoded = fn(&MessageType, &mut Parser<'_>) -> serde_json::Result<Vec<u8>>;

/// A message that is encoded as it is read.
struct EncodedTarget {
    message_type: &'static MessageType,
    read: ReadEncoded,
    bytes: Vec<u8>,
}

impl EncodedTarget {
    fn new(message_type: &'static MessageType, read: ReadEncoded) -> Self {
        Self { message_type, read, bytes: Vec::new() }
    }
}

impl Target for EncodedTarget {
    fn fields(&self) -> &'static [Field] {
        self.message_type.fields().unwrap_or_default()
    }

    fn clear(&mut self) {
        self.bytes.clear();
    }

    fn read(&mut self, parser: &mut Parser<'_>) -> serde_json::Result<()> {
        self.bytes = (self.read)(self.message_type, parser)?;
        Ok(())
    }

    fn decode(&mut self, bytes: Vec<u8>) -> Result<(), DecodeError> {
        self.bytes = bytes;
        Ok(())
    }
}

/// An encoded message with its type.
struct EncodedMessage<'a>(&'static MessageType, &'a Bytes);

impl Transcoded for EncodedMessage<'_> {
    fn fields(&self) -> &'static [Field] {
        self.0.fields().unwrap_or_default()
    }

    fn bytes(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(self.1)
    }

    fn json(&self) -> Result<Vec<u8>, TranscodeError> {
        let text = Compact::text(|json| preserving::write(self.0, self.1, json));
        text.map(String::into_bytes).map_err(|error| TranscodeError::json(&error))
    }
}
