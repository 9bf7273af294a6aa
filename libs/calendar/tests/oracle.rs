//! The arithmetic against an oracle that knows none of it: it walks minute by
//! minute and looks at the clock on the wall, in every zone, over every kind of
//! change of clocks.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::collections::BTreeSet;
use std::num::NonZero;

use calendar::{
    Budget, Calendar, Clock, DayDraft, DayKind, Draft, Hours, Kind, Pausing, Reason, Scale, Terms, Why, zones,
};
use jiff::civil::{Date, DateTime};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const SCALES: [Scale; 4] = [Scale::Elapsed, Scale::WorkingTime, Scale::Days, Scale::WorkingDays];

/// A calendar the oracle understands: the same shifts on each worked weekday,
/// some days listed.
#[derive(Clone, Debug)]
struct Plan {
    zone: String,
    /// Minutes of the day.
    shifts: Vec<(i16, i16)>,
    worked: [bool; 7],
    listed: Vec<(Date, bool)>,
}

impl Plan {
    fn calendar(&self) -> Calendar {
        let time = |minute: i16| format!("{:02}:{:02}", minute / 60, minute % 60);
        let texts: Vec<String> =
            self.shifts.iter().map(|(from, until)| format!("{}-{}", time(*from), time(*until))).collect();
        let hours = |weekday: usize| if self.worked[weekday] { texts.clone() } else { Vec::new() };
        let listed = |(date, worked): &(Date, bool)| DayDraft {
            date: date.to_string(),
            kind: if *worked { DayKind::Workday } else { DayKind::Holiday },
            name: "listed".to_owned(),
        };
        let draft = Draft {
            zone: self.zone.clone(),
            hours: Hours {
                monday: hours(0),
                tuesday: hours(1),
                wednesday: hours(2),
                thursday: hours(3),
                friday: hours(4),
                saturday: hours(5),
                sunday: hours(6),
            },
            days: self.listed.iter().map(listed).collect(),
            ..Draft::default()
        };
        draft.accepted().unwrap()
    }

    fn is_worked(&self, date: Date) -> bool {
        let usual = self.worked[usize::try_from(date.weekday().to_monday_zero_offset()).unwrap()];
        self.listed.iter().find(|(listed, _)| *listed == date).map_or(usual, |(_, worked)| *worked)
    }

    fn is_working_time(&self, shown: DateTime) -> bool {
        let minute = i16::from(shown.hour()) * 60 + i16::from(shown.minute());
        self.is_worked(shown.date())
            && self.shifts.iter().any(|(from, until)| (*from..*until).contains(&minute))
    }
}

/// What each minute from `from` on takes on a scale.
fn minutes(plan: &Plan, scale: Scale, from: Timestamp, count: usize) -> Vec<SignedDuration> {
    let zone = zones::get(&plan.zone).unwrap();
    // Well before, so that it is known what the wall clock has shown already.
    let mut now = from - SignedDuration::from_hours(26);
    let mut latest = zone.to_datetime(now);
    // What it has shown, and up to where.
    let mut line = latest;
    let mut taken = Vec::with_capacity(count);
    while taken.len() < count {
        let next = zone.to_datetime(now + MINUTE);
        let next_line = line.max(next).max(if next < latest { latest + MINUTE } else { next });
        if now >= from {
            taken.push(match scale {
                Scale::Elapsed => MINUTE,
                Scale::WorkingTime if plan.is_working_time(latest) => MINUTE,
                Scale::WorkingTime => SignedDuration::ZERO,
                Scale::Days => next_line.duration_since(line),
                Scale::WorkingDays => worked_wall(plan, line, next_line),
            });
        }
        latest = latest.max(next);
        line = next_line;
        now += MINUTE;
    }
    taken
}

fn worked_wall(plan: &Plan, mut from: DateTime, until: DateTime) -> SignedDuration {
    let mut sum = SignedDuration::ZERO;
    while from < until {
        if plan.is_worked(from.date()) {
            sum += MINUTE;
        }
        from += MINUTE;
    }
    sum
}

fn zones() -> Vec<String> {
    let mut names = zones::pinned().names();
    // Names that are no places: right/…, posixrules, Factory.
    names.retain(|name| name.contains('/') && !name.starts_with("right/") && !name.starts_with("posix/"));
    names
}

fn minute_of(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds - seconds.rem_euclid(60)).unwrap()
}

const FIRST: i64 = 0;
const LAST: i64 = 4_102_444_800; // 2100-01-01
const RULED: i64 = 2_145_916_800; // 2038-01-01
const WEEK: i64 = 7 * 86_400;

