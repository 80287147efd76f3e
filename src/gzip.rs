//! Unpacks gzip.

use std::io::{self, Read};

use bytes::Bytes;
use flate2::read::MultiGzDecoder;

/// Unpacks a body up to a limit, so that a small one cannot grow without bounds. Returns `None` for one that is larger.
pub(crate) fn gunzip(packed: &[u8], max: usize) -> io::Result<Option<Bytes>> {
    up_to(MultiGzDecoder::new(packed), max)
}

/// Reads what is unpacked, up to a limit. Returns `None` if there is more.
pub(crate) fn up_to(unpacking: impl Read, max: usize) -> io::Result<Option<Bytes>> {
    let mut unpacked = Vec::new();
    let bound = u64::try_from(max).unwrap_or(u64::MAX).saturating_add(1);
    unpacking.take(bound).read_to_end(&mut unpacked)?;
    Ok((unpacked.len() <= max).then(|| unpacked.into()))
}
