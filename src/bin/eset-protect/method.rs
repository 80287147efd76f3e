//! Finds RPCs by name.

use eset_protect::descriptors::{is_required, name_field, pool, removes, removes_below, summary};
use eset_protect::rpc::{IdempotencyLevel, METHODS, MethodSpec, Rpc};
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor};

use crate::failure::Failure;
use crate::text::{meant, short_name};
use crate::verb::{Verb, is_newest, verbs};

/// An RPC, with the descriptors of its messages.
#[derive(Clone, Debug)]
pub struct Method {
    pub spec: &'static MethodSpec,
    descriptor: MethodDescriptor,
}

impl Method {
    /// Every RPC of the crate.
    pub fn all() -> impl Iterator<Item = Self> {
        METHODS.iter().filter_map(|spec| {
            let service = pool().get_service_by_name(spec.service)?;
            let descriptor = service.methods().find(|method| method.name() == spec.method)?;
            Some(Self { spec, descriptor })
        })
    }

    /// Returns an RPC whose type is known.
    pub fn of<R: Rpc>() -> Result<Self, Failure> {
        Self::all()
            .find(|known| known.spec.path == R::SPEC.path)
            .ok_or_else(|| Failure::Other(format!("{}: there is no such RPC", R::SPEC.path)))
    }

    /// Finds an RPC by `SERVICE/METHOD`, with the short or full name of the service. Ignores case and
    /// hyphens.
    pub fn find(name: &str) -> Result<Self, String> {
        let wanted = plain(name.trim_start_matches('/'));
        let (service, method) = wanted.split_once('/').unwrap_or((&wanted, ""));
        let is_wanted = |known: &Self| {
            plain(known.spec.method) == method
                && (plain(known.spec.service) == service
                    || plain(known.service()) == service && is_newest(known.spec))
        };
        if let Some(found) = Self::all().find(is_wanted) {
            return Ok(found);
        }
        let known: Vec<_> = Self::all().map(|known| known.name()).collect();
        let suggestion = meant(name, known.iter().map(String::as_str))
            .unwrap_or_else(|| "`eset-protect call` lists them".to_owned());
        Err(format!("{name:?}: expected an RPC as SERVICE/METHOD; {suggestion}"))
    }

    /// Returns the RPC of a noun and a verb.
    pub fn of_verb(noun: &str, verb: &str) -> Option<Self> {
        let found = verbs().find(|known| known.noun == noun && known.verb == verb)?;
        Self::all().find(|method| method.spec.path == found.spec.path)
    }

    /// Returns what the noun of the method lists.
    pub fn listed(&self) -> Option<MessageDescriptor> {
        Self::of_verb(&self.verb()?.noun, "list")?.item()?.kind().as_message().cloned()
    }

    /// Returns the shortest name that finds it.
    pub fn name(&self) -> String {
        let service = if is_newest(self.spec) { self.service() } else { self.spec.service };
        format!("{service}/{}", self.spec.method)
    }

    /// Returns the command that calls it: that of a noun and a verb, or the general one.
    pub fn command(&self) -> String {
        self.verb().map_or_else(
            || format!("call {}/{}", self.spec.service, self.spec.method),
            |verb| format!("{} {}", verb.noun, verb.verb),
        )
    }

    fn verb(&self) -> Option<Verb> {
        verbs().find(|verb| verb.spec.path == self.spec.path)
    }

