//! One layer of base64: text, or a JSON string of it.

use std::borrow::Cow;

use base64_simd::STANDARD_NO_PAD;

use super::error::{ContainerError, ContainerProblem};

/// How one layer is written, so that it can be written again in the same form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layer {
    /// White space and the opening quote.
    before: Vec<u8>,
    /// The closing quote and white space.
    after: Vec<u8>,
    is_padded: bool,
    /// The length of a line and what ends it.
    lines: Option<(usize, Vec<u8>)>,
    /// The text itself where the form above does not reproduce it: lines of different lengths, escaped
    /// characters.
    irregular: Option<Vec<u8>>,
}

impl Layer {
    /// Removes a layer. Returns its form and what it contains.
    pub(super) fn read(text: &[u8]) -> Result<(Self, Vec<u8>), ContainerError> {
        let start = text.len() - text.trim_ascii_start().len();
        let mut content = text.trim_ascii();
        let mut before = text.get(..start).unwrap_or_default().to_vec();
        let mut after = text.get(start + content.len()..).unwrap_or_default().to_vec();
        let mut is_escaped = false;
        if let Some(quoted) = content.strip_prefix(b"\"").and_then(|c| c.strip_suffix(b"\"")) {
            is_escaped = quoted.contains(&b'\\');
            content = quoted;
            before.push(b'"');
            after.insert(0, b'"');
        }
        let offset = before.len();
        let plain = match is_escaped {
            true => Cow::Owned(unescaped(content).ok_or_else(|| {
                let at = content.iter().position(|byte| *byte == b'\\').unwrap_or_default();
                ContainerError::at(offset + at, ContainerProblem::NotBase64)
            })?),
            false => Cow::Borrowed(content),
        };
        let lines = lines(&plain);
        let joined: Cow<'_, [u8]> = match lines {
            Some(_) => plain.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect(),
            None => plain.as_ref().into(),
        };
        let padding = joined.iter().rev().take_while(|byte| **byte == b'=').count();
        let inner = match decode(&joined, padding) {
            Some(inner) => inner,
            None if joined.is_empty() => {
                return Err(ContainerError::at(offset, ContainerProblem::Empty));
            }
            None => {
                let is_base64 = |b: u8| b.is_ascii_alphanumeric() || b"+/=\\".contains(&b);
                let wrong = |b: &u8| !is_base64(*b) && !b.is_ascii_whitespace();
                let at = content.iter().position(wrong);
                let problem = at.map_or(ContainerProblem::Cut, |_| ContainerProblem::NotBase64);
                return Err(ContainerError::at(offset + at.unwrap_or(content.len()), problem));
            }
        };
        let is_padded = padding > 0 || joined.len().is_multiple_of(4);
        let form = Self { before, after, is_padded, lines, irregular: None };
        let is_regular = !is_escaped && form.regular(&inner) == text;
        let irregular = (!is_regular).then(|| text.to_vec());
        Ok((Self { irregular, ..form }, inner))
    }

    /// Puts the layer around `inner` again. What was read comes out as it was, byte for byte.
    pub(super) fn write(&self, inner: &[u8]) -> Vec<u8> {
        let unchanged = self
            .irregular
            .as_ref()
            .filter(|text| Self::read(text).is_ok_and(|(_, was)| was == inner));
        match unchanged {
            Some(text) => text.clone(),
            None => self.regular(inner),
        }
    }

    fn regular(&self, inner: &[u8]) -> Vec<u8> {
        let mut base64 = STANDARD_NO_PAD.encode_to_string(inner).into_bytes();
        if self.is_padded {
            base64.resize(base64.len().next_multiple_of(4), b'=');
        }
        let mut text = self.before.clone();
        match &self.lines {
            Some((width, end)) => {
                for (index, line) in base64.chunks(*width).enumerate() {
                    if index > 0 {
                        text.extend(end);
                    }
                    text.extend(line);
                }
            }
            None => text.append(&mut base64),
        }
        text.extend(&self.after);
        text
    }
}

fn unescaped(content: &[u8]) -> Option<Vec<u8>> {
    let quoted = [b"\"", content, b"\""].concat();
    serde_json::from_slice::<String>(&quoted).ok().map(String::into_bytes)
}

/// The length of the first line and what ends it; `None` if there is only one.
fn lines(text: &[u8]) -> Option<(usize, Vec<u8>)> {
    let width = text.iter().position(u8::is_ascii_whitespace)?;
    let end = text.get(width..)?.iter().copied().take_while(u8::is_ascii_whitespace);
    Some((width.max(1), end.collect()))
}

/// Any padding is read: none, too little or too much.
fn decode(base64: &[u8], padding: usize) -> Option<Vec<u8>> {
    let digits = base64.get(..base64.len().checked_sub(padding)?)?;
    let is_possible = padding <= 3 && !digits.is_empty();
    is_possible.then(|| STANDARD_NO_PAD.decode_to_vec(digits).ok())?
}
