//! Why a proxy opened no connection.

use std::fmt;

/// Why there is no way through a proxy. The service saw nothing.
#[derive(Clone, Debug)]
pub(in crate::transport) struct ProxyError {
    message: String,
    pub(in crate::transport) kind: ProxyErrorKind,
}

/// How to resolve it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::transport) enum ProxyErrorKind {
    /// Change the variable.
    Variable,
    /// Ask the proxy's operator, or use another proxy.
    Lasting,
    /// Retrying may help.
    Passing,
}

impl ProxyError {
    pub(super) fn variable(name: &str, problem: &str) -> Self {
        let message = format!(
            "{name}: expected http://[USER:PASSWORD@]HOST[:PORT], found {problem}; nothing was sent"
        );
        Self { message, kind: ProxyErrorKind::Variable }
    }

    pub(super) fn lasting(message: String) -> Self {
        Self { message, kind: ProxyErrorKind::Lasting }
    }

    pub(super) fn passing(message: String) -> Self {
        Self { message, kind: ProxyErrorKind::Passing }
    }
}

impl fmt::Display for ProxyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ProxyError {}
