//! `eset-protect completions`.

use clap::{Args, Command};
use clap_complete::Shell;

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

const NAME: &str = "eset-protect";
/// The name in the functions of the bash script. clap_complete 4.6 spells a hyphen in command names in two
/// ways there, and then recognizes no word after the first.
const NAME_IN_BASH: &str = "eset_protect";

impl Completions {
    /// Prints the completions of `command`.
    pub fn run(self, command: Command) -> Result<(), Failure> {
        let script = match self.shell {
            Shell::Bash => bash(command),
            shell => generate(shell, command, NAME),
        };
        let mut output = Output::new();
        output.bytes(script.as_bytes())?;
        output.flush()
    }
}

fn generate(shell: Shell, mut command: Command, name: &str) -> String {
    // Written to memory first, because clap_complete panics if it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// Returns the bash script, which completes the command by its real name, and values after `=`.
fn bash(command: Command) -> String {
    let mut script = String::new();
    for line in generate(Shell::Bash, command, NAME_IN_BASH).lines() {
        match line.strip_suffix(NAME_IN_BASH) {
            Some(start) if line.trim_start().starts_with("complete -F ") => {
                script.push_str(start);
                script.push_str(NAME);
            }
            _ => script.push_str(line),
        }
        script.push('\n');
        if line == "    prev=\"$3\"" {
            // Bash splits `--wire=rest` into three words.
            script.push_str("    [[ \"${prev}\" == = ]] && prev=\"${COMP_WORDS[COMP_CWORD-2]}\"\n");
        }
    }
    script
}
