//! Path templates: the language of `google.api.http`.

use std::fmt;
use std::str::FromStr;

use super::TranscodeError;
use super::percent::{Place, decode, encode};

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
/// Literals are ASCII letters, digits and `-._~!$&'()+,;@`.
///
/// ```
/// use eset_protect::transcode::PathTemplate;
///
/// let template: PathTemplate = "/v1/{name=groups/*/devices/**}:move".parse()?;
/// let path = template.expand(|_| Some("groups/7/devices/a b/c".into()))?;
/// assert_eq!(path, "/v1/groups/7/devices/a%20b/c:move");
/// let found = template.capture(&path)?.expect("it matches");
/// assert_eq!(found, [("name", "groups/7/devices/a b/c".to_owned())]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathTemplate {
    pieces: Vec<Piece>,
    variables: Vec<Variable>,
    verb: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Literal(String),
    One,
    Many,
}

/// A variable and the pieces that it spans.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Variable {
    field: String,
    start: usize,
    end: usize,
}

impl PathTemplate {
    /// The field paths of the variables, in their order.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.variables.iter().map(|variable| variable.field.as_str())
    }

    /// The path for the values of the variables.
    ///
    /// Every value is percent-encoded, so that no text leaves its segments.
    ///
    /// # Errors
    ///
    /// If a variable has no value, an empty one (the path would be another one), one that does not fit
    /// its sub-template, or a segment `.` or `..`, which servers and proxies on the way take as
    /// directions even when it is encoded.
    pub fn expand(&self, value: impl Fn(&str) -> Option<String>) -> Result<String, TranscodeError> {
        let mut path = String::new();
        let mut at = 0;
        while at < self.pieces.len() {
            if let Some(variable) = self.variables.iter().find(|variable| variable.start == at) {
                let field = &variable.field;
                let wrong = |problem: String| TranscodeError::new(field, problem);
                let text = value(field).unwrap_or_default();
                if text.is_empty() {
                    return Err(wrong("it is part of the path and must not be empty".to_owned()));
                }
                self.expand_variable(variable, &text, &mut path).map_err(wrong)?;
                at = variable.end;
                continue;
            }
            match &self.pieces[at] {
                Piece::Literal(literal) => {
                    path.push('/');
                    path.push_str(literal);
                }
                // Nothing names what would stand here.
                Piece::One | Piece::Many => {
                    return Err(TranscodeError::new(
                        "",
                        "the template has a wildcard without a name",
                    ));
                }
            }
            at += 1;
        }
        if let Some(verb) = &self.verb {
            path.push(':');
            path.push_str(verb);
        }
        Ok(path)
    }

    fn expand_variable(
        &self,
        variable: &Variable,
        text: &str,
        path: &mut String,
    ) -> Result<(), String> {
        let pieces = &self.pieces[variable.start..variable.end];
        let segments: Vec<&str> =
            if let [Piece::One] = pieces { vec![text] } else { text.split('/').collect() };
        let fits = fits(pieces, segments.len(), |piece, index| match piece {
            Piece::Literal(literal) => segments[index] == literal,
            Piece::One | Piece::Many => !segments[index].is_empty(),
        });
        if !fits {
            return Err(format!("{text:?} does not fit `{}`", Pieces(pieces)));
        }
        for (index, segment) in segments.into_iter().enumerate() {
            if segment == "." || segment == ".." {
                return Err(format!("{segment:?} cannot be a segment of a path"));
            }
            path.push('/');
            match pieces.get(index) {
                // As the template has it, or it would not match again.
                Some(Piece::Literal(literal)) => path.push_str(literal),
                _ => encode(segment, b"", path),
            }
        }
        Ok(())
    }

    /// The values of the variables if a path matches; `None` if it does not.
    ///
    /// # Errors
    ///
    /// If it matches and a value is not percent-encoded UTF-8.
    pub fn capture(&self, path: &str) -> Result<Option<Vec<(&str, String)>>, TranscodeError> {
        let Some(path) = path.strip_prefix('/') else { return Ok(None) };
        let path = match &self.verb {
            Some(verb) => {
                match path.strip_suffix(verb.as_str()).and_then(|p| p.strip_suffix(':')) {
                    Some(path) => path,
                    None => return Ok(None),
                }
            }
            None => path,
        };
        let segments: Vec<&str> = path.split('/').collect();
        let matches = fits(&self.pieces, segments.len(), |piece, index| match piece {
            Piece::Literal(literal) => segments[index] == literal,
            Piece::One | Piece::Many => !segments[index].is_empty(),
        });
        if !matches {
            return Ok(None);
        }
        let values = self.variables.iter().map(|variable| {
            let end = match self.pieces[variable.end - 1] {
                // `**` takes what is left.
                Piece::Many => segments.len(),
                _ => variable.end,
            };
            let raw = segments.get(variable.start..end).unwrap_or_default().join("/");
            let single = matches!(self.pieces[variable.start..variable.end], [Piece::One]);
            let place = if single { Place::Segment } else { Place::Segments };
            decode(&raw, place)
                .map(|value| (variable.field.as_str(), value))
                .map_err(|problem| TranscodeError::new(&variable.field, problem))
        });
        values.collect::<Result<_, _>>().map(Some)
    }

    /// Sorts templates so that a more special one comes first: a verb before none, literals before
    /// wildcards, one segment before many.
    pub(super) fn specificity(&self) -> impl Ord + use<> {
        let pieces: Vec<u8> = self
            .pieces
            .iter()
            .map(|piece| match piece {
                Piece::Literal(_) => 0,
                Piece::One => 1,
                Piece::Many => 2,
            })
            .collect();
        (self.verb.is_none(), pieces)
    }
}

