//! Triages a batch of complaints by the rules that hold, looking at what else was
//! going on: a constant number of statements, however many complaints.

use std::collections::{HashMap, HashSet};

use events::Delivered;
use fault::Fault;
use jiff::SignedDuration;
use kernel::TenantId;
use pg::Tx;
use sameness::Person;
use triage::{MOST_REPEATS, REPEAT_DAYS, Surroundings};
use uuid::Uuid;

use crate::case::{CASES, Case, Occasion};
use crate::flow::rule_sets::RuleSets;
use crate::reading::{HEAVY_BYTES, Reading};
use crate::store;
use crate::timeline::{Fact, Handling, Noted, Together};
use crate::triage_record::{ActiveVersions, Around, Incoming, Triaged};
use crate::wire::inbound::Registered;

/// Decides for each complaint of a batch, in its order.
pub(crate) async fn triage<'a>(
    tx: &mut Tx,
    sets: &RuleSets,
    batch: &[Delivered],
    registered: &'a [Registered],
    readings: &'a [Reading],
) -> Result<Vec<Triaged<'a>>, Fault> {
    let Some(first) = batch.first() else { return Ok(Vec::new()) };
    let incoming: Vec<Incoming<'a>> = batch.iter().zip(registered).map(incoming).collect();
    let now = tx.now();
    let (versions, around) = store::triage::look_around(tx, &incoming, now).await?;
    let set = sets.get(tx, &first.tenant, versions).await?;
    let within_batch = repeats(&incoming);
    let complaints = incoming.iter().zip(registered).zip(readings).zip(within_batch);
    let triaged = complaints.map(|(((one, registered), reading), repeats)| {
        let around = around.get(&one.case).copied().map_or(Surroundings::default(), |around| {
            let Around { repeats: before, traffic, hint_known } = around;
            let repeats = before.saturating_add(repeats).min(MOST_REPEATS);
            Surroundings { repeats, surge: set.surge().is_on(&traffic), hint_known }
        });
        let facts = registered.facts(reading, around);
        let verdict = set.triage(&facts);
        Triaged {
            case: one.case,
            facts,
            moods: &reading.moods,
            verdict,
            counts: registered.history.is_none(),
        }
    });
    let is_heavy = registered.iter().map(Registered::bytes).sum::<usize>() > HEAVY_BYTES;
    Ok(server::aside(is_heavy, || triaged.collect()))
}

/// Raises cases to what the rules make of them with what was added to them just now;
/// later information makes none less urgent.
pub(crate) async fn raise_for_information(
    tx: &mut Tx,
    sets: &RuleSets,
    tenant: &TenantId,
    cases: &mut [Case],
) -> Result<(), Fault> {
    for case in cases.iter_mut() {
        let Some(noted) = case.journal.iter().rev().find(|noted| !added(noted).is_empty()).cloned() else {
            continue;
        };
        if case.state.is_over() || case.merged.is_some() {
            continue;
        }
        let Some(past) = store::triage::get(tx, case.id).await? else { continue };
        let versions = ActiveVersions {
            rule_set: store::rules::active(tx).await?,
            tree: store::categories::version(tx).await?,
        };
        let set = sets.get(tx, tenant, versions).await?;
        let is_heavy = past.bytes() + added(&noted).len() > HEAVY_BYTES;
        let triage = server::aside(is_heavy, || set.triage(&past.with(added(&noted)).facts()).triage);
        if triage.priority < case.priority {
            let reason = format!("for what was added: {}", triage.reasons.join("; "));
            let at = Occasion { now: noted.time, actor: CASES, traceparent: &noted.traceparent };
            case.raise_by_hand(triage.priority, reason, &at)?;
        }
    }
    Ok(())
}

/// The words that were added to a complaint; empty of whatever else happened.
fn added(noted: &Noted) -> &str {
    if let Fact::Handling(Handling::Information(added)) = &noted.fact {
        &added.words
    } else if let Fact::Together(Together::Informed { words, .. }) = &noted.fact {
        words
    } else {
        ""
    }
}

fn incoming<'a>((event, registered): (&Delivered, &'a Registered)) -> Incoming<'a> {
    Incoming {
        case: event.subject,
        person: Person::of(&registered.origin.customer_id, &registered.keys),
        received: registered.origin.receive_time,
        channel: registered.origin.channel,
        hint: registered.category_hint(),
    }
}

/// How many earlier complaints of the same person the batch itself has for each.
fn repeats(batch: &[Incoming<'_>]) -> Vec<i64> {
    let window = SignedDuration::from_hours(24 * REPEAT_DAYS);
    let mut earlier: HashMap<i64, Vec<&Incoming<'_>>> = HashMap::new();
    let mut counts = Vec::with_capacity(batch.len());
    for one in batch {
        let marks = one.person.marks();
        let others = marks.iter().flatten().filter_map(|mark| earlier.get(mark)).flatten();
        let is_repeat = |other: &&&Incoming<'_>| {
            other.case < one.case
                && other.received <= one.received
                && one.received.duration_since(other.received) <= window
        };
        // Known by two marks, another is the same one all the same.
        let cases: HashSet<Uuid> = others.filter(is_repeat).map(|other| other.case).collect();
        counts.push(i64::try_from(cases.len()).unwrap_or(MOST_REPEATS));
        for mark in marks.into_iter().flatten() {
            earlier.entry(mark).or_default().push(one);
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    use vocabulary::Channel;

    #[test]
    fn a_batch_counts_within_itself() {
        let one = |case, customer: &str, days: i64| Incoming {
            case: Uuid::from_u128(case),
            person: Person { customer: sameness::number(customer), ..Person::default() },
            received: Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * days),
            channel: Channel::Web,
            hint: "",
        };
        let batch = [
            one(1, "ann", 0),
            one(2, "bob", 0),
            one(3, "ann", 1),
            one(4, "", 1),
            one(5, "", 1),
            one(3, "ann", 1), // told twice
            one(6, "ann", 30),
            one(7, "ann", 32),
        ];
        assert_eq!(repeats(&batch), [0, 0, 1, 0, 0, 1, 2, 1]);
    }

    #[test]
    fn the_same_person_is_known_by_any_of_what_is_known_of_them() {
        let one = |case, customer: &str, mail: &str, telephone: &str| Incoming {
            case: Uuid::from_u128(case),
            person: Person {
                customer: sameness::number(customer),
                email: sameness::email(mail),
                phone: sameness::phone(telephone),
            },
            received: Timestamp::UNIX_EPOCH,
            channel: Channel::Web,
            hint: "",
        };
        let batch = [
            one(1, "c-1", "ann@example.org", ""),
            one(2, "", "ANN@example.org", "13800138000"),
            one(3, "C1", "ann@example.org", "+86 13800138000"),
            one(4, "", "", "0086 138 0013 8000"),
            one(5, "", "bob@example.org", ""),
        ];
        assert_eq!(repeats(&batch), [0, 1, 2, 2, 0]);
    }
}
