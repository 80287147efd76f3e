//! `--ca-cert` and `--pin-cert`.

use std::path::PathBuf;
use std::sync::Arc;

use ::ring::digest::{SHA256, digest as ring_digest};
use eset_protect::emulator::{Auth, Emulator};
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, date_time_ymd};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::command::{Server, command, run_command};
use crate::support::directory::Directory;

/// A TLS server in front of an emulator.
struct Front {
    port: u16,
    certificate: PathBuf,
    /// Keeps the files.
    _directory: Directory,
    _server: Server,
    _runtime: Runtime,
}

impl Front {
    fn start(server: Server) -> Self {
        Self::of_hosts(server, &["localhost"], false)
    }

    /// Creates a server for these hosts, behind a proxy's tunnel if `is_proxy`.
    fn of_hosts(server: Server, hosts: &[&str], is_proxy: bool) -> Self {
        let hosts: Vec<_> = hosts.iter().map(|host| (*host).to_owned()).collect();
        Self::with(server, &CertificateParams::new(hosts).unwrap(), is_proxy)
    }

    fn with(server: Server, params: &CertificateParams, is_proxy: bool) -> Self {
        let key = KeyPair::generate().unwrap();
        let issued = params.self_signed(&key).unwrap();
        let directory = Directory::new();
        let certificate = directory.join("certificate.pem");
        std::fs::write(&certificate, issued.pem()).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![issued.der().clone()], key)
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let runtime = crate::command::runtime();
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
                    // A client that does not trust the certificate ends the handshake.
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

/// A server certificate from a private authority, as in On-Prem installations.
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

/// By the name that the certificate has, and by its fingerprint, whatever the name.
#[test]
fn a_server_name_and_a_fingerprint() {
    let front = Front::start(Server::seeded());
    let endpoint = format!("https://127.0.0.1:{}", front.port);
    let list = |args: &[&str]| {
        let list = ["policies", "list", "--limit", "1", "--endpoint", &endpoint];
        run_command(command(&[&list, args].concat()), b"")
    };
    let trusting = ["--ca-cert", front.certificate()];
    list(&trusting).fails(3);
    list(&[&trusting[..], &["--server-name", "localhost"]].concat()).ok();
    let certificate = CertificateDer::from_pem_file(&front.certificate).unwrap();
    let digest = ring_digest(&SHA256, &certificate);
    let digest: Vec<_> = digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
    list(&["--pin-sha256", &digest.join(":")]).ok();
    list(&["--pin-sha256", &digest.concat().to_lowercase()]).ok();
    list(&["--pin-sha256", &"0".repeat(64)]).fails(3);
    for (args, expected) in [
        (&["--pin-sha256", "00"][..], "--pin-sha256"),
        (&["--server-name", "a b"], "--server-name: expected a DNS name"),
        (
            &["--client-cert", front.certificate()],
            "--client-cert, ESET_PROTECT_CLIENT_KEY: expected both",
        ),
    ] {
        let error = list(args).fails(2);
        assert!(error.contains(expected), "{error}");
    }
}

/// A self-signed certificate for a name that is not the server's address, and a login.
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
    // The flag takes precedence over the environment.
    assert!(list(&[("ESET_PROTECT_PIN_CERT", other.certificate())], &pinned).code == 0);
    assert!(list(&[("ESET_PROTECT_CA_CERT", other.certificate())], &pinned).code == 0);
    let error = list(&[], &[]).fails(3);
    assert!(error.contains("certificate") && error.contains("--pin-cert FILE"), "{error}");
    let error = list(&[], &["--pin-cert", other.certificate()]).fails(3);
    assert!(
        error.contains(": the server shows another certificate than the pinned one\n"),
        "{error}"
    );
    assert!(error.contains("hint: --pin-cert must name the server's own"), "{error}");
}

/// The cloud's own hosts, served by the emulator through the test's proxy.
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

/// Problems with certificates in plain words, and what to try that was not done yet.
#[test]
fn problems_are_told_in_plain_words() {
    let params = |host: &str| CertificateParams::new([host.to_owned()]).unwrap();
    let mut expired = params("localhost");
    expired.not_after = date_time_ymd(2020, 2, 3);
    let mut early = params("localhost");
    early.not_before = date_time_ymd(2130, 1, 2);
    let mut authority = params("localhost");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let (needs, instead, pin) = (
        "hint: a server that signed its own certificate needs --pin-cert FILE",
        "hint: say --pin-cert instead of --ca-cert",
        "hint: --pin-cert FILE trusts a certificate whatever name and dates it has",
    );
    for (params, is_trusted, expected, hint) in [
        (params("localhost"), false, "is from an authority that is not trusted here", needs),
        (params("protect.example"), true, "is for protect.example, not for localhost", pin),
        (expired, true, "has expired: it was valid until 2020-02-03T00:00:00Z", pin),
        (early, true, "is not valid yet, or the clock here is wrong: it is from 2130-01-02T", pin),
        (authority, true, "shows the certificate of an authority (CA) as its own", instead),
    ] {
        let front = Front::with(Server::empty(), &params, false);
        let endpoint = format!("https://localhost:{}", front.port);
        for wire in ["grpc", "rest"] {
            let mut args = vec!["tasks", "list", "--endpoint", &endpoint, "--wire", wire];
            if is_trusted {
                args.extend(["--ca-cert", front.certificate()]);
            }
            let error = run_command(command(&args), b"").fails(3);
            assert!(error.contains(expected) && error.contains(hint), "{error}");
        }
    }
}

#[test]
fn a_port_with_tls_and_one_without() {
    let front = Front::start(Server::empty());
    let plain = Server::empty();
    let plain = plain.endpoint.replace("http://", "https://");
    let tls = format!("http://localhost:{}", front.port);
    for wire in ["grpc", "rest", "auto"] {
        let list = |endpoint: &str| {
            run_command(command(&["tasks", "list", "--wire", wire, "--endpoint", endpoint]), b"")
        };
        let error = list(&plain).fails(3);
        assert!(error.contains(": the server does not speak TLS on that port\n"), "{error}");
        assert!(error.contains("hint: say http:// for a server without TLS"), "{error}");
        let error = list(&tls).fails(3);
        assert!(error.contains(" If it wants TLS, say https://"), "{error}");
    }
}
