//! The table of all operations in `proto/OPERATIONS.md`.

use std::error::Error;
use std::fmt::Write;
use std::path::Path;

use clap::{Command, CommandFactory};
use eset_protect::emulator::Emulator;
use eset_protect::rpc::{Deployment, METHODS, MethodSpec, Rpc, RpcVisitor, visit};
use eset_protect::{Client, Wire};
use futures_util::future::BoxFuture;
use tonic::Code;

use super::declare;
use crate::text::short_name;
use crate::verb::{Verb, verbs};
use crate::wanted::Wanted;

const HEAD: &str = "\
# Operations

The operations of ESET's services, and where each can be used. A test writes this table
(`UPDATE_GOLDEN=1 cargo test --all-features --bin eset-protect table`) and fails when it is no longer true.

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

/// Returns the command for an RPC. The general one is there for all.
fn command(spec: &MethodSpec, commands: &Command) -> String {
    let is_declared = |it: &Verb| {
        let noun = commands.find_subcommand(&it.noun);
        noun.is_some_and(|noun| noun.find_subcommand(&it.verb).is_some())
    };
    let found = verbs().find(|it| it.spec.path == spec.path).filter(is_declared);
    found.map_or_else(
        || format!("call {}/{}", spec.service, spec.method),
        |Verb { noun, verb, .. }| format!("{noun} {verb}"),
    )
}

#[tokio::test]
async fn the_table_of_operations_is_true() -> Result<(), Box<dyn Error>> {
    let emulator = Emulator::builder().build()?;
    let emulator = emulator.start().await?;
    let client = Client::builder(&emulator.endpoint()).wire(Wire::Grpc).connect_lazy();
    let client = client?;
    let commands = declare(crate::cli::Cli::command(), &Wanted::All);
    let mut table = HEAD.to_owned();
    let mut service = "";
    for spec in METHODS.iter().filter(|spec| !spec.host.is_empty()) {
        if spec.service != service {
            service = spec.service;
            let name = short_name(service);
            write!(
                table,
                "\n## {name}\n\n`{service}`, host `{}`\n\n\
                 | gRPC | REST | On-Prem | Emulator | Command |\n|---|---|---|---|---|\n",
                spec.host
            )?;
        }
        let mut rest = String::new();
        for (number, http) in Deployment::Cloud.bindings(spec).iter().enumerate() {
            let comma = if number == 0 { "" } else { ", " };
            write!(rest, "{comma}`{} {}`", http.method, http.path)?;
        }
        let on_prem = spec.on_prem.map(|on_prem| on_prem.since);
        let on_prem = on_prem.map(|(major, minor)| format!("{major}.{minor}")).unwrap_or_default();
        let is_emulated = visit(spec.path, Has(&client)).ok_or("not listed")?.await;
        let emulator = if is_emulated { "yes" } else { "no" };
        let command = command(spec, &commands);
        writeln!(table, "| `{}` | {rest} | {on_prem} | {emulator} | `{command}` |", spec.method)?;
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("proto/OPERATIONS.md");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &table)?;
    }
    let found = std::fs::read_to_string(&path)?;
    assert_eq!(found, table, "run again with UPDATE_GOLDEN=1 and read the diff");
    Ok(())
}
