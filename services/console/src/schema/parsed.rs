//! A JSON Schema read as controls.

use std::collections::HashSet;

use serde_json::Value;

use super::node::Node;
use super::{Choice, Field, Item, Kind, Number, PREFIX};
use crate::words::Words;

/// Most controls of a form.
const FIELDS_MAX: usize = 200;
/// How deep what belongs together may be nested on a page.
const DEPTH_MAX: usize = 4;
/// Most references followed one after the other.
const REFERENCES_MAX: usize = 8;
/// Most choices of a control.
const CHOICES_MAX: usize = 500;
/// Most choices that are all seen at once.
const FEW: usize = 5;
/// Longest text of one line, where the form does not say.
const LINE_MAX: usize = 300;
/// Longest text of several lines, where the form does not say.
const TEXT_MAX: usize = 10_000;
/// From this length on a text has several lines.
const LONG: usize = 200;

/// The controls of a form; none where its schema says nothing that a page can show.
pub(crate) fn items(schema: &str, t: Words) -> Vec<Item> {
    let Ok(root) = serde_json::from_str::<Node>(schema) else { return Vec::new() };
    let mut reader = Reader { root: &root, t, items: Vec::new(), fields: 0 };
    reader.object(&root, &[], 0, true);
    reader.items
}

struct Reader<'a> {
    root: &'a Node,
    t: Words,
    items: Vec<Item>,
    fields: usize,
}

impl<'a> Reader<'a> {
    /// What a schema stands for, where it refers to another.
    fn resolved(&self, schema: &'a Node) -> &'a Node {
        let mut schema = schema;
        for _ in 0..REFERENCES_MAX {
            let reference = schema.get("$ref").and_then(Node::as_str);
            let Some(pointer) = reference.and_then(|reference| reference.strip_prefix('#')) else { break };
            let Some(target) = self.root.pointer(pointer) else { break };
            schema = target;
        }
        schema
    }

    /// The properties of an object, those of its parts and branches among them, each once; and
    /// which must be there whatever else is.
    fn properties(
        &self,
        schema: &'a Node,
        required: &mut HashSet<&'a str>,
        found: &mut Vec<(&'a str, &'a Node)>,
        depth: usize,
    ) {
        let schema = self.resolved(schema);
        for name in schema.list("required").filter_map(Node::as_str) {
            required.insert(name);
        }
        for (name, property) in schema.members(Some("properties")) {
            if !found.iter().any(|(known, _)| *known == name) {
                found.push((name, property));
            }
        }
        if depth >= DEPTH_MAX {
            return;
        }
        for part in schema.list("allOf") {
            self.properties(part, required, found, depth + 1);
        }
        // What only one branch asks for is asked, and nobody has to answer.
        let branches = ["anyOf", "oneOf"].into_iter().flat_map(|keyword| schema.list(keyword));
        let branches = branches.chain(["then", "else"].into_iter().filter_map(|keyword| schema.get(keyword)));
        let branches = branches.chain(schema.members(Some("dependentSchemas")).map(|(_, branch)| branch));
        for branch in branches {
            self.properties(branch, &mut HashSet::new(), found, depth + 1);
        }
    }

    /// `is_needed` is whether all that is around it must be there.
    fn object(&mut self, schema: &'a Node, path: &[String], depth: usize, is_needed: bool) {
        let (mut required, mut found) = (HashSet::new(), Vec::new());
        self.properties(schema, &mut required, &mut found, 0);
        for (name, property) in found {
            if self.fields >= FIELDS_MAX {
                return;
            }
            let path = [path, &[name.to_owned()]].concat();
            self.property(property, path, is_needed && required.contains(name), depth);
        }
    }

    fn property(&mut self, property: &'a Node, path: Vec<String>, is_required: bool, depth: usize) {
        let schema = self.resolved(property);
        let text = |keyword: &str| {
            let own = property.get(keyword).or_else(|| schema.get(keyword));
            own.and_then(Node::as_str).unwrap_or_default().to_owned()
        };
        let label = match text("title") {
            title if title.is_empty() => spelt(path.last().map_or("", String::as_str)),
            title => title,
        };
        if kind(schema) == "object" {
            if depth < DEPTH_MAX {
                self.items.push(Item::Open { legend: label, help: text("description") });
                self.object(schema, &path, depth + 1, is_required);
                self.items.push(Item::Close);
            }
            return;
        }
        let Some(kind) = self.control(schema) else { return };
        self.fields += 1;
        self.items.push(Item::Field(Field {
            name: format!("{PREFIX}{}", path.join(".")),
            id: format!("f{}", self.fields),
            path,
            label,
            help: text("description"),
            autocomplete: "",
            is_required,
            kind,
            values: Vec::new(),
            error: String::new(),
        }));
    }

    fn control(&self, schema: &'a Node) -> Option<Kind> {
        if let Some(choices) = choices(schema) {
            return Some(if choices.len() > FEW { Kind::OneOfMany(choices) } else { Kind::One(choices) });
        }
        let max = |otherwise: usize| {
            let told = schema.get("maxLength").and_then(Node::leaf).and_then(Value::as_u64);
            told.and_then(|max| usize::try_from(max).ok()).unwrap_or(otherwise).min(TEXT_MAX)
        };
        Some(match kind(schema) {
            "boolean" => Kind::One(vec![truth(self.t.yes(), true), truth(self.t.no(), false)]),
            "integer" => Kind::Line { kind: "text", max: 30, number: Some(Number::Whole) },
            "number" => Kind::Line { kind: "text", max: 30, number: Some(Number::Any) },
            "array" => {
                let of = self.resolved(schema.get("items")?);
                match choices(of) {
                    Some(choices) => Kind::Several(choices),
                    None if kind(of) == "string" => Kind::Lines { max: TEXT_MAX, is_list: true },
                    None => return None,
                }
            }
            _ => {
                let format = schema.get("format").and_then(Node::as_str).unwrap_or_default();
                let kind = line(format);
                if kind == "text" && format.is_empty() && max(0) >= LONG {
                    Kind::Lines { max: max(TEXT_MAX), is_list: false }
                } else {
                    Kind::Line { kind, max: max(LINE_MAX), number: None }
                }
            }
        })
    }
}

/// The type of a schema; where it names several, the first that is something.
fn kind(schema: &Node) -> &str {
    let named = match schema.get("type") {
        Some(Node::List(kinds)) => kinds.iter().filter_map(Node::as_str).find(|kind| *kind != "null"),
        other => other.and_then(Node::as_str),
    };
    let guessed = || if schema.get("properties").is_some() { "object" } else { "string" };
    named.unwrap_or_else(guessed)
}

/// As HTML has the types of lines.
fn line(format: &str) -> &'static str {
    match format {
        "date" => "date",
        "email" | "idn-email" => "email",
        "uri" | "iri" => "url",
        _ => "text",
    }
}

