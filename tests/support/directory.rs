//! Directories that no two tests share.

use std::ops::Deref;
use std::path::Path;

use tempfile::TempDir;

/// A new, empty directory, removed with this value. Tests run side by side, so none of them picks the
/// name of its directory.
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
