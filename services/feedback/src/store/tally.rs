//! The statement that counts facts, for parts of a window or for days.

use std::collections::BTreeSet;

use fault::Fault;
use jiff_sqlx::ToSqlx as _;
use pg::Binds;
use sqlx::{AssertSqlSafe, PgConnection};
use vocabulary::Channel;

use super::impossible_fact;
use super::past::{PAST_OUTCOME, past_ending, past_score, past_source};
use crate::call_back;
use crate::fact::Ending;
use crate::kpi::measure::{Cohort, Tally};
use crate::kpi::{Dimension, Filter, Measure, Scope, Span};
use crate::response::Outcome;

/// Whoever complains about the same so soon again repeats it.
const REPEATED: &str = "interval '30 days'";

/// The least score of who is satisfied, of 1 to 5.
const SATISFIED: i16 = 4;

/// What the pieces of statements here name, and its number: as `pg::sql!` has it, for pieces that
/// are put together while the service runs.
const NAMED: [(&str, i16); 10] = [
    ("{closed}", Ending::Closed.number()),
    ("{withdrawn}", Ending::Withdrawn.number()),
    ("{declined}", Ending::Declined.number()),
    ("{merged}", Ending::Merged.number()),
    ("{social}", Channel::Social.number()),
    ("{regulator}", Channel::Regulator.number()),
    ("{upheld}", Outcome::Upheld.number()),
    ("{partly_upheld}", Outcome::PartlyUpheld.number()),
    ("{reached}", call_back::Outcome::Reached.number()),
    ("{satisfied}", SATISFIED),
];

/// What is to be counted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) measures: BTreeSet<Measure>,
    pub(crate) spans: BTreeSet<Span>,
}

/// A part of a window: its number, its beginning and its end.
pub(crate) type Part = (i32, jiff::Timestamp, jiff::Timestamp);

/// How the facts of a cohort are read.
struct Source {
    /// The tables, `c` being the case.
    from: &'static str,
    /// What decides the day.
    at: &'static str,
    /// What else is asked of them.
    only: &'static str,
}

const OF_CASES: &str = "case_fact c";
const OF_CYCLES: &str =
    "cycle_fact y LEFT JOIN case_fact c ON c.tenant_id = y.tenant_id AND c.case_id = y.case_id";
const OF_CALLS: &str =
    "call_back_fact k LEFT JOIN case_fact c ON c.tenant_id = k.tenant_id AND c.case_id = k.case_id";
const OF_TASKS: &str =
    "task_fact t LEFT JOIN case_fact c ON c.tenant_id = t.tenant_id AND c.case_id = t.case_id";
const OF_PAYMENTS: &str =
    "payment_fact p LEFT JOIN case_fact c ON c.tenant_id = p.tenant_id AND c.case_id = p.case_id";
const OF_LOSSES: &str =
    "loss_fact l LEFT JOIN case_fact c ON c.tenant_id = l.tenant_id AND c.case_id = l.case_id";

fn source(cohort: Cohort) -> Source {
    let (from, at, only) = match cohort {
        Cohort::Received => (OF_CASES, "c.received_at", "NOT coalesce({ending} = {merged}, false)"),
        Cohort::Resolved => (OF_CYCLES, "y.resolved_at", "true"),
        Cohort::FirstResolved => (OF_CASES, "c.resolved_at", "true"),
        Cohort::Closed => (OF_CASES, "c.ended_at", "c.ending = {closed}"),
        Cohort::Told => (OF_CYCLES, "y.told_at", "true"),
        Cohort::Called => (OF_CALLS, "k.ended_at", "true"),
        Cohort::Paid => (OF_PAYMENTS, "p.paid_at", "true"),
        Cohort::WrittenOff => (OF_LOSSES, "l.written_off_at", "true"),
        Cohort::Acknowledged => (OF_CASES, "c.acknowledged_at", "true"),
        Cohort::TaskDone => (OF_TASKS, "t.done_at", "true"),
        Cohort::TaskOverdue => (OF_TASKS, "t.overdue_at", "true"),
    };
    Source { from, at, only }
}

/// The same complainant's other cases about the same, of a time that is given.
macro_rules! others {
    ($when:literal) => {
        concat!(
            "c.complainant IS NOT NULL AND EXISTS (SELECT FROM case_fact o
             WHERE o.tenant_id = c.tenant_id AND o.complainant = c.complainant AND o.category = c.category
               AND o.case_id <> c.case_id AND NOT coalesce({other_ending} = {merged}, false) AND ",
            $when,
            ")"
        )
    };
}

