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
/// Policies cannot be updated: create a new one and delete the old one. With `--output json`, `get` and
/// `create` print the response, `{"policy": {…}}`, and `list` prints one policy per line: ProtoJSON in both
/// cases, including defaults such as `false` and `""`. `create --file` reads the output of `get` and `list`,
/// so together they make copies. `get`, `delete` and `create --file` accept several; each response is then a
/// line, in the order of the input.
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
    /// Show one or several policies
    Get(Uuids),
    Create(create::Create),
    /// Delete one or several policies; built-in ones cannot be deleted
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
