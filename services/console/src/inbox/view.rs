//! Which cases a view has, how many, and how a row reads.

use client::Client;
use proto::redress::assignment::v1::GetAgentRequest;
use proto::redress::assignment::v1::assignment_service_client::AssignmentServiceClient;
use proto::redress::cases::v1::case_service_client::CaseServiceClient;
use proto::redress::cases::v1::classifier_service_client::ClassifierServiceClient;
use proto::redress::cases::v1::search_service_client::SearchServiceClient;
use proto::redress::cases::v1::{Case, FacetCasesRequest, ListCasesRequest, ListUnconfirmedRequest};

use super::InboxQuery;
use crate::moment::{Moment, distance, timestamp};
use crate::problem::Problem;
use crate::session::Visitor;
use crate::words::Words;

/// Rows of a page.
const ROWS: i32 = 50;
/// Longest words to search for.
const WORDS_MAX: usize = 200;

/// Which cases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum View {
    /// Those of who looks.
    #[default]
    Mine,
    /// Those of their department.
    Team,
    /// Those nobody handles.
    Waiting,
    /// Those that are open, by when they are due.
    Due,
    /// Those that are overdue.
    Breached,
    /// Those whose category was guessed and is to be confirmed.
    Unconfirmed,
}

impl View {
    pub(super) const ALL: [Self; 6] =
        [Self::Mine, Self::Team, Self::Waiting, Self::Due, Self::Breached, Self::Unconfirmed];

    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Mine => "mine",
            Self::Team => "team",
            Self::Waiting => "waiting",
            Self::Due => "due",
            Self::Breached => "breached",
            Self::Unconfirmed => "unconfirmed",
        }
    }

    pub(super) fn of(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|view| view.key() == key)
    }

    pub(super) fn name(self, t: Words) -> &'static str {
        match self {
            Self::Mine => t.view_mine(),
            Self::Team => t.view_team(),
            Self::Waiting => t.view_waiting(),
            Self::Due => t.view_due(),
            Self::Breached => t.view_breached(),
            Self::Unconfirmed => t.view_unconfirmed(),
        }
    }

    pub(super) fn is_unconfirmed(self) -> bool {
        self == Self::Unconfirmed
    }

    /// The filter that means its cases; none where they are no matter of a filter.
    fn filter(self, place: &Place) -> Option<String> {
        Some(match self {
            Self::Mine => format!("open = true AND agent = {}", quoted(&place.subject)),
            Self::Team => format!("open = true AND department = {}", quoted(place.department.as_deref()?)),
            Self::Waiting => "open = true AND NOT agent:*".to_owned(),
            Self::Due => "open = true".to_owned(),
            Self::Breached => "breached = true".to_owned(),
            Self::Unconfirmed => return None,
        })
    }
}

/// A value within a filter: a text of others, whatever is in it.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars().take(WORDS_MAX) {
        if matches!(letter, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(if letter.is_control() { ' ' } else { letter });
    }
    quoted.push('"');
    quoted
}

/// Where who looks is within the organisation.
pub(super) struct Place {
    pub(super) subject: String,
    /// None for whoever is no agent.
    pub(super) department: Option<String>,
}

impl Place {
    pub(super) async fn of(client: &Client, visitor: &Visitor) -> Self {
        let subject =
            visitor.session.person.as_ref().map(|person| person.subject.clone()).unwrap_or_default();
        let request = GetAgentRequest { agent_id: subject.clone() };
        let agent = AssignmentServiceClient::new(client.calls()).get_agent(request).await.ok();
        let department = agent.and_then(|answer| answer.into_inner().agent).map(|agent| agent.department_id);
        Self { subject, department: department.filter(|department| !department.is_empty()) }
    }
}

/// A case as a row.
pub(super) struct Row {
    pub(super) case_id: String,
    pub(super) subject: String,
    pub(super) priority: i32,
    pub(super) state: i32,
    pub(super) category: String,
    pub(super) channel: i32,
    pub(super) agent: String,
    /// When it is due, as HTML has it, as people read it, and how far off that is.
    pub(super) due: Option<(String, String, String)>,
    pub(super) is_overdue: bool,
    /// What the category was guessed to be, and how surely.
    pub(super) guess: Option<(String, String)>,
}

/// A page of rows, and where to go on.
#[derive(Default)]
pub(super) struct Rows {
    pub(super) rows: Vec<Row>,
    pub(super) next: String,
}

fn row(case: Case, visitor: &Visitor) -> Row {
    let due = case.due_time.as_ref().and_then(timestamp);
    let shown = due.map(|due| {
        let moment = Moment::new(due, &visitor.zone);
        (moment.iso, moment.text, distance(visitor, due))
    });
    Row {
        is_overdue: due.is_some_and(|due| due < visitor.app.clock.now()),
        due: shown,
        case_id: case.case_id,
        subject: case.subject,
        priority: case.priority,
        state: case.state,
        category: case.category,
        channel: case.channel,
        agent: case.agent_id,
        guess: None,
    }
}

