//! Metadata of every call: the tenant of a bridge, and any other.

use tonic::metadata::{Ascii, MetadataKey, MetadataValue};

use super::names::{METADATA, TENANT};
use super::variables::Variables;
use crate::client::ClientBuilder;
use crate::error::Error;
use crate::headers::is_of_protocol;

/// The header by which a bridge knows the tenant.
const HEADER: &str = "eset-protect-tenant";

type Entry = (MetadataKey<Ascii>, MetadataValue<Ascii>);

/// Adds the metadata to every call that does not set it itself.
pub(super) fn with_metadata(
    variables: &Variables<'_>,
    builder: ClientBuilder,
) -> Result<ClientBuilder, Error> {
    let mut all = Vec::new();
    if let Some(tenant) = variables.text(TENANT)? {
        all.push(entry(TENANT, HEADER, &tenant, "the name of a tenant")?);
    }
    let lines = variables.text(METADATA)?.unwrap_or_default();
    for line in lines.lines().filter(|line| !line.trim().is_empty()) {
        let expected = "NAME=VALUE, a header that is not the protocol's own";
        let (name, value) = line.split_once('=').unwrap_or_default();
        all.push(entry(METADATA, name.trim(), value, expected)?);
    }
    if all.is_empty() {
        return Ok(builder);
    }
    Ok(builder.interceptor(move |_, metadata| {
        for (key, value) in &all {
            if !metadata.contains_key(key) {
                metadata.insert(key.clone(), value.clone());
            }
        }
        Ok(())
    }))
}

/// Parses an entry. The error omits the value, which may be a secret.
fn entry(variable: &str, name: &str, value: &str, expected: &str) -> Result<Entry, Error> {
    let parsed = || {
        let key: MetadataKey<Ascii> = name.parse().ok()?;
        let is_allowed = !is_of_protocol(key.as_str()) && key.as_str() != "authorization";
        Some((key, value.parse().ok()?)).filter(|_| is_allowed)
    };
    parsed().ok_or_else(|| Error::config(format!("{variable}: expected {expected}")))
}
