//! Business time: calendars, budgets, deadlines. Pure: no I/O, and the present is
//! always an argument.
//!
//! In reading order: [`Draft`] is a calendar as people write it, [`Calendar`]
//! what it becomes once it is found sound. A [`Budget`] says how much time is
//! owed and how it is counted; a [`Clock`] spends one, can be paused and
//! extended as its [`Terms`] allow, and knows its due time only by deriving it.
//! [`Clock::explain`] lays that derivation out interval by interval. A
//! [`Ladder`] says what to do on the way to the due time, [`whatif`] which
//! due times an edit would move. A [`Pack`] is one regime's promises as data.
//!
//! ```
//! use calendar::{Budget, Clock, Kind, Terms, builtin};
//!
//! let calendar = builtin::get("cn").unwrap();
//! let terms = Terms::of("15 working days".parse().unwrap());
//! let clock = Clock::start(Kind::Decide, terms, "own@1", "2026-09-21T10:00:00+08:00".parse().unwrap());
//! // 10 October is worked in exchange for the long holiday.
//! assert_eq!(clock.due(&calendar).unwrap().to_string(), "2026-10-19T16:00:00Z");
//! ```
//!
//! Nothing here is legal advice: a pack carries its source, and what was not
//! read in a source is marked `unverified`.
#![warn(clippy::missing_errors_doc)]

mod budget;
pub mod builtin;
mod calendar;
mod civil;
mod clock;
mod draft;
mod explain;
mod ladder;
mod pack;
mod rules;
mod scale;
mod shipped;
mod terms;
pub mod whatif;
pub mod zones;

pub use budget::{Badly, Budget, Days, End, Length, Roll, Start, Unit};
pub use calendar::{Calendar, Day, MAX_IDLE_DAYS};
pub use clock::{Clock, Pause, Refusal, Run, State};
pub use draft::{DayDraft, DayKind, Draft, Flaw, HolidayDraft, Hours, MAX_DAYS, MAX_RULES, Observed};
pub use explain::{Explanation, Line, Why};
pub use ladder::{Action, Ladder, Missed, Rung, Step, Trigger};
pub use pack::{Complexity, Duty, Facts, Ground, Kind, Limits, Pack, Promise, Starts, When};
pub use scale::Scale;
pub use shipped::{pack_on, packs, versions};
pub use terms::{Approval, Extension, Pausing, Reason, Reopening, Terms};
