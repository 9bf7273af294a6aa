//! Shipped regimes on a case: the version of its day of receipt, stages that start at
//! the acknowledgement, what a reopened case is promised.

use calendar::{Pack, Reopening, pack_on};
use vocabulary::NoticeKind;

use super::policy::{KindLadder, packs};
use super::*;
use crate::calendars::Calendars;
use crate::case::properties::{occasion, opened};
use crate::external_event::{ANONYMOUS, Event, ExternalEvent};
use crate::reopening::ReopeningLimits;
use crate::timeline::{Course, Ruling};

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn under(pack: &Pack) -> [Policy; 1] {
    let ladders: Vec<KindLadder> = Vec::new();
    [Policy::of(1, packs(pack, true), ladders, ReopeningLimits::SHIPPED, &Calendars::default())
        .expect("a sound policy")]
}

/// A case of a tenant that chose a regime when this version of it was shipped.
fn open(name: &str, chosen: &str, received: &str) -> (Case, Clocks, [Policy; 1]) {
    let chosen = pack_on(name, chosen.parse().expect("a day")).expect("shipped");
    let policies = under(chosen);
    let mut case = opened(&occasion(at(received)));
    case.origin.receive_time = at(received);
    case.journal.clear();
    let clocks = Clocks::open(&case, None, &policies);
    (case, clocks, policies)
}

fn hear(case: &mut Case, clocks: &mut Clocks, policies: &[Policy], event: Event, now: &str) {
    let external = ExternalEvent { cycle: case.cycle, actor: String::new(), event };
    case.hear(external, &occasion(at(now))).expect("it fits");
    clocks.follow(case, policies);
    case.journal.clear();
}

fn acknowledged(failure: Option<&str>) -> Event {
    Event::NoticeSettled {
        kind: NoticeKind::Acknowledgement,
        failure: failure.map(str::to_owned),
        mail: None,
    }
}

fn shown(clocks: &Clocks, kind: Kind, cycle: i32) -> Option<String> {
    let clock = clocks.0.iter().find(|clock| clock.clock.kind == kind && clock.cycle == cycle)?;
    let due = clock.clock.due(&clock.calendar)?;
    Some(clock.calendar.zone().to_datetime(due).strftime("%F %H:%M").to_string())
}

#[test]
fn a_case_is_promised_what_was_law_on_its_day_of_receipt_whichever_version_was_chosen() {
    for chosen in ["2023-01-01", "2025-01-01", "2026-11-28"] {
        for (received, reference) in [
            ("2023-06-01T10:00+08", "cn-samr-mediation@1"),
            ("2026-04-14T23:59+08", "cn-samr-mediation@2"),
            ("2026-04-15T00:00+08", "cn-samr-mediation@3"),
        ] {
            let (_, clocks, _) = open("cn-samr-mediation", chosen, received);
            assert!(clocks.0.iter().all(|clock| clock.clock.policy == reference), "{chosen} {received}");
            assert!(!clocks.0.is_empty());
        }
    }
}

#[test]
fn a_stage_starts_at_the_acknowledgement() {
    let name = "uk-housing-ombudsman";
    let (mut case, mut clocks, policies) = open(name, "2026-11-28", "2026-04-01T16:00+01");
    assert_eq!(shown(&clocks, Kind::Acknowledge, 1).as_deref(), Some("2026-04-11 00:00"));
    assert_eq!(shown(&clocks, Kind::Decide, 1), None);
    hear(&mut case, &mut clocks, &policies, acknowledged(None), "2026-04-08T09:00+01");
    assert_eq!(shown(&clocks, Kind::Decide, 1).as_deref(), Some("2026-04-23 00:00"));
    hear(&mut case, &mut clocks, &policies, acknowledged(None), "2026-04-09T09:00+01");
    assert_eq!(shown(&clocks, Kind::Decide, 1).as_deref(), Some("2026-04-23 00:00"), "once");
}

