//! The standard methods (AIP-131 to 135, 231) of every resource, derived from descriptors.
//!
//! A resource is what a method gets, lists or creates. Its collection is the HTTP path of that method without
//! the resource's own identifier. The behaviour of a method follows from its HTTP rule and the types of its
//! request and response, so a service needs no code here unless it does more.

mod fields;
mod filter;
mod list;
mod method;
mod selection;
mod update;

use prost::Message;
use prost::encoding::{WireType, encode_key, encode_varint};
use prost_reflect::{
    DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, ReflectMessage, Value,
};

use self::fields::{server_values, touch, values_from_xml};
pub(super) use self::filter::Filter;
use self::filter::OCCUR_TIME;
pub(super) use self::method::methods;
use super::failure::Failure;
use super::groups::{self, PARENT};
use super::store::{Change, Read, Snapshot, within};

/// A standard method.
#[derive(Clone, Debug)]
pub(crate) struct Standard {
    verb: Verb,
    resource: MessageDescriptor,
    /// The resource's identifier field.
    id: Option<FieldDescriptor>,
    /// The request fields in the path: those of the parents and, for some verbs, of the resource itself as
    /// the last one.
    path: Vec<String>,
    /// The types of the resources that these are in, from the outermost; empty if the emulator does not have one.
    parents: Vec<String>,
    response: MessageDescriptor,
    /// The response field that contains the resource or resources.
    item: Option<FieldDescriptor>,
}

#[derive(Clone, Debug)]
enum Verb {
    Get,
    List,
    /// What was created since a token.
    ListDelta,
    Count,
    /// With the request field for the resource.
    Create(FieldDescriptor),
    /// With the request field for the resource (AIP-134).
    Update(FieldDescriptor),
    /// A custom method, with the fields that it sets.
    Set(Vec<(FieldDescriptor, Source)>),
    Delete,
    /// Removes the resources that the request names or filters.
    Remove,
    /// Returns them as an archive.
    Download,
    /// With the request field for the identifiers.
    BatchGet(FieldDescriptor),
}

/// What a custom method sets a field to.
#[derive(Clone, Debug)]
enum Source {
    Value(bool),
    Field(FieldDescriptor),
}

impl Standard {
    /// Whether the method changes the store.
    pub(crate) fn is_change(&self) -> bool {
        use Verb::{Create, Delete, Remove, Set, Update};
        matches!(self.verb, Create(_) | Update(_) | Set(_) | Delete | Remove)
    }

    /// Whether a call changes nothing, looks at no more rows than its answer has, and at nothing in them.
    pub(crate) fn is_brief(&self, request: &DynamicMessage) -> bool {
        match self.verb {
            Verb::Get | Verb::BatchGet(_) => true,
            // Other fields filter and sort, and so does the time.
            Verb::List => {
                self.resource.get_field_by_name(OCCUR_TIME).is_none()
                    && request.fields().all(|(field, _)| {
                        matches!(field.name(), "page_size" | "page_token")
                            || self.path.iter().any(|name| name == field.name())
                    })
            }
            _ => false,
        }
    }

    /// Returns the type of the resource.
    pub(crate) fn resource(&self) -> &str {
        self.resource.full_name()
    }

    /// Stores an encoded resource, inside the `parents` if it is inside anything. Generates an identifier if it has
    /// none.
    pub(crate) fn store(
        &self,
        change: &mut Change<'_>,
        parents: &[String],
        row: &[u8],
    ) -> Result<(), Failure> {
        if parents.len() < self.parents.len() {
            return Err(Failure::internal(format!("a {} without a parent", self.resource())));
        }
        let collection = within(&self.parents, parents, self.resource());
        let mut resource = DynamicMessage::decode(self.resource.clone(), row)?;
        insert(change, &collection, self.id.as_ref(), &mut resource)?;
        Ok(())
    }

    /// Returns the request fields in the path.
    pub(crate) fn path(&self) -> &[String] {
        &self.path
    }

