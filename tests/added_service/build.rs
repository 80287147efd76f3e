//! Adds services: a `.proto` file and a line with the host for each.

#[path = "../../build/mod.rs"]
mod codegen;

const SERVICES: &[(&str, &str)] =
    &[("example.greeter.v1.Greeter", "greeter"), ("example.guest_book.v1.GuestBook", "guest-book")];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    codegen::Generator::added("proto", "../../proto", SERVICES).run()
}
