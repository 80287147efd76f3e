//! Settings that would have no effect are errors: whoever makes them expects one.

use super::ClientBuilder;
#[cfg(feature = "rest")]
use crate::client::target::{Target, Wire};
use crate::error::Error;

/// A setting that not every client uses, whether a client has it, and what it is for.
type Setting = (&'static str, fn(&ClientBuilder) -> bool, &'static [Purpose]);

const SETTINGS: &[Setting] = &[
    ("endpoints", |client| !client.grpc.endpoints.is_empty(), &[Purpose::Wires, Purpose::Grpc]),
    ("resolver", |client| client.grpc.resolver.is_some(), &[Purpose::Wires, Purpose::Grpc]),
    (
        "connections",
        |client| client.grpc.connections.is_some(),
        &[Purpose::Wires, Purpose::AnyGrpc],
    ),
    #[cfg(feature = "rest")]
    ("wire", |client| client.rest.wire.is_some(), &[Purpose::Wires]),
    #[cfg(feature = "rest")]
    ("host", |client| !client.rest.overrides.is_empty(), &[Purpose::Wires, Purpose::AnyRest]),
    #[cfg(feature = "rest")]
    ("token_url", |client| client.rest.token_url.is_some(), &[Purpose::Login]),
    ("user_agent_suffix", |client| client.seam.user_agent.is_some(), &[Purpose::Requests]),
    #[cfg(feature = "tls")]
    ("tls", |client| !client.tls.is_default(), &[Purpose::Https]),
];

/// What a setting is for.
#[derive(Clone, Copy)]
enum Purpose {
    /// gRPC and REST, as this crate sends them.
    Wires,
    /// These, or a login.
    Requests,
    /// gRPC alone.
    Grpc,
    /// gRPC, perhaps beside REST.
    AnyGrpc,
    #[cfg(feature = "rest")]
    AnyRest,
    #[cfg(feature = "rest")]
    Login,
    #[cfg(feature = "tls")]
    Https,
}

impl Purpose {
    /// Whether the client does this.
    fn is_of(self, client: &ClientBuilder) -> bool {
        match self {
            Self::Wires => client.seam.transport.is_none(),
            Self::Requests => client.seam.transport.is_none() || client.logs_in(),
            Self::Grpc => client.is_grpc(),
            #[cfg(feature = "rest")]
            Self::AnyGrpc => client.chosen_wire() != Wire::Rest,
            #[cfg(not(feature = "rest"))]
            Self::AnyGrpc => true,
            #[cfg(feature = "rest")]
            Self::AnyRest => !client.is_grpc(),
            #[cfg(feature = "rest")]
            Self::Login => client.logs_in(),
            #[cfg(feature = "tls")]
            Self::Https => client.uses_https(),
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Wires => "the wires of this crate, and the client has a transport of your own",
            Self::Requests => {
                "requests that this crate sends, and the client has a transport of your own"
            }
            Self::Grpc => "gRPC: set the wire to Wire::Grpc",
            Self::AnyGrpc => "gRPC: set the wire to Wire::Grpc or Wire::Auto",
            #[cfg(feature = "rest")]
            Self::AnyRest => "REST: set the wire to Wire::Rest or Wire::Auto",
            #[cfg(feature = "rest")]
            Self::Login => "a login, and the client has none",
            #[cfg(feature = "tls")]
            Self::Https => "https, and no address of the client begins with that",
        }
    }
}

impl ClientBuilder {
    /// Fails if a setting would have no effect.
    pub(super) fn check_unused(&self) -> Result<(), Error> {
        for (name, is_set, purposes) in SETTINGS {
            let other = purposes.iter().find(|purpose| !purpose.is_of(self));
            if let Some(other) = other.filter(|_| is_set(self)) {
                return Err(Error::config(format!("{name}: is for {}", other.text())));
            }
        }
        Ok(())
    }

    fn logs_in(&self) -> bool {
        #[cfg(feature = "rest")]
        return self.rest.login.is_some();
        #[cfg(not(feature = "rest"))]
        false
    }

    /// Whether the client may connect to an https address.
    #[cfg(feature = "tls")]
    fn uses_https(&self) -> bool {
        let mut addresses: Vec<&str> = Vec::new();
        if self.seam.transport.is_none() {
            addresses.extend(self.addresses());
        }
        #[cfg(feature = "rest")]
        {
            addresses.extend(self.rest.overrides.values().map(String::as_str));
            if self.logs_in() {
                addresses.extend(self.rest.token_url.as_deref().or(self.target.address()));
            }
            if matches!(self.target, Target::Cloud(_)) && Purpose::Requests.is_of(self) {
                return true;
            }
        }
        let is_https = |scheme: &str| {
            scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("grpcs")
        };
        addresses.iter().any(|address| address.split_once("://").is_some_and(|(s, _)| is_https(s)))
    }
}
