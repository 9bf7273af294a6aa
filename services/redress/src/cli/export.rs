//! `redress export …`: what other programs take. Process mining: what happened to cases, as
//! OCEL 2.0 and as XES.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use eventlog::{Counts, Event, Format, Log, Object, Relation, Spool, Value};
use jiff::Timestamp;
use proto::activity;
use proto::google::r#type::Money;
use proto::redress::cases::v1::Outcome;
use proto::redress::event::v1::ComplainantPart;
use proto::redress::feedback::v1::process_service_client::ProcessServiceClient;
use proto::redress::feedback::v1::{
    ExportProcessLogRequest, ProcessActivity, ProcessCase, ProcessEvent, ProcessLogSummary,
};
use proto::redress::intake::v1::Channel;
use serde_json::json;
use show::words::{self, Words};

use super::connection::{Caller, Connection};

/// Longest that a log may take to come.
const LONGEST: Duration = Duration::from_hours(6);

#[derive(Args)]
pub(crate) struct Export {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Writes what happened to cases, for process mining: nobody is named in it
    Process(Process),
}

#[derive(Args)]
struct Process {
    /// First day of receipt, as `2026-01-01`
    #[arg(long)]
    from: String,
    /// The day after the last, as `2027-01-01`
    #[arg(long, alias = "to")]
    until: String,
    /// What it is written as: ocel-json, ocel-xml, ocel-sqlite, xes; more than one may be named
    #[arg(long = "format", default_value = "ocel-json", value_parser = format)]
    formats: Vec<Format>,
    /// The folder it is written to, under names of its own; this one by default
    #[arg(long, default_value = ".")]
    out: PathBuf,
}

fn format(name: &str) -> Result<Format, String> {
    let names = Format::ALL.map(Format::name).join(", ");
    Format::named(name).ok_or_else(|| format!("must be one of {names}"))
}

impl Export {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let caller = self.connection.open().await?;
        let Verb::Process(process) = self.verb;
        process.run(&caller).await
    }
}

impl Process {
    async fn run(self, caller: &Caller) -> anyhow::Result<()> {
        let spool = self.spool(caller).await?;
        // Reading and writing files takes as long as it takes.
        let (counts, files) = tokio::task::spawn_blocking(move || self.write(spool)).await??;
        let files: Vec<String> = files.iter().map(|path| path.display().to_string()).collect();
        Ok(show::say(&if caller.json { as_json(&counts, &files) } else { as_text(&counts, &files) })?)
    }

    /// Takes the log in, and makes sure that it is all there.
    async fn spool(&self, caller: &Caller) -> anyhow::Result<Spool> {
        let request = ExportProcessLogRequest { start_date: self.from.clone(), end_date: self.until.clone() };
        let mut service = ProcessServiceClient::new(caller.client.within(LONGEST).calls());
        let mut pieces = service.export_process_log(request).await?.into_inner();
        let mut taking = Taking { spool: Spool::create()?, complainants: HashMap::new() };
        let (mut taken, mut told) = (ProcessLogSummary::default(), None);
        while let Some(piece) = pieces.message().await? {
            taken.case_count += i64::try_from(piece.cases.len())?;
            taken.event_count += i64::try_from(piece.events.len())?;
            taking.cases(piece.cases)?;
            piece.events.iter().try_for_each(|event| taking.event(event))?;
            told = piece.summary.or(told);
        }
        if told != Some(taken) {
            bail!("the log is not whole: the stream ended before its end; ask for it again");
        }
        Ok(taking.spool)
    }

    /// Writes the log as each format: under its name only once it is whole.
    fn write(&self, spool: Spool) -> anyhow::Result<(Counts, Vec<PathBuf>)> {
        let log = spool.finish(&format!("Cases received from {} until {}", self.from, self.until))?;
        let mut files = Vec::new();
        for format in &self.formats {
            let name = format!("process-{}-{}.{}", self.from, self.until, format.ending());
            let path = self.out.join(name);
            write_whole(&log, *format, &self.out, &path)
                .with_context(|| format!("cannot write {}", path.display()))?;
            files.push(path);
        }
        Ok((log.counts()?, files))
    }
}

