//! Carries options, and data that a message cannot represent.
//!
//! Types of the user's own, and messages that `serde_json` reads, get here by serde's traits, which have no parameter
//! for a context, so it is in a thread-local. Reading and writing never cross an `await`, so a scope is a closure or a
//! guard and ends with it, even after a panic.

use std::cell::{Cell, RefCell};
use std::fmt::Display;
use std::sync::Arc;

use super::enum_names::EnumNames;
use crate::proto::eset_protect::v1::UnknownMember;

/// The maximum nesting of `Any`s, the same as protobuf's limit for messages.
const MAX_ANY_DEPTH: u32 = 100;

/// How many bytes the JSON Pointers of unknown members may take together. Each repeats the names of the objects around
/// it, so a long key with many members would take memory by its square.
pub(crate) const MAX_POINTERS: usize = 64 << 20;

/// What a caller asks of reading and writing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Options {
    /// Members and names that the schema does not have are errors.
    pub strict: bool,
    /// What has no JSON form of its own is an error.
    pub strict_writing: bool,
    /// Whether to write fields without presence that have their default value.
    pub emit_defaults: bool,
    /// Members with another JSON type than their field are like members that the schema does not have.
    pub keep_misfits: bool,
}

/// The flags that every field checks. They need no drop, so a check is a single load.
struct Flags {
    options: Cell<Options>,
    collecting: Cell<bool>,
    any_depth: Cell<u32>,
    buffered: Cell<usize>,
    /// The length of `Context::unknown`.
    kept: Cell<usize>,
    /// Whether the pointers of what was kept took too much memory.
    overflowed: Cell<bool>,
}

struct Context {
    enum_names: RefCell<Option<Arc<EnumNames>>>,
    /// Members and values that the schema does not have. Each pointer is from the message that is being read.
    unknown: RefCell<Vec<UnknownMember>>,
}

thread_local! {
    static FLAGS: Flags = const {
        Flags {
            options: Cell::new(Options {
                strict: false,
                strict_writing: false,
                emit_defaults: false,
                keep_misfits: false,
            }),
            collecting: Cell::new(false),
            any_depth: Cell::new(0),
            buffered: Cell::new(0),
            kept: Cell::new(0),
            overflowed: Cell::new(false),
        }
    };
    static CONTEXT: Context = const {
        Context { enum_names: RefCell::new(None), unknown: RefCell::new(Vec::new()) }
    };
}

impl Options {
    /// Applies these options until the guard is dropped.
    pub(crate) fn apply(self) -> AppliedOptions {
        AppliedOptions { before: FLAGS.with(|flags| flags.options.replace(self)) }
    }

    /// These options, such that values without a JSON form are errors.
    pub(crate) fn writing_strictly(self) -> Self {
        Self { strict_writing: true, ..self }
    }

    /// These options, to read JSON stored in bytes. It passed a reader before, so it is read leniently.
    pub(crate) fn reading_stored(self) -> Self {
        Self { strict: false, ..self }
    }

    /// These options, to read a response of which some members may not have the type of their field.
    pub(crate) fn keeping_misfits(self) -> Self {
        Self { keep_misfits: !self.strict, ..self }
    }

    /// These options, with defaults in the JSON.
    pub(crate) fn emitting_defaults(self) -> Self {
        Self { emit_defaults: true, ..self }
    }
}

/// Restores the options before when it is dropped, also by a panic.
#[must_use]
pub(crate) struct AppliedOptions {
    before: Options,
}

impl Drop for AppliedOptions {
    fn drop(&mut self) {
        FLAGS.with(|flags| flags.options.set(self.before));
    }
}

/// Sets the memory for names of enum values, or none, and returns the one before.
pub(crate) fn replace_enum_names(names: Option<Arc<EnumNames>>) -> Option<Arc<EnumNames>> {
    CONTEXT.with(|context| context.enum_names.replace(names))
}

/// Returns the memory for names of enum values of the scope that is running.
pub(crate) fn enum_names() -> Option<Arc<EnumNames>> {
    CONTEXT.with(|context| context.enum_names.borrow().clone())
}

/// Whether unknown members are errors.
#[inline]
pub(crate) fn is_strict() -> bool {
    options().strict
}

/// Whether values without a JSON form are errors.
#[inline]
pub(crate) fn writes_strictly() -> bool {
    options().strict_writing
}

/// The options that apply.
#[inline]
pub(crate) fn options() -> Options {
    FLAGS.with(|flags| flags.options.get())
}

/// Whether to write fields without presence that have their default value.
#[inline]
pub fn emits_defaults() -> bool {
    options().emit_defaults
}

/// Returns the number of bytes of JSON that this thread has buffered so far. Tests use it to measure work.
pub fn buffered() -> usize {
    FLAGS.with(|flags| flags.buffered.get())
}

