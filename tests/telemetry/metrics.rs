//! Counters and histograms.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use eset_protect::automation::v1::{DeviceTask, ListTasksRequest};
use eset_protect::emulator::{Auth, Fault};
use eset_protect::{Client, RateLimiter, RetryPolicy, Wire, telemetry};
use metrics::{
    Counter, CounterFn, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};
use tonic::Code;

use crate::fixture::{METHOD, builder, client, emulator};

/// Records metrics by name and labels.
#[derive(Clone, Debug, Default)]
struct Kept {
    counters: Arc<Mutex<BTreeMap<String, u64>>>,
    histograms: Arc<Mutex<BTreeMap<String, Vec<f64>>>>,
    described: Arc<Mutex<Vec<String>>>,
}

fn name(key: &Key) -> String {
    let labels: Vec<_> = key.labels().map(|l| format!("{}={}", l.key(), l.value())).collect();
    format!("{}{{{}}}", key.name(), labels.join(","))
}

struct One(Kept, String);

impl CounterFn for One {
    fn increment(&self, value: u64) {
        *self.0.counters.lock().unwrap().entry(self.1.clone()).or_default() += value;
    }

    fn absolute(&self, _: u64) {}
}

impl HistogramFn for One {
    fn record(&self, value: f64) {
        self.0.histograms.lock().unwrap().entry(self.1.clone()).or_default().push(value);
    }
}

impl Recorder for Kept {
    fn describe_counter(&self, key: KeyName, _: Option<Unit>, _: SharedString) {
        self.described.lock().unwrap().push(key.as_str().to_owned());
    }

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, key: KeyName, unit: Option<Unit>, text: SharedString) {
        assert_eq!(unit, Some(Unit::Seconds));
        self.describe_counter(key, unit, text);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(Arc::new(One(self.clone(), name(key))))
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(Arc::new(One(self.clone(), name(key))))
    }
}

impl Kept {
    fn count(&self, name: &str, labels: &str) -> u64 {
        let counters = self.counters.lock().unwrap();
        counters.get(&format!("{name}{{{labels}}}")).copied().unwrap_or_default()
    }
}

/// Runs a future with its own recorder.
fn recorded(run: impl AsyncFnOnce()) -> Kept {
    let kept = Kept::default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    metrics::with_local_recorder(&kept, || runtime.block_on(run()));
    kept
}

async fn list(client: &Client) -> Result<(), eset_protect::Error> {
    client.device_tasks().list_tasks(ListTasksRequest::default()).await.map(drop)
}

#[test]
fn what_the_rate_limit_leaves_no_time_for_is_no_attempt() {
    for wire in [Wire::Grpc, Wire::Rest] {
        let kept = recorded(async || {
            let running = emulator(|builder| builder).await;
            let limiter = RateLimiter::new(1, Duration::from_secs(3600));
            let client = builder(&running, wire).rate_limiter(&limiter).connect_lazy().unwrap();
            list(&client).await.unwrap();
            let error = list(&client).await.unwrap_err();
            assert!(error.message().contains("nothing was sent"), "{error}");
            assert_eq!(error.attempts(), 0, "{error}");
        });
        let counters = kept.counters.lock().unwrap();
        let attempts =
            counters.iter().filter(|(key, _)| key.starts_with("eset_protect.client.attempts{"));
        assert_eq!(attempts.map(|(_, count)| count).sum::<u64>(), 1, "{counters:#?}");
    }
}

