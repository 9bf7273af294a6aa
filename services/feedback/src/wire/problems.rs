//! Problems and root causes: how they are asked for, and how they read.

use std::collections::BTreeSet;

use fault::{Check, Fault};
use jiff::Timestamp;
use kernel::CaseId;
use kernel::page::Page;
use proto::redress::feedback::v1 as wire;
use proto::timestamp;
use uuid::Uuid;

use super::signals::series;
use super::{INVALID_REQUEST, read_key, time_key};
use crate::problem::{MAX_CASES_AT_ONCE, MAX_TEXT, MAX_TITLE, Problem, ProblemCase, State};
use crate::revision::{MAX_NOTE, Revision};
use crate::root_cause::{MAX_CAUSES, MAX_NAME, MAX_PATH, RootCause, RootCauses, is_path, parent};
use crate::signal::Series;

/// Longest name of a series.
const MAX_SERIES_NAME: usize = 500;

/// A problem that is to be opened.
#[derive(Clone, Debug)]
pub(crate) struct OpenedProblem {
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) series: Option<Series>,
}

pub(crate) fn opened_problem(request: wire::OpenProblemRequest) -> Result<OpenedProblem, Fault> {
    let wire::OpenProblemRequest { request_id, title, description, series } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let title = check.required("title", title, MAX_TITLE);
    let description = check.text("description", description, MAX_TEXT);
    let series = series.map(|series| read_series(&mut check, "series", series));
    check.done("INVALID_PROBLEM")?;
    Ok(OpenedProblem { title, description, series })
}

pub(super) fn read_series(check: &mut Check, at: &str, series: wire::SignalSeries) -> Series {
    let wire::SignalSeries { category, product, region } = series;
    let mut named = |field: &str, name: String| {
        let name = check.text(&format!("{at}.{field}"), name.trim().to_owned(), MAX_SERIES_NAME);
        (!name.is_empty()).then_some(name)
    };
    let read = Series {
        category: named("category", category),
        product: named("product", product),
        region: named("region", region),
    };
    let is_all = read.category.is_some() && read.product.is_some() && read.region.is_some();
    check.ensure(!is_all, at, "must name at most two of category, product and region");
    read
}

pub(crate) fn problem_of(request: wire::GetProblemRequest) -> Result<Uuid, Fault> {
    let wire::GetProblemRequest { problem_id } = request;
    let mut check = Check::new();
    let id = check.id("problem_id", &problem_id);
    check.done(INVALID_REQUEST)?;
    Ok(id)
}

/// Which problems to list, from where on.
#[derive(Clone, Debug)]
pub(crate) struct ProblemListQuery {
    pub(crate) state: Option<State>,
    pub(crate) page: Page,
    pub(crate) after: Option<(Timestamp, Uuid)>,
}

pub(crate) fn problems_of(request: wire::ListProblemsRequest) -> Result<ProblemListQuery, Fault> {
    let wire::ListProblemsRequest { page_size, page_token, state } = request;
    let mut check = Check::new();
    let page = check.page(page_size, &page_token, &format!("state={state}"));
    let by_state = State::of(state);
    check.ensure(state == 0 || by_state.is_some(), "state", "is not a state of a problem");
    let after = page.after.as_deref().map(read_key);
    check.ensure(after != Some(None), "page_token", "is not of this list");
    check.done(INVALID_REQUEST)?;
    Ok(ProblemListQuery { state: by_state, page, after: after.flatten() })
}

/// Where a problem stands in the list.
pub(crate) fn problem_key(problem: &Problem) -> String {
    time_key(problem.opened, problem.id)
}

/// Whose cases to list, from where on.
#[derive(Clone, Debug)]
pub(crate) struct ProblemCaseQuery {
    pub(crate) problem: Uuid,
    pub(crate) page: Page,
    pub(crate) after: Option<Uuid>,
}

pub(crate) fn problem_cases_of(request: wire::ListProblemCasesRequest) -> Result<ProblemCaseQuery, Fault> {
    let wire::ListProblemCasesRequest { problem_id, page_size, page_token } = request;
    let mut check = Check::new();
    let problem = check.id("problem_id", &problem_id);
    let page = check.page(page_size, &page_token, &format!("problem={problem_id}"));
    let after = page.after.as_deref().map(|key| key.parse().ok());
    check.ensure(after != Some(None), "page_token", "is not of this list");
    check.done(INVALID_REQUEST)?;
    Ok(ProblemCaseQuery { problem, page, after: after.flatten() })
}

/// A problem that somebody does something to, who has seen a version of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    pub(crate) id: Uuid,
    pub(crate) version: i64,
}

pub(super) fn seen(check: &mut Check, id: &str, version: i64) -> Seen {
    let id = check.id("problem_id", id);
    check.ensure(version > 0, "expected_version", "must be positive");
    Seen { id, version }
}

fn case_list(check: &mut Check, cases: Vec<String>) -> Vec<CaseId> {
    let cases = check.some("case_ids", cases, MAX_CASES_AT_ONCE);
    let read = |(place, id): (usize, &String)| check.id(&format!("case_ids[{place}]"), id);
    let read: BTreeSet<CaseId> = cases.iter().enumerate().map(read).collect();
    read.into_iter().collect()
}

pub(crate) fn linked_cases(request: wire::LinkProblemCasesRequest) -> Result<(Seen, Vec<CaseId>), Fault> {
    let wire::LinkProblemCasesRequest { request_id, problem_id, expected_version, case_ids } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let seen = seen(&mut check, &problem_id, expected_version);
    let cases = case_list(&mut check, case_ids);
    check.done("INVALID_PROBLEM_CASES")?;
    Ok((seen, cases))
}

