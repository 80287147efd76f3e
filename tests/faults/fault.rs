//! A fault: what the servers do, and why the client reacts as it does.

use std::net::SocketAddr;
use std::sync::Arc;

use eset_protect::TlsConfig;

use crate::support::driven_timer::DrivenTimer;
use crate::support::scripted::Answer;
use crate::support::scripted::frames::Act;
use crate::support::tls::Identified;

/// What a server does first with a connection.
#[derive(Clone)]
pub enum Begin {
    Plain,
    /// Offers this certificate, with these protocols.
    Tls(Arc<Identified>, &'static [&'static [u8]]),
    /// Killed connections end with TCP's RST.
    WithoutLinger,
    /// Waits for the first byte, then neither reads nor writes.
    Silent,
    /// This number of connections end with RST at the first byte, unread.
    ResetUnread(usize),
    /// This number of connections end with RST before or after data has arrived, whichever happens first.
    ResetAtOnce(usize),
}

/// The API's server.
#[derive(Clone)]
pub enum Api {
    /// Nothing listens.
    Nobody,
    Http1 {
        script: Vec<Answer>,
        otherwise: Answer,
    },
    Http2 {
        script: Vec<Vec<Act>>,
        otherwise: Vec<Act>,
    },
}

/// The behaviour of the servers.
#[derive(Clone)]
pub struct Setting {
    pub api: Api,
    pub begin: Begin,
    pub tls: TlsConfig,
    /// The login's responses before it issues tokens; `None` if nothing listens.
    pub login: Option<Vec<Answer>>,
    /// The number of first requests that are provably not processed.
    pub unprocessed: usize,
    /// Whether the server sees every attempt.
    pub is_seen: bool,
    pub is_rest: bool,
}

impl Setting {
    pub fn new(api: Api, is_rest: bool) -> Self {
        Self {
            api,
            begin: Begin::Plain,
            tls: TlsConfig::new(),
            login: Some(Vec::new()),
            unprocessed: 0,
            is_seen: true,
            is_rest,
        }
    }

    pub fn begin(mut self, begin: Begin) -> Self {
        // A server that ends before reading sees nothing.
        self.is_seen &= matches!(begin, Begin::Plain | Begin::WithoutLinger);
        self.begin = begin;
        self
    }

    pub fn unprocessed(self, unprocessed: usize) -> Self {
        Self { unprocessed, ..self }
    }

    pub fn login(self, login: Option<Vec<Answer>>) -> Self {
        // A call without a token is an attempt only if it is sent.
        Self { login, ..self }
    }
}

/// What a fault can use of the stage.
pub struct Scene {
    pub timer: DrivenTimer,
    pub elsewhere: SocketAddr,
}

type Set = Box<dyn Fn(&Scene) -> Setting>;

/// A fault.
pub struct Fault {
    pub name: String,
    /// Why the client reacts as it does, for an idempotent call and for another.
    pub why: [&'static str; 2],
    pub set: Set,
}

/// Creates a fault with the same reason for both calls.
pub fn fault(
    name: impl Into<String>,
    why: &'static str,
    set: impl Fn(&Scene) -> Setting + 'static,
) -> Fault {
    Fault { name: name.into(), why: [why, why], set: Box::new(set) }
}

impl Fault {
    /// Sets a different reason for a call that is not idempotent.
    pub fn create(mut self, why: &'static str) -> Self {
        self.why[1] = why;
        self
    }
}
