//! Building an emulator.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use prost::{Message, Name};

use super::api::{Api, Methods};
use super::auth::Auth;
use super::clock::{Clock, SystemClock};
use super::cors::Origin;
use super::environment::Environment;
use super::error::EmulatorError;
use super::faults::Faults;
use super::fleet::{Device, Fleet};
use super::hosted::Hosted;
use super::ids::{IdSource, RandomIds};
use super::notices::Notices;
use super::pace::{Outcome, OutcomeRule, Pace};
use super::paging::PageLimits;
use super::serving::ConnectionLimits;
use super::store::{Change, Store};
use super::{Emulator, assignments, gate, policies, seed, tasks};
use crate::automation::v1::DeviceTask;
use crate::server::{AllServices, Services};

/// The rows of a store take at most so many bytes by default.
const MAX_BYTES: u64 = 1 << 30;

/// A resource to start with: its type and its encoded message.
type Given = (String, Vec<u8>);

/// Settings of an [`Emulator`]. Without any it is empty, in memory, with the limits of the cloud.
pub struct Builder {
    data_dir: Option<PathBuf>,
    clock: Box<dyn Clock>,
    ids: Box<dyn IdSource>,
    devices: Vec<Device>,
    pace: Pace,
    outcome: Option<OutcomeRule>,
    pages: PageLimits,
    max_bytes: u64,
    seed: bool,
    resources: Vec<Given>,
    hosted: Vec<Hosted>,
    gate: gate::Settings,
    notices: Notices,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            data_dir: None,
            clock: Box::new(SystemClock),
            ids: Box::new(RandomIds),
            devices: Vec::new(),
            pace: Pace::default(),
            outcome: None,
            pages: PageLimits::CLOUD,
            max_bytes: MAX_BYTES,
            seed: false,
            resources: Vec::new(),
            hosted: vec![Hosted::of::<AllServices>()],
            gate: gate::Settings::default(),
            notices: Notices::default(),
        }
    }
}

