//! The files of a certificate, which is renewed while a bridge serves.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::caller::TokenHash;
use super::tls::ServerTls;
use crate::error::Error;

/// The files of a bridge's certificate: of a [`Config`](super::Config), for
/// [`TlsHandle::replace`](super::TlsHandle::replace). Whoever renews certificates, such as cert-manager or an ACME
/// client, replaces the files and tells nobody.
#[derive(Clone, Debug)]
pub struct CertificateFiles {
    certificate: PathBuf,
    key: PathBuf,
    client_authorities: Option<PathBuf>,
    /// The hash of what was in them.
    seen: Option<TokenHash>,
}

impl CertificateFiles {
    pub(super) fn new(
        certificate: PathBuf,
        key: PathBuf,
        client_authorities: Option<PathBuf>,
    ) -> Self {
        let mut files = Self { certificate, key, client_authorities, seen: None };
        files.seen = files.hash();
        files
    }

    /// Completes when a file has other contents than at the last time, and looks so often. Files that cannot be read
    /// have not changed: they may be replaced just now.
    pub async fn changed(&mut self, every: Duration) {
        loop {
            tokio::time::sleep(every).await;
            let now = self.hash();
            if now.is_some() && now != self.seen {
                self.seen = now;
                return;
            }
        }
    }

    /// Reads them.
    ///
    /// # Errors
    ///
    /// Fails if a file cannot be read or is not valid, or if the key is not that of the certificate, which may be
    /// replaced before it.
    pub fn read(&self) -> Result<ServerTls, Error> {
        let read = |path: &Path| {
            fs::read(path).map_err(|error| Error::config(format!("{}: {error}", path.display())))
        };
        let authorities = self.client_authorities.as_deref().map(read).transpose()?;
        ServerTls::new(read(&self.certificate)?, read(&self.key)?, authorities.as_deref())
    }

    /// Returns the hash of all contents; `None` if they cannot be read.
    fn hash(&self) -> Option<TokenHash> {
        let mut contents = Vec::new();
        for path in [&self.certificate, &self.key].into_iter().chain(&self.client_authorities) {
            contents.extend(fs::read(path).ok()?);
            contents.push(0);
        }
        Some(TokenHash::of_bytes(&contents))
    }
}
