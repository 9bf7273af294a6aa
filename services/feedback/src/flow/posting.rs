//! Notices on their way into the table: once each, counted by address, told where they
//! can go nowhere.

use std::collections::{BTreeMap, HashMap};

use fault::Fault;
use kernel::{CaseId, NoticeId};
use pg::Tx;

use crate::address::{normal, send_at};
use crate::flow::deliver;
use crate::letter::Letters;
use crate::letter::template::Template;
use crate::notice::routing::Routing;
use crate::notice::{Contact, Delivery, Dispatch, Kind, Notice, Owed, Sending, State};
use crate::quiet::QuietHours;
use crate::revision::{Revision, Subject};
use crate::{store, wire};

/// The templates in force.
pub(crate) async fn letters(tx: &mut Tx) -> Result<Letters, Fault> {
    let own = store::revisions_in_force(tx, Subject::Template).await?;
    let named = |(name, revision): (String, Revision<Template>)| {
        let (kind, language) = name.split_once('/')?;
        Some(((Kind::of(kind.parse::<i16>().ok()?)?, language.to_owned()), revision.content))
    };
    Ok(Letters::of_tenant(own.into_iter().filter_map(named).collect()))
}

/// By which means notices go.
pub(crate) async fn routing(tx: &mut Tx) -> Result<Routing, Fault> {
    let in_force = store::revisions_in_force(tx, Subject::NoticeRouting).await?.pop();
    Ok(in_force.map_or_else(Routing::shipped, |(_, revision)| revision.content))
}

/// Makes notices of what is owed, and posts them.
pub(crate) async fn post_owed(
    tx: &mut Tx,
    delivery: &Delivery,
    owed: Vec<Owed>,
    known: &HashMap<CaseId, Contact>,
) -> Result<(), Fault> {
    let (letters, routing) = (letters(tx).await?, routing(tx).await?);
    let dispatch = Dispatch { delivery, letters: &letters, routing: &routing };
    let mut notices = Vec::with_capacity(owed.len());
    for owed in owed {
        if let Some(contact) = known.get(&owed.case_id) {
            let zone = owed.zone.clone();
            let notice = Notice::new(NoticeId(tx.new_id()), owed, contact, dispatch, tx.now());
            // Who cannot be told that they will be called is called all the same.
            if notice.kind != Kind::CallBackPlanned || notice.state == State::Pending {
                notices.push((notice, zone));
            }
        }
    }
    post(tx, notices).await
}

/// Writes what is owed to those who are known, and puts the rest off.
pub(crate) async fn write(tx: &mut Tx, delivery: &Delivery, owed: Vec<Owed>) -> Result<(), Fault> {
    if owed.is_empty() {
        return Ok(());
    }
    let cases: Vec<CaseId> = owed.iter().map(|owed| owed.case_id).collect();
    let mut known = store::contacts(tx, &cases).await?;
    if cases.iter().any(|case| !known.contains_key(case)) {
        // A registration may be on its way into the table: wait for it, and keep
        // others out until what is put off is there for them to find.
        store::hold_contacts(tx).await?;
        known = store::contacts(tx, &cases).await?;
    }
    let (owed, put_off): (Vec<_>, Vec<_>) =
        owed.into_iter().partition(|owed| known.contains_key(&owed.case_id));
    if !put_off.is_empty() {
        store::put_off(tx, &put_off).await?;
    }
    post_owed(tx, delivery, owed, &known).await
}

/// Posts notices, each with the zone of who it goes to; tells of those that can go nowhere,
/// and wakes the worker for those that can.
pub(crate) async fn post(tx: &mut Tx, notices: Vec<(Notice, String)>) -> Result<(), Fault> {
    let (mut notices, zones): (Vec<Notice>, Vec<String>) = notices.into_iter().unzip();
    put_apart(tx, &mut notices).await?;
    keep_quiet(tx, &mut notices, &zones).await?;
    let lane = tx.lane();
    let fresh = store::post(tx, &notices, lane).await?;
    let is_heard = |notice: &&Notice| {
        notice.kind.tells_of_progress() && notice.state == State::Pending && fresh.contains(&notice.id)
    };
    let heard: Vec<CaseId> = notices.iter().filter(is_heard).map(|notice| notice.case_id).collect();
    if !heard.is_empty() {
        store::heard_of(tx, &heard).await?;
    }
    for notice in notices.iter().filter(|notice| fresh.contains(&notice.id)) {
        if notice.state == State::Pending {
            tx.notify(deliver::TOPIC);
        } else {
            tx.emit_in(notice.traceparent.clone(), notice.case_id.0, &wire::settled(notice));
        }
    }
    Ok(())
}

/// Has notices that could not be delivered go on to the next means, where there is one;
/// answers those that stay undelivered. The transaction has settled them, or writes so here.
pub(crate) async fn go_on(
    tx: &mut Tx,
    delivery: &Delivery,
    undelivered: Vec<Notice>,
) -> Result<Vec<Notice>, Fault> {
    if undelivered.is_empty() {
        return Ok(undelivered);
    }
    let routing = routing(tx).await?;
    let cases: Vec<CaseId> = undelivered.iter().map(|notice| notice.case_id).collect();
    let cycles: Vec<_> = undelivered.iter().map(|notice| (notice.case_id, notice.cycle)).collect();
    let ids: Vec<NoticeId> = undelivered.iter().map(|notice| notice.id).collect();
    let (contacts, zones) = (store::contacts(tx, &cases).await?, store::zones(tx, &cycles).await?);
    let earlier = store::sendings(tx, &ids).await?;
    let now = tx.now();
    let (mut ended, mut sent) = (Vec::new(), Vec::new());
    for mut notice in undelivered {
        let sendings = earlier.get(&notice.id).map_or(&[][..], Vec::as_slice);
        let contact = contacts.get(&notice.case_id);
        let before = contact.and_then(|contact| notice.go_on(sendings, contact, (delivery, &routing), now));
        match before {
            Some(before) => sent.push((notice, before)),
            None => ended.push(notice),
        }
    }
    let (mut going, before): (Vec<Notice>, Vec<Sending>) = sent.into_iter().unzip();
    let zone = |notice: &Notice| zones.get(&(notice.case_id, notice.cycle)).cloned().unwrap_or_default();
    let zones: Vec<String> = going.iter().map(zone).collect();
    keep_quiet(tx, &mut going, &zones).await?;
    for sending in &before {
        store::keep_sending(tx, sending).await?;
    }
    for notice in going.iter().chain(&ended) {
        store::go_on(tx, notice).await?;
    }
    if !going.is_empty() {
        tx.notify(deliver::TOPIC);
    }
    Ok(ended)
}

/// Lets what is due in quiet hours wait until they are over.
async fn keep_quiet(tx: &mut Tx, notices: &mut [Notice], zones: &[String]) -> Result<(), Fault> {
    let settled = store::revisions_in_force::<QuietHours>(tx, Subject::QuietHours).await?.pop();
    let Some((_, Revision { content: quiet, .. })) = settled else { return Ok(()) };
    for (notice, zone) in notices.iter_mut().zip(zones) {
        notice.due = notice.due.map(|due| quiet.postpone(due, zone));
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
