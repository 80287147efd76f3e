//! `eset-protect policies create`: from flags, or from a file.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use clap::{ArgMatches, Args, Command, FromArgMatches};
use eset_protect::codegen::decode_text;
use eset_protect::policy::{Settings, SettingsError};
use eset_protect::policy_management::v2::{FeaturePolicy, SettingFlags};

use crate::check::CheckOptions;
use crate::failure::Failure;
use crate::flags::insert;
use crate::input;
use crate::operation::own::{Completed, Own};
use crate::say::say;
use crate::text::count;

const EXAMPLES: &str = "\
Examples:
  eset-protect policies create --name Strict --product eset.local.products.endpoint --data settings.dat
  eset-protect policies get UUID --output json | eset-protect policies create --file -
  eset-protect policies list --output json | jq -c 'select(.builtIn == false)' |
      eset-protect policies create --file -";

/// `policies create`.
#[derive(Debug)]
pub struct NewPolicy;

// What the policy contains.
#[derive(Args, Debug)]
#[group(conflicts_with = "file")]
struct Fields {
    /// The product for the settings, such as eset.local.products.endpoint; an export contains it
    #[arg(long)]
    product: Option<String>,
    /// The settings; `-` reads standard input
    ///
    /// A Web Console export (.dat), base64-encoded settings, or plain settings, which begin with {"policy":
    /// {"format": …}}. The command recognizes the form by the content and prints it to standard error. It
    /// refuses other content, since products silently treat settings that they do not understand as empty;
    /// --allow-unknown sends it unchanged. At most 64 MiB.
    #[arg(long, value_name = "FILE", required_unless_present_any = ["file", "skeleton"])]
    data: Option<PathBuf>,
    /// A setting that overrides policies merged later; may be repeated
    #[arg(long, value_name = "PATH")]
    force: Vec<String>,
    /// A setting that the device cannot override; may be repeated
    #[arg(long, value_name = "PATH")]
    read_only: Vec<String>,
}

/// What those set.
const FIELDS: [(&str, &str); 3] = [
    ("policy.features[0].configuration.product", "--product"),
    ("policy.features[0].configuration.data", "--data"),
    ("policy.features[0].flags", "--force, --read-only"),
];

impl Own for NewPolicy {
    fn about(&self) -> &'static str {
        "Create a policy from flags, or one or several from a file"
    }

    fn names(&self) -> &'static [(&'static str, &'static str)] {
        &[("policy.display_name", "name"), ("policy.description", "description")]
    }

    fn declare(&self, command: Command) -> Command {
        Fields::augment_args(command).after_help(EXAMPLES)
    }

    fn complete(
        &self,
        json: String,
        matches: &ArgMatches,
        check: CheckOptions,
    ) -> Result<Completed, Failure> {
        let feature = Fields::from_arg_matches(matches)?.feature(check)?;
        let json = insert(&json, &["policy", "features"], serde_json::to_string(&[feature])?)?;
        Ok((json, FIELDS.map(|(path, flag)| (path.to_owned(), flag.to_owned())).to_vec()))
    }
}

impl Fields {
    fn feature(self, check: CheckOptions) -> Result<FeaturePolicy, Failure> {
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
        Ok(feature)
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
        Err(_) if check.allow_unknown => {
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
        (Some(said), Some(named)) if said != named => {
            let problem = format!("expected {named}, which the export names, found {said}");
            Err(Failure::of("--product", problem))
        }
        (Some(product), _) | (None, Some(product)) => Ok(product),
        (None, None) => Err(Failure::of(
            "--product",
            "expected a product name, such as eset.local.products.endpoint, since --data names none",
        )),
    }
}
