//! Who looks at a page: sessions, kept by browsers in sealed cookies.
//!
//! A session is as good as the token within it. Whoever has none yet has an anonymous one, which
//! forms are tied to; signing in begins another.

use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use client::Client;
use http::header::{COOKIE, SET_COOKIE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue};
use jiff::tz::TimeZone;
use kernel::{Role, Roles};
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::language::{self, Language};
use crate::problem::Problem;
use crate::seal::random_id;
use crate::sign_in::Refused;
use crate::words::Words;

/// The cookie, and what sealed texts are for.
const NAME: &str = "redress-session";
/// Most a browser keeps in one cookie is 4096 bytes, its name and rules among them.
const PART_MAX: usize = 3500;
/// Tokens of common providers fit into two.
const PARTS_MAX: usize = 4;
/// How long before they end tokens are renewed, in seconds.
const RENEW_BEFORE: i64 = 60;
/// The cookie with the time zone that the browser is in.
const ZONE: &str = "redress-zone";
/// Longest name of a time zone.
const ZONE_MAX: usize = 64;

/// What a browser keeps of somebody.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Session {
    /// Nobody guesses it; forms are tied to it.
    pub(crate) id: String,
    /// When it began, in seconds since 1970.
    pub(crate) begun: i64,
    /// Who signed in; none for whoever did not.
    pub(crate) person: Option<Person>,
}

/// Somebody who signed in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Person {
    /// As services know them.
    pub(crate) subject: String,
    /// As people call them.
    pub(crate) name: String,
    /// What they are here for, as identities name it. Only what is shown goes by it: what they
    /// may do the services decide.
    pub(crate) roles: Vec<String>,
    /// What proves it; none where nobody proves anything.
    pub(crate) tokens: Option<Tokens>,
}

/// What an identity provider gave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tokens {
    /// Shown to services.
    pub(crate) access: String,
    /// Exchanged for the next ones.
    pub(crate) refresh: Option<String>,
    /// Shown to the provider when they sign out.
    pub(crate) identity: Option<String>,
    /// When services stop believing it, in seconds since 1970.
    pub(crate) expires: i64,
}

impl Person {
    /// Whether pages for this role are shown to them.
    pub(crate) fn may_act_as(&self, role: Role) -> bool {
        Roles::read(self.roles.iter().map(String::as_str)).may_act_as(role)
    }
}

impl Session {
    /// A new one.
    pub(crate) fn new(app: &App, person: Option<Person>) -> anyhow::Result<Self> {
        Ok(Self { id: random_id()?, begun: app.now(), person })
    }
}

/// Put into an answer's extensions: the session that holds from now on.
#[derive(Clone)]
pub(crate) struct Begin(pub(crate) Session);

/// Who looks at a page, and how they read it.
#[derive(Clone)]
pub(crate) struct Visitor {
    pub(crate) app: App,
    pub(crate) session: Session,
    pub(crate) words: Words,
    pub(crate) zone: TimeZone,
    /// The page they are at, below the base path, with its query.
    pub(crate) at: String,
}

impl Visitor {
    /// Who it is; whoever did not sign in is asked to.
    pub(crate) fn person(&self) -> Result<&Person, Problem> {
        self.session.person.as_ref().ok_or_else(Problem::signed_out)
    }

    /// The services, called on with the rights of who looks.
    pub(crate) fn client(&self) -> Result<Client, Problem> {
        Ok(self.app.client_of(self.person()?)?)
    }

    /// Whether the board of a department is all they see of cases.
    pub(crate) fn works_for_department_only(&self) -> bool {
        self.may_act_as(Role::DepartmentWorker) && !self.may_act_as(Role::Reader)
    }

    /// Whether pages for this role are shown to them.
    pub(crate) fn may_act_as(&self, role: Role) -> bool {
        self.session.person.as_ref().is_some_and(|person| person.may_act_as(role))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Visitor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| Problem::broken("no session was opened"))
    }
}

/// Opens the session of a request, or begins one, and has the browser keep what changed.
pub(crate) async fn layer(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let at = request.uri().path_and_query().map(|at| at.as_str().to_owned()).unwrap_or_default();
    let (mut visitor, is_new) = match visitor(&app, request.headers(), &at) {
        Ok(visitor) => visitor,
        Err(problem) => return problem.plain(),
    };
    let is_renewed = renew(&app, &mut visitor.session).await;
    let parts_kept = parts_kept(request.headers());
    let session = visitor.session.clone();
    request.extensions_mut().insert(visitor);
    let mut answer = next.run(request).await;
    let begun = answer.extensions_mut().remove::<Begin>().map(|begin| begin.0);
    if let Some(session) = begun.or_else(|| (is_new || is_renewed).then_some(session)) {
        keep(&app, &session, parts_kept, answer.headers_mut());
    }
    answer
}

