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

/// A file with a service of one RPC, of these names and this path.
fn file(service: &str, rpc: &str, path: &str) -> String {
    format!(
        "syntax = \"proto3\";
        package a.v1;
        import \"google/api/annotations.proto\";
        service {service} {{
          // Code:
          //
          //     a b
          rpc {rpc}(Request) returns (Request) {{
            option (google.api.http) = {{get: \"{path}\"}};
          }}
        }}
        // Code:
        // ```
        // a b
        // ```
        message Request {{
          string name = 1;
          repeated string names = 2;
          map<string, string> by_name = 3;
          Request inner = 4;
        }}"
    )
}

#[test]
fn code_in_comments_is_no_test() {
    let (proto, handles) = generate(&file("Things", "Get", "/v1/{name}")).expect("valid");
    let text = |source: &str| source.matches("```text").count();
    // The message, and the RPC of the client and of the server.
    assert_eq!((text(&proto), text(&handles)), (3, 1), "{proto}{handles}");
    let fences = |source: &str| source.matches("```").count();
    assert_eq!((fences(&proto), fences(&handles)), (6, 2), "{proto}{handles}");
    assert!(!proto.contains("///     a b"), "{proto}");
}

#[test]
fn what_cannot_be_generated_is_refused_with_the_reason() {
    let valid = file("Things", "Get", "/v1/{name}");
    let with = |from: &str, to: &str| valid.replace(from, to);
    for (proto, expected) in [
        (
            with("package a.v1;", ""),
            "a.proto has no `package`, after which its modules would be named",
        ),
        (
            with("proto3", "proto2")
                .replace("string name ", "optional string name ")
                .replace("Request inner", "optional Request inner"),
            "a.proto: expected `syntax = \"proto3\";`",
        ),
        (
            with("string name ", "string _1 "),
            "a.v1.Request._1: expected a name with a letter before any digit",
        ),
        (
            file("Things", "Connect", "/v1/{name}"),
            "a.v1.Things.Connect: tonic cannot generate this RPC, as its clients have a function `connect`",
        ),
        (
            file("Things", "WithOrigin", "/v1/{name}"),
            "a.v1.Things.WithOrigin: tonic cannot generate this RPC, as its clients have a function `with_origin`",
        ),
        (
            file("Arc", "Get", "/v1/{name}"),
            "a.v1.Arc: tonic cannot generate the server of a service named `Arc`",
        ),
        (
            file("Things", "Get", "/v1/{nope}"),
            "a.v1.Things.Get: the path variable `nope` is not a field of a.v1.Request",
        ),
        (
            file("Things", "Get", "/v1/{name}/{inner.nope=*}"),
            "a.v1.Things.Get: the path variable `inner.nope` is not a field of a.v1.Request",
        ),
        (
            file("Things", "Get", "/v1/{names}"),
            "a.v1.Things.Get: the path variable `names` is not a single value",
        ),
        (
            file("Things", "Get", "/v1/{by_name.key}"),
            "a.v1.Things.Get: the path variable `by_name.key` is not a single value",
        ),
        (
            file("Things", "Get", "/v1/{inner}"),
            "a.v1.Things.Get: the path variable `inner` is a message",
        ),
        (
            file("Things", "Get", "/v1/{inner.name.a}"),
            "a.v1.Things.Get: the path variable `inner.name.a` is not a field of a.v1.Request",
        ),
    ] {
        assert_eq!(generate(&proto).map(|_| ()), Err(expected.to_owned()));
    }
}
