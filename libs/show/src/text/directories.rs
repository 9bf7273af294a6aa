//! What a company's own directory says of a case, and where it is.

use proto::redress::cases::v1::{
    DirectoryKind, DirectoryPart, DirectorySettings, DirectorySnapshot, GetCaseDirectoryResponse,
    LookUpDirectoryResponse,
};
use proto::redress::directory::v1::Customer;

use crate::lines::{millis, money, time};
use crate::table::{Table, facts};
use crate::words::word;

/// Where the directory is; its token is never told.
pub fn directory(directory: &DirectorySettings) -> String {
    facts(&[
        ("version", directory.version.to_string()),
        ("kind", word::<DirectoryKind>(directory.kind)),
        ("url", directory.url.clone()),
        ("token", if directory.has_token { "set" } else { "none" }.to_owned()),
        ("a question may take", length(directory.timeout_duration.as_ref())),
        ("asked anew after", length(directory.max_age_duration.as_ref())),
        ("changed", time(directory.update_time.as_ref())),
    ])
}

fn length(length: Option<&prost_types::Duration>) -> String {
    let in_millis = |length: &prost_types::Duration| {
        length.seconds.saturating_mul(1_000).saturating_add(i64::from(length.nanos) / 1_000_000)
    };
    length.map(|length| millis(in_millis(length))).unwrap_or_default()
}

/// What the directory said when the case was opened, and what it says now.
pub fn case_directory(found: &GetCaseDirectoryResponse) -> String {
    let mut text = String::new();
    let is_one = found.opening.as_ref().map(|one| one.time) == found.latest.as_ref().map(|one| one.time);
    if let Some(opening) = &found.opening {
        text += &snapshot("when it was opened", opening);
    }
    if let Some(latest) = found.latest.as_ref().filter(|_| !is_one) {
        text += &snapshot("latest", latest);
    }
    if text.is_empty() {
        text += "no directory was asked of it when it was opened; --refresh asks one that is set up now \
                 (redress directory get) by its customer's number, where it has one\n";
    }
    let head = facts(&[
        ("not answered", found.failure.clone()),
        ("asked again", time(found.next_try_time.as_ref())),
    ]);
    head + &text
}

/// What the directory says of somebody who has no case yet.
pub fn looked_up(found: &LookUpDirectoryResponse) -> String {
    snapshot("asked", &found.snapshot.clone().unwrap_or_default())
}

fn snapshot(title: &str, said: &DirectorySnapshot) -> String {
    let age = length(said.age_duration.as_ref());
    let Customer { customer_id, display_name, email, phone, region, tier, since_time } =
        said.customer.clone().unwrap_or_default();
    let gaps = said.gaps.iter().map(|gap| format!("{}: {}", word::<DirectoryPart>(gap.part), gap.reason));
    let product = said.product.clone().unwrap_or_default();
    let warranty =
        if product.warranty_days > 0 { format!("{} days", product.warranty_days) } else { String::new() };
    let mut text = facts(&[
        (title, format!("{}, {age} ago", time(said.time.as_ref()))),
        ("customer", customer_id),
        ("name", display_name),
        ("e-mail", email),
        ("telephone", phone),
        ("region", region),
        ("tier", tier),
        ("customer since", time(since_time.as_ref())),
        ("product", product.product_ref),
        ("called", product.title),
        ("product kind", product.kind),
        ("warranty", warranty),
        ("missing", gaps.collect::<Vec<_>>().join("\n")),
    ]);
    if !said.orders.is_empty() {
        let mut table = Table::new(["order", "status", "total", "placed", "delivered", "products", "title"]);
        for order in &said.orders {
            table.row([
                order.order_ref.clone(),
                order.status.clone(),
                money(order.total.as_ref()),
                time(order.order_time.as_ref()),
                time(order.deliver_time.as_ref()),
                order.product_refs.join(", "),
                order.title.clone(),
            ]);
        }
        text += &table.render();
    }
    if !said.contacts.is_empty() {
        let mut table = Table::new(["contact", "channel", "subject"]);
        for contact in &said.contacts {
            table.row([time(contact.time.as_ref()), contact.channel.clone(), contact.subject.clone()]);
        }
        text += &table.render();
    }
    text
}

#[cfg(test)]
mod tests {
    use proto::redress::cases::v1::DirectoryGap;

    use super::*;

    #[test]
    fn what_was_true_then_stands_before_what_is_true_now() {
        let said = |seconds, tier: &str| DirectorySnapshot {
            time: Some(prost_types::Timestamp { seconds, nanos: 0 }),
            customer: Some(Customer { tier: tier.to_owned(), ..Customer::default() }),
            gaps: vec![DirectoryGap { part: DirectoryPart::Orders.into(), reason: "too late".to_owned() }],
            ..DirectorySnapshot::default()
        };
        let both = GetCaseDirectoryResponse {
            opening: Some(said(1, "silver")),
            latest: Some(said(2, "gold")),
            ..GetCaseDirectoryResponse::default()
        };
        let text = case_directory(&both);
        let (then, now) = (text.find("silver").expect("then"), text.find("gold").expect("now"));
        assert!(then < now && text.contains("orders: too late"), "{text}");
        let same = GetCaseDirectoryResponse { latest: both.opening.clone(), ..both };
        assert_eq!(case_directory(&same).matches("silver").count(), 1);
        assert!(case_directory(&GetCaseDirectoryResponse::default()).contains("no directory was asked"));
    }
}
