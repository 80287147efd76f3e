//! Changes a resource: by a mask, or as a custom method does.

use prost::Message;
use prost_reflect::{DynamicMessage, FieldDescriptor, ReflectMessage, Value};

use super::{Source, Standard, take_message};
use crate::check::received_part;
use crate::descriptors::{is_fixed, is_immutable, is_output_only};
use crate::device_management::v1::DeviceGroup;
use crate::emulator::environment::Environment;
use crate::emulator::failure::{Failure, Violations};
use crate::emulator::groups::PARENT;
use crate::emulator::store::{Change, Read};

impl Standard {
    /// Sets the fields of a resource that `update_mask` names or, without one, those that are set (AIP-134).
    pub(super) fn update(
        &self,
        change: &Change<'_>,
        resource: &mut DynamicMessage,
        mut request: DynamicMessage,
        body: &FieldDescriptor,
    ) -> Result<(), Failure> {
        let name_of = |field: FieldDescriptor| field.name().to_owned();
        let mut new = take_message(&mut request, body)?;
        let names = match mask(&request) {
            Some(paths) if paths == ["*"] => self.resource.fields().map(name_of).collect(),
            Some(paths) => paths,
            None => new.fields().map(|(field, _)| name_of(field)).collect(),
        };
        let before = resource.clone();
        let mut violations = Violations::default();
        for name in names {
            let Some(field) = self.resource.get_field_by_name(&name) else {
                let expected =
                    format!("expected fields of {}, found {name:?}", self.resource.name());
                violations.add("update_mask", expected);
                continue;
            };
            let value = new.take_field_by_name(&name);
            if is_output_only(&field) || Some(&field) == self.id.as_ref() {
                continue;
            }
            if (is_immutable(&field) || is_fixed(&before, &field))
                && value.as_ref() != Some(&*resource.get_field(&field))
            {
                violations.add(format!("{}.{name}", body.name()), "cannot be changed");
            }
            match value {
                Some(value) => resource.set_field(&field, value),
                None => resource.clear_field(&field),
            }
        }
        self.changed(change.environment(), body.name(), resource, violations)
    }

    /// Sets fields to values, or to fields of the request: with an `update_mask` those that it names or, if it
    /// is empty, those that are set. A group must be there.
    pub(super) fn set(
        &self,
        change: &Change<'_>,
        resource: &mut DynamicMessage,
        request: &DynamicMessage,
        sets: &[(FieldDescriptor, Source)],
    ) -> Result<(), Failure> {
        let mask = mask(request);
        let has_mask = request.descriptor().get_field_by_name("update_mask").is_some();
        let is_wanted = |from: &FieldDescriptor| match &mask {
            Some(paths) => paths.iter().any(|path| path == from.name() || path == "*"),
            None => !has_mask || request.has_field(from),
        };
        let mut violations = Violations::default();
        for path in mask.iter().flatten().filter(|path| *path != "*") {
            if !sets.iter().any(|(field, _)| field.name() == path) {
                violations
                    .add("update_mask", format!("expected fields of the request, found {path:?}"));
            }
        }
        for (field, source) in sets {
            if let Source::Field(from) = source
                && !is_wanted(from)
            {
                continue;
            }
            let value = match source {
                Source::Value(value) => Value::Bool(*value),
                Source::Field(from) => request.get_field(from).into_owned(),
            };
            if let (PARENT, Some(group)) = (field.name(), value.as_str()) {
                change.get::<DeviceGroup>(group)?;
            }
            resource.set_field(field, value);
        }
        self.changed(change.environment(), "", resource, violations)
    }

    /// Fails if the resource cannot be left like this. `path` is where the request has it.
    fn changed(
        &self,
        environment: &Environment,
        path: &str,
        resource: &DynamicMessage,
        mut violations: Violations,
    ) -> Result<(), Failure> {
        let kind = environment.types.get(self.resource.full_name());
        let kind = kind.ok_or_else(|| Failure::internal("a resource of an unknown type"))?;
        violations.extend(received_part(path, &kind, &resource.encode_to_vec()));
        violations.check()
    }
}

/// The paths of `update_mask`, if there are any.
fn mask(request: &DynamicMessage) -> Option<Vec<String>> {
    let mask = request.get_field_by_name("update_mask")?;
    let paths = mask.as_message()?.get_field_by_name("paths")?.into_owned();
    let paths = paths.as_list()?.iter().filter_map(|path| path.as_str().map(str::to_owned));
    Some(paths.collect::<Vec<_>>()).filter(|paths| !paths.is_empty())
}