#[test]
fn a_stage_starts_when_the_acknowledgement_was_due_where_none_came() {
    let name = "uk-housing-ombudsman";
    let (mut case, mut clocks, policies) = open(name, "2026-11-28", "2026-04-01T16:00+01");
    clocks.fire(&mut case, &policies, &occasion(at("2026-04-20T09:00+01")));
    // Counted from the 11th, a Saturday: 13 to 24 April.
    assert_eq!(shown(&clocks, Kind::Decide, 1).as_deref(), Some("2026-04-25 00:00"));
}

#[test]
fn a_stage_starts_at_once_where_nobody_can_be_told() {
    let name = "uk-housing-ombudsman";
    let (mut case, mut clocks, policies) = open(name, "2026-11-28", "2026-04-01T16:00+01");
    hear(&mut case, &mut clocks, &policies, acknowledged(Some(ANONYMOUS)), "2026-04-01T16:01+01");
    assert_eq!(shown(&clocks, Kind::Decide, 1).as_deref(), Some("2026-04-18 00:00"));
}

#[test]
fn the_second_stage_is_acknowledged_and_answered_from_then() {
    let name = "uk-housing-ombudsman";
    let (mut case, mut clocks, policies) = open(name, "2026-11-28", "2026-04-01T16:00+01");
    hear(&mut case, &mut clocks, &policies, acknowledged(None), "2026-04-08T09:00+01");
    let resolved = Fact::Ruling(Ruling::Resolved {
        outcome: vocabulary::Outcome::Upheld,
        reasons: String::new(),
        respond_until: at("2026-05-30T00:00Z"),
    });
    case.note(&occasion(at("2026-04-20T09:00+01")), resolved);
    case.cycle = 2;
    let reopened = Fact::Course(Course::Reopened { reason: String::new(), previous_agent: String::new() });
    case.note(&occasion(at("2026-04-24T09:00+01")), reopened);
    clocks.follow(&case, &policies);
    case.journal.clear();
    assert_eq!(shown(&clocks, Kind::Acknowledge, 2).as_deref(), Some("2026-05-02 00:00"));
    assert_eq!(shown(&clocks, Kind::Decide, 2), None, "stage 1 is over");
    hear(&mut case, &mut clocks, &policies, acknowledged(None), "2026-05-01T09:00+01");
    assert_eq!(shown(&clocks, Kind::Decide, 2).as_deref(), Some("2026-06-03 00:00"));
}

#[test]
fn a_reopened_promise_counts_or_stands_still_as_its_pack_says() {
    let due = |reopened: Option<Reopening>| {
        let mut pack = pack_on("in-rbi", "2026-11-01".parse().expect("a day")).expect("shipped").clone();
        pack.promises[0].kind = Kind::Decide;
        pack.promises[0].reopened = reopened;
        let policies =
            [Policy::of(1, vec![pack], Vec::new(), ReopeningLimits::SHIPPED, &Calendars::default())
                .expect("sound")];
        let received = "2026-11-02T10:00+05:30";
        let mut case = opened(&occasion(at(received)));
        case.origin.receive_time = at(received);
        case.journal.clear();
        let mut clocks = Clocks::open(&case, None, &policies);
        let resolved = Fact::Ruling(Ruling::Resolved {
            outcome: vocabulary::Outcome::Upheld,
            reasons: String::new(),
            respond_until: at("2026-12-30T00:00Z"),
        });
        case.note(&occasion(at("2026-11-10T10:00+05:30")), resolved);
        case.cycle = 2;
        let again = Fact::Course(Course::Reopened { reason: String::new(), previous_agent: String::new() });
        case.note(&occasion(at("2026-11-15T10:00+05:30")), again);
        clocks.follow(&case, &policies);
        shown(&clocks, Kind::Decide, 2)
    };
    assert_eq!(due(None).as_deref(), Some("2026-12-03 00:00"));
    assert_eq!(due(Some(Reopening::Counts)).as_deref(), Some("2026-12-03 00:00"));
    assert_eq!(due(Some(Reopening::StandsStill)).as_deref(), Some("2026-12-08 00:00"));
    assert_eq!(due(Some(Reopening::Anew)), None);
}
