//! RST_STREAM before the head of a response, after it, and in the middle of the body.

use eset_protect::Wire;
use tonic::Code;

use crate::refused::http2::{BOTH, Http2, assert_may_have_run, assert_not_run, create, get};
use crate::support::scripted::frames::{Act, Last, What, code};

/// gRPC's table for HTTP/2's reasons.
const TABLE: [(u32, Code); 11] = [
    (code::NO_ERROR, Code::Internal),
    (code::PROTOCOL_ERROR, Code::Internal),
    (code::INTERNAL_ERROR, Code::Internal),
    (code::FLOW_CONTROL_ERROR, Code::Internal),
    (code::STREAM_CLOSED, Code::Unknown),
    (code::CANCEL, Code::Cancelled),
    (code::COMPRESSION_ERROR, Code::Internal),
    (code::CONNECT_ERROR, Code::Internal),
    (code::ENHANCE_YOUR_CALM, Code::ResourceExhausted),
    (code::INADEQUATE_SECURITY, Code::PermissionDenied),
    (code::HTTP_1_1_REQUIRED, Code::Unknown),
];

#[tokio::test]
async fn a_refused_stream_was_not_processed() {
    for wire in BOTH {
        for first in [None, Some(Act::AtOnce)] {
            let acts: Vec<_> =
                first.into_iter().chain([Act::Reset(code::REFUSED_STREAM)]).collect();
            let (server, error) = wire.create_error(&acts).await;
            assert_not_run(&error, "REFUSED_STREAM");
            assert!(server.count(What::Head) >= 1);
            assert_eq!(server.count(What::Connection), 1, "{wire:?}: the connection is still good");
        }
    }
}

#[tokio::test]
async fn a_connection_with_a_refused_stream_goes_on() {
    for wire in BOTH {
        let (server, builder) = wire.start([], wire.answer()).await;
        let client = builder.connect_lazy().unwrap();
        get(&client).await.unwrap();
        for _ in 0..20 {
            server.push(vec![Act::Reset(code::REFUSED_STREAM)]);
            // A repeated call uses the same connection.
            if let Err(error) = create(&client).await {
                assert_not_run(&error, "REFUSED_STREAM");
            }
            get(&client).await.unwrap();
        }
        assert_eq!(server.count(What::Connection), 1, "{wire:?}");
    }
}

#[tokio::test]
async fn any_other_reset_may_have_run() {
    for wire in BOTH {
        for (reason, code) in TABLE {
            let (server, error) = wire.create_error(&[Act::Reset(reason)]).await;
            assert_may_have_run(&error);
            assert_eq!(server.count(What::Head), 1, "{wire:?}: a create is made once");
            // There are no gRPC codes over REST: the connection broke.
            let expected = if wire == Http2::Grpc { code } else { Code::Unavailable };
            assert_eq!(error.code(), expected, "{wire:?}: reason {reason}: {error:?}");
        }
    }
}

#[tokio::test]
async fn any_reset_after_the_head_or_in_the_body_may_have_run() {
    let reasons = TABLE.iter().map(|(reason, _)| *reason).chain([code::REFUSED_STREAM]);
    for reason in reasons {
        for wire in BOTH {
            for begun in [vec![wire.head()], vec![wire.head(), wire.beginning()]] {
                let acts = [begun, vec![Act::Reset(reason)]].concat();
                let (server, error) = wire.create_error(&acts).await;
                assert_may_have_run(&error);
                assert_eq!(server.count(What::Head), 1, "{wire:?}: a create is made once");
            }
        }
    }
}

/// A server that has responded need not read the rest of the request (RFC 9113, 8.1).
#[tokio::test]
async fn a_reset_without_error_after_the_whole_answer_is_none() {
    for wire in BOTH {
        for first in [None, Some(Act::AtOnce)] {
            let mut acts: Vec<_> = first.into_iter().chain(wire.answer()).collect();
            acts.push(Act::Reset(code::NO_ERROR));
            let (_server, builder) = wire.start([], acts).await;
            let client = builder.connect_lazy().unwrap();
            for _ in 0..5 {
                assert_eq!(get(&client).await.unwrap().uuid, "t-1", "{wire:?}");
            }
        }
    }
}

/// If a response has no body, only the end of its stream shows that it is complete.
#[tokio::test]
async fn an_empty_answer_that_is_broken_off_is_no_success() {
    for broken in [
        Act::Reset(code::NO_ERROR),
        Act::GoAway(Last::Before, code::NO_ERROR),
        Act::Reset(code::CANCEL),
    ] {
        let acts = [Act::Head(vec![]), broken];
        let (_server, builder) = Http2::Rest.start([], acts).await;
        let client = builder.connect_lazy().unwrap();
        assert_may_have_run(&client.device_tasks().delete_task("t-1").await.unwrap_err());
    }
    let (_server, builder) = Http2::Rest.start([], [Act::Head(vec![]), Act::End]).await;
    builder.connect_lazy().unwrap().device_tasks().delete_task("t-1").await.unwrap();
}

/// A refused stream is HTTP/2 and does not show that gRPC is unsupported.
#[tokio::test]
async fn a_refused_question_for_the_wire_is_asked_again() {
    let acts = [
        vec![Act::Reset(code::REFUSED_STREAM)],
        vec![Act::GoAway(Last::Before, code::NO_ERROR), Act::Close],
    ];
    for refused in acts {
        let (_server, builder) = Http2::Grpc.start([refused], Http2::Grpc.answer()).await;
        let client = builder.wire(Wire::Auto).connect_lazy().unwrap();
        if let Err(error) = create(&client).await {
            assert_not_run(&error, "nothing was done");
        }
        assert_eq!(create(&client).await.unwrap().uuid, "t-1");
    }
}

#[tokio::test]
async fn an_answer_in_grpc_that_breaks_off_shows_grpc() {
    let broken = [
        Act::Reset(code::CANCEL),
        Act::Reset(code::NO_ERROR),
        Act::GoAway(Last::Before, code::INTERNAL_ERROR),
        Act::Close,
    ];
    for broken in broken {
        let acts = vec![Http2::Grpc.head(), Http2::Grpc.beginning(), broken];
        let (server, builder) = Http2::Grpc.start([acts], Http2::Grpc.answer()).await;
        let client = builder.wire(Wire::Auto).connect_lazy().unwrap();
        assert_eq!(create(&client).await.unwrap().uuid, "t-1");
        assert_eq!(server.count(What::Request), 2, "one that asks, and the create");
    }
}
