//! Recalls: what is asked about them, and how they are shown.

use std::collections::HashSet;

use fault::{Check, Fault};
use kernel::page::Page;
use kernel::{CaseId, RecallId};
use proto::redress::resolution::v1;
use proto::timestamp;
use uuid::Uuid;

use super::plans::read_goods;
use super::{INVALID_REQUEST, MAX_NAME, MAX_REASON, MAX_TEXT, goods, note, page_by_id};
use crate::case::CaseView;
use crate::recall::{
    Counts, Defect, MAX_CASES_AT_ONCE, MAX_MEASURES, Measure, Progress, Recall, RecallCase, RecallState,
    RecallVerdict, flaws,
};
use crate::remedy::{Remedy, RemedyKind};

const INVALID_RECALL: &str = "INVALID_RECALL";

/// A recall, and the version of it that the caller has seen.
#[derive(Clone, Copy)]
pub(crate) struct RecallTarget {
    pub(crate) recall_id: RecallId,
    pub(crate) expected_version: Option<i64>,
}

/// Recalls, page by page.
pub(crate) struct RecallListQuery {
    pub(crate) state: Option<RecallState>,
    pub(crate) sku: String,
    pub(crate) page: Page,
    pub(crate) after: Option<Uuid>,
}

/// What belongs to a recall, page by page.
pub(crate) struct OfRecall {
    pub(crate) recall_id: RecallId,
    pub(crate) page: Page,
    pub(crate) after: Option<Uuid>,
}

pub(crate) fn opening(request: v1::OpenRecallRequest) -> Result<Defect, Fault> {
    let v1::OpenRecallRequest { request_id, sku, lot, reason, notice, measures } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let sku = check.required("sku", sku, MAX_NAME).trim().to_owned();
    let lot = check.text("lot", lot, MAX_NAME).trim().to_owned();
    let reason = check.required("reason", reason, MAX_REASON);
    let notice = check.required("notice", notice, MAX_REASON);
    let measures = check.some("measures", measures, MAX_MEASURES);
    let mut read = Vec::with_capacity(measures.len());
    for (index, asked) in measures.into_iter().enumerate() {
        read.extend(measure(&mut check, index, asked).map(|measure| (index, measure)));
    }
    note(&mut check, "", flaws(read.iter().map(|(index, measure)| (*index, measure))));
    check.done(INVALID_RECALL)?;
    Ok(Defect { sku, lot, reason, notice, measures: read.into_iter().map(|(_, measure)| measure).collect() })
}

/// A measure; none where its kind cannot be read.
fn measure(check: &mut Check, index: usize, measure: v1::RecallMeasure) -> Option<Measure> {
    let v1::RecallMeasure { department_id, kind, goods, instructions } = measure;
    let at = format!("measures[{index}].");
    let department_id = check.slug(&format!("{at}department_id"), department_id);
    let kind = i16::try_from(kind).ok().and_then(RemedyKind::of);
    check.ensure(kind.is_some(), &format!("{at}kind"), "is required");
    let goods = goods.map(|asked| read_goods(check, &at, asked));
    let instructions = check.text(&format!("{at}instructions"), instructions, MAX_TEXT);
    Some(Measure {
        department_id,
        remedy: Remedy { kind: kind?, amount: None, goods, custom: None, instructions },
    })
}

/// Refuses measures of departments that there are not.
pub(crate) fn known_departments(measures: &[Measure], known: &HashSet<String>) -> Result<(), Fault> {
    let mut check = Check::new();
    for (index, measure) in measures.iter().enumerate() {
        let field = format!("measures[{index}].department_id");
        check.ensure(known.contains(&measure.department_id), &field, "is not a department");
    }
    check.done(INVALID_RECALL)
}

pub(crate) fn adding(request: v1::AddRecallCasesRequest) -> Result<(RecallTarget, Vec<CaseId>), Fault> {
    let v1::AddRecallCasesRequest { request_id, recall_id, expected_version, case_ids } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let recall_id = check.id("recall_id", &recall_id);
    let case_ids = check.some("case_ids", case_ids, MAX_CASES_AT_ONCE);
    let case_ids = case_ids.iter().enumerate();
    let case_ids = case_ids.map(|(index, id)| check.id(&format!("case_ids[{index}]"), id)).collect();
    check.done("INVALID_RECALL_CASES")?;
    Ok((RecallTarget { recall_id, expected_version }, case_ids))
}

pub(crate) fn closing(request: v1::CloseRecallRequest) -> Result<(RecallTarget, String), Fault> {
    let v1::CloseRecallRequest { request_id, recall_id, expected_version, reason } = request;
    reasoned(request_id, &recall_id, expected_version, reason)
}

pub(crate) fn cancellation(request: v1::CancelRecallRequest) -> Result<(RecallTarget, String), Fault> {
    let v1::CancelRecallRequest { request_id, recall_id, expected_version, reason } = request;
    reasoned(request_id, &recall_id, expected_version, reason)
}

fn reasoned(
    request_id: String,
    recall_id: &str,
    expected_version: Option<i64>,
    reason: String,
) -> Result<(RecallTarget, String), Fault> {
    let mut check = Check::new();
    check.request_id(request_id);
    let recall_id = check.id("recall_id", recall_id);
    let reason = check.required("reason", reason, MAX_REASON);
    check.done("INVALID_REASON")?;
    Ok((RecallTarget { recall_id, expected_version }, reason))
}

pub(crate) fn reading(request: v1::GetRecallRequest) -> Result<RecallId, Fault> {
    let v1::GetRecallRequest { recall_id } = request;
    let mut check = Check::new();
    let recall_id = check.id("recall_id", &recall_id);
    check.done(INVALID_REQUEST)?;
    Ok(recall_id)
}

