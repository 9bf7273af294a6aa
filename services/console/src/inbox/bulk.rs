//! One thing done to many cases. Each is done by itself, under a key of its own: sent twice it is
//! done once, and what cannot be done says why.

use askama::Template;
use axum::response::Response;
use client::Client;
use futures::StreamExt as _;
use futures::stream;
use proto::redress::assignment::v1::AcceptCaseRequest;
use proto::redress::assignment::v1::assignment_service_client::AssignmentServiceClient;
use proto::redress::cases::v1::case_service_client::CaseServiceClient;
use proto::redress::cases::v1::classifier_service_client::ClassifierServiceClient;
use proto::redress::cases::v1::{AddNoteRequest, ConfirmCategoryRequest};

use crate::form::Posted;
use crate::page::{Frame, html};
use crate::problem::Problem;
use crate::session::Visitor;

/// Most cases at once: those of a page.
const CASES_MAX: usize = 50;
/// Most calls at once.
const AT_ONCE: usize = 8;

/// What became of a case.
struct Verdict {
    case_id: String,
    subject: String,
    /// None where it was done.
    problem: Option<(String, String)>,
}

#[derive(Template)]
#[template(path = "inbox/bulk.html")]
struct Page {
    f: Frame,
    verdicts: Vec<Verdict>,
    done: usize,
    failed: usize,
    back: String,
}

/// A case that was chosen: its id, the category it was guessed to be, its subject.
struct Chosen {
    case_id: String,
    category: String,
    subject: String,
}

impl Chosen {
    /// As the form's box has it: a line each.
    fn of(value: &str) -> Option<Self> {
        let mut lines = value.split('|');
        let (case_id, category) = (lines.next()?.to_owned(), lines.next()?.to_owned());
        Some(Self { case_id, category, subject: lines.collect::<Vec<_>>().join("|") })
    }
}

/// Does one thing to the cases chosen, and says of each what became of it.
pub(super) async fn bulk(visitor: Visitor, posted: Posted) -> Result<Response, Problem> {
    let t = visitor.words;
    let client = visitor.client()?;
    let subject = visitor.person()?.subject.clone();
    let chosen: Vec<Chosen> = posted.all("case").filter_map(Chosen::of).collect();
    if chosen.is_empty() || chosen.len() > CASES_MAX {
        return Err(Problem::wrong_field("case", t.bulk_none()));
    }
    let (action, request_id) = (posted.text("action"), posted.request_id());
    if !["accept", "confirm", "note"].contains(&action) {
        return Err(Problem::wrong_field("action", "is none of those here"));
    }
    let one = |chosen: Chosen| {
        let (client, subject, request_id) =
            (client.clone(), subject.clone(), format!("{request_id}:{}", chosen.case_id));
        let text = posted.text("text").to_owned();
        async move {
            let done = act(&client, action, &chosen, request_id, subject, text).await;
            (chosen, done)
        }
    };
    let all: Vec<_> = stream::iter(chosen.into_iter().map(one)).buffered(AT_ONCE).collect().await;
    let verdicts: Vec<Verdict> = all
        .into_iter()
        .map(|(chosen, done)| Verdict {
            problem: done.err().map(|problem| (problem.explanation(t), problem.reason)),
            case_id: chosen.case_id,
            subject: chosen.subject,
        })
        .collect();
    let failed = verdicts.iter().filter(|verdict| verdict.problem.is_some()).count();
    let done = verdicts.len() - failed;
    let back = visitor.app.path(crate::routes::own_path(posted.text("back")).unwrap_or("/inbox"));
    Ok(html(&Page { f: Frame::new(&visitor, t.bulk_verdicts(), "inbox"), verdicts, done, failed, back }))
}

async fn act(
    client: &Client,
    action: &str,
    chosen: &Chosen,
    request_id: String,
    agent_id: String,
    text: String,
) -> Result<(), Problem> {
    let case_id = chosen.case_id.clone();
    match action {
        "accept" => {
            let request = AcceptCaseRequest { request_id, case_id, expected_version: None, agent_id };
            AssignmentServiceClient::new(client.calls()).accept_case(request).await?;
        }
        "confirm" => {
            let category = chosen.category.clone();
            let request = ConfirmCategoryRequest { request_id, case_id, expected_version: None, category };
            ClassifierServiceClient::new(client.calls()).confirm_category(request).await?;
        }
        _ => {
            let request = AddNoteRequest { request_id, case_id, text, visibility: 0 };
            CaseServiceClient::new(client.calls()).add_note(request).await?;
        }
    }
    Ok(())
}
