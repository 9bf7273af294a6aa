//! Contract ⇄ domain of `DirectoryService`, and what a company's directory is asked and says.

use std::sync::LazyLock;
use std::time::Duration;

use fault::{Check, Fault};
use jiff::Timestamp;
use kernel::{Money, TenantId};
use prost::{Message, Name};
use prost_reflect::{DescriptorPool, DeserializeOptions, DynamicMessage, MessageDescriptor};
use proto::google::r#type::Money as WireMoney;
use proto::redress::cases::v1::{
    DeleteDirectoryRequest, DirectoryGap, DirectorySettings, DirectorySnapshot, GetCaseDirectoryResponse,
    LookUpDirectoryRequest, SetDirectoryRequest,
};
use proto::redress::directory::v1::{
    Contact, Customer, GetCustomerRequest, GetProductRequest, ListContactsRequest, ListOrdersRequest, Order,
    Product,
};
use proto::timestamp;
use server::Secret;
use webhook::Target;

use crate::directory::{
    DEFAULT_AGE, DEFAULT_TIMEOUT, Directory, DirectoryAnswer, DirectoryKind, Lookup, MAX_AGE, MAX_TIMEOUT,
    MIN_AGE, MIN_TIMEOUT, Named, Part, Setting, Snapshot,
};

const INVALID_DIRECTORY: &str = "INVALID_DIRECTORY";
const INVALID_QUESTION: &str = "INVALID_DIRECTORY_QUESTION";
/// Longest e-mail address and telephone that are asked by, as complaints have them.
const MAX_EMAIL: usize = 320;
const MAX_PHONE: usize = 40;
/// Longest URL: the names of rpcs follow it.
const MAX_URL: usize = 1_900;
/// Shortest and longest token.
const TOKEN_LENGTH: std::ops::RangeInclusive<usize> = 16..=200;
/// Most orders and contacts that are kept.
const MAX_ROWS: usize = 20;
/// Most products of an order that are kept.
const MAX_PRODUCTS: usize = 20;
/// Longest text of a directory that is kept, in characters.
const MAX_TEXT: usize = 200;
/// Longest reason for a gap, in characters.
const MAX_REASON: usize = 200;

static CONTRACTS: LazyLock<Option<DescriptorPool>> =
    LazyLock::new(|| DescriptorPool::decode(proto::BARE_DESCRIPTOR_SET).ok());

/// Reads what a directory is to be, and the version that was seen.
pub(crate) fn setting(request: SetDirectoryRequest) -> Result<(Setting, Option<i64>), Fault> {
    let SetDirectoryRequest {
        request_id,
        expected_version,
        kind,
        url,
        token,
        timeout_duration,
        max_age_duration,
    } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let kind = DirectoryKind::of(kind).unwrap_or_else(|| {
        check.fail("kind", if kind == 0 { "is required" } else { "is not a known kind" });
        DirectoryKind::Http
    });
    let url = check.required("url", url, MAX_URL);
    if !url.is_empty() {
        check_url(&mut check, &url, kind);
    }
    let is_token = TOKEN_LENGTH.contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_graphic());
    check.ensure(token.is_empty() || is_token, "token", "must have 16 to 200 visible characters of ASCII");
    let timeout =
        check.duration("timeout_duration", timeout_duration, MIN_TIMEOUT..=MAX_TIMEOUT, "100 ms to 5 s");
    let max_age = check.duration("max_age_duration", max_age_duration, MIN_AGE..=MAX_AGE, "1 min to 30 d");
    check.done(INVALID_DIRECTORY)?;
    let token = Some(token).filter(|token| !token.is_empty()).map(Secret::from);
    let (timeout, max_age) = (timeout.unwrap_or(DEFAULT_TIMEOUT), max_age.unwrap_or(DEFAULT_AGE));
    Ok((Setting { kind, url, token, timeout, max_age }, expected_version))
}

fn check_url(check: &mut Check, url: &str, kind: DirectoryKind) {
    match url.parse::<Target>() {
        Err(error) => check.fail("url", error.to_string()),
        Ok(target) => {
            check.ensure(target.uri().query().is_none(), "url", "must not have a query");
            let is_bare = matches!(target.uri().path(), "" | "/");
            check.ensure(kind != DirectoryKind::Grpc || is_bare, "url", "must not have a path for gRPC");
        }
    }
}

/// Reads what a directory is asked by.
pub(crate) fn question(request: LookUpDirectoryRequest) -> Result<Named, Fault> {
    let LookUpDirectoryRequest { customer_id, email, phone, order_ref, product_ref } = request;
    let mut check = Check::new();
    let mut text = |field: &str, text: String, max: usize| check.text(field, text, max).trim().to_owned();
    let named = Named {
        customer_id: text("customer_id", customer_id, MAX_TEXT),
        email: text("email", email, MAX_EMAIL),
        phone: text("phone", phone, MAX_PHONE),
        order_ref: text("order_ref", order_ref, MAX_TEXT),
        product_ref: text("product_ref", product_ref, MAX_TEXT),
    };
    check.ensure(named.is_something(), "customer_id", "or another field must say by what to ask");
    check.done(INVALID_QUESTION)?;
    Ok(named)
}

