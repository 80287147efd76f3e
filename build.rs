//! Compiles `proto/` into the message types, their ProtoJSON form and the list of RPCs.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // `eset-protect-build` finds the files here when it generates services beside these.
    println!("cargo:protos={}", std::env::current_dir()?.join("proto").display());
    eset_protect_build::Generator::eset_protect("proto").run()
}
