//! Development personas: without an identity provider, on the loopback only, whoever comes
//! chooses whom to be. Services believe the name, as they believe `redress --as`, and let it do
//! everything; the role only says which pages are shown.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use proto::redress::assignment::v1::ListAgentsRequest;
use proto::redress::assignment::v1::assignment_service_client::AssignmentServiceClient;

use crate::app::App;
use crate::form::Posted;
use crate::page::{Frame, html};
use crate::problem::Problem;
use crate::routes::back_to;
use crate::session::{Begin, Person, Session, Visitor};
use crate::words::Words;

/// Most agents that can be chosen.
const AGENTS_MAX: i32 = 200;
/// Longest name that somebody gives themselves.
const SUBJECT_MAX: usize = 200;

/// Somebody to be.
struct Persona {
    /// Its place among them.
    key: &'static str,
    /// The subject services know it by.
    subject: &'static str,
    /// What it is here for, as identities name it.
    roles: &'static [&'static str],
}

const PERSONAS: [Persona; 5] = [
    Persona { key: "agent", subject: "ann", roles: &["agent"] },
    Persona { key: "supervisor", subject: "gu", roles: &["supervisor"] },
    Persona { key: "finance", subject: "fay", roles: &["department-worker:finance"] },
    Persona { key: "admin", subject: "ada", roles: &["admin", "reader"] },
    Persona { key: "complainant", subject: "complainant", roles: &[] },
];

/// A persona as the page shows it.
struct Choice {
    key: &'static str,
    name: &'static str,
    does: &'static str,
    subject: &'static str,
}

/// An agent of the roster.
struct Agent {
    id: String,
    name: String,
    department: String,
}

#[derive(Template)]
#[template(path = "sign_in/personas.html")]
struct Page {
    f: Frame,
    back: String,
    choices: Vec<Choice>,
    agents: Vec<Agent>,
}

fn choice(persona: &Persona, t: Words) -> Choice {
    let (name, does) = match persona.key {
        "agent" => (t.persona_agent(), t.persona_agent_does()),
        "supervisor" => (t.persona_supervisor(), t.persona_supervisor_does()),
        "finance" => (t.persona_finance(), t.persona_finance_does()),
        "admin" => (t.persona_admin(), t.persona_admin_does()),
        _ => (t.persona_complainant(), t.persona_complainant_does()),
    };
    Choice { key: persona.key, name, does, subject: persona.subject }
}

/// Shows whom one can be.
pub(super) async fn page(visitor: &Visitor, back: &str) -> Result<Response, Problem> {
    let t = visitor.words;
    let f = Frame::new(visitor, t.sign_in(), "");
    let choices = PERSONAS.iter().map(|persona| choice(persona, t)).collect();
    let agents = roster(visitor).await;
    Ok(html(&Page { f, back: back.to_owned(), choices, agents }))
}

/// The agents there are; none while nobody answers, which other pages say.
async fn roster(visitor: &Visitor) -> Vec<Agent> {
    let Some(client) = visitor.app.client_of_nobody().await else { return Vec::new() };
    let request = ListAgentsRequest { page_size: AGENTS_MAX, ..ListAgentsRequest::default() };
    let answer = AssignmentServiceClient::new(client.calls()).list_agents(request).await;
    let agents = answer.map(|answer| answer.into_inner().agents).unwrap_or_default();
    let shown = agents.into_iter().map(|agent| Agent {
        name: if agent.display_name.is_empty() { agent.agent_id.clone() } else { agent.display_name },
        id: agent.agent_id,
        department: agent.department_id,
    });
    shown.collect()
}

/// Becomes somebody.
pub(super) async fn choose(State(app): State<App>, posted: Posted) -> Result<Response, Problem> {
    if !app.is_development {
        return Err(Problem::not_found());
    }
    let persona = PERSONAS
        .iter()
        .find(|persona| persona.key == posted.text("persona"))
        .ok_or_else(|| Problem::wrong_field("persona", "is none of those here"))?;
    let subject = match posted.text("subject") {
        "" => persona.subject,
        subject => subject,
    };
    if subject.len() > SUBJECT_MAX || !subject.chars().all(|c| c.is_ascii_graphic()) {
        return Err(Problem::wrong_field("subject", "must have 1 to 200 visible ASCII characters"));
    }
    let person = Person {
        subject: subject.to_owned(),
        name: subject.to_owned(),
        roles: persona.roles.iter().map(|role| (*role).to_owned()).collect(),
        tokens: None,
    };
    let session = Session::new(&app, Some(person)).map_err(|error| Problem::broken(&format!("{error:#}")))?;
    let mut answer = back_to(&app, posted.text("back"));
    answer.extensions_mut().insert(Begin(session));
    Ok(answer)
}
