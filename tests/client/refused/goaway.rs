//! GOAWAY with the last stream below that of the call or not, and what follows.

use crate::refused::http2::{BOTH, assert_may_have_run, assert_not_run, create, get};
use crate::support::scripted::frames::{Act, Last, What, code};

const CODES: [u32; 4] =
    [code::NO_ERROR, code::PROTOCOL_ERROR, code::INTERNAL_ERROR, code::ENHANCE_YOUR_CALM];

#[tokio::test]
async fn what_comes_after_the_last_stream_was_not_processed() {
    for wire in BOTH {
        for code in CODES {
            for end in [None, Some(Act::Close)] {
                let acts: Vec<_> =
                    [Act::GoAway(Last::Before, code)].into_iter().chain(end).collect();
                let (server, error) = wire.create_error(&acts).await;
                assert_not_run(&error, "GOAWAY");
                assert!(server.count(What::Head) >= 1);
            }
        }
    }
}

#[tokio::test]
async fn what_the_last_stream_includes_may_have_run_where_the_connection_ends() {
    for wire in BOTH {
        for code in CODES {
            for last in [Last::This, Last::Any] {
                let (server, error) =
                    wire.create_error(&[Act::GoAway(last, code), Act::Close]).await;
                assert_may_have_run(&error);
                assert!(error.is_unavailable(), "{wire:?}: {error:?}");
                assert_eq!(server.count(What::Head), 1, "{wire:?}: a create is made once");
            }
        }
    }
}

#[tokio::test]
async fn what_the_last_stream_includes_may_have_run_where_it_is_reset_or_broken_off() {
    for wire in BOTH {
        for acts in [
            vec![Act::GoAway(Last::This, code::NO_ERROR), Act::Reset(code::INTERNAL_ERROR)],
            vec![Act::GoAway(Last::This, code::NO_ERROR), wire.head(), Act::Close],
            vec![wire.head(), Act::GoAway(Last::This, code::NO_ERROR), Act::Close],
            // A server that has started to respond has started to process, whatever it sends afterwards.
            vec![wire.head(), Act::GoAway(Last::Before, code::NO_ERROR)],
            vec![wire.head(), wire.beginning(), Act::GoAway(Last::Before, code::INTERNAL_ERROR)],
        ] {
            let (server, error) = wire.create_error(&acts).await;
            assert_may_have_run(&error);
            assert_eq!(server.count(What::Head), 1, "{wire:?}: {acts:?}");
        }
    }
}

/// A shutdown in two steps (RFC 9113, 6.8): first any stream, then the last one that counts.
#[tokio::test]
async fn a_second_goaway_may_take_back_what_the_first_allowed() {
    for wire in BOTH {
        let acts =
            [Act::GoAway(Last::Any, code::NO_ERROR), Act::GoAway(Last::Before, code::NO_ERROR)];
        let (_server, error) = wire.create_error(&acts).await;
        assert_not_run(&error, "GOAWAY");
    }
}

#[tokio::test]
async fn what_the_last_stream_includes_is_answered() {
    for wire in BOTH {
        for last in [Last::This, Last::Any] {
            for end in [None, Some(Act::Close)] {
                let first = [Act::GoAway(last, code::NO_ERROR)];
                let acts: Vec<_> = first.into_iter().chain(wire.answer()).chain(end).collect();
                let (server, builder) = wire.start([acts], []).await;
                let client = builder.connect_lazy().unwrap();
                assert_eq!(create(&client).await.unwrap().uuid, "t-1", "{wire:?}");
                assert_eq!(server.count(What::Request), 1);
            }
        }
    }
}

/// A GOAWAY between two calls loses neither: the next uses a new connection or, if the GOAWAY came too late
/// for that, was not sent and reports it.
#[tokio::test]
async fn a_goaway_between_calls_dooms_none() {
    for wire in BOTH {
        let mut acts = wire.answer();
        acts.push(Act::GoAway(Last::This, code::NO_ERROR));
        let (server, builder) = wire.start([], acts).await;
        let client = builder.connect_lazy().unwrap();
        let mut done = 0;
        for _ in 0..100 {
            match create(&client).await {
                Ok(_) => done += 1,
                Err(error) => {
                    assert!(!error.may_have_executed(), "{wire:?}: {error:?}");
                    assert!(error.is_retryable(), "{error:?}");
                }
            }
            let seen = server.count(What::Request);
            assert_eq!(seen, done, "{wire:?}: what arrived was answered, once");
        }
        assert!(done > 50, "{wire:?}: {done} of 100");
        // Once the client has seen it, the next call is an ordinary one.
        server.until_count(What::Closed, done).await;
        get(&client).await.unwrap();
    }
}
