//! Error responses: the result for every status and every body.

use added_service::client::Greeter;
use added_service::proto::example::greeter::v1::GreetRequest;
use eset_protect::proto::google::rpc::{BadRequest, ErrorInfo, RetryInfo};
use eset_protect::transcode::{code_from_http, http_from_code};
use eset_protect::{Client, Error, ErrorKind, RetryPolicy};
use tonic::Code;

use crate::rest::calls::{client, get};
use crate::support::greeter::Running;
use crate::support::scripted::{Answer, Scripted, answer, head};

async fn failure(answer: Answer) -> Error {
    let server = Scripted::start([answer]).await;
    let error = get(&client(&server)).await.unwrap_err();
    assert_eq!(server.seen().len(), 1, "an error is not asked for twice");
    error
}

fn refusal(status: u16, body: impl AsRef<[u8]>) -> Answer {
    let headers = [("content-type", "application/json"), ("request-id", "r-1")];
    answer(&format!("{status} Refused"), &headers, body)
}

const STATUSES: [u16; 26] = [
    300, 302, 400, 401, 402, 403, 404, 405, 406, 408, 409, 410, 411, 412, 413, 415, 418, 422, 426,
    429, 499, 500, 501, 502, 503, 504,
];

#[tokio::test]
async fn every_status_gives_its_code_whatever_the_body() {
    let huge = format!(r#"{{"message":"{}"}}"#, "x".repeat(3 << 20));
    let bodies: [&[u8]; 14] = [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"17",
        b"<html><body>Request Rejected. Support ID: 17</body></html>",
        br#"{"code":5,"mess"#,
        br#"{"code":5,"code":99}"#,
        b"\xff\xfe{\x00}",
        br#"{"code":0,"message":17,"details":{"@type":"x"}}"#,
        br#"{"code":99999999999999999999,"message":null,"details":null}"#,
        br#"{"code":-5,"message":["a"],"details":[null,1,"a",{"@type":7}]}"#,
        br#"{"code":"NOT_FOUND","error":{"code":404}}"#,
        huge.as_bytes(),
    ];
    let server = Scripted::start([]).await;
    let client = client(&server);
    for status in STATUSES {
        for body in bodies {
            server.push(refusal(status, body));
            let error = get(&client).await.unwrap_err();
            let what = format!("{status} {:?}: {error:?}", &body[..body.len().min(50)]);
            assert_eq!(error.kind(), ErrorKind::Status, "{what}");
            assert_eq!(error.code(), code_from_http(status), "{what}");
            assert_eq!(error.http_status(), Some(status), "{what}");
            assert_eq!(error.request_id(), Some("r-1"), "{what}");
            assert!(error.is_code_inferred() && error.details().is_empty(), "{what}");
            assert!(error.message().contains(&status.to_string()), "{what}");
            assert!(error.message().len() < 400, "{what}");
        }
    }
}

#[tokio::test]
async fn a_firewalls_page_is_told_in_short() {
    let page = format!("<html>\n <b>Request Rejected.</b>\t\u{7}Support ID: 17{}", "x".repeat(999));
    let html = answer("403 Forbidden", &[("content-type", "Text/HTML; charset=x")], page);
    let error = failure(html).await;
    assert!(error.is_permission_denied() && error.is_code_inferred());
    let told =
        "HTTP 403 Forbidden with HTML instead of JSON: <html> <b>Request Rejected.</b> Support";
    assert!(error.message().starts_with(told), "{error}");
    assert!(error.message().len() < 300 && !error.message().contains('\u{7}'));
}

#[tokio::test]
async fn the_bodys_own_code_wins_where_it_fits_the_status() {
    for number in 1..=16 {
        let code = Code::from(number);
        for status in STATUSES {
            let body = format!(r#"{{"code":{number},"message":"m","details":[]}}"#);
            let error = failure(refusal(status, body)).await;
            let fits = http_from_code(code) == status || code_from_http(status) == code;
            let expected = if fits { code } else { code_from_http(status) };
            assert_eq!((error.code(), error.is_code_inferred()), (expected, !fits), "{error:?}");
            assert_eq!(error.message(), "m");
        }
    }
}

#[tokio::test]
async fn the_body_of_an_error_is_read_as_tolerantly_as_that_of_a_success() {
    let details =
        r#""details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"R"}]"#;
    for (body, message) in [
        (br#"{"message":"Ger\ud83d","#.to_vec(), "Ger\u{FFFD}"),
        (b"{\"message\":\"Ger\xE4t\",".to_vec(), "Ger\u{FFFD}t"),
        ("\u{FEFF}{\"message\":\"m\",".into(), "m"),
        (br#"{"message":"a","message":"b","#.to_vec(), "b"),
        (br#"{"message":"m","new":"\ud83d","new":1e400,"#.to_vec(), "m"),
    ] {
        let error = failure(refusal(404, [&body, details.as_bytes(), b"}"].concat())).await;
        assert_eq!(error.message(), message);
        assert_eq!(error.detail::<ErrorInfo>().map(|info| info.reason).as_deref(), Some("R"));
    }
}

/// ESET's gateway writes the HTTP status as the code.
#[tokio::test]
async fn the_http_status_as_the_code_is_no_code() {
    for status in STATUSES {
        let body = format!(r#"{{"code":{status},"message":"m","details":null}}"#);
        let error = failure(refusal(status, body)).await;
        assert_eq!(error.code(), code_from_http(status));
        assert!(error.is_code_inferred());
        assert_eq!(error.message(), "m");
    }
}

#[tokio::test]
async fn every_code_comes_through_esets_mapping_as_over_grpc() {
    let grpc = Running::start().await;
    let client = Client::builder(&grpc.endpoint()).retry(RetryPolicy::none()).connect().await;
    let greeter = Greeter::new(client.unwrap());
    for number in 1..=16 {
        let code = Code::from(number);
        let person = format!("code {number}");
        let request = GreetRequest { person, ..Default::default() };
        let over_grpc = greeter.greet(request).await.unwrap_err();

        let status = http_from_code(code);
        let body = r#""message":"refused","details":[
            {"@type":"example.com/not.Known","value":"AQID"},
            {"@type":"type.googleapis.com/google.rpc.BadRequest",
             "fieldViolations":[{"field":"greeting.warmth","description":"too cold"}]}]}"#;
        let exact = failure(refusal(status, format!(r#"{{"code":{number},{body}"#))).await;
        assert_eq!(exact.code(), over_grpc.code());
        assert!(!exact.is_code_inferred(), "{exact:?}");
        assert_eq!(exact.message(), over_grpc.message());
        assert_eq!(exact.is_retryable(), over_grpc.is_retryable());
        assert_eq!(exact.may_have_executed(), over_grpc.may_have_executed());
        assert_eq!(exact.details().len(), over_grpc.details().len());
        assert_eq!(exact.detail::<BadRequest>(), over_grpc.detail::<BadRequest>());

        let inferred = failure(refusal(status, format!(r#"{{"code":{status},{body}"#))).await;
        assert_eq!(inferred.code(), code_from_http(status));
        assert!(inferred.is_code_inferred());
        assert_eq!(http_from_code(inferred.code()), status, "the same family");
    }
}

#[tokio::test]
async fn details_unpack_and_unknown_ones_are_kept() {
    let body = r#"{"code":14,"message":"later","details":[
        {"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"1.500s"},
        {"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"BUSY","domain":"eset","metadata":{"a":"b"}},
        {"@type":"type.googleapis.com/eset.dotnod.Unknown","x":[1.0,"y"]}]}"#;
    let error = failure(refusal(503, body)).await;
    assert!(error.is_unavailable() && error.is_retryable());
    let delay = error.detail::<RetryInfo>().unwrap().retry_delay.unwrap();
    assert_eq!((delay.seconds, delay.nanos), (1, 500_000_000));
    assert_eq!(error.detail::<ErrorInfo>().unwrap().metadata["a"], "b");
    let unknown = serde_json::to_string(&error.details()[2]).unwrap();
    assert_eq!(unknown, r#"{"@type":"type.googleapis.com/eset.dotnod.Unknown","x":[1.0,"y"]}"#);
}

#[tokio::test]
async fn one_broken_part_does_not_hide_the_others() {
    let text = "type.googleapis.com/google.rpc.ErrorInfo";
    for details in
        ["null", "{}", "7", "[7]", r#"[{"@type":"a/google.rpc.RetryInfo","retryDelay":7}]"#]
    {
        let body = format!(r#"{{"code":5,"message":"gone","details":{details}}}"#);
        let error = failure(refusal(404, body)).await;
        assert_eq!((error.code(), error.message()), (Code::NotFound, "gone"), "{details}");
        assert!(!error.is_code_inferred());
    }
    let body =
        format!(r#"{{"code":5,"message":7,"details":[7,{{"@type":"{text}","reason":"R"}}]}}"#);
    let error = failure(refusal(404, body)).await;
    assert_eq!(error.detail::<ErrorInfo>().unwrap().reason, "R");
}

/// The form of Google's APIs and of many gateways.
#[tokio::test]
async fn an_error_within_an_error_is_read() {
    let body = r#"{"error":{"code":404,"message":"deep nf","status":"NOT_FOUND","details":[
        {"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"R"}]}}"#;
    let error = failure(refusal(404, body)).await;
    assert_eq!((error.code(), error.message()), (Code::NotFound, "deep nf"));
    assert_eq!(error.detail::<ErrorInfo>().unwrap().reason, "R");
    let error = failure(refusal(400, r#"{"error":{"code":9,"message":"m"}}"#)).await;
    assert_eq!((error.code(), error.is_code_inferred()), (Code::FailedPrecondition, false));
    let both = r#"{"message":"outer","error":{"message":"inner"}}"#;
    assert_eq!(failure(refusal(404, both)).await.message(), "outer");
}

#[tokio::test]
async fn json_of_another_form_is_quoted() {
    for (body, quoted) in [
        (r#"{"errors":[{"detail":"deep"}]}"#, true),
        (r#"["deep"]"#, true),
        (r#""deep""#, true),
        (r#"{"code":1e400,"error_message":"deep"}"#, true),
        ("{}", false),
        (" [] ", false),
        ("null", false),
    ] {
        let error = failure(refusal(404, body)).await;
        let expected = if quoted {
            format!("HTTP 404 Not Found with JSON: {body}")
        } else {
            "HTTP 404 Not Found".to_owned()
        };
        assert_eq!(error.message(), expected);
    }
    let long = format!(r#"{{"errors":["{}"]}}"#, "x".repeat(999));
    assert!(failure(refusal(404, long)).await.message().len() < 300);
}

#[tokio::test]
async fn the_status_counts_where_its_body_breaks() {
    let broken = [
        Answer::Close(head("503 Service Unavailable", &[("request-id", "r-1")], Some(100))),
        answer("503 S", &[("content-encoding", "gzip"), ("request-id", "r-1")], "not gzip"),
        answer("503 S", &[("content-encoding", "br"), ("request-id", "r-1")], "x"),
        Answer::Endless(head("503 S", &[("request-id", "r-1")], None), vec![b'x'; 10_000]),
    ];
    for answer in broken {
        let error = failure(answer).await;
        assert_eq!((error.kind(), error.code()), (ErrorKind::Status, Code::Unavailable));
        assert_eq!((error.http_status(), error.request_id()), (Some(503), Some("r-1")));
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let other = Scripted::start([]).await;
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"] {
        let location = format!("{}/v1/device_tasks/t-1", other.endpoint());
        let error = failure(answer(status, &[("location", &location)], "")).await;
        assert!(error.message().contains("redirects are not followed"), "{error}");
    }
    assert_eq!(other.connections(), 0);
    // Nobody is sent elsewhere.
    let error = failure(answer("304 Not Modified", &[], "")).await;
    assert_eq!(error.message(), "HTTP 304 Not Modified");
}
