//! The REST part of the configuration: wire, hosts and login.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::header::USER_AGENT;
use secrecy::SecretString;
use tonic::metadata::{AsciiMetadataValue, MetadataMap};

use super::{Client, ClientBuilder, TIMEOUT};
use crate::auth::{Account, CloudLogin, Credentials, OnPremLogin, TokenCache};
use crate::call::{Links, WireChoice};
use crate::client::target::{Address, Target, Wire, shown};
use crate::error::Error;
use crate::transport::Link;
use crate::transport::http::HttpClient;
use crate::transport::rest::{Region, RestTransport};

/// ESET's gateway gives up after 120 s; the rest is for the last response to arrive.
const REST_TIMEOUT: Duration = Duration::from_secs(150);
/// The header in which partners name their product ([facts](crate::facts#cloud-login)).
const INTEGRATION: &str = "3rd-integration";

impl Client {
    /// Configures a client for ESET Connect, the cloud: REST, one host per service.
    ///
    /// ```
    /// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
    /// use eset_protect::{Client, Region};
    ///
    /// let password = std::env::var("ESET_PROTECT_PASSWORD")?;
    /// let client = Client::cloud(Region::Eu).login("api-user", password).connect().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn cloud(region: Region) -> ClientBuilder {
        ClientBuilder::new(Target::Cloud(region))
    }

    /// Configures a client for an ESET PROTECT On-Prem server, such as `https://protect.internal:9443`: REST,
    /// one origin for all services. Its certificate is usually self-signed: [pin
    /// it](crate::TlsConfig::pinned_certificate).
    pub fn on_prem(server: &str) -> ClientBuilder {
        ClientBuilder::new(Target::OnPrem(server.to_owned()))
    }
}

/// Settings for REST (feature `rest`).
impl ClientBuilder {
    /// Sets the wire. The default is gRPC for [`Client::builder`](crate::Client::builder), and REST for the
    /// cloud and On-Prem.
    #[must_use]
    pub fn wire(mut self, wire: Wire) -> Self {
        self.rest.wire = Some(wire);
        self
    }

    /// Logs in with the password of an API user: at the token endpoint of the region or of
    /// [`token_url`](Self::token_url), or with `GetTokens` on an On-Prem server
    /// ([facts](crate::facts#cloud-login)). The client fetches the token on its first call and renews it
    /// before it expires. Replaces [`credentials`](Self::credentials).
    #[must_use]
    pub fn login(mut self, username: impl Into<String>, password: impl Into<String>) -> Self {
        self.credentials = None;
        self.rest.login = Some((username.into(), SecretString::from(password.into())));
        self
    }

    /// Sets the URL of the token endpoint of a [`login`](Self::login). The default is that of the region, or
    /// `/oauth/token` at the endpoint.
    #[must_use]
    pub fn token_url(mut self, url: impl Into<String>) -> Self {
        self.rest.token_url = Some(url.into());
        self
    }

    /// Sends the calls of a service to another origin, such as `https://proxy.internal`. Name the service as
    /// in [`MethodSpec::host`](crate::rpc::MethodSpec::host): `automation`, `policy-management`. For REST alone.
    #[must_use]
    pub fn host(mut self, service: impl Into<String>, origin: impl Into<String>) -> Self {
        self.rest.overrides.insert(service.into(), origin.into());
        self
    }

    /// Names your product, such as `Acme SOAR`, in the header `3rd-integration` of every call and login, as
    /// ESET asks its partners to do. There is no default; the header `User-Agent` always names this crate.
    #[must_use]
    pub fn integration(mut self, name: impl Into<String>) -> Self {
        self.rest.integration = Some(name.into());
        self
    }

    /// Sets how long a response may be pending (202, [facts](crate::facts#pending-responses)) before the call
    /// fails with `DEADLINE_EXCEEDED`. 120 seconds by default, after which ESET's gateway gives up. It does
    /// not extend the timeout of a call.
    #[must_use]
    pub fn pending_limit(mut self, limit: Duration) -> Self {
        self.policy.pending.limit = limit;
        self
    }

    /// Sets the first and the longest wait between polls for a pending response: 1 and 5 seconds by default.
    /// Each wait is one and a half times the previous one.
    #[must_use]
    pub fn pending_pause(mut self, first: Duration, most: Duration) -> Self {
        self.policy.pending.first_pause = first;
        self.policy.pending.max_pause = most.max(first);
        self
    }

    pub(super) fn chosen_wire(&self) -> Wire {
        self.rest.wire.unwrap_or_else(|| self.target.wire())
    }

    pub(super) fn is_grpc(&self) -> bool {
        self.chosen_wire() == Wire::Grpc
    }

