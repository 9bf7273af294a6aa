//! Known dates of the law of 2026: packs that have successors, last days that are
//! rolled forward, months, stages that start at the acknowledgement. Each is worked
//! out by hand from the article that is named.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use calendar::{
    Approval, Calendar, Clock, Facts, Kind, Reason, Reopening, Starts, Terms, Why, builtin, pack_on, versions,
};
use jiff::Timestamp;

const ANY: Facts<'_> =
    Facts { complexity: None, priority: None, region: "", matter: "", stage: 1, channel: None };

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn shown(time: Timestamp, calendar: &Calendar) -> String {
    calendar.zone().to_datetime(time).strftime("%F %H:%M").to_string()
}

/// The clock of a complaint received at a time, whose promise starts at another.
fn started(
    name: &str,
    kind: Kind,
    facts: &Facts<'_>,
    received: &str,
    start: &str,
) -> (Clock, &'static Calendar) {
    let pack = pack_on(name, received[..10].parse().unwrap()).unwrap();
    let promise = pack.promise_for(kind, facts).unwrap();
    let clock = Clock::start(kind, promise.terms(), &pack.reference(), at(start)).begun_by(promise.starts);
    (clock, builtin::get(&pack.calendar).unwrap())
}

/// When what starts at its receipt is due, as the clock on the wall shows it there.
fn due(name: &str, kind: Kind, facts: &Facts<'_>, received: &str) -> String {
    let (clock, calendar) = started(name, kind, facts, received, received);
    shown(clock.due(calendar).unwrap(), calendar)
}

fn reference(name: &str, received: &str) -> String {
    pack_on(name, received.parse().unwrap()).map_or_else(String::new, calendar::Pack::reference)
}

#[test]
fn a_complaint_gets_the_version_in_force_on_its_day_of_receipt() {
    for (name, received, expected) in [
        ("cn-samr-mediation", "2022-10-31", ""),
        ("cn-samr-mediation", "2024-06-30", "cn-samr-mediation@1"),
        ("cn-samr-mediation", "2024-07-01", "cn-samr-mediation@2"),
        ("cn-samr-mediation", "2026-04-14", "cn-samr-mediation@2"),
        ("cn-samr-mediation", "2026-04-15", "cn-samr-mediation@3"),
        ("in-rbi", "2026-06-30", "in-rbi@1"),
        ("in-rbi", "2026-07-01", "in-rbi@2"),
        ("uk-fca-disp", "2026-04-05", "uk-fca-disp@2"),
        ("uk-fca-disp", "2026-04-06", "uk-fca-disp@3"),
        ("uk-eu-payment", "2026-04-05", "uk-eu-payment@3"),
        ("uk-eu-payment", "2026-04-06", "uk-eu-payment@4"),
        ("uk-ofcom-telecom", "2026-04-07", "uk-ofcom-telecom@1"),
        ("uk-ofcom-telecom", "2026-04-08", "uk-ofcom-telecom@2"),
        ("cn-civil-aviation", "2026-06-30", "cn-civil-aviation@1"),
        ("cn-civil-aviation", "2026-07-01", "cn-civil-aviation@2"),
        ("uk-data-protection", "2026-06-18", ""),
        ("uk-data-protection", "2026-06-19", "uk-data-protection@1"),
    ] {
        assert_eq!(reference(name, received), expected, "{name} {received}");
    }
}

#[test]
fn a_pack_that_was_chosen_earlier_has_the_versions_shipped_since() {
    let mut chosen = pack_on("cn-samr-mediation", "2023-01-01".parse().unwrap()).unwrap().clone();
    chosen.effective_until = None;
    let all = chosen.with_shipped();
    let on = |day: &str| all.iter().find(|pack| pack.applies_on(day.parse().unwrap())).unwrap().version;
    assert_eq!([on("2023-01-01"), on("2025-01-01"), on("2026-11-28")], [1, 2, 3]);
}

