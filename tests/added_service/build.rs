//! Adds a service: a `.proto` file and a line with its host.

#[path = "../../build/mod.rs"]
mod codegen;

const SERVICES: &[(&str, &str)] = &[("example.greeter.v1.Greeter", "greeter")];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    codegen::Generator::added("proto", "../../proto", SERVICES).run()
}
