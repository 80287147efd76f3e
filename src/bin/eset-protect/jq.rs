//! Filters of jq for JSON output.

use std::fmt;
use std::sync::Arc;

use jaq_core::data::JustLut;
use jaq_core::load::{Arena, Error, File, Loader};
use jaq_core::{Compiler, Ctx, Filter, Vars, unwrap_valr};
use jaq_json::{Val, read};

use crate::failure::Failure;

/// A filter.
#[derive(Clone)]
pub struct Jq {
    text: String,
    filter: Arc<Filter<JustLut<Val>>>,
}

impl Jq {
    /// Compiles a filter.
    pub fn parse(text: &str) -> Result<Self, String> {
        let definitions = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
        let functions = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
        let arena = Arena::default();
        let modules = Loader::new(definitions).load(&arena, File { path: (), code: text });
        let modules = modules.map_err(|errors| {
            let found = errors.iter().find_map(|(_, error)| match error {
                Error::Lex(errors) => errors.first().map(|(what, found)| (what.as_str(), *found)),
                Error::Parse(errors) => errors.first().map(|(what, found)| (what.as_str(), *found)),
                Error::Io(_) => None,
            });
            match found {
                Some((what, "")) => format!("expected {what}, found the end of the filter"),
                Some((what, found)) => format!("expected {what}, found {found:?}"),
                None => "expected a filter without modules".to_owned(),
            }
        })?;
        let filter = Compiler::default().with_funs(functions).compile(modules);
        let filter = filter.map_err(|errors| {
            let unknown = errors.into_iter().flat_map(|(_, errors)| errors);
            let names = unknown.map(|(name, undefined)| format!("{} {name:?}", undefined.as_str()));
            format!("there is no {}", names.collect::<Vec<_>>().join(", "))
        })?;
        Ok(Self { text: text.to_owned(), filter: Arc::new(filter) })
    }

    /// Returns what the filter makes of a JSON text, one line each: text as it is, all else as JSON.
    pub fn lines(&self, json: &str) -> Result<Vec<String>, Failure> {
        let failed = |problem: String| Failure::Other(format!("--jq {:?}: {problem}", self.text));
        let input =
            read::parse_single(json.as_bytes()).map_err(|error| failed(error.to_string()))?;
        let context = Ctx::<JustLut<Val>>::new(&self.filter.lut, Vars::new([]));
        let outputs = self.filter.id.run((context, input)).map(unwrap_valr);
        outputs
            .map(|output| match output.map_err(|error| failed(error.to_string()))? {
                Val::TStr(text) => Ok(String::from_utf8_lossy(&text).into_owned()),
                value => Ok(value.to_string()),
            })
            .collect()
    }
}

impl fmt::Debug for Jq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Jq").field(&self.text).finish()
    }
}
