//! The table of all operations in `proto/OPERATIONS.md`.
#![cfg(feature = "all-services")]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use eset_protect::rpc::{Deployment, METHODS, Rpc, RpcVisitor, visit};
use eset_protect::{Client, Wire};
use futures_util::future::BoxFuture;
use serde_json::Value;
use tonic::Code;

use crate::command::{Server, runtime};

const HEAD: &str = "\
# Operations

The operations of ESET's services, and where each can be used. A test writes this table
(`UPDATE_GOLDEN=1 cargo test --all-features --test cli operations`) and fails when it is no longer true.

- **gRPC**: a method of the client's handle, over gRPC.
- **REST**: the same method over ESET's API, by this HTTP rule. Rules after the first are those of older versions.
- **On-Prem**: the version of ESET PROTECT On-Prem that brought it ([facts](FACTS.md#on-prem)). The client fails
  with `UNIMPLEMENTED`, before anything is sent, for what On-Prem does not have.
- **Emulator**: `eset-protect emulator` answers it, over both wires.
- **Command**: what to write after `eset-protect`.
";

/// Whether a server has an RPC: it answers with something else than `UNIMPLEMENTED`.
struct Has<'a>(&'a Client);

impl<'a> RpcVisitor for Has<'a> {
    type Output = BoxFuture<'a, bool>;

    fn rpc<R: Rpc>(self) -> Self::Output {
        Box::pin(async move {
            let answer = self.0.call::<R>(R::Request::default()).send().await;
            answer.err().is_none_or(|error| error.code() != Code::Unimplemented)
        })
    }
}

fn name(service: &str) -> &str {
    service.rsplit('.').next().unwrap()
}

#[test]
fn the_table_of_operations_is_true() {
    let (server, runtime) = (Server::empty(), runtime());
    let client = runtime.block_on(async {
        Client::builder(&server.endpoint).wire(Wire::Grpc).connect_lazy().unwrap()
    });
    let commands: Vec<Value> = server.run(&["call", "-o", "json"]).json_lines();
    let text = |command: &Value, name: &str| command[name].as_str().unwrap().to_owned();
    let commands: BTreeMap<_, _> =
        commands.iter().map(|it| (text(it, "name"), text(it, "command"))).collect();
    let unique: std::collections::BTreeSet<_> = commands.values().collect();
    assert_eq!(unique.len(), commands.len(), "one command for two RPCs");
    let mut table = HEAD.to_owned();
    let mut service = "";
    for spec in METHODS.iter().filter(|spec| !spec.host.is_empty()) {
        if spec.service != service {
            service = spec.service;
            write!(
                table,
                "\n## {}\n\n`{service}`, host `{}`\n\n\
                 | gRPC | REST | On-Prem | Emulator | Command |\n|---|---|---|---|---|\n",
                name(service),
                spec.host
            )
            .unwrap();
        }
        let mut rest = String::new();
        for (number, http) in Deployment::Cloud.bindings(spec).iter().enumerate() {
            let comma = if number == 0 { "" } else { ", " };
            write!(rest, "{comma}`{} {}`", http.method, http.path).unwrap();
        }
        let on_prem = spec.on_prem.map(|on_prem| on_prem.since);
        let on_prem = on_prem.map(|(major, minor)| format!("{major}.{minor}")).unwrap_or_default();
        let is_emulated = runtime.block_on(visit(spec.path, Has(&client)).unwrap());
        let emulator = if is_emulated { "yes" } else { "no" };
        let names = [service, name(service)].map(|service| format!("{service}/{}", spec.method));
        let command = names.iter().find_map(|name| commands.get(name)).unwrap();
        writeln!(table, "| `{}` | {rest} | {on_prem} | {emulator} | `{command}` |", spec.method)
            .unwrap();
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("proto/OPERATIONS.md");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &table).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap();
    assert_eq!(found, table, "run again with UPDATE_GOLDEN=1 and read the diff");
}
