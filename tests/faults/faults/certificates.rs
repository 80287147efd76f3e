//! Certificates that are refused.

use std::sync::Arc;

use eset_protect::TlsConfig;

use crate::fault::{Api, Begin, Fault, Setting, fault};
use crate::support::scripted::frames::grpc;
use crate::support::scripted::ok;
use crate::support::tls::{Identified, issue, issue_until, new_authority};

use super::{TASK, message};

fn setting(is_rest: bool, server: Identified, tls: TlsConfig) -> Setting {
    let (api, alpn): (_, &'static [&'static [u8]]) = if is_rest {
        (Api::Http1 { script: vec![], otherwise: ok(TASK) }, &[b"http/1.1"])
    } else {
        (Api::Http2 { script: vec![], otherwise: grpc(&message()) }, &[b"h2"])
    };
    let mut setting = Setting::new(api, is_rest).begin(Begin::Tls(Arc::new(server), alpn));
    setting.tls = tls;
    setting
}

pub fn faults(is_rest: bool) -> Vec<Fault> {
    let why = "It would fail again, so it is tried once. Nothing was sent, not even a token.";
    let trusted = move |server: &dyn Fn(&crate::support::tls::Authority) -> Identified| {
        let authority = new_authority();
        let tls = TlsConfig::new().ca_certificate(authority.pem()).expect("a certificate");
        setting(is_rest, server(&authority), tls)
    };
    vec![
        fault("a good certificate", "For comparison.", move |_| {
            trusted(&|authority| issue(authority, "localhost"))
        }),
        fault("an expired certificate", why, move |_| {
            trusted(&|authority| issue_until(authority, "localhost", 2001))
        }),
        fault("another host's certificate", why, move |_| {
            trusted(&|authority| issue(authority, "eset.example"))
        }),
        fault("a certificate of an unknown authority", why, move |_| {
            setting(is_rest, issue(&new_authority(), "localhost"), TlsConfig::new())
        }),
        fault("another certificate than the pinned one", why, move |_| {
            let other = issue(&new_authority(), "localhost");
            let tls =
                TlsConfig::new().pinned_certificate(&other.certificate).expect("a certificate");
            setting(is_rest, issue(&new_authority(), "localhost"), tls)
        }),
    ]
}
