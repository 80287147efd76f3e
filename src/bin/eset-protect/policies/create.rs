//! `eset-protect policies create`: from flags, or from a file.

use std::path::PathBuf;

use clap::Args;
use eset_protect::policy_management::v2::{
    CreatePolicyRequest, FeaturePolicy, Policy, SettingFlags,
};
use eset_protect::rpc::policies::CreatePolicy;

use crate::bulk::BulkOptions;
use crate::connection::Connection;
use crate::creates::create_many;
use crate::details;
use crate::failure::Failure;
use crate::input::{self, Requests, read_requests};

/// Create a policy, from flags or from a file, or many from a file
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  eset-protect policies create --name Strict --product eset.local.products.endpoint --data settings.dat
  eset-protect policies get UUID --output json | eset-protect policies create --file -
  eset-protect policies list --output json | jq -c 'select(.builtIn == false)' |
      eset-protect policies create --file -")]
pub struct Create {
    /// The request in ProtoJSON, {"policy": {…}} or a policy as `list` prints it, or many: one after
    /// another, such as one a line, or in an array; `-` reads standard input
    ///
    /// At most 64 MiB, in UTF-8 or UTF-16. What the server sets (uuid, builtIn) is left out. Nothing is
    /// created if one of them is wrong.
    #[arg(long, value_name = "FILE", conflicts_with_all = [
        "name", "description", "product", "data", "force", "read_only",
    ])]
    file: Option<PathBuf>,
    /// A name for people
    #[arg(long, required_unless_present = "file")]
    name: Option<String>,
    /// Free text
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// The product that the settings are for, such as eset.local.products.endpoint
    #[arg(long, required_unless_present = "file")]
    product: Option<String>,
    /// The settings: raw bytes, as the product takes them; `-` reads standard input
    #[arg(long, value_name = "FILE", required_unless_present = "file")]
    data: Option<PathBuf>,
    /// A setting that wins over policies merged later; may be repeated
    #[arg(long, value_name = "PATH")]
    force: Vec<String>,
    /// A setting that the device cannot override; may be repeated
    #[arg(long, value_name = "PATH")]
    read_only: Vec<String>,
    #[command(flatten)]
    options: BulkOptions,
}

impl Create {
    pub fn run(self, connection: Connection) -> Result<(), Failure> {
        // What is wrong is told before anything is connected.
        let (options, file) = (self.options.clone(), self.file.clone());
        options.check(file.is_some())?;
        match self.requests()? {
            Requests::One(request) => connection.run(async |client, format| {
                let response = client.policies().create_policy(request).await?;
                details::print_created(format, &response, response.policy.as_ref())
            }),
            Requests::Many(requests) => {
                let settings = options.settings(file.as_deref())?;
                create_many::<CreatePolicy, _>(
                    connection,
                    settings,
                    requests,
                    |request| request.policy.as_ref().map_or("", |policy| &policy.display_name),
                    |response| response.policy.as_ref(),
                )
            }
        }
    }

    fn requests(self) -> Result<Requests<CreatePolicyRequest>, Failure> {
        match &self.file {
            Some(path) => {
                Ok(read_requests(path, "policy")?.many_if(self.options.has_failed_file()))
            }
            None => Ok(Requests::One(self.policy()?.into())),
        }
    }

    fn policy(self) -> Result<Policy, Failure> {
        let data = self.data.as_deref().map(|path| input::read("--data", path)).transpose()?;
        let mut feature =
            FeaturePolicy::product(self.product.unwrap_or_default(), data.unwrap_or_default());
        for path in self.force {
            let flags: &mut SettingFlags = feature.flags.entry(path).or_default();
            flags.apply_forcefully = true;
        }
        for path in self.read_only {
            feature.flags.entry(path).or_default().read_only = true;
        }
        Ok(Policy {
            display_name: self.name.unwrap_or_default(),
            description: self.description.unwrap_or_default(),
            features: vec![feature],
            ..Policy::default()
        })
    }
}
