//! The tenant of a bridge for whom a client makes a call.

use std::sync::Arc;

#[cfg(feature = "serve")]
tokio::task_local! {
    static TENANT: Arc<str>;
}

/// Makes a call for a tenant, which is a label in what the client counts meanwhile. Logins have no call of their own, so
/// the task has the name.
#[cfg(feature = "serve")]
pub(crate) fn for_tenant<F: Future>(name: &Arc<str>, call: F) -> impl Future<Output = F::Output> {
    TENANT.scope(Arc::clone(name), call)
}

/// Returns the tenant for whom this task makes a call.
#[cfg(feature = "metrics")]
pub(super) fn tenant() -> Option<Arc<str>> {
    #[cfg(feature = "serve")]
    return TENANT.try_with(Arc::clone).ok();
    #[cfg(not(feature = "serve"))]
    None
}
