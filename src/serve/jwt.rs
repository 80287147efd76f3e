//! Callers who show a JSON Web Token.

mod crypto;
mod keys;

use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value, from_slice};
use tonic::Status;

pub use self::keys::Jwks;
use crate::json::base64;

/// How far the clocks of the issuer and of this server may differ, in seconds.
const LEEWAY: u64 = 30;

/// The issuer of the JSON Web Tokens (RFC 7519) of callers with [`Identity::Jwt`](super::Identity::Jwt).
///
/// A token is accepted if it is signed with RS256, PS256, ES256 or EdDSA (Ed25519) by one of the issuer's
/// [keys](Jwks), and has this `iss`, this `aud`, and an `exp` in the future. `nbf` is checked if present. Clocks may
/// differ by 30 seconds. Other algorithms are refused: `none`, and HMAC, of which the server would have the secret. So are
/// tokens for other purposes (RFC 8725, 3.11): those of a `typ` that ends with `+jwt` and is not `at+jwt`, such as
/// `logout+jwt`, and those with the claim `events`. A token with this `iss` is for this server alone: even an invalid one,
/// or a signed one whose claims cannot be read, is not passed on for a caller with
/// [`Identity::OwnToken`](super::Identity::OwnToken).
///
/// The crate `jsonwebtoken` verifies tokens. It has one provider of cryptography for the whole process: the one that your
/// program has installed before, or else ring.
///
/// ```
/// use eset_protect::serve::{Jwks, JwtIssuer};
///
/// let keys = Jwks::fetched_from("https://idp.example/.well-known/jwks.json")?;
/// let issuer = JwtIssuer::new("https://idp.example/", "eset-protect", keys).claim("client_id");
/// # Ok::<(), eset_protect::Error>(())
/// ```
#[derive(Debug)]
pub struct JwtIssuer {
    issuer: String,
    audience: String,
    claim: String,
    keys: Jwks,
}

/// What matters in a part of a token, whatever else is in it. Members that are there twice are an error: others could take
/// another one than this server.
#[derive(Deserialize)]
struct Part {
    iss: Option<Value>,
    alg: Option<IgnoredAny>,
    /// Of an encrypted one.
    enc: Option<IgnoredAny>,
}

impl Part {
    fn read(base64: &str) -> Option<Self> {
        from_slice(&base64::decode(base64.trim_end_matches('=')).ok()?).ok()
    }
}

/// Who a valid token is for.
pub(super) struct Verified {
    /// The values of the claim that names the caller.
    pub(super) values: Vec<String>,
    pub(super) subject: Option<String>,
}

impl JwtIssuer {
    /// Accepts tokens of this issuer (`iss`) for this audience (`aud`), signed with these keys.
    pub fn new(issuer: impl Into<String>, audience: impl Into<String>, keys: Jwks) -> Self {
        let (issuer, audience, claim) = (issuer.into(), audience.into(), "sub".to_owned());
        Self { issuer, audience, claim, keys }
    }

    /// Sets the claim that names the caller: `sub` by default. Its value is text or a list of texts, such as groups,
    /// of which one must be that of a caller.
    #[must_use]
    pub fn claim(mut self, name: impl Into<String>) -> Self {
        self.claim = name.into();
        self
    }

    /// Keeps the keys that the previous issuer has fetched, if from the same address.
    #[must_use]
    pub(super) fn after(mut self, previous: Option<&Self>) -> Self {
        if let Some(previous) =
            previous.filter(|previous| previous.keys.is_fetched_like(&self.keys))
        {
            self.keys = previous.keys.clone();
        }
        self
    }

    /// Whether a token names this issuer, valid or not, in any of its parts: other software may accept as a JWT what this
    /// server does not.
    fn is_named_by(&self, token: &str) -> bool {
        token.split('.').filter_map(Part::read).any(|part| match part.iss {
            Some(Value::Array(issuers)) => issuers.iter().any(|one| *one == *self.issuer),
            issuer => issuer.is_some_and(|issuer| issuer == *self.issuer),
        })
    }

    /// Whether a token may be of this issuer, valid or not: it names it, or it is signed and its claims cannot be read,
    /// while others may be able to.
    pub(super) fn may_have_made(&self, token: &str) -> bool {
        let mut parts = token.split('.').map(Part::read);
        let is_signed = |head: Part| head.alg.is_some() && head.enc.is_none();
        parts.next().flatten().is_some_and(is_signed) && matches!(parts.next(), Some(None))
            || self.is_named_by(token)
    }

    /// Verifies a token; `None` if it is not valid. Keys are not fetched for one of another issuer.
    ///
    /// # Errors
    ///
    /// Returns `UNAVAILABLE` if the keys cannot be fetched.
    pub(super) async fn verify(&self, token: &str) -> Result<Option<Verified>, Status> {
        let Some(header) = decode_header(token).ok().filter(|_| self.is_named_by(token)) else {
            return Ok(None);
        };
        // An extension that must be understood (RFC 7515, 4.1.11), and none is.
        if header.crit.is_some() || !is_for_access(header.typ.as_deref()) {
            return Ok(None);
        }
        let kid = header.kid.as_deref();
        // The log has the reason. Callers who are not known yet do not learn where the keys come from.
        let keys = self.keys.current(kid).await.ok_or_else(|| {
            Status::unavailable("the keys of the issuer of tokens cannot be fetched")
        })?;
        crypto::install();
        let mut candidates =
            keys.iter().filter(|key| key.algorithm == header.alg && key.is_named(kid));
        let claims = candidates.find_map(|key| {
            decode::<Map<String, Value>>(token, &key.key, &self.validation(key.algorithm)).ok()
        });
        let Some(claims) = claims.map(|data| data.claims) else { return Ok(None) };
        // It tells of events (RFC 8417, 2.2), such as the end of a session.
        if claims.contains_key("events") {
            return Ok(None);
        }
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let values = match claims.get(&self.claim) {
            Some(Value::Array(values)) => values.iter().filter_map(text).collect(),
            value => value.and_then(text).into_iter().collect(),
        };
        Ok(Some(Verified { values, subject: claims.get("sub").and_then(text) }))
    }

    fn validation(&self, algorithm: Algorithm) -> Validation {
        let mut validation = Validation::new(algorithm);
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&[&self.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        validation.validate_nbf = true;
        validation.leeway = LEEWAY;
        validation
    }
}

/// Whether a token of this type says who calls. The same keys sign others.
fn is_for_access(typ: Option<&str>) -> bool {
    let typ = typ.unwrap_or_default().to_ascii_lowercase();
    let typ = typ.strip_prefix("application/").unwrap_or(&typ);
    typ == "at+jwt" || !typ.ends_with("+jwt")
}
