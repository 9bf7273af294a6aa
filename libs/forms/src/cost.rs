//! What checking an answer by a schema costs at most, read off the schema before it is
//! kept: what refers to the same part twice checks it twice, and parts that do so in a
//! row double each time.
//!
//! A schema's cost is that of its keywords and of the schemas below it, wherever they
//! stand or are referred to. What is below `properties` is checked once; what is below
//! `items` and the like once for each value of the answer.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

/// Deepest nesting of a schema's JSON.
pub(crate) const MAX_DEPTH: usize = 48;
/// Most that a form may cost: keywords and listed values, with references written out.
pub(crate) const MAX_COST: u64 = 5_000;
/// Most `pattern`s and names of `patternProperties` of a form, and the longest.
pub(crate) const MAX_PATTERNS: usize = 64;
pub(crate) const MAX_PATTERN: usize = 500;
/// Most steps of checking one answer: each keyword for each value it applies to.
const MAX_STEPS: u64 = 1_000_000;
/// Most bytes of texts that patterns and formats look at while one answer is checked.
const MAX_MATCHED_BYTES: u64 = 10_000_000;
/// What is checked in less than about a millisecond.
const LIGHT_STEPS: u64 = 2_000;
const LIGHT_BYTES: u64 = 20_000;

/// Names of formats that are checked, under every draft.
pub(crate) const FORMATS: [&str; 19] = [
    "date",
    "date-time",
    "duration",
    "email",
    "hostname",
    "idn-email",
    "idn-hostname",
    "ipv4",
    "ipv6",
    "iri",
    "iri-reference",
    "json-pointer",
    "regex",
    "relative-json-pointer",
    "time",
    "uri",
    "uri-reference",
    "uri-template",
    "uuid",
];

/// The drafts that are accepted, as `$schema` names them; an empty fragment may follow.
pub(crate) const DRAFTS: [&str; 5] = [
    "http://json-schema.org/draft-04/schema",
    "http://json-schema.org/draft-06/schema",
    "http://json-schema.org/draft-07/schema",
    "https://json-schema.org/draft/2019-09/schema",
    "https://json-schema.org/draft/2020-12/schema",
];

/// What checking costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cost {
    /// Steps for each answer.
    once: u64,
    /// Steps for each value of an answer.
    each: u64,
    /// How often patterns and formats look at a text.
    matched: u64,
}

impl Cost {
    fn and(self, other: Self) -> Self {
        Self {
            once: self.once.saturating_add(other.once),
            each: self.each.saturating_add(other.each),
            matched: self.matched.saturating_add(other.matched),
        }
    }

    /// What it costs where it applies to each of many values.
    fn of_each(self) -> Self {
        Self { once: 0, each: self.once.saturating_add(self.each), matched: self.matched }
    }

    fn twice(self) -> Self {
        self.and(self)
    }

    /// Steps and bytes that an answer of so many values and bytes takes at most.
    fn of(self, values: u64, bytes: u64) -> (u64, u64) {
        let steps = self.once.saturating_add(self.each.saturating_mul(values));
        (steps, self.matched.saturating_mul(bytes))
    }

    /// Whether an answer of so many values and bytes is checked.
    pub(crate) fn allows(self, values: u64, bytes: u64) -> bool {
        let (steps, matched) = self.of(values, bytes);
        steps <= MAX_STEPS && matched <= MAX_MATCHED_BYTES
    }

    /// Whether an answer of so many bytes may take more than a millisecond.
    pub(crate) fn is_heavy(self, bytes: u64) -> bool {
        // No value is shorter than two bytes, with what parts it from the next.
        let (steps, matched) = self.of(bytes / 2, bytes);
        steps > LIGHT_STEPS || matched > LIGHT_BYTES || bytes > LIGHT_BYTES
    }
}

/// What a schema costs, and how many patterns it has; or why it is not accepted.
pub(crate) fn of(schema: &Value) -> Result<(Cost, usize), String> {
    if is_deeper(schema, MAX_DEPTH) {
        return Err(format!("is nested deeper than {MAX_DEPTH}"));
    }
    if let Some(draft) = schema.get("$schema") {
        let known = draft.as_str().is_some_and(|uri| DRAFTS.contains(&uri.strip_suffix('#').unwrap_or(uri)));
        if !known {
            return Err(format!("names the $schema {draft}, which is none of {}", DRAFTS.join(", ")));
        }
    }
    let mut walk = Walk { root: schema, known: HashMap::new(), open: HashSet::new(), patterns: 0 };
    let cost = walk.schema(schema)?;
    let total = cost.once.saturating_add(cost.each);
    if total > MAX_COST {
        return Err(format!("has {total} checks with its references written out; {MAX_COST} are allowed"));
    }
    if walk.patterns > MAX_PATTERNS {
        return Err(format!("has {} patterns; {MAX_PATTERNS} are allowed", walk.patterns));
    }
    Ok((cost, walk.patterns))
}

