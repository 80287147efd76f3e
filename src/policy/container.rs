//! The container of a policy's settings.

use bytes::Bytes;
use serde::de::IgnoredAny;

use super::archive::{Archive, MAGIC};
use super::error::{ContainerError, ContainerProblem};
use super::layer::Layer;

/// The maximum number of base64 layers seen in real policies ([facts](crate::facts#policy-container)).
pub(super) const MAX_LAYERS: usize = 5;

/// The container of a policy's settings, the bytes of [`PolicyData::data`](crate::params::PolicyData::data):
/// layers of base64 around JSON, which an `ar` archive may follow
/// ([facts](crate::facts#policy-container)).
///
/// [`encode`](Self::encode) returns the bytes that [`decode`](Self::decode) read, byte for byte. After a
/// setting was changed, everything else still is as it was: the layers, the order and spelling of the JSON, and
/// the other members of the archive.
///
/// ```
/// use eset_protect::policy::Container;
///
/// let data = "eyJwb2xpY3kiOnsiZm9ybWF0IjoiMSIsImRhdGEiOnt9fX0=";
/// let container = Container::decode(data)?;
/// assert_eq!(container.layers(), 1);
/// assert_eq!(container.json(), r#"{"policy":{"format":"1","data":{}}}"#);
/// assert_eq!(container.encode(), data.as_bytes());
/// # Ok::<(), eset_protect::policy::ContainerError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Container {
    layers: Vec<Layer>,
    /// The JSON with the white space around it.
    pub(super) json: String,
    pub(super) archive: Option<Archive>,
    /// Zeros after the JSON, where there is no archive.
    after: Bytes,
}

/// A policy without settings, with the header of ESET's example ([facts](crate::facts#policy-container)).
const EMPTY: &str = r#"{"policy":{"format":"1","version_major":"4294967295","version_minor":"4294967295","version_build":"4294967295","data":{}}}"#;

impl Container {
    /// Creates a container without settings or layers.
    pub fn empty() -> Self {
        Self { layers: Vec::new(), json: EMPTY.to_owned(), archive: None, after: Bytes::new() }
    }

    /// Reads a container with at most five layers of base64. Members of the archive stay compressed.
    ///
    /// # Errors
    ///
    /// Fails if the bytes are no container, or are cut or damaged outside of the archive's members. The error
    /// names the layer and the byte.
    pub fn decode(data: impl Into<Bytes>) -> Result<Self, ContainerError> {
        let mut data: Bytes = data.into();
        let mut layers = Vec::new();
        loop {
            let layer = layers.len();
            let here = |error| ContainerError { layer, ..error };
            let start = data.len() - data.trim_ascii_start().len();
            match data.get(start) {
                None => return Err(here(ContainerError::at(start, ContainerProblem::Empty))),
                Some(b'{') => return Self::inside(layers, &data).map_err(here),
                Some(_) if layer == MAX_LAYERS => {
                    return Err(here(ContainerError::at(start, ContainerProblem::TooManyLayers)));
                }
                Some(_) => {
                    let (form, inner) = Layer::read(&data).map_err(here)?;
                    layers.push(form);
                    data = inner.into();
                }
            }
        }
    }

    /// Reads what is inside all layers.
    fn inside(layers: Vec<Layer>, data: &Bytes) -> Result<Self, ContainerError> {
        let mut values = serde_json::Deserializer::from_slice(data).into_iter::<IgnoredAny>();
        let read = values.next();
        let mut end = values.byte_offset();
        if let Some(Err(error)) = read {
            return Err(ContainerError::of_json(data, &error));
        }
        let rest = data.get(end..).unwrap_or_default();
        end += rest.len() - rest.trim_ascii_start().len();
        let json = str::from_utf8(data.get(..end).unwrap_or_default())
            .map_err(|error| ContainerError::at(error.valid_up_to(), ContainerProblem::NotJson))?;
        let rest = data.slice(end..);
        let (archive, after) = match rest.starts_with(MAGIC) {
            true => {
                let archive = Archive::read(&rest).map_err(|error| ContainerError {
                    offset: error.offset.saturating_add(end),
                    ..error
                })?;
                (Some(archive), Bytes::new())
            }
            false if rest.iter().all(|byte| *byte == 0) => (None, rest),
            false => return Err(ContainerError::at(end, ContainerProblem::TrailingData)),
        };
        Ok(Self { layers, json: json.to_owned(), archive, after })
    }

    /// Writes the container with the same layers.
    pub fn encode(&self) -> Vec<u8> {
        let mut data = self.json.clone().into_bytes();
        if let Some(archive) = &self.archive {
            archive.write(&mut data);
        }
        data.extend_from_slice(&self.after);
        self.layers.iter().rev().fold(data, |inner, layer| layer.write(&inner))
    }

    /// Returns the number of base64 layers.
    pub fn layers(&self) -> usize {
        self.layers.len()
    }

    /// Returns the JSON before the archive, with the white space around it.
    pub fn json(&self) -> &str {
        &self.json
    }

    /// Returns the names and sizes of the archive's members, compressed as they are.
    pub fn members(&self) -> impl Iterator<Item = (String, usize)> {
        let members = self.archive.iter().flat_map(|archive| &archive.members);
        members.map(|member| (member.name(), member.body.len()))
    }
}
