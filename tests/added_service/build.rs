//! Adds services: a `.proto` file for each.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    eset_protect_build::Generator::new("proto").server(cfg!(feature = "server")).run()
}
