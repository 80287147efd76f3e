//! The choice between templates that fit one path.

use eset_protect::rpc::{HttpBinding, MethodSpec};
use eset_protect::transcode::Router;

const fn get(path: &'static str, bindings: &'static [HttpBinding]) -> MethodSpec {
    MethodSpec::new(path, "x.Request", "x.Response").http(bindings)
}

/// Each RPC is called as its template.
static SPECS: [MethodSpec; 7] = [
    get("/x.S/v1-any", &[HttpBinding::new("GET", "/v1/{a}")]),
    get("/x.S/v1-any-verb", &[HttpBinding::new("GET", "/v1/{a}:go")]),
    get("/x.S/v1-things", &[HttpBinding::new("GET", "/v1/things")]),
    get("/x.S/v1-things-verb", &[HttpBinding::new("GET", "/v1/things:list")]),
    get("/x.S/v1-things-one", &[HttpBinding::new("GET", "/v1/{a=things/*}")]),
    get("/x.S/v1-things-many", &[HttpBinding::new("GET", "/v1/things/{a=**}")]),
    get("/x.S/all", &[HttpBinding::new("GET", "/{a=**}")]),
];

/// RFC 3986, 2.2: what is reserved is not the same if it is encoded. A value may end like a verb.
#[test]
fn an_encoded_colon_begins_no_verb() {
    let router = Router::new(&SPECS);
    for (path, expected) in [("/v1/x%3Ago", "v1-any"), ("/v1/x%3Ago:go", "v1-any-verb")] {
        let route = router.route("GET", path).unwrap().expect("a route");
        assert_eq!(route.spec().method, expected, "{path}");
        let template = route.binding().template.capture(path).unwrap().unwrap();
        assert_eq!(template, [("a", "x:go".to_owned())], "{path}");
    }
}

#[test]
fn the_most_specific_template_is_found_from_any_beginning_of_a_path() {
    let router = Router::new(&SPECS);
    for (path, expected) in [
        ("/v1/things", "v1-things"),
        ("/v1/things:list", "v1-things-verb"),
        // The verb of another template.
        ("/v1/things:go", "v1-any-verb"),
        ("/v1/things:gone", "v1-any"),
        ("/v1/others", "v1-any"),
        ("/v1/others:list", "v1-any"),
        ("/v1/others:go", "v1-any-verb"),
        ("/v1/things/7", "v1-things-one"),
        ("/v1/things/7/8", "v1-things-many"),
        ("/v1/others/7", "all"),
        ("/v2/things", "all"),
        ("/v1", "all"),
    ] {
        let route = router.route("GET", path).expect("good encoding").expect("a route");
        assert_eq!(route.spec().method, expected, "{path}");
        assert_eq!(router.methods(path), ["GET"], "{path}");
    }
}
