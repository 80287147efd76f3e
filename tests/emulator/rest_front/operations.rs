//! Every operation of the emulator's own OpenAPI document, with generated requests that are right and wrong: no
//! server error, and no response that is not what the document says. Then the same RPCs over gRPC.

use std::collections::BTreeMap;

use eset_protect::emulator::Builder;
use eset_protect::rpc::{self, Deployment};
use http::Method;
use prost::Message;
use serde_json::{Map, Value, json};
use tonic::Code;

use crate::raw::{flagged, grpc, whole};
use crate::rest_front::fixture::*;
use crate::support::messages::POOL;
use crate::support::messages::random::message;
use crate::support::messages::tape::Tape;

/// Requests for each operation and emulator.
const REQUESTS: u64 = 8;

/// Numbers that look random (splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end).unwrap()).unwrap()
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn of<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.below(all.len())]
    }
}

/// An OpenAPI document, and the identifiers that the emulator has.
struct Document {
    value: Value,
    known: Vec<String>,
}

/// The one type of an `Any` and of parameters that mean something.
const PARAMS: &str = "type.googleapis.com/Era.Common.DataDefinition.Task.OS.RunCommand";
const ODD: [&str; 8] = ["", "x", "a,b", "../..", "\u{0}", "ü🦀", "code-5", "2024-02-30"];

impl Document {
    fn schema<'a>(&'a self, schema: &'a Value) -> &'a Value {
        if let Some(reference) = schema["$ref"].as_str() {
            return self.schema(self.value.pointer(&reference[1..]).unwrap());
        }
        schema["allOf"].get(0).map_or(schema, |schema| self.schema(schema))
    }

    fn identifier(&self, random: &mut Random) -> String {
        let index = random.below(self.known.len());
        self.known[index].clone()
    }

    /// Generates a value, of which one in `wrong` is not what the schema says; none if that is 0.
    fn generate(
        &self,
        name: &str,
        schema: &Value,
        random: &mut Random,
        wrong: usize,
        depth: u8,
    ) -> Value {
        let schema = self.schema(schema);
        if wrong > 0 && random.one_in(wrong) {
            let odd = [json!(null), json!(-1), json!(1e300), json!([]), json!({}), json!(true)];
            let index = random.below(odd.len() + ODD.len());
            return odd.get(index).cloned().unwrap_or_else(|| json!(ODD[index - odd.len()]));
        }
        if let Some(names) = schema["enum"].as_array() {
            return names[random.below(names.len())].clone();
        }
        let lower = name.to_lowercase();
        match schema["type"].as_str().unwrap_or_default() {
            "boolean" => json!(random.one_in(2)),
            "integer" => json!(random.of(&[&0, &1, &2, &13, &99])),
            "number" => json!(0.5),
            "array" => {
                let count = random.below(3);
                let one = |_| self.generate(name, &schema["items"], random, wrong, depth + 1);
                (0..count).map(one).collect()
            }
            "object" if schema["properties"]["@type"].is_object() => {
                json!({"@type": PARAMS, "commandLine": "dir"})
            }
            "object" => {
                let mut object = Map::new();
                for (name, property) in schema["properties"].as_object().into_iter().flatten() {
                    let required = schema["required"].as_array().into_iter().flatten();
                    let is_required = required.clone().any(|required| required == name);
                    if depth < 6 && (is_required || random.one_in(2)) {
                        let value = self.generate(name, property, random, wrong, depth + 1);
                        object.insert(name.clone(), value);
                    }
                }
                object.into()
            }
            _ => match schema["format"].as_str().unwrap_or_default() {
                "date-time" => {
                    json!(random.of(&["2027-01-15T08:00:00Z", "2030-01-01T00:00:00.5Z"]))
                }
                "byte" => json!("AAECAw=="),
                "uint64" => json!("18446744073709551615"),
                _ if lower.ends_with("uuid") || lower.ends_with("uuids") => {
                    json!(self.identifier(random))
                }
                _ if lower.ends_with("reference") => json!(self.identifier(random)),
                _ if lower == "rolename" => json!("reader"),
                _ if lower == "orderby" => json!(random.of(&["", "display_name desc", "none"])),
                _ if lower == "updatemask" => {
                    json!(random.of(&["displayName", "severity", "none"]))
                }
                _ if lower.ends_with("duration") => json!("1.5s"),
                _ if lower == "malformeddata" => json!("model"),
                _ if lower == "filter" || lower.ends_with("token") => json!(""),
                _ => json!(random.of(&["a", "Zürich", "LAPTOP-01", "StopManaging"])),
            },
        }
    }

