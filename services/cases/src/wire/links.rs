//! Contract ⇄ domain of `LinkService`.

use fault::{Check, Fault};
use kernel::CaseId;
use kernel::page::Page;
use proto::redress::cases::v1::{
    CaseLink, FindSimilarCasesRequest, LinkCasesRequest, ListLinksRequest, MergeCaseRequest, SimilarCase,
    UnlinkCasesRequest, UnmergeCaseRequest,
};
use proto::timestamp;
use sameness::LinkKind;

use super::{CaseTarget, MAX_REASON, outcome, target};
use crate::links::{Closed, Link};
use crate::timeline::Ending;

/// Longest text whose like is sought: a complaint's.
const MAX_DESCRIPTION: usize = 20_000;
/// Most similar cases of an answer.
const MAX_SIMILAR: u16 = 50;
/// Similar cases of an answer when the caller does not say.
const USUAL_SIMILAR: u16 = 10;

/// Reads whose links are wanted.
pub(crate) fn list(request: ListLinksRequest) -> Result<(CaseId, Page), Fault> {
    let ListLinksRequest { case_id, page_size, page_token } = request;
    let mut check = Check::new();
    let page = check.page(page_size, &page_token, &case_id);
    let id = check.id("case_id", &case_id);
    check.done("INVALID_LIST")?;
    Ok((id, page))
}

/// Two cases, what they are to each other, and why.
pub(crate) struct ToLink {
    /// One.
    pub(crate) case: CaseId,
    /// The other.
    pub(crate) other: CaseId,
    /// What they are.
    pub(crate) kind: LinkKind,
    /// Why; may be empty.
    pub(crate) reason: String,
}

/// Reads which cases are to be linked.
pub(crate) fn to_link(request: LinkCasesRequest) -> Result<ToLink, Fault> {
    let LinkCasesRequest { request_id, case_id, other_case_id, kind, reason } = request;
    let mut check = Check::new();
    let (case, other) = two(&mut check, request_id, &case_id, ("other_case_id", &other_case_id));
    let kind = LinkKind::of(kind).unwrap_or_else(|| {
        check.fail("kind", if kind == 0 { "is required" } else { "is not a known kind" });
        LinkKind::Related
    });
    let reason = check.text("reason", reason, MAX_REASON);
    check.done("INVALID_LINK")?;
    Ok(ToLink { case, other, kind, reason })
}

/// Reads whose link is to be dismissed, and why.
pub(crate) fn to_unlink(request: UnlinkCasesRequest) -> Result<(CaseId, CaseId, String), Fault> {
    let UnlinkCasesRequest { request_id, case_id, other_case_id, reason } = request;
    let mut check = Check::new();
    let (case, other) = two(&mut check, request_id, &case_id, ("other_case_id", &other_case_id));
    let reason = check.text("reason", reason, MAX_REASON);
    check.done("INVALID_LINK")?;
    Ok((case, other, reason))
}

/// Which case is to be merged into which.
pub(crate) struct Merging {
    /// The one to merge.
    pub(crate) target: CaseTarget,
    /// The one that goes on.
    pub(crate) into: CaseId,
    /// Why.
    pub(crate) reason: String,
    /// Why cases of different people are merged; none where they are not said to be.
    pub(crate) across: Option<String>,
}

/// Reads which case is to be merged into which, and why.
pub(crate) fn merge(request: MergeCaseRequest) -> Result<Merging, Fault> {
    let MergeCaseRequest {
        request_id,
        case_id,
        expected_version,
        into_case_id,
        reason,
        different_complainants_reason,
    } = request;
    let mut check = Check::new();
    let (case, into) = two(&mut check, request_id, &case_id, ("into_case_id", &into_case_id));
    let reason = check.required("reason", reason, MAX_REASON);
    let across = check.text("different_complainants_reason", different_complainants_reason, MAX_REASON);
    check.done("INVALID_MERGE")?;
    let across = Some(across).filter(|across| !across.is_empty());
    Ok(Merging { target: CaseTarget { case, version: expected_version }, into, reason, across })
}

/// Reads which merge is to be undone, and why.
pub(crate) fn unmerge(request: UnmergeCaseRequest) -> Result<(CaseTarget, String), Fault> {
    let UnmergeCaseRequest { request_id, case_id, expected_version, reason } = request;
    let mut check = Check::new();
    let target = target(&mut check, request_id, &case_id, expected_version);
    let reason = check.required("reason", reason, MAX_REASON);
    check.done("INVALID_REASON")?;
    Ok((target, reason))
}

fn two(
    check: &mut Check,
    request_id: String,
    case_id: &str,
    (field, other_id): (&str, &str),
) -> (CaseId, CaseId) {
    check.request_id(request_id);
    let case: CaseId = check.id("case_id", case_id);
    let other = check.id(field, other_id);
    check.ensure(case_id.is_empty() || case != other, field, "must be another case");
    (case, other)
}

/// What the like is sought of.
pub(crate) enum Model {
    /// A case.
    Case(CaseId),
    /// A text.
    Text(String),
}

/// What is sought, and how much of it.
pub(crate) struct Search {
    /// What the like is sought of.
    pub(crate) model: Model,
    /// Whether to leave out what was not accepted.
    pub(crate) accepted_only: bool,
    /// Most cases to answer with.
    pub(crate) most: usize,
}

/// Reads what is sought.
pub(crate) fn search(request: FindSimilarCasesRequest) -> Result<Search, Fault> {
    let FindSimilarCasesRequest { case_id, text, accepted_only, max_results } = request;
    let mut check = Check::new();
    let model = if case_id.is_empty() {
        Model::Text(check.required("text", text, MAX_DESCRIPTION))
    } else {
        check.ensure(text.is_empty(), "text", "must be empty when case_id is set");
        Model::Case(check.id("case_id", &case_id))
    };
    let most = match max_results {
        0 => Some(USUAL_SIMILAR),
        most => u16::try_from(most).ok().filter(|most| (1..=MAX_SIMILAR).contains(most)),
    };
    check.ensure(most.is_some(), "max_results", "must be 1 to 50, or 0 for 10");
    check.done("INVALID_SEARCH")?;
    Ok(Search { model, accepted_only, most: most.unwrap_or(USUAL_SIMILAR).into() })
}

/// A link as callers see it.
pub(crate) fn link(link: Link) -> CaseLink {
    let Link { pair, kind, standing, score, reasons, actor, change_time } = link;
    CaseLink {
        earlier_case_id: pair.earlier.to_string(),
        later_case_id: pair.later.to_string(),
        kind: kind.number().into(),
        standing: standing.number().into(),
        score,
        reasons,
        actor,
        time: Some(timestamp(change_time)),
    }
}

/// A similar case as callers see it.
pub(crate) fn similar(closed: Closed, score: f64, ending: Ending) -> SimilarCase {
    let Closed { case, sketch: _, subject, category, outcome: decided, decision_reasons } = closed;
    let Ending { remedies, accepted, satisfied: _ } = ending;
    SimilarCase {
        case_id: case.to_string(),
        score,
        subject,
        category,
        outcome: outcome(decided),
        decision_reasons,
        remedies,
        accepted,
    }
}
