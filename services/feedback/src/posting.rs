//! Notices on their way into the table: once each, counted by address, told where they
//! can go nowhere.

use std::collections::{BTreeMap, HashMap};

use fault::Fault;
use kernel::{CaseId, NoticeId};
use pg::Tx;

use crate::address::{normal, send_at};
use crate::notice::{Contact, Kind, Notice, Owed, Road, State};
use crate::{deliver, store, wire};

/// Makes notices of what is owed, and posts them.
pub(crate) async fn post_owed(
    tx: &mut Tx,
    road: &Road,
    owed: Vec<Owed>,
    known: &HashMap<CaseId, Contact>,
) -> Result<(), Fault> {
    let mut notices = Vec::with_capacity(owed.len());
    for owed in owed {
        if let Some(contact) = known.get(&owed.case_id) {
            notices.push(Notice::new(NoticeId(tx.new_id()), owed, contact, road, tx.now()));
        }
    }
    post(tx, notices).await
}

/// Posts notices; tells of those that can go nowhere, and wakes the worker for those that
/// can.
pub(crate) async fn post(tx: &mut Tx, mut notices: Vec<Notice>) -> Result<(), Fault> {
    put_apart(tx, &mut notices).await?;
    let lane = tx.lane();
    let fresh = store::post(tx, &notices, lane).await?;
    for notice in notices.iter().filter(|notice| fresh.contains(&notice.id)) {
        if notice.state == State::Pending {
            tx.notify(deliver::TOPIC);
        } else {
            tx.emit_in(notice.traceparent.clone(), notice.case_id.0, &wire::settled(notice));
        }
    }
    Ok(())
}

/// Lets acknowledgements wait whose address was sent many of late: a program that
/// answers each with another complaint is answered ever more slowly, and whoever has
/// much to complain of is told all the same. Counted in the database, hence for all
/// replicas together.
async fn put_apart(tx: &mut Tx, notices: &mut [Notice]) -> Result<(), Fault> {
    let is_counted = |notice: &Notice| notice.kind == Kind::Acknowledgement && notice.state == State::Pending;
    let mut counts: BTreeMap<String, i32> = BTreeMap::new();
    for notice in notices.iter().filter(|notice| is_counted(notice)) {
        *counts.entry(normal(&notice.recipient)).or_default() += 1;
    }
    if counts.is_empty() {
        return Ok(());
    }
    let now = tx.now();
    let free_at = store::reserve(tx, &counts, now).await?;
    let mut sent: HashMap<String, i32> = HashMap::new();
    for notice in notices.iter_mut().filter(|notice| is_counted(notice)) {
        let address = normal(&notice.recipient);
        if let Some(free_at) = free_at.get(&address) {
            let nth = sent.entry(address).or_default();
            notice.due = Some(send_at(*free_at, *nth, now));
            *nth += 1;
        }
    }
    Ok(())
}
