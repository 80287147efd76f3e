//! Opens a tunnel through a proxy with `CONNECT` (RFC 9110, 9.3.6).
//!
//! hyper-util's tunnel loses data that arrives together with the proxy's response, such as the settings of an
//! HTTP/2 server, accepts no success status but 200, and does not report who refused.

use std::io::{self, Cursor};

use bytes::{Buf, BytesMut};
use http::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::address::Proxy;
use super::proxy_error::ProxyError;
use crate::transport::USER_AGENT;
use crate::transport::monitored_connection::Stream;

/// The maximum size of a response.
const MAX_HEAD: usize = 16 * 1024;
const MAX_HEADERS: usize = 100;

/// Asks a proxy for a connection to `target`, which is `host:port`.
pub(super) async fn open(
    mut stream: TcpStream,
    proxy: &Proxy,
    target: &str,
) -> Result<Box<dyn Stream>, ProxyError> {
    let request =
        format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\nUser-Agent: {USER_AGENT}");
    let mut request = request.into_bytes();
    if let Some(authorization) = proxy.authorization() {
        request.extend_from_slice(b"\r\nProxy-Authorization: ");
        request.extend_from_slice(authorization.as_bytes());
    }
    request.extend_from_slice(b"\r\n\r\n");
    let broken =
        |error: io::Error| ProxyError::passing(format!("the connection to {proxy} broke: {error}"));
    stream.write_all(&request).await.map_err(broken)?;
    let mut read = BytesMut::new();
    let mut passed = 0;
    loop {
        while let Some(Head { status, length, schemes }) = head(&read, proxy)? {
            // Everything after a successful response comes from the target, whatever the headers say about a
            // body.
            read.advance(length);
            passed += length;
            match status.as_u16() {
                200..=299 => {
                    let (reader, writer) = stream.into_split();
                    let reader = AsyncReadExt::chain(Cursor::new(read.freeze()), reader);
                    return Ok(Box::new(tokio::io::join(reader, writer)));
                }
                // Informational responses.
                100 | 102..=199 => {}
                _ => return Err(refused(proxy, target, status, &schemes)),
            }
        }
        if passed + read.len() >= MAX_HEAD {
            let message = format!("{proxy} sent a response to CONNECT that does not end");
            return Err(ProxyError::lasting(message));
        }
        if stream.read_buf(&mut read).await.map_err(broken)? == 0 {
            let message =
                format!("{proxy} closed the connection instead of opening one to {target}");
            return Err(ProxyError::passing(message));
        }
    }
}

/// The head of a response.
struct Head {
    status: StatusCode,
    length: usize,
    /// The ways to log in that the proxy offers (RFC 9110, 11.7.1).
    schemes: Vec<String>,
}

/// Returns the head of a response, once that is complete.
fn head(read: &[u8], proxy: &Proxy) -> Result<Option<Head>, ProxyError> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let parsed = response.parse(read);
    let status = response.code.and_then(|code| StatusCode::from_u16(code).ok());
    match (parsed, status) {
        (Ok(httparse::Status::Complete(length)), Some(status)) => {
            let schemes = schemes(response.headers);
            Ok(Some(Head { status, length, schemes }))
        }
        (Ok(httparse::Status::Partial), _) => Ok(None),
        _ => {
            let message = format!("{proxy} did not answer CONNECT in HTTP: is it an http proxy?");
            Err(ProxyError::lasting(message))
        }
    }
}

/// Returns the schemes of all challenges: words without `=`, which the parameters between the commas have.
fn schemes(headers: &[httparse::Header<'_>]) -> Vec<String> {
    let challenges =
        headers.iter().filter(|header| header.name.eq_ignore_ascii_case("proxy-authenticate"));
    let parts = challenges.flat_map(|header| header.value.split(|byte| *byte == b','));
    let words = parts.filter_map(|part| {
        let part = std::str::from_utf8(part.trim_ascii()).ok()?;
        let word = part.split(' ').next().unwrap_or_default();
        let is_token = |c: char| c.is_ascii_alphanumeric() || c == '-';
        (!word.is_empty() && word.chars().all(is_token)).then(|| word.to_owned())
    });
    words.collect()
}

fn refused(proxy: &Proxy, target: &str, status: StatusCode, schemes: &[String]) -> ProxyError {
    let variable = proxy.variable();
    let has_basic = schemes.iter().any(|scheme| scheme.eq_ignore_ascii_case("basic"));
    let why = match (status.as_u16(), proxy.authorization()) {
        (407, _) if !has_basic && !schemes.is_empty() => {
            let schemes = schemes.join(" or ");
            format!(": it requires a login by {schemes}, and this client has only Basic")
        }
        (407, None) => {
            format!(": it requires a user name and password, which {variable} does not have")
        }
        (407, Some(_)) => format!(": it refused the user name and password in {variable}"),
        (401 | 403, _) => ": it does not allow that".to_owned(),
        (429, _) => ": it had too many requests".to_owned(),
        (502..=504, _) => ": it cannot reach the host now".to_owned(),
        _ => String::new(),
    };
    let message =
        format!("{proxy} opened no connection to {target} but answered HTTP {status}{why}");
    match status.as_u16() {
        408 | 429 | 502..=504 => ProxyError::passing(message),
        _ => ProxyError::lasting(message),
    }
}
