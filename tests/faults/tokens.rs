//! Tokens refused by a service.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use eset_protect::auth::{AccessToken, BoxFuture, Credentials};
use eset_protect::{Client, ClientBuilder, Error, Region, TlsConfig, Wire};
use tokio::task::JoinSet;

use crate::faults::{TASK, message};
use crate::settings::{Says, WIRES, says};
use crate::stage::{PASSWORD, Stage, TOKEN, USER, create, get, tokens};
use crate::support::driven_timer::DrivenTimer;
use crate::support::scripted::Scripted;
use crate::support::scripted::h2::{H2Server, Reply};
use crate::support::tls::{acceptor, issue, new_authority};

/// A service that accepts certain tokens, and a login.
struct Service {
    _api: H2Server,
    login: Scripted,
    /// The tokens that it received.
    seen: Arc<Mutex<Vec<String>>>,
    builder: ClientBuilder,
    timer: DrivenTimer,
}

impl Service {
    async fn start(wire: Wire, takes: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = seen.clone();
        let reply = move |request: &http::request::Parts| {
            let token = request.headers["authorization"].to_str().unwrap();
            let token = token.strip_prefix("Bearer ").unwrap().to_owned();
            log.lock().unwrap().push(token.clone());
            match (wire, takes(&token)) {
                (Wire::Rest, true) => Reply::plain(200, "application/json", TASK),
                (Wire::Rest, false) => Reply::plain(401, "application/json", "{}"),
                (_, true) => Reply::message(&message()),
                (_, false) => Reply::status(16),
            }
        };
        let login = Scripted::start(tokens().take(50).collect::<Vec<_>>()).await;
        let (api, builder) = if wire == Wire::Rest {
            let authority = new_authority();
            let begin = acceptor(&issue(&authority, "localhost"), &[b"h2"], None);
            let api = H2Server::accept(reply, begin).await;
            let tls = TlsConfig::new().ca_certificate(authority.pem()).unwrap();
            let origin = format!("https://localhost:{}", api.address().port());
            (api, Client::cloud(Region::Eu).host("automation", origin).tls(tls))
        } else {
            let api = H2Server::start(reply).await;
            let builder = Client::builder(&api.endpoint());
            (api, builder)
        };
        let timer = DrivenTimer::new();
        let builder = builder
            .token_url(format!("{}/oauth/token", login.endpoint()))
            .login(USER, PASSWORD)
            .timer(timer.clone())
            .jitter(|ceiling| ceiling)
            .no_rate_limiter();
        Self { _api: api, login, seen, builder, timer }
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_and_the_call_made_again_with_the_new_one() {
    for wire in WIRES {
        let first = format!("{TOKEN}-1");
        let service = Service::start(wire, move |token| token != first).await;
        let client = service.builder.clone().connect_lazy().unwrap();
        create(&client).await.unwrap();
        assert_eq!(service.seen(), [1, 2].map(|n| format!("{TOKEN}-{n}")));
        assert_eq!(service.login.seen().len(), 2);
        // The new one remains.
        get(&client).await.unwrap();
        assert_eq!(service.seen().len(), 3);
        assert_eq!(service.login.seen().len(), 2);
    }
}

#[tokio::test]
async fn a_service_that_refuses_all_tokens_gets_two_of_them() {
    for wire in WIRES {
        let service = Service::start(wire, |_| false).await;
        let client = service.builder.clone().connect_lazy().unwrap();
        let error = create(&client).await.unwrap_err();
        assert!(error.is_unauthenticated() && !error.may_have_executed(), "{error:?}");
        assert_eq!((error.attempts(), service.seen().len()), (2, 2));
        assert_eq!(service.login.seen().len(), 2);
        assert_eq!(service.timer.elapsed(), Duration::ZERO);
        // Another login may have replaced ours, so each new call tries once, after a pause.
        for call in 0..10 {
            let error = get(&client).await.unwrap_err();
            assert!(error.is_unauthenticated() && error.attempts() == 2, "{error:?}");
            assert_eq!(service.login.seen().len(), 3 + call);
        }
        let rests = [1, 2, 4, 8, 10, 10, 10, 10, 10, 10].map(Duration::from_secs);
        assert_eq!(service.timer.waits(), rests);
    }
}

/// An account with a single session: the login of one program ends that of the other.
#[tokio::test]
async fn two_programs_that_end_each_others_sessions_both_go_on() {
    for wire in WIRES {
        let newest = Arc::new(Mutex::new(0));
        let takes = move |token: &str| {
            let number: u32 = token.rsplit('-').next().unwrap().parse().unwrap();
            let mut newest = newest.lock().unwrap();
            *newest = number.max(*newest);
            number == *newest
        };
        let service = Service::start(wire, takes).await;
        let programs = [0, 1].map(|_| service.builder.clone().connect_lazy().unwrap());
        for round in 0..10 {
            for client in &programs {
                create(client).await.unwrap();
                // A valid token stays valid as long as no other program logs in.
                get(client).await.unwrap();
            }
            assert_eq!(service.login.seen().len(), 2 * (round + 1));
        }
    }
}

/// Tokens replaced by another call: the second exists without this call's help, the third does not.
#[derive(Debug, Default)]
struct Replaced {
    asked: AtomicUsize,
    invalidated: Mutex<Vec<AccessToken>>,
}

impl Credentials for Replaced {
    fn token(&self) -> BoxFuture<'_, Result<AccessToken, Error>> {
        let asked = self.asked.fetch_add(1, Ordering::SeqCst);
        let number = if asked == 0 { 1 } else { 2 + self.invalidated.lock().unwrap().len() };
        Box::pin(async move { Ok(AccessToken::new(format!("{TOKEN}-{number}"))) })
    }

    fn invalidate(&self, token: &AccessToken) -> BoxFuture<'_, ()> {
        self.invalidated.lock().unwrap().push(token.clone());
        Box::pin(async {})
    }
}

