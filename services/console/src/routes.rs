//! Every path there is, and what each request passes.

use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{Router, get, post};
use http::{HeaderValue, StatusCode, header};
use kernel::Role;
use server::{RouteName, Stop};
use tower::ServiceBuilder;
use tower_http::compression::CompressionLayer;

use crate::app::App;
use crate::form::{BYTES_MAX, Posted};
use crate::language::{self, Language};
use crate::problem::Problem;
use crate::session::{Visitor, set_cookie};
use crate::{
    admin, assets, boards, case_page, complainant, department, error_page, figures, headers, inbox, papers,
    session, sign_in, team,
};

/// The whole site, below its base path. It is told when the process stops.
pub(crate) fn site(app: App, closing: Stop) -> Router {
    let pages = Router::new()
        .route("/", get(home))
        .route("/language", post(choose_language))
        .merge(sign_in::routes())
        .merge(inbox::routes())
        .merge(case_page::routes())
        .merge(complainant::routes())
        .merge(admin::routes())
        .merge(department::routes())
        .merge(boards::cases::routes())
        .merge(team::routes())
        .merge(figures::routes())
        .merge(papers::routes())
        .fallback(async || Problem::not_found())
        .layer(middleware::from_fn(name_route))
        .layer(
            ServiceBuilder::new()
                // Who looks: needed by all that follows.
                .layer(middleware::from_fn_with_state(app.clone(), session::layer))
                // What went wrong below becomes a page for them.
                .layer(middleware::from_fn_with_state(app.clone(), error_page::layer))
                .layer(DefaultBodyLimit::max(BYTES_MAX)),
        );
    let base = app.base.clone();
    let site = Router::new()
        .route("/static/{name}", get(assets::serve))
        .route("/health", get(async || "ok\n"))
        .merge(pages);
    let site = if base.is_empty() { site } else { below(&base, site) };
    site.layer(
        ServiceBuilder::new()
            .layer(CompressionLayer::new())
            .layer(middleware::from_fn_with_state(app.clone(), headers::layer)),
    )
    .layer(axum::Extension(closing))
    .with_state(app)
}

/// A site below a path of another: whoever comes to that path without a slash means its home.
fn below(base: &str, site: Router<App>) -> Router<App> {
    Router::new().nest(base, site).fallback(async || StatusCode::NOT_FOUND)
}

/// Names the pattern of a path, by which requests are measured.
async fn name_route(request: Request, next: Next) -> Response {
    let matched = request.extensions().get::<MatchedPath>().map(|path| path.as_str().into());
    let mut answer = next.run(request).await;
    if let Some(name) = matched {
        answer.extensions_mut().insert(RouteName(name));
    }
    answer
}

/// Where who looks begins.
async fn home(State(app): State<App>, visitor: Visitor) -> Response {
    let path = match &visitor.session.person {
        Some(person) if person.roles.is_empty() => "/complaints",
        Some(person) if person.may_act_as(Role::Admin) && !person.may_act_as(Role::Reader) => "/admin",
        Some(_) if visitor.works_for_department_only() => "/department",
        Some(_) => "/inbox",
        None => "/sign-in",
    };
    Redirect::to(&app.path(path)).into_response()
}

/// Keeps the language somebody chose, and goes back to where they were.
async fn choose_language(State(app): State<App>, posted: Posted) -> Result<Response, Problem> {
    let language = Language::of(posted.text("language"))
        .ok_or_else(|| Problem::wrong_field("language", "is none of the languages here"))?;
    let mut answer = back_to(&app, posted.text("back"));
    set_cookie(&app, answer.headers_mut(), language::COOKIE, language.tag(), Some(language::KEPT));
    Ok(answer)
}

/// Sends somebody to a page of ours, wherever a form says.
pub(crate) fn back_to(app: &App, path: &str) -> Response {
    see_other(&app.path(own_path(path).unwrap_or("/")))
}

/// A path that leads to a page of ours: nowhere else, whatever it is made to look like.
pub(crate) fn own_path(path: &str) -> Option<&str> {
    let is_plain = |c: char| c.is_ascii_graphic() && c != '\\';
    let is_own = path.starts_with('/') && !path.starts_with("//") && path.chars().all(is_plain);
    is_own.then_some(path)
}

/// Another page, to be fetched: what was posted is not posted again when it is reloaded.
pub(crate) fn see_other(location: &str) -> Response {
    let mut answer = StatusCode::SEE_OTHER.into_response();
    if let Ok(location) = HeaderValue::from_str(location) {
        answer.headers_mut().insert(header::LOCATION, location);
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_to_another_site() {
        assert_eq!(own_path("/cases/1?x=2"), Some("/cases/1?x=2"));
        for path in ["", "x", "//evil.example", "https://evil.example", "/\\evil.example", "/a\nb", "/a b"] {
            assert_eq!(own_path(path), None, "{path:?}");
        }
    }
}
