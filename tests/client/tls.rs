//! TLS against a real TLS server: trusted servers and client certificates.

#![cfg(feature = "tls")]

use crate::support::directory::Directory;
use crate::support::greeter::Running;
use crate::support::scripted::Scripted;
use crate::support::tls::{Identified, issue, new_authority};
use added_service::client::Greeter;
use added_service::proto::example::greeter::v1::GreetRequest;
use eset_protect::{Client, Error, ErrorKind, TlsConfig};
use rcgen::{CertificateParams, KeyPair};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::sign::{CertifiedKey, SingleCertAndKey};
use tokio_rustls::rustls::{ServerConfig, crypto};
use tonic::transport::{Certificate, Identity, ServerTlsConfig};

fn self_signed(name: &str) -> Identified {
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(vec![name.to_owned()]).unwrap().self_signed(&key).unwrap();
    Identified { certificate: certificate.pem(), key: key.serialize_pem() }
}

fn server_config(server: &Identified) -> ServerTlsConfig {
    ServerTlsConfig::new().identity(Identity::from_pem(&server.certificate, &server.key))
}

async fn call(server: &Running, host: &str, tls: TlsConfig) -> Result<(), Error> {
    let client = Client::builder(&server.secure_endpoint(host)).tls(tls).connect().await?;
    Greeter::new(client).greet(GreetRequest::default()).await.map(drop)
}

#[track_caller]
pub fn assert_refused(result: Result<(), Error>, reason: &str) {
    let error = result.expect_err("a refusal");
    assert_eq!(error.kind(), ErrorKind::Connect, "{error:?}");
    assert!(!error.may_have_executed());
    assert!(error.to_string().contains(reason), "{error}");
}

#[tokio::test]
async fn an_added_authority_is_trusted() {
    let authority = new_authority();
    let server = Running::start_tls(server_config(&issue(&authority, "localhost"))).await;
    let tls = TlsConfig::new().ca_certificate(authority.pem()).unwrap();
    call(&server, "localhost", tls.clone()).await.unwrap();
    call(&server, "localhost", tls.without_system_roots()).await.unwrap();
}

#[tokio::test]
async fn an_unknown_authority_is_not() {
    let server = Running::start_tls(server_config(&issue(&new_authority(), "localhost"))).await;
    let other = TlsConfig::new().ca_certificate(new_authority().pem()).unwrap();
    assert_refused(
        call(&server, "localhost", other).await,
        "an authority that is not trusted here",
    );
}

#[tokio::test]
async fn a_certificate_for_another_host_is_refused() {
    let authority = new_authority();
    let server = Running::start_tls(server_config(&issue(&authority, "eset.example"))).await;
    let tls = TlsConfig::new().ca_certificate(authority.pem()).unwrap();
    assert_refused(call(&server, "localhost", tls.clone()).await, "eset.example");
    call(&server, "localhost", tls.server_name("eset.example").unwrap()).await.unwrap();
}

#[tokio::test]
async fn a_certificate_for_an_address_is_trusted() {
    let authority = new_authority();
    let server = Running::start_tls(server_config(&issue(&authority, "127.0.0.1"))).await;
    let tls = TlsConfig::new().ca_certificate(authority.pem()).unwrap();
    call(&server, "127.0.0.1", tls).await.unwrap();
}

#[tokio::test]
async fn a_pinned_certificate_is_trusted_and_no_other() {
    let server_identity = self_signed("on-prem.internal");
    let server = Running::start_tls(server_config(&server_identity)).await;
    let pinned = TlsConfig::new().pinned_certificate(&server_identity.certificate).unwrap();
    call(&server, "127.0.0.1", pinned).await.unwrap();

    let other = self_signed("on-prem.internal").certificate;
    let other = TlsConfig::new().pinned_certificate(other).unwrap();
    assert_refused(
        call(&server, "127.0.0.1", other).await,
        "another certificate than the pinned one",
    );
    assert_refused(
        call(&server, "127.0.0.1", TlsConfig::new()).await,
        "an authority that is not trusted here",
    );
}

#[tokio::test]
async fn a_client_certificate_is_shown() {
    let authority = new_authority();
    let config = server_config(&issue(&authority, "localhost"))
        .client_ca_root(Certificate::from_pem(authority.pem()));
    let server = Running::start_tls(config).await;
    let anonymous = TlsConfig::new().ca_certificate(authority.pem()).unwrap();

    let client = issue(&authority, "client");
    let known = anonymous.clone().client_certificate(&client.certificate, &client.key).unwrap();
    call(&server, "localhost", known).await.unwrap();

    let stranger = issue(&new_authority(), "client");
    let unknown =
        anonymous.clone().client_certificate(&stranger.certificate, &stranger.key).unwrap();
    // With TLS 1.3, a server refuses a client after the handshake, so the call may be what fails.
    for refused in [anonymous, unknown] {
        let error = call(&server, "localhost", refused).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Connect | ErrorKind::Transport), "{error:?}");
    }
}

