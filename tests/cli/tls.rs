//! `--ca-cert` and `--pin-cert`.

use std::path::PathBuf;
use std::sync::Arc;

use eset_protect::emulator::{Auth, Emulator};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::directory::Directory;
use crate::support::{Server, command, run_command};

/// TLS in front of an emulator.
struct Front {
    port: u16,
    certificate: PathBuf,
    /// They are there for as long as this.
    _directory: Directory,
    _server: Server,
    _runtime: Runtime,
}

impl Front {
    fn start(server: Server) -> Self {
        Self::of_hosts(server, &["localhost"], false)
    }

    /// For these hosts; behind a proxy's tunnel if it is one.
    fn of_hosts(server: Server, hosts: &[&str], is_proxy: bool) -> Self {
        let hosts: Vec<_> = hosts.iter().map(|host| (*host).to_owned()).collect();
        let issued = rcgen::generate_simple_self_signed(hosts).unwrap();
        let directory = Directory::new();
        let certificate = directory.join("certificate.pem");
        std::fs::write(&certificate, issued.cert.pem()).unwrap();
        let key = PrivateKeyDer::try_from(issued.signing_key.serialize_der()).unwrap();
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![issued.cert.der().clone()], key)
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let runtime = crate::support::runtime();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let port = listener.local_addr().unwrap().port();
        let behind = server.endpoint.trim_start_matches("http://").to_owned();
        runtime.spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (acceptor, behind) = (acceptor.clone(), behind.clone());
                tokio::spawn(async move {
                    if is_proxy {
                        let mut head = Vec::new();
                        while !head.ends_with(b"\r\n\r\n") {
                            head.push(stream.read_u8().await.unwrap());
                        }
                        assert!(head.starts_with(b"CONNECT "), "{head:?}");
                        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
                    }
                    // A client that does not trust us ends the handshake.
                    let Ok(mut stream) = acceptor.accept(stream).await else { return };
                    let mut server = TcpStream::connect(behind).await.unwrap();
                    drop(tokio::io::copy_bidirectional(&mut stream, &mut server).await);
                });
            }
        });
        Self { port, certificate, _directory: directory, _server: server, _runtime: runtime }
    }

    fn certificate(&self) -> &str {
        self.certificate.to_str().unwrap()
    }
}

/// A server's certificate from an authority of one's own, as On-Prem installations have it.
#[test]
fn an_authority_of_ones_own() {
    let front = Front::start(Server::seeded());
    let endpoint = format!("https://localhost:{}", front.port);
    for wire in ["grpc", "rest", "auto"] {
        let list = ["policies", "list", "--endpoint", &endpoint, "--wire", wire];
        let trusting = [&list[..], &["--ca-cert", front.certificate()]].concat();
        let out = run_command(command(&trusting), b"").ok();
        assert!(out.contains("eset.local.products.endpoint"), "{out}");
        let error = run_command(command(&list), b"").fails(3);
        assert!(error.contains("certificate") && error.contains("--pin-cert FILE"), "{error}");
    }
}

/// A certificate that a server signed for itself, under a name that is not its address, and a login.
#[test]
fn a_pinned_certificate_and_a_login_on_prem() {
    let server = || Server::start(Emulator::builder().seed(true).auth(Auth::new()));
    let front = Front::start(server());
    let other = Front::start(server());
    let url = format!("https://127.0.0.1:{}", front.port);
    let list = |environment: &[(&str, &str)], args: &[&str]| {
        let mut command = command(&[&["policies", "list", "--on-prem", &url], args].concat());
        command.env("ESET_PROTECT_USERNAME", "api").env("ESET_PROTECT_PASSWORD", "api");
        command.envs(environment.iter().copied());
        run_command(command, b"")
    };
    let pinned = ["--pin-cert", front.certificate()];
    assert!(list(&[], &pinned).ok().contains("eset.local.products.endpoint"));
    assert!(list(&[("ESET_PROTECT_PIN_CERT", front.certificate())], &[]).code == 0);
    // The flag goes before the environment.
    assert!(list(&[("ESET_PROTECT_PIN_CERT", other.certificate())], &pinned).code == 0);
    assert!(list(&[("ESET_PROTECT_CA_CERT", other.certificate())], &pinned).code == 0);
    for args in [&[][..], &["--pin-cert", other.certificate()]] {
        let error = list(&[], args).fails(3);
        assert!(error.contains("certificate") && error.contains("--pin-cert FILE"), "{error}");
    }
}

/// The cloud's own hosts, with the emulator behind them: a proxy of the test's own leads there.
#[test]
fn the_cloud() {
    let server = Server::start(Emulator::builder().seed(true).auth(Auth::new()));
    let hosts = [
        "eu.automation.eset.systems",
        "eu.policy-management.eset.systems",
        "eu.business-account.iam.eset.systems",
    ];
    let front = Front::of_hosts(server, &hosts, true);
    let run = |password: &str, args: &[&str]| {
        let mut command = command(&[args, &["--region", "eu"]].concat());
        for name in ["https_proxy", "all_proxy", "no_proxy", "NO_PROXY"] {
            command.env_remove(name);
        }
        command
            .env("HTTPS_PROXY", format!("http://127.0.0.1:{}", front.port))
            .env("ESET_PROTECT_CA_CERT", front.certificate())
            .env("ESET_PROTECT_USERNAME", "api")
            .env("ESET_PROTECT_PASSWORD", password);
        run_command(command, b"")
    };
    for command in ["tasks", "policies", "assignments"] {
        assert!(run("api", &[command, "list"]).ok().starts_with("UUID"), "{command}");
    }
    let error = run("geheim", &["tasks", "list"]).fails(5);
    assert!(error.contains("\"Integrations\" is on for the API user"), "{error}");
    assert!(!error.contains("geheim"), "{error}");
    let error = run("api", &["tasks", "get", "code-7"]).fails(5);
    assert!(error.contains("HTTP 403, from which PERMISSION_DENIED is inferred"), "{error}");
    assert!(error.contains("is your ESET PROTECT in eu?"), "{error}");
}
