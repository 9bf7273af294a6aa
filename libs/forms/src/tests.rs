//! Forms: what is told of an answer, and what is no form.

use serde_json::json;

use super::*;

fn form() -> Form {
    let schema = json!({
        "type": "object",
        "required": ["order"],
        "additionalProperties": false,
        "properties": {
            "order": { "type": "string", "pattern": "^[0-9]{6}$", "x-weight": 3 },
            "when": { "type": "string", "format": "date" },
            "parcel": {
                "type": "object",
                "required": ["weight"],
                "properties": {
                    "weight": { "type": "number", "minimum": 0 },
                    "photos": { "type": "array", "x-weight": 5 },
                },
            },
            "remark": { "type": "string", "x-weight": 0 },
        },
    });
    Form::read(&schema.to_string()).expect("it is a schema")
}

#[test]
fn everything_wrong_is_told_at_once_by_its_path() {
    let answer = json!({ "when": "yesterday", "parcel": { "photos": 3 }, "colour": "red" });
    let mut fields: Vec<_> = form().review(&answer).violations.into_iter().map(|one| one.field).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["colour", "order", "parcel.photos", "parcel.weight", "when"]);
}

#[test]
fn completeness_counts_by_weight() {
    let review = |answer: Value| {
        let Review { completeness, missing, .. } = form().review(&answer);
        (completeness, missing.join(" "))
    };
    assert_eq!(review(json!({})), (0, "parcel.photos order parcel.weight when".to_owned()));
    let some = json!({ "order": "123456", "parcel": { "weight": 2, "photos": [] } });
    assert_eq!(review(some), (40, "parcel.photos when".to_owned()));
    let all = json!({ "order": "123456", "when": "2026-11-22", "parcel": { "weight": 2, "photos": ["x"] } });
    assert_eq!(review(all), (100, String::new()), "a remark counts for nothing");
    assert_eq!(review(json!({ "order": " " })).0, 0, "white space is nothing");
}