/// How many values an answer has, itself included.
pub(crate) fn values(answer: &Value) -> u64 {
    1 + match answer {
        Value::Array(values) => values.iter().map(self::values).sum(),
        Value::Object(fields) => fields.values().map(values).sum::<u64>(),
        _ => 0,
    }
}

fn is_deeper(value: &Value, depth: usize) -> bool {
    let Some(rest) = depth.checked_sub(1) else { return value.is_array() || value.is_object() };
    match value {
        Value::Array(values) => values.iter().any(|value| is_deeper(value, rest)),
        Value::Object(fields) => fields.values().any(|value| is_deeper(value, rest)),
        _ => false,
    }
}

struct Walk<'a> {
    root: &'a Value,
    /// What the schemas cost that were seen, by where they lie in memory.
    known: HashMap<*const Value, Cost>,
    /// Those that are being looked at: who meets one of them again refers to itself.
    open: HashSet<*const Value>,
    patterns: usize,
}

/// Keywords with a schema, and with many, for the value itself; some of them refer to
/// each other.
const ONE: [&str; 4] = ["not", "if", "then", "else"];
const MANY: [&str; 4] = ["allOf", "anyOf", "oneOf", "prefixItems"];
/// Keywords with schemas by name, for the value itself or for one below it.
const NAMED: [&str; 3] = ["properties", "dependentSchemas", "dependencies"];
/// Keywords with a schema for each of many values below.
const EACH: [&str; 6] = [
    "additionalItems",
    "additionalProperties",
    "contains",
    "propertyNames",
    "unevaluatedItems",
    "unevaluatedProperties",
];
/// Keywords that are not accepted, and why.
const REFUSED: [(&str, &str); 3] = [
    ("$dynamicRef", "use $ref"),
    ("$recursiveRef", "use $ref"),
    ("$vocabulary", "the drafts' own are known"),
];

impl<'a> Walk<'a> {
    fn schema(&mut self, schema: &'a Value) -> Result<Cost, String> {
        let Value::Object(keywords) = schema else { return Ok(Cost { once: 1, ..Cost::default() }) };
        let place = std::ptr::from_ref(schema);
        if let Some(known) = self.known.get(&place) {
            return Ok(*known);
        }
        if !self.open.insert(place) {
            return Err("refers to itself: what it asks for has no end".to_owned());
        }
        let cost = self.keywords(keywords, schema)?;
        self.open.remove(&place);
        self.known.insert(place, cost);
        Ok(cost)
    }

    fn keywords(&mut self, keywords: &'a Map<String, Value>, schema: &'a Value) -> Result<Cost, String> {
        if let Some((keyword, why)) = REFUSED.iter().find(|(keyword, _)| keywords.contains_key(*keyword)) {
            return Err(format!("has a {keyword}, which is not accepted: {why}"));
        }
        if !std::ptr::eq(schema, self.root) {
            let own = ["$schema", "$id"].into_iter().find(|keyword| keywords.contains_key(*keyword));
            if let Some(keyword) = own {
                return Err(format!("has a {keyword} below its root, which is not accepted"));
            }
        }
        let mut cost = self.own(keywords)?;
        for keyword in ONE {
            cost = cost.and(self.all(keywords.get(keyword))?);
        }
        for keyword in MANY {
            cost = cost.and(self.all(keywords.get(keyword).and_then(Value::as_array).into_iter().flatten())?);
        }
        for keyword in NAMED {
            let named = keywords.get(keyword).and_then(Value::as_object);
            cost = cost.and(self.all(named.into_iter().flat_map(Map::values))?);
        }
        let each = EACH.into_iter().filter_map(|keyword| keywords.get(keyword));
        let named = keywords.get("patternProperties").and_then(Value::as_object);
        let each = self.all(each.chain(named.into_iter().flat_map(Map::values)))?;
        cost = cost.and(each.of_each());
        cost = cost.and(match keywords.get("items") {
            Some(Value::Array(items)) => self.all(items)?,
            items => self.all(items)?.of_each(),
        });
        if let Some(reference) = keywords.get("$ref").and_then(Value::as_str) {
            let target = self.target(reference)?;
            cost = cost.and(self.schema(target)?);
        }
        // What is unevaluated is found by evaluating everything beside it once more.
        let again =
            ["unevaluatedItems", "unevaluatedProperties"].iter().any(|one| keywords.contains_key(*one));
        Ok(if again { cost.twice() } else { cost })
    }