/// Order 121 art. 23(1)(5), 45.
#[test]
fn samr_last_day_on_a_statutory_holiday_is_rolled_past_it_and_a_weekend_is_not() {
    let decide = |accepted: &str| due("cn-samr-mediation", Kind::Decide, &ANY, accepted);
    assert_eq!(decide("2026-04-29T15:00+08"), "2026-06-29 00:00");
    // 1 October: the holiday lasts to the 7th.
    assert_eq!(decide("2026-08-02T09:00+08"), "2026-10-09 00:00");
    // 26 September is a Saturday within the Mid-autumn holiday, 25 to 27.
    assert_eq!(decide("2026-07-28T09:00+08"), "2026-09-29 00:00");
    // The pause moves the last day onto the holiday, and the holiday moves it on.
    let (mut clock, calendar) =
        started("cn-samr-mediation", Kind::Decide, &ANY, "2026-07-31T09:00+08", "2026-07-31T09:00+08");
    assert_eq!(shown(clock.due(calendar).unwrap(), calendar), "2026-09-30 00:00");
    clock.pause(Reason::Appraisal, calendar, at("2026-08-10T10:00+08")).unwrap();
    clock.resume(at("2026-08-12T10:00+08")).unwrap();
    assert_eq!(shown(clock.due(calendar).unwrap(), calendar), "2026-10-09 00:00");
    let explained = clock.explain(calendar);
    assert_eq!(explained.rolled, Some(("2026-10-01".parse().unwrap(), "2026-10-08".parse().unwrap())));
    let rolled = explained.lines.last().unwrap();
    assert_eq!(
        (&rolled.why, rolled.amount.as_hours(), rolled.sum),
        (&Why::RolledForward, 7 * 24, explained.total)
    );
}

/// Order 121 art. 27 and 33.
#[test]
fn samr_checks_what_looks_like_a_violation_and_settles_competence() {
    let report = Facts { matter: "report", ..ANY };
    let (mut clock, calendar) =
        started("cn-samr-mediation", Kind::Decide, &report, "2026-09-24T10:00+08", "2026-09-24T10:00+08");
    assert_eq!(shown(clock.due(calendar).unwrap(), calendar), "2026-10-23 00:00");
    let head = Approval { reason: "two provinces", handler: "a", approver: "b" };
    clock.extend(15, &head, calendar, at("2026-10-20T10:00+08")).unwrap();
    assert_eq!(shown(clock.due(calendar).unwrap(), calendar), "2026-11-13 00:00");
    assert_eq!(due("cn-samr-mediation", Kind::Object, &ANY, "2026-09-24T10:00+08"), "2026-10-13 00:00");
}

/// Order 121 art. 16, 17, 23.
#[test]
fn samr_knows_seven_grounds_of_refusal_eight_of_ending_and_hints_that_are_none() {
    let pack = pack_on("cn-samr-mediation", "2026-04-15".parse().unwrap()).unwrap();
    let counts = (pack.refusal_grounds.len(), pack.ending_grounds.len(), pack.hints.len());
    assert_eq!(counts, (7, 8, 5));
    for hint in &pack.hints {
        assert!(pack.refusal_grounds.iter().all(|ground| ground.code != hint.code), "{}", hint.code);
    }
    let call_backs = pack.duties.iter().find(|duty| duty.text.contains("art. 26")).unwrap();
    assert!(call_backs.text.contains("a power, not a duty"));
}

