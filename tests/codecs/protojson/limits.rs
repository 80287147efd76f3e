//! Input that is nested too deeply, is not text or base64, or has the wrong kind.

use super::*;

#[test]
fn deep_json_is_an_error_and_no_overflow() {
    const DEPTH: usize = 100_000;
    let status = r#"{"@type":"google.rpc.Status","details":["#;
    let any = r#"{"@type":"google.protobuf.Any","value":"#;
    let bombs = [
        "[".repeat(DEPTH),
        format!("{}{}", "[".repeat(DEPTH), "]".repeat(DEPTH)),
        r#"{"a":"#.repeat(DEPTH),
        format!("{}1{}", r#"{"a":"#.repeat(DEPTH), "}".repeat(DEPTH)),
        status.repeat(DEPTH),
        format!("{}{}", any.repeat(DEPTH), "}".repeat(DEPTH)),
        // `@type` last at every level.
        format!(
            "{}{{}}{}",
            r#"{"value":"#.repeat(DEPTH),
            r#","@type":"google.protobuf.Any"}"#.repeat(DEPTH)
        ),
        format!(
            "{}{}",
            r#"{"details":["#.repeat(DEPTH),
            r#"],"@type":"google.rpc.Status"}"#.repeat(DEPTH)
        ),
        format!(r#"{{"@type":"x.Y","a":{}{}}}"#, "[".repeat(DEPTH), "]".repeat(DEPTH)),
        format!(
            r#"{{"@type":"google.rpc.Status","a":{}{}}}"#,
            "[".repeat(DEPTH),
            "]".repeat(DEPTH)
        ),
        format!(
            r#"{{"@type":"google.protobuf.ListValue","value":{}{}}}"#,
            "[".repeat(DEPTH),
            "]".repeat(DEPTH)
        ),
    ];
    for bomb in &bombs {
        assert!(!error::<Any>(bomb).is_empty());
        assert!(!error::<Status>(&format!(r#"{{"details":[{bomb}]}}"#)).is_empty());
        assert!(!error::<Struct>(&format!(r#"{{"a":{bomb}}}"#)).is_empty());
        assert!(!error::<ListValue>(bomb).is_empty());
    }
    // serde_json would accept it, but Anys may be nested only 100 levels.
    let error = error::<Any>(&format!("{}{{}}{}", any.repeat(120), "}".repeat(120)));
    assert!(error.contains("nested deeper than 100"), "{error}");
    // Outside an Any, unknown members are ignored at any depth.
    for (start, end) in [("[", "]"), (r#"{"a":["#, "]}")] {
        let added = format!("{}{}", start.repeat(DEPTH), end.repeat(DEPTH));
        let deep = format!(r#"{{"targets":{{"added":{added}}},"uuid":"u"}}"#);
        assert_eq!(read::<DeviceTask>(&deep).uuid, "u");
        assert!(Reader::new().strict(true).read::<DeviceTask>(deep.as_bytes()).is_err());
    }
}

#[test]
fn json_that_is_read_has_a_binary_form_that_can_be_read() {
    fn check<M: JsonMessage + PartialEq + Debug>(start: &str, value: &str, end: &str) -> usize {
        let json = |depth| format!("{}{value}{}", start.repeat(depth), end.repeat(depth));
        let read = |depth| Reader::new().read::<M>(json(depth).as_bytes());
        let most = (1..127).take_while(|depth| read(*depth).is_ok()).last().unwrap();
        let message = read(most).unwrap();
        assert_eq!(M::decode(&*message.encode_to_vec()).unwrap(), message, "{start}: {most}");
        let error = read(most + 1).unwrap_err().to_string();
        assert!(error.contains("nested deeper than 100 levels"), "{start}: {error}");
        most
    }
    // A list takes two messages, itself and its value; an object three, itself, the entry and the value.
    assert_eq!(check::<Struct>(r#"{"a":"#, "1", "}"), 33);
    assert_eq!(check::<ListValue>("[", "", "]"), 51);
}

#[test]
fn deep_json_within_the_limits_goes_both_ways() {
    // The depth that a small thread must support: an Any in an Any, 90 times, with the type last or first.
    let run = || {
        for (start, end) in [
            (r#"{"@type":"google.protobuf.Any","value":"#, "}"),
            (r#"{"value":"#, r#","@type":"google.protobuf.Any"}"#),
            (r#"{"@type":"google.protobuf.Any","added":1,"value":"#, "}"),
            (r#"{"@type":"google.rpc.Status","details":["#, "]}"),
            (r#"{"@type":"google.rpc.Status","added":1,"details":["#, "]}"),
            (r#"{"details":["#, r#"],"@type":"google.rpc.Status"}"#),
        ] {
            let depth = match start.contains("details") {
                // Members before the type are not parsed: 100 levels of them.
                true if start.starts_with(r#"{"details"#) => 45,
                true => 60,
                false => 90,
            };
            let json = format!("{}{{}}{}", start.repeat(depth), end.repeat(depth));
            let any: Any = read(&json);
            assert_eq!(read::<Any>(&write(&any)), any, "{start}");
        }
    };
    std::thread::Builder::new().stack_size(2 << 20).spawn(run).unwrap().join().unwrap();
}

#[test]
fn lone_surrogates_are_errors() {
    for json in [r#"{"uuid":"\ud800"}"#, r#"{"uuid":"a\ud800a"}"#, r#"{"uuid":"\ud800\u0041"}"#] {
        let error = error::<DeviceTask>(json);
        let expected = r"field `uuid`: \ud800 is half of a character";
        assert!(error.starts_with(expected), "{json}: {error}");
    }
    assert!(error::<DeviceTask>(r#"{"uuid":"\udc00\ud800"}"#).contains(r"\udc00 is half"));
    assert!(error::<DeviceTask>(r#"{"uuid":"\ud83d"#).contains("EOF"));
    assert!(error::<DeviceTask>(r#"{"\ud800":1}"#).contains(r"\ud800 is half of a character"));
    assert!(!error::<Any>(r#"{"@type":"x.Y","\ud800":1}"#).is_empty());
    assert!(!error::<Any>(r#"{"@type":"\ud800"}"#).is_empty());
    both_ways(r#"{"uuid":"😀"}"#, &DeviceTask { uuid: "😀".to_owned(), ..Default::default() });
    assert_eq!(read::<DeviceTask>(r#"{"uuid":"\ud83d\ude00"}"#).uuid, "😀");
    // So are bytes that are not UTF-8.
    for (json, expected) in [
        (b"{\"uuid\":\"\xff\"}".as_slice(), "field `uuid`: byte 9 of the text is not UTF-8"),
        (b"{\"action\":{\"name\":\"\xff", "field `action.name`: byte 19 of the text is not UTF-8"),
        (b"{\"\xff\":1}", "byte 2 of the text is not UTF-8"),
        (b"\xff", "byte 0 of the text is not UTF-8"),
        (b"{} \xff", "byte 3 of the text is not UTF-8"),
        (b"{]\xff", "key must be a string at line 1 column 2"),
    ] {
        let error = Reader::new().read::<DeviceTask>(json).expect_err("not UTF-8");
        assert_eq!(error.to_string(), expected, "{json:02x?}");
    }
}

#[test]
fn base64_is_read_in_both_alphabets_with_padding_or_none() {
    let data = |bytes: &[u8]| PolicyData { data: Some(bytes.to_vec().into()), product: None };
    both_ways(r#"{"data":""}"#, &data(b""));
    both_ways(r#"{"data":"+/8="}"#, &data(&[0xfb, 0xff]));
    both_ways(r#"{"data":"/w=="}"#, &data(&[0xff]));
    for text in ["+/8=", "-_8=", "+/8", "-_8"] {
        assert_eq!(read::<BytesValue>(&format!("\"{text}\"")).value[..], [0xfb, 0xff], "{text}");
    }
    // Bits that belong to no byte are ignored.
    for (text, bytes) in [
        ("/x==", &[0xff][..]),
        ("/x", &[0xff]),
        ("_3", &[0xff]),
        ("-_-=", &[0xfb, 0xff]),
        ("AAAA+/9", &[0, 0, 0, 0xfb, 0xff]),
    ] {
        assert_eq!(read::<BytesValue>(&format!("\"{text}\"")).value[..], *bytes, "{text}");
    }
    for text in [
        "A", "AAAAA", "_x/", "*x", "x*=", "x=x=", "A===", "=", "====", "A=AA", "AA=", "AAA==",
        "A A=", "A*==", "ÄAAA", "+_AA", "AA\\n",
    ] {
        let error = error::<PolicyData>(&format!(r#"{{"data":"{text}"}}"#));
        assert!(error.contains("`data`") && error.contains("base64"), "{text}: {error}");
    }
    let inside = r#"{"features":[{},{"configuration":{"@type":
        "type.googleapis.com/Era.Common.DataDefinition.Policy.PolicyData","data":"*"}}]}"#;
    let error = error::<Policy>(inside);
    assert!(
        error.contains("`features[1].configuration.data`") && error.contains("base64"),
        "{error}"
    );
}

#[test]
fn a_wrong_kind_of_json_says_where_and_what_is_expected() {
    for (json, path, expected) in [
        (r#"{"uuid":1}"#, "`uuid`", "string"),
        (r#"{"triggers":{}}"#, "`triggers`", "a list"),
        (r#"{"triggers":[[]]}"#, "`triggers[0]`", "Trigger"),
        (r#"{"targets":{"devicesUuids":["a",2]}}"#, "`targets.devicesUuids[1]`", "string"),
        (r#"{"targets":"a"}"#, "`targets`", "DeviceTaskTargets"),
        (r#"{"versionId":true}"#, "`versionId`", "64-bit"),
        (r#"{"source":[]}"#, "`source`", "DeviceTaskSource"),
        (r#"{"action":{"params":[]}}"#, "`action.params`", "@type"),
    ] {
        let error = error::<DeviceTask>(json);
        assert!(error.contains(path) && error.contains(expected), "{json}: {error}");
        assert!(error.contains("line 1 column"), "{error}");
    }
    assert!(!error::<DeviceTask>(r#"{"uuid":"a"} x"#).is_empty());
    assert!(Reader::new().read::<DeviceTask>(br#"{} {}"#).is_err());
    assert!(Reader::new().read::<DeviceTask>(b"").is_err());
}
