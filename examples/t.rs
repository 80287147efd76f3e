use eset_protect::automation::v1::*;
use eset_protect::wkt::*;
fn main() {
    for j in [
      r#"{"uuid":"u","versionId":"18446744073709551615","source":"DEVICE_TASK_SOURCE_NEW","action":{"name":"OnDemandScan","params":{"@type":"type.googleapis.com/Era.Common.DataDefinition.Task.ESS.OnDemandScan","scanProfile":"Turbo","powerActions":{"postpone":"OneHour","x/y":[1.00000000000000000001,{"a":"b"}]},"scanTargets":["",""],"n":1e400}},"triggers":[{"manual":{"expireTime":"2030-01-01T00:00:00Z"}},{}]}"#,
      r#"{"action":{"params":{"a":1,"@type":"x/y.Z","b":[1.10]}}}"#,
      r#"{"action":{"params":{"scanTargets":["a"],"q":null,"@type":"x/Era.Common.DataDefinition.Task.ESS.OnDemandScan"}}}"#,
      r#"{"action":{"params":{"@type":"x/google.protobuf.Duration","value":"1.5s","z":[]}}}"#,
      r#"{"action":{"params":{"@type":"x/google.protobuf.Any","value":{"@type":"x/q"}}}}"#,
      r#"{"action":{"params":{"@type":"x/Era.Common.DataDefinition.Task.ESS.OnDemandScan","powerActions":{"postpone":[]}}}}"#,
      r#"{"triggers":[{},{"manual":{"expireTime":"2030-02-30T00:00:00Z"}}]}"#,
      r#"{"versionId":"-1"}"#, r#"{"uuid":"a","uuid":"b"}"#, r#"{"createTime":null,"create_time":null}"#, "{\"uuid\":\"\\ud800\"}", "{",
    ] {
        match serde_json::from_str::<DeviceTask>(j) {
            Ok(t) => { let b = prost::Message::encode_to_vec(&t); let t2: DeviceTask = prost::Message::decode(&b[..]).unwrap(); println!("in  {j}\nout {}", serde_json::to_string(&t2).unwrap()) }
            Err(e) => println!("in  {j}\nERR {e} {:?}", (e.line(), e.column(), e.classify())),
        }
    }
    println!("{}", String::from_utf8(eset_protect::protojson::Writer::new().emit_defaults(true).write(&DeviceTask::default()).unwrap()).unwrap());
    let _ = Timestamp::default();
}
