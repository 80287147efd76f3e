//! The configuration file.

use std::fs;
use std::time::{Duration, Instant};

use eset_protect::Wire;
use eset_protect::automation::v1::ListTasksRequest;
use eset_protect::serve::{Access, Config, TokenHash};

use crate::support::directory::Directory;
use crate::support::tls::{issue, new_authority};
use crate::{client, emulator};

/// The hash of the examples' token.
const KNOWN: &str = "c4bbcb1fbec99d65bf59d85c8cb62ee2db963f0fe106f483d9afa73bd4e39a8a";
const HASH: &str = "4c645bd13edfefc36351d6f14f388b884e0ce1411b79b7212007fd23aa3df154";

#[tokio::test]
async fn a_file_makes_a_bridge_and_is_read_again() {
    let upstream = emulator().await;
    let directory = Directory::new();
    let path = directory.join("serve.toml");
    let write = |allow: &str| {
        let endpoint = upstream.endpoint();
        let text = format!(
            "[tenants.acme]\nendpoint = {endpoint:?}\nwire = \"rest\"\nrate = 100\n\
             [callers.soar]\ntoken_sha256 = {HASH:?}\ntenants = [\"acme\"]\nallow = [{allow:?}]\n"
        );
        fs::write(&path, text).unwrap();
    };
    write("DeviceTasks/*");
    let config = Config::read(&path, None).unwrap();
    assert_eq!(config.listen().to_string(), "127.0.0.1:50052");
    let bridge = config.into_bridge();
    let handle = bridge.access_handle();
    let bridge = bridge.start().await.unwrap();
    let client = client(&bridge.endpoint(), Wire::Grpc);
    let list = async || {
        let call = client.device_tasks().list_tasks(ListTasksRequest::default());
        call.metadata("authorization", "Bearer 4f0c7d1e9b2a58c36d7e81f0a94b25cc").await
    };
    list().await.unwrap();
    write("Policies/*");
    let changed = Config::read(&path, Some(&handle.current())).unwrap();
    handle.replace(changed.into_access()).unwrap();
    assert!(list().await.unwrap_err().is_permission_denied());
}

/// What ESET counts belongs to the credential, whatever else of a tenant changes.
#[tokio::test]
async fn a_reload_gives_a_credential_no_second_budget() {
    let upstream = emulator().await;
    let directory = Directory::new();
    let path = directory.join("serve.toml");
    // A variable that every environment has, and that has the form of a token.
    let tenant = "token_env = \"PATH\"";
    for (before, after, caller) in [
        ("rate = 1", "rate = 1\ntimeout = \"20s\"", "anyone = true"),
        ("rate = 1", "rate = 2", "anyone = true"),
        ("rate = 1", "rate = 1\nmax_attempts = 2", "own_token = true"),
    ] {
        let read = |settings: &str, previous: Option<&Access>| {
            let endpoint = upstream.endpoint();
            let text = format!(
                "[tenants.acme]\nendpoint = {endpoint:?}\nwire = \"rest\"\n{tenant}\n{settings}\n\
                 [callers.all]\n{caller}\ntenants = [\"acme\"]\n"
            );
            fs::write(&path, text).unwrap();
            Config::read(&path, previous).unwrap()
        };
        let bridge = read(before, None).into_bridge();
        let handle = bridge.access_handle();
        let bridge = bridge.start().await.unwrap();
        let client = client(&bridge.endpoint(), Wire::Grpc);
        let list = async || {
            let call = client.device_tasks().list_tasks(ListTasksRequest::default());
            call.metadata("authorization", "Bearer own").await.unwrap()
        };
        list().await;
        let begun = Instant::now();
        handle.replace(read(after, Some(&handle.current())).into_access()).unwrap();
        list().await;
        let elapsed = begun.elapsed();
        assert!(elapsed >= Duration::from_millis(900), "{after} {caller}: {elapsed:?}");
    }
}

