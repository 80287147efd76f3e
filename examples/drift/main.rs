//! Compares OpenAPI documents of ESET's with this crate, and prints what has changed since.
//!
//! ESET serves one document for each service, linked from
//! `https://{region}.esetconnect.eset.systems/swagger/`. Download them, then:
//!
//! ```text
//! cargo run --example drift --all-features -- automation.json device-management.json
//! ```
//!
//! It prints nothing and succeeds if all is as this crate knows it. Otherwise it prints one line for each
//! fact that is new, gone or changed, and fails with 1; a document that cannot be read is 2.
//! `--facts` prints the facts of the documents instead, in the form of `tests/golden/surface.txt`.

mod surface;

use std::process::ExitCode;

use eset_protect::transcode::OPENAPI;
use surface::{Facts, compare, facts};

fn main() -> ExitCode {
    let mut files: Vec<_> = std::env::args().skip(1).collect();
    let print_facts = files.first().is_some_and(|first| first == "--facts");
    if print_facts {
        files.remove(0);
    }
    if files.is_empty() {
        eprintln!("usage: drift [--facts] FILE...");
        return ExitCode::from(2);
    }
    let known = match read(OPENAPI) {
        Ok(known) => known,
        Err(why) => return refuse("this crate's own document", &why),
    };
    let mut has_drift = false;
    for file in &files {
        let text = std::fs::read_to_string(file).map_err(|error| error.to_string());
        let services = match text.and_then(|text| read(&text)) {
            Ok(services) => services,
            Err(why) => return refuse(file, &why),
        };
        for (service, esets) in services {
            if print_facts {
                esets.iter().for_each(|(name, value)| println!("{service} {name} = {value}"));
                continue;
            }
            for drift in compare(known.get(&service).unwrap_or(&Facts::new()), &esets) {
                if drift.argument(&service).is_none() {
                    println!("{service}  {drift}");
                    has_drift = true;
                }
            }
        }
    }
    ExitCode::from(u8::from(has_drift))
}

fn read(text: &str) -> Result<std::collections::BTreeMap<String, Facts>, String> {
    let document = serde_json::from_str(text).map_err(|error| format!("no JSON: {error}"))?;
    facts(&document)
}

fn refuse(file: &str, why: &str) -> ExitCode {
    eprintln!("{file}: {why}");
    ExitCode::from(2)
}
