//! The OpenAPI document says what ESET's documents say, and what newer ones change is found.

use std::collections::{BTreeMap, BTreeSet};

use eset_protect::transcode::OPENAPI;
use serde_json::Value;
use surface::{ARGUED, Facts, compare, facts};

use super::parse;

#[path = "../../../examples/drift/surface.rs"]
mod surface;

/// Every fact of ESET's documents of May 2026 (FACTS.md#names), as `examples/drift` prints them.
const ESETS: &str = include_str!("../../golden/surface.txt");

/// The facts of `ESETS` by service.
fn esets_facts() -> BTreeMap<String, Facts> {
    let mut services: BTreeMap<String, Facts> = BTreeMap::new();
    for line in ESETS.lines() {
        let (service, fact) = line.split_once(' ').expect(line);
        let (name, value) = fact.split_once(" = ").expect(line);
        let facts = services.entry(service.to_owned()).or_default();
        assert_eq!(facts.insert(name.to_owned(), value.to_owned()), None, "{line}");
    }
    services
}

#[test]
fn it_says_what_esets_documents_say() {
    let ours = facts(&parse(OPENAPI)).expect("facts");
    let esets = esets_facts();
    let mut used: BTreeSet<&(&str, &str, &str)> = BTreeSet::new();
    for (service, ours) in &ours {
        for drift in compare(ours, &esets[service]) {
            assert!(drift.argument(service).is_some(), "{service}  {drift}");
            let is_of = |argument: &&(&str, &str, &str)| {
                argument.0 == service && drift.name().starts_with(argument.1)
            };
            used.extend(ARGUED.iter().filter(is_of));
        }
    }
    for argument in ARGUED.iter().filter(|(service, ..)| ours.contains_key(*service)) {
        assert!(used.contains(argument), "argued for nothing: {argument:?}");
    }
}

#[cfg(feature = "all-services")]
#[test]
fn it_has_every_service_of_eset() {
    let ours: Vec<_> = facts(&parse(OPENAPI)).expect("facts").into_keys().collect();
    let esets: Vec<_> = esets_facts().into_keys().collect();
    assert_eq!(ours, esets);
    assert_eq!(esets.len(), 15);
    let operations = ESETS.lines().filter(|line| {
        let name = line.split(" = ").next().unwrap_or_default();
        name.split(' ').count() == 3
    });
    assert_eq!(operations.count(), 101, "and the login");
}

/// What the crate is said to know of a service, and what a newer document of ESET's says of it: once
/// as OpenAPI 3, once as the Swagger 2.0 that ESET serves.
#[test]
fn drift_is_found_in_both_forms() {
    let known = serde_json::json!({
        "openapi": "3.0.3",
        "paths": { "/v1/things/{thingUuid}": {
            "servers": [{ "url": "/" }, { "url": "https://{region}.things.eset.systems" }],
            "get": {
                "operationId": "Things_GetThing",
                "parameters": [
                    { "name": "thingUuid", "in": "path", "schema": { "type": "string" } },
                    { "name": "kind", "in": "query", "schema": { "$ref": "#/components/schemas/v1Kind" } },
                ],
                "responses": { "200": { "content": { "application/json": {
                    "schema": { "$ref": "#/components/schemas/thingsv1Thing" },
                } } } },
            },
        } },
        "components": { "schemas": {
            "v1Kind": { "type": "string", "enum": ["KIND_UNSPECIFIED", "KIND_ROUND"] },
            "thingsv1Thing": { "type": "object", "properties": {
                "uuid": { "type": "string", "readOnly": true },
                "size": { "type": "integer", "format": "int64" },
                "kind": { "$ref": "#/components/schemas/v1Kind" },
                "parts": { "type": "array", "items": { "$ref": "#/components/schemas/thingsv1Thing" } },
            } },
        } },
    });
    let newer = serde_json::json!({
        "swagger": "2.0",
        "host": "eu.things.eset.systems",
        "paths": { "/v1/things/{thingUuid}": { "get": {
            "operationId": "Things_GetThing",
            "parameters": [
                { "name": "thingUuid", "in": "path", "type": "string", "format": "uuid" },
                {
                    "name": "kind", "in": "query", "type": "string",
                    "enum": ["KIND_UNSPECIFIED", "KIND_ROUND", "KIND_SQUARE"],
                },
            ],
            "responses": { "200": { "schema": { "$ref": "#/definitions/v1Thing" } } },
        }, "post": {
            "operationId": "Things_PutThing",
            "parameters": [
                { "name": "body", "in": "body", "schema": { "$ref": "#/definitions/ThingsPutThingBody" } },
            ],
            "responses": { "200": { "schema": { "type": "string", "format": "binary" } } },
        } } },
        "definitions": {
            "v1Kind": { "type": "string", "enum": ["KIND_UNSPECIFIED", "KIND_ROUND", "KIND_SQUARE"] },
            "v1Thing": { "type": "object", "properties": {
                "uuid": { "type": "string" },
                "kind": { "$ref": "#/definitions/v1Kind" },
                "parts": { "type": "array", "items": { "$ref": "#/definitions/v1Thing" } },
                "labels": { "type": "object", "additionalProperties": { "type": "string" } },
            } },
            "ThingsPutThingBody": { "type": "object" },
        },
    });
    let service = |document: &Value| facts(document).expect("facts").remove("things").expect("one");
    let (known, newer) = (service(&known), service(&newer));
    assert_eq!(compare(&known, &known), []);
    let drift: Vec<_> = compare(&known, &newer).iter().map(ToString::to_string).collect();
    assert_eq!(
        drift,
        [
            "changed  GET /v1/things/{thingUuid} query kind = enum KIND_UNSPECIFIED KIND_ROUND -> \
             enum KIND_UNSPECIFIED KIND_ROUND KIND_SQUARE",
            "new      POST /v1/things/{thingUuid} = Things_PutThing",
            "new      POST /v1/things/{thingUuid} body = ThingsPutThingBody",
            "new      POST /v1/things/{thingUuid} response = string:binary",
            "new      ThingsPutThingBody = object",
            "new      v1Kind.KIND_SQUARE = enum value",
            "new      v1Thing.labels = map<string>",
            "gone     v1Thing.size = integer:int64",
            "changed  v1Thing.uuid = string readOnly -> string",
        ]
    );
    for (bad, expected) in [
        (serde_json::json!({}), "no `paths`"),
        (serde_json::json!({ "paths": { "/v1/x": {} } }), "/v1/x: no server"),
        (
            serde_json::json!({ "host": "eu.x.y.z", "paths": { "/v1/x": { "get": {} } } }),
            "GET /v1/x: no `operationId`",
        ),
        (
            serde_json::json!({ "host": "eu.x.y.z", "paths": { "/v1/x": { "get": {
                "operationId": "X_Y",
                "responses": { "200": { "schema": { "$ref": "#/definitions/v1Gone" } } },
            } } } }),
            "#/definitions/v1Gone is not there",
        ),
    ] {
        let error = facts(&bad).expect_err(expected);
        assert!(error.contains(expected), "{error}");
    }
}