    pub(super) fn default_timeout(&self) -> Duration {
        match self.target {
            Target::Endpoint(_) => TIMEOUT,
            Target::Cloud(_) | Target::OnPrem(_) => REST_TIMEOUT,
        }
    }

    pub(super) fn links(&self) -> Result<Links, Error> {
        Ok(match self.chosen_wire() {
            Wire::Grpc => Links::One(self.lazy_grpc()?),
            Wire::Rest => Links::One(self.lazy_rest()?),
            Wire::Auto => Links::Auto(WireChoice::new(self.lazy_grpc()?, self.lazy_rest()?)),
        })
    }

    fn lazy_rest(&self) -> Result<Link, Error> {
        let mut hosts = self.target.hosts()?;
        let mut is_secure = match &self.target {
            Target::Cloud(_) => true,
            Target::Endpoint(address) | Target::OnPrem(address) => {
                Address::parse(address)?.is_secure
            }
        };
        for (service, origin) in &self.rest.overrides {
            if !crate::rpc::METHODS.iter().any(|spec| spec.host == service) {
                return Err(Error::config(format!("host: no service is named {service:?}")));
            }
            let address = Address::parse(origin)?;
            self.check_token(&address, origin)?;
            is_secure |= address.is_secure;
            hosts.set(service.clone(), &address.origin())?;
        }
        let rest = RestTransport::new(self.http_client(is_secure)?, hosts, self.seam.user_agent()?);
        Ok(self.seam.layered(Link::rest(rest)))
    }

    /// Checks that no token would be sent unencrypted.
    fn check_token(&self, address: &Address, text: &str) -> Result<(), Error> {
        let has_token = self.credentials.is_some() || self.rest.login.is_some();
        if has_token { address.check_token(text) } else { Ok(()) }
    }

    fn http_client(&self, is_secure: bool) -> Result<HttpClient, Error> {
        let connector = self.connector(is_secure, &[b"h2", b"http/1.1"])?;
        Ok(HttpClient::new(connector.by_scheme(), self.limits, self.policy.timer.clone()))
    }

    /// Returns the credentials of the login, if there is one.
    pub(super) fn login_credentials(&self) -> Result<Option<Arc<dyn Credentials>>, Error> {
        let Some((username, password)) = self.rest.login.clone() else { return Ok(None) };
        let url = match (&self.rest.token_url, &self.target) {
            (Some(url), _) => url.clone(),
            (None, Target::Cloud(region)) => region.token_url(),
            (None, Target::OnPrem(server)) => {
                format!("{}/GetTokens", Address::parse(server)?.origin())
            }
            (None, Target::Endpoint(server)) => {
                format!("{}/oauth/token", Address::parse(server)?.origin())
            }
        };
        let (uri, address) = token_address(&url)?;
        let mut headers = self.metadata()?.into_headers();
        headers.insert(USER_AGENT, self.seam.user_agent()?);
        let account = Account {
            http: self.http_client(address.is_secure)?,
            url: uri,
            username,
            password,
            timer: self.policy.timer.clone(),
            pending: self.policy.pending,
            sent: Mutex::default(),
            headers,
        };
        let (timer, jitter) = (self.policy.timer.clone(), self.policy.jitter.clone());
        Ok(Some(match self.target {
            Target::OnPrem(_) => Arc::new(TokenCache::with(OnPremLogin(account), timer, jitter)),
            _ => Arc::new(TokenCache::with(CloudLogin::new(account), timer, jitter)),
        }))
    }

    pub(super) fn metadata(&self) -> Result<MetadataMap, Error> {
        let mut metadata = MetadataMap::new();
        if let Some(name) = &self.rest.integration {
            let value = AsciiMetadataValue::try_from(name.as_str()).map_err(|_| {
                Error::config(format!("integration: expected visible ASCII, found {name:?}"))
            })?;
            metadata.insert(INTEGRATION, value);
        }
        Ok(metadata)
    }
}

/// A token endpoint, to which a password may travel.
pub(in crate::client) fn token_address(url: &str) -> Result<(http::Uri, Address), Error> {
    if url.contains('@') {
        // Not included in the error: it may be a password.
        return Err(Error::config("token_url: credentials do not belong in an address"));
    }
    let uri: http::Uri = url.parse().map_err(|error| {
        let url = shown(url);
        Error::config(format!("token_url: {url:?} is no address: {error}"))
    })?;
    let origin = format!(
        "{}://{}",
        uri.scheme_str().unwrap_or_default(),
        uri.authority().map(ToString::to_string).unwrap_or_default()
    );
    let address = Address::parse(&origin)?;
    if !address.may_have_token() {
        return Err(Error::config(format!(
            "token_url {url:?}: a password travels by https only, or to this machine itself"
        )));
    }
    Ok((uri, address))
}
