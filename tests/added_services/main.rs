//! Adds services with `.proto` files: the package in `tests/added_service` does so with the same build crate, and
//! everything in this crate works with them.

#[path = "../support/mod.rs"]
mod support;

mod books;
mod json;

use std::sync::Arc;

use added_service::client::Greeter;
use added_service::proto::example::greeter::v1::{
    GreetRequest, Greeting, ListPeopleRequest, greeting,
};
use added_service::proto::odd::r#gen::extern_::v1 as odd;
use added_service::rpc::greeter::{Greet, ListPeople};
use added_service::{rpc, types};
use eset_protect::rpc::{IdempotencyLevel, Rpc};
use eset_protect::server::RestFront;
use eset_protect::wkt::{Any, FieldMask, Int64Value, TypeRegistry, Value};
use eset_protect::{Client, JsonMessage, params::AllowedActions};

use crate::support::greeter::{Greetings, Running};

/// Returns a greeting with all fields set.
fn full() -> Greeting {
    Greeting {
        double_value: f64::INFINITY,
        float_value: 1.5,
        int32_value: -1,
        sint64_value: i64::MIN,
        fixed64_value: u64::MAX,
        bytes_value: vec![0, 255].into(),
        doubles: vec![f64::NEG_INFINITY, 0.1],
        longs: vec![i64::MAX, -1],
        warmths: vec![1, 77, 0],
        by_number: [(-1, 1), (5, 99)].into(),
        by_truth: [(true, vec![1].into()), (false, vec![].into())].into(),
        by_name: [("a/b~\"".to_owned(), Greeting { int32_value: 3, ..Default::default() })].into(),
        any: Some(Any::pack(&AllowedActions { cancel_action: Some(true), postpone: Some(3) })),
        mask: Some(FieldMask { paths: vec!["display_name".into(), "a.b_c".into()] }),
        value: Some(Value::from(())),
        wrapped: Some(Int64Value { value: 9_007_199_254_740_993 }),
        maybe: Some(0.0),
        actions: Some(AllowedActions::default()),
        r#type: "keyword".to_owned(),
        inner: Some(Box::new(Greeting { maybe: Some(f32::MAX), ..Default::default() })),
        choice: Some(greeting::Choice::Greeting(Box::default())),
        null: 0,
        maybe_null: Some(0),
        nulls: vec![0, 0],
        null_by_name: [("a".to_owned(), 0)].into(),
        greeting_text: "Hello".to_owned(),
        echoes: vec![Greeting::default()],
        uuid: "u".to_owned(),
    }
}

#[tokio::test]
async fn its_client_calls_it() {
    let server = Running::start().await;
    let greeter = Greeter::new(Client::connect(&server.endpoint()).await.unwrap());
    let request = GreetRequest { person: "anyone".to_owned(), greeting: Some(full()) };
    assert_eq!(greeter.greet(request).await.unwrap(), full());

    let mut people = greeter.list_people(ListPeopleRequest::default()).items();
    assert_eq!(people.next().await.unwrap().unwrap().name, "0");
}

#[tokio::test]
async fn a_rest_front_serves_it() {
    let registry = types::register(TypeRegistry::default());
    let backend = Arc::new(added_service::server::Greeter::new(Arc::new(Greetings)));
    let front = RestFront::new([backend as _]).registry(registry);
    let ask = async |method: &str, path: &str, body: &'static str| {
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", "application/json")
            .header("x-echo", "heard")
            .header("grpc-timeout", "1S")
            .body(bytes::Bytes::from_static(body.as_bytes()))
            .unwrap();
        front.answer(request).await
    };
    let body = r#"{"any":{"@type":"x/example.greeter.v1.Greeting","maybe":1.0}}"#;
    let answer = ask("POST", "/v1/people/any%2Fone:greet", body).await;
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["x-echo"]),
        (200, &"heard".parse().unwrap())
    );
    assert!(!answer.headers().contains_key("x-timeout"));
    let json: serde_json::Value = serde_json::from_slice(answer.body()).unwrap();
    assert_eq!(json["greeting"]["any"]["maybe"], 1.0);
    assert_eq!(json["greeting"]["type"], "");
    assert_eq!(ask("GET", "/v1/people/x", "").await.status(), 404);
    let answer = ask("POST", "/v1/people/code%209:greet", "{}").await;
    assert_eq!(answer.status(), 400);
}

