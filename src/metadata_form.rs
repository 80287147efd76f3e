//! Which metadata gRPC can carry: `Custom-Metadata` in "PROTOCOL-HTTP2". HTTP allows more; gRPC's clients and servers
//! fail a call with such metadata.

use http::{HeaderMap, HeaderName, HeaderValue};

/// When a failed call may be retried, in milliseconds (gRFC A6).
pub(crate) const PUSHBACK: &str = "grpc-retry-pushback-ms";

/// Whether a name belongs to gRPC, or to the exchange of a pending response: no metadata of a call, in neither direction.
/// What a server says of retries concerns the call.
pub(crate) fn is_reserved(name: &str) -> bool {
    name == "response-id" || name.starts_with("grpc-") && name != PUSHBACK
}

/// Whether the values of a name are in base64.
pub(crate) fn is_binary(name: &HeaderName) -> bool {
    name.as_str().ends_with("-bin")
}

/// Whether all values in a list are in base64, with or without padding.
#[cfg(feature = "serve")]
pub(crate) fn is_base64_list(list: &HeaderValue) -> bool {
    list.as_bytes().split(|byte| *byte == b',').all(|value| is_base64(value.trim_ascii()))
}

/// Removes metadata that gRPC cannot carry, and splits lists of binary values, which few split who receive them.
pub(crate) fn retain_valid(headers: &mut HeaderMap) {
    if headers.iter().all(|(name, value)| is_valid(name, value)) {
        return;
    }
    let mut current = None;
    for (name, value) in std::mem::take(headers) {
        // The further values of a header come without its name.
        current = name.or(current);
        let Some(name) = &current else { continue };
        if is_valid(name, &value) {
            headers.append(name, value);
        } else if is_name(name) && is_binary(name) {
            let parts = value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
            for part in parts.filter(|part| is_base64(part)) {
                let Ok(mut part) = HeaderValue::from_bytes(part) else { continue };
                part.set_sensitive(value.is_sensitive());
                headers.append(name, part);
            }
        }
    }
}

fn is_valid(name: &HeaderName, value: &HeaderValue) -> bool {
    is_name(name)
        && if is_binary(name) { is_base64(value.as_bytes()) } else { is_text(value.as_bytes()) }
}

fn is_name(name: &HeaderName) -> bool {
    let is_allowed = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.');
    name.as_str().bytes().all(is_allowed)
}

/// Whether a value is text that gRPC can carry.
pub(crate) fn is_text(value: &[u8]) -> bool {
    // To the end: that needs no branch, and tokens are long.
    value.iter().fold(true, |is_text, byte| is_text & (0x20..=0x7e).contains(byte))
}

fn is_base64(value: &[u8]) -> bool {
    let bare = value.strip_suffix(b"=").unwrap_or(value);
    let bare = bare.strip_suffix(b"=").unwrap_or(bare);
    // Bits that are over count for nothing, as in gRPC's own decoders.
    bare.len() % 4 != 1
        && bare.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
}
