//! Policies as Web Console exports.

use base64_simd::STANDARD;
use bytes::Bytes;

use super::file::{ExportFile, FileError, PolicyFile};
use super::{Form, Settings};
use crate::params::PolicyData;
use crate::policy_management::v2::{FeaturePolicy, Policy};

impl PolicyFile {
    /// Makes the file of settings, which have no name.
    pub fn from_settings(name: &str, settings: &Settings) -> Self {
        let text = |bytes: &Bytes| String::from_utf8_lossy(bytes).into_owned();
        let frame = &settings.frame;
        let product = settings.product.clone().unwrap_or_default();
        let policy = Policy {
            display_name: name.to_owned(),
            features: vec![FeaturePolicy::product(product, settings.data.clone())],
            ..Policy::default()
        };
        let (before, after) = (text(&frame.before), text(&frame.after));
        let export = (settings.form == Form::Export).then_some(ExportFile { before, after });
        Self { export, ..Self::from_policy(&policy) }
    }

    /// Writes a Web Console export (`.dat`): the lines that it was read with, if any, and the settings with the
    /// product's name. An export has no name, description, flags or assignments.
    ///
    /// # Errors
    ///
    /// Fails if the policy is for another number of products than one, or as [`to_policy`](Self::to_policy).
    pub fn to_export(&self) -> Result<String, FileError> {
        let policy = self.to_policy()?;
        let data = match &*policy.features {
            [feature] => feature.configuration.as_ref().and_then(|c| c.unpack().ok()),
            _ => None,
        };
        let Some(PolicyData { data: Some(data), product }) = data else {
            let reason = "expected the settings of exactly one product".to_owned();
            return Err(FileError { feature: policy.features.len().saturating_sub(1), reason });
        };
        let export = self.export.as_ref();
        Ok([
            export.map_or("", |export| &export.before),
            &STANDARD.encode_to_string(data),
            product.as_deref().unwrap_or_default(),
            export.map_or("\n", |export| &export.after),
        ]
        .concat())
    }
}