/// Reads that a directory is to be forgotten, and the version that was seen.
pub(crate) fn deletion(request: DeleteDirectoryRequest) -> Result<Option<i64>, Fault> {
    let DeleteDirectoryRequest { request_id, expected_version } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    check.done(INVALID_DIRECTORY)?;
    Ok(expected_version)
}

/// A directory as callers see it.
pub(crate) fn directory(directory: &Directory) -> DirectorySettings {
    DirectorySettings {
        version: directory.version,
        kind: directory.kind.number().into(),
        url: directory.url.clone(),
        has_token: directory.token.is_some(),
        timeout_duration: length(directory.timeout),
        max_age_duration: length(directory.max_age),
        update_time: Some(timestamp(directory.updated_at)),
    }
}

fn length(length: Duration) -> Option<prost_types::Duration> {
    prost_types::Duration::try_from(length).ok()
}

/// What a directory said of a case, as callers see it.
pub(crate) fn lookup(lookup: &Lookup, now: Timestamp) -> Result<GetCaseDirectoryResponse, Fault> {
    let shown = |one: &Option<Snapshot>| one.as_ref().map(|one| snapshot(one, now)).transpose();
    Ok(GetCaseDirectoryResponse {
        opening: shown(&lookup.opening)?,
        latest: shown(&lookup.latest)?,
        failure: lookup.failure.clone(),
        next_try_time: lookup.next_try.map(timestamp),
    })
}

/// What a directory has just said.
pub(crate) fn said(heard: &DirectoryAnswer, now: Timestamp) -> Result<DirectorySnapshot, Fault> {
    snapshot(&Snapshot { time: now, content: heard.content.clone() }, now)
}

fn snapshot(snapshot: &Snapshot, now: Timestamp) -> Result<DirectorySnapshot, Fault> {
    let said = DirectorySnapshot::decode(snapshot.content.as_slice()).map_err(Fault::internal)?;
    let seconds = now.duration_since(snapshot.time).as_secs().max(0);
    let age_duration = Some(prost_types::Duration { seconds, nanos: 0 });
    Ok(DirectorySnapshot { time: Some(timestamp(snapshot.time)), age_duration, ..said })
}

/// What is asked about the customer; none where the complaint names nobody.
pub(crate) fn who(tenant: &TenantId, named: &Named) -> Option<GetCustomerRequest> {
    named.has_customer().then(|| GetCustomerRequest {
        tenant_id: tenant.to_string(),
        customer_id: named.customer_id.clone(),
        email: named.email.clone(),
        phone: named.phone.clone(),
    })
}

/// What is asked about orders; none where neither customer nor order is known.
pub(crate) fn orders(tenant: &TenantId, customer_id: &str, named: &Named) -> Option<ListOrdersRequest> {
    let is_known = !customer_id.is_empty() || !named.order_ref.is_empty();
    is_known.then(|| ListOrdersRequest {
        tenant_id: tenant.to_string(),
        customer_id: customer_id.to_owned(),
        order_ref: named.order_ref.clone(),
        max_results: most(),
    })
}

/// What is asked about the product; none where the complaint names none.
pub(crate) fn product(tenant: &TenantId, named: &Named) -> Option<GetProductRequest> {
    (!named.product_ref.is_empty())
        .then(|| GetProductRequest { tenant_id: tenant.to_string(), product_ref: named.product_ref.clone() })
}

/// What is asked about earlier contacts; none where the customer is not known.
pub(crate) fn contacts(tenant: &TenantId, customer_id: &str) -> Option<ListContactsRequest> {
    (!customer_id.is_empty()).then(|| ListContactsRequest {
        tenant_id: tenant.to_string(),
        customer_id: customer_id.to_owned(),
        max_results: most(),
    })
}

fn most() -> i32 {
    i32::try_from(MAX_ROWS).unwrap_or(i32::MAX)
}

/// What came of each question; none where it was not asked.
#[derive(Default)]
pub(crate) struct Answers {
    /// Who the customer is.
    pub(crate) customer: Option<Result<Option<Customer>, String>>,
    /// What they ordered.
    pub(crate) orders: Option<Result<Vec<Order>, String>>,
    /// What the product is.
    pub(crate) product: Option<Result<Option<Product>, String>>,
    /// When they were in contact before.
    pub(crate) contacts: Option<Result<Vec<Contact>, String>>,
}

