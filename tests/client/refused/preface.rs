//! Connections on which the server never started to speak HTTP/2: no request is sent on them, so none ran.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use eset_protect::{Client, ClientBuilder, Error, ErrorKind, TlsConfig};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tonic::Code;

use crate::refused::http2::{BOTH, Http2, at_once, create};
use crate::support::scripted::frames::{FrameServer, What};
use crate::support::tls::{acceptor, issue, new_authority};

/// What a server does instead of speaking HTTP/2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Begin {
    /// Closes at once.
    Close,
    /// Reads what the client sends first, then closes.
    Read,
    /// Sends this, then closes.
    Say(&'static [u8]),
    /// Reads and sends nothing.
    Listen,
}

const BEGINNINGS: [Begin; 7] = [
    Begin::Close,
    Begin::Read,
    Begin::Say(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n"),
    Begin::Say(b"\0\0"),
    // SETTINGS that acknowledge others, and an invalid frame.
    Begin::Say(b"\0\0\0\x04\x01\0\0\0\0"),
    Begin::Say(b"\0\0\x04\x08\0\0\0\0\0\0\0\0\x01"),
    Begin::Listen,
];

/// Everything that clients sent on such connections.
type Said = Arc<Mutex<Vec<Vec<u8>>>>;

async fn begin(mut stream: impl AsyncRead + AsyncWrite + Unpin, begin: Begin, said: &Said) {
    let mut bytes = Vec::new();
    match begin {
        Begin::Close => {}
        Begin::Read => {
            let _ = stream.read_buf(&mut bytes).await;
        }
        Begin::Say(text) => {
            let _ = stream.write_all(text).await;
            let _ = stream.shutdown().await;
            let _ = stream.read_to_end(&mut bytes).await;
        }
        Begin::Listen => {
            let _ = stream.read_to_end(&mut bytes).await;
        }
    }
    said.lock().unwrap().push(bytes);
}

/// Starts a server that does this on its first connections and works afterwards.
async fn start(wire: Http2, how: Begin, times: usize) -> (FrameServer, ClientBuilder, Said) {
    let said = Said::default();
    let log = said.clone();
    let count = AtomicUsize::new(0);
    let is_bad = move || count.fetch_add(1, Ordering::Relaxed) < times;
    let (server, builder) = match wire {
        Http2::Grpc => {
            let server = FrameServer::accept([], wire.answer(), move |stream| {
                let (log, is_bad) = (log.clone(), is_bad());
                async move {
                    if is_bad {
                        begin(stream, how, &log).await;
                        return None;
                    }
                    Some(stream)
                }
            })
            .await;
            let builder = Client::builder(&server.endpoint());
            (server, builder)
        }
        Http2::Rest => {
            let authority = new_authority();
            let tls = acceptor(&issue(&authority, "localhost"), &[b"h2"], None);
            let server = FrameServer::accept([], wire.answer(), move |stream| {
                let (log, is_bad, shaking) = (log.clone(), is_bad(), tls(stream));
                async move {
                    let stream = shaking.await?;
                    if is_bad {
                        begin(stream, how, &log).await;
                        return None;
                    }
                    Some(stream)
                }
            })
            .await;
            let tls = TlsConfig::new().ca_certificate(authority.pem()).unwrap();
            let address = format!("https://localhost:{}", server.address().port());
            let builder = Client::on_prem(&address).tls(tls);
            (server, builder)
        }
    };
    let timeout = if how == Begin::Listen { 250 } else { 60_000 };
    (server, at_once(builder).connect_timeout(Duration::from_millis(timeout)), said)
}

/// Returns the types of the frames after the client's magic.
fn frames(mut said: &[u8]) -> Vec<u8> {
    const MAGIC: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    assert!(MAGIC.starts_with(&said[..said.len().min(24)]), "{said:?}");
    said = said.get(24..).unwrap_or_default();
    let mut kinds = Vec::new();
    while let [a, b, c, kind, rest @ ..] = said {
        kinds.push(*kind);
        let length = u32::from_be_bytes([0, *a, *b, *c]) as usize;
        said = rest.get(5 + length..).unwrap_or_default();
    }
    kinds
}

#[track_caller]
fn assert_no_connection(error: &Error) {
    assert_eq!((error.kind(), error.code()), (ErrorKind::Connect, Code::Unavailable), "{error:?}");
    assert!(!error.may_have_executed() && error.is_retryable(), "{error:?}");
    assert!(error.message().contains("no HTTP/2 from the server"), "{error}");
}

#[tokio::test]
async fn a_call_on_them_did_not_run() {
    for wire in BOTH {
        for how in BEGINNINGS {
            let (server, builder, said) = start(wire, how, usize::MAX).await;
            let client = builder.connect_lazy().unwrap();
            let error = create(&client).await.unwrap_err();
            assert_no_connection(&error);
            assert_eq!(error.attempts(), 5, "{wire:?} {how:?}: {error:?}");
            assert_eq!(server.count(What::Connection), 0);
            drop(client);
            for bytes in said.lock().unwrap().iter() {
                let kinds = frames(bytes);
                // Nothing except SETTINGS and the window of the connection.
                assert!(
                    kinds.iter().all(|kind| [4, 8].contains(kind)),
                    "{wire:?} {how:?}: {kinds:?}"
                );
            }
        }
    }
}

/// Therefore it is repeated, once.
#[tokio::test]
async fn a_create_goes_to_the_next_connection() {
    for wire in BOTH {
        for how in BEGINNINGS {
            let (server, builder, _said) = start(wire, how, 2).await;
            let client = builder.connect_lazy().unwrap();
            assert_eq!(create(&client).await.unwrap().uuid, "t-1", "{wire:?} {how:?}");
            assert_eq!(server.count(What::Request), 1, "{wire:?} {how:?}");
        }
    }
}

/// TLS 1.3 reports a refused or missing client certificate after the handshake.
#[tokio::test]
async fn a_certificate_that_is_wanted_is_wanted_the_next_time_too() {
    let authority = new_authority();
    for wire in BOTH {
        let tls = acceptor(&issue(&authority, "localhost"), &[b"h2"], Some(&authority));
        let server = FrameServer::accept([], wire.answer(), tls).await;
        let address = format!("https://localhost:{}", server.address().port());
        let builder = match wire {
            Http2::Grpc => Client::builder(&address),
            Http2::Rest => Client::on_prem(&address),
        };
        let tls = TlsConfig::new().ca_certificate(authority.pem()).unwrap();
        let error = create(&builder.tls(tls).connect_lazy().unwrap()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connect, "{wire:?}: {error:?}");
        assert!(!error.may_have_executed() && !error.is_retryable(), "{error:?}");
        assert_eq!(error.attempts(), 1, "{error:?}");
    }
}
