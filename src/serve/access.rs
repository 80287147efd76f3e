//! Who may call what, and where the calls go.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use http::{HeaderMap, HeaderName, header};
use tonic::Status;

use super::caller::{Caller, Identity, TokenHash};
use super::config::RedisBudget;
use super::health::Health;
use super::jwt::JwtIssuer;
use super::metadata::TENANT;
use super::own_tokens::{OwnToken, OwnTokens};
use crate::client::Client;
use crate::error::Error;
use crate::server::head::bearer;
use crate::wkt::TypeRegistry;

/// The tenants and callers of a bridge: one table of who may call what, and where the calls go.
///
/// ```no_run
/// use eset_protect::serve::{Access, Bridge, Caller, Identity, Rules, TokenHash};
/// use eset_protect::{Client, Region};
///
/// # async fn run(user: &str, password: &str, token: &str) -> Result<(), Box<dyn std::error::Error>> {
/// let acme = Client::cloud(Region::Eu).login(user, password).connect().await?;
/// let soar = Caller::new("soar", Identity::Token(TokenHash::of(token)))
///     .tenant("acme")
///     .rules(Rules::new().allow("DeviceTasks/*".parse()?));
/// let access = Access::new().tenant("acme", acme).caller(soar)?;
/// let running = Bridge::new(access).start().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Default)]
pub struct Access {
    pub(super) tenants: BTreeMap<String, Arc<Tenant>>,
    callers: HashMap<Identity, Arc<Caller>>,
    pub(super) jwt: Option<Arc<JwtIssuer>>,
    /// What the tenants of a configuration share with other bridges, and a hash of its settings.
    pub(super) redis: Option<(Arc<RedisBudget>, TokenHash)>,
}

/// Where the calls of a tenant go: a client, whose JSON remembers enum names. Nothing is shared with other tenants: the
/// client has connections, a token, a rate limiter and a retry throttle of its own.
pub(super) struct Tenant {
    pub(super) name: Arc<str>,
    pub(super) client: Client,
    pub(super) type_registry: TypeRegistry,
    pub(super) health: Health,
    pub(super) own_tokens: Arc<OwnTokens>,
    /// The settings from which the client was built.
    pub(super) built_from: Option<BuiltFrom>,
}

/// Hashes of a tenant's settings, which tell after a reload what stays.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct BuiltFrom {
    /// Of all settings.
    pub(super) all: TokenHash,
    /// Of those on which its budgets depend: the server and the rate.
    pub(super) budget: TokenHash,
    /// Of the user, or the token.
    pub(super) login: TokenHash,
}

impl Tenant {
    pub(super) fn new(name: &str, client: Client) -> Self {
        let type_registry = client.type_registry().clone().remember_enum_names();
        let name: Arc<str> = Arc::from(name);
        let health = Health::new(Arc::clone(&name));
        let (own_tokens, built_from) = Default::default();
        Self { name, client, type_registry, health, own_tokens, built_from }
    }
}

/// The names in a caller's certificate, stored in the extensions of a request.
#[derive(Clone, Default)]
pub(super) struct Certified(pub(super) Arc<[String]>);

/// The caller of a request.
#[derive(Clone)]
pub(super) struct Identified {
    pub(super) caller: Arc<Caller>,
    /// The subject of its JWT.
    pub(super) subject: Option<String>,
    /// Its own token for the upstream.
    pub(super) own_token: Option<OwnToken>,
}

impl Access {
    /// Lets nobody call.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets everybody call everything by this client. For loopback, where every user of the machine may use
    /// the client's login then.
    pub fn open(client: Client) -> Self {
        Self::new().tenant("default", client).open_all()
    }

    /// Lets everybody use every tenant.
    pub(super) fn open_all(mut self) -> Self {
        let anyone = Caller::new("anyone", Identity::Anyone);
        let anyone = self.tenants.keys().fold(anyone, |caller, name| caller.tenant(name));
        self.callers.insert(Identity::Anyone, Arc::new(anyone));
        self
    }

    pub(super) fn insert(&mut self, tenant: Arc<Tenant>) {
        self.tenants.insert(tenant.name.to_string(), tenant);
    }

    /// Returns the tenant of this name, if it was built from settings, and their hashes.
    pub(super) fn built(&self, name: &str) -> Option<(&Arc<Tenant>, BuiltFrom)> {
        let tenant = self.tenants.get(name)?;
        Some((tenant, tenant.built_from?))
    }

    /// Adds a tenant, or replaces the one of that name.
    #[must_use]
    pub fn tenant(mut self, name: impl Into<String>, client: Client) -> Self {
        self.insert(Arc::new(Tenant::new(&name.into(), client)));
        self
    }

    /// Sets the issuer of the tokens of callers with [`Identity::Jwt`].
    #[must_use]
    pub fn jwt(mut self, issuer: JwtIssuer) -> Self {
        self.jwt = Some(Arc::new(issuer));
        self
    }

