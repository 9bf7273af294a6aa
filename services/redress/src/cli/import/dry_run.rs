//! `redress import --dry-run`: how a file is read, and what is wrong with it. Connects to
//! nobody.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use show::table::{Table, facts as facts_text, one_line};

use super::progress::Progress;
use super::summary::{read_as, written};
use crate::import::{Layout, Mapping, Plan, Problem, Reading, Row, Source, Written, facts};

/// Rows shown as they would be registered.
const SHOWN: usize = 5;
/// Problems told, the first.
const TOLD: usize = 20;
/// Rows between two looks at the clock.
const TICK: u64 = 500;
/// What only the server can tell.
const NOT_CHECKED: [&str; 6] = [
    "fields that are required, and lengths",
    "channels, and whether an external_ref was used before",
    "categories, and the forms filled in for them",
    "attachments: whether they are there, and nobody else's",
    "whether a row was registered before, or says the same as another",
    "what the caller may do",
];

/// Reads a file and tells what would be registered.
pub(super) fn run(
    file: &Path,
    source: Source,
    mapping: Mapping,
    how: &Written,
    most: Option<u64>,
    as_json: bool,
) -> anyhow::Result<()> {
    let what = || format!("{}", file.display());
    let mut progress = Progress::new(source.length());
    let watched = progress.clone();
    let Reading { rows, layout } =
        source.rows(mapping, how, move |bytes| watched.watch(bytes)).with_context(what)?;
    progress.of(&layout);
    let mut found = Found::default();
    for row in rows {
        if most.is_some_and(|most| found.rows >= most) {
            found.stopped = true;
            break;
        }
        found.add(row.with_context(what)?);
        if found.rows % TICK == 0 {
            progress.looked_at(found.rows, found.wrong);
        }
    }
    progress.end();
    show::say(&if as_json { found.json(&layout)? } else { found.text(&what(), &layout)? })?;
    if found.wrong > 0 {
        bail!("{} of {} rows have problems", found.wrong, found.rows);
    }
    Ok(())
}

/// What was found in a file.
#[derive(Default)]
struct Found {
    rows: u64,
    wrong: u64,
    /// Whether there may be more rows.
    stopped: bool,
    /// Problems by kind.
    kinds: BTreeMap<&'static str, u64>,
    first: Vec<(u64, Problem)>,
    shown: Vec<Row>,
}

impl Found {
    fn add(&mut self, row: Row) {
        self.rows += 1;
        if let Err(problems) = &row.complaint {
            self.wrong += 1;
            for problem in problems {
                *self.kinds.entry(problem.kind.name()).or_default() += 1;
                if self.first.len() < TOLD {
                    self.first.push((row.number, problem.clone()));
                }
            }
        }
        if self.shown.len() < SHOWN {
            self.shown.push(row);
        }
    }

    fn text(&self, file: &str, layout: &Layout) -> anyhow::Result<String> {
        let mut text = format!("{file}\n{}", told(layout));
        if let Some(plan) = &layout.plan {
            let _ = write!(text, "\n{}", columns(plan));
        }
        let zone = zone(layout);
        text.push_str("\nthe first rows, as they would be registered\n");
        for Row { number, complaint, .. } in &self.shown {
            let _ = writeln!(text, "\nrow {number}");
            match complaint {
                Ok(complaint) => {
                    let facts = facts(complaint, &zone)?;
                    let facts: Vec<_> =
                        facts.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
                    text.push_str(&indented(&facts_text(&facts)));
                }
                Err(problems) => {
                    let all: Vec<String> = problems.iter().map(ToString::to_string).collect();
                    text.push_str(&indented(&all.join("\n")));
                }
            }
        }
        if !self.first.is_empty() {
            let _ = write!(text, "\nthe first problems\n{}", indented(&self.problems()));
        }
        let of = if self.stopped { "the first " } else { "" };
        let _ = writeln!(
            text,
            "\n{of}{} rows: {} can be read, {} have problems",
            self.rows,
            self.rows - self.wrong,
            self.wrong
        );
        for (kind, count) in &self.kinds {
            let _ = writeln!(text, "  {kind}  {count}");
        }
        text.push_str("\nwhat only the server checks was not checked\n");
        for check in NOT_CHECKED {
            let _ = writeln!(text, "  {check}");
        }
        Ok(text)
    }

