//! Messages of gRPC in the frames of HTTP bodies ("PROTOCOL-HTTP2").

use std::fmt;

use bytes::{Bytes, BytesMut};
use http::HeaderName;

/// Before a message is a flag, whether it is compressed, and its length in four bytes.
pub(crate) const PREFIX: usize = 5;

/// The largest message that is read or written, uncompressed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MessageLimit {
    pub(crate) bytes: usize,
    /// The setting of the limit, for errors.
    pub(crate) setting: Option<&'static str>,
}

impl Default for MessageLimit {
    fn default() -> Self {
        Self { bytes: 16 * 1024 * 1024, setting: None }
    }
}

#[cfg(feature = "server")]
impl From<usize> for MessageLimit {
    fn from(bytes: usize) -> Self {
        Self { bytes, setting: None }
    }
}

impl fmt::Display for MessageLimit {
    /// `{:#}` has the advice for a response, too.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the limit is {} bytes", self.bytes)?;
        let Some(setting) = self.setting else { return Ok(()) };
        let pages = if f.alternate() { ", or ask for smaller pages" } else { "" };
        write!(f, ": raise it with {setting}{pages}")
    }
}

/// Appends the data of a frame to what was received before.
pub(crate) fn append(received: &mut Bytes, data: Bytes) {
    if received.is_empty() {
        // Mostly it comes whole, and nothing is copied.
        *received = data;
    } else {
        let before = std::mem::take(received);
        let mut joined = before.try_into_mut().unwrap_or_else(|part| BytesMut::from(&*part));
        joined.extend_from_slice(&data);
        *received = joined.freeze();
    }
}

/// Writes the flag and the length of a message after room for them.
pub(crate) fn seal(frame: &mut [u8], is_compressed: bool) {
    // A longer message is over every limit, and is not sent.
    let length = u32::try_from(frame.len().saturating_sub(PREFIX)).unwrap_or(u32::MAX);
    let [a, b, c, d] = length.to_be_bytes();
    if let Some(prefix) = frame.first_chunk_mut::<PREFIX>() {
        *prefix = [is_compressed.into(), a, b, c, d];
    }
}

/// Which of the metadata of a response came as trailers, in its extensions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trailers(pub(crate) Vec<HeaderName>);

/// The one message of one direction of a unary call, as far as it has come.
pub(crate) struct OneMessage {
    limit: usize,
    received: Bytes,
}

/// What is wrong with a message.
pub(crate) enum Malformed {
    TooLarge(usize),
    UnknownFlag,
    Several,
}

impl OneMessage {
    /// Begins a message of at most this size.
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, received: Bytes::new() }
    }

    /// Adds the data of a frame.
    pub(crate) fn push(&mut self, data: Bytes) -> Result<(), Malformed> {
        append(&mut self.received, data);
        if self.received.first().is_some_and(|flag| *flag > 1) {
            return Err(Malformed::UnknownFlag);
        }
        match self.length() {
            Some(length) if length > self.limit => Err(Malformed::TooLarge(length)),
            Some(length) if self.received.len() - PREFIX > length => Err(Malformed::Several),
            _ => Ok(()),
        }
    }

    pub(crate) fn is_compressed(&self) -> bool {
        self.received.first() == Some(&1)
    }

    /// Returns the length of the message, once that is known.
    fn length(&self) -> Option<usize> {
        let length: [u8; 4] = self.received.get(1..PREFIX)?.try_into().ok()?;
        usize::try_from(u32::from_be_bytes(length)).ok()
    }

    /// Returns the message, or if it is not whole, how many bytes of its frame have come.
    pub(crate) fn finish(mut self) -> Result<Bytes, usize> {
        match self.length() {
            Some(length) if self.received.len() - PREFIX == length => {
                Ok(self.received.split_off(PREFIX))
            }
            _ => Err(self.received.len()),
        }
    }
}
