//! Approval limits: how they are set, and how they are shown.

use fault::{Check, Fault};
use kernel::Money;
use proto::redress::resolution::v1;

use super::money;
use crate::approval::Sums;

/// Most currencies with a cap.
const MAX_CAPS: usize = 50;

/// The caps that are set, and the version the caller has seen.
pub(crate) fn setting(request: v1::SetApprovalLimitsRequest) -> Result<(Sums, Option<i64>), Fault> {
    let v1::SetApprovalLimitsRequest { request_id, expected_version, case_caps } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let mut caps = Sums::new();
    for (index, cap) in check.list("case_caps", case_caps, MAX_CAPS).into_iter().enumerate() {
        let field = format!("case_caps[{index}]");
        let Some(Money { minor, currency }) = check.money(&field, Some(cap)) else { continue };
        check.ensure(minor > 0, &field, "must be more than zero");
        check.ensure(!caps.contains_key(&currency), &field, "is a second cap for its currency");
        caps.insert(currency, minor);
    }
    check.done("INVALID_LIMITS")?;
    Ok((caps, expected_version))
}

/// Limits as they are shown.
pub(crate) fn limits(version: i64, caps: Sums) -> v1::ApprovalLimits {
    let caps = caps.into_iter().map(|(currency, minor)| money(&Money { minor, currency }));
    v1::ApprovalLimits { version, case_caps: caps.collect() }
}
