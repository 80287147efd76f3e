//! What to try after a failure.

use eset_protect::{Error, ErrorKind, Wire};
use tonic::Code;

use super::At;
use crate::connection::Place;

pub fn hints(error: &Error, at: Option<&At>) -> Vec<String> {
    let mut hints = Vec::new();
    let mut hint = |text: &str| hints.push(text.to_owned());
    let place = at.map(|at| &at.place);
    let wire = match place {
        Some(Place::Endpoint { wire, .. }) => Some(*wire),
        _ => None,
    };
    match (error.kind(), error.code()) {
        (ErrorKind::Config, _) => {}
        (ErrorKind::Connect, _) => hint(connect(error, place)),
        (ErrorKind::Limit, _) => hint("ask for smaller pages with --page-size"),
        (ErrorKind::Transport, _) | (_, Code::Unimplemented) => match wire {
            Some(Wire::Grpc) => hint(
                "is that endpoint a gRPC server of these services? If it speaks REST, say --wire rest",
            ),
            Some(Wire::Rest) => hint(
                "is that endpoint a REST server of these services? If it speaks gRPC, say --wire grpc",
            ),
            _ => hint("is that a server of these services?"),
        },
        (_, Code::DeadlineExceeded) => hint("give it more time with --timeout"),
        (_, Code::NotFound) => hint("`list` shows what there is"),
        // Only a login has this code with that status.
        (_, Code::Unauthenticated) if error.http_status() == Some(404) => {
            hint("there is no token endpoint at that address: --token-url says another");
        }
        (_, Code::Unauthenticated) => hint(&unauthenticated(at)),
        // Who says so is not the service, and knows no users.
        (_, Code::PermissionDenied) if error.message().contains("in front of the login") => hint(
            "the login itself was not asked: whoever runs the firewall or proxy that refused can say why",
        ),
        (_, Code::PermissionDenied) => hint(&denied(place)),
        (_, Code::ResourceExhausted) if error.http_status() == Some(429) => {
            hint("ESET answers ten calls a second: wait a little, or ask for fewer with --rate");
        }
        _ => {}
    }
    let changes_nothing = error.rpc().is_some_and(|spec| spec.idempotency.is_idempotent());
    if error.may_have_executed() && !changes_nothing {
        hint("it may have been done all the same: look before you repeat it");
    }
    hints
}

fn connect(error: &Error, place: Option<&Place>) -> &'static str {
    // It says which, and what the variable is that names it.
    if error.message().contains("the proxy ") {
        return "NO_PROXY names what is reached without that proxy";
    }
    if error.message().contains("certificate") {
        return "a server that signed its own certificate needs --pin-cert FILE, an authority of your \
                own --ca-cert FILE";
    }
    match place {
        Some(Place::Cloud(_)) => {
            "is this machine online? Where a proxy leads out, HTTPS_PROXY names it"
        }
        Some(Place::OnPrem(_)) => {
            "is the REST API of ESET PROTECT listening there? It usually has port 9443"
        }
        _ => {
            "is a server listening there? Start one with `eset-protect emulator`, or name another \
             with --endpoint or ESET_PROTECT_ENDPOINT"
        }
    }
}

fn unauthenticated(at: Option<&At>) -> String {
    let text = match at {
        Some(At { has_login: false, .. }) => {
            "that server wants a login: set ESET_PROTECT_USERNAME and ESET_PROTECT_PASSWORD, or say \
             --username or --credentials"
        }
        Some(At { place: Place::Cloud(_), .. }) => {
            "check the login, and that \"Integrations\" is on for the API user in ESET PROTECT Hub or \
             ESET Business Account"
        }
        _ => "check the login",
    };
    text.to_owned()
}

fn denied(place: Option<&Place>) -> String {
    match place {
        Some(Place::Cloud(region)) => format!(
            "the region may be wrong: is your ESET PROTECT in {region}? If it is, check that \
             \"Integrations\" is on for the API user and that it has the permissions"
        ),
        _ => "check the permissions of that user".to_owned(),
    }
}
