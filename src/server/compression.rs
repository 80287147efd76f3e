//! The compression of gRPC messages.

use std::io::{self, Read};

use bytes::Bytes;
use flate2::Compression as Level;
use flate2::read::{GzEncoder, ZlibDecoder, ZlibEncoder};
use http::{HeaderMap, HeaderName, HeaderValue};
use tonic::Status;

use crate::framing::PREFIX;
use crate::gzip::{gunzip, up_to};

pub(super) const GRPC_ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
const GRPC_ACCEPT_ENCODING: HeaderName = HeaderName::from_static("grpc-accept-encoding");
const ACCEPTED: &str = "gzip,deflate,identity";

/// How a message may be compressed.
#[derive(Clone, Copy)]
pub(super) enum Compression {
    Gzip,
    /// zlib's format.
    Deflate,
}

impl Compression {
    /// Returns the compression of a request; `None` if there is none.
    pub(super) fn of(headers: &HeaderMap) -> Result<Option<Self>, Status> {
        match headers.get(&GRPC_ENCODING).map(HeaderValue::as_bytes) {
            None | Some(b"identity") => Ok(None),
            Some(b"gzip") => Ok(Some(Self::Gzip)),
            Some(b"deflate") => Ok(Some(Self::Deflate)),
            Some(other) => {
                let other = String::from_utf8_lossy(other);
                let message = format!("grpc-encoding: expected one of {ACCEPTED}, found {other:?}");
                let mut status = Status::unimplemented(message);
                let accepted = HeaderValue::from_static(ACCEPTED);
                status.metadata_mut().as_mut().insert(GRPC_ACCEPT_ENCODING, accepted);
                Err(status)
            }
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
        }
    }

    /// Whether the caller of a request accepts it in the response.
    pub(super) fn is_accepted(self, headers: &HeaderMap) -> bool {
        let lists = headers.get_all(GRPC_ACCEPT_ENCODING).into_iter();
        let mut names = lists.flat_map(|list| list.as_bytes().split(|byte| *byte == b','));
        names.any(|name| name.trim_ascii() == self.name().as_bytes())
    }

    /// Unpacks a message of at most `max` bytes; `None` if it has more.
    pub(super) fn unpack(self, packed: &[u8], max: usize) -> io::Result<Option<Bytes>> {
        match self {
            Self::Gzip => gunzip(packed, max),
            Self::Deflate => up_to(ZlibDecoder::new(packed), max),
        }
    }

    /// Packs a message, after room for its prefix.
    pub(super) fn pack(self, message: &[u8]) -> io::Result<Vec<u8>> {
        let mut packed = vec![0; PREFIX];
        match self {
            Self::Gzip => GzEncoder::new(message, Level::default()).read_to_end(&mut packed)?,
            Self::Deflate => {
                ZlibEncoder::new(message, Level::default()).read_to_end(&mut packed)?
            }
        };
        Ok(packed)
    }
}