    /// Adds a caller.
    ///
    /// # Errors
    ///
    /// Fails if it has no tenant or one that was not added before, or if another caller has the same
    /// identity.
    pub fn caller(mut self, caller: Caller) -> Result<Self, Error> {
        let wrong = |problem: String| Error::config(format!("caller {:?}: {problem}", caller.name));
        if caller.tenants.is_empty() {
            return Err(wrong("it has no tenant".to_owned()));
        }
        if let Some(name) = caller.tenants.iter().find(|name| !self.tenants.contains_key(*name)) {
            return Err(wrong(format!("there is no tenant {name:?}")));
        }
        if let Some(other) = self.callers.get(&caller.identity) {
            return Err(wrong(format!("it has the same identity as {:?}", other.name)));
        }
        self.callers.insert(caller.identity.clone(), Arc::new(caller));
        Ok(self)
    }

    /// Whether anyone may call without showing who they are.
    pub fn is_open(&self) -> bool {
        self.callers.contains_key(&Identity::Anyone)
    }

    /// Finds out who sent a request with these headers and extensions.
    pub(super) async fn identify(
        &self,
        headers: &HeaderMap,
        extensions: &http::Extensions,
    ) -> Result<Identified, Status> {
        if is_twice(headers, &header::AUTHORIZATION) {
            return Err(Status::unauthenticated("authorization: expected one"));
        }
        let by = |identity: &Identity| self.callers.get(identity).cloned();
        let known = |caller| Ok(Identified { caller, subject: None, own_token: None });
        let Certified(names) = extensions.get().cloned().unwrap_or_default();
        let mut names = names.iter().cloned().map(Identity::Certificate);
        if let Some(caller) = names.find_map(|name| by(&name)) {
            return known(caller);
        }
        if let Some(token) = bearer(headers) {
            let hash = TokenHash::of(token);
            if let Some(caller) = by(&Identity::Token(hash)) {
                return known(caller);
            }
            if let Some(issuer) = &self.jwt
                && let Some(verified) = Box::pin(issuer.verify(token)).await?
            {
                let mut values = verified.values.into_iter().map(Identity::Jwt);
                if let Some(caller) = values.find_map(|value| by(&value)) {
                    let subject = verified.subject;
                    return Ok(Identified { caller, subject, own_token: None });
                }
            }
            // A token of the issuer is for this server alone, whatever is wrong with it. No upstream gets to see it.
            let is_ours = self.jwt.as_ref().is_some_and(|issuer| issuer.may_have_made(token));
            if !is_ours && let Some(caller) = by(&Identity::OwnToken) {
                let header = headers.get(header::AUTHORIZATION).cloned();
                let own_token = header.map(|header| OwnToken { header, hash });
                return Ok(Identified { caller, subject: None, own_token });
            }
        }
        match by(&Identity::Anyone) {
            Some(caller) => known(caller),
            // The same for all reasons, so that nobody can guess names or tokens.
            None => Err(Status::unauthenticated("this server does not know the caller")),
        }
    }

    /// Returns the tenant of this name; `None` if there is none or the caller may not use it.
    pub(super) fn tenant_of(&self, caller: &Caller, name: &str) -> Option<Arc<Tenant>> {
        self.tenants.get(name).filter(|_| caller.may_use(name)).cloned()
    }

    /// Returns the tenant that a request is for.
    pub(super) fn tenant_for(
        &self,
        caller: &Caller,
        headers: &HeaderMap,
    ) -> Result<Arc<Tenant>, Status> {
        if is_twice(headers, &TENANT) {
            return Err(Status::invalid_argument(format!("{TENANT}: expected one")));
        }
        let name = match (headers.get(TENANT), caller.tenants.as_slice()) {
            (Some(name), _) => name.to_str().unwrap_or_default(),
            (None, [only]) => only,
            (None, several) => {
                // A caller with its own token is not verified yet: the upstream checks it.
                let names = match caller.identity {
                    Identity::OwnToken => "the name of a tenant".to_owned(),
                    _ => format!("one of {}", several.join(", ")),
                };
                let message = format!("{TENANT}: expected {names} in the metadata");
                return Err(Status::invalid_argument(message));
            }
        };
        // A tenant of others is refused like one that does not exist.
        self.tenant_of(caller, name).ok_or_else(|| {
            Status::permission_denied(format!(
                "{TENANT}: {:?} may not use the tenant {name:?}",
                caller.name
            ))
        })
    }
}

/// Whether a header occurs several times: other software could use another of its values than this server does.
fn is_twice(headers: &HeaderMap, name: &HeaderName) -> bool {
    headers.get_all(name).iter().nth(1).is_some()
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access")
            .field("tenants", &self.tenants.keys())
            .field("callers", &self.callers.values())
            .finish()
    }
}
