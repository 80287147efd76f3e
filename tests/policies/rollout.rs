//! Rolling policies out: killed at every step, the old state or the new one is reached, and nothing else is left.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use eset_protect::auth::BoxFuture;
use eset_protect::emulator::{Emulator, Running};
use eset_protect::policy::{AssignmentFile, FeatureFile, PolicyFile, Target};
use eset_protect::policy_management::v2::{FeaturePolicy, Policy, PolicyAssignment};
use eset_protect::rollout::{Change, Plan, PlanError, RolloutError, Tenant};
use eset_protect::rpc::IdempotencyLevel;
use eset_protect::transport::{Reply, Request, Transport};
use eset_protect::{Client, Error};
use fastrand::Rng;
use tonic::Status;

const GROUPS: [&str; 2] =
    ["c2b7e8d4-19a3-4f6e-8b21-5d90fe7a0001", "c2b7e8d4-19a3-4f6e-8b21-5d90fe7a0002"];

/// When the process is killed: an odd moment is after the server did what the call says.
type Moment = Arc<AtomicUsize>;
const NEVER: usize = usize::MAX;

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

struct Stage {
    emulator: Running,
    client: Client,
    moment: Moment,
}

impl Stage {
    async fn new() -> Self {
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

    async fn tenant(&self) -> Tenant {
        Tenant::read(&self.client).await.unwrap()
    }

    async fn plan(&self, files: &[PolicyFile]) -> Plan {
        let plan = Plan::new(self.tenant().await, files, true).unwrap();
        // The journal survives as a file does.
        serde_json::from_slice(&serde_json::to_vec(&plan).unwrap()).unwrap()
    }

    /// Returns whether it was killed.
    async fn killed_at(
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
type State = (Vec<String>, BTreeMap<Target, Vec<String>>);

fn state(tenant: &Tenant) -> State {
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

/// Every target has all of its old policies or all of its new ones.
fn is_protected(now: &State, old: &State, new: &State) -> bool {
    old.1.keys().chain(new.1.keys()).all(|target| {
        let has_all = |state: &State| {
            let wanted = state.1.get(target).map_or(&[][..], Vec::as_slice);
            wanted.iter().all(|policy| now.1.get(target).is_some_and(|on| on.contains(policy)))
        };
        has_all(old) || has_all(new)
    })
}

fn random_files(rng: &mut Rng) -> Vec<PolicyFile> {
    let mut ranks = [1, 1];
    let mut files = Vec::new();
    for name in ["a", "b", "c"] {
        if rng.u8(..4) == 0 {
            continue;
        }
        let mut assignments = Vec::new();
        for (group, rank) in GROUPS.iter().zip(&mut ranks) {
            if rng.bool() {
                let target = Target::Group((*group).to_owned());
                assignments.push(AssignmentFile { target, rank: rng.bool().then_some(*rank) });
                *rank += 1;
            }
        }
        let description = rng.choice(["x", "y"]).unwrap().to_owned();
        files.push(PolicyFile {
            name: name.to_owned(),
            description,
            assignments,
            features: vec![],
        });
    }
    rng.shuffle(&mut files);
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollout_is_killed_at_every_step() {
    let stage = Stage::new().await;
    let client = &stage.client;
    let mut rng = Rng::with_seed(12);
    let (mut runs, mut moments) = (0, 0);
    while runs < 1000 {
        let old = state(&stage.tenant().await);
        let files = random_files(&mut rng);
        let mut new = None;
        for moment in 0.. {
            let plan = stage.plan(&files).await;
            let killed = stage.killed_at(moment, async || plan.apply(client, |_| {}).await).await;
            let now = state(&stage.tenant().await);
            if !killed {
                new = Some(now);
                break;
            }
            // The way back may be interrupted, too.
            let at = rng.usize(0..8);
            stage.killed_at(at, async || plan.roll_back(client, |_| {}).await).await;
            plan.roll_back(client, |_| {}).await.unwrap();
            let back = state(&stage.tenant().await);
            assert_eq!(back, old, "rolled back from {moment}: {now:?}");
            (runs, moments) = (runs + 1, moments + 1);
        }
        let new = new.unwrap();
        // On from the new state to another, killed and resumed.
        let files = random_files(&mut rng);
        let moment = rng.usize(0..16);
        let plan = stage.plan(&files).await;
        if stage.killed_at(moment, async || plan.apply(client, |_| {}).await).await {
            let now = state(&stage.tenant().await);
            stage.killed_at(rng.usize(0..6), async || plan.resume(client, |_| {}).await).await;
            plan.resume(client, |_| {}).await.unwrap();
            let end = state(&stage.tenant().await);
            assert!(is_protected(&now, &new, &end), "{new:?}\n{now:?}\n{end:?}");
            runs += 1;
        }
        let again = Plan::new(stage.tenant().await, &files, true).unwrap();
        assert!(again.is_empty(), "{:?}", again.changes());
        plan.resume(client, |step| panic!("{step}")).await.unwrap();
    }
    assert!(moments > 500, "{moments} moments in {runs} runs");
    stage.emulator.shutdown().await;
}

fn file(name: &str, description: &str, ranks: [Option<u32>; 1]) -> PolicyFile {
    let target = Target::Group(GROUPS[0].to_owned());
    let assignments = ranks.map(|rank| AssignmentFile { target: target.clone(), rank }).to_vec();
    let (name, description) = (name.to_owned(), description.to_owned());
    PolicyFile { name, description, assignments, features: vec![] }
}

#[tokio::test]
async fn a_plan_says_what_changes_and_apply_does_it() {
    let stage = Stage::new().await;
    let client = &stage.client;
    let foreign = Policy { display_name: "foreign".into(), ..Default::default() };
    let foreign = client.policies().create_policy(foreign).await.unwrap();
    let target = Target::Group(GROUPS[0].to_owned());
    let assignment = PolicyAssignment {
        policy_uuid: foreign.uuid.clone(),
        target: Some(target.clone().into()),
        ..Default::default()
    };
    client.policy_assignments().assign_policy(assignment).await.unwrap();

    let files = [file("a", "1", [Some(1)]), file("b", "1", [None])];
    let plan = Plan::new(stage.tenant().await, &files, false).unwrap();
    let lines: Vec<_> = plan.changes().iter().map(Change::to_string).collect();
    let group = GROUPS[0];
    assert_eq!(
        lines,
        [
            r#"+ create "a""#.to_owned(),
            r#"+ create "b""#.to_owned(),
            format!(r#"+ assign "a" to group {group} at rank 1"#),
            format!(r#"+ assign "b" to group {group} at rank 3"#),
        ]
    );
    let mut steps = Vec::new();
    plan.apply(client, |step| steps.push(step.to_string())).await.unwrap();
    assert_eq!(steps.len(), 5, "{steps:?}");

    // The replacement takes the rank of the old one before the old one goes.
    let files = [file("a", "2", [Some(1)]), file("b", "1", [Some(2)])];
    let plan = Plan::new(stage.tenant().await, &files, false).unwrap();
    let mut steps = Vec::new();
    plan.apply(client, |step| steps.push(step.to_string())).await.unwrap();
    let verbs: Vec<_> = steps.iter().map(|s| s.split(' ').next().unwrap()).collect();
    assert_eq!(verbs, ["create", "assign", "move", "move", "unassign", "delete"], "{steps:?}");
    let (_, on) = state(&stage.tenant().await);
    let names: Vec<_> = on[&target].iter().map(|p| p.split(' ').next().unwrap()).collect();
    assert_eq!(names, ["a", "b", "foreign"]);

    // Only with `prune` does what has no file go.
    let keep = Plan::new(stage.tenant().await, &files, false).unwrap();
    assert!(keep.is_empty());
    let prune = Plan::new(stage.tenant().await, &files, true).unwrap();
    assert!(matches!(&prune.changes()[0], Change::Delete { policy, .. } if policy == "foreign"));
    stage.emulator.shutdown().await;
}

#[tokio::test]
async fn a_tenant_that_changed_is_left_alone() {
    let stage = Stage::new().await;
    let client = &stage.client;
    let plan = Plan::new(stage.tenant().await, &[file("a", "1", [None])], false).unwrap();
    let foreign = Policy { display_name: "foreign".into(), ..Default::default() };
    client.policies().create_policy(foreign).await.unwrap();
    let before = stage.tenant().await;
    let runs = [
        plan.apply(client, |_| {}).await,
        plan.resume(client, |_| {}).await,
        plan.roll_back(client, |_| {}).await,
    ];
    for run in runs {
        let error = run.unwrap_err().to_string();
        let expected = r#"the tenant changed since the plan: the policy "foreign" "#;
        assert!(error.starts_with(expected), "{error}");
    }
    assert_eq!(stage.tenant().await, before);
    stage.emulator.shutdown().await;
}

#[test]
fn files_that_contradict_are_refused() {
    let plan = |files: &[PolicyFile]| Plan::new(Tenant::default(), files, false).unwrap_err();
    let same = [file("a", "1", [None]), file("a", "2", [None])];
    assert!(matches!(plan(&same), PlanError::SameName(name) if name == "a"));
    let ranks = [file("a", "1", [Some(1)]), file("b", "1", [Some(1)])];
    assert!(matches!(plan(&ranks), PlanError::SameRank(_, 1)));
    let mut twice = file("a", "1", [None]);
    twice.assignments.push(twice.assignments[0].clone());
    assert!(matches!(plan(&[twice]), PlanError::SameTarget(..)));
    let mut wrong = file("a", "1", [None]);
    wrong.features.push(FeatureFile {
        feature_id: FeaturePolicy::LEGACY_FEATURE_ID,
        flags: BTreeMap::new(),
        settings: Some(BTreeMap::new()),
        configuration: None,
    });
    assert!(matches!(plan(&[wrong]), PlanError::File(..)));
}
