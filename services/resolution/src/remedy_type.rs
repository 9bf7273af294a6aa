//! Types of remedy of a tenant's own: what a step of one brings, what comes of its task, and
//! what is wrong with either. Pure.
//!
//! A version never changes, and a step keeps the one it was proposed under.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use forms::{Form, Violation};
use jiff::Timestamp;

use crate::remedy::{CustomRemedy, Flaw, Remedy};

/// Most types of a tenant.
pub const MAX_TYPES: i64 = 500;
/// Most versions of a type.
pub const MAX_VERSIONS: i64 = 500;
/// Shortest limit of an attempt.
pub const MIN_ATTEMPT: Duration = Duration::from_mins(1);
/// Longest limit of an attempt.
pub const MAX_ATTEMPT: Duration = Duration::from_hours(30 * 24);
/// The limit of an attempt where a type says none.
pub const USUAL_ATTEMPT: Duration = Duration::from_hours(3 * 24);

/// A version of a type, as it is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RemedyType {
    /// Its name.
    pub type_id: String,
    /// The version, from 1.
    pub version: i64,
    /// Title for people.
    pub title: String,
    /// Who does it where a step does not say.
    pub department_id: Option<String>,
    /// JSON Schema of what a step brings; empty in lists.
    pub input_schema: String,
    /// JSON Schema of what comes of a task; empty in lists.
    pub result_schema: String,
    /// Whether doing it twice costs twice.
    pub moves_value: bool,
    /// How long one attempt may go on.
    pub attempt: Duration,
    /// What the department is told when it is to be undone; none where it cannot be.
    pub undo_instructions: Option<String>,
    /// Who wrote it.
    pub creator: String,
    /// When.
    pub created_at: Timestamp,
    /// Since when no plan may be proposed with the type.
    pub disabled_at: Option<Timestamp>,
}

/// A version whose schemas were read.
#[derive(Debug)]
pub struct ReadType {
    kept: RemedyType,
    input: Form,
    result: Form,
}

impl ReadType {
    /// Reads the schemas of a version; takes milliseconds. What cannot be read is told all at
    /// once.
    ///
    /// # Errors
    ///
    /// Fails with what is wrong with either schema.
    pub fn read(kept: RemedyType) -> Result<Self, Vec<Flaw>> {
        let flaw = |field: &'static str| move |what| vec![Flaw::new(field, what)];
        let input = Form::read(&kept.input_schema).map_err(flaw("input_schema"));
        let result = Form::read(&kept.result_schema).map_err(flaw("result_schema"));
        match (input, result) {
            (Ok(input), Ok(result)) => Ok(Self { kept, input, result }),
            (input, result) => Err([input.err(), result.err()].into_iter().flatten().flatten().collect()),
        }
    }

    /// What it is kept by: its name and version.
    pub fn key(&self) -> (String, i64) {
        (self.kept.type_id.clone(), self.kept.version)
    }

    /// How much memory it takes, roughly.
    pub fn bytes(&self) -> usize {
        self.input.bytes().saturating_add(self.result.bytes())
    }

    fn step(&self, input: String) -> CustomRemedy {
        let RemedyType { type_id, version, moves_value, attempt, undo_instructions, .. } = &self.kept;
        CustomRemedy {
            type_id: type_id.clone(),
            version: *version,
            input,
            moves_value: *moves_value,
            attempt: *attempt,
            undo_instructions: undo_instructions.clone(),
        }
    }
}

/// Versions of types that somebody has read, to hold steps and results against.
#[derive(Clone, Debug, Default)]
pub struct RemedyTypes {
    read: BTreeMap<(String, i64), Arc<ReadType>>,
    /// Those of them that no plan may be proposed with.
    disabled: BTreeSet<String>,
}

impl RemedyTypes {
    /// These, of which some are disabled.
    pub fn of(read: Vec<Arc<ReadType>>, disabled: BTreeSet<String>) -> Self {
        Self { read: read.into_iter().map(|one| (one.key(), one)).collect(), disabled }
    }

