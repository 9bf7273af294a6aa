//! What is said of a task that was done: what its kind needs, and, of a type of the tenant's
//! own, what the type's schema asks.

use proto::redress::resolution::v1::{RemedyKind, RemedyType, Task, TaskResult};
use serde_json::Value;

use crate::form::Posted;
use crate::money;
use crate::problem::{Problem, Violation};
use crate::schema::{self, Field, Item, Kind, Number, fields};
use crate::words::Words;

/// Where the answers to a type's own questions are in the contract.
const OUTPUT: &str = "result.output.";
/// Longest number of a department's own.
const REFERENCE_MAX: usize = 200;
/// Longest remark.
const REMARK_MAX: usize = 4_000;

/// The questions.
pub(super) struct ResultForm {
    /// Each with what was written.
    pub(super) items: Vec<Item>,
    currency: String,
    has_output: bool,
}

impl ResultForm {
    /// What is asked of a task, in the language of the page; `of` is its type, where it is one
    /// of the tenant's own.
    pub(super) fn new(task: &Task, of: Option<&RemedyType>, t: Words) -> Self {
        let mut items = Vec::new();
        let (has_sum, has_goods) = (task.amount.is_some(), task.goods.is_some());
        let mut reference = Field::own(
            "reference",
            "result.reference",
            t.result_reference(),
            Kind::line("text", REFERENCE_MAX),
        )
        .saying(t.result_reference_help());
        reference.is_required = has_sum || has_goods;
        let currency = task.amount.as_ref().map(|sum| sum.currency_code.clone()).unwrap_or_default();
        let (answers, remark) = match task.kind() {
            RemedyKind::Investigation => (true, t.result_findings()),
            RemedyKind::ProblemHint => (true, t.result_answer()),
            _ => (false, t.result_remark()),
        };
        if !answers {
            items.push(Item::Field(reference));
        }
        if let Some(sum) = &task.amount {
            let kind = Kind::Line { kind: "text", max: 24, number: Some(Number::Any) };
            let mut field = Field::own("amount", "result.amount", &t.result_amount(&currency), kind)
                .required()
                .saying(t.result_amount_help());
            field.values = vec![plain(sum)];
            items.push(Item::Field(field));
        }
        let output = schema_of(task, of);
        let asked = output.map(|schema| server::aside(true, || schema::items(schema, t))).unwrap_or_default();
        let has_output = output.is_some();
        items.extend(asked);
        let mut remark = Field::own("remark", "result.remark", remark, Kind::lines(REMARK_MAX));
        remark.is_required = answers;
        items.push(Item::Field(remark));
        if task.kind() == RemedyKind::Investigation {
            let kind = Kind::Lines { max: REMARK_MAX, is_list: true };
            items.push(Item::Field(Field::own("evidence", "result.evidence", t.result_evidence(), kind)));
        }
        Self { items, currency, has_output }
    }

    /// The same with what was written.
    pub(super) fn filled(mut self, posted: &Posted) -> Self {
        schema::refill(&mut self.items, posted);
        self
    }

    /// What was written, as the contract has it; what is wrong with it, as far as is seen here.
    pub(super) fn read(&self, posted: &Posted) -> Result<TaskResult, Problem> {
        let text = |name: &str| posted.text(name).to_owned();
        let mut amount = None;
        if !self.currency.is_empty() {
            amount = money::read(&self.currency, posted.text("amount"));
            if amount.is_none() {
                let violation = Violation {
                    field: "result.amount".to_owned(),
                    description: "must be a number such as 39.90".to_owned(),
                };
                return Err(Problem {
                    violations: vec![violation],
                    ..Problem::own(tonic::Code::InvalidArgument, "INVALID_RESULT")
                });
            }
        }
        let is_own = |item: &&Item| matches!(item, Item::Field(field) if field.is_of_form());
        let own: Vec<Item> = self.items.iter().filter(is_own).cloned().collect();
        let output = self.has_output.then(|| Value::Object(schema::read(&own, posted)).to_string());
        let evidence = posted.text("evidence").lines().map(str::trim).filter(|line| !line.is_empty());
        Ok(TaskResult {
            reference: text("reference"),
            amount,
            remark: text("remark"),
            evidence: evidence.map(str::to_owned).collect(),
            output: output.unwrap_or_default(),
        })
    }

    /// Says beside each question what is wrong with it; answers what no question is for.
    pub(super) fn place(&mut self, problem: &Problem, t: Words) -> Vec<(String, String)> {
        let of = |one: &Violation| (one.field.clone(), one.description.clone());
        let (own, rest): (Vec<_>, Vec<_>) =
            problem.violations.iter().map(of).partition(|(field, _)| field.starts_with(OUTPUT));
        let own: Vec<_> =
            own.into_iter().map(|(field, what)| (field[OUTPUT.len()..].to_owned(), what)).collect();
        let mut left = schema::place_errors(&mut self.items, &own, t);
        left.extend(schema::place_errors(&mut self.items, &rest, t));
        left
    }

