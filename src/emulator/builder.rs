//! Builds emulators.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use prost::{Message, Name};
use prost_reflect::DescriptorPool;

use super::api::{Api, Methods};
use super::auth::Auth;
use super::clock::Clock;
use super::environment::Environment;
use super::error::EmulatorError;
use super::faults::Faults;
use super::fleet::Device;
use super::hosted::Hosted;
use super::ids::IdSource;
use super::pace::{Outcome, Pace};
use super::paging::PageLimits;
use super::store::{Change, Read as _, Store};
use super::{Emulator, gate, seed, special};
use crate::automation::v1::DeviceTask;
use crate::rpc::Deployment;
use crate::server::notifier::Notifier;
use crate::server::{AllServices, ConnectionLimits, Origin, Services};

/// The default maximum size of a store's rows, in bytes.
const MAX_BYTES: u64 = 1 << 30;

/// An initial resource: its type and its encoded message.
type Given = (String, Vec<u8>);

/// Settings of an [`Emulator`]. By default it is empty, in memory, and has the limits of the cloud.
pub struct Builder {
    data_dir: Option<PathBuf>,
    environment: Environment,
    /// Those of the deployment, unless they are set.
    pages: Option<PageLimits>,
    max_bytes: u64,
    seed: bool,
    seed_devices: Option<usize>,
    resources: Vec<Given>,
    hosted: Vec<Hosted>,
    gate: gate::Settings,
    notifier: Notifier,
}

impl Emulator {
    /// Returns the settings to build an emulator with.
    pub fn builder() -> Builder {
        Builder::default()
    }
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            data_dir: None,
            environment: Environment::default(),
            pages: None,
            max_bytes: MAX_BYTES,
            seed: false,
            seed_devices: None,
            resources: Vec::new(),
            hosted: vec![Hosted::of::<AllServices>()],
            gate: gate::Settings::default(),
            notifier: Notifier::default(),
        }
    }
}

