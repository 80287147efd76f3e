//! The standard methods (AIP-131 to 135, 231) of every resource, by their descriptors.
//!
//! A resource is what a method gets, lists or creates; its collection is the HTTP path of that method
//! without the resource's own identifier. What a method does follows from its HTTP rule and from the
//! types of its request and response, so a service needs no code here unless it does more.

mod fields;
mod filter;

use std::collections::BTreeMap;

use prost::Message;
use prost::encoding::{WireType, encode_key, encode_varint};
use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor,
    ReflectMessage, Value,
};

use self::fields::{server_values, text, timestamp};
use self::filter::Filter;
use super::environment::Environment;
use super::failure::{Failure, Violations};
use super::paging::Page;
use super::request;
use super::store::{Change, Read, Snapshot};
use crate::descriptors::{is_immutable, is_output_only};
use crate::rpc::MethodSpec;

/// The field with a resource's identifier, unless `google.api.resource` names another one.
const ID: &str = "uuid";

/// A standard method.
#[derive(Clone, Debug)]
pub(crate) struct Standard {
    verb: Verb,
    resource: MessageDescriptor,
    /// The resource's field for its identifier.
    id: Option<FieldDescriptor>,
    /// The request's fields in the path, as paths of names: those of the parents and, for some verbs, of
    /// the resource itself as the last one.
    path: Vec<String>,
    /// The last of them is the resource.
    is_of_one: bool,
    /// The type of the parent, if the emulator has it: there must be one.
    parent: Option<String>,
    response: MessageDescriptor,
    /// The response's field that holds the resource or the resources.
    item: Option<FieldDescriptor>,
}

#[derive(Clone, Debug)]
enum Verb {
    Get,
    List,
    /// With the request's field for the resource.
    Create(FieldDescriptor),
    /// With the request's field for the resource (AIP-134), or without: then fields of the request are
    /// fields of the resource.
    Update(Option<FieldDescriptor>),
    Delete,
    /// With the request's field for the identifiers.
    BatchGet(FieldDescriptor),
}

/// What an HTTP path says of a method.
struct Path {
    /// The path without the resource's identifier and custom verb, and without names of variables.
    collection: String,
    variables: Vec<String>,
    is_of_one: bool,
    custom: Option<String>,
}

impl Path {
    /// `None` for a path that no resource of ESET's has, such as one with a pattern.
    fn of(template: &str) -> Option<Self> {
        let (path, custom) = match template.rsplit_once(':') {
            Some((path, custom)) if !custom.contains(['/', '}']) => (path, Some(custom.to_owned())),
            _ => (template, None),
        };
        let (mut collection, mut variables) = (Vec::new(), Vec::new());
        for segment in path.split('/') {
            match segment.strip_prefix('{').map(|rest| rest.strip_suffix('}')) {
                Some(Some(name)) if !name.contains(['=', '*']) => {
                    variables.push(name.to_owned());
                    collection.push("{}");
                }
                None if !segment.contains(['{', '*']) => collection.push(segment),
                _ => return None,
            }
        }
        let is_of_one = collection.last() == Some(&"{}");
        if is_of_one {
            collection.pop();
        }
        Some(Self { collection: collection.join("/"), variables, is_of_one, custom })
    }

    /// The collection that this one's parents are in.
    fn parent(&self) -> Option<&str> {
        let (parent, _) = self.collection.rsplit_once("/{}")?;
        Some(parent)
    }
}

/// The standard methods among those of some services, by their gRPC paths.
pub(crate) fn methods(
    specs: &[&'static MethodSpec],
    pool: &DescriptorPool,
) -> BTreeMap<&'static str, Standard> {
    let described: Vec<_> = specs
        .iter()
        .filter_map(|spec| {
            let binding = spec.http.first()?;
            let service = pool.get_service_by_name(spec.service)?;
            let method = service.methods().find(|method| method.name() == spec.method)?;
            Some((spec.path, binding.method, Path::of(binding.path)?, method))
        })
        .collect();
    let mut collections = BTreeMap::new();
    for (_, http, path, method) in &described {
        if let Some(item) = resource_of(http, path, method) {
            collections.entry(path.collection.as_str()).or_insert(item);
        }
    }
    let methods = described.iter().filter_map(|(grpc_path, http, path, method)| {
        let resource = collections.get(path.collection.as_str())?;
        let parent = path.parent().and_then(|parent| collections.get(parent));
        let mut standard = Standard::of(http, path, method, resource)?;
        standard.parent = parent.map(|parent| parent.full_name().to_owned());
        Some((*grpc_path, standard))
    });
    methods.collect()
}

