//! The standard methods (AIP-131 to 135, 231) of every resource, derived from descriptors.
//!
//! A resource is what a method gets, lists or creates. Its collection is the HTTP path of that method without
//! the resource's own identifier. The behaviour of a method follows from its HTTP rule and the types of its
//! request and response, so a service needs no code here unless it does more.

mod fields;
mod filter;
mod method;

use prost::Message;
use prost::encoding::{WireType, encode_key, encode_varint};
use prost_reflect::{DynamicMessage, FieldDescriptor, MessageDescriptor, ReflectMessage, Value};

use self::fields::{server_values, timestamp};
use self::filter::fits;
pub(super) use self::method::methods;
use super::environment::Environment;
use super::failure::{Failure, Violations};
use super::paging::Page;
use super::request;
use super::store::{Change, Read, Snapshot};
use crate::descriptors::{is_immutable, is_output_only};

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
    /// Whether the last of them identifies the resource.
    is_of_one: bool,
    /// The type of the parent, if the emulator has that type: the parent must exist then.
    parent: Option<String>,
    response: MessageDescriptor,
    /// The response field that contains the resource or resources.
    item: Option<FieldDescriptor>,
}

#[derive(Clone, Debug)]
enum Verb {
    Get,
    List,
    /// With the request field for the resource.
    Create(FieldDescriptor),
    /// With the request field for the resource (AIP-134); without one, the request's fields are fields of the
    /// resource.
    Update(Option<FieldDescriptor>),
    Delete,
    /// With the request field for the identifiers.
    BatchGet(FieldDescriptor),
}

impl Standard {
    /// Whether the request holds a whole resource.
    pub(crate) fn is_create(&self) -> bool {
        matches!(self.verb, Verb::Create(_))
    }

    /// Whether the method changes the store.
    pub(crate) fn is_change(&self) -> bool {
        matches!(self.verb, Verb::Create(_) | Verb::Update(_) | Verb::Delete)
    }

    /// Returns the type and identifier field of a resource without parents.
    pub(crate) fn resource(&self) -> Option<(&MessageDescriptor, &FieldDescriptor)> {
        let is_child = self.path.len() > usize::from(self.is_of_one);
        Some((&self.resource, self.id.as_ref().filter(|_| !is_child)?))
    }

    /// Returns the request fields in the path.
    pub(crate) fn path(&self) -> &[String] {
        &self.path
    }

    /// Serves a call that changes nothing.
    pub(crate) fn read(
        &self,
        snapshot: &Snapshot,
        environment: &Environment,
        request: DynamicMessage,
    ) -> Result<Vec<u8>, Failure> {
        match &self.verb {
            Verb::List => self.list(snapshot, environment, request),
            Verb::BatchGet(ids) => self.batch_get(snapshot, environment, &request, ids),
            _ => {
                let (collection, id) = self.one(snapshot, &request)?;
                let (_, row) = self.find(snapshot, &collection, &id)?;
                Ok(self.response_with(&row))
            }
        }
    }

    /// Serves a call that makes changes.
    pub(crate) fn write(
        &self,
        change: &mut Change<'_>,
        environment: &Environment,
        mut request: DynamicMessage,
    ) -> Result<Vec<u8>, Failure> {
        match &self.verb {
            Verb::Create(body) => {
                let collection = self.collection(change, &request, &self.path)?;
                let resource = take_message(&mut request, body)?;
                self.create(change, environment, &collection, resource)
            }
            Verb::Update(body) => {
                let (collection, id) = self.one(change, &request)?;
                let (sequence, row) = self.find(change, &collection, &id)?;
                let mut resource = DynamicMessage::decode(self.resource.clone(), row.as_slice())?;
                self.update(&mut resource, request, body.as_ref())?;
                self.touch(&mut resource, environment);
                let row = resource.encode_to_vec();
                change.put(&collection, sequence, &row)?;
                Ok(self.response_with(&row))
            }
            _ => {
                let (collection, id) = self.one(change, &request)?;
                let (sequence, _) = self.find(change, &collection, &id)?;
                change.remove(&collection, &id, sequence)?;
                Ok(Vec::new())
            }
        }
    }

