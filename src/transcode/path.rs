//! Expands path templates with values, and extracts values from paths.

use std::borrow::Cow;

use super::TranscodeError;
use super::percent::{Place, decode, encode};
use crate::rpc::path_template::{PathTemplate, Piece, Pieces, Variable};

impl<'a> PathTemplate<'a> {
    /// Returns the path for the values of the variables.
    ///
    /// Every value is percent-encoded, so that it cannot add path segments.
    ///
    /// # Errors
    ///
    /// Fails if a variable has no value, an empty value (which would change the path), a value that does not
    /// match its sub-template, or one with a part between `/` and `\` that is `.` or `..`, with or without a `;` and
    /// more after it: servers and proxies on the way interpret it even if it is encoded, and the path would be another
    /// one.
    pub fn expand(&self, value: impl Fn(&str) -> Option<String>) -> Result<String, TranscodeError> {
        self.expand_with(|field| value(field).map(Cow::Owned))
    }

    /// Does the same for values that may be borrowed.
    pub(super) fn expand_with<'v>(
        &self,
        value: impl Fn(&str) -> Option<Cow<'v, str>>,
    ) -> Result<String, TranscodeError> {
        let mut path = String::with_capacity(128);
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
                Piece::Literal(literal) => push_segment(literal, &mut path),
                // The variable has no name, so it has no value.
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
        if let [Piece::One] = pieces {
            return expand_segment(text, path);
        }
        let segments: Vec<&str> = text.split('/').collect();
        let fits = fits(pieces, segments.len(), |piece, index| match piece {
            Piece::Literal(literal) => segments[index] == *literal,
            Piece::One | Piece::Many => !segments[index].is_empty(),
        });
        if !fits {
            return Err(format!("{text:?} does not fit `{}`", Pieces(pieces)));
        }
        for (index, segment) in segments.into_iter().enumerate() {
            match pieces.get(index) {
                // Keeps the template's spelling, or the path would not match again.
                Some(Piece::Literal(literal)) => push_segment(literal, path),
                _ => expand_segment(segment, path)?,
            }
        }
        Ok(())
    }

    /// Returns the values of the variables if a path matches; otherwise `None`.
    ///
    /// # Errors
    ///
    /// Fails if the path matches but a value is not percent-encoded UTF-8.
    pub fn capture(&self, path: &str) -> Result<Option<Vec<(&str, String)>>, TranscodeError> {
        let segments = segments(path).filter(|segments| self.fits(segments));
        segments.map(|segments| self.values(&segments)).transpose()
    }

    /// Whether a path of these segments matches.
    pub(super) fn fits(&self, segments: &[&str]) -> bool {
        let Some((last, before)) = segments.split_last() else { return false };
        let Some(last) = self.without_verb(last) else { return false };
        fits(self.pieces(), segments.len(), |piece, index| {
            let segment = before.get(index).copied().unwrap_or(last);
            match piece {
                Piece::Literal(literal) => segment == *literal,
                Piece::One | Piece::Many => !segment.is_empty(),
            }
        })
    }

    /// Returns the last segment of a path without the verb; `None` if it has another.
    fn without_verb<'p>(&self, last: &'p str) -> Option<&'p str> {
        match self.verb() {
            Some(verb) => last.strip_suffix(verb)?.strip_suffix(':'),
            None => Some(last),
        }
    }

    /// Returns the values of the variables in the segments of a path that matches.
    pub(super) fn values(
        &self,
        segments: &[&str],
    ) -> Result<Vec<(&'a str, String)>, TranscodeError> {
        let values = self.variables().iter().map(|variable| {
            let pieces = &self.pieces()[variable.start..variable.end];
            let end = match pieces {
                // `**` matches all remaining segments.
                [.., Piece::Many] => segments.len(),
                _ => variable.end,
            };
            let raw = segments.get(variable.start..end).unwrap_or_default();
            let (raw, place) = match (pieces, raw) {
                ([Piece::One], [segment]) => (Cow::Borrowed(*segment), Place::Segment),
                _ => (Cow::Owned(raw.join("/")), Place::Segments),
            };
            let is_last = end == segments.len();
            let raw = if is_last { self.without_verb(&raw).unwrap_or(&raw) } else { &raw };
            decode(raw, place)
                .map(|value| (variable.field, value))
                .map_err(|problem| TranscodeError::new(variable.field, problem))
        });
        values.collect()
    }

    /// Sorts templates from most to least specific: with a verb before without, literals before wildcards,
    /// one segment before many.
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

fn push_segment(segment: &str, path: &mut String) {
    path.push('/');
    path.push_str(segment);
}

/// Appends the segment of a value.
fn expand_segment(segment: &str, path: &mut String) -> Result<(), String> {
    let is_dots = |part: &str| matches!(part.split(';').next(), Some("." | ".."));
    if segment.split(['/', '\\']).any(is_dots) {
        return Err(format!("{segment:?} cannot be a segment of a path"));
    }
    path.push('/');
    encode(segment, path);
    Ok(())
}

/// Returns the segments of a path, the last one with the verb.
pub(super) fn segments(path: &str) -> Option<Vec<&str>> {
    path.strip_prefix('/').map(|path| path.split('/').collect())
}

/// Whether segments match pieces, of which only the last may be `**`.
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
