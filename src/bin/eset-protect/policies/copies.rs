//! `policies clone` and `import`: policies without assignments.

use std::path::PathBuf;

use clap::Args;
use eset_protect::Client;
use eset_protect::policy_management::v2::{CreatePolicyRequest, Policy};
use eset_protect::rpc::policies::CreatePolicy;

use super::files::read;
use crate::completions::{By, listed};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::input::wrong;
use crate::method::Method;
use crate::output::{Output, View};
use crate::request::Request;
use crate::response::Call;
use crate::safety::Safety;

/// Create a copy of a policy, without its assignments
#[derive(Args, Debug)]
pub struct Clone {
    /// The policy's UUID
    #[arg(add = listed("policies", By::Uuid))]
    policy: String,
    /// The name of the copy
    #[arg(long, allow_hyphen_values = true)]
    name: String,
    /// Print the request as it would be sent, and send nothing
    #[arg(long)]
    dry_run: bool,
}

impl Clone {
    pub fn run(self, connection: Connection) -> Result<(), Failure> {
        connection.safely(Safety::new(self.dry_run, false)).run(async |client, view| {
            let mut policy = client.policies().get_policy(&*self.policy).await?;
            policy.display_name = self.name;
            policy.uuid.clear();
            policy.built_in = false;
            create(&client, view, policy).await
        })
    }
}

/// Create policies from files as `export` writes them, without assigning them
#[derive(Args, Debug)]
pub struct Import {
    /// The files; `-` reads standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Print the request as it would be sent, and send nothing
    #[arg(long)]
    dry_run: bool,
}

impl Import {
    pub fn run(self, connection: Connection) -> Result<(), Failure> {
        let mut policies = Vec::new();
        for path in &self.files {
            let policy = read("FILE", path)?.to_policy();
            policies.push(policy.map_err(|error| wrong("FILE", path, &error))?);
        }
        connection.safely(Safety::new(self.dry_run, false)).run(async |client, view| {
            for policy in policies {
                create(&client, view, policy).await?;
            }
            Ok(())
        })
    }
}

/// Creates a policy and prints its UUID, or the response if the user chose a format or columns.
async fn create(client: &Client, view: &View, policy: Policy) -> Result<(), Failure> {
    let method = Method::of::<CreatePolicy>()?;
    let request = Request::new(&method, &CreatePolicyRequest::from(policy.clone()))?;
    if view.safety.dry_run || !view.has_lines() {
        let call = Call { client, view, method: &method, done: "" };
        return call.make(&request.json).await;
    }
    let uuid = client.policies().create_policy(policy).await?.uuid;
    let mut output = Output::new();
    output.line(&uuid).and_then(|()| output.flush()).map_err(Failure::of_created)
}