    /// Whether something is wrong with a question.
    pub(super) fn is_wrong(&mut self) -> bool {
        fields(&mut self.items).any(|field| field.wrong().is_some())
    }
}

/// A sum as somebody writes it, without its currency.
fn plain(sum: &proto::google::r#type::Money) -> String {
    let text = money::text(Some(sum));
    text.split_once(' ').map_or_else(String::new, |(_, sum)| sum.to_owned())
}

/// What a type asks of a result; none of a task that undoes one, nor of the shipped kinds.
fn schema_of<'a>(task: &Task, of: Option<&'a RemedyType>) -> Option<&'a str> {
    let of = of.filter(|_| task.kind() == RemedyKind::Custom && !task.compensation)?;
    Some(of.result_schema.as_str())
}

/// What a type's task was given, by the titles of its schema.
pub(super) fn input(task: &Task, of: Option<&RemedyType>, t: Words) -> Vec<(String, String)> {
    let Some(of) = of.filter(|_| !task.input.is_empty()) else { return Vec::new() };
    let mut items = server::aside(true, || schema::items(&of.input_schema, t));
    schema::fill(&mut items, &task.input);
    let filled = fields(&mut items).filter(|field| !field.values.is_empty());
    filled.map(|field| (field.label.clone(), field.values.join(", "))).collect()
}

#[cfg(test)]
mod tests {
    use proto::redress::resolution::v1::Goods;

    use super::*;
    use crate::language::Language;

    const T: Words = Words(Language::English);

    fn posted(fields: &[(&str, &str)]) -> Posted {
        Posted::of(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    fn names(form: &mut ResultForm) -> Vec<(String, bool)> {
        fields(&mut form.items).map(|field| (field.name.clone(), field.is_required)).collect()
    }

    fn told(names: &[(&str, bool)]) -> Vec<(String, bool)> {
        names.iter().map(|(name, is_required)| ((*name).to_owned(), *is_required)).collect()
    }

    #[test]
    fn each_kind_is_asked_for_what_it_needs() {
        let refund =
            Task { kind: RemedyKind::Refund.into(), amount: money::read("EUR", "39.90"), ..Task::default() };
        let mut form = ResultForm::new(&refund, None, T);
        assert_eq!(names(&mut form), told(&[("reference", true), ("amount", true), ("remark", false)]));
        let result = form.read(&posted(&[("reference", "R 1"), ("amount", "20")])).unwrap();
        assert_eq!((result.reference.as_str(), result.amount.unwrap().units), ("R 1", 20));
        let refused = form.read(&posted(&[("reference", "R 1"), ("amount", "much")])).unwrap_err();
        assert_eq!(form.place(&refused, T), []);
        assert!(form.is_wrong());
        let goods = Some(Goods { sku: "CUP".into(), quantity: 1 });
        let exchange = Task { kind: RemedyKind::Exchange.into(), goods, ..Task::default() };
        let mut form = ResultForm::new(&exchange, None, T);
        assert_eq!(names(&mut form), told(&[("reference", true), ("remark", false)]));
        let asked = Task { kind: RemedyKind::Investigation.into(), ..Task::default() };
        let mut form = ResultForm::new(&asked, None, T);
        assert_eq!(names(&mut form), told(&[("remark", true), ("evidence", false)]));
        let result = form.read(&posted(&[("remark", "x"), ("evidence", "a\n\n b ")])).unwrap();
        assert_eq!(result.evidence, ["a", "b"]);
    }

    #[test]
    fn a_type_of_their_own_is_asked_by_its_schema() {
        let of = RemedyType {
            input_schema: r#"{"properties":{"value":{"type":"integer","title":"Worth"}}}"#.into(),
            result_schema:
                r#"{"required":["code"],"properties":{"code":{"type":"string"},"n":{"type":"integer"}}}"#
                    .into(),
            ..RemedyType::default()
        };
        let task =
            Task { kind: RemedyKind::Custom.into(), input: r#"{"value":50}"#.into(), ..Task::default() };
        let mut form = ResultForm::new(&task, Some(&of), T);
        let all = [("reference", false), ("f.code", true), ("f.n", false), ("remark", false)];
        assert_eq!(names(&mut form), told(&all));
        let result = form.read(&posted(&[("f.code", "ABCD"), ("f.n", "3")])).unwrap();
        assert_eq!(result.output, r#"{"code":"ABCD","n":3}"#);
        let wrong = Problem {
            violations: vec![
                Violation { field: "result.output.code".into(), description: "is required".into() },
                Violation { field: "elsewhere".into(), description: "x".into() },
            ],
            ..Problem::own(tonic::Code::InvalidArgument, "INVALID_RESULT")
        };
        assert_eq!(form.place(&wrong, T), [("elsewhere".to_owned(), "x".to_owned())]);
        assert!(form.is_wrong());
        assert_eq!(input(&task, Some(&of), T), [("Worth".to_owned(), "50".to_owned())]);
        // What undoes one is asked for nothing of the type's.
        let undoing = Task { compensation: true, ..task };
        assert_eq!(ResultForm::new(&undoing, Some(&of), T).read(&posted(&[])).unwrap().output, "");
    }
}
