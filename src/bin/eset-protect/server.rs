//! The server of a command, as the user specified it. Used for hints.

use std::fmt;

use eset_protect::Wire;

/// A server, and the flag or variable that names it.
#[derive(Debug)]
pub struct Server {
    pub kind: ServerKind,
    pub has_login: bool,
    /// Whether a flag or variable names it, rather than the default.
    pub is_named: bool,
    pub timeout: Option<String>,
    pub has_rate: bool,
    pub has_token_url: bool,
    pub trust: Trust,
}

/// The kind of server.
#[derive(Debug)]
pub enum ServerKind {
    Endpoint {
        url: String,
        wire: Wire,
    },
    /// The cloud in this region.
    Cloud(String),
    OnPrem(String),
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ServerKind::Endpoint { url, .. } | ServerKind::OnPrem(url) => f.write_str(url),
            ServerKind::Cloud(region) => write!(f, "ESET Connect {region}"),
        }
    }
}

/// The trusted certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    System,
    Authority,
    /// By this flag, of several.
    Pinned {
        flag: &'static str,
    },
}
