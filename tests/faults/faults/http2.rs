//! Broken HTTP/2 streams with REST.

use std::sync::Arc;

use eset_protect::TlsConfig;

use crate::fault::{Api, Begin, Fault, Setting, fault};
use crate::support::scripted::frames::{Act, Last, code, json, json_head};
use crate::support::tls::{issue, new_authority};

use super::TASK;

fn setting(script: Vec<Vec<Act>>, otherwise: Vec<Act>) -> Setting {
    let authority = new_authority();
    let server = Arc::new(issue(&authority, "localhost"));
    let mut setting = Setting::new(Api::Http2 { script, otherwise }, true);
    setting.begin = Begin::Tls(server, &[b"h2"]);
    setting.tls = TlsConfig::new().ca_certificate(authority.pem()).expect("a certificate");
    setting
}

fn always(acts: Vec<Act>) -> Setting {
    setting(vec![], acts)
}

fn once(acts: Vec<Act>) -> Setting {
    setting(vec![acts], json(TASK))
}

pub fn faults() -> Vec<Fault> {
    let away = |last, reason| vec![Act::GoAway(last, reason), Act::Close];
    let again = "Idempotent: retried.";
    let create = "It may have run: not retried.";
    let mut faults = vec![
        fault("GOAWAY (NO_ERROR) that leaves the stream out, once", "A request without a body may have been sent completely before the frame arrived, so this is an ordinary retry.", move |_| {
            once(away(Last::Before, code::NO_ERROR)).unprocessed(1)
        })
        .create("Certainly not processed: sent again immediately, which does not count as a retry."),
        fault("GOAWAY (NO_ERROR) that leaves the stream out, always", "Five attempts.", move |_| {
            always(away(Last::Before, code::NO_ERROR)).unprocessed(usize::MAX)
        })
        .create("Retried once immediately, then by the policy."),
        fault("GOAWAY (NO_ERROR) that counts the stream, then the response", "A graceful shutdown: calls in progress are answered.", |_| {
            let mut acts = vec![Act::GoAway(Last::This, code::NO_ERROR)];
            acts.extend(json(TASK));
            once(acts)
        }),
        fault("GOAWAY (INTERNAL_ERROR) that counts the stream, then the end, once", again, move |_| {
            once(away(Last::This, code::INTERNAL_ERROR))
        })
        .create("The server counts the stream as processed: the call may have run."),
        fault("RST_STREAM (REFUSED_STREAM), once", "Certainly not processed: sent again immediately, which does not count as a retry.", |_| {
            once(vec![Act::Reset(code::REFUSED_STREAM)]).unprocessed(1)
        }),
        fault("RST_STREAM (REFUSED_STREAM), always", "Retried once immediately, then by the policy: it is safe, and there was no response.", |_| {
            always(vec![Act::Reset(code::REFUSED_STREAM)]).unprocessed(usize::MAX)
        }),
        fault("RST_STREAM (REFUSED_STREAM) after the headers, once", again, |_| {
            once(vec![json_head(), Act::Reset(code::REFUSED_STREAM)])
        })
        .create("The server has started to respond: the call may have run."),
        fault("RST_STREAM (NO_ERROR) in the middle of the body, once", again, |_| {
            once(vec![json_head(), Act::Data(b"{}".to_vec()), Act::Reset(code::NO_ERROR)])
        })
        .create("A truncated response is not a shorter response: it may have run."),
    ];
    for (name, reason) in [
        ("CANCEL", code::CANCEL),
        ("INTERNAL_ERROR", code::INTERNAL_ERROR),
        ("ENHANCE_YOUR_CALM", code::ENHANCE_YOUR_CALM),
    ] {
        faults.push(
            fault(format!("RST_STREAM ({name}), once"), again, move |_| {
                once(vec![Act::Reset(reason)])
            })
            .create(create),
        );
        faults.push(
            fault(format!("RST_STREAM ({name}) after the headers, once"), again, move |_| {
                once(vec![json_head(), Act::Reset(reason)])
            })
            .create(create),
        );
    }
    faults
}