/// The rule of 2022 with 45 working days, and beside it from 2024-07-01 the 60 days of
/// State Council 778 art. 46.
#[test]
fn samr_before_2026_shows_the_earlier_of_two_limits() {
    let decide = |accepted: &str| due("cn-samr-mediation", Kind::Decide, &ANY, accepted);
    assert_eq!(decide("2024-06-03T10:00+08"), "2024-08-07 00:00");
    // 45 working days would end on 8 May.
    assert_eq!(decide("2025-03-03T10:00+08"), "2025-05-03 00:00");
    let (clock, calendar) =
        started("cn-samr-mediation", Kind::Decide, &ANY, "2025-03-03T10:00+08", "2025-03-03T10:00+08");
    let explained = clock.explain(calendar);
    assert_eq!(explained.budget.to_string(), "60 days");
    let (other, later) = explained.beside.unwrap();
    assert_eq!(
        (other.to_string().as_str(), shown(later.unwrap(), calendar).as_str()),
        ("45 working days", "2025-05-09 00:00")
    );
}

#[test]
fn of_two_limits_the_earlier_holds_through_pauses_too() {
    let calendar = builtin::get("uk").unwrap();
    let mut terms = Terms::of("5 days".parse().unwrap());
    terms.beside = Some("4 working days".parse().unwrap());
    terms.pause = Some(calendar::Pausing { reasons: vec![Reason::Appraisal], cap: None });
    // A Monday: 5 days end on Saturday, 4 working days on Friday.
    let mut clock = Clock::start(Kind::Decide, terms, "x@1", at("2026-09-07T10:00+01"));
    assert_eq!(shown(clock.due(calendar).unwrap(), calendar), "2026-09-12 00:00");
    // A pause over a weekend takes three days of one and one working day of the other.
    clock.pause(Reason::Appraisal, calendar, at("2026-09-11T10:00+01")).unwrap();
    assert_eq!(clock.due(calendar), None);
    clock.resume(at("2026-09-14T10:00+01")).unwrap();
    assert_eq!(shown(clock.due(calendar).unwrap(), calendar), "2026-09-15 00:00");
    let explained = clock.explain(calendar);
    let total: jiff::SignedDuration = explained.lines.iter().map(|line| line.amount).sum();
    assert_eq!((explained.due, total), (clock.due(calendar), clock.total(calendar)));
}

/// Table 2 of RG 271, and 271.58–59, .76–.80.
#[test]
fn australia_has_a_limit_for_each_kind_of_matter() {
    let received = "2026-01-01T12:00+11";
    let of = |matter| due("au-rg271", Kind::Final, &Facts { matter, ..ANY }, received);
    assert_eq!([of("hardship"), of("default-notice")], ["2026-01-23 00:00", "2026-01-23 00:00"]);
    assert_eq!([of("superannuation"), of("traditional-trustee")], ["2026-02-16 00:00", "2026-02-16 00:00"]);
    let death = Facts { matter: "death-benefit", ..ANY };
    let (mut clock, calendar) = started("au-rg271", Kind::Final, &death, received, received);
    assert_eq!(shown(clock.due(calendar).unwrap(), calendar), "2026-04-02 00:00");
    let rest = Approval { reason: "28 days for objections began today", handler: "a", approver: "b" };
    clock.extend(28, &rest, calendar, at("2026-01-05T12:00+11")).unwrap();
    assert_eq!(shown(clock.due(calendar).unwrap(), calendar), "2026-04-30 00:00");
}

#[test]
fn india_names_the_time_to_go_to_the_ombudsman_by_day_of_receipt() {
    assert_eq!(due("in-rbi", Kind::Final, &ANY, "2026-07-01T12:00+0530"), "2026-08-01 00:00");
    let says = |received: &str, words: &str| {
        let pack = pack_on("in-rbi", received.parse().unwrap()).unwrap();
        pack.duties.iter().any(|duty| duty.text.contains(words))
    };
    assert!(says("2026-06-30", "within 1 year") && !says("2026-06-30", "within 90 days"));
    assert!(says("2026-07-01", "within 90 days") && !says("2026-07-01", "within 1 year"));
}

