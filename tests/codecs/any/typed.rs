//! The message in an `Any`: unpacked, replaced, registered, read by other decoders.

use super::*;

#[test]
fn repack_keeps_unknown_members() {
    let mut any = read(&shutdown(r#","restart":true,"added":1.0,"actions":{"added":[2]}"#));
    let mut message: ShutdownComputer = any.unpack().unwrap();
    message.restart = Some(false);
    any.repack(&message).unwrap();
    let expected = shutdown(r#","restart":false,"actions":{"added":[2]},"added":1.0"#);
    assert_eq!(Exact::parse(&write(&any)), Exact::parse(&expected));

    // The parent of one of them is gone.
    message.actions = None;
    any.repack(&message).unwrap();
    let expected = shutdown(r#","restart":false,"added":1.0"#);
    assert_eq!(Exact::parse(&write(&any)), Exact::parse(&expected));

    let before = any.clone();
    let error = any.repack(&RunCommand::default()).unwrap_err();
    assert!(matches!(error, UnpackError::Type { .. }), "{error}");
    assert_eq!(any, before);
}

#[test]
fn repack_with_another_enum_value_does_not_bring_the_unknown_one_back() {
    use era::common::allowed_actions::Postpone;
    for postpone in [Postpone::OneDay, Postpone::Cannot] {
        let mut any = read(&shutdown(r#","actions":{"postpone":"TwoYears","added":1}"#));
        let actions = AllowedActions { postpone: Some(postpone.into()), ..Default::default() };
        any.repack(&ShutdownComputer { actions: Some(actions), restart: None }).unwrap();
        let name = postpone.as_str_name();
        let expected = shutdown(&format!(r#","actions":{{"postpone":"{name}","added":1}}"#));
        assert_eq!(Exact::parse(&write(&any)), Exact::parse(&expected));
    }
    let mut any = read(&shutdown(r#","actions":{"postpone":"TwoYears"}"#));
    let actions = AllowedActions { cancel_action: Some(true), postpone: None };
    any.repack(&ShutdownComputer { actions: Some(actions), restart: None }).unwrap();
    let expected = shutdown(r#","actions":{"cancelAction":true}"#);
    assert_eq!(Exact::parse(&write(&any)), Exact::parse(&expected), "cleared is cleared");
}

#[test]
fn a_registry_adds_types_for_a_scope() {
    // Any message with both forms works: one of the crate's under another name.
    #[derive(Clone, PartialEq, Message)]
    struct Mine {
        #[prost(string, tag = "1")]
        text: String,
    }
    impl prost::Name for Mine {
        const NAME: &'static str = "Mine";
        const PACKAGE: &'static str = "example.v1";
    }
    impl serde::Serialize for Mine {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            use serde::ser::SerializeStruct;
            let mut message = serializer.serialize_struct("Mine", 1)?;
            message.serialize_field("text", &self.text)?;
            message.end()
        }
    }
    impl<'de> serde::Deserialize<'de> for Mine {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let mut members =
                std::collections::BTreeMap::<String, String>::deserialize(deserializer)?;
            Ok(Self { text: members.remove("text").unwrap_or_default() })
        }
    }
    impl eset_protect::codegen::JsonMessage for Mine {}

    // Its `Name` says nothing about a URL.
    assert_eq!(Any::pack(&Mine::default()).type_url, "type.googleapis.com/example.v1.Mine");
    assert!(Any::pack(&Mine::default()).is::<Mine>());

    let registry = TypeRegistry::default().with::<Mine>();
    assert!(registry.contains("example.v1.Mine"));
    assert!(registry.names().contains(&"example.v1.Mine".to_owned()));
    let json = r#"{"@type":"example.com/example.v1.Mine","text":"t"}"#;
    let packed = Any {
        type_url: "example.com/example.v1.Mine".to_owned(),
        value: Mine { text: "t".to_owned() }.encode_to_vec().into(),
    };
    for json in [json, r#"{"text":"t","@type":"example.com/example.v1.Mine"}"#] {
        let any = Reader::new().registry(registry.clone()).read::<Any>(json.as_bytes()).unwrap();
        assert_eq!(any, packed);
    }
    let written = Writer::new().registry(registry).write(&packed).unwrap();
    assert_eq!(String::from_utf8(written).unwrap(), json);

    // Outside the scope the type is unknown again.
    assert!(Writer::new().strict(true).write(&packed).is_err());
    assert!(read(json).unknown().is_some());
}

#[test]
fn the_bytes_are_a_message_to_every_decoder() {
    let any = read(&shutdown(r#","restart":true,"added":1,"actions":{"postpone":"TwoYears"}"#));
    let plain = ShutdownComputer::decode(any.value.clone()).unwrap();
    assert_eq!(plain.restart, Some(true));
    assert_eq!(any.unpack::<ShutdownComputer>().unwrap(), plain);

    let descriptor =
        POOL.get_message_by_name("Era.Common.DataDefinition.Task.OS.ShutdownComputer").unwrap();
    let dynamic = DynamicMessage::decode(descriptor, any.value.clone()).unwrap();
    assert_eq!(dynamic.get_field_by_name("restart").unwrap().as_bool(), Some(true));
    let extra: Vec<_> = dynamic.unknown_fields().map(|field| field.number()).collect();
    assert_eq!(extra, [19_777], "one field, in the range that the language reserves");
    assert_eq!(dynamic.encode_to_vec(), any.value, "a decoder that keeps fields keeps it");
}

#[test]
fn unpack_reports_the_type_it_found() {
    let any = Any::pack(&RunCommand::default());
    let error = any.unpack::<ShutdownComputer>().unwrap_err().to_string();
    assert!(error.contains("ShutdownComputer") && error.contains("RunCommand"), "{error}");
    let error = Any::default().unpack::<ShutdownComputer>().unwrap_err().to_string();
    assert!(error.contains("without a type URL"), "{error}");
    let broken = Any { value: vec![0xff].into(), ..any };
    assert!(matches!(broken.unpack::<RunCommand>(), Err(UnpackError::Decode { .. })));
}
