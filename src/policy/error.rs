//! Errors of containers.

use std::fmt;

/// The reason why a container, or a part of it, cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContainerError {
    /// How many layers of base64 were removed before the problem appeared.
    pub layer: usize,
    /// The member of the archive that cannot be read; `None` if the problem is outside of all members.
    pub member: Option<String>,
    /// The byte, counted from the beginning of the layer or member.
    pub offset: usize,
    /// What is wrong.
    pub problem: ContainerProblem,
}

/// What is wrong with a container.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ContainerProblem {
    /// There is nothing where base64 or JSON is expected.
    Empty,
    /// There are more layers of base64 than any real policy has.
    TooManyLayers,
    /// Neither base64 nor JSON.
    NotBase64,
    /// Not JSON, or not a JSON object.
    NotJson,
    /// Something other than white space or an archive follows the JSON.
    TrailingData,
    /// The header of an archive member is incomplete or has no valid size or end.
    BadHeader,
    /// The data ends early.
    Cut,
    /// The compressed data is damaged.
    Damaged,
    /// The data is larger than this number of bytes when decompressed.
    TooLarge(usize),
    /// The settings are nested too deeply.
    TooDeep,
}

impl ContainerError {
    pub(super) fn at(offset: usize, problem: ContainerProblem) -> Self {
        Self { layer: 0, member: None, offset, problem }
    }

    /// Returns the error of serde_json, at the byte where it stopped.
    pub(super) fn of_json(data: &[u8], error: &serde_json::Error) -> Self {
        let lines = data.split_inclusive(|byte| *byte == b'\n');
        let before: usize = lines.take(error.line().saturating_sub(1)).map(<[u8]>::len).sum();
        let offset = before.saturating_add(error.column()).min(data.len());
        let problem = match error.is_eof() {
            true => ContainerProblem::Cut,
            false => ContainerProblem::NotJson,
        };
        Self::at(offset, problem)
    }
}

impl fmt::Display for ContainerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.member {
            Some(name) => write!(f, "member {name:?}, ")?,
            None if self.layer > 0 => write!(f, "inside {} of base64, ", layers(self.layer))?,
            None => {}
        }
        write!(f, "byte {}: ", self.offset)?;
        match &self.problem {
            ContainerProblem::Empty => f.write_str("expected base64 or JSON, found nothing"),
            ContainerProblem::TooManyLayers => f.write_str("expected at most 5 layers of base64"),
            ContainerProblem::NotBase64 => f.write_str("expected base64 or a JSON object"),
            ContainerProblem::NotJson => f.write_str("expected a JSON object"),
            ContainerProblem::TrailingData => {
                f.write_str("expected an archive or nothing after the JSON")
            }
            ContainerProblem::BadHeader => f.write_str("expected the header of an archive member"),
            ContainerProblem::Cut => f.write_str("the data ends early"),
            ContainerProblem::Damaged => f.write_str("the LZMA data is damaged"),
            ContainerProblem::TooLarge(limit) => {
                write!(f, "expected at most {limit} bytes of decompressed data")
            }
            ContainerProblem::TooDeep => f.write_str("the settings are nested too deeply"),
        }
    }
}

fn layers(count: usize) -> String {
    if count == 1 { "1 layer".to_owned() } else { format!("{count} layers") }
}

impl std::error::Error for ContainerError {}
