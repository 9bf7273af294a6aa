//! What every page shares: the frame around it, and how it is rendered.

use askama::Template;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use kernel::Role;
use url::form_urlencoded;

use crate::app::App;
use crate::form_token;
use crate::language::Language;
use crate::session::Visitor;
use crate::words::Words;

/// A place that the navigation leads to.
pub(crate) struct Place {
    /// What it is called.
    pub(crate) name: &'static str,
    /// Where it is.
    pub(crate) path: String,
    /// Whether the page is there.
    pub(crate) is_here: bool,
}

/// What is around a page: its title, the navigation, who looks.
pub(crate) struct Frame {
    /// The words.
    pub(crate) t: Words,
    /// What the page is called.
    pub(crate) title: String,
    /// Path that all pages are below.
    pub(crate) base: String,
    /// Where everybody begins.
    pub(crate) home: String,
    /// The token of its forms.
    pub(crate) token: String,
    /// Who is signed in.
    pub(crate) person: Option<String>,
    /// What drafts are kept under: they are one person's.
    pub(crate) subject: String,
    /// Where the navigation leads.
    pub(crate) places: Vec<Place>,
    /// Every language, as its tag and its own name.
    pub(crate) languages: Vec<(&'static str, &'static str)>,
    /// The page itself, to come back to.
    pub(crate) at: String,
    /// Whether whoever comes chooses whom to be.
    pub(crate) is_development: bool,
    /// The draft that is over, since what was written was sent: its name; empty for none.
    pub(crate) over: String,
    app: App,
}

impl Frame {
    /// Around a page with this title, which is at this place of the navigation.
    pub(crate) fn new(visitor: &Visitor, title: impl Into<String>, here: &str) -> Self {
        let app = &visitor.app;
        let person = visitor.session.person.as_ref();
        Self {
            t: visitor.words,
            title: title.into(),
            base: app.base.clone(),
            home: app.path("/"),
            token: form_token::new(&app.seals, &visitor.session.id).unwrap_or_default(),
            person: person.map(|person| person.name.clone()),
            subject: person.map(|person| person.subject.clone()).unwrap_or_default(),
            places: places(visitor, here),
            languages: Language::ALL.map(|language| (language.tag(), language.own_name())).to_vec(),
            at: visitor.at.clone(),
            is_development: app.is_development,
            over: over(&visitor.at),
            app: app.clone(),
        }
    }

    /// Around a page for complainants, who are nobody here.
    pub(crate) fn for_guest(visitor: &Visitor, title: impl Into<String>, here: &str) -> Self {
        let t = visitor.words;
        let all = [
            ("new", t.to_complain(), "/complaints/new"),
            ("mine", t.to_follow(), "/complaints/mine"),
            ("survey", t.to_survey(), "/complaints/survey"),
        ];
        let place = |(key, name, path)| Place { name, path: visitor.app.path(path), is_here: key == here };
        let home = visitor.app.path("/complaints");
        Self { places: all.map(place).into_iter().collect(), home, ..Self::new(visitor, title, "") }
    }

    /// Where a file of `static/` is.
    pub(crate) fn asset(&self, file: &str) -> String {
        format!("{}/static/{}", self.base, self.app.assets.name(file))
    }

    /// A new idempotency key, for a form.
    #[expect(clippy::unused_self, reason = "templates call methods")]
    pub(crate) fn request_id(&self) -> String {
        crate::form::request_id()
    }
}

/// The draft that an address says is over, where a form has led to it.
fn over(at: &str) -> String {
    let (_, query) = at.split_once('?').unwrap_or_default();
    let mut fields = form_urlencoded::parse(query.as_bytes());
    fields.find(|(name, _)| name == OVER).map(|(_, draft)| draft.into_owned()).unwrap_or_default()
}

/// A path that a form leads to, which says that its draft is over.
pub(crate) fn with_draft_over(path: &str, draft: &str) -> String {
    if draft.is_empty() {
        return path.to_owned();
    }
    let mark = if path.contains('?') { '&' } else { '?' };
    let draft = percent_encoding::utf8_percent_encode(draft, percent_encoding::NON_ALPHANUMERIC);
    format!("{path}{mark}{OVER}={draft}")
}

/// The field of an address that says which draft is over.
const OVER: &str = "over";

/// The navigation, as far as it is for who looks.
fn places(visitor: &Visitor, here: &str) -> Vec<Place> {
    let t = visitor.words;
    let all = [
        ("inbox", t.inbox(), "/inbox", Role::Reader),
        ("department", t.department_board(), "/department", Role::DepartmentWorker),
        ("team", t.team_board(), "/team", Role::Supervisor),
        ("figures", t.figures_title(), "/figures", Role::Reader),
        ("admin", t.administration(), "/admin", Role::Admin),
    ];
    all.into_iter()
        .filter(|(.., role)| visitor.may_act_as(*role))
        .map(|(key, name, path, _)| Place { name, path: visitor.app.path(path), is_here: key == here })
        .collect()
}

/// A page.
pub(crate) fn html(page: &impl Template) -> Response {
    let mut answer = match page.render() {
        Ok(text) => Response::new(text.into()),
        Err(error) => {
            tracing::error!(%error, "a page cannot be rendered");
            let mut answer = Response::new("500\n".into());
            *answer.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            answer
        }
    };
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    answer.headers_mut().insert(header::CONTENT_TYPE, kind);
    answer
}

/// A page with another status than 200.
pub(crate) fn html_with(status: StatusCode, page: &impl Template) -> Response {
    let mut answer = html(page);
    if answer.status().is_success() {
        *answer.status_mut() = status;
    }
    answer
}
