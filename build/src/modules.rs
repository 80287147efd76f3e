//! Arranges packages as nested modules.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::{Sources, names};

#[derive(Default)]
struct Module {
    source: String,
    children: BTreeMap<String, Self>,
}

/// Returns one source with a module for each part of each package name.
pub(crate) fn nest(sources: Sources) -> String {
    let mut root = Module::default();
    for (package, source) in sources {
        let mut module = &mut root;
        for part in names::module_parts(&package) {
            module = module.children.entry(part).or_default();
        }
        module.source.push_str(&source);
    }
    let mut out = String::new();
    write(&root, "", &mut out);
    out
}

fn write(module: &Module, path: &str, out: &mut String) {
    out.push_str(&module.source);
    for (name, child) in &module.children {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        writeln!(out, "/// Package `{path}`.").expect("writing to a String");
        writeln!(out, "pub mod {name} {{").expect("writing to a String");
        write(child, &path, out);
        out.push_str("}\n");
    }
}