    fn service(&self) -> &'static str {
        short_name(self.spec.service)
    }

    pub fn input(&self) -> MessageDescriptor {
        self.descriptor.input()
    }

    pub fn output(&self) -> MessageDescriptor {
        self.descriptor.output()
    }

    /// Returns a one-sentence description of the RPC.
    pub fn summary(&self) -> String {
        let file = self.descriptor.parent_file();
        summary(&file, self.descriptor.path()).unwrap_or_default()
    }

    /// Returns the field of the response that contains the resource or the list of resources.
    pub fn item(&self) -> Option<FieldDescriptor> {
        let is_message =
            |field: &FieldDescriptor| field.kind().as_message().is_some() && !field.is_map();
        let output = self.output();
        let mut fields = output.fields().filter(is_message);
        fields.next().filter(|_| fields.next().is_none())
    }

    /// Returns the field of the response that contains what a list lists.
    pub fn items(&self) -> Result<FieldDescriptor, Failure> {
        self.item().ok_or_else(|| Failure::Other(format!("{} lists nothing", self.spec.method)))
    }

    /// Returns the field of the response that is the content of a file, if that is what the response is.
    pub fn content(&self) -> Option<FieldDescriptor> {
        let output = self.output();
        let is_file = output.full_name() == "google.api.HttpBody" || output.fields().len() == 1;
        output.fields().find(|field| is_file && field.kind() == Kind::Bytes && !field.is_list())
    }

    /// Whether calls change nothing.
    pub fn is_reading(&self) -> bool {
        self.spec.idempotency == IdempotencyLevel::NoSideEffects
    }

    /// Whether the response is a list, or a page of one.
    pub fn is_list(&self) -> bool {
        let lists = ["List", "Search"].iter().any(|verb| self.spec.method.starts_with(verb));
        let is_all = self.output().fields().len() == 1;
        self.spec.is_paged || lists && is_all && self.item().is_some_and(|item| item.is_list())
    }

    /// Whether calls remove what the request names.
    pub fn is_removing(&self) -> bool {
        self.spec.http.iter().any(|binding| binding.method == "DELETE") || removes(&self.descriptor)
    }

    /// Whether calls remove what is below the resource, too.
    pub fn removes_below(&self) -> bool {
        removes_below(&self.descriptor)
    }

    /// Returns the names of the fields that are part of the URL's path.
    pub fn arguments(&self) -> Vec<String> {
        let path = self.spec.http.first().map(|binding| binding.path).unwrap_or_default();
        let input = self.input();
        let names = input.fields().map(|field| field.name().to_owned());
        names.filter(|name| path.contains(&format!("{{{name}}}"))).collect()
    }

    /// Returns the path of the UUID of what the method creates, which only the service makes.
    pub fn new_uuid(&self) -> Option<String> {
        let is_create = self.spec.method.starts_with("Create");
        let resource = self.item().filter(|_| is_create)?;
        let name = name_field(resource.kind().as_message()?).filter(|name| name == "uuid")?;
        Some(format!("{}.{name}", resource.name()))
    }

    /// Returns the field with the UUIDs of what a call is for, if it is for several.
    pub fn named(&self) -> Option<FieldDescriptor> {
        let names = |field: &FieldDescriptor| {
            field.is_list() && field.name().ends_with("uuids") && is_required(field)
        };
        self.input().fields().find(names)
    }

    /// Returns the message that a request is about, such as `task`: its only field, or the only required one.
    pub fn member(&self) -> Option<FieldDescriptor> {
        let input = self.input();
        let is_only = input.fields().len() == 1;
        let mut members = input.fields().filter(|field| {
            (is_only || is_required(field))
                && field.kind().as_message().is_some()
                && !field.is_list()
        });
        members.next().filter(|_| members.next().is_none())
    }
}

/// Finds a field of a message by its name in the `.proto` file or in JSON; the error says which may be meant.
pub fn field(message: &MessageDescriptor, name: &str) -> Result<FieldDescriptor, String> {
    named(&message.fields().collect::<Vec<_>>(), name).cloned()
}

/// Finds one of these fields, as [`field`] does.
pub fn named<'a>(fields: &'a [FieldDescriptor], name: &str) -> Result<&'a FieldDescriptor, String> {
    let found = fields.iter().find(|field| [field.name(), field.json_name()].contains(&name));
    found.ok_or_else(|| {
        let known: Vec<_> = fields.iter().map(FieldDescriptor::name).collect();
        meant(name, known.iter().copied())
            .unwrap_or_else(|| format!("there are {}", known.join(", ")))
    })
}

/// Removes the parts of a name that users may omit or spell differently.
fn plain(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '-' | '_')).collect::<String>().to_ascii_lowercase()
}