    /// Departments that steps go to which do not say.
    pub fn departments(&self) -> impl Iterator<Item = &str> {
        self.read.values().filter_map(|one| one.kept.department_id.as_deref())
    }

    fn newest(&self, type_id: &str) -> Option<&Arc<ReadType>> {
        self.read.values().rfind(|one| one.kept.type_id == type_id)
    }

    /// The version that a remedy is under.
    fn under(&self, remedy: &Remedy) -> Option<&Arc<ReadType>> {
        let custom = remedy.custom.as_ref()?;
        self.read.get(&(custom.type_id.clone(), custom.version))
    }

    /// Whether holding these remedies, which are proposed, against their types may take more
    /// than a millisecond.
    pub fn is_heavy_for_inputs<'a>(&self, remedies: impl Iterator<Item = &'a Remedy>) -> bool {
        let heavy = |custom: &CustomRemedy| {
            self.newest(&custom.type_id).is_some_and(|of| of.input.is_heavy(custom.input.len()))
        };
        let custom: Vec<&CustomRemedy> = remedies.filter_map(|remedy| remedy.custom.as_ref()).collect();
        // Several light ones together are heavy.
        custom.len() > 1 || custom.into_iter().any(heavy)
    }

    /// Whether holding an output against its type may take more than a millisecond.
    pub fn is_heavy_for_output(&self, remedy: &Remedy, output: &str) -> bool {
        self.under(remedy).is_some_and(|of| of.result.is_heavy(output.len()))
    }

    /// Puts a remedy that is proposed under the version of its type that holds, and in the
    /// type's department where no other is named; answers what is wrong with it, as fields of
    /// its step.
    pub fn take(&self, remedy: &mut Remedy, department_id: &mut String) -> Vec<Flaw> {
        let Some(custom) = &remedy.custom else { return Vec::new() };
        let Some(of) = self.newest(&custom.type_id) else {
            return vec![Flaw::new("remedy_type", "is not a type of remedy")];
        };
        let mut flaws = Vec::new();
        if self.disabled.contains(&custom.type_id) {
            flaws.push(Flaw::new("remedy_type", "is disabled"));
        }
        if department_id.is_empty() {
            match &of.kept.department_id {
                Some(usual) => department_id.clone_from(usual),
                None => flaws.push(Flaw::new("department_id", "is required: its type names none")),
            }
        }
        flaws.extend(wrong(&of.input, "input", &custom.input));
        remedy.custom = Some(of.step(custom.input.clone()));
        flaws
    }

    /// What is wrong with the output of a task that does a remedy or undoes it, as fields of its
    /// result.
    pub fn flaws_of_output(&self, remedy: &Remedy, undoes: bool, output: &str) -> Vec<Flaw> {
        let one = |what: &str| vec![Flaw::new("output", what)];
        match (&remedy.custom, output.is_empty()) {
            (None, false) => one("is not for this kind"),
            (Some(_), false) if undoes => one("is not for what undoes another"),
            (Some(_), true) if !undoes => one("is required for this kind"),
            (_, true) => Vec::new(),
            (Some(_), false) => match self.under(remedy) {
                Some(of) => wrong(&of.result, "output", output),
                None => one("cannot be checked: its type was not read"),
            },
        }
    }
}

/// What is wrong with a text that is to fit a schema, as fields below one.
fn wrong(form: &Form, field: &str, text: &str) -> Vec<Flaw> {
    let found = match forms::answer(text) {
        Ok(answer) => form.violations(&answer),
        Err(what) => vec![Violation { field: String::new(), what }],
    };
    let below = |Violation { field: below, what }| {
        let dot = if below.is_empty() { "" } else { "." };
        Flaw::new(format!("{field}{dot}{below}"), what)
    };
    found.into_iter().map(below).collect()
}

#[cfg(test)]
mod tests;
