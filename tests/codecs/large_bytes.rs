//! Large `bytes` are written to JSON text on a faster path with the same result.

use eset_protect::params::PolicyData;
use eset_protect::wkt::{Any, BytesValue};
use serde_json::{Value, json};

#[test]
fn large_bytes_are_written_as_small_ones_are() {
    for size in [1, 1022, 1023, 1024, 1025, 100_000] {
        let data: Vec<u8> = (0..size).map(|n: u32| n.to_le_bytes()[0]).collect();
        let policy = PolicyData { data: Some(data.clone().into()), product: Some("p".into()) };
        let text = base64_simd::STANDARD.encode_to_string(&data);

        let json = serde_json::to_string(&policy).unwrap();
        assert_eq!(json, format!(r#"{{"data":"{text}","product":"p"}}"#));
        assert_eq!(serde_json::from_str::<PolicyData>(&json).unwrap(), policy);

        // Into an Any, a `Value`, pretty text, and serde's buffer for flattening.
        let any = Any::pack(&policy);
        let tagged = json!({ "@type": any.type_url, "data": text, "product": "p" });
        assert_eq!(serde_json::to_value(&any).unwrap(), tagged);
        assert_eq!(value(&serde_json::to_vec_pretty(&any).unwrap()), tagged);
        assert_eq!(serde_json::from_value::<Any>(tagged.clone()).unwrap(), any);
        let flat = serde_json::to_vec(&Flat { inner: any }).unwrap();
        assert_eq!(value(&flat), tagged);
    }
}

#[test]
fn a_large_bytes_value_is_a_string() {
    let bytes = BytesValue { value: vec![255; 3000].into() };
    let json = serde_json::to_string(&bytes).unwrap();
    assert_eq!(json, format!("\"{}\"", "/".repeat(4000)));
    assert_eq!(serde_json::to_value(&bytes).unwrap(), Value::String("/".repeat(4000)));
}

#[derive(serde::Serialize)]
struct Flat {
    #[serde(flatten)]
    inner: Any,
}

fn value(json: &[u8]) -> Value {
    serde_json::from_slice(json).unwrap()
}
