//! What goes with a policy.

use eset_protect::network_access_protection::v1::{ListIpSetsRequest, UpdateIpSetRequest};
use eset_protect::policy_management::v2::ListPoliciesRequest;

use crate::over_all_routes;

#[tokio::test]
async fn what_is_inside_a_policy_goes_with_it() {
    over_all_routes(async |fixture| {
        let (policies, sets) =
            (fixture.client.policies(), fixture.client.network_access_configurator());
        let all = policies.list_policies(ListPoliciesRequest::default()).await.expect("policies");
        let custom = all.policies.iter().find(|policy| !policy.built_in).expect("one").uuid.clone();
        let list = ListIpSetsRequest { policy_uuid: custom.clone(), ..Default::default() };
        let found = sets.list_ip_sets(list.clone()).await.expect("sets").ip_sets;
        assert_eq!(found.len(), 2);
        for (index, mut set) in found.into_iter().enumerate() {
            set.display_name.push('!');
            let (policy_uuid, ip_set_uuid) = (custom.clone(), set.uuid.clone());
            let fixed = set.built_in || set.read_only;
            let request = UpdateIpSetRequest { policy_uuid, ip_set_uuid, ip_set: Some(set) };
            let renamed = sets.update_ip_set(request).await;
            assert_eq!(fixture.note(&format!("set {index}"), renamed).is_none(), fixed);
        }
        fixture.note("deleted", policies.delete_policy(custom.as_str()).await);
        assert!(fixture.note("no policy", sets.list_ip_sets(list).await).is_none());
    })
    .await;
}
