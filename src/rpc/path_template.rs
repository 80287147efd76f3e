//! Path templates: the language of `google.api.http`.

use std::fmt;

/// A path template, such as `/v1/device_tasks/{task_uuid}:updateTaskTargets`.
///
/// ```text
/// Template  = "/" Segments [ ":" LITERAL ] ;
/// Segments  = Segment { "/" Segment } ;
/// Segment   = "*" | "**" | LITERAL | Variable ;
/// Variable  = "{" FieldPath [ "=" Segments ] "}" ;
/// FieldPath = IDENT { "." IDENT } ;
/// ```
///
/// `*` is one segment, `**` none or more and only at the end; `{x}` is `{x=*}`. Variables do not nest.
/// Literals are ASCII letters, digits and `-._~!$&'()+,;@`. A template has at most 16 segments and 8
/// variables.
///
/// ```
/// use eset_protect::transcode::PathTemplate;
///
/// let template = PathTemplate::parse("/v1/{name=groups/*/devices/**}:move")?;
/// let path = template.expand(|_| Some("groups/7/devices/a b/c".into()))?;
/// assert_eq!(path, "/v1/groups/7/devices/a%20b/c:move");
/// let found = template.capture(&path)?.expect("it matches");
/// assert_eq!(found, [("name", "groups/7/devices/a b/c".to_owned())]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PathTemplate<'a> {
    pieces: List<Piece<'a>, 16>,
    variables: List<Variable<'a>, 8>,
    verb: Option<&'a str>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    Literal(&'a str),
    One,
    Many,
}

/// A variable and the pieces that it spans.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Variable<'a> {
    pub(crate) field: &'a str,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// A list that grows while the program is compiled.
#[derive(Clone, Copy, PartialEq, Eq)]
struct List<T, const N: usize> {
    elements: [T; N],
    length: usize,
}

impl<T: Copy, const N: usize> List<T, N> {
    const fn new(filling: T) -> Self {
        Self { elements: [filling; N], length: 0 }
    }

    /// Adds an element, if there is room.
    const fn push(&mut self, element: T) -> bool {
        let has_room = self.length < N;
        if has_room {
            self.elements[self.length] = element;
            self.length += 1;
        }
        has_room
    }

    fn as_slice(&self) -> &[T] {
        &self.elements[..self.length]
    }
}

impl<'a> PathTemplate<'a> {
    /// Parses a template; in a `const` while the program is compiled.
    ///
    /// # Errors
    ///
    /// If the text is no template; the error says what is expected and where.
    pub const fn parse(text: &'a str) -> Result<Self, ParseTemplateError<'a>> {
        let template = Self {
            pieces: List::new(Piece::One),
            variables: List::new(Variable { field: "", start: 0, end: 0 }),
            verb: None,
        };
        let mut parser = Parser { text, at: 0, template };
        match parser.template() {
            Ok(()) => Ok(parser.template),
            Err(expected) => Err(ParseTemplateError { text, at: parser.at, expected }),
        }
    }

    /// The field paths of the variables, in their order.
    pub fn fields(&self) -> impl Iterator<Item = &'a str> {
        self.variables().iter().map(|variable| variable.field)
    }

    pub(crate) fn pieces(&self) -> &[Piece<'a>] {
        self.pieces.as_slice()
    }

    pub(crate) fn variables(&self) -> &[Variable<'a>] {
        self.variables.as_slice()
    }

    pub(crate) fn verb(&self) -> Option<&'a str> {
        self.verb
    }
}

/// Shows pieces as they are written in a template.
pub(crate) struct Pieces<'a>(pub(crate) &'a [Piece<'a>]);

impl fmt::Display for Pieces<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, piece) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("/")?;
            }
            match piece {
                Piece::Literal(literal) => f.write_str(literal)?,
                Piece::One => f.write_str("*")?,
                Piece::Many => f.write_str("**")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for PathTemplate<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut at = 0;
        while at < self.pieces().len() {
            f.write_str("/")?;
            match self.variables().iter().find(|variable| variable.start == at) {
                Some(Variable { field, start, end }) => {
                    match &self.pieces()[*start..*end] {
                        [Piece::One] => write!(f, "{{{field}}}")?,
                        pieces => write!(f, "{{{field}={}}}", Pieces(pieces))?,
                    }
                    at = *end;
                }
                None => {
                    Pieces(&self.pieces()[at..=at]).fmt(f)?;
                    at += 1;
                }
            }
        }
        self.verb().iter().try_for_each(|verb| write!(f, ":{verb}"))
    }
}

impl fmt::Debug for PathTemplate<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PathTemplate({self})")
    }
}

/// Why a text is not a [`PathTemplate`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseTemplateError<'a> {
    text: &'a str,
    /// The byte at which parsing stopped.
    at: usize,
    expected: &'static str,
}

impl ParseTemplateError<'_> {
    /// What would have been right.
    pub(super) const fn expected(&self) -> &'static str {
        self.expected
    }
}

