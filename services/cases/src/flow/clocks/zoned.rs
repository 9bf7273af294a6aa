//! Putting the time zones of this process in force for open clocks that were counted by
//! another release.

use calendar::zones;
use fault::Fault;
use kernel::TenantId;
use pg::Tx;
use server::Length;
use uuid::Uuid;

use super::CaseClocks;
use crate::case::Case;
use crate::clocks::recalculation::{Found, Moved};
use crate::flow::persist;
use crate::store;

/// Cases that are done at once.
const PAGE: i64 = 200;

/// Lets a page of cases count by the time zones of this process: their clocks, next due
/// time and timers. Answers the due times that moved, and whether there are more cases.
/// A page is found by what is still to be done, so that who is interrupted goes on there.
pub(crate) async fn adopt_zones(tx: &mut Tx, tenant: &TenantId) -> Result<(Found, bool), Fault> {
    let clocks = store::clocks::open_of_other_zones(tx, zones::version(), Uuid::nil(), PAGE).await?;
    let mut ids: Vec<Uuid> = clocks.iter().map(|clock| clock.case.0).collect();
    ids.dedup();
    if ids.is_empty() {
        return Ok((Found::default(), false));
    }
    let cases = store::lock_all(tx, &ids).await?;
    let case_clocks = CaseClocks::open(tx, &ids).await?;
    let adopt = move || adopted(cases, case_clocks);
    let Adopted { case_clocks, moves, mut dated } =
        server::blocking(tenant, Length::Quick, "clocks.zones", adopt).await?;
    persist::redated(tx, &mut dated).await?;
    case_clocks.write(tx).await?;
    Ok((Found::of(moves), i64::try_from(ids.len()).unwrap_or(PAGE) == PAGE))
}

/// What comes of a page of cases.
struct Adopted {
    case_clocks: CaseClocks,
    moves: Vec<Moved>,
    /// The cases whose next due time is another.
    dated: Vec<Case>,
}

/// Lets cases count by the time zones of this process, in memory: takes milliseconds.
fn adopted(cases: Vec<Case>, mut case_clocks: CaseClocks) -> Adopted {
    let (mut moves, mut dated) = (Vec::new(), Vec::new());
    for mut case in cases {
        let before = case_clocks.next(&case);
        let Some(clocks) = case_clocks.clocks.get_mut(&case.id) else { continue };
        moves.extend(clocks.0.iter().filter_map(Moved::by_zones));
        for clock in &mut clocks.0 {
            clock.adopt_zones();
        }
        let due = case.due_time;
        clocks.date(&mut case);
        let next = case_clocks.next(&case);
        if next != before {
            case_clocks.set_timer(&case, next);
        }
        if case.due_time != due {
            dated.push(case);
        }
    }
    Adopted { case_clocks, moves, dated }
}
