//! Settings for tests of the retry policy, the same for both wires.

use eset_protect::Wire;
use tonic::Code;

use crate::fault::{Api, Setting};
use crate::faults::grpc::status;
use crate::faults::grpc_streams;
use crate::faults::rest;
use crate::faults::{TASK, message};
use crate::support::driven_timer::DrivenTimer;
use crate::support::scripted::frames::{Act, grpc};
use crate::support::scripted::{Answer, Step, json, ok};

pub const WIRES: [Wire; 2] = [Wire::Grpc, Wire::Rest];

/// A server's response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    /// The task.
    Task,
    /// Unavailable.
    Down,
    /// Not found.
    NotFound,
    /// The token is invalid.
    Unauthenticated,
}

impl Says {
    fn grpc(self) -> Vec<Act> {
        match self {
            Self::Task => grpc(&message()),
            Self::Down => status(Code::Unavailable, vec![]),
            Self::NotFound => status(Code::NotFound, vec![]),
            Self::Unauthenticated => status(Code::Unauthenticated, vec![]),
        }
    }

    fn rest(self) -> Answer {
        match self {
            Self::Task => ok(TASK),
            Self::Down => json("503 Service Unavailable", "{}"),
            Self::NotFound => json("404 Not Found", "{}"),
            Self::Unauthenticated => json("401 Unauthorized", "{}"),
        }
    }
}

/// Creates a server with these responses in turn, and then always the last argument.
pub fn says(wire: Wire, script: &[Says], otherwise: Says) -> Setting {
    if wire == Wire::Rest {
        let script = script.iter().map(|says| says.rest()).collect();
        Setting::new(Api::Http1 { script, otherwise: otherwise.rest() }, true)
    } else {
        let script = script.iter().map(|says| says.grpc()).collect();
        Setting::new(Api::Http2 { script, otherwise: otherwise.grpc() }, false)
    }
}

/// Creates a server that is always down.
pub fn down(wire: Wire) -> Setting {
    says(wire, &[], Says::Down)
}

/// Creates a server with these responses in turn, which then hangs until something expires.
pub fn says_then_silent(wire: Wire, script: &[Says], timer: &DrivenTimer) -> Setting {
    let mut setting = says(wire, script, Says::Task);
    match &mut setting.api {
        Api::Http1 { otherwise, .. } => {
            *otherwise = Answer::Steps(vec![Step::Then(timer.silence())]);
        }
        Api::Http2 { otherwise, .. } => *otherwise = vec![Act::Then(timer.silence())],
        Api::Nobody => {}
    }
    setting
}

/// Creates a server with these first responses.
pub fn streams(acts: Vec<Vec<Act>>) -> Setting {
    let mut setting = grpc_streams::once(Vec::new());
    if let Api::Http2 { script, .. } = &mut setting.api {
        *script = acts;
    }
    setting
}

/// Does the same over REST.
pub fn answers(script: Vec<Answer>) -> Setting {
    rest::script(script)
}