#[test]
fn calls_attempts_and_retries_are_counted() {
    for wire in [Wire::Grpc, Wire::Rest] {
        let kept = recorded(async || {
            let running = emulator(|builder| builder).await;
            running.faults().push_for("ListTasks", Fault::code(Code::Unavailable));
            list(&client(&running, wire)).await.unwrap();
            let client = builder(&running, wire).retry(RetryPolicy::none()).connect_lazy().unwrap();
            running.faults().push_for("ListTasks", Fault::code(Code::Unavailable));
            list(&client).await.unwrap_err();
            running.faults().push_for("CreateTask", Fault::code(Code::Unavailable));
            client.device_tasks().create_task(DeviceTask::default()).await.unwrap_err();
        });
        let attempts = |code: &str| {
            let labels = format!("rpc.method={METHOD},rpc.response.status_code={code}");
            kept.count("eset_protect.client.attempts", &labels)
        };
        assert_eq!((attempts("OK"), attempts("UNAVAILABLE")), (1, 2), "{kept:#?}");
        let reason = |name: &str, method: &str, reason: &str| {
            kept.count(name, &format!("rpc.method={method},reason={reason}"))
        };
        let create = "eset.dotnod.automation.v1.DeviceTasks/CreateTask";
        assert_eq!(reason("eset_protect.client.retries", METHOD, "UNAVAILABLE"), 1);
        assert_eq!(reason("eset_protect.client.retries_given_up", METHOD, "attempts"), 1);
        assert_eq!(reason("eset_protect.client.retries_given_up", create, "not_safe"), 1);

        let histograms = kept.histograms.lock().unwrap();
        let durations: Vec<_> = histograms.keys().collect();
        assert_eq!(durations.len(), 3, "{durations:?}");
        let of = |end: &str| {
            let begin = "rpc.client.call.duration{rpc.system.name=grpc,rpc.method=";
            let mut found = histograms.iter().filter(|(key, _)| {
                key.starts_with(begin) && key.contains(METHOD) && key.ends_with(end)
            });
            let (key, values) = found.next().unwrap_or_else(|| panic!("{end}: {durations:?}"));
            assert!(key.contains("server.address=127.0.0.1,server.port="), "{key}");
            assert_eq!(values.len(), 1);
            assert!((0.0..60.0).contains(&values[0]));
        };
        of("error.type=UNAVAILABLE}");
        let ok = durations.iter().filter(|key| key.contains("status_code=OK"));
        assert!(ok.clone().count() == 1 && ok.clone().all(|key| !key.contains("error.type")));
    }
}

#[test]
fn logins_pending_answers_and_cancelled_calls_are_counted() {
    let kept = recorded(async || {
        let running = emulator(|builder| builder.auth(Auth::new().account("ada", "secret"))).await;
        let good = builder(&running, Wire::Rest).login("ada", "secret").connect_lazy().unwrap();
        running.faults().push_for("ListTasks", Fault::pending(2));
        list(&good).await.unwrap();
        let bad = builder(&running, Wire::Rest).login("ada", "guess").connect_lazy().unwrap();
        list(&bad).await.unwrap_err();
        let (fault, mut held) = Fault::hold();
        running.faults().push_for("ListTasks", fault);
        tokio::select! {
            result = list(&good) => panic!("{result:?}"),
            () = held.arrived(1) => {}
        }
        running.revoke_access_tokens();
        list(&good).await.unwrap();
    });
    assert_eq!(kept.count("eset_protect.client.logins", "outcome=ok"), 2);
    assert_eq!(kept.count("eset_protect.client.logins", "outcome=refused"), 1);
    assert_eq!(kept.count("eset_protect.client.pending_polls", &format!("rpc.method={METHOD}")), 2);
    let labels = format!("rpc.method={METHOD},reason=refused_token");
    assert_eq!(kept.count("eset_protect.client.retries", &labels), 1);
    let histograms = kept.histograms.lock().unwrap();
    assert!(histograms.keys().any(|key| key.ends_with("error.type=CANCELLED}")), "{histograms:?}");
}

#[cfg(feature = "serve")]
mod of_a_bridge {
    use std::collections::BTreeSet;

    use eset_protect::auth::BoxFuture;
    use eset_protect::automation::v1::{GetTaskRequest, ListTasksResponse};
    use eset_protect::serve::{Access, Bridge, Caller, Identity};
    use eset_protect::transport::{Reply, Request, Transport};
    use eset_protect::{Error, Wire};

