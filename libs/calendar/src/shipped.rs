//! The packs that are shipped, and which of them holds for a day.

use std::sync::LazyLock;

use jiff::civil::Date;

use crate::pack::Pack;

/// The packs that are shipped, every version of each: of one name, the latest first.
pub fn packs() -> &'static [Pack] {
    &PACKS
}

/// The versions of a shipped pack, the latest first; none of a name that is not shipped.
pub fn versions(name: &str) -> impl Iterator<Item = &'static Pack> {
    packs().iter().filter(move |pack| pack.name == name)
}

/// The version of a shipped pack for complaints received on a day: the latest of those
/// that apply to it. None where there is no such pack, or none applies.
pub fn pack_on(name: &str, received: Date) -> Option<&'static Pack> {
    versions(name).find(|pack| pack.applies_on(received))
}

pub(crate) const SHIPPED: [&str; 29] = [
    include_str!("../packs/cn-bank-insurance-2020.toml"),
    include_str!("../packs/cn-pboc-2020.toml"),
    include_str!("../packs/cn-telecom.toml"),
    include_str!("../packs/cn-express.toml"),
    include_str!("../packs/cn-postal-forwarded.toml"),
    include_str!("../packs/cn-samr-mediation-2026.toml"),
    include_str!("../packs/cn-samr-mediation-2024.toml"),
    include_str!("../packs/cn-samr-mediation.toml"),
    include_str!("../packs/cn-consumer-authority.toml"),
    include_str!("../packs/cn-civil-aviation-2026.toml"),
    include_str!("../packs/cn-civil-aviation.toml"),
    include_str!("../packs/cn-xinfang.toml"),
    include_str!("../packs/cn-12345.toml"),
    include_str!("../packs/uk-fca-disp-2026.toml"),
    include_str!("../packs/uk-fca-disp.toml"),
    include_str!("../packs/uk-eu-payment-2026.toml"),
    include_str!("../packs/uk-eu-payment.toml"),
    include_str!("../packs/uk-data-protection.toml"),
    include_str!("../packs/uk-ofcom-telecom-2026.toml"),
    include_str!("../packs/uk-ofcom-telecom.toml"),
    include_str!("../packs/uk-housing-ombudsman.toml"),
    include_str!("../packs/us-cfpb.toml"),
    include_str!("../packs/us-dot-airline.toml"),
    include_str!("../packs/au-rg271.toml"),
    include_str!("../packs/in-rbi-2026.toml"),
    include_str!("../packs/in-rbi.toml"),
    include_str!("../packs/eu-mica-casp.toml"),
    include_str!("../packs/eu-gdpr-request.toml"),
    include_str!("../packs/general-e-commerce.toml"),
];

// They are part of the program; a test reads every one of them.
static PACKS: LazyLock<Vec<Pack>> =
    LazyLock::new(|| SHIPPED.iter().filter_map(|text| Pack::from_toml(text).ok()).collect());
