//! A bridge that follows its configuration.

use std::fs;
use std::time::Duration;

use eset_protect::serve::{Bridge, Config, Server};
use tokio::sync::{mpsc, oneshot};

use crate::emulator;
use crate::support::directory::Directory;
use crate::support::tls::{issue, new_authority};

/// Starts a server with this configuration, and returns the notices for its operator.
async fn bind(config: Config) -> (Server, mpsc::UnboundedReceiver<String>) {
    let (tell, notices) = mpsc::unbounded_channel();
    let server = Server::bind(config).await.unwrap();
    let tell = move |notice: &str| drop(tell.send(notice.to_owned()));
    (server.configure(|bridge: Bridge| bridge.on_notice(tell)), notices)
}

/// The clock moves on whenever the server waits.
#[tokio::test(start_paused = true)]
async fn a_renewed_certificate_is_used_once_it_fits_its_key() {
    let (directory, authority) = (Directory::new(), new_authority());
    let (old, new) = (issue(&authority, "localhost"), issue(&authority, "localhost"));
    let [certificate, key] = ["tls.crt", "tls.key"].map(|name| directory.join(name));
    fs::write(&certificate, &old.certificate).unwrap();
    fs::write(&key, &old.key).unwrap();
    let path = directory.join("serve.toml");
    let text = "listen = \"127.0.0.1:0\"\n[tls]\ncertificate = \"tls.crt\"\nkey = \"tls.key\"\n\
                [tenants.a]\nendpoint = \"http://127.0.0.1:1\"\n";
    fs::write(&path, text).unwrap();
    let (server, mut notices) = bind(Config::read(&path, None).unwrap()).await;
    assert!(server.endpoint().starts_with("https://127.0.0.1:"), "{server:?}");
    let _serving = tokio::spawn(server.serve(std::future::pending()));
    let quiet = tokio::time::timeout(Duration::from_secs(600), notices.recv()).await;
    assert!(quiet.is_err(), "{quiet:?}");
    // One file after the other. What surrounds the certificate need not be UTF-8.
    let commented = [b"# \xfc\n", new.certificate.as_bytes()].concat();
    fs::write(&certificate, commented).unwrap();
    let notice = notices.recv().await.unwrap();
    let expected = "the old certificate stays in use; the new one: the certificate and the key";
    assert!(notice.starts_with(expected), "{notice}");
    fs::write(&key, &new.key).unwrap();
    assert_eq!(notices.recv().await.unwrap(), "the certificate was renewed");
}

#[tokio::test]
async fn a_program_runs_what_the_command_runs() {
    let (upstream, directory) = (emulator().await, Directory::new());
    let path = directory.join("serve.toml");
    let text = |operations: &str| {
        format!(
            "listen = \"127.0.0.1:0\"\noperations = \"127.0.0.1:0\"\naudit_log = \"audit.jsonl\"\n{operations}\
             [tenants.acme]\nendpoint = {:?}\nwire = \"rest\"\n",
            upstream.endpoint()
        )
    };
    fs::write(&path, text("")).unwrap();
    let (server, mut notices) = bind(Config::read(&path, None).unwrap()).await;
    let server = server.metrics(|| "some_metric 1\n".to_owned());
    let (operations, reload) = (server.operations_addr().unwrap(), server.reload_handle());
    let endpoint = server.endpoint();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(server.serve(async { drop(stopped.await) }));
    let get = async |url: String| {
        let request = http::Request::get(url).body(bytes::Bytes::new()).unwrap();
        crate::send(request).await
    };
    assert_eq!(get(format!("{endpoint}/v1/device_tasks")).await.status(), 200);
    let metrics = get(format!("http://{operations}/metrics")).await;
    assert_eq!(metrics.body(), "some_metric 1\n");

    fs::rename(directory.join("audit.jsonl"), directory.join("audit.1")).unwrap();
    fs::write(&path, "tenants = 1").unwrap();
    reload.reload();
    let notice = notices.recv().await.unwrap();
    assert!(notice.starts_with("not reloaded; the old configuration stays in use: "), "{notice}");
    assert!(directory.join("audit.jsonl").exists());
    assert_eq!(get(format!("{endpoint}/v1/device_tasks")).await.status(), 200);
    fs::write(&path, text("").replace("operations = \"127.0.0.1:0\"\n", "")).unwrap();
    reload.reload();
    let notice = notices.recv().await.unwrap();
    assert!(notice.ends_with("serve.toml; only a restart changes operations"), "{notice}");
    // Whoever loses the callers of a file must not let everybody in.
    let callers = "[callers.c]\nown_token = true\ntenants = [\"acme\"]\n";
    for (callers, expected) in [
        (callers, "serve.toml; only a restart changes operations"),
        ("", "only a restart lets everybody on this machine call"),
    ] {
        fs::write(&path, text("").replace("operations = \"127.0.0.1:0\"\n", "") + callers).unwrap();
        reload.reload();
        let notice = notices.recv().await.unwrap();
        assert!(notice.ends_with(expected), "{notice}");
        assert_eq!(get(format!("{endpoint}/v1/device_tasks")).await.status(), 401);
    }
    stop.send(()).unwrap();
    serving.await.unwrap().unwrap();

    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap();
    fs::write(&path, text("").replacen("127.0.0.1:0", &address.to_string(), 1)).unwrap();
    let error = Server::bind(Config::read(&path, None).unwrap()).await.unwrap_err().to_string();
    assert!(error.starts_with(&format!("listen {address}: ")), "{error}");
}
