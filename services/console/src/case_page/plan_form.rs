//! The editor of a plan: a few steps, each with what it needs.

use proto::google::r#type::Money;
use proto::redress::resolution::v1::{Goods, Plan, RemedyKind, RemedyType, Step};
use serde_json::Value;

use super::load::Loaded;
use crate::form::Posted;
use crate::money;
use crate::problem::Violation;
use crate::schema::{self, Item};
use crate::words::Words;

/// Steps that a new plan's form has room for.
const ROWS: usize = 6;
/// Rows beside those of the plan that is revised.
const ROWS_MORE: usize = 2;
/// Most rows of a form: the steps that a plan may have.
pub(super) const ROWS_MAX: usize = 50;
/// Before the id of a type of the tenant's own, where a kind is chosen.
pub(super) const OWN: &str = "own:";
/// From this length on it takes a while to read a schema.
const HEAVY: usize = 20_000;
/// Currencies to choose from, beside the one of the complaint.
const CURRENCIES: [&str; 6] = ["CNY", "EUR", "USD", "GBP", "HKD", "JPY"];
/// What contracts know of; beside it there are the tenant's own types.
const KINDS: [RemedyKind; 12] = [
    RemedyKind::Apology,
    RemedyKind::Explanation,
    RemedyKind::Refund,
    RemedyKind::Compensation,
    RemedyKind::Exchange,
    RemedyKind::Repair,
    RemedyKind::Redelivery,
    RemedyKind::ServiceUpgrade,
    RemedyKind::FeeWaiver,
    RemedyKind::RecordCorrection,
    RemedyKind::StaffMeasures,
    RemedyKind::RecallNotice,
];

/// Something to choose.
pub(super) struct Choice {
    pub(super) value: String,
    pub(super) name: String,
    pub(super) is_chosen: bool,
}

/// What a type of the tenant's own asks of a step.
pub(super) struct Own {
    /// Which type.
    pub(super) type_id: String,
    /// What it is called.
    pub(super) title: String,
    /// The field that says that these controls were shown.
    pub(super) marker: String,
    pub(super) items: Vec<Item>,
}

impl Own {
    /// The controls of a type, named after the row they are in.
    pub(super) fn of(kind: &RemedyType, row: usize, t: Words) -> Self {
        let mut items =
            server::aside(kind.input_schema.len() > HEAVY, || schema::items(&kind.input_schema, t));
        for field in schema::fields(&mut items) {
            field.name = name(row, &field.name);
            field.id = format!("step{row}-{}", field.id);
            // A row that is not used asks for nothing: the service says what is missing.
        }
        Self { type_id: kind.type_id.clone(), title: kind.title.clone(), marker: name(row, "own"), items }
    }
}

/// A step, as the form has it.
pub(super) struct Row {
    pub(super) number: usize,
    /// What it is called in the plan that is revised; empty of a new one.
    pub(super) step_id: String,
    /// By when it is due in that plan, in seconds since 1970; empty where it is not.
    pub(super) due: String,
    pub(super) kinds: Vec<Choice>,
    pub(super) own_kinds: Vec<Choice>,
    pub(super) own: Option<Own>,
    pub(super) departments: Vec<Choice>,
    pub(super) currencies: Vec<Choice>,
    pub(super) amount: String,
    pub(super) sku: String,
    pub(super) quantity: String,
    pub(super) after: String,
    pub(super) instructions: String,
    /// Whether it is shown before it is asked for.
    pub(super) is_open: bool,
}

/// The form.
pub(super) struct PlanForm {
    pub(super) rows: Vec<Row>,
}

/// The name of a field of a row.
pub(super) fn name(row: usize, field: &str) -> String {
    format!("step{row}_{field}")
}

fn choices(all: impl Iterator<Item = (String, String)>, chosen: &str) -> Vec<Choice> {
    all.map(|(value, name)| Choice { is_chosen: value == chosen, value, name }).collect()
}

impl PlanForm {
    /// Empty, or as the plan is that is to be revised, or with what was written. `types` are
    /// those that rows have.
    pub(super) fn new(
        t: Words,
        loaded: &Loaded,
        revised: Option<&Plan>,
        posted: Option<&Posted>,
        types: &[RemedyType],
    ) -> Self {
        let begun = revised.map(|plan| written(&plan.steps));
        let posted = posted.or(begun.as_ref());
        let rows = revised.map_or(ROWS, |plan| plan.steps.len() + ROWS_MORE).clamp(ROWS, ROWS_MAX);
        let row = |number| row(t, loaded, number, posted, types);
        Self { rows: (1..=rows).map(row).collect() }
    }
}