prop_compose! {
    /// A plan, and a time close to a change of clocks where the zone has any.
    fn moments()(
        zone in proptest::sample::select(zones()),
        second in FIRST..LAST,
        near in -3_000_i64..3_000,
        mut cuts in proptest::collection::btree_set(0_i16..=96, 2..=6),
        worked in any::<[bool; 7]>(),
        listed in proptest::collection::btree_map(-6_i64..12, any::<bool>(), 0..6),
    ) -> (Plan, Timestamp) {
        if cuts.len() % 2 == 1 {
            cuts.pop_first();
        }
        let cuts: Vec<i16> = cuts.into_iter().map(|quarter| quarter * 15).collect();
        let shifts = cuts.chunks(2).map(|pair| (pair[0], pair[1])).collect();
        let mut worked = worked;
        worked[2] = true;
        let start = Timestamp::from_second(second).unwrap();
        let tz = zones::get(&zone).unwrap();
        let change = tz.following(start).next().map_or(start, |change| change.timestamp());
        let time = minute_of(change.as_second().min(LAST) + near * 60);
        let day = tz.to_datetime(time).date();
        let listed = listed.into_iter().map(|(days, worked)| (day + jiff::Span::new().days(days), worked)).collect();
        (Plan { zone, shifts, worked, listed }, time)
    }
}

/// Liberia's clocks were 44 minutes 30 seconds behind until 1972: no minutes.
fn in_minutes(plan: &Plan, time: Timestamp) -> bool {
    let zone = zones::get(&plan.zone).unwrap();
    zone.to_offset(time - SignedDuration::from_hours(24 * 20)).seconds() % 60 == 0
}

