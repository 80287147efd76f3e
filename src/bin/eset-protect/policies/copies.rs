//! `policies clone` and `import`: policies without assignments.

use std::path::PathBuf;

use clap::Args;
use eset_protect::Client;
use eset_protect::policy_management::v2::{CreatePolicyRequest, ListPoliciesRequest, Policy};
use eset_protect::rpc::policies::CreatePolicy;

use super::files::read;
use super::folder::Folder;
use crate::completions::{By, listed};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::input::wrong;
use crate::method::Method;
use crate::named::Named;
use crate::output::{Output, View};
use crate::request::Request;
use crate::response::Call;
use crate::safety::Safety;
use crate::say::say;
use crate::text::count;

/// Create a copy of a policy, without its assignments
#[derive(Args, Debug)]
pub struct Clone {
    /// The policy's name or UUID
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
            let uuid = Named::Policy.uuid(&client, &self.policy).await?;
            let mut policy = client.policies().get_policy(uuid).await?;
            policy.display_name = self.name;
            policy.uuid.clear();
            policy.built_in = false;
            create(&client, view, policy).await
        })
    }
}

/// Create policies from files as `export` writes them, without assigning them
///
/// Each is created anew, also if the tenant has a policy of that name. A Web Console export has no name: it is that of
/// the file, or --name.
#[derive(Args, Debug)]
pub struct Import {
    /// The files, or folders of them; `-` reads standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// The name of the policy, of a single file
    #[arg(long, allow_hyphen_values = true)]
    name: Option<String>,
    /// Print the request as it would be sent, and send nothing
    #[arg(long)]
    dry_run: bool,
}

impl Import {
    pub fn run(self, connection: Connection) -> Result<(), Failure> {
        let mut policies = Vec::new();
        for path in &self.files {
            let files = match path.is_dir() {
                true => Folder::read(path)?.files,
                false => vec![read("FILE", path)?],
            };
            for file in files {
                let policy = file.to_policy();
                policies.push(policy.map_err(|error| wrong("FILE", path, &error))?);
            }
        }
        if let Some(name) = self.name {
            let [policy] = &mut *policies else {
                let found = count(policies.len(), "policy");
                return Err(Failure::Input(format!("--name: expected one policy, found {found}")));
            };
            policy.display_name = name;
        }
        connection.safely(Safety::new(self.dry_run, false)).run(async |client, view| {
            if !self.dry_run {
                say_same_names(&client, &policies).await?;
            }
            for policy in policies {
                create(&client, view, policy).await?;
            }
            Ok(())
        })
    }
}

/// Says which names policies of the tenant have already: `plan` and `apply` know a policy by its name.
async fn say_same_names(client: &Client, policies: &[Policy]) -> Result<(), Failure> {
    let mut there = client.policies().list_policies(ListPoliciesRequest::default()).items();
    while let Some(other) = there.next().await {
        let other = other?;
        if policies.iter().any(|policy| policy.display_name == other.display_name) {
            let (name, uuid) = (&other.display_name, &other.uuid);
            say(&format!(
                "there is a policy {name:?} already, {uuid}; `plan` and `apply` refuse its file until all but one are \
                 deleted"
            ));
        }
    }
    Ok(())
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
