//! The data file on internal dispute resolution of the Australian Securities and Investments
//! Commission. Its elements are known, its codes and headings are not: mappings bring them.

use super::{Problems, Record, Return};
use crate::report::csv;

/// Where compensation is counted.
const CURRENCY: &str = "AUD";

/// The columns, in order.
pub const COLUMNS: &[&str] = &[
    "unique_id",
    "brand",
    "complainant_type",
    "gender",
    "age",
    "postcode",
    "status",
    "channel",
    "date_received",
    "date_closed",
    "days_to_close",
    "about_representative",
    "product",
    "issue",
    "outcome",
    "compensation",
];

/// The row of a complaint.
pub fn row(of: &Return, record: &Record, problems: &mut Problems) -> Vec<String> {
    let (mapping, case) = (&of.mapping, record.matched(of));
    let closed = record.closed(of).map(|closing| of.date(closing.at));
    let brand = mapping.code("brand", &case).or_else(|| mapping.constant("brand"));
    if brand.is_none() {
        problems.push(("brand", "the mapping names none".to_owned()));
    }
    let status = if closed.is_some() { "status_closed" } else { "status_open" };
    let optional = |field: &str| csv::field(mapping.code(field, &case).unwrap_or_default());
    let mut needed = |field| csv::field(&mapping.needed(field, &case, problems));
    let (channel, product, issue) = (needed("channel"), needed("product"), needed("issue"));
    // Closed ones have an outcome, open ones none.
    let outcome = if closed.is_some() { needed("outcome") } else { String::new() };
    let paid = record.paid(of, CURRENCY, problems);
    vec![
        record.case_id.to_string(),
        csv::field(brand.unwrap_or_default()),
        optional("complainant_type"),
        // Not mandatory, and kept by nobody here.
        String::new(),
        String::new(),
        String::new(),
        csv::field(mapping.constant(status).unwrap_or_default()),
        channel,
        of.date(record.received).to_string(),
        closed.map(|day| day.to_string()).unwrap_or_default(),
        closed.map(|day| record.days_until(of, day).to_string()).unwrap_or_default(),
        optional("about_representative"),
        product,
        issue,
        outcome,
        super::decimal(paid, CURRENCY),
    ]
}
