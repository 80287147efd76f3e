//! What anyone may send.

use added_service::rpc::greeter::Greet;
use proptest::prelude::*;

use super::codec::Codec;
use super::{ROUTER, problem};

fn try_all(method: &str, path: &str, query: &str, body: &[u8]) -> bool {
    let _ = ROUTER.methods(path);
    let Ok(Some(route)) = ROUTER.route(method, path) else { return false };
    let codec = Codec::of(route.spec().path);
    if let Ok(request) = (codec.request)(&route, query, body) {
        let _ = (codec.encode)(&request);
    }
    true
}

#[test]
fn a_name_that_reaches_too_deep_is_refused() {
    // 2 MB; one call per level would exhaust the stack.
    for (levels, is_read) in [(90, true), (101, false), (300_000, false)] {
        let query = format!("greeting{}.type=x", ".inner".repeat(levels));
        let found = super::read::<Greet>("GET", &format!("/v1/greetings?{query}"), "");
        assert_eq!(found.is_ok(), is_read, "{levels}");
    }
    let target = format!("/v1/greetings?greeting{}.type=x", ".inner".repeat(101));
    let error = problem::<Greet>("GET", &target, "");
    assert_eq!(error, "a name has more than 100 parts");
    // JSON cannot be nested more deeply either.
    let body = r#"{"inner":"#.repeat(100_000);
    problem::<Greet>("POST", "/v1/people/p:greet", &body);
    let body = format!("{}{}", body, "}".repeat(100_000));
    problem::<Greet>("POST", "/v1/people/p:greet", &body);
}

#[test]
fn a_long_list_takes_time_by_its_length() {
    // Each of 200,000 once copied and parsed everything before it.
    let query = "policyUuids=a&".repeat(200_000);
    let route = ROUTER.route("GET", "/v2/policy-assignments").unwrap().expect("a route");
    let request = route
        .request::<eset_protect::rpc::policy_assignments::ListPolicyAssignments>(&query, b"")
        .unwrap();
    assert_eq!(request.policy_uuids.len(), 200_000);
}

fn method() -> impl Strategy<Value = String> {
    prop_oneof![4 => "GET|POST|PUT|PATCH|DELETE|NOTE", 1 => any::<String>()]
}

fn path() -> impl Strategy<Value = String> {
    let id = "(%2F|%ff|\\.\\.|[a-z]|%3A|é|\u{0}){1,3}";
    let known = "/v1/(device_tasks|people|greetings)|/v2/policy-assignments";
    let one = "/v1/(device_tasks|entries|margins)/|/v2/policies/|/v1/books/a/entries/|/v1/shelves/";
    let tail = "|:updateTaskTargets|:find|/runs|/1|/";
    prop_oneof![
        4 => known,
        8 => (one, id, tail).prop_map(|(one, id, tail)| one + &id + &tail),
        4 => ("/v1/people/", id).prop_map(|(people, id)| people + &id + ":greet"),
        1 => any::<String>(),
    ]
}

fn query() -> impl Strategy<Value = String> {
    let name = "(pageSize|page_token|policyUuids|target\\.deviceUuid|greeting\\.(longs|inner\\.type|\
                warmth|value|any|wrapped|maybe)|near|like\\.name|isRead|before|labels|[.a-z%]{0,4})";
    let value = "(true|-?[0-9]{1,20}|%[0-9a-g]{0,2}|[a-zA-Z+&.]{0,4}|NaN|1e999|\u{0}|🦀)";
    prop_oneof![
        4 => proptest::collection::vec((name, value), 0..4).prop_map(|pairs| {
            pairs.into_iter().map(|(name, value)| format!("{name}={value}&")).collect()
        }),
        1 => any::<String>(),
    ]
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    let json = "(\\{|\\}|\\[|\\]|,|:|null|\"(entry|name|greeting|task|any|@type|x/Y|targets)\"|1e999|-0){0,12}";
    let object = "\\{\"(entry|task|targets|any|value|longs|text)\":(null|1|\"\"|\\[\\]|\\{\\}|\\[null\\])\\}";
    prop_oneof![
        json.prop_map(String::into_bytes),
        object.prop_map(String::into_bytes),
        Just(Vec::new()),
        any::<Vec<u8>>(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn nothing_that_is_sent_makes_it_panic(
        method in method(), path in path(), query in query(), body in body(),
    ) {
        try_all(&method, &path, &query, &body);
    }
}

#[test]
fn the_hostile_inputs_reach_the_readers() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut reached = 0;
    for _ in 0..500 {
        let inputs = (method(), path(), query(), body());
        let tree = inputs.new_tree(&mut runner).expect("a value");
        let (method, path, query, body) = proptest::strategy::ValueTree::current(&tree);
        reached += usize::from(try_all(&method, &path, &query, &body));
    }
    assert!(reached > 50, "{reached} of 500");
}
