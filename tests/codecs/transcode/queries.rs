//! What a query says.

use added_service::proto::example::greeter::v1::{GreetRequest, Greeting, greeting};
use added_service::proto::example::guest_book::v1::{
    Entry, FindEntriesRequest, ReadEntryRequest, find_entries_request::Order,
};
use added_service::rpc::greeter::{Greet, ListPeople};
use added_service::rpc::guest_book::{FindEntries, ReadEntry};
use eset_protect::automation::v1::{ListTaskRunsRequest, ListTasksRequest};
use eset_protect::policy_management::v2::{
    ListPolicyAssignmentsRequest, PolicyTarget, policy_target::Target,
};
use eset_protect::rpc::device_tasks::{GetTask, ListTaskRuns, ListTasks};
use eset_protect::rpc::policy_assignments::ListPolicyAssignments;
use eset_protect::transcode::Encoded;
use eset_protect::wkt::BoolValue;

use super::{problem, read};

#[test]
fn nested_and_repeated_fields_have_their_places() {
    let request = ListPolicyAssignmentsRequest {
        policy_uuids: vec!["a&b".into(), "c d".into(), String::new()],
        policy_uuid: "+=".into(),
        target: Some(PolicyTarget { target: Some(Target::DeviceUuid("é".into())) }),
        page_size: u32::MAX,
        page_token: "%".into(),
    };
    let http = Encoded::request::<ListPolicyAssignments>(&request).unwrap();
    assert_eq!((http.method, http.body.as_deref()), ("GET", None));
    let target = "/v2/policy-assignments?policyUuids=a%26b&policyUuids=c%20d&policyUuids=\
                  &policyUuid=%2B%3D&target.deviceUuid=%C3%A9&pageSize=4294967295&pageToken=%25";
    assert_eq!(http.path_and_query, target);
    assert_eq!(read::<ListPolicyAssignments>("GET", target, "").unwrap(), request);

    // A single value is a list of one, a bare name is empty, `+` is a space, and empty pairs are ignored.
    for (query, expected) in
        [("policyUuids=x", "x"), ("policyUuids", ""), ("&&policyUuids=a+b%2Bc&", "a b+c")]
    {
        let target = format!("/v2/policy-assignments?{query}");
        let request = read::<ListPolicyAssignments>("GET", &target, "").unwrap();
        assert_eq!(request.policy_uuids, [expected], "{query}");
    }
}

#[test]
fn both_spellings_of_a_name_are_read() {
    let runs = ListTaskRunsRequest {
        task_uuid: "t".into(),
        device_uuid: "d".into(),
        list_only_last_runs: true,
        page_size: 7,
        ..Default::default()
    };
    for query in [
        "deviceUuid=d&listOnlyLastRuns=true&pageSize=7",
        "device_uuid=d&list_only_last_runs=true&page_size=7",
        "page%5Fsize=7e0&device%55uid=d&listOnlyLastRuns=true",
    ] {
        let target = format!("/v1/device_tasks/t/runs?{query}");
        assert_eq!(read::<ListTaskRuns>("GET", &target, "").unwrap(), runs, "{query}");
    }
    let target = "/v2/policy-assignments?policy_uuids=a&policyUuids=b&target.device_group_uuid=g";
    let request = read::<ListPolicyAssignments>("GET", target, "").unwrap();
    assert_eq!(request.policy_uuids, ["a", "b"]);
    let group = Some(Target::DeviceGroupUuid("g".into()));
    assert_eq!(request.target, Some(PolicyTarget { target: group }));
}

