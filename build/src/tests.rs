//! What is refused, and what is generated, of small `.proto` files.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::Generator;

/// A folder that is removed in the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("eset-protect-build-{}-{count}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(path.join("proto")).expect("a new folder");
        fs::create_dir_all(path.join("out")).expect("a new folder");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Generates a file, and returns the messages with their stubs and the handles.
fn generate(proto: &str) -> Result<(String, String), String> {
    let folder = Folder::new();
    let out = folder.0.join("out");
    fs::write(folder.0.join("proto/a.proto"), proto).expect("a new file");
    let imports = [Path::new(env!("CARGO_MANIFEST_DIR")).join("../proto")];
    let generator = Generator::new(folder.0.join("proto")).server(true);
    generator.write(&out, &imports).map_err(|error| error.to_string())?;
    let read = |name| fs::read_to_string(out.join(name)).expect("a generated file");
    Ok((read("proto.rs"), read("handles.rs")))
}

/// A file with everything that the tests look at.
const VALID: &str = r#"
syntax = "proto3";
package a.v1;
import "eset_protect/v1/annotations.proto";
import "google/api/annotations.proto";
import "google/api/client.proto";

service Things {
  option (google.api.default_host) = "eu.things.eset.systems";
  // Code:
  //
  //     a b
  rpc Get(Request) returns (Request) {
    option (google.api.http) = {post: "/v1/{name}" body: "inner"};
  }
}

// Code:
// ```
// a b
// ```
message Request {
  optional string name = 1;
  repeated string names = 2;
  map<string, string> by_name = 3;
  optional Request inner = 4;
  oneof choice {
    string one = 5;
  }
  enum Kind {
    NONE = 0;
    KIND_ROUND = 1;
  }
}
"#;

#[test]
fn code_in_comments_is_no_test() {
    let (proto, handles) = generate(VALID).expect("valid");
    let text = |source: &str| source.matches("```text").count();
    // The message, and the RPC of the client and of the server.
    assert_eq!((text(&proto), text(&handles)), (3, 1), "{proto}{handles}");
    let fences = |source: &str| source.matches("```").count();
    assert_eq!((fences(&proto), fences(&handles)), (6, 2), "{proto}{handles}");
    assert!(!proto.contains("///     a b"), "{proto}");
}