    use super::*;

    #[derive(Debug)]
    struct Panicking;

    impl Transport for Panicking {
        fn send<'a>(&'a self, request: Request<'a>) -> BoxFuture<'a, Result<Reply, Error>> {
            assert_eq!(request.spec().method, "ListTasks", "on purpose");
            Box::pin(async { Ok(Reply::message(&ListTasksResponse::default())) })
        }
    }

    #[test]
    fn a_panic_is_counted_as_what_the_caller_gets() {
        let kept = recorded(async || {
            let upstream = Client::builder("http://127.0.0.1").transport(Panicking);
            let bridge = Bridge::to(upstream.connect_lazy().unwrap()).start().await.unwrap();
            let client = Client::builder(&bridge.endpoint()).connect_lazy().unwrap();
            let get = client.device_tasks().get_task(GetTaskRequest { task_uuid: "t".into() });
            assert_eq!(get.await.unwrap_err().code(), Code::Internal);
        });
        let labels = |code| format!("tenant=default,rpc.response.status_code={code}");
        assert_eq!(kept.count("eset_protect.serve.calls", &labels("INTERNAL")), 1, "{kept:#?}");
        let durations = kept.histograms.lock().unwrap();
        assert!(durations.keys().all(|key| !key.contains("CANCELLED")), "{durations:#?}");
    }

    #[test]
    fn the_metrics_of_its_clients_name_the_tenant() {
        let kept = recorded(async || {
            let (good, bad) = (emulator(|it| it).await, emulator(|it| it.auth(Auth::new())).await);
            let upstream = |running, password| {
                builder(running, Wire::Rest).login("api", password).connect_lazy().unwrap()
            };
            let access = Access::new()
                .tenant("good", upstream(&good, "api"))
                .tenant("bad", upstream(&bad, "guess"))
                .caller(Caller::new("all", Identity::Anyone).tenant("good").tenant("bad"));
            let bridge = Bridge::new(access.unwrap()).start().await.unwrap();
            good.faults().push_for("ListTasks", Fault::code(Code::Unavailable));
            good.faults().push_for("ListTasks", Fault::pending(1));
            let caller = Client::builder(&bridge.endpoint()).connect_lazy().unwrap();
            for tenant in ["good", "bad"] {
                let call = caller.device_tasks().list_tasks(ListTasksRequest::default());
                let _ = call.metadata("eset-protect-tenant", tenant).await;
            }
        });
        let counters = kept.counters.lock().unwrap();
        // Those of the caller's own client have none.
        let of_clients = counters.keys().filter_map(|key| {
            let (name, labels) = key.strip_prefix("eset_protect.client.")?.split_once('{')?;
            Some((name, labels.trim_end_matches('}').rsplit_once(",tenant=")?.1))
        });
        let expected = [
            ("attempts", "good"),
            ("logins", "bad"),
            ("logins", "good"),
            ("pending_polls", "good"),
            ("retries", "good"),
        ];
        assert_eq!(of_clients.collect::<BTreeSet<_>>(), BTreeSet::from(expected), "{counters:#?}");
    }
}

#[test]
fn every_metric_that_is_documented_is_described_and_no_other() {
    let kept = recorded(async || telemetry::describe_metrics());
    let docs = include_str!("../../src/telemetry.rs");
    let rows = docs.lines().filter_map(|line| line.strip_prefix("//! | `")?.split_once("` | "));
    let is_metric =
        |row: &(&str, &str)| ["counter", "histogram"].iter().any(|k| row.1.starts_with(k));
    let mut documented: Vec<_> = rows.filter(is_metric).map(|(name, _)| name.to_owned()).collect();
    documented.sort();
    let mut described = kept.described.lock().unwrap().clone();
    described.sort();
    assert_eq!(described, documented);
}
