//! Which RPCs a caller may call.

use std::fmt;
use std::str::FromStr;

use crate::rpc::{IdempotencyLevel, MethodSpec};

/// Whether an RPC may change something: all but those with `idempotency_level = NO_SIDE_EFFECTS` in their `.proto`.
pub(super) fn is_write(spec: &MethodSpec) -> bool {
    spec.idempotency != IdempotencyLevel::NoSideEffects
}

/// Which RPCs a caller may call: all that are allowed and not denied. By default all are allowed.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    allow: Vec<RpcPattern>,
    deny: Vec<RpcPattern>,
    dry_run: Vec<RpcPattern>,
    is_read_only: bool,
}

impl Rules {
    /// Allows every RPC.
    pub fn new() -> Self {
        Self::default()
    }

    /// Allows the RPCs of this pattern. Once one pattern is allowed, only the RPCs of allowed patterns are; call it again
    /// to add another.
    #[must_use]
    pub fn allow(mut self, pattern: RpcPattern) -> Self {
        self.allow.push(pattern);
        self
    }

    /// Denies the RPCs of this pattern, even if they are allowed otherwise.
    #[must_use]
    pub fn deny(mut self, pattern: RpcPattern) -> Self {
        self.deny.push(pattern);
        self
    }

    /// Does not send calls of the RPCs of this pattern that would change something, and only checks them. A valid call
    /// fails with `FAILED_PRECONDITION` (400 over REST), a message that says what would have been sent, and a
    /// `google.rpc.PreconditionFailure` of type `DRY_RUN`; a call that has no valid HTTP form with
    /// `INVALID_ARGUMENT`. So no program takes it for done. Calls that change nothing are sent.
    #[must_use]
    pub fn dry_run(mut self, pattern: RpcPattern) -> Self {
        self.dry_run.push(pattern);
        self
    }

    /// Denies all RPCs but those that change nothing, `idempotency_level = NO_SIDE_EFFECTS` in their `.proto`.
    #[must_use]
    pub fn read_only(mut self, read_only: bool) -> Self {
        self.is_read_only = read_only;
        self
    }

    /// Whether an RPC may be called.
    pub fn permits(&self, spec: &MethodSpec) -> bool {
        let is_allowed = self.allow.is_empty() || self.allow.iter().any(|one| one.matches(spec));
        let is_denied = self.deny.iter().any(|one| one.matches(spec));
        is_allowed && !is_denied && !(self.is_read_only && is_write(spec))
    }

    /// Whether a call of this RPC is checked and not sent.
    pub fn is_dry_run(&self, spec: &MethodSpec) -> bool {
        is_write(spec) && self.dry_run.iter().any(|one| one.matches(spec))
    }
}

/// RPCs by name: `SERVICE/METHOD`, such as `DeviceTasks/GetTask` or
/// `eset.dotnod.automation.v1.DeviceTasks/GetTask`. `*` as the service means every service, and a method may
/// end with `*`: `DeviceTasks/*`, `*/List*`.
///
/// ```
/// use eset_protect::rpc::{Rpc, device_tasks::{CreateTask, GetTask}};
/// use eset_protect::serve::RpcPattern;
///
/// let pattern: RpcPattern = "DeviceTasks/Get*".parse()?;
/// assert!(pattern.matches(GetTask::SPEC) && !pattern.matches(CreateTask::SPEC));
/// assert!("GetTask".parse::<RpcPattern>().is_err());
/// # Ok::<(), eset_protect::serve::ParsePatternError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RpcPattern {
    service: String,
    /// The method, or the beginning of its name.
    method: String,
    is_prefix: bool,
}

impl RpcPattern {
    /// Whether it is a pattern of this RPC.
    pub fn matches(&self, spec: &MethodSpec) -> bool {
        let short = spec.service.rsplit('.').next();
        let is_service = self.service == "*"
            || self.service == spec.service
            || short == Some(self.service.as_str());
        is_service
            && match self.is_prefix {
                true => spec.method.starts_with(&self.method),
                false => spec.method == self.method,
            }
    }
}

impl FromStr for RpcPattern {
    type Err = ParsePatternError;

    fn from_str(text: &str) -> Result<Self, ParsePatternError> {
        let wrong = || ParsePatternError(text.to_owned());
        let (service, method) = text.split_once('/').ok_or_else(wrong)?;
        let (method, is_prefix) = match method.strip_suffix('*') {
            Some(start) => (start, true),
            None => (method, false),
        };
        let is_name = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        let is_service = service == "*" || (!service.is_empty() && service.split('.').all(is_name));
        if !is_service || !is_name(method) || (method.is_empty() && !is_prefix) {
            return Err(wrong());
        }
        Ok(Self { service: service.to_owned(), method: method.to_owned(), is_prefix })
    }
}

/// The text is not an [`RpcPattern`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParsePatternError(String);

impl fmt::Display for ParsePatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = &self.0;
        write!(f, "{text:?}: expected SERVICE/METHOD, such as DeviceTasks/GetTask or */List*")
    }
}

impl std::error::Error for ParsePatternError {}
