//! Runs the command: what it prints, writes and shows in the process list.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use eset_protect::emulator::{Emulator, Fault};
use serde_json::json;
use tonic::Code;

use crate::forms::{ACCESS, PASSWORD, PROXY_PASSWORD, REFRESH, STATIC, found};
use crate::support::directory::Directory;
use crate::support::scripted::{Answer, Scripted, answer, json as json_answer, ok};

struct Ran {
    is_success: bool,
    /// Everything that others could see.
    seen: String,
}

/// Runs the command in an empty folder, at the most verbose level.
async fn run(arguments: &[&str], environment: &[(&str, &str)]) -> Ran {
    let home = Directory::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_eset-protect"));
    command.env_clear().current_dir(&*home);
    for name in ["HOME", "TMPDIR", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"] {
        command.env(name, &*home);
    }
    command.args(arguments).envs(environment.iter().copied());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let list = PathBuf::from(format!("/proc/{}/cmdline", child.id()));
    let processes = std::fs::read(list).unwrap_or_default();
    let waiting = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap());
    let output = waiting.await.unwrap();
    let mut seen = processes;
    seen.extend(output.stdout);
    seen.extend(output.stderr);
    written(&home, &mut seen);
    Ran { is_success: output.status.success(), seen: String::from_utf8_lossy(&seen).into_owned() }
}

/// Collects the names and contents of all files in a folder.
fn written(folder: &Path, to: &mut Vec<u8>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        to.extend(path.display().to_string().bytes());
        if path.is_dir() {
            written(&path, to);
        } else {
            to.extend(std::fs::read(&path).unwrap());
        }
    }
}

fn tokens() -> Answer {
    let body = json!({
        "access_token": format!("{ACCESS}-1"),
        "refresh_token": format!("{REFRESH}-1"),
        "expires_in": 3600,
    });
    ok(&body.to_string())
}

#[track_caller]
fn is_clean(ran: &Ran) {
    assert_eq!(found(&ran.seen), Vec::<String>::new(), "{}", ran.seen);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_shows_no_secret_at_the_most_verbose_level() {
    let running = Emulator::builder().seed(true).build().unwrap().start().await.unwrap();
    let endpoint = running.endpoint();
    let password = [("ESET_PROTECT_USERNAME", "ada"), ("ESET_PROTECT_PASSWORD", PASSWORD)];

    for wire in ["grpc", "rest", "auto"] {
        let list = ["tasks", "list", "-vvv", "--endpoint", &endpoint, "--wire", wire];
        let logins = Scripted::start([tokens()]).await;
        let url = logins.endpoint();
        let login = [&list[..], &["--token-url", &url]].concat();
        let ran = run(&login, &password).await;
        is_clean(&ran);
        assert!(ran.is_success, "{}", ran.seen);
        // It logged in, and it logged events of this crate and of those below.
        assert!(!found(&logins.seen()[0].text()).is_empty());
        assert!(ran.seen.contains("eset_protect::auth") && ran.seen.contains("hyper_util"));

        let told = json!({ "error_description": format!("{PASSWORD} is wrong") }).to_string();
        let logins = Scripted::start([json_answer("401 Unauthorized", &told)]).await;
        let url = logins.endpoint();
        let login = [&list[..], &["--token-url", &url]].concat();
        let ran = run(&login, &password).await;
        is_clean(&ran);
        assert!(!ran.is_success && ran.seen.contains("the login was refused"), "{}", ran.seen);

        running.faults().push_for("ListTasks", Fault::code(Code::Unauthenticated));
        let ran = run(&list, &[("ESET_PROTECT_TOKEN", STATIC)]).await;
        is_clean(&ran);
        assert!(!ran.is_success, "{}", ran.seen);
    }

    // Through the environment, and with a token.
    let list = ["tasks", "list", "--endpoint", endpoint.as_str()];
    let environment = [("ESET_PROTECT_TOKEN", STATIC), ("ESET_PROTECT_LOG", "trace")];
    let ran = run(&list, &environment).await;
    is_clean(&ran);
    assert!(ran.is_success && ran.seen.contains("h2::codec"), "{}", ran.seen);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_password_of_a_proxy_is_not_shown() {
    let proxy = Scripted::start([answer("407 Proxy Authentication Required", &[], "")]).await;
    let address = format!("http://house:{PROXY_PASSWORD}@{}", proxy.address());
    let list = ["tasks", "list", "-vvv", "--on-prem", "https://protect.invalid:9443"];
    let arguments = [&list[..], &["--max-attempts", "1"]].concat();
    let environment = [("https_proxy", address.as_str()), ("ESET_PROTECT_TOKEN", STATIC)];
    let ran = run(&arguments, &environment).await;
    is_clean(&ran);
    assert!(!ran.is_success);
    let asked = proxy.seen();
    assert!(asked[0].header("proxy-authorization").is_some_and(|text| !found(text).is_empty()));
}
