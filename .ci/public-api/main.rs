//! `list-public-api FILE`: the public items in rustdoc's JSON of a crate, one a line.

use std::collections::HashSet;
use std::process::ExitCode;

use public_api::PublicApi;

fn main() -> ExitCode {
    let Some(file) = std::env::args().nth(1) else {
        eprintln!("usage: list-public-api FILE");
        return ExitCode::from(2);
    };
    let api = public_api::Builder::from_rustdoc_json(file)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .omit_auto_derived_impls(true)
        .build();
    match api {
        Ok(api) => {
            print(&api);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// An implementation of a trait is one line: its functions and constants are the trait's. Its types are not.
fn print(api: &PublicApi) {
    let lines: Vec<_> = api.items().map(|item| (item, item.to_string())).collect();
    let implementations: HashSet<_> = lines
        .iter()
        .filter(|(_, line)| line.starts_with("impl") && line.contains(" for "))
        .map(|(item, _)| item.id())
        .collect();
    for (item, line) in &lines {
        let of_trait = item.parent_id().is_some_and(|parent| implementations.contains(&parent));
        if !of_trait || line.starts_with("pub type") {
            println!("{line}");
        }
    }
}
