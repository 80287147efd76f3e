//! Why an emulator could not be built or started.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why an emulator could not be built, started or served.
#[derive(Debug)]
#[non_exhaustive]
pub enum EmulatorError {
    /// The data directory cannot be created, or its file cannot be opened or read.
    Open {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process, or another emulator of this one, has the data directory open.
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// The file in the data directory is damaged, or no store of the emulator at all.
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Another release of this crate wrote the data directory, in a format that this one does not read.
    Format {
        /// The file.
        path: PathBuf,
        /// The format it has.
        found: u64,
        /// The format that this release reads.
        supported: u64,
    },
    /// The store fails.
    Store {
        /// What it said.
        reason: String,
    },
    /// The address cannot be listened on.
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The server ended with a failure.
    Serve {
        /// What it said.
        reason: String,
    },
}

impl fmt::Display for EmulatorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open { path, .. } => write!(f, "cannot open `{}`", path.display()),
            Self::Locked { path } => {
                write!(f, "`{}` is in use by another emulator", path.display())
            }
            Self::Corrupt { path, reason } => {
                write!(f, "`{}` is not a sound store of the emulator: {reason}", path.display())
            }
            Self::Format { path, found, supported } => write!(
                f,
                "`{}` has format {found} of another release; this one reads format {supported}",
                path.display()
            ),
            Self::Store { reason } => write!(f, "the store fails: {reason}"),
            Self::Listen { address, .. } => write!(f, "cannot listen on {address}"),
            Self::Serve { reason } => write!(f, "the server failed: {reason}"),
        }
    }
}

impl std::error::Error for EmulatorError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Open { source, .. } | Self::Listen { source, .. } => Some(source),
            _ => None,
        }
    }
}