/// Amsterdam set its clocks back from 03:00 to 02:00 on 25 September 1977, at 01:00 UTC: all
/// wall time up to 03:00 had passed then, and 03:00 was shown an hour later.
#[test]
fn wall_time_up_to_where_clocks_are_set_back_has_passed_when_they_are() {
    let shifts = vec![(0, 24 * 60)];
    let plan = Plan { zone: "Europe/Amsterdam".to_owned(), shifts, worked: [true; 7], listed: Vec::new() };
    let calendar = plan.calendar();
    let [from, back, again]: [Timestamp; 3] =
        ["1977-09-23T02:29:00Z", "1977-09-25T01:00:00Z", "1977-09-25T02:00:00Z"]
            .map(|time| time.parse().unwrap());
    for scale in [Scale::Days, Scale::WorkingDays] {
        let passed = scale.measure(&calendar, from, back);
        assert_eq!(passed, SignedDuration::from_mins(46 * 60 + 31), "{scale:?}");
        assert_eq!(scale.measure(&calendar, from, again), passed, "the clock stands still");
        assert_eq!(scale.advance(&calendar, from, passed), back, "{scale:?}");
        assert!(scale.retreat(&calendar, again, SignedDuration::from_nanos(1)) < back);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn measuring_and_advancing_are_what_the_oracle_counts(
        (plan, from) in moments(), scale in proptest::sample::select(&SCALES[..]), length in 1_usize..6_000,
    ) {
        prop_assume!(in_minutes(&plan, from));
        let calendar = plan.calendar();
        let each = minutes(&plan, scale, from, length);
        let all: SignedDuration = each.iter().sum();
        let until = from + MINUTE * i32::try_from(length).unwrap();
        prop_assert_eq!(scale.measure(&calendar, from, until), all);
        // The first instant by which half of it has passed.
        let half = SignedDuration::from_mins(all.as_mins() / 2);
        let mut sum = SignedDuration::ZERO;
        let counted = each.iter().take_while(|minute| { let on = sum < half; sum += **minute; on }).count();
        let expected = from + MINUTE * i32::try_from(counted).unwrap();
        prop_assert_eq!(scale.advance(&calendar, from, half), expected);
    }

    #[test]
    fn stretches_add_up_and_time_never_runs_back(
        (plan, from) in moments(), scale in proptest::sample::select(&SCALES[..]),
        first in 0_i64..2_000_000, second in 0_i64..2_000_000,
    ) {
        let calendar = plan.calendar();
        let middle = from + SignedDuration::from_secs(first);
        let until = middle + SignedDuration::from_secs(second);
        let (one, two) = (scale.measure(&calendar, from, middle), scale.measure(&calendar, middle, until));
        prop_assert_eq!(one + two, scale.measure(&calendar, from, until));
        prop_assert!(scale.advance(&calendar, from, one) <= middle);
        prop_assert!(scale.advance(&calendar, from, one) <= scale.advance(&calendar, middle, one));
        prop_assert!(scale.retreat(&calendar, until, two) >= middle);
    }

    #[test]
    fn a_longer_budget_is_never_due_earlier(
        (plan, from) in moments(), amount in 1_u32..30, budget in proptest::sample::select(&BUDGETS[..]),
    ) {
        let calendar = plan.calendar();
        let due = |amount: u32| budget.replace('#', &amount.to_string()).parse::<Budget>().unwrap().due(&calendar, from);
        prop_assert!(from <= due(amount));
        prop_assert!(due(amount) <= due(amount + 1));
    }

    #[test]
    fn a_last_day_is_rolled_past_each_day_the_oracle_finds_off(
        (plan, from) in moments(), amount in 1_u32..10, all in any::<bool>(),
    ) {
        let calendar = plan.calendar();
        let due = |text: String| text.parse::<Budget>().unwrap().due(&calendar, from);
        let is_off = |date: Date| {
            let listed = plan.listed.iter().find(|(day, _)| *day == date).map(|(_, worked)| *worked);
            if all { !plan.is_worked(date) } else { listed == Some(false) }
        };
        let mut last = calendar.date(from) + jiff::Span::new().days(amount);
        let mut days = amount;
        while is_off(last) {
            last = last.tomorrow().unwrap();
            days += 1;
        }
        let kind = if all { "days off" } else { "holidays" };
        prop_assert_eq!(due(format!("{amount} days rolled past {kind}")), due(format!("{days} days")));
    }

    #[test]
    fn months_and_weeks_end_on_the_day_the_oracle_counts(
        (plan, from) in moments(), amount in 1_u32..60, weeks in any::<bool>(),
    ) {
        let calendar = plan.calendar();
        let day = calendar.date(from);
        let last = if weeks { (0..7 * amount).fold(day, |day, _| day.tomorrow().unwrap()) } else { months_on(day, amount) };
        // One by one: the engine counts no months here.
        let days = std::iter::successors(Some(day), |day| day.tomorrow().ok()).take_while(|day| *day < last).count();
        let text = format!("{amount} {}", if weeks { "weeks" } else { "months" });
        let budget: Budget = text.parse().unwrap();
        prop_assert_eq!(budget.due(&calendar, from), format!("{days} days").parse::<Budget>().unwrap().due(&calendar, from));
        let counted = budget.days(&calendar, from).unwrap();
        prop_assert_eq!((counted.last, counted.shortened), (last, last.day() != day.day() && !weeks));
    }

    #[test]
    fn cutting_a_pause_in_two_changes_nothing_and_every_explanation_adds_up(
        (plan, start) in moments(), amount in 1_u32..20, budget in proptest::sample::select(&BUDGETS[..]),
        run in 0_i64..400_000, pause in 1_i64..400_000, cut in 0_i64..400_000, more in 0_i64..400_000,
    ) {
        let calendar = plan.calendar();
        let seconds = SignedDuration::from_secs;
        let (from, until) = (start + seconds(run), start + seconds(run + pause));
        let cut = from + seconds(cut % pause);
        let again = until + seconds(more);
        let whole = paused(&budget.replace('#', &amount.to_string()), &calendar, start, &[(from, until), (again, again + seconds(77))]);
        let halves = paused(&budget.replace('#', &amount.to_string()), &calendar, start, &[(from, cut), (cut, until), (again, again + seconds(77))]);
        prop_assert_eq!(whole.due(&calendar), halves.due(&calendar));
        for clock in [whole, halves] {
            adds_up(&clock, &calendar)?;
        }
    }
}

/// So many months on: the same day, or the last of a shorter month, by the rhyme.
fn months_on(day: Date, months: u32) -> Date {
    let (mut year, mut month) = (day.year(), day.month());
    for _ in 0..months {
        (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    }
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    jiff::civil::date(year, month, day.day().min(length))
}

/// Every way to count, of an amount `#`.
const BUDGETS: [&str; 16] = [
    "# minutes",
    "# hours",
    "# working minutes",
    "# working hours",
    "# days",
    "# days to same time",
    "# days from next working day to close of business",
    "# working days",
    "# working days from same day",
    "# working days to same time",
    "# weeks from same day",
    "# months",
    "# days rolled past holidays",
    "# days rolled past days off",
    "# weeks to same time rolled past days off",
    "# months rolled past holidays",
];

/// A clock that was paused as far as it could be: not once its time was over.
fn paused(budget: &str, calendar: &Calendar, start: Timestamp, pauses: &[(Timestamp, Timestamp)]) -> Clock {
    let pausing = Pausing { reasons: vec![Reason::Appraisal], cap: None };
    let terms = Terms { pause: Some(pausing), ..Terms::of(budget.parse().unwrap()) };
    let mut clock = Clock::start(Kind::Decide, terms, "test@1", start);
    for (from, until) in pauses {
        if clock.pause(Reason::Appraisal, calendar, *from).is_ok() {
            clock.resume(*until).unwrap();
        }
    }
    clock
}

fn adds_up(clock: &Clock, calendar: &Calendar) -> Result<(), TestCaseError> {
    let explanation = clock.explain(calendar);
    let due = clock.due(calendar);
    prop_assert_eq!(explanation.due, due);
    let amounts: SignedDuration = explanation.lines.iter().map(|line| line.amount).sum();
    prop_assert_eq!(amounts, explanation.total);
    prop_assert_eq!(explanation.total, clock.total(calendar));
    let mut at = clock.start;
    let mut sum = SignedDuration::ZERO;
    for line in &explanation.lines {
        prop_assert_eq!(line.from, at, "{:?}", line);
        prop_assert!(line.from < line.until || line.why == Why::ClocksSet);
        let counts =
            matches!(line.why, Why::Counts | Why::BeforeFirstDay | Why::ClocksSet | Why::RolledForward);
        prop_assert!(counts || line.amount.is_zero(), "{:?}", line);
        sum += line.amount;
        prop_assert_eq!(line.sum, sum);
        at = line.until;
    }
    prop_assert_eq!(Some(at), due);
    Ok(())
}

/// Every change of clocks of every zone from 1970 to 2100: what is on either
/// side adds up, and the line of readings never runs back.
#[test]
fn every_change_of_clocks_adds_up() {
    let changes = distinct_changes();
    // Without the zones' data there would be none.
    assert!(changes.len() > 4_000, "{}", changes.len());
    let part = changes.len().div_ceil(std::thread::available_parallelism().map_or(1, NonZero::get));
    std::thread::scope(|scope| {
        for changes in changes.chunks(part) {
            scope.spawn(|| changes.iter().for_each(|(zone, time)| adds_up_around(zone, *time)));
        }
    });
}

/// Every change of clocks, by a zone that has it. Zones that change at the same moment,
/// between the same distances from UTC, have it in common: what is asked looks days
/// around it and no further. From 2038 on zones follow a rule, and one change stands for
/// all at its time of the week, as the plan repeats every week.
fn distinct_changes() -> Vec<(String, Timestamp)> {
    let around = SignedDuration::from_hours(7 * 24);
    let last = Timestamp::from_second(LAST).unwrap();
    let (mut seen, mut distinct) = (BTreeSet::new(), Vec::new());
    for name in zones() {
        let zone = zones::get(&name).unwrap();
        let following = zone.following(Timestamp::UNIX_EPOCH);
        let changes: Vec<(Timestamp, i32)> = following
            .map(|change| (change.timestamp(), change.offset().seconds()))
            .take_while(|(time, _)| *time < last + around)
            .collect();
        let mut first = 0;
        for (time, _) in changes.iter().filter(|(time, _)| *time < last) {
            first += changes[first..].iter().take_while(|(near, _)| *near < *time - around).count();
            let near = changes[first..].iter().take_while(|(near, _)| *near < *time + around);
            let near = near.map(|(near, offset)| (near.duration_since(*time), *offset));
            let before = zone.to_offset(*time - around).seconds();
            let second = time.as_second();
            let when = if second < RULED { second } else { second % WEEK };
            if seen.insert((when, before, near.collect::<Vec<_>>())) {
                distinct.push((name.clone(), *time));
            }
        }
    }
    distinct
}

fn adds_up_around(zone: &str, time: Timestamp) {
    let plan = Plan {
        zone: zone.to_owned(),
        shifts: vec![(0, 90), (90, 150), (22 * 60 + 30, 24 * 60)],
        worked: [true, true, true, true, true, false, true],
        listed: Vec::new(),
    };
    let calendar = plan.calendar();
    let (from, until) = (time - SignedDuration::from_hours(30), time + SignedDuration::from_hours(30));
    for scale in SCALES {
        let all = scale.measure(&calendar, from, until);
        for minutes in [-61, -1, 0, 1, 29, 61] {
            let middle = time + SignedDuration::from_mins(minutes);
            let parts = scale.measure(&calendar, from, middle) + scale.measure(&calendar, middle, until);
            assert_eq!(parts, all, "{zone} {time} {scale:?}");
        }
        assert!(scale.advance(&calendar, from, all) <= until, "{zone} {time} {scale:?}");
    }
}