    fn all(&mut self, schemas: impl IntoIterator<Item = &'a Value>) -> Result<Cost, String> {
        let mut cost = Cost::default();
        for schema in schemas {
            cost = cost.and(self.schema(schema)?);
        }
        Ok(cost)
    }

    /// What the keywords themselves cost: one each, and one for each value they list.
    fn own(&mut self, keywords: &Map<String, Value>) -> Result<Cost, String> {
        let listed = ["enum", "required", "type"].into_iter().filter_map(|keyword| keywords.get(keyword));
        let listed: usize = listed.filter_map(Value::as_array).map(Vec::len).sum();
        let names = keywords.get("patternProperties").and_then(Value::as_object);
        let patterns: Vec<&str> = keywords
            .get("pattern")
            .and_then(Value::as_str)
            .into_iter()
            .chain(names.into_iter().flat_map(Map::keys).map(String::as_str))
            .collect();
        if patterns.iter().any(|pattern| pattern.chars().count() > MAX_PATTERN) {
            return Err(format!("has a pattern of more than {MAX_PATTERN} characters"));
        }
        self.patterns += patterns.len();
        let format = keywords.get("format").and_then(Value::as_str);
        if let Some(unknown) = format.filter(|format| !FORMATS.contains(format)) {
            return Err(format!("has the format {unknown:?}, which is none of {}", FORMATS.join(", ")));
        }
        let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        Ok(Cost {
            once: count(keywords.len() + listed),
            each: 0,
            matched: count(patterns.len() + usize::from(format.is_some())),
        })
    }

    /// What a reference leads to, within the schema.
    fn target(&self, reference: &str) -> Result<&'a Value, String> {
        let elsewhere = || format!("has the $ref {reference:?}, which leads to nothing within the schema");
        let fragment = reference.strip_prefix('#').ok_or_else(elsewhere)?;
        let fragment = decoded(fragment).ok_or_else(elsewhere)?;
        if fragment.is_empty() || fragment.starts_with('/') {
            return self.root.pointer(&fragment).ok_or_else(elsewhere);
        }
        anchored(self.root, &fragment).ok_or_else(elsewhere)
    }
}

/// The part of a schema with an anchor; in draft 4 to 7 an id of nothing but a fragment.
fn anchored<'a>(value: &'a Value, anchor: &str) -> Option<&'a Value> {
    let is_named = |keyword: &str| value.get(keyword).and_then(Value::as_str);
    let named = ["$anchor", "$dynamicAnchor"].into_iter().filter_map(is_named);
    let old = ["id", "$id"].into_iter().filter_map(is_named).filter_map(|id| id.strip_prefix('#'));
    if named.chain(old).any(|name| name == anchor) {
        return Some(value);
    }
    match value {
        Value::Array(values) => values.iter().find_map(|value| anchored(value, anchor)),
        Value::Object(fields) => fields.values().find_map(|value| anchored(value, anchor)),
        _ => None,
    }
}

