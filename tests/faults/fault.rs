//! A fault: what the servers do, and why the client does what it does.

use std::net::SocketAddr;
use std::sync::Arc;

use eset_protect::TlsConfig;

use crate::support::scripted::Answer;
use crate::support::scripted::frames::Act;
use crate::support::timer::DrivenTimer;
use crate::support::tls::Identified;

/// What a server does with a connection first.
#[derive(Clone)]
pub enum Begin {
    Plain,
    /// Shows this certificate, with these protocols.
    Tls(Arc<Identified>, &'static [&'static [u8]]),
    /// Where a connection is killed, it is by TCP's RST.
    WithoutLinger,
    /// Waits for the first byte, reads nothing and says nothing.
    Silent,
    /// So many connections end by RST with the first byte, which nobody has read.
    ResetUnread(usize),
    /// So many connections end by RST before anything has arrived, or after: whichever is first.
    ResetAtOnce(usize),
}

/// The server of the API.
#[derive(Clone)]
pub enum Api {
    /// Nobody listens.
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

/// What the servers do.
#[derive(Clone)]
pub struct Setting {
    pub api: Api,
    pub begin: Begin,
    pub tls: TlsConfig,
    /// What the login answers before it gives tokens; `None` where nobody listens.
    pub login: Option<Vec<Answer>>,
    /// So many requests, the first ones, are provably not processed.
    pub unprocessed: usize,
    /// The server sees every attempt.
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
        // Who ends before it reads sees nothing.
        self.is_seen &= matches!(begin, Begin::Plain | Begin::WithoutLinger);
        self.begin = begin;
        self
    }

    pub fn unprocessed(self, unprocessed: usize) -> Self {
        Self { unprocessed, ..self }
    }

    pub fn login(self, login: Option<Vec<Answer>>) -> Self {
        // A call without a token is an attempt only where it is sent.
        Self { login, ..self }
    }
}

/// What a fault needs to know of the stage.
pub struct Scene {
    pub timer: DrivenTimer,
    pub elsewhere: SocketAddr,
}

type Set = Box<dyn Fn(&Scene) -> Setting>;

/// A fault.
pub struct Fault {
    pub name: String,
    /// Why the client does what it does, with an idempotent call and with another.
    pub why: [&'static str; 2],
    pub set: Set,
}

/// A fault of which both calls have the same to say.
pub fn fault(
    name: impl Into<String>,
    why: &'static str,
    set: impl Fn(&Scene) -> Setting + 'static,
) -> Fault {
    Fault { name: name.into(), why: [why, why], set: Box::new(set) }
}

impl Fault {
    /// The same, and what is different for a call that is not idempotent.
    pub fn create(mut self, why: &'static str) -> Self {
        self.why[1] = why;
        self
    }
}