    fn problems(&self) -> String {
        let mut table = Table::new(["ROW", "COLUMN", "VALUE", "WHY"]);
        for (row, problem) in &self.first {
            let Problem { column, field, value, why, .. } = problem;
            let column = column.clone().or_else(|| field.clone()).unwrap_or_default();
            table.row([row.to_string(), column, value.clone().unwrap_or_default(), why.clone()]);
        }
        table.render()
    }

    fn json(&self, layout: &Layout) -> anyhow::Result<String> {
        let problem = |(row, problem): &(u64, Problem)| {
            let Problem { kind, field, column, value, why } = problem;
            json!({ "row": row, "column": column, "field": field, "value": value, "kind": kind.name(), "why": why })
        };
        let mut preview = Vec::new();
        for Row { number, complaint, .. } in &self.shown {
            if let Ok(complaint) = complaint {
                let complaint: Value = serde_json::from_str(&show::json::line(complaint)?)?;
                preview.push(json!({ "row": number, "complaint": complaint }));
            }
        }
        let plan = layout.plan.clone().unwrap_or_default();
        let from_column = |(field, heading): &(String, String)| json!({ "field": field, "column": heading });
        let constant = |(field, value): &(String, String)| json!({ "field": field, "constant": value });
        let fields = plan.columns.iter().map(from_column).chain(plan.constants.iter().map(constant));
        let mut told = written(layout);
        let more = json!({
            "dryRun": true, "zone": plan.zone, "decimal": plan.decimal, "currency": plan.currency,
            "country": plan.country, "fields": fields.collect::<Vec<_>>(), "ignored": plan.ignored,
            "preview": preview, "rows": self.rows, "stopped": self.stopped,
            "readable": self.rows - self.wrong, "wrong": self.wrong, "kinds": self.kinds,
            "problems": self.first.iter().map(problem).collect::<Vec<_>>(), "notChecked": NOT_CHECKED,
        });
        if let (Some(told), Some(more)) = (told.as_object_mut(), more.as_object()) {
            told.extend(more.clone());
        }
        Ok(show::json::harmless(serde_json::to_string_pretty(&told)?))
    }
}

fn zone(layout: &Layout) -> TimeZone {
    let named = layout.plan.as_ref().and_then(|plan| calendar::zones::get(&plan.zone));
    named.unwrap_or(TimeZone::UTC)
}

/// How the file is written, and its times, numbers and telephone numbers.
fn told(layout: &Layout) -> String {
    let mut facts = vec![("read as", read_as(layout))];
    if let Some(Plan { zone, decimal, currency, country, .. }) = &layout.plan {
        let mark =
            decimal.map_or_else(|| ". where a number shows no other".to_owned(), |mark| mark.to_string());
        let currency = currency.clone().unwrap_or_else(|| "as each sum says".to_owned());
        let country = country.as_ref().map(|country| format!("of {country}, as E.164"));
        facts.push(("times without a zone", format!("of {zone}")));
        facts.push(("decimal mark", mark));
        facts.push(("currency", currency));
        facts.push(("telephone numbers", country.unwrap_or_else(|| "as they stand".to_owned())));
    }
    indented(&facts_text(&facts))
}

/// What becomes of the columns.
fn columns(plan: &Plan) -> String {
    let mut table = Table::new(["FIELD", "COMES FROM"]);
    for (field, heading) in &plan.columns {
        table.row([field.clone(), format!("column {heading}")]);
    }
    for (field, value) in &plan.constants {
        table.row([field.clone(), format!("always {value}")]);
    }
    let mut text = table.render();
    if !plan.ignored.is_empty() {
        let ignored: Vec<String> = plan.ignored.iter().map(|heading| one_line(heading)).collect();
        let _ = writeln!(text, "not imported: {}", ignored.join(", "));
    }
    text
}

fn indented(text: &str) -> String {
    text.lines().flat_map(|line| ["  ", line, "\n"]).collect()
}