pub(crate) fn unlinked_cases(request: wire::UnlinkProblemCasesRequest) -> Result<(Seen, Vec<CaseId>), Fault> {
    let wire::UnlinkProblemCasesRequest { request_id, problem_id, expected_version, case_ids } = request;
    linked_cases(wire::LinkProblemCasesRequest { request_id, problem_id, expected_version, case_ids })
}

pub(crate) fn named_cause(request: wire::NameRootCauseRequest) -> Result<(Seen, String), Fault> {
    let wire::NameRootCauseRequest { request_id, problem_id, expected_version, root_cause } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let seen = seen(&mut check, &problem_id, expected_version);
    let cause = check.required("root_cause", root_cause, MAX_PATH);
    check.done("INVALID_ROOT_CAUSE")?;
    Ok((seen, cause))
}

pub(crate) fn closed_problem(request: wire::CloseProblemRequest) -> Result<(Seen, String), Fault> {
    let wire::CloseProblemRequest { request_id, problem_id, expected_version, conclusion } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let seen = seen(&mut check, &problem_id, expected_version);
    let conclusion = check.required("conclusion", conclusion, MAX_TEXT);
    check.done("INVALID_CONCLUSION")?;
    Ok((seen, conclusion))
}

/// A taxonomy somebody wants, why, and the version it follows.
pub(crate) fn wanted_causes(
    request: wire::UpdateRootCausesRequest,
) -> Result<(RootCauses, String, i64), Fault> {
    let wire::UpdateRootCausesRequest { request_id, expected_version, root_causes } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    check.ensure(expected_version >= 0, "expected_version", "must not be negative");
    check.ensure(root_causes.is_some(), "root_causes", "is required");
    let given = root_causes.is_some();
    let wire::RootCauses { version: _, causes, note, create_time: _, creator: _ } =
        root_causes.unwrap_or_default();
    let note = check.text("root_causes.note", note, MAX_NOTE);
    let causes = if given { check.some("root_causes.causes", causes, MAX_CAUSES) } else { causes };
    let paths: BTreeSet<String> = causes.iter().map(|cause| cause.path.clone()).collect();
    let mut met = BTreeSet::new();
    let mut read = Vec::new();
    for (place, cause) in causes.into_iter().enumerate() {
        let wire::RootCause { path, name, name_zh } = cause;
        let at = |field: &str| format!("root_causes.causes[{place}].{field}");
        check.ensure(is_path(&path), &at("path"), "must be at most four plain names with `/` between");
        let is_below = parent(&path).is_none_or(|parent| paths.contains(parent));
        check.ensure(is_below, &at("path"), "lies below what is no root cause");
        check.ensure(met.insert(path.clone()), &at("path"), "is named already");
        let name = check.required(&at("name"), name, MAX_NAME);
        let name_zh = check.text(&at("name_zh"), name_zh, MAX_NAME);
        read.push(RootCause { path, name, name_zh });
    }
    check.done("INVALID_ROOT_CAUSES")?;
    Ok((RootCauses(read), note, expected_version))
}

/// A taxonomy, as it is told.
pub(crate) fn root_causes(revision: Revision<RootCauses>) -> wire::RootCauses {
    let Revision { version, content: RootCauses(causes), note, created, activated: _ } = revision;
    let (create_time, creator) = created.map_or((None, String::new()), |(at, by)| (Some(timestamp(at)), by));
    let cause = |RootCause { path, name, name_zh }| wire::RootCause { path, name, name_zh };
    wire::RootCauses { version, causes: causes.into_iter().map(cause).collect(), note, create_time, creator }
}

/// A problem, how many cases it has, and its signals.
pub(crate) fn problem(problem: Problem, (cases, signals): (i64, Vec<Uuid>)) -> wire::Problem {
    let state = problem.state();
    let Problem { id, version, title, description, series: of, cause, opened, opener, closing } = problem;
    let (root_cause, root_causes_version) =
        cause.map_or((String::new(), 0), |cause| (cause.path, cause.version));
    let (close_time, closer, conclusion) = closing.map_or((None, String::new(), String::new()), |closing| {
        (Some(timestamp(closing.at)), closing.by, closing.conclusion)
    });
    wire::Problem {
        problem_id: id.to_string(),
        version,
        title,
        description,
        series: of.as_ref().map(series),
        state: state.number().into(),
        case_count: cases,
        signal_ids: signals.iter().map(Uuid::to_string).collect(),
        root_cause,
        root_causes_version,
        open_time: Some(timestamp(opened)),
        opener,
        close_time,
        closer,
        conclusion,
        tasks: Vec::new(),
    }
}

/// A case of a problem, as it is told.
pub(crate) fn problem_case(case: ProblemCase) -> wire::ProblemCase {
    let ProblemCase { case_id, linked, linker } = case;
    wire::ProblemCase { case_id: case_id.to_string(), link_time: Some(timestamp(linked)), linker }
}

/// What is told when a problem is opened.
pub(crate) fn problem_opened(problem: &Problem) -> wire::ProblemOpened {
    wire::ProblemOpened {
        problem_id: problem.id.to_string(),
        title: problem.title.clone(),
        series: problem.series.as_ref().map(series),
        opener: problem.opener.clone(),
    }
}

/// What is told when a problem is closed.
pub(crate) fn problem_closed(problem: &Problem, cases: i64) -> wire::ProblemClosed {
    let closing = problem.closing.clone();
    let (closer, conclusion) = closing.map_or_else(Default::default, |known| (known.by, known.conclusion));
    wire::ProblemClosed {
        problem_id: problem.id.to_string(),
        root_cause: problem.cause.as_ref().map(|cause| cause.path.clone()).unwrap_or_default(),
        case_count: cases,
        closer,
        conclusion,
    }
}
