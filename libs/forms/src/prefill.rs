//! Fields that are filled in before anybody is asked, with what is known already.

use serde_json::{Map, Value};

use super::{Form, is_filled};

/// Where a property states by what it may be filled in.
const PREFILL: &str = "x-prefill";
/// Most sources of one field.
const MAX_SOURCES: usize = 10;
/// Longest name of a source.
const MAX_SOURCE: usize = 100;

/// A field that may be filled in beforehand.
#[derive(Debug)]
pub(super) struct Prefill {
    path: Vec<String>,
    /// Names of what it may be filled in with: the first that is known.
    sources: Vec<String>,
    /// Whether it takes a number.
    is_number: bool,
}

impl Prefill {
    /// That of a property; none where it states nothing.
    pub(super) fn of(path: &[String], property: &Value) -> Result<Option<Self>, String> {
        let Some(stated) = property.get(PREFILL) else { return Ok(None) };
        let names = match stated {
            Value::Array(names) => names.as_slice(),
            one => std::slice::from_ref(one),
        };
        let is_name = |name: &&str| !name.is_empty() && name.len() <= MAX_SOURCE;
        let sources: Option<Vec<String>> =
            names.iter().map(|name| name.as_str().filter(is_name).map(str::to_owned)).collect();
        let sources = sources.filter(|sources| (1..=MAX_SOURCES).contains(&sources.len()));
        let Some(sources) = sources else {
            let at = path.join(".");
            return Err(format!("{at}: {PREFILL} must be a name, or a list of 1 to {MAX_SOURCES} names"));
        };
        let takes = |kind: &Value| matches!(kind.as_str(), Some("number" | "integer"));
        let is_number = match property.get("type") {
            Some(Value::Array(kinds)) => kinds.iter().any(takes),
            Some(kind) => takes(kind),
            None => false,
        };
        Ok(Some(Self { path: path.to_vec(), sources, is_number }))
    }

    /// What it is filled in with.
    fn value(&self, known: &impl Fn(&str) -> Option<String>) -> Option<Value> {
        let text = self.sources.iter().filter_map(|name| known(name)).find(|text| !text.trim().is_empty())?;
        if !self.is_number {
            return Some(Value::String(text));
        }
        serde_json::from_str(&text).ok().filter(|value: &Value| value.is_number() && crate::is_exact(value))
    }
}

impl Form {
    /// Names of all that its fields may be filled in with.
    pub fn sources(&self) -> impl Iterator<Item = &str> {
        self.prefills.iter().flat_map(|prefill| &prefill.sources).map(String::as_str)
    }

    /// Fills into an answer what is known and not filled in yet; answers the paths of what it
    /// filled in. A value that the form would refuse is left out: nobody is shown as wrong what
    /// they did not write.
    pub fn prefill(&self, answer: &mut Value, known: impl Fn(&str) -> Option<String>) -> Vec<String> {
        let mut filled: Vec<&Prefill> = Vec::new();
        for prefill in &self.prefills {
            let value = prefill.value(&known).filter(|_| !is_filled(answer, &prefill.path));
            if value.is_some_and(|value| put(answer, &prefill.path, value)) {
                filled.push(prefill);
            }
        }
        if filled.is_empty() {
            return Vec::new();
        }
        let wrong: Vec<String> = self.violations(answer).into_iter().map(|one| one.field).collect();
        filled.retain(|prefill| {
            let is_right = !wrong.contains(&prefill.path.join("."));
            if !is_right {
                take_out(answer, &prefill.path);
            }
            is_right
        });
        filled.into_iter().map(|prefill| prefill.path.join(".")).collect()
    }
}

/// Puts a value at a path; false where something else than an object is in its way.
fn put(answer: &mut Value, path: &[String], value: Value) -> bool {
    let Some((last, above)) = path.split_last() else { return false };
    let mut place = answer;
    for name in above {
        let Value::Object(fields) = place else { return false };
        place = fields.entry(name.clone()).or_insert_with(|| Value::Object(Map::new()));
    }
    let Value::Object(fields) = place else { return false };
    fields.insert(last.clone(), value);
    true
}

/// Takes out what stands at a path, and what holds nothing else.
fn take_out(answer: &mut Value, path: &[String]) {
    let (Some((first, below)), Value::Object(fields)) = (path.split_first(), answer) else { return };
    if below.is_empty() {
        fields.remove(first);
    } else if let Some(within) = fields.get_mut(first) {
        take_out(within, below);
        if within.as_object().is_some_and(Map::is_empty) {
            fields.remove(first);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn form() -> Form {
        let schema = json!({
            "type": "object",
            "properties": {
                "mail": { "type": "string", "format": "email", "x-prefill": ["customer.email", "customer.phone"] },
                "days": { "type": "integer", "x-prefill": "product.warranty_days" },
                "parcel": {
                    "type": "object",
                    "properties": { "order": { "type": "string", "x-prefill": "order.order_ref" } },
                },
                "remark": { "type": "string" },
            },
        });
        Form::read(&schema.to_string()).expect("a form")
    }

    fn filled(mut answer: Value, known: &[(&str, &str)]) -> (Value, Vec<String>) {
        let of = |name: &str| known.iter().find(|(one, _)| *one == name).map(|(_, text)| (*text).to_owned());
        let paths = form().prefill(&mut answer, of);
        (answer, paths)
    }

    #[test]
    fn what_is_known_is_filled_in_where_nothing_is() {
        let known =
            [("customer.email", "a@b.example"), ("product.warranty_days", "730"), ("order.order_ref", "7")];
        let (answer, paths) = filled(json!({"remark": "x", "days": 1}), &known);
        assert_eq!(
            answer,
            json!({"remark": "x", "days": 1, "mail": "a@b.example", "parcel": {"order": "7"}})
        );
        assert_eq!(paths, ["mail", "parcel.order"], "what somebody wrote stays");
        assert_eq!(filled(json!({}), &known).0["days"], json!(730), "a number where one is asked for");
        assert_eq!(form().sources().count(), 4);
    }

    #[test]
    fn what_the_form_would_refuse_is_left_out() {
        let (answer, paths) =
            filled(json!({}), &[("customer.phone", "12"), ("product.warranty_days", "two years")]);
        assert_eq!((answer, paths), (json!({}), vec![]), "a telephone is no address");
        let (answer, paths) = filled(json!({"parcel": 3}), &[("order.order_ref", "7")]);
        assert_eq!((answer, paths), (json!({"parcel": 3}), vec![]), "something is in its way");
    }

    #[test]
    fn a_source_is_a_name() {
        for wrong in [json!(3), json!([]), json!([""]), json!(vec!["a"; 11]), json!({})] {
            let schema = json!({"type": "object", "properties": {"a": {"x-prefill": wrong}}});
            let refused = Form::read(&schema.to_string()).expect_err("no name");
            assert_eq!(refused, "a: x-prefill must be a name, or a list of 1 to 10 names");
        }
    }
}
