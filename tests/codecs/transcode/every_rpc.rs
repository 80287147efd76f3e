//! What is encoded is routed and decoded to the same request, for every RPC.

use eset_protect::rpc::{HttpBinding, MethodSpec};
use proptest::prelude::*;
use prost::Message;
use prost_reflect::{DynamicMessage, Kind, ReflectMessage, Value};

use super::broken_responses::try_broken;
use super::codec::Codec;
use super::random::{Random, message};
use super::{ROUTER, all_methods};

/// Sets a value for a path variable.
fn fill(message: &mut DynamicMessage, path: &str, random: &mut Random) {
    let (name, rest) = path.split_once('.').map_or((path, None), |(n, rest)| (n, Some(rest)));
    let field = message.descriptor().get_field_by_name(name).expect("the field is there");
    if let (Some(rest), Value::Message(inner)) = (rest, message.get_field_mut(&field)) {
        return fill(inner, rest, random);
    }
    if field.kind() == Kind::String {
        let one = |random: &mut Random| random.text().replace('/', "-");
        let text = match name {
            "name"
                if rest.is_none()
                    && path == name
                    && message.descriptor().name() == "ReadEntryRequest" =>
            {
                format!("books/{}/entries/{}", one(random), one(random))
            }
            "folder" if random.below(3) == 0 => "shelves".to_owned(),
            "folder" => format!("shelves/{}/{}", one(random), one(random)),
            _ => random.text(),
        };
        message.set_field(&field, Value::String(text));
    }
}

/// Whether fields of the request are in the query.
fn has_query(binding: &HttpBinding) -> bool {
    binding.body != "*"
}

fn round_trip(spec: &MethodSpec, seed: u64) -> Result<(), TestCaseError> {
    let random = &mut Random(seed);
    let codec = Codec::of(spec.path);
    let binding = &spec.http[0];
    let of = message(spec.request);
    let mut request = random.message(&of, has_query(binding), 3);
    // The only field, which is the body, may contain anything.
    if let Some(field) = of.get_field_by_name(binding.body) {
        let any = random.message(&of, false, 3);
        request.clear_field(&field);
        if any.has_field(&field) {
            request.set_field(&field, any.get_field(&field).into_owned());
        }
    }
    for path in binding.template.fields() {
        fill(&mut request, path, random);
    }

    let http = (codec.encode)(&request.encode_to_vec())
        .map_err(|error| TestCaseError::fail(format!("{request}: {error}")))?;
    prop_assert_eq!(http.binding(), binding);
    prop_assert!(http.path_and_query.bytes().all(|byte| byte.is_ascii_graphic()));
    let (path, query) = http.path_and_query.split_once('?').unwrap_or((&http.path_and_query, ""));
    let route = ROUTER.route(http.method, path).expect("good encoding").expect("a route");
    prop_assert_eq!(route.spec().path, spec.path);
    let read = (codec.request)(&route, query, http.body.as_deref().unwrap_or_default())
        .map_err(|error| TestCaseError::fail(format!("{http:?}: {error}")))?;
    prop_assert_eq!(read, codec.plain[0](&request.encode_to_vec()), "{}", request);

    // The response too, or the only field of it that is sent.
    let of = message(spec.response);
    let mut response = random.message(&of, false, 3);
    if let Some(body) = of.get_field_by_name(binding.response_body) {
        for field in of.fields().filter(|field| field.number() != body.number()) {
            response.clear_field(&field);
        }
        let is_value = matches!(body.kind(), Kind::Message(of) if of.name() == "Value");
        // An unset `google.protobuf.Value` is read as `null`.
        if is_value && !response.has_field(&body) {
            return Ok(());
        }
    }
    let body = (codec.answer)(&route, &response.encode_to_vec()).expect("JSON");
    let read = (codec.response)(&http, &body).expect("JSON");
    prop_assert_eq!(read, codec.plain[1](&response.encode_to_vec()), "{}", response);
    try_broken(&codec, &http, body, random);
    Ok(())
}

proptest! {
    #[test]
    fn what_is_encoded_is_routed_and_read_to_the_same(seed in any::<u64>()) {
        for spec in all_methods() {
            round_trip(spec, seed)?;
        }
    }
}