/// Whether segments fit pieces, of which only the last may be `**`.
fn fits(pieces: &[Piece], segments: usize, fit: impl Fn(&Piece, usize) -> bool) -> bool {
    let (fixed, many) = match pieces.split_last() {
        Some((Piece::Many, fixed)) => (fixed, true),
        _ => (pieces, false),
    };
    let enough = if many { segments >= fixed.len() } else { segments == fixed.len() };
    enough
        && fixed.iter().enumerate().all(|(index, piece)| fit(piece, index))
        && (fixed.len()..segments).all(|index| fit(&Piece::Many, index))
}

struct Pieces<'a>(&'a [Piece]);

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

impl fmt::Display for PathTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut at = 0;
        while at < self.pieces.len() {
            f.write_str("/")?;
            match self.variables.iter().find(|variable| variable.start == at) {
                Some(Variable { field, start, end }) => {
                    match &self.pieces[*start..*end] {
                        [Piece::One] => write!(f, "{{{field}}}")?,
                        pieces => write!(f, "{{{field}={}}}", Pieces(pieces))?,
                    }
                    at = *end;
                }
                None => {
                    Pieces(&self.pieces[at..=at]).fmt(f)?;
                    at += 1;
                }
            }
        }
        self.verb.iter().try_for_each(|verb| write!(f, ":{verb}"))
    }
}

/// Why a text is not a [`PathTemplate`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseTemplateError {
    template: String,
    column: usize,
    expected: &'static str,
}

impl fmt::Display for ParseTemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { template, column, expected } = self;
        write!(f, "path template {template:?}: expected {expected} at column {column}")
    }
}

impl std::error::Error for ParseTemplateError {}

impl FromStr for PathTemplate {
    type Err = ParseTemplateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parser = Parser { text, at: 0, pieces: Vec::new(), variables: Vec::new() };
        let verb = parser.template()?;
        Ok(Self { pieces: parser.pieces, variables: parser.variables, verb })
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    pieces: Vec<Piece>,
    variables: Vec<Variable>,
}

impl Parser<'_> {
    fn fail<T>(&self, expected: &'static str) -> Result<T, ParseTemplateError> {
        let column = self.text[..self.at].chars().count() + 1;
        Err(ParseTemplateError { template: self.text.to_owned(), column, expected })
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn eat(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn template(&mut self) -> Result<Option<String>, ParseTemplateError> {
        if !self.eat("/") {
            return self.fail("`/`");
        }
        self.segments(true)?;
        let verb = if self.eat(":") { Some(self.literal("a verb")?) } else { None };
        if self.rest().is_empty() { Ok(verb) } else { self.fail("`/`, `:` or the end") }
    }

    fn segments(&mut self, variables: bool) -> Result<(), ParseTemplateError> {
        loop {
            if let Some(Piece::Many) = self.pieces.last() {
                return self.fail("nothing behind `**`");
            }
            if self.eat("**") {
                self.pieces.push(Piece::Many);
            } else if self.eat("*") {
                self.pieces.push(Piece::One);
            } else if variables && self.eat("{") {
                self.variable()?;
            } else {
                let literal = self.literal("a segment")?;
                self.pieces.push(Piece::Literal(literal));
            }
            if !self.eat("/") {
                return Ok(());
            }
        }
    }

    fn variable(&mut self) -> Result<(), ParseTemplateError> {
        let field_at = self.at;
        let length = self
            .rest()
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.'))
            .unwrap_or(self.rest().len());
        let field = self.rest()[..length].to_owned();
        let is_name = |part: &str| part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if !field.split('.').all(is_name) {
            return self.fail("the path of a field");
        }
        self.at += length;
        if self.variables.iter().any(|variable| variable.field == field) {
            self.at = field_at;
            return self.fail("a field that is not bound yet");
        }
        let start = self.pieces.len();
        if self.eat("=") {
            self.segments(false)?;
        } else {
            self.pieces.push(Piece::One);
        }
        if !self.eat("}") {
            return self.fail("`}`");
        }
        self.variables.push(Variable { field, start, end: self.pieces.len() });
        Ok(())
    }

    /// Characters that stand for themselves in a path (RFC 3986, 3.3), without the colon that begins a
    /// verb. Percent-encoding is for values: a literal that could be spelled in two ways would be found
    /// in one of them only.
    fn literal(&mut self, what: &'static str) -> Result<String, ParseTemplateError> {
        let length = self
            .rest()
            .find(|c: char| !(c.is_ascii_alphanumeric() || "-._~!$&'()+,;@".contains(c)))
            .unwrap_or(self.rest().len());
        if length == 0 {
            return self.fail(what);
        }
        let literal = self.rest()[..length].to_owned();
        self.at += length;
        Ok(literal)
    }
}