/// Each of these ends only once the other runs.
#[cfg(unix)]
#[test]
fn commands_that_print_logins_run_beside_each_other() {
    let directory = Directory::new();
    let path = directory.join("serve.toml");
    let tenant = |own: &str, other: &str| {
        let script =
            format!("touch {own}; until [ -e {other} ]; do sleep 0.01; done; echo token=secret");
        format!(
            "[tenants.{own}]\nendpoint = \"http://127.0.0.1:1\"\ncredentials_timeout = \"20s\"\n\
             credentials_command = [\"sh\", \"-c\", {script:?}]\n"
        )
    };
    fs::write(&path, [tenant("one", "other"), tenant("other", "one")].concat()).unwrap();
    Config::read(&path, None).unwrap();
    // The first one in the file that is wrong is told.
    let wrong = "endpoint = \"http://127.0.0.1:1\"\ncredentials_command = [\"false\"]\n";
    fs::write(&path, ["a", "b", "c"].map(|name| format!("[tenants.{name}]\n{wrong}")).concat())
        .unwrap();
    let error = Config::read(&path, None).unwrap_err().to_string();
    assert!(error.contains(":3: tenants.a.credentials_command: "), "{error}");
}

#[test]
fn what_is_wrong_is_told_with_its_line_and_key() {
    let directory = Directory::new();
    let path = directory.join("serve.toml");
    let tenant = "[tenants.a]\nendpoint = \"http://127.0.0.1:1\"\n";
    let caller = format!("{tenant}[callers.c]\ntenants = [\"a\"]\n");
    for (text, expected) in [
        (
            "listen = 5\n[tenants.a]\nregion = \"eu\"".to_owned(),
            "1: listen: invalid type: integer `5`, expected a string",
        ),
        (format!("{tenant}{tenant}"), "3: tenants.a: duplicate key"),
        (
            format!("{caller}alow = [\"*/*\"]"),
            "5: callers.c.alow: unknown field `alow`, expected one of `token_sha256`",
        ),
        (
            format!("listem = \"x\"\n{tenant}"),
            "1: listem: unknown field `listem`, expected one of `listen`",
        ),
        (
            format!("listen = \"x\"\n{tenant}"),
            "1: listen: expected an IP address and a port, such as 127.0.0.1:50052, found \"x\"",
        ),
        (
            format!("listen = \"0.0.0.0:1\"\n{tenant}"),
            "1: listen: expected a loopback address, or a table [tls], found",
        ),
        (
            format!("audit_log = \"none/audit.jsonl\"\n{tenant}"),
            "1: audit_log: expected a file in a folder that exists, found \"none/audit.jsonl\"",
        ),
        (
            format!("allow_origins = [\"x/y\"]\n{tenant}"),
            "1: allow_origins: `x/y`: expected * or an origin",
        ),
        (
            format!("{tenant}[limits]\nidle_time = \"5\""),
            "4: limits.idle_time: expected a number with a unit",
        ),
        (
            format!("[limits]\ndrain_time = \"5000000000000000h\"\n{tenant}"),
            "2: limits.drain_time: expected at most 27 hours, found \"5000000000000000h\"",
        ),
        (
            format!("[limits]\nfirst_byte_time = \"28h\"\n{tenant}"),
            "2: limits.first_byte_time: expected at most 27 hours, found \"28h\"",
        ),
        ("[tenants.a]\n".to_owned(), "1: tenants.a: expected one of endpoint, region and on_prem"),
        (
            format!("{tenant}zone = \"eu\""),
            "3: tenants.a.zone: expected one of ca_cert, client_cert, client_key",
        ),
        // A key of the command's profiles alone.
        (
            format!("{tenant}output = \"json\""),
            "3: tenants.a.output: expected one of ca_cert, client_cert, client_key, credentials, \
             credentials_command, credentials_timeout, endpoint, max_attempts, metadata, on_prem, ",
        ),
        (
            format!("{tenant}timeout = \"soon\""),
            "3: tenants.a: timeout: expected a number with a unit",
        ),
        (format!("{tenant}rate = true"), "3: tenants.a.rate: expected text, found a boolean"),
        (
            format!("{tenant}token = \"hunter2\""),
            "3: tenants.a.token: a secret does not belong in this file; use token_env",
        ),
        (
            format!("{tenant}token_env = \"ESET_NO_SUCH\""),
            "3: tenants.a.token_env: the environment has no variable \"ESET_NO_SUCH\"",
        ),
        (
            format!("{tenant}credentials_command = [\"false\"]"),
            "3: tenants.a.credentials_command: \"false\" failed: exit status: 1",
        ),
        (
            format!(
                "{tenant}credentials_timeout = \"50ms\"\ncredentials_command = [\"sleep\", \"60\"]"
            ),
            "4: tenants.a.credentials_command: \"sleep\" did not end within 50ms",
        ),
        (
            format!("{tenant}credentials_timeout = 5"),
            "3: tenants.a.credentials_timeout: expected a number with a unit",
        ),
        (
            format!("{tenant}credentials_command = [\"sh\", \"-c\", \"echo hunter2 >&2; exit 3\"]"),
            "3: tenants.a.credentials_command: \"sh\" failed: exit status: 3",
        ),
        (
            format!("{tenant}credentials_command = [\"echo\", \"hunter2\"]"),
            "3: tenants.a.credentials_command: expected it to print username=… and password=…",
        ),
        (
            caller.clone(),
            "3: callers.c: expected one of token_sha256, certificate, jwt, own_token = true and anyone = true",
        ),
        (
            format!("{caller}token_sha256 = \"hunter2\""),
            "5: callers.c.token_sha256: expected the SHA-256 of a token",
        ),
        (
            format!("{caller}token_sha256 = \"{}\"", "+f".repeat(32)),
            "5: callers.c.token_sha256: expected the SHA-256 of a token",
        ),
        (
            // What `sha256sum` prints for a variable that is not set.
            format!("{caller}token_sha256 = {:?}", TokenHash::of("").to_string()),
            "5: callers.c.token_sha256: expected the SHA-256 of a token, found that of an empty text",
        ),
        (
            format!("{caller}token_sha256 = {KNOWN:?}"),
            "5: callers.c.token_sha256: expected the SHA-256 of a token of your own, found that of the examples",
        ),
        (
            "[tenants.a]\nregion = \"\"".to_owned(),
            "2: tenants.a.region: expected a value, found an empty text; leave the key out",
        ),
        (
            "[tenants.\"\"]\nregion = \"eu\"".to_owned(),
            "1: tenants.\"\": expected a name of printable ASCII characters",
        ),
        (
            format!("{caller}anyone = true\nallow = []"),
            "6: callers.c.allow: expected at least one RPC; without `allow`, all are allowed, found []",
        ),
        (
            format!("{caller}certificate = \"spiffe://example.org/c\""),
            "3: callers.c.certificate: expected tls.client_authorities, which issue",
        ),
        (
            format!("{caller}certificate = \"\""),
            "5: callers.c.certificate: expected a text that is not empty, found \"\"",
        ),
        (
            format!("[limits]\nmax_connections = 0\n{tenant}"),
            "2: limits.max_connections: expected a number above zero, found 0",
        ),
        (
            format!("[limits]\nmax_message_size = 0\n{tenant}"),
            "2: limits.max_message_size: expected a number of bytes from 1 to 2147483647, found 0",
        ),
        (
            format!("[limits]\nmax_message_size = 2147483648\n{tenant}"),
            "2: limits.max_message_size: expected a number of bytes from 1 to 2147483647, found 2147483648",
        ),
        (
            format!("[limits]\nmax_message_size = \"16 MiB\"\n{tenant}"),
            "2: limits.max_message_size: invalid type: string \"16 MiB\", expected i64",
        ),
        (format!("{caller}jwt = \"x\""), "3: callers.c.jwt: expected a table [jwt]"),
        (
            format!(
                "[jwt]\nissuer = \"i\"\naudience = \"a\"\njwks = \"http://idp.example\"\n{tenant}"
            ),
            "4: jwt.jwks: expected an https address of keys (http only on loopback), found",
        ),
        (
            format!("operations = \"9090\"\n{tenant}"),
            "1: operations: expected an IP address and a port, such as 127.0.0.1:50052, found \"9090\"",
        ),
        (
            format!("listen = \"127.0.0.1:9\"\noperations = \"127.0.0.1:9\"\n{tenant}"),
            "2: operations: expected another port than that of `listen`, found \"127.0.0.1:9\"",
        ),
        (
            format!("operations = \"0.0.0.0:50052\"\n{tenant}"),
            "1: operations: expected another port than that of `listen`, found \"0.0.0.0:50052\"",
        ),
        (
            format!(
                "[jwt]\nissuer = \"i\"\naudience = \"a\"\njwks = \"https://idp.example\"\nclaim = \"\"\n{tenant}"
            ),
            "5: jwt.claim: expected a text that is not empty, found \"\"",
        ),
        (
            format!("[redis]\nurl = \"redis://:hunter2@localhost\"\ninstances = 2\n{tenant}"),
            "2: redis.url: a secret does not belong in this file; use url_env",
        ),
        (
            format!("[redis]\nurl = \"localhost\"\ninstances = 2\n{tenant}"),
            "2: redis.url: expected rediss://HOST:PORT, redis://HOST:PORT or redis+unix:///PATH",
        ),
        (
            format!("[redis]\nurl = \"rediss://localhost/#insecure\"\ninstances = 2\n{tenant}"),
            "2: redis.url: expected rediss://HOST:PORT, redis://HOST:PORT or redis+unix:///PATH",
        ),
        (
            format!("[limits]\nfirst_byte_time = \"0s\"\n{tenant}"),
            "2: limits.first_byte_time: expected a time greater than zero, found \"0s\"",
        ),
        (
            format!("{caller}anyone = true\nallow = [\"GetTask\"]"),
            "6: callers.c.allow: \"GetTask\": expected SERVICE/METHOD",
        ),
        (
            format!("{caller}anyone = true\ndeny = [\"DeviceTask/*\"]"),
            "6: callers.c.deny: expected an RPC of ESET's services",
        ),
        (
            format!("{tenant}[callers.c]\nanyone = true\ntenants = [\"b\"]"),
            "3: callers: caller \"c\": there is no tenant \"b\"",
        ),
        (
            format!("{tenant}[callers.c]\nanyone = true\ntenants = [\n\"a\",\n\"a\"]"),
            "7: callers.c.tenants: expected each tenant once, found \"a\"",
        ),
        (
            format!("[tls]\ncertificate = \"no.pem\"\nkey = \"no.pem\"\n{tenant}"),
            "2: tls.certificate: ",
        ),
        ("[tenants.a]\nregion = \"eu\"\nusername".to_owned(), "3: "),
    ] {
        fs::write(&path, &text).unwrap();
        let error = Config::read(&path, None).unwrap_err().to_string();
        let expected = format!("{}:{expected}", path.display());
        assert!(error.starts_with(&expected), "{text}\n{error}\n{expected}");
        assert!(!error.contains("hunter2"), "{error}");
    }
    for text in ["", "listen = \"127.0.0.1:1\"\n"] {
        fs::write(&path, text).unwrap();
        let error = Config::read(&path, None).unwrap_err().to_string();
        assert_eq!(error, format!("{}: expected a table [tenants.NAME]", path.display()));
    }
}

