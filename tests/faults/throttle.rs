//! What prevents retry storms.

use std::time::Duration;

use eset_protect::{Client, RetryThrottle};
use tokio::task::JoinSet;

use crate::settings::{Says, WIRES, down, says};
use crate::stage::{Stage, create, get};

/// Makes many concurrent calls that all fail.
async fn fail(client: &Client, calls: usize) {
    let mut running = JoinSet::new();
    for _ in 0..calls {
        let client = client.clone();
        running.spawn(async move { get(&client).await.unwrap_err().is_unavailable() });
    }
    while let Some(is_unavailable) = running.join_next().await {
        assert!(is_unavailable.unwrap());
    }
}

#[tokio::test]
async fn a_dead_service_gets_fifty_retries_and_then_none() {
    for wire in WIRES {
        let stage = Stage::of(down(wire)).await;
        let client = stage.builder(wire).no_rate_limiter().connect_lazy().unwrap();
        fail(&client, 64).await;
        let requests = stage.requests();
        assert!((64..=64 + 50).contains(&requests), "{wire:?}: {requests}");
        // From now on there is one request per call.
        let before = stage.requests();
        for _ in 0..5 {
            assert_eq!(get(&client).await.unwrap_err().attempts(), 1);
        }
        assert_eq!(stage.requests(), before + 5);
    }
}

#[tokio::test]
async fn wave_after_wave_gets_no_more_of_them() {
    for wire in WIRES {
        // In four waves; without a throttle these would be 1,280 requests.
        let stage = Stage::of(down(wire)).await;
        let client = stage.builder(wire).no_rate_limiter().connect_lazy().unwrap();
        for _ in 0..4 {
            fail(&client, 64).await;
        }
        let requests = stage.requests();
        assert!((256..=256 + 50).contains(&requests), "{wire:?}: {requests}");
    }
}

#[tokio::test]
async fn it_recovers_with_the_service() {
    for wire in WIRES {
        let mut script = vec![Says::Down; 6];
        script.extend([Says::Task; 2]);
        script.extend([Says::NotFound, Says::Down]);
        let stage = Stage::of(says(wire, &script, Says::Task)).await;
        let throttle = RetryThrottle::new(10, 1.0);
        let client = stage.builder(wire).no_rate_limiter().retry_throttle(&throttle);
        let client = client.connect_lazy().unwrap();
        assert_eq!(get(&client).await.unwrap_err().attempts(), 5);
        assert_eq!(throttle.tokens(), 5.0);
        assert_eq!(get(&client).await.unwrap_err().attempts(), 1, "half of the tokens are gone");
        assert_eq!(throttle.tokens(), 4.0);
        for _ in 0..2 {
            get(&client).await.unwrap();
        }
        // A response, even though an error.
        assert!(get(&client).await.unwrap_err().is_not_found());
        assert_eq!(throttle.tokens(), 7.0);
        get(&client).await.unwrap();
        assert_eq!(throttle.tokens(), 7.0, "one taken, one given back");
        assert_eq!(stage.requests(), 5 + 1 + 2 + 1 + 2);
    }
}

#[tokio::test]
async fn clones_share_it_and_so_do_clients_that_are_given_the_same() {
    for wire in WIRES {
        let throttle = RetryThrottle::new(10, 1.0);
        let one = Stage::of(down(wire)).await;
        let two = Stage::of(down(wire)).await;
        let first = one.builder(wire).no_rate_limiter().retry_throttle(&throttle);
        let first = first.connect_lazy().unwrap();
        let second = two.builder(wire).no_rate_limiter().retry_throttle(&throttle);
        let second = second.connect_lazy().unwrap();
        assert_eq!(get(&first).await.unwrap_err().attempts(), 5);
        assert_eq!(get(&first.clone()).await.unwrap_err().attempts(), 1);
        assert_eq!(get(&second).await.unwrap_err().attempts(), 1);
        // Another client has its own throttle.
        let third = two.builder(wire).no_rate_limiter().connect_lazy().unwrap();
        assert_eq!(get(&third).await.unwrap_err().attempts(), 5);
    }
}

#[tokio::test]
async fn what_is_not_tried_again_takes_a_token_all_the_same() {
    for wire in WIRES {
        let throttle = RetryThrottle::new(10, 1.0);
        let stage = Stage::of(down(wire)).await;
        let client = stage.builder(wire).no_rate_limiter().retry_throttle(&throttle);
        let client = client.timeout(Duration::from_secs(5)).connect_lazy().unwrap();
        for call in 1..=3 {
            assert_eq!(create(&client).await.unwrap_err().attempts(), 1);
            assert_eq!(throttle.tokens(), 10.0 - f64::from(call));
        }
    }
}
