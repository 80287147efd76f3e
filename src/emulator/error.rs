//! Errors of building, starting and serving an emulator.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// The reason why an emulator could not be built, started or served.
#[derive(Debug)]
#[non_exhaustive]
pub enum EmulatorError {
    /// The data directory cannot be created, or its file cannot be opened or read.
    Open {
        /// The file or directory.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// Another process, or another emulator in this one, has the data directory open.
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// The file in the data directory is damaged, or is not an emulator store.
    Corrupt {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// Another release of this crate wrote the data directory, in a format that this release does not
    /// support.
    Format {
        /// The file.
        path: PathBuf,
        /// The format of the file.
        found: u64,
        /// The supported format.
        supported: u64,
    },
    /// The store failed.
    Store {
        /// The store's message.
        reason: String,
    },
    /// The emulator cannot listen on the address.
    Listen {
        /// The address.
        address: SocketAddr,
        /// The error of the system.
        source: io::Error,
    },
    /// The server failed.
    Serve {
        /// The server's message.
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
                write!(f, "`{}` is not a valid emulator store: {reason}", path.display())
            }
            Self::Format { path, found, supported } => write!(
                f,
                "`{}` has format {found} of another release; this release supports format {supported}",
                path.display()
            ),
            Self::Store { reason } => write!(f, "the store failed: {reason}"),
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