/// A part of the valid file, what stands there instead, and why that is refused.
#[rustfmt::skip]
const REFUSED: &[(&str, &str, &str)] = &[
    ("package a.v1;", "", "a.proto has no `package`, after which its modules would be named"),
    ("proto3", "proto2", "a.proto: expected `syntax = \"proto3\";`"),
    // What tonic cannot generate.
    ("rpc Get(", "rpc Connect(", "a.v1.Things.Connect: tonic cannot generate this RPC, as its clients have a function `connect`"),
    ("rpc Get(", "rpc WithOrigin(", "a.v1.Things.WithOrigin: tonic cannot generate this RPC, as its clients have a function `with_origin`"),
    ("service Things", "service Arc", "a.v1.Arc: tonic cannot generate the server of a service named `Arc`"),
    // Names that give none in Rust, or the same as another.
    ("string name ", "string _1 ", "a.v1.Request._1: expected a name with a letter before any digit"),
    ("NONE = 0;", "_0 = 0;", "a.v1.Request._0: expected a name with a letter before any digit"),
    ("oneof choice", "oneof Names", "a.v1.Request.names and a.v1.Request.Names would both be named `names` in Rust"),
    ("NONE = 0;", "ROUND = 0;", "a.v1.Request.ROUND and a.v1.Request.KIND_ROUND would both be named `Round` in Rust"),
    ("enum Kind", "message KIND {} enum Kind", "a.v1.Request.KIND and a.v1.Request.Kind would both be named `Kind` in Rust"),
    ("enum Kind", "enum Choice { A = 0; } message ChoiceOneOf {} enum Kind", "a.v1.Request.ChoiceOneOf and a.v1.Request.choice would both be named `ChoiceOneOf` in Rust"),
    ("message Request", "message request {} message Request", "a.v1.request and a.v1.Request would both be named `Request` in Rust"),
    ("message Request", "message ThingsClient { message A {} } message Request", "a.v1.ThingsClient and a.v1.Things would both be named `things_client` in Rust"),
    ("message Request", "service THINGS {} message Request", "a.v1.Things and a.v1.THINGS would both be named `Things` in Rust"),
    ("rpc Get(", "rpc GET(Request) returns (Request) {} rpc Get(", "a.v1.Things.GET and a.v1.Things.Get would both be named `get` in Rust"),
    ("rpc Get(", "rpc Get1(Request) returns (Request) {} rpc Get_1(Request) returns (Request) {} rpc Get(", "a.v1.Things.Get1 and a.v1.Things.Get_1 would both be named `Get1` in Rust"),
    ("repeated string names = 2;", "optional string order_by = 2; repeated Item items = 8;", "a.v1.Things.Get: the members a.b and a_b would both be named `A_B` in Rust"),
    ("string one = 5", r#"string one = 5 [json_name = "o\"ne"]"#, "a.v1.Request.one: the json_name \"o\\\"ne\" has an escape in JSON"),
    // HTTP rules.
    ("post: \"/v1/{name}\" body: \"inner\"", "", "a.v1.Things.Get has no google.api.http rule"),
    ("body: \"inner\"", "body: \"nope\"", "a.v1.Things.Get: the body \"nope\" is not a field of a.v1.Request"),
    ("body: \"inner\"", "response_body: \"nope\"", "a.v1.Things.Get: the body \"nope\" is not a field of a.v1.Request"),
    ("post: \"/v1/{name}\"", "custom: {kind: \"A B\" path: \"/\"}", "a.v1.Things.Get: expected an HTTP method, found \"A B\""),
    ("{name}", "{nope}", "a.v1.Things.Get: the path variable `nope` is not a field of a.v1.Request"),
    ("{name}", "{name}/{inner.nope=*}", "a.v1.Things.Get: the path variable `inner.nope` is not a field of a.v1.Request"),
    ("{name}", "{names}", "a.v1.Things.Get: the path variable `names` is not a single value"),
    ("{name}", "{by_name.key}", "a.v1.Things.Get: the path variable `by_name.key` is not a single value"),
    ("{name}", "{inner}", "a.v1.Things.Get: the path variable `inner` is a message"),
    ("{name}", "{inner.name.a}", "a.v1.Things.Get: the path variable `inner.name.a` is not a field of a.v1.Request"),
    // Options.
    ("eu.things.eset.systems", "things.eset.systems", "a.v1.Things: google.api.default_host is \"things.eset.systems\", expected REGION.NAME.eset.systems"),
    ("returns (Request)", "returns (stream Request)", "a.v1.Things.Get is a stream; only unary RPCs are known"),
    ("string one = 5", "string one = 5 [debug_redact = true]", "a.v1.Request.one: debug_redact is not supported in a oneof"),
    ("string name = 1", "string name = 1 [(eset_protect.v1.expression) = \"sql\"]", "a.v1.Request.name: expected the expression `cel` or `words`, found \"sql\""),
    ("string one = 5", "string one = 5 [(eset_protect.v1.expression) = \"cel\"]", "a.v1.Request.one: expected a text in no oneof as the expression"),
    ("map<string, string> by_name", "string order_by", "a.v1.Things.Get filters or sorts, but lists nothing"),
];

#[test]
fn what_cannot_be_generated_is_refused_with_the_reason() {
    generate(VALID).expect("valid");
    // For members of members.
    let item = "message Item { message A { optional string b = 1; } optional A a = 1; optional string a_b = 2; }";
    let mut wrong = Vec::new();
    for (part, other, expected) in REFUSED {
        assert!(VALID.contains(part), "{part}");
        let found = generate(&(VALID.replacen(part, other, 1) + item)).err();
        if found.as_deref() != Some(expected) {
            wrong.push(format!("{other}: {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Names that look alike and differ in Rust.
#[test]
fn what_has_names_of_its_own_is_generated() {
    let proto = VALID.replace(
        "message Request {",
        "service Echo { rpc Echo(Request) returns (Request) {
            option (google.api.http) = {get: \"/v1/echo\"}; } }
        message Requests {} message A { message B {} } message a_b {} enum Kind { KIND = 0; }
        message Request { string request = 9; string kind = 10; string choice_one_of = 11;",
    );
    generate(&proto).expect("valid");
}
