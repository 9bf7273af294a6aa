//! Steps and results are held against the version of their type that holds for them.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::plan::Step;
use crate::plan::tests::step;
use crate::remedy::RemedyKind;
use crate::task::tests::task;
use crate::task::{Task, TaskResult};

fn gift_card(version: i64) -> RemedyType {
    let input = json!({
        "type": "object",
        "required": ["value"],
        "additionalProperties": false,
        "properties": { "value": { "type": "integer", "minimum": 1 }, "to": { "type": "string" } },
    });
    let result = json!({
        "type": "object",
        "required": ["code"],
        "properties": { "code": { "type": "string", "maxLength": version } },
    });
    RemedyType {
        type_id: "gift-card".to_owned(),
        version,
        department_id: Some("shop".to_owned()),
        input_schema: input.to_string(),
        result_schema: result.to_string(),
        attempt: MIN_ATTEMPT,
        undo_instructions: Some("void it".to_owned()),
        ..RemedyType::default()
    }
}

fn types(kept: Vec<RemedyType>) -> RemedyTypes {
    let read = kept.into_iter().map(|one| Arc::new(ReadType::read(one).unwrap()));
    RemedyTypes::of(read.collect(), BTreeSet::new())
}

fn asked(type_id: &str, input: &str) -> Step {
    let custom =
        CustomRemedy { type_id: type_id.to_owned(), input: input.to_owned(), ..CustomRemedy::default() };
    let mut step = step("card", RemedyKind::Custom, &[]);
    step.department_id = String::new();
    step.remedy.custom = Some(custom);
    step
}

fn take(types: &RemedyTypes, step: &mut Step) -> Vec<Flaw> {
    types.take(&mut step.remedy, &mut step.department_id)
}

fn fields(flaws: Vec<Flaw>) -> Vec<String> {
    flaws.into_iter().map(|flaw| flaw.field).collect()
}

#[test]
fn a_step_takes_the_version_that_holds_and_its_department() {
    let types = types(vec![gift_card(3)]);
    let mut taken = asked("gift-card", r#"{"value": 50}"#);
    assert_eq!(take(&types, &mut taken), []);
    let custom = taken.remedy.custom.unwrap();
    assert_eq!((custom.version, custom.attempt, taken.department_id.as_str()), (3, MIN_ATTEMPT, "shop"));
    assert_eq!(
        (custom.input.as_str(), custom.undo_instructions.as_deref()),
        (r#"{"value": 50}"#, Some("void it"))
    );
    let mut elsewhere = asked("gift-card", r#"{"value": 50}"#);
    elsewhere.department_id = "outlet".to_owned();
    assert_eq!((take(&types, &mut elsewhere), elsewhere.department_id.as_str()), (Vec::new(), "outlet"));
    let mut apology = step("a", RemedyKind::Apology, &[]);
    assert_eq!(take(&types, &mut apology), [], "it is of no type");
}

#[test]
fn everything_wrong_with_a_step_is_told_by_its_path() {
    let mut nobody = gift_card(3);
    nobody.department_id = None;
    let mut all = types(vec![nobody]);
    all.disabled.insert("gift-card".to_owned());
    let mut bad = asked("gift-card", r#"{"value": 0, "colour": "red"}"#);
    let mut told = fields(take(&all, &mut bad));
    told.sort_unstable();
    assert_eq!(told, ["department_id", "input.colour", "input.value", "remedy_type"]);
    assert_eq!(fields(take(&all, &mut asked("voucher", "{}"))), ["remedy_type"]);
    for none in ["{", "[]", "3"] {
        assert_eq!(
            fields(take(&types(vec![gift_card(3)]), &mut asked("gift-card", none))),
            ["input"],
            "{none}"
        );
    }
}

#[test]
fn both_schemas_are_told_of_at_once() {
    let broken = RemedyType { input_schema: "{".to_owned(), result_schema: "[]".to_owned(), ..gift_card(1) };
    assert_eq!(fields(ReadType::read(broken).unwrap_err()), ["input_schema", "result_schema"]);
}

#[test]
fn what_undoes_and_what_is_of_no_type_has_no_output() {
    let types = types(vec![gift_card(3)]);
    let result = |output: &str| TaskResult { output: output.to_owned(), ..TaskResult::default() };
    let told = |task: &Task, output: &str| fields(task.flaws(&result(output), &types));
    let apology = task(RemedyKind::Apology);
    assert_eq!(told(&apology, ""), Vec::<String>::new());
    assert_eq!(told(&apology, "{}"), ["output"]);
    let mut card = task(RemedyKind::Custom);
    let mut taken = asked("gift-card", r#"{"value": 50}"#);
    assert_eq!(take(&types, &mut taken), []);
    card.remedy = taken.remedy;
    assert_eq!(told(&card, ""), ["output"], "it is required");
    assert_eq!(told(&card, r#"{"code": "AB"}"#), Vec::<String>::new());
    let unread = fields(card.flaws(&result(r#"{"code": "AB"}"#), &RemedyTypes::default()));
    assert_eq!(unread, ["output"], "what cannot be checked is refused");
    card.compensates = Some(card.task_id);
    assert_eq!(told(&card, ""), Vec::<String>::new());
    assert_eq!(told(&card, r#"{"code": "AB"}"#), ["output"]);
}

proptest! {
    /// Each version allows codes as long as its number.
    #[test]
    fn a_result_is_held_against_the_version_of_its_task(
        versions in prop::collection::btree_set(1_i64..30, 1..5),
        which in any::<prop::sample::Index>(),
        length in 0_usize..30,
    ) {
        let versions: Vec<i64> = versions.into_iter().collect();
        let types = types(versions.iter().copied().map(gift_card).collect());
        let version = *which.get(&versions);
        let mut card = task(RemedyKind::Custom);
        let custom = CustomRemedy { type_id: "gift-card".to_owned(), version, ..CustomRemedy::default() };
        card.remedy.custom = Some(custom);
        let output = json!({ "code": Value::from("x".repeat(length)) }).to_string();
        let result = TaskResult { output, ..TaskResult::default() };
        let fits = i64::try_from(length).unwrap() <= version;
        prop_assert_eq!(card.flaws(&result, &types).is_empty(), fits);
        let mut step = asked("gift-card", r#"{"value": 1}"#);
        prop_assert_eq!(take(&types, &mut step), []);
        prop_assert_eq!(step.remedy.custom.map(|custom| custom.version), versions.last().copied());
    }
}
