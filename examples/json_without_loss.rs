//! A newer ESET sends what this crate does not know. Nothing of it is lost on the way through gRPC.
//!
//!     cargo run --features emulator --example json_without_loss

use eset_protect::params::OnDemandScan;
use eset_protect::wkt::Any;
use prost::Message;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let from_eset = concat!(
        r#"{"@type":"type.googleapis.com/Era.Common.DataDefinition.Task.ESS.OnDemandScan","#,
        r#""scanProfile":"Quantum","cleaningEnabled":true,"retries":3.00,"#,
        r#""powerActions":{"postpone":"OneHour","reason":"patches"}}"#,
    );
    let params: Any = serde_json::from_str(from_eset)?;

    // Over gRPC these are the bytes of a real OnDemandScan, with one extra field behind it.
    let received = Any::decode(params.encode_to_vec().as_slice())?;
    let scan: OnDemandScan = received.unpack()?;
    println!("typed: cleaning {:?}, profile number {:?}", scan.cleaning_enabled, scan.scan_profile);
    for member in received.unknown_members()? {
        println!("kept:  {} = {}", member.pointer, member.json);
    }

    let written = serde_json::to_string(&received)?;
    println!("again: {written}");
    let parse = serde_json::from_str::<serde_json::Value>;
    assert_eq!(parse(&written)?, parse(from_eset)?);
    Ok(())
}