impl Builder {
    /// Stores everything in a directory, which is created if it does not exist. Only one emulator can open it
    /// at a time. Every change is on disk before its call is answered. If the disk is full, changes fail with
    /// `RESOURCE_EXHAUSTED` until there is room again, while reads continue; see
    /// [`on_notice`](Self::on_notice). A file in which nothing was ever stored, such as an empty one, counts
    /// as new.
    #[must_use]
    pub fn data_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.data_dir = Some(directory.into());
        self
    }

    /// Sets the clock: [`SystemClock`](super::SystemClock) by default. Share a [`ManualClock`](super::ManualClock) in an `Arc`.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.environment.clock = Box::new(clock);
        self
    }

    /// Sets the source of identifiers: [`RandomIds`](super::RandomIds) by default.
    #[must_use]
    pub fn ids(mut self, ids: impl IdSource) -> Self {
        self.environment.ids = Box::new(ids);
        self
    }

    /// Adds a device to the fleet, or replaces the device with the same UUID, even one of the seed.
    #[must_use]
    pub fn device(mut self, device: Device) -> Self {
        self.environment.fleet.add(device);
        self
    }

    /// Sets how long runs take, starting with the next triggered one.
    #[must_use]
    pub fn pace(mut self, pace: Pace) -> Self {
        self.environment.pace = pace;
        self
    }

    /// Sets a rule that decides how the run of a task on a device (given by UUID) ends, instead of
    /// [`Device::failing`] and of the rule that unknown actions fail. It is called once, when the run is
    /// triggered, and the result is stored.
    #[must_use]
    pub fn outcome(
        mut self,
        rule: impl Fn(&DeviceTask, &str) -> Outcome + Send + Sync + 'static,
    ) -> Self {
        self.environment.outcome = Some(Arc::new(rule));
        self
    }

    /// Sets which deployment to emulate: [`Deployment::Cloud`] by default. On-Prem has fewer RPCs and HTTP paths,
    /// in both fronts and in `/openapi.json`, [larger pages](PageLimits::ON_PREM), and no `/oauth/token`.
    #[must_use]
    pub fn deployment(mut self, deployment: Deployment) -> Self {
        self.gate.deployment = deployment;
        self
    }

    /// Sets the number of items per page: by default [`PageLimits::CLOUD`] or, On-Prem,
    /// [`PageLimits::ON_PREM`].
    #[must_use]
    pub fn page_limits(mut self, limits: PageLimits) -> Self {
        self.pages = Some(limits);
        self
    }

    /// Sets the maximum size of the store's rows: one gibibyte by default. A call that would exceed it fails
    /// with `RESOURCE_EXHAUSTED`.
    #[must_use]
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Starts with the consistent data of a small company: a tree of groups with fourteen devices, tasks on
    /// these devices with their runs, policies and assignments and, as far as the crate is built
    /// with these services, detections on the devices, incidents, vulnerabilities, patches, users and roles,
    /// executables, quarantined objects, rules and installers. Detections keep occurring for two days, so that
    /// lists grow. The UUIDs are always the same and include those in the examples of `/openapi.json`. A data
    /// directory that already has data is not seeded again.
    #[must_use]
    pub fn seed(mut self, seed: bool) -> Self {
        self.seed = seed;
        self
    }

    /// Sets how many devices the [seed](Self::seed) has: 14 by default, which is also the minimum. More devices
    /// are in groups of 100 below the group `Branches`. 100,000 devices take about 200 megabytes.
    /// A data directory that already has data keeps its devices; [`on_notice`](Self::on_notice) tells if that is another
    /// number.
    #[must_use]
    pub fn seed_devices(mut self, count: usize) -> Self {
        self.seed_devices = Some(count.max(seed::DEVICES));
        self
    }

    /// Refuses requests with `INVALID_ARGUMENT` for everything that [`Check`](crate::check::Check) finds, except
    /// unknown members: actions, enum values and types that are not known, params of another action, tasks
    /// without targets, and times in the past. Assigning a policy to a device or a group that does not exist is
    /// `NOT_FOUND`. Off by default: then the emulator can stand for a newer ESET, refuses only what ESET is known to
    /// refuse, and runs fail if no device understands them. The command
    /// `eset-protect emulator` turns it on.
    #[must_use]
    pub fn strict(mut self, strict: bool) -> Self {
        self.environment.strict = strict;
        self
    }

    /// Starts with a resource, of any type that the emulator can list or get, such as a
    /// [`Policy`](crate::policy_management::v2::Policy). It is stored as it is, with what only the server
    /// sets; without an identifier it gets one. A data directory that was written to before gets no such resources. Two
    /// resources with the same identifier make [`build`](Self::build) fail, and so does a resource of a type
    /// that no service has.
    #[must_use]
    pub fn resource<M: Message + Name>(mut self, resource: &M) -> Self {
        self.resources.push((M::full_name(), resource.encode_to_vec()));
        self
    }

    /// Serves your own services in addition to ESET's. Their resources can be listed, read, created, updated
    /// and deleted according to their HTTP rules, without more code. `services` is `server::AllServices` of a
    /// crate with generated services.
    ///
    /// A method is served if its HTTP rule and messages have the form of a [standard
    /// method](https://google.aip.dev/130) in ESET's style: a path without patterns, a request and a response
    /// that contain the resource in a field, and an identifier in the field `uuid` or in the one that
    /// `google.api.resource` names as `name_field`, or a custom method that the
    /// [module's documentation](super) describes. All other methods return `UNIMPLEMENTED`.
    #[must_use]
    pub fn services<S: Services>(mut self, _services: S) -> Self {
        self.hosted.push(Hosted::of::<S>());
        self
    }

    /// Requires the token of a login for calls, over both gRPC and REST; calls without one return
    /// `UNAUTHENTICATED` or 401. By default no login is needed, and any succeeds.
    #[must_use]
    pub fn auth(mut self, auth: Auth) -> Self {
        self.gate.auth = Some(auth);
        self
    }

    /// Limits calls to 10 per second for each token at an address, as ESET does
    /// ([facts](crate::facts#rate-limit)), by the emulator's clock. Further calls return `RESOURCE_EXHAUSTED`
    /// or 429. Off by default.
    #[must_use]
    pub fn rate_limit(mut self, limit: bool) -> Self {
        self.gate.rate_limit = limit;
        self
    }

    /// Sets after how long a REST response becomes pending (202, [facts](crate::facts#pending-responses)): 30
    /// seconds of real time by default. The limits for fetching it follow the emulator's clock.
    #[must_use]
    pub fn pending_after(mut self, time: Duration) -> Self {
        self.gate.pending_after = time;
        self
    }

    /// Sets the source of faults, which [`Running::faults`](super::Running::faults) returns too. By default
    /// there are none.
    #[must_use]
    pub fn faults(mut self, faults: Faults) -> Self {
        self.gate.faults = faults;
        self
    }

    /// Limits the number of connections and how long they may be idle.
    #[must_use]
    pub fn connection_limits(mut self, limits: ConnectionLimits) -> Self {
        self.gate.limits = limits;
        self
    }

    /// Lets web pages of this origin call the REST front from a browser (CORS): preflight requests are
    /// answered, and the pages can read responses, including errors. Callers must still log in. By default no
    /// other origin is allowed: what its pages send is refused (403). Without [`auth`](Self::auth), a REST request over
    /// loopback is also refused if its `Host` is neither `localhost`, an IP address nor the host of an allowed origin,
    /// because a page could point a name of its own at this machine (DNS rebinding). Call it again to add another
    /// origin.
    #[must_use]
    pub fn allow_origin(mut self, origin: Origin) -> Self {
        self.gate.origins.push(origin);
        self
    }

    /// Answers `HEAD` wherever `GET` works (RFC 9110, 9.3.2); the call is still made. Off by default, since
    /// ESET documents no `HEAD`: it returns 405.
    #[must_use]
    pub fn head(mut self, head: bool) -> Self {
        self.gate.head = head;
        self
    }

    /// Sets a function that receives messages for the operator, one sentence each: that new connections have
    /// to wait, that the disk is full, and when that is over. By default these are `tracing` events at level
    /// WARN. It is called on serving threads, so it should not block.
    #[must_use]
    pub fn on_notice(mut self, tell: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.notifier = Notifier::new(tell);
        self
    }

    /// Opens the store and seeds it.
    ///
    /// # Errors
    ///
    /// If the data directory cannot be opened, is in use, is damaged, or was written by a newer
    /// release; if the seed and the given resources do not fit into [`max_bytes`](Self::max_bytes); or if a
    /// given resource cannot be stored.
    pub fn build(self) -> Result<Emulator, EmulatorError> {
        let failed = |reason| EmulatorError::Store { reason };
        let notifier = self.notifier;
        let store = Store::open(self.data_dir.as_deref(), self.max_bytes, notifier.clone())?;
        let mut environment = self.environment;
        if self.seed {
            environment.fleet.add_others(seed::devices(environment.clock.now()));
        }
        let mut methods = Methods::default();
        for hosted in &self.hosted {
            environment.types = (hosted.register)(environment.types);
            let pool = DescriptorPool::decode(hosted.descriptors);
            let pool = pool.map_err(|error| failed(error.to_string()))?;
            methods.add(hosted, &pool, special::methods());
        }
        environment.pages = self.pages.unwrap_or(match self.gate.deployment {
            Deployment::Cloud => PageLimits::CLOUD,
            Deployment::OnPrem { .. } => PageLimits::ON_PREM,
        });
        let ids = std::mem::replace(&mut environment.ids, Box::new(seed::SeedIds::default()));
        let fill = |change: &mut Change<'_>| {
            if !change.is_first()? {
                let kept = change.len(&crate::device_management::v1::Device::full_name())?;
                if self.seed && self.seed_devices.is_some_and(|wanted| wanted as u64 != kept) {
                    notifier.notify(&format!(
                        "the data directory has data already and keeps its {kept} devices"
                    ));
                }
                return Ok(());
            }
            if self.seed {
                seed::fill(change, &methods, self.seed_devices.unwrap_or(seed::DEVICES))?;
            }
            let mut given = self.resources.iter();
            given.try_for_each(|(name, row)| methods.store(change, name, &[], row))
        };
        // A store on a full disk can be opened, as long as nothing is to be written.
        if self.seed || !self.resources.is_empty() {
            store.write(&environment, fill).map_err(|failure| failed(failure.to_string()))?;
        }
        environment.ids = ids;
        let api = Api {
            store: Arc::new(store),
            environment: Arc::new(environment),
            methods: Arc::new(methods),
        };
        Ok(Emulator { api, hosted: self.hosted, gate: self.gate, notifier })
    }
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder")
            .field("data_dir", &self.data_dir)
            .field("fleet", &self.environment.fleet)
            .field("pace", &self.environment.pace)
            .field("pages", &self.pages)
            .field("max_bytes", &self.max_bytes)
            .field("seed", &self.seed)
            .field("seed_devices", &self.seed_devices)
            .field("strict", &self.environment.strict)
            .field("gate", &self.gate)
            .finish_non_exhaustive()
    }
}
