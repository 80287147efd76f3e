//! Suggests what to try after a failure, but never what the user has already done.

use std::env;

use eset_protect::rpc::IdempotencyLevel;
use eset_protect::{Error, ErrorKind, Wire};
use tonic::Code;

use crate::server::{Server, ServerKind, Trust};
use crate::verb::verbs;
use crate::witness::has_answered;

/// Returns suggestions. If another call succeeded, it is the right server.
pub fn hints(error: &Error, server: Option<&Server>) -> Vec<String> {
    let is_elsewhere = error.code() == Code::NotFound && is_list(error) && !is_below(error);
    let is_broken = matches!(error.kind(), ErrorKind::Connect | ErrorKind::Transport);
    let is_right = (is_broken || is_elsewhere) && has_answered();
    let hint = if is_right { None } else { of_kind(error, server) };
    let mut hints: Vec<String> = hint.into_iter().collect();
    let level = error.rpc().map_or(IdempotencyLevel::Unknown, |spec| spec.idempotency);
    let anyway = match level {
        _ if !error.may_have_executed() => None,
        IdempotencyLevel::NoSideEffects => None,
        IdempotencyLevel::Idempotent => Some("it may have been done anyway, and can be repeated"),
        IdempotencyLevel::Unknown => {
            Some("it may have been done anyway: look before you repeat it")
        }
    };
    hints.extend(anyway.map(str::to_owned));
    hints
}

fn of_kind(error: &Error, server: Option<&Server>) -> Option<String> {
    let kind = server.map(|server| &server.kind);
    match (error.kind(), error.code()) {
        (ErrorKind::Config, _) => None,
        (ErrorKind::Connect, _) if is_without_http2(error) => Some(other_protocol(kind)),
        (ErrorKind::Connect, _) => Some(connect(error, server)),
        // Headers are as many on a smaller page.
        (ErrorKind::Limit, _) if error.message().contains("headers") => None,
        (ErrorKind::Limit, _) => is_list(error).then(|| SMALLER_PAGES.to_owned()),
        // It speaks the protocol, and its response broke off.
        (ErrorKind::Transport, Code::Unavailable) if error.http_status().is_some() => None,
        (ErrorKind::Transport, _) if error.message().starts_with("the stream broke") => None,
        // The pages before this one came from the right server.
        (ErrorKind::Transport, _) if error.message().contains("the same page token") => None,
        (ErrorKind::Transport, _) | (_, Code::Unimplemented) => Some(other_protocol(kind)),
        (_, Code::InvalidArgument) if error.message().contains("eset-protect-tenant") => {
            Some("--tenant NAME or ESET_PROTECT_TENANT says which".to_owned())
        }
        (_, Code::DeadlineExceeded) => Some(out_of_time(error, server)),
        // Only a login returns this code with that status.
        (_, Code::Unauthenticated) if error.http_status() == Some(404) => {
            let place = match server.is_some_and(|server| server.has_token_url) {
                true => "the address of --token-url",
                false if matches!(kind, Some(ServerKind::Endpoint { .. })) => {
                    "that address: --token-url says another, and --on-prem URL is for ESET PROTECT On-Prem"
                }
                false => "that address: --token-url says another",
            };
            Some(format!("there is no token endpoint at {place}"))
        }
        (_, Code::NotFound) if is_below(error) => list_of(error),
        // A list of everything is always there.
        (_, Code::NotFound) if is_list(error) => Some(elsewhere(kind)),
        (_, Code::Unauthenticated) => Some(unauthenticated(server).to_owned()),
        // The sender is not the service and knows no users.
        (_, Code::PermissionDenied) if error.message().contains("in front of the login") => Some(
            "the login itself was not asked: whoever runs the firewall or proxy that refused can say why"
                .to_owned(),
        ),
        (_, Code::PermissionDenied) => Some(denied(kind)),
        (_, Code::ResourceExhausted) if error.http_status() == Some(429) => {
            let rate = match server.is_some_and(|server| server.has_rate) {
                true => "lower --rate",
                false => "ask for fewer with --rate",
            };
            Some(format!("ESET answers ten calls a second: wait a little, or {rate}"))
        }
        _ => None,
    }
}

/// Whether the server responded in another protocol than HTTP/2. Silence means nothing.
fn is_without_http2(error: &Error) -> bool {
    let message = error.message();
    message.contains("no HTTP/2 from the server") && !message.contains("it said nothing")
}

const SMALLER_PAGES: &str = "ask for smaller pages with --page-size";

fn is_list(error: &Error) -> bool {
    error.rpc().is_some_and(|spec| spec.is_paged)
}

/// Whether the path names a resource, which may be missing.
fn is_below(error: &Error) -> bool {
    let binding = error.rpc().and_then(|spec| spec.http.first());
    binding.is_none_or(|binding| binding.path.contains('{'))
}

/// Returns the hint for a resource that is not there, if a command lists its like.
fn list_of(error: &Error) -> Option<String> {
    let spec = error.rpc()?;
    let noun = verbs().find(|verb| verb.spec.path == spec.path)?.noun;
    let has_list = verbs().any(|verb| verb.noun == noun && verb.verb == "list");
    let path = spec.http.first().map_or("", |binding| binding.path);
    let by = if path.ends_with("uuid}") { ", each with its UUID" } else { "" };
    has_list.then(|| format!("`eset-protect {noun} list` shows what there is{by}"))
}

