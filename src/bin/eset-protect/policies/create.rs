//! `eset-protect policies create`: from flags, or from a file.

use std::path::PathBuf;

use clap::Args;
use eset_protect::policy_management::v2::{
    CreatePolicyRequest, FeaturePolicy, Policy, SettingFlags,
};

use crate::failure::Failure;
use crate::input;

/// Create a policy, from flags or from a file
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  eset-protect policies create --name Strict --product eset.local.products.endpoint --data settings.dat
  eset-protect policies get UUID --output json | eset-protect policies create --file -")]
pub struct Create {
    /// The request in ProtoJSON, {"policy": {…}}; `-` reads standard input
    ///
    /// What the server sets (uuid, builtIn) is left out.
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
}

impl Create {
    pub fn request(self) -> Result<CreatePolicyRequest, Failure> {
        let policy = match &self.file {
            Some(path) => {
                let request: CreatePolicyRequest = input::read_request(path, "policy")?;
                // What the server sets, so that what `get` prints can be created again.
                request.policy.map(|policy| Policy {
                    uuid: String::new(),
                    built_in: false,
                    ..policy
                })
            }
            None => Some(self.policy()?),
        };
        Ok(CreatePolicyRequest { policy })
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
