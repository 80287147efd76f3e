//! Adds a service with a `.proto` file: `tests/added_service` does so with the same build crate, and
//! everything in this crate works with it.

mod support;

use std::sync::Arc;

use crate::support::greeter::Running;
use added_service::client::Greeter;
use added_service::proto::example::greeter::v1::{
    GreetRequest, Greeting, ListPeopleRequest, greeting,
};
use added_service::proto::odd::r#gen::extern_::v1 as odd;
use added_service::rpc::greeter::{Greet, ListPeople};
use added_service::{rpc, types};
use eset_protect::protojson::{Reader, Writer};
use eset_protect::rpc::{IdempotencyLevel, Rpc};
use eset_protect::server::RestFront;
use eset_protect::wkt::{Any, FieldMask, Int64Value, TypeRegistry, Value};
use eset_protect::{Client, JsonMessage, params::AllowedActions};
use prost::Message;

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
    let backend =
        Arc::new(added_service::server::Greeter::new(Arc::new(crate::support::greeter::Greetings)));
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

/// Services of the same name in three packages, two of which are versions of one package.
mod books {
    use std::net::SocketAddr;

    use added_service::client::{LibraryBooks, LibraryBooksV1, ShopBooks};
    use added_service::proto::example::{library, shop};
    use added_service::server;
    use tokio_stream::wrappers::TcpListenerStream;
    use tonic::{Request, Response, Status};

    use super::*;

    struct Books;

    macro_rules! serve_books {
        ($($package:ident::$version:ident, $book:expr;)*) => {$(
            #[tonic::async_trait]
            impl $package::$version::books_server::Books for Books {
                async fn get_book(
                    &self,
                    request: Request<$package::$version::GetBookRequest>,
                ) -> Result<Response<$package::$version::GetBookResponse>, Status> {
                    let title = request.into_inner().book;
                    let book = Some(($book)(title));
                    Ok(Response::new($package::$version::GetBookResponse { book }))
                }

                async fn move_book(
                    &self,
                    _: Request<$package::$version::MoveBookRequest>,
                ) -> Result<Response<$package::$version::MoveBookResponse>, Status> {
                    Ok(Response::new(Default::default()))
                }
            }
        )*};
    }

    serve_books! {
        library::v1, |title: String| library::v1::Book { title };
        library::v2, |title: String| library::v2::Book { title, shelf: "F".to_owned() };
        shop::v1, |title: String| shop::v1::Book { title, price: 5 };
    }

    async fn start() -> SocketAddr {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tonic::transport::Server::builder()
            .add_service(library::v1::books_server::BooksServer::new(Books))
            .add_service(library::v2::books_server::BooksServer::new(Books))
            .add_service(shop::v1::books_server::BooksServer::new(Books))
            .serve_with_incoming(TcpListenerStream::new(listener));
        tokio::spawn(serving);
        address
    }

    #[tokio::test]
    async fn each_is_called_by_its_own_name() {
        let client = Client::connect(&format!("http://{}", start().await)).await.unwrap();
        let old = LibraryBooksV1::new(client.clone()).get_book("a").await.unwrap();
        assert_eq!(old, library::v1::Book { title: "a".to_owned() });
        let new = LibraryBooks::new(client.clone()).get_book("a").await.unwrap();
        assert_eq!(new.shelf, "F");
        let other = ShopBooks::new(client).get_book("a").await.unwrap();
        assert_eq!(other.price, 5);
    }

    #[tokio::test]
    async fn a_rest_front_tells_them_apart() {
        let books = Arc::new(Books);
        let front = RestFront::new([
            Arc::new(server::LibraryBooksV1::new(Arc::clone(&books))) as _,
            Arc::new(server::LibraryBooks::new(Arc::clone(&books))) as _,
            Arc::new(server::ShopBooks::new(books)) as _,
        ]);
        for (path, expected) in [
            ("/v1/library/books/a", r#"{"book":{"title":"a"}}"#),
            ("/v2/library/books/a", r#"{"book":{"title":"a","shelf":"F"}}"#),
            ("/v1/shop/books/a", r#"{"book":{"title":"a","price":5}}"#),
        ] {
            let request = http::Request::get(path).body(bytes::Bytes::new()).unwrap();
            let answer = front.answer(request).await;
            assert_eq!(answer.status(), 200, "{path}");
            assert_eq!(String::from_utf8_lossy(answer.body()), expected);
        }
    }

    #[test]
    fn the_module_of_an_rpc_is_its_package() {
        use added_service::rpc::example;
        let paths = [
            example::library::v1::books::GetBook::SPEC.path,
            example::library::v2::books::GetBook::SPEC.path,
            example::shop::v1::books::GetBook::SPEC.path,
        ];
        assert_eq!(
            paths,
            [
                "/example.library.v1.Books/GetBook",
                "/example.library.v2.Books/GetBook",
                "/example.shop.v1.Books/GetBook"
            ]
        );
        // The short name means the newest version.
        assert_eq!(rpc::library_books::GetBook::SPEC.path, paths[1]);
        assert_eq!(rpc::library_books_v1::GetBook::SPEC.path, paths[0]);
        assert_eq!(rpc::shop_books::GetBook::SPEC.path, paths[2]);
    }

    #[test]
    fn openapi_has_a_name_for_each() {
        let document: serde_json::Value = serde_json::from_str(added_service::OPENAPI).unwrap();
        for (path, id, schema) in [
            ("/v1/library/books/{book}", "LibraryBooksV1_GetBook", "libraryv1GetBookResponse"),
            ("/v2/library/books/{book}", "LibraryBooks_GetBook", "v2GetBookResponse"),
            ("/v1/shop/books/{book}", "ShopBooks_GetBook", "shopv1GetBookResponse"),
        ] {
            let get = &document["paths"][path]["get"];
            assert_eq!(get["operationId"], id);
            let content = &get["responses"]["200"]["content"]["application/json"];
            let reference = format!("#/components/schemas/{schema}");
            assert_eq!(content["schema"]["$ref"], reference.as_str());
        }
    }
}
