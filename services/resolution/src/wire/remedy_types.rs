//! Types of remedy of a tenant's own: what is asked about them, and how they are shown.

use std::time::Duration;

use fault::{Check, Fault};
use jiff::Timestamp;
use kernel::page::Page;
use proto::redress::resolution::v1;
use proto::timestamp;

use super::deliveries::duration;
use super::{INVALID_REQUEST, MAX_NAME, MAX_TEXT, note};
use crate::remedy_type::{MAX_ATTEMPT, MIN_ATTEMPT, ReadType, RemedyType, USUAL_ATTEMPT};

/// Longest schema.
const MAX_SCHEMA: usize = 50_000;

/// A type, and the version of it that the caller has seen.
pub(crate) struct TypeTarget {
    pub(crate) type_id: String,
    pub(crate) seen: Option<i64>,
}

/// Types, page by page.
pub(crate) struct TypeQuery {
    pub(crate) page: Page,
    pub(crate) after: String,
}

/// Reads a type, and its schemas: that takes milliseconds.
pub(crate) fn setting(
    request: v1::SetRemedyTypeRequest,
    creator: String,
) -> Result<(RemedyType, Option<i64>), Fault> {
    let v1::SetRemedyTypeRequest { request_id, expected_version, remedy_type } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    check.ensure(remedy_type.is_some(), "remedy_type", "is required");
    let mut read = remedy_type.map(|given| definition(&mut check, given)).unwrap_or_default();
    if !read.input_schema.is_empty() && !read.result_schema.is_empty() {
        let flaws = ReadType::read(read.clone()).err().unwrap_or_default();
        note(&mut check, "remedy_type.", flaws);
    }
    check.done("INVALID_REMEDY_TYPE")?;
    read.creator = creator;
    Ok((read, expected_version))
}

fn definition(check: &mut Check, given: v1::RemedyType) -> RemedyType {
    let v1::RemedyType {
        type_id,
        version: _, // output only
        title,
        department_id,
        input_schema,
        result_schema,
        moves_value,
        attempt_duration,
        undo_instructions,
        creator: _,      // output only
        create_time: _,  // output only
        disable_time: _, // output only
    } = given;
    let undo = check.text("remedy_type.undo_instructions", undo_instructions, MAX_TEXT);
    RemedyType {
        type_id: check.slug("remedy_type.type_id", type_id),
        version: 0,
        title: check.required("remedy_type.title", title, MAX_NAME),
        department_id: check.optional_slug("remedy_type.department_id", department_id),
        input_schema: check.required("remedy_type.input_schema", input_schema, MAX_SCHEMA),
        result_schema: check.required("remedy_type.result_schema", result_schema, MAX_SCHEMA),
        moves_value,
        attempt: attempt(check, attempt_duration),
        undo_instructions: (!undo.trim().is_empty()).then_some(undo),
        creator: String::new(),
        created_at: Timestamp::UNIX_EPOCH,
        disabled_at: None,
    }
}

fn attempt(check: &mut Check, given: Option<prost_types::Duration>) -> Duration {
    let Some(given) = given else { return USUAL_ATTEMPT };
    let is_whole = given.nanos == 0;
    let read = proto::duration(&given).filter(|length| (MIN_ATTEMPT..=MAX_ATTEMPT).contains(length));
    let fits = is_whole && read.is_some();
    check.ensure(fits, "remedy_type.attempt_duration", "must be 1 min to 30 d in whole seconds");
    read.unwrap_or(USUAL_ATTEMPT)
}

pub(crate) fn reading(request: v1::GetRemedyTypeRequest) -> Result<(String, i64), Fault> {
    let v1::GetRemedyTypeRequest { type_id, version } = request;
    let mut check = Check::new();
    let type_id = check.slug("type_id", type_id);
    check.ensure(version >= 0, "version", "must not be negative");
    check.done(INVALID_REQUEST)?;
    Ok((type_id, version))
}

pub(crate) fn listing(request: v1::ListRemedyTypesRequest) -> Result<TypeQuery, Fault> {
    let v1::ListRemedyTypesRequest { page_size, page_token } = request;
    let mut check = Check::new();
    let page = check.page(page_size, &page_token, "");
    check.done(INVALID_REQUEST)?;
    let after = page.after.clone().unwrap_or_default();
    Ok(TypeQuery { page, after })
}

pub(crate) fn disabling(request: v1::DisableRemedyTypeRequest) -> Result<TypeTarget, Fault> {
    let v1::DisableRemedyTypeRequest { request_id, type_id, expected_version } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let type_id = check.slug("type_id", type_id);
    check.done(INVALID_REQUEST)?;
    Ok(TypeTarget { type_id, seen: expected_version })
}

/// A type as it is shown.
pub(crate) fn remedy_type(kept: &RemedyType) -> v1::RemedyType {
    v1::RemedyType {
        type_id: kept.type_id.clone(),
        version: kept.version,
        title: kept.title.clone(),
        department_id: kept.department_id.clone().unwrap_or_default(),
        input_schema: kept.input_schema.clone(),
        result_schema: kept.result_schema.clone(),
        moves_value: kept.moves_value,
        attempt_duration: Some(duration(kept.attempt)),
        undo_instructions: kept.undo_instructions.clone().unwrap_or_default(),
        creator: kept.creator.clone(),
        create_time: Some(timestamp(kept.created_at)),
        disable_time: kept.disabled_at.map(timestamp),
    }
}
