//! The resources inside another one, which go with it.

use prost_reflect::{DynamicMessage, FieldDescriptor, MessageDescriptor};

use crate::emulator::failure::Failure;
use crate::emulator::store::{Change, Read};

/// The collections inside each resource of a collection.
#[derive(Clone, Debug)]
pub(super) struct Child {
    pub(super) resource: MessageDescriptor,
    pub(super) id: Option<FieldDescriptor>,
    pub(super) children: Vec<Self>,
}

/// Removes everything inside a resource, given by its identifier and those of its parents.
pub(super) fn remove(
    change: &mut Change<'_>,
    children: &[Child],
    parents: &[String],
) -> Result<(), Failure> {
    for child in children {
        let collection = within(child.resource.full_name().to_owned(), parents);
        let rows: Vec<_> = change.rows_from(&collection, 0)?.collect::<Result<_, _>>()?;
        for (sequence, row) in rows {
            let Some(id) = &child.id else {
                change.remove_row(&collection, sequence)?;
                continue;
            };
            let resource = DynamicMessage::decode(child.resource.clone(), row.as_slice())?;
            let id = resource.get_field(id).as_str().unwrap_or_default().to_owned();
            let mut inside = parents.to_vec();
            inside.push(id.clone());
            remove(change, &child.children, &inside)?;
            change.remove(&collection, &id, sequence)?;
        }
    }
    Ok(())
}

/// The name of the collection of some parents.
pub(crate) fn within(collection: String, parents: &[String]) -> String {
    parents.iter().fold(collection, |collection, parent| format!("{collection}/{parent}"))
}
