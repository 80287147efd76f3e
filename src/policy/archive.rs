//! A Unix `ar` archive, kept byte for byte.
//!
//! The crate `ar` reads the fields of a header as numbers and forgets how they were written, so it cannot
//! write the same bytes again.

use bytes::Bytes;

use super::error::{ContainerError, ContainerProblem};

pub(super) const MAGIC: &[u8] = b"!<arch>\n";
const HEADER: usize = 60;

/// The members of an archive and what follows them.
#[derive(Clone, Debug)]
pub(super) struct Archive {
    pub(super) members: Vec<Member>,
    /// White space and zeros after the last member.
    after: Bytes,
}

#[derive(Clone, Debug)]
pub(super) struct Member {
    header: Bytes,
    pub(super) body: Bytes,
    /// The byte that makes the length even.
    padding: Bytes,
}

impl Archive {
    /// Reads an archive from its magic line on. Offsets in errors count from there.
    pub(super) fn read(bytes: &Bytes) -> Result<Self, ContainerError> {
        let mut at = MAGIC.len();
        let mut members = Vec::new();
        loop {
            let rest = bytes.slice(at.min(bytes.len())..);
            if rest.iter().all(|byte| byte.is_ascii_whitespace() || *byte == 0) {
                return Ok(Self { members, after: rest });
            }
            let size =
                size(&rest).ok_or_else(|| ContainerError::at(at, ContainerProblem::BadHeader))?;
            let end = HEADER + size;
            if rest.len() < end {
                let offset = at + rest.len();
                return Err(ContainerError::at(offset, ContainerProblem::Cut));
            }
            let next = rest.slice(end..);
            // The last member may lack its padding, and some writers never pad.
            let is_unpadded = self::size(&next).is_some()
                && next.get(1..).is_none_or(|padded| self::size(padded).is_none());
            let padding = if size.is_multiple_of(2) || is_unpadded { 0 } else { next.len().min(1) };
            members.push(Member {
                header: rest.slice(..HEADER),
                body: rest.slice(HEADER..end),
                padding: next.slice(..padding),
            });
            at += end + padding;
        }
    }

    pub(super) fn write(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(MAGIC);
        for member in &self.members {
            for part in [&member.header, &member.body, &member.padding] {
                to.extend_from_slice(part);
            }
        }
        to.extend_from_slice(&self.after);
    }
}

impl Member {
    /// The name, without the slash that some writers put after it.
    pub(super) fn name(&self) -> String {
        let name = String::from_utf8_lossy(self.header.get(..16).unwrap_or_default());
        let name = name.trim_end();
        name.strip_suffix('/').filter(|name| !name.is_empty()).unwrap_or(name).to_owned()
    }

    /// Replaces the body and the size in the header.
    #[cfg(feature = "policies-as-code")]
    pub(super) fn replace(&mut self, body: Vec<u8>) {
        let mut header = self.header.to_vec();
        if let Some(field) = header.get_mut(48..58) {
            field.copy_from_slice(format!("{:<10}", body.len()).as_bytes());
        }
        self.header = header.into();
        self.padding = Bytes::from_static(if body.len().is_multiple_of(2) { b"" } else { b"\n" });
        self.body = body.into();
    }
}

/// The size that a header names, if this begins with a header.
fn size(bytes: &[u8]) -> Option<usize> {
    let header = bytes.get(..HEADER).filter(|header| header.ends_with(b"`\n"))?;
    let size = str::from_utf8(header.get(48..58)?).ok()?.trim();
    size.bytes().all(|digit| digit.is_ascii_digit()).then(|| size.parse().ok())?
}
