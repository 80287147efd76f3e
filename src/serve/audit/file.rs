//! The file of the log.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Makes sure that the name of a new file is on the disk, without which its lines are lost.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// A file to which whole lines are appended.
pub(super) struct LogFile {
    path: PathBuf,
    file: File,
    /// Whether the file ends with a part of a line.
    is_torn: bool,
}

impl LogFile {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let is_new = !path.exists();
        let file = options.open(path)?;
        if is_new {
            sync_folder(path)?;
        }
        // Written by a server that was killed. It may be unreadable, such as a pipe.
        let is_torn = file.metadata()?.is_file() && is_torn(path).unwrap_or_default();
        Ok(Self { path: path.to_owned(), file, is_torn })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens the path again. If that fails, the old file goes on.
    pub(super) fn reopen(&mut self) -> io::Result<()> {
        let synced = self.sync();
        *self = Self::open(&self.path)?;
        synced
    }

    /// Opens the path again if it has become another file, or none. Returns whether it has.
    pub(super) fn follow(&mut self) -> io::Result<bool> {
        let found = std::fs::metadata(&self.path);
        if found.is_ok_and(|found| self.file.metadata().is_ok_and(|own| is_same(&own, &found))) {
            return Ok(false);
        }
        // Whatever of the old file is not on the disk, the new one is to be written.
        let _ = self.sync();
        *self = Self::open(&self.path)?;
        Ok(true)
    }

    /// Appends a line. What is written of one that does not fit is taken back.
    pub(super) fn append(&mut self, line: &[u8]) -> io::Result<()> {
        if self.is_torn {
            self.file.write_all(b"\n")?;
            self.is_torn = false;
        }
        let mut rest = line;
        while !rest.is_empty() {
            let error = match self.file.write(rest) {
                Ok(0) => io::ErrorKind::WriteZero.into(),
                Ok(written) => {
                    rest = rest.get(written..).unwrap_or_default();
                    continue;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => error,
            };
            let written = line.len() - rest.len();
            self.is_torn = written > 0 && self.take_back(written).is_err();
            return Err(error);
        }
        Ok(())
    }

    fn take_back(&self, written: usize) -> io::Result<()> {
        let found = self.file.metadata()?;
        let length = found.len().checked_sub(u64::try_from(written).unwrap_or(u64::MAX));
        let length = length.filter(|_| found.is_file()).ok_or(io::ErrorKind::Unsupported)?;
        self.file.set_len(length)
    }

    /// Waits for the disk. Pipes and devices have none.
    pub(super) fn sync(&self) -> io::Result<()> {
        if self.file.metadata()?.is_file() { self.file.sync_data() } else { Ok(()) }
    }
}

fn is_torn(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

#[cfg(unix)]
fn is_same(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// An open file can be neither deleted nor renamed here.
#[cfg(not(unix))]
fn is_same(_one: &Metadata, _other: &Metadata) -> bool {
    true
}
