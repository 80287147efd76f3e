//! Temporary directories.

use std::ops::Deref;
use std::path::Path;

use tempfile::TempDir;

/// A new, empty directory that is removed when this is dropped. Tests run concurrently, so the names are
/// unique.
pub struct Directory(TempDir);

impl Directory {
    pub fn new() -> Self {
        Self(tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap())
    }
}

impl Deref for Directory {
    type Target = Path;

    fn deref(&self) -> &Path {
        self.0.path()
    }
}