impl fmt::Display for ParseTemplateError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text, at, expected } = *self;
        let column = text.get(..at).unwrap_or_default().chars().count() + 1;
        write!(f, "path template {text:?}: expected {expected} at column {column}")
    }
}

impl std::error::Error for ParseTemplateError<'_> {}

/// Runs in constants, which know neither `?` nor iterators. Errors are what is expected at `at`.
struct Parser<'a> {
    text: &'a str,
    at: usize,
    template: PathTemplate<'a>,
}

macro_rules! attempt {
    ($result:expr) => {
        match $result {
            Ok(value) => value,
            Err(expected) => return Err(expected),
        }
    };
}

impl<'a> Parser<'a> {
    const fn template(&mut self) -> Result<(), &'static str> {
        if !self.eat(b'/') {
            return Err("`/`");
        }
        attempt!(self.segments(true));
        if self.eat(b':') {
            self.template.verb = Some(attempt!(self.literal("a verb")));
        }
        if self.at == self.text.len() { Ok(()) } else { Err("`/`, `:` or the end") }
    }

    const fn segments(&mut self, with_variables: bool) -> Result<(), &'static str> {
        let mut is_closed = false;
        loop {
            if is_closed {
                return Err("nothing after `**`");
            }
            let piece = if self.eat(b'*') {
                if self.eat(b'*') { Piece::Many } else { Piece::One }
            } else if with_variables && self.eat(b'{') {
                attempt!(self.variable());
                let pieces = &self.template.pieces;
                is_closed = matches!(pieces.elements[pieces.length - 1], Piece::Many);
                if !self.eat(b'/') {
                    return Ok(());
                }
                continue;
            } else {
                Piece::Literal(attempt!(self.literal("a segment")))
            };
            is_closed = matches!(piece, Piece::Many);
            attempt!(self.push(piece));
            if !self.eat(b'/') {
                return Ok(());
            }
        }
    }

    const fn push(&mut self, piece: Piece<'a>) -> Result<(), &'static str> {
        if self.template.pieces.push(piece) { Ok(()) } else { Err("at most 16 segments") }
    }

    const fn variable(&mut self) -> Result<(), &'static str> {
        let field_at = self.at;
        let field = self.take(b"_.");
        if !is_field_path(field.as_bytes()) {
            self.at = field_at;
            return Err("the path of a field");
        }
        let mut index = 0;
        while index < self.template.variables.length {
            let other = self.template.variables.elements[index].field;
            if is_same(other.as_bytes(), field.as_bytes()) {
                self.at = field_at;
                return Err("a field that is not bound yet");
            }
            index += 1;
        }
        let start = self.template.pieces.length;
        if self.eat(b'=') {
            attempt!(self.segments(false));
        } else {
            attempt!(self.push(Piece::One));
        }
        if !self.eat(b'}') {
            return Err("`}`");
        }
        let variable = Variable { field, start, end: self.template.pieces.length };
        if self.template.variables.push(variable) { Ok(()) } else { Err("at most 8 variables") }
    }

    /// Characters that stand for themselves in a path (RFC 3986, 3.3), without the colon that begins a
    /// verb. Percent-encoding is for values: a literal that could be spelled in two ways would be found
    /// in one of them only.
    const fn literal(&mut self, expected: &'static str) -> Result<&'a str, &'static str> {
        let literal = self.take(b"-._~!$&'()+,;@");
        if literal.is_empty() { Err(expected) } else { Ok(literal) }
    }

    const fn eat(&mut self, token: u8) -> bool {
        let bytes = self.text.as_bytes();
        let is_next = self.at < bytes.len() && bytes[self.at] == token;
        if is_next {
            self.at += 1;
        }
        is_next
    }

    /// Takes the ASCII letters, the digits and the characters of `more` that come next.
    const fn take(&mut self, more: &[u8]) -> &'a str {
        let (_, rest) = self.text.split_at(self.at);
        let bytes = rest.as_bytes();
        let mut length = 0;
        while length < bytes.len()
            && (bytes[length].is_ascii_alphanumeric() || contains(more, bytes[length]))
        {
            length += 1;
        }
        self.at += length;
        rest.split_at(length).0
    }
}

/// Whether every part between dots begins like a name.
const fn is_field_path(path: &[u8]) -> bool {
    let mut at = 0;
    let mut begins_part = true;
    while at < path.len() {
        if begins_part && !(path[at].is_ascii_alphabetic() || path[at] == b'_') {
            return false;
        }
        begins_part = path[at] == b'.';
        at += 1;
    }
    !begins_part
}

const fn contains(bytes: &[u8], byte: u8) -> bool {
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == byte {
            return true;
        }
        at += 1;
    }
    false
}

const fn is_same(a: &[u8], b: &[u8]) -> bool {
    let mut at = 0;
    while at < a.len() && at < b.len() && a[at] == b[at] {
        at += 1;
    }
    at == a.len() && at == b.len()
}