/// The cases of a view, or those with some words.
pub(super) async fn rows(
    client: &Client,
    visitor: &Visitor,
    place: &Place,
    view: View,
    asked: &InboxQuery,
) -> Result<Rows, Problem> {
    let (words, page) = (asked.q.trim(), asked.page.as_str());
    if view.is_unconfirmed() && words.is_empty() {
        return unconfirmed(client, visitor, page).await;
    }
    let is_search = !words.is_empty();
    let filter = if is_search { Some(format!("text:{}", searched(words))) } else { view.filter(place) };
    let Some(filter) = filter else { return Ok(Rows::default()) };
    let filter = narrowed(&filter, asked);
    let order_by = if is_search { String::new() } else { "due_time".to_owned() };
    let request = ListCasesRequest {
        page_size: ROWS,
        page_token: page.to_owned(),
        filter,
        order_by,
        ..ListCasesRequest::default()
    };
    let answer = CaseServiceClient::new(client.calls()).list_cases(request).await?.into_inner();
    let rows = answer.cases.into_iter().map(|case| row(case, visitor)).collect();
    Ok(Rows { rows, next: answer.next_page_token })
}

/// Only those of a category, or as urgent, where that is asked for.
fn narrowed(filter: &str, asked: &InboxQuery) -> String {
    let mut narrowed = format!("({filter})");
    let category = asked.category.trim().trim_end_matches('/');
    if !category.is_empty() {
        let below = searched(&format!("{category}/*"));
        narrowed.extend([" AND (category = ", &searched(category), " OR category:", &below, ")"]);
    }
    if let Some(priority) = asked.priority() {
        narrowed.extend([" AND priority = ".to_owned(), priority.to_string()]);
    }
    narrowed
}

/// Words as a filter has them.
fn searched(words: &str) -> String {
    let plain: String = words.chars().map(|c| if matches!(c, '"' | '\\') { ' ' } else { c }).collect();
    quoted(plain.trim())
}

/// What was guessed; each case is read as well, for what a row says of it.
async fn unconfirmed(client: &Client, visitor: &Visitor, page: &str) -> Result<Rows, Problem> {
    let request = ListUnconfirmedRequest { page_size: ROWS, page_token: page.to_owned() };
    let answer = ClassifierServiceClient::new(client.calls()).list_unconfirmed(request).await?.into_inner();
    let rows = answer.readings.into_iter().map(|reading| {
        let guess = reading.guess.map(|guess| (guess.category, format!("{:.0} %", guess.confidence * 100.0)));
        let case = Case {
            case_id: reading.case_id,
            subject: reading.subject,
            category: reading.category,
            ..Case::default()
        };
        Row { guess, ..row(case, visitor) }
    });
    Ok(Rows { rows: rows.collect(), next: answer.next_page_token })
}

/// How many cases each view has, as far as that is known.
pub(super) async fn counts(client: &Client, place: &Place) -> Vec<(View, String)> {
    let count = |view: View| async move {
        let filter = view.filter(place)?;
        let request = FacetCasesRequest { filter, fields: vec!["priority".to_owned()] };
        let answer = SearchServiceClient::new(client.calls()).facet_cases(request).await.ok()?.into_inner();
        let more = if answer.exact { "" } else { "+" };
        Some((view, format!("{}{more}", answer.total)))
    };
    let counts = futures::future::join_all(View::ALL.into_iter().map(count)).await;
    counts.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_is_narrowed_by_category_and_urgency() {
        let asked = |category: &str, priority: &str| InboxQuery {
            category: category.into(),
            priority: priority.into(),
            ..InboxQuery::default()
        };
        assert_eq!(narrowed("open = true", &asked("", "9")), "(open = true)");
        assert_eq!(
            narrowed("open = true", &asked("delivery/", "2")),
            "(open = true) AND (category = \"delivery\" OR category:\"delivery/*\") AND priority = P2"
        );
        assert!(!narrowed("open = true", &asked("a\" OR open = false OR \"", "")).contains("\" OR open"));
    }

    #[test]
    fn a_name_cannot_leave_its_place_in_a_filter() {
        assert_eq!(quoted("ann"), "\"ann\"");
        assert_eq!(quoted("a\" OR open = true"), "\"a\\\" OR open = true\"");
        assert_eq!(quoted("a\\\"\n"), "\"a\\\\\\\" \"");
        assert_eq!(searched("\"退款\" 未到"), "\"退款  未到\"");
        let place = Place { subject: "ann".into(), department: None };
        assert_eq!(View::Mine.filter(&place).unwrap(), "open = true AND agent = \"ann\"");
        assert_eq!((View::Team.filter(&place), View::Unconfirmed.filter(&place)), (None, None));
        assert!(View::ALL.into_iter().all(|view| View::of(view.key()) == Some(view)));
    }
}