    /// Serves a call that changes nothing.
    pub(crate) fn read(
        &self,
        snapshot: &Snapshot<'_>,
        request: DynamicMessage,
    ) -> Result<Vec<u8>, Failure> {
        match &self.verb {
            Verb::List => self.list(snapshot, request),
            Verb::ListDelta => self.list_delta(snapshot, &request),
            Verb::Count => self.count(snapshot, request),
            Verb::Download => self.download(snapshot, &request),
            Verb::BatchGet(ids) => self.batch_get(snapshot, &request, ids),
            _ => {
                let (collection, id) = self.one(snapshot, &request)?;
                let (_, row) = self.find(snapshot, &collection, &id)?;
                Ok(self.response_with(row))
            }
        }
    }

    /// Serves a call that makes changes.
    pub(crate) fn write(
        &self,
        change: &mut Change<'_>,
        mut request: DynamicMessage,
    ) -> Result<Vec<u8>, Failure> {
        match &self.verb {
            Verb::Create(body) => {
                let collection = self.collection(change, &request, &self.path)?;
                let mut resource = take_message(&mut request, body)?;
                // What it is in.
                for parent in &self.path {
                    let field = self.resource.get_field_by_name(parent);
                    let is_text = |field: &FieldDescriptor| field.kind() == Kind::String;
                    if let Some(field) = field.filter(|it| is_text(it) && !it.is_list()) {
                        resource.set_field(&field, Value::String(value_at(&request, parent)));
                    }
                }
                server_values(&mut resource, change.environment().now());
                values_from_xml(&mut resource)?;
                let row = insert(change, &collection, self.id.as_ref(), &mut resource)?;
                Ok(self.response_with(row))
            }
            Verb::Update(body) => self.edit(change, request, |change, resource, request| {
                self.update(change, resource, request, body)
            }),
            Verb::Set(sets) => self.edit(change, request, |change, resource, request| {
                self.set(change, resource, &request, sets)
            }),
            Verb::Remove => {
                for (sequence, id, _) in self.selected(change, &request)? {
                    change.remove(self.resource.full_name(), &id, sequence)?;
                }
                Ok(Vec::new())
            }
            _ => {
                let (collection, id) = self.one(change, &request)?;
                let (sequence, row) = self.find(change, &collection, &id)?;
                change.remove(&collection, &id, sequence)?;
                Ok(self.response_with(row))
            }
        }
    }