    /// Returns what is wrong with a value.
    fn check(&self, at: &str, schema: &Value, value: &Value) -> Result<(), String> {
        let schema = self.schema(schema);
        let wrong = || Err(format!("{at}: {value} is not {schema}"));
        if let Some(names) = schema["enum"].as_array() {
            return if names.contains(value) { Ok(()) } else { wrong() };
        }
        match (schema["type"].as_str().unwrap_or_default(), value) {
            ("boolean", Value::Bool(_)) | ("number", Value::Number(_)) => Ok(()),
            ("integer", Value::Number(number)) if number.is_i64() => Ok(()),
            ("array", Value::Array(values)) => {
                values.iter().enumerate().try_for_each(|(index, value)| {
                    self.check(&format!("{at}[{index}]"), &schema["items"], value)
                })
            }
            ("object", Value::Object(members)) => members.iter().try_for_each(|(name, value)| {
                let at = format!("{at}.{name}");
                match (schema["properties"].get(name), schema.get("additionalProperties")) {
                    (Some(property), _) => self.check(&at, property, value),
                    (None, Some(other)) => self.check(&at, other, value),
                    (None, None) => Err(format!("{at} is not in the schema")),
                }
            }),
            ("string", Value::String(text)) => match schema["format"].as_str() {
                Some("uint64") => text.parse::<u64>().map(|_| ()).or_else(|_| wrong()),
                Some("date-time") if !text.ends_with('Z') => wrong(),
                _ => Ok(()),
            },
            // Anything.
            ("", _) => Ok(()),
            _ => wrong(),
        }
    }
}

/// Collects the identifiers in a document.
fn identifiers(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| identifiers(value, found)),
        Value::Object(members) => {
            for (name, value) in members {
                match value.as_str() {
                    Some(text) if name.to_lowercase().ends_with("uuid") && !text.is_empty() => {
                        found.push(text.to_owned());
                    }
                    _ => identifiers(value, found),
                }
            }
        }
        _ => {}
    }
}

/// Every list of the emulator that needs no identifier.
async fn lists(fixture: &Fixture, document: &Value) -> BTreeMap<String, Value> {
    let mut lists = BTreeMap::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        if item["get"].is_object() && !path.contains('{') {
            let answer = fixture.http.get(path).await;
            let needs = answer.status == 400 && path.contains("batchGet");
            assert!(answer.status == 200 || needs, "{path}: {answer:?}");
            lists.insert(path.clone(), answer.json());
        }
    }
    lists
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn as_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

