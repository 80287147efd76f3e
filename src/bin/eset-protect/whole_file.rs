//! Writes files completely or not at all: an interruption leaves the old file or the new one.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use tempfile::{Builder, NamedTempFile};

/// Who can read a new file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readers {
    Owner,
    /// Those that can read the old file; without one, all that the umask allows.
    All,
}

pub fn write(path: &Path, content: &[u8], readers: Readers) -> io::Result<()> {
    // Renaming over a device or pipe would replace it with a file.
    if fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
        return fs::write(path, content);
    }
    save(path, content, readers, |new| Ok(new.persist(path)?)).map(drop)
}

/// Writes a file that only its owner can read, and returns it, locked before anybody finds it. Unless it `replaces`
/// another, it must not be there yet.
// The command needs Rust 1.90.
#[expect(clippy::incompatible_msrv)]
pub fn write_locked(path: &Path, content: &[u8], replaces: bool) -> io::Result<File> {
    save(path, content, Readers::Owner, |new| {
        new.as_file().try_lock()?;
        Ok(if replaces { new.persist(path)? } else { new.persist_noclobber(path)? })
    })
}

fn save(
    path: &Path,
    content: &[u8],
    readers: Readers,
    persist: impl FnOnce(NamedTempFile) -> io::Result<File>,
) -> io::Result<File> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    // The error of a folder that is missing would name the temporary file.
    fs::metadata(folder)?;
    let mut builder = Builder::new();
    builder.prefix(".eset-protect-");
    // Elsewhere a new file has the permissions of its folder.
    #[cfg(unix)]
    if readers == Readers::All {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut new = builder.tempfile_in(folder).map_err(without_path)?;
    if let (Readers::All, Ok(old)) = (readers, fs::metadata(path)) {
        new.as_file().set_permissions(old.permissions())?;
    }
    new.write_all(content).map_err(without_path)?;
    new.as_file().sync_all()?;
    let file = persist(new)?;
    // The name is on the disk only when its folder is.
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    Ok(file)
}

/// Returns the system's error without the path of the temporary file, which is nobody's.
fn without_path(error: io::Error) -> io::Error {
    match error.to_string().split_once(" at path ") {
        Some((text, _)) => io::Error::new(error.kind(), text),
        None => error,
    }
}
