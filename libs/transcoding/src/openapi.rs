//! The OpenAPI 3.1 document of contracts: every route, every message they name, and the
//! comments of both as descriptions.

mod comments;
mod schema;

use std::collections::BTreeMap;

use prost_reflect::{Kind, MessageDescriptor};
use serde_json::{Map, Value as Json, json};

use crate::contracts::{Contracts, Route, RouteBody, Rpc};
use crate::request::{EXPECTED_VERSION, REQUEST_ID};
use crate::scalar::{field_at, is_well_known, named};
use comments::Comments;
use schema::Schemas;

/// Deepest message whose fields are query parameters.
const QUERY_DEPTH: usize = 3;
/// What an error's body is.
const STATUS: &str = "google.rpc.Status";

/// What the document says of the whole.
#[derive(Clone, Copy, Debug)]
pub struct Info<'a> {
    /// Its title.
    pub title: &'a str,
    /// Version of the contracts.
    pub version: &'a str,
    /// What the reader must know before the first call.
    pub description: &'a str,
}

/// The document.
pub fn document(contracts: &Contracts, info: &Info<'_>) -> Json {
    let comments = Comments::read(contracts.pool());
    let mut schemas = Schemas::new(&comments);
    let mut paths: BTreeMap<String, Map<String, Json>> = BTreeMap::new();
    let mut tags = BTreeMap::new();
    let mut ways = BTreeMap::new();
    for route in contracts.routes() {
        let rpc = &contracts.rpcs()[route.rpc];
        let service = rpc.descriptor.parent_service();
        tags.entry(service.name().to_owned()).or_insert_with(|| comments.of_service(service));
        let method = route.method.as_str().to_ascii_lowercase();
        let way: &mut usize = ways.entry(route.rpc).or_default();
        *way += 1;
        let operation = operation(rpc, (route, *way), &comments, &mut schemas);
        paths.entry(route.template.openapi()).or_default().insert(method, operation);
    }
    if let Some(status) = contracts.pool().get_message_by_name(STATUS) {
        schemas.message(&status);
    }
    let tags: Vec<_> = tags
        .into_iter()
        .map(|(name, description)| json!({ "name": name, "description": description }))
        .collect();
    json!({
        "openapi": "3.1.0",
        "info": { "title": info.title, "version": info.version, "description": info.description },
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schemas.finish(),
            "responses": { "Error": error() },
            "securitySchemes": { "bearer": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" } },
        },
        "security": [{ "bearer": [] }, {}],
    })
}

fn error() -> Json {
    json!({
        "description": "The call failed: code, sentence and details of google.rpc.Status. Details name a \
                        stable reason (google.rpc.ErrorInfo) and fields at fault (google.rpc.BadRequest).",
        "content": { "application/json": { "schema": { "$ref": format!("#/components/schemas/{STATUS}") } } },
    })
}

/// One way to call an rpc: the first is named as the rpc is, others bear their number.
fn operation(
    rpc: &Rpc,
    (route, way): (&Route, usize),
    comments: &Comments,
    schemas: &mut Schemas<'_>,
) -> Json {
    let method = &rpc.descriptor;
    let service = method.parent_service();
    let number = if way > 1 { format!("_{way}") } else { String::new() };
    let description = comments.of_method(method);
    let summary = description.split_inclusive(". ").next().unwrap_or_default();
    let mut operation = json!({
        "operationId": format!("{}_{}{number}", service.name(), method.name()),
        "tags": [service.name()],
        "summary": summary.lines().collect::<Vec<_>>().join(" ").trim_end_matches(['.', ' ']),
        "description": description,
        "parameters": parameters(rpc, route, schemas),
        "responses": {
            "200": success(rpc, schemas),
            "default": { "$ref": "#/components/responses/Error" },
        },
    });
    let body = match &route.body {
        RouteBody::None => None,
        RouteBody::Whole => {
            let in_path: Vec<&str> = route.template.fields().collect();
            Some(schemas.without(&rpc.input, &in_path))
        }
        RouteBody::Field(name) => named(&rpc.input, name).map(|field| schemas.field(&field)),
    };
    if let (Json::Object(members), Some(schema)) = (&mut operation, body) {
        let content = json!({ "application/json": { "schema": schema } });
        members.insert("requestBody".to_owned(), json!({ "required": true, "content": content }));
    }
    operation
}

