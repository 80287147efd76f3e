//! The layout of the demo: numbered steps with facts.

use std::fmt::{Debug, Display};

use eset_protect::wkt::Any;
use prost::{Message, Name};

use crate::failure::Failure;
use crate::output::Output;

/// The width of the names of facts.
const NAME: usize = 9;

/// Prints the demo.
#[derive(Debug)]
pub struct Stage {
    pub output: Output,
    steps: usize,
}

impl Stage {
    pub fn new() -> Self {
        Self { output: Output::new(), steps: 0 }
    }

    pub fn title(&mut self, text: &str) -> Result<(), Failure> {
        let text = self.output.style.bold(text);
        self.output.line(&text)
    }

    /// Starts the next step.
    pub fn step(&mut self, text: &str) -> Result<(), Failure> {
        self.steps += 1;
        let style = self.output.style;
        let number = style.cyan(&format!("{:>2}", self.steps));
        self.output.line(&format!("\n{number}  {}", style.bold(text)))?;
        // Shows each step when it happens.
        self.output.flush()
    }

    /// Prints a name and a value, which may have several lines.
    pub fn fact(&mut self, name: &str, value: &str) -> Result<(), Failure> {
        let mut name = self.output.style.dim(&format!("{name:NAME$}"));
        for line in value.lines() {
            self.output.line(&format!("    {name}  {line}"))?;
            name = " ".repeat(NAME);
        }
        Ok(())
    }

    /// Unpacks a message and prints it in three forms: as it is sent, as a type, and as JSON.
    pub fn forms<M: Message + Name + Default + Debug>(&mut self, any: &Any) -> Result<M, Failure> {
        let message: M = any.unpack().map_err(other)?;
        let size = any.value.len();
        self.fact("wire", &format!("google.protobuf.Any, {size} bytes of\n{}", any.type_url))?;
        self.fact("typed", &format!("{message:?}"))?;
        self.fact("JSON", &serde_json::to_string_pretty(any).map_err(other)?)?;
        Ok(message)
    }

    /// Prints the last text, with commands to try and their purposes.
    pub fn end(&mut self, text: &str, commands: &[(String, &str)]) -> Result<(), Failure> {
        let style = self.output.style;
        self.output.line(&format!("\n{}", style.bold(text)))?;
        let width = commands.iter().map(|(command, _)| command.len()).max().unwrap_or_default();
        for (command, what) in commands {
            let what = style.dim(&format!("# {what}"));
            self.output.line(&format!("  {command:width$}  {what}"))?;
        }
        self.output.flush()
    }
}

/// Checks that what the demo shows is true.
pub fn ensure(holds: bool, what: &str) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(Failure::Other(format!("the demo expected that {what}"))) }
}

pub fn other(error: impl Display) -> Failure {
    Failure::Other(format!("the demo: {error}"))
}
