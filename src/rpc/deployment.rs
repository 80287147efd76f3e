//! Where ESET's services run, and which RPCs they have there.

use std::fmt;
use std::str::FromStr;

use super::{HttpBinding, MethodSpec};

/// Where ESET's services run. ESET PROTECT On-Prem has fewer RPCs than the cloud, and one under another path
/// before 13.1 ([facts](crate::facts#on-prem)).
///
/// The configuration of an On-Prem server (`/v2/configuration:batchGetValues`) is not an RPC of this crate, since
/// its response is not documented. `eset-protect api POST … --allow-unknown` calls it.
///
/// ```
/// use eset_protect::rpc::{Deployment, Rpc, devices::RenameDevice, device_tasks::ListTasks};
///
/// let older: Deployment = "13.0".parse()?;
/// assert!(!older.has(ListTasks::SPEC) && Deployment::ON_PREM.has(ListTasks::SPEC));
/// assert_eq!(older.bindings(RenameDevice::SPEC)[0].path, "/v1/devices/{device_uuid}:renameDevice");
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Deployment {
    /// ESET Connect. Text: `cloud`.
    Cloud,
    /// ESET PROTECT On-Prem of a version. Text: the version, such as `13.0`.
    OnPrem {
        /// The first number of the version.
        major: u16,
        /// The second number.
        minor: u16,
    },
}

impl Deployment {
    /// The newest version of ESET PROTECT On-Prem that the crate knows.
    pub const ON_PREM: Self = Self::OnPrem { major: 13, minor: 1 };

    /// Whether the deployment has an RPC. Services that are not ESET's, which have no
    /// [host](MethodSpec::host), may be anywhere.
    pub fn has(self, spec: &MethodSpec) -> bool {
        match self {
            Self::Cloud => true,
            Self::OnPrem { major, minor } => match spec.on_prem {
                Some(on_prem) => on_prem.since <= (major, minor),
                None => spec.host.is_empty(),
            },
        }
    }

    /// Returns the HTTP bindings that an RPC has in the deployment.
    pub fn bindings(self, spec: &MethodSpec) -> &'static [HttpBinding] {
        let Some(on_prem) = spec.on_prem else { return spec.http };
        let (Some(renamed_in), Some((newer, older))) =
            (on_prem.renamed_in, spec.http.split_at_checked(1))
        else {
            return spec.http;
        };
        match self {
            Self::OnPrem { major, minor } if (major, minor) < renamed_in => older,
            _ => newer,
        }
    }
}

impl fmt::Display for Deployment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cloud => f.write_str("cloud"),
            Self::OnPrem { major, minor } => write!(f, "{major}.{minor}"),
        }
    }
}

impl FromStr for Deployment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let version = || {
            let (major, minor) = text.split_once('.')?;
            Some(Self::OnPrem { major: major.parse().ok()?, minor: minor.parse().ok()? })
        };
        match text {
            "cloud" => Ok(Self::Cloud),
            _ => version().ok_or_else(|| {
                format!("expected `cloud` or a version such as `13.1`, found {text:?}")
            }),
        }
    }
}