pub(crate) fn listing(request: v1::ListRecallsRequest) -> Result<RecallListQuery, Fault> {
    let v1::ListRecallsRequest { state, sku, page_size, page_token } = request;
    let mut check = Check::new();
    let (page, after) = page_by_id(&mut check, page_size, &page_token, &format!("{state} {sku}"));
    let known = RecallState::of(state);
    check.ensure(known.is_some() || state == 0, "state", "is not known");
    let sku = check.text("sku", sku, MAX_NAME);
    check.done(INVALID_REQUEST)?;
    Ok(RecallListQuery { state: known, sku, page, after })
}

pub(crate) fn cases(request: v1::ListRecallCasesRequest) -> Result<OfRecall, Fault> {
    let v1::ListRecallCasesRequest { recall_id, page_size, page_token } = request;
    of_recall(&recall_id, page_size, &page_token)
}

pub(crate) fn candidates(request: v1::ListRecallCandidatesRequest) -> Result<OfRecall, Fault> {
    let v1::ListRecallCandidatesRequest { recall_id, page_size, page_token } = request;
    of_recall(&recall_id, page_size, &page_token)
}

fn of_recall(recall_id: &str, page_size: i32, page_token: &str) -> Result<OfRecall, Fault> {
    let mut check = Check::new();
    let (page, after) = page_by_id(&mut check, page_size, page_token, recall_id);
    let recall_id = check.id("recall_id", recall_id);
    check.done(INVALID_REQUEST)?;
    Ok(OfRecall { recall_id, page, after })
}

/// A recall as it is shown.
pub(crate) fn recall(recall: &Recall) -> v1::Recall {
    let Defect { sku, lot, reason, notice, measures } = &recall.defect;
    let end = recall.end.as_ref();
    v1::Recall {
        recall_id: recall.recall_id.to_string(),
        version: recall.version,
        state: i32::from(recall.state.number()),
        sku: sku.clone(),
        lot: lot.clone(),
        reason: reason.clone(),
        notice: notice.clone(),
        measures: measures.iter().map(shown_measure).collect(),
        case_count: recall.cases,
        opener: recall.opener.clone(),
        open_time: Some(timestamp(recall.opened_at)),
        ender: end.map(|end| end.by.clone()).unwrap_or_default(),
        end_time: end.map(|end| timestamp(end.at)),
        end_reason: end.map(|end| end.reason.clone()).unwrap_or_default(),
    }
}

fn shown_measure(measure: &Measure) -> v1::RecallMeasure {
    v1::RecallMeasure {
        department_id: measure.department_id.clone(),
        kind: i32::from(measure.remedy.kind.number()),
        goods: measure.remedy.goods.as_ref().map(goods),
        instructions: measure.remedy.instructions.clone(),
    }
}

/// How far a recall is, as it is shown.
pub(crate) fn progress(progress: &Progress) -> v1::RecallProgress {
    let department = |(department, of): (&String, &Counts)| v1::RecallDepartment {
        department_id: department.clone(),
        counts: Some(counts(of)),
    };
    v1::RecallProgress {
        departments: progress.departments.iter().map(department).collect(),
        counts: Some(counts(&progress.counts)),
        done_percent: shown_count(progress.counts.done_percent()),
    }
}

fn counts(counts: &Counts) -> v1::RecallCounts {
    v1::RecallCounts {
        waiting: shown_count(counts.waiting),
        awaiting_stock: shown_count(counts.awaiting_stock),
        held: shown_count(counts.held),
        done: shown_count(counts.done),
        attention: shown_count(counts.attention),
        cancelled: shown_count(counts.cancelled),
    }
}

/// A recall has a million tasks at first, and no more than people give on.
fn shown_count(count: i64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// A case of a recall, as it is shown.
pub(crate) fn case((case, of): &(RecallCase, Counts)) -> v1::RecallCase {
    v1::RecallCase {
        case_id: case.case_id.to_string(),
        adder: case.adder.clone(),
        add_time: Some(timestamp(case.added_at)),
        counts: Some(counts(of)),
    }
}

pub(crate) fn verdict((case_id, verdict): &(CaseId, RecallVerdict)) -> v1::RecallCaseVerdict {
    v1::RecallCaseVerdict { case_id: case_id.to_string(), verdict: i32::from(verdict.number()) }
}

pub(crate) fn opened(recall: &Recall) -> v1::RecallOpened {
    let Defect { sku, lot, reason, notice: _, measures: _ } = recall.defect.clone();
    v1::RecallOpened {
        recall_id: recall.recall_id.to_string(),
        sku,
        lot,
        reason,
        opener: recall.opener.clone(),
    }
}

pub(crate) fn case_added(recall: &Recall, case: &CaseView, adder: &str) -> v1::RecallCaseAdded {
    let Defect { sku, lot, reason: _, notice, measures: _ } = recall.defect.clone();
    v1::RecallCaseAdded {
        case_id: case.case_id.to_string(),
        cycle: case.cycle,
        recall_id: recall.recall_id.to_string(),
        sku,
        lot,
        notice,
        adder: adder.to_owned(),
    }
}

/// A recall has ended.
pub(crate) fn closed(recall: &Recall) -> v1::RecallClosed {
    let Defect { sku, lot, .. } = recall.defect.clone();
    let end = recall.end.as_ref();
    v1::RecallClosed {
        recall_id: recall.recall_id.to_string(),
        sku,
        lot,
        cancelled: recall.state == RecallState::Cancelled,
        ender: end.map(|end| end.by.clone()).unwrap_or_default(),
        reason: end.map(|end| end.reason.clone()).unwrap_or_default(),
        case_count: recall.cases,
    }
}
