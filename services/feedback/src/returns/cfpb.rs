//! The consumer complaint database of the Consumer Financial Protection Bureau: 16 columns in
//! its order.

use jiff::ToSpan as _;

use super::record::Closing;
use super::{Problems, Record, Return};
use crate::fact::Ending;
use crate::report::csv;

/// The columns, in order, as the database heads them.
pub const COLUMNS: &[&str] = &[
    "Date received",
    "Product",
    "Sub-product",
    "Issue",
    "Sub-issue",
    "Consumer complaint narrative",
    "Company public response",
    "Company",
    "State",
    "ZIP code",
    "Tags",
    "Submitted via",
    "Date sent to company",
    "Company response to consumer",
    "Timely response?",
    "Complaint ID",
];

/// How complaints are submitted.
pub const SUBMITTED_VIA: &[&str] = &["Web", "Phone", "Email", "Postal mail", "Fax", "Referral"];

/// What companies respond, all that the database knows; those without and with relief of no
/// kind are of the past and never told.
pub const RESPONSES: &[&str] = &[
    "Closed",
    "Closed with explanation",
    "Closed with monetary relief",
    "Closed with non-monetary relief",
    "Closed with relief",
    "Closed without relief",
    "In progress",
    "Untimely response",
];

/// States, territories and post of the forces.
#[rustfmt::skip]
pub const STATES: &[&str] = &[
    "AL", "AK", "AZ", "AR", "CA", "CO", "CT", "DE", "DC", "FL", "GA", "HI", "ID", "IL", "IN", "IA", "KS", "KY",
    "LA", "ME", "MD", "MA", "MI", "MN", "MS", "MO", "MT", "NE", "NV", "NH", "NJ", "NM", "NY", "NC", "ND", "OH",
    "OK", "OR", "PA", "RI", "SC", "SD", "TN", "TX", "UT", "VT", "VA", "WA", "WV", "WI", "WY", "AS", "GU", "MP",
    "PR", "VI", "FM", "MH", "PW", "UM", "AA", "AE", "AP",
];

/// Days a company has to respond.
const RESPOND_WITHIN: i32 = 15;
/// Days it has where it said within those that it takes longer.
const CLOSE_WITHIN: i32 = 60;

/// The row of a complaint.
pub fn row(of: &Return, record: &Record, problems: &mut Problems) -> Vec<String> {
    let (mapping, case) = (&of.mapping, record.matched(of));
    let received = of.date(record.received);
    let sent = record.forwarded.map_or(received, |at| of.date(at));
    if sent < received {
        problems.push(("date_sent_to_company", "lies before the complaint was received".to_owned()));
    }
    let optional = |field: &str| csv::field(mapping.code(field, &case).unwrap_or_default());
    let public = mapping.code("company_public_response", &case);
    let public = public.or_else(|| mapping.constant("company_public_response")).unwrap_or_default();
    let product = mapping.needed("product", &case, problems);
    let via = mapping.code("submitted_via", &case).or_else(|| submitted_via(record.channel));
    if via.is_none() {
        problems.push(("submitted_via", "no rule of the mapping gives one for this channel".to_owned()));
    }
    let (response, timely) = response(of, record, sent);
    vec![
        received.to_string(),
        csv::field(&product),
        optional("sub_product"),
        optional("issue"),
        optional("sub_issue"),
        // What anybody wrote stays here; the database has not told narratives since 2026-09.
        String::new(),
        csv::field(public),
        csv::field(mapping.constant("company").unwrap_or_default()),
        state(of, record, problems),
        // No event tells it.
        String::new(),
        csv::field(tags(record)),
        csv::field(via.unwrap_or_default()),
        sent.to_string(),
        csv::field(response),
        timely.to_owned(),
        complaint_id(record, problems),
    ]
}

/// The ways that our channels are for certain.
fn submitted_via(channel: i16) -> Option<&'static str> {
    match channel {
        1 => Some("Phone"),
        2 | 3 | 5 => Some("Web"),
        4 => Some("Email"),
        7 => Some("Postal mail"),
        _ => None,
    }
}

fn state(of: &Return, record: &Record, problems: &mut Problems) -> String {
    if let Some(code) = of.mapping.code("state", &record.matched(of)) {
        return code.to_owned();
    }
    let code = record.region.trim().to_uppercase();
    let code = code.strip_prefix("US-").unwrap_or(&code);
    if !code.is_empty() && !STATES.contains(&code) {
        problems.push(("state", "the region is no state of the United States".to_owned()));
        return String::new();
    }
    code.to_owned()
}

fn tags(record: &Record) -> &'static str {
    match (record.older, record.servicemember) {
        (true, true) => "Older American, Servicemember",
        (true, false) => "Older American",
        (false, true) => "Servicemember",
        (false, false) => "",
    }
}

fn complaint_id(record: &Record, problems: &mut Problems) -> String {
    let id = &record.outside_id;
    let problem = if id.is_empty() {
        "neither the regulator nor the channel gave it a number"
    } else if !id.bytes().all(|byte| byte.is_ascii_digit()) {
        "must be digits"
    } else if record.is_outside_id_shared {
        "is that of another case, too"
    } else {
        return id.clone();
    };
    problems.push(("complaint_id", problem.to_owned()));
    String::new()
}

/// What the company responded, and whether in time: within 15 days, or within 60 where it said
/// within 15 that it takes longer.
fn response(of: &Return, record: &Record, sent: jiff::civil::Date) -> (&'static str, &'static str) {
    let within = |at, days: i32| sent.checked_add(days.days()).is_ok_and(|last| of.date(at) <= last);
    let held = record.held.filter(|at| *at < of.as_of && within(*at, RESPOND_WITHIN));
    let days = if held.is_some() { CLOSE_WITHIN } else { RESPOND_WITHIN };
    let Some(closing) = record.closed(of) else {
        // The last moment that is told of.
        let last = of.as_of.checked_sub(1.nanosecond()).unwrap_or(of.as_of);
        return if within(last, days) { ("In progress", "Yes") } else { ("Untimely response", "No") };
    };
    (closed_as(of, record, closing), if within(closing.at, days) { "Yes" } else { "No" })
}

fn closed_as(of: &Return, record: &Record, closing: Closing) -> &'static str {
    let is_without_answer = !closing.told && closing.ending != Some(Ending::Closed);
    if record.is_paid(of) {
        "Closed with monetary relief"
    } else if record.is_otherwise_relieved(of) {
        "Closed with non-monetary relief"
    } else if is_without_answer || closing.outcome.is_none() {
        "Closed"
    } else {
        "Closed with explanation"
    }
}
