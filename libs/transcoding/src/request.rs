//! The request of an rpc, from what HTTP brings: path, query, headers and body.

use percent_encoding::percent_decode_str;
use prost_reflect::{DynamicMessage, FieldDescriptor, MessageDescriptor, ReflectMessage as _, Value};

use crate::contracts::{Route, RouteBody};
use crate::json::{field_value, message};
use crate::limits::{MAX_PATH_BYTES, MAX_QUERY_PARAMETERS};
use crate::node::parse;
use crate::scalar::{field_at, from_text, named};
use crate::violation::{BODY, Refused, Violations};

/// The field that `Idempotency-Key` is.
pub(crate) const REQUEST_ID: &str = "request_id";
/// The field that `If-Match` is.
pub(crate) const EXPECTED_VERSION: &str = "expected_version";
/// What is at fault where no parameter is, but the query.
const QUERY: &str = "query";
const IDEMPOTENCY_KEY: &str = "Idempotency-Key";
const IF_MATCH: &str = "If-Match";

/// What HTTP brings for a call.
#[derive(Clone, Debug, Default)]
pub struct HttpCall<'a> {
    /// The values of the route's variables, as [`crate::Found::Route`] has them.
    pub variables: &'a [Result<String, ()>],
    /// The query, as it was sent.
    pub query: &'a str,
    /// The body; nothing is the same as `{}`.
    pub body: &'a [u8],
    /// The header `Idempotency-Key`.
    pub idempotency_key: Option<&'a str>,
    /// The header `If-Match`.
    pub if_match: Option<&'a str>,
}

/// The request that a call by a route asks with.
///
/// # Errors
///
/// Fails with everything that is wrong with it; a body that is no JSON or too much fails
/// before anything else.
pub fn bind(
    input: &MessageDescriptor,
    route: &Route,
    asked: &HttpCall<'_>,
) -> Result<DynamicMessage, Refused> {
    let mut violations = Violations::default();
    let mut request = body(input, route, asked.body, &mut violations)?;
    query(&mut request, route, asked.query, &mut violations);
    for (field, value) in route.template.fields().zip(asked.variables) {
        match value {
            Ok(text) => set(&mut request, field, text, &Place::Path, &mut violations),
            Err(()) => violations.note(field, "is no UTF-8 in the path"),
        }
    }
    headers(&mut request, asked, &mut violations);
    violations.check()?;
    Ok(request)
}

/// The headers that are fields, for a request which came whole: by Connect.
///
/// # Errors
///
/// Fails where a header cannot be read, contradicts the request, or has no field in it.
pub fn bind_headers(mut request: DynamicMessage, asked: &HttpCall<'_>) -> Result<DynamicMessage, Refused> {
    let mut violations = Violations::default();
    headers(&mut request, asked, &mut violations);
    violations.check()?;
    Ok(request)
}

fn body(
    input: &MessageDescriptor,
    route: &Route,
    body: &[u8],
    violations: &mut Violations,
) -> Result<DynamicMessage, Refused> {
    let empty = DynamicMessage::new(input.clone());
    if body.is_empty() {
        return Ok(empty);
    }
    match &route.body {
        RouteBody::None => {
            violations.note(BODY, "a call with this method and path has none");
            Ok(empty)
        }
        RouteBody::Whole => Ok(message(input, &parse(body)?, "", violations)),
        RouteBody::Field(name) => {
            let mut request = empty;
            if let Some(field) = named(input, name)
                && let Some(value) = field_value(&field, &parse(body)?, name, violations)
            {
                request.set_field(&field, value);
            }
            Ok(request)
        }
    }
}

fn query(request: &mut DynamicMessage, route: &Route, query: &str, violations: &mut Violations) {
    if query.len() > MAX_PATH_BYTES {
        violations.note(QUERY, format!("is longer than {MAX_PATH_BYTES} bytes"));
        return;
    }
    let mut seen = Vec::new();
    for (at, part) in query.split('&').filter(|part| !part.is_empty()).enumerate() {
        if at == MAX_QUERY_PARAMETERS {
            violations.note(QUERY, format!("has more than {MAX_QUERY_PARAMETERS} parameters"));
            return;
        }
        let Some((name, text)) = form_urlencoded::parse(part.as_bytes()).next() else { continue };
        let name = if name.is_empty() { QUERY.into() } else { name };
        // It would be read as other text than was sent.
        if percent_decode_str(part).decode_utf8().is_err() {
            violations.note(name, "is no UTF-8 in the query");
            continue;
        }
        if route.body == RouteBody::Whole {
            violations.note(name, "has no place in the query: everything is in the path or the body");
            continue;
        }
        let Some(field) = field_at(&request.descriptor(), &name) else {
            violations.note(name, "there is no such field, so there is no such query parameter");
            continue;
        };
        let path = contract_path(&request.descriptor(), &name);
        let is_placed = route.template.fields().any(|variable| variable == path)
            || matches!(&route.body, RouteBody::Field(body) if path.split('.').next() == Some(body));
        if is_placed {
            violations.note(path, "has no place in the query: it is in the path or the body");
        } else if field.is_list() {
            push(request, &path, &field, &text, violations);
        } else if seen.contains(&path) {
            violations.note(path, "is there twice");
        } else {
            set(request, &path, &text, &Place::Query, violations);
            seen.push(path);
        }
    }
}

