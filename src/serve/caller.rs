//! A caller: its identity, and what it may do.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use ring::digest::{SHA256, digest};

use super::rules::Rules;

/// A caller of a bridge: its identity, the tenants that it may use, and the RPCs that it may call.
#[derive(Clone, Debug)]
pub struct Caller {
    pub(super) name: Arc<str>,
    pub(super) identity: Identity,
    pub(super) tenants: Vec<String>,
    pub(super) rules: Rules,
}

/// How a caller identifies itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Identity {
    /// `Authorization: Bearer TOKEN`, with a token that has this hash.
    Token(TokenHash),
    /// A client certificate for this name: a URI such as a SPIFFE ID (`spiffe://example.org/soar`), or a DNS name. Only
    /// the path of a URI is case-sensitive. The bridge needs authorities for client certificates:
    /// [`ServerTls::new`](super::ServerTls::new).
    Certificate(String),
    /// `Authorization: Bearer JWT`, of the issuer of [`Access::jwt`](super::Access::jwt), with this value in its claim.
    Jwt(String),
    /// `Authorization: Bearer TOKEN` with any other token. The bridge passes it on, and the upstream says who the
    /// caller is. Each token has the rate limit of the tenant for itself, up to 1,024 tokens at a time that the upstream
    /// has accepted and 1,024 others; further ones share one.
    ///
    /// With an [`AuditLog`](super::AuditLog), such a caller should first make a call that changes nothing, such as a list:
    /// until the upstream has accepted one, the token may be made up, and its calls that change something are refused
    /// while many such tokens fill the log.
    OwnToken,
    /// Everybody else. Only for a bridge that listens on loopback.
    Anyone,
}

impl Caller {
    /// Creates a caller that may use no tenant yet and call every RPC. The name is for logs and errors.
    pub fn new(name: impl Into<String>, identity: Identity) -> Self {
        let identity = match identity {
            Identity::Certificate(name) => Identity::Certificate(certified(&name)),
            other => other,
        };
        Self {
            name: Arc::from(name.into()),
            identity,
            tenants: Vec::new(),
            rules: Rules::default(),
        }
    }

    /// Lets it use a tenant. A caller with several names the one of a call in the metadata
    /// `eset-protect-tenant`.
    #[must_use]
    pub fn tenant(mut self, name: impl Into<String>) -> Self {
        let name = name.into();
        if !self.may_use(&name) {
            self.tenants.push(name);
        }
        self
    }

    /// Sets which RPCs it may call.
    #[must_use]
    pub fn rules(mut self, rules: Rules) -> Self {
        self.rules = rules;
        self
    }

    pub(super) fn may_use(&self, tenant: &str) -> bool {
        self.tenants.iter().any(|own| own == tenant)
    }
}

/// Returns the form of a name in a certificate that is the same for equal names: letters are lower-case in DNS names, and
/// in the scheme and the host of a URI (RFC 3986, 6.2.2.1).
pub(super) fn certified(name: &str) -> String {
    let Some((scheme, rest)) = name.split_once(':') else { return name.to_ascii_lowercase() };
    let scheme = scheme.to_ascii_lowercase();
    let Some(rest) = rest.strip_prefix("//") else { return format!("{scheme}:{rest}") };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (user, host) = authority.split_at(authority.rfind('@').unwrap_or(0));
    format!("{scheme}://{user}{}{path}", host.to_ascii_lowercase())
}

/// The token of the examples.
const KNOWN: &str = "correct horse battery staple";

/// The SHA-256 of a token, in hexadecimal. A configuration with it lets nobody call.
///
/// Use tokens of at least 128 random bits: shorter ones can be found by trying. `openssl rand -hex 32` makes one, and
/// `printf %s "$TOKEN" | sha256sum` prints its hash. As text, the hash of the examples' token
/// `correct horse battery staple` is an error, because everybody knows that token.
///
/// ```
/// use eset_protect::serve::TokenHash;
///
/// # let token = "4f0c7d1e9b2a58c36d7e81f0a94b25cc";
/// let hash = TokenHash::of(token);
/// assert_eq!(hash.to_string().parse(), Ok(hash));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// Returns the hash of a token.
    pub fn of(token: &str) -> Self {
        Self::of_bytes(token.as_bytes())
    }

    /// Returns the first 16 digits: enough to tell tokens apart, and to find one that is known.
    pub(super) fn beginning(&self) -> String {
        self.to_string().chars().take(16).collect()
    }

    /// Returns the hash of any contents.
    pub(super) fn of_bytes(contents: &[u8]) -> Self {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, contents).as_ref());
        Self(hash)
    }
}

impl fmt::Display for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenHash({self})")
    }
}

impl FromStr for TokenHash {
    type Err = ParseHashError;

    fn from_str(text: &str) -> Result<Self, ParseHashError> {
        let (mut hash, wrong) = ([0; 32], ParseHashError(", 64 hexadecimal digits"));
        // `from_str_radix` also accepts a sign.
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(wrong);
        }
        for (index, byte) in hash.iter_mut().enumerate() {
            let digits = text.get(2 * index..2 * index + 2).unwrap_or_default();
            *byte = u8::from_str_radix(digits, 16).map_err(|_| wrong)?;
        }
        match Self(hash) {
            // What a shell prints for a variable that is not set.
            hash if hash == Self::of("") => Err(ParseHashError(", found that of an empty text")),
            hash if hash == Self::of(KNOWN) => Err(ParseHashError(
                " of your own, found that of the examples; `openssl rand -hex 32` makes a token, \
                 `printf %s TOKEN | sha256sum` prints its hash",
            )),
            hash => Ok(hash),
        }
    }
}

/// The text is not a [`TokenHash`], or is that of an empty token or of the one in the examples. It may be a token, so
/// the error does not show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseHashError(&'static str);

impl fmt::Display for ParseHashError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected the SHA-256 of a token{}", self.0)
    }
}

impl std::error::Error for ParseHashError {}
