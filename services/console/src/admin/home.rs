//! Where administrators begin: what there is to keep.

use askama::Template;
use axum::response::Response;

use super::Admin;
use crate::page::{Frame, html};

#[derive(Template)]
#[template(path = "admin/home.html")]
struct Home {
    f: Frame,
    /// Of each where it is, what it is called, what it decides.
    parts: Vec<(&'static str, &'static str, &'static str)>,
}

pub(super) async fn show(admin: Admin) -> Response {
    let t = admin.words();
    let parts = vec![
        ("categories", t.categories(), t.categories_about()),
        ("forms", t.forms(), t.forms_about()),
        ("rules", t.rules(), t.rules_about()),
        ("routing", t.routing(), t.routing_about()),
        ("approvals", t.approvals_word(), t.approvals_about()),
        ("policies", t.policies(), t.policies_about()),
        ("calendars", t.calendars(), t.calendars_about()),
        ("templates", t.templates(), t.templates_about()),
        ("roster", t.roster(), t.roster_about()),
    ];
    html(&Home { f: Frame::new(&admin.visitor, t.administration(), "admin"), parts })
}
