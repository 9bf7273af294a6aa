//! What went wrong, as services say it: a status, a reason that never changes, every violation.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::words::Words;

/// What went wrong.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    /// As gRPC has it.
    pub(crate) code: Code,
    /// Stable, in upper case; empty where nobody gave one.
    pub(crate) reason: String,
    /// In the service's own words.
    pub(crate) sentence: String,
    /// What is wrong with which field.
    pub(crate) violations: Vec<Violation>,
    /// When to try again.
    pub(crate) retry: Option<Duration>,
}

/// What is wrong with a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    /// Its path in the contract.
    pub(crate) field: String,
    /// In the service's own words.
    pub(crate) description: String,
}

impl From<Status> for Problem {
    fn from(status: Status) -> Self {
        let details = status.get_error_details();
        let reason = details.error_info().map(|info| info.reason.clone()).unwrap_or_default();
        let violations = details.bad_request().map(|bad| bad.field_violations.clone()).unwrap_or_default();
        let violations = violations
            .into_iter()
            .map(|one| Violation { field: one.field, description: one.description })
            .collect();
        Self {
            code: status.code(),
            reason,
            sentence: status.message().to_owned(),
            violations,
            retry: details.retry_info().and_then(|info| info.retry_delay),
        }
    }
}

impl Problem {
    /// One of our own.
    pub(crate) fn own(code: Code, reason: &str) -> Self {
        Self { code, reason: reason.to_owned(), sentence: String::new(), violations: Vec::new(), retry: None }
    }

    /// There is no such page.
    pub(crate) fn not_found() -> Self {
        Self::own(Code::NotFound, "PAGE_NOT_FOUND")
    }

    /// Nobody signed in, or no longer.
    pub(crate) fn signed_out() -> Self {
        Self::own(Code::Unauthenticated, "SIGNED_OUT")
    }

    /// The form is of another session.
    pub(crate) fn form_expired() -> Self {
        Self::own(Code::FailedPrecondition, "FORM_EXPIRED")
    }

    /// A page of somebody else's sent it.
    pub(crate) fn foreign() -> Self {
        Self::own(Code::PermissionDenied, "ORIGIN_NOT_ALLOWED")
    }

    /// What was sent is no form of ours.
    pub(crate) fn unreadable(why: &str) -> Self {
        Self { sentence: why.to_owned(), ..Self::own(Code::InvalidArgument, "FORM_UNREADABLE") }
    }

    /// One field is wrong, as the console itself sees.
    pub(crate) fn wrong_field(field: &str, description: &str) -> Self {
        let violation = Violation { field: field.to_owned(), description: description.to_owned() };
        Self { violations: vec![violation], ..Self::own(Code::InvalidArgument, "FORM_INVALID") }
    }

    /// A mistake of ours: what it was is for the log.
    pub(crate) fn broken(why: &str) -> Self {
        tracing::error!(why, "a page cannot be made");
        Self::own(Code::Internal, "INTERNAL")
    }

    /// Whether the same form may be sent again as it is: whether it was done is not known.
    pub(crate) fn is_undecided(&self) -> bool {
        matches!(self.code, Code::Unavailable | Code::DeadlineExceeded | Code::Unknown | Code::Internal)
    }

    /// Whether somebody else was faster.
    pub(crate) fn is_conflict(&self) -> bool {
        self.reason == "VERSION_MISMATCH"
    }

    /// As HTTP has it.
    pub(crate) fn status(&self) -> StatusCode {
        match self.code {
            Code::InvalidArgument | Code::OutOfRange => StatusCode::UNPROCESSABLE_ENTITY,
            Code::NotFound => StatusCode::NOT_FOUND,
            Code::PermissionDenied => StatusCode::FORBIDDEN,
            Code::Unauthenticated => StatusCode::UNAUTHORIZED,
            Code::Aborted | Code::AlreadyExists | Code::FailedPrecondition => StatusCode::CONFLICT,
            Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
            Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Code::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
            Code::Unimplemented => StatusCode::NOT_IMPLEMENTED,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// What it is, in a few words.
    pub(crate) fn title(&self, t: Words) -> &'static str {
        match self.code {
            Code::InvalidArgument | Code::OutOfRange => t.problem_invalid(),
            Code::NotFound => t.problem_not_found(),
            Code::PermissionDenied => t.problem_forbidden(),
            Code::Unauthenticated => t.problem_signed_out(),
            Code::Aborted => t.problem_conflict(),
            Code::AlreadyExists | Code::FailedPrecondition => t.problem_not_now(),
            Code::ResourceExhausted => t.problem_too_many(),
            Code::Unavailable | Code::DeadlineExceeded => t.problem_unavailable(),
            _ => t.problem_internal(),
        }
    }

    /// What it means and what to do.
    pub(crate) fn explanation(&self, t: Words) -> String {
        if let Some(told) = crate::reasons::told(t, &self.reason) {
            return told.to_owned();
        }
        match self.code {
            Code::InvalidArgument | Code::OutOfRange => t.explain_invalid().to_owned(),
            Code::NotFound => t.explain_not_found().to_owned(),
            Code::PermissionDenied => t.explain_forbidden().to_owned(),
            Code::Unauthenticated => t.explain_signed_out().to_owned(),
            Code::Aborted | Code::AlreadyExists | Code::FailedPrecondition => t.explain_not_now().to_owned(),
            Code::ResourceExhausted => t.explain_too_many().to_owned(),
            Code::Unavailable | Code::DeadlineExceeded => t.explain_unavailable().to_owned(),
            _ => t.explain_internal().to_owned(),
        }
    }

    /// In plain text, for where no page can be made.
    pub(crate) fn plain(&self) -> Response {
        let mut answer = Response::new(format!("{} {}\n", self.status(), self.reason).into());
        *answer.status_mut() = self.status();
        let text = HeaderValue::from_static("text/plain; charset=utf-8");
        answer.headers_mut().insert(header::CONTENT_TYPE, text);
        answer
    }
}

/// The page is made by `error_page`, which knows who looks.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut answer = self.plain();
        answer.extensions_mut().insert(self);
        answer
    }
}

#[cfg(test)]
mod tests {
    use tonic_types::{ErrorDetails, FieldViolation};

    use super::*;
    use crate::language::Language;

    #[test]
    fn a_refusal_keeps_its_reason_and_every_violation() {
        let mut details = ErrorDetails::new();
        details.set_error_info("INVALID_FINDINGS", "redress.dev", [("k".to_owned(), "v".to_owned())]);
        details.set_bad_request(vec![
            FieldViolation::new("findings", "is required"),
            FieldViolation::new("root_cause", "is too long"),
        ]);
        details.set_retry_info(Some(Duration::from_secs(3)));
        let status = Status::with_error_details(Code::InvalidArgument, "two are wrong", details);
        let problem = Problem::from(status);
        assert_eq!(problem.status(), StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(problem.reason, "INVALID_FINDINGS");
        assert_eq!(problem.violations.len(), 2);
        assert_eq!(problem.violations[1].field, "root_cause");
        assert_eq!(problem.retry, Some(Duration::from_secs(3)));
    }

    #[test]
    fn every_status_is_told_in_each_language() {
        for code in 1..=16 {
            let problem = Problem::from(Status::new(Code::from_i32(code), "x"));
            for language in Language::ALL {
                let t = Words(language);
                assert!(!problem.title(t).is_empty() && !problem.explanation(t).is_empty());
            }
            assert!(problem.status().as_u16() >= 400, "{code}");
        }
    }
}
