//! Views that somebody saved: which cases, under a name of theirs. The browser keeps them in a
//! sealed cookie, one for each person who signs in there: the console has no database, and what
//! is saved says nothing that an address of the inbox does not.

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::InboxQuery;
use crate::app::App;
use crate::form::Posted;
use crate::problem::Problem;
use crate::routes::see_other;
use crate::session::{Visitor, cookie, set_cookie};

/// The cookie's name, before what tells people apart, and what its text is sealed for.
const NAME: &str = "redress-views";
/// Most views that one person saves.
pub(super) const VIEWS_MAX: usize = 12;
/// Longest name of a view, in characters.
pub(super) const NAME_MAX: usize = 40;
/// Most bytes of a cookie, sealed; browsers keep 4096 with its name and rules.
const SEALED_MAX: usize = 3_500;
/// How long they are kept after the last one was saved, in seconds: a year.
const KEPT: u32 = 31_536_000;
/// Letters of the digest of a subject within a cookie's name.
const DIGEST: usize = 8;

/// A view that was saved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Saved {
    /// What its owner calls it.
    pub(super) name: String,
    /// Which cases.
    pub(super) asked: InboxQuery,
}

/// The cookie of who looks: people who share a browser do not share their views.
fn cookie_name(visitor: &Visitor) -> Result<String, Problem> {
    let digest = Sha256::digest(visitor.person()?.subject.as_bytes());
    let letters = digest.iter().take(DIGEST).fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    Ok(format!("{NAME}-{letters}"))
}

/// The views of who looks; none where the browser keeps none that were sealed here.
pub(super) fn of(visitor: &Visitor, headers: &HeaderMap) -> Vec<Saved> {
    let kept = cookie_name(visitor).ok().and_then(|name| cookie(headers, &name));
    let opened = kept.and_then(|sealed| visitor.app.seals.open(NAME, &sealed));
    opened.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
}

/// Has the browser keep them, and shows the inbox at this path.
fn keep(visitor: &Visitor, views: &[Saved], path: &str) -> Result<Response, Problem> {
    let text = serde_json::to_vec(views).unwrap_or_default();
    let sealed = visitor.app.seals.seal(NAME, &text).unwrap_or_default();
    if sealed.len() > SEALED_MAX {
        return Err(Problem::wrong_field("name", visitor.words.views_full()));
    }
    let mut answer = see_other(&visitor.app.path(path));
    let (value, age) = if views.is_empty() { ("", 0) } else { (sealed.as_str(), KEPT) };
    set_cookie(&visitor.app, answer.headers_mut(), &cookie_name(visitor)?, value, Some(age));
    Ok(answer)
}

/// Saves what the inbox shows; one of the same name is replaced.
pub(super) async fn save(
    State(_): State<App>,
    visitor: Visitor,
    headers: HeaderMap,
    posted: Posted,
) -> Result<Response, Problem> {
    let name: String = posted.text("name").chars().filter(|c| !c.is_control()).take(NAME_MAX).collect();
    if name.trim().is_empty() {
        return Err(Problem::wrong_field("name", visitor.words.view_needs_name()));
    }
    let asked = InboxQuery::of(&posted);
    let mut views = of(&visitor, &headers);
    views.retain(|view| view.name != name);
    if views.len() >= VIEWS_MAX {
        return Err(Problem::wrong_field("name", visitor.words.views_full()));
    }
    let path = asked.path();
    views.push(Saved { name, asked });
    keep(&visitor, &views, &path)
}

/// Forgets one by its name.
pub(super) async fn remove(
    State(_): State<App>,
    visitor: Visitor,
    headers: HeaderMap,
    posted: Posted,
) -> Result<Response, Problem> {
    let mut views = of(&visitor, &headers);
    views.retain(|view| view.name != posted.text("name"));
    keep(&visitor, &views, "/inbox")
}
