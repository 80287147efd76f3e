//! The hosts that each target means. Nothing leaves this machine: the test's proxy records the requested
//! hosts and refuses.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};

use crate::command::{Ran, Server, command, run_command};
use crate::support::directory::Directory;

struct Proxy {
    address: String,
    asked: Receiver<String>,
    directory: Directory,
}

impl Proxy {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (sender, asked) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                let mut line = String::new();
                BufReader::new(&stream).read_line(&mut line).unwrap();
                let _ = sender.send(line.split(' ').nth(1).unwrap_or("").to_owned());
                let _ = (&stream).write_all(b"HTTP/1.1 502 Bad Gateway\r\n\r\n");
            }
        });
        // Its own CA, so that the test does not depend on the system's.
        let authority = rcgen::generate_simple_self_signed(["x".to_owned()]).unwrap();
        let directory = Directory::new();
        std::fs::write(directory.join("ca.pem"), authority.cert.pem()).unwrap();
        Self { address, asked, directory }
    }

    /// Returns the hosts that a run requested.
    #[track_caller]
    fn hosts(&self, args: &[&str], environment: &[(&str, &str)]) -> (Vec<String>, Ran) {
        let mut command = command(args);
        for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy", "NO_PROXY"] {
            command.env_remove(name);
        }
        command
            .envs(environment.iter().copied())
            .env("HTTPS_PROXY", &self.address)
            .env("ESET_PROTECT_CA_CERT", self.directory.join("ca.pem"));
        let ran = run_command(command, b"");
        (self.asked.try_iter().collect(), ran)
    }
}

const TOKEN: (&str, &str) = ("ESET_PROTECT_TOKEN", "geheim");

#[test]
fn a_region_has_its_hosts() {
    let proxy = Proxy::start();
    for region in ["eu", "de", "us", "ca", "jpn"] {
        for (command, host) in [
            ("tasks", "automation"),
            ("policies", "policy-management"),
            ("assignments", "policy-management"),
        ] {
            let (hosts, ran) = proxy.hosts(&[command, "list", "--region", region], &[TOKEN]);
            assert_eq!(hosts, [format!("{region}.{host}.eset.systems:443")]);
            let error = ran.fails(3);
            assert!(
                error.contains("cannot connect to ") && error.contains(&hosts[0][..10]),
                "{error}"
            );
            assert!(error.contains("HTTPS_PROXY") && !error.contains("geheim"), "{error}");
        }
        let login = [
            ("ESET_PROTECT_REGION", region),
            ("ESET_PROTECT_USERNAME", "shop"),
            ("ESET_PROTECT_PASSWORD", "geheim"),
        ];
        let (hosts, ran) = proxy.hosts(&["tasks", "list"], &login);
        assert_eq!(hosts, [format!("{region}.business-account.iam.eset.systems:443")]);
        assert!(!ran.fails(3).contains("geheim"));
    }
}

#[test]
fn a_token_url_replaces_the_regions() {
    let proxy = Proxy::start();
    let login = [("ESET_PROTECT_USERNAME", "shop"), ("ESET_PROTECT_PASSWORD", "geheim")];
    let args = ["tasks", "list", "--region", "eu", "--token-url", "https://login.example/x/token"];
    let (hosts, ran) = proxy.hosts(&args, &login);
    assert_eq!(hosts, ["login.example:443"]);
    ran.fails(3);
}

#[test]
fn on_prem_is_one_origin() {
    let proxy = Proxy::start();
    let login = [("ESET_PROTECT_USERNAME", "shop"), ("ESET_PROTECT_PASSWORD", "geheim")];
    for environment in [&login[..], &[TOKEN]] {
        let args = ["policies", "list", "--on-prem", "https://protect.example:9443"];
        let (hosts, ran) = proxy.hosts(&args, environment);
        assert_eq!(hosts, ["protect.example:9443"]);
        // The proxy closes the connection.
        let said = ran.fails(3);
        assert!(said.contains("the proxy 127.0.0.1:") && said.contains("hint: NO_PROXY"), "{said}");
    }
}

#[test]
fn flags_go_before_the_environment() {
    let proxy = Proxy::start();
    let region = ("ESET_PROTECT_REGION", "eu");
    let (hosts, _) = proxy.hosts(&["tasks", "list", "--region", "us"], &[TOKEN, region]);
    assert_eq!(hosts, ["us.automation.eset.systems:443"]);
    let on_prem = ["tasks", "list", "--on-prem", "https://protect.example"];
    let (hosts, _) = proxy.hosts(&on_prem, &[TOKEN, region, ("ESET_PROTECT_WIRE", "grpc")]);
    assert_eq!(hosts, ["protect.example:443"]);
    let environment = [TOKEN, ("ESET_PROTECT_ENDPOINT", "http://127.0.0.1:1")];
    let (hosts, _) = proxy.hosts(&["tasks", "list", "--region", "de"], &environment);
    assert_eq!(hosts, ["de.automation.eset.systems:443"]);
    let server = Server::empty();
    let args = ["tasks", "list", "--endpoint", &server.endpoint];
    let (hosts, ran) = proxy.hosts(&args, &[region]);
    assert_eq!((hosts.len(), ran.ok().starts_with("UUID")), (0, true));
}

#[test]
fn a_target_is_one() {
    let run = |args: &[&str], environment: &[(&str, &str)]| {
        let mut command = command(&[&["tasks"], args].concat());
        command.envs(environment.iter().copied());
        run_command(command, b"").fails(2)
    };
    for (args, expected) in [
        (
            &["list", "--region", "eu", "--endpoint", "http://x"][..],
            "--endpoint, --region: expected only one of them",
        ),
        // In any position on the command line.
        (
            &["--region", "eu", "list", "--on-prem", "https://x"],
            "--region, --on-prem: expected only one of them",
        ),
        (&["list", "--region", "mars"], "[possible values: eu, de, us, ca, jpn]"),
        (&["list", "--region", "eu", "--wire", "grpc"], "--wire: it is for an endpoint"),
        (&["list", "--on-prem", "https://x", "--wire", "auto"], "--wire: it is for an endpoint"),
        (&["list", "--on-prem", "x"], "expected http://HOST:PORT or https://HOST[:PORT]"),
        (&["list", "--pin-cert", "/no", "--endpoint", "https://x"], "--pin-cert /no: "),
        (
            &["list", "--pin-cert", "Cargo.toml", "--endpoint", "https://x"],
            "--pin-cert Cargo.toml: ",
        ),
        (&["list", "--pin-cert", "Cargo.toml"], "--pin-cert: the server does not use https"),
        (
            &["list", "--pin-cert", "a", "--ca-cert", "b"],
            "--ca-cert, --pin-cert: expected only one",
        ),
        (&["list", "--token-url", "ftp://x"], "--token-url: expected https://"),
    ] {
        let error = run(args, &[TOKEN]);
        assert!(error.contains(expected), "{args:?}: {error}");
    }
    let both = [("ESET_PROTECT_REGION", "eu"), ("ESET_PROTECT_ON_PREM", "https://x")];
    let error = run(&["list"], &both);
    assert!(
        error.contains("ESET_PROTECT_REGION, ESET_PROTECT_ON_PREM: expected only one"),
        "{error}"
    );
    let error = run(&["list"], &[("ESET_PROTECT_REGION", "mars")]);
    assert!(error.contains("ESET_PROTECT_REGION: expected eu, de, us"), "{error}");
}