/// A path of a query as the contract names its fields.
fn contract_path(message: &MessageDescriptor, path: &str) -> String {
    let mut message = Some(message.clone());
    let names = path.split('.').map(|name| {
        let field = message.as_ref().and_then(|message| named(message, name));
        message = field.as_ref().and_then(|field| field.kind().as_message().cloned());
        field.map_or_else(|| name.to_owned(), |field| field.name().to_owned())
    });
    names.collect::<Vec<_>>().join(".")
}

fn headers(request: &mut DynamicMessage, asked: &HttpCall<'_>, violations: &mut Violations) {
    // Reads have no such field, and need none: what is only read may be asked again.
    if let Some(key) = asked.idempotency_key
        && request.descriptor().get_field_by_name(REQUEST_ID).is_some()
    {
        set(request, REQUEST_ID, key, &Place::Header(IDEMPOTENCY_KEY), violations);
    }
    // Any version is meant: what is not there is refused as it is.
    let Some(tag) = asked.if_match.map(str::trim).filter(|tag| *tag != "*") else { return };
    if request.descriptor().get_field_by_name(EXPECTED_VERSION).is_none() {
        violations.note(IF_MATCH, "this call has no expected_version to compare");
        return;
    }
    let version = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).unwrap_or(tag);
    if version.parse::<i64>().is_err() {
        violations.note(IF_MATCH, "must be one version, such as \"3\"");
        return;
    }
    set(request, EXPECTED_VERSION, version, &Place::Header(IF_MATCH), violations);
}

/// Where a value was, beside the body.
enum Place {
    Path,
    Query,
    Header(&'static str),
}

impl Place {
    fn contradiction(&self) -> String {
        match self {
            Self::Path => "is something else in the path".to_owned(),
            Self::Query => "is something else in the query".to_owned(),
            Self::Header(name) => format!("is something else in the header {name}"),
        }
    }
}

fn set(request: &mut DynamicMessage, path: &str, text: &str, place: &Place, violations: &mut Violations) {
    let field = field_at(&request.descriptor(), path);
    let Some(field) = field.filter(|field| !field.is_list() && !field.is_map()) else {
        violations.note(path, "is no single value");
        return;
    };
    let value = match from_text(&field.kind(), text) {
        Ok(value) => value,
        Err(wrong) => return violations.note(path, wrong),
    };
    let Some(holder) = holder(request, path) else { return violations.note(path, "is no single value") };
    if holder.has_field(&field) && *holder.get_field(&field) != value {
        return violations.note(path, place.contradiction());
    }
    let oneof = field.containing_oneof().filter(|oneof| !oneof.is_synthetic());
    let is_other = |other: &FieldDescriptor| *other != field && holder.has_field(other);
    if oneof.is_some_and(|oneof| oneof.fields().any(|other| is_other(&other))) {
        return violations.note(path, "excludes another field that is there too");
    }
    holder.set_field(&field, value);
}

fn push(
    request: &mut DynamicMessage,
    path: &str,
    field: &FieldDescriptor,
    text: &str,
    violations: &mut Violations,
) {
    match from_text(&field.kind(), text) {
        Err(wrong) => violations.note(path, wrong),
        Ok(value) => {
            if let Some(holder) = holder(request, path)
                && let Value::List(list) = holder.get_field_mut(field)
            {
                list.push(value);
            }
        }
    }
}

/// The message that has the last field of a path.
fn holder<'a>(request: &'a mut DynamicMessage, path: &str) -> Option<&'a mut DynamicMessage> {
    let mut holder = request;
    let Some((above, _)) = path.rsplit_once('.') else { return Some(holder) };
    for name in above.split('.') {
        let field = named(&holder.descriptor(), name)?;
        holder = holder.get_field_mut(&field).as_message_mut()?;
    }
    Some(holder)
}
