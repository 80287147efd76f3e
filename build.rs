//! Compiles `proto/` into the message types, their ProtoJSON form and the list of RPCs.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // `eset-protect-build` finds the files here when it generates services beside these.
    println!("cargo:protos={}", std::env::current_dir()?.join("proto").display());
    eset_protect_build::Generator::eset_protect("proto").run()?;
    #[cfg(feature = "_connections")]
    pack("openapi.json")?;
    Ok(())
}

/// Packs a generated file by gzip.
#[cfg(feature = "_connections")]
fn pack(name: &str) -> Result<(), Box<dyn std::error::Error>> {
    use std::fs::{self, File};
    use std::io::Write;

    let path = format!("{}/{name}", std::env::var("OUT_DIR")?);
    let packed = File::create(format!("{path}.gz"))?;
    let mut packed = flate2::write::GzEncoder::new(packed, flate2::Compression::best());
    packed.write_all(&fs::read(path)?)?;
    packed.finish()?;
    Ok(())
}
