//! Rolls out a set of policies and their assignments: plan, apply, roll back.
//!
//! ESET has no RPC that updates a policy ([facts](crate::facts#policy-management)). A changed policy is replaced: it
//! is created anew and assigned at the rank of the old one; only then the old one is unassigned and deleted.
//!
//! ```no_run
//! use eset_protect::policy::PolicyFile;
//! use eset_protect::rollout::{Plan, Tenant};
//!
//! # async fn run(client: eset_protect::Client, files: Vec<PolicyFile>) -> Result<(), Box<dyn std::error::Error>> {
//! let plan = Plan::new(Tenant::read(&client).await?, &files, false)?;
//! for change in plan.changes() {
//!     println!("{change}");
//! }
//! // The journal: written before the first call, kept until the end.
//! std::fs::write("journal.json", serde_json::to_vec(&plan)?)?;
//! plan.apply(&client, |step| println!("{step}")).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # When it is interrupted
//!
//! The [`Plan`] is the journal. It holds the state before and the state that is wanted, and needs no
//! further entries: [`Plan::apply`], called again, reads the tenant, recognizes what was done, also by a call whose
//! response was lost, and does the rest. [`Plan::roll_back`] makes the plan of the way back, which is applied, and
//! repeated after an interruption, in the same way.
//!
//! A plan does not know its tenant. Two tenants may be in the same state, as new ones and copies are: keep which one it
//! is for beside each journal, and let only one process at a time work on it.
//!
//! Both refuse a tenant that is in none of the states which the plan passes through: then somebody else created,
//! edited, assigned, ranked or removed something since. Make a new plan from what is there.
//!
//! # What holds at any moment
//!
//! * Every target has all of its old policies or all of its new ones: whatever is new is created, assigned and
//!   ranked before anything old is removed. In between, both apply.
//! * Nothing that the plan does not name is changed, but for the ranks of other policies on the same targets.

mod back;
mod effective;
mod goal;
mod plan;
mod run;
mod step;
mod tenant;

pub use effective::{Effective, EffectiveSetting, Source};
pub use plan::{Change, Plan, PlanError};
pub use run::RolloutError;
pub use step::Step;
pub use tenant::Tenant;
