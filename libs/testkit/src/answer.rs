//! What answers say, the way tests compare it.

use proto::CONSISTENCY_TOKEN;
use tonic::{Response, Status};
use tonic_types::StatusExt as _;

/// The stable reason of a refusal; empty if it has none.
pub fn reason(status: &Status) -> String {
    status.get_details_error_info().map(|info| info.reason).unwrap_or_default()
}

/// The fields at fault, in the order in which they were found.
pub fn violations(status: &Status) -> Vec<String> {
    let details = status.get_details_bad_request();
    details.into_iter().flat_map(|bad| bad.field_violations).map(|violation| violation.field).collect()
}

/// The token by which a later read sees this answer's effects.
pub fn consistency_token<T>(response: &Response<T>) -> String {
    let token = response.metadata().get(CONSISTENCY_TOKEN).expect("the answer carries a consistency token");
    token.to_str().expect("a consistency token is text").to_owned()
}

#[cfg(test)]
mod tests {
    use fault::{Fault, Kind, Violation};

    use super::*;

    #[test]
    fn reason_and_fields_are_read_off_a_status() {
        let fault = Fault::new(Kind::Invalid, "INVALID_X", "no")
            .violating(vec![Violation::new("b", "too long"), Violation::new("a", "required")]);
        let status = Status::from(fault);
        assert_eq!(reason(&status), "INVALID_X");
        assert_eq!(violations(&status), ["b", "a"]);
        assert_eq!(reason(&Status::ok("")), "");
    }
}