#[test]
fn every_kind_of_scalar_has_a_text() {
    let request = FindEntriesRequest {
        folder: "shelves/a b/c".into(),
        before: Some("2026-11-22T01:02:03.5Z".parse().unwrap()),
        warmths: vec![1, 0, 77, -1],
        beginnings: vec![vec![251, 255].into(), vec![].into()],
        is_read: Some(BoolValue { value: false }),
        order: Some(Order::Near(f64::NEG_INFINITY)),
        ..Default::default()
    };
    let http = Encoded::request::<FindEntries>(&request).unwrap();
    let target = "/v1/shelves/a%20b/c:find?before=2026-11-22T01%3A02%3A03.500Z\
                  &warmths=WARMTH_WARM&warmths=WARMTH_UNSPECIFIED&warmths=77&warmths=-1\
                  &beginnings=%2B%2F8%3D&beginnings=&isRead=false&near=-Infinity";
    assert_eq!(http.path_and_query, target);
    assert_eq!(read::<FindEntries>("GET", target, "").unwrap(), request);

    let like = FindEntriesRequest {
        folder: "shelves".into(),
        order: Some(Order::Like(Entry {
            topics: vec!["a".into(), "b".into()],
            answered: Some(Box::new(Entry { text: "c".into(), ..Default::default() })),
            ..Default::default()
        })),
        ..Default::default()
    };
    let http = Encoded::request::<FindEntries>(&like).unwrap();
    let target = "/v1/shelves:find?like.topics=a&like.topics=b&like.answered.text=c";
    assert_eq!(http.path_and_query, target);
    assert_eq!(read::<FindEntries>("GET", target, "").unwrap(), like);
}

#[test]
fn an_additional_binding_serves_where_the_first_cannot() {
    let greeting = Greeting {
        int32_value: -1,
        longs: vec![i64::MIN, i64::MAX],
        choice: Some(greeting::Choice::Warmth(1)),
        r#type: "t".into(),
        ..Default::default()
    };
    let request = GreetRequest { person: String::new(), greeting: Some(greeting) };
    let http = Encoded::request::<Greet>(&request).unwrap();
    assert_eq!((http.method, http.body.as_deref()), ("GET", None));
    assert_eq!(http.binding().path, "/v1/greetings");
    let target = "/v1/greetings?greeting.int32Value=-1&greeting.longs=-9223372036854775808\
                  &greeting.longs=9223372036854775807&greeting.type=t&greeting.warmth=WARMTH_WARM";
    assert_eq!(http.path_and_query, target);
    assert_eq!(read::<Greet>("GET", target, "").unwrap(), request);
    let by_number = target.replace("WARMTH_WARM", "1");
    assert_eq!(read::<Greet>("GET", &by_number, "").unwrap(), request);

    // Numbers and booleans in a path, whose zero values count too.
    for (number, is_draft, path) in
        [(0, false, "0/false"), (u64::MAX, true, "18446744073709551615/true")]
    {
        let request = ReadEntryRequest { number, is_draft, ..Default::default() };
        let http = Encoded::request::<ReadEntry>(&request).unwrap();
        assert_eq!(http.path_and_query, format!("/v1/entries/{path}"));
        assert_eq!(read::<ReadEntry>("GET", &http.path_and_query, "").unwrap(), request);
    }
    // The first matching binding is used, and fields not in the path go into the query.
    let request =
        ReadEntryRequest { name: "books/1/entries/a:b".into(), number: 2, is_draft: true };
    let http = Encoded::request::<ReadEntry>(&request).unwrap();
    assert_eq!(http.path_and_query, "/v1/books/1/entries/a%3Ab?number=2&isDraft=true");
    assert_eq!(read::<ReadEntry>("GET", &http.path_and_query, "").unwrap(), request);
}

#[test]
fn what_a_query_cannot_hold_is_refused_before_sending() {
    let with = |greeting: Greeting| GreetRequest { greeting: Some(greeting), ..Default::default() };
    let map = with(Greeting { by_truth: [(true, vec![].into())].into(), ..Default::default() });
    let value = with(Greeting { value: Some(().into()), ..Default::default() });
    for request in [map, value] {
        // The error is that of the first binding.
        let error = Encoded::request::<Greet>(&request).unwrap_err();
        assert_eq!(error.field(), "person");
    }
    let request = FindEntriesRequest {
        folder: "shelves".into(),
        labels: [("a".into(), "b".into())].into(),
        ..Default::default()
    };
    let error = Encoded::request::<FindEntries>(&request).unwrap_err();
    assert_eq!(error.to_string(), "field `labels`: a query cannot hold it");
}

