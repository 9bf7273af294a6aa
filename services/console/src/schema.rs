//! Forms of the tenant's, JSON Schemas of an object, as controls of a page: read, filled in,
//! and read back. What they do not say in a way a page can show is left to the service, which
//! checks the whole.

mod filled;
mod node;
mod parsed;

use serde_json::Value;

pub(crate) use filled::{fill, place_errors, read, refill};
pub(crate) use parsed::items;

/// Before the name of a control of the form's.
const PREFIX: &str = "f.";

/// A control, or where some that belong together begin or end.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Item {
    /// What belongs together, under this heading.
    Open {
        /// The heading.
        legend: String,
        /// What is said of all of it; may be empty.
        help: String,
    },
    /// A control.
    Field(Field),
    /// The end of what belongs together.
    Close,
}

/// A control.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Field {
    /// Where its value is: names, the outermost first.
    pub(crate) path: Vec<String>,
    /// Its name among the fields of the page.
    pub(crate) name: String,
    /// Unique on the page, for labels to point to.
    pub(crate) id: String,
    /// What it is called.
    pub(crate) label: String,
    /// What is said of it; may be empty.
    pub(crate) help: String,
    /// What browsers may fill in by themselves, as HTML names it; may be empty.
    pub(crate) autocomplete: &'static str,
    /// Whether it must be filled in.
    pub(crate) is_required: bool,
    /// What it is.
    pub(crate) kind: Kind,
    /// What is in it: one text, or each of those chosen.
    pub(crate) values: Vec<String>,
    /// What is wrong with it; empty for nothing.
    pub(crate) error: String,
}

/// What a control is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    /// One line; `type` as HTML has it.
    Line {
        /// `text`, `email`, `date` and their like.
        kind: &'static str,
        /// Longest, in characters.
        max: usize,
        /// A number, and whether a whole one.
        number: Option<Number>,
    },
    /// Several lines.
    Lines {
        /// Longest, in characters.
        max: usize,
        /// Whether each line is a value of a list.
        is_list: bool,
    },
    /// One of these few, all of which are seen.
    One(Vec<Choice>),
    /// One of these, in a list that opens.
    OneOfMany(Vec<Choice>),
    /// Any of these.
    Several(Vec<Choice>),
    /// A box to tick.
    Tick,
}

/// What kind of number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Number {
    /// 3
    Whole,
    /// 3.50
    Any,
}

/// Something to choose.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Choice {
    /// As the page sends it.
    pub(crate) value: String,
    /// What it is called.
    pub(crate) label: String,
    /// What it is in the form.
    pub(crate) json: Value,
}

impl Field {
    /// One of the page's own: its name, where its value is in the contract, what it is called.
    pub(crate) fn own(name: &str, path: &str, label: &str, kind: Kind) -> Self {
        Self {
            path: path.split('.').map(str::to_owned).collect(),
            name: name.to_owned(),
            id: name.to_owned(),
            label: label.to_owned(),
            help: String::new(),
            autocomplete: "",
            is_required: false,
            kind,
            values: Vec::new(),
            error: String::new(),
        }
    }

    /// The same, which must be filled in.
    pub(crate) fn required(self) -> Self {
        Self { is_required: true, ..self }
    }

    /// The same, with something said of it.
    pub(crate) fn saying(self, help: impl Into<String>) -> Self {
        Self { help: help.into(), ..self }
    }

    /// The same, which browsers may fill in by themselves.
    pub(crate) fn autocompleted(self, autocomplete: &'static str) -> Self {
        Self { autocomplete, ..self }
    }

    /// Whether the tenant's form asks it, and not every complaint.
    pub(crate) fn is_of_form(&self) -> bool {
        self.name.starts_with(PREFIX)
    }

    /// What describes it, by the ids of what is said.
    pub(crate) fn described_by(&self) -> String {
        let parts = [("help", self.help.is_empty()), ("error", self.error.is_empty())];
        let said = parts.iter().filter(|(_, is_empty)| !is_empty);
        said.map(|(part, _)| format!("{}-{part}", self.id)).collect::<Vec<_>>().join(" ")
    }

    /// What is wrong with it, where something is.
    pub(crate) fn wrong(&self) -> Option<(&str, &str, &str)> {
        (!self.error.is_empty()).then_some((&self.id, &self.label, &self.error))
    }

    /// Its one value.
    pub(crate) fn value(&self) -> &str {
        self.values.first().map_or("", String::as_str)
    }

    /// Whether this is chosen.
    pub(crate) fn has(&self, value: &str) -> bool {
        self.values.iter().any(|chosen| chosen == value)
    }
}

impl Kind {
    /// One line of text, of at most so many characters.
    pub(crate) const fn line(kind: &'static str, max: usize) -> Self {
        Self::Line { kind, max, number: None }
    }

    /// Several lines, of at most so many characters.
    pub(crate) const fn lines(max: usize) -> Self {
        Self::Lines { max, is_list: false }
    }
}

/// The controls among some items.
pub(crate) fn fields(items: &mut [Item]) -> impl Iterator<Item = &mut Field> {
    items.iter_mut().filter_map(|item| match item {
        Item::Field(field) => Some(field),
        Item::Open { .. } | Item::Close => None,
    })
}

#[cfg(test)]
mod tests;
