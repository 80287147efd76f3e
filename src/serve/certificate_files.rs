//! The files of a certificate, which is renewed while a bridge serves.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use super::caller::TokenHash;
use super::tls::ServerTls;
use crate::error::Error;

/// The files of a bridge's certificate. Whoever renews certificates, such as cert-manager or an ACME client, replaces the
/// files and tells nobody.
#[derive(Clone, Debug)]
pub(super) struct CertificateFiles {
    paths: TlsFiles<PathBuf>,
    /// The hash of what was in them.
    seen: TokenHash,
}

/// The paths of these files, or their contents.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TlsFiles<T> {
    certificate: T,
    key: T,
    pub(super) client_authorities: Option<T>,
}

impl<T> TlsFiles<T> {
    /// Applies a function to each, with its key in the configuration.
    pub(super) fn try_map<U, E>(
        &self,
        map: impl Fn(&str, &T) -> Result<U, E>,
    ) -> Result<TlsFiles<U>, E> {
        let authorities = self.client_authorities.as_ref();
        Ok(TlsFiles {
            certificate: map("certificate", &self.certificate)?,
            key: map("key", &self.key)?,
            client_authorities: authorities
                .map(|one| map("client_authorities", one))
                .transpose()?,
        })
    }
}

impl TlsFiles<Vec<u8>> {
    pub(super) fn tls(&self) -> Result<ServerTls, Error> {
        ServerTls::new(&self.certificate, &self.key, self.client_authorities.as_deref())
    }

    fn hash(&self) -> TokenHash {
        let all = [&self.certificate, &self.key].into_iter().chain(&self.client_authorities);
        TokenHash::of_bytes(
            &all.flat_map(|one| [one.as_slice(), &[0]]).collect::<Vec<_>>().concat(),
        )
    }
}

impl CertificateFiles {
    pub(super) fn new(paths: TlsFiles<PathBuf>, contents: &TlsFiles<Vec<u8>>) -> Self {
        Self { paths, seen: contents.hash() }
    }

    /// Completes when the contents of a file have changed, which it checks at this interval. Files that cannot be read
    /// have not changed: they may be being replaced.
    pub(super) async fn changed(&mut self, every: Duration) {
        loop {
            tokio::time::sleep(every).await;
            let now = self.contents().map_or(self.seen, |contents| contents.hash());
            if now != self.seen {
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
    pub(super) fn read(&self) -> Result<ServerTls, Error> {
        self.contents()?.tls()
    }

    fn contents(&self) -> Result<TlsFiles<Vec<u8>>, Error> {
        self.paths.try_map(|_, path| {
            fs::read(path).map_err(|error| Error::config(format!("{}: {error}", path.display())))
        })
    }
}
