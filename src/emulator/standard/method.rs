//! Which methods are standard, by their HTTP rules and the types of their messages.

use std::collections::BTreeMap;

use prost_reflect::{DescriptorPool, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor};

use super::{Source, Standard, Verb};
use crate::descriptors::name_field;
use crate::descriptors::{removes, sets};
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
    /// It counts the resources.
    counts: bool,
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
        let parents = parents(&described.collection, &collections);
        Some((*path, described.standard(resource, parents)?))
    };
    described.iter().filter_map(standard).collect()
}

/// Returns the types of the resources that those of a collection are in.
fn parents(collection: &str, all: &BTreeMap<&str, MessageDescriptor>) -> Vec<String> {
    let Some(parent) = parent(collection) else { return Vec::new() };
    // A parent may have another version.
    let same = || all.iter().find(|(name, _)| unversioned(name) == unversioned(parent));
    let kind = all.get(parent).or_else(|| same().map(|(_, kind)| kind));
    let mut parents = parents(parent, all);
    parents.push(kind.map(|kind| kind.full_name().to_owned()).unwrap_or_default());
    parents
}

/// The collection of the resources that this one is in.
fn parent(collection: &str) -> Option<&str> {
    Some(collection.rsplit_once("/*")?.0)
}

/// A path without the version at its start.
fn unversioned(path: &str) -> &str {
    path.trim_start_matches('/').split_once('/').map_or(path, |(_, rest)| rest)
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
    let is_part = |name: &str| matches!(pieces, [.., Piece::Literal(last)] if *last == name);
    let counts = http.method == "GET"
        && is_part("count")
        && only(method.output().fields()).is_some_and(|field| field.kind() == Kind::Uint32);
    // `…/{thing}/part:update` updates the thing.
    let updates = http.template.verb() == Some("update")
        && matches!(pieces, [.., Piece::One, Piece::Literal(_)]);
    let (_, before) = pieces.split_last()?;
    let pieces = if counts || updates { before } else { pieces };
    let (last, before) = pieces.split_last()?;
    let is_of_one = *last == Piece::One;
    let collection = Pieces(if is_of_one { before } else { pieces }).to_string();
    Some((spec.path, Described { method, http, collection, is_of_one, counts }))
}

impl Described {
    /// The resource of the collection, if this method tells.
    fn resource(&self) -> Option<MessageDescriptor> {
        let response = self.method.output();
        let is_creating = self.http.method == "POST" && !self.is_of_one;
        if self.counts
            || self.http.template.verb().is_some()
            || self.http.method != "GET" && !is_creating
        {
            return None;
        }
        // A list has more fields.
        let lists = || response.fields().filter(|field| !self.is_of_one && field.is_list());
        let field = only(response.fields()).or_else(|| only(lists()));
        let contained = field.as_ref().and_then(message_of);
        if is_creating {
            // The response is the resource (AIP-133) or contains it.
            let mut either = [Some(response), contained].into_iter().flatten();
            return either.find(|resource| self.body(resource).is_some());
        }
        let is_resource = self.is_of_one
            && id_field(&response).is_some()
            && response.name() != format!("{}Response", self.method.name());
        if is_resource { Some(response) } else { contained }
    }

    /// The method, if it is a standard one of the resource.
    fn standard(&self, resource: &MessageDescriptor, parents: Vec<String>) -> Option<Standard> {
        let (request, response) = (self.method.input(), self.method.output());
        let is_resource = |field: &FieldDescriptor| message_of(field).as_ref() == Some(resource);
        let is_itself = response == *resource;
        let item = only(response.fields().filter(is_resource)).filter(|_| !is_itself);
        let is_many = item.as_ref().is_some_and(FieldDescriptor::is_list);
        let is_one = is_itself || item.is_some() && !is_many;
        // Nothing is known of what else to answer.
        let is_answered = is_one || response.fields().len() == 0;
        let path: Vec<_> = self.http.template.fields().map(str::to_owned).collect();
        let has = |name: &str| request.get_field_by_name(name).is_some();
        let is_file = response.full_name() == "google.api.HttpBody";
        let verb = match (self.http.method, self.is_of_one, self.http.template.verb()) {
            ("GET", false, None) if self.counts => Verb::Count,
            ("GET", true, None) if is_one => Verb::Get,
            ("GET", false, None) | ("POST", false, Some("search")) if is_many => Verb::List,
            ("GET", false, Some("listDelta")) if is_many && has("delta_token") => Verb::ListDelta,
            ("POST", false, None) if is_answered => Verb::Create(self.body(resource)?),
            ("DELETE", true, None) if is_answered => Verb::Delete,
            ("PATCH" | "PUT", true, None) | ("POST", true, Some("update"))
                if is_answered && self.body(resource).is_some() =>
            {
                Verb::Update(self.body(resource)?)
            }
            ("POST", false, Some(_)) if removes(&self.method) => Verb::Remove,
            ("POST", false, Some(_)) if is_file => Verb::Download,
            ("GET" | "POST", false, Some(verb)) if verb.starts_with("batchGet") && is_many => {
                Verb::BatchGet(only(request.fields())?)
            }
            ("POST", true, Some(_)) if is_answered => Verb::Set(self.sets(resource, &path)?),
            _ => return None,
        };
        let id = id_field(resource);
        // Only lists work without identifiers.
        (id.is_some() || matches!(verb, Verb::List)).then(|| Standard {
            verb,
            resource: resource.clone(),
            id,
            path,
            parents,
            response,
            item,
        })
    }

    /// The fields of the resource that a custom method sets, each with a field of the request or a value.
    fn sets(
        &self,
        resource: &MessageDescriptor,
        path: &[String],
    ) -> Option<Vec<(FieldDescriptor, Source)>> {
        let request = self.method.input();
        let facts = sets(&self.method);
        let given = facts.iter().map(|fact| {
            let (field, source) = fact.split_once(" = ")?;
            let source = match source {
                "true" => Source::Value(true),
                "false" => Source::Value(false),
                name => Source::Field(request.get_field_by_name(name)?),
            };
            Some((resource.get_field_by_name(field)?, source))
        });
        let shared = request.fields().filter(|field| {
            facts.is_empty()
                && field.name() != "update_mask"
                && path.iter().all(|name| name != field.name())
        });
        let shared = shared.map(|field| {
            let same = resource.get_field_by_name(field.name())?;
            let is_same = same.kind() == field.kind() && same.is_list() == field.is_list();
            is_same.then_some((same, Source::Field(field)))
        });
        let sets: Vec<_> = given.chain(shared).collect::<Option<_>>()?;
        (!sets.is_empty()).then_some(sets)
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
