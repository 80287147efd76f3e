//! Renders the descriptors that are checked in.

use super::*;

/// Returns one line for each fact that must never change.
fn render() -> Vec<String> {
    let mut lines = BTreeSet::new();
    for message in POOL.all_messages() {
        if ours(message.package_name()) && !message.is_map_entry() {
            lines.insert(format!("message {}", message.full_name()));
            lines.extend(message.fields().map(|field| {
                format!(
                    "field {} = {} {} json={}{}",
                    field.full_name(),
                    field.number(),
                    field_type(&field),
                    field.json_name(),
                    match field.containing_oneof() {
                        Some(oneof) if !oneof.is_synthetic() => format!(" oneof={}", oneof.name()),
                        _ => String::new(),
                    }
                )
            }));
        }
    }
    for enumeration in POOL.all_enums().filter(|enumeration| ours(enumeration.package_name())) {
        let name = enumeration.full_name();
        lines.insert(format!("enum {name}"));
        lines.extend(
            enumeration
                .values()
                .map(|value| format!("value {name}.{} = {}", value.name(), value.number())),
        );
    }
    for extension in POOL.all_extensions().filter(|extension| ours(extension.package_name())) {
        lines.insert(format!(
            "extension {} = {} of {}",
            extension.full_name(),
            extension.number(),
            extension.containing_message().full_name()
        ));
    }
    for file in POOL.files().filter(|file| ours(file.package_name())) {
        let options = GENERATED.map(|option| format!("{option}={}", file_option(&file, option)));
        lines.insert(format!("file {} {}", file.name(), options.join(" ")));
    }
    for method in methods() {
        let stream = |yes| if yes { "stream " } else { "" };
        let rule = Rule::of(&method).map_or("no http rule".to_owned(), |rule| rule.to_string());
        lines.insert(format!(
            "rpc {} ({}{}) returns ({}{}) {rule} {}",
            method.full_name(),
            stream(method.is_client_streaming()),
            method.input().full_name(),
            stream(method.is_server_streaming()),
            method.output().full_name(),
            idempotency(&method).unwrap_or("no idempotency level"),
        ));
    }
    lines.into_iter().collect()
}

fn field_type(field: &prost_reflect::FieldDescriptor) -> String {
    let kind = field.kind();
    if let Some(entry) = kind.as_message().filter(|message| message.is_map_entry()) {
        let value = entry.map_entry_value_field().kind();
        return format!(
            "map<{}, {}>",
            kind_name(&entry.map_entry_key_field().kind()),
            kind_name(&value)
        );
    }
    let label = match field.cardinality() {
        Cardinality::Repeated => "repeated ",
        Cardinality::Required => "required ",
        Cardinality::Optional
            if field.containing_oneof().is_some_and(|oneof| oneof.is_synthetic()) =>
        {
            "optional "
        }
        Cardinality::Optional => "",
    };
    format!("{label}{}", kind_name(&kind))
}

fn kind_name(kind: &Kind) -> String {
    match kind {
        Kind::Message(message) => message.full_name().to_owned(),
        Kind::Enum(enumeration) => enumeration.full_name().to_owned(),
        scalar => format!("{scalar:?}").to_lowercase(),
    }
}

#[test]
fn released_descriptors_stay() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/descriptors.txt");
    let now = render();
    assert!(now.len() > 100, "{} lines", now.len());
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, now.join("\n") + "\n").unwrap();
    }
    let golden = std::fs::read_to_string(&path).expect("tests/golden/descriptors.txt");
    let golden: BTreeSet<_> = golden.lines().collect();
    let now: BTreeSet<_> = now.iter().map(String::as_str).collect();
    let mut difference = String::new();
    for line in golden.difference(&now) {
        writeln!(difference, "- {line}").unwrap();
    }
    for line in now.difference(&golden) {
        writeln!(difference, "+ {line}").unwrap();
    }
    assert!(
        difference.is_empty(),
        "the descriptors are not as in tests/golden/descriptors.txt:\n{difference}\n\
         A released number, name, type or HTTP rule must never change: programs in the field and \
         bytes at rest depend on it. If nothing with a minus was ever released, or if there are plus \
         lines only, run this test with UPDATE_GOLDEN=1 and check the file in."
    );
}
