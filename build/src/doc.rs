//! Turns comments of `.proto` files into documentation without tests: rustdoc compiles code in documentation as Rust,
//! and runs it, unless it is marked as something else.

/// The columns by which Markdown indents code.
const CODE: usize = 4;

/// Marks all code in a comment as text. Code is between fences, or indented after a line that ends a paragraph.
pub(crate) fn without_tests(comment: &str) -> String {
    let ticks = comment.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let mut text = Text { own_fence: "`".repeat(ticks.max(2) + 1), ..Text::default() };
    for line in comment.lines() {
        text.add(&line.replace('\t', "    "));
    }
    text.end_code();
    text.lines.join("\n")
}

/// What is written so far, and what is open.
#[derive(Default)]
struct Text {
    lines: Vec<String>,
    /// The fence to put around indented code, longer than any inside.
    own_fence: String,
    /// The fence that ends the comment's own code.
    fence: Option<String>,
    /// The column of the text around indented code.
    code: Option<usize>,
    /// The columns of the text in the list items that the next line may belong to.
    items: Vec<usize>,
    /// Whether an indented line would continue a paragraph.
    is_in_paragraph: bool,
}

impl Text {
    fn add(&mut self, line: &str) {
        if let Some(fence) = &self.fence {
            let rest = split(line).1.trim_end();
            if rest.starts_with(fence) && rest.chars().all(|c| fence.contains(c)) {
                self.fence = None;
            }
            return self.lines.push(line.to_owned());
        }
        if line.trim().is_empty() {
            self.is_in_paragraph = false;
            return self.lines.push(String::new());
        }
        let indent = indent(line);
        if !self.is_in_paragraph {
            self.items.retain(|column| *column <= indent);
            let column = self.items.last().copied().unwrap_or_default();
            if indent >= column + CODE {
                return self.add_code(line, column);
            }
        }
        self.end_code();
        self.add_text(line, indent);
    }

    fn add_code(&mut self, line: &str, column: usize) {
        if self.code.is_none() {
            self.lines.push(format!("{:column$}{}text", "", self.own_fence));
        }
        let column = *self.code.get_or_insert(column);
        self.lines.push(format!("{:column$}{}", "", &line[column + CODE..]));
    }

    /// Ends indented code, before the blank lines that follow it.
    fn end_code(&mut self) {
        if let Some(column) = self.code.take() {
            let blank = self.lines.iter().rev().take_while(|line| line.is_empty()).count();
            let fence = format!("{:column$}{}", "", self.own_fence);
            self.lines.insert(self.lines.len() - blank, fence);
        }
    }

    fn add_text(&mut self, line: &str, indent: usize) {
        let (before, rest) = split(line);
        if before.len() > indent {
            self.items.retain(|column| *column <= indent);
            // Lines of a quotation have its sign, so they are never indented themselves.
            self.items.extend((!before.contains('>')).then_some(before.len()));
        }
        let letter = rest.chars().next().filter(|c| "`~".contains(*c));
        let fence: String = rest.chars().take_while(|c| Some(*c) == letter).collect();
        let is_fence = fence.len() >= 3 && !rest[fence.len()..].contains('`');
        // A heading or a line of signs ends a paragraph, too.
        let is_rule = rest.chars().all(|c| "-=*_ ".contains(c));
        self.is_in_paragraph = !(is_fence || is_rule || rest.starts_with('#'));
        if is_fence {
            self.lines.push(format!("{before}{fence}text"));
            self.fence = Some(fence);
        } else {
            self.lines.push(before + rest);
        }
    }
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// Splits a line behind the signs of lists and quotations. No code follows them directly: a wide gap becomes one space.
fn split(line: &str) -> (String, &str) {
    let (before, mut rest) = line.split_at(indent(line));
    let mut before = before.to_owned();
    while let Some(length) = sign(rest) {
        let (sign, after) = rest.split_at(length);
        let gap = indent(after);
        rest = &after[gap..];
        let gap = if gap > CODE { 1 } else { gap };
        before = format!("{before}{sign}{:gap$}", "");
    }
    (before, rest)
}

/// Returns the length of the sign of a list item or a quotation at the start of a text.
fn sign(text: &str) -> Option<usize> {
    if text.starts_with('>') {
        return Some(1);
    }
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let signs = if digits == 0 { ["- ", "* ", "+ "].as_slice() } else { &[". ", ") "] };
    signs.iter().any(|sign| text[digits..].starts_with(sign)).then_some(digits + 1)
}

#[cfg(test)]
mod tests {
    use super::without_tests;

    #[test]
    fn code_is_marked_wherever_markdown_has_it() {
        for (comment, expected) in [
            ("Text\n    that continues.", "Text\n    that continues."),
            ("Text.\n\n    a\n\n      b\n\nMore.", "Text.\n\n```text\na\n\n  b\n```\n\nMore."),
            ("    a", "```text\na\n```"),
            ("# Title\n\ta", "# Title\n```text\na\n```"),
            ("```\na\n```\n    b", "```text\na\n```\n````text\nb\n````"),
            ("~~~ rust,no_run\n    a\n~~~", "~~~text\n    a\n~~~"),
            ("```json\n{}", "```text\n{}"),
            ("````\n```\na\n````", "````text\n```\na\n````"),
            ("    ```\n    a", "````text\n```\na\n````"),
            ("```a``` is code.", "```a``` is code."),
            ("- a\n\n  b\n\n      c", "- a\n\n  b\n\n  ```text\n  c\n  ```"),
            ("- a\n  - b\n\n    c", "- a\n  - b\n\n    c"),
            ("1. a\n\n    b\n\nc\n\n    d", "1. a\n\n    b\n\nc\n\n```text\nd\n```"),
            ("- ```\n  a\n  ```", "- ```text\n  a\n  ```"),
            ("-      a", "- a"),
            ("> a\n>\n>     b", "> a\n>\n> b"),
            ("> ```\n> a\n> ```\nb", "> ```text\n> a\n> ```\nb"),
            ("> a\n\n    b", "> a\n\n```text\nb\n```"),
            ("*Ä* — 2.5 … `", "*Ä* — 2.5 … `"),
        ] {
            assert_eq!(without_tests(comment), expected, "{comment}");
        }
    }
}
