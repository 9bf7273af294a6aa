//! All that is known of a case, asked of the services at once. Without the case there is no
//! page; what else cannot be read lacks, and the page says so.

mod changes;

use std::time::Duration;

use client::{Client, Token};
use proto::redress::assignment::v1::assignment_service_client::AssignmentServiceClient;
use proto::redress::assignment::v1::{Assignment, Department, GetAssignmentRequest, ListDepartmentsRequest};
use proto::redress::cases::v1::case_service_client::CaseServiceClient;
use proto::redress::cases::v1::classifier_service_client::ClassifierServiceClient;
use proto::redress::cases::v1::clock_service_client::ClockServiceClient;
use proto::redress::cases::v1::complainant_service_client::ComplainantServiceClient;
use proto::redress::cases::v1::link_service_client::LinkServiceClient;
use proto::redress::cases::v1::{
    Case, CaseClock, ClockKind, ClockState, ExplainDeadlineRequest, ExplainDeadlineResponse, GetCaseRequest,
    GetComplainantHistoryRequest, GetComplainantHistoryResponse, GetReadingRequest, GetTimelineRequest,
    ListClocksRequest, ListLinksRequest, ListLinksResponse, Reading, TimelineEntry,
};
use proto::redress::feedback::v1::feedback_service_client::FeedbackServiceClient;
use proto::redress::feedback::v1::{Feedback, GetFeedbackRequest, ListNoticesRequest, Notice};
use proto::redress::intake::v1::attachment_service_client::AttachmentServiceClient;
use proto::redress::intake::v1::intake_service_client::IntakeServiceClient;
use proto::redress::intake::v1::{Attachment, Complaint, GetComplaintRequest, ListAttachmentsRequest};
use proto::redress::resolution::v1::resolution_service_client::ResolutionServiceClient;
use proto::redress::resolution::v1::{ListPlansRequest, ListTasksRequest, Plan, Task};
use tonic::{Code, Response, Status};

use super::CaseQuery;
use crate::problem::Problem;
use crate::session::Visitor;
use crate::words::Words;

pub(super) use changes::Changes;

/// Most entries of a timeline on the page.
const ENTRIES: i32 = 500;
/// Most rows of the lists beside it.
const ROWS: i32 = 100;
/// Most earlier complaints.
const EARLIER: i32 = 10;

/// All that is known of a case.
pub(super) struct Loaded {
    pub(super) case: Case,
    pub(super) complaint: Option<Complaint>,
    pub(super) papers: Vec<Attachment>,
    pub(super) assignment: Option<Assignment>,
    pub(super) departments: Vec<Department>,
    pub(super) clocks: Vec<CaseClock>,
    pub(super) deadline: Option<ExplainDeadlineResponse>,
    pub(super) timeline: Vec<TimelineEntry>,
    pub(super) reading: Option<Reading>,
    pub(super) plans: Vec<Plan>,
    pub(super) tasks: Vec<Task>,
    pub(super) notices: Vec<Notice>,
    pub(super) answers: Vec<Feedback>,
    pub(super) history: Option<GetComplainantHistoryResponse>,
    pub(super) links: ListLinksResponse,
    /// What was changed afterwards: extensions, corrections, revisions.
    pub(super) changes: Changes,
    /// What could not be read.
    pub(super) missing: Vec<&'static str>,
}

/// Longest wait for the case to hear of what was just done.
const SEEN: Duration = Duration::from_secs(3);

/// The client that sees what was just done. The case hears of everything; the other services do
/// not hear of each other, and see their own writes anyway.
fn seeing(client: &Client, after: &str) -> Option<Client> {
    Some(client.within(SEEN).seeing(&Token::parse(after)?))
}