/// When a fact counts.
fn condition(measure: Measure) -> &'static str {
    match measure {
        Measure::Received
        | Measure::Resolved
        | Measure::FirstResolved
        | Measure::Closed
        | Measure::Told
        | Measure::Called
        | Measure::Payments
        | Measure::Paid
        | Measure::Losses
        | Measure::WrittenOff
        | Measure::TasksOverdue => "true",
        Measure::TasksDue => "t.due_at IS NOT NULL",
        Measure::TasksInTime => "t.done_at <= t.due_at",
        Measure::Completed => "{ending} IN ({closed}, {withdrawn}, {declined})",
        Measure::Repeated => others!(
            "(o.received_at, o.case_id) < (c.received_at, c.case_id) AND o.received_at >= c.received_at - {repeated}"
        ),
        Measure::Escalated => "c.escalated_at <= {as_of} OR c.channel IN ({social}, {regulator})",
        Measure::Reopened => "y.reopened_at <= {as_of}",
        Measure::Decided => "{outcome} IS NOT NULL",
        Measure::Upheld => "{outcome} IN ({upheld}, {partly_upheld})",
        Measure::FirstTime => concat!(
            "NOT coalesce(c.reopened_at <= {as_of}, false) AND NOT (",
            others!(
                "o.received_at > c.resolved_at AND o.received_at <= least(c.resolved_at + {repeated}, {as_of})"
            ),
            ")"
        ),
        Measure::Promised => "NOT coalesce(c.history, false)",
        Measure::WithinLimit => {
            "NOT coalesce(c.history, false) AND NOT coalesce(c.limit_breached_at <= {ended}, false)"
        }
        Measure::WithinPromise => {
            "NOT coalesce(c.history, false) AND NOT coalesce(c.breached_at <= {ended}, false)"
        }
        Measure::Answered => "{satisfaction} IS NOT NULL",
        Measure::Satisfied => "{satisfaction} >= {satisfied}",
        Measure::HandlingAnswered => "{handling} IS NOT NULL",
        Measure::HandlingSatisfied => "{handling} >= {satisfied}",
        Measure::Reached => "k.outcome = {reached}",
        Measure::Recorded => "c.complete IS NOT NULL",
        Measure::Complete => "c.complete",
    }
}

/// How long something took, in seconds.
fn seconds(span: Span) -> &'static str {
    match span {
        Span::Acknowledgement => "extract(epoch FROM c.acknowledged_at - c.received_at)",
        Span::AcknowledgementWorking => "c.acknowledged_work - c.received_work",
        Span::Task => "extract(epoch FROM t.done_at - t.created_at)",
        Span::TaskWorking => "t.done_work - t.created_work",
        Span::Response => "extract(epoch FROM c.resolved_at - c.received_at)",
        Span::ResponseWorking => "c.resolved_work - c.received_work",
        Span::ResponseNet => {
            "extract(epoch FROM c.resolved_at - c.received_at) - CASE WHEN c.paused THEN (
                 SELECT coalesce(sum(extract(epoch FROM greatest(least(coalesce(s.until, c.resolved_at), c.resolved_at)
                                                                 - greatest(s.at, c.received_at), interval '0'))), 0)
                 FROM (SELECT at, pauses, lead(at) OVER (ORDER BY ordinal) AS until FROM pause_fact
                       WHERE tenant_id = c.tenant_id AND case_id = c.case_id) s WHERE s.pauses) ELSE 0 END"
        }
    }
}

fn dimension(dimension: Option<Dimension>) -> &'static str {
    match dimension {
        None => "''::text",
        Some(Dimension::Channel) => "coalesce(c.channel, 0)::text",
        Some(Dimension::Category) => "coalesce(c.category, '')",
        Some(Dimension::Region) => "coalesce(c.region, '')",
        Some(Dimension::Department) => "coalesce(c.department, '')",
        Some(Dimension::Product) => "coalesce(c.product, '')",
        Some(Dimension::Priority) => "coalesce(c.priority, 0)::text",
        Some(Dimension::Recorder) => "coalesce(c.recorder, '')",
    }
}

/// The condition that a case meets all filters.
fn chosen(binds: &mut Binds, filters: &[Filter]) -> String {
    let mut condition = String::new();
    for filter in filters {
        let values = binds.value(filter.values.clone());
        for part in [" AND ", dimension(Some(filter.dimension)), " = ANY(", &values, ")"] {
            condition.push_str(part);
        }
    }
    condition
}

