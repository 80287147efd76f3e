//! The audit log on a disk that is full for a while, and in a file that others move.

#![cfg(target_os = "linux")]

use std::fs;
use std::path::Path;
use std::process::Command;

use eset_protect::Wire;
use eset_protect::emulator::{Fault, Running};
use eset_protect::serve::{AuditLog, Bridge, Rules, RunningBridge};
use serde_json::Value;
use tokio::sync::mpsc;
use tonic::Code;

use crate::audit::{access, create, device_task, lines};
use crate::support::directory::Directory;
use crate::{client, emulator};

/// A bridge with an audit log, and what the operator is told.
struct Audited {
    emulator: Running,
    bridge: RunningBridge,
    log: AuditLog,
    notices: mpsc::UnboundedReceiver<String>,
}

impl Audited {
    async fn start(path: &Path) -> Self {
        let emulator = emulator().await;
        let (tell, notices) = mpsc::unbounded_channel();
        let bridge = Bridge::new(access(&emulator.endpoint(), Wire::Grpc, Rules::new()));
        let bridge = bridge.on_notice(move |notice| drop(tell.send(notice.to_owned())));
        let log = AuditLog::open(path).unwrap();
        let bridge = bridge.audit(log.clone()).start().await.unwrap();
        Self { emulator, bridge, log, notices }
    }

    /// Makes a call, and waits for its end in the log.
    async fn create(&self) -> Result<(), eset_protect::Error> {
        let client = client(&self.bridge.endpoint(), Wire::Grpc);
        let created = create(&client, device_task()).await.map(drop);
        let _ = self.log.reopen().await;
        created
    }

    async fn told(&mut self, expected: &str) -> String {
        let notice = self.notices.recv().await.unwrap();
        assert!(notice.contains(expected), "{notice}");
        notice
    }
}

fn events(path: &Path) -> Vec<String> {
    let event = |line: &Value| line["event"].as_str().unwrap().to_owned();
    lines(path).iter().map(event).collect()
}

/// Makes a call that the upstream holds, while `change` is made to the disk.
async fn create_while(audited: &Audited, change: impl FnOnce()) {
    let (fault, mut hold) = Fault::hold();
    audited.emulator.faults().push_for("CreateTask", fault);
    let client = client(&audited.bridge.endpoint(), Wire::Grpc);
    let (created, ()) = tokio::join!(create(&client, device_task()), async {
        hold.arrived(1).await;
        change();
        hold.release();
    });
    created.unwrap();
}

#[tokio::test]
async fn the_end_of_a_call_is_kept_until_there_is_room() {
    let directory = Directory::new();
    let (path, aside) = (directory.join("audit.jsonl"), directory.join("aside"));
    let full = |path: &Path| std::os::unix::fs::symlink("/dev/full", path).unwrap();
    let mut audited = Audited::start(&path).await;
    create_while(&audited, || {
        fs::rename(&path, &aside).unwrap();
        full(&path);
    })
    .await;
    audited.told("opened again").await;
    audited.told("calls that change something are refused").await;
    assert_eq!(audited.create().await.unwrap_err().code(), Code::Unavailable);
    assert_eq!(events(&aside), ["begin"]);
    // It is written without any further call.
    fs::rename(&aside, &path).unwrap();
    audited.told("opened again").await;
    audited.told("is written again").await;
    assert_eq!(events(&path), ["begin", "end"]);
    assert_eq!(lines(&path)[0]["call"], lines(&path)[1]["call"]);

    // What cannot be written until the end is in the operator's log.
    create_while(&audited, || {
        fs::rename(&path, &aside).unwrap();
        full(&path);
    })
    .await;
    let Audited { bridge, mut notices, log, .. } = audited;
    drop(log);
    bridge.shutdown().await;
    let mut lost = Vec::new();
    while let Some(notice) = notices.recv().await {
        assert!(!notice.contains("jsonl is written again"), "{notice}");
        lost.extend(notice.split_once("could not be written: ").map(|(_, line)| line.to_owned()));
    }
    assert_eq!(lost.len(), 1, "{lost:?}");
    let lost: Value = serde_json::from_str(&lost[0]).unwrap();
    assert_eq!((&lost["event"], &lost["code"]), (&"end".into(), &"OK".into()));
    assert_eq!(lost["call"], lines(&aside)[2]["call"]);
}

