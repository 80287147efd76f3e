//! Roles and who has them, beside the standard methods ([facts](crate::facts#iam)).

use prost::{Message, Name};

use crate::emulator::api::{Answer, write};
use crate::emulator::environment::Environment;
use crate::emulator::failure::Failure;
use crate::emulator::store::{Change, Read};
use crate::iam::v2::{
    AssignRoleRequest, AssignRoleResponse, RevokeRoleRequest, RevokeRoleResponse, Role, ScopedRole,
    SubjectRoles,
};
use crate::rpc::identity_provider::{AssignRole, RevokeRole};

pub(crate) fn methods() -> [(&'static str, Answer); 2] {
    [write::<AssignRole>(assign), write::<RevokeRole>(revoke)]
}

/// Adds scopes to those that the subject has for the role. Without scopes the role holds everywhere.
fn assign(
    change: &mut Change<'_>,
    _: &Environment,
    request: AssignRoleRequest,
) -> Result<AssignRoleResponse, Failure> {
    let role = named(change, request.role)?;
    let (sequence, mut subject) = found(change, &request.subject_reference, request.subject_type)?;
    match subject.roles.iter_mut().find(|known| known.role_name == role.role_name) {
        Some(known) if role.scopes.is_empty() => known.scopes.clear(),
        // It holds everywhere already.
        Some(known) if known.scopes.is_empty() => {}
        Some(known) => {
            let new = role.scopes.into_iter().filter(|scope| !known.scopes.contains(scope));
            let new: Vec<_> = new.collect();
            known.scopes.extend(new);
        }
        None => subject.roles.push(role),
    }
    let sequence = match sequence {
        Some(sequence) => sequence,
        None => change.sequence()?,
    };
    change.write(sequence, &subject)?;
    Ok(AssignRoleResponse {})
}

/// Removes scopes from those that the subject has for the role. Without scopes the role is removed.
fn revoke(
    change: &mut Change<'_>,
    _: &Environment,
    request: RevokeRoleRequest,
) -> Result<RevokeRoleResponse, Failure> {
    let role = named(change, request.role)?;
    let (sequence, mut subject) = found(change, &request.subject_reference, request.subject_type)?;
    let Some(sequence) = sequence else {
        return Err(Failure::not_found(&SubjectRoles::full_name(), &request.subject_reference));
    };
    subject.roles.retain_mut(|known| {
        if known.role_name != role.role_name {
            return true;
        }
        let before = known.scopes.len();
        known.scopes.retain(|scope| !role.scopes.contains(scope));
        // A role whose last scope is gone does not hold everywhere.
        !role.scopes.is_empty() && (before == 0 || !known.scopes.is_empty())
    });
    match subject.roles.is_empty() {
        true => change.remove_row(&SubjectRoles::full_name(), sequence)?,
        false => change.write(sequence, &subject)?,
    }
    Ok(RevokeRoleResponse {})
}

/// Returns the role of a request, which must be there.
fn named(change: &Change<'_>, role: Option<ScopedRole>) -> Result<ScopedRole, Failure> {
    let role = role.ok_or_else(|| Failure::invalid("role", "must be set"))?;
    change.get::<Role>(&role.role_name)?;
    Ok(role)
}

/// Returns what a subject has, with its sequence number if it has anything.
fn found(
    change: &Change<'_>,
    reference: &str,
    kind: i32,
) -> Result<(Option<u64>, SubjectRoles), Failure> {
    for row in change.rows_from(&SubjectRoles::full_name(), 0)? {
        let (sequence, row) = row?;
        let subject = SubjectRoles::decode(row.as_slice())?;
        if subject.subject_reference == reference && subject.subject_type == kind {
            return Ok((Some(sequence), subject));
        }
    }
    let subject_reference = reference.to_owned();
    Ok((None, SubjectRoles { subject_reference, subject_type: kind, roles: Vec::new() }))
}