fn number(dimension: Option<Dimension>) -> i16 {
    dimension.map_or(0, Dimension::number)
}

/// What all statements here share: the values that are bound, and the parts of their text.
pub(super) struct Counting {
    pub(super) binds: Binds,
    parts: String,
    as_of: String,
    /// Whether figures of the past are wanted.
    is_past: bool,
    filters: String,
    dimensions: Vec<Option<Dimension>>,
}

impl Counting {
    /// Counts parts of a window, told apart by each of these dimensions.
    pub(super) fn new(
        parts: &[Part],
        dimensions: Vec<Option<Dimension>>,
        filters: &[Filter],
        as_of: Option<jiff::Timestamp>,
    ) -> Self {
        let mut binds = Binds::default();
        let rows = binds
            .rows(parts)
            .column("part", |part| part.0)
            .column("lower", |part| part.1.to_sqlx())
            .column("upper", |part| part.2.to_sqlx())
            .done();
        let (parts, is_past) = (rows.to_string(), as_of.is_some());
        let as_of = format!(
            "coalesce({}::timestamptz, 'infinity')",
            binds.value(as_of.map(jiff_sqlx::ToSqlx::to_sqlx))
        );
        let filters = chosen(&mut binds, filters);
        Self { binds, parts, as_of, is_past, filters, dimensions }
    }

    /// Puts the terms of now, or of a time in the past, into a text.
    fn write(&self, text: &str) -> String {
        let terms = if self.is_past {
            [
                ("{ending}", past_ending("c")),
                ("{other_ending}", past_ending("o")),
                ("{ended}", "e.at".to_owned()),
                ("{outcome}", PAST_OUTCOME.to_owned()),
                ("{satisfaction}", past_score("satisfaction")),
                ("{handling}", past_score("handling")),
            ]
        } else {
            let now = ["c.ending", "o.ending", "c.ended_at", "y.outcome", "y.satisfaction", "y.handling"];
            let names =
                ["{ending}", "{other_ending}", "{ended}", "{outcome}", "{satisfaction}", "{handling}"];
            std::array::from_fn(|place| (names[place], now[place].to_owned()))
        };
        let text = terms.iter().fold(text.to_owned(), |text, (name, term)| text.replace(name, term));
        let text = NAMED.iter().fold(text, |text, (name, number)| text.replace(name, &number.to_string()));
        text.replace("{as_of}", &self.as_of).replace("{repeated}", REPEATED)
    }