/// The disk takes a part of a line: a limit for the size of files does that, in a process of its own.
#[tokio::test]
async fn no_part_of_a_line_is_left_by_a_full_disk() {
    const PATH: &str = "AUDIT_LOG_OF_THE_LIMITED_PROCESS";
    const LIMIT: usize = 4096;
    let Some(path) = std::env::var_os(PATH) else {
        let directory = Directory::new();
        let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$@\"", LIMIT / 512);
        let mut command = Command::new("sh");
        command.args(["-c", &script, "sh"]).arg(std::env::current_exe().unwrap());
        command.args(["--exact", "audit_file::no_part_of_a_line_is_left_by_a_full_disk"]);
        let output = command.env(PATH, directory.join("audit.jsonl")).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success() && text.contains("1 passed"),
            "{text}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        return;
    };
    let path = Path::new(&path);
    let audited = Audited::start(path).await;
    audited.create().await.unwrap();
    audited.create().await.unwrap();
    let text = fs::read_to_string(path).unwrap();
    let begin = text.split_inclusive('\n').next().unwrap();
    // There is room for the beginning and less than half of the end.
    let filled = "\n".repeat(LIMIT - text.len() - begin.len() - 100);
    let without = format!("{text}{filled}");
    fs::write(path, &without).unwrap();
    audited.create().await.unwrap();
    assert_eq!(audited.create().await.unwrap_err().code(), Code::Unavailable);
    let text = fs::read_to_string(path).unwrap();
    assert!(text.ends_with("}\n") && text.len() < LIMIT, "{text}");
    fs::write(path, text.replace(&filled, "")).unwrap();
    audited.create().await.unwrap();
    audited.bridge.shutdown().await;
    assert_eq!(events(path), ["begin", "end"].repeat(4));
    for call in lines(path).chunks(2) {
        assert_eq!(call[0]["call"], call[1]["call"]);
    }
}

#[tokio::test]
async fn a_file_that_is_moved_or_removed_is_opened_again() {
    let directory = Directory::new();
    let folder = directory.join("logs");
    fs::create_dir(&folder).unwrap();
    let path = folder.join("audit.jsonl");
    let mut audited = Audited::start(&path).await;
    audited.create().await.unwrap();
    fs::remove_file(&path).unwrap();
    audited.create().await.unwrap();
    audited.told("was renamed or removed, and is opened again").await;
    assert_eq!(events(&path), ["begin", "end"]);
    fs::rename(&path, folder.join("old")).unwrap();
    audited.create().await.unwrap();
    audited.told("was renamed or removed, and is opened again").await;
    assert_eq!(events(&folder.join("old")), ["begin", "end"]);
    assert_eq!(events(&path), ["begin", "end"]);
    // There is nothing that could be opened.
    fs::remove_dir_all(&folder).unwrap();
    let before = audited.emulator.log().len();
    assert_eq!(audited.create().await.unwrap_err().code(), Code::Unavailable);
    assert_eq!(audited.emulator.log().len(), before);
    audited.told("calls that change something are refused").await;
    fs::create_dir(&folder).unwrap();
    // A server that was killed left a part of a line.
    fs::write(&path, "{\"time\":\"2026-").unwrap();
    audited.create().await.unwrap();
    audited.bridge.shutdown().await;
    let text = fs::read_to_string(&path).unwrap();
    let (torn, rest) = text.split_once('\n').unwrap();
    assert_eq!(torn, "{\"time\":\"2026-");
    fs::write(&path, rest).unwrap();
    assert_eq!(events(&path), ["begin", "end"]);
}