/// The resource that a method tells the collection of.
fn resource_of(http: &str, path: &Path, method: &MethodDescriptor) -> Option<MessageDescriptor> {
    if path.custom.is_some() {
        return None;
    }
    let response = method.output();
    match (http, path.is_of_one) {
        ("GET", true) => message_of(&only(response.fields())?),
        ("POST", false) => {
            let resource = message_of(&only(response.fields())?)?;
            body(method, &resource).map(|_| resource)
        }
        ("GET", false) => message_of(&only(response.fields().filter(FieldDescriptor::is_list))?),
        _ => None,
    }
}

impl Standard {
    fn of(
        http: &str,
        path: &Path,
        method: &MethodDescriptor,
        resource: &MessageDescriptor,
    ) -> Option<Self> {
        let (request, response) = (method.input(), method.output());
        let is_resource = |field: &FieldDescriptor| message_of(field).as_ref() == Some(resource);
        let item = only(response.fields().filter(is_resource));
        let is_many = item.as_ref().is_some_and(FieldDescriptor::is_list);
        let id = id_field(resource);
        let verb = match (http, path.is_of_one, path.custom.as_deref()) {
            ("GET", true, None) if item.is_some() && !is_many => Verb::Get,
            ("GET", false, None) if is_many => Verb::List,
            ("POST", false, None) => Verb::Create(body(method, resource)?),
            ("DELETE", true, None) => Verb::Delete,
            ("PATCH" | "PUT", true, None) => Verb::Update(Some(body(method, resource)?)),
            ("GET" | "POST", false, Some(custom)) if custom.starts_with("batchGet") && is_many => {
                Verb::BatchGet(only(request.fields())?)
            }
            ("POST", true, Some(_)) => {
                let is_set = |field: &FieldDescriptor| {
                    let same = resource.get_field_by_name(field.name());
                    same.is_some_and(|same| {
                        same.kind() == field.kind() && same.cardinality() == field.cardinality()
                    })
                };
                let (bound, set): (Vec<_>, Vec<_>) = request
                    .fields()
                    .partition(|field| path.variables.iter().any(|name| name == field.name()));
                let is_update = !set.is_empty() && set.iter().all(is_set);
                (is_update && bound.len() == path.variables.len()).then_some(Verb::Update(None))?
            }
            _ => return None,
        };
        // Only a list can do without identifiers.
        if id.is_none() && !matches!(verb, Verb::List) {
            return None;
        }
        let (resource, is_of_one) = (resource.clone(), path.is_of_one);
        let path = path.variables.clone();
        Some(Self { verb, resource, id, path, is_of_one, parent: None, response, item })
    }

    /// Whether the request holds a whole resource.
    pub(crate) fn is_create(&self) -> bool {
        matches!(self.verb, Verb::Create(_))
    }

    /// Whether the method changes the store.
    pub(crate) fn is_change(&self) -> bool {
        matches!(self.verb, Verb::Create(_) | Verb::Update(_) | Verb::Delete)
    }

    /// The type of a resource that is in no other one, and its field for the identifier.
    pub(crate) fn resource(&self) -> Option<(&MessageDescriptor, &FieldDescriptor)> {
        let is_child = self.path.len() > usize::from(self.is_of_one);
        Some((&self.resource, self.id.as_ref().filter(|_| !is_child)?))
    }

    /// The request's fields in the path.
    pub(crate) fn path(&self) -> &[String] {
        &self.path
    }

    /// Answers a call that changes nothing.
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

    /// Answers a call that changes something.
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
                let at = match body {
                    Some(body) => {
                        self.patch(&mut resource, request, body)?;
                        format!("{}.", body.name())
                    }
                    None => {
                        self.set(&mut resource, request);
                        String::new()
                    }
                };
                let mut violations = Violations::default();
                request::note(&at, &resource, true, &mut violations);
                violations.check()?;
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

    /// Creates a resource (AIP-133): what the server sets is set, and so is the identifier, unless
    /// clients choose it.
    fn create(
        &self,
        change: &mut Change<'_>,
        environment: &Environment,
        collection: &str,
        mut resource: DynamicMessage,
    ) -> Result<Vec<u8>, Failure> {
        let Some(id_field) = &self.id else { return Err(Failure::internal("no identifier")) };
        let chosen = text(&resource, id_field);
        let (sequence, id) = if chosen.is_empty() {
            change.new_id(collection, &*environment.ids)?
        } else if change.sequence_of(collection, &chosen)?.is_some() {
            return Err(Failure::already_exists(self.resource.full_name(), &chosen));
        } else {
            (change.sequence()?, chosen)
        };
        resource.set_field(id_field, Value::String(id.clone()));
        server_values(&mut resource, environment.now());
        let row = resource.encode_to_vec();
        change.add(collection, &id, sequence, &row)?;
        Ok(self.response_with(&row))
    }