/// What can be chosen, where a schema lists all there is.
fn choices(schema: &Node) -> Option<Vec<Choice>> {
    let listed: Vec<Choice> = if schema.get("enum").is_some() {
        let values = schema.list("enum").filter_map(Node::leaf).filter(|value| !value.is_null());
        values.map(|value| choice(value, None)).collect()
    } else {
        let each = schema.list("oneOf").map(|one| Some(choice(one.get("const")?.leaf()?, one.get("title"))));
        each.collect::<Option<_>>()?
    };
    (!listed.is_empty() && listed.len() <= CHOICES_MAX).then_some(listed)
}

fn choice(json: &Value, title: Option<&Node>) -> Choice {
    let value = shown(json);
    let label = title.and_then(Node::as_str).map_or_else(|| value.clone(), str::to_owned);
    Choice { value, label, json: json.clone() }
}

fn truth(label: &str, json: bool) -> Choice {
    Choice { value: json.to_string(), label: label.to_owned(), json: Value::Bool(json) }
}

/// A value as a control has it.
pub(super) fn shown(json: &Value) -> String {
    json.as_str().map_or_else(|| json.to_string(), str::to_owned)
}

/// A name as people write it: `orderRef` and `order_ref` are `Order ref`.
fn spelt(name: &str) -> String {
    let mut spelt = String::new();
    for c in name.chars() {
        if matches!(c, '_' | '-' | '.') {
            spelt.push(' ');
        } else if c.is_ascii_uppercase() && spelt.ends_with(|before: char| before.is_ascii_lowercase()) {
            spelt.push(' ');
            spelt.extend(c.to_lowercase());
        } else if spelt.is_empty() {
            spelt.extend(c.to_uppercase());
        } else {
            spelt.push(c);
        }
    }
    spelt
}
