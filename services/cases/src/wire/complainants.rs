//! Contract ⇄ domain of `ComplainantService`.

use fault::{Check, Fault};
use kernel::CaseId;
use kernel::page::Page;
use proto::redress::cases::v1::{
    ComplainantCase, GetComplainantHistoryRequest, OutcomeCount as WireOutcomeCount,
};
use proto::timestamp;
use sameness::Person;

use super::outcome;
use crate::complainant::{CaseInShort, Identifier, OutcomeCount};

/// Longest customer number: a complaint's.
const MAX_CUSTOMER_ID: usize = 200;
/// Longest telephone number: a complaint's.
const MAX_PHONE: usize = 40;
/// Longest e-mail address: a complaint's.
const MAX_EMAIL: usize = 320;

/// Whose history is asked for.
pub(crate) enum Whose {
    /// The complainant's of a case.
    Case(CaseId),
    /// Whoever is known by these.
    Person(Person),
}

/// Reads whose history is asked for.
pub(crate) fn history(request: GetComplainantHistoryRequest) -> Result<(Whose, Page), Fault> {
    let GetComplainantHistoryRequest { case_id, customer_id, phone, email, page_size, page_token } = request;
    let mut check = Check::new();
    let same = [case_id.as_str(), &customer_id, &phone, &email].join("\n");
    let page = check.page(page_size, &page_token, &same);
    let names = [&customer_id, &phone, &email].into_iter().any(|name| !name.is_empty());
    let whose = if names {
        check.ensure(case_id.is_empty(), "case_id", "must be empty where somebody is named otherwise");
        let customer = check.text("customer_id", customer_id, MAX_CUSTOMER_ID);
        let phone = check.text("phone", phone, MAX_PHONE);
        let email = check.text("email", email, MAX_EMAIL);
        let person = Person {
            customer: sameness::number(&customer),
            phone: sameness::phone(&phone),
            email: sameness::email(&email).filter(|_| email.contains('@')),
        };
        let readable = |text: &str, key: Option<i64>| text.is_empty() || key.is_some();
        check.ensure(readable(&customer, person.customer), "customer_id", "must have a letter or a digit");
        check.ensure(readable(&phone, person.phone), "phone", "must have at least six digits");
        check.ensure(readable(&email, person.email), "email", "must be an e-mail address");
        Whose::Person(person)
    } else if case_id.is_empty() {
        check.fail("case_id", "is required where there is no customer_id, phone or email");
        Whose::Person(Person::default())
    } else {
        Whose::Case(check.id("case_id", &case_id))
    };
    check.done("INVALID_HISTORY")?;
    Ok((whose, page))
}

/// What somebody is known by, as callers see it.
pub(crate) fn identifiers(identifiers: &[Identifier]) -> Vec<i32> {
    identifiers.iter().map(|identifier| identifier.number().into()).collect()
}

/// A case of somebody as callers see it: what it says of them only as compared with them.
pub(crate) fn case(case: CaseInShort, asked: &Person) -> ComplainantCase {
    ComplainantCase {
        case_id: case.id.to_string(),
        state: case.state.number().into(),
        cycle: case.cycle,
        matter: case.matter.number().into(),
        channel: case.channel.number().into(),
        category: case.category,
        subject: case.subject,
        outcome: outcome(case.outcome),
        receive_time: Some(timestamp(case.receive_time)),
        close_time: case.close_time.map(timestamp),
        merged_into_case_id: case.merged_into.map(|into| into.to_string()).unwrap_or_default(),
        same: identifiers(&Identifier::same(asked, &case.person)),
        differing: identifiers(&Identifier::differing(asked, &case.person)),
    }
}

/// How many cases have an outcome, as callers see it.
pub(crate) fn count(count: &OutcomeCount) -> WireOutcomeCount {
    WireOutcomeCount { outcome: outcome(count.outcome), count: count.cases }
}
