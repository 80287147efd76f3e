//! Receives JSON from a newer ESET and passes it on over gRPC without losing the parts that this crate does
//! not know.
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

    // On the gRPC wire these are the bytes of a real OnDemandScan, followed by one extra field.
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