#[test]
fn what_is_no_query_of_the_rpc_is_refused() {
    for (query, expected) in [
        ("pagesize=1", "field `pagesize`: there is no such field"),
        ("=1", "there is no such field"),
        ("pageSize.x=1", "field `page_size.x`: a path or a query cannot hold it"),
        ("pageToken=a&pageToken=a", "field `page_token`: it is given twice"),
        ("pageToken=a&page_token=b", "field `page_token`: it is given twice"),
        ("pageSize=a", "field `page_size`: "),
        ("pageSize=", "field `page_size`: "),
        ("pageSize=-1", "field `page_size`: "),
        ("pageSize=1.5", "field `page_size`: "),
        ("pageSize=4294967296", "field `page_size`: "),
        ("pageToken=%", "field `page_token`: `%` is not followed by two hex digits"),
        ("pageToken=%f", "field `page_token`: `%` is not followed by two hex digits"),
        ("pageToken=%ff", "field `page_token`: the decoded text is not UTF-8"),
        ("%ff=a", "query \"%ff\": the decoded text is not UTF-8"),
        ("pageToken[]=a", "field `page_token[]`: there is no such field"),
    ] {
        let error = problem::<ListTasks>("GET", &format!("/v1/device_tasks?{query}"), "");
        assert!(error.starts_with(expected), "{query}: {error}");
        assert!(!error.contains(" at line "), "{query}: {error}");
    }
    for (query, expected) in [
        ("target=x", "field `target`: a path or a query cannot hold it"),
        ("target.x=y", "field `target.x`: there is no such field"),
        ("target.deviceUuid.x=y", "field `target.device_uuid.x`: a path or a query cannot hold it"),
        (
            "target.deviceUuid=a&target.deviceUuid=b",
            "field `target.device_uuid`: it is given twice",
        ),
        (
            "target.deviceUuid=a&target.deviceGroupUuid=b",
            "field `target.device_group_uuid`: another",
        ),
        ("target.=a", "field `target.`: there is no such field"),
        (".=a", "field `.`: there is no such field"),
    ] {
        let target = format!("/v2/policy-assignments?{query}");
        let error = problem::<ListPolicyAssignments>("GET", &target, "");
        assert!(error.starts_with(expected), "{query}: {error}");
    }
    for (query, expected) in [
        ("listOnlyLastRuns=1", "field `list_only_last_runs`: expected true or false, found \"1\""),
        ("listOnlyLastRuns", "field `list_only_last_runs`: expected true or false, found \"\""),
        ("taskUuid=t", "field `task_uuid`: it is given twice"),
        ("task_uuid=other", "field `task_uuid`: it is given twice"),
    ] {
        let error = problem::<ListTaskRuns>("GET", &format!("/v1/device_tasks/t/runs?{query}"), "");
        assert_eq!(error, expected);
    }
    for (query, expected) in [
        ("greeting.byName=x", "field `greeting.by_name`: a path or a query cannot hold it"),
        ("greeting.byName.x=y", "field `greeting.by_name.x`: a path or a query cannot hold it"),
        ("greeting.value=x", "field `greeting.value`: a path or a query cannot hold it"),
        ("greeting.any=x", "field `greeting.any`: a path or a query cannot hold it"),
        ("greeting.bytesValue=*", "field `greeting.bytes_value`: "),
    ] {
        let error = problem::<Greet>("GET", &format!("/v1/greetings?{query}"), "");
        assert!(error.starts_with(expected), "{query}: {error}");
    }
    // Fields in the body must not be repeated in the query.
    let error = problem::<Greet>("POST", "/v1/people/p:greet?greeting.type=x", "{}");
    assert_eq!(error, "field `greeting.type`: it is the body of the request");
}

#[test]
fn a_get_has_no_body() {
    for body in ["", "{}", " {}\n"] {
        let request = read::<ListTasks>("GET", "/v1/device_tasks?pageSize=1", body).unwrap();
        assert_eq!(request, ListTasksRequest { page_size: 1, ..Default::default() });
    }
    let error = problem::<ListPeople>("GET", "/v1/people", r#"{"pageSize":1}"#);
    assert_eq!(error, "the request takes its fields from the query, not a body");
    assert_eq!(read::<GetTask>("GET", "/v1/device_tasks/a%2Fb", "").unwrap().task_uuid, "a/b");
}