    /// Creates a resource (AIP-133). Sets the fields of the server, including the identifier unless clients
    /// choose it.
    fn create(
        &self,
        change: &mut Change<'_>,
        environment: &Environment,
        collection: &str,
        mut resource: DynamicMessage,
    ) -> Result<Vec<u8>, Failure> {
        let Some(id_field) = &self.id else { return Err(Failure::internal("no identifier")) };
        server_values(&mut resource, environment);
        let row = insert(change, environment, collection, id_field, &mut resource)?;
        Ok(self.response_with(&row))
    }

    /// Lists in the order of creation, in pages (AIP-132, AIP-158).
    fn list(
        &self,
        snapshot: &Snapshot,
        environment: &Environment,
        mut request: DynamicMessage,
    ) -> Result<Vec<u8>, Failure> {
        let Some(item) = &self.item else { return Err(Failure::internal("no items")) };
        let collection = self.collection(snapshot, &request, &self.path)?;
        let page = Page::of(environment.pages, &mut request)?;
        for variable in &self.path {
            request.clear_field_by_name(variable);
        }
        // Whatever is wrong with a filter is wrong with it for every resource.
        fits(&DynamicMessage::new(self.resource.clone()), &request)?;
        let is_filtered = request.fields().next().is_some();
        let (mut response, mut next) = (Vec::new(), String::new());
        if let Some(first) = page.start() {
            let rows = snapshot.rows_from(&collection, first)?;
            let wanted = |row: Result<(u64, Vec<u8>), Failure>| {
                let (sequence, row) = row?;
                let decoded = || DynamicMessage::decode(self.resource.clone(), row.as_slice());
                let is_wanted = !is_filtered || fits(&decoded()?, &request)?;
                Ok(is_wanted.then_some((sequence, row.len(), row)))
            };
            let fitting = rows.map(wanted).filter_map(Result::transpose);
            let rows;
            (rows, next) = page.take(fitting)?;
            rows.iter().for_each(|row| push(&mut response, item, row));
        }
        if !next.is_empty() {
            let Some(token) = self.response.get_field_by_name("next_page_token") else {
                return Err(Failure::exhausted("the list does not fit into one response"));
            };
            push(&mut response, &token, next.as_bytes());
        }
        Ok(response)
    }

    /// Gets all resources, or fails if one is missing (AIP-231), in the order of the request.
    fn batch_get(
        &self,
        snapshot: &Snapshot,
        environment: &Environment,
        request: &DynamicMessage,
        ids: &FieldDescriptor,
    ) -> Result<Vec<u8>, Failure> {
        let Some(item) = &self.item else { return Err(Failure::internal("no items")) };
        let ids_value = request.get_field(ids);
        let wanted = ids_value.as_list().unwrap_or_default();
        let max = usize::try_from(environment.pages.max_size).unwrap_or(usize::MAX);
        if wanted.len() > max {
            return Err(Failure::invalid(
                ids.name(),
                format!("expected at most {max} identifiers"),
            ));
        }
        let mut response = Vec::new();
        for id in wanted.iter().filter_map(Value::as_str) {
            let (_, row) = self.find(snapshot, self.resource.full_name(), id)?;
            push(&mut response, item, &row);
        }
        Ok(response)
    }

    /// Sets fields of a resource: with a `body` those that `update_mask` names or, without one, those that are
    /// set (AIP-134); otherwise all that the request has beside those of the path.
    fn update(
        &self,
        resource: &mut DynamicMessage,
        mut request: DynamicMessage,
        body: Option<&FieldDescriptor>,
    ) -> Result<(), Failure> {
        let name_of = |field: FieldDescriptor| field.name().to_owned();
        let (mut new, names) = match body {
            Some(body) => {
                let new = take_message(&mut request, body)?;
                let names = match mask(&request) {
                    Some(paths) if paths == ["*"] => self.resource.fields().map(name_of).collect(),
                    Some(paths) => paths,
                    None => new.fields().map(|(field, _)| name_of(field)).collect(),
                };
                (new, names)
            }
            None => {
                let fields = request.descriptor();
                let names = fields.fields().map(name_of);
                let names = names.filter(|name| !self.path.contains(name)).collect();
                (request, names)
            }
        };
        let at = body.map_or_else(String::new, |body| format!("{}.", body.name()));
        let mut violations = Violations::default();
        for name in names {
            let Some(field) = self.resource.get_field_by_name(&name) else {
                let expected =
                    format!("expected fields of {}, found {name:?}", self.resource.name());
                violations.add("update_mask", expected);
                continue;
            };
            let value = new.take_field_by_name(&name);
            if body.is_some() && (is_output_only(&field) || Some(&field) == self.id.as_ref()) {
                continue;
            }
            if is_immutable(&field) && value.as_ref() != Some(&*resource.get_field(&field)) {
                violations.add(format!("{at}{name}"), "cannot be changed");
            }
            match value {
                Some(value) => resource.set_field(&field, value),
                None => resource.clear_field(&field),
            }
        }
        request::note(&at, resource, true, &mut violations);
        violations.check()
    }