/// Renews tokens that are about to end; whether the session changed. Where the provider has
/// ended it nobody is signed in any more; where it is away, the tokens hold as long as they do.
async fn renew(app: &App, session: &mut Session) -> bool {
    let (Some(provider), Some(person)) = (&app.provider, &mut session.person) else { return false };
    let now = app.now();
    let Some(tokens) = person.tokens.as_ref().filter(|tokens| tokens.expires - now < RENEW_BEFORE) else {
        return false;
    };
    let renewed = match &tokens.refresh {
        Some(refresh) => provider.renew(tokens, refresh, now).await,
        None => Err(Refused::Away),
    };
    match renewed {
        Ok(tokens) => person.tokens = Some(tokens),
        Err(Refused::Away) if tokens.expires > now => return false,
        Err(_) => session.person = None,
    }
    true
}

/// Who looks, and whether their session is a new one.
fn visitor(app: &App, headers: &HeaderMap, at: &str) -> Result<(Visitor, bool), Problem> {
    let kept = opened(app, headers);
    let is_new = kept.is_none();
    let session = kept.map_or_else(|| Session::new(app, None), Ok);
    let session = session.map_err(|error| Problem::broken(&format!("{error:#}")))?;
    let words = Words(Language::negotiated(cookie(headers, language::COOKIE).as_deref(), headers));
    let zone = cookie(headers, ZONE).and_then(|name| zone(&name)).unwrap_or(TimeZone::UTC);
    let at = at.strip_prefix(&app.base).unwrap_or(at).to_owned();
    Ok((Visitor { app: app.clone(), session, words, zone, at }, is_new))
}

/// How many cookies beside the first a session is kept in.
fn parts_kept(headers: &HeaderMap) -> usize {
    (1..PARTS_MAX).filter(|part| cookie(headers, &part_name(*part)).is_some()).count()
}

/// The session of a request; none if there is none that holds.
fn opened(app: &App, headers: &HeaderMap) -> Option<Session> {
    let mut sealed = cookie(headers, NAME)?;
    for part in 1..PARTS_MAX {
        sealed += &cookie(headers, &part_name(part)).unwrap_or_default();
    }
    let session: Session = serde_json::from_slice(&app.seals.open(NAME, &sealed)?).ok()?;
    let longest = i64::try_from(app.session.as_secs()).unwrap_or(i64::MAX);
    (app.now() - session.begun < longest).then_some(session)
}

/// Has the browser keep a session, in as many cookies as it takes.
fn keep(app: &App, session: &Session, parts_kept: usize, headers: &mut HeaderMap) {
    let text = serde_json::to_vec(session).unwrap_or_default();
    let sealed = app.seals.seal(NAME, &text).unwrap_or_default();
    if sealed.len() > PART_MAX * PARTS_MAX {
        tracing::error!(bytes = sealed.len(), "the identity provider's tokens are too large to be kept");
        return;
    }
    let parts = sealed.as_bytes().chunks(PART_MAX).map(|part| String::from_utf8_lossy(part));
    let mut written = 0;
    for (place, part) in parts.enumerate() {
        set_cookie(app, headers, &part_name(place), &part, None);
        written = place;
    }
    for stale in written + 1..=parts_kept {
        set_cookie(app, headers, &part_name(stale), "", Some(0));
    }
}

fn part_name(part: usize) -> String {
    if part == 0 { NAME.to_owned() } else { format!("{NAME}-{part}") }
}

/// Has the browser keep a cookie that scripts do not see; without an age until it is closed.
pub(crate) fn set_cookie(app: &App, headers: &mut HeaderMap, name: &str, value: &str, age: Option<u32>) {
    let path = if app.base.is_empty() { "/" } else { &app.base };
    let age = age.map(|age| format!("; Max-Age={age}")).unwrap_or_default();
    let secure = if app.is_secure { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path={path}; HttpOnly; SameSite=Lax{age}{secure}");
    if let Ok(mut value) = HeaderValue::from_str(&text) {
        value.set_sensitive(true);
        headers.append(SET_COOKIE, value);
    }
}

/// The value of a cookie.
pub(crate) fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let all = headers.get_all(COOKIE).iter().filter_map(|header| header.to_str().ok());
    all.flat_map(|header| header.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(named, value)| (named == name).then(|| value.to_owned()))
}

/// A time zone by its name, as browsers tell it.
fn zone(name: &str) -> Option<TimeZone> {
    let name = percent_encoding::percent_decode_str(name).decode_utf8().ok()?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "/_+-".contains(c);
    let is_name = name.len() <= ZONE_MAX && name.chars().all(plain);
    is_name.then(|| calendar::zones::get(&name)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_read_by_their_names() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("a=1; redress-zone=Asia%2FShanghai;b=x=y"));
        headers.append(COOKIE, HeaderValue::from_static("c="));
        let read = |name| cookie(&headers, name);
        assert_eq!(read("b").as_deref(), Some("x=y"));
        assert_eq!((read("c").as_deref(), read("d")), (Some(""), None));
        assert_eq!(zone(&read(ZONE).unwrap()).unwrap().iana_name(), Some("Asia/Shanghai"));
        assert!(zone("../../etc/passwd").is_none() && zone("Nowhere/Land").is_none());
    }
}
