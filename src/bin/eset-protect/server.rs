//! The server that a command calls, as its user described it. Hints are made of it.

use eset_protect::Wire;

/// A server, and what a flag or a variable says about it.
#[derive(Debug)]
pub struct Server {
    pub kind: ServerKind,
    pub has_login: bool,
    /// A flag or a variable names it: it is not the default endpoint.
    pub is_named: bool,
    pub timeout: Option<String>,
    pub has_rate: bool,
    pub has_token_url: bool,
    pub trust: Trust,
}

/// What kind of server it is.
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

/// Which certificates are trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    System,
    Authority,
    Pinned,
}
