//! Whether a policy to delete is assigned to anything.

use std::collections::BTreeMap;

use eset_protect::Client;
use eset_protect::policy_management::v2::ListPolicyAssignmentsRequest;
use eset_protect::policy_management::v2::policy_target::Target;
use eset_protect::rpc::Rpc;
use eset_protect::rpc::policies::DeletePolicy;
use futures_util::TryStreamExt;

use crate::calls::parse;
use crate::failure::Failure;
use crate::method::Method;
use crate::safety::Safety;
use crate::text::count;

/// Asks before a policy is deleted that is assigned to something, which then loses its settings.
pub async fn confirm(
    client: &Client,
    safety: Safety,
    method: &Method,
    request: &str,
) -> Result<(), Failure> {
    if method.spec.path != DeletePolicy::SPEC.path || !safety.asks() {
        return Ok(());
    }
    let request = parse(request)?;
    let uuid = request["policyUuid"].as_str().unwrap_or_default();
    let all =
        ListPolicyAssignmentsRequest { policy_uuids: vec![uuid.to_owned()], ..Default::default() };
    let assignments = client.policy_assignments().list_policy_assignments(all).items();
    let assignments: Vec<_> = assignments.try_collect().await?;
    let mut numbers = BTreeMap::new();
    for target in assignments.into_iter().filter_map(|it| it.target?.target) {
        let noun = match target {
            Target::DeviceGroupUuid(_) => "group",
            Target::DeviceUuid(_) => "device",
            Target::SubscriptionUuid(_) => "subscription",
        };
        *numbers.entry(noun).or_default() += 1;
    }
    if numbers.is_empty() {
        return Ok(());
    }
    let on: Vec<_> = numbers.into_iter().map(|(noun, number)| count(number, noun)).collect();
    let on = on.join(" and ");
    safety.ask("delete", &format!("the policy {uuid}, which is assigned to {on}"))
}
