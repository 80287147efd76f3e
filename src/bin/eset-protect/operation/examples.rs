//! The examples in the help of a command.

use super::Operation;
use super::mask::Mask;
use crate::flags::Flag;
use crate::method::Method;

const NOTE: &str = "\
Each failure is one line on standard error, and the others continue; the exit code is that of the
first that failed, in the order given. A refused login stops everything, and so does a device's
name that fits none or several.";

impl Operation {
    /// Returns calls of the command: with what it requires, and as programs or careful people make them.
    pub(super) fn examples(&self, noun: &str, name: &str, flags: &[Flag]) -> String {
        let mut shown: Vec<_> =
            flags.iter().filter(|flag| flag.is_required() || self.takes_uuids()).collect();
        // A message that is required needs one of its fields: its name, if it has one.
        let inner = flags.iter().filter(|flag| flag.is_in_required());
        if !inner.clone().any(Flag::is_required) {
            let is_name =
                |flag: &&Flag| ["--display-name", "--name"].contains(&&*flag.typed_name());
            shown.extend(inner.clone().find(is_name).or(inner.clone().next()));
        }
        // Of a choice that a required message is, one.
        for flag in flags.iter().filter(|flag| flag.is_choice_in_required()) {
            if !shown.iter().any(|other| flag.is_same_choice(other)) {
                shown.push(flag);
            }
        }
        // An update changes something.
        if let Some(mask) = Mask::of(&self.method) {
            shown.extend(flags.iter().find(|flag| mask.covers(flag)));
        }
        let required = shown.into_iter().map(Flag::example).collect::<String>();
        let plain = format!("eset-protect {noun} {name}{required}");
        if self.takes_uuids() {
            let yes = if self.method.is_removing() { " --yes" } else { "" };
            let second = match Method::of_verb(noun, "list") {
                Some(_) => format!(
                    "eset-protect {noun} list --output name | eset-protect {noun} {name} -{yes}"
                ),
                None => {
                    let file = required.trim().to_lowercase();
                    format!("eset-protect {noun} {name} --from {file}s.txt{yes}")
                }
            };
            return format!("{NOTE}\n\nExamples:\n  {plain}\n  {second}");
        }
        let second = match self.method.is_reading() {
            _ if self.method.content().is_some() => format!("{plain} --to FILE"),
            true if self.method.is_list() => format!("{plain} --limit 10 --output json"),
            true => format!("{plain} --output json"),
            false => format!("{plain} --dry-run"),
        };
        format!("Examples:\n  {plain}\n  {second}")
    }
}
