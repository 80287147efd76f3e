//! Which RPCs the server of a client has, and by which of their HTTP bindings ([facts](crate::facts#on-prem)).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tonic::Code;

use crate::error::{Error, ErrorKind};
use crate::rpc::{Deployment, MethodSpec};
use crate::transport::{Link, Outgoing};

/// The first version of ESET PROTECT On-Prem with an API.
const FIRST: (u16, u16) = (13, 0);

/// The deployment of a client, and what its server showed.
pub(crate) struct Deployed {
    pub(crate) deployment: Option<Deployment>,
    /// Of each renamed RPC that succeeded, whether that was by an older binding.
    renamed: Mutex<BTreeMap<&'static str, bool>>,
    /// The version that brought the newest RPC that succeeded.
    newest: AtomicU32,
}

impl Deployed {
    pub(crate) fn new(deployment: Option<Deployment>) -> Self {
        Self { deployment, renamed: Mutex::default(), newest: AtomicU32::new(number(FIRST)) }
    }

    /// Prepares a call. Fails if the deployment has no such RPC.
    pub(super) fn prepare(&self, outgoing: &Outgoing<'_>) -> Result<(), Error> {
        let spec = outgoing.spec();
        let Some(deployment) = self.deployment else { return Ok(()) };
        if !deployment.has(spec) {
            let place = match spec.on_prem.map(|on_prem| on_prem.since) {
                Some((major, minor)) => format!(
                    "ESET PROTECT On-Prem has {} since {major}.{minor}, and the server is {deployment}",
                    spec.method
                ),
                None => {
                    format!("only ESET Connect has {}, ESET PROTECT On-Prem does not", spec.method)
                }
            };
            let message = format!("{place}; nothing was sent");
            return Err(Error::new(ErrorKind::Config, Code::Unimplemented, message).unsent());
        }
        if is_renamed(spec) {
            outgoing.set_older(self.renamed().get(spec.path) == Some(&true));
        }
        Ok(())
    }

    /// Whether to send a request again by an older binding, because the server does not know the newer one
    /// and ran nothing.
    pub(super) fn falls_back(&self, outgoing: &Outgoing<'_>, link: &Link, error: &Error) -> bool {
        let spec = outgoing.spec();
        let may_be_older = matches!(self.deployment, Some(Deployment::OnPrem { .. }))
            && link.is_rest()
            && is_renamed(spec)
            && !outgoing.is_older()
            && is_missing(error)
            && !self.renamed().contains_key(spec.path);
        if may_be_older {
            outgoing.set_older(true);
        }
        may_be_older
    }

    /// Remembers that the server has the RPC, and by which binding.
    pub(super) fn succeeded(&self, outgoing: &Outgoing<'_>) {
        if let Some(on_prem) = outgoing.spec().on_prem.filter(|on_prem| on_prem.since > FIRST) {
            self.newest.fetch_max(number(on_prem.since), Ordering::Relaxed);
        }
        if is_renamed(outgoing.spec()) {
            self.renamed().insert(outgoing.spec().path, outgoing.is_older());
        }
    }

    /// Adds to the error of a call what is known of its server.
    pub(super) fn explained(&self, spec: &MethodSpec, error: Error) -> Error {
        // An older server answers as if a resource were missing when it is the RPC that it does not have.
        let since = spec.on_prem.map(|on_prem| on_prem.since);
        let since = since.filter(|since| number(*since) > self.newest.load(Ordering::Relaxed));
        match (self.deployment, error.kind(), error.code(), since) {
            (
                Some(Deployment::OnPrem { .. }),
                ErrorKind::Status,
                Code::NotFound,
                Some((major, minor)),
            ) => error.with_note(&format!(
                "or the server is older than ESET PROTECT On-Prem {major}.{minor}, which brought {}",
                spec.method
            )),
            // Observed of modules that a tenant does not have (FACTS.md#incident-management).
            (Some(Deployment::Cloud), ErrorKind::Status, Code::Unimplemented, _) => {
                error.with_note("the tenant does not have the module of this service")
            }
            _ => error,
        }
    }

    fn renamed(&self) -> MutexGuard<'_, BTreeMap<&'static str, bool>> {
        self.renamed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the server may not know the path of a request.
pub(super) fn is_missing(error: &Error) -> bool {
    error.http_status().is_some_and(|status| matches!(status, 404 | 405 | 501))
}

/// A version as a number that compares like it.
fn number((major, minor): (u16, u16)) -> u32 {
    u32::from(major) << 16 | u32::from(minor)
}

fn is_renamed(spec: &MethodSpec) -> bool {
    spec.on_prem.is_some_and(|on_prem| on_prem.renamed_in.is_some())
}
