//! Adds services: a `.proto` file for each.

#[path = "../../build/mod.rs"]
mod codegen;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    codegen::Generator::added("proto", "../../proto").run()
}
