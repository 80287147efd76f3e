//! Writes compact JSON text, in fewer instructions than serde_json: looks for characters to escape in eight bytes
//! at once, and not at all in the names of fields.

use serde::Serialize;
use serde_json::Error;

/// JSON text that is being written.
#[derive(Debug, Default)]
pub struct Compact {
    json: String,
}

impl Compact {
    /// Returns the JSON text that a function writes.
    pub(crate) fn text<E>(write: impl FnOnce(&mut Self) -> Result<(), E>) -> Result<String, E> {
        // The usual message needs no second allocation.
        let mut written = Self { json: String::with_capacity(1024) };
        write(&mut written)?;
        Ok(written.json)
    }

    /// Returns what was written.
    pub(crate) fn into_string(self) -> String {
        self.json
    }

    /// Returns the position at which the text ends.
    pub(crate) fn len(&self) -> usize {
        self.json.len()
    }

    /// Removes what was written after a position.
    pub(crate) fn rewind(&mut self, position: usize) {
        self.json.truncate(position);
    }

    /// Writes a value of a type of the user's own.
    pub(crate) fn foreign<T: Serialize>(&mut self, value: &T) -> Result<(), Error> {
        self.json.push_str(&serde_json::to_string(value)?);
        Ok(())
    }

    /// Writes text that is JSON already.
    pub(crate) fn raw(&mut self, json: &str) {
        self.json.push_str(json);
    }

    pub(crate) fn null(&mut self) {
        self.json.push_str("null");
    }

    pub(crate) fn bool(&mut self, value: bool) {
        self.json.push_str(if value { "true" } else { "false" });
    }

    pub(crate) fn integer(&mut self, value: impl itoa::Integer) {
        self.json.push_str(itoa::Buffer::new().format(value));
    }

    pub(crate) fn string(&mut self, text: &str) {
        match is_plain(text.as_bytes()) {
            true => self.plain(text),
            false => self.escaped(text),
        }
    }

    fn escaped(&mut self, text: &str) {
        self.reserve(text.len());
        self.json.push('"');
        let mut rest = text;
        while let Some(at) = rest.bytes().position(|byte| is_special(&byte))
            && let (Some(before), Some(byte), Some(after)) =
                (rest.get(..at), rest.as_bytes().get(at), rest.get(at + 1..))
        {
            self.json.push_str(before);
            self.json.push('\\');
            match byte {
                b'\n' => self.json.push('n'),
                b'\r' => self.json.push('r'),
                b'\t' => self.json.push('t'),
                0x08 => self.json.push('b'),
                0x0C => self.json.push('f'),
                b'"' | b'\\' => self.json.push(char::from(*byte)),
                control => {
                    self.json.push_str(if control & 0x10 == 0 { "u000" } else { "u001" });
                    self.json.extend(char::from_digit(u32::from(control & 0x0F), 16));
                }
            }
            rest = after;
        }
        self.json.push_str(rest);
        self.json.push('"');
    }

    /// Writes a string that needs no escapes.
    pub(crate) fn plain(&mut self, text: &str) {
        self.quoted(text.len(), |json| json.push_str(text));
    }

    /// Writes a string of this length that a function appends and that needs no escapes.
    pub(crate) fn quoted(&mut self, length: usize, append: impl FnOnce(&mut String)) {
        self.reserve(length);
        self.json.push('"');
        append(&mut self.json);
        self.json.push('"');
    }

    /// Makes room for a string of this length, its quotes, and the little that usually follows a long one: the buffer
    /// would double in size for it.
    fn reserve(&mut self, length: usize) {
        self.json.reserve(length + length / 64 + 2);
    }

    /// Writes an object, whose members a function writes.
    pub(crate) fn object<T>(&mut self, members: impl FnOnce(&mut Self) -> T) -> T {
        self.json.push('{');
        let written = members(self);
        self.json.push('}');
        written
    }

    /// Writes a list, whose elements a function writes.
    pub(crate) fn list<T>(&mut self, elements: impl FnOnce(&mut Self) -> T) -> T {
        self.json.push('[');
        let written = elements(self);
        self.json.push(']');
        written
    }

    /// Begins an element of a list.
    pub(crate) fn element(&mut self) {
        // No value ends with an opening bracket.
        if !matches!(self.json.as_bytes().last(), Some(b'{' | b'[')) {
            self.json.push(',');
        }
    }

    /// Begins a member of an object.
    pub(crate) fn member(&mut self, name: &str) {
        self.element();
        self.string(name);
        self.json.push(':');
    }

    /// Begins the member of a field, whose name needs no escapes.
    pub(crate) fn field(&mut self, name: &str) {
        self.element();
        self.plain(name);
        self.json.push(':');
    }
}

/// Whether a JSON string contains the text unchanged.
fn is_plain(text: &[u8]) -> bool {
    match text.last_chunk() {
        // The last word overlaps the one before.
        Some(last) => {
            special_bytes(*last) == 0
                && text.as_chunks().0.iter().all(|word| special_bytes(*word) == 0)
        }
        None => !text.iter().any(is_special),
    }
}

/// Whether a string cannot contain a byte as it is: less than 0x20, `"` or `\`.
#[inline]
pub(super) fn is_special(byte: &u8) -> bool {
    matches!(byte, ..0x20 | b'"' | b'\\')
}

/// Returns the highest bit of the first of eight bytes that is [special](is_special), and maybe bits after it; 0 if
/// there is none. Subtracting sets that bit; bytes that had it before are not ASCII.
#[inline]
pub(super) fn special_bytes(word: [u8; 8]) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    let word = u64::from_le_bytes(word);
    // The XOR makes `"` 0x20, and a space 0x22.
    let control = (word ^ (ONES * 0x02)).wrapping_sub(ONES * 0x21);
    let backslash = (word ^ (ONES * 0x5C)).wrapping_sub(ONES);
    (control | backslash) & !word & (ONES * 0x80)
}
