//! Which methods are standard, by their HTTP rules and the types of their messages.

use std::collections::BTreeMap;

use prost_reflect::{DescriptorPool, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor};

use super::{Standard, Verb};
use crate::descriptors::name_field;
use crate::rpc::path_template::{Piece, Pieces};
use crate::rpc::{HttpBinding, MethodSpec};

/// The field with a resource's identifier, unless `google.api.resource` names another one.
const ID: &str = "uuid";

/// A method with what its HTTP path says.
struct Described {
    method: MethodDescriptor,
    http: &'static HttpBinding,
    /// The path without the resource's identifier, the custom verb and variable names.
    collection: String,
    /// The path ends with the identifier.
    is_of_one: bool,
}

/// Returns the standard methods of these services by gRPC path.
pub(crate) fn methods(
    specs: &[&'static MethodSpec],
    pool: &DescriptorPool,
) -> BTreeMap<&'static str, Standard> {
    let described: Vec<_> = specs.iter().filter_map(|spec| describe(spec, pool)).collect();
    let mut collections = BTreeMap::new();
    for (_, described) in &described {
        if let Some(resource) = described.resource() {
            collections.entry(described.collection.as_str()).or_insert(resource);
        }
    }
    let standard = |(path, described): &(&'static str, Described)| {
        let resource = collections.get(described.collection.as_str())?;
        let parent = described.collection.rsplit_once("/*").map(|(parent, _)| parent);
        let parent = parent.and_then(|parent| collections.get(parent));
        Some((*path, described.standard(resource, parent)?))
    };
    described.iter().filter_map(standard).collect()
}

/// Parses a template; `None` for a path that no resource of ESET's has, such as one with a pattern.
fn describe(spec: &'static MethodSpec, pool: &DescriptorPool) -> Option<(&'static str, Described)> {
    let http = spec.http.first()?;
    let service = pool.get_service_by_name(spec.service)?;
    let method = service.methods().find(|method| method.name() == spec.method)?;
    let (pieces, variables) = (http.template.pieces(), http.template.variables());
    let wildcards = pieces.iter().filter(|piece| !matches!(piece, Piece::Literal(_))).count();
    let is_plain = variables.iter().all(|variable| variable.end - variable.start == 1);
    if wildcards != variables.len() || !is_plain || pieces.contains(&Piece::Many) {
        return None;
    }
    let (last, before) = pieces.split_last()?;
    let is_of_one = *last == Piece::One;
    let collection = Pieces(if is_of_one { before } else { pieces }).to_string();
    Some((spec.path, Described { method, http, collection, is_of_one }))
}

impl Described {
    /// The resource of the collection, if this method tells.
    fn resource(&self) -> Option<MessageDescriptor> {
        let response = self.method.output();
        let is_creating = self.http.method == "POST" && !self.is_of_one;
        if self.http.template.verb().is_some() || self.http.method != "GET" && !is_creating {
            return None;
        }
        // A list has more fields.
        let field = only(response.fields())
            .or_else(|| only(response.fields().filter(FieldDescriptor::is_list)))?;
        let resource = message_of(&field)?;
        (!is_creating || self.body(&resource).is_some()).then_some(resource)
    }

    /// The method, if it is a standard one of the resource.
    fn standard(
        &self,
        resource: &MessageDescriptor,
        parent: Option<&MessageDescriptor>,
    ) -> Option<Standard> {
        let (request, response) = (self.method.input(), self.method.output());
        let is_resource = |field: &FieldDescriptor| message_of(field).as_ref() == Some(resource);
        let item = only(response.fields().filter(is_resource));
        let is_many = item.as_ref().is_some_and(FieldDescriptor::is_list);
        let path: Vec<_> = self.http.template.fields().map(str::to_owned).collect();
        let verb = match (self.http.method, self.is_of_one, self.http.template.verb()) {
            ("GET", true, None) if item.is_some() && !is_many => Verb::Get,
            ("GET", false, None) if is_many => Verb::List,
            ("POST", false, None) => Verb::Create(self.body(resource)?),
            ("DELETE", true, None) => Verb::Delete,
            ("PATCH" | "PUT", true, None) => Verb::Update(Some(self.body(resource)?)),
            ("GET" | "POST", false, Some(verb)) if verb.starts_with("batchGet") && is_many => {
                Verb::BatchGet(only(request.fields())?)
            }
            ("POST", true, Some(_)) => {
                let is_of_resource = |field: FieldDescriptor| {
                    let same = resource.get_field_by_name(field.name());
                    path.iter().any(|name| name == field.name())
                        || same.is_some_and(|same| {
                            same.kind() == field.kind() && same.is_list() == field.is_list()
                        })
                };
                let has_more = request.fields().len() > path.len();
                (has_more && request.fields().all(is_of_resource)).then_some(Verb::Update(None))?
            }
            _ => return None,
        };
        let id = id_field(resource);
        // Only lists work without identifiers.
        (id.is_some() || matches!(verb, Verb::List)).then(|| Standard {
            verb,
            resource: resource.clone(),
            id,
            path,
            is_of_one: self.is_of_one,
            parent: parent.map(|parent| parent.full_name().to_owned()),
            response,
            item,
        })
    }

    /// The request's field for the resource.
    fn body(&self, resource: &MessageDescriptor) -> Option<FieldDescriptor> {
        only(
            self.method
                .input()
                .fields()
                .filter(|field| !field.is_list() && message_of(field).as_ref() == Some(resource)),
        )
    }
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

fn id_field(resource: &MessageDescriptor) -> Option<FieldDescriptor> {
    let field = resource.get_field_by_name(name_field(resource).as_deref().unwrap_or(ID))?;
    (field.kind() == Kind::String && !field.is_list()).then_some(field)
}