    /// Lists in the order of creation, a page at a time (AIP-132, AIP-158).
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
        let filter = Filter::new(&self.resource, &request)?;
        let (mut response, mut next) = (Vec::new(), String::new());
        if let Some(first) = page.start() {
            let rows = snapshot.rows_from(&collection, first)?;
            let fitting = rows.filter_map(|row| match row {
                Ok((sequence, row)) => match filter.fits(&row) {
                    Ok(true) => Some(Ok((sequence, row.len(), row))),
                    Ok(false) => None,
                    Err(failure) => Some(Err(failure)),
                },
                Err(failure) => Some(Err(failure)),
            });
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

    /// Gets all or, if one is missing, none (AIP-231), in the order of the request.
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

    /// Sets the fields of a resource that `update_mask` names or, without one, those that are set
    /// (AIP-134).
    fn patch(
        &self,
        resource: &mut DynamicMessage,
        mut request: DynamicMessage,
        body: &FieldDescriptor,
    ) -> Result<(), Failure> {
        let mask = request.get_field_by_name("update_mask").and_then(|mask| {
            let paths = mask.as_message()?.get_field_by_name("paths")?.into_owned();
            let paths = paths.as_list()?.iter().filter_map(|path| path.as_str().map(str::to_owned));
            Some(paths.collect::<Vec<_>>()).filter(|paths| !paths.is_empty())
        });
        let mut new = take_message(&mut request, body)?;
        let names = match mask {
            Some(paths) if paths == ["*"] => {
                self.resource.fields().map(|field| field.name().to_owned()).collect()
            }
            Some(paths) => paths,
            None => new.fields().map(|(field, _)| field.name().to_owned()).collect(),
        };
        let mut violations = Violations::default();
        for name in names {
            let Some(field) = self.resource.get_field_by_name(&name) else {
                let expected =
                    format!("expected fields of {}, found {name:?}", self.resource.name());
                violations.add("update_mask", expected);
                continue;
            };
            let value = new.take_field(&field);
            if is_output_only(&field) || Some(&field) == self.id.as_ref() {
                continue;
            }
            if is_immutable(&field) && value.as_ref() != Some(&*resource.get_field(&field)) {
                violations.add(format!("{}.{name}", body.name()), "cannot be changed");
                continue;
            }
            match value {
                Some(value) => resource.set_field(&field, value),
                None => resource.clear_field(&field),
            }
        }
        violations.check()
    }

    /// Sets the fields of a resource that the request has beside those of the path.
    fn set(&self, resource: &mut DynamicMessage, mut request: DynamicMessage) {
        for field in request.descriptor().fields() {
            if self.path.iter().any(|variable| variable == field.name()) {
                continue;
            }
            match request.take_field(&field) {
                Some(value) => resource.set_field_by_name(field.name(), value),
                None => resource.clear_field_by_name(field.name()),
            }
        }
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
        let mut collection = self.resource.full_name().to_owned();
        let ids: Vec<_> = parents.iter().map(|parent| value_at(request, parent)).collect();
        if let (Some(parent), Some((id, above))) = (&self.parent, ids.split_last()) {
            let in_collection = within(parent.clone(), above);
            if tables.find(&in_collection, id)?.is_none() {
                return Err(Failure::not_found(parent, id));
            }
        }
        collection = within(collection, &ids);
        Ok(collection)
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

/// The name of the collection of some parents.
fn within(collection: String, parents: &[String]) -> String {
    parents.iter().fold(collection, |collection, parent| format!("{collection}/{parent}"))
}

/// The only one.
fn only<T>(mut items: impl Iterator<Item = T>) -> Option<T> {
    let first = items.next()?;
    items.next().is_none().then_some(first)
}

fn message_of(field: &FieldDescriptor) -> Option<MessageDescriptor> {
    match field.kind() {
        Kind::Message(message) if !field.is_map() => Some(message),
        _ => None,
    }
}

/// The request's field for the resource.
fn body(method: &MethodDescriptor, resource: &MessageDescriptor) -> Option<FieldDescriptor> {
    let is_resource =
        |field: &FieldDescriptor| !field.is_list() && message_of(field).as_ref() == Some(resource);
    only(method.input().fields().filter(is_resource))
}

fn id_field(resource: &MessageDescriptor) -> Option<FieldDescriptor> {
    let named =
        resource.parent_pool().get_extension_by_name("google.api.resource").and_then(|extension| {
            let options = resource.options();
            let annotation = options.get_extension(&extension);
            let name = annotation.as_message()?.get_field_by_name("name_field")?.into_owned();
            name.as_str().filter(|name| !name.is_empty()).map(str::to_owned)
        });
    let field = resource.get_field_by_name(named.as_deref().unwrap_or(ID))?;
    (field.kind() == Kind::String && !field.is_list()).then_some(field)
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

/// Appends a field of text or of a message to an encoded message.
fn push(message: &mut Vec<u8>, field: &FieldDescriptor, value: &[u8]) {
    encode_key(field.number(), WireType::LengthDelimited, message);
    encode_varint(value.len() as u64, message);
    message.extend_from_slice(value);
}