/// The steps of a plan as the form would have sent them.
fn written(steps: &[Step]) -> Posted {
    let place = |id: &str| steps.iter().position(|step| step.step_id == id).map(|place| place + 1);
    let mut fields = Vec::new();
    for (row, step) in steps.iter().enumerate().map(|(place, step)| (place + 1, step)) {
        let mut put = |field: &str, value: String| fields.push((name(row, field), value));
        put("id", step.step_id.clone());
        put(
            "kind",
            match step.remedy_type.as_str() {
                "" => step.kind.to_string(),
                own => format!("{OWN}{own}"),
            },
        );
        put("own", step.remedy_type.clone());
        put("input", step.input.clone());
        put("department", step.department_id.clone());
        if let Some(sum) = &step.amount {
            put("currency", sum.currency_code.clone());
            put("amount", money::text(Some(sum)).split(' ').next_back().unwrap_or_default().to_owned());
        }
        if let Some(goods) = &step.goods {
            put("sku", goods.sku.clone());
            put("quantity", goods.quantity.to_string());
        }
        let after: Vec<String> =
            step.depends_on.iter().filter_map(|id| place(id)).map(|place| place.to_string()).collect();
        put("after", after.join(", "));
        put("instructions", step.instructions.clone());
        put("due", step.due_time.map(|due| due.seconds.to_string()).unwrap_or_default());
    }
    Posted::of(fields)
}

fn row(t: Words, loaded: &Loaded, number: usize, posted: Option<&Posted>, types: &[RemedyType]) -> Row {
    let text = |field: &str| posted.map_or("", |posted| posted.text(&name(number, field))).to_owned();
    let sought = loaded.case.amount_sought.as_ref();
    let usual = sought.map_or(CURRENCIES[0], |sum| sum.currency_code.as_str());
    let currency = match text("currency") {
        empty if empty.is_empty() => usual.to_owned(),
        chosen => chosen,
    };
    let kind = text("kind");
    let kinds =
        KINDS.iter().map(|kind| (i32::from(*kind).to_string(), t.remedy(i32::from(*kind)).to_owned()));
    let own_kinds = loaded.changes.remedy_types.iter().map(|own| {
        let title = if own.title.is_empty() { &own.type_id } else { &own.title };
        (format!("{OWN}{}", own.type_id), title.clone())
    });
    let departments = loaded.departments.iter().map(|one| {
        let name = if one.display_name.is_empty() { &one.department_id } else { &one.display_name };
        (one.department_id.clone(), name.clone())
    });
    let mut known: Vec<&str> = CURRENCIES.to_vec();
    if !known.contains(&currency.as_str()) {
        known.insert(0, &currency);
    }
    let chosen = kind.strip_prefix(OWN).and_then(|id| types.iter().find(|own| own.type_id == id));
    let own = chosen.map(|chosen| {
        let mut own = Own::of(chosen, number, t);
        match (text("input").as_str(), posted) {
            ("", Some(posted)) => schema::refill(&mut own.items, posted),
            (input, _) => schema::fill(&mut own.items, input),
        }
        own
    });
    Row {
        number,
        step_id: text("id"),
        due: text("due"),
        kinds: choices(kinds, &kind),
        own_kinds: choices(own_kinds, &kind),
        own,
        departments: choices(departments, &text("department")),
        currencies: choices(known.iter().map(|one| ((*one).to_owned(), (*one).to_owned())), &currency),
        amount: text("amount"),
        sku: text("sku"),
        quantity: text("quantity"),
        after: text("after"),
        instructions: text("instructions"),
        is_open: number == 1 || !kind.is_empty(),
    }
}

/// The steps of a form; what is wrong with it, all at once. `types` are those that its rows have.
pub(super) fn steps(posted: &Posted, types: &[RemedyType], t: Words) -> Result<Vec<Step>, Vec<Violation>> {
    let (mut steps, mut wrong) = (Vec::new(), Vec::new());
    for row in 1..=ROWS_MAX {
        if posted.text(&name(row, "kind")).is_empty() {
            continue;
        }
        steps.push(step(posted, row, types, t, &mut wrong));
    }
    if wrong.is_empty() { Ok(steps) } else { Err(wrong) }
}

/// What a step is called: as in the plan that is revised, or after its row.
fn step_id(posted: &Posted, row: usize) -> String {
    match posted.text(&name(row, "id")) {
        "" => format!("step-{row}"),
        known => known.to_owned(),
    }
}

