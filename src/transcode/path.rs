//! From a path template and values to a path, and back.

use super::TranscodeError;
use super::percent::{Place, decode, encode};
use crate::rpc::path_template::{PathTemplate, Piece, Pieces, Variable};

impl PathTemplate<'_> {
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
        while at < self.pieces().len() {
            if let Some(variable) = self.variables().iter().find(|variable| variable.start == at) {
                let field = variable.field;
                let wrong = |problem: String| TranscodeError::new(field, problem);
                let text = value(field).unwrap_or_default();
                if text.is_empty() {
                    return Err(wrong("it is part of the path and must not be empty".to_owned()));
                }
                self.expand_variable(variable, &text, &mut path).map_err(wrong)?;
                at = variable.end;
                continue;
            }
            match &self.pieces()[at] {
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
        if let Some(verb) = self.verb() {
            path.push(':');
            path.push_str(verb);
        }
        Ok(path)
    }

    fn expand_variable(
        &self,
        variable: &Variable<'_>,
        text: &str,
        path: &mut String,
    ) -> Result<(), String> {
        let pieces = &self.pieces()[variable.start..variable.end];
        let segments: Vec<&str> =
            if let [Piece::One] = pieces { vec![text] } else { text.split('/').collect() };
        let fits = fits(pieces, segments.len(), |piece, index| match piece {
            Piece::Literal(literal) => segments[index] == *literal,
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
        let path = match self.verb() {
            Some(verb) => match path.strip_suffix(verb).and_then(|p| p.strip_suffix(':')) {
                Some(path) => path,
                None => return Ok(None),
            },
            None => path,
        };
        let segments: Vec<&str> = path.split('/').collect();
        let matches = fits(self.pieces(), segments.len(), |piece, index| match piece {
            Piece::Literal(literal) => segments[index] == *literal,
            Piece::One | Piece::Many => !segments[index].is_empty(),
        });
        if !matches {
            return Ok(None);
        }
        let values = self.variables().iter().map(|variable| {
            let end = match self.pieces()[variable.end - 1] {
                // `**` takes what is left.
                Piece::Many => segments.len(),
                _ => variable.end,
            };
            let raw = segments.get(variable.start..end).unwrap_or_default().join("/");
            let single = matches!(self.pieces()[variable.start..variable.end], [Piece::One]);
            let place = if single { Place::Segment } else { Place::Segments };
            decode(&raw, place)
                .map(|value| (variable.field, value))
                .map_err(|problem| TranscodeError::new(variable.field, problem))
        });
        values.collect::<Result<_, _>>().map(Some)
    }

    /// Sorts templates so that a more special one comes first: a verb before none, literals before
    /// wildcards, one segment before many.
    pub(super) fn specificity(&self) -> impl Ord + use<> {
        let pieces: Vec<u8> = self
            .pieces()
            .iter()
            .map(|piece| match piece {
                Piece::Literal(_) => 0,
                Piece::One => 1,
                Piece::Many => 2,
            })
            .collect();
        (self.verb().is_none(), pieces)
    }
}

/// Whether segments fit pieces, of which only the last may be `**`.
fn fits(pieces: &[Piece<'_>], segments: usize, fit: impl Fn(&Piece<'_>, usize) -> bool) -> bool {
    let (fixed, many) = match pieces.split_last() {
        Some((Piece::Many, fixed)) => (fixed, true),
        _ => (pieces, false),
    };
    let enough = if many { segments >= fixed.len() } else { segments == fixed.len() };
    enough
        && fixed.iter().enumerate().all(|(index, piece)| fit(piece, index))
        && (fixed.len()..segments).all(|index| fit(&Piece::Many, index))
}
