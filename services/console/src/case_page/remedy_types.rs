//! The tenant's own types of remedy: which there are, and what a step of one needs, as a form.

use std::collections::HashMap;

use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use client::Client;
use proto::redress::resolution::v1::remedy_type_service_client::RemedyTypeServiceClient;
use proto::redress::resolution::v1::{GetRemedyTypeRequest, Plan, RemedyType};
use tonic::Code;

use super::plan_form::{OWN, Own, ROWS_MAX, name};
use crate::form::Posted;
use crate::page::{Frame, html};
use crate::problem::Problem;
use crate::schema::{Item, Kind};
use crate::session::Visitor;

/// What is asked of one step, when its type is chosen.
#[derive(Template)]
#[template(path = "case/own_fields.html")]
struct Fields {
    f: Frame,
    own: Option<Own>,
}

/// The fields of the type that was just chosen for a row.
pub(super) async fn fields(
    visitor: Visitor,
    Query(asked): Query<HashMap<String, String>>,
) -> Result<Response, Problem> {
    let row = asked.get("row").and_then(|row| row.parse().ok()).filter(|row| (1..=ROWS_MAX).contains(row));
    let row: usize = row.ok_or_else(Problem::not_found)?;
    let chosen = asked.get(&name(row, "kind")).and_then(|kind| kind.strip_prefix(OWN));
    let own = match chosen {
        Some(chosen) => get(&visitor.client()?, chosen, 0).await?,
        None => None,
    };
    let own = own.map(|kind| Own::of(&kind, row, visitor.words));
    Ok(html(&Fields { f: Frame::new(&visitor, visitor.words.step_kind(), ""), own }))
}

/// The types that the rows of a form have, with their schemas.
pub(super) async fn of_form(client: &Client, posted: &Posted) -> Result<Vec<RemedyType>, Problem> {
    let mut types = Vec::<RemedyType>::new();
    for row in 1..=ROWS_MAX {
        let Some(chosen) = posted.text(&name(row, "kind")).strip_prefix(OWN) else { continue };
        if types.iter().all(|known| known.type_id != chosen) {
            types.extend(get(client, chosen, 0).await?);
        }
    }
    Ok(types)
}

/// The types that the steps of a plan have.
pub(super) async fn of_plan(client: &Client, plan: &Plan) -> Vec<RemedyType> {
    let mut types = Vec::<RemedyType>::new();
    for step in plan.steps.iter().filter(|step| !step.remedy_type.is_empty()) {
        if types.iter().all(|known| known.type_id != step.remedy_type) {
            types.extend(get(client, &step.remedy_type, step.remedy_type_version).await.ok().flatten());
        }
    }
    types
}

/// A type in a version; 0 takes the one that holds.
async fn get(client: &Client, type_id: &str, version: i64) -> Result<Option<RemedyType>, Problem> {
    let request = GetRemedyTypeRequest { type_id: type_id.to_owned(), version };
    match RemedyTypeServiceClient::new(client.calls()).get_remedy_type(request).await {
        Ok(answer) => Ok(answer.into_inner().remedy_type),
        Err(status) if status.code() == Code::NotFound => Ok(None),
        Err(status) => Err(status.into()),
    }
}