/// Returns the hint for a server that is not ESET's API.
fn elsewhere(kind: Option<&ServerKind>) -> String {
    match kind {
        Some(ServerKind::Endpoint { .. }) => {
            "something answers at that address, but it has no such list: is it a server of these \
             services?"
        }
        Some(ServerKind::OnPrem(_)) => {
            "something answers at that address, but it has no such list: is it the REST API of ESET \
             PROTECT? It usually has port 9443; the web console has another"
        }
        _ => "something answers at that address, but it has no such list: does a proxy answer instead?",
    }
    .to_owned()
}

fn other_protocol(kind: Option<&ServerKind>) -> String {
    let Some(ServerKind::Endpoint { url, wire }) = kind else {
        return "is that a server of these services?".to_owned();
    };
    // Servers with TLS close connections without it, and return nothing readable.
    let tls = if url.starts_with("http://") { ". If it wants TLS, say https://" } else { "" };
    let (ours, other, flag) = match wire {
        Wire::Grpc => ("gRPC", "REST", "rest"),
        Wire::Rest => ("REST", "gRPC", "grpc"),
        _ => {
            let tls = tls.trim_start_matches('.');
            return format!("is that endpoint a server of these services?{tls}");
        }
    };
    format!(
        "is that endpoint a {ours} server of these services? If it speaks {other}, say --wire {flag}{tls}"
    )
}

fn out_of_time(error: &Error, server: Option<&Server>) -> String {
    // It was not the client's timeout.
    if error.kind() == ErrorKind::Status {
        let pages = if is_list(error) { format!(", or {SMALLER_PAGES}") } else { String::new() };
        return format!(
            "the service or a gateway in front of it gave up: --timeout does not change that; try later{pages}"
        );
    }
    match server.and_then(|server| server.timeout.as_deref()) {
        Some(timeout) => format!("give it more time than {timeout} with --timeout"),
        None => "give it more time with --timeout".to_owned(),
    }
}

fn connect(error: &Error, server: Option<&Server>) -> String {
    let message = error.message();
    // The message names the proxy and its variable.
    if message.contains("the proxy ") {
        return "NO_PROXY lists hosts to reach directly".to_owned();
    }
    if let (Some(server), true) = (server, message.contains("certificate")) {
        return certificate(message, server.trust);
    }
    if message.contains("key of TLS in common") {
        return USABLE_KEY.to_owned();
    }
    if message.contains("does not speak TLS") {
        return match server.map(|server| &server.kind) {
            Some(ServerKind::Endpoint { .. }) => {
                "say http:// for a server without TLS, or another port"
            }
            _ => "is that the right port?",
        }
        .to_owned();
    }
    match server.map(|server| (&server.kind, server.is_named)) {
        Some((ServerKind::Cloud(_), _)) => match proxy() {
            Some(name) => {
                format!("is this machine online, and is the proxy in {name} the right one?")
            }
            None => "is this machine online? If it needs a proxy, set HTTPS_PROXY".to_owned(),
        },
        Some((ServerKind::OnPrem(url), _)) => {
            let port = if url.contains(":9443") { "" } else { " It usually has port 9443" };
            format!("is the REST API of ESET PROTECT listening there?{port}")
        }
        Some((_, true)) => {
            "is a server listening there? `eset-protect emulator` starts one".to_owned()
        }
        _ => {
            "is a server listening there? Start one with `eset-protect emulator`, or name another \
              with --endpoint or ESET_PROTECT_ENDPOINT"
                .to_owned()
        }
    }
}

const USABLE_KEY: &str = "the server needs a certificate with a key of RSA of at least 2048 bits, ECDSA with P-256 or \
    P-384, or Ed25519";

/// Returns the hint for an untrusted certificate.
fn certificate(message: &str, trust: Trust) -> String {
    match trust {
        _ if message.contains("a key that this client cannot use") => USABLE_KEY,
        // The check of a pinned certificate has nothing else to say.
        Trust::Pinned { .. } if !message.contains("than the pinned one") => {
            "the server needs another certificate, without what the message names"
        }
        Trust::Pinned { flag } => {
            return format!("{flag} must name the server's own certificate; it may have been renewed");
        }
        // An authority's own certificate is never a server's, whoever trusts it.
        Trust::Authority if message.contains("authority (CA) as its own") => {
            "say --pin-cert instead of --ca-cert for a server that signed its own certificate"
        }
        Trust::Authority if message.contains("not trusted") => {
            "the file of --ca-cert must be the certificate of the authority that signed the server's"
        }
        Trust::Authority => "--pin-cert FILE trusts a certificate whatever name and dates it has",
        Trust::System => {
            "a server that signed its own certificate needs --pin-cert FILE, an authority of your own \
             --ca-cert FILE"
        }
    }
    .to_owned()
}

/// Returns the variable that names a proxy, if any.
fn proxy() -> Option<&'static str> {
    let is_set = |name: &&str| env::var_os(name).is_some_and(|value| !value.is_empty());
    ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"].into_iter().find(is_set)
}

fn unauthenticated(server: Option<&Server>) -> &'static str {
    match server {
        Some(Server { has_login: false, .. }) => {
            "that server wants a login: set ESET_PROTECT_USERNAME and ESET_PROTECT_PASSWORD, or say \
             --username or --credentials"
        }
        Some(Server { kind: ServerKind::Cloud(_), .. }) => {
            "check the login, and that \"Integrations\" is on for the API user in ESET PROTECT Hub or \
             ESET Business Account"
        }
        _ => "check the login",
    }
}

fn denied(kind: Option<&ServerKind>) -> String {
    match kind {
        Some(ServerKind::Cloud(region)) => format!(
            "the region may be wrong: is your ESET PROTECT in {region}? If it is, check that \
             \"Integrations\" is on for the API user and that it has the permissions"
        ),
        _ => "check the permissions of that user".to_owned(),
    }
}
