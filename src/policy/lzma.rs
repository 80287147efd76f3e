//! LZMA-alone: a header of 13 bytes, then one LZMA stream.

use std::io::{self, Read, Write};

use lzma_rust2::{LzmaOptions, LzmaReader, LzmaWriter};

use super::error::{ContainerError, ContainerProblem};

/// The maximum size of all decompressed members of a container. Real policies are a hundred times smaller.
pub(super) const MAX_UNPACKED: usize = 16 << 20;

/// The properties (one byte), the size of the dictionary (four) and of the data (eight, all ones if unknown).
const HEADER: usize = 13;
const UNKNOWN_SIZE: u64 = u64::MAX;

/// Decompresses at most `limit` bytes, what is left of [`MAX_UNPACKED`].
pub(super) fn read(packed: &[u8], limit: usize) -> Result<Vec<u8>, ContainerError> {
    let cut = || ContainerError::at(packed.len(), ContainerProblem::Cut);
    let too_large = || ContainerError::at(5, ContainerProblem::TooLarge(MAX_UNPACKED));
    let (header, stream) = packed.split_first_chunk::<HEADER>().ok_or_else(cut)?;
    let [properties, d0, d1, d2, d3, size @ ..] = *header;
    let size = u64::from_le_bytes(size);
    let max = u64::try_from(limit).unwrap_or(u64::MAX);
    if size != UNKNOWN_SIZE && size > max {
        return Err(too_large());
    }
    // A dictionary larger than the data is never used, and the header may claim gigabytes.
    let needed = u32::try_from(size.min(max)).unwrap_or(u32::MAX);
    let dictionary = u32::from_le_bytes([d0, d1, d2, d3]).min(needed);
    let reader = LzmaReader::new_with_props(stream, size, properties, dictionary, None);
    let mut reader = reader.map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => cut(),
        _ => ContainerError::at(0, ContainerProblem::Damaged),
    })?;
    let mut data = Vec::new();
    let result = reader.by_ref().take(max.saturating_add(1)).read_to_end(&mut data);
    let (unread, buffered) = reader.into_parts();
    let consumed = packed.len() - unread.len() - buffered.len();
    match result {
        Ok(_) if data.len() > limit => Err(too_large()),
        Ok(_) => Ok(data),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(cut()),
        Err(_) => Err(ContainerError::at(consumed, ContainerProblem::Damaged)),
    }
}

/// Compresses data with the properties, the dictionary and the kind of size that `like` has.
pub(super) fn write(data: &[u8], like: &[u8]) -> io::Result<Vec<u8>> {
    let mut options = LzmaOptions::with_preset(6);
    let mut size = Some(u64::try_from(data.len()).unwrap_or(UNKNOWN_SIZE));
    if let Some([properties, d0, d1, d2, d3, length @ ..]) = like.first_chunk::<HEADER>() {
        let properties = u32::from(*properties);
        options.lc = properties % 9;
        options.lp = properties / 9 % 5;
        options.pb = properties / 45;
        options.dict_size = u32::from_le_bytes([*d0, *d1, *d2, *d3]).clamp(4096, 1 << 26);
        size = size.filter(|_| u64::from_le_bytes(*length) != UNKNOWN_SIZE);
    }
    let mut writer = LzmaWriter::new_use_header(Vec::new(), &options, size)?;
    writer.write_all(data)?;
    writer.finish()
}
