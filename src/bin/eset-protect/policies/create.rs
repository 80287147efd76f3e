//! `eset-protect policies create`: from flags, or from a file.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use clap::Args;
use eset_protect::codegen::decode_text;
use eset_protect::policy::{Settings, SettingsError};
use eset_protect::policy_management::v2::{
    CreatePolicyRequest, FeaturePolicy, Policy, SettingFlags,
};
use eset_protect::rpc::policies::CreatePolicy;

use crate::check::CheckOptions;
use crate::connection::Connection;
use crate::creation::Creation;
use crate::failure::Failure;
use crate::input;
use crate::method::Method;
use crate::request::Request;
use crate::response;
use crate::say::say;
use crate::text::count;

/// Create a policy from flags, or one or several from a file
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  eset-protect policies create --name Strict --product eset.local.products.endpoint --data settings.dat
  eset-protect policies get UUID --output json | eset-protect policies create --file -
  eset-protect policies list --output json | jq -c 'select(.builtIn == false)' |
      eset-protect policies create --file -")]
pub struct Create {
    #[command(flatten)]
    creation: Creation,
    #[command(flatten)]
    fields: Fields,
}

/// The fields of the policy.
#[derive(Args, Debug)]
#[group(conflicts_with = "file")]
struct Fields {
    /// A human-readable name
    #[arg(long, required_unless_present = "file", allow_hyphen_values = true)]
    name: Option<String>,
    /// Free text
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    description: Option<String>,
    /// The product for the settings, such as eset.local.products.endpoint; an export contains it
    #[arg(long)]
    product: Option<String>,
    /// The settings; `-` reads standard input
    ///
    /// A Web Console export (.dat), base64-encoded settings, or plain settings, which begin with {"policy":
    /// {"format": …}}. The command recognizes the form by the content and prints it to standard error. It
    /// refuses other content, since products silently treat settings that they do not understand as empty;
    /// --allow-unknown sends it unchanged. At most 64 MiB.
    #[arg(long, value_name = "FILE", required_unless_present = "file")]
    data: Option<PathBuf>,
    /// A setting that overrides policies merged later; may be repeated
    #[arg(long, value_name = "PATH")]
    force: Vec<String>,
    /// A setting that the device cannot override; may be repeated
    #[arg(long, value_name = "PATH")]
    read_only: Vec<String>,
}

/// The flags that set fields.
const FLAGS: &[(&str, &str)] = &[
    ("policy.display_name", "--name"),
    ("policy.features[0].configuration.product", "--product"),
    ("policy.features[0].configuration.data", "--data"),
    ("policy.features[0].flags", "--force, --read-only"),
];

impl Create {
    pub fn run(self, connection: Connection) -> Result<(), Failure> {
        // Errors are reported before connecting.
        let Self { creation, fields } = self;
        let from_flags = |check: CheckOptions| {
            let request = CreatePolicyRequest::from(fields.policy(check)?);
            let request = Request::new(&Method::of::<CreatePolicy>()?, &request)?;
            check.flags(&request, FLAGS).map(|()| request)
        };
        let method = Method::of::<CreatePolicy>()?;
        creation.run(connection, method, None, from_flags, async |client, view, method, request| {
            response::call(client, view, method, request, "").await.map(drop)
        })
    }
}

impl Fields {
    fn policy(self, check: CheckOptions) -> Result<Policy, Failure> {
        let path = self.data.unwrap_or_default();
        let settings = settings(&path, check)?;
        let product = product(self.product, settings.product)?;
        say(&format!("--data {}: {}, for {product}", path.display(), settings.text));
        let mut feature = FeaturePolicy::product(product, settings.data);
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

/// The contents of `--data`.
struct Data {
    data: Bytes,
    product: Option<String>,
    /// The recognized form and the size.
    text: String,
}

/// Reads settings in any form.
fn settings(path: &Path, check: CheckOptions) -> Result<Data, Failure> {
    let content = input::read("--data", path)?;
    // Text may be saved as UTF-16; settings themselves never are.
    let read = Settings::read(&content).or_else(|error| match decode_text(&content) {
        Ok(text) => Settings::read(text.as_bytes()),
        Err(_) => Err(error),
    });
    match read {
        Ok(settings) => {
            let size = count(settings.data.len(), "byte");
            let text = format!("read as {}, {size}", settings.form);
            Ok(Data { data: settings.data, product: settings.product, text })
        }
        Err(SettingsError::Empty) => Err(input::wrong("--data", path, &SettingsError::Empty)),
        Err(_) if check.allows_unknown() => {
            let text = format!("sent as it is, {}", count(content.len(), "byte"));
            Ok(Data { data: content.into(), product: None, text })
        }
        Err(error) => {
            let hint = match error {
                SettingsError::Request => "; pass it with --file",
                _ => "",
            };
            let line = format!("--data {}: {error}{hint}", path.display());
            Err(Failure::Check { lines: vec![line], can_allow: true })
        }
    }
}

/// The product that is said, and that an export names: the same, where both are there.
fn product(said: Option<String>, named: Option<String>) -> Result<String, Failure> {
    match (said, named) {
        (Some(said), Some(named)) if said != named => Err(Failure::Input(format!(
            "--product: expected {named}, which the export names, found {said}"
        ))),
        (Some(product), _) | (None, Some(product)) => Ok(product),
        (None, None) => Err(Failure::Input(
            "--product: expected a product name, such as eset.local.products.endpoint, since \
             --data names none"
                .to_owned(),
        )),
    }
}
