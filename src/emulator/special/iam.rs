//! Roles and who has them, beyond the standard methods ([facts](crate::facts#iam)).

use prost::{Message, Name};

use crate::emulator::api::{Special, write_only};
use crate::emulator::failure::Failure;
use crate::emulator::store::{Change, Read};
use crate::iam::v2::{AssignRoleRequest, RevokeRoleRequest, Role, SubjectRoles};
use crate::rpc::identity_provider::{AssignRole, RevokeRole};

pub(crate) fn methods() -> [Special; 2] {
    [write_only::<AssignRole>(assign), write_only::<RevokeRole>(revoke)]
}

/// Adds scopes to those that the subject has for the role. Without scopes the role holds everywhere.
fn assign(change: &mut Change<'_>, request: AssignRoleRequest) -> Result<(), Failure> {
    let role = request.role.unwrap_or_default();
    change.get::<Role>(&role.role_name)?;
    let (sequence, mut subject) = found(change, request.subject_reference, request.subject_type)?;
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
    let sequence = sequence.map_or_else(|| change.sequence(), Ok)?;
    change.write(sequence, &subject)
}

/// Removes scopes from those that the subject has for the role. Without scopes the role is removed.
fn revoke(change: &mut Change<'_>, request: RevokeRoleRequest) -> Result<(), Failure> {
    let role = request.role.unwrap_or_default();
    change.get::<Role>(&role.role_name)?;
    let (sequence, mut subject) = found(change, request.subject_reference, request.subject_type)?;
    let Some(sequence) = sequence else {
        return Err(Failure::not_found(&SubjectRoles::full_name(), &subject.subject_reference));
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
        true => change.remove_row(&SubjectRoles::full_name(), sequence),
        false => change.write(sequence, &subject),
    }
}

/// Returns what a subject has, with its sequence number if it has anything.
fn found(
    change: &Change<'_>,
    subject_reference: String,
    kind: i32,
) -> Result<(Option<u64>, SubjectRoles), Failure> {
    for row in change.rows_from(&SubjectRoles::full_name(), 0)? {
        let (sequence, row) = row?;
        let subject = SubjectRoles::decode(row.as_slice())?;
        if subject.subject_reference == subject_reference && subject.subject_type == kind {
            return Ok((Some(sequence), subject));
        }
    }
    Ok((None, SubjectRoles { subject_reference, subject_type: kind, roles: Vec::new() }))
}
