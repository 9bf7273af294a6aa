//! Invented histories: what happened to cases, and the events that tell it.

use std::sync::Arc;

use events::Delivered;
use jiff::{SignedDuration, Timestamp};
use prost::Name;
use prost_types::Any;
use proto::google::r#type::Money;
use proto::redress::assignment::v1 as assignment;
use proto::redress::cases::v1 as cases;
use proto::redress::event::v1::Event;
use proto::redress::feedback::v1 as wire;
use proto::redress::intake::v1 as intake;
use proto::redress::resolution::v1 as resolution;
use uuid::Uuid;

pub(crate) use super::chance::Chance;
pub(crate) use super::truth::{Cycle, Loss, Truth};
use crate::fact::Ending;

/// Invents cases of some days from here on.
pub(crate) fn invented(seed: u64, cases: u64, days: u64) -> Vec<Truth> {
    let mut chance = Chance(seed);
    let begin = Timestamp::from_second(1_767_225_600).expect("2026");
    (0..cases)
        .map(|number| {
            let received = chance.after(begin, days * 24);
            invent(&mut chance, Uuid::from_u128(u128::from(seed) << 64 | u128::from(number + 1)), received)
        })
        .collect()
}

fn invent(chance: &mut Chance, id: Uuid, received: Timestamp) -> Truth {
    let mut truth = Truth {
        id,
        received,
        channel: i32::try_from(chance.below(10) + 1).unwrap_or(1),
        region: format!("r{}", chance.below(3)),
        customer: (!chance.is(10)).then(|| chance.below(12)),
        history: chance.is(10),
        category: format!("c{}", chance.below(2)),
        ..Truth::default()
    };
    let resolved = chance.after(received, 20 * 24);
    if truth.history {
        let outcome = i32::try_from(chance.below(3) + 1).unwrap_or(1);
        truth.cycles.push(Cycle { resolved, corrected: resolved, outcome, ..Cycle::default() });
        truth.ended = Some((chance.after(resolved, 48), Ending::Closed));
        return truth;
    }
    truth.department = format!("d{}", chance.below(3));
    truth.acknowledged = chance.is(80).then(|| chance.after(received, 24));
    truth.escalated = chance.is(15).then(|| chance.after(received, 200));
    truth.breach = chance.is(20).then(|| (chance.after(received, 400), chance.is(50)));
    if chance.is(25) {
        let paused = chance.after(received, 100);
        truth.pause = Some((paused, chance.after(paused, 200)));
    }
    let mut at = resolved;
    for number in 0..3 {
        if chance.is(if number == 0 { 15 } else { 75 }) {
            break;
        }
        let told = chance.is(80).then(|| chance.after(at, 48));
        let mut cycle = Cycle {
            resolved: at,
            outcome: i32::try_from(chance.below(3) + 1).unwrap_or(1),
            told,
            corrected: chance.after(at, 300),
            ..Cycle::default()
        };
        if chance.is(30) {
            let first = chance.after(at, 24);
            cycle.bounced = Some((first, chance.after(first, 300)));
        }
        if let (Some(told), true) = (told, chance.is(60)) {
            let mut score = || i32::try_from(chance.below(5) + 1).unwrap_or(1);
            let (handling, outcome) = (score(), score());
            let first = chance.after(told, 48);
            cycle.scores = Some((handling, outcome, chance.after(first, 300)));
            cycle.first_scores = Some((1, 1, first));
        }
        truth.cycles.push(cycle);
        at = chance.after(at, 400);
    }
    let last = truth.cycles.len();
    for place in 1..last {
        let before = truth.cycles[place - 1].resolved;
        let gap = truth.cycles[place].resolved.duration_since(before).as_secs();
        truth.cycles[place - 1].reopened = Some(before + SignedDuration::from_secs(gap / 2));
        truth.cycles[place - 1].closed = Some(before + SignedDuration::from_secs(gap / 4));
    }
    truth.call = chance.is(30).then(|| (chance.after(at, 100), chance.is(60)));
    truth.paid =
        chance.is(30).then(|| (chance.after(at, 100), i64::try_from(chance.below(9_000) + 1).unwrap_or(1)));
    let begun = chance.after(received, 24);
    truth.task = (begun, chance.after(begun, 600));
    let ending =
        [Ending::Closed, Ending::Closed, Ending::Closed, Ending::Withdrawn, Ending::Declined, Ending::Merged];
    truth.ended = chance.is(75).then(|| (chance.after(at, 200), chance.one(&ending)));
    truth
}

