//! `eset-protect convert`: converts between ProtoJSON and binary protobuf.

use std::path::Path;

use clap::{Args, ValueEnum};
use eset_protect::codegen::decode_text;
use eset_protect::protojson::{Reader, Writer};
use eset_protect::wkt::TypeRegistry;

use crate::candidates::types;
use crate::failure::Failure;
use crate::input;
use crate::output::Output;
use crate::text::{meant, short_name};

/// Convert a message between ProtoJSON and binary, from standard input to standard output
///
/// Reads at most 64 MiB; JSON may be UTF-8 or UTF-16. Converting a form to itself normalizes it. JSON is
/// written as exact ProtoJSON on one line. Unknown members are dropped, except inside an `Any`, which keeps
/// them. An `Any` of an unregistered type is kept: in JSON as "@value" with its bytes in base64. Nothing is
/// written if the input is invalid.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  eset-protect convert --type DeviceTask --from json --to binary < task.json > task.bin
  eset-protect convert --type DeviceTask --from binary --to json < task.bin
  eset-protect convert --list")]
pub struct Convert {
    /// List the types
    #[arg(long, conflicts_with_all = ["type_name", "from", "to", "strict"])]
    list: bool,
    /// The type of the message: its full name, or its last part if that is unique
    #[arg(long = "type", value_name = "NAME", required_unless_present = "list", add = types())]
    type_name: Option<String>,
    /// The input format
    #[arg(long, required_unless_present = "list", ignore_case = true)]
    from: Option<Form>,
    /// The output format
    #[arg(long, required_unless_present = "list", ignore_case = true)]
    to: Option<Form>,
    /// Refuse JSON with unknown members, types or enum names, and bytes without a JSON form
    #[arg(long)]
    strict: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// ProtoJSON
    Json,
    /// Binary protobuf
    Binary,
}

impl Convert {
    pub fn run(self) -> Result<(), Failure> {
        let registry = TypeRegistry::default();
        let mut output = Output::new();
        let (Some(name), Some(from), Some(to)) = (&self.type_name, self.from, self.to) else {
            for name in registry.names() {
                output.line(&name)?;
            }
            return output.flush();
        };
        if self.strict && (from, to) == (Form::Binary, Form::Binary) {
            return Err(Failure::of("--strict", "it is for JSON"));
        }
        if to == Form::Binary && output.is_terminal {
            let why = "standard output is a terminal; send it to a file or a pipe";
            return Err(Failure::of("--to binary", why));
        }
        let name = find(name, &registry.names())?;
        let Some(registered) = registry.get(&name) else {
            return Err(Failure::Input(format!("--type {name}: unknown type")));
        };
        let bytes = input::read("", Path::new("-"))?;
        let wrong = |problem: &str| {
            Failure::Input(format!("standard input is not a valid {name}: {problem}"))
        };
        let read = |json: &[u8]| {
            let json = decode_text(json).map_err(|problem| wrong(&problem))?;
            if json.trim().is_empty() {
                return Err(wrong("it is empty"));
            }
            let reader = Reader::new().strict(self.strict);
            let binary = reader.scope(|| registered.to_binary(&json));
            binary.map_err(|error| wrong(&error.to_string()))
        };
        let write = |binary: Vec<u8>| {
            let writer = Writer::new().strict(self.strict);
            writer.scope(|| registered.to_json(&binary)).map_err(|error| wrong(&error.to_string()))
        };
        let binary = match (from, to) {
            (Form::Json, _) => read(&bytes)?,
            (Form::Binary, Form::Json) => bytes,
            (Form::Binary, Form::Binary) => {
                registered.normalize(&bytes).map_err(|error| wrong(&error.to_string()))?
            }
        };
        match to {
            Form::Json => output.line(&write(binary)?)?,
            Form::Binary => output.bytes(&binary)?,
        }
        output.flush()
    }
}

/// Returns the full name of the type that `name` means: a full name, or the unique last part of one.
fn find(name: &str, known: &[String]) -> Result<String, Failure> {
    let name = name.trim_start_matches('.');
    if known.iter().any(|known| known == name) {
        return Ok(name.to_owned());
    }
    let same: Vec<_> = known.iter().filter(|known| short_name(known) == name).cloned().collect();
    let problem = match same.as_slice() {
        [only] => return Ok(only.clone()),
        [] => {
            let hint = meant(name, known.iter().map(String::as_str))
                .unwrap_or_else(|| "`convert --list` shows all".to_owned());
            format!("expected a message type of this crate; {hint}")
        }
        several => format!("several types have that name: {}", several.join(", ")),
    };
    Err(Failure::Input(format!("--type {name:?}: {problem}")))
}
