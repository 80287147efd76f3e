//! Which RPCs the server of a client has, and by which of their HTTP bindings ([facts](crate::facts#on-prem)).

use std::collections::BTreeMap;
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
}

impl Deployed {
    pub(crate) fn new(deployment: Option<Deployment>) -> Self {
        Self { deployment, renamed: Mutex::default() }
    }

    /// Prepares a call. Fails if the deployment has no such RPC.
    pub(super) fn prepare(&self, outgoing: &Outgoing<'_>) -> Result<(), Error> {
        let spec = outgoing.spec();
        let Some(deployment) = self.deployment else { return Ok(()) };
        if !deployment.has(spec) {
            let message = format!(
                "only ESET Connect has {}, ESET PROTECT On-Prem does not; nothing was sent",
                spec.method
            );
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

    /// Remembers by which binding a call succeeded.
    pub(super) fn succeeded(&self, outgoing: &Outgoing<'_>) {
        if is_renamed(outgoing.spec()) {
            self.renamed().insert(outgoing.spec().path, outgoing.is_older());
        }
    }

    /// Adds to the error of a call what is known of its server.
    pub(super) fn explained(&self, spec: &MethodSpec, error: Error) -> Error {
        let since = spec.on_prem.map(|on_prem| on_prem.since).filter(|since| *since > FIRST);
        match (self.deployment, error.kind(), error.code(), since) {
            (
                Some(Deployment::OnPrem { .. }),
                ErrorKind::Status,
                Code::NotFound,
                Some((major, minor)),
            ) => {
                let method = spec.method;
                error.with_note(&format!("ESET PROTECT On-Prem has {method} since {major}.{minor}"))
            }
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

fn is_renamed(spec: &MethodSpec) -> bool {
    spec.on_prem.is_some_and(|on_prem| on_prem.renamed_in.is_some())
}
