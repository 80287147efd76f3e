//! An emulator, and a client whose process is killed at a given moment.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use eset_protect::auth::BoxFuture;
use eset_protect::emulator::{Emulator, Running};
use eset_protect::policy::{AssignmentFile, PolicyFile, Target};
use eset_protect::policy_management::v2::Policy;
use eset_protect::rollout::{Plan, RolloutError, Tenant};
use eset_protect::rpc::IdempotencyLevel;
use eset_protect::transport::{Reply, Request, Transport};
use eset_protect::{Client, Error};
use tonic::Status;

pub const GROUPS: [&str; 2] =
    ["c2b7e8d4-19a3-4f6e-8b21-5d90fe7a0001", "c2b7e8d4-19a3-4f6e-8b21-5d90fe7a0002"];

/// When the process is killed: an odd moment is after the server did what the call says.
pub type Moment = Arc<AtomicUsize>;
pub const NEVER: usize = usize::MAX;

/// Ends at a moment: each change counts twice, before and after the server gets it. All later calls fail.
#[derive(Debug)]
struct Killer {
    inner: Arc<dyn Transport>,
    left: Moment,
}

impl Killer {
    fn tick(&self) -> Result<(), Error> {
        let left = self.left.load(Relaxed);
        if left == NEVER {
            return Ok(());
        }
        self.left.store(left.saturating_sub(1), Relaxed);
        if left == 0 { Err(Status::internal("killed").into()) } else { Ok(()) }
    }
}

impl Transport for Killer {
    fn send<'a>(&'a self, request: Request<'a>) -> BoxFuture<'a, Result<Reply, Error>> {
        Box::pin(async move {
            if request.spec().idempotency == IdempotencyLevel::NoSideEffects {
                return self.inner.send(request).await;
            }
            self.tick()?;
            let reply = self.inner.send(request).await;
            self.tick()?;
            reply
        })
    }
}

/// An emulator, and a client that can be killed.
pub struct Stage {
    pub emulator: Running,
    pub client: Client,
    moment: Moment,
}

impl Stage {
    pub async fn new() -> Self {
        let emulator = Emulator::builder().build().unwrap().start().await.unwrap();
        let moment = Moment::new(NEVER.into());
        let left = moment.clone();
        let client = Client::builder(&emulator.endpoint())
            .layer(move |inner| Killer { inner, left: left.clone() })
            .connect()
            .await
            .unwrap();
        Self { emulator, client, moment }
    }

    pub async fn tenant(&self) -> Tenant {
        Tenant::read(&self.client).await.unwrap()
    }

    pub async fn plan(&self, files: &[PolicyFile]) -> Plan {
        let plan = Plan::new(self.tenant().await, files, true).unwrap();
        // The journal survives as a file does.
        serde_json::from_slice(&serde_json::to_vec(&plan).unwrap()).unwrap()
    }

    /// Returns whether it was killed.
    pub async fn killed_at(
        &self,
        moment: usize,
        run: impl AsyncFnOnce() -> Result<(), RolloutError>,
    ) -> bool {
        self.moment.store(moment, Relaxed);
        let result = run().await;
        self.moment.store(NEVER, Relaxed);
        if let Err(error) = &result {
            assert!(matches!(error, RolloutError::Call(..)), "{error}");
        }
        result.is_err()
    }
}

/// A tenant without UUIDs: the policies, and what is on each target in order.
pub type State = (Vec<String>, BTreeMap<Target, Vec<String>>);

pub fn state(tenant: &Tenant) -> State {
    let show = |policy: &Policy| {
        format!("{} {} {:?}", policy.display_name, policy.description, policy.features)
    };
    let mut on: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for assignment in &tenant.assignments {
        let of = tenant.policies.iter().find(|policy| policy.uuid == assignment.policy_uuid);
        let target = Target::of(assignment.target.as_ref()).unwrap();
        on.entry(target).or_default().push((assignment.rank, show(of.unwrap())));
    }
    let mut policies: Vec<_> = tenant.policies.iter().map(show).collect();
    policies.sort();
    let sorted = |mut on: Vec<(u32, String)>| {
        on.sort();
        on.into_iter().map(|(_, policy)| policy).collect()
    };
    (policies, on.into_iter().map(|(target, on)| (target, sorted(on))).collect())
}

/// A policy on the first group.
pub fn file(name: &str, description: &str, ranks: [Option<u32>; 1]) -> PolicyFile {
    let target = Target::Group(GROUPS[0].to_owned());
    let mut file = PolicyFile::new(name);
    description.clone_into(&mut file.description);
    file.assignments = ranks.map(|rank| AssignmentFile::new(target.clone(), rank)).to_vec();
    file
}
