//! Failures of calls: a status with details from `google.rpc`.

use prost::{Message, Name};
use tonic::{Code, Status};

use crate::check::Problem;
use crate::proto::google::rpc::bad_request::FieldViolation;
use crate::proto::google::rpc::precondition_failure::Violation;
use crate::proto::google::rpc::{PreconditionFailure, ResourceInfo};
use crate::server::rich_status::{bad_request, violation, with_details};
use crate::wkt::Any;

/// The maximum number of reported violations. Details travel in a header, which must stay small.
const MAX_VIOLATIONS: usize = 16;

/// The failure of a call, as its caller sees it.
#[derive(Debug)]
pub(crate) struct Failure {
    status: Status,
    /// The error of the store, if that is the cause.
    cause: Option<Box<redb::Error>>,
}

impl Failure {
    /// A field of the request is invalid.
    pub(crate) fn invalid(field: impl Into<String>, description: impl Into<String>) -> Self {
        let mut violations = Violations::default();
        violations.add(field, description);
        violations.failure()
    }

    /// The resource of this type does not exist. `name` is a checked identifier, so it is short.
    pub(crate) fn not_found(kind: &str, name: &str) -> Self {
        Self::about(Code::NotFound, kind, name, format!("there is no {} `{name}`", in_words(kind)))
    }

    /// The resource already exists.
    pub(crate) fn already_exists(kind: &str, name: &str) -> Self {
        let description = format!("the {} `{name}` already exists", in_words(kind));
        Self::about(Code::AlreadyExists, kind, name, description)
    }

    /// The emulator does not implement this.
    pub(crate) fn unimplemented(description: String) -> Self {
        Status::unimplemented(description).into()
    }

    fn about(code: Code, kind: &str, name: &str, description: String) -> Self {
        let info = ResourceInfo {
            resource_type: kind.to_owned(),
            resource_name: name.to_owned(),
            owner: String::new(),
            description: description.clone(),
        };
        Self::with(code, description, &info)
    }

    /// The stored data forbids the call.
    pub(crate) fn precondition(kind: &str, subject: &str, description: String) -> Self {
        let violation = Violation {
            r#type: kind.to_owned(),
            subject: subject.to_owned(),
            description: description.clone(),
        };
        let failure = PreconditionFailure { violations: vec![violation] };
        Self::with(Code::FailedPrecondition, description, &failure)
    }

    /// A limit of the emulator is exceeded.
    pub(crate) fn exhausted(description: impl Into<String>) -> Self {
        Status::resource_exhausted(description).into()
    }

    /// The request asks for too many at once.
    pub(crate) fn out_of_range(description: String) -> Self {
        Status::out_of_range(description).into()
    }

    /// The emulator itself failed.
    pub(crate) fn internal(description: impl Into<String>) -> Self {
        Status::internal(description).into()
    }

    /// Returns the error of the store, if that is the cause.
    pub(crate) fn cause(&self) -> Option<&redb::Error> {
        self.cause.as_deref()
    }

    fn with<M: Message + Name>(code: Code, message: String, detail: &M) -> Self {
        with_details(code, message, vec![Any::pack(detail)]).into()
    }
}

/// Returns the name of a type for people: `device task` for `….v1.DeviceTask`.
fn in_words(kind: &str) -> String {
    let mut words = String::new();
    for c in kind.rsplit('.').next().unwrap_or_default().chars() {
        if c.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(c.to_lowercase());
    }
    words
}

impl From<Failure> for Status {
    fn from(failure: Failure) -> Self {
        failure.status
    }
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        Self { status, cause: None }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.status.message())
    }
}

macro_rules! from_store_error {
    ($($error:ty)*) => { $(
        impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                let cause = redb::Error::from(error);
                let status = Status::internal(format!("the store failed: {cause}"));
                Self { status, cause: Some(Box::new(cause)) }
            }
        }
    )* };
}

from_store_error! {
    redb::CommitError redb::SetDurabilityError redb::StorageError redb::TableError
    redb::TransactionError
}

impl From<prost::DecodeError> for Failure {
    fn from(error: prost::DecodeError) -> Self {
        Status::data_loss(format!("a stored row cannot be read: {error}")).into()
    }
}

/// All problems of a request, collected so that the caller learns them at once.
#[derive(Debug, Default)]
pub(crate) struct Violations(Vec<FieldViolation>);

impl Violations {
    /// Records an invalid field by its path in the request.
    pub(crate) fn add(&mut self, field: impl Into<String>, description: impl Into<String>) {
        if self.0.len() < MAX_VIOLATIONS {
            self.0.push(violation(field, description));
        }
    }

    /// Records the problems found by the checks.
    pub(crate) fn extend(&mut self, problems: Vec<Problem>) {
        for problem in problems {
            self.add(problem.field.clone(), problem.description().to_string());
        }
    }

    /// Fails if there are any problems.
    pub(crate) fn check(self) -> Result<(), Failure> {
        if self.0.is_empty() { Ok(()) } else { Err(self.failure()) }
    }

    fn failure(self) -> Failure {
        let message = match self.0.first() {
            Some(first) => format!("{}: {}", first.field, first.description),
            None => String::new(),
        };
        bad_request(message, self.0).into()
    }
}
