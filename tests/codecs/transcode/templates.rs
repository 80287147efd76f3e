//! The syntax of path templates.

use eset_protect::rpc::{HttpBinding, MethodSpec};
use eset_protect::transcode::{PathTemplate, Router};
use proptest::prelude::*;

use super::all_methods;

fn template(text: &str) -> PathTemplate<'_> {
    PathTemplate::parse(text).unwrap_or_else(|error| panic!("{error}"))
}

type Found<'a> = Option<&'a [(&'a str, &'a str)]>;

#[test]
fn the_grammar_matches_what_it_should() {
    const NO: Found<'_> = None;
    const NOTHING: Found<'_> = Some(&[]);
    let table: &[(&str, &[(&str, Found<'_>)])] = &[
        // Literals.
        ("/v1/a-b_c.~!$&'()+,;@9", &[("/v1/a-b_c.~!$&'()+,;@9", NOTHING), ("/v1/a-b_c", NO)]),
        ("/v1", &[("/v1", NOTHING), ("/v1/", NO), ("v1", NO), ("", NO), ("/", NO), ("//v1", NO)]),
        // A literal has a single spelling.
        ("/v1/a_b", &[("/v1/a%5Fb", NO), ("/v1/A_b", NO)]),
        // `*` is one segment that is not empty.
        ("/v1/*", &[("/v1/a", NOTHING), ("/v1", NO), ("/v1/", NO), ("/v1/a/b", NO)]),
        ("/v1/*/x", &[("/v1/a/x", NOTHING), ("/v1//x", NO), ("/v1/a/y", NO)]),
        // `**` is none or more.
        ("/v1/**", &[("/v1", NOTHING), ("/v1/a", NOTHING), ("/v1/a/b", NOTHING), ("/v1/a//b", NO)]),
        // Variables.
        ("/v1/{a}", &[("/v1/x", Some(&[("a", "x")])), ("/v1/x/y", NO), ("/v1/", NO)]),
        ("/v1/{a=*}", &[("/v1/x%2Fy%20z", Some(&[("a", "x/y z")]))]),
        ("/v1/{a.b.c_d}/{_e}", &[("/v1/x/y", Some(&[("a.b.c_d", "x"), ("_e", "y")]))]),
        (
            "/v1/{a=x/*/y}/{b=*/z}",
            &[("/v1/x/1/y/2/z", Some(&[("a", "x/1/y"), ("b", "2/z")])), ("/v1/x/1/z/2/z", NO)],
        ),
        (
            "/v1/{a=**}",
            &[
                ("/v1/x/y%2Fz/%41", Some(&[("a", "x/y%2Fz/A")])),
                ("/v1/x", Some(&[("a", "x")])),
                ("/v1", Some(&[("a", "")])),
                ("/v1/", NO),
            ],
        ),
        ("/v1/{a=x/**}", &[("/v1/x", Some(&[("a", "x")])), ("/v1/x/1/2", Some(&[("a", "x/1/2")]))]),
        ("/v1/{a=x}", &[("/v1/x", Some(&[("a", "x")])), ("/v1/y", NO)]),
        ("/{a=x@y,z/*}", &[("/x@y,z/1", Some(&[("a", "x@y,z/1")]))]),
        // Verbs.
        (
            "/v1/{a}:do",
            &[
                ("/v1/x:do", Some(&[("a", "x")])),
                ("/v1/x:do:do", Some(&[("a", "x:do")])),
                ("/v1/x%3Ado", NO),
                ("/v1/x", NO),
                ("/v1/:do", NO),
                ("/v1/x:undo", NO),
                ("/v1/xdo", NO),
            ],
        ),
        ("/v1/{a=**}:do", &[("/v1/x/y:do", Some(&[("a", "x/y")])), ("/v1:do", Some(&[("a", "")]))]),
        ("/v1:do", &[("/v1:do", NOTHING), ("/v1", NO)]),
        // Without a verb in the template, a colon is an ordinary character.
        ("/v1/{a}", &[("/v1/x:do", Some(&[("a", "x:do")])), ("/v1/+", Some(&[("a", "+")]))]),
    ];
    for (text, paths) in table {
        for (path, expected) in *paths {
            let template = template(text);
            let found = template.capture(path).expect("good encoding");
            let found: Option<Vec<_>> = found
                .as_ref()
                .map(|found| found.iter().map(|(field, value)| (*field, value.as_str())).collect());
            assert_eq!(found.as_deref(), *expected, "{text} and {path}");
        }
    }
}

#[test]
fn what_is_no_template_is_refused_with_the_column() {
    for (text, expected, column) in [
        ("", "`/`", 1),
        ("v1", "`/`", 1),
        ("é", "`/`", 1),
        ("/", "a segment", 2),
        ("/v1/", "a segment", 5),
        ("/v1//a", "a segment", 5),
        ("/v1 ", "`/`, `:` or the end", 4),
        ("/v1/ü", "a segment", 5),
        ("/v1/a%20b", "`/`, `:` or the end", 6),
        ("/v1/a?b", "`/`, `:` or the end", 6),
        ("/v1/a*", "`/`, `:` or the end", 6),
        ("/v1/*a", "`/`, `:` or the end", 6),
        ("/v1/***", "`/`, `:` or the end", 7),
        ("/v1/**/a", "nothing after `**`", 8),
        ("/v1/{a=**}/b", "nothing after `**`", 12),
        ("/v1/{a=x/**/y}", "nothing after `**`", 13),
        ("/v1/{", "the path of a field", 6),
        ("/v1/{}", "the path of a field", 6),
        ("/v1/{1}", "the path of a field", 6),
        ("/v1/{a.}", "the path of a field", 6),
        ("/v1/{.a}", "the path of a field", 6),
        ("/v1/{a..b}", "the path of a field", 6),
        ("/v1/{a.1}", "the path of a field", 6),
        ("/v1/{ü}", "the path of a field", 6),
        ("/v1/{a", "`}`", 7),
        ("/v1/{a-b}", "`}`", 7),
        ("/v1/{a=", "a segment", 8),
        ("/v1/{a=}", "a segment", 8),
        ("/v1/{a=*", "`}`", 9),
        ("/v1/{a=*:b}", "`}`", 9),
        ("/v1/{a=x/}", "a segment", 10),
        ("/v1/{a={b}}", "a segment", 8),
        ("/v1/{a}b", "`/`, `:` or the end", 8),
        ("/v1/{a}{b}", "`/`, `:` or the end", 8),
        ("/v1/{a}/{a}", "a field that is not bound yet", 10),
        ("/v1/a:", "a verb", 7),
        ("/v1/a:*", "a verb", 7),
        ("/v1/a:b:c", "`/`, `:` or the end", 8),
        ("/v1/a:b/c", "`/`, `:` or the end", 8),
        ("/v1/{a}}", "`/`, `:` or the end", 8),
        ("/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a", "at most 16 segments", 35),
        ("/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}", "at most 8 variables", 37),
    ] {
        let error = PathTemplate::parse(text).expect_err(text).to_string();
        let wanted = format!("path template {text:?}: expected {expected} at column {column}");
        assert_eq!(error, wanted);
    }
}

#[test]
fn every_template_of_an_rpc_is_one_and_is_written_as_it_was() {
    let mut count = 0;
    for binding in all_methods().flat_map(|spec| spec.http) {
        assert_eq!(template(binding.path).to_string(), binding.path);
        count += 1;
    }
    assert!(count >= 16 + 6, "{count} bindings");
    // `{a=*}` is the long form of `{a}`.
    assert_eq!(template("/v1/{a=*}/**:b").to_string(), "/v1/{a}/**:b");
}

#[test]
fn a_value_that_would_make_another_path_is_refused() {
    for (text, value, problem) in [
        ("/v1/{a.b}", "", "field `a.b`: it is part of the path and must not be empty"),
        ("/v1/{a}", ".", "field `a`: \".\" cannot be a segment of a path"),
        ("/v1/{a}:b", "..", "field `a`: \"..\" cannot be a segment of a path"),
        ("/v1/{a=x/**}", "x/../y", "field `a`: \"..\" cannot be a segment of a path"),
        ("/v1/{a}", "../x", "field `a`: \"../x\" cannot be a segment of a path"),
        ("/v1/{a}", "x/..", "field `a`: \"x/..\" cannot be a segment of a path"),
        ("/v1/{a}", "x/./y", "field `a`: \"x/./y\" cannot be a segment of a path"),
        ("/v1/{a}", "..\\x", "field `a`: \"..\\\\x\" cannot be a segment of a path"),
        ("/v1/{a}", "x/..;y=1/z", "field `a`: \"x/..;y=1/z\" cannot be a segment of a path"),
        ("/v1/{a}", "..;", "field `a`: \"..;\" cannot be a segment of a path"),
        ("/v1/{a=x/**}", "x/y\\..", "field `a`: \"y\\\\..\" cannot be a segment of a path"),
        ("/v1/{a=x/*}", "y/1", "field `a`: \"y/1\" does not fit `x/*`"),
        ("/v1/{a=x/*}", "x", "field `a`: \"x\" does not fit `x/*`"),
        ("/v1/{a=x/*}", "x/1/2", "field `a`: \"x/1/2\" does not fit `x/*`"),
        ("/v1/{a=x/*}", "x/", "field `a`: \"x/\" does not fit `x/*`"),
        ("/v1/{a=**}", "/", "field `a`: \"/\" does not fit `**`"),
        ("/v1/*", "", "the template has a wildcard without a name"),
    ] {
        let error = template(text).expand(|_| Some(value.to_owned())).expect_err(text);
        assert_eq!(error.to_string(), problem, "{text}");
    }
    let error = template("/v1/{a}").expand(|_| None).expect_err("no value");
    assert_eq!(error.field(), "a");
}

#[test]
fn a_path_that_is_no_utf_8_is_refused() {
    for (path, problem) in [
        ("/v1/%", "field `a`: `%` is not followed by two hex digits"),
        ("/v1/%4", "field `a`: `%` is not followed by two hex digits"),
        ("/v1/%+1", "field `a`: `%` is not followed by two hex digits"),
        ("/v1/%zz", "field `a`: `%` is not followed by two hex digits"),
        ("/v1/%ff", "field `a`: the decoded text is not UTF-8"),
        ("/v1/%c3", "field `a`: the decoded text is not UTF-8"),
    ] {
        let error = template("/v1/{a}").capture(path).expect_err(path);
        assert_eq!(error.to_string(), problem);
    }
}

#[test]
fn an_id_of_any_text_stays_in_its_segment() {
    let tasks = template("/v1/device_tasks/{task_uuid}");
    for (id, encoded) in [
        ("a/b", "a%2Fb"),
        ("a/.b/..c/...", "a%2F.b%2F..c%2F..."),
        ("...", "..."),
        ("a?b=c", "a%3Fb%3Dc"),
        ("a#b", "a%23b"),
        ("%2F", "%252F"),
        ("x:updateTaskTargets", "x%3AupdateTaskTargets"),
        ("\r\nHost: x", "%0D%0AHost%3A%20x"),
        ("\0", "%00"),
        ("a+b;c,d@e", "a%2Bb%3Bc%2Cd%40e"),
        ("žluť🦀", "%C5%BElu%C5%A5%F0%9F%A6%80"),
        ("\\", "%5C"),
    ] {
        let path = tasks.expand(|_| Some(id.to_owned())).expect(id);
        assert_eq!(path, format!("/v1/device_tasks/{encoded}"));
        let found = tasks.capture(&path).expect("good encoding").expect("it matches");
        assert_eq!(found, [("task_uuid", id.to_owned())]);
    }
}

/// Generates text that is likely to break out.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[/?#%:.+&= a-c\\\\\r\n\u{0}é🦀]{0,12}",
        "(%2[Ff]|%2e|\\.|/|:do|a){0,6}",
    ]
}

proptest! {
    #[test]
    fn what_expands_matches_to_the_same(
        one in text(), two in text(), many in proptest::collection::vec(text(), 0..4),
    ) {
        let segments = many.iter().filter(|text| !text.is_empty()).map(|text| text.replace('/', "-"));
        let many: Vec<_> = ["x@y".to_owned()].into_iter().chain(segments).collect();
        let values = [("one", one), ("t.wo", two), ("many", many.join("/"))];
        for text in ["/v1/{one}/a/{t.wo}/{many=x@y/**}", "/v1/{one}/a/{t.wo}/{many=x@y/**}:do"] {
            let template = template(text);
            let value = |name: &str| values.iter().find(|(n, _)| *n == name).map(|(_, v)| v.clone());
            let is_refused = |text: &str| {
                let mut parts = text.split(['/', '\\']);
                text.is_empty() || parts.any(|part| matches!(part.split(';').next(), Some("." | "..")))
            };
            let segments = [values[0].1.clone(), values[1].1.clone()];
            match template.expand(value) {
                Ok(path) => {
                    prop_assert!(path.bytes().all(|byte| byte.is_ascii_graphic()), "{path}");
                    prop_assert!(!path.contains(['?', '#', '\\']), "{path}");
                    let decoded = percent_encoding::percent_decode_str(&path).decode_utf8_lossy();
                    let parts = decoded.split(['/', '\\']);
                    prop_assert!(!parts.into_iter().any(|part| matches!(part, "." | "..")), "{path}");
                    let found = template.capture(&path).unwrap().unwrap();
                    prop_assert_eq!(found, values.clone().map(|(name, value)| (name, value)));
                }
                Err(error) => prop_assert!(
                    segments.iter().chain(&many).any(|segment| is_refused(segment)),
                    "{}", error
                ),
            }
        }
    }

    #[test]
    fn any_text_is_a_template_or_an_error(text in "[/{}=*:.a-z%é]{0,24}", path in any::<String>()) {
        if let Ok(parsed) = PathTemplate::parse(&text) {
            let written = parsed.to_string();
            prop_assert_eq!(PathTemplate::parse(&written).unwrap(), parsed);
            let _ = parsed.capture(&path);
            let _ = parsed.expand(|_| Some(path.clone()));
        }
    }
}

/// A router looks only at templates with the second segment of the path, and at those without a literal there.
#[test]
fn a_router_finds_the_most_specific_template_whatever_its_second_segment_is() {
    static HTTP: [HttpBinding; 7] = [
        HttpBinding::new("GET", "/v1"),
        HttpBinding::new("GET", "/v1/things/{id}"),
        HttpBinding::new("GET", "/v1/things:count"),
        HttpBinding::new("GET", "/v1/{name}/parts"),
        HttpBinding::new("GET", "/v1/{name=things/*/parts/*}"),
        HttpBinding::new("GET", "/{version}/things"),
        HttpBinding::new("GET", "/v2/{name=**}"),
    ];
    let spec = |http: &'static HttpBinding| -> &'static MethodSpec {
        Box::leak(Box::new(MethodSpec::new(http.path, "", "").http(std::slice::from_ref(http))))
    };
    let router = Router::new(HTTP.iter().map(spec));
    for (path, expected) in [
        ("/v1", Some("/v1")),
        ("/v1/things/7", Some("/v1/things/{id}")),
        ("/v1/things/parts", Some("/v1/things/{id}")),
        ("/v1/things:count", Some("/v1/things:count")),
        ("/v1/things:other", None),
        ("/v1/others/parts", Some("/v1/{name}/parts")),
        ("/v1/others:x/parts", Some("/v1/{name}/parts")),
        ("/v1/things/7/parts/8", Some("/v1/{name=things/*/parts/*}")),
        ("/v1/things", Some("/{version}/things")),
        ("/v9/things", Some("/{version}/things")),
        ("/v2", Some("/v2/{name=**}")),
        ("/v2/things", Some("/v2/{name=**}")),
        ("/v2/others/7", Some("/v2/{name=**}")),
        ("/v9/others", None),
    ] {
        let route = router.route("GET", path).unwrap();
        assert_eq!(route.map(|route| route.binding().path), expected, "{path}");
    }
}
