//! `--ca-cert`.

use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::support::{Server, command, directory, run_command};

/// A server's certificate from an authority of one's own, as On-Prem installations have it.
#[test]
fn an_authority_of_ones_own() {
    let server = Server::seeded();
    let issued = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let directory = directory("tls");
    let path = directory.join("ca.pem");
    std::fs::write(&path, issued.cert.pem()).unwrap();
    let key = PrivateKeyDer::try_from(issued.signing_key.serialize_der()).unwrap();
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![issued.cert.der().clone()], key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));

    // TLS in front of the emulator.
    let runtime = crate::support::runtime();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let port = listener.local_addr().unwrap().port();
    let behind = server.endpoint.trim_start_matches("http://").to_owned();
    runtime.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, behind) = (acceptor.clone(), behind.clone());
            tokio::spawn(async move {
                // A client that does not trust us ends the handshake.
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let mut server = TcpStream::connect(behind).await.unwrap();
                drop(tokio::io::copy_bidirectional(&mut stream, &mut server).await);
            });
        }
    });

    let endpoint = format!("https://localhost:{port}");
    let list = ["policies", "list", "--endpoint", &endpoint];
    let trusting = [&list[..], &["--ca-cert", path.to_str().unwrap()]].concat();
    let out = run_command(command(&trusting), b"").ok();
    assert!(out.contains("eset.local.products.endpoint"), "{out}");
    let error = run_command(command(&list), b"").fails(3);
    assert!(error.contains("certificate"), "{error}");
}