impl Builder {
    /// Keeps everything in a directory, which is created if it is not there. One emulator can have it
    /// open at a time. Every change is on disk before its call is answered. If the disk is full, changes
    /// fail with `RESOURCE_EXHAUSTED`, reads go on, and as soon as there is room so do changes; see
    /// [`on_notice`](Self::on_notice). A file in which nothing was ever stored, such as an empty one, is
    /// taken for new.
    #[must_use]
    pub fn data_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.data_dir = Some(directory.into());
        self
    }

    /// The clock: [`SystemClock`] by default. Share a [`ManualClock`](super::ManualClock) in an `Arc`.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// Where identifiers come from: [`RandomIds`] by default.
    #[must_use]
    pub fn ids(mut self, ids: impl IdSource) -> Self {
        self.ids = Box::new(ids);
        self
    }

    /// Adds a device to the fleet, or replaces the one of the same uuid, also one of the seed.
    #[must_use]
    pub fn device(mut self, device: Device) -> Self {
        self.devices.push(device);
        self
    }

    /// How long runs take, from the next that is triggered on.
    #[must_use]
    pub fn pace(mut self, pace: Pace) -> Self {
        self.pace = pace;
        self
    }

    /// Decides how the run of a task on a device (its uuid) ends, instead of [`Device::failing`] and of the
    /// rule that actions which are not known fail. It is asked once, when the run is triggered, and the
    /// answer is stored.
    #[must_use]
    pub fn outcome(
        mut self,
        rule: impl Fn(&DeviceTask, &str) -> Outcome + Send + Sync + 'static,
    ) -> Self {
        self.outcome = Some(Arc::new(rule));
        self
    }

    /// How many items pages have: [`PageLimits::CLOUD`] by default.
    #[must_use]
    pub fn page_limits(mut self, limits: PageLimits) -> Self {
        self.pages = limits;
        self
    }

    /// The store's rows take at most so many bytes, a gibibyte by default. A call that would need more
    /// fails with `RESOURCE_EXHAUSTED`.
    #[must_use]
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Starts with a small company: twelve devices in three groups, tasks of several kinds with their
    /// runs, built-in and own policies, assignments. Their uuids are always the same, those in the examples
    /// of `/openapi.json` among them. A data directory that was ever written to gets no second seed; its
    /// fleet is there either way.
    #[must_use]
    pub fn seed(mut self, seed: bool) -> Self {
        self.seed = seed;
        self
    }

    /// Starts with a resource, of any type that the emulator can list or get, such as a
    /// [`Policy`](crate::policy_management::v2::Policy). It is stored as it is, with what only the server
    /// sets; without an identifier it gets one. A data directory that was ever written to gets none. Two
    /// resources with the same identifier make [`build`](Self::build) fail, and so does a resource of a type
    /// that no service has.
    #[must_use]
    pub fn resource<M: Message + Name>(mut self, resource: &M) -> Self {
        self.resources.push((M::full_name(), resource.encode_to_vec()));
        self
    }

    /// Serves services of your own beside ESET's: their resources can be listed, gotten, created, changed
    /// and deleted as their HTTP rules say, without more code. `services` is `server::AllServices` of a
    /// crate with generated services.
    ///
    /// A method is served if its HTTP rule and its messages say that it is one of the
    /// [standard methods](https://google.aip.dev/130), in ESET's form: a path without patterns, a request
    /// and a response that hold the resource in a field, an identifier in the field `uuid` or the one that
    /// `google.api.resource` calls `name_field`. A custom method `:verb` whose request has only fields of
    /// the resource sets those. All others are `UNIMPLEMENTED`.
    #[must_use]
    pub fn services<S: Services>(mut self, _services: S) -> Self {
        self.hosted.push(Hosted::of::<S>());
        self
    }

    /// Calls need the token of a login, over gRPC and REST alike; 401 and `UNAUTHENTICATED` otherwise.
    /// By default nobody has to log in, and anyone may.
    #[must_use]
    pub fn auth(mut self, auth: Auth) -> Self {
        self.gate.auth = Some(auth);
        self
    }

    /// Limits calls to 10 a second for each token at an address, as ESET does
    /// ([facts](crate::facts#rate-limit)), by the emulator's clock; more are 429 and
    /// `RESOURCE_EXHAUSTED`. Off by default.
    #[must_use]
    pub fn rate_limit(mut self, limit: bool) -> Self {
        self.gate.rate_limit = limit;
        self
    }

    /// After so long a REST answer is pending (202, [facts](crate::facts#pending-answers)). 30 seconds
    /// by default, of real time: nothing else makes an answer wait. The limits of fetching it go by the
    /// emulator's clock.
    #[must_use]
    pub fn pending_after(mut self, time: Duration) -> Self {
        self.gate.pending_after = time;
        self
    }

    /// Where faults come from; [`Running::faults`](super::Running::faults) are the same. By default there
    /// are none.
    #[must_use]
    pub fn faults(mut self, faults: Faults) -> Self {
        self.gate.faults = faults;
        self
    }

    /// How many connections there may be, and how long they may do nothing.
    #[must_use]
    pub fn connection_limits(mut self, limits: ConnectionLimits) -> Self {
        self.gate.limits = limits;
        self
    }

    /// Lets pages of an origin call the REST front from a browser (CORS): preflight requests are answered,
    /// and answers, errors among them, can be read by the page. Callers log in all the same. By default no
    /// other origin may. Said again, it adds one.
    #[must_use]
    pub fn allow_origin(mut self, origin: Origin) -> Self {
        self.gate.origins.push(origin);
        self
    }

    /// Answers `HEAD` wherever there is `GET` (RFC 9110, 9.3.2), the call being made all the same. Off by
    /// default, since ESET documents no `HEAD`: it is 405.
    #[must_use]
    pub fn head(mut self, head: bool) -> Self {
        self.gate.head = head;
        self
    }

    /// Is told, in a sentence, what whoever runs the emulator should know: that new connections have to
    /// wait, that the disk is full, and when that is over. By default these are events of `tracing` at
    /// the level WARN. It is called on threads that serve, so it should not wait.
    #[must_use]
    pub fn on_notice(mut self, tell: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.notices = Notices::new(tell);
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
        let notices = self.notices.clone();
        let store = match &self.data_dir {
            Some(directory) => Store::in_directory(directory, self.max_bytes, notices)?,
            None => Store::in_memory(self.max_bytes, notices)?,
        };
        let mut fleet = Fleet::default();
        if self.seed {
            let now = self.clock.now();
            seed::devices(now).into_iter().for_each(|device| fleet.add(device));
        }
        self.devices.into_iter().for_each(|device| fleet.add(device));
        let mut methods = Methods::default();
        for hosted in &self.hosted {
            let pool = hosted.pool().map_err(|error| failed(error.to_string()))?;
            let special = tasks::methods().into_iter().chain(policies::methods());
            methods.add(hosted.methods, &pool, special.chain(assignments::methods()));
        }
        let mut environment = Environment {
            clock: self.clock,
            ids: Box::new(seed::SeedIds),
            fleet,
            pace: self.pace,
            outcome: self.outcome,
            pages: self.pages,
        };
        let fill = |change: &mut Change<'_>| {
            if !change.is_first()? {
                return Ok(());
            }
            if self.seed {
                seed::fill(change, &environment)?;
            }
            let mut given = self.resources.iter();
            given.try_for_each(|(name, row)| methods.store(change, &environment, name, row))
        };
        // A store on a full disk can be opened, as long as nothing is to be written.
        if self.seed || !self.resources.is_empty() {
            store.write_now(fill).map_err(|failure| failed(failure.to_string()))?;
        }
        environment.ids = self.ids;
        let api = Api {
            store: Arc::new(store),
            environment: Arc::new(environment),
            methods: Arc::new(methods),
        };
        let (gate, hosted, notices) = (self.gate, self.hosted, self.notices);
        Ok(Emulator { api, hosted, gate, notices })
    }
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder")
            .field("data_dir", &self.data_dir)
            .field("devices", &self.devices)
            .field("pace", &self.pace)
            .field("pages", &self.pages)
            .field("max_bytes", &self.max_bytes)
            .field("seed", &self.seed)
            .field("gate", &self.gate)
            .finish_non_exhaustive()
    }
}
