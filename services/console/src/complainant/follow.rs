//! Following a complaint: the code, and what `TrackComplaint` tells whoever has it.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{Router, get};
use http::StatusCode;
use proto::redress::cases::v1::case_service_client::CaseServiceClient;
use proto::redress::cases::v1::{
    CaseState, Outcome, PublicEntry, TimelineKind, TrackComplaintRequest, TrackComplaintResponse,
};

use super::ask_for_code;
use crate::app::App;
use crate::error_page::Shown;
use crate::form::Posted;
use crate::guest::{Cost, Guest, Kept};
use crate::moment::Moment;
use crate::page::{Frame, html, html_with};
use crate::problem::Problem;
use crate::routes::see_other;
use crate::schema::{Field, Kind};
use crate::sentences;
use crate::words::Words;

/// Longest that a code is looked at; people write it with spaces and dashes.
pub(super) const CODE_MAX: usize = 100;
/// The reason of a code that is wrong in any way.
pub(super) const CODE_UNKNOWN: &str = "RECEIPT_CODE_UNKNOWN";

pub(super) fn routes() -> Router<App> {
    Router::new().route("/complaints/find", get(ask).post(find)).route("/complaints/mine", get(progress))
}

#[derive(Template)]
#[template(path = "complainant/find.html")]
struct FindPage {
    f: Frame,
    field: Field,
    problem: Option<Shown>,
}

/// The field that a code is given in.
pub(super) fn code_field(label: &str, help: &str) -> Field {
    Field::own("code", "code", label, Kind::line("text", CODE_MAX)).required().saying(help)
}

fn find_page(guest: &Guest, field: Field, problem: Option<Shown>) -> FindPage {
    FindPage { f: Frame::for_guest(&guest.visitor, guest.words().to_follow(), "mine"), field, problem }
}

/// Asks for the code.
async fn ask(guest: Guest) -> Response {
    let t = guest.words();
    html(&find_page(&guest, code_field(t.code_label(), t.code_help()), None))
}

/// Looks whether there is a complaint with this code, and goes to it.
async fn find(State(app): State<App>, guest: Guest, posted: Posted) -> Result<Response, Problem> {
    guest.pay(Cost::Code)?;
    let t = guest.words();
    let code: String = posted.text("code").chars().take(CODE_MAX).collect();
    let mut field = code_field(t.code_label(), t.code_help());
    field.values = vec![code.clone()];
    let is_kept = code == guest.kept.code;
    let seen = if is_kept { guest.kept.seen.clone() } else { None };
    let guest = guest.keeping(Kept { code, seen, ..Kept::default() });
    match track(&guest).await {
        Ok(_) => {
            let mut answer = see_other(&app.path("/complaints/mine"));
            guest.kept.keep(&app, answer.headers_mut());
            Ok(answer)
        }
        Err(problem) if problem.reason == CODE_UNKNOWN => {
            t.code_unknown().clone_into(&mut field.error);
            Ok(html_with(StatusCode::UNPROCESSABLE_ENTITY, &find_page(&guest, field, None)))
        }
        Err(problem) => {
            let shown = Shown::of(&problem, &guest.visitor);
            Ok(html_with(problem.status(), &find_page(&guest, field, Some(shown))))
        }
    }
}

/// What the services tell of the complaint with the code that is kept.
pub(super) async fn track(guest: &Guest) -> Result<TrackComplaintResponse, Problem> {
    let request =
        TrackComplaintRequest { receipt_code: guest.kept.code.clone(), end_user: guest.end_user.clone() };
    let mut cases = CaseServiceClient::new(guest.seeing().calls());
    Ok(cases.track_complaint(request).await?.into_inner())
}

/// A step on the way of a complaint.
struct Step {
    name: &'static str,
    /// `done`, `here` or `ahead`.
    class: &'static str,
    /// The same in words.
    stands: &'static str,
}

/// An entry as the page shows it.
struct Entry {
    time: Option<Moment>,
    kind: &'static str,
    text: String,
}

#[derive(Template)]
#[template(path = "complainant/mine.html")]
struct Page {
    f: Frame,
    received: Option<Moment>,
    cycle: i32,
    steps: Vec<Step>,
    /// What it is where there are no steps: withdrawn, declined.
    ended: &'static str,
    outcome: &'static str,
    entries: Vec<Entry>,
    can_add: bool,
    can_answer: bool,
    can_withdraw: bool,
    /// What was just done.
    done: &'static str,
}

/// How far it is.
async fn progress(State(app): State<App>, guest: Guest) -> Result<Response, Problem> {
    if guest.kept.code.is_empty() {
        return Ok(ask_for_code(&app));
    }
    let told = match track(&guest).await {
        Ok(told) => told,
        // It was kept when it was good: it is asked for anew.
        Err(problem) if problem.reason == CODE_UNKNOWN => return Ok(ask_for_code(&app)),
        Err(problem) => return Err(problem),
    };
    let t = guest.words();
    let is_over = matches!(
        told.state(),
        CaseState::Closed | CaseState::Withdrawn | CaseState::OutOfScope | CaseState::Merged
    );
    let done = guest.kept.done.as_deref().map_or("", |done| done_in_words(done, t));
    let page = Page {
        f: Frame::for_guest(&guest.visitor, t.progress_title(), "mine"),
        received: Moment::of(told.receive_time.as_ref(), &guest.visitor),
        cycle: told.cycle,
        steps: steps(told.state(), t),
        ended: match told.state() {
            CaseState::Withdrawn => t.is_withdrawn(),
            CaseState::OutOfScope => t.is_declined(),
            _ => "",
        },
        outcome: if told.outcome() == Outcome::Unspecified { "" } else { t.outcome(told.outcome) },
        can_add: !matches!(told.state(), CaseState::Withdrawn | CaseState::OutOfScope),
        can_answer: is_answerable(&told),
        can_withdraw: !is_over,
        entries: told.entries.iter().map(|one| entry(one, &guest)).collect(),
        done,
    };
    let mut answer = html(&page);
    if guest.kept.done.is_some() {
        // It is said once.
        Kept { done: None, ..guest.kept.clone() }.keep(&app, answer.headers_mut());
    }
    Ok(answer)
}

