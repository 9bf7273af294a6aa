//! What an edit of a calendar does to the clocks counted by it: which due times
//! it would move, and counting them anew once it is made.

use calendar::{Calendar, Kind, whatif};
use fault::Fault;
use jiff::Timestamp;
use kernel::CaseId;
use pg::Tx;
use uuid::Uuid;

use super::follow::{Book, Changes};
use super::{CaseClock, Clocks};
use crate::calendars::Counting;
use crate::store;

/// Cases dealt with at once.
pub(crate) const PAGE: i64 = 500;

/// A due time that moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moved {
    /// The case.
    pub(crate) case: CaseId,
    /// The cycle its clock was started in.
    pub(crate) cycle: i32,
    /// What was promised.
    pub(crate) kind: Kind,
    /// When it is due now; none while paused without a cap.
    pub(crate) before: Option<Timestamp>,
    /// When it will be.
    pub(crate) after: Option<Timestamp>,
}

/// The due times that a new version of a calendar would move, the soonest first.
/// Changes nothing.
pub(crate) async fn moves(tx: &mut Tx, name: &str, new: &Calendar) -> Result<Vec<Moved>, Fault> {
    let mut all = Vec::new();
    let mut last = Uuid::nil();
    loop {
        let clocks = store::clocks::open_by(tx, name, last, PAGE).await?;
        let Some(end) = clocks.last() else { break };
        last = end.case.0;
        all.extend(moved(&clocks, new));
    }
    sort(&mut all);
    Ok(all)
}

/// The soonest first.
pub(crate) fn sort(moves: &mut [Moved]) {
    moves.sort_by_key(|moved| (moved.before.min(moved.after).or(moved.before).or(moved.after), moved.case));
}

/// All are counted by the same calendar as it is now.
fn moved(clocks: &[CaseClock], new: &Calendar) -> Vec<Moved> {
    let Some(old) = clocks.first().map(|clock| clock.calendar.clone()) else { return Vec::new() };
    let moves = whatif::calendar_edit(clocks.iter().map(|clock| (clock, &clock.clock)), &old, new);
    let named = |moved: whatif::Moved<&CaseClock>| Moved {
        case: moved.key.case,
        cycle: moved.key.cycle,
        kind: moved.key.clock.kind,
        before: moved.before,
        after: moved.after,
    };
    moves.into_iter().map(named).collect()
}

/// Counts the open clocks of a calendar anew, after its new version was written:
/// what was spent, the next due time of each case, and what is done next.
pub(crate) async fn recount(tx: &mut Tx, name: &str, old: &Counting) -> Result<(), Fault> {
    let mut last = Uuid::nil();
    loop {
        let clocks = store::clocks::open_by(tx, name, last, PAGE).await?;
        let Some(end) = clocks.last() else { return Ok(()) };
        last = end.case.0;
        let mut ids: Vec<Uuid> = clocks.iter().map(|clock| clock.case.0).collect();
        ids.dedup();
        recount_page(tx, name, old, &ids).await?;
    }
}

async fn recount_page(tx: &mut Tx, name: &str, old: &Counting, ids: &[Uuid]) -> Result<(), Fault> {
    let cases = store::lock_all(tx, ids).await?;
    let mut book = Book::open(tx, ids).await?;
    let mut changes = Changes::default();
    let mut moved = Vec::new();
    for mut case in cases {
        let Some(clocks) = book.clocks.get_mut(&case.id) else { continue };
        let mut as_before = clocks.clone();
        for clock in as_before.0.iter_mut().filter(|clock| clock.calendar_name == name) {
            clock.calendar = old.clone();
        }
        clocks.remeasure(name, &as_before);
        changes.timer(&case, as_before.next(&case, &book.policies), clocks.next(&case, &book.policies));
        let before = case.due_time;
        clocks.date(&mut case);
        if case.due_time != before {
            moved.push(case);
        }
    }
    store::save(tx, &moved).await?;
    changes.write(tx, &book.clocks).await
}

impl Clocks {
    /// Counts those of a calendar anew; those that come out as before are not
    /// changed.
    fn remeasure(&mut self, name: &str, as_before: &Self) {
        for (clock, before) in self.0.iter_mut().zip(&as_before.0) {
            if clock.calendar_name == name && clock.clock.is_open() {
                clock.clock.remeasure(&clock.calendar);
                clock.changed = clock.clock != before.clock || clock.due() != before.due();
            }
        }
    }
}