/// What lacks of a page.
struct Missing(Vec<&'static str>);

impl Missing {
    /// What was answered; what is not there is no lack.
    fn take<T: Default>(&mut self, name: &'static str, answer: Result<Response<T>, Status>) -> T {
        match answer {
            Ok(answer) => answer.into_inner(),
            Err(status) => {
                if status.code() != Code::NotFound {
                    tracing::warn!(part = name, code = ?status.code(), "a part of a case's page is missing");
                    self.0.push(name);
                }
                T::default()
            }
        }
    }
}

/// Asks for everything at once.
pub(super) async fn load(visitor: &Visitor, case: &str, asked: &CaseQuery) -> Result<Loaded, Problem> {
    let client = visitor.client()?;
    let (cases, intake, work, told) = tokio::join!(
        of_cases_seeing(&client, case, asked, visitor.words),
        of_intake(&client, case, visitor.words),
        of_work(&client, case, visitor.words),
        of_feedback(&client, case, visitor.words),
    );
    let (mut loaded, missing) = cases?;
    let mut all = missing.0;
    (loaded.complaint, loaded.papers) = intake.0;
    (loaded.assignment, loaded.departments, loaded.plans, loaded.tasks) = work.0;
    (loaded.notices, loaded.answers) = told.0;
    let (changes, more) = Box::pin(changes::load(&client, case, &loaded.plans, visitor.words)).await;
    loaded.changes = changes;
    all.extend([intake.1, work.1, told.1, more].into_iter().flat_map(|missing| missing.0));
    loaded.missing = all;
    Ok(loaded)
}

/// What the service of cases knows once it has heard of what was just done; where that takes too
/// long, what it knows.
async fn of_cases_seeing(
    client: &Client,
    case: &str,
    asked: &CaseQuery,
    t: Words,
) -> Result<(Loaded, Missing), Problem> {
    if let Some(seeing) = seeing(client, &asked.after)
        && let Ok(loaded) = of_cases(&seeing, case, asked, t).await
    {
        return Ok(loaded);
    }
    of_cases(client, case, asked, t).await
}

/// What the service of cases knows.
async fn of_cases(
    client: &Client,
    case: &str,
    asked: &CaseQuery,
    t: Words,
) -> Result<(Loaded, Missing), Problem> {
    let case_id = || case.to_owned();
    let (mut cases, mut entries) =
        (CaseServiceClient::new(client.calls()), CaseServiceClient::new(client.calls()));
    let mut clocks = ClockServiceClient::new(client.calls());
    let mut classifier = ClassifierServiceClient::new(client.calls());
    let mut complainants = ComplainantServiceClient::new(client.calls());
    let mut links = LinkServiceClient::new(client.calls());
    let history = GetComplainantHistoryRequest {
        case_id: case_id(),
        page_size: EARLIER,
        ..GetComplainantHistoryRequest::default()
    };
    let (case, timeline, clocks, reading, history, links) = tokio::join!(
        cases.get_case(GetCaseRequest { case_id: case_id() }),
        entries.get_timeline(GetTimelineRequest {
            case_id: case_id(),
            page_size: ENTRIES,
            page_token: String::new()
        }),
        clocks.list_clocks(ListClocksRequest { case_id: case_id() }),
        classifier.get_reading(GetReadingRequest { case_id: case_id() }),
        complainants.get_complainant_history(history),
        links.list_links(ListLinksRequest { case_id: case_id(), page_size: ROWS, page_token: String::new() }),
    );
    let case = case?.into_inner().case.ok_or_else(|| Problem::broken("a case is missing from its answer"))?;
    let mut missing = Missing(Vec::new());
    let clocks = missing.take(t.clocks(), clocks).clocks;
    let deadline = match explained(&clocks, asked) {
        Some(kind) => explain(client, &case.case_id, kind).await,
        None => None,
    };
    let loaded = Loaded {
        case,
        complaint: None,
        papers: Vec::new(),
        assignment: None,
        departments: Vec::new(),
        clocks,
        deadline,
        timeline: missing.take(t.timeline(), timeline).entries,
        reading: missing.take(t.category(), reading).reading,
        plans: Vec::new(),
        tasks: Vec::new(),
        notices: Vec::new(),
        answers: Vec::new(),
        history: Some(missing.take(t.history(), history)),
        links: missing.take(t.links(), links),
        changes: Changes::default(),
        missing: Vec::new(),
    };
    Ok((loaded, missing))
}

/// The clock whose arithmetic is shown: the one asked for, else the running one due next.
fn explained(clocks: &[CaseClock], asked: &CaseQuery) -> Option<ClockKind> {
    let runs = |clock: &&CaseClock| matches!(clock.state(), ClockState::Running | ClockState::Paused);
    let next =
        clocks.iter().filter(runs).min_by_key(|clock| clock.due_time.map_or(i64::MAX, |due| due.seconds));
    let known = |kind: &ClockKind| clocks.iter().any(|clock| clock.kind() == *kind);
    asked.clock().filter(known).or_else(|| next.map(CaseClock::kind))
}

async fn explain(client: &Client, case: &str, kind: ClockKind) -> Option<ExplainDeadlineResponse> {
    let request = ExplainDeadlineRequest { case_id: case.to_owned(), kind: kind.into() };
    let answer = ClockServiceClient::new(client.calls()).explain_deadline(request).await;
    answer.ok().map(Response::into_inner)
}

async fn of_intake(client: &Client, case: &str, t: Words) -> ((Option<Complaint>, Vec<Attachment>), Missing) {
    let mut intake = IntakeServiceClient::new(client.calls());
    let mut papers = AttachmentServiceClient::new(client.calls());
    let list =
        ListAttachmentsRequest { complaint_id: case.to_owned(), page_size: ROWS, page_token: String::new() };
    let (complaint, papers) = tokio::join!(
        intake.get_complaint(GetComplaintRequest { complaint_id: case.to_owned() }),
        papers.list_attachments(list),
    );
    let mut missing = Missing(Vec::new());
    let complaint = missing.take(t.what_was_said(), complaint).complaint;
    let papers = missing.take(t.papers(), papers).attachments;
    ((complaint, papers), missing)
}

/// Who works on it, and what departments do.
type Work = (Option<Assignment>, Vec<Department>, Vec<Plan>, Vec<Task>);

async fn of_work(client: &Client, case: &str, t: Words) -> (Work, Missing) {
    let mut assignments = AssignmentServiceClient::new(client.calls());
    let mut departments = AssignmentServiceClient::new(client.calls());
    let mut plans = ResolutionServiceClient::new(client.calls());
    let mut tasks = ResolutionServiceClient::new(client.calls());
    let of_tasks =
        ListTasksRequest { case_id: case.to_owned(), page_size: ROWS, ..ListTasksRequest::default() };
    let (assignment, departments, plans, tasks) = tokio::join!(
        assignments.get_assignment(GetAssignmentRequest { case_id: case.to_owned() }),
        departments.list_departments(ListDepartmentsRequest {
            page_size: ROWS,
            ..ListDepartmentsRequest::default()
        }),
        plans.list_plans(ListPlansRequest {
            case_id: case.to_owned(),
            page_size: ROWS,
            page_token: String::new()
        }),
        tasks.list_tasks(of_tasks),
    );
    let mut missing = Missing(Vec::new());
    let work = (
        missing.take(t.handler_word(), assignment).assignment,
        missing.take(t.department(), departments).departments,
        missing.take(t.plan(), plans).plans,
        missing.take(t.tasks(), tasks).tasks,
    );
    (work, missing)
}

async fn of_feedback(client: &Client, case: &str, t: Words) -> ((Vec<Notice>, Vec<Feedback>), Missing) {
    let mut notices = FeedbackServiceClient::new(client.calls());
    let mut answers = FeedbackServiceClient::new(client.calls());
    let list =
        ListNoticesRequest { case_id: case.to_owned(), page_size: ROWS, ..ListNoticesRequest::default() };
    let (notices, answers) = tokio::join!(
        notices.list_notices(list),
        answers.get_feedback(GetFeedbackRequest { case_id: case.to_owned() }),
    );
    let mut missing = Missing(Vec::new());
    let told = (missing.take(t.notices(), notices).notices, missing.take(t.answered(), answers).cycles);
    (told, missing)
}
