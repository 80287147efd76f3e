//! A refused certificate will be refused again; an unreachable server may return.

use std::time::Duration;

use eset_protect::{Client, ClientBuilder, Error, ErrorKind, TlsConfig, Wire};
use tokio::net::TcpListener;
use tonic::Code;

use crate::refused::http2::{TASK, at_once, create};
use crate::support::scripted::{Scripted, ok};
use crate::support::tls::{Identified, acceptor, issue, issue_until, new_authority};

const WIRES: [Wire; 3] = [Wire::Grpc, Wire::Rest, Wire::Auto];

async fn start(server: &Identified) -> Scripted {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let alpn: &[&[u8]] = &[b"h2", b"http/1.1"];
    Scripted::accept(listener, [ok(TASK)], acceptor(server, alpn, None))
}

fn builder(server: &Scripted, tls: &TlsConfig) -> ClientBuilder {
    Client::builder(&format!("https://localhost:{}", server.address().port())).tls(tls.clone())
}

#[track_caller]
fn assert_refused_for_good(error: &Error, reason: &str) {
    assert_eq!((error.kind(), error.code()), (ErrorKind::Connect, Code::Unavailable), "{error:?}");
    assert!(!error.may_have_executed() && !error.is_retryable(), "{error:?}");
    assert!(error.to_string().contains(reason), "{error}");
}

#[tokio::test]
async fn a_certificate_that_is_refused_is_not_tried_again() {
    let authority = new_authority();
    let trusting = TlsConfig::new().ca_certificate(authority.pem()).unwrap();
    let other = issue(&new_authority(), "localhost");
    let pinned = TlsConfig::new().pinned_certificate(&other.certificate).unwrap();
    let good = issue(&authority, "localhost");
    for (certificate, tls, reason) in [
        (&good, &TlsConfig::new(), "an authority that is not trusted here"),
        (&good, &pinned, "another certificate than the pinned one"),
        (&issue(&authority, "eset.example"), &trusting, "eset.example"),
        (&issue_until(&authority, "localhost", 2001), &trusting, "expired"),
    ] {
        let server = start(certificate).await;
        for wire in WIRES {
            let builder = builder(&server, tls).wire(wire);
            let error = create(&builder.clone().connect_lazy().unwrap()).await.unwrap_err();
            assert_refused_for_good(&error, reason);
            if wire == Wire::Grpc {
                assert_refused_for_good(&builder.connect().await.unwrap_err(), reason);
            }
        }
        assert!(server.seen().is_empty(), "{reason}");
    }
}

#[tokio::test]
async fn a_login_says_so_too() {
    let server = start(&issue(&new_authority(), "localhost")).await;
    for wire in WIRES {
        let builder = builder(&server, &TlsConfig::new()).wire(wire).login("user", "secret");
        let error = create(&builder.connect_lazy().unwrap()).await.unwrap_err();
        assert_refused_for_good(&error, "an authority that is not trusted here");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_may_come_back() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = closed.local_addr().unwrap();
    drop(closed);
    for address in [
        format!("https://{}", silent.local_addr().unwrap()),
        format!("https://{nobody}"),
        format!("http://{nobody}"),
    ] {
        for wire in WIRES {
            let builder =
                at_once(Client::builder(&address)).connect_timeout(Duration::from_millis(30));
            let error = create(&builder.wire(wire).connect_lazy().unwrap()).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Connect, "{address} {wire:?}: {error:?}");
            assert!(!error.may_have_executed() && error.is_retryable(), "{error:?}");
        }
    }
}
