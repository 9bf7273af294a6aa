//! Calendars of a tenant: those that are built in, and editions of its own. What
//! a calendar is and how time is counted by it is `libs/calendar`'s matter.

use std::collections::{HashMap, HashSet};
use std::ops::Deref;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use calendar::{Calendar, DayDraft, Draft, builtin};
use fault::Fault;
use jiff::Timestamp;
use uuid::Uuid;

/// How many calendars of its own a tenant may have.
pub(crate) const MAX_CALENDARS: i64 = 200;
/// How many calendars made of editions are remembered, of all tenants together.
const REMEMBERED: usize = 256;

/// A calendar in one of its versions, as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Edition {
    /// What policies call it.
    pub(crate) name: String,
    /// Counts its versions; 0 is a built-in one.
    pub(crate) version: i64,
    /// When it took effect; none of a built-in one.
    pub(crate) effective: Option<Timestamp>,
    /// What it says.
    pub(crate) draft: Draft,
}

impl Edition {
    /// A built-in one nobody has edited.
    pub(crate) fn builtin(name: &str) -> Option<Self> {
        let draft = builtin::draft(name)?;
        Some(Self { name: name.to_owned(), version: 0, effective: None, draft })
    }

    /// The version after it, or the first.
    pub(crate) fn after(before: Option<&Self>, name: &str, draft: Draft, now: Timestamp) -> Self {
        let version = before.map_or(0, |before| before.version) + 1;
        Self { name: name.to_owned(), version, effective: Some(now), draft }
    }

    /// What it would say with these days; one it lists already is replaced.
    pub(crate) fn with_days(&self, days: Vec<DayDraft>, known_until: String) -> Draft {
        let mut draft = self.draft.clone();
        let new: HashSet<&str> = days.iter().map(|day| day.date.as_str()).collect();
        draft.days.retain(|day| !new.contains(day.date.as_str()));
        draft.days.extend(days);
        draft.days.sort_by(|one, other| one.date.cmp(&other.date));
        if !known_until.is_empty() {
            draft.known_until = known_until;
        }
        draft
    }
}

/// A calendar in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    /// What policies call it.
    pub(crate) name: String,
    /// Its current version; 0 is a built-in one.
    pub(crate) version: i64,
    /// When that took effect; none of a built-in one.
    pub(crate) effective: Option<Timestamp>,
    /// What it is, in one line.
    pub(crate) title: String,
    /// IANA name of its zone.
    pub(crate) zone: String,
    /// Last day whose holidays are known; empty when rules settle every year.
    pub(crate) known_until: String,
}

impl From<&Edition> for Listed {
    fn from(edition: &Edition) -> Self {
        let Edition { name, version, effective, draft } = edition;
        Self {
            name: name.clone(),
            version: *version,
            effective: *effective,
            title: draft.title.clone(),
            zone: draft.zone.clone(),
            known_until: draft.known_until.clone(),
        }
    }
}

/// A tenant's own calendars and the built-in ones it has not edited, by name.
pub(crate) fn with_builtin(mut own: Vec<Listed>) -> Vec<Listed> {
    let untouched = builtin::names().filter(|name| own.iter().all(|listed| listed.name != *name));
    let untouched: Vec<Listed> =
        untouched.filter_map(Edition::builtin).map(|edition| Listed::from(&edition)).collect();
    own.extend(untouched);
    own.sort_by(|one, other| one.name.cmp(&other.name));
    own
}

/// A calendar to count by.
#[derive(Clone, Debug)]
pub(crate) enum Counting {
    /// A built-in one.
    Builtin(&'static Calendar),
    /// One of the tenant's own.
    Own(Arc<Calendar>),
}

impl Counting {
    /// A built-in one.
    pub(crate) fn builtin(name: &str) -> Option<Self> {
        builtin::get(name).map(Self::Builtin)
    }
}

impl Deref for Counting {
    type Target = Calendar;

    fn deref(&self) -> &Calendar {
        match self {
            Self::Builtin(calendar) => calendar,
            Self::Own(calendar) => calendar,
        }
    }
}

/// Calendars to count by, by name: those of the tenant that were asked for, and
/// the built-in ones.
#[derive(Clone, Debug, Default)]
pub(crate) struct Calendars(HashMap<String, Counting>);

impl Calendars {
    /// Adds one of the tenant's own.
    pub(crate) fn add(&mut self, name: String, calendar: Counting) {
        self.0.insert(name, calendar);
    }

    /// The calendar of a name.
    pub(crate) fn get(&self, name: &str) -> Option<Counting> {
        self.0.get(name).cloned().or_else(|| Counting::builtin(name))
    }

    /// The calendar a row names; the fault says which is gone.
    pub(crate) fn known(&self, name: &str) -> Result<Counting, Fault> {
        self.get(name).ok_or_else(|| Fault::internal(format!("there is no calendar {name}")))
    }
}

/// Calendars that were made of editions: making one takes longer than counting by
/// it. An edition never changes, so what was made of it stays right.
static MADE: LazyLock<Mutex<HashMap<Uuid, Arc<Calendar>>>> = LazyLock::new(Mutex::default);

/// What was made of an edition before.
pub(crate) fn remembered(edition: Uuid) -> Option<Counting> {
    let made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    made.get(&edition).cloned().map(Counting::Own)
}

/// Remembers what was made of an edition; when that are too many, the others are
/// made anew.
pub(crate) fn remember(edition: Uuid, calendar: Calendar) -> Counting {
    let calendar = Arc::new(calendar);
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    if made.len() >= REMEMBERED {
        made.clear();
    }
    made.insert(edition, calendar.clone());
    Counting::Own(calendar)
}
