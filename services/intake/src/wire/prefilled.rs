//! What a form is filled in with before anybody is asked: what a company's directory knows.

use fault::{Check, Fault};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use kernel::Money;
use proto::redress::directory::v1::{Customer, Order, Product};
use proto::redress::intake::v1::{PrefillFormRequest, PrefillFormResponse};
use serde_json::{Map, Value};

use super::MAX_WORD;
use super::forms::MAX_ANSWER;
use crate::form::{Held, Review, answer};

/// Everything that a field may be filled in with, by name.
pub(crate) const SOURCES: [&str; 18] = [
    "customer.customer_id",
    "customer.display_name",
    "customer.email",
    "customer.phone",
    "customer.region",
    "customer.tier",
    "customer.since_date",
    "order.order_ref",
    "order.status",
    "order.title",
    "order.total_amount",
    "order.total_currency",
    "order.order_date",
    "order.deliver_date",
    "product.product_ref",
    "product.title",
    "product.kind",
    "product.warranty_days",
];

/// Most products of an order, as directories tell them.
const MAX_PRODUCTS: usize = 20;

/// Bytes of an answer from which on reading it may take a millisecond.
pub(crate) const HEAVY: usize = 20_000;

/// What is known already.
#[derive(Debug, Default)]
pub(crate) struct Known {
    customer: Customer,
    order: Order,
    product: Product,
}

impl Known {
    /// What a field is filled in with, by the name of a source; none where it is not known.
    fn value(&self, name: &str) -> Option<String> {
        let Self { customer, order, product } = self;
        Some(match name {
            "customer.customer_id" => customer.customer_id.clone(),
            "customer.display_name" => customer.display_name.clone(),
            "customer.email" => customer.email.clone(),
            "customer.phone" => customer.phone.clone(),
            "customer.region" => customer.region.clone(),
            "customer.tier" => customer.tier.clone(),
            "customer.since_date" => date(customer.since_time)?,
            "order.order_ref" => order.order_ref.clone(),
            "order.status" => order.status.clone(),
            "order.title" => order.title.clone(),
            "order.total_amount" => total(order)?.amount(),
            "order.total_currency" => total(order)?.currency,
            "order.order_date" => date(order.order_time)?,
            "order.deliver_date" => date(order.deliver_time)?,
            "product.product_ref" => product.product_ref.clone(),
            "product.title" => product.title.clone(),
            "product.kind" => product.kind.clone(),
            "product.warranty_days" if product.warranty_days > 0 => product.warranty_days.to_string(),
            _ => return None,
        })
    }
}

fn date(time: Option<prost_types::Timestamp>) -> Option<String> {
    let time = time?;
    let time = Timestamp::new(time.seconds, time.nanos).ok()?;
    Some(time.to_zoned(TimeZone::UTC).date().to_string())
}

fn total(order: &Order) -> Option<Money> {
    let total = order.total.as_ref()?;
    Money::parse(&total.currency_code, total.units, total.nanos).ok()
}

/// Reads which form is filled in, what of it is already, and what is known.
pub(crate) fn wanted(request: PrefillFormRequest) -> Result<(String, Value, Known), Fault> {
    let PrefillFormRequest { category, form_data, customer, order, product } = request;
    let mut check = Check::new();
    let category = check.text("category", category, MAX_WORD);
    let form_data = check.text("form_data", form_data, MAX_ANSWER);
    let read = if form_data.is_empty() { Ok(Value::Object(Map::new())) } else { answer(&form_data) };
    let form_data = read.unwrap_or_else(|wrong| {
        check.fail("form_data", wrong);
        Value::Null
    });
    let mut order = order.unwrap_or_default();
    order.product_refs = check.list("order.product_refs", order.product_refs, MAX_PRODUCTS);
    check.done("INVALID_FORM_NAME")?;
    let known = Known { customer: customer.unwrap_or_default(), order, product: product.unwrap_or_default() };
    Ok((category, form_data, known))
}

/// The form with what is known filled in.
pub(crate) fn filled(held: &Held, mut form_data: Value, known: &Known) -> PrefillFormResponse {
    let filled_fields = held.form.prefill(&mut form_data, |name| known.value(name));
    let Review { completeness, missing, .. } = held.form.review(&form_data);
    PrefillFormResponse {
        form_category: held.kept.category.clone(),
        form_version: held.kept.version,
        form_data: form_data.to_string(),
        filled_fields,
        completeness,
        missing_fields: missing,
    }
}

#[cfg(test)]
mod tests {
    use proto::google::r#type::Money as WireMoney;

    use super::*;

    #[test]
    fn every_source_is_known_of_who_tells_everything() {
        let time = Some(prost_types::Timestamp { seconds: 1_767_225_600, nanos: 0 });
        let text = || "x".to_owned();
        let total = WireMoney { currency_code: "EUR".to_owned(), units: 19, nanos: 900_000_000 };
        let known = Known {
            customer: Customer {
                customer_id: text(),
                display_name: text(),
                email: text(),
                phone: text(),
                region: text(),
                tier: text(),
                since_time: time,
            },
            order: Order {
                order_ref: text(),
                status: text(),
                title: text(),
                total: Some(total),
                order_time: time,
                deliver_time: time,
                product_refs: Vec::new(),
            },
            product: Product { product_ref: text(), title: text(), kind: text(), warranty_days: 730 },
        };
        let missing: Vec<_> =
            SOURCES.iter().filter(|name| known.value(name).is_none_or(|text| text.is_empty())).collect();
        assert!(missing.is_empty(), "{missing:?}");
        assert_eq!(known.value("order.total_amount").as_deref(), Some("19.90"));
        assert_eq!(known.value("order.order_date").as_deref(), Some("2026-01-01"));
        assert_eq!(known.value("customer.shoe_size"), None);
        let nothing = Known::default();
        assert!(SOURCES.iter().all(|name| nothing.value(name).is_none_or(|text| text.is_empty())));
    }
}
