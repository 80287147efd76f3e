//! Expands path templates with values, and extracts values from paths.

use super::TranscodeError;
use super::percent::{Place, decode, encode};
use crate::rpc::path_template::{PathTemplate, Piece, Pieces, Variable};

impl PathTemplate<'_> {
    /// Returns the path for the values of the variables.
    ///
    /// Every value is percent-encoded, so that it cannot add path segments.
    ///
    /// # Errors
    ///
    /// Fails if a variable has no value, an empty value (which would change the path), a value that does not
    /// match its sub-template, or a segment `.` or `..`, which servers and proxies on the way interpret even
    /// if it is encoded.
    pub fn expand(&self, value: impl Fn(&str) -> Option<String>) -> Result<String, TranscodeError> {
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
                Piece::Literal(literal) => {
                    path.push('/');
                    path.push_str(literal);
                }
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
                // Keeps the template's spelling, or the path would not match again.
                Some(Piece::Literal(literal)) => path.push_str(literal),
                _ => encode(segment, path),
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
        match segments(path).and_then(|segments| self.fitting(&segments)) {
            Some(segments) => self.values(&segments).map(Some),
            None => Ok(None),
        }
    }

    /// Returns the segments of a path without the verb if the path matches; otherwise `None`.
    pub(super) fn fitting<'p>(&self, segments: &[&'p str]) -> Option<Vec<&'p str>> {
        let (mut last, before) = segments.split_last()?;
        let bare;
        if let Some(verb) = self.verb() {
            bare = last.strip_suffix(verb)?.strip_suffix(':')?;
            last = &bare;
        }
        let at = |index| before.get(index).unwrap_or(last);
        let matches = fits(self.pieces(), segments.len(), |piece, index| match piece {
            Piece::Literal(literal) => at(index) == literal,
            Piece::One | Piece::Many => !at(index).is_empty(),
        });
        matches.then(|| before.iter().chain([last]).copied().collect())
    }

    /// Returns the values of the variables in the segments of a path that matches.
    pub(super) fn values(&self, segments: &[&str]) -> Result<Vec<(&str, String)>, TranscodeError> {
        let values = self.variables().iter().map(|variable| {
            let end = match self.pieces()[variable.end - 1] {
                // `**` matches all remaining segments.
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
