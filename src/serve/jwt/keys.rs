//! The keys of an issuer of tokens.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode, Uri};
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;

use crate::error::{Error, Secrets};
use crate::serve::background::Background;
use crate::telemetry::Degraded;
use crate::timer::TokioTimer;
use crate::transport::connector::Connector;
use crate::transport::http::HttpClient;
use crate::transport::keep_alive::{self, KeepAlive};
use crate::transport::tls::TlsConfig;
use crate::transport::{Limits, MessageLimit, is_loopback};

/// Keys are fetched again after this time, since the issuer may have withdrawn one.
const FRESH: Duration = Duration::from_secs(10 * 60);
/// The shortest time between two requests for them.
const PAUSE: Duration = Duration::from_secs(30);
/// If they cannot be fetched again, they are used for this time.
const STALE: Duration = Duration::from_secs(24 * 60 * 60);
/// The time for fetching them.
const PATIENCE: Duration = Duration::from_secs(5);
const LIMITS: Limits = Limits {
    first_byte: None,
    message: MessageLimit { bytes: 1024 * 1024, setting: None },
    header_list: 64 * 1024,
};
/// A token without the name of its key is tried with each, so there may not be many.
const MOST: usize = 64;

const A_KEY: &str = "a key for RS256, PS256, ES256 or EdDSA";

/// A set of public keys (JWKS, RFC 7517): from a file, or fetched from a URL. All clones are the same set.
#[derive(Clone, Debug)]
pub struct Jwks(Source);

#[derive(Clone, Debug)]
enum Source {
    Fixed(Arc<[Key]>),
    Fetched(Arc<Fetched>),
}

/// A public key.
#[derive(Debug)]
pub(super) struct Key {
    id: Option<String>,
    pub(super) algorithm: Algorithm,
    pub(super) key: DecodingKey,
}

impl Key {
    /// Whether it may be the key of a token that names its key so.
    pub(super) fn is_named(&self, id: Option<&str>) -> bool {
        id.is_none() || self.id.as_deref() == id
    }

    /// Returns the keys for this one in a set: RSA is for two algorithms. None for keys of other algorithms and uses.
    fn of(jwk: &Jwk) -> impl Iterator<Item = Self> {
        let common = &jwk.common;
        let of = common.public_key_use.as_ref();
        let algorithms: &[Algorithm] = match &jwk.algorithm {
            _ if of.is_some_and(|of| *of != PublicKeyUse::Signature) => &[],
            AlgorithmParameters::RSA(_) => &[Algorithm::RS256, Algorithm::PS256],
            AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => {
                &[Algorithm::ES256]
            }
            AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
                &[Algorithm::EdDSA]
            }
            _ => &[],
        };
        let only = common.key_algorithm.map(|only| only.to_string());
        let is_for =
            move |one: &&Algorithm| only.as_ref().is_none_or(|only| *only == format!("{one:?}"));
        algorithms.iter().filter(is_for).filter_map(|algorithm| {
            let key = DecodingKey::from_jwk(jwk).ok()?;
            Some(Self { id: common.key_id.clone(), algorithm: *algorithm, key })
        })
    }
}

impl Jwks {
    /// Reads a set in JSON. Keys that are malformed, or of a kind that is not known here, are ignored (RFC 7517, 5).
    ///
    /// # Errors
    ///
    /// Fails if it is not one, or has no key for RS256, PS256, ES256 or EdDSA.
    pub fn parse(json: impl AsRef<[u8]>) -> Result<Self, Error> {
        let keys = parse(json.as_ref())?;
        if keys.is_empty() {
            return Err(Error::config(format!("expected {A_KEY} in the set")));
        }
        Ok(Self(Source::Fixed(keys)))
    }

    /// Fetches the set from this address when a token arrives, again after ten minutes, and again for a token whose
    /// key is not in it, but not more often than every 30 seconds. Calls wait for that, at most five seconds. If it
    /// fails, which a `tracing` event at level `WARN` says once, the last set is used for a day, and a key that is not in
    /// it is `UNAVAILABLE`; the set is kept also after the configuration has been
    /// [read again](crate::serve::Config::read). A set without keys is obeyed, since the issuer may have withdrawn them.
    /// The server needs a certificate of an authority that the system trusts; the environment's proxy is used.
    ///
    /// # Errors
    ///
    /// Fails if it is no `https` address, nor an `http` address on loopback, or has credentials.
    pub fn fetched_from(url: &str) -> Result<Self, Error> {
        let wrong = || {
            Error::config(format!(
                "expected an https address of keys (http only on loopback), found {url:?}"
            ))
        };
        let uri: Uri = url.parse().map_err(|_| wrong())?;
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err(Error::config("credentials do not belong in an address of keys"));
        }
        let keep_alive = KeepAlive::new(None, keep_alive::TIMEOUT);
        let connector = Connector::new(PATIENCE, keep_alive, true);
        let connector = match uri.scheme_str() {
            Some("https") => {
                connector.with_tls(TlsConfig::new().connector(&[b"h2", b"http/1.1"])?).by_scheme()
            }
            Some("http") if uri.host().is_some_and(is_loopback) => connector,
            _ => return Err(wrong()),
        };
        let http = HttpClient::new(connector, LIMITS, Arc::new(TokioTimer));
        let (state, degraded) = (Mutex::default(), Degraded::new("jwks"));
        Ok(Self(Source::Fetched(Arc::new(Fetched { uri, http, state, degraded }))))
    }

    /// Whether both are fetched from the same address.
    pub(in crate::serve) fn is_fetched_like(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Source::Fetched(one), Source::Fetched(other)) => one.uri == other.uri,
            _ => false,
        }
    }

    /// Returns the keys, among them one of this name if the issuer has it; `None` if they cannot be fetched.
    pub(super) async fn current(&self, id: Option<&str>) -> Option<Arc<[Key]>> {
        match &self.0 {
            Source::Fixed(keys) => Some(Arc::clone(keys)),
            Source::Fetched(fetched) => fetched.current(id).await,
        }
    }
}

