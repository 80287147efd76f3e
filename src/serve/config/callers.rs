//! The table of a caller.

use serde::Deserialize;
use toml::Spanned;

use super::config_error::ConfigError;
use super::place::Source;
use crate::rpc;
use crate::serve::{Caller, Identity, RpcPattern, Rules};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CallerTable {
    token_sha256: Option<Spanned<String>>,
    certificate: Option<Spanned<String>>,
    jwt: Option<Spanned<String>>,
    #[serde(default)]
    own_token: bool,
    #[serde(default)]
    anyone: bool,
    tenants: Vec<Spanned<String>>,
    allow: Option<Spanned<Vec<Spanned<String>>>>,
    #[serde(default)]
    deny: Vec<Spanned<String>>,
    #[serde(default)]
    dry_run: Vec<Spanned<String>>,
    #[serde(default)]
    read_only: bool,
}

pub(super) fn caller(
    source: &Source<'_>,
    name: &str,
    table: &Spanned<CallerTable>,
    has_issuer: bool,
    has_authorities: bool,
) -> Result<Caller, ConfigError> {
    let place = format!("callers.{name}");
    let span = table.span();
    let table = table.as_ref();
    let mut identities = Vec::new();
    if let Some(hash) = &table.token_sha256 {
        let key = format!("{place}.token_sha256");
        let hash = hash.as_ref().parse().map_err(|error| source.at(&key, &hash.span(), &error))?;
        identities.push(Identity::Token(hash));
    }
    let text = |key: &str, text: &Option<Spanned<String>>| {
        let text = text.as_ref();
        text.map(|text| source.text(&format!("{place}.{key}"), text)).transpose()
    };
    identities.extend(text("certificate", &table.certificate)?.map(Identity::Certificate));
    identities.extend(text("jwt", &table.jwt)?.map(Identity::Jwt));
    identities.extend(table.own_token.then_some(Identity::OwnToken));
    identities.extend(table.anyone.then_some(Identity::Anyone));
    let (Some(identity), 1) = (identities.pop(), identities.len() + 1) else {
        let problem =
            "expected one of token_sha256, certificate, jwt, own_token = true and anyone = true";
        return Err(source.at(&place, &span, &problem));
    };
    if matches!(identity, Identity::Jwt(_)) && !has_issuer {
        return Err(source.at(&format!("{place}.jwt"), &span, &"expected a table [jwt]"));
    }
    if matches!(identity, Identity::Certificate(_)) && !has_authorities {
        let expected = "expected tls.client_authorities, which issue the certificates of callers";
        return Err(source.at(&format!("{place}.certificate"), &span, &expected));
    }
    let patterns = |key: &str, texts: &[Spanned<String>]| {
        let key = format!("{place}.{key}");
        texts.iter().map(|text| pattern(source, &key, text)).collect::<Result<Vec<_>, _>>()
    };
    let mut rules = Rules::new().read_only(table.read_only);
    if let Some(allow) = &table.allow {
        if allow.as_ref().is_empty() {
            let expected = "at least one RPC; without `allow`, all are allowed";
            return Err(source.wrong(&format!("{place}.allow"), allow, expected));
        }
        rules = patterns("allow", allow.as_ref())?.into_iter().fold(rules, Rules::allow);
    }
    rules = patterns("deny", &table.deny)?.into_iter().fold(rules, Rules::deny);
    rules = patterns("dry_run", &table.dry_run)?.into_iter().fold(rules, Rules::dry_run);
    let mut caller = Caller::new(name, identity).rules(rules);
    for tenant in &table.tenants {
        if caller.may_use(tenant.as_ref()) {
            return Err(source.wrong(&format!("{place}.tenants"), tenant, "each tenant once"));
        }
        caller = caller.tenant(tenant.as_ref());
    }
    Ok(caller)
}

fn pattern(
    source: &Source<'_>,
    key: &str,
    text: &Spanned<String>,
) -> Result<RpcPattern, ConfigError> {
    let pattern: RpcPattern =
        text.as_ref().parse().map_err(|error| source.at(key, &text.span(), &error))?;
    // A misspelt rule must not deny or allow less than its author thinks.
    if rpc::METHODS.iter().any(|spec| pattern.matches(spec)) {
        return Ok(pattern);
    }
    Err(source.wrong(key, text, "an RPC of ESET's services; `eset-protect call` lists them"))
}
