//! Reads the HTTP rules (`google.api.http`) of an RPC.

use std::error::Error;

use prost_reflect::{DynamicMessage, MessageDescriptor, MethodDescriptor};

use crate::names;

/// One HTTP method and path template for an RPC.
pub(crate) struct HttpRule {
    /// The HTTP method in upper case.
    pub verb: String,
    /// The path template.
    pub template: String,
    /// The request field to use as the body, `*`, or empty.
    pub body: String,
    /// The response field to use as the body, or empty.
    pub response_body: String,
}

/// Returns the rules of an RPC, the primary one first.
pub(crate) fn of(method: &MethodDescriptor) -> Result<Vec<HttpRule>, Box<dyn Error>> {
    let pool = method.parent_pool();
    let extension = pool
        .get_extension_by_name("google.api.http")
        .ok_or("google/api/annotations.proto is not imported")?;
    let options = method.options();
    let value = options.get_extension(&extension);
    let rule = value.as_message().ok_or("google.api.http is not a message")?;
    let mut rules = vec![read(rule, method)?];
    let additional = rule.get_field_by_name("additional_bindings");
    for rule in additional.iter().flat_map(|list| list.as_list().unwrap_or_default()) {
        rules.push(read(rule.as_message().ok_or("a binding is not a message")?, method)?);
    }
    Ok(rules)
}

fn text(message: &DynamicMessage, name: &str) -> String {
    let value = message.get_field_by_name(name);
    value.and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn read(rule: &DynamicMessage, method: &MethodDescriptor) -> Result<HttpRule, Box<dyn Error>> {
    let name = method.full_name();
    let mut found = None;
    for verb in ["get", "put", "post", "delete", "patch"] {
        if rule.has_field_by_name(verb) {
            found = Some((verb.to_uppercase(), text(rule, verb)));
        }
    }
    if rule.has_field_by_name("custom") {
        let custom = rule.get_field_by_name("custom");
        let custom = custom.as_ref().and_then(|value| value.as_message());
        found = custom.map(|custom| (text(custom, "kind"), text(custom, "path")));
    }
    let (verb, template) = found.ok_or_else(|| format!("{name} has no google.api.http rule"))?;
    if verb.is_empty() || !verb.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return Err(format!("{name}: expected an HTTP method, found {verb:?}").into());
    }
    let (body, response_body) = (text(rule, "body"), text(rule, "response_body"));
    if body != "*" {
        check_field(&method.input(), &body, name)?;
    }
    check_field(&method.output(), &response_body, name)?;
    check_variables(&template, &method.input(), name)?;
    Ok(HttpRule { verb, template, body, response_body })
}

/// Checks that the body is a field; otherwise the first call would fail.
fn check_field(message: &MessageDescriptor, field: &str, rpc: &str) -> Result<(), Box<dyn Error>> {
    if field.is_empty() || message.get_field_by_name(field).is_some() {
        return Ok(());
    }
    let type_name = message.full_name();
    Err(format!("{rpc}: the body {field:?} is not a field of {type_name}").into())
}

/// Checks that each variable of a path is a field of one value.
fn check_variables(template: &str, input: &MessageDescriptor, rpc: &str) -> Result<(), String> {
    for variable in template.split('{').skip(1) {
        let path = variable.split(['=', '}']).next().unwrap_or_default();
        let wrong = |problem: &str| format!("{rpc}: the path variable `{path}` is {problem}");
        let mut parent = Some(input.clone());
        for part in path.split('.') {
            let field = parent.as_ref().and_then(|parent| parent.get_field_by_name(part));
            let field =
                field.ok_or_else(|| wrong(&format!("not a field of {}", input.full_name())))?;
            if field.is_list() || field.is_map() {
                return Err(wrong("not a single value"));
            }
            parent = field.kind().as_message().cloned();
        }
        // The well-known types are text in a path.
        if parent
            .is_some_and(|message| !names::is_well_known(message.package_name(), message.name()))
        {
            return Err(wrong("a message"));
        }
    }
    Ok(())
}