fn parse(json: &[u8]) -> Result<Arc<[Key]>, Error> {
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<Value>,
    }
    let set: Set = serde_json::from_slice(json)
        .map_err(|error| Error::config(format!("expected a JSON Web Key Set: {error}")))?;
    let known = set.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok());
    let keys: Arc<[Key]> =
        known.flat_map(|jwk: Jwk| Key::of(&jwk).collect::<Vec<_>>()).take(MOST).collect();
    Ok(keys)
}

#[derive(Debug)]
struct Fetched {
    uri: Uri,
    http: HttpClient,
    state: Mutex<State>,
    degraded: Degraded,
}

#[derive(Debug, Default)]
struct State {
    set: Option<(Arc<[Key]>, Instant)>,
    /// When the last request for the set began.
    tried: Option<Instant>,
    has_failed: bool,
    under_way: Option<Background>,
}

impl State {
    /// Returns the last set if it is not too old, and its age.
    fn usable(&self) -> Option<(&Arc<[Key]>, Duration)> {
        let usable = self.set.as_ref().map(|(keys, at)| (keys, at.elapsed()));
        usable.filter(|(_, age)| *age < STALE)
    }

    /// Returns the keys that there are; `None` if a new one may be missing among them.
    fn last(&self, id: Option<&str>) -> Option<Arc<[Key]>> {
        let (keys, _) = self.usable()?;
        (!self.has_failed || has(keys, id)).then(|| Arc::clone(keys))
    }
}

fn has(keys: &[Key], id: Option<&str>) -> bool {
    keys.iter().any(|key| key.is_named(id))
}

impl Fetched {
    /// Returns the keys for a token. A call whose key is missing waits for the request for the set, of which there is one at
    /// a time. Once the set is old, every call waits for it, unless the last request failed.
    async fn current(self: &Arc<Self>, id: Option<&str>) -> Option<Arc<[Key]>> {
        if let Some(under_way) = self.awaited(id) {
            under_way.ended().await;
        }
        self.lock().last(id)
    }

    /// Returns the request to wait for, which it begins if it may and none is under way.
    fn awaited(self: &Arc<Self>, id: Option<&str>) -> Option<Background> {
        let mut state = self.lock();
        let age = state.usable().filter(|(keys, _)| has(keys, id)).map(|(_, age)| age);
        if age.is_some_and(|age| age < FRESH) {
            return None;
        }
        let is_under_way = state.under_way.as_ref().is_some_and(|one| !one.is_over());
        let may_try = state.tried.is_none_or(|at| at.elapsed() >= PAUSE);
        if !is_under_way && may_try {
            state.tried = Some(Instant::now());
            let this = Arc::clone(self);
            state.under_way = Some(Background::begin(async move { this.fetch().await }));
        }
        let needs_none = age.is_some() && state.has_failed;
        state.under_way.clone().filter(|_| !needs_none)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fetches the set once.
    async fn fetch(&self) {
        let fetched = tokio::time::timeout(PATIENCE, self.ask()).await;
        let fetched = fetched.unwrap_or_else(|_| Err(format!("no answer within {PATIENCE:?}")));
        let problem = match &fetched {
            Ok(keys) => keys.is_empty().then(|| format!("expected {A_KEY}")),
            Err(error) => Some(error.clone()),
        };
        if self.degraded.set(problem.is_some()) {
            // Its query may have a secret.
            let uri = self.uri.to_string();
            let uri = uri.split('?').next().unwrap_or_default();
            match problem {
                None => {
                    tracing::warn!(target: "eset_protect::server", "the keys of the issuer of tokens are fetched again: {uri}");
                }
                Some(problem) => {
                    tracing::warn!(target: "eset_protect::server", "the keys of the issuer of tokens cannot be fetched: {uri}: {problem}");
                }
            }
        }
        let mut state = self.lock();
        state.has_failed = fetched.is_err();
        if let Ok(keys) = fetched {
            state.set = Some((keys, Instant::now()));
        }
    }

    async fn ask(&self) -> Result<Arc<[Key]>, String> {
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = self.uri.clone();
        let answer = self.http.send(request, Secrets::default).await;
        let answer = answer.map_err(|error| error.message().to_owned())?;
        if answer.status != StatusCode::OK {
            return Err(format!("HTTP status {}", answer.status));
        }
        parse(&answer.body).map_err(|error| error.message().to_owned())
    }
}
