//! `eset-protect policies`.

mod create;

use clap::{Args, Subcommand};
use eset_protect::policy_management::v2::ListPoliciesRequest;
use eset_protect::rpc::policies::{DeletePolicy, GetPolicy, ListPolicies};

use crate::connection::Connection;
use crate::failure::Failure;
use crate::listing::{self, Paging};
use crate::uuids::Uuids;

/// Policies: settings for ESET's products
///
/// There is no update: create another and delete the first. With `--output json`, `get` and `create`
/// print the answer, `{"policy": {…}}`, and `list` prints one policy a line: ProtoJSON in both cases,
/// with defaults such as `false` and `""`. What `get` and `list` print is what `create --file` reads, so
/// two of them together make a copy. `get`, `delete` and `create --file` take many: each answer is a
/// line then, in the order of what was given.
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
    /// Show a policy, or many
    Get(Uuids),
    Create(create::Create),
    /// Delete a policy, or many; a built-in one cannot be deleted
    Delete(Uuids),
}

impl Policies {
    pub fn run(self) -> Result<(), Failure> {
        let Self { connection, command } = self;
        match command {
            Command::Get(uuids) => uuids.call::<GetPolicy>(connection, "", "shown"),
            Command::Delete(uuids) => {
                uuids.call::<DeletePolicy>(connection, "Deleted the policy", "deleted")
            }
            Command::Create(create) => create.run(connection),
            Command::List(Paging { page_size, limit }) => {
                let request = ListPoliciesRequest { page_size, ..Default::default() };
                listing::run::<ListPolicies>(connection, &request, &[], limit)
            }
        }
    }
}
