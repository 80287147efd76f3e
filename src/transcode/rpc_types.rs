//! The messages of an RPC by their types, for servers that answer or forward calls by encoded messages. Only the
//! functions of its types are compiled for each RPC.

use std::borrow::Cow;

use bytes::Bytes;

#[cfg(feature = "serve")]
use super::Encoded;
use super::binding::{self, Read, Transcoded};
use super::{Route, TranscodeError};
use crate::json::compact::Compact;
use crate::json::message::message_type;
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
        let fields = self.0.response.fields().unwrap_or_default();
        request.read_response(fields, &|parser| preserving::read(&self.0.response, parser), body)
    }

    /// Decodes an HTTP request, as [`Route::request`] does.
    #[cfg(feature = "emulator")]
    pub(crate) fn request(
        self,
        route: &Route,
        query: &str,
        body: &[u8],
    ) -> Result<Vec<u8>, TranscodeError> {
        self.decode(&self.0.request.read, route, query, body)
    }

    /// Does the same, and keeps members that the type does not have.
    #[cfg(feature = "serve")]
    pub(crate) fn whole_request(
        self,
        route: &Route,
        query: &str,
        body: &[u8],
    ) -> Result<Vec<u8>, TranscodeError> {
        self.decode(&|parser| preserving::read(&self.0.request, parser), route, query, body)
    }

    /// Decodes an HTTP request, with a function for its JSON.
    fn decode(
        self,
        read: Read<'_, Vec<u8>>,
        route: &Route,
        query: &str,
        body: &[u8],
    ) -> Result<Vec<u8>, TranscodeError> {
        let fields = self.0.request.fields().unwrap_or_default();
        binding::decode((fields, read, Ok), route.binding(), route.variables(), query, body)
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
