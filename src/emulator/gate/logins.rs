//! The token endpoints of both deployments ([facts](crate::facts#cloud-login)).

use std::collections::HashSet;
use std::time::SystemTime;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use serde_json::{Value, json};

use super::tokens::{Granted, Tokens};
use crate::rpc::Deployment;
use crate::server::RestFront;
use crate::server::encoding::has_media_type;
use crate::transcode::read_form;

const CLOUD: &str = "/oauth/token";
const ON_PREM: &str = "/GetTokens";
/// The maximum size of a login; parsing a longer form would take many times its size in memory.
pub(super) const MAX_BODY: usize = 64 * 1024;

/// Whether this is the path of a token endpoint. On-Prem has its own only.
pub(super) fn is_login(path: &str, deployment: Deployment) -> bool {
    path == ON_PREM || path == CLOUD && deployment == Deployment::Cloud
}

/// Handles a login; `None` if the request is not one.
pub(super) fn answer(
    tokens: &Tokens,
    request: &Request<Bytes>,
    deployment: Deployment,
    now: SystemTime,
) -> Option<Response<Bytes>> {
    let path = request.uri().path();
    if !is_login(path, deployment) {
        return None;
    }
    if request.method() != Method::POST {
        let mut response = RestFront::error(StatusCode::METHOD_NOT_ALLOWED, "expected POST");
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
        return Some(response);
    }
    Some(if path == CLOUD { cloud(tokens, request, now) } else { on_prem(tokens, request, now) })
}

/// Handles `grant_type` `password` and `refresh_token`. Errors have two forms at once: that of ESET's
/// gateway, and the members of RFC 6749, which clients have observed ([facts](crate::facts#cloud-login)).
fn cloud(tokens: &Tokens, request: &Request<Bytes>, now: SystemTime) -> Response<Bytes> {
    if !has_media_type(request.headers(), b"application/x-www-form-urlencoded") {
        let message = "the body must be application/x-www-form-urlencoded";
        return RestFront::error(StatusCode::UNSUPPORTED_MEDIA_TYPE, message);
    }
    let form = std::str::from_utf8(request.body()).ok().and_then(|text| read_form(text).ok());
    let Some(form) = form else { return refused("invalid_request", "the form cannot be read") };
    let names: HashSet<_> = form.iter().map(|(name, _)| name).collect();
    if names.len() < form.len() {
        // RFC 6749, 3.2.
        return refused("invalid_request", "a parameter appears twice");
    }
    let value = |wanted: &str| {
        let mut values = form.iter().filter(|(name, _)| name == wanted).map(|(_, value)| value);
        values.next().map_or("", String::as_str)
    };
    let granted = match value("grant_type") {
        "password" => tokens.login(value("username"), value("password"), now),
        "refresh_token" => tokens.refresh(value("refresh_token"), now),
        "" => return refused("invalid_request", "grant_type is missing"),
        _ => return refused("unsupported_grant_type", "grant_type: password or refresh_token"),
    };
    match granted {
        Some(Granted { access, refresh, expires_in }) => respond(
            StatusCode::OK,
            &json!({
                "access_token": access,
                "refresh_token": refresh,
                "token_type": "Bearer",
                "expires_in": expires_in,
            }),
        ),
        None => refused("invalid_grant", "the account or the token is not valid"),
    }
}

fn refused(error: &str, message: &str) -> Response<Bytes> {
    let status = StatusCode::BAD_REQUEST;
    respond(
        status,
        &json!({
            "error": error,
            "error_description": message,
            "code": status.as_u16(),
            "message": message,
            "details": [],
        }),
    )
}

/// The request appears to be ProtoJSON, so any spelling of names and enum values is accepted; clients may
/// send further members ([facts](crate::facts#on-prem-login)).
fn on_prem(tokens: &Tokens, request: &Request<Bytes>, now: SystemTime) -> Response<Bytes> {
    let wrong = |message| RestFront::error(StatusCode::BAD_REQUEST, message);
    if !has_media_type(request.headers(), b"application/json") {
        let message = "the body must be application/json";
        return RestFront::error(StatusCode::UNSUPPORTED_MEDIA_TYPE, message);
    }
    let Ok(Value::Object(login)) = serde_json::from_slice(request.body()) else {
        return wrong("the body is not a JSON object");
    };
    let is_password = match login.get("grant_type").or_else(|| login.get("grantType")) {
        None | Some(Value::Null) => true,
        Some(Value::Number(number)) => number.as_f64() == Some(0.0),
        Some(Value::String(text)) => text == "0" || text.eq_ignore_ascii_case("password"),
        Some(_) => false,
    };
    if !is_password {
        return wrong("grant_type: only 0, the password, is known");
    }
    let text = |name| login.get(name).and_then(Value::as_str);
    let (Some(username), Some(password)) = (text("username"), text("password")) else {
        return wrong("username and password must be set");
    };
    match tokens.login(username, password, now) {
        Some(Granted { access, expires_in, .. }) => {
            respond(StatusCode::OK, &json!({ "accessToken": access, "expiresIn": expires_in }))
        }
        None => RestFront::error(StatusCode::UNAUTHORIZED, "the account is not valid"),
    }
}

fn respond(status: StatusCode, body: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