    /// The facts of a cohort, each with its part, what it is told apart by, and columns.
    ///
    /// `OFFSET 0` keeps the planner from turning it round: each part reads its own range of an
    /// index, where it would else read all facts there are and look for the part of each (a
    /// day of a year of a million cases: 18 s instead of 0.5). And each column is worked out
    /// once a fact, not once for each dimension it is told apart by.
    fn facts(&self, cohort: Cohort, columns: &[String]) -> String {
        let Source { from, at, only } = source(cohort);
        let past = if self.is_past { past_source(cohort) } else { None };
        let (from, at, only) = past.unwrap_or_else(|| (from.to_owned(), at, only.to_owned()));
        let alias = at.split('.').next().unwrap_or_default();
        let values: Vec<String> =
            self.dimensions.iter().map(|of| format!("{} AS d{}", dimension(*of), number(*of))).collect();
        let text = self.write(&format!(
            "SELECT b.part, f.* FROM {rows} AS b CROSS JOIN LATERAL (
                 SELECT {values}, {columns} FROM {from}
                 WHERE {alias}.tenant_id = current_setting('redress.tenant') AND {at} >= b.lower AND {at} < b.upper
                   AND {at} <= {{as_of}} AND {only}{filters} OFFSET 0) AS f",
            values = values.join(", "),
            columns = columns.join(", "),
            rows = self.parts,
            filters = self.filters,
        ));
        // A task is the department's that did it, a loss that of the one that was to take it
        // back, whoever handles the case.
        let is_of_task = matches!(cohort, Cohort::TaskDone | Cohort::TaskOverdue | Cohort::WrittenOff);
        if is_of_task { text.replace("c.department", &format!("{alias}.department")) } else { text }
    }

    /// Tells facts apart: each is one row for each dimension.
    fn apart(&self) -> String {
        let values = self.dimensions.iter().map(|of| format!("({of}::smallint, x.d{of})", of = number(*of)));
        format!(
            "CROSS JOIN LATERAL (VALUES {}) AS d (dimension, value)",
            values.collect::<Vec<_>>().join(", ")
        )
    }

    /// What is counted of a cohort: part, dimension, value, measure, currency, amount.
    fn counted(&self, cohort: Cohort, measures: &[Measure]) -> String {
        let column = |measure: &Measure| format!("({}) AS m{}", condition(*measure), measure.number());
        let mut columns: Vec<String> = measures.iter().map(column).collect();
        match cohort {
            Cohort::Paid => columns.extend(["p.currency".to_owned(), "p.minor".to_owned()]),
            Cohort::WrittenOff => columns.extend(["l.currency".to_owned(), "l.minor".to_owned()]),
            _ => columns.push("''::text AS currency".to_owned()),
        }
        let count = |measure: &Measure| {
            let number = measure.number();
            if measure.is_sum() {
                format!("sum(x.minor)::bigint AS n{number}")
            } else {
                format!("count(*) FILTER (WHERE x.m{number}) AS n{number}")
            }
        };
        let counts: Vec<String> = measures.iter().map(count).collect();
        let list = |measure: &Measure| {
            let number = measure.number();
            let currency = if measure.is_sum() { "a.currency" } else { "''" };
            format!("({number}::smallint, {currency}, a.n{number})")
        };
        let lists: Vec<String> = measures.iter().map(list).collect();
        format!(
            "SELECT a.part, a.dimension, a.value, m.measure, m.currency, sum(m.amount)::bigint AS amount FROM
                 (SELECT x.part, d.dimension, d.value, x.currency, {counts} FROM ({rows}) x {apart}
                  GROUP BY x.part, d.dimension, d.value, x.currency) a
             CROSS JOIN LATERAL (VALUES {lists}) AS m (measure, currency, amount)
             WHERE m.amount <> 0 GROUP BY a.part, a.dimension, a.value, m.measure, m.currency",
            counts = counts.join(", "),
            rows = self.facts(cohort, &columns),
            apart = self.apart(),
            lists = lists.join(", "),
        )
    }

    /// What is counted of all that is wanted.
    pub(super) fn numbers(&self, measures: &BTreeSet<Measure>) -> String {
        let cohorts: BTreeSet<Cohort> = measures.iter().map(|measure| measure.cohort()).collect();
        let one = |cohort: Cohort| {
            let of: Vec<Measure> =
                measures.iter().copied().filter(|measure| measure.cohort() == cohort).collect();
            self.counted(cohort, &of)
        };
        cohorts.into_iter().map(one).collect::<Vec<_>>().join(" UNION ALL ")
    }

    /// The durations of a cohort: part, dimension, value, span, seconds.
    fn lasted(&self, cohort: Cohort, spans: &[Span]) -> String {
        let column = |span: &Span| {
            // Who writes to us before a complaint is received here answers at once.
            format!("least(greatest({}, 0), 2147483647)::integer AS s{}", seconds(*span), span.number())
        };
        let columns: Vec<String> = spans.iter().map(column).collect();
        let aggregate = |span: &Span| {
            let number = span.number();
            format!("array_agg(x.s{number}) FILTER (WHERE x.known) AS s{number}")
        };
        let aggregates: Vec<String> = spans.iter().map(aggregate).collect();
        let list = |span: &Span| format!("({number}::smallint, a.s{number})", number = span.number());
        let lists: Vec<String> = spans.iter().map(list).collect();
        let begun = if cohort == Cohort::TaskDone { "t.created_at" } else { "c.received_at" };
        let known = format!("{begun} IS NOT NULL AS known");
        let rows = self.facts(cohort, &[columns, vec![known]].concat());
        format!(
            "SELECT a.part, a.dimension, a.value, m.span, m.seconds FROM
                 (SELECT x.part, d.dimension, d.value, {aggregates} FROM ({rows}) x {apart}
                  GROUP BY x.part, d.dimension, d.value) a
             CROSS JOIN LATERAL (VALUES {lists}) AS m (span, seconds) WHERE m.seconds IS NOT NULL",
            aggregates = aggregates.join(", "),
            apart = self.apart(),
            lists = lists.join(", "),
        )
    }

    /// All the durations that are wanted.
    pub(super) fn samples(&self, spans: &BTreeSet<Span>) -> String {
        let cohorts: BTreeSet<Cohort> = spans.iter().map(|span| span.cohort()).collect();
        let one = |cohort: Cohort| {
            let of: Vec<Span> = spans.iter().copied().filter(|span| span.cohort() == cohort).collect();
            self.lasted(cohort, &of)
        };
        cohorts.into_iter().map(one).collect::<Vec<_>>().join(" UNION ALL ")
    }
}

