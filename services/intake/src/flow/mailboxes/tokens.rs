//! The tokens by which an answer finds its case: signed with the key that receipt codes derive
//! from, each tenant's with a key of its own.

use fault::Fault;
use kernel::receipt::ReceiptKey;
use kernel::{CaseId, TenantId};
use mail::tag::TagKey;

/// What the tenants' keys are derived for.
const PURPOSE: &str = "mail token";

/// The key that a tenant's tokens are signed with.
pub(crate) fn key(key: &ReceiptKey, tenant: &TenantId) -> Result<TagKey, Fault> {
    let derived = key.sign(PURPOSE, tenant.as_str().as_bytes());
    TagKey::new(&derived).ok_or_else(|| Fault::internal("a derived key is too short"))
}

/// The token of a case.
pub(crate) fn token(receipts: &ReceiptKey, tenant: &TenantId, id: CaseId) -> Result<String, Fault> {
    Ok(key(receipts, tenant)?.token(id.0))
}
