//! What serde cannot pass along: options, and what a message could not hold.
//!
//! serde's traits have no room for a context, so it lies in a thread-local. Reading and writing
//! never cross an `await`, so a scope is a closure and ends with it, also by a panic.

use std::cell::{Cell, RefCell};
use std::fmt::Display;

use serde_json::value::RawValue;

use super::codec::Codec;
use crate::wkt::TypeRegistry;

/// How deep an `Any` may lie in another, as protobuf's own limit for messages.
const MAX_ANY_DEPTH: u32 = 100;

/// A member or a value that the schema does not have.
pub struct Unknown {
    /// JSON Pointer from the message that is being read.
    pub pointer: String,
    /// The value.
    pub json: Box<RawValue>,
}

#[derive(Clone, Default)]
pub(super) struct Options {
    pub(super) strict: bool,
    pub(super) emit_defaults: bool,
    pub(super) registry: Option<TypeRegistry>,
}

#[derive(Default)]
struct Context {
    strict: Cell<bool>,
    emit_defaults: Cell<bool>,
    registry: RefCell<Option<TypeRegistry>>,
    any_depth: Cell<u32>,
    collecting: Cell<bool>,
    unknown: RefCell<Vec<Unknown>>,
}

thread_local! {
    static CONTEXT: Context = Context::default();
}

/// Runs with these options.
pub(super) fn with_options<T>(options: &Options, run: impl FnOnce() -> T) -> T {
    struct Restore(Options);
    impl Drop for Restore {
        fn drop(&mut self) {
            swap(&mut self.0);
        }
    }
    fn swap(options: &mut Options) {
        CONTEXT.with(|context| {
            options.strict = context.strict.replace(options.strict);
            options.emit_defaults = context.emit_defaults.replace(options.emit_defaults);
            std::mem::swap(&mut *context.registry.borrow_mut(), &mut options.registry);
        });
    }
    let mut options = options.clone();
    swap(&mut options);
    let _restore = Restore(options);
    run()
}

/// Members that the schema does not have are errors.
pub fn is_strict() -> bool {
    CONTEXT.with(|context| context.strict.get())
}

/// Fields without presence are written also when they have their default.
pub fn emits_defaults() -> bool {
    CONTEXT.with(|context| context.emit_defaults.get())
}

/// The types that the caller registered for now.
pub fn registry() -> Option<TypeRegistry> {
    CONTEXT.with(|context| context.registry.borrow().clone())
}

/// Runs one level deeper in `Any`s, or says that it is too deep.
pub fn in_any<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    struct Leave;
    impl Drop for Leave {
        fn drop(&mut self) {
            CONTEXT.with(|context| context.any_depth.set(context.any_depth.get() - 1));
        }
    }
    let depth = CONTEXT.with(|context| context.any_depth.get());
    if depth >= MAX_ANY_DEPTH {
        return Err(format!("google.protobuf.Any is nested deeper than {MAX_ANY_DEPTH} levels"));
    }
    CONTEXT.with(|context| context.any_depth.set(depth + 1));
    let _leave = Leave;
    Ok(run())
}

/// Runs and returns what the messages that were read could not hold.
pub fn collecting<T>(run: impl FnOnce() -> T) -> (T, Vec<Unknown>) {
    struct Restore {
        collecting: bool,
        unknown: Vec<Unknown>,
    }
    impl Restore {
        fn swap(&mut self) {
            CONTEXT.with(|context| {
                self.collecting = context.collecting.replace(self.collecting);
                std::mem::swap(&mut *context.unknown.borrow_mut(), &mut self.unknown);
            });
        }
    }
    impl Drop for Restore {
        fn drop(&mut self) {
            self.swap();
        }
    }
    let mut scope = Restore { collecting: true, unknown: Vec::new() };
    scope.swap();
    let result = run();
    let unknown = CONTEXT.with(|context| std::mem::take(&mut *context.unknown.borrow_mut()));
    drop(scope);
    (result, unknown)
}

/// Unknown members are being kept.
pub fn is_collecting() -> bool {
    CONTEXT.with(|context| context.collecting.get())
}

/// Keeps a member or value, if anything keeps them here. An empty pointer is the value itself.
pub fn keep(pointer: String, json: Box<RawValue>) {
    CONTEXT.with(|context| context.unknown.borrow_mut().push(Unknown { pointer, json }));
}

/// How much is kept before a value is read, for [`prefix`].
pub fn mark<C: Codec>() -> usize {
    if C::PRESERVES { CONTEXT.with(|context| context.unknown.borrow().len()) } else { 0 }
}

/// Says that what was kept since `mark` lies below `segment`.
pub fn prefix<C: Codec>(mark: usize, segment: &dyn Display) {
    if !C::PRESERVES {
        return;
    }
    CONTEXT.with(|context| {
        let mut unknown = context.unknown.borrow_mut();
        if unknown.len() > mark {
            let segment = pointer_segment(&segment.to_string());
            for entry in &mut unknown[mark..] {
                entry.pointer.insert_str(0, &segment);
            }
        }
    });
}

/// A segment of a JSON Pointer (RFC 6901), with the slash before it.
pub fn pointer_segment(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}
