//! `eset-protect policies`.

mod create;
mod rows;

use clap::{Args, Subcommand};
use eset_protect::Client;
use eset_protect::policy_management::v2::ListPoliciesRequest;

use crate::connection::Connection;
use crate::failure::Failure;
use crate::listing::{self, Paging};
use crate::output::{Format, Output};

/// Policies: settings for ESET's products
///
/// There is no update: create another and delete the first. With `--output json`, `get` and `create`
/// print the answer, `{"policy": {…}}`, and `list` prints one policy a line: ProtoJSON in both cases.
/// What `get` prints is what `create --file` reads, so the two together make a copy.
#[derive(Args, Debug)]
pub struct Policies {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List all policies
    List(Paging),
    /// Show a policy
    Get {
        /// The policy's uuid
        policy: String,
    },
    Create(create::Create),
    /// Delete a policy; a built-in one cannot be deleted
    Delete {
        /// The policy's uuid
        policy: String,
    },
}

impl Policies {
    pub fn run(self) -> Result<(), Failure> {
        match self.command {
            Command::Create(create) => {
                // A wrong flag is told before anything is connected.
                let request = create.request()?;
                self.connection.run(async |client, format| {
                    let response = client.policies().create_policy(request).await?;
                    rows::print_policy(format, &response, response.policy.as_ref())
                })
            }
            command => {
                self.connection.run(async |client, format| call(client, format, command).await)
            }
        }
    }
}

async fn call(client: Client, format: Format, command: Command) -> Result<(), Failure> {
    let policies = client.policies();
    match command {
        Command::List(Paging { page_size }) => {
            let request = ListPoliciesRequest { page_size, ..Default::default() };
            listing::print(policies.list_policies(request), format, "policy").await
        }
        Command::Get { policy } => {
            let response = policies.get_policy(policy).await?;
            rows::print_policy(format, &response, response.policy.as_ref())
        }
        Command::Delete { policy } => {
            let response = policies.delete_policy(&*policy).await?;
            Output::print_done(format, &response, &format!("Deleted the policy {policy}."))
        }
        // Handled before there is a client.
        Command::Create(_) => Ok(()),
    }
}
