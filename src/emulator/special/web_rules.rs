//! Web address rules of policies ([facts](crate::facts#web-access-protection)). The API shows their UUIDs only;
//! the emulator keeps the addresses, to find rules by a domain.

use prost::{Message, Name};

use crate::emulator::api::{Special, list, write};
use crate::emulator::failure::Failure;
use crate::emulator::paging::Page;
use crate::emulator::store::{Change, Read, Snapshot, within};
use crate::policy_management::v2::Policy;
use crate::rpc::web_address_rules_configurator::{
    ListWebAddressRules, UpdateWebAddressRuleDomains,
};
use crate::web_access_protection::v2::{
    ListWebAddressRulesRequest, ListWebAddressRulesResponse, UpdateWebAddressRuleDomainsRequest,
    UpdateWebAddressRuleDomainsResponse,
};

/// What is stored of a rule.
#[derive(Clone, PartialEq, Message)]
struct RuleRow {
    #[prost(string, tag = "1")]
    uuid: String,
    #[prost(string, repeated, tag = "2")]
    urls: Vec<String>,
    #[prost(string, tag = "3")]
    source_name: String,
}

/// The rule of the seed.
const SEEDED: &str = "0e6a0000-0000-4000-8000-000000000001";

pub(crate) fn methods() -> [Special; 2] {
    [list::<ListWebAddressRules>(rules), write::<UpdateWebAddressRuleDomains, _>(update)]
}

/// Returns the collection of a policy's rules.
fn collection(policy: &str) -> String {
    within(&[Policy::full_name()], &[policy.to_owned()], "web address rule")
}

/// Adds a rule to a policy of the seed.
pub(crate) fn seed(change: &mut Change<'_>, policy: &str) -> Result<(), Failure> {
    let urls = vec!["example.org".to_owned()];
    let rule = RuleRow { uuid: SEEDED.to_owned(), urls, source_name: String::new() };
    let sequence = change.sequence()?;
    change.add(&collection(policy), SEEDED, sequence, &rule.encode_to_vec())
}

/// Lists the rules with a domain, or all of them.
fn rules(
    snapshot: &Snapshot<'_>,
    request: ListWebAddressRulesRequest,
    _: Page,
) -> Result<ListWebAddressRulesResponse, Failure> {
    let ListWebAddressRulesRequest { policy_uuid, include_domain: domain } = request;
    snapshot.get::<Policy>(&policy_uuid)?;
    let mut address_rule_uuids = Vec::new();
    for row in snapshot.rows_from(&collection(&policy_uuid), 0)? {
        let rule = RuleRow::decode(row?.1.as_slice())?;
        if domain.is_empty() || rule.urls.iter().any(|url| host(url) == domain) {
            address_rule_uuids.push(rule.uuid);
        }
    }
    Ok(ListWebAddressRulesResponse { address_rule_uuids })
}

/// Replaces the addresses of a rule by those that are addresses.
fn update(
    change: &mut Change<'_>,
    request: UpdateWebAddressRuleDomainsRequest,
) -> Result<UpdateWebAddressRuleDomainsResponse, Failure> {
    change.get::<Policy>(&request.policy_uuid)?;
    let collection = collection(&request.policy_uuid);
    let uuid = request.address_rule_uuid;
    let Some((sequence, row)) = change.find(&collection, &uuid)? else {
        return Err(Failure::not_found("web address rule", &uuid));
    };
    let before = RuleRow::decode(row.as_slice())?;
    let is_address = |url: &String| {
        let host = host(url);
        host.contains('.') && host.chars().all(|c| c.is_alphanumeric() || "-.*_".contains(c))
    };
    let (urls, malformed_domains): (Vec<_>, _) = request.urls.into_iter().partition(is_address);
    let added = urls.iter().filter(|url| !before.urls.contains(url)).count();
    let rule = RuleRow { uuid, urls, source_name: request.source_name };
    change.put(&collection, sequence, &rule.encode_to_vec())?;
    let added_domains_count = u32::try_from(added).unwrap_or(u32::MAX);
    Ok(UpdateWebAddressRuleDomainsResponse { added_domains_count, malformed_domains })
}

/// The host of an address, with a scheme or without one.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', ':', '?', '#']).next().unwrap_or_default()
}
