//! Policies as code: containers, settings, and rolling policies out.

mod container;
mod corpus;
mod damaged;
mod effective;
mod file;
mod oracle;
mod plan;
mod rollout;
mod settings;
#[path = "../support/skip.rs"]
mod skip;
mod stage;

/// ESET's one public example, as the member `data` of a request.
fn public() -> String {
    let fixture: serde_json::Value =
        serde_json::from_str(include_str!("fixtures/public.json")).unwrap();
    fixture["data"].as_str().unwrap().to_owned()
}