/// A fragment without its percent signs.
fn decoded(fragment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(fragment.len());
    let mut rest = fragment.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(schema: &Value) -> String {
        of(schema).expect_err("it is refused")
    }

    /// Each part refers to the next twice: 2^count checks.
    fn doubling(keyword: &str, count: usize) -> Value {
        let mut parts = Map::new();
        for at in 0..count {
            let next = json!({ "$ref": format!("#/$defs/{}", at + 1) });
            parts.insert(at.to_string(), json!({ keyword: [next, next] }));
        }
        parts.insert(count.to_string(), json!({ "type": "string" }));
        json!({ "type": "object", "properties": { "a": { "$ref": "#/$defs/0" } }, "$defs": parts })
    }

    #[test]
    fn parts_that_refer_to_each_other_are_counted_as_often_as_they_are_checked() {
        for keyword in ["allOf", "anyOf", "oneOf", "prefixItems"] {
            assert!(of(&doubling(keyword, 6)).is_ok(), "{keyword}");
            assert!(refused(&doubling(keyword, 60)).contains("checks with its references"), "{keyword}");
        }
        let (one, _) = of(&doubling("allOf", 1)).expect("cheap");
        let (two, _) = of(&doubling("allOf", 2)).expect("cheap");
        assert!(two.once > one.once + 4, "{one:?} {two:?}");
    }

    #[test]
    fn what_has_no_end_is_refused() {
        for schema in [
            json!({ "$ref": "#" }),
            json!({ "properties": { "a": { "$ref": "#" } } }),
            json!({ "items": { "$ref": "#/$defs/a" }, "$defs": { "a": { "not": { "$ref": "#/$defs/a" } } } }),
            json!({ "allOf": [{ "$ref": "#x" }], "$defs": { "a": { "$anchor": "x", "anyOf": [{ "$ref": "#x" }] } } }),
            json!({ "dependencies": { "a": { "$ref": "#/dependencies/a" } } }),
        ] {
            assert!(refused(&schema).contains("refers to itself"), "{schema}");
        }
    }

    #[test]
    fn what_leads_elsewhere_is_refused_by_name() {
        for (schema, why) in [
            (json!({ "$ref": "https://example.org/x" }), "\"https://example.org/x\""),
            (json!({ "$ref": "#/$defs/none" }), "leads to nothing"),
            (json!({ "$ref": "#none" }), "leads to nothing"),
            (json!({ "$ref": "#/%zz" }), "leads to nothing"),
            (json!({ "$dynamicRef": "#x" }), "$dynamicRef"),
            (json!({ "$recursiveRef": "#" }), "$recursiveRef"),
            (json!({ "properties": { "a": { "$id": "b" } } }), "$id below its root"),
            (json!({ "properties": { "a": { "$schema": DRAFTS[0] } } }), "$schema below its root"),
            (json!({ "$schema": "https://example.org/draft-99" }), "\"https://example.org/draft-99\""),
            (json!({ "$schema": 4 }), "names the $schema 4"),
            (json!({ "properties": { "a": { "format": "phone" } } }), "the format \"phone\""),
            (json!({ "pattern": "a".repeat(MAX_PATTERN + 1) }), "500 characters"),
        ] {
            assert!(refused(&schema).contains(why), "{schema}: {}", refused(&schema));
        }
        // Named as keywords are, and none.
        assert!(
            of(&json!({ "properties": { "$id": {}, "$ref": { "type": "string" }, "format": {} } })).is_ok()
        );
        let escaped = json!({ "$ref": "#/$defs/a%20b~1c", "$defs": { "a b/c": { "type": "object" } } });
        assert!(of(&escaped).is_ok());
    }

    #[test]
    fn size_and_depth_are_bounded() {
        let mut deep = json!({});
        for _ in 0..MAX_DEPTH {
            deep = json!({ "not": deep });
        }
        assert!(refused(&deep).contains("nested deeper"));
        let wide: Map<String, Value> =
            (0..MAX_COST).map(|at| (at.to_string(), json!({ "type": "string" }))).collect();
        assert!(refused(&json!({ "properties": wide })).contains("are allowed"));
        let listed: Vec<u64> = (0..MAX_COST).collect();
        assert!(refused(&json!({ "enum": listed })).contains("are allowed"));
        let patterns: Map<String, Value> =
            (0..=MAX_PATTERNS).map(|at| (at.to_string(), json!({ "pattern": "a" }))).collect();
        assert!(refused(&json!({ "properties": patterns })).contains("65 patterns"));
    }

    #[test]
    fn lists_cost_for_each_of_their_values() {
        let (cost, _) = of(&json!({ "items": { "allOf": [{ "pattern": "a" }] } })).expect("cheap");
        assert_eq!(cost, Cost { once: 1, each: 2, matched: 1 });
        assert!(
            cost.allows(1_000, 10_000)
                && !cost.allows(MAX_STEPS, 1)
                && !cost.allows(1, MAX_MATCHED_BYTES + 1)
        );
        assert!(!cost.is_heavy(100) && cost.is_heavy(100_000));
        assert_eq!(values(&json!({ "a": [1, { "b": null }], "c": "d" })), 6);
    }
}