/// The step of a row; what is wrong with it is added to the rest.
fn step(posted: &Posted, row: usize, types: &[RemedyType], t: Words, wrong: &mut Vec<Violation>) -> Step {
    let mut violate = |field: &str, description: &str| {
        wrong.push(Violation { field: name(row, field), description: description.to_owned() });
    };
    let text = |field: &str| posted.text(&name(row, field));
    let (mut kind, mut remedy_type, mut input) = (0, String::new(), String::new());
    if let Some(id) = text("kind").strip_prefix(OWN) {
        kind = RemedyKind::Custom.into();
        id.clone_into(&mut remedy_type);
        match types.iter().find(|own| own.type_id == id) {
            None => violate("kind", t.own_gone()),
            // Without scripts the controls are shown once the type was sent.
            Some(_) if text("own") != id => violate("kind", t.own_fill()),
            Some(own) => {
                let items = Own::of(own, row, t).items;
                input = Value::Object(schema::read(&items, posted)).to_string();
            }
        }
    } else {
        kind = text("kind").parse().unwrap_or(kind);
    }
    let mut amount: Option<Money> = None;
    if !text("amount").is_empty() {
        amount = money::read(text("currency"), text("amount"));
        if amount.is_none() {
            violate("amount", "must be a number such as 39.90");
        }
    }
    let mut goods = None;
    if !text("sku").is_empty() {
        let quantity = if text("quantity").is_empty() { Ok(1) } else { text("quantity").parse() };
        match quantity {
            Ok(quantity) => goods = Some(Goods { sku: text("sku").to_owned(), quantity }),
            Err(_) => violate("quantity", "must be a whole number"),
        }
    }
    let after = text("after").split([',', ' ', '，']).filter(|one| !one.is_empty());
    let after: Result<Vec<usize>, _> = after.map(str::parse).collect();
    if after.is_err() {
        violate("after", "must be numbers of steps such as 1, 2");
    }
    let due = text("due").parse().ok().map(|seconds| prost_types::Timestamp { seconds, nanos: 0 });
    Step {
        step_id: step_id(posted, row),
        kind,
        remedy_type,
        input,
        department_id: text("department").to_owned(),
        amount,
        goods,
        depends_on: after.unwrap_or_default().into_iter().map(|one| step_id(posted, one)).collect(),
        instructions: text("instructions").to_owned(),
        due_time: due,
        ..Step::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;

    fn posted(fields: &[(&str, &str)]) -> Posted {
        Posted::of(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    fn read(posted: &Posted) -> Result<Vec<Step>, Vec<Violation>> {
        let types = [RemedyType {
            type_id: "gift-card".to_owned(),
            input_schema: r#"{ "type": "object", "properties": { "value": { "type": "integer" } } }"#
                .to_owned(),
            ..RemedyType::default()
        }];
        steps(posted, &types, Words(Language::English))
    }

    #[test]
    fn a_type_of_the_tenants_own_is_filled_in_once_it_was_shown() {
        let fields = [("step1_kind", "own:gift-card"), ("step1_f.value", "20")];
        let wrong = read(&posted(&fields)).unwrap_err();
        assert_eq!(wrong[0].field, "step1_kind");
        let shown = posted(&[fields[0], fields[1], ("step1_own", "gift-card")]);
        let steps = read(&shown).unwrap();
        assert_eq!((steps[0].kind(), steps[0].remedy_type.as_str()), (RemedyKind::Custom, "gift-card"));
        assert_eq!(steps[0].input, r#"{"value":20}"#);
        assert_eq!(read(&posted(&[("step1_kind", "own:gone")])).unwrap_err().len(), 1);
    }

    #[test]
    fn a_plan_that_is_not_touched_reads_as_before() {
        let sum = Money { currency_code: "EUR".into(), units: 39, nanos: 900_000_000 };
        let steps = vec![
            Step {
                step_id: "pay".into(),
                kind: 3,
                amount: Some(sum),
                department_id: "f".into(),
                ..Step::default()
            },
            Step {
                step_id: "send".into(),
                kind: 5,
                goods: Some(Goods { sku: "CUP".into(), quantity: 2 }),
                depends_on: vec!["pay".into()],
                due_time: Some(prost_types::Timestamp { seconds: 1_800_000_000, nanos: 0 }),
                instructions: "Wrap it\nwell.".into(),
                ..Step::default()
            },
        ];
        assert_eq!(read(&written(&steps)).unwrap(), steps);
    }

    #[test]
    fn rows_that_are_used_become_steps() {
        let steps = read(&posted(&[
            ("step1_kind", "3"),
            ("step1_department", "finance"),
            ("step1_amount", "39.90"),
            ("step1_currency", "EUR"),
            ("step2_kind", ""),
            ("step2_amount", "7"),
            ("step3_kind", "5"),
            ("step3_sku", "CUP-1"),
            ("step3_after", "1"),
        ]))
        .unwrap();
        assert_eq!(steps.len(), 2);
        assert_eq!((steps[0].step_id.as_str(), steps[0].kind()), ("step-1", RemedyKind::Refund));
        assert_eq!(steps[0].amount.as_ref().unwrap().units, 39);
        assert_eq!(steps[1].goods.as_ref().unwrap().quantity, 1);
        assert_eq!(steps[1].depends_on, ["step-1"]);
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let wrong = read(&posted(&[
            ("step1_kind", "3"),
            ("step1_amount", "much"),
            ("step2_kind", "5"),
            ("step2_sku", "CUP-1"),
            ("step2_quantity", "few"),
            ("step2_after", "the first"),
        ]))
        .unwrap_err();
        let fields: Vec<&str> = wrong.iter().map(|one| one.field.as_str()).collect();
        assert_eq!(fields, ["step1_amount", "step2_quantity", "step2_after"]);
    }
}