fn success(rpc: &Rpc, schemas: &mut Schemas<'_>) -> Json {
    let schema = schemas.message(&rpc.output);
    if !rpc.streams_answers {
        return json!({ "description": "The answer.", "content": { "application/json": { "schema": schema } } });
    }
    json!({
        "description": "One line for each message, `{\"result\": …}`, and a last one, `{\"status\": …}`, which \
                        says whether the stream is whole: code 0. A stream without a last line was cut off. \
                        As text/event-stream the messages are events without a name, and the last is `status`.",
        "content": {
            "application/x-ndjson": {
                "schema": { "oneOf": [
                    { "type": "object", "properties": { "result": schema }, "required": ["result"] },
                    {
                        "type": "object",
                        "properties": { "status": { "$ref": format!("#/components/schemas/{STATUS}") } },
                        "required": ["status"],
                    },
                ] },
            },
            "text/event-stream": { "schema": { "type": "string" } },
        },
    })
}

fn parameters(rpc: &Rpc, route: &Route, schemas: &mut Schemas<'_>) -> Vec<Json> {
    let mut parameters = Vec::new();
    for path in route.template.fields() {
        let Some(field) = field_at(&rpc.input, path) else { continue };
        let name = path.rsplit('.').next().unwrap_or(path);
        let mut schema = schemas.field(&field);
        let is_text = matches!(field.kind(), Kind::String);
        if let (Json::Object(members), true) = (&mut schema, is_text) {
            // An empty segment means another path.
            members.insert("minLength".to_owned(), 1.into());
        }
        parameters.push(json!({ "name": name, "in": "path", "required": true, "schema": schema }));
    }
    if route.body != RouteBody::Whole {
        let taken: Vec<&str> = route.template.fields().collect();
        query(&rpc.input, "", "", &taken, QUERY_DEPTH, schemas, &mut parameters);
    }
    let header = |name: &str, description: &str| json!({ "name": name, "in": "header", "description": description, "schema": { "type": "string" } });
    if rpc.input.get_field_by_name(REQUEST_ID).is_some() {
        parameters.push(header("Idempotency-Key", "The same as the field `requestId`; either is enough."));
    }
    if rpc.input.get_field_by_name(EXPECTED_VERSION).is_some() {
        let mut parameter =
            header("If-Match", "The same as the field `expectedVersion`: a version in quotes.");
        parameter["schema"] = json!({ "type": "string", "pattern": "^(\"?[0-9]{1,18}\"?|\\*)$" });
        parameters.push(parameter);
    }
    parameters
}

/// The fields of a message that a query can have.
fn query(
    message: &MessageDescriptor,
    json_prefix: &str,
    prefix: &str,
    taken: &[&str],
    depth: usize,
    schemas: &mut Schemas<'_>,
    parameters: &mut Vec<Json>,
) {
    for field in message.fields() {
        let (name, path) =
            (format!("{json_prefix}{}", field.json_name()), format!("{prefix}{}", field.name()));
        if field.is_map() || taken.contains(&path.as_str()) {
            continue;
        }
        if let Kind::Message(inner) = field.kind()
            && !is_well_known(&inner)
        {
            if !field.is_list() && depth > 0 {
                query(
                    &inner,
                    &format!("{name}."),
                    &format!("{path}."),
                    taken,
                    depth - 1,
                    schemas,
                    parameters,
                );
            }
            continue;
        }
        let schema = schemas.bare(&field);
        let description = schemas.comment(&field);
        parameters.push(json!({ "name": name, "in": "query", "description": description, "schema": schema }));
    }
}
