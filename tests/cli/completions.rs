//! `completions`: the scripts, and what bash does with them.

use std::process::{Command, Stdio};

use crate::command::{Server, run};
use crate::support::directory::Directory;
use crate::support::skip::skipped;

/// Returns what bash offers for the last of these words, after reading the script.
fn offered(script: &str, words: &[&str], vars: &[(&str, &str)]) -> Vec<String> {
    let folder = std::path::Path::new(env!("CARGO_BIN_EXE_eset-protect")).parent().unwrap();
    // As readline calls it: the command, the word and the previous one. In bash, an empty word after `=` is
    // not a separate word.
    let ask = r#"
        source "$1" || exit 9
        shift
        COMP_WORDS=("$@")
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        function="$(complete -p eset-protect)" || exit 9
        function="${function#*-F }"
        word="${COMP_WORDS[COMP_CWORD]}"
        [[ "$word" == = ]] && word=
        "${function%% *}" eset-protect "$word" "${COMP_WORDS[COMP_CWORD-1]}"
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    let directory = Directory::new();
    let path = directory.join("script");
    std::fs::write(&path, script).unwrap();
    let ran = Command::new("bash")
        .args(["--norc", "--noprofile", "-c", ask, "bash"])
        .arg(&path)
        .args(words)
        // The script asks the command.
        .env("PATH", format!("{}:{}", folder.display(), std::env::var("PATH").unwrap()))
        .envs(vars.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!((ran.status.code(), &*ran.stderr), (Some(0), &b""[..]), "{words:?}");
    String::from_utf8(ran.stdout).unwrap().split_whitespace().map(str::to_owned).collect()
}

#[test]
fn bash_completes_every_word() {
    if Command::new("bash").arg("--version").stdout(Stdio::null()).status().is_err() {
        return skipped("there is no `bash`");
    }
    let script = run(&["completions", "bash"], b"").ok();
    for (words, expected) in [
        ("eset-protect ta", &["tasks"][..]),
        ("eset-protect pol", &["policies"]),
        ("eset-protect tasks cr", &["create"]),
        ("eset-protect tasks update-", &["update-targets", "update-triggers"]),
        ("eset-protect assignments un", &["unassign"]),
        ("eset-protect -v tasks r", &["runs"]),
        ("eset-protect tasks --output json l", &["list"]),
        ("eset-protect --output j", &[]),
        ("eset-protect tasks list --wi", &["--wire"]),
        ("eset-protect tasks update-targets --device-g", &["--device-groups"]),
        ("eset-protect assignments assign --subs", &["--subscription"]),
        ("eset-protect tasks list --wire r", &["rest"]),
        ("eset-protect tasks list --wire = r", &["rest"]),
        ("eset-protect tasks list --region j", &["jpn"]),
        ("eset-protect policies get --output j", &["json"]),
        ("eset-protect tasks create --scan-profile I", &["InDepth"]),
        (
            "eset-protect tasks create --scan-profile InDepth --cleaning-enabled --com",
            &["--command-line"],
        ),
        ("eset-protect convert --from b", &["binary"]),
        ("eset-protect convert --type KillProcessByPidR", &["KillProcessByPidRequest"]),
        ("eset-protect tasks create --action Kill", &["KillProcessByPid"]),
        ("eset-protect tasks list --columns action.n", &["action.name"]),
        ("eset-protect tasks list --columns uuid,action.n", &["uuid,action.name"]),
        ("eset-protect devices list --sort last_", &["last_sync_time"]),
        ("eset-protect completions po", &["powershell"]),
        ("eset-protect help tasks w", &["wait"]),
        ("eset-protect call Policies/Get", &["Policies/GetPolicy"]),
    ] {
        let words: Vec<_> = words.split(' ').collect();
        assert_eq!(offered(&script, &words, &[]), expected, "{words:?}");
    }
    let all = offered(&script, &["eset-protect", "tasks", ""], &[]);
    for word in ["list", "get", "create", "delete", "update-targets", "wait", "runs"] {
        assert!(all.iter().any(|one| one == word), "{word}: {all:?}");
    }
    let values = offered(&script, &["eset-protect", "tasks", "list", "--wire", "="], &[]);
    assert_eq!(values, ["grpc", "rest", "auto"]);
}

#[test]
fn every_shell_has_a_script() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = run(&["completions", shell], b"").ok();
        for word in ["eset-protect", "ESET_PROTECT_COMPLETE"] {
            assert!(script.contains(word), "{shell} does not know {word}");
        }
    }
    assert!(run(&["completions", "cmd"], b"").fails(2).contains("bash"));
}

/// The server's devices and policies are offered too, and nothing if it does not answer.
#[test]
fn names_are_completed_live() {
    if Command::new("bash").arg("--version").stdout(Stdio::null()).status().is_err() {
        return skipped("there is no `bash`");
    }
    let server = Server::seeded();
    let script = run(&["completions", "bash"], b"").ok();
    let endpoint = [("ESET_PROTECT_ENDPOINT", &*server.endpoint)];
    let isolate = ["eset-protect", "isolate", "REGISTER-0"];
    assert!(offered(&script, &isolate, &endpoint).contains(&"REGISTER-01".to_owned()));
    let get = ["eset-protect", "devices", "get", "5f0c1a62"];
    assert!(offered(&script, &get, &endpoint).contains(&crate::command::DEVICE.to_owned()));
    let named = |words: [&str; 4]| offered(&script, &words, &endpoint);
    assert!(named(["eset-protect", "devices", "get", "LAP"]).contains(&"LAPTOP-01".to_owned()));
    assert!(named(["eset-protect", "devices", "rename", ""]).contains(&"LAPTOP-01".to_owned()));
    let flag = ["eset-protect", "patches", "list", "--device", "LAP"];
    assert!(offered(&script, &flag, &endpoint).contains(&"LAPTOP-01".to_owned()));
    let policies = server.run(&["policies", "list", "-o", "name"]).ok();
    let policies: Vec<_> = policies.lines().collect();
    for verb in ["show", "set", "export", "diff", "clone"] {
        let mut offered = named(["eset-protect", "policies", verb, ""]);
        offered.retain(|word| !word.starts_with('-'));
        assert_eq!(offered, policies, "{verb}");
    }
    let group = ["eset-protect", "tasks", "create", "--group", "c2b7e8d4"];
    assert!(offered(&script, &group, &endpoint).contains(&crate::command::GROUP.to_owned()));
    let nobody = [("ESET_PROTECT_ENDPOINT", "http://127.0.0.1:1")];
    assert_eq!(offered(&script, &isolate, &nobody), [""; 0]);
}
