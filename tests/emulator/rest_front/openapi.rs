//! The examples of the OpenAPI document, each sent to an emulator as written.

use std::collections::BTreeSet;

use eset_protect::emulator::Auth;
use http::Method;
use serde_json::Value;

use crate::rest_front::fixture::*;

/// Returns a seeded emulator with a login, and the header for its security scheme.
async fn emulator() -> (Fixture, String) {
    let fixture = fixture_with(|builder| {
        builder.seed(true).strict(true).auth(Auth::new().account("api", "api"))
    })
    .await;
    let form = "grant_type=password&username=api&password=api";
    let login = fixture.http.form("/oauth/token", form).await.json();
    let token = format!("Bearer {}", login["access_token"].as_str().unwrap());
    (fixture, token)
}

/// Returns the path and query of an operation with its examples.
fn filled(path: &str, operation: &Value) -> String {
    let (mut path, mut query) = (path.to_owned(), Vec::new());
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let name = parameter["name"].as_str().unwrap();
        let example = parameter["example"].as_str();
        if parameter["in"] == "path" {
            let example = example.unwrap_or_else(|| panic!("{path}: no example of {name}"));
            path = path.replace(&format!("{{{name}}}"), example);
        } else if let Some(example) = example {
            query.push(format!("{name}={example}"));
        }
    }
    if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
}

#[tokio::test]
async fn every_example_works_as_it_stands() {
    let (fixture, _) = emulator().await;
    let document = fixture.http.get("/openapi.json").await.json();
    let mut sent = BTreeSet::new();
    // The services that have a seed to ask for.
    let hosts = ["automation", "policy-management"];
    let is_seeded = |item: &Value| {
        let url = item["servers"][1]["url"].as_str().unwrap();
        hosts.iter().any(|host| url == format!("https://{{region}}.{host}.eset.systems"))
    };
    let paths = document["paths"].as_object().unwrap();
    for (path, item) in paths.iter().filter(|(_, item)| is_seeded(item)) {
        for (verb, operation) in item.as_object().unwrap().iter().filter(|(n, _)| *n != "servers") {
            // A separate emulator, since some calls delete what others request.
            let (fixture, token) = emulator().await;
            let id = operation["operationId"].as_str().unwrap();
            let method = Method::from_bytes(verb.to_uppercase().as_bytes()).unwrap();
            let path = filled(path, operation);
            let content = &operation["requestBody"]["content"]["application/json"];
            let mut headers = vec![("authorization", token.as_str())];
            let mut body = String::new();
            if !content.is_null() {
                assert!(content["example"].is_object(), "{id} has no example of its body");
                body = content["example"].to_string();
                headers.push(("content-type", "application/json"));
            }
            let answer = fixture.http.send(method.clone(), &path, &headers, body.clone()).await;
            assert_eq!(answer.status, 200, "{id}: {answer:?}");
            // Requested items are in the seed, and sent data is stored.
            answer.json();
            let without = fixture.http.send(method, &path, &headers[1..], body).await;
            without.error(401);
            sent.insert(id.to_owned());
        }
    }
    let all = eset_protect::rpc::METHODS.iter().filter(|spec| hosts.contains(&spec.host));
    assert_eq!(sent.len(), all.count());
}

#[tokio::test]
async fn it_says_how_callers_are_authenticated_and_that_answers_may_be_pending() {
    let open = fixture().await.http.get("/openapi.json").await.json();
    assert!(open["security"].is_null() && open["components"]["securitySchemes"].is_null());
    let (fixture, _) = emulator().await;
    let document = fixture.http.get("/openapi.json").await.json();
    let schemes = document["components"]["securitySchemes"].as_object().unwrap();
    for (name, scheme) in schemes {
        assert_eq!((&scheme["type"], &scheme["scheme"]), (&"http".into(), &"bearer".into()));
        assert_eq!(document["security"], serde_json::json!([{name: []}]));
    }
    assert_eq!(schemes.len(), 1);
    for item in document["paths"].as_object().unwrap().values() {
        for (_, operation) in item.as_object().unwrap().iter().filter(|(n, _)| *n != "servers") {
            let pending = &operation["responses"]["202"];
            assert!(pending["headers"]["response-id"].is_object(), "{operation}");
            assert!(operation["responses"]["default"].is_object());
        }
    }
}
