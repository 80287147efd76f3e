//! The service `Policies`.

use prost::Message;
use redb::ReadableTable;
use tonic::{Request, Response, Status};

use super::assignments;
use super::check;
use super::core::{Core, World};
use super::failure::Failure;
use super::fingerprint::Fingerprint;
use super::paging::Page;
use super::policy_check::check_new_policy;
use super::store::{POLICIES, POLICY_IDS, Tables, decode, new_id, row};
use crate::policy_management::v2::policies_server::Policies;
use crate::policy_management::v2::{
    CreatePolicyRequest, CreatePolicyResponse, DeletePolicyRequest, DeletePolicyResponse,
    GetPolicyRequest, GetPolicyResponse, ListPoliciesRequest, ListPoliciesResponse, Policy,
};

/// What errors call a policy.
pub(crate) const POLICY: &str = "eset.dotnod.policy_management.v2.Policy";

/// Policies, as ESET's Policy Management API has them ([facts](crate::facts#policy-management)). Where
/// the documentation is silent or unclear, this is what the emulator does:
///
/// * `uuid` and `built_in` are read-only fields, so what a client sends there is ignored. A built-in
///   policy can be read and created again as a copy, which is never built in: that is how policies are
///   cloned, and how "built-in policies cannot be created" holds.
/// * Deleting a built-in policy is `FAILED_PRECONDITION`: what the policy is forbids it, not who asks.
/// * Deleting a policy removes its assignments, and those behind them move up.
#[derive(Clone, Debug)]
pub(crate) struct PoliciesService(pub(crate) Core);

#[tonic::async_trait]
impl Policies for PoliciesService {
    async fn list_policies(
        &self,
        request: Request<ListPoliciesRequest>,
    ) -> Result<Response<ListPoliciesResponse>, Status> {
        let ListPoliciesRequest { page_size, page_token } = request.into_inner();
        let list = Fingerprint::new().part("policies");
        let page = Page::new(self.0.world.pages, list, page_size, &page_token)?;
        let (policies, next_page_token) = self
            .0
            .store
            .read(move |transaction| {
                let Some(start) = page.start() else { return Ok(Default::default()) };
                page.take(transaction.open_table(POLICIES)?.range(start..)?.map(decode::<Policy>))
            })
            .await?;
        Ok(Response::new(ListPoliciesResponse { policies, next_page_token }))
    }

    async fn create_policy(
        &self,
        request: Request<CreatePolicyRequest>,
    ) -> Result<Response<CreatePolicyResponse>, Status> {
        let policy = request.into_inner().policy;
        let policy = policy.ok_or_else(|| Failure::invalid("policy", "must be set"))?;
        let policy = Policy { built_in: false, ..policy };
        let policy = self.0.write(move |tables, world| create(tables, world, policy)).await?;
        Ok(Response::new(CreatePolicyResponse { policy: Some(policy) }))
    }

    async fn get_policy(
        &self,
        request: Request<GetPolicyRequest>,
    ) -> Result<Response<GetPolicyResponse>, Status> {
        let uuid = request.into_inner().policy_uuid;
        check::id("policy_uuid", &uuid)?;
        let policy = self
            .0
            .store
            .read(move |transaction| {
                let ids = transaction.open_table(POLICY_IDS)?;
                let table = transaction.open_table(POLICIES)?;
                let found: Option<Policy> = match ids.get(uuid.as_str())? {
                    Some(sequence) => row(&table, sequence.value())?,
                    None => None,
                };
                found.ok_or_else(|| Failure::not_found(POLICY, &uuid))
            })
            .await?;
        Ok(Response::new(GetPolicyResponse { policy: Some(policy) }))
    }

    async fn delete_policy(
        &self,
        request: Request<DeletePolicyRequest>,
    ) -> Result<Response<DeletePolicyResponse>, Status> {
        let uuid = request.into_inner().policy_uuid;
        check::id("policy_uuid", &uuid)?;
        self.0.write(move |tables, _| delete(tables, &uuid)).await?;
        Ok(Response::new(DeletePolicyResponse {}))
    }
}

/// Creates a policy, built in or not.
pub(crate) fn create(
    tables: &mut Tables<'_>,
    world: &World,
    mut policy: Policy,
) -> Result<Policy, Failure> {
    check_new_policy(&policy)?;
    for feature in &mut policy.features {
        if let Some(configuration) = &mut feature.configuration {
            check::settle(configuration);
        }
    }
    let sequence = tables.sequence()?;
    policy.uuid = new_id(&tables.policy_ids, &*world.ids, sequence)?;
    let bytes = policy.encode_to_vec();
    tables.put(bytes.len());
    tables.policies.insert(sequence, bytes.as_slice())?;
    tables.policy_ids.insert(policy.uuid.as_str(), sequence)?;
    Ok(policy)
}

fn delete(tables: &mut Tables<'_>, uuid: &str) -> Result<(), Failure> {
    let sequence = tables.policy_ids.get(uuid)?.map(|sequence| sequence.value());
    let sequence = sequence.ok_or_else(|| Failure::not_found(POLICY, uuid))?;
    let policy: Option<Policy> = row(&tables.policies, sequence)?;
    if policy.is_some_and(|policy| policy.built_in) {
        let description = format!("the policy `{uuid}` is built in and cannot be deleted");
        return Err(Failure::precondition("BUILT_IN", uuid, description));
    }
    assignments::remove_policy(tables, sequence)?;
    tables.policy_ids.remove(uuid)?;
    let old = tables.policies.remove(sequence)?.map(|old| old.value().len());
    if let Some(old) = old {
        tables.taken(old);
    }
    Ok(())
}
