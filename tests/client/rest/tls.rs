//! TLS over the REST wire: trusted servers and client certificates.

use eset_protect::{Client, Error, ErrorKind, TlsConfig};
use tokio::net::TcpListener;

use crate::rest::calls::{TASK, get};
use crate::support::scripted::{Scripted, ok};
use crate::support::tls::{Authority, Identified, acceptor, issue, new_authority};
use crate::tls::assert_refused;

async fn start(server: &Identified, clients: Option<&Authority>) -> Scripted {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    Scripted::accept(listener, [ok(TASK)], acceptor(server, &[b"http/1.1"], clients))
}

async fn call(server: &Scripted, host: &str, tls: TlsConfig) -> Result<(), Error> {
    let address = format!("https://{host}:{}", server.address().port());
    get(&Client::on_prem(&address).tls(tls).connect_lazy()?).await.map(drop)
}

#[tokio::test]
async fn an_added_authority_is_trusted_and_no_other() {
    let authority = new_authority();
    let server = start(&issue(&authority, "localhost"), None).await;
    let other = TlsConfig::new().ca_certificate(new_authority().pem()).unwrap();
    assert_refused(
        call(&server, "localhost", other).await,
        "an authority that is not trusted here",
    );
    assert_refused(
        call(&server, "localhost", TlsConfig::new()).await,
        "an authority that is not trusted here",
    );
    let tls = TlsConfig::new().ca_certificate(authority.pem()).unwrap();
    call(&server, "localhost", tls).await.unwrap();
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_certificate_for_another_host_is_refused() {
    let authority = new_authority();
    let server = start(&issue(&authority, "eset.example"), None).await;
    let tls = TlsConfig::new().ca_certificate(authority.pem()).unwrap();
    assert_refused(call(&server, "localhost", tls.clone()).await, "eset.example");
    call(&server, "localhost", tls.server_name("eset.example").unwrap()).await.unwrap();
}

#[tokio::test]
async fn a_pinned_certificate_is_trusted_and_no_other() {
    let identity = issue(&new_authority(), "on-prem.internal");
    let server = start(&identity, None).await;
    let other = issue(&new_authority(), "on-prem.internal");
    let other = TlsConfig::new().pinned_certificate(other.certificate).unwrap();
    assert_refused(
        call(&server, "127.0.0.1", other).await,
        "another certificate than the pinned one",
    );
    let pinned = TlsConfig::new().pinned_certificate(&identity.certificate).unwrap();
    call(&server, "127.0.0.1", pinned).await.unwrap();
}

#[tokio::test]
async fn a_client_certificate_is_shown() {
    let authority = new_authority();
    let server = start(&issue(&authority, "localhost"), Some(&authority)).await;
    let anonymous = TlsConfig::new().ca_certificate(authority.pem()).unwrap();
    let stranger = issue(&new_authority(), "client");
    let unknown =
        anonymous.clone().client_certificate(&stranger.certificate, &stranger.key).unwrap();
    // With TLS 1.3, a server refuses a client after the handshake, so the call may be what fails.
    for refused in [anonymous.clone(), unknown] {
        let error = call(&server, "localhost", refused).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Connect | ErrorKind::Transport), "{error:?}");
    }
    assert!(server.seen().is_empty());
    let client = issue(&authority, "client");
    let known = anonymous.client_certificate(&client.certificate, &client.key).unwrap();
    call(&server, "localhost", known).await.unwrap();
}

#[tokio::test]
async fn a_server_that_never_shakes_hands_is_a_failed_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("https://{}", listener.local_addr().unwrap());
    let client = Client::on_prem(&address)
        .connect_timeout(std::time::Duration::from_millis(30))
        .connect_lazy()
        .unwrap();
    let error = get(&client).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect, "{error:?}");
    assert!(error.message().contains("not connected within 30ms"), "{error}");
}
