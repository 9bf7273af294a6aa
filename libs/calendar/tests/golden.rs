//! Known dates: what each regime's promises come to around real holidays, worked
//! out by hand from the announcements and the rules' own words.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use calendar::{
    Action, Approval, Calendar, Clock, Complexity, Day, Facts, Kind, Ladder, Pack, Reason, Refusal, Rung,
    Terms, builtin, pack_on, versions, whatif,
};
use jiff::Timestamp;

/// The version in force now.
fn pack(name: &str) -> &'static Pack {
    versions(name).next().unwrap()
}

fn started(name: &str, kind: Kind, facts: &Facts<'_>, received: &str) -> (Clock, &'static Calendar) {
    let pack = pack_on(name, received[..10].parse().unwrap()).unwrap();
    let promise = pack.promise_for(kind, facts).unwrap();
    let start = at(received);
    (Clock::start(kind, promise.terms(), &pack.reference(), start), builtin::get(&pack.calendar).unwrap())
}

/// When it is due, as the clock on the wall shows it there.
fn due(name: &str, kind: Kind, facts: &Facts<'_>, received: &str) -> String {
    let (clock, calendar) = started(name, kind, facts, received);
    shown(clock.due(calendar).unwrap(), calendar)
}

fn shown(time: Timestamp, calendar: &Calendar) -> String {
    calendar.zone().to_datetime(time).strftime("%F %H:%M").to_string()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

const ANY: Facts<'_> =
    Facts { complexity: None, priority: None, region: "", matter: "", stage: 1, channel: None };

#[test]
fn china_bank_and_insurance() {
    let name = "cn-bank-insurance-2020";
    let complex = Facts { complexity: Some(Complexity::Complex), ..ANY };
    let simple = Facts { complexity: Some(Complexity::Simple), ..ANY };
    // Calendar days: the long holiday of October 2026 changes nothing.
    assert_eq!(due(name, Kind::Decide, &simple, "2026-09-25T10:00+08"), "2026-10-11 00:00");
    assert_eq!(due(name, Kind::Decide, &complex, "2026-09-25T10:00+08"), "2026-10-26 00:00");
    assert_eq!(due(name, Kind::Decide, &ANY, "2024-02-28T23:59+08"), "2024-03-15 00:00");

    let (mut clock, calendar) = started(name, Kind::Decide, &complex, "2026-09-25T10:00+08");
    let now = at("2026-10-20T09:00+08");
    let own = Approval { reason: "files are missing", handler: "li", approver: "li" };
    assert_eq!(clock.extend(30, &own, calendar, now), Err(Refusal::ApproverIsHandler));
    let other = Approval { approver: "wang", ..own };
    assert_eq!(clock.extend(31, &other, calendar, now), Err(Refusal::BeyondMaximum));
    let wordless = Approval { reason: " ", ..other.clone() };
    assert_eq!(clock.extend(30, &wordless, calendar, now), Err(Refusal::ReasonMissing));
    assert_eq!(clock.extend(30, &other, calendar, at("2026-10-26T00:00+08")), Err(Refusal::Overdue));
    clock.extend(30, &other, calendar, now).unwrap();
    assert_eq!(shown(clock.due(calendar).unwrap(), calendar), "2026-11-25 00:00");
    assert_eq!(clock.extend(1, &other, calendar, now), Err(Refusal::ExtendedAlready));
    assert_eq!(clock.pause(Reason::Appraisal, calendar, now), Err(Refusal::MayNotPause));

    let limits = &pack(name).limits;
    assert_eq!(
        (limits.group_alarm, limits.representatives, limits.withdrawn_same_day),
        (Some(20), Some(5), true)
    );
}

#[test]
fn china_central_bank_is_marked_unverified() {
    let pack = pack("cn-pboc-2020");
    assert!(pack.unverified && pack.promises.iter().all(|promise| promise.unverified));
    assert_eq!(due("cn-pboc-2020", Kind::Decide, &ANY, "2026-02-10T08:00+08"), "2026-02-26 00:00");
    // Spring Festival 2026 is 15 to 23 February; 14 and 28 February are worked.
    assert_eq!(due("cn-pboc-2020", Kind::Accept, &ANY, "2026-02-12T08:00+08"), "2026-03-01 00:00");
}

#[test]
fn china_telecom_by_region() {
    let in_region = |region| Facts { region, ..ANY };
    assert_eq!(due("cn-telecom", Kind::Decide, &ANY, "2025-09-26T10:00+08"), "2025-10-12 00:00");
    // 28 September and 11 October 2025 are worked; 1 to 8 October are off.
    assert_eq!(
        due("cn-telecom", Kind::Decide, &in_region("河南省郑州市"), "2025-09-26T10:00+08"),
        "2025-10-11 00:00"
    );
    assert_eq!(
        due("cn-telecom", Kind::Decide, &in_region("重庆"), "2025-09-26T10:00+08"),
        "2025-10-24 00:00"
    );
    for (name, code) in [("河南", "CN-HA"), ("重庆", "CN-CQ")] {
        let of = |region| due("cn-telecom", Kind::Decide, &in_region(region), "2025-09-26T10:00+08");
        assert_eq!(of(name), of(code));
    }
}

#[test]
fn china_express_and_postal() {
    let abroad = Facts { region: "重庆市", matter: "international", ..ANY };
    let inland = Facts { region: "重庆市", matter: "domestic", ..ANY };
    assert_eq!(due("cn-express", Kind::Decide, &ANY, "2026-04-30T18:00+08"), "2026-05-08 00:00");
    assert_eq!(due("cn-express", Kind::Decide, &inland, "2026-04-30T18:00+08"), "2026-05-31 00:00");
    assert_eq!(due("cn-express", Kind::Decide, &abroad, "2026-04-30T18:00+08"), "2026-06-30 00:00");
    assert_eq!(due("cn-postal-forwarded", Kind::Decide, &ANY, "2026-04-30T18:00+08"), "2026-05-16 00:00");
}

#[test]
fn china_market_regulator_stands_still_for_an_appraisal() {
    // 1 to 5 May 2026 are off; 9 May, a Saturday, is worked.
    assert_eq!(due("cn-samr-mediation", Kind::Accept, &ANY, "2026-04-29T15:00+08"), "2026-05-13 00:00");
    let (mut clock, calendar) = started("cn-samr-mediation", Kind::Decide, &ANY, "2026-04-29T15:00+08");
    let undisturbed = clock.due(calendar).unwrap();
    // Article 23(1)(5): 60 days; a Sunday stays the last of them.
    assert_eq!(shown(undisturbed, calendar), "2026-06-29 00:00");
    assert_eq!(clock.pause(Reason::ForceMajeure, calendar, undisturbed), Err(Refusal::UnlawfulReason));
    clock.pause(Reason::Appraisal, calendar, at("2026-05-08T10:00+08")).unwrap();
    assert_eq!(clock.due(calendar), None);
    // Friday 10:00 to Monday 10:00: three days.
    clock.resume(at("2026-05-11T10:00+08")).unwrap();
    assert_eq!(shown(clock.due(calendar).unwrap(), calendar), "2026-07-02 00:00");
    assert_eq!(due("cn-samr-mediation", Kind::Tell, &ANY, "2026-05-08T10:00+08"), "2026-05-19 00:00");
    assert_eq!(pack("cn-samr-mediation").limits.representatives, Some(2));
}

#[test]
fn china_letters_and_calls() {
    let name = "cn-xinfang";
    assert_eq!(due(name, Kind::Accept, &ANY, "2026-01-01T00:00+08"), "2026-01-17 00:00");
    // 4 January, a Sunday, is worked in exchange for 2 January.
    assert_eq!(due(name, Kind::Object, &ANY, "2025-12-31T17:00+08"), "2026-01-09 00:00");
    let (mut clock, calendar) = started(name, Kind::Decide, &ANY, "2026-01-05T09:00+08");
    assert_eq!(shown(clock.due(calendar).unwrap(), calendar), "2026-03-07 00:00");
    let approval = Approval { reason: "two districts involved", handler: "a", approver: "b" };
    clock.extend(30, &approval, calendar, at("2026-03-01T09:00+08")).unwrap();
    assert_eq!(shown(clock.due(calendar).unwrap(), calendar), "2026-04-06 00:00");
    assert_eq!(due(name, Kind::Review, &ANY, "2026-01-05T09:00+08"), "2026-02-05 00:00");
}

#[test]
fn china_citizens_hotline() {
    let name = "cn-12345";
    let matter = |matter| Facts { matter, ..ANY };
    assert_eq!(due(name, Kind::Acknowledge, &ANY, "2026-09-24T23:30+08"), "2026-09-25 01:30");
    // Mid-autumn: 25 to 27 September 2026.
    assert_eq!(due(name, Kind::Decide, &matter("one-day"), "2026-09-24T23:30+08"), "2026-09-29 00:00");
    assert_eq!(due(name, Kind::Decide, &ANY, "2026-09-24T23:30+08"), "2026-10-10 00:00");
    assert_eq!(due(name, Kind::Decide, &matter("ten-day"), "2026-09-24T23:30+08"), "2026-10-16 00:00");
}

#[test]
fn united_kingdom_financial_firms() {
    let name = "uk-fca-disp";
    // Eight weeks over the end of summer time; Good Friday and Easter Monday 2026.
    assert_eq!(due(name, Kind::Final, &ANY, "2026-09-28T09:00+01"), "2026-11-24 00:00");
    assert_eq!(due(name, Kind::Acknowledge, &ANY, "2026-04-01T16:00+01"), "2026-04-11 00:00");
    let (mut clock, calendar) = started(name, Kind::Final, &ANY, "2026-09-28T09:00+01");
    let now = at("2026-10-01T09:00Z");
    assert_eq!(clock.pause(Reason::AwaitingComplainant, calendar, now), Err(Refusal::MayNotPause));
    let settled = pack(name).limits.early_settlement.unwrap();
    assert_eq!(shown(settled.due(calendar, at("2026-12-23T12:00Z")), calendar), "2026-12-30 17:30");
}

#[test]
fn payments_in_the_union() {
    let name = "uk-eu-payment";
    let (mut clock, calendar) = started(name, Kind::Final, &ANY, "2026-12-15T11:00+01");
    assert_eq!(shown(clock.due(calendar).unwrap(), calendar), "2027-01-08 00:00");
    let holding = Approval { reason: "correspondent bank has not answered", handler: "a", approver: "" };
    assert!(clock.terms.extension.as_ref().is_some_and(|more| more.holding_reply));
    assert_eq!(clock.most_more(), 20);
    assert_eq!(clock.extend(21, &holding, calendar, at("2027-01-06T12:00+01")), Err(Refusal::BeyondMaximum));
    assert_eq!(clock.extend(20, &holding, calendar, at("2027-01-08T00:00+01")), Err(Refusal::Overdue));
    clock.extend(20, &holding, calendar, at("2027-01-06T12:00+01")).unwrap();
    assert_eq!(shown(clock.due(calendar).unwrap(), calendar), "2027-02-05 00:00");
    assert_eq!(clock.most_more(), 0);
}

#[test]
fn a_moment_that_was_named_is_met_to_the_microsecond() {
    let (now, calendar) = (at("2026-12-15T11:00:00.25+01"), builtin::get("cn").unwrap());
    for moment in ["2026-12-15T11:00:00.250001+01", "2026-12-18T09:30:17+01", "2027-12-15T00:00+01"] {
        let moment = at(moment);
        let clock = Clock::until(Kind::Update, moment, "x@1", now).unwrap();
        assert_eq!(clock.due(calendar), Some(moment));
        assert!(clock.start <= now && now.duration_since(clock.start).as_secs() < 60);
    }
    for moment in [now, at("2026-12-15T10:59+01"), at("2037-12-15T10:59+01")] {
        assert!(Clock::until(Kind::Update, moment, "x@1", now).is_err(), "{moment}");
    }
}

#[test]
fn united_states_australia_india() {
    let (mut clock, calendar) = started("us-cfpb", Kind::Final, &ANY, "2026-11-20T13:00-05");
    assert_eq!(shown(clock.due(calendar).unwrap(), calendar), "2026-12-06 00:00");
    let progress = Approval { reason: "in progress", handler: "", approver: "" };
    clock.extend(45, &progress, calendar, at("2026-12-01T13:00-05")).unwrap();
    assert_eq!(shown(clock.due(calendar).unwrap(), calendar), "2027-01-20 00:00");

    // Anzac Day 2025 is a Friday after Easter Monday.
    assert_eq!(due("au-rg271", Kind::Acknowledge, &ANY, "2025-04-24T15:00+10"), "2025-04-28 15:00");
    let superannuation = Facts { matter: "superannuation", ..ANY };
    assert_eq!(due("au-rg271", Kind::Final, &ANY, "2026-01-01T12:00+11"), "2026-02-01 00:00");
    assert_eq!(due("au-rg271", Kind::Final, &superannuation, "2026-01-01T12:00+11"), "2026-02-16 00:00");
    assert_eq!(due("in-rbi", Kind::Final, &ANY, "2026-01-26T12:00+0530"), "2026-02-26 00:00");
}

#[test]
fn our_own_promises_follow_the_priority() {
    let name = "general-e-commerce";
    let urgent = |priority| Facts { priority: Some(priority), ..ANY };
    let received = "2026-09-30T17:30+08";
    // Half an hour today, half an hour after the holiday.
    assert_eq!(due(name, Kind::Acknowledge, &ANY, received), "2026-10-08 09:30");
    assert_eq!(due(name, Kind::Decide, &urgent(1), received), "2026-10-09 00:00");
    assert_eq!(due(name, Kind::Decide, &urgent(2), received), "2026-10-11 00:00");
    assert_eq!(due(name, Kind::Decide, &urgent(3), received), "2026-10-16 00:00");
    assert_eq!(due(name, Kind::Decide, &urgent(4), received), "2026-10-28 00:00");
    assert_eq!(due(name, Kind::Remedy, &ANY, received), "2026-10-03 17:30");

    // A pause ends by itself when its cap is used up.
    let (mut clock, calendar) = started(name, Kind::Decide, &urgent(1), "2026-11-02T10:00+08");
    clock.pause(Reason::AwaitingComplainant, calendar, at("2026-11-02T12:00+08")).unwrap();
    assert_eq!(shown(clock.resumes_at().unwrap(), calendar), "2026-11-17 12:00");
    let capped = clock.due(calendar);
    assert_eq!(shown(capped.unwrap(), calendar), "2026-11-19 00:00");
    clock.resume(at("2026-11-25T12:00+08")).unwrap();
    assert_eq!(clock.due(calendar), capped);
    assert!(clock.is_breached(calendar, at("2026-11-19T00:00+08")));
    assert!(!clock.is_breached(calendar, at("2026-11-18T23:59:59+08")));
    assert_eq!(
        clock.pause(Reason::Appraisal, calendar, at("2026-11-17T13:00+08")),
        Err(Refusal::PauseUsedUp)
    );

    // A new priority keeps what was spent and how long it stood still.
    let (mut clock, calendar) = started(name, Kind::Decide, &urgent(4), "2026-11-02T10:00+08");
    clock.pause(Reason::Appraisal, calendar, at("2026-11-03T10:00+08")).unwrap();
    clock.resume(at("2026-11-05T10:00+08")).unwrap();
    let spent = clock.consumed(calendar, at("2026-11-06T10:00+08"));
    let promise = pack(name).promise_for(Kind::Decide, &urgent(2)).unwrap();
    clock.change(promise.terms(), "general-e-commerce@1", calendar, at("2026-11-06T10:00+08"));
    assert_eq!(clock.consumed(calendar, at("2026-11-06T10:00+08")), spent);
    assert_eq!(shown(clock.due(calendar).unwrap(), calendar), "2026-11-10 00:00");

    // Terms that let nothing stand still let it run on.
    clock.pause(Reason::Appraisal, calendar, at("2026-11-06T10:00+08")).unwrap();
    let strict = Terms::of("9 working days".parse().unwrap());
    clock.change(strict, "strict@1", calendar, at("2026-11-09T10:00+08"));
    assert_eq!(clock.running_since(), Some(at("2026-11-09T10:00+08")));
    assert_eq!(clock.consumed(calendar, at("2026-11-09T10:00+08")), spent);
}

#[test]
fn a_reopened_promise_was_never_kept() {
    let (mut clock, calendar) = started("in-rbi", Kind::Final, &ANY, "2026-01-26T12:00+0530");
    let due = clock.due(calendar);
    clock.meet(calendar, at("2026-02-01T12:00+0530")).unwrap();
    assert!(!clock.is_breached(calendar, at("2027-01-01T00:00Z")));
    assert_eq!(clock.meet(calendar, at("2026-02-02T12:00+0530")), Err(Refusal::Ended));
    clock.reopen().unwrap();
    assert_eq!(clock.due(calendar), due);
    assert!(clock.is_breached(calendar, at("2027-01-01T00:00Z")));
}

#[test]
fn holidays_fall_where_they_fell() {
    let day = |calendar: &str, date: &str| builtin::get(calendar).unwrap().day(date.parse().unwrap());
    let holiday = |calendar: &str, date: &str| matches!(day(calendar, date), Day::Holiday(_));
    for (calendar, date) in [
        ("uk", "2021-12-27"),
        ("uk", "2021-12-28"),
        ("uk", "2022-12-27"),
        ("uk", "2022-01-03"),
        ("uk", "2022-06-02"),
        ("uk", "2024-03-29"),
        ("uk", "2026-08-31"),
        ("us-federal", "2021-12-31"),
        ("us-federal", "2026-07-03"),
        ("us-federal", "2021-07-05"),
        ("us-federal", "2026-11-26"),
        ("us-federal", "2023-01-02"),
        ("eu-target", "2026-05-01"),
        ("eu-target", "2026-04-06"),
        ("au", "2022-01-03"),
        ("au", "2027-12-28"),
        ("in", "2026-10-02"),
        ("cn", "2027-02-05"),
        ("cn", "2026-10-07"),
    ] {
        assert!(holiday(calendar, date), "{calendar} {date}");
    }
    for (calendar, date) in [
        ("uk", "2022-05-30"),
        ("us-federal", "2020-06-19"),
        ("us-federal", "2022-01-03"),
        ("eu-target", "2026-12-28"),
        ("cn", "2026-10-10"),
        ("cn", "2020-01-19"),
        ("au", "2026-04-27"),
    ] {
        assert!(matches!(day(calendar, date), Day::Worked(_)), "{calendar} {date}");
    }
    assert_eq!(day("cn", "2026-10-11"), Day::Weekend);
    let cn = builtin::get("cn").unwrap();
    assert!(cn.is_provisional(at("2027-01-01T00:00Z")) && !cn.is_provisional(at("2026-12-25T15:00Z")));
}

#[test]
fn a_ladder_runs_the_newest_rung_and_logs_the_others() {
    let rung = |name: &str, at: &str, actions: &[Action]| Rung {
        name: name.to_owned(),
        at: at.parse().unwrap(),
        actions: actions.to_vec(),
    };
    let ladder = Ladder::check(vec![
        rung("late", "1 working day after", &[Action::Escalate]),
        rung("half", "50%", &[Action::Remind]),
        rung("due", "100%", &[Action::RaisePriority, Action::Escalate]),
        rung("soon", "4 working hours before", &[Action::Remind]),
    ])
    .unwrap();
    let calendar = builtin::get("cn").unwrap();
    let terms = Terms::of("16 working hours".parse().unwrap());
    let clock = Clock::start(Kind::Task, terms, "test@1", at("2026-11-20T09:00+08"));
    let steps: Vec<(String, String)> = ladder
        .steps(&clock, calendar)
        .into_iter()
        .map(|step| (step.rung.name.clone(), shown(step.at, calendar)))
        .collect();
    let expected = [
        ("half", "2026-11-23 09:30"),
        ("soon", "2026-11-23 15:00"),
        ("due", "2026-11-24 10:00"),
        ("late", "2026-11-25 10:00"),
    ];
    assert_eq!(steps, expected.map(|(name, time)| (name.to_owned(), time.to_owned())));

    let missed = ladder.missed(&clock, calendar, at("2026-11-24T10:00+08"), |name| name == "half");
    let names =
        |steps: &[calendar::Step<'_>]| steps.iter().map(|step| step.rung.name.clone()).collect::<Vec<_>>();
    assert_eq!((names(&missed.run), names(&missed.log)), (vec!["due".to_owned()], vec!["soon".to_owned()]));
    let next = ladder.next(&clock, calendar, at("2026-11-24T10:00+08"), |_| false).unwrap();
    assert_eq!(next.rung.name, "late");
    let mut met = clock.clone();
    met.meet(calendar, at("2026-11-23T10:00+08")).unwrap();
    assert!(ladder.missed(&met, calendar, at("2026-12-24T10:00+08"), |_| false).run.is_empty());

    let twice = vec![rung("a", "50%", &[]), rung("a", "50%", &[Action::Remind, Action::Remind])];
    assert_eq!(Ladder::check(twice).unwrap_err().len(), 4);
}

#[test]
fn what_an_edit_would_move_is_what_it_moves() {
    let old = builtin::get("uk").unwrap();
    let mut draft = builtin::draft("uk").unwrap();
    draft.days.push(calendar::DayDraft {
        date: "2026-12-28".to_owned(),
        kind: calendar::DayKind::Holiday,
        name: "a day of mourning".to_owned(),
    });
    draft.days.push(calendar::DayDraft {
        date: "2026-12-24".to_owned(),
        kind: calendar::DayKind::Holiday,
        name: "too".to_owned(),
    });
    let new = draft.check().unwrap();
    let clock = |budget: &str, start: &str| {
        Clock::start(Kind::Decide, Terms::of(budget.parse().unwrap()), "test@1", at(start))
    };
    let mut clocks = vec![
        clock("5 working days", "2026-12-21T10:00Z"),
        clock("5 days", "2026-12-21T10:00Z"),
        clock("16 working hours", "2026-12-23T10:00Z"),
        clock("2 working days", "2026-12-21T10:00Z"),
    ];
    let mut met = clocks[0].clone();
    met.meet(old, at("2026-12-22T10:00Z")).unwrap();
    clocks.push(met);
    let moved = whatif::calendar_edit(clocks.iter().enumerate(), old, &new);
    assert_eq!(moved.iter().map(|moved| moved.key).collect::<Vec<_>>(), [0, 2]);
    for moved in &moved {
        let mut edited = clocks[moved.key].clone();
        edited.remeasure(&new);
        assert_eq!((clocks[moved.key].due(old), edited.due(&new)), (moved.before, moved.after));
    }
    assert_eq!(shown(moved[0].after.unwrap(), &new), "2027-01-01 00:00");

    let stricter =
        whatif::policy_edit(clocks.iter().enumerate(), old, "test@2", at("2026-12-22T10:00Z"), |key, _| {
            (*key < 2).then(|| Terms::of("5 days".parse().unwrap()))
        });
    assert_eq!(stricter.iter().map(|moved| moved.key).collect::<Vec<_>>(), [0]);
}
