//! Which host serves which RPC.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::error::Error;
use crate::rpc::MethodSpec;

/// A region of ESET Connect: where the ESET PROTECT instance is ([facts](crate::facts#services)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Region {
    /// Europe.
    Eu,
    /// Germany.
    De,
    /// The United States.
    Us,
    /// Canada.
    Ca,
    /// Japan.
    Jpn,
}

impl Region {
    /// All regions.
    pub const ALL: [Self; 5] = [Self::Eu, Self::De, Self::Us, Self::Ca, Self::Jpn];

    /// The part of the host names: `eu`, `de`, `us`, `ca`, `jpn`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Eu => "eu",
            Self::De => "de",
            Self::Us => "us",
            Self::Ca => "ca",
            Self::Jpn => "jpn",
        }
    }

    /// The address of the token endpoint.
    pub(crate) fn token_url(self) -> String {
        format!("https://{self}.business-account.iam.eset.systems/oauth/token")
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Region {
    type Err = Error;

    /// Reads a name, in whatever case.
    fn from_str(text: &str) -> Result<Self, Error> {
        let named = |region: &Self| region.name().eq_ignore_ascii_case(text);
        Self::ALL.into_iter().find(named).ok_or_else(|| {
            Error::config(format!("region: expected eu, de, us, ca or jpn, found {text:?}"))
        })
    }
}

/// Where requests go.
#[derive(Clone, Debug)]
pub(crate) struct Hosts {
    base: Base,
    overrides: BTreeMap<String, String>,
}

#[derive(Clone, Debug)]
enum Base {
    /// One host per service.
    Cloud(Region),
    /// One origin for everything.
    Single(String),
}

impl Hosts {
    pub(crate) fn cloud(region: Region) -> Self {
        Self { base: Base::Cloud(region), overrides: BTreeMap::new() }
    }

    pub(crate) fn single(origin: impl Into<String>) -> Self {
        Self { base: Base::Single(origin.into()), overrides: BTreeMap::new() }
    }

    /// Sends the RPCs of a service elsewhere; `host` as in [`MethodSpec::host`].
    pub(crate) fn set(&mut self, host: String, origin: String) {
        self.overrides.insert(host, origin);
    }

    /// The origin for an RPC, without a slash at its end.
    pub(crate) fn origin(&self, spec: &MethodSpec) -> Result<String, Error> {
        if let Some(origin) = self.overrides.get(spec.host) {
            return Ok(origin.clone());
        }
        match &self.base {
            Base::Cloud(region) => Ok(format!("https://{region}.{}.eset.systems", spec.host)),
            Base::Single(origin) => Ok(origin.clone()),
        }
    }
}
