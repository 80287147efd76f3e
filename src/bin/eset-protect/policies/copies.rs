//! `policies clone` and `import`: policies without assignments.

use std::path::PathBuf;

use clap::Args;

use super::files::read;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::output::Output;

/// Create a copy of a policy, without its assignments
#[derive(Args, Debug)]
pub struct Clone {
    /// The policy's UUID
    policy: String,
    /// The name of the copy
    #[arg(long, allow_hyphen_values = true)]
    name: String,
}

impl Clone {
    pub fn run(self, connection: Connection) -> Result<(), Failure> {
        connection.run(async |client, _| {
            let mut policy = client.policies().get_policy(&*self.policy).await?;
            policy.display_name = self.name;
            policy.uuid.clear();
            policy.built_in = false;
            print_created(&client.policies().create_policy(policy).await?.uuid)
        })
    }
}

/// Create policies from files as `export` writes them, without assigning them
#[derive(Args, Debug)]
pub struct Import {
    /// The files; `-` reads standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

impl Import {
    pub fn run(self, connection: Connection) -> Result<(), Failure> {
        let mut policies = Vec::new();
        for path in &self.files {
            let policy = read("FILE", path)?.to_policy();
            let wrong = |error| Failure::Input(format!("FILE {}: {error}", path.display()));
            policies.push(policy.map_err(wrong)?);
        }
        connection.run(async |client, _| {
            for policy in policies {
                print_created(&client.policies().create_policy(policy).await?.uuid)?;
            }
            Ok(())
        })
    }
}

fn print_created(uuid: &str) -> Result<(), Failure> {
    let mut output = Output::new();
    output.line(uuid).and_then(|()| output.flush()).map_err(Failure::of_created)
}