/// A count as statements answer it: part, value, measure, currency, amount.
pub(super) type NumberRow = (i32, String, i16, String, i64);
/// Durations as statements answer them: part, value, span, seconds.
pub(super) type SampleRow = (i32, String, i16, Vec<i32>);

/// Takes rows into a tally.
pub(super) fn take(tally: &mut Tally, numbers: Vec<NumberRow>, samples: Vec<SampleRow>) -> Result<(), Fault> {
    let place = |part: i32| usize::try_from(part).map_err(Fault::internal);
    for (part, value, measure, currency, amount) in numbers {
        let measure = Measure::of(measure).ok_or_else(|| impossible_fact("measure"))?;
        tally.entry((place(part)?, value)).or_default().add(measure, currency, amount);
    }
    for (part, value, span, seconds) in samples {
        let span = Span::of(span).ok_or_else(|| impossible_fact("span"))?;
        tally.entry((place(part)?, value)).or_default().sample(span, seconds);
    }
    Ok(())
}

/// Counts facts.
pub(crate) async fn count_facts(
    conn: &mut PgConnection,
    parts: &[Part],
    scope: &Scope,
    wanted: &Wanted,
    tally: &mut Tally,
) -> Result<(), Fault> {
    if parts.is_empty() {
        return Ok(());
    }
    let counting = || Counting::new(parts, vec![scope.dimension], &scope.filters, scope.as_of);
    let (mut numbers, mut samples) = (Vec::new(), Vec::new());
    if !wanted.measures.is_empty() {
        let counting = counting();
        let rows = counting.numbers(&wanted.measures);
        let text = format!("SELECT part, value, measure, currency, amount FROM ({rows}) t");
        let rows = sqlx::query_as_with(AssertSqlSafe(text), counting.binds.arguments()?);
        numbers = rows.fetch_all(&mut *conn).await?;
    }
    if !wanted.spans.is_empty() {
        let counting = counting();
        let rows = counting.samples(&wanted.spans);
        let text = format!("SELECT part, value, span, seconds FROM ({rows}) t");
        let rows = sqlx::query_as_with(AssertSqlSafe(text), counting.binds.arguments()?);
        samples = rows.fetch_all(&mut *conn).await?;
    }
    take(tally, numbers, samples)
}

/// What is open at a time: place of its age, value, how many, how many of those overdue.
pub(crate) async fn count_open(
    conn: &mut PgConnection,
    at: jiff::Timestamp,
    ages: &[i32],
    scope: &Scope,
) -> Result<Vec<(i32, String, i64, i64)>, Fault> {
    let mut binds = Binds::default();
    let at = format!("{}::timestamptz", binds.value(at.to_sqlx()));
    let ages = binds.value(ages.to_vec());
    let filters = chosen(&mut binds, &scope.filters);
    // Of a time in the past: what had ended by then, and was opened again since, was not open.
    let was_open = match scope.as_of {
        Some(_) => format!(" AND coalesce({}, 0) = 0", past_ending("c")).replace("{as_of}", &at),
        None => String::new(),
    };
    // Two halves, so that each finds its index.
    let half = |is_open: &str| {
        format!(
            "SELECT {} AS value, c.received_at, c.breached_at FROM case_fact c
             WHERE c.tenant_id = current_setting('redress.tenant') AND c.received_at <= {at} AND {is_open}{was_open}{filters}",
            dimension(scope.dimension),
        )
    };
    let statement = format!(
        "SELECT width_bucket(floor(extract(epoch FROM {at} - o.received_at) / 86400)::integer, {ages}) - 1, o.value,
                count(*), count(*) FILTER (WHERE o.breached_at <= {at})
         FROM ({} UNION ALL {}) o GROUP BY 1, 2",
        half("c.ended_at IS NULL"),
        half(&format!("c.ended_at > {at}")),
    );
    let rows = sqlx::query_as_with(AssertSqlSafe(statement), binds.arguments()?);
    Ok(rows.fetch_all(conn).await?)
}

#[cfg(test)]
mod tests;
