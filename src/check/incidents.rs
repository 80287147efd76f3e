//! Rules for incidents, their comments and EDR exclusions (FACTS.md#incident-management).

use super::problem::{Findings, ProblemKind};
use super::rules::{Rules, checked, contains};
use crate::incident_management::v2::{
    CreateEdrRuleExclusionRequest, CreateIncidentCommentRequest, EdrRuleExclusion, IncidentComment,
    ListIncidentsRequest,
};
use crate::wkt::Timestamp;

/// The maximum length of the expression that selects incidents,
const MAX_FILTER: usize = 200;
/// and of their order.
const MAX_ORDER: usize = 100;
/// The maximum length of the note of an exclusion.
const MAX_NOTE: usize = 2048;

checked! {
    IncidentComment EdrRuleExclusion
    ListIncidentsRequest CreateIncidentCommentRequest CreateEdrRuleExclusionRequest
}

contains! {
    CreateIncidentCommentRequest of comment;
    CreateEdrRuleExclusionRequest of exclusion;
}

impl Rules for ListIncidentsRequest {
    fn note(&self, at: &str, found: &mut Findings, _now: Timestamp) {
        note_length(&format!("{at}filter"), &self.filter, MAX_FILTER, found);
        note_length(&format!("{at}order_by"), &self.order_by, MAX_ORDER, found);
    }
}

impl Rules for IncidentComment {
    /// ESET does not document that a comment needs a text, but one without says nothing.
    fn note(&self, at: &str, found: &mut Findings, _now: Timestamp) {
        if self.text.trim().is_empty() {
            found.missing(ProblemKind::Wrong, format_args!("{at}text"), "a text");
        }
    }
}

impl Rules for EdrRuleExclusion {
    fn note(&self, at: &str, found: &mut Findings, _now: Timestamp) {
        note_length(&format!("{at}note"), &self.note, MAX_NOTE, found);
    }
}

fn note_length(field: &str, text: &str, most: usize, found: &mut Findings) {
    let length = text.chars().count();
    if length > most {
        let expected = format!("at most {most} characters, not {length}");
        found.missing(ProblemKind::Refused, field, &expected);
    }
}
