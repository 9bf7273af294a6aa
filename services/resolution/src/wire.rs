//! Proto ⇄ domain, nothing else.

pub(crate) mod approvals;
pub(crate) mod deliveries;
pub(crate) mod departments;
pub(crate) mod endpoints;
pub(crate) mod inbound;
pub(crate) mod investigations;
pub(crate) mod ledger;
pub(crate) mod limits;
pub(crate) mod outbound;
pub(crate) mod plans;
pub(crate) mod problem_hints;
pub(crate) mod proposals;
pub(crate) mod recalls;
pub(crate) mod remedy_types;
pub(crate) mod revisions;
pub(crate) mod statements;
pub(crate) mod stock;
pub(crate) mod supervision;
pub(crate) mod tasks;
pub(crate) mod undo;

use fault::Check;
use kernel::Money;
use kernel::page::Page;
use proto::google::r#type::Money as WireMoney;
use proto::redress::resolution::v1;
use uuid::Uuid;

use crate::remedy::{Flaw, Goods};

/// Reason of a bad request where the contract names no other.
pub(crate) const INVALID_REQUEST: &str = "INVALID_REQUEST";
/// Longest reason people give.
pub(crate) const MAX_REASON: usize = 2_000;
/// Longest free text: instructions, messages, remarks.
pub(crate) const MAX_TEXT: usize = 4_000;
/// Longest JSON of a type of the tenant's own: what a step brings, and what comes of it.
pub(crate) const MAX_JSON: usize = 10_000;
/// Longest reference, article number or name of a worker.
pub(crate) const MAX_NAME: usize = 200;

/// Notes what the domain finds wrong, below the field it looked at.
pub(crate) fn note(check: &mut Check, prefix: &str, flaws: Vec<Flaw>) {
    for Flaw { field, what } in flaws {
        check.fail(&format!("{prefix}{field}"), what);
    }
}

/// The page that is asked for, and the id it begins after.
fn page_by_id(check: &mut Check, size: i32, token: &str, filters: &str) -> (Page, Option<Uuid>) {
    let page = check.page(size, token, filters);
    let after = page.after.as_deref().and_then(|after| Uuid::try_parse(after).ok());
    check.ensure(after.is_some() == page.after.is_some(), "page_token", "is not a token of this list");
    (page, after)
}

fn money(money: &Money) -> WireMoney {
    let (units, nanos) = money.units_and_nanos();
    WireMoney { currency_code: money.currency.clone(), units, nanos }
}

fn goods(goods: &Goods) -> v1::Goods {
    v1::Goods { sku: goods.sku.clone(), quantity: goods.quantity }
}

#[cfg(test)]
mod tests {
    use super::v1;
    use crate::delivery::{DeliveryKind, DeliveryState};
    use crate::endpoint::{EndpointKind, EndpointState};
    use crate::plan::revision::RevisionState;
    use crate::plan::{PlanState, StepState};
    use crate::proposal::{ProposalKind, ProposalState};
    use crate::recall::{RecallState, RecallVerdict};
    use crate::remedy::{Inquiry, RemedyKind};
    use crate::supervision::SupervisionLevel;
    use crate::task::TaskState;

    #[test]
    fn our_numbers_are_the_contracts() {
        testkit::same_numbers! {
            RemedyKind, v1::RemedyKind;
            PlanState, v1::PlanState;
            StepState, v1::StepState;
            RevisionState, v1::PlanRevisionState;
            TaskState, v1::TaskState;
            Inquiry, v1::Inquiry;
            ProposalKind, v1::ProposalKind;
            ProposalState, v1::ProposalState;
            SupervisionLevel, v1::SupervisionLevel;
            EndpointKind, v1::EndpointKind;
            EndpointState, v1::EndpointState;
            DeliveryKind, v1::DeliveryKind;
            DeliveryState, v1::DeliveryState;
            RecallState, v1::RecallState;
            RecallVerdict, v1::RecallVerdict;
        }
    }
}
