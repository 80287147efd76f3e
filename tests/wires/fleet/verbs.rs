//! The custom methods of rules, executables, users and roles.

use eset_protect::iam::v2::{
    AssignRoleRequest, ListRolesRequest, RevokeRoleRequest, Scope, ScopedRole, SubjectType,
};
use eset_protect::incident_management::v2::{ListEdrRulesRequest, UpdateEdrRuleDefinitionRequest};
use eset_protect::user_management::v1::{ActiveUserProduct, ListUsersRequest};

use crate::fleet::{ALL, SHOPS};
use crate::over_all_routes;

#[tokio::test]
async fn rules_executables_users_and_roles_have_their_verbs() {
    over_all_routes(async |fixture| {
        let rules = fixture.client.edr_rules();
        let uuid = "ed200000-0000-4000-8000-000000000001";
        fixture.note("disabled", rules.disable_edr_rule(uuid).await);
        assert!(!rules.get_edr_rule(uuid).await.expect("a rule").enabled);
        fixture.note("enabled", rules.enable_edr_rule(uuid).await);
        assert!(rules.get_edr_rule(uuid).await.expect("a rule").enabled);
        let total = async |include_total_size| {
            let request = ListEdrRulesRequest { include_total_size, ..Default::default() };
            rules.list_edr_rules(request).await.expect("rules").total_size
        };
        assert_eq!((total(true).await, total(false).await), (3, 0));

        let update = |xml: &str| UpdateEdrRuleDefinitionRequest {
            rule_uuid: uuid.to_owned(),
            xml_definition: xml.to_owned(),
        };
        let xml = "<rule><description><name>new &amp; named</name></description></rule>";
        let changed = rules.update_edr_rule_definition(update(xml)).await;
        fixture.note("changed", changed);
        assert_eq!(rules.get_edr_rule(uuid).await.expect("a rule").display_name, "new & named");
        let refused = rules.update_edr_rule_definition(update("<rule>")).await;
        assert!(fixture.note("no XML", refused).is_none());

        let executables = fixture.client.executables();
        let uuid = "e8ec0000-0000-4000-8000-000000000001";
        fixture.note("blocked", executables.block_executable(uuid).await);
        assert!(executables.get_executable(uuid).await.expect("an executable").is_blocked);
        fixture.note("unblocked", executables.unblock_executable(uuid).await);
        assert!(!executables.get_executable(uuid).await.expect("an executable").is_blocked);

        let users = fixture.client.users();
        let request = ListUsersRequest { email: "PETER".into(), ..Default::default() };
        let found = users.list_users(request).await.expect("users");
        assert_eq!((found.total_size, found.users.len()), (1, 1));
        let active = |active_product| ListUsersRequest {
            active_product: Some(active_product),
            ..Default::default()
        };
        let id = found.users[0].active_product_ids.first().copied().unwrap_or_default();
        let product = ActiveUserProduct { id, ..Default::default() };
        assert!(users.list_users(active(product)).await.expect("users").total_size > 0);
        let product = ActiveUserProduct { id: 9999, ..Default::default() };
        assert_eq!(users.list_users(active(product)).await.expect("users").total_size, 0);
        let product = ActiveUserProduct { name: "x".into(), ..Default::default() };
        assert!(fixture.note("no names", users.list_users(active(product)).await).is_none());

        let provider = fixture.client.identity_provider();
        let scope = |uuid: &str| Scope { asset_group_uuid: uuid.to_owned(), ..Scope::default() };
        let role = |scopes| Some(ScopedRole { role_name: "reader".into(), scopes });
        let subject = found.users[0].uuid.clone();
        let assign = AssignRoleRequest {
            subject_reference: subject.clone(),
            subject_type: SubjectType::User.into(),
            role: role(vec![scope(ALL), scope(SHOPS)]),
        };
        fixture.note("assigned", provider.assign_role(assign).await);
        let revoke = RevokeRoleRequest {
            subject_reference: subject.clone(),
            subject_type: SubjectType::User.into(),
            role: role(vec![scope(ALL)]),
        };
        fixture.note("revoked", provider.revoke_role(revoke).await);
        let request = ListRolesRequest { subject_reference: subject, ..Default::default() };
        let roles = provider.list_roles(request).await.expect("roles").assignments;
        let scopes: Vec<_> = roles[0].roles.iter().map(|role| role.scopes.len()).collect();
        assert_eq!(scopes, [0, 1]);
    })
    .await;
}
