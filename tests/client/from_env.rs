//! Clients that the environment describes: where their tokens come from.

#![cfg(all(unix, feature = "profiles"))]

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use eset_protect::{Client, ClientBuilder};

use crate::support::directory::Directory;
use crate::support::scripted::{Scripted, json, ok};

const TASK: &str = r#"{"task":{}}"#;
/// Set for a child that makes one call: the folder of its settings.
const CHILD: &str = "ESET_PROTECT_TEST_FROM_ENV";

/// Returns a server that refuses the first token.
async fn server() -> Scripted {
    Scripted::start([json("401 Unauthorized", ""), ok(TASK)]).await
}

fn assert_both_were_sent(server: &Scripted) {
    let seen = server.seen();
    let tokens: Vec<_> = seen.iter().map(|seen| seen.header("authorization").unwrap()).collect();
    assert_eq!(tokens, ["Bearer one", "Bearer two"]);
}

#[tokio::test]
async fn a_file_is_read_again_when_its_token_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let (server, folder) = (server().await, Directory::new());
    let file = folder.join("credentials");
    fs::write(&file, "token=one").unwrap();
    fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
    let builder = ClientBuilder::from_vars(|name| match name {
        "ESET_PROTECT_ENDPOINT" => Some(server.endpoint().into()),
        "ESET_PROTECT_WIRE" => Some("rest".into()),
        "ESET_PROTECT_CREDENTIALS" => Some(file.clone().into()),
        _ => None,
    });
    let client = builder.unwrap().connect_lazy().unwrap();
    fs::write(&file, "token=two").unwrap();
    client.device_tasks().get_task("t").await.unwrap();
    assert_both_were_sent(&server);

    fs::write(&file, "token=se cret").unwrap();
    let error = ClientBuilder::from_vars(|name| {
        Some(file.clone().into()).filter(|_| name == "ESET_PROTECT_CREDENTIALS")
    });
    let (message, file) = (error.unwrap_err().to_string(), file.display());
    let expected = format!("ESET_PROTECT_CREDENTIALS {file}: token: expected a token of visible");
    assert!(message.contains(&expected) && !message.contains("se cret"), "{message}");
}

/// The child's part: a call with a token from a command that ends when something else on the same thread has run.
#[test]
fn child() {
    let Some(folder) = env::var_os(CHILD).map(PathBuf::from) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let go = async { fs::write(folder.join("go"), "").unwrap() };
        let (client, ()) = tokio::join!(Client::from_env(), go);
        fs::write(folder.join("token"), "token=two").unwrap();
        client.unwrap().device_tasks().get_task("t").await.unwrap();
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_command_for_the_token_blocks_no_task_and_runs_again() {
    let (server, home) = (server().await, Directory::new());
    let folder = home.join("eset-protect");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("token"), "token=one").unwrap();
    let script = "until [ -e go ]; do sleep 0.01; done; cat token";
    let settings = format!(
        "[profiles.a]\nendpoint = '{}'\nwire = 'rest'\ncredentials_timeout = '20s'\n\
         credentials_command = ['sh', '-c', '{script}']\n",
        server.endpoint()
    );
    fs::write(folder.join("config.toml"), settings).unwrap();
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "from_env::child"]).env(CHILD, &folder);
    command.env("XDG_CONFIG_HOME", &*home).env("ESET_PROFILE", "a");
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_both_were_sent(&server);
}