/// Something told: source, when, of what, and the payload.
type Told = (&'static str, Timestamp, Any);

fn told<M: Name>(source: &'static str, at: Timestamp, message: &M) -> Told {
    let type_url = format!("type.googleapis.com/{}", M::full_name());
    (source, at, Any { type_url, value: message.encode_to_vec() })
}

/// The events that tell histories, each source in the order of its feed.
pub(crate) fn events(tenant: &str, truths: &[Truth]) -> Vec<Vec<Delivered>> {
    let mut all: Vec<(Uuid, Told)> =
        truths.iter().flat_map(|truth| tell(truth).into_iter().map(|told| (truth.id, told))).collect();
    all.sort_by_key(|(_, (_, at, _))| *at);
    let sources = ["intake", "cases", "assignment", "resolution", "feedback"];
    let of = |(number, source): (u128, &str)| {
        let mine = all.iter().filter(|(_, (other, ..))| *other == source);
        let event = |(position, (subject, (source, at, payload))): (i64, &(Uuid, Told))| {
            let event = Event {
                id: Uuid::from_u128(number << 64 | u128::from(position.unsigned_abs())).to_string(),
                source: (*source).to_owned(),
                position,
                tenant_id: tenant.to_owned(),
                subject: subject.to_string(),
                occur_time: Some(proto::timestamp(*at)),
                payload: Some(payload.clone()),
                lane: 1,
                ..Event::default()
            };
            Delivered::open(&Arc::new(event), "test").expect("an event")
        };
        (1..).zip(mine).map(event).collect()
    };
    (1..).zip(sources).map(of).collect()
}

fn tell(truth: &Truth) -> Vec<Told> {
    let mut all = vec![registered(truth)];
    if truth.history {
        return all;
    }
    of_cases(truth, &mut all);
    of_others(truth, &mut all);
    all
}

fn registered(truth: &Truth) -> Told {
    let history = truth.history.then(|| intake::History {
        outcome: truth.cycles[0].outcome,
        resolve_time: Some(proto::timestamp(truth.cycles[0].resolved)),
        close_time: truth.ended.map(|(at, _)| proto::timestamp(at)),
        ..intake::History::default()
    });
    let complaint = intake::Complaint {
        complaint_id: truth.id.to_string(),
        channel: truth.channel,
        complainant: Some(intake::Complainant {
            customer_id: truth.customer.map(|customer| customer.to_string()).unwrap_or_default(),
            region: truth.region.clone(),
            phone: truth.phone(),
            ..intake::Complainant::default()
        }),
        respondent: Some(intake::Respondent {
            product: truth.product().to_owned(),
            ..intake::Respondent::default()
        }),
        recorder: truth.recorder(),
        receive_time: Some(proto::timestamp(truth.received)),
        category_hint: if truth.history { truth.category.clone() } else { "hint".to_owned() },
        history,
        ..intake::Complaint::default()
    };
    let event = intake::ComplaintRegistered { complaint: Some(complaint), ..Default::default() };
    told("intake", truth.received + SignedDuration::from_secs(1), &event)
}

fn of_cases(truth: &Truth, all: &mut Vec<Told>) {
    let case_id = truth.id.to_string();
    let soon = |seconds: i64| truth.received + SignedDuration::from_secs(seconds);
    let (category, priority) = ("first".to_owned(), 3);
    all.push(told(
        "cases",
        soon(2),
        &cases::CaseOpened { case_id: case_id.clone(), category, priority, ..Default::default() },
    ));
    let (category, priority) = (truth.category.clone(), 2);
    all.push(told(
        "cases",
        soon(3),
        &cases::CaseRetriaged { case_id: case_id.clone(), category, priority, ..Default::default() },
    ));
    if let Some(at) = truth.escalated {
        all.push(told(
            "cases",
            at,
            &cases::CaseEscalated { case_id: case_id.clone(), tier: 1, ..Default::default() },
        ));
    }
    if let Some((at, own_target)) = truth.breach {
        let (kind, due_time) = (cases::ClockKind::Decide.into(), Some(proto::timestamp(at)));
        let event = cases::ClockBreached {
            case_id: case_id.clone(),
            cycle: 1,
            kind,
            due_time,
            own_target,
            ..Default::default()
        };
        all.push(told("cases", at + SignedDuration::from_secs(5), &event));
    }
    if let Some((from, until)) = truth.pause {
        let kind = cases::ClockKind::Decide.into();
        let (paused, resumed) = (
            cases::ClockPaused { case_id: case_id.clone(), cycle: 1, kind, ordinal: 10 },
            cases::ClockResumed { case_id: case_id.clone(), cycle: 1, kind, ordinal: 11 },
        );
        all.push(told("cases", from, &paused));
        all.push(told("cases", until, &resumed));
    }
    resolutions(truth, all);
    ending(truth, all);
}

/// What was decided in each cycle, and that it went on.
fn resolutions(truth: &Truth, all: &mut Vec<Told>) {
    let case_id = truth.id.to_string();
    for (number, cycle) in (1..).zip(&truth.cycles) {
        // Decided otherwise at first, then corrected.
        let resolved = |outcome, correction| cases::CaseResolved {
            case_id: case_id.clone(),
            cycle: number,
            outcome,
            correction,
            ..Default::default()
        };
        all.push(told("cases", cycle.resolved, &resolved(4 - cycle.outcome, 0)));
        all.push(told("cases", cycle.corrected, &resolved(cycle.outcome, 1)));
        if let Some(at) = cycle.reopened {
            let (case_id, category) = (case_id.clone(), truth.category.clone());
            // Closed in between.
            let closed = cases::CaseClosed { case_id: case_id.clone(), cycle: number, reason: 3 };
            all.push(told("cases", cycle.closed.unwrap_or(at), &closed));
            all.push(told(
                "cases",
                at,
                &cases::CaseReopened {
                    case_id,
                    cycle: number + 1,
                    category,
                    priority: 2,
                    ..Default::default()
                },
            ));
        }
    }
}

/// How it ended.
fn ending(truth: &Truth, all: &mut Vec<Told>) {
    let case_id = truth.id.to_string();
    match truth.ended {
        Some((at, Ending::Closed)) => {
            all.push(told("cases", at, &cases::CaseClosed { case_id, cycle: 1, reason: 1 }));
        }
        Some((at, Ending::Withdrawn)) => {
            all.push(told("cases", at, &cases::CaseWithdrawn { case_id, ..Default::default() }));
        }
        Some((at, Ending::Declined)) => {
            all.push(told("cases", at, &cases::CaseDeclined { case_id, ..Default::default() }));
        }
        Some((at, Ending::Merged)) => {
            all.push(told("cases", at, &cases::CaseMerged { case_id, ..Default::default() }));
        }
        None => {}
    }
}

/// A notice of a case was delivered, the second time it was sent.
fn settled(truth: &Truth, kind: wire::NoticeKind, cycle: i32) -> wire::NoticeSettled {
    wire::NoticeSettled {
        case_id: truth.id.to_string(),
        cycle,
        notice_id: Uuid::from_u128(truth.id.as_u128() ^ (1 << 102)).to_string(),
        kind: kind.into(),
        state: wire::NoticeState::Delivered.into(),
        sending_number: 2,
        ..Default::default()
    }
}

/// What went out before that, and came back, at any time: it tells nobody.
fn returned(
    truth: &Truth,
    kind: wire::NoticeKind,
    cycle: i32,
    (told_at, bounced): (Timestamp, Timestamp),
) -> [Told; 2] {
    let first = wire::NoticeSettled { sending_number: 1, ..settled(truth, kind, cycle) };
    let back = wire::NoticeBounced {
        case_id: first.case_id.clone(),
        cycle,
        notice_id: first.notice_id.clone(),
        kind: kind.into(),
        sending_number: 1,
        status: "5.1.1".to_owned(),
    };
    [told("feedback", told_at, &first), told("feedback", bounced, &back)]
}

fn of_others(truth: &Truth, all: &mut Vec<Told>) {
    let case_id = truth.id.to_string();
    let soon = |seconds: i64| truth.received + SignedDuration::from_secs(seconds);
    let assigned = |department: &str| assignment::CaseAssigned {
        case_id: case_id.clone(),
        department_id: department.to_owned(),
        agent_id: format!("{department}'s"),
        cycle: 1,
        ..Default::default()
    };
    let queued = assignment::CaseQueued { case_id: case_id.clone(), ..Default::default() };
    all.push(told("assignment", soon(3), &queued));
    all.push(told("assignment", soon(4), &assigned("first")));
    all.push(told("assignment", soon(5), &assigned(&truth.department)));
    let at_once = (truth.received, truth.received);
    all.extend(returned(truth, wire::NoticeKind::Acknowledgement, 1, at_once));
    if let Some(at) = truth.acknowledged {
        all.push(told("feedback", at, &settled(truth, wire::NoticeKind::Acknowledgement, 1)));
    }
    for (number, cycle) in (1..).zip(&truth.cycles) {
        let returned_at = cycle.bounced.unwrap_or(at_once);
        all.extend(returned(truth, wire::NoticeKind::Outcome, number, returned_at));
        if let Some(at) = cycle.told {
            all.push(told("feedback", at, &settled(truth, wire::NoticeKind::Outcome, number)));
        }
        if let Some((handling, outcome, at)) = cycle.scores {
            let answer = Some(wire::SurveyAnswer { handling, outcome, ..Default::default() });
            let event = wire::SurveyAnswered {
                case_id: case_id.clone(),
                cycle: number,
                answer,
                ..Default::default()
            };
            all.push(told("feedback", at, &event));
        }
        if let Some((handling, outcome, at)) = cycle.first_scores {
            // What comes with the answer to the outcome counts less, whenever it does.
            let satisfaction = Some(wire::Satisfaction { handling, outcome });
            let response = wire::Response::Disputed.into();
            let event = wire::FeedbackReceived {
                case_id: case_id.clone(),
                cycle: number,
                response,
                satisfaction,
                ..Default::default()
            };
            all.push(told("feedback", at, &event));
        }
    }
    called(truth, all);
    paid(truth, all);
    written_off(truth, all);
}

/// What could not be taken back.
fn written_off(truth: &Truth, all: &mut Vec<Told>) {
    let Some(Loss { at, department, currency, minor }) = truth.loss() else { return };
    let (units, cents) = if currency == "JPY" { (minor, 0) } else { (minor / 100, minor % 100) };
    let nanos = i32::try_from(cents * 10_000_000).unwrap_or(0);
    let event = resolution::TaskWrittenOff {
        case_id: truth.id.to_string(),
        task_id: Uuid::from_u128(truth.id.as_u128() ^ 1 << 102).to_string(),
        department_id: department.to_owned(),
        amount: Some(Money { currency_code: currency.to_owned(), units, nanos }),
        ..Default::default()
    };
    all.push(told("resolution", at, &event));
    // What is no money is no sum.
    let goods = Uuid::from_u128(truth.id.as_u128() ^ 1 << 103).to_string();
    all.push(told("resolution", at, &resolution::TaskWrittenOff { task_id: goods, amount: None, ..event }));
}

/// What a department paid, and whether it was late.
fn paid(truth: &Truth, all: &mut Vec<Told>) {
    let case_id = truth.id.to_string();
    if let Some((at, minor)) = truth.paid {
        let amount = Some(Money {
            currency_code: "CNY".to_owned(),
            units: minor / 100,
            nanos: i32::try_from(minor % 100 * 10_000_000).unwrap_or(0),
        });
        let task_id = Uuid::from_u128(truth.id.as_u128() ^ 1 << 101).to_string();
        let (begun, due) = truth.task;
        let department_id = "finance".to_owned();
        if due < at {
            let event = resolution::TaskOverdue {
                case_id: case_id.clone(),
                task_id: task_id.clone(),
                department_id: department_id.clone(),
                due_time: Some(proto::timestamp(due)),
                ..Default::default()
            };
            all.push(told("resolution", due + SignedDuration::from_secs(2), &event));
        }
        let event = resolution::TaskCompleted {
            case_id,
            task_id,
            amount,
            department_id,
            create_time: Some(proto::timestamp(begun)),
            due_time: Some(proto::timestamp(due)),
            ..Default::default()
        };
        all.push(told("resolution", at, &event));
    }
}

/// That the complainant was called back.
fn called(truth: &Truth, all: &mut Vec<Told>) {
    let case_id = truth.id.to_string();
    if let Some((at, reached)) = truth.call {
        let (outcome, call_back_id) =
            (if reached { 1 } else { 2 }, Uuid::from_u128(truth.id.as_u128() ^ 1 << 100).to_string());
        let first =
            wire::CallBackAttempted { case_id, call_back_id, number: 1, outcome: 2, ..Default::default() };
        all.push(told("feedback", at - SignedDuration::from_secs(60), &first));
        let last = wire::CallBackAttempted { number: 2, outcome, ended: true, ..first };
        all.push(told("feedback", at, &last));
    }
}
