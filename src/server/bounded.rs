//! Limits the metadata of a response, and errors over gRPC, to the size of headers that clients accept.
//!
//! A caller loses the code of a larger one: gRPC's C core calls a response with more than 16 KiB of headers
//! `RESOURCE_EXHAUSTED`, nginx answers with 502 if they exceed 4 KiB as HTTP/2 compresses them, and Node.js ends the
//! connection. gRPC suggests 8 KiB ("PROTOCOL-HTTP2"). Over HTTP/1, Node.js takes 16 KiB, aiohttp 8 KiB in a header, and
//! Python's own client 100 headers.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, HeaderValue, Response};
use prost::Message;
use tonic::Status;
use tonic::body::Body;
use tonic::metadata::MetadataMap;

use super::metadata::OURS;
use crate::metadata_form::{self, PUSHBACK};
use crate::proto::google::rpc::Status as Rich;

/// The size of everything in a failed response.
const STATUS: usize = 5 * 1024;
/// What of it is for metadata, even if the message and the details could use all.
const METADATA_OF_STATUS: usize = 1024;
/// The size of everything beside the message in a successful response.
const HEADERS: usize = 8 * 1024;
/// The size of one value in it.
const VALUE: usize = 4 * 1024;
/// The number of headers.
const MOST: usize = 64;
/// What is always there: `content-type`, `date`, and the names of the status and its parts.
const FIXED: usize = 320;

/// How a message ends that was cut.
const CUT: &str = "... [cut]";

/// Returns a failed response: its code and, as far as there is room, its message, details and metadata.
pub(crate) fn into_http(mut status: Status) -> Response<Body> {
    let room = STATUS - FIXED;
    let wanted = encoded(status.message()) + in_base64(status.details().len());
    let for_metadata = room.saturating_sub(wanted).max(METADATA_OF_STATUS);
    let metadata = status.metadata_mut().as_mut();
    metadata_form::retain_valid(metadata);
    let left = room - limit(metadata, for_metadata, METADATA_OF_STATUS);
    if wanted <= left {
        return status.into_http();
    }
    let rich = Some(status.details()).filter(|details| !details.is_empty());
    let rich = rich.and_then(|details| Rich::decode(details).ok());
    // The details repeat the message.
    let message = cut(status.message(), if rich.is_some() { left / 4 } else { left });
    let left = left.saturating_sub(encoded(&message));
    let details = rich.map(|rich| details(rich, &message, left)).unwrap_or_default();
    let message = message.into_owned();
    let metadata = std::mem::take(status.metadata_mut());
    Status::with_details_and_metadata(status.code(), message, details.into(), metadata).into_http()
}

/// Keeps the metadata of a successful response within the limits, without what gRPC cannot carry.
pub(super) fn limit_headers(metadata: &mut MetadataMap) {
    metadata_form::retain_valid(metadata.as_mut());
    limit_size(metadata);
}

/// Keeps the metadata of any response within these limits.
pub(crate) fn limit_size(metadata: &mut MetadataMap) {
    limit(metadata.as_mut(), HEADERS - FIXED, VALUE);
}

/// Removes values that are too large, then the largest ones until the others have room. Returns the size of these.
fn limit(headers: &mut HeaderMap, room: usize, most: usize) -> usize {
    let mut total = headers.iter().map(|(name, value)| size(name, value)).sum();
    let has_room = |total, count| total <= room && count <= MOST;
    if has_room(total, headers.len()) && headers.values().all(|value| value.len() <= most) {
        return total;
    }
    let all = headers.iter().filter(|(_, value)| value.len() <= most);
    let mut kept: Vec<_> = all.map(|(name, value)| (name.clone(), value.clone())).collect();
    total = kept.iter().map(|(name, value)| size(name, value)).sum();
    // The marks of this server go last.
    let rank = |(name, value): &(HeaderName, HeaderValue)| match name.as_str() {
        PUSHBACK => 0,
        name if name.starts_with(OURS) => 0,
        _ => size(name, value),
    };
    while !has_room(total, kept.len())
        && let Some(largest) = (0..kept.len()).max_by_key(|at| kept.get(*at).map(rank))
    {
        let (name, value) = kept.remove(largest);
        total -= size(&name, &value);
    }
    headers.clear();
    for (name, value) in kept {
        headers.append(name, value);
    }
    total
}

/// The size of a header as HTTP/2 counts it (RFC 9113, 6.5.2).
fn size(name: &HeaderName, value: &HeaderValue) -> usize {
    name.as_str().len() + value.len() + 32
}

/// The size of a text in `grpc-message`, which is percent-encoded.
fn encoded(text: &str) -> usize {
    text.bytes().map(encoded_byte).sum()
}

fn encoded_byte(byte: u8) -> usize {
    let is_plain = byte.is_ascii_graphic()
        && !matches!(byte, b'"' | b'#' | b'%' | b'<' | b'>' | b'?' | b'`' | b'{' | b'}');
    if is_plain { 1 } else { 3 }
}

fn in_base64(length: usize) -> usize {
    length.saturating_mul(4).div_ceil(3)
}

/// Cuts a text at a character, so that it has at most this size encoded.
fn cut(text: &str, room: usize) -> Cow<'_, str> {
    if encoded(text) <= room {
        return text.into();
    }
    let mut left = room.saturating_sub(encoded(CUT));
    let end = text.char_indices().find(|(_, one)| {
        let size = one.encode_utf8(&mut [0; 4]).bytes().map(encoded_byte).sum();
        let after = left.checked_sub(size);
        left = after.unwrap_or(0);
        after.is_none()
    });
    let kept = end.and_then(|(at, _)| text.get(..at)).unwrap_or(text);
    [kept, CUT].concat().into()
}

/// Returns those details that have room in base64, with the message as the response has it: clients compare them.
fn details(mut rich: Rich, message: &str, room: usize) -> Vec<u8> {
    let details = std::mem::take(&mut rich.details);
    rich.message = message.to_owned();
    let mut left = (room / 4 * 3).saturating_sub(rich.encoded_len());
    for detail in details {
        // A tag and a length.
        let size = detail.encoded_len() + 6;
        if let Some(after) = left.checked_sub(size) {
            left = after;
            rich.details.push(detail);
        }
    }
    if rich.details.is_empty() { Vec::new() } else { rich.encode_to_vec() }
}