/// Records that bytes of JSON are buffered.
pub(crate) fn note_buffered(bytes: usize) {
    FLAGS.with(|flags| flags.buffered.set(flags.buffered.get().wrapping_add(bytes)));
}

/// Returns the current nesting of `Any`s.
pub(crate) fn any_depth() -> u32 {
    FLAGS.with(|flags| flags.any_depth.get())
}

/// A level of nested `Any`s, until it is dropped.
#[must_use]
pub(crate) struct InAny {
    outside: u32,
}

impl InAny {
    /// Goes one level deeper; fails if that is too deep.
    pub(crate) fn enter() -> Result<Self, String> {
        let outside = any_depth();
        if outside >= MAX_ANY_DEPTH {
            return Err(format!(
                "google.protobuf.Any is nested deeper than {MAX_ANY_DEPTH} levels"
            ));
        }
        FLAGS.with(|flags| flags.any_depth.set(outside + 1));
        Ok(Self { outside })
    }
}

impl Drop for InAny {
    fn drop(&mut self) {
        FLAGS.with(|flags| flags.any_depth.set(self.outside));
    }
}

/// Keeps what the messages that are read cannot hold, until it is dropped.
pub(crate) struct Collecting {
    was_collecting: bool,
    /// What an outer message keeps waits at the front of the list.
    outer: usize,
}

impl Collecting {
    pub(crate) fn begin() -> Self {
        FLAGS.with(|flags| Self {
            was_collecting: flags.collecting.replace(true),
            outer: flags.kept.get(),
        })
    }

    /// Keeps nothing: a type of the user's own is read, which has no place for it.
    pub(crate) fn suspend() -> Self {
        let collecting = Self::begin();
        FLAGS.with(|flags| flags.collecting.set(false));
        collecting
    }

    /// Returns what was kept.
    pub(crate) fn end(self) -> Result<Vec<UnknownMember>, String> {
        let kept = take_kept(self.outer);
        match FLAGS.with(|flags| flags.overflowed.get()) {
            // The rest of a response is still of use.
            true if options().keep_misfits => Ok(Vec::new()),
            true => Err(TOO_LONG.to_owned()),
            false => Ok(kept),
        }
    }
}

impl Drop for Collecting {
    fn drop(&mut self) {
        drop(take_kept(self.outer));
        FLAGS.with(|flags| {
            flags.collecting.set(self.was_collecting);
            if self.outer == 0 && !self.was_collecting {
                flags.overflowed.set(false);
            }
        });
    }
}

/// The problem of unknown members whose pointers take too much memory.
pub(crate) const TOO_LONG: &str = "the names around the unknown members take more than 64 MiB";

/// Takes what was kept beyond the first `outer` entries, usually nothing.
fn take_kept(outer: usize) -> Vec<UnknownMember> {
    if FLAGS.with(|flags| flags.kept.replace(outer)) == outer {
        return Vec::new();
    }
    CONTEXT.with(|context| context.unknown.borrow_mut().split_off(outer))
}

/// Whether unknown members are kept at the moment.
#[inline]
pub(crate) fn is_collecting() -> bool {
    FLAGS.with(|flags| flags.collecting.get())
}

/// Keeps a member or value, if unknown data is kept at the moment. An empty pointer means the value itself.
pub(crate) fn keep(pointer: String, json: String) {
    CONTEXT.with(|context| {
        let mut unknown = context.unknown.borrow_mut();
        unknown.push(UnknownMember { pointer, json });
        FLAGS.with(|flags| flags.kept.set(unknown.len()));
    });
}

#[inline]
fn kept() -> usize {
    FLAGS.with(|flags| flags.kept.get())
}

/// Returns the amount kept before a value is read, for [`prefix`]; nothing is kept of a value that preserves nothing.
#[inline]
pub(crate) fn mark(preserves: bool) -> usize {
    if preserves { kept() } else { 0 }
}

/// Drops everything kept since `mark`.
pub(super) fn forget(mark: usize) {
    drop(take_kept(mark));
}

/// Prefixes everything kept since `mark` with `segment`.
#[inline]
pub(crate) fn prefix(preserves: bool, mark: usize, segment: &dyn Display) {
    if preserves && kept() > mark {
        prefix_kept(mark, segment);
    }
}

#[cold]
fn prefix_kept(mark: usize, segment: &dyn Display) {
    let segment = pointer_segment(&segment.to_string());
    CONTEXT.with(|context| {
        let mut unknown = context.unknown.borrow_mut();
        let entries = unknown.get_mut(mark..).unwrap_or_default();
        let bytes: usize = entries.iter().map(|entry| entry.pointer.len() + segment.len()).sum();
        if bytes > MAX_POINTERS {
            FLAGS.with(|flags| flags.overflowed.set(true));
            return;
        }
        for entry in entries {
            entry.pointer.insert_str(0, &segment);
        }
    });
}

/// Returns a segment of a JSON Pointer (RFC 6901), including its slash.
pub(crate) fn pointer_segment(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}
