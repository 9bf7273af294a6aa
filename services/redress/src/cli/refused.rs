//! What went wrong, in plain words.

use std::fmt::Write as _;

use serde_json::{Value, json};
use show::json::harmless;
use tonic::Status;
use tonic_types::StatusExt as _;

/// Reason of what fails on this side of the connection.
const FAILED: &str = "FAILED";
/// Reason of a command line that cannot be read.
const USAGE: &str = "INVALID_USAGE";

/// Says why a verb failed: of a refusal its reason, its sentence and every field at
/// fault.
pub(crate) fn explain(error: &anyhow::Error) -> String {
    match error.chain().find_map(|cause| cause.downcast_ref::<Status>()) {
        Some(status) => refusal(status),
        None => format!("redress: {}\n", chain(error)),
    }
}

/// The same as one line of JSON: `{"error": {"reason": …, "message": …}}`, of a refusal
/// with its `code`, `violations`, `metadata` and `retry_after_seconds` as far as it has any.
pub(crate) fn as_json(error: &anyhow::Error) -> String {
    let told = match error.chain().find_map(|cause| cause.downcast_ref::<Status>()) {
        Some(status) => refusal_as_json(status),
        None => json!({ "reason": FAILED, "message": chain(error) }),
    };
    line(&told)
}

/// What is wrong with a command line, as one line of JSON.
pub(crate) fn usage_as_json(error: &clap::Error) -> String {
    line(&json!({ "reason": USAGE, "message": error.render().to_string().trim_end() }))
}

fn line(told: &Value) -> String {
    format!("{}\n", harmless(json!({ "error": told }).to_string()))
}

fn refusal_as_json(status: &Status) -> Value {
    let details = status.get_error_details();
    let (code, info) = (code(status), details.error_info());
    let reason = info.map_or_else(|| code.clone(), |info| info.reason.clone());
    let mut told = json!({ "code": code, "reason": reason, "message": status.message() });
    if let Some(bad) = details.bad_request().filter(|bad| !bad.field_violations.is_empty()) {
        let violations = bad.field_violations.iter();
        told["violations"] = violations
            .map(|violation| json!({ "field": violation.field, "description": violation.description }))
            .collect();
    }
    if let Some(info) = info.filter(|info| !info.metadata.is_empty()) {
        told["metadata"] = json!(info.metadata);
    }
    if let Some(delay) = details.retry_info().and_then(|info| info.retry_delay) {
        told["retry_after_seconds"] = json!(delay.as_secs_f64());
    }
    told
}

/// Each cause once: some errors repeat the next one's words.
fn chain(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.ends_with(&cause) {
            let _ = write!(text, ": {cause}");
        }
    }
    text
}

fn refusal(status: &Status) -> String {
    let details = status.get_error_details();
    let reason = details.error_info().map_or_else(|| code(status), |info| info.reason.clone());
    let mut text = format!("redress: {reason}: {}\n", status.message());
    for violation in details.bad_request().map(|bad| bad.field_violations.as_slice()).unwrap_or_default() {
        let _ = writeln!(text, "  {} {}", violation.field, violation.description);
    }
    if let Some(delay) = details.retry_info().and_then(|info| info.retry_delay) {
        let _ = writeln!(text, "  try again in {:.1} s", delay.as_secs_f64());
    }
    text
}

/// The code as the protocol writes it.
fn code(status: &Status) -> String {
    let words = format!("{:?}", status.code());
    let mut code = String::new();
    for (place, letter) in words.char_indices() {
        if place > 0 && letter.is_uppercase() {
            code.push('_');
        }
        code.push(letter.to_ascii_uppercase());
    }
    code
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tonic::Code;
    use tonic_types::ErrorDetails;

    use super::*;

    #[test]
    fn every_violation_is_named() {
        let mut details = ErrorDetails::with_error_info("INVALID_COMPLAINT", "redress.dev", []);
        details.add_bad_request_violation("complaint.subject", "is required");
        details.add_bad_request_violation("complaint.language", "is required");
        details.set_retry_info(Some(Duration::from_millis(1500)));
        let status = Status::with_error_details(Code::InvalidArgument, "the request is not valid", details);
        assert_eq!(
            explain(&anyhow::Error::new(status).context("row 3")),
            "redress: INVALID_COMPLAINT: the request is not valid\n\
             \x20 complaint.subject is required\n\
             \x20 complaint.language is required\n\
             \x20 try again in 1.5 s\n"
        );
    }

    #[test]
    fn an_error_in_json_has_what_the_text_has() {
        let mut details = ErrorDetails::with_error_info(
            "SHARE_EXCEEDED",
            "redress.dev",
            [("share_of".to_owned(), "caller".to_owned())],
        );
        details.add_bad_request_violation("subject", "must not contain \u{1b}");
        details.set_retry_info(Some(Duration::from_millis(250)));
        let status = Status::with_error_details(Code::ResourceExhausted, "too \u{9b}much", details);
        let text = as_json(&anyhow::Error::new(status).context("row 3"));
        assert!(text.ends_with('\n') && !text.trim_end().contains(show::is_treacherous), "{text:?}");
        assert_eq!(
            serde_json::from_str::<Value>(&text).unwrap(),
            json!({ "error": {
                "code": "RESOURCE_EXHAUSTED", "reason": "SHARE_EXCEEDED", "message": "too \u{9b}much",
                "violations": [{ "field": "subject", "description": "must not contain \u{1b}" }],
                "metadata": { "share_of": "caller" }, "retry_after_seconds": 0.25,
            } })
        );
        let local = as_json(&anyhow::anyhow!("no such file").context("import"));
        assert_eq!(local, "{\"error\":{\"message\":\"import: no such file\",\"reason\":\"FAILED\"}}\n");
    }

    #[test]
    fn a_status_without_details_has_its_code() {
        let error = anyhow::Error::new(Status::deadline_exceeded("too slow"));
        assert_eq!(explain(&error), "redress: DEADLINE_EXCEEDED: too slow\n");
    }

    #[test]
    fn a_cause_repeated_in_an_error_is_shown_once() {
        let error = anyhow::anyhow!("no such file").context("sample.csv: no such file").context("import");
        assert_eq!(explain(&error), "redress: import: sample.csv: no such file\n");
    }
}
