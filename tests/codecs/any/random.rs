//! Random unknown members in random messages of every known type and of unknown types.

use super::*;
use crate::support::messages::exact::{names, values};
use crate::support::messages::random::message;
use crate::support::messages::tape::Tape;
use crate::support::messages::{all_types, config};
use proptest::prelude::{TestCaseError, any, prop_assert_eq, proptest};
use proptest::sample::Index;
use proptest::test_runner::TestRunner;
use prost_reflect::{Kind, MessageDescriptor};

/// A member to add, and the index of the object to add it to, among the objects that are messages.
type Addition = (Index, String, Exact);

#[allow(clippy::needless_pass_by_value)] // as map_err passes it
fn fail(error: impl ToString) -> TestCaseError {
    TestCaseError::fail(error.to_string())
}

/// Checks that JSON → bytes → JSON → bytes changes nothing.
fn check(json: &Exact) -> Result<(), TestCaseError> {
    let any: Any = serde_json::from_str(&json.to_string()).map_err(fail)?;
    let back = serde_json::to_string(&over_grpc(&any)).map_err(fail)?;
    prop_assert_eq!(&Exact::parse(&back), json);
    prop_assert_eq!(serde_json::from_str::<Any>(&back).map_err(fail)?, any);
    Ok(())
}

proptest! {
    #![proptest_config(config(1000))]

    #[test]
    fn any_json_of_an_unknown_type_is_a_fixpoint(
        members in proptest::collection::btree_map(names(), values(), 0..6),
        url in "(type.googleapis.com/)?[a-z]{1,5}\\.[A-Z][a-z]{0,5}",
    ) {
        let mut members = members;
        members.insert("@type".to_owned(), Exact::Text(url));
        check(&Exact::Object(members))?;
    }
}

#[test]
fn unknown_members_anywhere_in_any_known_type_are_a_fixpoint() {
    let additions = || proptest::collection::vec((any::<Index>(), names(), values()), 1..5);
    for descriptor in all_types() {
        let name = descriptor.full_name();
        // Its JSON form is the preserved JSON.
        if name == "eset_protect.v1.UnknownAny" {
            continue;
        }
        let tape = proptest::collection::vec(any::<u8>(), 0..200);
        let result = TestRunner::new(config(40)).run(&(tape, additions()), |(tape, add)| {
            let message = message(&descriptor, &mut Tape::new(&tape));
            let packed = Any {
                type_url: format!("type.googleapis.com/{name}"),
                value: prost_reflect::prost::Message::encode_to_vec(&message).into(),
            };
            let mut json = Exact::parse(&serde_json::to_string(&packed).map_err(fail)?);
            for addition in &add {
                insert(&mut json, addition);
            }
            check(&json)
        });
        if let Err(failure) = result {
            panic!("{name}: {failure}");
        }
    }
}

fn insert(json: &mut Exact, (place, name, value): &Addition) {
    let any = POOL.get_message_by_name("google.protobuf.Any").unwrap();
    let mut places = 0;
    visit(json, &any, &mut |_| places += 1);
    if places == 0 {
        return;
    }
    let mut until = place.index(places);
    visit(json, &any, &mut |members| {
        if until == 0 {
            members.entry(name.clone()).or_insert_with(|| value.clone());
        }
        until = until.wrapping_sub(1);
    });
}

/// Calls a function with the members of each object that is a message inside an `Any`.
fn visit(
    json: &mut Exact,
    descriptor: &MessageDescriptor,
    call: &mut dyn FnMut(&mut std::collections::BTreeMap<String, Exact>),
) {
    let mut descriptor = descriptor.clone();
    // Its members are data: every name is known, and numbers are doubles.
    if descriptor.full_name() == "google.protobuf.Struct" {
        return;
    }
    let Some(members) = json.object() else { return };
    if descriptor.full_name() == "google.protobuf.Any" {
        let Some(Exact::Text(url)) = members.get("@type") else { return };
        descriptor = POOL.get_message_by_name(url.rsplit('/').next().unwrap()).unwrap();
        if let Some(value) = members.get_mut("value")
            && descriptor.full_name().starts_with("google.protobuf.")
        {
            if descriptor.full_name() == "google.protobuf.Any" {
                visit(value, &descriptor, call);
            }
            return call(members);
        }
    }
    for field in descriptor.fields() {
        let Some(value) = members.get_mut(field.json_name()) else { continue };
        match (field.kind(), value) {
            (Kind::Message(entry), Exact::Object(entries)) if field.is_map() => {
                if let Kind::Message(message) = entry.map_entry_value_field().kind() {
                    entries.values_mut().for_each(|value| visit(value, &message, call));
                }
            }
            (Kind::Message(message), Exact::List(list)) => {
                list.iter_mut().for_each(|value| visit(value, &message, call));
            }
            (Kind::Message(message), value) => visit(value, &message, call),
            // Adds a name that the schema does not have.
            (Kind::Enum(_), value) if *value == Exact::Text("OneDay".to_owned()) => {
                *value = Exact::Text("OneDayMore".to_owned());
            }
            _ => {}
        }
    }
    call(members);
}
