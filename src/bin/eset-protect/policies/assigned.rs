//! Whether a policy to delete is assigned to anything.

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
    let targets = assignments.into_iter().filter_map(|it| it.target?.target);
    let mut numbers = [(0, "group"), (0, "device"), (0, "subscription")];
    for target in targets {
        numbers[match target {
            Target::DeviceGroupUuid(_) => 0,
            Target::DeviceUuid(_) => 1,
            Target::SubscriptionUuid(_) => 2,
        }]
        .0 += 1;
    }
    let numbers = numbers.into_iter().filter(|(number, _)| *number > 0);
    let on: Vec<_> = numbers.map(|(number, noun)| count(number, noun)).collect();
    match on.is_empty() {
        true => Ok(()),
        false => {
            let on = on.join(" and ");
            safety.ask("delete", &format!("the policy {uuid}, which is assigned to {on}"))
        }
    }
}