    /// Counts a change and says when it was.
    fn touch(&self, resource: &mut DynamicMessage, environment: &Environment) {
        if let Some(field) = self.resource.get_field_by_name("update_time")
            && is_output_only(&field)
            && let Some(now) = timestamp(&field, environment.now())
        {
            resource.set_field(&field, now);
        }
        if let Some(field) = self.resource.get_field_by_name("version_id")
            && is_output_only(&field)
            && let Some(version) = resource.get_field(&field).as_u64()
        {
            resource.set_field(&field, Value::U64(version.saturating_add(1)));
        }
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
        if let (Some(parent), Some((id, above))) = (&self.parent, ids.split_last()) {
            let in_collection = within(parent.clone(), above);
            if tables.find(&in_collection, id)?.is_none() {
                return Err(Failure::not_found(parent, id));
            }
        }
        Ok(within(self.resource.full_name().to_owned(), &ids))
    }

    fn find(
        &self,
        tables: &impl Read,
        collection: &str,
        id: &str,
    ) -> Result<(u64, Vec<u8>), Failure> {
        let found = tables.find(collection, id)?;
        found.ok_or_else(|| Failure::not_found(self.resource.full_name(), id))
    }

    /// The response with the resource, or an empty one.
    fn response_with(&self, row: &[u8]) -> Vec<u8> {
        let mut response = Vec::new();
        if let Some(item) = &self.item {
            push(&mut response, item, row);
        }
        response
    }
}

/// Stores a new resource by the identifier that it has, or else by a new one. Returns its row.
pub(crate) fn insert(
    change: &mut Change<'_>,
    environment: &Environment,
    collection: &str,
    id_field: &FieldDescriptor,
    resource: &mut DynamicMessage,
) -> Result<Vec<u8>, Failure> {
    let chosen = resource.get_field(id_field).as_str().unwrap_or_default().to_owned();
    let (sequence, id) = if chosen.is_empty() {
        change.new_id(collection, &*environment.ids)?
    } else if change.sequence_of(collection, &chosen)?.is_some() {
        return Err(Failure::already_exists(resource.descriptor().full_name(), &chosen));
    } else {
        (change.sequence()?, chosen)
    };
    resource.set_field(id_field, Value::String(id.clone()));
    let row = resource.encode_to_vec();
    change.add(collection, &id, sequence, &row)?;
    Ok(row)
}

/// The name of the collection of some parents.
fn within(collection: String, parents: &[String]) -> String {
    parents.iter().fold(collection, |collection, parent| format!("{collection}/{parent}"))
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

/// The paths of `update_mask`, if there are any.
fn mask(request: &DynamicMessage) -> Option<Vec<String>> {
    let mask = request.get_field_by_name("update_mask")?;
    let paths = mask.as_message()?.get_field_by_name("paths")?.into_owned();
    let paths = paths.as_list()?.iter().filter_map(|path| path.as_str().map(str::to_owned));
    Some(paths.collect::<Vec<_>>()).filter(|paths| !paths.is_empty())
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

/// Appends a field of text or of a message to an encoded message.
fn push(message: &mut Vec<u8>, field: &FieldDescriptor, value: &[u8]) {
    encode_key(field.number(), WireType::LengthDelimited, message);
    encode_varint(value.len() as u64, message);
    message.extend_from_slice(value);
}