#[test]
fn every_uk_pack_of_today_says_that_the_answer_names_the_adr_scheme() {
    let today = "2026-11-28".parse().unwrap();
    for name in
        ["uk-fca-disp", "uk-eu-payment", "uk-data-protection", "uk-ofcom-telecom", "uk-housing-ombudsman"]
    {
        let pack = pack_on(name, today).unwrap();
        assert!(pack.duties.iter().any(|duty| duty.text.contains("names the ADR scheme")), "{name}");
    }
    let before = pack_on("uk-fca-disp", "2026-04-05".parse().unwrap()).unwrap();
    assert!(before.duties.iter().all(|duty| !duty.text.contains("ADR")));
}

/// PSD2 art. 101(2).
#[test]
fn more_time_for_a_payment_complaint_needs_a_cause_and_names_the_day() {
    for pack in versions("uk-eu-payment") {
        let more = pack.promises[0].extension.as_ref().unwrap();
        assert!(more.holding_reply && more.names_date && more.causes == ["beyond-control"]);
    }
}

/// Data Protection Act 2018 s. 164A, ICO guidance.
#[test]
fn uk_data_protection_acknowledges_within_30_days_and_rolls_the_last() {
    let acknowledge = |received: &str| due("uk-data-protection", Kind::Acknowledge, &ANY, received);
    // 19 July is a Sunday.
    assert_eq!(acknowledge("2026-06-19T10:00+01"), "2026-07-21 00:00");
    // Christmas on a Friday, Boxing Day on a Saturday: Monday is off instead.
    assert_eq!(acknowledge("2026-11-25T10:00Z"), "2026-12-30 00:00");
    assert_eq!(acknowledge("2026-07-01T10:00+01"), "2026-08-01 00:00");
}

/// Ofcom, statement of 2025-07-09.
#[test]
fn uk_telecom_writes_the_adr_letter_after_six_weeks_and_before_after_eight() {
    assert_eq!(due("uk-ofcom-telecom", Kind::Final, &ANY, "2026-04-07T10:00+01"), "2026-06-03 00:00");
    assert_eq!(due("uk-ofcom-telecom", Kind::Final, &ANY, "2026-04-08T10:00+01"), "2026-05-21 00:00");
}

/// Complaint Handling Code 6.2, 6.3, 6.11, 6.14.
#[test]
fn uk_housing_answers_each_stage_from_its_acknowledgement() {
    let name = "uk-housing-ombudsman";
    assert_eq!(due(name, Kind::Acknowledge, &ANY, "2026-04-01T16:00+01"), "2026-04-11 00:00");
    let (clock, calendar) = started(name, Kind::Decide, &ANY, "2026-04-01T16:00+01", "2026-04-08T09:00+01");
    assert_eq!(shown(clock.due(calendar).unwrap(), calendar), "2026-04-23 00:00");
    assert_eq!(clock.explain(calendar).begun_by, Some(Starts::Acknowledgement));
    assert_eq!(clock.reopening(false), Reopening::Anew);
    let second = Facts { stage: 2, ..ANY };
    let pack = pack_on(name, "2026-04-01".parse().unwrap()).unwrap();
    let starts = |kind, facts| pack.promise_for(kind, facts).unwrap().starts;
    assert_eq!(starts(Kind::Acknowledge, &ANY), Starts::Receipt);
    assert_eq!(starts(Kind::Acknowledge, &second), Starts::ReviewRequest);
    let (mut clock, calendar) =
        started(name, Kind::Decide, &second, "2026-04-01T16:00+01", "2026-05-01T09:00+01");
    assert_eq!(shown(clock.due(calendar).unwrap(), calendar), "2026-06-03 00:00");
    let told = Approval { reason: "a surveyor is ill", handler: "a", approver: "" };
    clock.extend(20, &told, calendar, at("2026-05-20T09:00+01")).unwrap();
    assert_eq!(clock.most_more(), 0);
}