#[test]
fn what_is_no_schema_is_refused() {
    let wrong = |schema: &str| Form::read(schema).expect_err("it is refused");
    assert!(wrong("{").starts_with("is no JSON"));
    assert!(wrong("[]").contains("\"type\": \"object\""));
    assert!(wrong(r#"{"type": "object", "properties": 3}"#).starts_with("is no JSON Schema"));
    let weight = r#"{"type": "object", "properties": {"a": {"x-weight": -1}}}"#;
    assert_eq!(wrong(weight), "a: x-weight must be a number from 0");
    assert!(
        wrong(r#"{"type": "object", "properties": {"a": {"type": 3}}}"#).contains("at /properties/a/type")
    );
    let pattern = wrong(r#"{"type": "object", "properties": {"a": {"pattern": "("}}}"#);
    assert!(pattern.contains("\"(\""), "{pattern}");
    let elsewhere = r#"{"type": "object", "$ref": "https://example.org/schema"}"#;
    assert!(wrong(elsewhere).contains("leads to nothing within"), "nothing is fetched");
}

/// One form under every draft that is accepted, and without a draft.
fn under_every_draft(schema: &Value) -> Vec<(String, Form)> {
    let named = cost::DRAFTS.iter().flat_map(|uri| [(*uri).to_owned(), format!("{uri}#")]);
    let read = |draft: Option<String>| {
        let mut schema = schema.clone();
        if let (Some(draft), Some(keywords)) = (&draft, schema.as_object_mut()) {
            keywords.insert("$schema".to_owned(), Value::from(draft.as_str()));
        }
        let form = Form::read(&schema.to_string()).expect("it is a schema");
        (draft.unwrap_or_default(), form)
    };
    named.map(Some).chain([None]).map(read).collect()
}

#[test]
fn every_draft_checks_formats_and_multiples_alike() {
    // Of each format a text that is one, and one that is none.
    let formats = [
        ("date", "2026-11-28", "2026-02-30"),
        ("date-time", "2026-11-28T09:00:00Z", "2026-11-28 09:00"),
        ("duration", "P1DT2H", "1 day"),
        ("email", "ann@example.org", "ann@"),
        ("hostname", "shop.example.org", "-shop"),
        ("idn-email", "\u{5b89}@example.org", "@"),
        ("idn-hostname", "\u{4f8b}.example", "-a"),
        ("ipv4", "192.0.2.1", "192.0.2.256"),
        ("ipv6", "2001:db8::1", "2001:db8::g"),
        ("iri", "https://example.org/\u{4f8b}", "no iri"),
        ("iri-reference", "/\u{4f8b}", "\\"),
        ("json-pointer", "/a/b", "a/b"),
        ("regex", "^a+$", "^(a$"),
        ("relative-json-pointer", "1/a", "/a"),
        ("time", "09:00:00Z", "9 o'clock"),
        ("uri", "https://example.org/", "no uri"),
        ("uri-reference", "/a", "\\"),
        ("uri-template", "/a/{b}", "/a/{b"),
        ("uuid", "0198c5f2-0000-7000-8000-000000000000", "0198c5f2"),
    ];
    assert_eq!(formats.map(|(name, ..)| name), cost::FORMATS);
    let fits = |form: &Form, value: Value| form.review(&json!({ "a": value })).violations.is_empty();
    for (name, is, none) in formats {
        for (draft, form) in
            under_every_draft(&json!({ "type": "object", "properties": { "a": { "format": name } } }))
        {
            assert!(fits(&form, json!(is)) && !fits(&form, json!(none)), "{name} by {draft}");
        }
    }
    for (multiple, is, none) in [
        (
            json!(0.01),
            vec![json!(19.99), json!(0.07), json!(4.35), json!(1.1), json!(1_000_000.01), json!(3)],
            vec![json!(19.995), json!(0.001)],
        ),
        (json!(0.1), vec![json!(0.3), json!(1e3)], vec![json!(0.35)]),
        (json!(5), vec![json!(10), json!(10.0), json!(-5)], vec![json!(7), json!(5.5)]),
    ] {
        let schema = json!({ "type": "object", "properties": { "a": { "multipleOf": multiple } } });
        for (draft, form) in under_every_draft(&schema) {
            for value in &is {
                assert!(fits(&form, value.clone()), "{value} is a multiple of {multiple} by {draft}");
            }
            for value in &none {
                assert!(!fits(&form, value.clone()), "{value} is no multiple of {multiple} by {draft}");
            }
        }
    }
}

#[test]
fn the_worst_that_is_accepted_is_checked_in_bounded_time_with_little_stack() {
    // As many checks as are allowed, each failing, of as many values as fit.
    let parts: Vec<Value> =
        (0..20).map(|_| json!({ "anyOf": [{ "type": "null" }, { "maxLength": 0 }] })).collect();
    let each = json!({ "type": "object", "additionalProperties": { "allOf": parts } });
    let many: Map<String, Value> = (0..5_000).map(|at| (at.to_string(), json!("x"))).collect();
    let patterns: Map<String, Value> =
        (0..60).map(|at| (at.to_string(), json!({ "pattern": "(a*)*(b|a*)*c$" }))).collect();
    let matching = json!({ "type": "object", "properties": patterns });
    let texts: Map<String, Value> = (0..60).map(|at| (at.to_string(), json!("a".repeat(1_500)))).collect();
    let mut deep = json!({ "type": "string" });
    for _ in 0..cost::MAX_DEPTH / 2 - 1 {
        deep = json!({ "properties": { "a": deep } });
    }
    deep["type"] = json!("object");
    let mut nested = json!("x");
    for _ in 0..100 {
        nested = json!({ "a": nested });
    }
    for (schema, answer) in [(each, Value::Object(many)), (matching, Value::Object(texts)), (deep, nested)] {
        let few = std::thread::Builder::new().stack_size(1 << 20);
        let check = few.spawn(move || Form::read(&schema.to_string()).map(|form| form.review(&answer)));
        let review = check.expect("a thread").join().expect("a megabyte is enough").expect("accepted");
        assert!(review.violations.len() <= MAX_VIOLATIONS);
    }
    let form =
        Form::read(r#"{"type": "object", "additionalProperties": {"enum": [1, 2, 3]}}"#).expect("small");
    let many: Map<String, Value> = (0..400_000).map(|at| (at.to_string(), json!(1))).collect();
    let told = form.review(&Value::Object(many)).violations;
    assert_eq!((told.len(), told[0].what.as_str()), (1, "is too large to be checked by this form"));
}

#[test]
fn long_values_are_not_repeated() {
    let form =
        Form::read(r#"{"type": "object", "properties": {"a": {"maxLength": 1}, "b": {"type": "null"}}}"#)
            .expect("small");
    let told = form.review(&json!({ "a": "x".repeat(50_000), "b": vec!["y"; 2_500] })).violations;
    assert!(told.len() == 2 && told.iter().all(|one| one.what.len() <= MAX_TOLD + 3), "{told:?}");
}

#[test]
fn a_pattern_takes_only_so_much_memory() {
    let schema = json!({ "type": "object", "properties": { "a": { "pattern": "(\\p{L}{100}){100}" } } });
    assert!(Form::read(&schema.to_string()).is_err());
    let usual =
        json!({ "type": "object", "properties": { "a": { "pattern": "^[\\u4e00-\\u9fa5]{2,20}$" } } });
    assert!(Form::read(&usual.to_string()).is_ok());
}

#[test]
fn a_patch_takes_out_merges_and_replaces() {
    let mut answer = json!({ "a": 1, "b": { "c": 2, "d": 3 } });
    let patch = json!({ "a": null, "b": { "c": 5 }, "e": { "f": null, "g": 1 } });
    assert_eq!(touched(&patch), ["a", "b.c", "e.f", "e.g"]);
    merge(&mut answer, patch);
    assert_eq!(answer, json!({ "b": { "c": 5, "d": 3 }, "e": { "g": 1 } }));
}

#[test]
fn a_number_that_would_lose_digits_is_refused_by_its_path() {
    let kept = [
        r#"{"a": 9007199254740991, "b": 18446744073709551615, "c": -9223372036854775808}"#,
        r#"{"a": 39.95}"#,
    ];
    for text in kept {
        assert!(answer(text).is_ok_and(|value| is_exact(&value)), "{text}");
    }
    for (text, path) in [
        (r#"{"order": 18446744073709551617}"#, "order"),
        (r#"{"orders": [1, {"number": -9223372036854775809}]}"#, "orders.1.number"),
        (r#"{"amount": 1e16}"#, "amount"),
    ] {
        let told = answer(text).expect_err("it loses digits");
        assert!(told.starts_with(&format!("{path} has more digits than are kept")), "{told}");
    }
    assert!(answer("{}").is_ok());
}