fn done_in_words(done: &str, t: Words) -> &'static str {
    match done {
        "added" => t.add_done(),
        "accepted" => t.accepted_now(),
        "disputed" => t.disputed_now(),
        "withdrawn" => t.withdrawn_now(),
        _ => "",
    }
}

/// Whether an outcome was told that they have not answered.
pub(super) fn is_answerable(told: &TrackComplaintResponse) -> bool {
    let latest = |kind: TimelineKind| told.entries.iter().rposition(|entry| entry.kind() == kind);
    let is_open = matches!(told.state(), CaseState::Resolved | CaseState::Closed);
    let answered = latest(TimelineKind::Response) > latest(TimelineKind::Resolved);
    is_open && told.outcome() != Outcome::Unspecified && !answered
}

fn steps(state: CaseState, t: Words) -> Vec<Step> {
    let here = match state {
        CaseState::Unspecified | CaseState::Received | CaseState::Triaged => 0,
        CaseState::Assigned | CaseState::Investigating | CaseState::Decided | CaseState::Remedying => 1,
        CaseState::Resolved => 2,
        CaseState::Closed | CaseState::Merged => 3,
        CaseState::Withdrawn | CaseState::OutOfScope => return Vec::new(),
    };
    let names = [t.step_received(), t.step_looked_into(), t.step_outcome(), t.step_closed()];
    let step = |(place, name): (usize, &'static str)| match place.cmp(&here) {
        std::cmp::Ordering::Less => Step { name, class: "done", stands: t.step_is_done() },
        std::cmp::Ordering::Equal => Step { name, class: "here", stands: t.step_is_here() },
        std::cmp::Ordering::Greater => Step { name, class: "ahead", stands: t.step_is_to_come() },
    };
    names.into_iter().enumerate().map(step).collect()
}

fn entry(entry: &PublicEntry, guest: &Guest) -> Entry {
    let t = guest.words();
    let kind = match entry.kind() {
        TimelineKind::Opened => t.kind_opened(),
        TimelineKind::Accepted => t.kind_accepted(),
        TimelineKind::Note => t.kind_note(),
        TimelineKind::Resolved => t.kind_resolved(),
        TimelineKind::Notice => t.kind_notice(),
        TimelineKind::Response => t.kind_response(),
        TimelineKind::Reopened => t.kind_reopened(),
        TimelineKind::Closed => t.kind_closed(),
        TimelineKind::Withdrawn => t.kind_withdrawn(),
        TimelineKind::OutOfScope => t.kind_out_of_scope(),
        TimelineKind::Merged | TimelineKind::Grouped => t.kind_merged(),
        _ => t.kind_other(),
    };
    // What these say is said by their kind already, in the language of the page.
    let is_said = matches!(entry.kind(), TimelineKind::Opened | TimelineKind::Accepted);
    let text =
        if is_said { String::new() } else { sentences::told(t, entry.kind(), &entry.text).into_owned() };
    Entry { time: Moment::of(entry.time.as_ref(), &guest.visitor), kind, text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;

    fn told(state: CaseState, outcome: Outcome, kinds: &[TimelineKind]) -> TrackComplaintResponse {
        let entries = kinds.iter().map(|kind| PublicEntry { kind: (*kind).into(), ..PublicEntry::default() });
        TrackComplaintResponse {
            state: state.into(),
            outcome: outcome.into(),
            entries: entries.collect(),
            ..TrackComplaintResponse::default()
        }
    }

    #[test]
    fn an_outcome_is_answered_once_and_the_next_one_again() {
        use TimelineKind::{Reopened, Resolved, Response};
        for (state, outcome, kinds, expected) in [
            (CaseState::Resolved, Outcome::Upheld, vec![Resolved], true),
            (CaseState::Closed, Outcome::Upheld, vec![Resolved], true),
            (CaseState::Closed, Outcome::Upheld, vec![Resolved, Response], false),
            (CaseState::Resolved, Outcome::NotUpheld, vec![Resolved, Response, Reopened, Resolved], true),
            (CaseState::Investigating, Outcome::Unspecified, vec![Resolved, Response, Reopened], false),
            (CaseState::Withdrawn, Outcome::Unspecified, vec![], false),
        ] {
            assert_eq!(is_answerable(&told(state, outcome, &kinds)), expected, "{state:?} {kinds:?}");
        }
    }

    #[test]
    fn one_step_is_where_it_stands() {
        let t = Words(Language::English);
        for number in 0..12 {
            let Ok(state) = CaseState::try_from(number) else { continue };
            let steps = steps(state, t);
            let here = steps.iter().filter(|step| step.class == "here").count();
            assert!(here == 1 || steps.is_empty(), "{state:?}");
        }
    }
}