async fn every_operation(seed: u64, configure: impl FnOnce(Builder) -> Builder) -> [usize; 2] {
    let fixture = fixture_with(|builder| configure(builder.seed(true))).await;
    let value = fixture.http.get("/openapi.json").await.json();
    let mut known = Vec::new();
    for list in lists(&fixture, &value).await.values() {
        identifiers(list, &mut known);
    }
    known.sort();
    known.dedup();
    let document = Document { value, known };
    let (mut random, mut counts) = (Random(seed), [0, 0]);
    for round in 0..REQUESTS {
        for (path, item) in document.value["paths"].as_object().unwrap() {
            for (verb, operation) in
                item.as_object().unwrap().iter().filter(|(n, _)| *n != "servers")
            {
                let wrong = if round % 2 == 0 { 0 } else { 4 };
                let random = &mut random;
                let (mut at, mut query) = (path.clone(), Vec::new());
                for parameter in operation["parameters"].as_array().into_iter().flatten() {
                    let name = parameter["name"].as_str().unwrap();
                    let value = document.generate(name, &parameter["schema"], random, wrong, 0);
                    if parameter["in"] == "path" {
                        let text = as_text(&value);
                        let text = if text.is_empty() { "x".to_owned() } else { text };
                        at = at.replace(&format!("{{{name}}}"), &encoded(&text));
                    } else if random.one_in(2) {
                        let values = value.as_array().cloned().unwrap_or_else(|| vec![value]);
                        let one = |value| format!("{}={}", name, encoded(&as_text(value)));
                        query.extend(values.iter().map(one));
                    }
                }
                if !query.is_empty() {
                    at = format!("{at}?{}", query.join("&"));
                }
                let content = &operation["requestBody"]["content"]["application/json"];
                let (mut headers, mut body) = (Vec::new(), String::new());
                if content.is_object() {
                    headers.push(("content-type", "application/json"));
                    body = document.generate("", &content["schema"], random, wrong, 0).to_string();
                    if wrong > 0 && random.one_in(10) {
                        body = body.chars().take(body.len() / 2).collect();
                    }
                }
                let method = Method::from_bytes(verb.to_uppercase().as_bytes()).unwrap();
                let answer = fixture.http.send(method, &at, &headers, body.clone()).await;
                let sent = format!("{verb} {at} {body}");
                let status = answer.status.as_u16();
                // Requests can ask for the code 5.
                assert!(status < 500 || status == 501, "{sent}: {answer:?}");
                counts[usize::from(status != 200)] += 1;
                let response = match status {
                    200 => &operation["responses"]["200"],
                    _ => &operation["responses"]["default"],
                };
                let content = response["content"].as_object().unwrap();
                let (media_type, content) = content.iter().next().unwrap();
                let expected =
                    if media_type == "application/json" { media_type } else { "application/zip" };
                assert_eq!(answer.header("content-type"), expected, "{sent}");
                if media_type == "application/json" {
                    let checked = document.check("", &content["schema"], &answer.json());
                    assert_eq!(checked, Ok(()), "{sent}: {answer:?}");
                }
            }
        }
    }
    counts
}

#[tokio::test]
async fn every_operation_answers_as_its_document_says() {
    let strict = every_operation(1, |builder| builder.strict(true)).await;
    let lenient = every_operation(2, |builder| builder).await;
    let on_prem = every_operation(4, |builder| builder.deployment(Deployment::ON_PREM)).await;
    // Neither everything nor nothing is refused.
    for ([good, bad], least) in [(strict, 200), (lenient, 200), (on_prem, 50)] {
        assert!(good > least && bad > least, "{good} {bad}");
    }
}

#[tokio::test]
async fn every_rpc_answers_generated_messages_without_a_server_error() {
    let fixture = fixture_with(|builder| builder.seed(true).seed_devices(20)).await;
    let mut random = Random(3);
    for _ in 0..REQUESTS / 4 {
        for spec in rpc::METHODS {
            let bytes: Vec<u8> = (0..64).flat_map(|_| random.next().to_le_bytes()).collect();
            let descriptor = POOL.get_message_by_name(spec.request).unwrap();
            let request = message(&descriptor, &mut Tape::new(&bytes));
            let body = whole(flagged(0, &request.encode_to_vec()));
            let raw = grpc(&fixture.running, spec.path, &[], body).await;
            let status = raw.status();
            let is_bad = [Code::Internal, Code::Unknown, Code::DataLoss].contains(&status.code());
            assert!(!is_bad, "{}: {request:?}: {status:?}", spec.path);
        }
    }
}

#[tokio::test]
async fn every_list_of_the_seed_has_something() {
    let fixture = fixture_with(|builder| builder.seed(true)).await;
    let document = fixture.http.get("/openapi.json").await.json();
    for (path, list) in lists(&fixture, &document).await {
        let is_empty = |value: &Value| value.as_array().is_some_and(Vec::is_empty);
        let is_delta = path.contains("listDelta");
        assert!(is_delta || !list.as_object().unwrap().values().any(is_empty), "{path}: {list}");
    }
}
