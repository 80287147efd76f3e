//! Compiles `proto/` into the types, their ProtoJSON form and the list of RPCs.

#[path = "build/mod.rs"]
mod codegen;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    codegen::Generator::this_crate("proto").run()
}