    /// Changes the resource that a request names.
    fn edit(
        &self,
        change: &mut Change<'_>,
        request: DynamicMessage,
        edit: impl FnOnce(&Change<'_>, &mut DynamicMessage, DynamicMessage) -> Result<(), Failure>,
    ) -> Result<Vec<u8>, Failure> {
        let (collection, id) = self.one(change, &request)?;
        let (sequence, row) = self.find(change, &collection, &id)?;
        let mut resource = DynamicMessage::decode(self.resource.clone(), row.as_slice())?;
        let group = value_at(&resource, PARENT);
        edit(change, &mut resource, request)?;
        values_from_xml(&mut resource)?;
        touch(&mut resource, change.environment().now());
        let row = resource.encode_to_vec();
        change.put(&collection, sequence, &row)?;
        groups::place(change, self.resource(), sequence, &group, &value_at(&resource, PARENT))?;
        Ok(self.response_with(row))
    }

    /// The collection and the identifier of the resource that a request names.
    fn one(
        &self,
        tables: &impl Read,
        request: &DynamicMessage,
    ) -> Result<(String, String), Failure> {
        let Some((id, parents)) = self.path.split_last() else {
            return Err(Failure::internal("a path without variables"));
        };
        Ok((self.collection(tables, request, parents)?, value_at(request, id)))
    }

    /// The collection of the resources below these parents, the nearest of which must be there.
    fn collection(
        &self,
        tables: &impl Read,
        request: &DynamicMessage,
        parents: &[String],
    ) -> Result<String, Failure> {
        let ids: Vec<_> = parents.iter().map(|parent| value_at(request, parent)).collect();
        if let (Some((parent, above)), Some(id)) = (self.parents.split_last(), ids.last())
            && !parent.is_empty()
            && tables.find(&within(above, &ids, parent), id)?.is_none()
        {
            return Err(Failure::not_found(parent, id));
        }
        Ok(within(&self.parents, &ids, self.resource.full_name()))
    }

    fn find(
        &self,
        tables: &impl Read,
        collection: &str,
        id: &str,
    ) -> Result<(u64, Vec<u8>), Failure> {
        let occurred = Filter::occurred(&self.resource, tables.environment().now());
        let found = tables.find(collection, id)?.filter(|(_, row)| {
            occurred.is_empty()
                || DynamicMessage::decode(self.resource.clone(), row.as_slice())
                    .is_ok_and(|resource| occurred.fits(&resource))
        });
        found.ok_or_else(|| Failure::not_found(self.resource.full_name(), id))
    }

    /// The response that is the resource or contains it, or an empty one.
    fn response_with(&self, row: Vec<u8>) -> Vec<u8> {
        if self.response == self.resource {
            return row;
        }
        let mut response = Vec::new();
        self.push_item(&mut response, &row);
        response
    }

    /// Appends a resource to an encoded response.
    fn push_item(&self, response: &mut Vec<u8>, row: &[u8]) {
        if let Some(item) = &self.item {
            push(response, item, row);
        }
    }
}

/// Stores a new resource by the identifier that it has, or else by a new one. Returns its row.
fn insert(
    change: &mut Change<'_>,
    collection: &str,
    id_field: Option<&FieldDescriptor>,
    resource: &mut DynamicMessage,
) -> Result<Vec<u8>, Failure> {
    let Some(id_field) = id_field else {
        let (sequence, row) = (change.sequence()?, resource.encode_to_vec());
        change.put(collection, sequence, &row)?;
        return Ok(row);
    };
    let chosen = resource.get_field(id_field).as_str().unwrap_or_default().to_owned();
    let (sequence, id) = if chosen.is_empty() {
        change.new_id(collection)?
    } else if change.sequence_of(collection, &chosen)?.is_some() {
        return Err(Failure::already_exists(resource.descriptor().full_name(), &chosen));
    } else {
        (change.sequence()?, chosen)
    };
    resource.set_field(id_field, Value::String(id.clone()));
    let row = resource.encode_to_vec();
    change.add(collection, &id, sequence, &row)?;
    let kind = resource.descriptor();
    groups::place(change, kind.full_name(), sequence, "", &value_at(resource, PARENT))?;
    Ok(row)
}

/// The text at a path of field names, such as `book.uuid`.
fn value_at(message: &DynamicMessage, path: &str) -> String {
    let (name, rest) = path.split_once('.').unwrap_or((path, ""));
    let Some(value) = message.get_field_by_name(name) else { return String::new() };
    match value.as_message() {
        Some(inner) => value_at(inner, rest),
        None => value.as_str().unwrap_or_default().to_owned(),
    }
}

fn take_message(
    request: &mut DynamicMessage,
    field: &FieldDescriptor,
) -> Result<DynamicMessage, Failure> {
    match request.take_field(field) {
        Some(Value::Message(message)) => Ok(message),
        _ => Err(Failure::invalid(field.name(), "must be set")),
    }
}

/// Appends a field with a number to an encoded message.
fn push_number(message: &mut Vec<u8>, field: &FieldDescriptor, value: u64) {
    encode_key(field.number(), WireType::Varint, message);
    encode_varint(value.min(u32::MAX.into()), message);
}

/// Appends a field of text or of a message to an encoded message.
fn push(message: &mut Vec<u8>, field: &FieldDescriptor, value: &[u8]) {
    encode_key(field.number(), WireType::LengthDelimited, message);
    encode_varint(value.len() as u64, message);
    message.extend_from_slice(value);
}