fn write_whole(log: &Log, format: Format, folder: &Path, path: &Path) -> anyhow::Result<()> {
    let file = tempfile::Builder::new().prefix(".process-").tempfile_in(folder)?;
    log.write(format, file.path())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

fn as_json(counts: &Counts, files: &[String]) -> String {
    json!({
        "cases": counts.traces,
        "events": counts.events,
        "objects": counts.objects,
        "eventObjectRelations": counts.event_object,
        "objectObjectRelations": counts.object_object,
        "files": files,
    })
    .to_string()
}

fn as_text(counts: &Counts, files: &[String]) -> String {
    let Counts { events, objects, event_object, object_object, traces } = counts;
    format!(
        "{traces} cases, {events} events, {objects} objects, {event_object} relations of events with objects, \
         {object_object} of objects with each other\n{}",
        files.join("\n")
    )
}

/// A word of a contract's enum; none where it is not specified.
fn word<E: Words>(name: &'static str, number: i32) -> Option<(&'static str, Value)> {
    (number != 0).then(|| (name, Value::Text(words::word::<E>(number))))
}

fn priority_of(number: i32) -> Option<(&'static str, Value)> {
    (number != 0).then(|| ("priority", Value::Text(words::priority(number))))
}

fn text(name: &'static str, text: &str) -> Option<(&'static str, Value)> {
    (!text.is_empty()).then(|| (name, text.into()))
}

/// A log on its way into the spool. Events are of the cases that came last.
struct Taking {
    spool: Spool,
    /// The complainants of the cases that came last.
    complainants: HashMap<String, String>,
}

/// An object of which nothing is known but that it is there.
fn bare<'a>(kind: &'static str, id: &'a str) -> Object<'a> {
    Object { kind, id, attributes: Vec::new() }
}

impl Taking {
    fn cases(&mut self, cases: Vec<ProcessCase>) -> Result<(), eventlog::Error> {
        if !cases.is_empty() {
            self.complainants.clear();
        }
        cases.into_iter().try_for_each(|case| self.case(case))
    }

    fn case(&mut self, case: ProcessCase) -> Result<(), eventlog::Error> {
        let ProcessCase { case_id, complainant, channel, category, priority, outcome } = case;
        let attributes = [
            word::<Channel>("channel", channel),
            text("category", &category),
            priority_of(priority),
            word::<Outcome>("outcome", outcome),
        ];
        let attributes = attributes.into_iter().flatten().collect();
        self.spool.object(Object { kind: "case", id: &case_id, attributes })?;
        self.spool.object(bare("complaint", &case_id))?;
        self.relate(("complaint", &case_id), "handled as", ("case", &case_id))?;
        if !complainant.is_empty() {
            self.spool.object(bare("complainant", &complainant))?;
            self.relate(("complainant", &complainant), "made", ("complaint", &case_id))?;
            self.complainants.insert(case_id, complainant);
        }
        Ok(())
    }

    fn relate(
        &mut self,
        (from, id): (&'static str, &str),
        qualifier: &'static str,
        (kind, to): (&'static str, &str),
    ) -> Result<(), eventlog::Error> {
        self.spool.relate(from, id, Relation { kind, id: to, qualifier })
    }

    fn event(&mut self, event: &ProcessEvent) -> Result<(), eventlog::Error> {
        let case = event.case_id.as_str();
        let mut objects = Vec::new();
        for (kind, id, qualifier) in parts(event) {
            self.spool.object(bare(kind, id))?;
            objects.push(Relation { kind, id, qualifier });
        }
        if !event.plan_id.is_empty() {
            self.relate(("plan", &event.plan_id), "remedy of", ("case", case))?;
        }
        if !event.task_id.is_empty() {
            self.relate(("task", &event.task_id), "work for", ("case", case))?;
        }
        if !event.task_id.is_empty() && !event.plan_id.is_empty() {
            self.relate(("task", &event.task_id), "step of", ("plan", &event.plan_id))?;
        }
        if !event.problem_id.is_empty() {
            self.relate(("case", case), "instance of", ("problem", &event.problem_id))?;
        }
        // A case that is not in the log itself has no part in it.
        if !event.other_case_id.is_empty() {
            objects.push(Relation { kind: "case", id: &event.other_case_id, qualifier: "other case" });
        }
        let (complaint, side) = sides(event.activity);
        if complaint {
            objects.push(Relation { kind: "complaint", id: case, qualifier: "about" });
        }
        let complainant = self.complainants.get(case).map(String::as_str);
        objects.extend(complainant.zip(side).map(|(id, qualifier)| Relation {
            kind: "complainant",
            id,
            qualifier,
        }));
        self.spool.event(Event {
            id: &event.event_id,
            activity: &name(event),
            time: time(event),
            attributes: attributes(event),
            trace: Relation { kind: "case", id: case, qualifier: "of" },
            objects,
        })
    }
}

/// What else an event is about, of which there is nothing to know.
fn parts(event: &ProcessEvent) -> impl Iterator<Item = (&'static str, &str, &'static str)> {
    let parts = [
        ("plan", event.plan_id.as_str(), "of"),
        ("task", event.task_id.as_str(), "of"),
        ("department", event.department_id.as_str(), "with"),
        ("agent", event.agent.as_str(), "by"),
        ("problem", event.problem_id.as_str(), "to"),
    ];
    parts.into_iter().filter(|(_, id, _)| !id.is_empty())
}

/// Whether it happens to the complaint itself, and what its complainant has to do with it: as
/// the contracts say of the event that tells it.
fn sides(activity: i32) -> (bool, Option<&'static str>) {
    let Some(activity) = activity::activity(activity) else { return (false, None) };
    let side = match ComplainantPart::try_from(activity.complainant) {
        Ok(ComplainantPart::By) => Some("by"),
        Ok(ComplainantPart::To) => Some("to"),
        Ok(ComplainantPart::Unspecified) | Err(_) => None,
    };
    (activity.of_complaint, side)
}

/// What happened, in words. Servers of before they told it have listed it.
fn name(event: &ProcessEvent) -> Cow<'_, str> {
    if event.activity_name.is_empty() {
        words::word::<ProcessActivity>(event.activity).into()
    } else {
        event.activity_name.as_str().into()
    }
}

fn time(event: &ProcessEvent) -> Timestamp {
    let time = event.occur_time.unwrap_or_default();
    Timestamp::new(time.seconds, time.nanos).unwrap_or_default()
}

fn attributes(event: &ProcessEvent) -> Vec<(&'static str, Value)> {
    let mut all: Vec<_> = [
        text("category", &event.category),
        priority_of(event.priority),
        word::<Outcome>("outcome", event.outcome),
        text("detail", &event.detail),
    ]
    .into_iter()
    .flatten()
    .collect();
    all.push(("cycle", Value::Number(f64::from(event.cycle))));
    if let Some(money) = &event.amount {
        all.push(("amount", Value::Number(sum(money))));
        all.extend(text("currency", &money.currency_code));
    }
    all
}

/// A sum as the number that is nearest to it.
fn sum(Money { units, nanos, .. }: &Money) -> f64 {
    let sign = if *units < 0 || *nanos < 0 { "-" } else { "" };
    let digits = format!("{sign}{}.{:09}", units.unsigned_abs(), nanos.unsigned_abs());
    digits.parse().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_is_the_nearest_number_whatever_its_sign() {
        let of = |units, nanos| sum(&Money { units, nanos, ..Money::default() }).to_string();
        assert_eq!(of(39, 900_000_000), "39.9");
        assert_eq!(of(-39, -900_000_000), "-39.9");
        assert_eq!(of(0, -10_000_000), "-0.01");
        assert_eq!(of(1_234_567_890_123, 450_000_000), "1234567890123.45");
        assert_eq!(of(7, 0), "7");
    }
}
