//! Moves the `@type` of every object to its front, in JSON text.
//!
//! An `Any` must be buffered until its `@type` is known. An `Any` inside it is then buffered too, and would
//! be buffered again at its own level. With `@type` first, it is read without buffering, so each byte is
//! buffered once, however deeply the `Any`s are nested.

use std::ops::Range;

use super::any_members::TYPE;

/// An enclosing object or list.
struct Frame {
    open: usize,
    is_object: bool,
    /// Where the name of the current member starts; `None` before it.
    member: Option<usize>,
    is_type: bool,
    /// The comma before the current member.
    comma: Option<usize>,
    /// An `@type` that is not the first member, and the comma before it.
    late: Option<(usize, Range<usize>)>,
}

/// A change to the text.
enum Edit {
    Insert(Range<usize>),
    SkipTo(usize),
}

/// Returns the text with every `@type` at the front of its object; `None` if nothing has to move. The text
/// must be valid JSON.
pub(crate) fn type_first(json: &str) -> Option<String> {
    // Most JSON has no `@type`, or has it first. Escapes may spell any name.
    if !json.contains(TYPE) && !json.contains('\\') {
        return None;
    }
    let mut edits = find(json)?;
    edits.sort_by_key(|(at, _)| *at);
    let mut moved = String::with_capacity(json.len());
    let mut done = 0;
    for (at, edit) in edits {
        // Anything inside a moved member moves with it. No valid `@type` contains anything.
        if at < done {
            continue;
        }
        moved.push_str(json.get(done..at)?);
        done = at;
        match edit {
            Edit::Insert(member) => {
                moved.push_str(json.get(member)?);
                moved.push(',');
            }
            Edit::SkipTo(end) => done = end,
        }
    }
    moved.push_str(json.get(done..)?);
    Some(moved)
}

/// Finds the changes in one pass; `None` if there are none.
fn find(json: &str) -> Option<Vec<(usize, Edit)>> {
    let bytes = json.as_bytes();
    let mut edits = Vec::new();
    let mut frames: Vec<Frame> = Vec::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                let end = end_of_string(bytes, at);
                if let Some(frame) = frames.last_mut()
                    && frame.is_object
                    && frame.member.is_none()
                {
                    frame.member = Some(at);
                    frame.is_type = is_type(json.get(at..end)?);
                }
                at = end;
                continue;
            }
            b'{' | b'[' => frames.push(Frame {
                open: at,
                is_object: *byte == b'{',
                member: None,
                is_type: false,
                comma: None,
                late: None,
            }),
            b',' => {
                let frame = frames.last_mut()?;
                frame.end_member(at);
                frame.comma = Some(at);
            }
            b'}' | b']' => {
                let mut frame = frames.pop()?;
                frame.end_member(at);
                if let Some((comma, member)) = frame.late {
                    let end = member.end;
                    edits.push((frame.open + 1, Edit::Insert(member)));
                    edits.push((comma, Edit::SkipTo(end)));
                }
            }
            _ => {}
        }
        at += 1;
    }
    (!edits.is_empty()).then_some(edits)
}

impl Frame {
    fn end_member(&mut self, end: usize) {
        if let (Some(start), Some(comma), true, None) =
            (self.member.take(), self.comma, self.is_type, &self.late)
        {
            self.late = Some((comma, start..end));
        }
    }
}

/// Returns the position after a string that starts here.
fn end_of_string(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn is_type(name: &str) -> bool {
    match name.contains('\\') {
        true => serde_json::from_str(name).is_ok_and(|name: String| name == TYPE),
        false => name.get(1..name.len() - 1) == Some(TYPE),
    }
}