#[test]
fn its_rpcs_are_described() {
    assert_eq!(
        rpc::METHODS.iter().map(|spec| spec.method).collect::<Vec<_>>(),
        [
            "Greet",
            "ListPeople",
            "ReadEntry",
            "FindEntries",
            "WriteEntry",
            "WriteMargin",
            "ExplainCode",
            "GetBook",
            "MoveBook",
            "GetBook",
            "MoveBook",
            "GetJar",
            "ListJars",
            "CreateJar",
            "UpdateJar",
            "DeleteJar",
            "CreateLabel",
            "ListLabels",
            "GetBook",
            "MoveBook",
            "ListParcels",
            "GetParcel",
            "BatchGetParcels",
            "CreateParcel",
            "UpdateParcel",
            "ForwardParcel",
            "WeighParcel",
            "DeleteParcel",
            "ListStamps",
            "GetStamp",
            "CreateStamp",
            "Clone",
            "Debug",
            "Default",
            "Drop",
            "From",
            "Gen",
            "Into",
            "Option",
            "Self",
            "Some",
            "String",
            "Vec",
            "ListOptional",
            "Get",
            "Get",
            "Get",
            "Call",
        ]
    );
    let spec = Greet::SPEC;
    assert_eq!(spec.path, "/example.greeter.v1.Greeter/Greet");
    assert_eq!((spec.host, spec.idempotency), ("greeter", IdempotencyLevel::Idempotent));
    let bindings: Vec<_> =
        spec.http.iter().map(|http| (http.method, http.path, http.body)).collect();
    assert_eq!(
        bindings,
        [("POST", "/v1/people/{person}:greet", "greeting"), ("GET", "/v1/greetings", "")]
    );
    assert!(!spec.is_paged && ListPeople::SPEC.is_paged);
}

#[test]
fn pages_have_a_size_of_any_type() {
    use added_service::rpc::odd::r#gen::extern_::v1::odd::{ListOptional, Vec};
    use eset_protect::rpc::PagedRpc;

    assert!(Vec::SPEC.is_paged && ListOptional::SPEC.is_paged);
    for (given, expected) in [(0, 7), (3, 3), (-1, -1)] {
        let mut request = odd::PageRequest { page_size: given, ..Default::default() };
        Vec::set_default_page_size(&mut request, 7);
        assert_eq!(request.page_size, expected);
    }
    for (given, expected) in [(None, 7), (Some(3), 3)] {
        let mut request = odd::OptionalPageRequest { page_size: given, ..Default::default() };
        ListOptional::set_default_page_size(&mut request, 7);
        assert_eq!(request.page_size, Some(expected));
        ListOptional::page_token(&mut request).push('a');
        assert_eq!(request.page_token.as_deref(), Some("a"));
    }
    assert_eq!(ListOptional::next_page_token(&odd::OptionalPageResponse::default()), "");
}

#[test]
fn what_the_server_sets_is_cleared_wherever_it_is() {
    let stamped = |uuid: &str| Greeting { uuid: uuid.to_owned(), maybe: Some(1.0), ..full() };
    let set = |uuid: &str| Greeting {
        inner: Some(Box::new(stamped(uuid))),
        by_name: [("a".to_owned(), stamped(uuid))].into(),
        echoes: vec![stamped(uuid), stamped(uuid)],
        choice: Some(greeting::Choice::Greeting(Box::new(stamped(uuid)))),
        ..stamped(uuid)
    };
    let mut request = GreetRequest { person: "a".to_owned(), greeting: Some(set("server's")) };
    request.clear_output_only();
    assert_eq!(request.greeting, Some(set("")));

    let mut echo =
        Greeting { choice: Some(greeting::Choice::Echo("server's".to_owned())), ..full() };
    echo.clear_output_only();
    assert_eq!(echo, Greeting { choice: None, uuid: String::new(), ..full() });
}
