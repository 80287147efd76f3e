//! The JSON of the messages.

use added_service::proto::example::greeter::v1::{Greeting, greeting};
use added_service::proto::odd::r#gen::extern_::v1 as odd;
use added_service::types;
use eset_protect::JsonMessage;
use eset_protect::protojson::{Reader, Writer};
use eset_protect::wkt::{Any, TypeRegistry};
use prost::Message;

use crate::full;

#[test]
fn its_messages_are_json_of_every_kind() {
    let json = String::from_utf8(Writer::new().write(&full()).unwrap()).unwrap();
    for part in [
        r#""doubleValue":"Infinity","floatValue":1.5,"int32Value":-1,"sint64Value":"-9223372036854775808""#,
        r#""fixed64Value":"18446744073709551615","bytesValue":"AP8=","doubles":["-Infinity",0.1]"#,
        r#""longs":["9223372036854775807","-1"],"warmths":["WARMTH_WARM",77,"WARMTH_UNSPECIFIED"]"#,
        r#""byNumber":{"-1":"WARMTH_WARM","5":99},"byTruth":{"false":"","true":"AQ=="}"#,
        r#""byName":{"a/b~\"":{"int32Value":3}}"#,
        r#""mask":"displayName,a.bC","value":null,"wrapped":"9007199254740993","maybe":0.0"#,
        r#""type":"keyword""#,
        r#""maybeNull":null,"nulls":[null,null],"nullByName":{"a":null},"text":"Hello""#,
    ] {
        assert!(json.contains(part), "{part} is not in {json}");
    }
    let read: Greeting = serde_json::from_str(&json).unwrap();
    assert_eq!(read, full());
    assert_eq!(Greeting::decode(read.encode_to_vec().as_slice()).unwrap(), full());
}

#[test]
fn null_is_the_value_of_null_value_wherever_it_is() {
    let read =
        |json: &str| serde_json::from_str::<Greeting>(json).map_err(|error| error.to_string());
    let nothing = Greeting { choice: Some(greeting::Choice::Nothing(0)), ..Default::default() };
    let maybe = Greeting { maybe_null: Some(0), ..Default::default() };
    let nulls = Greeting { nulls: vec![0], ..Default::default() };
    let by_name = Greeting { null_by_name: [("a".to_owned(), 0)].into(), ..Default::default() };
    for value in ["null", "\"NULL_VALUE\"", "0"] {
        for (json, message) in [
            (format!(r#"{{"nothing":{value}}}"#), &nothing),
            (format!(r#"{{"maybeNull":{value}}}"#), &maybe),
            (format!(r#"{{"nulls":[{value}]}}"#), &nulls),
            (format!(r#"{{"nullByName":{{"a":{value}}}}}"#), &by_name),
            (format!(r#"{{"null":{value}}}"#), &Greeting::default()),
        ] {
            assert_eq!(read(&json).as_ref(), Ok(message), "{json}");
            if value == "null" && *message != Greeting::default() {
                assert_eq!(serde_json::to_string(message).unwrap(), json);
            }
        }
    }
    assert!(read(r#"{"nothing":null,"number":1.0}"#).unwrap_err().contains("oneof"));
    let json = Writer::new().emit_defaults(true).write(&Greeting::default()).unwrap();
    assert!(String::from_utf8(json).unwrap().contains(r#""null":null"#));
}

#[test]
fn each_name_of_an_enum_value_is_its_number() {
    let message = Greeting {
        warmths: vec![1, 1],
        by_number: [(1, 1)].into(),
        choice: Some(greeting::Choice::Warmth(1)),
        ..Default::default()
    };
    let json = |name: &str| {
        format!(
            r#"{{"warmths":["{name}","WARMTH_WARM"],"byNumber":{{"1":"{name}"}},"warmth":"{name}"}}"#
        )
    };
    let strict = Reader::new().strict(true);
    assert_eq!(strict.read::<Greeting>(json("WARMTH_COZY").as_bytes()).unwrap(), message);
    // The first name is the one to write.
    assert_eq!(serde_json::to_string(&message).unwrap(), json("WARMTH_WARM"));
}

#[test]
fn every_spelling_of_a_name_passes_through_flatten() {
    #[derive(serde::Deserialize)]
    struct Flat {
        #[serde(flatten)]
        greeting: Greeting,
    }
    for name in ["text", "greeting_text", "greetingText"] {
        let flat: Flat = serde_json::from_str(&format!(r#"{{"{name}":"Hello"}}"#)).unwrap();
        assert_eq!(flat.greeting.greeting_text, "Hello", "{name}");
    }
}

#[test]
fn names_may_be_special_in_rust() {
    let json = r#"{"type":"a","self":{"gen":"b","async":"","inner":{"extern":"c"}},"kind":"KIND_SELF","choices":{"one":{"gen":"d"},"extern":"e"},"option":{"self":"f"},"selfish":{"result":"g"}}"#;
    let message: odd::Request = Reader::new().strict(true).read(json.as_bytes()).unwrap();
    assert_eq!(message.self_.as_ref().unwrap().r#gen, "b");
    assert_eq!(message.kind(), odd::Kind::Self_);
    assert_eq!(serde_json::to_string(&odd::Kind::Self_).unwrap(), r#""KIND_SELF""#);
    let choices = message.choices.clone().unwrap();
    let one = odd::choices::Choice { r#gen: "d".to_owned() };
    assert_eq!(choices.choice, Some(odd::choices::ChoiceOneOf::One(one)));
    assert_eq!(choices.self_, Some(odd::choices::Self_::Extern("e".to_owned())));
    assert_eq!(serde_json::to_string(&message).unwrap(), json);
    assert_eq!(odd::Request::decode(&*message.encode_to_vec()).unwrap(), message);
    let given = odd::choices::ChoiceOneOf::Given("server's".to_owned());
    let mut choices = odd::Choices { choice: Some(given), ..odd::Choices::default() };
    choices.clear_output_only();
    assert_eq!(choices, odd::Choices::default());
}

#[test]
fn its_types_can_be_registered_for_any() {
    let any = Any::pack(&full());
    let error = Writer::new().strict(true).write(&any).unwrap_err().to_string();
    assert!(error.contains("type.googleapis.com/example.greeter.v1.Greeting"), "{error}");

    let registry = types::register(TypeRegistry::default());
    let json = Writer::new().registry(registry.clone()).write(&any).unwrap();
    assert_eq!(Reader::new().registry(registry.clone()).read::<Any>(&json).unwrap(), any);

    // Unknown data is kept as for the crate's own types.
    let newer = br#"{"@type":"x/example.greeter.v1.Greeting","byName":{"k":{"new":1.50}}}"#;
    let any: Any = Reader::new().registry(registry.clone()).read(newer).unwrap();
    assert_eq!(any.unpack::<Greeting>().unwrap().by_name.len(), 1);
    assert_eq!(Writer::new().registry(registry).write(&any).unwrap(), newer);

    // Without the registry it is an unknown type.
    let any: Any = serde_json::from_slice(newer).unwrap();
    assert_eq!(any.unknown().unwrap().type_url, "x/example.greeter.v1.Greeting");
    assert_eq!(serde_json::to_vec(&any).unwrap(), newer);
}