/// What is kept of the answers. What is longer than it may be is cut.
pub(crate) fn heard(answers: Answers) -> DirectoryAnswer {
    let Answers { customer, orders, product, contacts } = answers;
    let mut said = Said::default();
    let kept = DirectorySnapshot {
        customer: said.take(Part::Customer, customer).flatten().map(bounded_customer),
        orders: said
            .take(Part::Orders, orders)
            .unwrap_or_default()
            .into_iter()
            .take(MAX_ROWS)
            .map(bounded_order)
            .collect(),
        product: said.take(Part::Product, product).flatten().map(bounded_product),
        contacts: said
            .take(Part::Contacts, contacts)
            .unwrap_or_default()
            .into_iter()
            .take(MAX_ROWS)
            .map(bounded_contact)
            .collect(),
        ..DirectorySnapshot::default()
    };
    let Said { answered, gaps } = said;
    let failure = gaps.first().map(|gap| gap.reason.clone()).unwrap_or_default();
    let content = DirectorySnapshot { gaps, ..kept }.encode_to_vec();
    DirectoryAnswer { content, answered, failure }
}

#[derive(Default)]
struct Said {
    answered: i16,
    gaps: Vec<DirectoryGap>,
}

impl Said {
    fn take<T>(&mut self, part: Part, answer: Option<Result<T, String>>) -> Option<T> {
        match answer? {
            Ok(answer) => {
                self.answered += 1;
                Some(answer)
            }
            Err(reason) => {
                let reason = reason.chars().take(MAX_REASON).collect();
                self.gaps.push(DirectoryGap { part: part.number().into(), reason });
                None
            }
        }
    }
}

fn cut(text: String) -> String {
    match text.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => text[..end].to_owned(),
        None => text,
    }
}

fn moment(time: Option<prost_types::Timestamp>) -> Option<prost_types::Timestamp> {
    time.filter(|time| Timestamp::new(time.seconds, time.nanos).is_ok())
}

fn sum(sum: Option<WireMoney>) -> Option<WireMoney> {
    sum.filter(|sum| Money::parse(&sum.currency_code, sum.units, sum.nanos).is_ok())
}

fn bounded_customer(customer: Customer) -> Customer {
    let Customer { customer_id, display_name, email, phone, region, tier, since_time } = customer;
    Customer {
        customer_id: cut(customer_id),
        display_name: cut(display_name),
        email: cut(email),
        phone: cut(phone),
        region: cut(region),
        tier: cut(tier),
        since_time: moment(since_time),
    }
}

fn bounded_order(order: Order) -> Order {
    let Order { order_ref, status, title, total, order_time, deliver_time, product_refs } = order;
    Order {
        order_ref: cut(order_ref),
        status: cut(status),
        title: cut(title),
        total: sum(total),
        order_time: moment(order_time),
        deliver_time: moment(deliver_time),
        product_refs: product_refs.into_iter().take(MAX_PRODUCTS).map(cut).collect(),
    }
}

fn bounded_product(product: Product) -> Product {
    let Product { product_ref, title, kind, warranty_days } = product;
    Product {
        product_ref: cut(product_ref),
        title: cut(title),
        kind: cut(kind),
        warranty_days: warranty_days.max(0),
    }
}

fn bounded_contact(contact: Contact) -> Contact {
    let Contact { channel, subject, time } = contact;
    Contact { channel: cut(channel), subject: cut(subject), time: moment(time) }
}

fn descriptor<M: Name>() -> Option<MessageDescriptor> {
    CONTRACTS.as_ref()?.get_message_by_name(&M::full_name())
}

/// A question as JSON.
pub(crate) fn json<M: Message + Name>(message: &M) -> Option<Vec<u8>> {
    let mut dynamic = DynamicMessage::new(descriptor::<M>()?);
    dynamic.transcode_from(message).ok()?;
    serde_json::to_vec(&dynamic).ok()
}

/// An answer that was JSON. What it has beside the fields of the response is the company's.
pub(crate) fn read_json<M: Message + Name + Default>(body: &[u8]) -> Result<M, String> {
    let descriptor = descriptor::<M>().ok_or("the contract is not known")?;
    let mut reader = serde_json::Deserializer::from_slice(body);
    let options = DeserializeOptions::new().deny_unknown_fields(false);
    let wrong = |error: &dyn std::fmt::Display| format!("its answer cannot be read: {error}");
    let dynamic = DynamicMessage::deserialize_with_options(descriptor, &mut reader, &options);
    let dynamic = dynamic.map_err(|error| wrong(&error))?;
    reader.end().map_err(|error| wrong(&error))?;
    dynamic.transcode_to().map_err(|error| wrong(&error))
}

#[cfg(test)]
mod tests {
    use proto::redress::directory::v1::GetCustomerResponse;

    use super::*;

    #[test]
    fn an_answer_is_one_message_of_which_what_nobody_knows_is_passed_over() {
        let read = |text: &str| read_json::<GetCustomerResponse>(text.as_bytes());
        let known =
            read(r#"{"customer": {"customerId": "c-1", "shoeSize": 44}}"#).map(|answer| answer.customer);
        assert_eq!(known.map(|one| one.unwrap_or_default().customer_id).as_deref(), Ok("c-1"));
        for wrong in ["", "[]", "{} {}", "{\"customer\": 1}"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
