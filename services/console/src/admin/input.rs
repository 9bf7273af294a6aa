//! What administrators edit: fields, what is in them, and what is wrong with which line.

use crate::form::Posted;
use crate::problem::{Problem, Violation};
use crate::words::Words;

/// Most faults that are told of one field.
const FAULTS_MAX: usize = 50;
/// Longest piece of a line that is shown beside its fault, in characters.
const EXCERPT_MAX: usize = 120;

/// What a field is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum InputKind {
    /// One line, of at most so many characters.
    Line(usize),
    /// A whole number.
    Number,
    /// Several lines: how many are shown, the most characters.
    Text { rows: u8, max: usize },
    /// Several lines that programs read: JSON, TOML, a list with an item on each line.
    Code { rows: u8, max: usize },
    /// One of these: as it is sent, what it is called.
    Choice(Vec<(String, String)>),
    /// A box to tick.
    Tick,
    /// Sent along and not shown.
    Hidden,
}

/// What is wrong with a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// The line it is in, from 1; none where it is no matter of a line.
    pub(super) line: Option<usize>,
    /// That line.
    pub(super) excerpt: String,
    /// Where in the contract, as far as it is not the field itself.
    pub(super) path: String,
    /// In the service's words.
    pub(super) text: String,
}

/// A field.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Input {
    pub(super) name: &'static str,
    pub(super) label: String,
    pub(super) help: String,
    pub(super) kind: InputKind,
    pub(super) value: String,
    pub(super) is_required: bool,
    pub(super) faults: Vec<Fault>,
}

impl Input {
    pub(super) fn new(name: &'static str, label: impl Into<String>, kind: InputKind) -> Self {
        Self {
            name,
            label: label.into(),
            help: String::new(),
            kind,
            value: String::new(),
            is_required: false,
            faults: Vec::new(),
        }
    }

    /// One that is sent along.
    pub(super) fn hidden(name: &'static str) -> Self {
        Self::new(name, "", InputKind::Hidden)
    }

    pub(super) fn saying(self, help: impl Into<String>) -> Self {
        Self { help: help.into(), ..self }
    }

    pub(super) fn required(self) -> Self {
        Self { is_required: true, ..self }
    }

    /// Whether it is shown.
    pub(super) fn is_shown(&self) -> bool {
        self.kind != InputKind::Hidden
    }

    /// What its value is called.
    pub(super) fn shown(&self, t: Words) -> String {
        match &self.kind {
            InputKind::Choice(all) => {
                let found = all.iter().find(|(value, _)| *value == self.value);
                found.map_or_else(|| self.value.clone(), |(_, name)| name.clone())
            }
            InputKind::Tick => if self.value.is_empty() { t.no() } else { t.yes() }.to_owned(),
            _ => self.value.clone(),
        }
    }

    /// Its lines, each with its number.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.value.lines().enumerate().map(|(place, line)| (place + 1, line))
    }

    /// What describes it, by the ids of what is said.
    pub(super) fn described_by(&self) -> String {
        let parts = [("help", self.help.is_empty()), ("faults", self.faults.is_empty())];
        let said = parts.iter().filter(|(_, is_empty)| !is_empty);
        said.map(|(part, _)| format!("{}-{part}", self.name)).collect::<Vec<_>>().join(" ")
    }
}

/// Fields with what is known.
pub(super) fn filled(mut inputs: Vec<Input>, values: &[(&'static str, String)]) -> Vec<Input> {
    for input in &mut inputs {
        if let Some((_, value)) = values.iter().find(|(name, _)| *name == input.name) {
            input.value.clone_from(value);
        }
    }
    inputs
}

/// Fields with what was sent.
pub(super) fn refilled(mut inputs: Vec<Input>, posted: &Posted) -> Vec<Input> {
    for input in &mut inputs {
        posted.text(input.name).clone_into(&mut input.value);
    }
    inputs
}

/// Where a violation belongs: the name of a field, and the line in it.
pub(super) struct Placed {
    pub(super) input: &'static str,
    pub(super) line: Option<usize>,
}

/// Says beside each field what is wrong with it. Answers what no field is for.
pub(super) fn place_faults(
    inputs: &mut [Input],
    problem: &Problem,
    place: impl Fn(&str, &[Input]) -> Option<Placed>,
) -> Vec<(String, String)> {
    let mut left = Vec::new();
    for Violation { field, description } in &problem.violations {
        let placed = place(field, inputs);
        let found = placed.as_ref().and_then(|placed| inputs.iter_mut().find(|one| one.name == placed.input));
        let Some(input) = found.filter(|input| input.is_shown() && input.faults.len() < FAULTS_MAX) else {
            left.push((field.clone(), description.clone()));
            continue;
        };
        let line = placed.and_then(|placed| placed.line);
        let excerpt = line.and_then(|line| input.value.lines().nth(line.saturating_sub(1)));
        let excerpt = excerpt.unwrap_or_default().trim().chars().take(EXCERPT_MAX).collect();
        input.faults.push(Fault { line, excerpt, path: field.clone(), text: description.clone() });
    }
    left
}

/// The lines of a list with something on them, each with its number.
pub(super) fn items(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().enumerate().map(|(place, line)| (place + 1, line.trim()));
    lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

/// The number of the line that the item of this place stands on.
pub(super) fn line_of_item(text: &str, place: usize) -> Option<usize> {
    items(text).nth(place).map(|(line, _)| line)
}

/// The place that a path names in a list: 3 of `content.days[3].date`.
pub(super) fn place_in(path: &str, list: &str) -> Option<usize> {
    let (_, rest) = path.split_once(&format!("{list}["))?;
    rest.split_once(']')?.0.parse().ok()
}

/// One thing wrong with a line, as the console itself sees.
pub(super) fn wrong_line(list: &str, place: usize, description: &str) -> Violation {
    Violation { field: format!("{list}[{place}]"), description: description.to_owned() }
}

/// Everything that the console itself found wrong.
pub(super) fn all_wrong(violations: Vec<Violation>) -> Problem {
    Problem { violations, ..Problem::own(tonic::Code::InvalidArgument, "FORM_INVALID") }
}

/// The names on the lines of a list, or between commas.
pub(super) fn names(text: &str) -> Vec<String> {
    let pieces = text.split([',', '，', '\n']).map(str::trim);
    pieces.filter(|piece| !piece.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_stands_at_the_line_of_its_item() {
        let text = "# days\n2026-10-01 holiday\n\nnonsense\n";
        assert_eq!(
            (line_of_item(text, 0), line_of_item(text, 1), line_of_item(text, 2)),
            (Some(2), Some(4), None)
        );
        assert_eq!(place_in("content.days[12].date", "days"), Some(12));
        assert_eq!(place_in("content.days", "days"), None);
        let mut inputs =
            vec![Input { value: text.to_owned(), ..Input::new("days", "Days", InputKind::Line(9)) }];
        let problem = all_wrong(vec![wrong_line("days", 1, "is no day"), wrong_line("other", 0, "is wrong")]);
        let left = place_faults(&mut inputs, &problem, |path, inputs| {
            let place = place_in(path, "days")?;
            Some(Placed { input: "days", line: line_of_item(&inputs[0].value, place) })
        });
        assert_eq!(left, [("other[0]".to_owned(), "is wrong".to_owned())]);
        let fault = &inputs[0].faults[0];
        assert_eq!((fault.line, fault.excerpt.as_str()), (Some(4), "nonsense"));
    }
}