/// `SSL_CERT_FILE` determines the system's roots, so this test runs itself with it set.
#[test]
fn the_systems_authorities_are_trusted() {
    const INNER: &str = "ESET_PROTECT_TEST_SYSTEM_ROOTS";
    let runtime = tokio::runtime::Runtime::new().unwrap();
    if let Ok(endpoint) = std::env::var(INNER) {
        let called = runtime.block_on(async {
            let client = Client::connect(&endpoint).await?;
            Greeter::new(client).greet(GreetRequest::default()).await
        });
        called.unwrap();
        return;
    }
    let authority = new_authority();
    let config = server_config(&issue(&authority, "localhost"));
    let server = runtime.block_on(Running::start_tls(config));
    let folder = Directory::new();
    let file = folder.join("roots.pem");
    std::fs::write(&file, authority.pem()).unwrap();
    let run = |roots: &std::path::Path| {
        std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "tls::the_systems_authorities_are_trusted"])
            .env(INNER, server.secure_endpoint("localhost"))
            .env("SSL_CERT_FILE", roots)
            .env_remove("SSL_CERT_DIR")
            .output()
            .unwrap()
    };
    let trusted = run(&file);
    std::fs::write(folder.join("other.pem"), new_authority().pem()).unwrap();
    let untrusted = run(&folder.join("other.pem"));
    assert!(trusted.status.success(), "{}", String::from_utf8_lossy(&trusted.stdout));
    assert!(!untrusted.status.success(), "another authority was trusted");
}

#[tokio::test]
async fn plain_against_tls_and_tls_against_plain_fail_in_time() {
    let secure = Running::start_tls(server_config(&self_signed("localhost"))).await;
    let plain = secure.secure_endpoint("127.0.0.1").replace("https", "http");
    let client = Client::builder(&plain).connect_lazy().unwrap();
    assert!(Greeter::new(client).greet(GreetRequest::default()).await.is_err());

    let server = Running::start().await;
    assert_refused(
        call(&server, "127.0.0.1", TlsConfig::new()).await,
        "does not speak TLS on that port",
    );
}

#[test]
fn broken_pem_is_refused_and_a_key_is_never_shown() {
    let good = self_signed("localhost");
    let two = format!("{}{}", good.certificate, self_signed("other").certificate);
    let garbage = "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n";
    for (result, what) in [
        (TlsConfig::new().ca_certificate(""), "no certificate"),
        (TlsConfig::new().ca_certificate(garbage), "the CA certificate: "),
        (TlsConfig::new().pinned_certificate(two), "expected one certificate, found 2"),
        (TlsConfig::new().client_certificate(&good.certificate, "hunter2"), "the client key: "),
        (TlsConfig::new().server_name("not a name"), "found \"not a name\""),
    ] {
        let error = result.expect_err(what);
        assert!(error.to_string().contains(what), "{error}");
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    }
    let config = TlsConfig::new().client_certificate(&good.certificate, &good.key).unwrap();
    let secret = good.key.lines().nth(1).unwrap();
    assert!(!format!("{config:?}").contains(secret));
}

#[tokio::test]
async fn a_key_of_another_certificate_is_refused() {
    let (one, other) = (self_signed("localhost"), self_signed("localhost"));
    let tls = TlsConfig::new().client_certificate(&one.certificate, &other.key).unwrap();
    let error = Client::builder("https://localhost").tls(tls).connect_lazy().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config, "{error}");
}

/// Starts a server that shows one certificate and has the key of another.
async fn impostor(shown: &Identified, other: &Identified) -> Scripted {
    let provider = Arc::new(crypto::ring::default_provider());
    let chain = vec![CertificateDer::from_pem_slice(shown.certificate.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(other.key.as_bytes()).unwrap();
    let key = provider.key_provider.load_private_key(key).unwrap();
    let builder = ServerConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let shown = SingleCertAndKey::from(CertifiedKey::new(chain, key));
    let acceptor = TlsAcceptor::from(Arc::new(builder.with_cert_resolver(Arc::new(shown))));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    Scripted::accept(listener, [], move |stream| {
        let acceptor = acceptor.clone();
        async move { acceptor.accept(stream).await.ok() }
    })
}

#[tokio::test]
async fn a_key_that_does_not_fit_is_told_from_an_unknown_authority() {
    let authority = new_authority();
    let (shown, other) = (issue(&authority, "localhost"), issue(&authority, "localhost"));
    let server = impostor(&shown, &other).await;
    let endpoint = server.endpoint().replace("http://127.0.0.1", "https://localhost");
    let pinned = TlsConfig::new().pinned_certificate(&shown.certificate).unwrap();
    let trusted = TlsConfig::new().ca_certificate(authority.pem()).unwrap();
    for tls in [pinned, trusted] {
        let client = Client::builder(&endpoint).tls(tls).connect().await;
        assert_refused(client.map(drop), "a key that this client cannot use");
    }
}

#[tokio::test]
async fn a_server_without_a_common_key_is_told_which_there_are() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("https://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            // The alert `handshake_failure`.
            let _ = stream.write_all(&[21, 3, 3, 0, 2, 2, 40]).await;
            let _ = stream.read_to_end(&mut Vec::new()).await;
        }
    });
    let client = Client::builder(&endpoint).tls(TlsConfig::new()).connect().await;
    assert_refused(client.map(drop), "ECDSA with P-256 or P-384");
}
