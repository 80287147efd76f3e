//! `eset-protect completions`.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::cli::Cli;
use crate::failure::Failure;
use crate::output::Output;

/// Print completions for a shell
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  eset-protect completions bash > ~/.local/share/bash-completion/completions/eset-protect
  eset-protect completions zsh > ~/.zfunc/_eset-protect
  eset-protect completions fish > ~/.config/fish/completions/eset-protect.fish")]
pub struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub fn run(self) -> Result<(), Failure> {
        // Into memory first: clap_complete panics if it cannot write.
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "eset-protect", &mut script);
        let mut output = Output::new();
        output.bytes(&script)?;
        output.flush()
    }
}