/// Not even by root.
#[cfg(target_os = "linux")]
#[test]
fn an_audit_log_that_cannot_be_written_is_refused() {
    let directory = Directory::new();
    let path = directory.join("serve.toml");
    let log = "/sys/kernel/uevent_seqnum";
    fs::write(&path, format!("audit_log = {log:?}\n[tenants.a]\nregion = \"eu\"\n")).unwrap();
    let error = Config::read(&path, None).unwrap_err().to_string();
    assert!(error.starts_with(&format!("{}:1: audit_log: {log}: ", path.display())), "{error}");
}

#[test]
fn the_example_is_valid_with_a_token_of_ones_own() {
    let directory = Directory::new();
    let identity = issue(&new_authority(), "localhost");
    fs::write(directory.join("tls.crt"), identity.certificate).unwrap();
    fs::write(directory.join("tls.key"), identity.key).unwrap();
    let example = include_str!("../../examples/serve/serve.toml");
    // A variable that every environment has.
    let example = example.replace("/etc/eset-protect/", "").replace("ACME_PASSWORD", "PATH");
    let example = example.replace("/var/log/eset-protect/", "");
    let path = directory.join("serve.toml");
    fs::write(&path, &example).unwrap();
    let error = Config::read(&path, None).unwrap_err().to_string();
    assert!(
        error.contains("callers.soar.token_sha256: expected the SHA-256 of a token of your own"),
        "{error}"
    );
    fs::write(&path, example.replace(KNOWN, HASH)).unwrap();
    let config = Config::read(&path, None).unwrap();
    assert!(!config.into_access().is_open());
}
