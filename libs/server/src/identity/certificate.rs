//! The caller a client certificate names: subject CN is the subject, O the tenant,
//! each OU a role (`agent`, `department-worker:finance`). That the certificate holds
//! was proven when the connection was made.

use std::time::Duration;

use fault::Fault;
use kernel::{Caller, Clock as _, SystemClock};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;
use x509_parser::x509::AttributeTypeAndValue;

use super::{PlatformTenants, proven, unauthenticated};

/// The caller a certificate (DER) names, and how long it holds.
pub(super) fn caller(der: &[u8], platform: &PlatformTenants) -> Result<(Caller, Duration), Fault> {
    let (_, certificate) = X509Certificate::from_der(der)
        .map_err(|error| unauthenticated("the client certificate cannot be read").because(error))?;
    let name = certificate.subject();
    let first = |mut attributes: Vec<String>| {
        if attributes.is_empty() { String::new() } else { attributes.swap_remove(0) }
    };
    let subject = first(texts(name.iter_common_name()));
    let tenant = first(texts(name.iter_organization()));
    let caller = proven(&tenant, &subject, &texts(name.iter_organizational_unit()), platform)?;
    let left = certificate.validity().not_after.timestamp() - SystemClock.now().as_second();
    Ok((caller, Duration::from_secs(u64::try_from(left).unwrap_or(0))))
}

fn texts<'a>(attributes: impl Iterator<Item = &'a AttributeTypeAndValue<'a>>) -> Vec<String> {
    attributes.filter_map(|attribute| attribute.as_str().ok()).map(str::to_owned).collect()
}