#[tokio::test]
async fn a_token_that_was_replaced_by_another_call_counts_as_new() {
    for wire in WIRES {
        for (good, seen, is_let_in) in [(2, 2, true), (3, 3, true), (9, 3, false)] {
            let good = format!("{TOKEN}-{good}");
            let service = Service::start(wire, move |token| token == good).await;
            let builder = service.builder.clone().credentials(Replaced::default());
            let result = create(&builder.connect_lazy().unwrap()).await;
            assert_eq!(result.is_ok(), is_let_in, "{result:?}");
            let expected: Vec<_> = (1..=seen).map(|number| format!("{TOKEN}-{number}")).collect();
            assert_eq!(service.seen(), expected);
        }
    }
}

#[tokio::test]
async fn a_hundred_calls_with_an_expired_token_log_in_once() {
    for wire in WIRES {
        let is_expired = Arc::new(Mutex::new(false));
        let (expired, first) = (is_expired.clone(), format!("{TOKEN}-1"));
        let takes = move |token: &str| token != first || !*expired.lock().unwrap();
        let service = Service::start(wire, takes).await;
        let client = service.builder.clone().connect_lazy().unwrap();
        get(&client).await.unwrap();
        assert_eq!(service.login.seen().len(), 1);
        *is_expired.lock().unwrap() = true;
        let mut calls = JoinSet::new();
        for number in 0..100 {
            let client = client.clone();
            calls.spawn(async move {
                if number % 2 == 0 { get(&client).await } else { create(&client).await }
            });
        }
        while let Some(result) = calls.join_next().await {
            result.unwrap().unwrap();
        }
        assert_eq!(service.login.seen().len(), 2, "{wire:?}: one login for all of them");
        let second = format!("{TOKEN}-2");
        let answered = service.seen().iter().filter(|token| **token == second).count();
        assert_eq!(answered, 100, "{wire:?}: each call was let in once");
    }
}

#[tokio::test]
async fn a_renewal_is_no_retry_of_the_policy() {
    for wire in WIRES {
        let script = [Says::Unauthenticated, Says::Down, Says::Down, Says::Down, Says::Down];
        let stage = Stage::of(says(wire, &script, Says::Task)).await;
        let client = stage.builder(wire).no_rate_limiter().connect_lazy().unwrap();
        get(&client).await.unwrap();
        assert_eq!((stage.requests(), stage.logins().len()), (6, 2));
        // A second refusal within the same call causes no renewal, whatever happened in between.
        let script = [Says::Unauthenticated, Says::Down, Says::Unauthenticated];
        let stage = Stage::of(says(wire, &script, Says::Task)).await;
        let client = stage.builder(wire).no_rate_limiter().connect_lazy().unwrap();
        let error = get(&client).await.unwrap_err();
        assert!(error.is_unauthenticated(), "{error:?}");
        assert_eq!((stage.requests(), stage.logins().len()), (3, 2));
    }
}