/// 14 CFR 259.7(c), 382.155.
#[test]
fn us_airlines_acknowledge_in_30_days_and_answer_in_60() {
    let (name, received) = ("us-dot-airline", "2026-11-20T13:00-05");
    assert_eq!(due(name, Kind::Acknowledge, &ANY, received), "2026-12-21 00:00");
    assert_eq!(due(name, Kind::Final, &ANY, received), "2027-01-20 00:00");
    let disability = Facts { matter: "disability", ..ANY };
    assert_eq!(due(name, Kind::Final, &disability, received), "2026-12-21 00:00");
}

/// Ten working days; a refund seven.
#[test]
fn china_civil_aviation_answers_in_ten_working_days() {
    let name = "cn-civil-aviation";
    assert_eq!(due(name, Kind::Decide, &ANY, "2026-09-24T10:00+08"), "2026-10-16 00:00");
    assert_eq!(due(name, Kind::Remedy, &ANY, "2026-09-24T10:00+08"), "2026-10-13 00:00");
}

/// State Council 778 art. 46.
#[test]
fn china_authorities_without_a_rule_answer_in_7_working_days_and_mediate_60_days() {
    let name = "cn-consumer-authority";
    assert_eq!(due(name, Kind::Accept, &ANY, "2026-04-29T15:00+08"), "2026-05-13 00:00");
    assert_eq!(due(name, Kind::Decide, &ANY, "2026-04-29T15:00+08"), "2026-06-29 00:00");
}

/// MiCA art. 71 and Regulation 2025/294; GDPR art. 12(3).
#[test]
fn months_end_on_the_same_day_or_on_the_last_of_a_shorter_month() {
    assert_eq!(due("eu-mica-casp", Kind::Final, &ANY, "2025-12-31T10:00+01"), "2026-03-01 00:00");
    assert_eq!(due("eu-mica-casp", Kind::Final, &ANY, "2026-01-15T10:00+01"), "2026-03-16 00:00");
    let name = "eu-gdpr-request";
    assert_eq!(due(name, Kind::Decide, &ANY, "2028-01-31T10:00+01"), "2028-03-01 00:00");
    let (mut clock, calendar) =
        started(name, Kind::Decide, &ANY, "2026-01-31T10:00+01", "2026-01-31T10:00+01");
    assert_eq!(shown(clock.due(calendar).unwrap(), calendar), "2026-03-01 00:00");
    let days = clock.explain(calendar).days.unwrap();
    assert_eq!(
        (days.first.to_string(), days.last.to_string()),
        ("2026-02-01".to_owned(), "2026-02-28".to_owned())
    );
    assert!(days.shortened);
    let told = Approval { reason: "many requests", handler: "a", approver: "" };
    clock.extend(2, &told, calendar, at("2026-02-20T10:00+01")).unwrap();
    assert_eq!(shown(clock.due(calendar).unwrap(), calendar), "2026-05-01 00:00");
}

#[test]
fn a_promise_says_what_becomes_of_it_while_its_case_is_resolved() {
    let calendar = builtin::get("uk").unwrap();
    let mut terms = Terms::of("10 days".parse().unwrap());
    let clock = |terms: &Terms| Clock::start(Kind::Final, terms.clone(), "x@1", at("2026-09-07T10:00+01"));
    assert_eq!(clock(&terms).reopening(false), Reopening::Counts);
    assert_eq!(clock(&terms).reopening(true), Reopening::Anew);
    terms.reopened = Some(Reopening::StandsStill);
    let mut clock = clock(&terms);
    let before = clock.due(calendar).unwrap();
    clock.meet(calendar, at("2026-09-09T10:00+01")).unwrap();
    clock.reopen_at(at("2026-09-12T10:00+01")).unwrap();
    assert_eq!(clock.due(calendar).unwrap().duration_since(before).as_hours(), 72);
    let still = |line: &calendar::Line| line.why == Why::Paused(Reason::Resolved);
    assert!(clock.explain(calendar).lines.iter().any(still));
    let total: jiff::SignedDuration = clock.explain(calendar).lines.iter().map(|line| line.amount).sum();
    assert_eq!(total, clock.total(calendar));
}
